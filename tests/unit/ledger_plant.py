"""A plant in rows: one receipt and one report, written as the station writes them.

400 LEG of lot L-77 arrive at LINE; scan 1 closes WO-1: 10 CHAIR take 40 legs and 80 bolts, 20 of
which the line owes. Scan 2 is an unknown code that is no UTF-8; scan 3 still waits.
"""

from pathlib import Path
from typing import Any

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.posting import (
    FIRST_HASH,
    EventDraft,
    MaterialActual,
    MaterialData,
    ReportData,
    ReportRow,
)
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Database, open_database
from mes_terminal.store.events import append_event, append_events, read_head
from mes_terminal.store.scan_journal import conclude, scan_of

RULES = StationRules(station="LINE3-ST02", site="PLANT1")
NOW = "2026-11-20T13:05:13.000000Z"
AT = "2026-11-20T13:05:12.100000Z"
ARRIVED = "2026-11-19T06:00:00.000000Z"
SCAN = scan_of((1, "scan-1", AT, None, "cli", None, b"WO-1", 0, None, None))
UNKNOWN = scan_of(
    (2, "scan-2", "2026-11-20T13:05:12.500000Z", None, "cli", None, b"A\xff\x1b", 0, None, None)
)
UNIT = 1_000_000
SUPPLIER, PRODUCTION, LINE, FG = 1, 2, 5, 6

MASTER = """
INSERT INTO location (location_id, location, kind) VALUES
    (5, 'LINE', 'line_side'), (6, 'FG', 'finished'), (7, 'SCRAP', 'scrap');
INSERT INTO item (item_id, item, uom, step_micro, tracking, kind) VALUES
    (1, 'LEG', 'pcs', 1000000, 'lot', 'purchased'),
    (2, 'BOLT', 'pcs', 1000000, 'none', 'purchased'),
    (3, 'CHAIR', 'pcs', 1000000, 'lot', 'manufactured'),
    (4, 'CHAIN', 'm', 1000, 'lot', 'purchased');
INSERT INTO lot (lot_id, item_id) VALUES (1, 1), (2, 2), (3, 3), (4, 4);
INSERT INTO lot (lot_id, item_id, lot, expires_on, received_at, supplier) VALUES
    (5, 1, 'L-77', '2027-01-31', '2026-11-19T06:00:00.000000Z', 'Holz AG'),
    (6, 3, 'WO-1', NULL, '2026-11-20T13:05:12.100000Z', NULL);
INSERT INTO work_order (work_order_id, work_order, item_id, quantity_micro, status, good_micro,
    output_location_id, snapshot_version) VALUES
    (1, 'WO-1', 3, 10000000, 'closed', 10000000, 6, 1),
    (2, 'WO-2', 3, 7000000, 'released', 2000000, 6, 1);
INSERT INTO order_line (line_id, work_order_id, line, position, component_id, basis, net_num,
    net_den, gross_num, gross_den, issue_method, location_id, location_rule, mount, decided_by,
    issued_micro, owed_micro, scrap_pct_micro) VALUES
    (1, 1, '10', 1, 1, 'per_unit', 4, 1, 4, 1, 'backflush', 5, 'station', 'optional',
     '{"issue_method":"station"}', 40000000, 0, 0),
    (2, 1, '20', 2, 2, 'per_unit', 8, 1, 8, 1, 'backflush', 5, 'station', 'optional',
     '{"issue_method":"item"}', 60000000, 20000000, 2500000),
    (3, 2, '10', 1, 4, 'per_unit', 1, 3, 1, 3, 'backflush', 5, 'line', 'optional', '{}', 0, 0, 0),
    (4, 2, '20', 2, 2, 'per_order', 1500000, 1, 1500000, 1, 'manual', 5, 'line', 'optional', '{}',
     0, 0, 0);
INSERT INTO scan_journal
    (scan_seq, scan_id, received_at, event_time, device, badge, raw, truncated) VALUES
    (1, 'scan-1', '2026-11-20T13:05:12.100000Z', NULL, 'cli', NULL, CAST('WO-1' AS BLOB), 0),
    (2, 'scan-2', '2026-11-20T13:05:12.500000Z', NULL, 'cli', NULL, x'41ff1b', 0),
    (3, 'scan-3', '2026-11-20T13:05:12.900000Z', NULL, 'cli', NULL, CAST('WO-2' AS BLOB), 0);
"""

