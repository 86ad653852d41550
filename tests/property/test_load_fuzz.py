"""Spoilt files: a load tells faults or loads, never fails, and then the same again is nothing."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import open_database
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases.load_master_data import load_folder

SAMPLE_PLANT = read_folder(Path(__file__).parents[2] / "config" / "sample-plant")
NOW = "2026-11-20T13:00:00.000000Z"
LATER = "2026-11-21T13:00:00.000000Z"

CELLS = (
    "", "0", "-1", "0.5", "1e9", "9223372036854", "0.0000001", "1/3", "\x00", "\x1b[2J", '"', "²",
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-12:00", "yes", "none", "lot", "serial",
    "phantom", "LEG", "CHAIR-4", "WHEEL", "WO-1001", "B", "per_order", "divisive", "100", "closed",
    "hold", "drum", "@supplier", "30.10", "by_product", "negative", "bulk",
)  # fmt: skip

spoils = st.lists(
    st.tuples(
        st.sampled_from(sorted(SAMPLE_PLANT)),
        st.integers(0, 200),
        st.integers(0, 20),
        st.sampled_from(CELLS),
    ),
    min_size=1,
    max_size=4,
)


def spoilt(changes: list[tuple[str, int, int, str]]) -> dict[str, bytes]:
    folder = dict(SAMPLE_PLANT)
    for name, line, column, cell in changes:
        lines = [one.split(",") for one in folder[name].decode().splitlines()]
        row = lines[line % len(lines)]
        row[column % len(row)] = cell
        folder[name] = "\n".join(map(",".join, lines)).encode()
    return folder


@settings(max_examples=40, deadline=None)
@given(spoils)
def test_spoilt_cells_are_told_or_loaded_and_the_ledger_agrees(
    changes: list[tuple[str, int, int, str]],
) -> None:
    """BF-1, BF-36: and the same folder again changes nothing."""
    folder = spoilt(changes)
    with tempfile.TemporaryDirectory() as place:
        db = open_database(Path(place) / "station.db")
        first = load_folder(db, folder, rules=StationRules(), now=NOW, at=None)
        again = load_folder(db, folder, rules=StationRules(), now=LATER, at=None)
        moved = db.conn.execute("SELECT coalesce(sum(quantity_micro), 0) FROM movement").fetchone()
        held = db.conn.execute("SELECT coalesce(sum(quantity_micro), 0) FROM balance").fetchone()
        db.close()
    assert held == moved
    assert bool(first.faults) == bool(again.faults)
    if not first.faults:
        assert not any(one.added or one.changed for one in again.tables.values())
