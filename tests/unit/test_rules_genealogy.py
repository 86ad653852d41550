"""Lots made, expiry, certainty of genealogy, the double-entry ledger (BF-35 … BF-37, BF-39)."""

from pathlib import Path

import msgspec
import pytest

from tests.plants import TEST_RULES, Station, certainties, open_station, plant, said

HEADER = "reference,item,lot,container,location,quantity,effective_at,expires_on"
PRODUCT = "item,tracking,{0}\nCHAIR,lot,{1}\nLEG,lot,"


def chairs(
    folder: Path, *receipts: str, product: tuple[str, str] = ("description", ""), **tables: str
) -> Station:
    """A chair of four legs; the receipts are of legs: lot, container, quantity, expiry."""
    rows = []
    for number, row in enumerate(receipts, 1):
        lot, container, quantity, expiry = row.split(",")
        rows.append(f"R{number},LEG,{lot},{container},LINE,{quantity},2026-11-0{number},{expiry}")
    base = plant(
        items=PRODUCT.format(*product),
        boms="item,revision\nCHAIR,A",
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
        receipts="\n".join([HEADER, *rows]),
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released\nWO-2,CHAIR,10,released",
    )
    return open_station(folder, base | plant(**tables))


def test_the_only_lot_since_the_last_receipt_is_sole(tmp_path: Path) -> None:
    """BF-37: A alone; then B arrives beside it; when A is gone, B is not the only one *since*; once
    C comes and everything else is gone, C is."""
    station = chairs(tmp_path, "A,,8,")
    assert certainties(station.scan("%QTY 1") and station.scan("WO-1")) == [("10", "A", "sole")]
    station.load(plant(receipts=f"{HEADER}\nR8,LEG,B,,LINE,8,2026-11-08,"))
    assert certainties(station.scan("%QTY 1") and station.scan("WO-1")) == [("10", "A", "assumed")]
    assert certainties(station.scan("%QTY 2") and station.scan("WO-1")) == [("10", "B", "assumed")]
    station.load(plant(receipts=f"{HEADER}\nR9,LEG,C,,LINE,8,2026-11-09,"))
    assert certainties(station.scan("%QTY 1") and station.scan("WO-1")) == [("10", "C", "sole")]


def test_a_lot_that_comes_back_makes_the_other_doubtful(tmp_path: Path) -> None:
    """BF-37, BF-31: A is used up, B arrives alone, then the report that took A is taken back."""
    station = chairs(tmp_path, "A,,4,")
    station.scan("%QTY 1")
    station.scan("WO-1")
    station.load(plant(receipts=f"{HEADER}\nR8,LEG,B,,LINE,40,2026-11-08,"))
    station.scan("%UNDO")
    station.scan("%QTY 2")
    assert certainties(station.scan("WO-1")) == [("10", "A", "assumed"), ("10", "B", "assumed")]


LEFT_AND_RIGHT = """
    item,revision,line,component,quantity,mount_position
    CHAIR,A,10,LEG,2,LEFT
    CHAIR,A,20,LEG,2,RIGHT
    """


def two_boxes(folder: Path, left: str, right: str, units: str) -> list[tuple[str | None, ...]]:
    """Return what chairs take of a box of so many legs in each position: line, lot, quantity,
    certainty."""
    station = chairs(
        folder, f"L-1,BOX-1,{left},", f"L-2,BOX-2,{right},", bom_lines=LEFT_AND_RIGHT
    )  # fmt: skip
    for code in ("BOX-1", "BOX-2", f"%QTY {units}"):
        station.scan(code)
    outcome = station.scan("WO-1")
    assert station.faults() == []
    return [(each.line, each.lot, each.quantity, each.certainty) for each in outcome.consumed]


@pytest.mark.parametrize(
    ("units", "legs", "boxes"), [("9", "18", "20"), ("1", "2", "20"), ("9", "18", "18")]
)
def test_each_line_draws_from_the_box_in_its_own_position(
    tmp_path: Path, units: str, legs: str, boxes: str
) -> None:
    """BF-15, BF-17, BF-37: a leg on the left is never of the box on the right while its own has
    any, so each edge is exact."""
    assert two_boxes(tmp_path, boxes, boxes, units) == [
        ("10", "L-1", legs, "exact"), ("20", "L-2", legs, "exact"),
    ]  # fmt: skip


