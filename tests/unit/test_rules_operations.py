"""Operations: backflush points, swept operations, scrap of units on the way (BF-11, BF-26)."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mes_terminal.domain.operations import (
    OperationFacts,
    after,
    available_micro,
    gains,
    reported,
)
from tests.plants import TEST_RULES, Station, memory_folder, open_station, plant, quantities, said

TABLE = plant(
    items="item,tracking\nTABLE,none\nTOP,lot\nLEG,lot\nOIL,none\nBOX,none\nTAG,none",
    boms="item,revision\nTABLE,A",
    bom_lines="""
        item,revision,line,component,quantity,operation
        TABLE,A,10,TOP,1,10
        TABLE,A,20,LEG,4,20
        TABLE,A,30,OIL,2,30
        TABLE,A,40,BOX,1,40
        TABLE,A,50,TAG,1,
        """,
    work_centres="work_centre\nWC",
    routings="""
        item,revision,operation,work_centre,backflush_point,overlap
        TABLE,A,10,WC,no,
        TABLE,A,20,WC,yes,
        TABLE,A,30,WC,no,
        TABLE,A,40,WC,yes,
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,TOP,T-1,LINE,100,2026-11-01
        R2,LEG,L-1,LINE,400,2026-11-01
        R3,OIL,,LINE,1000,2026-11-01
        R4,BOX,,LINE,1000,2026-11-01
        R5,TAG,,LINE,1000,2026-11-01
        """,
    work_orders="""
        work_order,item,quantity,status,completed_so_far
        WO-1,TABLE,10,released,
        """,
    operators="badge,name,role\nAK,Anna,operator",
    reasons="code,kind\nCRACK,scrap\nMAT,short_close",
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, TABLE)


def test_a_backflush_point_posts_its_lines_and_sweeps_the_earlier_ones(station: Station) -> None:
    """BF-11: operation 10 is swept and named; nothing of the later ones is posted."""
    station.scan("%QTY 4")
    outcome = station.scan("%OP 20 WO-1")
    assert (said(outcome), outcome.quantity, outcome.order_status) == (
        ("completed", None), "4", "started",
    )  # fmt: skip
    assert outcome.message == "WO-1: operation 20 done for 4; swept 10"
    assert quantities(outcome) == [("10", "T-1", "4"), ("20", "L-1", "16")]
    assert outcome.produced == []
    assert station.order("WO-1")["completed"] == "0"
    assert station.faults() == []


def test_completion_posts_all_that_is_not_yet_posted(station: Station) -> None:
    """BF-11: it reports every earlier operation up to its quantity first."""
    station.scan("%QTY 4")
    station.scan("%OP 20 WO-1")
    closed = station.scan("WO-1")
    assert quantities(closed) == [
        ("10", "T-1", "6"), ("20", "L-1", "24"), ("30", None, "20"), ("40", None, "10"),
        ("50", None, "10"),
    ]  # fmt: skip
    assert (closed.quantity, closed.order_status) == ("10", "closed")
    assert station.edges() == [
        ("WO-1", "T-1", "10", "4", "sole"), ("WO-1", "L-1", "20", "16", "sole"),
        ("WO-1", "T-1", "10", "6", "sole"), ("WO-1", "L-1", "20", "24", "sole"),
    ]  # fmt: skip


def test_an_operation_that_is_no_backflush_point_posts_nothing(station: Station) -> None:
    """BF-11: its lines wait for the next backflush point."""
    station.scan("%QTY 7")
    outcome = station.scan("%OP 10 WO-1")
    assert (said(outcome), outcome.quantity, outcome.consumed) == (("completed", None), "7", [])
    station.scan("%QTY 2")
    assert quantities(station.scan("%OP 20 WO-1")) == [("10", "T-1", "2"), ("20", "L-1", "8")]


def test_an_operation_reports_no_more_than_the_one_before_has_delivered(station: Station) -> None:
    """BF-11: the nearest earlier reporting operation."""
    early = station.scan("%OP 30 WO-1")
    assert said(early) == ("rejected", "operation_order")
    station.scan("%QTY 4")
    station.scan("%OP 20 WO-1")
    before = station.ledger()
    station.scan("%QTY 5")
    assert said(station.scan("%OP 30 WO-1")) == ("rejected", "operation_order")
    assert station.ledger() == before
    assert station.scan("%OP 30 WO-1").quantity == "4", "all that has come to it"
    assert said(station.scan("%OP 30 WO-1")) == ("already_done", None)


def test_an_overlap_makes_that_a_warning(tmp_path: Path) -> None:
    """BF-11."""
    routings = TABLE["routings.csv"].replace("30,WC,no,", "30,WC,no,yes")
    station = open_station(tmp_path, TABLE | {"routings.csv": routings})
    station.scan("%QTY 3")
    outcome = station.scan("%OP 30 WO-1")
    assert (said(outcome), outcome.quantity) == (("completed", None), "3")
    assert "the operation before 30 is behind" in outcome.message


def test_the_last_operation_is_the_completion_of_what_has_come_to_it(station: Station) -> None:
    """BF-11: like any other it takes `%QTY`, else what the backflush point before it delivered."""
    early = station.scan("%OP 40 WO-1")
    assert said(early) == ("rejected", "operation_order")
    assert early.message == (
        "WO-1: 0 pcs have come to operation 40 from the one before it. Nothing was booked"
    )
    station.scan("%QTY 5")
    station.scan("%OP 20 WO-1")
    before = station.ledger()
    station.scan("%QTY 6")
    assert said(station.scan("%OP 40 WO-1")) == ("rejected", "operation_order")
    assert station.ledger() == before
    station.scan("%QTY 3")
    outcome = station.scan("%OP 40 WO-1")
    assert (outcome.quantity, [each.quantity for each in outcome.produced]) == ("3", ["3"])
    rest = station.scan("%OP 40 WO-1")
    assert (rest.quantity, rest.order_status) == ("2", "started")
    again = station.scan("%OP 40 WO-1")
    assert (said(again), again.message) == (
        ("already_done", None), "WO-1: operation 40 is done for 5 pcs",
    )  # fmt: skip
    station.scan("%OP 20 WO-1")
    assert station.scan("%OP 40 WO-1").order_status == "closed"
    assert said(station.scan("%OP 40 WO-1")) == ("already_done", "order_closed")
    assert station.faults() == []


def test_an_overlap_lets_the_last_operation_run_ahead(tmp_path: Path) -> None:
    """BF-11: only said; the completion then reports the earlier operations itself."""
    routings = TABLE["routings.csv"].replace("40,WC,yes,", "40,WC,yes,yes")
    station = open_station(tmp_path, TABLE | {"routings.csv": routings})
    station.scan("%QTY 3")
    outcome = station.scan("%OP 40 WO-1")
    assert (said(outcome), outcome.quantity) == (("completed", None), "3")
    assert "the operation before 40 is behind" in outcome.message
    assert station.scan("%OP 40 WO-1").order_status == "closed"


def test_without_an_earlier_backflush_point_the_last_one_takes_what_remains(tmp_path: Path) -> None:
    """BF-11: nobody reports before it."""
    routings = TABLE["routings.csv"].replace("20,WC,yes,", "20,WC,no,")
    station = open_station(tmp_path, TABLE | {"routings.csv": routings})
    station.scan("%QTY 3")
    assert station.scan("%OP 40 WO-1").quantity == "3"
    station.scan("%QTY 8")
    assert said(station.scan("%OP 40 WO-1")) == ("rejected", "over_tolerance")
    closed = station.scan("%OP 40 WO-1")
    assert (closed.quantity, closed.order_status) == ("7", "closed")


def test_the_last_operation_completes_no_more_planned_units_than_have_come(tmp_path: Path) -> None:
    """BF-11, BF-39: of three planned serials the first two have come."""
    serials = "work_order,serial\nWO-1,T-1\nWO-1,T-2\nWO-1,T-3"
    items = TABLE["items.csv"].replace("TABLE,none", "TABLE,serial")
    changed = plant(work_order_serials=serials) | {"items.csv": items}
    station = open_station(tmp_path, TABLE | changed)
    station.scan("%QTY 2")
    station.scan("%OP 20 WO-1")
    assert [each.serial for each in station.scan("%OP 40 WO-1").produced] == ["T-1", "T-2"]
    station.scan("%OP 20 WO-1")
    assert [each.serial for each in station.scan("%OP 40 WO-1").produced] == ["T-3"], "of eight"


def test_the_last_operation_reports_where_an_order_code_only_starts(tmp_path: Path) -> None:
    """BF-11: an operation scan is a report, whatever `order_scan` makes of the order's code."""
    routings = TABLE["routings.csv"].replace("20,WC,yes,", "20,WC,no,")
    rules = replace(TEST_RULES, order_scan="start")
    station = open_station(tmp_path, TABLE | {"routings.csv": routings}, rules)
    assert station.scan("%OP 40 WO-1").order_status == "closed"


