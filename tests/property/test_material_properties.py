"""Material by hand, in any order with reports: nothing twice, nothing lost (BF-4, BF-10, BF-17).

After every step the books balance (BF-36), and what was consumed of a lot is what genealogy says
went out of it, plus what waits for a report (invariant 6).
"""

from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mes_terminal.domain.hand_issues import share
from mes_terminal.domain.operations import Reported
from mes_terminal.domain.order import LineFacts
from mes_terminal.domain.overrun import Filling, allowance_micro, give, is_within
from mes_terminal.domain.quantity import format_quantity
from tests.plants import Station, empty_database, memory_folder, open_station, plant

MICROS = st.integers(0, 10**12)
STEPS = st.sampled_from((1, 1_000, 10_000, 1_000_000))

UNEXPLAINED = """
    SELECT lot_id, sum(micro) FROM (
        SELECT m.lot_id, iif(t.location = '@production', m.quantity_micro, -m.quantity_micro)
               AS micro
          FROM movement m JOIN lot l USING (lot_id) JOIN item i USING (item_id)
          JOIN location t ON t.location_id = m.to_location_id
          JOIN location f ON f.location_id = m.from_location_id
         WHERE i.tracking <> 'none' AND i.kind = 'purchased'
           AND '@production' IN (t.location, f.location)
        UNION ALL SELECT parent_id, -quantity_micro FROM edge WHERE certainty <> 'unknown'
        UNION ALL
        SELECT lot_id, -quantity_micro FROM hand_issue h JOIN item i USING (item_id)
         WHERE report_seq IS NULL AND i.tracking <> 'none'
    ) GROUP BY lot_id HAVING sum(micro) <> 0
"""


@st.composite
def fillings(draw: st.DrawFn) -> Filling:
    step = draw(STEPS)
    return Filling(
        draw(MICROS) * step, draw(st.integers(-50, 50)) * step, draw(MICROS) // 10**4, step
    )


@given(fillings(), MICROS, MICROS)
def test_a_container_gives_what_is_needed_once(filling: Filling, book: int, needed: int) -> None:
    """BF-17: books first, then within the tolerance, and the rest is missing."""
    book, needed = book * filling.step_micro, needed * filling.step_micro
    given_ = give(filling, book, needed)
    assert given_.booked_micro + given_.gain_micro + given_.missing_micro == needed
    assert given_.booked_micro == min(book, needed)
    assert 0 <= given_.gain_micro <= allowance_micro(filling)
    assert given_.gain_micro % filling.step_micro == 0
    if given_.missing_micro:
        assert given_.gain_micro == allowance_micro(filling), "all of the tolerance is used up"


@given(fillings(), st.integers(1, 100), st.integers(1, 100))
def test_taking_in_two_parts_gives_what_taking_at_once_does(
    filling: Filling, first: int, second: int
) -> None:
    """BF-17: what was gained counts against the tolerance."""
    one, two = first * filling.step_micro, second * filling.step_micro
    at_once = give(filling, 0, one + two)
    part = give(filling, 0, one)
    after = Filling(
        filling.base_micro,
        filling.gained_micro + part.gain_micro,
        filling.pct_micro,
        filling.step_micro,
    )
    assert part.gain_micro + give(after, 0, two).gain_micro == at_once.gain_micro


@given(fillings(), st.integers(-100, 100))
def test_gain_and_loss_are_judged_by_their_sum(filling: Filling, difference: int) -> None:
    """BF-17: what may be booked leaves the container within its tolerance, gain or loss."""
    found = difference * filling.step_micro
    booked = abs(filling.gained_micro + found)
    allowed = Fraction(filling.base_micro * filling.pct_micro, 10**8)
    assert is_within(filling, found) == (booked <= allowed)


