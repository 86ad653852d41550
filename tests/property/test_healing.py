"""Random reports, receipts, holds, moves and undos: what heals, and what never does (BF-22)."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mes_terminal.domain.instants import format_instant
from tests.plants import (
    TEST_RULES,
    Station,
    empty_database,
    memory_folder,
    open_station,
    plant,
    said,
)

PLANT: Final = plant(
    items="""
        item,tracking,kind
        DESK,lot,
        UNIT,serial,
        TOP,none,
        FRAME,lot,
        SCREW,none,
        """,
    boms="item,revision\nDESK,A\nUNIT,A\nTOP,A",
    bom_lines="""
        item,revision,line,component,quantity,scrap_pct,supply_location
        DESK,A,10,TOP,1,,FG
        DESK,A,20,FRAME,2,,
        DESK,A,30,SCREW,3,40,
        UNIT,A,10,FRAME,1,50,
        UNIT,A,20,SCREW,1,,
        TOP,A,10,SCREW,2,,
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-D,DESK,60,released
        WO-T,TOP,60,released
        WO-U,UNIT,12,released
        """,
    work_order_serials="work_order,serial\n" + "\n".join(f"WO-U,S-{n:02d}" for n in range(12)),
    lots="item,lot\n" + "\n".join(f"FRAME,F-{n}" for n in range(4)),
    locations="location,kind\nSTORE,store\nSCRAP,scrap",
    operators="badge,name,role\nQA,Kim,quality",
)
"""A desk has a top made here and two lot-tracked frames; a unit with a serial number has one."""

RULES: Final = replace(TEST_RULES, undo_grace_s=10**6)
LOTS: Final = ("F-0", "F-1", "F-2", "F-3")

REPORT: Final = st.tuples(
    st.just("report"), st.sampled_from(("WO-D", "WO-T", "WO-U")), st.integers(1, 3)
)
RECEIVE: Final = st.tuples(
    st.just("receive"),
    st.sampled_from(("SCREW", "TOP", *LOTS)),
    st.integers(1, 12),
    st.sampled_from(("LINE", "FG", "STORE")),
    st.sampled_from((-24, 0, 0, 48)),
)
LOT: Final = st.tuples(st.sampled_from(("hold", "release", "mount", "move")), st.sampled_from(LOTS))
STEPS: Final = st.lists(
    st.one_of(REPORT, REPORT, RECEIVE, LOT, st.just(("undo",)), st.just(("stop",))),
    min_size=1,
    max_size=25,
)


class World:
    """The station, and what a test must know beside it: when each lot came, what was mounted."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.receipts = 0
        self.arrived: dict[str, datetime] = {}
        self.received: dict[tuple[str, str | None], int] = {}

    def do(self, step: tuple[Any, ...]) -> None:
        station = self.station
        match step:
            case ("report", order, quantity):
                station.scan(f"%QTY {quantity}")
                station.scan(order)
            case ("receive", what, quantity, location, hours):
                self._receive(what, quantity, location, hours)
            case ("hold" | "release" as verb, lot):
                station.scan(f"%{verb.upper()}", badge="QA")
                station.scan(f"FRAME|{lot}", badge="QA")
            case ("move", lot):
                station.scan("%MOVE LINE")
                station.scan(f"FRAME|{lot}")
            case ("mount", lot):
                station.scan(f"FRAME|{lot}")
            case ("undo",):
                assert station.scan("%UNDO").reason in (None, "nothing_to_undo")
            case _:  # the power fails here: what waits to heal must wait in the database
                return
        station.scan("%CANCEL")

    def _receive(self, what: str, quantity: int, location: str, hours: int) -> None:
        item, lot = ("FRAME", what) if what in LOTS else (what, "")
        self.receipts += 1
        at = self.station.clock + timedelta(hours=hours)
        known = self.arrived.get(what)
        self.arrived[what] = min(at, known) if known else at
        key = (item, lot or None)
        self.received[key] = self.received.get(key, 0) + quantity
        row = f"R{self.receipts},{item},{lot},{location},{quantity},{format_instant(at)}"
        self.station.load(
            plant(receipts=f"reference,item,lot,location,quantity,effective_at\n{row}"),
            at=self.station.now,
        )


