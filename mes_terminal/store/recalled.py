"""A report as it was recorded, read back: movements, exceptions, material by hand, genealogy.

With what of each went back since. Everything is found by the keys of the report; nothing here grows
with history. Called by the use cases of reversals, inside their transactions (BF-31).
"""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.posting import EdgeRow
from mes_terminal.domain.recorded import ByHand, Moved, OwedPart
from mes_terminal.domain.reversal import LineShare
from mes_terminal.store.database import Connection
from mes_terminal.store.made import MADE, TOLD
from mes_terminal.store.reversals import Recorded


class OutputShare(Struct, frozen=True):
    """A by- or co-product of an order's snapshot."""

    line: str
    item_id: int
    per_unit: int
    net_num: int
    net_den: int
    step_micro: int
    ahead_micro: int
    """Received beyond what the good units bring."""


_MOVED: Final = """
    SELECT m.movement_seq, m.line_id, m.lot_id, m.container_id, m.from_location_id,
           m.to_location_id, m.quantity_micro, m.kind, coalesce(s.covered_micro, m.quantity_micro),
           i.item_id, i.item, i.uom, l.lot, l.serial, i.tracking, i.step_micro, n.line,
           o.location, o.kind <> 'virtual', t.location, t.kind <> 'virtual',
           coalesce((SELECT sum(b.quantity_micro) FROM taken_back b
                      WHERE b.movement_seq = m.movement_seq), 0),
           coalesce((SELECT sum(b.covered_micro) FROM taken_back b
                      WHERE b.movement_seq = m.movement_seq), 0),
           coalesce((SELECT sum(b.covered_micro) FROM taken_back b
                       JOIN report v ON v.report_seq = b.event_seq
                      WHERE b.movement_seq = m.movement_seq), 0)
      FROM movement m
      JOIN lot l USING (lot_id)
      JOIN item i USING (item_id)
      JOIN location o ON o.location_id = m.from_location_id
      JOIN location t ON t.location_id = m.to_location_id
      LEFT JOIN substitution s USING (movement_seq)
      LEFT JOIN order_line n ON n.line_id = m.line_id
     WHERE m.movement_seq BETWEEN ? AND ?
     ORDER BY m.movement_seq
"""

_OWED: Final = f"""
    WITH {TOLD}
    SELECT x.exception_id, x.kind, x.status = 'open', x.line_id, coalesce(l.first_line, l.line),
           i.item,
           (SELECT lot_id FROM lot WHERE item_id = i.item_id AND lot = '' AND serial = ''
               AND work_order_id = 0),
           p.quantity_micro,
           sum(each.quantity_micro), sum(each.scrap_micro),
           -sum(iif(told.is_reversal, each.quantity_micro, 0)),
           -sum(iif(told.is_reversal, each.scrap_micro, 0))
      FROM exception x
      JOIN exception_item p ON p.exception_id = x.exception_id AND p.event_seq = :report_seq
      JOIN exception_item each ON each.exception_id = x.exception_id
      JOIN told ON told.seq = each.event_seq
      LEFT JOIN order_line l ON l.line_id = x.line_id
      LEFT JOIN item i ON i.item_id = x.item_id
     WHERE x.work_order_id = :work_order_id
     GROUP BY x.exception_id
     ORDER BY l.position, x.exception_id
"""  # noqa: S608

_STANDING: Final = f"""
    WITH {MADE}, {TOLD}, used AS (
        SELECT m.lot_id FROM movement m
         WHERE m.movement_seq BETWEEN :first AND :last AND m.kind IN ('issue', 'reversal')
         UNION
        SELECT m.lot_id FROM healing h
          JOIN movement m ON m.movement_seq >= h.movement_first
                         AND m.movement_seq < h.movement_first + h.movement_count
         WHERE h.report_seq = :report_seq
         UNION
        SELECT n.lot_id
          FROM exception_item p
          JOIN exception x USING (exception_id)
          JOIN lot n ON n.item_id = x.item_id AND n.lot = '' AND n.serial = ''
                    AND n.work_order_id = 0
         WHERE x.work_order_id = :work_order_id AND p.event_seq = :report_seq
         UNION
        SELECT lot_id FROM hand_issue
         WHERE work_order_id = :work_order_id AND report_seq = :report_seq
         UNION
        SELECT lot_id FROM lot
         WHERE work_order_id = :work_order_id
           AND item_id = (SELECT item_id FROM work_order WHERE work_order_id = :work_order_id)
           AND lot = '' AND serial = ''
    )
    SELECT e.child_id, e.parent_id, e.line_id, sum(e.quantity_micro) AS left_micro,
           max(CASE e.certainty WHEN 'exact' THEN 0 WHEN 'sole' THEN 1 WHEN 'pooled' THEN 2
                    WHEN 'assumed' THEN 3 ELSE 4 END) AS weakest, e.certainty
      FROM made CROSS JOIN used CROSS JOIN told
      JOIN edge e ON e.child_id = made.lot_id AND e.parent_id = used.lot_id
                 AND e.report_seq = told.seq
     GROUP BY e.child_id, e.parent_id, e.line_id HAVING left_micro <> 0
"""  # noqa: S608


