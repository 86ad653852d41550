"""The rows behind the lists, in the order the command line states.

Every statement streams: SQLite hands one row at a time, so a list of a million rows takes no more
memory than one of ten. Each filter is a named parameter that is NULL when it is not asked for.
Text columns compare by bytes, which for UTF-8 is the order of code points. Called by
`usecases.lists`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mes_terminal.store.database import Database

SUGGESTIONS_MAX: Final = 5
"""How many places an open shortage names: more is no help to a person."""

# A sum is taken in two parts (whole units and the rest) because SQLite refuses a sum that leaves
# 64 bits, and two balances that each fit may do so together.
STOCK: Final = """
SELECT item.item, lot.lot, lot.serial, location.location, item.uom,
       sum(balance.quantity_micro / 1000000), sum(balance.quantity_micro % 1000000)
FROM balance
JOIN lot ON lot.lot_id = balance.lot_id
JOIN item ON item.item_id = lot.item_id
JOIN location ON location.location_id = balance.location_id
WHERE balance.quantity_micro <> 0 AND location.kind <> 'virtual'
  AND (:item IS NULL OR item.item = :item)
  AND (:lot IS NULL OR lot.lot = :lot)
  AND (:serial IS NULL OR lot.serial = :serial)
  AND (:location IS NULL OR location.location = :location)
GROUP BY item.item, lot.lot, lot.serial, location.location
ORDER BY item.item, lot.lot, lot.serial, location.location
"""

# min(lot.serial) makes SQLite take the other columns from the row of the lot itself (serial '')
# where serials within the lot have rows of their own.
LOTS: Final = """
SELECT item.item, lot.lot, lot.status, lot.expires_on, lot.received_at,
       lot.supplier, lot.supplier_lot, min(lot.serial),
       coalesce(sum(balance.quantity_micro / 1000000), 0),
       coalesce(sum(balance.quantity_micro % 1000000), 0)
FROM lot
JOIN item ON item.item_id = lot.item_id
LEFT JOIN balance ON balance.lot_id = lot.lot_id AND balance.quantity_micro <> 0
    AND balance.location_id NOT IN (SELECT location_id FROM location WHERE kind = 'virtual')
WHERE lot.lot <> ''
  AND (:item IS NULL OR item.item = :item)
  AND (:lot IS NULL OR lot.lot = :lot)
  AND (:status IS NULL OR lot.status = :status)
GROUP BY item.item, lot.lot
ORDER BY item.item, lot.lot
"""

ORDERS: Final = """
SELECT work_order.work_order, item.item, work_order.revision, work_order.quantity_micro,
       work_order.good_micro, work_order.scrapped_micro, work_order.replace_scrap,
       work_order.status, work_order.start_at, work_order.due_at
FROM work_order
JOIN item ON item.item_id = work_order.item_id
WHERE (:work_order IS NULL OR work_order.work_order = :work_order)
  AND (:item IS NULL OR item.item = :item)
  AND (:status IS NULL OR work_order.status = :status)
  AND (:open IS NULL OR work_order.status IN ('released', 'started'))
ORDER BY work_order.work_order
"""

# What may mend a shortage, the likeliest first: its own item where the line takes it, what the line
# lists in its stead, its own item elsewhere. What had expired by then could not be posted.
SUGGESTED: Final = """
       CASE WHEN exception.status = 'open' AND exception.kind IN ('shortage', 'unknown_lot') THEN (
           SELECT json_group_array(json_array(place.lot, place.quantity_micro, place.location,
                                              place.instead, place.uom, place.arrived_at))
           FROM (SELECT balance.lot, balance.quantity_micro, location.location, NULL AS instead,
                        item.uom, iif(balance.location_id = order_line.location_id, 0, 2) AS rank,
                        balance.expires_on, balance.received_at, balance.arrived_at
                 FROM balance JOIN location ON location.location_id = balance.location_id
                 WHERE balance.item_id = exception.item_id AND balance.pickable = 1
                   AND location.kind NOT IN ('virtual', 'scrap', 'hold')
                   AND balance.expires_on >= substr(exception.opened_at, 1, 10)
                 UNION ALL
                 SELECT balance.lot, balance.quantity_micro, location.location, other.item,
                        other.uom, 1, balance.expires_on, balance.received_at, balance.arrived_at
                 FROM order_line_substitute AS listed
                 CROSS JOIN item AS other ON other.item_id = listed.substitute_id
                 CROSS JOIN balance ON balance.item_id = listed.substitute_id
                   AND balance.pickable = 1
                   AND balance.expires_on >= substr(exception.opened_at, 1, 10)
                 WHERE listed.line_id = exception.line_id
                   AND balance.location_id = order_line.location_id
                 ORDER BY rank, expires_on, received_at, lot
                 LIMIT :suggestions_max) AS place) END"""

EXCEPTIONS: Final = f"""
SELECT exception.exception_id, exception.kind, exception.status, exception.severity,
       work_order.work_order, order_line.line, item.item, lot.lot, exception.quantity_micro,
       exception.opened_at, exception.cause, exception.resolution, item.uom, location.location,
{SUGGESTED}
FROM exception
LEFT JOIN work_order ON work_order.work_order_id = exception.work_order_id
LEFT JOIN order_line ON order_line.line_id = exception.line_id
LEFT JOIN location ON location.location_id = order_line.location_id
LEFT JOIN item ON item.item_id = exception.item_id
LEFT JOIN lot ON lot.lot_id = exception.lot_id
WHERE exception.exception_id > :since
  AND (:kind IS NULL OR exception.kind = :kind)
  AND (:status IS NULL OR exception.status = :status)
  AND (:open IS NULL OR exception.status = 'open')
  AND (:work_order IS NULL OR work_order.work_order = :work_order)
  AND (:item IS NULL OR item.item = :item)
