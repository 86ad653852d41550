"""Counts: blind, while the line runs, against the books of the moment (BF-32)."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from mes_terminal.errors import InputError
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
    (opened,) = station.rows("outbox", type="exception.opened")
    (told,) = station.rows("outbox", type="exception.resolved")
    number = opened["event"]["data"]["detail"]["exception_id"]
    assert told["event"]["data"]["exceptions"][0]["id"] == number, "upstream hears the end (UP-9)"


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
    """BF-32: never counted, empty while the order waits, an exception, the rhythm of its class."""
    station = chairs(tmp_path, tolerance_pct=1)
    station.rules = replace(station.rules, count_days={"A": 9, "B": 9, "C": 9, "default": 30})
    assert rows(station, "counts_due") == [
        ("LINE", "LEG", "never"), ("LINE", "MOTOR", "never"), ("LINE", "SCREW", "never"),
    ]  # fmt: skip
    count(station, "M-1", "%QTY 1000", "SCREW")
    station.scan("%MOVE FG")
    for code in ("LEG|L-1", "%MOVE FG", "LEG|L-2", "%MOVE FG", "LEG|L-3"):
        assert station.scan(code).outcome == "recorded"
    due = [("LINE", "LEG", "empty"), ("LINE", "MOTOR", "exception")]
    assert rows(station, "counts_due") == due
    station.clock += timedelta(days=29)
    assert rows(station, "counts_due") == due
    station.clock += timedelta(days=2)
    assert rows(station, "counts_due") == [*due, ("LINE", "SCREW", "rhythm")]


def test_each_class_of_items_has_its_rhythm(tmp_path: Path) -> None:
    """BF-32, `stock.count_days`: an A item is due after 30 days, one of class B is not."""
    items = "item,item_class,tracking,kind\nCHAIR,,none,\nLEG,A,lot,\nSCREW,B,none,"
    station = chairs(tmp_path, items=items, receipts="reference,item,lot,location,quantity\n"
                     "R1,LEG,L-1,LINE,40\nR2,SCREW,,LINE,9")  # fmt: skip
    count(station, "LEG|L-1|40", "%QTY 9", "SCREW")
    station.clock += timedelta(days=31)
    assert rows(station, "counts_due") == [("LINE", "LEG", "rhythm")]


def test_what_an_open_order_draws_is_due_although_it_never_lay_there(tmp_path: Path) -> None:
    """BF-32: nobody received a screw, and the line waits for it."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity\nR1,LEG,L-1,LINE,4")
    assert ("LINE", "SCREW", "empty") in rows(station, "counts_due")


def test_a_shortage_elsewhere_is_no_reason_to_count_here(tmp_path: Path) -> None:
    """BF-32: the exception of a line that draws at BENCH."""
    station = chairs(
        tmp_path,
        locations="location,kind\nBENCH,line_side",
        bom_lines="item,revision,line,component,quantity,supply_location\nCHAIR,A,10,LEG,4,BENCH",
    )
    station.scan("WO-1")
    assert [row for row in rows(station, "counts_due") if row[1] == "LEG"] == [
        ("BENCH", "LEG", "exception"), ("LINE", "LEG", "never"),
    ]  # fmt: skip


def test_nothing_of_an_item_is_a_count_of_it(tmp_path: Path) -> None:
    """BF-32: `%COUNT item` while a place is counted."""
    station = chairs(tmp_path)
    assert count(station, "%COUNT SCREW", "%COUNT LEG") == "LINE counted, 2 items: 2 corrected"
    assert adjusted(station) == [
        ("LEG", "L-1", "-40"), ("LEG", "L-2", "-60"), ("LEG", "L-3", "-20"), ("LEG", "L-3", "-20"),
        ("SCREW", None, "-1000"),
    ]  # fmt: skip
    station.scan("%COUNT LINE")
    assert said(station.scan("%COUNT NOTHING-KNOWN")) == ("rejected", "no_effect")


