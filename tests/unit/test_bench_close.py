"""`bench`: the rows it promises, and the facts of scans that do not depend on a clock."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mes_terminal.cli.main import cli
from mes_terminal.cli.session import Session
from mes_terminal.store.bench_floors import add_history
from mes_terminal.store.bench_lean import LeanStation
from mes_terminal.store.database import open_database
from tests.unit.ledger_plant import make_plant

KEYS = [
    "case", "floor", "components", "edges", "n", "p50_ms", "p99_ms", "floor_p50_ms",
    "floor_p99_ms", "ratio", "statements", "syncs",
]  # fmt: skip
STATEMENTS_MAX = 24


def bench(folder: Path, *arguments: str, name: str = "close") -> Result:
    command = ["--db", str(folder / "station.db"), "bench", name, *arguments]
    return CliRunner().invoke(cli, command, obj=Session())


def test_a_close_takes_two_syncs_and_the_same_statements_for_any_number_of_lines(
    tmp_path: Path,
) -> None:
    """BF-12, BF-13: the journal's commit and the report's; never a statement a line."""
    result = bench(tmp_path, "--n", "2", "--components", "1,10,60", "--edges", "0,600", "--json")
    assert result.exit_code == 0, result.exception
    rows = json.loads(result.stdout)
    assert all(list(row) == KEYS for row in rows)
    assert [(row["edges"], row["components"], row["floor"]) for row in rows] == [
        (edges, size, floor)
        for edges in (0, 600) for size in (1, 10, 60) for floor in ("replay", "lean")
    ]  # fmt: skip
    assert {row["syncs"] for row in rows} == {2}
    assert {row["n"] for row in rows} == {2}
    assert len({row["statements"] for row in rows}) == 1
    assert rows[0]["statements"] <= STATEMENTS_MAX
    assert all(row["p99_ms"] >= row["p50_ms"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("name", "cases"), [("operations", ["operation", "sweep"]), ("reversal", ["reversal"])]
)
def test_a_report_and_its_reversal_take_the_same_statements_for_any_number_of_lines(
    tmp_path: Path, name: str, cases: list[str]
) -> None:
    """BF-11, BF-31: nothing is read or written line by line."""
    options = ("--n", "2", "--components", "2,10,60", "--json")
    result = bench(tmp_path, *options, name=name)
    assert result.exit_code == 0, result.exception
    rows = json.loads(result.stdout)
    assert all(list(row) == KEYS for row in rows)
    assert [(row["components"], row["case"], row["floor"]) for row in rows] == [
        (size, case, "replay") for size in (2, 10, 60) for case in cases
    ]
    assert {row["syncs"] for row in rows} == {2}
    for case in cases:
        assert len({row["statements"] for row in rows if row["case"] == case}) == 1, case


def test_serials_are_measured_by_scan_and_by_unit(tmp_path: Path) -> None:
    """BF-18: nine scans build an engine; the last tenth of an order is told beside its first."""
    result = bench(tmp_path, "--n", "2", "--serials", "10", "--json", name="serials")
    assert result.exit_code == 0, result.exception
    rows = json.loads(result.stdout)
    assert [(row["case"], row["floor"], row["components"], row["n"]) for row in rows] == [
        ("slot", "replay", 60, 14), ("engine", "replay", 60, 2), ("unit", "replay", 60, 2),
        ("serials", "first", 10, 1),
    ]  # fmt: skip
    assert [row["syncs"] for row in rows] == [2, 2, 18, 4]


def test_the_benchmark_leaves_nothing_behind(tmp_path: Path) -> None:
    result = bench(tmp_path, "--n", "1", "--components", "1", "--edges", "0")
    assert result.exit_code == 0, result.exception
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("--edges", "x"), ("--components", "0"), ("--n", "0")])
def test_a_count_that_means_nothing_is_wrong_input(
    tmp_path: Path, arguments: tuple[str, str]
) -> None:
    assert bench(tmp_path, *arguments).exit_code == 2


def test_history_adds_exactly_the_edges_asked_for_and_keeps_the_schema(tmp_path: Path) -> None:
    plant = make_plant(tmp_path)
    schema = plant.conn.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name")
    before = schema.fetchall()
    add_history(plant, 1234)
    assert plant.conn.execute("SELECT count(*) FROM edge").fetchone() == (1235,)
    schema = plant.conn.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name")
    assert schema.fetchall() == before


def test_the_lean_close_is_a_correct_one(tmp_path: Path) -> None:
    """A floor that forgets something would flatter nobody: conservation, totals, both traces."""
    lean = LeanStation(tmp_path / "lean.db", sizes=[3], orders=1, edges=0)
    stock = lean.conn.execute("SELECT sum(quantity) FROM balance").fetchone()[0]
    lean.close_order("WO-3-0", "scan-1")
    drawn = lean.conn.execute("SELECT sum(quantity) FROM edge").fetchone()[0]
    assert drawn == 10 * (1 + 2 + 3) * 1_000_000
    assert lean.conn.execute("SELECT sum(issued) FROM line").fetchone()[0] == drawn
    left = lean.conn.execute("SELECT sum(quantity) FROM balance WHERE place = 1").fetchone()[0]
    assert left == stock - drawn
    made = lean.conn.execute("SELECT sum(quantity) FROM balance WHERE place = 2").fetchone()[0]
    assert made == lean.conn.execute("SELECT done FROM job").fetchone()[0] == 10_000_000
    assert lean.conn.execute("SELECT count(*) FROM movement").fetchone() == (4,)
    lean.close()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows the kernel's syncs")
def test_the_kernel_sees_two_syncs_in_a_close(tmp_path: Path) -> None:
    """What the WAL says is what the disk was asked for: journal and report."""
    program = """
import sys
from pathlib import Path
from mes_terminal.cli import bench_plant, bench_twins
from mes_terminal.station.booking import Booking
plant = bench_plant.load_plant(Path(sys.argv[1]), [10], 12)
booking = Booking(plant, bench_plant.RULES)
for number in range(int(sys.argv[2])):
    bench_twins.book(booking, f"WO-10-{number}")
import os; os._exit(0)
"""

    def syncs(closes: int) -> int:
        folder = tmp_path / str(closes)
        folder.mkdir()
        traced = subprocess.run(
            ["strace", "-f", "-e", "trace=fsync,fdatasync", sys.executable, "-c", program,
             str(folder), str(closes)],
            capture_output=True, text=True, check=False, env=dict(os.environ), timeout=120,
        )  # fmt: skip
        if traced.returncode:
            pytest.skip(f"strace may not trace here: {traced.stderr[-200:]}")
        return len(re.findall(r"f(?:data)?sync\(", traced.stderr))

    assert syncs(11) - syncs(1) == 20


def test_the_station_s_own_database_is_left_alone(tmp_path: Path) -> None:
    """The benchmark makes databases of its own."""
    station = open_database(tmp_path / "station.db")
    before = station.path.read_bytes()
    assert bench(tmp_path, "--n", "1", "--components", "1", "--edges", "0").exit_code == 0
    assert station.path.read_bytes() == before
    station.close()
