"""Reversals in any order and in any parts: what is taken back leaves no trace but the ledger's own
(BF-31, invariants 1, 3 and 6)."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from mes_terminal.store.database import Database
from tests.model.ledger_laws import Laws
from tests.plants import Station, empty_database, memory_folder, open_station, plant, said

LATE: Final = {
    "LEG": "R9,LEG,L-9,LINE,30,2026-11-01",
    "BOLT": "R8,BOLT,,LINE,40,2026-11-01",
    "PAINT": "R7,PAINT,P-9,LINE,6,2026-11-01",
}
"""Receipts that come after reports, as if they had been there: what is owed heals."""
STATE: Final = {
    "order": """
        SELECT work_order, status, good_micro, scrapped_micro, process_expires_on FROM work_order
         ORDER BY 1
        """,
    "lines": """
        SELECT line_id, issued_micro, scrapped_micro, owed_micro, owed_scrap_micro,
               written_off_micro, written_off_scrap_micro FROM order_line ORDER BY 1
        """,
    "operations": """
        SELECT work_order_id, position, good_micro, scrapped_micro FROM order_operation
         ORDER BY 1, 2
        """,
    "outputs": "SELECT work_order_id, line, ahead_micro FROM order_output ORDER BY 1, 2",
    "units": "SELECT serial, report_seq FROM unit ORDER BY 1",
    "slots": "SELECT lot_id, unit_id, report_seq FROM slot ORDER BY 1",
    "stays": "SELECT mount_span_id, gained_micro FROM mount_span ORDER BY 1",
    "by_hand": """
        SELECT lot_id, line_id, report_seq, sum(quantity_micro), sum(covered_micro) FROM hand_issue
         GROUP BY 1, 2, 3 HAVING sum(quantity_micro) <> 0 ORDER BY 1, 2, 3
        """,
    "open": "SELECT kind, quantity_micro FROM exception WHERE status = 'open' ORDER BY 1, 2",
    "edges": """
        SELECT child_id, parent_id, line_id, sum(quantity_micro) FROM edge GROUP BY 1, 2, 3
        HAVING sum(quantity_micro) <> 0 ORDER BY 1, 2, 3
        """,
}


OUT_OF_ORDER: Final = """
    SELECT here.position, here.good_micro, later.good_micro, later.scrapped_micro
      FROM order_operation here
      LEFT JOIN order_operation later ON later.work_order_id = here.work_order_id
           AND later.position = here.position + 1
     WHERE here.good_micro < 0
        OR (later.overlap = 0 AND here.good_micro < later.good_micro + later.scrapped_micro)
"""
"""No operation has used more than the one before has delivered (BF-11)."""


class LawsOfParts(Laws):
    """The laws that hold on the way too; a line is on its target again with a later report."""

    def _targets(self, database: Database) -> None:
        """A part rounds down, and what it gave back may be another's."""