def test_no_line_takes_what_another_needs_of_its_own_box(tmp_path: Path) -> None:
    """BF-15, BF-17: line 10 lacks 15, and line 20 needs all 18 of the box on the right."""
    assert two_boxes(tmp_path, "3", "20", "9") == [
        ("10", "L-1", "3", "pooled"), ("10", "L-2", "2", "pooled"), ("20", "L-2", "18", "exact"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("left", "taken"),
    [
        ("1", [("10", "L-1", "1", "exact"), ("10", "L-2", "1", "exact")]),
        ("0", [("10", "L-2", "2", "assumed")]),
    ],
)
def test_one_unit_that_runs_over_into_another_position_is_sure_of_both(
    tmp_path: Path, left: str, taken: list[tuple[str, ...]]
) -> None:
    """BF-37 as settled: one unit of two scanned boxes has both. Where its own gives nothing, nobody
    scanned the other for that line: the program chose it."""
    station = chairs(tmp_path, "L-1,BOX-1,1,", "L-2,BOX-2,20,", bom_lines=LEFT_AND_RIGHT)
    for code in ("BOX-1", "BOX-2"):
        station.scan(code)
    if left == "0":
        station.scan("%UNMOUNT")
        station.scan("BOX-1")
        station.scan("%MOVE FG")
        station.scan("BOX-1")
    station.scan("%QTY 1")
    outcome = station.scan("WO-1")
    assert [(each.line, each.lot, each.quantity, each.certainty) for each in outcome.consumed] == [
        *taken,
        ("20", "L-2", "2", "exact"),
    ]


def test_the_only_lot_is_sole_out_of_another_position(tmp_path: Path) -> None:
    """BF-37: both boxes are of one lot, so there is nothing to assume."""
    station = chairs(tmp_path, "L-1,BOX-1,1,", "L-1,BOX-2,20,", bom_lines=LEFT_AND_RIGHT)
    for code in ("BOX-1", "BOX-2", "%QTY 1"):
        station.scan(code)
    assert certainties(station.scan("WO-1")) == [("10", "L-1", "sole"), ("20", "L-1", "exact")]


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (("BOX-1",), [("10", "A", "exact"), ("20", "A", "exact")]),
        (("BOX-1", "BOX-2"), [("10", "A", "assumed"), ("20", "A", "exact"), ("30", "B", "exact")]),
    ],
)
def test_a_line_without_a_position_is_sure_of_the_one_box_that_is_mounted(
    tmp_path: Path, boxes: tuple[str, ...], expected: list[tuple[str, str, str]]
) -> None:
    """BF-37: line 10 names none, and nothing is in the position of its item."""
    lines = ["CHAIR,A,20,LEG,2,LEFT", "CHAIR,A,30,LEG,2,RIGHT"][: len(boxes)]
    station = chairs(
        tmp_path,
        "A,BOX-1,50,", "B,BOX-2,50,",
        bom_lines="item,revision,line,component,quantity,mount_position\n" + "\n".join(lines),
    )  # fmt: skip
    for box in boxes:
        station.scan(box)
    station.load(
        plant(
            bom_lines="item,revision,line,component,quantity,mount_position\n"
            + "\n".join(["CHAIR,A,10,LEG,1,", *lines]),
            work_orders="work_order,item,quantity,status\nWO-3,CHAIR,1,released",
        )
    )
    assert certainties(station.scan("WO-3")) == expected


def test_two_reports_of_one_box_each_are_exact_each(tmp_path: Path) -> None:
    """BF-37 as settled."""
    station = chairs(tmp_path, "A,BOX-1,8,", "B,BOX-2,8,")
    for box, lot in (("BOX-1", "A"), ("BOX-2", "B")):
        station.scan(box)
        station.scan("%QTY 2")
        assert certainties(station.scan("WO-1")) == [("10", lot, "exact")]


def test_part_covered_and_part_short_is_exact_and_unknown(tmp_path: Path) -> None:
    """BF-37 as settled."""
    station = chairs(tmp_path, "A,BOX-1,30,")
    station.scan("BOX-1")
    assert certainties(station.scan("WO-1")) == [("10", "A", "exact")]
    assert station.edges() == [
        ("WO-1", "unknown", "10", "10", "unknown"), ("WO-1", "A", "10", "30", "exact"),
    ]  # fmt: skip


def test_an_untracked_component_has_neither_certainty_nor_edge(tmp_path: Path) -> None:
    """BF-37."""
    station = chairs(
        tmp_path,
        items="item,tracking\nCHAIR,lot\nLEG,none",
        receipts="reference,item,location,quantity,effective_at\nR1,LEG,LINE,99,2026-11-01",
    )
    assert certainties(station.scan("WO-1")) == [("10", None, None)]
    assert station.edges() == []


def test_an_untracked_product_is_its_work_order(tmp_path: Path) -> None:
    """BF-37: two reports of one order hang on the same node."""
    station = chairs(tmp_path, "A,,400,", items="item,tracking\nCHAIR,none\nLEG,lot")
    station.scan("%QTY 1")
    assert station.scan("WO-1").lot is None
    station.scan("WO-1")
    station.scan("WO-2")
    assert station.edges() == [
        ("WO-1", "A", "10", "4", "sole"), ("WO-1", "A", "10", "36", "sole"),
        ("WO-2", "A", "10", "40", "sole"),
    ]  # fmt: skip
    assert station.stock("CHAIR", None, "FG") == "20"


