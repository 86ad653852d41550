"""The difference that a count found is booked, at once or when it is approved (BF-32).

It is posted as a difference, so what was used since the count stays right. Called at the end of a
count; `usecases.resolve_count` books by the same functions what a person approved.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from mes_terminal.domain.counting import Change, CountedItem, Finding
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.posting import MaterialActual, MovementRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store import counts, materials, mounts
from mes_terminal.store.balances import add_stock
from mes_terminal.store.counts import OpenCount
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.heal_queue import queue_healing
from mes_terminal.store.reversals import change_stock
from mes_terminal.usecases.context import Context
from mes_terminal.usecases.material_event import stock_event
from mes_terminal.usecases.open_exception import open_exception

ADJUSTMENT: Final = "@adjustment"


def post_difference(
    conn: Connection,
    count: OpenCount,
    item: CountedItem,
    changes: Sequence[Change],
    context: Context,
) -> None:
    """Book what makes the books of an item right, and let wait no more what it mends (BF-22)."""
    possible = counts.possible(conn, changes, count.location_id, tracking=item.tracking)
    if possible:
        event_seq = _book(conn, count, item, possible, context)
        counts.note_posted(conn, count.stock_count_id, item.item_id, event_seq)
        if any(each.delta_micro > 0 for each in possible):
            queue_healing(conn, item.item_id, count.location_id, event_seq)
    counts.note_sole(conn, item.item_id, count.location_id)


def approve_later(
    conn: Connection,
    count: OpenCount,
    item: CountedItem,
    finding: Finding,
    subject: str,
    context: Context,
) -> OpenedException:
    """Open the exception of a difference beyond the tolerance; the books stay as they are."""
    counted, expected = format_quantity(finding.counted_micro), format_quantity(
        finding.expected_micro
    )  # fmt: skip
    quantity = abs(finding.difference_micro)
    exception_id, _ = open_exception(
        conn,
        "count_variance",
        context,
        subject=subject,
        quantity_micro=quantity,
        cause_code="less_found" if finding.difference_micro < 0 else "more_found",
        cause=f"{counted} {item.uom} of {item.item} counted at {count.location}, "
        f"{expected} expected",
        item_id=item.item_id,
        item=item.item,
        location=count.location,
        counted=counted,
        expected=expected,
    )
    return OpenedException(
        exception_id, "count_variance", None, item.item, format_quantity(quantity)
    )


def _book(
    conn: Connection,
    count: OpenCount,
    item: CountedItem,
    changes: Sequence[Change],
    context: Context,
) -> int:
    movements = movements_of(conn, count, changes)
    change_books(conn, count, changes, at=context.scan.event_time)
    actuals = actuals_of(conn, count, item, changes)
    draft = stock_event(
        "stock.adjusted", item.item, item.item, actuals, movements, context, reason="count"
    )
    draft = replace(draft, upstream=not is_of_scrap(conn, count))
    return append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)


def is_of_scrap(conn: Connection, count: OpenCount) -> bool:
    """Tell whether scrap was counted. It is nobody's stock above, where it went with `Scrapped`: a
    difference of it stays at the station."""
    return materials.place(conn, count.location).kind == "scrap"


def movements_of(
    conn: Connection, count: OpenCount, changes: Sequence[Change]
) -> list[MovementRow]:
    """Return the ledger rows of a difference."""
    away = materials.place(conn, ADJUSTMENT).location_id
    here = count.location_id
    return [
        (None, each.lot_id, each.container_id, *((away, here) if each.delta_micro > 0
                                                 else (here, away)),
         abs(each.delta_micro), "adjustment", None)
        for each in changes
    ]  # fmt: skip


def change_books(conn: Connection, count: OpenCount, changes: Sequence[Change], *, at: str) -> None:
    """Change the balances of the place by a difference."""
    here = count.location_id
    add_stock(
        conn,
        [
            StockIn(each.lot_id, here, max(0, each.delta_micro), at, each.container_id)
            for each in changes
        ],
    )
    change_stock(
        conn,
        {
            (each.lot_id, here, each.container_id): each.delta_micro
            for each in changes
            if each.delta_micro < 0
        },
    )


def actuals_of(
    conn: Connection, count: OpenCount, item: CountedItem, changes: Sequence[Change]
) -> list[MaterialActual]:
    """Return a difference as events say it."""
    found = [(mounts.read_material(conn, each.lot_id, each.container_id), each) for each in changes]
    return [
        MaterialActual("Adjusted", item.item, material.lot, material.serial,
                       format_quantity(each.delta_micro), item.uom, count.location)
        for material, each in found
    ]  # fmt: skip