def test_the_active_order_is_meant_where_none_is_named(station: Station) -> None:
    assert said(station.scan("%OP 20")) == ("needs", "order")
    station.scan("%START WO-1")
    assert station.scan("%OP 20").work_order == "WO-1"
    assert said(station.scan("%OP 77")) == ("rejected", "malformed")
    assert said(station.scan("%OP 20 WO-9")) == ("needs", "order")


def test_what_was_made_before_go_live_has_passed_every_operation(tmp_path: Path) -> None:
    """BF-7, BF-11: four of ten."""
    orders = "work_order,item,quantity,status,completed_so_far\nWO-2,TABLE,10,released,4"
    station = open_station(tmp_path, TABLE | plant(work_orders=orders))
    outcome = station.scan("%OP 20 WO-2")
    assert (outcome.quantity, quantities(outcome)) == (
        "6", [("10", "T-1", "6"), ("20", "L-1", "24")],
    )  # fmt: skip
    station.scan("WO-2")
    assert station.stock("TOP", "T-1") == "94"


def test_a_unit_scrapped_on_the_way_takes_what_it_has_passed(station: Station) -> None:
    """BF-26: up to the operation reported; no good stock, a reason, and it counts for the order."""
    station.scan("%QTY 4")
    station.scan("%OP 20 WO-1")
    station.scan("%SCRAP CRACK")
    scrapped = station.scan("WO-1")
    assert (said(scrapped), scrapped.quantity) == (("completed", None), "1")
    assert scrapped.message == "WO-1: 1 TABLE scrapped (CRACK)"
    assert quantities(scrapped) == [], "one of the four: its parts are gone already"
    order = station.order("WO-1")
    assert (order["completed"], order["scrapped"], order["remaining"]) == ("0", "1", "9")
    assert station.scan("WO-1").quantity == "9"
    assert (station.stock("TOP", "T-1"), station.stock("LEG", "L-1"), station.stock("BOX")) == (
        "90", "360", "991",
    )  # fmt: skip
    assert station.faults() == []