def line(line_id: int, per_unit: Fraction, taken: int) -> LineFacts:
    """Return a line of whole pieces that takes so many a unit and has taken so much."""
    return LineFacts(
        line_id=line_id, line=str(line_id), item_id=line_id, item="X", uom="pcs",
        step_micro=10**6, tracking="lot", shortage_policy="exception", per_unit=1,
        net_num=per_unit.numerator, net_den=per_unit.denominator, gross_num=per_unit.numerator,
        gross_den=per_unit.denominator, issue_method="manual", location_id=1, location="LINE",
        location_rule="line", mount_required=0, erp_ref=None, operation_position=0,
        net_taken_micro=taken, scrap_taken_micro=0, since_micro=0, sole_lot_id=None,
        available_micro=0, balance_id=0, lot_id=0, container_id=0, lot="", expires_on="",
    )  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 40)), min_size=1, max_size=6),
    st.lists(st.integers(1, 5), min_size=1, max_size=6),
    st.fractions(Fraction(1, 4), 5, max_denominator=4),
)
def test_each_report_takes_in_what_its_units_need(
    issues: list[tuple[int, int]], reports: list[int], per_unit: Fraction
) -> None:
    """BF-37: together never more than was issued, at no time more than the units need, and the
    report that ends the order has the rest."""
    waiting = [(1, lot, quantity * 10**6) for lot, quantity in dict(issues).items()]
    issued = sum(quantity for _, _, quantity in waiting)
    facts = line(1, per_unit, issued)
    made = taken = 0
    for units in reports:
        made += units * 10**6
        part = share(waiting, [facts], Reported(made), closes=False)
        assert all(quantity > 0 for _, _, quantity in part)
        taken += sum(quantity for _, _, quantity in part)
        gone = {lot: quantity for _, lot, quantity in part}
        waiting = [
            (1, lot, quantity - gone.get(lot, 0))
            for _, lot, quantity in waiting
            if quantity > gone.get(lot, 0)
        ]
        needs = -(-per_unit * made // 10**6) * 10**6
        assert taken == min(issued, needs)
    rest = share(waiting, [facts], Reported(made), closes=True)
    assert taken + sum(quantity for _, _, quantity in rest) == issued


def bench(legs: int, scrap_pct: str) -> dict[str, str]:
    """A bench takes `legs` halves of a leg (in whole pieces) and 8 bolts; 12 benches are ordered.
    There is more than enough of everything, in two lots and a box."""
    return plant(
        items="item,tracking,decimals\nBENCH,lot,0\nLEG,lot,0\nBOLT,none,0",
        boms="item,revision\nBENCH,A",
        bom_lines=f"""
            item,revision,line,component,quantity,scrap_pct
            BENCH,A,10,LEG,{legs / 2:g},{scrap_pct}
            BENCH,A,20,BOLT,8,
            """,
        receipts="""
            reference,item,lot,container,location,quantity
            R1,LEG,L1,,LINE,200
            R2,LEG,L2,,LINE,200
            R3,LEG,L3,BOX,STORE,200
            R4,BOLT,,,LINE,900
            """,
        work_orders="work_order,item,quantity,status\nWO,BENCH,12,released",
        locations="location,kind\nSTORE,store\nSCRAP,scrap",
        operators="badge,name,role\nQA,Kim,quality",
    )


STEP = st.one_of(
    st.tuples(
        st.sampled_from(("%ISSUE", "%ISSUE", "%RETURN", "%EXTRA SPILL")),
        st.sampled_from(("LEG|L1", "LEG|L2", "BOX", "BOLT")),
        st.integers(0, 9),
    ),
    st.tuples(st.just("report"), st.just("BENCH"), st.integers(1, 4)),
    st.tuples(st.just("undo"), st.just("%UNDO"), st.just(0)),
)


def do(station: Station, step: tuple[str, str, int]) -> None:
    """Do one step: a command, its quantity if any, and what it is done to."""
    what, code, quantity = step
    if what.startswith("%"):
        station.scan(what)
    if quantity:
        station.scan(f"%QTY {quantity}")
    station.scan(code)
    station.scan("%CANCEL")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, max_size=10), st.integers(1, 6), st.sampled_from(("0", "10")))
