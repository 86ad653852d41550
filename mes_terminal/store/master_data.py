"""Write master data: one upsert a table, rows by their natural keys, in bulk.

Runs inside the caller's transaction. Rows have been set down as `store.staging` does, their columns
named as those of the files (quantities in millionths); ids are found by the statements themselves.
"""

from collections.abc import Collection, Iterable, Mapping
from json import dumps
from typing import Any, Final

from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Connection

Values = Mapping[str, Any]

_BOM: Final = """
    (SELECT bom_id FROM bom WHERE revision = :revision
        AND item_id = (SELECT item_id FROM item WHERE item = :item))
"""
_LINE: Final = f"(SELECT bom_line_id FROM bom_line WHERE bom_id = {_BOM} AND line = :line)"  # noqa: S608
_STAGED_BOM: Final = """
    (SELECT bom_id FROM bom WHERE revision = s.revision
        AND item_id = (SELECT item_id FROM item WHERE item = s.item))
"""
_STAGED_LINE: Final = f"""
    (SELECT bom_line_id FROM bom_line WHERE bom_id = {_STAGED_BOM} AND line = s.line)
"""  # noqa: S608

UPSERTS: Final[dict[str, str]] = {
    "items": """
        INSERT INTO item (item, description, uom, step_micro, tracking, kind, issue_method, mount,
            gtin, pack_quantity_micro, shelf_life_days, inherit_expiry, lot_rule, output_status,
            standard_cost_micro, cost_per_micro, over_completion_pct_micro,
            under_tolerance_pct_micro, over_tolerance_pct_micro, lot_overrun_pct_micro,
            shortage_policy, item_class)
        SELECT s.item, s.description, s.uom, s.step_micro, s.tracking, s.kind, s.issue_method,
            s.mount, s.gtin, s.pack_quantity, s.shelf_life_days, s.inherit_expiry, s.lot_rule,
            s.output_status, s.standard_cost, s.cost_per, s.over_completion_pct,
            s.under_tolerance_pct, s.over_tolerance_pct, s.lot_overrun_pct, s.shortage_policy,
            s.item_class
        FROM temp.staged_items AS s WHERE TRUE
        ON CONFLICT (item) DO UPDATE SET description = excluded.description, uom = excluded.uom,
            step_micro = excluded.step_micro, tracking = excluded.tracking, kind = excluded.kind,
            issue_method = excluded.issue_method, mount = excluded.mount, gtin = excluded.gtin,
            pack_quantity_micro = excluded.pack_quantity_micro,
            shelf_life_days = excluded.shelf_life_days, inherit_expiry = excluded.inherit_expiry,
            lot_rule = excluded.lot_rule, output_status = excluded.output_status,
            standard_cost_micro = excluded.standard_cost_micro,
            cost_per_micro = excluded.cost_per_micro,
            over_completion_pct_micro = excluded.over_completion_pct_micro,
            under_tolerance_pct_micro = excluded.under_tolerance_pct_micro,
            over_tolerance_pct_micro = excluded.over_tolerance_pct_micro,
            lot_overrun_pct_micro = excluded.lot_overrun_pct_micro,
            shortage_policy = excluded.shortage_policy, item_class = excluded.item_class
    """,
    "item_codes": """
        INSERT INTO item_code (code, item_id, kind, partner, uom, quantity_micro)
        SELECT s.code, (SELECT item_id FROM item WHERE item = s.item), s.kind, s.partner, s.uom,
            s.quantity
        FROM temp.staged_item_codes AS s WHERE TRUE
        ON CONFLICT (code) DO UPDATE SET item_id = excluded.item_id, kind = excluded.kind,
            partner = excluded.partner, uom = excluded.uom, quantity_micro = excluded.quantity_micro
    """,
    "unit_conversions": """
        INSERT INTO unit_conversion (item_id, from_uom, to_uom, factor_num, factor_den)
        SELECT coalesce((SELECT item_id FROM item WHERE item = s.item), 0), s.from_uom, s.to_uom,
            s.factor_num, s.factor_den
        FROM temp.staged_unit_conversions AS s WHERE TRUE
        ON CONFLICT (item_id, from_uom, to_uom) DO UPDATE SET factor_num = excluded.factor_num,
            factor_den = excluded.factor_den
    """,
    "locations": """
        INSERT INTO location (location, kind, description, station)
        SELECT s.location, coalesce(s.kind, 'store'), s.description, s.station
        FROM temp.staged_locations AS s WHERE TRUE
        ON CONFLICT (location) DO UPDATE SET kind = coalesce(
                (SELECT s.kind FROM temp.staged_locations AS s
                 WHERE s.location = excluded.location), kind),
            description = excluded.description, station = excluded.station
    """,
    "work_centres": """
        INSERT INTO work_centre (work_centre, description, supply_location_id, output_location_id,
            issue_method, labour_rate_micro, overhead_rate_micro)
        SELECT s.work_centre, s.description,
            (SELECT location_id FROM location WHERE location = s.supply_location),
            (SELECT location_id FROM location WHERE location = s.output_location),
            s.issue_method, s.labour_rate, s.overhead_rate
        FROM temp.staged_work_centres AS s WHERE TRUE
        ON CONFLICT (work_centre) DO UPDATE SET description = excluded.description,
            supply_location_id = excluded.supply_location_id,
            output_location_id = excluded.output_location_id, issue_method = excluded.issue_method,
            labour_rate_micro = excluded.labour_rate_micro,
            overhead_rate_micro = excluded.overhead_rate_micro
    """,
    "shifts": """
        INSERT INTO shift (shift, start_minute, end_minute, days)
        SELECT s.shift, s.start, s."end", s.days
        FROM temp.staged_shifts AS s WHERE TRUE
        ON CONFLICT (shift) DO UPDATE SET start_minute = excluded.start_minute,
            end_minute = excluded.end_minute, days = excluded.days
    """,
    "boms": """
        INSERT INTO bom (item_id, revision, output_quantity_micro, effective_from, effective_to)
        SELECT (SELECT item_id FROM item WHERE item = s.item), s.revision, s.output_quantity,
            s.effective_from, s.effective_to
        FROM temp.staged_boms AS s WHERE TRUE
        ON CONFLICT (item_id, revision) DO UPDATE SET
            output_quantity_micro = excluded.output_quantity_micro,
            effective_from = excluded.effective_from, effective_to = excluded.effective_to
    """,
    "bom_lines": f"""
        INSERT INTO bom_line (bom_id, line, component_id, quantity_micro, uom, basis,
            scrap_pct_micro, scrap_mode, planned_scrap, operation, issue_method, supply_location_id,
            mount, mount_position, effective_from, effective_to, role, cost_share_pct_micro)
        SELECT {_STAGED_BOM}, s.line,
            (SELECT item_id FROM item WHERE item = s.component), s.quantity,
            coalesce(s.uom, (SELECT uom FROM item WHERE item = s.component)), s.basis,
            s.scrap_pct, s.scrap_mode, s.planned_scrap, s.operation, s.issue_method,
            (SELECT location_id FROM location WHERE location = s.supply_location),
            s.mount, s.mount_position, s.effective_from, s.effective_to, s.role, s.cost_share_pct
        FROM temp.staged_bom_lines AS s WHERE TRUE
        ON CONFLICT (bom_id, line) DO UPDATE SET component_id = excluded.component_id,
            quantity_micro = excluded.quantity_micro, uom = excluded.uom, basis = excluded.basis,
            scrap_pct_micro = excluded.scrap_pct_micro, scrap_mode = excluded.scrap_mode,
            planned_scrap = excluded.planned_scrap, operation = excluded.operation,
            issue_method = excluded.issue_method,
            supply_location_id = excluded.supply_location_id, mount = excluded.mount,
            mount_position = excluded.mount_position, effective_from = excluded.effective_from,
            effective_to = excluded.effective_to, role = excluded.role,
            cost_share_pct_micro = excluded.cost_share_pct_micro
    """,  # noqa: S608
    "bom_substitutes": f"""
        INSERT INTO bom_substitute (bom_line_id, substitute_id, ratio_num, ratio_den, priority,
            approval, choice)
        SELECT {_STAGED_LINE}, (SELECT item_id FROM item WHERE item = s.substitute), s.ratio_num,
            s.ratio_den, s.priority, s.approval, s.choice
        FROM temp.staged_bom_substitutes AS s WHERE TRUE
        ON CONFLICT (bom_line_id, substitute_id) DO UPDATE SET ratio_num = excluded.ratio_num,
            ratio_den = excluded.ratio_den, priority = excluded.priority,
            approval = excluded.approval, choice = excluded.choice
    """,  # noqa: S608
    "routings": f"""
        INSERT INTO routing_operation (bom_id, operation, position, work_centre_id, description,
            setup_minutes_micro, run_minutes_micro, run_basis_micro, backflush_point, overlap,
            issue_method)
        SELECT {_STAGED_BOM}, s.operation, s.position,
            (SELECT work_centre_id FROM work_centre WHERE work_centre = s.work_centre),
            s.description, s.setup_minutes, s.run_minutes, s.run_basis, s.backflush_point,
            s.overlap, s.issue_method
        FROM temp.staged_routings AS s WHERE TRUE
        ON CONFLICT (bom_id, operation) DO UPDATE SET position = excluded.position,
            work_centre_id = excluded.work_centre_id, description = excluded.description,
            setup_minutes_micro = excluded.setup_minutes_micro,
            run_minutes_micro = excluded.run_minutes_micro,
            run_basis_micro = excluded.run_basis_micro,
            backflush_point = excluded.backflush_point, overlap = excluded.overlap,
            issue_method = excluded.issue_method
    """,  # noqa: S608
    "operators": """
        INSERT INTO operator (badge, name, role, language)
        SELECT s.badge, s.name, s.role, s.language
        FROM temp.staged_operators AS s WHERE TRUE
        ON CONFLICT (badge) DO UPDATE SET name = excluded.name, language = excluded.language,
            -- who can sign has the role that a supervisor gave here
            role = iif(EXISTS (SELECT 1 FROM operator_pin p WHERE p.badge = operator.badge),
                       role, excluded.role)
    """,
    "reasons": """
        INSERT INTO reason (code, kind, description) SELECT s.code, s.kind, s.description
        FROM temp.staged_reasons AS s WHERE TRUE
        ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, description = excluded.description
    """,
}
"""The statement of each master-data table."""

