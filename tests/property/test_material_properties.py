"""Material by hand, in any order with reports: nothing twice, nothing lost (BF-4, BF-10, BF-17).

After every step the books balance (BF-36), and what was consumed of a lot is what genealogy says
went out of it, plus what waits for a report (invariant 6): what came back is in no unit.
"""

from fractions import Fraction
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mes_terminal.domain.hand_issues import Waiting, share
from mes_terminal.domain.operations import Reported
from mes_terminal.domain.order import LineFacts
from mes_terminal.domain.overrun import Filling, allowance_micro, give, is_within
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import verifier
from tests.plants import Station, empty_database, memory_folder, open_station, plant, said
from tests.property.test_reversals import LawsOfParts

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
    waiting = [
        Waiting(1, lot, quantity * 10**6, quantity * 10**6, 10**6)
        for lot, quantity in dict(issues).items()
    ]
    issued = sum(each.quantity_micro for each in waiting)
    facts = line(1, per_unit, issued)
    made = taken = 0
    for units in reports:
        made += units * 10**6
        part = share(waiting, [facts], Reported(made), closes=False)
        assert all(each.quantity_micro > 0 for each in part)
        taken += sum(each.quantity_micro for each in part)
        gone = {each.lot_id: each.quantity_micro for each in part}
        waiting = [
            Waiting(1, each.lot_id, left, left, 10**6)
            for each in waiting
            if (left := each.quantity_micro - gone.get(each.lot_id, 0))
        ]
        needs = -(-per_unit * made // 10**6) * 10**6
        assert taken == min(issued, needs)
    rest = share(waiting, [facts], Reported(made), closes=True)
    assert taken + sum(each.quantity_micro for each in rest) == issued


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=6),
    st.lists(st.integers(1, 5), min_size=1, max_size=6),
    st.fractions(Fraction(1, 4), 4, max_denominator=4),
)
def test_substitutes_are_shared_out_by_what_they_do_for(
    issues: list[int], reports: list[int], ratio: Fraction
) -> None:
    """BF-29, BF-37: of each lot whole pieces, together what was issued; no report has more of the
    component than its units need, but for the last piece of a lot, which is not cut."""
    each_covers = [int(quantity / ratio) * 10**6 for quantity in issues]
    waiting = [
        Waiting(1, lot, quantity * 10**6, covers, 10**6)
        for lot, (quantity, covers) in enumerate(zip(issues, each_covers, strict=True), 1)
    ]
    facts = line(1, Fraction(1), sum(each_covers))
    taken: dict[int, int] = {}
    made = covered = 0
    for units in reports:
        made += units * 10**6
        part = share(waiting, [facts], Reported(made), closes=False)
        covered += sum(each.covers_micro for each in part)
        assert covered <= made
        gone = {each.lot_id: each for each in part}
        left: list[Waiting] = []
        for each in waiting:
            one = gone.get(each.lot_id, Waiting(1, each.lot_id, 0, 0, 10**6))
            taken[each.lot_id] = taken.get(each.lot_id, 0) + one.quantity_micro
            rest_micro = each.quantity_micro - one.quantity_micro
            if rest_micro:
                covers = each.covers_micro - one.covers_micro
                left.append(Waiting(1, each.lot_id, rest_micro, covers, 10**6))
        waiting = left
    for each in share(waiting, [facts], Reported(made), closes=True):
        taken[each.lot_id] = taken.get(each.lot_id, 0) + each.quantity_micro
    assert list(taken.values()) == [quantity * 10**6 for quantity in issues]


