"""The store thread: what it does between scans, and its queue as the screens are told of it."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import ScanRequest
from mes_terminal.station.worker import Worker
from mes_terminal.store.database import open_database
from tests.plants import Station, open_station, plant


@pytest.fixture(autouse=True)
def collected_as_before() -> Iterator[None]:
    """A store thread takes garbage collection over; the tests after it want it back."""
    yield
    gc.enable()
    gc.unfreeze()


def told_of_waiting(folder: Path, codes: list[bytes]) -> list[list[bytes]]:
    """Let a store thread find these codes in its queue; return what it tells of waiting scans."""
    told: list[list[bytes]] = []
    deaths: list[BaseException] = []
    worker = Worker(
        folder / "station.db",
        StationRules(mode="test"),
        heard=lambda _scan, _outcome: None,
        waiting=told.append,
        settled=lambda _booking: None,
        died=deaths.append,
    )
    requests = [ScanRequest(raw=code, device="hand") for code in codes]
    answers = [worker.scan(lambda _, each=each: each) for each in requests]  # type: ignore[misc]
    worker.start()
    for answer in answers:
        answer.result(timeout=30)
    worker.stop()
    worker.join(30)
    assert deaths == []
    return told


def test_scans_made_ahead_are_told_in_order_until_none_waits(tmp_path: Path) -> None:
    assert told_of_waiting(tmp_path, [b"A", b"B", b"C"]) == [[b"B", b"C"], [b"C"], []]


def test_a_scan_that_nothing_follows_is_no_queue(tmp_path: Path) -> None:
    """Drawing it as waiting would only delay the picture of its outcome."""
    assert told_of_waiting(tmp_path, [b"A"]) == []


SHORT = 20
"""More owed parts than heal in one batch."""


def test_all_that_heals_is_posted_before_the_next_scan(tmp_path: Path) -> None:
    """BF-22: however fast scans come, what was owed first is served first."""
    numbers = [f"WO-{number}" for number in range(SHORT + 1)]
    station = open_station(
        tmp_path,
        plant(
            items="item,kind\nCHAIR,manufactured\nSCREW,purchased",
            boms="item,revision\nCHAIR,A",
            bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,SCREW,1",
            locations="location,kind\nSTORE,store",
            receipts="reference,item,location,quantity,effective_at\n"
            f"R1,SCREW,STORE,{SHORT},2026-11-01",
            work_orders="work_order,item,quantity,status\n"
            + "\n".join(f"{number},CHAIR,1,released" for number in numbers),
        ),
    )
    for number in numbers[:-1]:
        station.scan(number)
    station.db.close()
    told_of_waiting(tmp_path, [b"%MOVE LINE", b"SCREW", numbers[-1].encode()])
    again = Station(open_database(tmp_path / "station.db"), station.rules)
    still_open = [row["work_order"] for row in again.rows("exceptions", status="open")]
    assert still_open == numbers[-1:]
    again.db.close()
