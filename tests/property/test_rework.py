"""Rework in any order of scans: stock, parents and genealogy hold after every one (BF-28)."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.plants import Station, empty_database, memory_folder, open_station, plant

UNITS = ("E-1", "E-2", "E-3")
MOTORS = ("M-1", "M-2", "M-3", "M-4")
CELLS = ("C-1", "C-2", "C-3", "C-4")
PLANT = plant(
    items="item,tracking\nEBIKE,serial\nCHAIR,lot\nFRAME,lot\nMOTOR,serial\nCELL,serial\nLEG,lot",
    boms="item,revision\nEBIKE,A\nCHAIR,A",
    bom_lines="""
        item,revision,line,component,quantity
        EBIKE,A,10,FRAME,1
        EBIKE,A,20,MOTOR,1
        EBIKE,A,30,CELL,1
        CHAIR,A,10,LEG,4
        """,
    locations="location,kind\nBENCH,rework\nSCRAP,scrap\nFG,finished",
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at
        RF,FRAME,F-1,,LINE,2,2026-11-01
        RG,FRAME,F-2,,LINE,9,2026-11-02
        RL,LEG,L-1,,LINE,400,2026-11-01
        """
    + "".join(f"{code},MOTOR,,{code},LINE,1,2026-11-02\n" for code in MOTORS)
    + "".join(f"{code},CELL,,{code},LINE,1,2026-11-02\n" for code in CELLS),
    work_orders="""
        work_order,item,quantity,status
        WO-1,EBIKE,3,released
        WO-2,CHAIR,9,released
        """,
    work_order_serials="work_order,serial\n" + "".join(f"WO-1,{code}\n" for code in UNITS),
)
BUILT_IN = """
    SELECT c.serial, p.serial, sum(e.quantity_micro)
      FROM edge e JOIN lot c ON c.lot_id = e.child_id JOIN lot p ON p.lot_id = e.parent_id
     WHERE p.serial <> '' GROUP BY 1, 2 HAVING sum(e.quantity_micro) <> 0
"""
MADE_OF = """
    SELECT child_id, parent_id FROM edge GROUP BY 1, 2 HAVING sum(quantity_micro) <> 0
"""
SITS = """
    SELECT l.serial, u.serial FROM slot s JOIN lot l USING (lot_id)
      LEFT JOIN unit u ON u.unit_id = s.unit_id WHERE s.report_seq IS NOT NULL
"""

places = st.integers(0, len(UNITS) - 1)
motors = st.sampled_from(MOTORS)
exchanges = st.builds(
    lambda place, new, done: (
        ("%REWORK x", UNITS[place], MOTORS[place], new, *((UNITS[place],) if done else ()))
    ),
    places, motors, st.booleans(),
)  # fmt: skip
units = st.one_of(
    places.map(lambda place: ("%REWORK x", UNITS[place])),
    places.map(lambda place: (UNITS[place],)),
    st.tuples(st.just("%REWORK x"), st.sampled_from(UNITS), motors, st.sampled_from(CELLS)),
    st.sampled_from([*MOTORS, *CELLS]).map(lambda code: (code,)),
    st.sampled_from([*UNITS, *MOTORS]).map(lambda code: ("%SCRAP x", code)),
)
quantities = st.sampled_from(["1", "2", "5"]).flatmap(
    lambda many: st.sampled_from(
        [
            (f"%QTY {many}", "CHAIR"),
            ("%REWORK x", f"%QTY {many}", "WO-2"),
            (f"%QTY {many}", "CHAIR|WO-2"),
            ("CHAIR|WO-2",),
            ("WO-2",),
            ("%MOVE FG", "CHAIR|WO-2"),
        ]
    )
)
aside = st.sampled_from(
    [("%UNDO",), ("%UNDO", "%UNDO"), ("%CANCEL",), ("%EXTRA x", "%QTY 1", "FRAME|F-2")]
)
steps = st.one_of(exchanges, exchanges, units, units, quantities, aside)
begin = st.sampled_from([3, 2, 1, 0]).map(
    lambda built: tuple(zip(UNITS[:built], MOTORS, CELLS, strict=False))
)
"""Units that are built before anything else, one with each motor and cell."""


