"""Orders as a load finds and writes them: the order, its frozen lines (BF-7), its planned units.

Bulk reads of the facts, bulk writes of the rows, ids found by the statements. Writes run inside the
caller's transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from json import dumps
from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.operations import OperationFacts
from mes_terminal.store.database import Connection
from mes_terminal.store.staging import is_set_down

Values = Mapping[str, Any]


class OrderState(Struct, frozen=True, kw_only=True):
    """An order as it stands at the station."""

    work_order_id: int
    item: str
    revision: str | None
    quantity_micro: int
    status: str
    replace_scrap: bool
    snapshot_version: int
    good_micro: int
    scrapped_micro: int
    output_location: str
    due_at: str | None
    sequence: int | None
    changes: str | None
    """What loads changed and the station has not told yet (BF-7)."""
    is_current: bool
    """It is the order at hand."""
    touched: bool
    """Something was reported, issued or owed, even if it was taken back, or waits in a slot."""


class UnitState(Struct, frozen=True):
    """Which order a serial is planned for, and whether it is made."""

    work_order: str
    made: bool


COUNTS_FROM_NOW: Final = -1
"""`since` of a line whose version begins to count at what it was due for so far is this less those
units: so it is told from a line whose need is as it was."""

_ORDER: Final = "(SELECT work_order_id FROM work_order WHERE work_order = :work_order)"
_ITEM: Final = "(SELECT item_id FROM item WHERE item = :item)"
_COMPONENT: Final = "(SELECT item_id FROM item WHERE item = :component)"
_S_ORDER: Final = "(SELECT work_order_id FROM work_order WHERE work_order = s.work_order)"
_S_ITEM: Final = "(SELECT item_id FROM item WHERE item = s.item)"
_S_COMPONENT: Final = "(SELECT item_id FROM item WHERE item = s.component)"
_S_CENTRE: Final = "(SELECT work_centre_id FROM work_centre WHERE work_centre = s.work_centre)"
_S_OUTPUT: Final = "(SELECT location_id FROM location WHERE location = s.output_location)"
_S_BOM: Final = f"(SELECT bom_id FROM bom WHERE item_id = {_S_ITEM} AND revision = s.revision)"  # noqa: S608
"""The same of a row that was set down."""

_WRITE_ORDER: Final = f"""
    INSERT INTO work_order (work_order, item_id, bom_id, revision, quantity_micro, start_at, due_at,
        sequence, work_centre_id, status, lot, replace_scrap, erp_ref, output_location_id,
        snapshot_version, good_micro, scrapped_micro, changes)
    SELECT s.work_order, {_S_ITEM}, {_S_BOM}, s.revision, s.quantity, s.start_at, s.due_at,
        s.sequence, {_S_CENTRE}, s.status, s.lot, s.replace_scrap, s.erp_ref, {_S_OUTPUT},
        s.snapshot_version, s.good, s.scrapped, s.changes
    FROM temp.staged_orders AS s WHERE TRUE
    ON CONFLICT (work_order) DO UPDATE SET item_id = excluded.item_id, bom_id = excluded.bom_id,
        revision = excluded.revision, quantity_micro = excluded.quantity_micro,
        start_at = excluded.start_at, due_at = excluded.due_at, sequence = excluded.sequence,
        work_centre_id = excluded.work_centre_id, status = excluded.status, lot = excluded.lot,
        replace_scrap = excluded.replace_scrap, erp_ref = excluded.erp_ref,
        output_location_id = excluded.output_location_id,
        snapshot_version = excluded.snapshot_version, changes = excluded.changes
