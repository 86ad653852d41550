"""The inputs (scans and loads), replayed into an empty database, give the same ledger."""

from datetime import datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.model.random_plants import Files, random_codes, random_plant, receipts
from tests.plants import Station, empty_database, memory_folder, open_station

COMPARED = (
    "movement", "edge", "report", "balance", "lot", "container", "item_location", "mount",
    "work_order", "order_line", "exception", "exception_item", "receipt", "scan_outcome",
    "station_state", "scanned_lot", "unit",
)  # fmt: skip


def _tables(station: Station) -> dict[str, Any]:
    conn = station.db.conn
    tables = {name: conn.execute(f"SELECT * FROM {name}").fetchall() for name in COMPARED}
    tables["stock"] = station.rows("stock")
    tables["events"] = conn.execute(
        "SELECT event_seq, type, event_time, recorded_at, scan_seq, person, reason, outbox_seq "
        "FROM event"
    ).fetchall()
    return tables


@pytest.mark.parametrize("seed", range(25))
def test_replaying_all_inputs_gives_the_same_ledger(seed: int) -> None:
    """Invariant 5: scans from the journal as it stands, and loads at their places between them."""
    with memory_folder() as here, memory_folder() as there:
        _replay(seed, here, there)


def _replay(seed: int, here: Path, there: Path) -> None:
    chance = Random(f"replay:{seed}")
    plant = random_plant(f"replay:{seed}")
    first = open_station(here, plant.files, template=empty_database())
    loads: dict[int, Files] = {}
    for number, code in enumerate(random_codes(chance, plant, 40), start=1):
        first.scan(code, badge=chance.choice((None, None, None, "AK")))
        if chance.random() < 0.1:
            loads[number] = receipts(chance, plant, first=number * 100, most=3)
            first.load(loads[number])
    second = open_station(there, plant.files, template=empty_database())
    journal: list[Any] = first.db.conn.execute(
        "SELECT raw, badge, event_time, received_at FROM scan_journal ORDER BY scan_seq"
    ).fetchall()
    for number, (raw, badge, event_time, received_at) in enumerate(journal, start=1):
        second.clock = datetime.fromisoformat(received_at)
        second.scan(raw, badge=badge, at=event_time, after_s=0)
        if number in loads:
            second.load(loads[number])
    assert _tables(second) == _tables(first)
    for station in (first, second):
        assert station.faults() == []
        station.db.close()


@pytest.mark.parametrize("seed", range(25))
def test_what_the_events_say_summed_is_the_stock(seed: int) -> None:
    """Invariant 7: upstream can keep the books from the events alone."""
    chance = Random(f"events:{seed}")
    plant = random_plant(f"events:{seed}")
    with memory_folder() as folder:
        station = open_station(folder, plant.files, template=empty_database())
        for code in random_codes(chance, plant, 40):
            station.scan(code)
        sums: dict[tuple[Any, ...], Fraction] = {}
        for row in station.rows("outbox"):
            for actual in row["event"]["data"].get("material_actuals", ()):
                for place, quantity in _effects(actual):
                    key = (actual["item"], actual["lot"], place, actual["uom"])
                    sums[key] = sums.get(key, Fraction(0)) + quantity
        stock = {
            (row["item"], row["lot"], row["location"], row["uom"]): Fraction(row["quantity"])
            for row in station.rows("stock")
        }
        assert {key: quantity for key, quantity in sums.items() if quantity} == stock
        station.db.close()


def _effects(actual: dict[str, Any]) -> list[tuple[str, Fraction]]:
    """Return what an actual does to real locations."""
    place, quantity = actual["location"], Fraction(actual["quantity"])
    match actual["use"]:
        case "Received" | "Produced":
            return [(place, quantity)]
        case "Consumed":
            return [(place, -quantity)]
        case "Scrapped":
            return [(place, -quantity), ("SCRAP", quantity)]
        case "Moved":
            return [(place, quantity), (actual["from_location"], -quantity)]
        case other:
            raise AssertionError(f"what does {other} do?")
