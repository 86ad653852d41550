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

# What was ever at a place of the line is counted there: a row each, with what speaks for a count.
DUE: Final = """
SELECT location.location, item.item, item.item_class,
       coalesce(sum(balance.quantity_micro / 1000000), 0),
       coalesce(sum(balance.quantity_micro % 1000000), 0),
       EXISTS (SELECT 1 FROM order_line JOIN work_order USING (work_order_id)
                WHERE order_line.component_id = item.item_id
                  AND order_line.location_id = location.location_id
                  AND work_order.status IN ('released', 'started') AND order_line.net_num > 0),
       EXISTS (SELECT 1 FROM exception
                WHERE exception.item_id = item.item_id AND exception.status = 'open'
                  AND exception.kind IN ('shortage', 'lot_overdrawn', 'count_variance')),
       (SELECT max(stock_count.ended_at) FROM count_item JOIN stock_count USING (stock_count_id)
         WHERE count_item.item_id = item.item_id AND stock_count.status = 'ended'
           AND stock_count.location_id = location.location_id)
FROM item_location
JOIN location ON location.location_id = item_location.location_id
JOIN item ON item.item_id = item_location.item_id
LEFT JOIN balance ON balance.item_id = item.item_id
    AND balance.location_id = location.location_id AND balance.quantity_micro <> 0
WHERE location.kind = 'line_side'
  AND (:item IS NULL OR item.item = :item)
  AND (:location IS NULL OR location.location = :location)
GROUP BY location.location, item.item
ORDER BY location.location, item.item
"""
