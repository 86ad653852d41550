"""What became of the units of each order: good, scrapped and why, sent to rework (BF-26, BF-28).

Called by `usecases.order_yield`.
"""

from typing import Final

ORDERS: Final = """
SELECT w.work_order_id, w.work_order, i.item, i.uom, w.good_micro, w.scrapped_micro,
       coalesce((SELECT sum(m.quantity_micro) FROM report r
                   JOIN movement m ON m.movement_seq >= r.movement_first
                        AND m.movement_seq < r.movement_first + r.movement_count
                  WHERE r.work_order_id = w.work_order_id AND r.kind = 'rework' AND m.kind = 'move'
                    AND NOT EXISTS (SELECT 1 FROM report x WHERE x.reverses = r.report_seq
                                       AND x.reverses_rest = 1)), 0)
FROM work_order w JOIN item i USING (item_id)
WHERE w.good_micro + w.scrapped_micro > 0 AND (:work_order IS NULL OR w.work_order = :work_order)
ORDER BY w.work_order
"""

# A reversal's units are below zero, so the sum is what stands.
SCRAP: Final = """
SELECT coalesce(e.reason, ''), sum(r.scrapped_micro + coalesce((
           SELECT sum(x.scrapped_micro) FROM report x WHERE x.reverses = r.report_seq), 0)) AS micro
FROM report r JOIN event e ON e.event_seq = r.report_seq
WHERE r.work_order_id = :work_order_id AND r.kind = 'scrap'
GROUP BY 1 HAVING micro > 0 ORDER BY micro DESC, 1
"""
