"""The supervisor's morning, without a scan: the queue closed for trial, and what else there is."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.domain.morning import Morning, Queue
from mes_terminal.usecases.morning import morning_of
from mes_terminal.usecases.rehearse_queue import rehearse_queue
from tests.architecture.source import ROOT
from tests.plants import TEST_RULES, Station, open_station, plant

SAMPLE = ROOT / "config" / "sample-plant"
PLANT = plant(
    items="""
        item,tracking,kind,shelf_life_days,shortage_policy
        CHAIR,none,,,
        STOOL,none,,,
        BIKE,serial,,,
        LEG,lot,,,
        SEAT,none,,,block
        MOTOR,serial,,,
        """,
    boms="item,revision\nCHAIR,A\nSTOOL,A\nBIKE,A",
    bom_lines="""
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        STOOL,A,10,LEG,3
        STOOL,A,20,SEAT,1
        BIKE,A,10,MOTOR,1
        """,
    lots="item,lot,expires_on\nLEG,L-1,2026-11-22\nLEG,L-2,2026-12-31",
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at
        R1,LEG,L-1,,LINE,30,2026-11-01
        R2,LEG,L-2,,LINE,50,2026-11-01
        R3,SEAT,,,LINE,5,2026-11-01
        R4,MOTOR,,M-1,LINE,1,2026-11-01
        R5,MOTOR,,M-2,LINE,1,2026-11-01
        """,
    work_orders="""
        work_order,item,quantity,status,sequence,due_at
        WO-3,CHAIR,10,released,30,2026-11-20T06:00:00Z
        WO-1,CHAIR,15,released,10,2026-11-21T06:00:00Z
        WO-2,STOOL,10,released,20,2026-11-21T07:00:00Z
        WO-9,CHAIR,1,released,,
        WO-8,CHAIR,1,planned,5,
        WO-4,BIKE,2,released,40,
        WO-5,BIKE,1,released,50,
        """,
    work_order_serials="work_order,serial\nWO-4,B-1\nWO-4,B-2\nWO-5,B-3",
    operators="badge,name,role\nSU,Sue,supervisor",
)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = open_station(tmp_path, PLANT)
    yield made
    made.db.close()


def queue_of(station: Station, **options: Any) -> Queue:
    queue = rehearse_queue(station.db, TEST_RULES, now=station.now, **options)
    assert queue is not None
    return queue


def morning(station: Station) -> Morning:
    return morning_of(station.db, queue_of(station), TEST_RULES, now=station.now)


def lacks(queue: Queue) -> dict[str, list[tuple[str, str, str]]]:
    return {
        order.work_order: [(each.item, each.quantity, each.lasts_for) for each in order.lacks]
        for order in queue.orders
    }


def test_the_queue_is_in_sequence_and_then_by_due_time(station: Station) -> None:
    """Open orders only: what is planned is not in it."""
    queue = queue_of(station)
    assert [order.work_order for order in queue.orders] == [
        "WO-1", "WO-2", "WO-3", "WO-4", "WO-5", "WO-9",
    ]  # fmt: skip
    assert queue.open_count == 6


def test_an_order_finds_what_those_before_it_leave(station: Station) -> None:
    """80 legs: WO-1 takes 60 of them. WO-2 lacks 5 seats and would be refused, so it takes nothing;
    WO-3 finds 20 legs, enough for 5 of its 10 chairs."""
    queue = queue_of(station)
    assert lacks(queue) | {"WO-4": [], "WO-5": []} == {
        "WO-1": [],
        "WO-2": [("LEG", "10", "6"), ("SEAT", "5", "5")],
        "WO-3": [("LEG", "20", "5")],
        "WO-4": [],
        "WO-5": [],
        "WO-9": [("LEG", "4", "0")],
    }
    refused = next(order for order in queue.orders if order.work_order == "WO-2")
    assert refused.refused is not None
    assert (refused.lines_post, refused.lines_short, refused.lasts_for) == (0, 2, "5")