def test_nothing_of_an_item_that_was_never_there_is_right(tmp_path: Path) -> None:
    """BF-32, BF-20: 8 screws are owed, none is there, and there is no lot to book anything in."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity\nR1,SCREW,,LINE,9")
    station.scan("%QTY 1")
    station.scan("WO-1")
    station.scan("%COUNT LINE")
    for code in ("%COUNT LEG", "%QTY 1", "SCREW", "%COUNT"):
        station.scan(code)
    assert said(station.scan("%COUNT 0")) == ("recorded", None)
    assert adjusted(station) == []
    assert station.faults() == []


def test_a_container_that_gave_too_much_is_explained_by_a_count(tmp_path: Path) -> None:
    """BF-32, BF-17: the exception of the reports that it fed ends, and the event says so."""
    station = chairs(tmp_path)
    station.scan("BOX-1")
    station.scan("%QTY 8")
    outcome = station.scan("WO-1")
    assert [each.kind for each in outcome.exceptions] == ["lot_overdrawn"]
    station.scan("%COUNT LINE")
    for code in ("%COUNT LEG", "%COUNT"):
        station.scan(code)
    counted = station.scan("%COUNT 0")
    assert station.exceptions()[0][:2] == ("lot_overdrawn", "resolved")
    (ended,) = [row for row in station.rows("audit") if row["type"].endswith("count.ended.v1")]
    assert ended["event"]["data"]["detail"]["items"][0]["explains"] == [outcome.exceptions[0].id]
    assert counted.scan_id in station.rows("exceptions")[0]["resolution"]


def test_the_books_were_so_right_by_place_and_class(tmp_path: Path) -> None:
    """BF-32, accuracy: of class A two of three counts needed nobody; 2 of 42 legs, 6 of 38 gone and
    one to many screws at 0.50; glue has no cost. What is dropped or open is no count."""
    station = chairs(
        tmp_path,
        tolerance_pct=5,
        items="""
            item,item_class,tracking,kind,uom,decimals,standard_cost,cost_per
            CHAIR,,none,,,,,
            LEG,A,lot,,,,2.50,1
            SCREW,A,none,,,,50,100
            GLUE,,none,,kg,3,,
            """,
        receipts="""
            reference,item,lot,location,quantity,effective_at
            R1,LEG,L-1,LINE,40,2026-11-01
            R2,SCREW,,LINE,100,2026-11-02
            R3,GLUE,,LINE,1.5,2026-11-02
            """,
    )
    count(station, "LEG|L-1|42")
    count(station, "LEG|L-1|32", "%QTY 1.25", "GLUE")
    count(station, "%QTY 101", "SCREW")
    for code in ("%COUNT LINE", "LEG|L-1|1", "%CANCEL", "%COUNT LINE", "LEG|L-1|1"):
        station.scan(code)
    assert station.rows("count_accuracy") == [
        {
            "location": "LINE", "item_class": None, "counts": 1, "within": 0, "share_pct": "0",
            "quantities": [
                {"uom": "kg", "expected": "1.5", "absolute": "0.25", "net": "-0.25"}
            ],
            "value_absolute": None, "value_net": None, "currency": None, "unvalued": 1,
        },
        {
            "location": "LINE", "item_class": "A", "counts": 3, "within": 2, "share_pct": "66.67",
            "quantities": [
                {"uom": "pcs", "expected": "182", "absolute": "13", "net": "-7"}
            ],
            "value_absolute": "30.50", "value_net": "-19.50", "currency": "EUR", "unvalued": 0,
        },
    ]  # fmt: skip


def test_accuracy_is_asked_for_an_item_a_place_and_a_time(tmp_path: Path) -> None:
    """BF-32: the filters, each alone."""
    station = chairs(tmp_path)
    count(station, "LEG|L-1|40", "LEG|L-2|60", *BOXES, "%QTY 999", "SCREW")
    station.clock += timedelta(days=1)
    count(station, "%QTY 999", "SCREW")

    def counts_of(**filters: str) -> int:
        return sum(row["counts"] for row in station.rows("count_accuracy", **filters))

    assert (counts_of(), counts_of(item="LEG"), counts_of(location="FG")) == (3, 1, 0)
    assert counts_of(since="2026-11-21") == 1
    with pytest.raises(InputError, match="no day"):
        station.rows("count_accuracy", since="yesterday")
    with pytest.raises(InputError, match="no filter 'lot'"):
        station.rows("count_accuracy", lot="L-1")