def test_without_operation_reports_a_scrapped_unit_takes_a_whole_one(station: Station) -> None:
    """BF-26: what a good unit would have taken. 97 good and 3 scrapped close 100: 7 and 3 here."""
    station.scan("%SCRAP CRACK")
    station.scan("%QTY 3")
    scrapped = station.scan("TABLE")
    assert quantities(scrapped) == [
        ("10", "T-1", "3"), ("20", "L-1", "12"), ("30", None, "6"), ("40", None, "3"),
        ("50", None, "3"),
    ]  # fmt: skip
    closed = station.scan("WO-1")
    assert (closed.quantity, closed.order_status) == ("7", "closed")
    assert station.stock("TABLE", location="FG") == "7"


@pytest.mark.parametrize(
    ("command", "reason"), [("%SCRAP", "reason_missing"), ("%SCRAP DENT", "reason_missing")]
)
def test_scrap_without_a_reason_waits_for_nothing(
    station: Station, command: str, reason: str
) -> None:
    """BF-26."""
    before = station.ledger()
    assert said(station.scan(command)) == ("rejected", reason)
    assert station.ledger() == before
    assert said(station.scan("WO-1")) == ("completed", None), "a report as ever"


def test_replaced_scrap_is_made_again(tmp_path: Path) -> None:
    """BF-26: only with `replace_scrap = yes`."""
    orders = "work_order,item,quantity,status,replace_scrap\nWO-1,TABLE,10,released,yes"
    station = open_station(tmp_path, TABLE | plant(work_orders=orders))
    station.scan("%SCRAP CRACK")
    assert station.scan("WO-1").order_status == "started"
    assert station.scan("WO-1").quantity == "10"


def test_more_scrap_than_the_order_has_left_is_refused(station: Station) -> None:
    """BF-25, BF-26."""
    station.scan("%SCRAP CRACK")
    station.scan("%QTY 11")
    assert said(station.scan("WO-1")) == ("rejected", "over_tolerance")
    station.scan("%SCRAP CRACK")
    station.scan("%QTY 0.5")
    assert said(station.scan("WO-1")) == ("rejected", "not_a_step")


def test_scrap_can_close_the_order(station: Station) -> None:
    """BF-26."""
    station.scan("%QTY 9")
    station.scan("WO-1")
    station.scan("%SCRAP CRACK")
    assert station.scan("WO-1").order_status == "closed"
    assert said(station.scan("WO-1")) == ("already_done", "order_closed")


