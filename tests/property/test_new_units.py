"""Units that are named by their serial where none are planned (BF-39), in any sequence."""

from datetime import datetime
from random import Random
from typing import Any, Final

import pytest
from msgspec.structs import replace

from tests.plants import TEST_RULES, Station, empty_database, memory_folder, open_station, plant

GTIN: Final = "09506000134352"
GS: Final = "\x1d"
PLANT: Final = plant(
    items=f"item,tracking,gtin\nBIKE,serial,{GTIN}\nEBIKE,serial,\nFRAME,lot,\nMOTOR,serial,",
    boms="item,revision\nBIKE,A\nEBIKE,A",
    bom_lines="""
        item,revision,line,component,quantity
        BIKE,A,10,FRAME,1.5
        EBIKE,A,10,FRAME,1
        EBIKE,A,20,MOTOR,2
        """,
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at
        R1,FRAME,F-1,,LINE,5,2026-11-01
        R2,FRAME,F-2,,LINE,40,2026-11-02
        R3,MOTOR,,M-1,LINE,1,2026-11-02
        R4,MOTOR,,M-2,LINE,1,2026-11-02
        R5,MOTOR,,M-3,LINE,1,2026-11-02
        R6,MOTOR,,M-4,LINE,1,2026-11-02
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-1,BIKE,3,released
        WO-2,BIKE,2,released
        WO-3,EBIKE,3,released
        """,
    locations="location,kind\nBENCH,rework\nSTORE,store",
    reasons="code,kind\nBROKEN,scrap\nPAINT,rework",
)
RULES: Final = replace(TEST_RULES, undo_grace_s=1_000_000)
"""Undoing is for anybody here."""
CODES: Final = (
    *("WO-1", "WO-2", "WO-3", "%START WO-1", "%START WO-2", "%START WO-3", "BIKE", "EBIKE"),
    *("N-1", "N-2", "N-3", "N-1", "N-2", "N-3", "M-1", "M-2", "M-3", "M-4", "M-1", "M-2"),
    *(f"]C101{GTIN}21N-{n}" for n in range(1, 5)),
    *(f"]C101{GTIN}21N-{n}{GS}93WO-2" for n in range(1, 3)),
    *(f"]C1240EBIKE{GS}21N-{n}" for n in range(1, 4)),
    *("%UNDO", "%UNDO", "%UNDO N-1", "%CANCEL", "%SCRAP BROKEN", "%REWORK PAINT", "%HOLD"),
    *("%MOVE STORE", "%QTY 2", "F-2", "%HELP", "%SHORT", "nobody knows"),
)
COMPARED: Final = (
    "movement", "edge", "report", "balance", "lot", "work_order", "order_line", "exception",
    "scan_outcome", "station_state", "slot", "unit",
)  # fmt: skip


def laws(station: Station) -> None:
    """What must hold after any scan."""
    conn = station.db.conn
    made = """
        SELECT w.work_order, (w.good_micro + w.scrapped_micro) / 1000000,
               (SELECT count(*) FROM unit u
                 WHERE u.work_order_id = w.work_order_id AND u.report_seq IS NOT NULL),
               w.quantity_micro / 1000000
          FROM work_order w
    """
    for order, counted, units, ordered in conn.execute(made).fetchall():
        assert counted == units <= ordered, order
    stray = """
        SELECT serial FROM unit u
         WHERE origin = 'freed' AND (report_seq IS NOT NULL OR EXISTS (
               SELECT 1 FROM slot s WHERE s.unit_id = u.unit_id))
    """
    assert conn.execute(stray).fetchall() == []
    assert station.faults() == []


@pytest.mark.parametrize("seed", range(20))
def test_new_units_keep_the_books_and_a_replay_gives_the_same(seed: int) -> None:
    """BF-39, invariants 1, 5 and 6: whatever is scanned, undone, scrapped, reworked between."""
    chance = Random(f"new units:{seed}")
    with memory_folder() as here, memory_folder() as there:
        first = open_station(here, PLANT, RULES, template=empty_database())
        for _ in range(60):
            first.scan(chance.choice(CODES), after_s=chance.choice((1, 1, 1, 200)))
            laws(first)
        second = open_station(there, PLANT, RULES, template=empty_database())
        journal: list[Any] = first.db.conn.execute(
            "SELECT raw, received_at FROM scan_journal ORDER BY scan_seq"
        ).fetchall()
        for raw, received_at in journal:
            second.clock = datetime.fromisoformat(received_at)
            second.scan(raw, after_s=0)
        for table in COMPARED:
            rows = [
                station.db.conn.execute(f"SELECT * FROM {table}").fetchall()
                for station in (first, second)
            ]
            assert rows[0] == rows[1], table
        for station in (first, second):
            station.db.close()


@pytest.mark.parametrize("seed", range(15))
def test_a_new_unit_undone_leaves_nothing_behind(seed: int) -> None:
    """BF-31, BF-39, invariant 3: balances, orders and units are as before, its serial is free."""
    chance = Random(f"undone units:{seed}")
    with memory_folder() as folder:
        station = open_station(folder, PLANT, template=empty_database())
        for _ in range(chance.randint(0, 12)):
            station.scan(chance.choice(CODES))
        station.scan("%CANCEL")
        station.scan("%START WO-1")
        before = _books(station)
        made = station.scan(f"]C101{GTIN}21N-9")
        if made.outcome != "completed":
            assert station.order("WO-1")["status"] == "closed", made.message
            return
        assert _books(station) != before
        assert station.scan("%UNDO").serial == "N-9"
        assert _books(station) == before
        assert station.scan("N-9").outcome == "unknown"
        station.db.close()


def _books(station: Station) -> list[Any]:
    units = "SELECT unit_id, report_seq, origin FROM unit WHERE origin <> 'freed'"
    lines = "SELECT line_id, issued_micro, owed_micro FROM order_line"
    orders = "SELECT work_order, good_micro, scrapped_micro, status FROM work_order"
    asked = (units, lines, orders)
    return [station.rows("stock"), *(station.db.conn.execute(one).fetchall() for one in asked)]
