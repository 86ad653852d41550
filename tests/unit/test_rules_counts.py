"""Counts: blind, while the line runs, against the books of the moment (BF-32)."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from mes_terminal.store.database import open_database
from tests.plants import TEST_RULES, Station, open_station, plant, said

CHAIRS = plant(
    items="""
        item,tracking,kind,uom,decimals
        CHAIR,none,,,
        LEG,lot,,,
        SCREW,none,,,
        GLUE,none,,kg,3
        MOTOR,serial,,,
        """,
    boms="item,revision\nCHAIR,A",
    bom_lines="""
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        CHAIR,A,20,SCREW,8
        """,
    receipts="""
        reference,item,lot,serial,container,location,quantity,effective_at
        R1,LEG,L-1,,,LINE,40,2026-11-01
        R2,LEG,L-2,,,LINE,60,2026-11-02
        R3,SCREW,,,,LINE,1000,2026-11-02
        R4,LEG,L-3,,BOX-1,LINE,20,2026-11-03
        R5,LEG,L-3,,BOX-2,LINE,20,2026-11-03
        R6,MOTOR,,M-1,,LINE,1,2026-11-03
        R7,MOTOR,,M-2,,LINE,1,2026-11-03
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,50,released
        """,
    operators="badge,name,role\nAK,Anna,operator\nSU,Sue,supervisor",
)
BOXES = ("%QTY 20", "BOX-1", "%QTY 20", "BOX-2")


def chairs(folder: Path, tolerance_pct: int = 100, **changed: str) -> Station:
    """Chairs of 4 legs and 8 screws; legs in two lots, and two boxes of a third."""
    rules = replace(TEST_RULES, count_tolerance_pct_micro=tolerance_pct * 1_000_000)
    return open_station(folder, CHAIRS | plant(**changed), rules)


def count(station: Station, *codes: str) -> str:
    station.scan("%COUNT LINE")
    for code in codes:
        assert said(station.scan(code)) == ("recorded", None), code
    return station.scan("%COUNT").message


def adjusted(station: Station) -> list[tuple[str, str | None, str]]:
    return [
        (row["item"], row["lot"], ("" if row["to"] == "LINE" else "-") + row["quantity"])
        for row in station.rows("movements")
        if row["kind"] == "adjustment"
    ]


def test_a_count_that_agrees_books_nothing(tmp_path: Path) -> None:
    """BF-32."""
    station = chairs(tmp_path)
    message = count(station, "LEG|L-1|40", "LEG|L-2|60", *BOXES)
    assert message == "LINE counted, 1 item: 1 right"
    assert adjusted(station) == []
    assert station.faults() == []


def test_a_difference_is_booked_lot_by_lot(tmp_path: Path) -> None:
    """BF-32. Two of L-1 are gone, one more of L-2 is there, and nobody found L-3."""
    station = chairs(tmp_path)
    message = count(station, "LEG|L-1|38", "LEG|L-2|61")
    assert message == "LINE counted, 1 item: 1 corrected"
    assert adjusted(station) == [
        ("LEG", "L-1", "-2"), ("LEG", "L-2", "1"), ("LEG", "L-3", "-20"), ("LEG", "L-3", "-20"),
    ]  # fmt: skip
    assert station.faults() == []


def test_the_line_goes_on_while_it_is_counted(tmp_path: Path) -> None:
    """BF-32: the book is that of the scan; what is used between then and the end stays right."""
    station = chairs(tmp_path)
    station.scan("%COUNT LINE")
    station.scan("LEG|L-1|39")
    station.scan("%QTY 990")
    station.scan("SCREW")
    assert station.scan("%QTY 2").outcome == "recorded"
    assert station.scan("WO-1").outcome == "completed"
    for code in ("LEG|L-2|60", *BOXES, "%COUNT"):
        outcome = station.scan(code)
    assert said(outcome) == ("needs", "quantity")
    station.scan("%COUNT 0")
    assert adjusted(station) == [("LEG", "L-1", "-1"), ("SCREW", None, "-10")]
    assert (station.stock("LEG", "L-1"), station.stock("SCREW")) == ("31", "974")
    assert station.faults() == []


def test_what_is_counted_after_a_report_is_held_against_the_books_after_it(tmp_path: Path) -> None:
    """BF-32: two chairs take 8 legs before anybody counts."""
    station = chairs(tmp_path)
    station.scan("%QTY 2")
    station.scan("WO-1")
    station.scan("%COUNT LINE")
    for code in ("LEG|L-1|32", "LEG|L-2|60", *BOXES, "%COUNT"):
        station.scan(code)
    assert station.scan("%COUNT 0").message == "LINE counted, 1 item: 1 right"
    assert adjusted(station) == []


def test_nobody_is_told_what_the_books_say(tmp_path: Path) -> None:
    """BF-32: blind."""
    station = chairs(tmp_path)
    station.scan("%COUNT LINE")
    outcome = station.scan("LEG|L-1|38")
    assert outcome.message == "38 pcs of L-1 of LEG counted"
    assert "40" not in f"{outcome.message}{outcome.hint}"


def test_a_count_asks_for_a_quantity(tmp_path: Path) -> None:
    """BF-32: a lot without a number is no count of it."""
    station = chairs(tmp_path)
    station.scan("%COUNT LINE")
    assert said(station.scan("LEG|L-1")) == ("needs", "quantity")
    station.scan("%QTY 12")
    assert station.scan("LEG|L-1").quantity == "12"


def test_what_is_scanned_twice_is_added(tmp_path: Path) -> None:
    """BF-32: two heaps of one lot."""
    station = chairs(tmp_path)
    station.scan("%COUNT LINE")
    station.scan("LEG|L-1|30")
    assert station.scan("LEG|L-1|10").message == "10 pcs of L-1 of LEG counted, 40 in all"


def test_a_lot_is_not_mounted_while_it_is_counted(tmp_path: Path) -> None:
    """BF-32."""
    station = chairs(tmp_path)
    count(station, "LEG|L-2|60")
    assert station.db.conn.execute("SELECT count(*) FROM mount").fetchone() == (0,)


def test_a_lots_own_label_counts_all_its_boxes(tmp_path: Path) -> None:
    """BF-32: 35 of L-3 without a word of its boxes; 15 where one of two was scanned itself."""
    station = chairs(tmp_path)
    count(station, "LEG|L-1|40", "LEG|L-2|60", "LEG|L-3|35")
    assert adjusted(station) == [("LEG", "L-3", "-5")]
    count(station, "LEG|L-1|40", "LEG|L-2|60", "%QTY 20", "BOX-2", "LEG|L-3|15")
    assert adjusted(station) == [("LEG", "L-3", "-5")]
    assert station.faults() == []


def test_zero_is_a_count(tmp_path: Path) -> None:
    """BF-32: nothing is left of L-1, and somebody says so."""
    station = chairs(tmp_path)
    count(station, "LEG|L-1|0", "LEG|L-2|60", *BOXES)
    assert adjusted(station) == [("LEG", "L-1", "-40")]


def test_serials_that_nobody_found_are_gone(tmp_path: Path) -> None:
    """BF-32."""
    station = chairs(tmp_path)
    count(station, "M-2")
    assert station.rows("stock", item="MOTOR") == [
        {"item": "MOTOR", "lot": None, "serial": "M-2", "location": "LINE", "quantity": "1",
         "uom": "pcs"}
    ]  # fmt: skip


def test_what_is_owed_is_not_expected(tmp_path: Path) -> None:
    """BF-32, BF-22: 50 chairs need 200 legs, 140 are in the books, 60 are owed. 20 more are found:
    80 too many, so 80 come to the books and the 60 are posted."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    assert station.exceptions(kind="shortage") == [("shortage", "open", "10", "LEG", "60")]
    station.scan("%COUNT LINE")
    station.scan("LEG|L-2|20")
    outcome = station.scan("%COUNT")
    station.heal()
    assert outcome.exceptions[0].quantity == "80"  # nothing was expected: a supervisor looks
    assert station.exceptions(kind="shortage")[0][1] == "open"
    assert station.faults() == []


