"""What is printed on labels and cards: one statement for each kind, streamed as the lists are."""

from typing import Final

ITEMS: Final = """
SELECT item, description, uom, tracking, gtin FROM item
WHERE (:item IS NULL OR item = :item) ORDER BY item
"""
OPERATORS: Final = "SELECT badge, name, role FROM operator WHERE disabled_at IS NULL ORDER BY badge"
LOCATIONS: Final = """
SELECT location, kind, description FROM location WHERE kind <> 'virtual' ORDER BY location
"""
REASONS: Final = "SELECT code, kind, description FROM reason ORDER BY kind, code"
OPERATIONS: Final = """
SELECT r.operation, r.description, w.work_centre
FROM work_order AS o
JOIN routing_operation AS r ON r.bom_id = o.bom_id
LEFT JOIN work_centre AS w USING (work_centre_id)
WHERE o.work_order = :work_order ORDER BY r.position
"""
UNITS: Final = """
SELECT i.item, u.serial, o.work_order, nullif(l.lot, '')
FROM unit AS u
JOIN item AS i ON i.item_id = u.item_id
JOIN work_order AS o ON o.work_order_id = u.work_order_id
LEFT JOIN lot AS l ON l.item_id = u.item_id AND l.serial = u.serial
WHERE u.origin <> 'freed'
  AND (:item IS NULL OR i.item = :item) AND (:work_order IS NULL OR o.work_order = :work_order)
ORDER BY i.item, u.serial
"""
