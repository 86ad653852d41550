"""`trace` as it is called: through the database and through a running core, in every format."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.store.database import open_database
from tests.e2e.station_process import Station


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    station.load_plant()
    yield station
    station.close()


def traced(station: Station, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(station.run("trace", *words, "--json").stdout)
    return found


def test_a_trace_is_the_same_with_and_without_a_core(station: Station) -> None:
    """BF-37."""
    (done,) = station.scan("WO-1")
    alone = traced(station, "lot", "CHAIR", "WO-1")
    assert alone == {
        "item": "CHAIR", "lot": "WO-1", "serial": None,
        "nodes": [
            {"item": "CHAIR", "lot": "WO-1", "serial": None, "work_order": None, "depth": 0},
            {"item": "LEG", "lot": "L-1", "serial": None, "work_order": None, "depth": 1},
        ],
        "edges": [
            {"from": 1, "to": 0, "quantity": "40", "uom": "pcs", "certainty": "sole",
             "report_id": done["report_id"]},
        ],
    }  # fmt: skip
    core = station.start_core()
    assert traced(station, "lot", "CHAIR", "WO-1") == alone
    forward = traced(station, "lot", "LEG", "L-1", "--forward")
    assert [node["lot"] for node in forward["nodes"]] == ["L-1", "WO-1"]
    assert [(edge["from"], edge["to"]) for edge in forward["edges"]] == [(0, 1)]
    refused = station.run("trace", "lot", "CHAIR", "WO-9", code=2)
    assert refused.stderr == (
        b"mes-terminal: 'CHAIR' has no lot 'WO-9'. mes-terminal lots --item lists them.\n"
    )
    core.send_signal(signal.SIGTERM)
    assert core.wait(30) == 0


def test_a_report_taken_back_shows_both_entries_to_a_program_and_none_to_a_person(
    station: Station,
) -> None:
    """BF-31, BF-37: genealogy sums to zero and shows both."""
    station.scan("WO-1", "%UNDO")
    both = traced(station, "lot", "LEG", "L-1", "--forward")["edges"]
    assert [edge["quantity"] for edge in both] == ["40", "-40"]
    tree = station.run("trace", "lot", "LEG", "L-1", "--forward").stdout
    assert b"WO-1" not in tree
    assert b"WO-1" in station.run("trace", "lot", "LEG", "L-1", "--forward", "--all").stdout


def test_a_trace_of_ten_thousand_rows_comes_through_a_core_as_it_is_read_alone(
    station: Station,
) -> None:
    """The link pages it as any list."""
    station.scan("WO-1")
    database = open_database(station.database)
    with database.transaction() as conn:
        (leg,) = conn.execute("SELECT lot_id FROM lot WHERE lot = 'L-1'").fetchone()
        (item,) = conn.execute("SELECT item_id FROM item WHERE item = 'CHAIR'").fetchone()
        rows = range(10_000, 15_000)
        conn.executemany(
            "INSERT INTO lot (lot_id, item_id, serial) VALUES (?, ?, ?)",
            [(n, item, f"S-{n}") for n in rows],
        )
        conn.executemany(
            "INSERT INTO edge VALUES (?, ?, 1, 1, 4000000, 'exact')", [(n, leg) for n in rows]
        )
    database.close()
    alone = traced(station, "lot", "LEG", "L-1", "--forward")
    assert (len(alone["nodes"]), len(alone["edges"])) == (5_002, 5_001)
    core = station.start_core()
    assert traced(station, "lot", "LEG", "L-1", "--forward") == alone
    core.send_signal(signal.SIGTERM)
    assert core.wait(30) == 0


def test_every_format_is_printed(station: Station) -> None:
    station.scan("WO-1")
    tree = station.run("trace", "lot", "CHAIR", "WO-1").stdout.decode()
    assert tree.splitlines()[:2] == ["Made from:", "CHAIR lot WO-1"]
    assert tree.splitlines()[2].split() == ["└─", "LEG", "lot", "L-1", "40", "pcs", "sole"]
    rows = station.run("trace", "lot", "CHAIR", "WO-1", "--format", "csv").stdout.splitlines()
    assert rows[1].startswith(b"LEG,L-1,,,1,CHAIR,WO-1,,,0,40,pcs,sole,")
    drawing = station.run("trace", "lot", "CHAIR", "WO-1", "--format", "dot").stdout
    assert b'n1 -> n0 [label="40 pcs\\nsole", style=solid];' in drawing
    named = station.run("trace", "lot", "CHAIR", "WO-1", "--format", "json").stdout
    assert json.loads(named) == traced(station, "lot", "CHAIR", "WO-1")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("lot", "TABLE", "X"), b"There is no item 'TABLE'"),
        (("serial", "CHAIR", "X"), b"'CHAIR' has no serial number 'X'"),
        (("lot", "CHAIR"), b"Missing argument 'LOT'"),
        (("lot", "CHAIR", "WO-1", "--format", "epcis"), b"'epcis'"),
        (("lot", "CHAIR", "WO-1", "--json", "--format", "csv"), b"--json and --format csv"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_2(
    station: Station, words: tuple[str, ...], told: bytes
) -> None:
    refused = station.run("trace", *words, code=2)
    assert told in refused.stderr
    assert refused.stderr.count(b"\n") == 1
    assert refused.stdout == b""


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    refused = Station(tmp_path).run("trace", "lot", "A", "B", code=2)
    assert b"There is no database" in refused.stderr
