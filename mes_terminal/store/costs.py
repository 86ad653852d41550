"""What an order's costs follow from, read for one order at a time (BF-38).

Nothing is stored for costs and no history is scanned: an order leads to its reports by their index,
a report to its movements by their sequence. Prices and rates are those of the moment of asking.
Called by `usecases.order_costs`.
"""

from fractions import Fraction
from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.cost_facts import (
    CostedOperation,
    CostFacts,
    Issue,
    Need,
    OutputFacts,
    Price,
    Use,
)
from mes_terminal.domain.quantity import MICRO
from mes_terminal.store.checks import snapshot
from mes_terminal.store.database import Connection, Database

WITH_REPORTS: Final = """
SELECT work_order FROM work_order
WHERE EXISTS (SELECT 1 FROM report WHERE report.work_order_id = work_order.work_order_id)
ORDER BY work_order
"""

ORDER: Final = """
SELECT work_order.work_order_id, item.item_id, item.item, item.uom,
       work_order.good_micro, work_order.scrapped_micro,
       coalesce((SELECT sum(report.good_micro) FROM report
                 WHERE report.work_order_id = work_order.work_order_id), 0),
       coalesce((SELECT sum(report.scrapped_micro) FROM report
                 WHERE report.work_order_id = work_order.work_order_id), 0)
FROM work_order JOIN item ON item.item_id = work_order.item_id
WHERE work_order.work_order = :work_order
"""

LINES: Final = """
SELECT order_line.line_id, order_line.line, order_line.operation, order_line.basis = 'per_unit',
       order_line.net_num, order_line.net_den, order_line.gross_num, order_line.gross_den,
       order_line.since_micro, order_line.carried_micro + order_line.carried_scrap_micro,
       order_line.issue_method = 'bulk', order_line.owed_micro + order_line.owed_scrap_micro,
       order_line.issued_micro, order_line.scrapped_micro, item.step_micro,
       item.item, item.uom, item.standard_cost_micro, item.cost_per_micro
FROM order_line JOIN item ON item.item_id = order_line.component_id
WHERE order_line.work_order_id = :work_order_id
ORDER BY order_line.position
"""

# What was owed and posted later counts as taken by its report (BF-22); what of a movement went back
# is deducted, whatever took it back. What of it covered a substitute's line is read, not reckoned.
# What went into production counts up, what came out of it down: the places say which.
# A sum is taken in two parts because SQLite refuses one that leaves 64 bits.
MOVED: Final = """
WITH moved AS (
    SELECT report.movement_first AS first, report.movement_count AS many
    FROM report WHERE report.work_order_id = :work_order_id AND report.kind <> 'reversal'
    UNION ALL
    SELECT healing.movement_first, healing.movement_count
    FROM report CROSS JOIN healing ON healing.report_seq = report.report_seq
    WHERE report.work_order_id = :work_order_id
), standing AS (
    SELECT movement.line_id, movement.lot_id,
           movement.to_location_id = :production_id AS into_units,
           movement.from_location_id = :production_id AS out_of_units,
           movement.quantity_micro - coalesce(sum(back.quantity_micro), 0) AS micro,
           coalesce(substitution.covered_micro, movement.quantity_micro)
           - coalesce(sum(back.covered_micro), 0) AS covers
    FROM moved CROSS JOIN movement
      ON movement.movement_seq BETWEEN moved.first AND moved.first + moved.many - 1
    LEFT JOIN substitution ON substitution.movement_seq = movement.movement_seq
    LEFT JOIN taken_back AS back ON back.movement_seq = movement.movement_seq
    GROUP BY movement.movement_seq
), signed AS (
    SELECT line_id, lot_id, into_units OR out_of_units AS used,
           iif(out_of_units, -micro, micro) AS micro, iif(out_of_units, -covers, covers) AS covers
    FROM standing
)
SELECT signed.line_id, lot.item_id, signed.used,
       sum(signed.micro / 1000000), sum(signed.micro % 1000000),
       sum(signed.covers / 1000000), sum(signed.covers % 1000000),
       item.item, item.uom, item.standard_cost_micro, item.cost_per_micro
FROM signed CROSS JOIN lot ON lot.lot_id = signed.lot_id
CROSS JOIN item ON item.item_id = lot.item_id
GROUP BY signed.line_id, lot.item_id, signed.used
"""

