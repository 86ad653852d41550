"""A mounted container leaves its position: `%EMPTY`, `%ASIDE quantity` or `%UNMOUNT` (BF-17)."""

from typing import Final

from mes_terminal.domain.intent import Dismount
from mes_terminal.domain.quantity import format_quantity, parse_quantity
from mes_terminal.store import mount_spans
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.mount_spans import EndedBy, OpenStay
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact
from mes_terminal.usecases.count_unknown import count_unknown
from mes_terminal.usecases.end_stay import Ended, end_stay

ENDED_BY: Final[dict[str, EndedBy]] = {"EMPTY": "empty", "ASIDE": "aside", "UNMOUNT": "unmount"}


def dismount(conn: Connection, intent: Dismount, context: Context) -> Answer:
    """Take a container out of its position: empty, with so much left, or as the books have it."""
    stays = mount_spans.open_stays(conn, station_pct_micro=context.rules.lot_overrun_pct_micro)
    matches = [each for each in stays if _is_meant(each, intent)]
    if not matches and not intent.known:
        return count_unknown(conn, context)
    if len(matches) != 1:
        return _ask_which(stays, context)
    stay = matches[0]
    left = _left(intent)
    if left is not None and left % stay.filling.step_micro:
        return _refuse_step(stay, context)
    event_seq = append_event(
        conn,
        fact(
            context,
            "lot.unmounted",
            stay.position,
            verb=intent.verb,
            item=stay.item,
            lot=stay.lot,
            container=stay.container,
            left=None if left is None else format_quantity(left),
        ),
        context.head,
        context.scan,
        rules=context.rules,
    )
    ended = end_stay(
        conn,
        stay,
        by=ENDED_BY[intent.verb],
        left_micro=left,
        event_seq=event_seq,
        context=context,
    )
    return answer(
        context,
        "recorded",
        _message(stay, intent, ended),
        f"Scan the next container of {stay.item}",
        item=stay.item,
        lot=stay.lot,
        quantity=format_quantity(ended.left_micro),
        exceptions=ended.exceptions,
        event_seq=event_seq,
        session=changed(context.session, pending_verb=None, pending_argument=None),
    )


def _is_meant(stay: OpenStay, intent: Dismount) -> bool:
    return (
        stay.position == intent.code
        or (intent.container_id != 0 and stay.container_id == intent.container_id)
        or (intent.lot_id != 0 and stay.lot_id == intent.lot_id)
        or (intent.item_id != 0 and stay.item_id == intent.item_id)
    )


def _left(intent: Dismount) -> int | None:
    """Return what is left in it; `None`: what the books say."""
    if intent.verb == "EMPTY":
        return 0
    return parse_quantity(intent.argument) if intent.verb == "ASIDE" else None


def _ask_which(stays: list[OpenStay], context: Context) -> Answer:
    names = ", ".join(each.position for each in stays) or "nothing"
    return answer(
        context,
        "needs",
        f"{context.code} is not mounted, or in more than one position",
        f"Scan one of these positions, or CANCEL: {names}",
        reason="component",
    )


def _refuse_step(stay: OpenStay, context: Context) -> Answer:
    step = format_quantity(stay.filling.step_micro)
    return answer(
        context,
        "rejected",
        f"{stay.item} is counted in steps of {step}. {stay.name} stays mounted",
        "Scan ASIDE with what is left",
        reason="not_a_step",
        item=stay.item,
        lot=stay.lot,
        session=changed(context.session, pending_verb=None, pending_argument=None),
    )


def _message(stay: OpenStay, intent: Dismount, ended: Ended) -> str:
    if intent.verb == "EMPTY":
        what = "is empty"
    elif intent.verb == "ASIDE":
        what = f"is set aside with {format_quantity(ended.left_micro)} {stay.uom}"
    else:
        what = "is unmounted"
    said = f"{stay.position}: {stay.name} {what}"
    return f"{said}; {ended.said}" if ended.said else said
