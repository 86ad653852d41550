"""The order at hand in the operator's words: its operations, empty slots, what was changed.

Takes the values of a `StationView` and the words, gives texts that are safe to draw. Pure; called
by `present`, `present_view` and the operator's screen.
"""

from datetime import tzinfo

from mes_terminal.domain.order_changes import OrderChange, from_unit
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.view import OperationView, PreflightView, StationView, UnitView
from mes_terminal.tui.figures import local_time, number
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.words import Words


def operation_texts(view: StationView, words: Words) -> list[tuple[str, str, str]]:
    """Return number, name and how far each operation is, those that are still open first.

    Before these stands what the last report swept: that is news.
    """
    done = [each for each in view.operations if _is_through(each, view)]
    shown = [each for each in view.operations if each not in done or each.swept_by]
    return [_operation(each, words) for each in shown or view.operations]


def swept_text(outcome: Outcome, view: StationView | None) -> str:
    """Return the operations that the report of `outcome` swept; empty if none or not known."""
    if view is None or outcome.report_id is None:
        return ""
    return ", ".join(
        safe(each.operation, 12) for each in view.operations if each.swept_by == outcome.report_id
    )


def unit_text(unit: UnitView, words: Words) -> str:
    """Return the name of the unit at hand."""
    if unit.serial is None:
        return words.order.next_unit.format(safe(unit.item, 20))
    return words.order.unit.format(safe(unit.serial, 24))


def missing_text(unit: UnitView) -> str:
    """Return what the unit lacks: `MOTOR, 2 BATTERY`."""
    return ", ".join(_parts(unit))


def next_parts_text(unit: UnitView, words: Words) -> str:
    """Return which parts are to be scanned next: `MOTOR, then 2 BATTERY for unit EB-0001`."""
    parts = words.order.then.join(_parts(unit))
    return words.order.parts_for.format(parts=parts, unit=unit_text(unit, words))


def change_texts(view: StationView, words: Words, zone: tzinfo) -> list[str]:
    """Return what was changed about the order at hand in mid order, one text a change (BF-7)."""
    changes = view.order.changes if view.order else []
    return [_change(change, view.now, words, zone) for change in changes]


def preflight_text(flight: PreflightView, words: Words) -> str:
    """Return how many lines a close would post, and how many not (screens 6)."""
    order, lines = words.order, flight.lines_post
    if not flight.lines_short:
        return order.only_post if lines == 1 else order.all_post.format(lines=lines)
    template = order.only_short if lines == 1 else order.some_short
    return template.format(lines=lines, short=flight.lines_short)


def told_change(outcome: Outcome) -> str:
    """Return the core's words about what was changed of the order; empty if nothing was.

    They stand at the end of the message of the report that tells them.
    """
    if outcome.work_order is None:
        return ""
    begin = outcome.message.find(f"{outcome.work_order} changed: ")
    return safe(outcome.message[begin:], SENTENCE_MAX_COLUMNS) if begin >= 0 else ""


def _is_through(operation: OperationView, view: StationView) -> bool:
    """Whether all that the order is for has passed the operation."""
    return view.order is not None and operation.good == view.order.quantity


def _operation(operation: OperationView, words: Words) -> tuple[str, str, str]:
    good = number(operation.good, words)
    figures = [f"{good} {words.order.swept}" if operation.swept_by else good]
    if operation.scrapped != "0":
        ended = number(operation.scrapped, words)
        figures.append(words.order.ended.format(n=ended))
    return safe(operation.operation, 12), safe(operation.description, 20), ", ".join(figures)


def _parts(unit: UnitView) -> list[str]:
    return [
        f"{part.count} {safe(part.item, 20)}" if part.count > 1 else safe(part.item, 20)
        for part in unit.missing
    ]


def _change(change: OrderChange, now: str, words: Words, zone: tzinfo) -> str:
    order = words.order
    template = order.changes[change.what]
    if change.what == "need" and not (change.was and change.now):
        template = order.other_quantity
    text = template.format(
        was=_value(change, change.was, now, words, zone),
        now=_value(change, change.now, now, words, zone),
        line=safe(change.line or "", 12),
        item=safe(change.item or "", 20),
        unit=from_unit(change),
    )
    return safe(text, SENTENCE_MAX_COLUMNS)


def _value(change: OrderChange, value: str | None, now: str, words: Words, zone: tzinfo) -> str:
    if value is None:
        return words.order.none
    match change.what:
        case "quantity" | "need":
            return number(value, words)
        case "due_at":
            today, _, _ = local_time(now, zone).partition(" ")
            return local_time(value, zone).removeprefix(f"{today} ")
        case _:
            return safe(value, 20)