def run(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@st.composite
def plants(draw: st.DrawFn) -> dict[str, str]:
    """A chair of legs (a peg and a half may stand in), bolts to the tenth, paint that expires and a
    jig once for the order; chips come with it. With a routing or without."""
    routed = draw(st.booleans())
    at = ["10", "20", ""] if routed else [""]
    ops = [draw(st.sampled_from(at)) for _ in range(5)]
    scrap = draw(st.sampled_from(["", "10", "33"]))
    stock = {name: draw(st.integers(0, 60)) for name in ("legs", "more", "pegs", "bolts", "paint")}
    leg_scrap, chip = draw(st.sampled_from(["", "7"])), draw(st.sampled_from(["0.4", "1.5"]))
    receipts = [
        ("R1", "LEG", "L-1", stock["legs"]), ("R2", "LEG", "L-2", stock["more"]),
        ("R3", "PEG", "G-1", stock["pegs"]), ("R4", "BOLT", "", stock["bolts"]),
        ("R5", "PAINT", "P-1", stock["paint"]), ("R6", "JIG", "", draw(st.integers(0, 3))),
        ("R0", "TAG", "T-1", 50),
    ]  # fmt: skip
    files = plant(
        items="""
            item,tracking,kind,decimals,inherit_expiry,shelf_life_days
            CHAIR,lot,manufactured,0,yes,90
            CHIP,lot,,1,,
            LEG,lot,,0,,
            PEG,lot,,0,,
            BOLT,none,,1,,
            PAINT,lot,,2,,
            JIG,none,,0,,
            TAG,lot,,0,,
            """,
        boms="item,revision\nCHAIR,A",
        bom_lines=f"""
            item,revision,line,component,quantity,basis,scrap_pct,operation,role,issue_method
            CHAIR,A,10,LEG,3,,{leg_scrap},{ops[0]},,
            CHAIR,A,20,BOLT,0.7,,{scrap},{ops[1]},,
            CHAIR,A,30,PAINT,0.35,,,{ops[2]},,
            CHAIR,A,40,JIG,2,per_order,,{ops[3]},,
            CHAIR,A,50,TAG,1,,,{ops[4]},,manual
            CHAIR,A,90,CHIP,{chip},,,,by_product,
            """,
        bom_substitutes="""
            item,revision,line,substitute,ratio,priority,approval,choice
            CHAIR,A,10,PEG,1.5,1,none,automatic
            """,
        lots="item,lot,expires_on\nPAINT,P-1,2027-01-10\nPAINT,P-9,2026-12-24",
        receipts="reference,item,lot,location,quantity,effective_at\n"
        + "".join(
            f"{ref},{item},{lot},LINE,{n},2026-11-01\n" for ref, item, lot, n in receipts if n
        ),
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,12,released",
        operators="badge,name,role\nSUP,Sue,supervisor",
        reasons="code,kind\nx,scrap\ny,short_close",
    )
    if routed:
        point = draw(st.sampled_from(["yes", "no"]))
        files |= plant(
            work_centres="work_centre\nWC",
            routings=f"""
                item,revision,operation,work_centre,backflush_point,overlap
                CHAIR,A,10,WC,{point},{draw(st.sampled_from(["", "yes"]))}
                CHAIR,A,20,WC,yes,
                """,
        )
    return files


quantity = st.integers(1, 5)
reports = st.lists(
    st.one_of(
        quantity.map(lambda n: (f"%QTY {n}", "CHAIR")),
        quantity.map(lambda n: (f"%QTY {n}", "CHAIR")),
        quantity.map(lambda n: (f"%QTY {n}", "%OP 10 WO-1")),
        quantity.map(lambda n: ("%SCRAP x", f"%QTY {n}", "WO-1")),
        st.just(("%ISSUE", "%QTY 2", "TAG|T-1")),
        st.sampled_from(sorted(LATE)).map(lambda item: ("+", item)),
        st.just(("%SHORT y", "WO-1")),
        st.just(("WO-1",)),
    ),
    min_size=1,
    max_size=8,
)
picks = st.lists(st.tuples(st.integers(0, 10), st.integers(1, 5), st.booleans()), max_size=10)


@run(60)
@given(files=plants(), scans=reports, picks=picks)
def test_reports_in_any_split_taken_back_in_any_order_and_parts_leave_everything_as_it_was(
    files: dict[str, str], scans: list[tuple[str, ...]], picks: list[tuple[int, int, bool]]
) -> None:
    """BF-31, BF-4, BF-22, BF-30: every balance, line, order, operation, expiry and exception is as
    at the start; genealogy sums to zero; the doctor finds nothing on the way."""
    _hold(files, scans, picks)


@pytest.mark.long
@run(600)
@given(files=plants(), scans=reports, picks=picks)
def test_reports_in_any_split_taken_back_in_any_order_and_parts_leave_no_trace_of_many(
    files: dict[str, str], scans: list[tuple[str, ...]], picks: list[tuple[int, int, bool]]
) -> None:
    """BF-31: the same law, more often."""
    _hold(files, scans, picks)


def _hold(
    files: dict[str, str], scans: list[tuple[str, ...]], picks: list[tuple[int, int, bool]]
) -> None:
    with memory_folder() as folder:
        station = open_station(folder, files, template=empty_database())
        before = state(station)
        laws = LawsOfParts()
        laws.check(station.db)
        received: dict[Any, int] = {}
        issued = book(station, scans, received)
        laws.check(station.db)
        for place, many, heals in picks:
            if heals and (item := next((name for name in LATE if name not in received), None)):
                receive(station, item, received)
            take_one(station, place, many)
            laws.check(station.db)
            assert not station.db.conn.execute(OUT_OF_ORDER).fetchall()
            assert station.faults() == []
        while list(all_standing(station)):
            take_last(station)
        laws.check(station.db)
        for _ in range(issued):
            for code in ("%RETURN", "%QTY 2", "TAG|T-1"):
                outcome = station.scan(code, badge="SUP")
            assert said(outcome) == ("recorded", None)
        assert station.faults() == []
        after = state(station)
        for key, more in received.items():
            before["stock"][key] = before["stock"].get(key, 0) + more
        assert after == before


def book(station: Station, scans: list[tuple[str, ...]], received: dict[Any, int]) -> int:
    """Scan; return how often something was issued by hand."""
    issued = 0
    for codes in scans:
        if codes[0] == "+":
            if codes[1] not in {key[0] for key in received}:
                receive(station, codes[1], received)
            continue
        for code in codes:
            outcome = station.scan(code, badge="SUP")
        event(f"{codes[-1].split()[0]} {outcome.outcome} {outcome.reason}")
        issued += codes[0] == "%ISSUE" and outcome.outcome == "recorded"
        if outcome.outcome != "recorded":
            station.scan("%CANCEL")
    return issued


def receive(station: Station, item: str, received: dict[Any, int]) -> None:
    head = "reference,item,lot,location,quantity,effective_at"
    row = LATE[item].split(",")
    station.load(plant(receipts=f"{head}\n{LATE[item]}"))
    station.heal()
    received[item, row[2], "LINE"] = int(row[4]) * 10**6


def take_one(station: Station, place: int, many: int) -> None:
    """Take a report back, or some units of it, if nothing depends on it."""
    found = list(all_standing(station))
    if not found:
        return
    report_id, left = found[place % len(found)]
    part = "" if left <= 0 or many % 5 == 0 else f" {min(many, left)}"
    outcome = station.scan(f"%UNDO {report_id}{part}", badge="SUP")
    event(f"undo {outcome.outcome} {outcome.reason} {bool(part)}")
    allowed = [("recorded", None), ("rejected", "has_dependents")]
    assert said(outcome) in allowed, outcome.message


def take_last(station: Station) -> None:
    """Take back the newest report that nothing depends on: an older one that went already may have
    left its units to a newer one, which then carries what came between them."""
    for report_id, _ in reversed(list(all_standing(station))):
        outcome = station.scan(f"%UNDO {report_id}", badge="SUP")
        if said(outcome) == ("recorded", None):
            return
        assert said(outcome) == ("rejected", "has_dependents"), outcome.message
    raise AssertionError("each report that stands depends on another")


def all_standing(station: Station) -> Iterator[tuple[str, int]]:
    for row in station.rows("order_reports", work_order="WO-1"):
        if row["status"] != "taken back":
            yield row["report_id"], int(row["quantity"]) - int(row["reversed"])


def standing(station: Station) -> tuple[str, int] | None:
    """Return the newest report that stands."""
    return next(reversed(list(all_standing(station))), None)


def state(station: Station) -> dict[str, Any]:
    """Return everything that a reversal must put back."""
    conn = station.db.conn
    found: dict[str, Any] = {name: conn.execute(sql).fetchall() for name, sql in STATE.items()}
    found["stock"] = {
        (item, lot, location): quantity
        for item, lot, location, quantity in conn.execute(
            """
            SELECT i.item, l.lot, o.location, sum(b.quantity_micro) FROM balance b
              JOIN lot l USING (lot_id) JOIN item i ON i.item_id = l.item_id
              JOIN location o USING (location_id)
             GROUP BY 1, 2, 3 HAVING sum(b.quantity_micro) <> 0
            """
        )
    }
    found["expiry"] = conn.execute(
        """
        SELECT max(l.expires_on) FROM lot l JOIN item i USING (item_id)
         WHERE i.kind = 'manufactured' AND l.work_order_id = 0
        """
    ).fetchone()[0]
    return found


BIKES: Final = plant(
    items="item,tracking,kind\nBIKE,serial,manufactured\nFRAME,lot,\nMOTOR,serial,\nCELL,serial,",
    boms="item,revision\nBIKE,A",
    bom_lines="""
        item,revision,line,component,quantity
        BIKE,A,10,FRAME,1
        BIKE,A,20,MOTOR,1
        BIKE,A,30,CELL,1
        """,
    locations="location,kind\nBENCH,rework\nSCRAP,scrap\nFG,finished",
    receipts="reference,item,lot,serial,location,quantity,effective_at\n"
    "RF,FRAME,F-1,,LINE,2,2026-11-01\nRG,FRAME,F-2,,LINE,9,2026-11-02\n"
    + "".join(f"M-{n},MOTOR,,M-{n},LINE,1,2026-11-02\n" for n in range(1, 7))
    + "".join(f"C-{n},CELL,,C-{n},LINE,1,2026-11-02\n" for n in range(1, 4)),
    work_orders="work_order,item,quantity,status\nWO-1,BIKE,3,released",
    work_order_serials="work_order,serial\nWO-1,E-1\nWO-1,E-2\nWO-1,E-3",
    operators="badge,name,role\nSUP,Sue,supervisor",
)
units = st.integers(1, 3)
passes = st.lists(
    st.one_of(
        units.map(lambda n: (f"E-{n}", f"M-{n}", f"C-{n}")),
        units.map(lambda n: ("%REWORK x", f"E-{n}")),
        units.map(lambda n: (f"E-{n}",)),
        st.tuples(units, st.integers(4, 6)).map(
            lambda pair: ("%REWORK x", f"E-{pair[0]}", f"M-{pair[0]}", f"M-{pair[1]}")
        ),
        units.map(lambda n: ("%SCRAP x", f"E-{n}")),
        st.just(("%EXTRA x", "%QTY 1", "FRAME|F-2")),
    ),
    min_size=2,
    max_size=9,
)


@run(50)
@given(built=units, scans=passes, picks=picks)
def test_units_and_their_passes_of_rework_go_back_in_any_order(
    built: int, scans: list[tuple[str, ...]], picks: list[tuple[int, int, bool]]
) -> None:
    """BF-31, BF-18, BF-28: what depends on a report goes first, and in the end every serial, slot
    and extra part is where it was. (Scrapping a finished unit is no report, and what came
    out of one is in no other: neither is here.)"""
    with memory_folder() as folder:
        station = open_station(folder, BIKES, template=empty_database())
        before = state(station)
        laws, extras = LawsOfParts(), 0
        for codes in [(f"E-{n}", f"M-{n}", f"C-{n}") for n in range(1, built + 1)] + scans:
            builds = len(codes) == 3 and codes[0].startswith("E-")
            if (builds or codes[0] == "%SCRAP x") and is_made(station, codes[1 - builds]):
                continue
            for code in codes:
                outcome = station.scan(code, badge="SUP")
            event(f"{codes[0]} {outcome.outcome} {outcome.reason}")
            extras += codes[0] == "%EXTRA x" and outcome.outcome == "recorded"
            if outcome.outcome == "rejected":
                station.scan("%CANCEL", badge="SUP")
        for place, *_ in picks:
            take_one(station, place, 5)
            laws.check(station.db)
            assert station.faults() == []
        while (left := standing(station)) is not None:
            assert said(station.scan(f"%UNDO {left[0]}", badge="SUP")) == ("recorded", None)
            assert station.faults() == []
        for _ in range(extras):
            for code in ("%RETURN", "%QTY 1", "FRAME|F-2"):
                outcome = station.scan(code, badge="SUP")
            assert said(outcome) == ("recorded", None)
        after = state(station)
        assert not [slot for slot in after.pop("slots") if slot[2] is not None]
        before.pop("slots")
        assert after == before


def is_made(station: Station, serial: str) -> bool:
    made = "SELECT report_seq IS NOT NULL FROM unit WHERE serial = ?"
    return bool(station.db.conn.execute(made, [serial]).fetchone()[0])


@run(40)
@given(files=plants(), many=st.integers(2, 9), picks=picks)
def test_what_is_taken_back_and_reported_again_comes_to_the_same(
    files: dict[str, str], many: int, picks: list[tuple[int, int, bool]]
) -> None:
    """BF-31, BF-4: report N, take k back, report k again: each line, and what comes with the
    chairs, is what N take in one report."""
    with memory_folder() as folder:
        (folder / "one").mkdir()
        (folder / "two").mkdir()
        plain = open_station(folder / "one", files, template=empty_database())
        again = open_station(folder / "two", files, template=empty_database())
        for station in (plain, again):
            station.scan(f"%QTY {many}")
            station.scan("CHAIR", badge="SUP")
        for place, part, _ in picks:
            found = list(all_standing(again))
            report_id, left = found[place % len(found)]
            back = min(part, left)
            outcome = again.scan(f"%UNDO {report_id} {back}", badge="SUP")
            assert (said(outcome), outcome.quantity) == (("recorded", None), f"-{back}")
            again.scan(f"%QTY {back}")
            assert again.scan("CHAIR", badge="SUP").outcome == "completed"
        assert totals(again) == totals(plain)
        assert again.faults() == []


def totals(station: Station) -> list[Any]:
    """Return what each line has taken or owes, and what came with the chairs."""
    conn = station.db.conn
    return [
        *conn.execute(
            """
            SELECT line, issued_micro + owed_micro, scrapped_micro + owed_scrap_micro
              FROM order_line ORDER BY line
            """
        ),
        *conn.execute(
            """
            SELECT i.item, sum(b.quantity_micro) FROM balance b JOIN item i USING (item_id)
             WHERE i.item IN ('CHAIR', 'CHIP') GROUP BY 1
            """
        ),
    ]