def test_units_on_the_line_hold_what_is_not_on_the_shelf(tmp_path: Path) -> None:
    """BF-32: 3 chairs are begun: 12 legs less than the books are right, and the number is kept."""
    station = chairs(tmp_path)
    station.scan("%START WO-1")
    station.scan("%COUNT LINE")
    for code in ("LEG|L-1|28", "LEG|L-2|60", *BOXES):
        station.scan(code)
    asked = station.scan("%COUNT")
    assert said(asked) == ("needs", "quantity")
    assert asked.work_order == "WO-1"
    assert station.scan("%COUNT 3").message == "LINE counted, 1 item: 1 right"
    assert adjusted(station) == []
    kept = station.db.conn.execute("SELECT units_micro FROM count_units").fetchall()
    assert kept == [(3_000_000,)]


def test_what_passed_an_operation_is_known(tmp_path: Path) -> None:
    """BF-32, BF-11: 5 chairs passed an operation that posts nothing: 20 legs are in them."""
    station = chairs(
        tmp_path,
        routings="""
            item,revision,operation,backflush_point
            CHAIR,A,10,no
            CHAIR,A,20,yes
            """,
        bom_lines="""
            item,revision,line,component,quantity,operation
            CHAIR,A,10,LEG,4,10
            CHAIR,A,20,SCREW,8,20
            """,
    )
    station.scan("%QTY 5")
    assert station.scan("%OP 10 WO-1").outcome == "completed"
    message = count(station, "LEG|L-1|20", "LEG|L-2|60", *BOXES)
    assert message == "LINE counted, 1 item: 1 right"
    assert adjusted(station) == []


