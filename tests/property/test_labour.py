"""What events say of labour, summed, is what the order's labour costs (BF-11, BF-38).

A lamp of three operations; the middle one is no backflush point. Times that no decimal fraction
holds: 1 minute for 7 lamps, 10 minutes for 3, 0.333333 for each.
"""

import json
from fractions import Fraction
from random import Random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.costing import cost_sheet
from mes_terminal.store.costs import read_costed_order
from tests.plants import Station, memory_folder, open_station, plant

RATES: Final = {"WC-A": (Fraction(42), Fraction(18)), "WC-B": (Fraction("31.07"), Fraction("0.5"))}
SPLITS = settings(max_examples=40, deadline=None, derandomize=True)


def lamp(before: str) -> dict[str, str]:
    """Return the plant; `before` lamps were made before go-live."""
    return plant(
        items="item,kind\nLAMP,manufactured\nBULB,",
        boms="item,revision\nLAMP,A",
        bom_lines="item,revision,line,component,quantity,operation\nLAMP,A,10,BULB,1,10",
        work_centres="""
            work_centre,labour_rate,overhead_rate
            WC-A,42,18
            WC-B,31.07,0.5
            """,
        routings="""
            item,revision,operation,work_centre,setup_minutes,run_minutes,run_basis,backflush_point
            LAMP,A,10,WC-A,7.5,1,7,yes
            LAMP,A,20,WC-B,0.1,10,3,no
            LAMP,A,30,WC-A,,0.333333,,yes
            """,
        receipts="reference,item,location,quantity,effective_at\nR1,BULB,LINE,500,2026-11-01",
        work_orders="work_order,item,quantity,status,completed_so_far\n"
        f"WO-1,LAMP,20,released,{before}",
        reasons="code,kind\nCRACK,scrap",
    )


def labour_of_events(station: Station) -> list[dict[str, Any]]:
    """Return what all events of the order say of labour."""
    events = [json.loads(json.dumps(row["event"]))["data"] for row in station.rows("outbox")]
    return [each for data in events for each in data.get("labour_actuals", ())]


def minutes(actuals: list[dict[str, Any]]) -> dict[str, tuple[Fraction, Fraction]]:
    """Return set-up and run time by operation, summed."""
    found: dict[str, tuple[Fraction, Fraction]] = {}
    for each in actuals:
        setup, run = found.get(each["operation"], (Fraction(0), Fraction(0)))
        found[each["operation"]] = (
            setup + Fraction(each["setup_minutes"]),
            run + Fraction(each["run_minutes"]),
        )
    return found


def cost_of_time(station: Station) -> tuple[Fraction, Fraction]:
    """Return labour and overhead as `orders cost` reckons them, before any rounding."""
    order = read_costed_order(station.db, "WO-1")
    assert order is not None
    lines = [line for line, _ in cost_sheet(order.facts, places=2).lines]
    labour, overhead = (
        sum((line.cost or Fraction(0) for line in lines if line.element == element), Fraction(0))
        for element in ("labour", "overhead")
    )
    return labour / 10**6, overhead / 10**6


def one_step(station: Station, chance: Random) -> None:
    """Report, scrap or take back something, as a line does; what is refused changes nothing."""
    code = chance.choice(
        ("%OP 10 WO-1", "%OP 20 WO-1", "%OP 30 WO-1", "WO-1", "SCRAP", "%UNDO", "UNDO SOME")
    )
    if code == "UNDO SOME":
        code = f"%UNDO {chance.choice(_reports(station))} {chance.randint(1, 3)}"
    if not code.startswith("%UNDO"):
        station.scan(f"%QTY {chance.randint(1, 4)}")
    if code == "SCRAP":
        station.scan("%SCRAP CRACK")
        code = "WO-1"
    station.scan(code)
    station.scan("%CANCEL")


def _reports(station: Station) -> list[str]:
    events = [row["event"]["data"] for row in station.rows("outbox")]
    return [data["report_id"] for data in events if data.get("report_id")] or ["WO-1"]


@SPLITS
@given(st.integers(0, 10**6), st.sampled_from(["", "3"]))
def test_the_labour_of_events_at_the_rates_is_what_the_order_costs(seed: int, before: str) -> None:
    """BF-38: after each of 15 steps, however the lamps are reported, scrapped and taken back."""
    chance = Random(seed)
    with memory_folder() as folder:
        station = open_station(folder, lamp(before))
        for _ in range(15):
            one_step(station, chance)
            actuals = labour_of_events(station)
            for place, cost in enumerate(cost_of_time(station)):
                told = (
                    (Fraction(each["setup_minutes"]) + Fraction(each["run_minutes"]))
                    * RATES[each["work_centre"]][place] / 60
                    for each in actuals
                )  # fmt: skip
                assert sum(told, Fraction(0)) == cost
        station.db.close()


@SPLITS
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_any_split_tells_the_time_of_one_report(parts: list[int]) -> None:
    """BF-4, BF-11: and an order that is taken back altogether took no time."""
    found = []
    for split in (parts, [min(20, sum(parts))]):
        with memory_folder() as folder:
            station = open_station(folder, lamp(""))
            for part in split:
                station.scan(f"%QTY {part}")
                station.scan("WO-1")
                station.scan("%CANCEL")
            done = station.order("WO-1")["completed"]
            if len(split) > 1 and done != str(min(20, sum(parts))):
                station.scan(f"%QTY {min(20, sum(parts)) - int(done)}")
                station.scan("WO-1")
            found.append(minutes(labour_of_events(station)))
            station.db.close()
    assert found[0] == found[1]