"""  # noqa: S608
_SAME_NEED: Final = """basis = excluded.basis
    AND net_num = excluded.net_num AND net_den = excluded.net_den
    AND gross_num = excluded.gross_num AND gross_den = excluded.gross_den"""
_WRITE_LINE: Final = f"""
    INSERT INTO order_line (work_order_id, line, position, component_id, basis, net_num, net_den,
        gross_num, gross_den, scrap_pct_micro, operation, operation_position, issue_method,
        location_id, location_rule, mount, mount_position, erp_ref, decided_by, snapshot_version,
        issued_micro, scrapped_micro, since_micro)
    SELECT {_S_ORDER}, s.line, s.position, {_S_COMPONENT}, s.basis, s.net_num, s.net_den,
        s.gross_num, s.gross_den, s.scrap_pct, s.operation, coalesce((
            SELECT position FROM order_operation
            WHERE work_order_id = {_S_ORDER} AND operation = s.operation), 0), s.issue_method,
        (SELECT location_id FROM location WHERE location = s.location), s.location_rule, s.mount,
        s.mount_position, s.erp_ref, s.decided_by, s.snapshot_version, s.issued, s.scrapped, s.since
    FROM temp.staged_order_lines AS s WHERE TRUE
    ON CONFLICT (work_order_id, line) DO UPDATE SET position = excluded.position,
        since_micro = iif({_SAME_NEED}, since_micro, excluded.since_micro), basis = excluded.basis,
        net_num = excluded.net_num, net_den = excluded.net_den, gross_num = excluded.gross_num,
        gross_den = excluded.gross_den, scrap_pct_micro = excluded.scrap_pct_micro,
        operation = excluded.operation, operation_position = excluded.operation_position,
        issue_method = excluded.issue_method, location_id = excluded.location_id,
        location_rule = excluded.location_rule,
        mount = excluded.mount, mount_position = excluded.mount_position,
        erp_ref = excluded.erp_ref, decided_by = excluded.decided_by,
        snapshot_version = excluded.snapshot_version
"""  # noqa: S608
_STEP_ASIDE: Final = f"""
    UPDATE order_line SET position = -position WHERE work_order_id = {_ORDER}
"""  # noqa: S608
_RENAME: Final = f"""
    UPDATE order_line SET line = line || '/v' || snapshot_version, first_line = line
    WHERE work_order_id = {_ORDER} AND line = :line AND component_id <> {_COMPONENT}
"""  # noqa: S608
_NOTE_SLOTS: Final = """
    UPDATE work_order SET has_slots = EXISTS (
        SELECT 1 FROM order_line AS l JOIN item AS i ON i.item_id = l.component_id
        WHERE l.work_order_id = work_order.work_order_id AND i.tracking = 'serial'
          AND l.issue_method = 'backflush' AND l.net_num > 0)
    WHERE work_order = ?
"""
_COUNT_FROM: Final = f"""
    UPDATE order_line SET
        since_micro = iif(basis = 'per_unit', {COUNTS_FROM_NOW} - since_micro, 0),
        carried_micro = iif(basis = 'per_unit',
            issued_micro + owed_micro + written_off_micro, 0),
        carried_scrap_micro = iif(basis = 'per_unit',
            scrapped_micro + owed_scrap_micro + written_off_scrap_micro, 0)
    WHERE work_order_id = {_ORDER} AND since_micro <= {COUNTS_FROM_NOW}
"""  # noqa: S608
_RETIRE: Final = f"""
    UPDATE order_line SET position = -position + (
            SELECT max(l.position) FROM order_line AS l
            WHERE l.work_order_id = order_line.work_order_id),
        net_num = 0, net_den = 1, gross_num = 0, gross_den = 1, since_micro = 0, carried_micro = 0,
        carried_scrap_micro = 0
    WHERE work_order_id = {_ORDER} AND position < 0
"""  # noqa: S608
_FREE_SLOTS: Final = f"""
    DELETE FROM slot WHERE work_order_id = {_ORDER} AND report_seq IS NULL AND line_id IN (
        SELECT line_id FROM order_line WHERE work_order_id = {_ORDER} AND net_num = 0)
"""  # noqa: S608
"""What waits for a unit in a slot that its line no longer has is in no unit any more (BF-18)."""
_WRITE_SUBSTITUTE: Final = f"""
    INSERT INTO order_line_substitute (line_id, substitute_id, ratio_num, ratio_den, priority,
        approval, choice)
    SELECT (SELECT line_id FROM order_line WHERE work_order_id = {_S_ORDER} AND line = s.line),
        {_S_ITEM}, s.ratio_num, s.ratio_den, s.priority, s.approval, s.choice
    FROM temp.staged_order_substitutes AS s WHERE TRUE
"""  # noqa: S608
_WRITE_OPERATIONS: Final = """
    INSERT INTO order_operation (work_order_id, position, operation, work_centre_id, description,
        setup_minutes_micro, run_minutes_micro, run_basis_micro, labour_rate_micro,
        overhead_rate_micro, backflush_point, overlap, good_micro, scrapped_micro)
    SELECT w.work_order_id, r.position, r.operation, r.work_centre_id, r.description,
        r.setup_minutes_micro, r.run_minutes_micro, r.run_basis_micro, c.labour_rate_micro,
        c.overhead_rate_micro, r.backflush_point, r.overlap,
        iif(r.position < m.last, w.good_micro + w.scrapped_micro, w.good_micro),
        iif(r.position < m.last, 0, w.scrapped_micro)
    FROM work_order AS w
    JOIN routing_operation AS r USING (bom_id)
    JOIN (SELECT bom_id, max(position) AS last FROM routing_operation GROUP BY bom_id) AS m
        USING (bom_id)
    LEFT JOIN work_centre AS c ON c.work_centre_id = r.work_centre_id
    WHERE w.work_order = ?
