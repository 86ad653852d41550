"""What a report made: the keys by which its genealogy is found without an index on reports."""

from typing import Final

MADE: Final = """
    made AS (
        SELECT m.lot_id FROM report r
          JOIN movement m ON m.movement_seq >= r.movement_first
                         AND m.movement_seq < r.movement_first + r.movement_count
                         AND m.kind = 'production'
         WHERE r.report_seq = :report_seq
         UNION
        SELECT n.lot_id FROM report r JOIN work_order w USING (work_order_id)
          JOIN lot n ON n.item_id = w.item_id AND n.lot = '' AND n.serial = ''
                    AND n.work_order_id = w.work_order_id
         WHERE r.report_seq = :report_seq
         UNION
        SELECT n.lot_id FROM report r JOIN order_output o USING (work_order_id)
          JOIN lot n ON n.item_id = o.item_id AND n.lot = '' AND n.serial = ''
                    AND n.work_order_id = r.work_order_id
         WHERE r.report_seq = :report_seq
         UNION
        SELECT n.lot_id FROM report r JOIN work_order w USING (work_order_id)
          JOIN lot n ON n.item_id = w.item_id AND n.lot = coalesce(w.lot, w.work_order)
                    AND n.serial = '' AND n.work_order_id = 0
         WHERE r.report_seq = :report_seq
         UNION
        SELECT n.lot_id FROM report r
          JOIN unit u ON u.work_order_id = r.work_order_id AND u.report_seq = r.report_seq
          JOIN lot n ON n.item_id = u.item_id AND n.lot = '' AND n.serial = u.serial
                    AND n.work_order_id = 0
         WHERE r.report_seq = :report_seq
         UNION
        SELECT lot_id FROM report WHERE report_seq = :report_seq AND lot_id IS NOT NULL
    )
"""
"""A common table `made (lot_id)` for `:report_seq`: what it made, has in process, or scrapped."""
