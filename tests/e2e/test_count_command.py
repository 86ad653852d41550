"""`count` as a user calls it, with and without a core (BF-32)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.station_process import Station


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """100 legs and 100 seats in the books; 99 legs were counted, which is within 2 %."""
    station = Station(tmp_path)
    station.load_plant()
    station.scan("%COUNT LINE", "LEG|L-1|99", "%COUNT")
    yield station
    station.close()


@pytest.mark.parametrize("with_core", [False, True])
def test_accuracy_due_and_list_are_the_same_either_way(station: Station, with_core: bool) -> None:
    """BF-32."""
    if with_core:
        station.start_core()
    (row,) = station.rows("count", "accuracy")
    assert (row["location"], row["item_class"]) == ("LINE", None)
    assert (row["counts"], row["within"], row["share_pct"]) == (1, 1, "100")
    assert row["quantities"] == [
        {"uom": "pcs", "expected": "100", "absolute": "1", "net": "-1"}
    ]  # fmt: skip
    assert (row["value_net"], row["currency"], row["unvalued"]) == (None, None, 1)
    assert station.rows("count", "accuracy", "--since", "2099-01-01") == []
    due = [(row["item"], row["reason"]) for row in station.rows("count", "due")]
    assert due == [("SEAT", "never")]
    (counted,) = station.rows("count", "list")
    assert (counted["item"], counted["status"]) == ("LEG", "corrected")
    told = station.run("count", "accuracy").stdout.decode().splitlines()
    assert "1 pcs (net -1)" in told[2]
    refused = station.run("count", "accuracy", "--since", "tomorrow", code=2).stderr.decode()
    assert (
        refused
        == "mes-terminal: since is 'tomorrow', which is no day. Write one like 2026-11-20.\n"
    )


@pytest.fixture
def beginning(tmp_path: Path) -> Iterator[Station]:
    """A station at go-live: no leg lies at the line by the books."""
    station = Station(tmp_path, MES_TERMINAL_STOCK__MODE="shadow")
    station.load_plant()
    station.scan("%MOVE FG", "LEG|L-1")
    yield station
    station.close()


@pytest.mark.parametrize("with_core", [False, True])
def test_go_live_is_a_setting(beginning: Station, with_core: bool) -> None:
    """BF-20, `stock.mode = shadow`: ten chairs take 40 legs, and nothing is owed until a count."""
    station = beginning
    if with_core:
        station.start_core()
    (outcome,) = station.scan("WO-1")
    assert outcome["exceptions"] == []
    assert [(each["item"], each["lot"], each["certainty"]) for each in outcome["consumed"]] == [
        ("LEG", None, "unknown"), ("SEAT", None, None),
    ]  # fmt: skip
    assert station.rows("count", "due")[0]["reason"] == "negative"
    station.scan("%COUNT LINE", "%COUNT LEG", "%COUNT")
    (outcome,) = station.scan("WO-2")
    assert [each["kind"] for each in outcome["exceptions"]] == ["shortage"]
    assert station.run("doctor").returncode == 0
