"""The reports of an order as they were recorded, with what reversals took back of each (BF-31).

Called by `usecases.order_reports`.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from mes_terminal.store.database import Database

_REPORTS: Final = """
    SELECT j.scan_id, r.kind, r.good_micro, r.scrapped_micro, r.passed, l.lot, r.person,
           r.event_time,
           (SELECT coalesce(sum(m.quantity_micro), 0) FROM movement m
             WHERE m.movement_seq >= r.movement_first
               AND m.movement_seq < r.movement_first + r.movement_count AND m.kind = 'move'),
           (SELECT json_group_array(DISTINCT n.serial)
              FROM (SELECT m.lot_id FROM movement m
                     WHERE m.movement_seq >= r.movement_first
                       AND m.movement_seq < r.movement_first + r.movement_count
                       AND m.kind IN ('production', 'move')
                     UNION SELECT r.lot_id) made
              JOIN lot n ON n.lot_id = made.lot_id AND n.item_id = w.item_id AND n.serial <> ''),
           e.body ->> '$.data.scrapped_serials',
           coalesce((SELECT sum(x.reversed_micro) FROM report x
                      WHERE x.reverses = r.report_seq), 0),
           EXISTS (SELECT 1 FROM report x WHERE x.reverses = r.report_seq AND x.reverses_rest = 1)
      FROM work_order w
      CROSS JOIN report r ON r.work_order_id = w.work_order_id
      JOIN scan_journal j USING (scan_seq)
      JOIN event e ON e.event_seq = r.report_seq
      LEFT JOIN lot l ON l.lot_id = r.lot_id
     WHERE w.work_order = ? AND r.kind <> 'reversal'
     ORDER BY r.report_seq
"""


class ReportFound(Struct, frozen=True):
    """A report of an order. Quantities in micro-units."""

    report_id: str
    kind: str
    good_micro: int
    scrapped_micro: int
    passed: str | None
    """JSON [[position, good, scrapped]]: what operations gained."""
    lot: str | None
    person: str | None
    event_time: str
    moved_micro: int
    """What went to rework, or came back from it."""
    serials: str
    """JSON: those it made or moved."""
    scrapped_serials: str | None
    """JSON: those of units that were scrapped on the line."""
    reversed_micro: int
    is_taken_back: int
    """Nothing of it stands."""


def read_reports(database: Database, work_order: str) -> Iterator[ReportFound]:
    """Yield the reports of an order, oldest first, without the reversals themselves."""
    for row in database.conn.execute(_REPORTS, [work_order]):
        yield ReportFound(*row)
