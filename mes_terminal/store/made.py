"""What a report made and what was told of it since: the keys by which its genealogy and the parts
of its exceptions are found without an index on reports."""

from typing import Final

STANDS: Final = """NOT EXISTS (SELECT 1 FROM report x
                                WHERE x.reverses = r.report_seq AND x.reverses_rest = 1)"""
"""Of a report `r`: something of it has not been taken back (BF-31)."""

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

TOLD: Final = """
    told AS (
        SELECT :report_seq AS seq, 0 AS is_reversal
         UNION ALL
        SELECT event_seq, 0 FROM healing WHERE report_seq = :report_seq
         UNION ALL
        SELECT undone_seq, 0 FROM healing WHERE report_seq = :report_seq AND undone_seq IS NOT NULL
         UNION ALL
        SELECT event_seq, 0 FROM hand_return WHERE report_seq = :report_seq
         UNION ALL
        SELECT report_seq, 1 FROM report WHERE reverses = :report_seq
    )
"""
"""A common table `told (seq, is_reversal)` for `:report_seq`: its event, those of what was posted
later for it, of the undoing of that, of what came back of it by hand, and of reversals of parts of
it."""