OPEN_THOUGH_THERE: Final = """
    SELECT i.item, x.quantity_micro FROM exception x
      JOIN order_line l USING (line_id) JOIN item i ON i.item_id = x.item_id
      JOIN balance b ON b.item_id = x.item_id AND b.location_id = l.location_id
     WHERE x.kind = 'shortage' AND x.status = 'open' AND i.tracking = 'none' AND b.pickable = 1
"""
HEALED_FROM: Final = """
    SELECT n.lot, r.event_time,
           EXISTS (SELECT 1 FROM event e JOIN mount_span s ON s.mounted_seq = e.event_seq
                    WHERE s.lot_id = n.lot_id AND e.event_seq < r.report_seq
                      AND coalesce(s.ended_seq, r.report_seq + 1) > r.report_seq)
      FROM healing h JOIN report r USING (report_seq)
      JOIN movement m ON m.event_seq = h.event_seq
      JOIN lot n ON n.lot_id = m.lot_id JOIN item i USING (item_id)
     WHERE i.tracking <> 'none' AND m.kind = 'issue'
"""


def check(world: World) -> None:
    """What holds at every quiet point."""
    conn = world.station.db.conn
    assert conn.execute("SELECT * FROM heal_queue").fetchall() == []
    assert conn.execute(OPEN_THOUGH_THERE).fetchall() == []
    for lot, reported_at, was_mounted in conn.execute(HEALED_FROM):
        assert was_mounted or format_instant(world.arrived[lot]) <= reported_at, lot


@pytest.mark.parametrize("as_it_comes", [True, False], ids=["at once", "now and then"])
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_what_can_heal_heals_and_everything_can_be_taken_back(
    as_it_comes: bool, steps: list[tuple[Any, ...]]
) -> None:
    """BF-22, BF-31, invariants 1, 3, 6 and 7."""
    with memory_folder() as folder:
        station = open_station(folder, PLANT, RULES, template=empty_database())
        world = World(station)
        for step in steps:
            world.do(step)
            if as_it_comes or step == ("stop",):
                station.heal()
                check(world)
        station.heal()
        check(world)
        assert station.faults() == []
        assert events_summed(station) == stock(station)
        _take_everything_back(world)
        station.db.close()


def _take_everything_back(world: World) -> None:
    station = world.station
    while station.scan("%UNDO", after_s=0).outcome == "recorded":
        station.heal()
        check(world)
    assert said(station.scan("%UNDO")) == ("rejected", "nothing_to_undo")
    assert station.faults() == []
    totals: dict[tuple[str, str | None], Fraction] = {}
    for (item, lot, _), quantity in stock(station).items():
        totals[item, lot] = totals.get((item, lot), Fraction(0)) + quantity
    assert totals == world.received
    assert stock(station) == events_summed(station)
    lines = station.db.conn.execute(
        "SELECT sum(abs(issued_micro) + abs(scrapped_micro) + abs(owed_micro) + "
        "abs(owed_scrap_micro)) FROM order_line"
    )
    assert lines.fetchone() == (0,)
    assert station.exceptions(kind="shortage", open="1") == []
    sums = station.db.conn.execute(
        "SELECT child_id, parent_id FROM edge GROUP BY 1, 2 HAVING sum(quantity_micro) <> 0"
    )
    assert sums.fetchall() == []


def stock(station: Station) -> dict[tuple[str, str | None, str], Fraction]:
    return {
        (row["item"], row["lot"] or row["serial"], row["location"]): Fraction(row["quantity"])
        for row in station.rows("stock")
    }


def events_summed(station: Station) -> dict[tuple[str, str | None, str], Fraction]:
    """Return the stock that upstream reckons from the events alone."""
    sums: dict[tuple[str, str | None, str], Fraction] = {}
    for row in station.rows("outbox"):
        for actual in row["event"]["data"].get("material_actuals", ()):
            lot, quantity = actual["lot"] or actual["serial"], Fraction(actual["quantity"])
            sign = -1 if actual["use"] in ("Consumed", "Scrapped") else 1
            places = {actual["location"]: sign * quantity}
            if actual["use"] == "Scrapped":
                places["SCRAP"] = quantity
            if actual["use"] == "Moved":
                places[actual["from_location"]] = -quantity
            for place, change in places.items():
                key = (actual["item"], lot, place)
                sums[key] = sums.get(key, Fraction(0)) + change
    return {key: quantity for key, quantity in sums.items() if quantity}
