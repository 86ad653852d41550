"""An outcome in the operator's words: tone, sign, and the three lines of the result panel.

Every outcome and reason of the command line page has words here, in each language (tested), so a
code never stands alone; for one of a newer core the core's own message stands in. What is scanned
passes `safe` on the way into a sentence. Pure; called by the operator's screen.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from mes_terminal.domain.outcome import OpenedException, Outcome
from mes_terminal.domain.view import PreflightView, StationView
from mes_terminal.tui.figures import number
from mes_terminal.tui.present_order import (
    missing_text,
    preflight_text,
    swept_text,
    told_change,
    unit_text,
)
from mes_terminal.tui.present_start import hello
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.words import Sentence, Words

Tone = Literal["ok", "do", "check", "stop", "calm"]
Sound = Literal["accepted", "refused", "stop"]

WAITING_VERBS: Final = frozenset(
    (
        *("QTY", "SHORT", "SCRAP", "REWORK", "ISSUE", "RETURN", "EXTRA", "EMPTY", "ASIDE"),
        *("UNMOUNT", "MOVE", "HOLD", "RELEASE", "COUNT", "REPLACE", "rework_done"),
    )
)
"""Commands that do nothing until the next code: the screen says DO, not OK."""
_DONE_BY_HAND: Final = {
    "ISSUE": "issued",
    "EXTRA": "issued_extra",
    "RETURN": "returned",
    "SCRAP": "scrapped",
    "MOVE": "moved",
    "HOLD": "held",
    "RELEASE": "released",
    "EMPTY": "emptied",
    "ASIDE": "set_aside",
    "UNMOUNT": "unmounted",
}
"""What became of material, by the command that its code answered (BF-10, BF-16, BF-17, BF-27)."""

EXCEPTIONS_NAMED_MAX: Final = 3
"""Exceptions named in one line; the others are counted."""

_VERB: Final = re.compile(r"[^\w\s]{1,3}([A-Z]+)(?:\s+(.*))?\Z", re.DOTALL)
_OPENS_WITH_FIELD: Final = re.compile(r"\{(\w+)\}")

_OPERATOR_CAN_MEND: Final = frozenset(
    (
        *("no_effect", "malformed", "unknown_command", "not_a_step", "nothing_to_undo"),
        *("gs_suspected", "reason_missing", "control_chars", "forbidden_key", "order_closed"),
        "not_released",
    )
)
"""Refusals that another scan mends: two low tones. Every other one stops: a long low tone."""

_FACTS_IN_MESSAGE: Final = frozenset(
    (
        *("shortage_blocked", "lot_expired", "lot_on_hold", "wrong_component", "over_tolerance"),
        *("has_dependents", "malformed", "not_a_step", "operation_order", "ambiguous"),
        *("order_closed", "confirm", "confirm_close", "confirm_repeat", "serial_in_use"),
        *("component_serial_missing", "not_authorised", "reason_missing", "undo_too_late"),
        *("control_chars", "no_effect", "disk", "reason", "approval"),
    )
)
"""Reasons whose message holds facts that no field has (a date, a list): it is shown below."""

_NEEDED_IN_HINT: Final = frozenset(("wrong_component",))
"""Reasons whose hint names what is needed instead, which no field does."""


class Card(Struct, frozen=True, kw_only=True):
    """What the result panel shows. Every text is safe and one line long."""

    tone: Tone
    word: str
    happened: str
    action: str = ""
    scan: str = ""
    detail: str = ""
    """The core's own message, in English, where it says more than the three lines."""
    figure: str = ""
    """The one datum that is drawn large beside the word: `63/100`, a lot, an item."""