def test_beyond_the_tolerance_a_person_approves(tmp_path: Path) -> None:
    """BF-32: 5 % of 1000 screws are 50; 51 less open one exception and move nothing."""
    station = chairs(tmp_path, tolerance_pct=5)
    assert count(station, "%QTY 950", "SCREW") == "LINE counted, 1 item: 1 corrected"
    station.scan("%COUNT LINE")
    station.scan("%QTY 890")
    station.scan("SCREW")
    outcome = station.scan("%COUNT")
    assert outcome.message == "LINE counted, 1 item: 1 for a supervisor to approve"
    assert [(each.kind, each.item, each.quantity) for each in outcome.exceptions] == [
        ("count_variance", "SCREW", "60")
    ]
    assert station.stock("SCREW") == "950"
    assert station.faults() == []


def test_a_second_count_replaces_the_first(tmp_path: Path) -> None:
    """BF-32: counted again, and now it is right."""
    station = chairs(tmp_path, tolerance_pct=0)
    count(station, "%QTY 900", "SCREW")
    count(station, "%QTY 1000", "SCREW")
    assert station.exceptions(kind="count_variance") == [
        ("count_variance", "resolved", None, "SCREW", "100")
    ]


def test_more_stock_heals_what_was_owed(tmp_path: Path) -> None:
    """BF-22, BF-32: 1000 screws in the books, 1200 needed; 300 are left on the shelf all the same.
    500 were beside the books: 200 of them are posted, 300 stay."""
    station = chairs(
        tmp_path, work_orders="work_order,item,quantity,status\nWO-1,CHAIR,150,released"
    )
    station.rules = replace(station.rules, count_tolerance_pct_micro=0)
    station.scan("WO-1")
    assert ("shortage", "open", "20", "SCREW", "200") in station.exceptions()
    station.scan("%COUNT LINE")
    station.scan("%QTY 300")
    station.scan("SCREW")
    outcome = station.scan("%COUNT")
    assert [each.quantity for each in outcome.exceptions] == ["500"]


def test_the_only_lot_after_a_count_is_sole(tmp_path: Path) -> None:
    """BF-37: L-2 alone was found; what is drawn from it is `sole`."""
    station = chairs(tmp_path)
    count(station, "LEG|L-2|60")
    station.scan("%QTY 1")
    outcome = station.scan("WO-1")
    assert [each.certainty for each in outcome.consumed if each.item == "LEG"] == ["sole"]


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        (["%COUNT"], ("rejected", "malformed")),
        (["%COUNT NOWHERE"], ("rejected", "malformed")),
        (["%COUNT @supplier"], ("rejected", "malformed")),
        (["%COUNT LINE", "%COUNT FG"], ("rejected", "no_effect")),
        (["%COUNT LINE", "LEG|L-99|5"], ("rejected", "lot_unknown")),
        (["%COUNT LINE", "LEG|L-1|1.5"], ("rejected", "not_a_step")),
        (["%COUNT LINE", "LEG"], ("needs", "lot")),
        (["%COUNT LINE", "L:LINE"], ("rejected", "no_effect")),
        (["%COUNT LINE", "NOBODY-KNOWS"], ("unknown", None)),
    ],
)
def test_wrong_use_counts_nothing(
    tmp_path: Path, codes: list[str], told: tuple[str, str | None]
) -> None:
    """BF-32: each is told in a sentence, and nothing is counted or booked."""
    station = chairs(tmp_path)
    for code in codes:
        outcome = station.scan(code)
    assert said(outcome) == told
    assert outcome.message
    assert station.db.conn.execute("SELECT count(*) FROM count_stock").fetchone() == (0,)
    assert adjusted(station) == []