def recall_range(conn: Connection, first: int, count: int) -> list[Moved]:
    """Return so many movements from the first on."""
    return [Moved(*row) for row in conn.execute(_MOVED, [first, first + count - 1])]


def recall_owed(conn: Connection, report: Recorded) -> list[OwedPart]:
    """Return what the report added to exceptions, with what of it is open (BF-22)."""
    rows = conn.execute(
        _OWED, {"report_seq": report.report_seq, "work_order_id": report.work_order_id}
    )
    return [OwedPart(*row) for row in rows]


def standing_edges(conn: Connection, report: Recorded) -> list[EdgeRow]:
    """Return the edges of the report that stand, one a pair and line with the least certain of what
    is in it: its own, with what healings, their undoing and reversals of parts changed."""
    rows = conn.execute(
        _STANDING,
        {
            "first": report.movement_first,
            "last": report.movement_first + report.movement_count - 1,
            "work_order_id": report.work_order_id,
            "report_seq": report.report_seq,
        },
    )
    return [(row[0], row[1], row[2], row[3], row[5]) for row in rows]


def order_node(conn: Connection, report: Recorded) -> int | None:
    """Return the order's own node of genealogy: what units in process are made of (BF-37)."""
    row = conn.execute(
        """
        SELECT lot_id FROM lot
         WHERE item_id = ? AND lot = '' AND serial = '' AND work_order_id = ?
        """,
        [report.product_id, report.work_order_id],
    ).fetchone()
    return int(row[0]) if row else None


def line_shares(conn: Connection, work_order_id: int) -> dict[int, LineShare]:
    """Return what the shares of an order's lines follow from, by line id."""
    rows = conn.execute(
        """
        SELECT l.line_id, l.operation_position, l.basis = 'per_unit', i.step_micro
          FROM order_line l JOIN item i ON i.item_id = l.component_id
         WHERE l.work_order_id = ?
        """,
        [work_order_id],
    )
    return {row[0]: LineShare(*row[1:]) for row in rows}


def per_order_outputs(conn: Connection, work_order_id: int) -> frozenset[int]:
    """Return the items that come once for an order beside its product (BF-30)."""
    rows = conn.execute(
        "SELECT item_id FROM order_output WHERE work_order_id = ? AND basis = 'per_order'",
        [work_order_id],
    )
    return frozenset(row[0] for row in rows)


def by_hand_of(conn: Connection, report: Recorded) -> list[ByHand]:
    """Return the material by hand that a report took in, with what went back of it: that stands in
    rows of the reversals' events."""
    rows = conn.execute(
        """
        SELECT coalesce(h.line_id, 0), h.lot_id,
               sum(iif(v.report_seq IS NULL, h.quantity_micro, 0)) AS taken_micro,
               sum(iif(v.report_seq IS NULL, h.covered_micro, 0)), i.step_micro,
               -sum(iif(v.report_seq IS NULL, 0, h.quantity_micro)),
               -sum(iif(v.report_seq IS NULL, 0, h.covered_micro))
          FROM hand_issue h JOIN item i USING (item_id)
          LEFT JOIN report v ON v.report_seq = h.event_seq AND v.reverses = h.report_seq
         WHERE h.report_seq = ?
         GROUP BY h.line_id, h.lot_id HAVING taken_micro <> 0
         ORDER BY h.line_id, h.lot_id
        """,
        [report.report_seq],
    )
    return [ByHand(*row) for row in rows]


def outputs_of(conn: Connection, work_order_id: int) -> tuple[int, list[OutputShare]]:
    """Return the good units of an order, and what comes with them beside the product."""
    good = conn.execute(
        "SELECT good_micro FROM work_order WHERE work_order_id = ?", [work_order_id]
    ).fetchone()[0]
    rows = conn.execute(
        """
        SELECT o.line, o.item_id, o.basis = 'per_unit', o.net_num, o.net_den, i.step_micro,
               o.ahead_micro
          FROM order_output o JOIN item i USING (item_id)
         WHERE o.work_order_id = ? ORDER BY o.line
        """,
        [work_order_id],
    )
    return int(good), [OutputShare(*row) for row in rows]