def present_outcome(
    outcome: Outcome,
    words: Words,
    *,
    view: StationView | None = None,
    answered: str | None = None,
) -> Card:
    """Return the card of `outcome`.

    `view` is the station after the scan, `None` while it is not known yet. `answered` is the
    command that was waiting when the code was scanned.
    """
    kind = _kind(outcome, view, answered)
    sentence = _sentence(outcome, kind, words)
    tone = _tone(outcome, kind, view)
    fields = _fields(outcome, view, words)
    action = sentence.action
    if "{left}" in action and _left(outcome, view, words) is None:
        action = words.labels.ready_action
    if kind in ("START", "started") and view and view.preflight:
        action = _preflight_action(view.preflight, words)
    if kind == "operation" and "swept" in fields and not outcome.exceptions:
        action = words.completed["swept"].action
        sentence = Sentence(sentence.happened, action)
    happened, detail = _fill(sentence.happened, fields, words), _detail(outcome, kind, words)
    if detail and words.language == "en" and kind != "HELP":
        happened, detail = detail, ""  # the same in one sentence
        if outcome.reason in _NEEDED_IN_HINT and outcome.hint:
            action = f"{outcome.hint.rstrip('.')}."
    news = told_change(outcome)
    if news and outcome.outcome == "completed" and not outcome.exceptions:
        action, news = f"{news}.", ""
    if kind == "signed_in" and view is not None:
        handed_over, news = hello(view, words)
        action = handed_over or action
    return Card(
        tone=tone,
        word=words.signs[tone],
        happened=happened,
        action=_fill(action, fields, words) if action == sentence.action else _one_line(action),
        scan=_fill(sentence.scan, fields, words),
        detail=detail or news,
        figure=_figure(outcome, view, words),
    )


def tone_of(outcome: Outcome) -> Tone:
    """Return the tone of `outcome` alone: completed OK, with exceptions CHECK, and so on."""
    return _tone(outcome, _kind(outcome, None, None), None)


def tone_of_listed(outcome: str) -> Tone:
    """Return the tone of one of the last scans, of which only the outcome's name is known."""
    tones: dict[str, Tone] = {
        "completed": "ok",
        "recorded": "ok",
        "already_done": "check",
        "needs": "do",
    }
    return tones.get(outcome, "stop")


def sound_of(outcome: Outcome) -> Sound:
    """Return what is heard: accepted, refused (mend it and go on), or stop (read, perhaps call)."""
    if outcome.outcome in ("completed", "recorded"):
        return "accepted"
    if outcome.outcome in ("already_done", "needs", "unknown"):
        return "refused"
    return "refused" if outcome.reason in _OPERATOR_CAN_MEND else "stop"


def verb_of(code: str) -> tuple[str, str] | None:
    """Return verb and argument of a command code, whatever its prefix; `None` if it is none."""
    match = _VERB.match(code)
    return (match[1], (match[2] or "").strip()) if match else None


def exception_phrase(exception: OpenedException, words: Words) -> str:
    """Return one exception in words: `LEG 12 short`."""
    template = words.exceptions.get(exception.kind)
    if template is None:
        return safe(f"{exception.kind} {exception.item or ''}").strip()
    return template.format(
        item=safe(exception.item) if exception.item else words.absent["item"],
        quantity=number(exception.quantity, words) if exception.quantity else "?",
    )


def listed_sentence(outcome: str, reason: str | None, message: str, words: Words) -> str:
    """Return one of the last scans in words: the core's message in English, else our own."""
    if words.language == "en":
        return _one_line(message)
    if outcome == "unknown":
        sentence: Sentence | None = words.unknown
    else:
        family: Mapping[str, Mapping[str, Sentence]] = {
            "rejected": words.rejected,
            "needs": words.needs,
            "already_done": words.already_done,
        }
        sentence = family.get(outcome, {}).get(reason or "")
    return _fill(sentence.happened, {}, words) if sentence else ""


def _kind(outcome: Outcome, view: StationView | None, answered: str | None) -> str:
    """Return the key of the sentence within the outcome's own table."""
    match outcome.outcome:
        case "completed":
            return _completed_kind(outcome)
        case "recorded":
            return _recorded_kind(outcome, view, answered)
        case _:
            return outcome.reason or ""