def test_cancel_drops_a_count(tmp_path: Path) -> None:
    """BF-32: with a number pending it is the number that goes; then the count."""
    station = chairs(tmp_path)
    station.scan("%COUNT LINE")
    station.scan("LEG|L-1|1")
    station.scan("%QTY 5")
    assert station.scan("%CANCEL").message == "Cancelled"
    assert station.scan("%CANCEL").message == "The count of LINE is dropped"
    assert adjusted(station) == []
    assert station.scan("LEG|L-1").message.startswith("LEG")  # mounted, as ever


def test_a_count_survives_a_restart(tmp_path: Path) -> None:
    """BF-32: what was counted is rows."""
    station = chairs(tmp_path)
    station.scan("%COUNT LINE")
    station.scan("LEG|L-1|39")
    station.db.close()
    again = Station(open_database(tmp_path / "station.db"), station.rules)
    again.clock, again.scans = station.clock, station.scans
    for code in ("LEG|L-2|60", *BOXES, "%COUNT"):
        again.scan(code)
    assert adjusted(again) == [("LEG", "L-1", "-1")]


def test_a_lot_never_goes_below_zero(tmp_path: Path) -> None:
    """BF-19, BF-32: nothing of L-1 is found, and its last legs are posted before the end."""
    station = chairs(tmp_path)
    station.scan("%COUNT LINE")
    station.scan("LEG|L-1|0")
    station.scan("%QTY 10")
    station.scan("WO-1")
    for code in ("LEG|L-2|60", *BOXES, "%COUNT", "%COUNT 0"):
        station.scan(code)
    assert station.stock("LEG", "L-1") == "0"
    assert station.faults() == []


def rows(station: Station, name: str, **filters: str) -> list[tuple[object, ...]]:
    keys = {
        "counts": ("item", "expected", "counted", "difference", "in_process", "status"),
        "counts_due": ("location", "item", "reason"),
    }[name]
    return [tuple(row[key] for key in keys) for row in station.rows(name, **filters)]


def test_the_list_tells_what_each_item_came_to(tmp_path: Path) -> None:
    """BF-32."""
    station = chairs(tmp_path, tolerance_pct=1)
    count(station, "LEG|L-1|40", "LEG|L-2|60", *BOXES, "%QTY 991", "SCREW")
    count(station, "M-1")
    station.scan("%COUNT LINE")
    station.scan("LEG|L-1|1")
    assert rows(station, "counts") == [
        ("LEG", "140", "140", "0", "0", "right"),
        ("SCREW", "1000", "991", "-9", "0", "corrected"),
        ("MOTOR", "2", "1", "-1", "0", "waiting"),
        ("LEG", None, None, None, "0", "open"),
    ]


def test_what_is_due_is_named_with_its_reason(tmp_path: Path) -> None:
    """BF-32: never counted, empty while the order waits, an exception, the rhythm."""
    station = chairs(tmp_path, tolerance_pct=1)
    days = {"now": "2026-12-31T00:00:00.000000Z", "A": "9", "B": "9", "C": "9", "default": "30"}
    assert rows(station, "counts_due", **days) == [
        ("LINE", "LEG", "never"), ("LINE", "MOTOR", "never"), ("LINE", "SCREW", "never"),
    ]  # fmt: skip
    count(station, "M-1", "%QTY 1000", "SCREW")
    station.scan("%MOVE FG")
    for code in ("LEG|L-1", "%MOVE FG", "LEG|L-2", "%MOVE FG", "LEG|L-3"):
        assert station.scan(code).outcome == "recorded"
    soon = days | {"now": "2026-11-21T00:00:00.000000Z"}
    assert rows(station, "counts_due", **soon) == [
        ("LINE", "LEG", "empty"), ("LINE", "MOTOR", "exception"),
    ]  # fmt: skip
    assert ("LINE", "SCREW", "rhythm") in rows(station, "counts_due", **days)
