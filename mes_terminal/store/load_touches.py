"""What a load may touch: open orders, those that take an item, and the stock of a leaving part.

Reads only, in bulk; called for `load --diff` and for a proposal.
"""

import json
from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from mes_terminal.store.database import Connection


class OpenOrder(Struct, frozen=True):
    """An order that is not yet done."""

    work_order: str
    item: str
    revision: str | None
    status: str
    is_frozen: bool
    """It was released, so its lines stand (BF-7)."""


def open_orders(conn: Connection) -> list[OpenOrder]:
    """Return every order that is not yet done, by number."""
    found = conn.execute(
        """
        SELECT w.work_order, i.item, w.revision, w.status, w.snapshot_version
        FROM work_order AS w JOIN item AS i USING (item_id)
        WHERE w.status IN ('planned', 'released', 'started', 'hold')
        ORDER BY w.work_order
        """
    )
    return [
        OpenOrder(work_order, item, revision, status, bool(version))
        for work_order, item, revision, status, version in found
    ]


def orders_taking(conn: Connection, items: Sequence[str], *, limit: int) -> dict[str, list[str]]:
    """Return {open order: items of these that it makes or takes}, at most `limit` pairs."""
    if not items:
        return {}
    found = conn.execute(
        """
        SELECT work_order, item FROM (
            SELECT w.work_order, i.item
            FROM json_each(:items) AS wanted
            CROSS JOIN item AS i ON i.item = wanted.value
            CROSS JOIN order_line AS l ON l.component_id = i.item_id AND l.net_num <> 0
            CROSS JOIN work_order AS w ON w.work_order_id = l.work_order_id
            WHERE w.status IN ('released', 'started', 'hold')
            UNION
            SELECT w.work_order, i.item
            FROM json_each(:items) AS wanted
            CROSS JOIN item AS i ON i.item = wanted.value
            CROSS JOIN work_order AS w ON w.item_id = i.item_id
            WHERE w.status IN ('planned', 'released', 'started', 'hold'))
        ORDER BY work_order, item LIMIT :limit
        """,
        {"items": json.dumps(list(items)), "limit": limit},
    )
    taking: dict[str, list[str]] = defaultdict(list)
    for work_order, item in found:
        taking[work_order].append(item)
    return taking


def stock_of(
    conn: Connection, items: Sequence[str]
) -> dict[str, list[tuple[str, str | None, int]]]:
    """Return {item: [(location, lot or serial, micro-units)]} on hand, the largest first."""
    found = conn.execute(
        """
        SELECT i.item, o.location, b.lot, sum(b.quantity_micro) AS micro
        FROM json_each(?) AS wanted
        CROSS JOIN item AS i ON i.item = wanted.value
        CROSS JOIN lot AS t ON t.item_id = i.item_id
        CROSS JOIN balance AS b ON b.lot_id = t.lot_id AND b.quantity_micro <> 0
        JOIN location AS o ON o.location_id = b.location_id
        WHERE o.kind <> 'virtual' AND o.kind <> 'scrap'
        GROUP BY i.item, o.location, b.lot
        ORDER BY i.item, micro DESC, o.location, b.lot
        """,
        [json.dumps(list(items))],
    )
    stock: dict[str, list[tuple[str, str | None, int]]] = defaultdict(list)
    for item, location, lot, micro in found:
        stock[item].append((location, lot or None, micro))
    return stock