def _preflight_action(flight: PreflightView, words: Words) -> str:
    """Return what a close would do: what to bring, or that nothing is missing (screens 6)."""
    if flight.lines_short:
        return "; ".join(flight.shortages[:EXCEPTIONS_NAMED_MAX])
    return f"{words.labels.close_now}: {preflight_text(flight, words)}."


def _completed_kind(outcome: Outcome) -> str:
    if outcome.quantity == "0":
        return "closed_short"
    if _operation_of(outcome):
        return "operation"
    if not outcome.produced and outcome.scrapped:
        return "scrap"
    if not (outcome.produced or outcome.consumed) and (outcome.serial or outcome.lot):
        return "reworked"
    if outcome.order_status == "closed":
        return "closed"
    return "unit" if outcome.serial else "units"


def _operation_of(outcome: Outcome) -> str | None:
    """Return the operation that was reported; of the last one, units were made instead."""
    command = verb_of(outcome.code)
    if outcome.outcome != "completed" or outcome.produced or not command or command[0] != "OP":
        return None
    return command[1].partition(" ")[0]


def _recorded_kind(outcome: Outcome, view: StationView | None, answered: str | None) -> str:
    command = verb_of(outcome.code)
    if command == ("CALL", "") and view is not None and not view.calls:
        return "call_seen"
    if command is not None:
        return "rework_done" if command == ("REWORK", "") else command[0]
    if outcome.report_id and answered in ("REWORK", "REPLACE"):
        return "in_rework" if answered == "REWORK" else "replaced"
    if outcome.serial and view is not None and view.pending_verb == "REPLACE":
        return "REPLACE"
    if outcome.item and answered in _DONE_BY_HAND:
        return _DONE_BY_HAND[answered]
    if outcome.serial and outcome.work_order and not (outcome.lot or outcome.report_id):
        return "in_slot"
    if outcome.lot or outcome.serial:
        return "in_use"
    if outcome.work_order:
        return "started"
    if outcome.item or view is None:
        return "other"
    return "signed_in" if view.person else "signed_out"


def _sentence(outcome: Outcome, kind: str, words: Words) -> Sentence:
    spare = Sentence(_escaped(outcome.message), _escaped(outcome.hint or ""))
    match outcome.outcome:
        case "completed":
            return _completed_sentence(outcome, kind, words)
        case "recorded":
            return words.recorded.get(kind, words.recorded["other"])
        case "already_done":
            return words.already_done.get(kind, words.already_done[""])
        case "needs":
            return words.needs.get(kind, spare)
        case "rejected":
            return words.rejected.get(kind, spare)
        case _:
            return words.unknown


def _completed_sentence(outcome: Outcome, kind: str, words: Words) -> Sentence:
    sentence = words.completed[kind]
    if not outcome.exceptions:
        return sentence
    named = [exception_phrase(e, words) for e in outcome.exceptions[:EXCEPTIONS_NAMED_MAX]]
    text = "; ".join(named)
    if len(outcome.exceptions) > len(named):
        text += ", " + words.labels.and_more.format(n=len(outcome.exceptions) - len(named))
    action = words.completed["exceptions"].action.replace("{exceptions}", _escaped(text))
    return Sentence(sentence.happened, action, sentence.scan)


def _tone(outcome: Outcome, kind: str, view: StationView | None) -> Tone:
    match outcome.outcome:
        case "completed":
            return "check" if outcome.exceptions or told_change(outcome) else "ok"
        case "recorded":
            short = view is not None and view.preflight is not None and view.preflight.lines_short
            missing = kind in ("START", "started") and short
            news: Tone = "check" if told_change(outcome) else "ok"
            return "do" if kind in WAITING_VERBS or missing else news
        case "already_done":
            return "check"
        case "needs":
            return "do"
        case _:
            return "stop"