def test_serials_that_are_there_stop_nothing(station: Station) -> None:
    """BF-18: they are scanned as units are made. WO-4 will take both motors, WO-5 finds none."""
    assert lacks(queue_of(station))["WO-4"] == []
    assert lacks(queue_of(station))["WO-5"] == [("MOTOR", "1", "0")]


def test_nothing_of_the_trial_stays(station: Station) -> None:
    """The real posting code, taken back: every table is as it was."""

    def everything() -> list[Any]:
        names = [row[0] for row in station.db.conn.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'")]  # fmt: skip
        return [station.db.conn.execute(f"SELECT * FROM {name}").fetchall() for name in names]

    before = everything()
    first = queue_of(station)
    assert everything() == before
    assert queue_of(station) == first
    assert station.faults() == []


def test_the_trial_says_what_the_scan_then_does(station: Station) -> None:
    """WO-1 would post whole and does; then WO-3 owes exactly what the trial said."""
    told = lacks(queue_of(station))["WO-3"]
    assert station.scan("WO-1").exceptions == []
    (owed,) = station.scan("WO-3").exceptions
    assert [(owed.item, owed.quantity)] == [each[:2] for each in told]


def test_a_scan_that_waits_breaks_the_trial_off(station: Station) -> None:
    """The line comes first; what was tried is gone."""
    turns = iter((True, True, False))
    before = station.ledger()
    found = rehearse_queue(
        station.db, TEST_RULES, now=station.now, may_go_on=lambda: next(turns)
    )  # fmt: skip
    assert found is None
    assert station.ledger() == before
    assert not station.db.conn.in_transaction


def test_what_is_late_is_said(station: Station) -> None:
    """WO-3 was due two hours ago."""
    assert {order.work_order for order in queue_of(station).orders if order.is_late} == {"WO-3"}


def test_what_is_open_is_told_by_cause_with_a_proposal(station: Station) -> None:
    station.scan("WO-1")
    station.scan("WO-3")
    station.scan("nothing knows this")
    work = morning(station).work
    assert (work.count, work.groups_count, work.overdue) == (2, 2, 0)
    assert {each.group.cause_code for each in work.groups} == {
        "shortage:no_stock", "unknown_code:not_known",
    }  # fmt: skip
    assert all(each.proposal is not None for each in work.groups)


def test_yesterday_is_the_last_day_that_something_was_reported(station: Station) -> None:
    """On Monday it is Friday, and the day before it Thursday."""
    station.scan("%QTY 1")
    station.scan("WO-1")
    station.clock += timedelta(days=1)
    station.scan("%QTY 2")
    station.scan("WO-1")
    station.clock += timedelta(days=3)
    told = morning(station)
    assert told.yesterday is not None
    assert told.day_before is not None
    assert (told.today, told.yesterday.day, told.day_before.day) == (
        "2026-11-24", "2026-11-21", "2026-11-20",
    )  # fmt: skip
    station.clock += timedelta(days=30)
    assert morning(station).yesterday is None


def test_lots_that_expire_within_three_days_are_told(station: Station) -> None:
    """BF-15: those on the line that may still be picked, the first to expire in front."""
    watch = morning(station).watch
    assert [(lot.lot, lot.expires_on, lot.quantity) for lot in watch.expiring] == [
        ("L-1", "2026-11-22", "30")
    ]
    assert watch.expiring_count == 1
    station.scan("WO-1")  # takes L-1 whole: first expired, first out
    assert morning(station).watch.expiring == []


def test_postings_that_wait_are_counted_with_the_oldest(station: Station) -> None:
    waiting = morning(station).watch
    assert waiting.postings_waiting > 0
    assert waiting.oldest_waiting_at is not None


def test_the_troubled_orders_of_the_sample_plant_are_seen(tmp_path: Path) -> None:
    """The sample plant after its good orders: what WO-1003 leaves is too little for the others."""
    files = {path.name: path.read_text(encoding="utf-8") for path in SAMPLE.glob("*.csv")}
    station = open_station(tmp_path, files)
    stops = {order for order, missing in lacks(queue_of(station)).items() if missing}
    assert stops == {"WO-1101", "WO-1104", "WO-1107"}
    station.db.close()