def test_any_interleaving_consumes_what_one_report_does(
    steps: list[tuple[str, str, int]], legs: int, scrap_pct: str
) -> None:
    """BF-4, BF-10: issued, returned, reported, undone in any order, then closed: each line has what
    one close alone takes, the extra parts beside it; the books balance at every step."""
    with memory_folder() as folder:
        alone = _open(folder, "alone", bench(legs, scrap_pct))
        alone.scan("WO")
        station = _open(folder, "any", bench(legs, scrap_pct))
        station.scan("%START WO")
        for step in steps:
            do(station, step)
            assert station.faults() == []
            assert station.db.conn.execute(UNEXPLAINED).fetchall() == []
        station.scan("WO")
        assert station.faults() == []
        assert station.db.conn.execute(UNEXPLAINED).fetchall() == []
        assert station.order("WO")["status"] == "closed"
        assert [taken(station, number) for number in ("10", "20")] == [
            taken(alone, number) for number in ("10", "20")
        ]
        station.db.close()
        alone.db.close()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(("LEG|L1", "BOX", "BOLT")),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.booleans(),
)
def test_returning_everything_restores_everything(
    code: str, quantities: list[int], is_extra: bool
) -> None:
    """BF-10: stock and line are as before; a box goes back to where its line is supplied."""
    with memory_folder() as folder:
        station = _open(folder, "one", bench(6, "0"))
        station.scan("%START WO")
        before = [station.line("WO", number) for number in ("10", "20")]
        stock = {
            row["item"]: row["quantity"] for row in station.rows("stock") if row["lot"] != "L3"
        }
        for quantity in quantities:
            do(station, ("%EXTRA SPILL" if is_extra else "%ISSUE", code, quantity))
        do(station, ("%RETURN", code, sum(quantities)))
        assert [station.line("WO", number) for number in ("10", "20")] == before
        assert stock == {
            row["item"]: row["quantity"] for row in station.rows("stock") if row["lot"] != "L3"
        }
        assert sum(Fraction(row["quantity"]) for row in station.rows("stock", lot="L3")) == 200
        assert station.faults() == []
        assert station.db.conn.execute(UNEXPLAINED).fetchall() == []
        station.db.close()


COMMANDS = (
    "%ISSUE", "%RETURN", "%EXTRA SPILL", "%SCRAP CRACK", "%MOVE STORE", "%MOVE LINE", "%MOVE SCRAP",
    "%HOLD", "%RELEASE", "%EMPTY", "%UNMOUNT", "%ASIDE 195", "%ASIDE 7", "%ASIDE 0.5", "",
)  # fmt: skip
CODES = ("LEG|L1", "LEG|L2", "LEG|L9", "BOX", "BOLT", "LEG", "WO", "BENCH", "LEG|L1|5", "L:LINE")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.sampled_from(COMMANDS), st.sampled_from(CODES), st.integers(0, 9)), max_size=12
    )
)
def test_whatever_is_scanned_the_books_balance(steps: list[tuple[str, str, int]]) -> None:
    """BF-36, invariants 1 and 6: any command with any code, right or wrong. What is refused changes
    nothing, and every scan has its row in the journal."""
    with memory_folder() as folder:
        station = _open(folder, "any", bench(3, "10"))
        station.scan("%START WO")
        for command, code, quantity in steps:
            for each in (command, f"%QTY {quantity}" if quantity else ""):
                if each:
                    station.scan(each, badge="QA")
            before, scans = station.ledger(), len(station.rows("journal"))
            outcome = station.scan(code, badge="QA")
            if outcome.outcome in ("rejected", "needs", "already_done"):
                assert station.ledger() == before
                assert outcome.message
                assert outcome.hint
            assert len(station.rows("journal")) == scans + 1
            assert station.faults() == []
            assert station.db.conn.execute(UNEXPLAINED).fetchall() == []
        station.db.close()


def taken(station: Station, number: str) -> tuple[str, str]:
    """Return what a line took for its units, and as planned scrap."""
    row = station.db.conn.execute(
        "SELECT issued_micro + owed_micro, scrapped_micro + owed_scrap_micro FROM order_line "
        "WHERE line = ?",
        [number],
    ).fetchone()
    return format_quantity(row[0]), format_quantity(row[1])


def _open(folder: Path, name: str, files: dict[str, str]) -> Station:
    (folder / name).mkdir()
    return open_station(folder / name, files, template=empty_database())