def test_operation_and_scrap_are_taken_back(station: Station) -> None:
    """BF-31: in reverse order everything is as it was."""
    books = [station.rows("stock")]
    for codes in (["%QTY 4", "%OP 20 WO-1"], ["%SCRAP CRACK", "WO-1"], ["%QTY 2", "WO-1"]):
        for code in codes:
            station.scan(code)
        books.append(station.rows("stock"))
    for expected, quantity in zip(books[-2::-1], ("-2", "-1", "-4"), strict=True):
        undone = station.scan("%UNDO")
        assert (said(undone), undone.quantity) == (("recorded", None), quantity)
        assert station.rows("stock") == expected
    assert [edge[3] for edge in station.edges()].count("0") == 0
    assert station.faults() == []
    station.scan("%QTY 4")
    assert station.scan("%OP 20 WO-1").quantity == "4"


Step = tuple[str, int]


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["%OP 10 WO-1", "%OP 20 WO-1", "%OP 30 WO-1", "WO-1", "scrap"]),
            st.integers(1, 4),
        ),
        max_size=8,
    )
)
def test_any_way_to_the_end_takes_what_one_report_takes(steps: list[Step]) -> None:
    """BF-4, BF-11, BF-26: per line, whatever was reported where; scrapped units as far as they
    were."""
    with memory_folder() as folder:
        station = open_station(folder, TABLE)
        taken_by_scrap = 0
        for code, quantity in steps:
            if code == "scrap":
                station.scan("%SCRAP CRACK")
            station.scan(f"%QTY {quantity}")
            outcome = station.scan("WO-1" if code == "scrap" else code)
            station.scan("%CANCEL")
            if code == "scrap" and outcome.outcome == "completed":
                taken_by_scrap += quantity
        station.scan("WO-1")
        order = station.order("WO-1")
        assert order["status"] == "closed"
        assert int(order["completed"]) + taken_by_scrap == 10
        assert 90 <= int(station.stock("TOP", "T-1")) <= 90 + taken_by_scrap
        assert 360 <= int(station.stock("LEG", "L-1")) <= 360 + 4 * taken_by_scrap
        assert 990 <= int(station.stock("BOX")) <= 990 + taken_by_scrap
        assert station.faults() == []


def _operations(points: list[int]) -> list[OperationFacts]:
    return [
        OperationFacts(position, str(position * 10), "", point, 0, 0, 0)
        for position, point in enumerate([*points, 1], 1)
    ]


@given(
    points=st.lists(st.integers(0, 1), max_size=4),
    steps=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9), st.integers(0, 3)), max_size=12),
)
def test_operations_never_deliver_more_than_the_ones_before(
    points: list[int], steps: list[tuple[int, int, int]]
) -> None:
    """BF-11: sweeping keeps each at least at what reached the next; what is due only grows."""
    operations: tuple[OperationFacts, ...] = tuple(_operations(points))
    due = reported(operations, 0)
    for place, good, scrapped in steps:
        position = min(place, len(operations))
        operations = after(operations, gains(operations, position, good, scrapped))
        for earlier, later in pairwise(operations):
            assert earlier.good_micro >= later.good_micro + later.scrapped_micro
            room = available_micro(operations, later.position)
            assert room is None or room >= 0
        now = reported(operations, 0)
        assert all(now.by_position[place] >= due.by_position[place] for place in now.by_position)
        due = now


@pytest.mark.parametrize("rule", ["", "order"])
def test_what_was_in_a_scrapped_unit_only_is_in_no_finished_lot(tmp_path: Path, rule: str) -> None:
    """BF-26, BF-37: units on the way are in the order's own lot, scrapped ones are not, so a recall
    of the one bad top finds no desk that was finished."""
    station = open_station(
        tmp_path,
        plant(
            items=f"item,tracking,lot_rule\nDESK,lot,{rule}\nTOP,lot,",
            boms="item,revision\nDESK,A",
            bom_lines="item,revision,line,component,quantity,operation\nDESK,A,10,TOP,1,10",
            routings="item,revision,operation,backflush_point\nDESK,A,10,yes\nDESK,A,20,yes",
            receipts="""
                reference,item,lot,location,quantity,effective_at
                R1,TOP,T-BAD,LINE,1,2026-11-01
                R2,TOP,T-2,LINE,9,2026-11-02
                """,
            work_orders="work_order,item,quantity,status\nWO-1,DESK,5,released",
        ),
    )
    for code in ("%SCRAP CRACK", "WO-1", "%QTY 2", "%OP 10 WO-1", "WO-1"):
        station.scan(code)
    assert station.order("WO-1")["completed"] == "4"
    assert station.db.conn.execute(
        "SELECT c.lot, p.lot, sum(e.quantity_micro) / 1000000 FROM edge e "
        "JOIN lot c ON c.lot_id = e.child_id JOIN lot p ON p.lot_id = e.parent_id "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall() == [("", "T-BAD", 1), ("WO-1", "T-2", 4)]
    station.scan("%UNDO")
    assert station.faults() == []