DELETES: Final[dict[str, str]] = {
    "bom_substitutes": f"""
        DELETE FROM bom_substitute WHERE bom_line_id = {_LINE}
            AND substitute_id = (SELECT item_id FROM item WHERE item = :substitute)
    """,  # noqa: S608
    "bom_lines": f"DELETE FROM bom_line WHERE bom_id = {_BOM} AND line = :line",  # noqa: S608
    "routings": f"""
        DELETE FROM routing_operation WHERE bom_id = {_BOM} AND operation = :operation
    """,  # noqa: S608
}
"""What a set no longer has; substitutes go before their lines."""


def ensure_locations(conn: Connection, rules: StationRules) -> None:
    """Make the locations of the settings where they are missing. Idempotent.

    Called inside a transaction when the station opens the database, and by the load.
    """
    conn.executemany(
        "INSERT INTO location (location, kind) VALUES (?, ?) ON CONFLICT (location) DO NOTHING",
        [
            (rules.supply_location, "line_side"),
            (rules.output_location, "finished"),
            (rules.scrap_location, "scrap"),
        ],
    )


def upsert(conn: Connection, table: str) -> None:
    """Add or alter the rows of one master-data file that were set down."""
    conn.execute(UPSERTS[table])


def delete(conn: Connection, table: str, rows: Iterable[Values]) -> None:
    """Remove rows that their set no longer has."""
    conn.executemany(DELETES[table], rows)