ORDER BY exception.exception_id
"""  # noqa: S608

MOVEMENTS: Final = """
SELECT movement.movement_seq, reported.scan_id, scan.scan_id, item.item, lot.lot, lot.serial,
       origin.location, target.location,
       movement.quantity_micro, item.uom, movement.kind, event.event_time, movement.source_rule
FROM movement
JOIN event ON event.event_seq = movement.event_seq
JOIN lot ON lot.lot_id = movement.lot_id
JOIN item ON item.item_id = lot.item_id
JOIN location AS origin ON origin.location_id = movement.from_location_id
JOIN location AS target ON target.location_id = movement.to_location_id
LEFT JOIN healing ON healing.event_seq = movement.event_seq
LEFT JOIN report ON report.report_seq = coalesce(healing.report_seq, movement.event_seq)
LEFT JOIN scan_journal AS reported ON reported.scan_seq = report.scan_seq
LEFT JOIN work_order ON work_order.work_order_id = report.work_order_id
LEFT JOIN scan_journal AS scan ON scan.scan_seq = event.scan_seq
WHERE movement.movement_seq > :since
  AND (:item IS NULL OR item.item = :item)
  AND (:lot IS NULL OR lot.lot = :lot)
  AND (:serial IS NULL OR lot.serial = :serial)
  AND (:location IS NULL OR :location IN (origin.location, target.location))
  AND (:kind IS NULL OR movement.kind = :kind)
  AND (:work_order IS NULL OR work_order.work_order = :work_order)
ORDER BY movement.movement_seq
"""

JOURNAL: Final = """
SELECT scan.scan_seq, scan.scan_id, scan.received_at, scan.device, scan.raw,
       coalesce(answer.status, 'waiting'), answer.outcome, answer.reason
FROM scan_journal AS scan
LEFT JOIN scan_outcome AS answer ON answer.scan_seq = scan.scan_seq
WHERE scan.scan_seq > :since
  AND (:status IS NULL OR coalesce(answer.status, 'waiting') = :status)
  AND (:outcome IS NULL OR answer.outcome = :outcome)
ORDER BY scan.scan_seq
"""

OUTBOX: Final = """
SELECT event.outbox_seq, event.body, coalesce(delivery.status, 'delivered'),
       coalesce(delivery.attempts, 1), event.recorded_at, delivery.delivered_at, delivery.last_error
FROM event
LEFT JOIN delivery ON delivery.outbox_seq = event.outbox_seq
WHERE event.outbox_seq > :since
  AND (:status IS NULL OR coalesce(delivery.status, 'delivered') = :status)
  AND (:open IS NULL OR (delivery.status <> 'delivered' AND delivery.let_go = 0))
  AND (:type IS NULL OR event.type = :type)
ORDER BY event.outbox_seq
"""

AUDIT: Final = """
SELECT event.event_seq, event.type, event.event_time, event.person, event.second_person,
       event.reason, event.hash, event.body,
       (SELECT earlier.hash FROM event AS earlier WHERE earlier.event_seq < event.event_seq
        ORDER BY earlier.event_seq DESC LIMIT 1)
FROM event
WHERE event.event_seq > :since
  AND (:type IS NULL OR event.type = :type)
  AND (:person IS NULL OR event.person = :person OR event.second_person = :person)
ORDER BY event.event_seq
"""

ORDER_LINES: Final = """
SELECT order_line.line, item.item, item.uom, item.step_micro, work_order.quantity_micro,
       order_line.net_num, order_line.net_den, order_line.basis, order_line.scrap_pct_micro,
       order_line.operation, order_line.issue_method, location.location,
       order_line.issued_micro + order_line.scrapped_micro,
       order_line.owed_micro + order_line.owed_scrap_micro, order_line.decided_by,
       order_line.since_micro, order_line.carried_micro,
       iif(item.shortage_policy IS NULL, 'station', 'item'),
       iif(item.lot_overrun_pct_micro IS NULL, 'station', 'item')
FROM order_line
JOIN work_order ON work_order.work_order_id = order_line.work_order_id
JOIN item ON item.item_id = order_line.component_id
JOIN location ON location.location_id = order_line.location_id
WHERE work_order.work_order = :work_order
  AND (order_line.net_num <> 0 OR order_line.issued_micro <> 0 OR order_line.scrapped_micro <> 0
       OR order_line.owed_micro <> 0 OR order_line.owed_scrap_micro <> 0
       OR order_line.written_off_micro <> 0 OR order_line.written_off_scrap_micro <> 0)
ORDER BY order_line.position
"""


def stream(
    database: Database, statement: str, parameters: Mapping[str, str | int | None]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one of the statements above as SQLite finds them."""
    yield from database.conn.execute(statement, parameters)


def has_work_order(database: Database, work_order: str) -> bool:
    """Tell whether an order of that number is known."""
    row = database.conn.execute(
        "SELECT 1 FROM work_order WHERE work_order = ?", [work_order]
    ).fetchone()
    return row is not None
