"""What counts came to, and what is due to be counted (BF-32). Called by `usecases.count_lists`."""

from typing import Final

COUNTS: Final = """
SELECT stock_count.stock_count_id, location.location, stock_count.status, stock_count.started_at,
       stock_count.ended_at, stock_count.person, item.item, item.uom, count_item.expected_micro,
       count_item.counted_micro, count_item.owed_micro, count_item.in_process_micro,
       count_item.posted_seq IS NOT NULL, count_item.exception_id, exception.status
FROM stock_count
JOIN location ON location.location_id = stock_count.location_id
JOIN count_item ON count_item.stock_count_id = stock_count.stock_count_id
JOIN item ON item.item_id = count_item.item_id
LEFT JOIN exception ON exception.exception_id = count_item.exception_id
WHERE (:item IS NULL OR item.item = :item)
  AND (:location IS NULL OR location.location = :location)
ORDER BY stock_count.stock_count_id, item.item
"""

ACCURACY: Final = """
SELECT location.location, item.item_class, item.uom, count_item.expected_micro,
       count_item.counted_micro, count_item.exception_id IS NULL, item.standard_cost_micro,
       item.cost_per_micro
FROM stock_count
JOIN location ON location.location_id = stock_count.location_id
JOIN count_item ON count_item.stock_count_id = stock_count.stock_count_id
JOIN item ON item.item_id = count_item.item_id
WHERE stock_count.status = 'ended'
  AND (:since IS NULL OR stock_count.ended_at >= :since)
  AND (:item IS NULL OR item.item = :item)
  AND (:location IS NULL OR location.location = :location)
"""

# Due is what lies, or lay, at a place of the line, and what open orders draw or is short there: a
# row each, with what speaks for a count.
DUE: Final = """
WITH needed AS (
    SELECT DISTINCT order_line.component_id AS item_id, order_line.location_id
    FROM work_order JOIN order_line USING (work_order_id)
    WHERE work_order.status IN ('released', 'started') AND order_line.net_num > 0
      AND order_line.issue_method <> 'bulk'),
place AS (
    SELECT item_id, location_id FROM item_location
    UNION SELECT item_id, location_id FROM needed
    UNION SELECT exception.item_id, order_line.location_id
    FROM exception JOIN order_line USING (line_id)
    WHERE exception.kind = 'shortage' AND exception.status = 'open'),
asked AS MATERIALIZED (
    SELECT DISTINCT exception.item_id, order_line.location_id
    FROM exception LEFT JOIN order_line USING (line_id)
    WHERE exception.status = 'open'
      AND exception.kind IN ('shortage', 'lot_overdrawn', 'count_variance', 'consumption'))
SELECT location.location, item.item, item.item_class,
       coalesce(sum(balance.quantity_micro / 1000000), 0),
       coalesce(sum(balance.quantity_micro % 1000000), 0),
       EXISTS (SELECT 1 FROM needed
                WHERE needed.item_id = place.item_id AND needed.location_id = place.location_id),
       EXISTS (SELECT 1 FROM asked
                WHERE asked.item_id = item.item_id
                  AND (asked.location_id IS NULL OR asked.location_id = place.location_id)),
       item_location.lacked_at IS NOT NULL, item_location.counted_at
FROM place
JOIN location ON location.location_id = place.location_id
JOIN item ON item.item_id = place.item_id
LEFT JOIN item_location ON item_location.item_id = place.item_id
    AND item_location.location_id = place.location_id
LEFT JOIN balance ON balance.item_id = item.item_id
    AND balance.location_id = location.location_id AND balance.quantity_micro <> 0
WHERE location.kind = 'line_side'
  AND (:item IS NULL OR item.item = :item)
  AND (:location IS NULL OR location.location = :location)
GROUP BY location.location, item.item
ORDER BY location.location, item.item
"""
