"""What the validation report reads: one bounded statement a doubt about master data and stock.

Each yields (what, where, detail), in a fixed order, at most `:limit` rows. They rest on indexes or
on tables that do not grow with history, and are only read: called by `usecases.validate_plant` on
a reading connection.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mes_terminal.store.database import Database

_OPEN: Final = "w.status IN ('released', 'started')"
_AT_LINE: Final = "(o.kind = 'line_side' OR o.location = :supply_location)"

ITEM_NO_COST: Final = """
SELECT item, NULL, NULL FROM item
WHERE standard_cost_micro IS NULL AND kind <> 'phantom' ORDER BY item LIMIT :limit
"""
ITEM_NO_CLASS: Final = """
SELECT item, NULL, NULL FROM item
WHERE item_class IS NULL AND kind <> 'phantom' ORDER BY item LIMIT :limit
"""
BOM_ENDED: Final = f"""
SELECT w.work_order, i.item || ' ' || b.revision, b.effective_to
FROM work_order AS w
JOIN bom AS b ON b.bom_id = w.bom_id
JOIN item AS i ON i.item_id = b.item_id
WHERE {_OPEN} AND b.effective_to IS NOT NULL
  AND b.effective_to < max(:today, coalesce(substr(w.due_at, 1, 10), :today))
ORDER BY w.work_order LIMIT :limit
"""  # noqa: S608
LINE_NO_STOCK: Final = f"""
SELECT w.work_order || ' ' || l.line, o.location, i.item
FROM work_order AS w
CROSS JOIN order_line AS l ON l.work_order_id = w.work_order_id AND l.net_num <> 0
JOIN item AS i ON i.item_id = l.component_id
JOIN location AS o ON o.location_id = l.location_id
WHERE {_OPEN} AND l.issue_method <> 'bulk'
  AND NOT EXISTS (SELECT 1 FROM balance AS b
                  WHERE b.item_id = l.component_id AND b.location_id = l.location_id
                    AND b.pickable = 1 AND b.expires_on >= :today)
  AND NOT EXISTS (SELECT 1 FROM order_line_substitute AS s
                  CROSS JOIN balance AS b ON b.item_id = s.substitute_id
                    AND b.location_id = l.location_id AND b.pickable = 1
                    AND b.expires_on >= :today
                  WHERE s.line_id = l.line_id)
ORDER BY w.work_order, l.position LIMIT :limit
"""  # noqa: S608
STOCK_NEGATIVE: Final = """
SELECT i.item || iif(b.lot = '', '', ' ' || b.lot), o.location, b.quantity_micro
FROM balance AS b
JOIN item AS i ON i.item_id = b.item_id
JOIN location AS o ON o.location_id = b.location_id
WHERE b.quantity_micro < 0 AND o.kind <> 'virtual'
ORDER BY i.item, o.location, b.lot LIMIT :limit
"""
LOT_EXPIRED_AT_LINE: Final = f"""
SELECT i.item || ' ' || b.lot, o.location, b.expires_on
FROM item AS i
CROSS JOIN location AS o
CROSS JOIN balance AS b ON b.item_id = i.item_id AND b.location_id = o.location_id
    AND b.pickable = 1 AND b.expires_on < :today
WHERE {_AT_LINE}
ORDER BY i.item, b.lot, o.location LIMIT :limit
"""  # noqa: S608
LOT_HELD_AT_LINE: Final = f"""
SELECT i.item || ' ' || b.lot, o.location, t.status
FROM item AS i
CROSS JOIN location AS o
CROSS JOIN balance AS b ON b.item_id = i.item_id AND b.location_id = o.location_id
    AND b.pickable = 0 AND b.quantity_micro > 0
JOIN lot AS t ON t.lot_id = b.lot_id
WHERE {_AT_LINE}
ORDER BY i.item, b.lot, o.location LIMIT :limit
"""  # noqa: S608
LOT_NO_EXPIRY: Final = """
SELECT i.item || ' ' || t.lot || t.serial, NULL, i.shelf_life_days
FROM item AS i
CROSS JOIN lot AS t ON t.item_id = i.item_id AND t.expires_on IS NULL
    AND (t.lot <> '' OR t.serial <> '')
WHERE i.shelf_life_days IS NOT NULL
  AND EXISTS (SELECT 1 FROM balance AS b WHERE b.lot_id = t.lot_id AND b.quantity_micro > 0)
ORDER BY i.item, t.lot, t.serial LIMIT :limit
"""
MOUNT_EMPTY: Final = """
SELECT m.position, o.location, i.item || coalesce(' ' || nullif(t.lot, ''), '')
FROM mount AS m
JOIN item AS i ON i.item_id = m.item_id
JOIN lot AS t ON t.lot_id = m.lot_id
JOIN location AS o ON o.location_id = m.location_id
WHERE NOT EXISTS (SELECT 1 FROM balance AS b
                  WHERE b.lot_id = m.lot_id AND b.location_id = m.location_id
                    AND (m.container_id = 0 OR b.container_id = m.container_id)
                    AND b.quantity_micro > 0)
