"""What may end an exception, and what a decision came to, in the person's language. Pure.

Texts are safe to draw. Called by the form that resolves (BF-23).
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from mes_terminal.domain.desk import ExceptionStory, Suggestion
from mes_terminal.domain.healing import Decision
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.resolving import Assigned, Resolved
from mes_terminal.tui.figures import number
from mes_terminal.tui.forms import Result
from mes_terminal.tui.present import Tone
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.words import Words

Asked = Literal["lot", "item", "item_lot", "quantity", "reason", "badge", "pin"]

SUGGESTED_MAX: Final = 3
"""Suggested lots that can be chosen at once; any other is named by scanning it."""
_TONES: Final[dict[str, Tone]] = {
    "posted": "ok",
    "written_off": "ok",
    "sent_again": "ok",
    "partly_posted": "check",
    "already_done": "check",
    "refused": "stop",
}


class Choice(Struct, frozen=True):
    """A way to end an exception: what it is called, what is asked for, what is known of it."""

    text: str
    how: Literal["post", "change", "write_off"]
    asks: tuple[Asked, ...] = ()
    lot: str | None = None
    item: str | None = None

    def decision(self, told: dict[str, str]) -> Decision:
        """Return the decision, with what was `told` in the fields."""
        lot = told.get("lot") or told.get("item_lot") or self.lot
        return Decision(
            how=self.how,
            lot=None if lot == "*" else lot,
            item=told.get("item") or self.item,
            quantity=told.get("quantity"),
            reason=told.get("reason"),
        )


def choices(row: ExceptionStory, words: Words, *, alone: bool) -> list[Choice]:
    """Return the ways to end an exception of this kind, the likeliest first; none: not from here.

    `alone`: it is the only one to be ended, so that what is suggested for it can be named.
    """
    told = words.desk.choices
    write_off = Choice(told["write_off"], "write_off", ("reason",))
    if row.kind == "clock":
        return []
    if row.kind == "count_variance":
        return [Choice(told["count"], "post"), write_off]
    if row.kind == "failed_scan":
        return [Choice(told["again"], "post"), write_off]
    if row.kind == "posting_refused":
        return [Choice(told["send"], "post"), write_off]
    if row.kind != "shortage":
        return [write_off]
    post = Choice(told["post"], "post")
    suggested = [_choice(row, each, words) for each in row.suggestions] if alone else []
    found = [each for each in suggested if each is not None][:SUGGESTED_MAX]
    other = Choice(told["other_lot"], "change", ("lot",))
    item = Choice(told["other_item"], "change", ("item", "item_lot"))
    asks: tuple[Asked, ...] = ("quantity",) if row.tracking != "lot" else ("quantity", "lot")
    quantity = [Choice(told["quantity"], "change", asks)] if alone else []
    lots = [other] if row.tracking == "lot" else []
    return [post, *found, *lots, item, *quantity, write_off]


def preview(results: Sequence[Resolved], words: Words) -> Result:
    """Return what a decision would come to: how many would end, and why the others would not."""
    would = words.desk.would
    rest, sent = sum(map(stays_open, results)), _sent(results)
    n = len(results) - rest - sent
    key = "some" if n and rest else "none" if rest else "all"
    if len(results) == 1:
        key = f"only_{key}"
    lines = [would[key].format(n=n, rest=rest)] if n or rest else []
    tone: Tone = "stop" if not (n or sent) else "check" if rest else "do"
    return Result(tone, lines + _told(results, words))


def answer(results: Sequence[Resolved], words: Words) -> Result:
    """Return what became of a decision."""
    said = words.desk.answer
    stays, sent = sum(map(stays_open, results)), _sent(results)
    n = len(results) - stays - sent
    counted = [said["one_ended"] if len(results) == 1 else said["ended"].format(n=n)] if n else []
    if stays and len(results) > 1:
        counted.append(said["stay"].format(n=stays))
    tone: Tone = "ok" if not stays else "check" if n or sent or _posted(results) else "stop"
    return Result(tone, [" ".join(counted), *_told(results, words)] if counted
                  else _told(results, words))  # fmt: skip


def stays_open(result: Resolved) -> bool:
    """Tell whether something of it is left."""
    return result.outcome == "refused" or result.open is not None


def _told(results: Sequence[Resolved], words: Words) -> list[str]:
    """Return one line for each different thing that was said, the gravest first."""
    order = list(_TONES)
    ranked = sorted(results, key=lambda each: -order.index(each.outcome))
    return list(dict.fromkeys(_line(each, words) for each in ranked))


def _line(result: Resolved, words: Words) -> str:
    """Return what became of one; why it was refused is said as the core says it."""
    form = words.desk.outcomes.get(result.outcome)
    if form is None:
        return f"{safe(result.message, SENTENCE_MAX_COLUMNS)}."
    drawn = [*result.posted, *result.scrapped]
    quantity = ", ".join(_drawn(each, words) for each in drawn) or number(
        result.written_off or "0", words
    )
    return form.format(quantity=quantity, open=number(result.open or "0", words))


def _drawn(drawn: Consumed, words: Words) -> str:
    what = safe(" ".join(filter(None, (drawn.item, drawn.lot))), 40)
    return f"{number(drawn.quantity, words)} {safe(drawn.uom, 8)} {what}"


def _sent(results: Sequence[Resolved]) -> int:
    """Return how many end later, when what was sent again is accepted."""
    return sum(each.outcome == "sent_again" for each in results)


def _posted(results: Sequence[Resolved]) -> bool:
    return any(each.posted or each.scrapped for each in results)


def assigned(results: Sequence[Assigned], words: Words) -> Result:
    """Return who got what: how many, and why the others were not."""
    told = words.desk.assigned
    refused = [each for each in results if each.outcome == "refused"]
    n = len(results) - len(refused)
    lines = [told["given"].format(n=n)] if n else []
    lines += dict.fromkeys(f"{safe(each.message, SENTENCE_MAX_COLUMNS)}." for each in refused)
    return Result("stop" if not n else "check" if refused else "ok", lines)


def _choice(row: ExceptionStory, each: Suggestion, words: Words) -> Choice | None:
    """Return how a suggestion is chosen; what lies elsewhere is moved first, so it is none."""
    told = words.desk.choices
    if each.location != row.location:
        return None
    names = _names(row, each, words)
    if each.instead:
        text = told["instead"].format(**names)
        return Choice(text, "change", lot=each.lot, item=each.instead)
    return Choice(told["lot"].format(**names), "change", lot=each.lot) if each.lot else None


def _names(row: ExceptionStory, each: Suggestion, words: Words) -> dict[str, str]:
    return {
        "quantity": f"{number(each.quantity, words)} {safe(each.uom, 8)}",
        "item": safe(each.instead or row.item or "", 24),
        "lot": safe(each.lot or ("" if each.instead else row.item or ""), 24),
        "place": safe(each.location, 16),
    }