def _fields(outcome: Outcome, view: StationView | None, words: Words) -> dict[str, str]:
    """Return the stated fields, safe and in the language's form."""
    command = verb_of(outcome.code)
    found = {
        "code": outcome.code,
        "order": outcome.work_order,
        "item": outcome.item,
        "lot": outcome.lot,
        "serial": outcome.serial,
        "argument": command[1] if command else None,
        "person": (view.person_name or view.person) if view else None,
    }
    fields = {name: safe(value) for name, value in found.items() if value}
    told = {
        "operation": _operation_of(outcome),
        "swept": swept_text(outcome, view),
        "unit": unit_text(view.unit, words) if view and view.unit else None,
        "missing": missing_text(view.unit) if view and view.unit else None,
    }
    fields |= {name: safe(value, SENTENCE_MAX_COLUMNS) for name, value in told.items() if value}
    if outcome.quantity:
        fields["quantity"] = number(outcome.quantity.removeprefix("-"), words)
    left = _left(outcome, view, words)
    if left is not None:
        fields["left"] = left
    fields["components"] = _components(outcome, words)
    return fields


def _components(outcome: Outcome, words: Words) -> str:
    lines = len({draw.line for draw in outcome.consumed})
    texts = words.next_scans
    if lines == 0:
        return texts["no_components"]
    return texts["one_component"] if lines == 1 else texts["components"].format(n=lines)


def _left(outcome: Outcome, view: StationView | None, words: Words) -> str | None:
    if view is None or view.order is None or view.order.work_order != outcome.work_order:
        return None
    return number(view.order.remaining, words)


def _fill(template: str, fields: Mapping[str, str], words: Words) -> str:
    """Return `template` with its fields; our own words are capitalised where they open it."""
    values = dict(words.absent)
    for name, value in fields.items():
        values[name] = words.named.get(name, "{}").replace("{}", value)
    opening = _OPENS_WITH_FIELD.match(template)
    if opening and (opening[1] in words.named or opening[1] not in fields):
        first = values[opening[1]]
        values[opening[1]] = first[:1].upper() + first[1:]
    return _one_line(template.format_map(values))


def _detail(outcome: Outcome, kind: str, words: Words) -> str:
    told = outcome.reason in _FACTS_IN_MESSAGE or outcome.outcome == "already_done"
    message = outcome.message
    if outcome.reason in _NEEDED_IN_HINT and outcome.hint and words.language != "en":
        message = f"{message}. {outcome.hint}"
    return _one_line(message) if told or kind == "HELP" else ""


def _figure(outcome: Outcome, view: StationView | None, words: Words) -> str:
    """Return the datum to draw large: progress when booked, the culprit when refused, that a
    supervisor is asked."""
    if outcome.outcome == "completed":
        if view and view.order and view.order.work_order == outcome.work_order:
            at = [each for each in view.operations if each.operation == _operation_of(outcome)]
            if at:
                return f"{number(at[0].good, words)}/{number(view.order.quantity, words)}"
            return f"{number(view.order.completed, words)}/{number(view.order.quantity, words)}"
        return number(outcome.quantity or "", words)
    if outcome.outcome == "rejected" and outcome.reason:
        if outcome.reason.startswith("lot_"):
            return safe(outcome.lot or "")
        if outcome.reason in ("wrong_component", "substitute_not_allowed"):
            return safe(outcome.item or "")
        if outcome.reason.startswith("order_") or outcome.reason == "not_released":
            return safe(outcome.work_order or "")
    if outcome.outcome == "needs" and outcome.reason == "approval":
        return words.approve.figure
    return ""


def _one_line(text: str) -> str:
    return safe(text, SENTENCE_MAX_COLUMNS)


def _escaped(text: str) -> str:
    """Return `text` with braces doubled: it is no template of ours."""
    return safe(text, SENTENCE_MAX_COLUMNS).replace("{", "{{").replace("}", "}}")