def test_planned_scrap_has_no_edge_to_a_unit(tmp_path: Path) -> None:
    """BF-4, invariant 6: consumed of a lot = genealogy out of it + its scrap."""
    station = chairs(
        tmp_path,
        "A,,400,",
        bom_lines="item,revision,line,component,quantity,scrap_pct\nCHAIR,A,10,LEG,4,10",
    )
    station.scan("WO-1")
    assert station.edges() == [("WO-1", "A", "10", "40", "sole")]
    assert (station.stock("LEG", "A"), station.stock("LEG", "A", "SCRAP")) == ("356", "4")


@pytest.mark.parametrize(
    ("rule", "at", "lot"),
    [
        ("", "2026-11-20T10:00:00.000000Z", "WO-1"),
        ("order", "2026-11-20T10:00:00.000000Z", "WO-1"),
        ("day", "2026-11-20T10:00:00.000000Z", "20261120"),
        ("day", "2026-11-21T02:00:00.000000Z", "20261120"),
        ("day", "2026-11-21T06:00:00.000000Z", "20261121"),
        ("shift", "2026-11-20T10:00:00.000000Z", "20261120-EARLY"),
        ("shift", "2026-11-21T05:59:59.000000Z", "20261120-NIGHT"),
        ("shift", "2026-11-20T16:00:00.000000Z", "20261120"),
    ],
)
def test_the_rule_of_the_item_names_the_lot(tmp_path: Path, rule: str, at: str, lot: str) -> None:
    """BF-39, BF-33: the night shift belongs to the day it began; nobody works in the afternoon."""
    station = chairs(
        tmp_path,
        "A,,400,",
        product=("lot_rule", rule),
        shifts="shift,start,end\nEARLY,06:00,14:00\nNIGHT,22:00,06:00",
    )
    assert station.scan("WO-1", at=at).lot == lot


def test_the_lot_of_the_order_wins_over_the_rule(tmp_path: Path) -> None:
    """BF-39; an existing lot of the item is added to."""
    station = chairs(
        tmp_path,
        "A,,400,",
        product=("lot_rule", "day"),
        work_orders="""
            work_order,item,quantity,status,lot
            WO-1,CHAIR,10,released,BATCH-7
            WO-2,CHAIR,10,released,BATCH-7
            """,
    )
    assert [station.scan(code).lot for code in ("WO-1", "WO-2")] == ["BATCH-7"] * 2
    assert station.stock("CHAIR", "BATCH-7", "FG") == "20"


def test_a_scanned_lot_is_needed_kept_and_may_be_new(tmp_path: Path) -> None:
    """BF-39, `scanned`."""
    station = chairs(tmp_path, "A,,400,", product=("lot_rule", "scanned"))
    before = station.ledger()
    assert said(station.scan("WO-1")) == ("needs", "lot")
    assert station.ledger() == before
    outcome = station.scan("CHAIR|C-1")
    assert (said(outcome), outcome.lot) == (("recorded", None), "C-1")
    assert [station.scan("%QTY 1") and station.scan("WO-1").lot for _ in range(2)] == ["C-1", "C-1"]
    station.scan("CHAIR|C-2")
    assert station.scan("WO-1").lot == "C-2"
    assert said(station.scan("C-1")) == ("recorded", None), "a known lot by its bare number"
    assert station.scan("WO-2").lot == "C-1"


def test_a_short_close_needs_no_lot(tmp_path: Path) -> None:
    """BF-25, BF-39: it makes nothing."""
    station = chairs(tmp_path, "A,,400,", product=("lot_rule", "scanned"))
    station.scan("%SHORT why")
    assert said(station.scan("WO-1")) == ("completed", None)


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        ("shelf_life_days", "10", "2026-11-30"),
        ("inherit_expiry", "yes", "2026-12-24"),
        ("shelf_life_days,inherit_expiry", "10,yes", "2026-11-30"),
        ("shelf_life_days,inherit_expiry", "90,yes", "2026-12-24"),
        ("description", "", None),
    ],
)
def test_the_shorter_of_shelf_life_and_the_earliest_component_holds(
    tmp_path: Path, columns: str, values: str, expected: str | None
) -> None:
    """BF-39: 10 chairs take lots that expire on 24 December and 31 January."""
    station = chairs(
        tmp_path,
        "A,,20,2026-12-24", "B,,20,2027-01-31",
        items=f"item,tracking,{columns}\nCHAIR,lot,{values}\nLEG,lot,{',' * columns.count(',')}",
    )  # fmt: skip
    station.scan("WO-1")
    assert station.rows("lots", item="CHAIR")[0]["expires_on"] == expected