BY_HAND: Final = """
SELECT hand_issue.line_id,
       CASE WHEN hand_issue.line_id IS NOT NULL THEN 'issue'
            WHEN report.kind = 'reworked' THEN 'rework' ELSE 'extra' END AS use,
       sum(hand_issue.quantity_micro / 1000000), sum(hand_issue.quantity_micro % 1000000),
       sum(hand_issue.covered_micro / 1000000), sum(hand_issue.covered_micro % 1000000),
       item.item, item.uom, item.standard_cost_micro, item.cost_per_micro
FROM hand_issue CROSS JOIN item ON item.item_id = hand_issue.item_id
LEFT JOIN report ON report.report_seq = hand_issue.report_seq
WHERE hand_issue.work_order_id = :work_order_id
GROUP BY hand_issue.line_id, item.item_id, use
"""

OPERATIONS: Final = """
SELECT step.operation, step.position, step.backflush_point, centre.work_centre,
       step.setup_minutes_micro, step.run_minutes_micro, step.run_basis_micro,
       step.labour_rate_micro, step.overhead_rate_micro, step.good_micro, step.scrapped_micro
FROM order_operation AS step
LEFT JOIN work_centre AS centre ON centre.work_centre_id = step.work_centre_id
WHERE step.work_order_id = :work_order_id
ORDER BY step.position
"""

OUTPUTS: Final = """
SELECT output.line, output.item_id, output.role, output.basis = 'per_unit', output.net_num,
       output.net_den, output.cost_share_pct_micro,
       item.item, item.uom, item.standard_cost_micro, item.cost_per_micro
FROM order_output AS output JOIN item ON item.item_id = output.item_id
WHERE output.work_order_id = :work_order_id
ORDER BY output.line
"""


class CostedOrder(Struct, frozen=True):
    """An order, its product, and what its costs follow from."""

    work_order: str
    item: str
    uom: str
    facts: CostFacts


class _Order(Struct, frozen=True):
    """A row of `ORDER`."""

    work_order_id: int
    item_id: int
    item: str
    uom: str
    good_total: int
    scrapped_total: int
    good_micro: int
    scrapped_micro: int

    @property
    def good_before(self) -> int:
        """What was good before go-live: no report of the station says it."""
        return self.good_total - self.good_micro

    @property
    def scrapped_before(self) -> int:
        """What was scrapped before go-live."""
        return self.scrapped_total - self.scrapped_micro


class _Moved(Struct, frozen=True):
    """A row of `MOVED`: what was taken of an item for a line, or for none."""

    line_id: int | None
    item_id: int
    used: int
    quantity_micro: int
    covers_micro: int
    price: Price


def orders_with_reports(database: Database) -> list[str]:
    """Return the numbers of the orders that something was reported of, in their order."""
    return [row[0] for row in database.conn.execute(WITH_REPORTS)]


def read_costed_order(database: Database, work_order: str) -> CostedOrder | None:
    """Return the facts of an order as they are at one moment; `None`: there is no such order."""
    conn = database.conn
    with snapshot(database):
        row = conn.execute(ORDER, {"work_order": work_order}).fetchone()
        if row is None:
            return None
        order = _Order(*row)
        moved = _read_moved(conn, order.work_order_id)
        needs, issues = _read_lines(conn, order.work_order_id, moved)
        facts = CostFacts(
            good_micro=order.good_micro,
            scrapped_micro=order.scrapped_micro,
            before_micro=order.good_before + order.scrapped_before,
            needs=needs,
            issues=issues,
            operations=_read_operations(conn, order),
            outputs=_read_outputs(conn, order, moved),
        )
    return CostedOrder(work_order, order.item, order.uom, facts)