ORDER BY m.position LIMIT :limit
"""
MOUNT_NEVER: Final = f"""
SELECT DISTINCT i.item, o.location, w.work_order
FROM work_order AS w
CROSS JOIN order_line AS l ON l.work_order_id = w.work_order_id AND l.mount = 'required'
    AND l.net_num <> 0
JOIN item AS i ON i.item_id = l.component_id
JOIN location AS o ON o.location_id = l.location_id
WHERE {_OPEN}
  AND NOT EXISTS (SELECT 1 FROM lot AS t CROSS JOIN mount_span AS s ON s.lot_id = t.lot_id
                  WHERE t.item_id = l.component_id)
ORDER BY i.item, o.location, w.work_order LIMIT :limit
"""  # noqa: S608
ORDER_OVERDUE: Final = f"""
SELECT w.work_order, NULL, w.due_at FROM work_order AS w
WHERE {_OPEN} AND w.due_at < :now ORDER BY w.due_at, w.work_order LIMIT :limit
"""  # noqa: S608
ORDER_UNMOVED: Final = f"""
SELECT work_order, status, start_at FROM (
    SELECT w.work_order, w.status, w.start_at FROM work_order AS w
    WHERE {_OPEN} AND w.status = 'released' AND w.start_at < :unmoved_before
      AND w.good_micro = 0 AND w.scrapped_micro = 0
    UNION ALL
    SELECT w.work_order, w.status, w.start_at FROM work_order AS w
    WHERE w.status IN ('planned', 'hold') AND w.start_at < :unmoved_before
      AND w.good_micro = 0 AND w.scrapped_micro = 0)
ORDER BY start_at, work_order LIMIT :limit
"""  # noqa: S608
BOM_PART_UNUSED: Final = """
SELECT i.item || ' ' || b.revision || ' ' || l.line, NULL, c.item
FROM bom_line AS l
JOIN bom AS b ON b.bom_id = l.bom_id
JOIN item AS i ON i.item_id = b.item_id
JOIN item AS c ON c.item_id = l.component_id
WHERE l.role = 'component' AND c.kind <> 'phantom'
  AND NOT EXISTS (SELECT 1 FROM order_line AS o WHERE o.component_id = l.component_id)
  AND NOT EXISTS (SELECT 1 FROM lot AS t CROSS JOIN balance AS s ON s.lot_id = t.lot_id
                  WHERE t.item_id = l.component_id)
ORDER BY i.item, b.revision, l.line LIMIT :limit
"""
REASON_MISSING: Final = """
SELECT kind.value, NULL, NULL FROM json_each(:reason_kinds) AS kind
WHERE NOT EXISTS (SELECT 1 FROM reason WHERE reason.kind = kind.value)
ORDER BY kind.value LIMIT :limit
"""
PERSON_NO_PIN: Final = """
SELECT o.badge, o.role, o.name FROM operator AS o
WHERE (o.role = 'supervisor' OR o.role = 'quality') AND o.disabled_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM operator_pin AS p WHERE p.badge = o.badge)
ORDER BY o.badge LIMIT :limit
"""
NEVER_COUNTED: Final = """
SELECT i.item, NULL, NULL FROM item AS i
WHERE EXISTS (SELECT 1 FROM lot AS t CROSS JOIN balance AS b ON b.lot_id = t.lot_id
              WHERE t.item_id = i.item_id AND b.quantity_micro <> 0)
  AND NOT EXISTS (SELECT 1 FROM count_item AS c WHERE c.item_id = i.item_id)
ORDER BY i.item LIMIT :limit
"""
SUBSTITUTE_NO_STOCK: Final = """
SELECT DISTINCT s.item, NULL, i.item || ' ' || b.revision || ' ' || l.line
FROM bom_substitute AS listed
JOIN bom_line AS l ON l.bom_line_id = listed.bom_line_id
JOIN bom AS b ON b.bom_id = l.bom_id
JOIN item AS i ON i.item_id = b.item_id
JOIN item AS s ON s.item_id = listed.substitute_id
WHERE NOT EXISTS (SELECT 1 FROM lot AS t CROSS JOIN balance AS x ON x.lot_id = t.lot_id
                  WHERE t.item_id = s.item_id AND x.quantity_micro > 0)
ORDER BY s.item, i.item, b.revision, l.line LIMIT :limit
"""
PLACE_UNFIT: Final = """
SELECT 'stock.supply_location', location, kind FROM location
WHERE location = :supply_location AND kind NOT IN ('line_side', 'store')
UNION ALL
SELECT 'stock.output_location', location, kind FROM location
WHERE location = :output_location AND kind IN ('scrap', 'hold')
UNION ALL
SELECT 'stock.scrap_location', location, kind FROM location
WHERE location = :scrap_location AND kind <> 'scrap'
ORDER BY 1 LIMIT :limit
"""
PROPOSAL_WAITING: Final = """
SELECT p.load_proposal_id, p.folder, p.proposed_at FROM load_proposal AS p
WHERE p.status = 'open' ORDER BY p.folder LIMIT :limit
"""


def find(
    database: Database, statement: str, parameters: Mapping[str, str | int]
) -> Iterator[tuple[Any, ...]]:
    """Yield what one of the statements above finds."""
    yield from database.conn.execute(statement, parameters)