def test_a_later_report_may_shorten_the_lots_expiry_and_its_undo_gives_it_back(
    tmp_path: Path,
) -> None:
    """BF-39, BF-31: both orders make the same lot."""
    station = chairs(
        tmp_path,
        "A,,40,2026-12-24",
        product=("inherit_expiry", "yes"),
        work_orders="""
            work_order,item,quantity,status,lot
            WO-1,CHAIR,10,released,BATCH
            WO-2,CHAIR,10,released,BATCH
            """,
    )
    station.scan("WO-1")
    station.load(plant(receipts=f"{HEADER}\nR9,LEG,B,,LINE,40,2026-11-09,2026-12-01"))
    assert station.rows("lots", lot="BATCH")[0]["expires_on"] == "2026-12-24"
    station.scan("WO-2")
    assert station.rows("lots", lot="BATCH")[0]["expires_on"] == "2026-12-01"
    station.scan("%UNDO")
    assert station.rows("lots", lot="BATCH")[0]["expires_on"] == "2026-12-24"
    assert station.faults() == []


@pytest.mark.parametrize(
    "codes",
    [
        ("%START WO-1", "%ISSUE", "%QTY 4", "LEG|A", "WO-1"),
        ("%START WO-1", "%EXTRA why", "%QTY 4", "LEG|A", "WO-1"),
        ("%QTY 1", "%OP 10 WO-1", "WO-1"),
    ],
    ids=["issued by hand", "an extra part", "taken by an earlier operation"],
)
def test_what_went_into_the_units_before_shortens_their_expiry_too(
    tmp_path: Path, codes: tuple[str, ...]
) -> None:
    """BF-39, BF-10, BF-11: a component is a component, whoever took it and when; the undo of the
    report gives the expiry back."""
    station = chairs(
        tmp_path,
        "A,,4,2026-12-24", "B,,100,2027-01-31",
        product=("inherit_expiry", "yes"),
        routings="item,revision,operation,backflush_point\nCHAIR,A,10,yes\nCHAIR,A,20,yes",
        bom_lines=f"""
            item,revision,line,component,quantity,operation
            CHAIR,A,10,LEG,4,{"10" if "%OP 10 WO-1" in codes else "20"}
            """,
        work_orders="work_order,item,quantity,status,lot\nWO-1,CHAIR,10,released,BATCH",
    )  # fmt: skip
    for code in codes:
        outcome = station.scan(code)
    assert outcome.outcome == "completed"
    assert station.rows("lots", lot="BATCH")[0]["expires_on"] == "2026-12-24"
    station.scan("%UNDO")
    assert station.rows("lots", lot="BATCH")[0]["expires_on"] is None
    assert station.faults() == []


def test_goods_may_be_received_on_hold(tmp_path: Path) -> None:
    """BF-39: inspection by item; nothing picks them until they are released."""
    station = chairs(tmp_path, "A,,400,", product=("output_status", "hold"))
    station.scan("WO-1")
    assert station.rows("lots", item="CHAIR")[0]["status"] == "hold"


def test_the_ledger_is_double_entry_and_append_only(tmp_path: Path) -> None:
    """BF-35, BF-36: from the supplier to the line, from the line into production, out of it."""
    station = chairs(tmp_path, "A,,400,")
    station.scan("WO-1")
    assert [
        (row["kind"], row["item"], row["from"], row["to"], row["quantity"])
        for row in station.rows("movements")
    ] == [
        ("receipt", "LEG", "@supplier", "LINE", "400"),
        ("issue", "LEG", "LINE", "@production", "40"),
        ("production", "CHAIR", "@production", "FG", "10"),
    ]
    assert {row["location"] for row in station.rows("stock")} == {"LINE", "FG"}
    for statement in ("UPDATE movement SET quantity_micro = 1", "DELETE FROM movement"):
        with pytest.raises(Exception, match="movement"):
            station.db.conn.execute(statement)


def test_the_scrap_location_of_the_settings_is_listed_and_never_picked(tmp_path: Path) -> None:
    """BF-35."""
    rules = msgspec.structs.replace(TEST_RULES, scrap_location="BIN")
    station = open_station(
        tmp_path,
        plant(
            items="item\nBOX\nBOARD",
            boms="item,revision\nBOX,A",
            bom_lines="""
                item,revision,line,component,quantity,scrap_pct,supply_location
                BOX,A,10,BOARD,1,100,
                BOX,A,20,BOARD,1,,BIN
                """,
            receipts="reference,item,location,quantity,effective_at\nR1,BOARD,LINE,10,2026-11-01",
            work_orders="work_order,item,quantity,status\nWO-1,BOX,2,released",
        ),
        rules,
    )
    station.scan("BOX")
    assert [(e.line, e.quantity) for e in station.scan("BOX").exceptions] == [("20", "1")]
    assert station.stock("BOARD", location="BIN") == "2"