POSTED = """
INSERT INTO balance (lot_id, location_id, quantity_micro, arrived_at, item_id, lot, expires_on,
    received_at, may_go_negative, pickable) VALUES
    (5, 5, 360000000, '2026-11-19T06:00:00.000000Z', 1, 'L-77', '2027-01-31',
     '2026-11-19T06:00:00.000000Z', 0, 1),
    (2, 5, 0, '2026-11-19T06:00:00.000000Z', 2, '', '9999-12-31',
     '2026-11-19T06:00:00.000000Z', 0, 0),
    (6, 6, 10000000, '2026-11-20T13:05:12.100000Z', 3, 'WO-1', '9999-12-31',
     '2026-11-20T13:05:12.100000Z', 0, 1);
INSERT INTO exception (exception_id, kind, severity, subject, work_order_id, line_id, item_id,
    quantity_micro, opened_at, opened_event_seq, cause_code, cause) VALUES
    (1, 'shortage', 'warn', 'line 2', 1, 2, 2, 20000000, '2026-11-20T13:05:12.100000Z', 2,
     'shortage:no_stock', 'BOLT ran out at LINE');
"""


def _movement(line: int | None, lot: int, origin: int, target: int, units: int, kind: str) -> Any:
    return (line, lot, 0, origin, target, units * UNIT, kind, "station" if line else None)


def _drafts() -> tuple[EventDraft, EventDraft]:
    receipt = MaterialData(
        reference="R-1", station=RULES.station, master_data_version="1", event_time=ARRIVED,
        person=None, material_actuals=[
            MaterialActual("Received", "LEG", "L-77", None, "400", "pcs", "LINE"),
        ],
    )  # fmt: skip
    report = ReportData(
        report_id="scan-1", scan_id="scan-1", work_order="WO-1", final=True, person="OP-1",
        station=RULES.station, master_data_version="1", event_time=AT, material_actuals=[],
    )  # fmt: skip
    return (
        EventDraft(
            type="material.received", subject="R-1", partition_key="R-1", event_time=ARRIVED,
            data=receipt, upstream=True, movements=[
                _movement(None, 5, SUPPLIER, LINE, 400, "receipt"),
                _movement(None, 2, SUPPLIER, LINE, 60, "receipt"),
            ],
        ),
        EventDraft(
            type="production.completed", subject="WO-1", partition_key="WO-1", event_time=AT,
            data=report, upstream=True, person="OP-1",
            movements=[
                _movement(1, 5, LINE, PRODUCTION, 40, "issue"),
                _movement(2, 2, LINE, PRODUCTION, 60, "issue"),
                _movement(None, 6, PRODUCTION, FG, 10, "production"),
            ],
            edges=[(6, 5, 1, 40 * UNIT, "sole")],
            report=ReportRow(
                work_order_id=1, kind="completion", good_micro=10 * UNIT, scrapped_micro=0,
                lot_id=6, order_status_before="released", lot_expires_before=None,
            ),
        ),
    )  # fmt: skip


def make_plant(folder: Path) -> Database:
    """Return the open database of the plant above."""
    database = open_database(folder / "station.db")
    with database.transaction() as conn:
        for statement in MASTER.split(";\n"):
            conn.execute(statement)
        receipt, report = _drafts()
        append_events(conn, [receipt], rules=RULES, recorded_at=NOW)
        append_event(conn, report, read_head(conn), SCAN, rules=RULES)
        for statement in POSTED.split(";\n"):
            conn.execute(statement)
        closed = Outcome(scan_id="scan-1", code="WO-1", outcome="completed", message="closed")
        conclude(conn, SCAN, closed, 2, previous_hash=FIRST_HASH)
        unknown = Outcome(scan_id="scan-2", code="A", outcome="unknown", message="no rule")
        before = read_head(conn).journal_hash
        conclude(conn, UNKNOWN, unknown, None, previous_hash=before)
    return database


def damage(database: Database, statement: str) -> None:
    """Change what is written, as no part of the station can: without its triggers and checks."""
    conn = database.conn
    triggers = conn.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    conn.execute("PRAGMA foreign_keys = OFF")
    conn.execute("PRAGMA ignore_check_constraints = ON")
    for name, _ in triggers:
        conn.execute(f"DROP TRIGGER {name}")
    changed = conn.execute(statement).rowcount
    for _, sql in triggers:
        conn.execute(sql)
    conn.execute("PRAGMA ignore_check_constraints = OFF")
    conn.execute("PRAGMA foreign_keys = ON")
    assert changed > 0, "the damage must hit something"