def _read_operations(conn: Connection, order: _Order) -> tuple[CostedOperation, ...]:
    """Return the operations of the snapshot and what passed each of them here: what was made before
    go-live had passed all, and what was scrapped before it had ended at the last."""
    rows = conn.execute(OPERATIONS, {"work_order_id": order.work_order_id}).fetchall()
    return tuple(
        CostedOperation(
            operation=row[0],
            position=row[1],
            is_backflush_point=bool(row[2]),
            work_centre=row[3],
            setup_minutes_micro=row[4],
            run_minutes_micro=row[5],
            run_basis_micro=row[6],
            labour_rate_micro=row[7],
            overhead_rate_micro=row[8],
            good_micro=row[9] - order.good_before - (0 if is_last else order.scrapped_before),
            scrapped_micro=row[10] - (order.scrapped_before if is_last else 0),
        )
        for row, is_last in ((row, row is rows[-1]) for row in rows)
    )


def _read_moved(conn: Connection, work_order_id: int) -> list[_Moved]:
    production_id = conn.execute(
        "SELECT location_id FROM location WHERE location = '@production'"
    ).fetchone()[0]
    asked = {"work_order_id": work_order_id, "production_id": production_id}
    return [
        _Moved(
            row[0],
            row[1],
            row[2],
            row[3] * MICRO + row[4],
            row[5] * MICRO + row[6],
            Price(*row[7:]),
        )
        for row in conn.execute(MOVED, asked)
    ]


def _read_lines(
    conn: Connection, work_order_id: int, moved: list[_Moved]
) -> tuple[tuple[Need, ...], tuple[Issue, ...]]:
    needs: list[Need] = []
    issues: list[Issue] = []
    names: dict[int | None, str] = {}
    for row in conn.execute(LINES, {"work_order_id": work_order_id}):
        price = Price(*row[15:])
        names[row[0]] = row[1]
        needs.append(
            Need(
                line=row[1],
                price=price,
                operation=row[2],
                per_unit=bool(row[3]),
                net=Fraction(row[4], row[5]),
                gross=Fraction(row[6], row[7]),
                step_micro=row[14],
                since_micro=row[8],
                carried_micro=row[9],
                bulk=bool(row[10]),
                issued_micro=row[12],
                scrapped_micro=row[13],
            )
        )
        issues.append(Issue(row[1], price, "owed", row[11]))
    for each in moved:
        if each.line_id in names:
            use: Use = "issue" if each.used else "planned_scrap"
            line = names[each.line_id]
            issues.append(Issue(line, each.price, use, each.quantity_micro, each.covers_micro))
    for row in conn.execute(BY_HAND, {"work_order_id": work_order_id}):
        quantity, covers = row[2] * MICRO + row[3], row[4] * MICRO + row[5]
        issues.append(Issue(names.get(row[0]), Price(*row[6:]), row[1], quantity, covers))
    return tuple(needs), tuple(issues)


def _read_outputs(conn: Connection, order: _Order, moved: list[_Moved]) -> tuple[OutputFacts, ...]:
    """Return the by- and co-products; what was received of an item counts for its first line."""
    received = {
        each.item_id: -each.quantity_micro  # it came out of production
        for each in moved
        if each.line_id is None and each.used and each.item_id != order.item_id
    }
    rows: list[Any] = conn.execute(OUTPUTS, {"work_order_id": order.work_order_id}).fetchall()
    return tuple(
        OutputFacts(
            line=row[0],
            role=row[2],
            price=Price(*row[7:]),
            per_unit=bool(row[3]),
            net=Fraction(row[4], row[5]),
            quantity_micro=received.pop(row[1], 0),
            share_pct_micro=row[6],
        )
        for row in rows
    )
