"""What stops today: the pre-flight of the order queue, by the real posting code, taken back.

The orders are closed one after the other in one transaction that is rolled back, so that each finds
what those before it would leave. It runs on the writing connection: whoever calls it says after
each order whether it may go on, as a scan that waits comes first.
"""

from collections.abc import Callable
from typing import Final

from mes_terminal.domain.instants import local_day
from mes_terminal.domain.morning import LackView, Queue, QueuedOrder
from mes_terminal.domain.order import OrderFacts, remaining_micro
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.order_facts import read_order
from mes_terminal.store.order_queue import Waiting, count_open, count_pieces, read_queue
from mes_terminal.store.session import read_session
from mes_terminal.store.slots import read_slots
from mes_terminal.usecases.context import Context
from mes_terminal.usecases.preflight import Closing, close_remaining, missing_micro, nobody

ORDERS_MAX: Final = 20
"""Orders looked at: what a line makes in days. A tenth of a second where each has 50 lines."""
Lack = tuple[int, LackView]
"""What is missing, with the micro-units of the order that there is enough for."""
Spoken = dict[tuple[int, int], int]
"""Serials by item and location that earlier orders of the queue will take."""


def rehearse_queue(
    db: Database,
    rules: StationRules,
    *,
    now: str,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Queue | None:
    """Return what closing the first open orders one after the other would come to; nothing of it
    stays. `None`: it may not go on, and is to be asked for again."""
    with db.rehearsal() as conn:
        waiting, open_count = read_queue(conn, limit=ORDERS_MAX), count_open(conn)
        scan = nobody(conn, now)
        orders = []
        spoken: Spoken = {}
        for each in waiting:
            if not may_go_on():
                return None
            session, person, head = read_session(conn)
            context = Context(scan, rules, session, person, head, "", local_day(now, rules.zone))
            orders.append(_rehearse(conn, each, context, spoken))
        return Queue(orders=orders, open_count=open_count)


def _rehearse(conn: Connection, waiting: Waiting, context: Context, spoken: Spoken) -> QueuedOrder:
    rules = context.rules
    order = read_order(conn, waiting.work_order, scrap_location=rules.scrap_location)
    assert order is not None
    closing = close_remaining(conn, order, context)
    lacks = _lacks(order, closing) + _lacking_serials(conn, order, closing, spoken)
    first = min((units for units, _ in lacks), default=None)
    return QueuedOrder(
        work_order=order.work_order,
        item=order.item,
        description=waiting.description,
        remaining=format_quantity(remaining_micro(order)),
        uom=order.uom,
        status=order.status,
        due_at=order.due_at,
        is_late=order.due_at is not None and order.due_at < context.scan.event_time,
        lines_post=closing.lines_post,
        lines_short=len(lacks),
        lacks=[each for _, each in lacks],
        lasts_for=None if first is None else format_quantity(first),
        refused=closing.refusal,
    )


def _lacks(order: OrderFacts, closing: Closing) -> list[Lack]:
    """Return the lines that run out: there is enough in proportion, in whole steps of the
    product."""
    remaining = remaining_micro(order)
    found = []
    for draw in closing.short:
        missing = missing_micro(draw)
        there = sum(piece.covers_micro for piece in (*draw.net, *draw.scrap))
        units = remaining * there // (there + missing) if draw.line.per_unit else 0
        units -= units % order.step_micro
        found.append(_lack(units, draw.line.item, missing, draw.line.uom))
    return found


def _lacking_serials(
    conn: Connection, order: OrderFacts, closing: Closing, spoken: Spoken
) -> list[Lack]:
    """Return the components with serials of which there are too few. That those there are not
    scanned yet stops nothing: they are scanned as the units are made (BF-18)."""
    needs: dict[int, int] = {}
    for each in closing.parts.empty:
        needs[each.line_id] = needs.get(each.line_id, 0) + each.count
    found = []
    for line in read_slots(conn, order.work_order_id, None) if needs else []:
        need, key = needs.get(line.line_id, 0), (line.item_id, line.location_id)
        pieces, uom = count_pieces(conn, *key)
        there = max(0, pieces - spoken.get(key, 0))
        spoken[key] = spoken.get(key, 0) + min(need, there)
        if there < need:
            units = there // line.per_unit * MICRO
            found.append(_lack(units, line.item, (need - there) * MICRO, uom))
    return found


def _lack(units: int, item: str, missing: int, uom: str) -> Lack:
    return units, LackView(item, format_quantity(missing), uom, format_quantity(units))
