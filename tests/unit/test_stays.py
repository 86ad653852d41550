"""The list of what was mounted, and the units that each container covered (BF-17)."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mes_terminal.cli.main import cli
from mes_terminal.cli.session import Session
from mes_terminal.errors import InputError
from tests.plants import Station
from tests.unit.test_rules_containers import leave, make, reels

KEYS = [
    "sequence", "position", "item", "lot", "container", "location", "mounted_at", "ended_at",
    "ended_by", "left", "gained", "uom", "units",
]  # fmt: skip


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """10 lamps before any reel, 30 from REEL-1, then 20 from REEL-3, which is still there."""
    station = reels(tmp_path)
    make(station, 10)
    station.scan("REEL-1")
    make(station, 30)
    leave(station, "%ASIDE 21.5", "REEL-1")
    station.scan("REEL-3")
    make(station, 20)
    return station


def run(station: Station, *arguments: str) -> Result:
    path = str(station.db.path)
    return CliRunner().invoke(cli, ["--db", path, "lots", "containers", *arguments], obj=Session())


def test_each_stay_says_which_units_it_covered(station: Station) -> None:
    """BF-17: what has ended, and what stands there now."""
    first, second = station.rows("stays", item="WIRE")
    assert list(first) == KEYS
    assert (first["lot"], first["container"], first["position"], first["location"]) == (
        "W-1", "REEL-1", "WIRE", "LINE",
    )  # fmt: skip
    assert (first["ended_by"], first["left"], first["gained"], first["uom"]) == (
        "aside", "21.5", "1.5", "pcs",
    )  # fmt: skip
    assert first["units"] == [{"work_order": "WO-1", "after": "10", "through": "40"}]
    assert first["mounted_at"] < first["ended_at"] <= second["mounted_at"]
    assert (second["container"], second["ended_at"], second["ended_by"], second["left"]) == (
        "REEL-3", None, None, None,
    )  # fmt: skip
    assert second["units"] == [{"work_order": "WO-1", "after": "40", "through": "60"}]


def test_the_list_takes_one_lot_and_pages(station: Station) -> None:
    assert [row["container"] for row in station.rows("stays", item="WIRE", lot="W-2")] == ["REEL-3"]
    (first,) = station.rows("stays", item="WIRE", limit="1")
    (second,) = station.rows("stays", item="WIRE", since=str(first["sequence"]), limit="5")
    assert (first["container"], second["container"]) == ("REEL-1", "REEL-3")
    assert station.rows("stays", item="WIRE", lot="W-9") == []


def test_a_stay_without_a_unit_covers_none(tmp_path: Path) -> None:
    """BF-17: mounted, and nothing was made."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    leave(station, "%UNMOUNT", "REEL-1")
    (stay,) = station.rows("stays", item="WIRE")
    assert (stay["units"], stay["left"]) == ([], "100")


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({"item": "NONE"}, "item_unknown"),
        ({"item": "WIRE", "lot": "NONE"}, "lot_unknown"),
        ({"lot": "W-1"}, None),
        ({"item": "WIRE", "colour": "red"}, None),
        ({"item": "WIRE", "since": "-1"}, None),
        ({"item": "WIRE", "limit": "x"}, None),
    ],
)
def test_what_is_unknown_is_wrong_input(
    station: Station, filters: dict[str, str], reason: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        station.rows("stays", **filters)
    if reason is not None:
        assert caught.value.reason == reason


def test_one_statement_reads_them_all(station: Station) -> None:
    """However many stays there are."""
    seen: list[str] = []
    station.db.conn.set_trace_callback(seen.append)
    station.rows("stays", item="WIRE")
    station.db.conn.set_trace_callback(None)
    assert len([one for one in seen if "mount_span" in one and not one.startswith("--")]) == 1


def test_the_command_prints_one_array_or_a_table(station: Station) -> None:
    listed = run(station, "WIRE", "--json")
    assert [row["container"] for row in json.loads(listed.stdout)] == ["REEL-1", "REEL-3"]
    table = run(station, "WIRE", "W-1")
    assert table.exit_code == 0
    assert "WO-1 after 10 up to 40" in table.stdout
    assert "REEL-3" not in table.stdout
    assert run(station, "NONE").exit_code != 0