def bench(legs: int, scrap_pct: str, product: str = "lot") -> dict[str, str]:
    """A bench takes `legs` halves of a leg (in whole pieces) and 8 bolts; 12 benches are ordered.
    There is more than enough of everything, in two lots and a box; 1.5 pegs do for a leg."""
    serials = "".join(f"WO,B-{number}\n" for number in range(12) if product == "serial")
    return plant(
        items=f"item,tracking,decimals\nBENCH,{product},0\nLEG,lot,0\nBOLT,none,0\nPEG,lot,0",
        work_order_serials=f"work_order,serial\n{serials}",
        bom_substitutes="item,revision,line,substitute,ratio\nBENCH,A,10,PEG,1.5",
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
            R5,PEG,P1,,LINE,90
            """,
        work_orders="work_order,item,quantity,status\nWO,BENCH,12,released",
        locations="location,kind\nSTORE,store\nSCRAP,scrap",
        operators="badge,name,role\nQA,Kim,quality\nSUP,Sue,supervisor",
    )


STEP = st.one_of(
    st.tuples(
        st.sampled_from(("%ISSUE", "%ISSUE", "%RETURN", "%EXTRA SPILL")),
        st.sampled_from(("LEG|L1", "LEG|L2", "BOX", "BOLT", "PEG|P1")),
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


MOVES = st.one_of(
    st.tuples(
        st.sampled_from(("%ISSUE", "%RETURN", "%RETURN", "%EXTRA SPILL")),
        st.sampled_from(("LEG|L1", "LEG|L2", "BOX", "BOLT", "PEG|P1")),
        st.integers(1, 9),
    ),
    st.tuples(st.just("report"), st.just("BENCH"), st.integers(1, 4)),
    st.tuples(st.just("close"), st.just("WO"), st.just(0)),
    st.tuples(st.just("reverse"), st.just(""), st.integers(0, 20)),
)
BELOW_ZERO = """
    SELECT line_id, lot_id, report_seq, sum(quantity_micro) FROM hand_issue
     GROUP BY 1, 2, 3 HAVING sum(quantity_micro) < 0
"""
LEFT = """
    SELECT CASE WHEN container <> '' THEN container ELSE trim(i.item || '|' || l.lot, '|') END,
           sum(quantity_micro) / 1000000
      FROM hand_issue h JOIN item i USING (item_id) JOIN lot l USING (lot_id)
      LEFT JOIN container c ON c.container_id = h.container_id
     GROUP BY h.lot_id, h.container_id HAVING sum(quantity_micro) <> 0 ORDER BY 1
"""
STANDS_STILL = """
    SELECT 'edge', child_id, parent_id, sum(quantity_micro) FROM edge GROUP BY 2, 3
    HAVING sum(quantity_micro) <> 0 UNION ALL
    SELECT 'line', line_id, issued_micro + owed_micro, scrapped_micro + owed_scrap_micro
      FROM order_line WHERE issued_micro + owed_micro + scrapped_micro + owed_scrap_micro <> 0
     UNION ALL
    SELECT 'order', good_micro, scrapped_micro, status FROM work_order
     WHERE status NOT IN ('released', 'started') OR good_micro
"""


def move(station: Station, step: tuple[str, str, int], *, has_serials: bool) -> None:
    """Do one step: by hand, a report of so many (of one unit), the close, or a report taken back,
    or a part of it."""
    what, _, number = step
    if what == "reverse":
        rows = station.rows("order_reports", work_order="WO")
        standing = [row for row in rows if row["status"] != "taken back"]
        if standing:
            row = standing[number % len(standing)]
            part = "" if has_serials or number % 3 else f" {1 + number % 2}"
            station.scan(f"%UNDO {row['report_id']}{part}", badge="SUP")
    elif what == "report" and has_serials:
        station.scan(f"B-{len(station.rows('order_reports', work_order='WO')) % 12}")
    else:
        do(station, step)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(MOVES, max_size=14),
    st.integers(1, 6),
    st.sampled_from(("0", "10")),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_what_comes_back_in_any_order_is_in_no_unit_and_reversals_leave_nothing(
    steps: list[tuple[str, str, int]], legs: int, scrap_pct: str, has_serials: bool, chance: Random
) -> None:
    """BF-10, BF-31, BF-37, invariants 1, 3 and 6: issued, returned, extra, reported, closed and
    reversed in any order, after the close too, every law holds at every step. When all reports and
    all that was issued by hand have gone back, in any order, all is as it was."""
    with memory_folder() as folder:
        tracking = "serial" if has_serials else "lot"
        station = _open(folder, "any", bench(legs, scrap_pct, tracking))
        before = _on_hand(station)
        laws = LawsOfParts()
        station.scan("%START WO")
        for step in steps:
            move(station, step, has_serials=has_serials)
            _hold(station, laws)
        rows = station.rows("order_reports", work_order="WO")
        standing = [row["report_id"] for row in rows if row["status"] != "taken back"]
        chance.shuffle(standing)
        for report_id in standing:
            assert said(station.scan(f"%UNDO {report_id}", badge="SUP")) == ("recorded", None)
            _hold(station, laws)
        for code, quantity in station.db.conn.execute(LEFT).fetchall():
            do(station, ("%RETURN", code, quantity))
            _hold(station, laws)
        assert station.db.conn.execute(STANDS_STILL).fetchall() == []
        assert _on_hand(station) == before
        station.db.close()


def _hold(station: Station, laws: LawsOfParts) -> None:
    """Hold every law at this moment: the doctor's, those of the tests, the auditor's."""
    conn = station.db.conn
    assert station.faults() == []
    laws.check(station.db)
    assert conn.execute(UNEXPLAINED).fetchall() == []
    assert conn.execute(BELOW_ZERO).fetchall() == []
    verifier.verify_genealogy(conn)


def _on_hand(station: Station) -> list[tuple[str, int]]:
    rows = station.db.conn.execute(
        """
        SELECT i.item || l.lot, sum(quantity_micro) FROM balance b JOIN lot l USING (lot_id)
          JOIN item i ON i.item_id = l.item_id GROUP BY 1 HAVING sum(quantity_micro) <> 0 ORDER BY 1
        """
    )
    return list(rows)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(("LEG|L1", "BOX", "BOLT", "PEG|P1")),
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
CODES = (
    "PEG|P1",
    "LEG|L1",
    "LEG|L2",
    "LEG|L9",
    "BOX",
    "BOLT",
    "LEG",
    "WO",
    "BENCH",
    "LEG|L1|5",
    "L:LINE",
)


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
