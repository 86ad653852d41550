"""What is mounted leaves its position: the stay ends, and what it differs from its books is booked.

Within the tolerance the difference is a gain or a loss of the lot; beyond it the books stay, one
exception asks for a person, and the line goes on (BF-17). Called when a container is empty, set
aside or taken off, when the next one is scanned in, and when it is moved away or held.
"""

from msgspec import Struct

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.overrun import is_within
from mes_terminal.domain.posting import EventDraft, MaterialActual, MovementRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store import materials, mount_spans, mounts
from mes_terminal.store.balances import add_stock
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.heal_queue import queue_healing
from mes_terminal.store.mount_spans import EndedBy, OpenStay
from mes_terminal.usecases.context import Context
from mes_terminal.usecases.material_event import stock_event
from mes_terminal.usecases.open_exception import open_exception

ADJUSTMENT = "@adjustment"


class Ended(Struct, frozen=True):
    """How a stay ended."""

    left_micro: int
    said: str = ""
    """What was found and booked, as a phrase; empty if the books were right."""
    exceptions: list[OpenedException] = []


def end_stay(
    conn: Connection,
    stay: OpenStay,
    *,
    by: EndedBy,
    left_micro: int | None,
    event_seq: int,
    context: Context,
) -> Ended:
    """Empty the position. `left_micro` is what a person found in it; `None`: as the books say.

    `event_seq` is the event that took it off.
    """
    book = mounts.left_micro(conn, stay.lot_id, stay.container_id, stay.location_id)
    left = book if left_micro is None else left_micro
    mounts.unmount(conn, stay.position)
    mount_spans.end(
        conn,
        stay.mount_span_id,
        by=by,
        left_micro=left,
        event_seq=event_seq,
        at=context.scan.event_time,
    )
    difference = left - book
    if not difference:
        return Ended(left)
    if is_within(stay.filling, difference):
        return _adjust(conn, stay, left, difference, context)
    return _ask(conn, stay, left, book, context)


def adjusted_event(
    stay: OpenStay, difference_micro: int, movements: list[MovementRow], context: Context
) -> EventDraft:
    """Return the event of a lot's gain or loss (below zero)."""
    quantity = format_quantity(difference_micro)
    actual = MaterialActual(
        "Adjusted", stay.item, stay.lot, None, quantity, stay.uom, stay.location
    )
    return stock_event("stock.adjusted", stay.name, stay.item, [actual], movements, context)


def _adjust(
    conn: Connection, stay: OpenStay, left: int, difference: int, context: Context
) -> Ended:
    place = materials.place(conn, ADJUSTMENT)
    movements: list[MovementRow]
    if difference > 0:
        movements = [
            (None, stay.lot_id, stay.container_id, place.location_id, stay.location_id, difference,
             "adjustment", None)
        ]  # fmt: skip
        at = context.scan.event_time
        add_stock(conn, [StockIn(stay.lot_id, stay.location_id, difference, at, stay.container_id)])
    else:
        parts = _lost(conn, stay, -difference, context)
        materials.take(conn, parts)
        movements = [
            (None, stay.lot_id, each.held.container_id, stay.location_id, place.location_id,
             each.quantity_micro, "adjustment", None)
            for each in parts
        ]  # fmt: skip
    mount_spans.add_gain(conn, stay.lot_id, stay.container_id, difference)
    event_seq = append_event(
        conn,
        adjusted_event(stay, difference, movements, context),
        read_head(conn),
        context.scan,
        rules=context.rules,
    )
    if difference > 0:
        queue_healing(conn, stay.item_id, stay.location_id, event_seq)
    what = "more than the books: a gain" if difference > 0 else "less than the books: a loss"
    return Ended(left, f"{format_quantity(abs(difference))} {stay.uom} {what}")


def _lost(conn: Connection, stay: OpenStay, lost: int, context: Context) -> list[materials.Taken]:
    held = materials.read_held(conn, stay.lot_id, stay.container_id, station=context.rules.station)
    parts: list[materials.Taken] = []
    for each in held:
        part = min(lost, each.quantity_micro) if each.location_id == stay.location_id else 0
        if part:
            parts.append(materials.Taken(each, part))
        lost -= part
    return parts


def _ask(conn: Connection, stay: OpenStay, left: int, book: int, context: Context) -> Ended:
    """Open the exception of a difference beyond the tolerance; the books stay as they are."""
    found = "was empty" if not left else f"held {format_quantity(left)} {stay.uom}"
    cause = (
        f"{stay.item} {stay.name} {found}, the books say {format_quantity(book)}: more than the "
        f"tolerance of {format_quantity(stay.filling.tolerance_micro)}"
    )
    quantity = abs(left - book)
    exception_id, _ = open_exception(
        conn,
        "lot_overdrawn",
        context,
        subject=f"stay:{stay.mount_span_id}",
        quantity_micro=quantity,
        cause_code="less_left" if left < book else "more_left",
        cause=cause,
        item_id=stay.item_id,
        lot_id=stay.lot_id,
        item=stay.item,
        lot=stay.lot,
        container=stay.container,
        left=format_quantity(left),
        books=format_quantity(book),
    )
    opened = OpenedException(
        exception_id, "lot_overdrawn", None, stay.item, format_quantity(quantity)
    )
    said = f"the books say {format_quantity(book)} {stay.uom}: check"
    return Ended(left, said, [opened])