def run(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@run(40)
@given(first=begin, codes=st.lists(steps, min_size=5, max_size=9))
def test_stock_parents_and_genealogy_hold_after_every_scan(
    first: tuple[tuple[str, ...], ...], codes: list[tuple[str, ...]]
) -> None:
    """BF-28, BF-18, BF-31, invariants 1, 3 and 6; no scan fails."""
    _hold(first, codes)


@pytest.mark.long
@run(300)
@given(first=begin, codes=st.lists(steps, min_size=5, max_size=30))
def test_stock_parents_and_genealogy_hold_after_every_scan_of_many(
    first: tuple[tuple[str, ...], ...], codes: list[tuple[str, ...]]
) -> None:
    """BF-28: the same law, longer."""
    _hold(first, codes)


def _hold(first: tuple[tuple[str, ...], ...], codes: list[tuple[str, ...]]) -> None:
    with memory_folder() as folder:
        station = open_station(folder, PLANT, template=empty_database())
        for code in (one for group in (*first, *codes) for one in group):
            before = _counts(station)
            outcome = station.scan(code)
            _check(station)
            if outcome.outcome in ("rejected", "needs", "already_done"):
                assert _counts(station)[1:] == before[1:], (code, outcome.message)
        _undo_everything(station)
        station.db.close()


def _undo_everything(station: Station) -> None:
    """Taken back report by report, nothing is made of anything; scrap and moves may stand in the
    way."""
    for kind, _ in station.db.conn.execute("SELECT kind, max(report_seq) FROM report GROUP BY 1"):
        event(kind)
    while (outcome := station.scan("%UNDO")).outcome == "recorded":
        _check(station)
    if outcome.reason != "nothing_to_undo":
        event("in the way")
        return
    assert station.db.conn.execute(BUILT_IN).fetchall() == []
    assert station.db.conn.execute(MADE_OF).fetchall() == []
    assert {row["completed"] for row in station.rows("orders")} == {"0"}
    assert station.db.conn.execute("SELECT sum(issued_micro) FROM order_line").fetchone() == (0,)


def _counts(station: Station) -> tuple[Any, ...]:
    conn = station.db.conn
    return (
        conn.execute("SELECT count(*) FROM event").fetchone(),
        conn.execute("SELECT count(*) FROM movement").fetchone(),
        conn.execute("SELECT count(*) FROM edge").fetchone(),
        conn.execute("SELECT count(*) FROM report").fetchone(),
    )


def _check(station: Station) -> None:
    assert station.faults() == []
    conn = station.db.conn
    built_in = sorted(conn.execute(BUILT_IN))
    assert {quantity for _, _, quantity in built_in} <= {1_000_000}
    parents = [part for _, part, _ in built_in]
    assert len(parents) == len(set(parents)), "in one parent at a time"
    units = {part: unit for unit, part, _ in built_in}
    sits = dict(conn.execute(SITS).fetchall())
    assert units.keys() == sits.keys(), "genealogy says what the slots say"
    assert all(unit in (None, units[part]) for part, unit in sits.items())
    in_stock = {code for code, quantity in _serials(station) if quantity}
    assert all(quantity in (0, 1) for _, quantity in _serials(station))
    assert in_stock.isdisjoint(parents), "in a unit or in stock, never both"
    assert {*MOTORS, *CELLS} == in_stock & {*MOTORS, *CELLS} | set(parents)
    made = {row["work_order"]: row["completed"] for row in station.rows("orders")}
    assert Fraction(made["WO-2"]) == sum(
        Fraction(row["quantity"]) for row in station.rows("stock", item="CHAIR")
    )


def _serials(station: Station) -> Iterator[tuple[str, Fraction]]:
    rows = station.db.conn.execute(
        """
        SELECT l.serial, sum(b.quantity_micro) FROM balance b JOIN lot l USING (lot_id)
         WHERE l.serial <> '' GROUP BY l.lot_id
        """
    )
    for serial, micro in rows.fetchall():
        yield serial, Fraction(micro, 1_000_000)
