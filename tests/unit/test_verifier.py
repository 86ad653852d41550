"""The auditor's verifier and `audit verify`: one byte changed anywhere is found, a cut end too."""

import shutil
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from mes_terminal.store import verifier
from mes_terminal.store.database import open_reader
from mes_terminal.usecases.log_chain import Proof, prove
from tests.plants import open_station, plant

PLANT: Final = plant(
    items="item,tracking\nCHAIR,lot\nLEG,lot\nSCREW,none",
    boms="item,revision\nCHAIR,A",
    bom_lines="""
        item,revision,line,component,quantity,scrap_pct
        CHAIR,A,10,LEG,4,
        CHAIR,A,20,SCREW,8,50
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,LEG,L-1,LINE,100,2026-11-01
        R2,SCREW,,LINE,100,2026-11-01
        """,
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
    operators="badge,name,role\nAK,Ännä,operator\nSU,Sue,supervisor",
    reasons="code,kind\nBROKEN,scrap",
)
TABLES: Final = ("event", "movement", "edge", "report", "scan_journal", "scan_outcome")


@cache
def kept(folder: Path) -> Path:
    """A station that reported, scrapped, took back and met an unknown code, in one file."""
    station = open_station(folder, PLANT)
    for code, badge in (
        ("%QTY 4", "AK"), ("WO-1", "AK"), ("NOBODY-KNOWS", None), ("%SCRAP BROKEN", "SU"),
        ("WO-1", "SU"), ("%QTY 2", "AK"), ("WO-1", "AK"), ("%UNDO", "AK"), ("B:SU", None),
        ("LEG|L-1", None), ("WO-1", None), ("ÄÖ\u2028\"<", None),
    ):  # fmt: skip
        station.scan(code, badge=badge)
    assert station.faults() == []
    station.db.checkpoint()
    station.db.close()
    return folder / "station.db"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept(tmp_path_factory.mktemp("verifier"))


def changed(whole: Path, folder: Path, *statements: str) -> Path:
    """Return a copy in which somebody changed what the station itself could not."""
    path = folder / "changed.db"
    shutil.copyfile(whole, path)
    db = sqlite3.connect(path)
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute("PRAGMA ignore_check_constraints = ON")
    for statement in statements:
        db.execute(statement)
    assert db.total_changes
    db.commit()
    db.close()
    return path


def faults(path: Path, anchor: str | None = None) -> list[str]:
    return [detail for _, holds, detail in verifier.verify(path, anchor) if not holds]


def proof(path: Path, anchor: str | None = None) -> Proof:
    reader = open_reader(path)
    try:
        return prove(reader, anchor)
    finally:
        reader.close()


def columns() -> list[tuple[str, str]]:
    schema = (Path(verifier.__file__).parent / "schema.sql").read_text()
    db = sqlite3.connect(":memory:")
    db.executescript(schema)
    return [
        (table, row[1])
        for table in TABLES
        for row in db.execute(f"PRAGMA table_info({table})").fetchall()
    ]


def test_whole_records_hold(whole: Path) -> None:
    """Both ways of verifying agree, on the head too."""
    found = {name: detail for name, holds, detail in verifier.verify(whole) if holds}
    assert set(found) == {name for name, _ in verifier.CHECKS}
    own = proof(whole)
    assert own.ok
    assert found["log"] == f"{own.entries} entries, every hash recomputed; head {own.head}"


@pytest.mark.parametrize(("table", "column"), columns())
def test_a_change_in_any_column_is_found(
    whole: Path, tmp_path: Path, table: str, column: str
) -> None:
    """Of the ledger, the journal and the log, by the program and by the auditor's file."""
    db = sqlite3.connect(whole)
    rows = db.execute(f"SELECT * FROM {table}").fetchall()
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    db.close()
    at = names.index(column)
    hit = next((row for row in rows if row[at] is not None), rows[0])
    value = other_than(hit[at])
    where = " AND ".join(f"{name} IS {literal(hit[names.index(name)])}" for name in names)
    path = changed(whole, tmp_path, f"UPDATE {table} SET {column} = {literal(value)} WHERE {where}")
    assert faults(path)
    assert not proof(path).ok


def other_than(value: Any) -> Any:
    """Return a value that differs in one character or by one."""
    match value:
        case int():
            return value + 1000  # what no other row has
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case str() if value:
            return value[:-1] + chr(ord(value[-1]) ^ 1)
        case _:
            return "x" if value is None else "y"


def literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case int():
            return str(value)
        case bytes():
            return f"x'{value.hex()}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_is_gone_is_found(whole: Path, tmp_path: Path, table: str) -> None:
    path = changed(
        whole, tmp_path, f"DELETE FROM {table} WHERE {KEYS[table]} = (SELECT min({KEYS[table]}) "
        f"FROM {table})",
    )  # fmt: skip
    assert faults(path)
    assert not proof(path).ok


KEYS: Final = {
    "event": "event_seq", "movement": "movement_seq", "edge": "report_seq", "report": "report_seq",
    "scan_journal": "scan_seq", "scan_outcome": "scan_seq",
}  # fmt: skip


def test_a_cut_end_is_found_from_an_anchor(whole: Path, tmp_path: Path) -> None:
    """A chain alone does not show it: everything of the last scans is cut off, cleanly."""
    head = proof(whole).head
    kept_events = "(SELECT max(event_seq) - 1 FROM event)"
    scans = f"(SELECT min(scan_seq) FROM event WHERE event_seq > {kept_events})"
    path = changed(
        whole,
        tmp_path,
        f"DELETE FROM scan_outcome WHERE scan_seq >= {scans}",
        f"DELETE FROM scan_journal WHERE scan_seq >= {scans}",
        f"DELETE FROM movement WHERE event_seq > {kept_events}",
        f"DELETE FROM edge WHERE report_seq > {kept_events}",
        f"DELETE FROM report WHERE report_seq > {kept_events}",
        f"DELETE FROM event WHERE event_seq > {kept_events}",
    )
    assert proof(path).ok
    assert proof(path, head).fault == (
        "the anchored entry is not in the log: its end was cut off or rewritten"
    )
    assert "the anchored entry is not in the log" in faults(path, head)[0]
    assert proof(whole, head).ok


def test_the_auditors_file_needs_nothing_but_python(whole: Path, tmp_path: Path) -> None:
    """Copied elsewhere and run in isolation; it only reads, and its exit code tells."""
    alone = tmp_path / "verifier.py"
    shutil.copyfile(verifier.__file__, alone)
    before = whole.read_bytes()
    run = [sys.executable, "-I", "-S", str(alone), str(whole)]
    good = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.count("ok  ") == len(verifier.CHECKS)
    assert whole.read_bytes() == before
    wrong = subprocess.run(
        [*run, "--anchor", "0" * 64], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1
    assert "FAIL  log" in wrong.stdout
    none = subprocess.run([*run[:-1], str(tmp_path / "none.db")], capture_output=True, check=False)
    assert none.returncode == 2


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE balance SET quantity_micro = quantity_micro + 1", "not the sum of its movements"),
        ("UPDATE work_order SET good_micro = 0", "not what it says was made"),
        ("UPDATE event SET body = 'no document' WHERE event_seq = 2", "hash"),
    ],
)
def test_what_is_derived_is_compared(
    whole: Path, tmp_path: Path, statement: str, words: str
) -> None:
    found = faults(changed(whole, tmp_path, statement))
    assert any(words in each for each in found), found