"""
"""What was made before go-live has passed every operation."""
_WRITE_OUTPUT: Final = f"""
    INSERT INTO order_output (work_order_id, line, item_id, role, basis, net_num, net_den,
        cost_share_pct_micro)
    VALUES ({_ORDER}, :line, {_ITEM}, :role, :basis, :net_num, :net_den, :cost_share_pct)
"""  # noqa: S608


def read_orders(conn: Connection, work_orders: Collection[str]) -> dict[str, OrderState]:
    """Return the orders that exist."""
    found = conn.execute(
        """
        SELECT w.work_order, w.work_order_id, i.item, w.revision, w.quantity_micro, w.status,
               w.replace_scrap, w.snapshot_version, w.good_micro, w.scrapped_micro, o.location,
               w.due_at, w.sequence, w.changes,
               w.work_order_id = (SELECT coalesce(work_order_id, 0) FROM station_state),
               EXISTS (SELECT 1 FROM report AS r WHERE r.work_order_id = w.work_order_id)
               OR EXISTS (SELECT 1 FROM order_line AS l WHERE l.work_order_id = w.work_order_id
                   AND (l.issued_micro <> 0 OR l.scrapped_micro <> 0 OR l.owed_micro <> 0
                        OR l.owed_scrap_micro <> 0))
               OR EXISTS (SELECT 1 FROM slot AS s WHERE s.work_order_id = w.work_order_id
                   AND s.report_seq IS NULL)
        FROM json_each(?) AS wanted
        CROSS JOIN work_order AS w ON w.work_order = wanted.value
        JOIN item AS i USING (item_id)
        JOIN location AS o ON o.location_id = w.output_location_id
        """,
        (dumps(list(work_orders)),),
    )
    return {
        row[0]: OrderState(
            work_order_id=row[1],
            item=row[2],
            revision=row[3],
            quantity_micro=row[4],
            status=row[5],
            replace_scrap=bool(row[6]),
            snapshot_version=row[7],
            good_micro=row[8],
            scrapped_micro=row[9],
            output_location=row[10],
            due_at=row[11],
            sequence=row[12],
            changes=row[13],
            is_current=bool(row[14]),
            touched=bool(row[15]),
        )
        for row in found
    }


def read_lines(conn: Connection, work_orders: Collection[str]) -> dict[str, list[Values]]:
    """Return the frozen lines of some orders, as `write_lines` takes them, in order."""
    cursor = conn.execute(
        """
        SELECT w.work_order, l.line, i.item AS component, l.basis, l.net_num, l.net_den,
               l.gross_num, l.gross_den, l.scrap_pct_micro AS scrap_pct, l.operation,
               l.issue_method, o.location, l.location_rule, l.mount, l.mount_position, l.erp_ref
        FROM json_each(?) AS wanted
        CROSS JOIN work_order AS w ON w.work_order = wanted.value
        CROSS JOIN order_line AS l ON l.work_order_id = w.work_order_id AND l.net_num <> 0
        JOIN item AS i ON i.item_id = l.component_id
        JOIN location AS o ON o.location_id = l.location_id
        ORDER BY w.work_order_id, l.position
        """,
        (dumps(list(work_orders)),),
    )
    names = [column[0] for column in cursor.description]
    lines: dict[str, list[Values]] = {}
    for row in cursor:
        lines.setdefault(row[0], []).append(dict(zip(names, row, strict=True)))
    return lines


def read_operations(
    conn: Connection, work_orders: Collection[str]
) -> dict[str, list[OperationFacts]]:
    """Return the operations of some orders with what each has delivered; none without routing."""
    rows = conn.execute(
        """
        SELECT w.work_order, o.position, o.operation, o.description, o.backflush_point, o.overlap,
               o.good_micro, o.scrapped_micro
        FROM json_each(?) AS wanted
        CROSS JOIN work_order AS w ON w.work_order = wanted.value
        CROSS JOIN order_operation AS o ON o.work_order_id = w.work_order_id
        ORDER BY w.work_order_id, o.position
        """,
        (dumps(list(work_orders)),),
    )
    found: dict[str, list[OperationFacts]] = {}
    for work_order, *operation in rows:
        found.setdefault(work_order, []).append(OperationFacts(*operation))
    return found


def read_units(
    conn: Connection, serials: Collection[tuple[str, str]]
) -> dict[tuple[str, str], UnitState]:
    """Return the planned or made units among these (item, serial)."""
    found = conn.execute(
        """
        SELECT i.item, u.serial, w.work_order, u.report_seq IS NOT NULL
        FROM json_each(?) AS wanted
        CROSS JOIN item AS i ON i.item = wanted.value ->> 0
        CROSS JOIN unit AS u ON u.item_id = i.item_id AND u.serial = wanted.value ->> 1
                            AND u.origin <> 'freed'
        JOIN work_order AS w USING (work_order_id)
        """,
        (dumps(list(serials)),),
    )
    return {(row[0], row[1]): UnitState(row[2], bool(row[3])) for row in found}


def write_orders(conn: Connection) -> None:
    """Add or alter the orders set down; what was reported is set only when an order is new."""
    if is_set_down(conn, "orders"):
        conn.execute(_WRITE_ORDER)


def write_lines(
    conn: Connection,
    *,
    released: Collection[str],
    replaced: Collection[str],
    amended: Collection[Values],
    lines: Collection[Values],
    outputs: Iterable[Values],
) -> None:
    """Write snapshots: of orders that are `released` with this load, and new versions.

    Those of the orders in `replaced` (which are released anew) have no reports, and go first.

    Those in `amended` are new versions too, but of orders that are begun: their lines count from
    what they were due for, and those they no longer have stay with what was issued. `lines` and
    substitutes have been set down.
    """
    _make_room(conn, amended, lines)
    for table in ("order_line_substitute", "order_output", "order_line", "order_operation"):
        inner = "SELECT work_order_id FROM work_order WHERE work_order = ?"
        if table == "order_line_substitute":
            where = f"line_id IN (SELECT line_id FROM order_line WHERE work_order_id = ({inner}))"  # noqa: S608
        else:
            where = f"work_order_id = ({inner})"
        conn.executemany(f"DELETE FROM {table} WHERE {where}", [(one,) for one in replaced])  # noqa: S608
    conn.executemany(_WRITE_OPERATIONS, [(one,) for one in released])
    if is_set_down(conn, "order_lines"):
        conn.execute(_WRITE_LINE)
        conn.executemany(_NOTE_SLOTS, [(one,) for one in {line["work_order"] for line in lines}])
    conn.executemany(_COUNT_FROM, amended)
    conn.executemany(_RETIRE, amended)
    conn.executemany(_FREE_SLOTS, amended)
    if is_set_down(conn, "order_substitutes"):
        conn.execute(_WRITE_SUBSTITUTE)
    conn.executemany(_WRITE_OUTPUT, outputs)


def _make_room(conn: Connection, amended: Collection[Values], lines: Collection[Values]) -> None:
    """Take what an amended order's next version replaces out of its way."""
    if not amended:
        return
    names = {one["work_order"] for one in amended}
    conn.executemany(_STEP_ASIDE, amended)
    conn.executemany(_RENAME, [line for line in lines if line["work_order"] in names])
    conn.executemany(
        f"""
        DELETE FROM order_line_substitute
        WHERE line_id IN (SELECT line_id FROM order_line WHERE work_order_id = {_ORDER})
        """,  # noqa: S608
        amended,
    )
    conn.executemany(f"DELETE FROM order_output WHERE work_order_id = {_ORDER}", amended)  # noqa: S608


def write_units(conn: Connection, *, gone: Iterable[Values], planned: Iterable[Values]) -> None:
    """Replace the planned units of orders; units that are made stay, and what was named here and is
    not made becomes planned."""
    conn.executemany(
        f"""
        DELETE FROM unit
        WHERE work_order_id = {_ORDER} AND serial = :serial AND report_seq IS NULL
        """,  # noqa: S608
        gone,
    )
    conn.executemany(
        f"""
        INSERT INTO unit (work_order_id, item_id, serial, position)
        VALUES ({_ORDER}, {_ITEM}, :serial, :position)
        ON CONFLICT (item_id, serial) DO UPDATE
            SET work_order_id = excluded.work_order_id, position = excluded.position,
                origin = iif(report_seq IS NULL, 'planned', origin)
        """,  # noqa: S608
        planned,
    )
