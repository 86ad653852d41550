"""`load --mapping` as a user calls it, with and without a core, by one person and by two."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.station_process import Station

EXAMPLE = Path(__file__).parents[2] / "config" / "mappings" / "jd-edwards"
PEOPLE = "badge,name,role\nPLAN,Pia,operator\nSUP-1,Bert,supervisor\nSUP-2,Bea,supervisor\n"
PIN, OTHER = b"4711\n", b"0815\n"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """Exports of JD Edwards in `erp`, their mapping beside; people with PINs."""
    station = Station(tmp_path, MES_TERMINAL_LOAD__SECOND_PERSON="true")
    shutil.copytree(EXAMPLE, tmp_path / "erp")
    (tmp_path / "erp" / "mapping.toml").rename(tmp_path / "jde.toml")
    (tmp_path / "erp" / "operators.csv").write_text(PEOPLE)
    station.run("load", "erp", "--mapping", "jde.toml")
    station.run("operator", "pin", "SUP-1", given=PIN)
    station.run("operator", "pin", "SUP-2", "--as", "SUP-1", given=PIN + OTHER)
    yield station
    station.close()


def told(station: Station, *words: str, given: bytes = b"", code: int = 0) -> dict[str, Any]:
    done = station.run("load", *words, "--json", given=given, code=code)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("with_core", [False, True])
def test_what_is_proposed_with_a_mapping_is_applied_with_it(
    station: Station, with_core: bool
) -> None:
    """UP-9. The paths are the caller's; the mapping is part of what was agreed to."""
    core = station.start_core() if with_core else None
    mapping, order = station.folder / "jde.toml", station.folder / "erp" / "F4801.csv"
    order.write_bytes(order.read_bytes().replace(b"1000000", b"1200000"))
    assert b"F4801.csv" in station.run("load", "erp", "--dry-run", code=2).stderr
    checked = told(station, "erp", "--mapping", "jde.toml", "--dry-run")
    assert checked["tables"]["work_orders"] == {"added": 0, "changed": 1, "unchanged": 2}
    proposed = told(station, "erp", "--mapping", "jde.toml", "--as", "SUP-1", given=PIN)
    assert proposed["proposal"] == 1
    (row,) = json.loads(station.run("load", "--proposals", "--json").stdout)
    assert row["mapping"] == str(mapping)

    text = mapping.read_text()
    mapping.write_text(text.replace("implied_decimals = 4", "implied_decimals = 3"))
    refused = station.run("load", "--approve", "1", "--as", "SUP-2", given=OTHER, code=2)
    assert b"not what was proposed any more" in refused.stderr
    mapping.write_text(text)
    applied = told(station, "--approve", "1", "--as", "SUP-2", given=OTHER)
    assert applied["tables"]["work_orders"] == {"added": 0, "changed": 1, "unchanged": 2}
    quantities = {row["work_order"]: row["quantity"] for row in station.rows("orders")}
    assert quantities["45122"] == "120"
    station.run("audit", "verify")
    if core is not None:
        station.run("core", "--stop")
