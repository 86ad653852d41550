"""Exceptions as texts in the person's language: groups, rows, the story of one, what may end it.

Takes the values of `domain.desk` and what the core made of a decision, gives texts that are safe to
draw. Pure; called by the desk's widgets and by the dialog that resolves.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, Literal

from msgspec import Struct

from mes_terminal.domain.desk import ExceptionStory, KindGroup, Suggestion
from mes_terminal.domain.healing import Decision
from mes_terminal.domain.instants import seconds_between, to_datetime
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.resolving import Resolved
from mes_terminal.tui.figures import local_time, number
from mes_terminal.tui.present import Tone
from mes_terminal.tui.present_view import Emphasis, Piece, age_text
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.words import Words

Asked = Literal["lot", "item", "item_lot", "quantity", "reason", "badge", "pin"]

SUGGESTED_MAX: Final = 3
"""Suggested lots that can be chosen at once; any other is named by scanning it."""
_GRAVITY: Final[dict[str, Emphasis]] = {"stop": "alert", "warn": "strong", "info": "plain"}
_TONES: Final[dict[str, Tone]] = {
    "posted": "ok",
    "written_off": "ok",
    "partly_posted": "check",
    "already_done": "check",
    "refused": "stop",
}


class GroupLine(Struct, frozen=True):
    """One group: what, how many, how old; `emphasis` is strong for what stops the line."""

    name: str
    count: str
    age: str
    emphasis: Emphasis


class RowLine(Struct, frozen=True):
    """One exception of a group."""

    time: str
    order: str
    what: str
    quantity: str
    emphasis: Emphasis


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


class Result(Struct, frozen=True):
    """What became of a decision, or would: its tone, and a sentence each."""

    tone: Tone
    lines: list[str]


def heading_texts(
    groups: Sequence[KindGroup], words: Words, now: str, *, only_open: bool
) -> list[str]:
    """Return how many there are, and the age of the oldest."""
    told = words.desk
    if not groups:
        return [told.nothing]
    oldest = min(group.oldest_at for group in groups)
    total = number(str(sum(group.count for group in groups)), words)
    form = told.open if only_open else told.in_all
    return [form.format(n=total), told.oldest.format(age=_age(oldest, words, now))]


def group_line(group: KindGroup, words: Words, now: str) -> GroupLine:
    """Return the line of a group."""
    return GroupLine(
        kind_text(group.kind, words),
        number(str(group.count), words),
        _age(group.oldest_at, words, now),
        _GRAVITY.get(group.severity, "plain"),
    )


def kind_text(kind: str, words: Words) -> str:
    """Return what a kind is called; one of a newer core by its word."""
    return words.desk.kinds.get(kind, safe(kind, 20))


def row_line(row: ExceptionStory, words: Words, zone: tzinfo, now: str) -> RowLine:
    """Return the line of an exception: today with the time, else with the day."""
    return RowLine(
        _moment(row.opened_at, zone, now),
        safe(row.work_order or "", 16),
        safe(row.item or row.cause or "", 32),
        quantity_text(row, words) if row.item else "",
        "strong" if row.status == "open" else "muted",
    )


def quantity_text(row: ExceptionStory, words: Words) -> str:
    """Return what is open of an exception with its unit."""
    if row.quantity is None:
        return ""
    unit = f" {safe(row.uom, 8)}" if row.uom and row.item else ""
    return f"{number(row.quantity, words)}{unit}"


def story(row: ExceptionStory, words: Words, zone: tzinfo, now: str) -> list[Piece]:
    """Return what happened, when and where, what blocks it, what may mend it or did."""
    told = words.desk
    names = {
        "item": safe(row.item or "", 32),
        "lot": safe(row.lot or "", 32),
        "quantity": quantity_text(row, words),
        "order": safe(row.work_order or "", 32),
        "line": safe(row.line or "", 16),
        "place": safe(row.location or "", 20),
        "person": safe(row.person or "", 24),
        "time": local_time(row.opened_at, zone),
        "age": _age(row.opened_at, words, now),
    }
    happened = told.happened.get(row.kind, kind_text(row.kind, words))
    facts = [(told.opened_by if row.person else told.opened).format(**names)]
    if row.work_order:
        facts.append((told.order_line if row.line else told.order).format(**names))
    if row.cause:
        known = told.causes.get(row.cause) or safe(row.cause, SENTENCE_MAX_COLUMNS)
        facts.append(told.cause.format(cause=known))
    is_open = row.status == "open"
    if is_open and row.quantity is not None and row.item:
        facts.append(told.still_open.format(**names))
    pieces = [Piece(happened.format(**names), "strong"), Piece(" ".join(facts)), Piece("")]
    if not is_open:
        return [*pieces, *_ended(row, words)]
    blocked = Piece(told.blocked[_blocks(row)].format(**names))
    return [*pieces, blocked, *_suggestions(row, words)]


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
    stays = [each for each in results if stays_open(each)]
    n, rest = len(results) - len(stays), len(stays)
    key = "some" if n and rest else "none" if rest else "all"
    if len(results) == 1:
        key = f"only_{key}"
    lines = [would[key].format(n=n, rest=rest)]
    return Result("stop" if not n else "check" if rest else "do", lines + _told(results, words))


def answer(results: Sequence[Resolved], words: Words) -> Result:
    """Return what became of a decision."""
    said = words.desk.answer
    stays = sum(map(stays_open, results))
    n = len(results) - stays
    counted = [said["one_ended"] if len(results) == 1 else said["ended"].format(n=n)] if n else []
    if stays and len(results) > 1:
        counted.append(said["stay"].format(n=stays))
    tone: Tone = "ok" if not stays else "check" if n or _posted(results) else "stop"
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


def _posted(results: Sequence[Resolved]) -> bool:
    return any(each.posted or each.scrapped for each in results)


def _ended(row: ExceptionStory, words: Words) -> list[Piece]:
    told = words.desk
    status = told.statuses.get(row.status, safe(row.status, 12))
    said = safe(row.resolution or status, SENTENCE_MAX_COLUMNS)
    return [Piece(told.mended, "muted"), Piece(said, "strong")]


def _blocks(row: ExceptionStory) -> str:
    if row.kind == "component_serial":
        return "serial"
    if row.kind == "shortage":
        return {"lot": "lot", "serial": "serial"}.get(row.tracking or "", "shortage")
    return row.kind if row.kind in ("count_variance", "failed_scan", "clock") else ""


def _suggestions(row: ExceptionStory, words: Words) -> list[Piece]:
    told = words.desk
    if row.kind != "shortage":
        return []
    pieces = [Piece(told.suggested, "muted")]
    for n, each in enumerate(row.suggestions, 1):
        form = told.suggestion_instead if each.instead else told.suggestion
        pieces.append(Piece(f"{n} " + form.format(**_names(row, each, words))))
    return pieces if row.suggestions else [*pieces, Piece(told.no_suggestion)]


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


def _age(instant: str, words: Words, now: str) -> str:
    try:
        return age_text(seconds_between(instant, now), words)
    except ValueError:
        return "?"


def _moment(instant: str, zone: tzinfo, now: str) -> str:
    try:
        moment = to_datetime(instant).astimezone(zone)
        today = to_datetime(now).astimezone(zone).date()
    except (ValueError, OverflowError):
        return safe(instant, 5)
    return moment.strftime("%H:%M" if moment.date() == today else "%m-%d")