def make_nameless_lots(conn: Connection) -> None:
    """Make the lot row that untracked stock and unknown lots of an item set down point to."""
    conn.execute(
        """
        INSERT INTO lot (item_id)
        SELECT item_id FROM temp.staged_items AS s CROSS JOIN item USING (item) WHERE TRUE
        ON CONFLICT (item_id, lot, serial, work_order_id) DO NOTHING
        """
    )


def set_kinds(conn: Connection, kinds: Iterable[tuple[str, str]]) -> None:
    """Set the derived kind of items: (kind, item)."""
    conn.executemany("UPDATE item SET kind = ? WHERE item = ?", kinds)


def read_locations(conn: Connection) -> dict[str, int]:
    """Return the real locations with their ids."""
    found = conn.execute("SELECT location, location_id FROM location WHERE kind <> 'virtual'")
    return dict(found.fetchall())


def items_with_stock(conn: Connection, items: Collection[str]) -> set[str]:
    """Return those of `items` of which any balance is not zero."""
    found = conn.execute(
        """
        SELECT DISTINCT i.item
        FROM json_each(?) AS wanted
        CROSS JOIN item AS i ON i.item = wanted.value
        CROSS JOIN lot AS l ON l.item_id = i.item_id
        CROSS JOIN balance AS b ON b.lot_id = l.lot_id AND b.quantity_micro <> 0
        """,
        (dumps(list(items)),),
    )
    return {row[0] for row in found}


def read_version(conn: Connection) -> int:
    """Return the version of the master data: how many loads have changed anything."""
    row = conn.execute("SELECT master_data_version FROM station_state").fetchone()
    return int(row[0])


def set_version(conn: Connection, version: int) -> None:
    """Set the version of the master data."""
    conn.execute("UPDATE station_state SET master_data_version = ?", (version,))
