"""`load --diff`: what changes, which open orders take it and how, what stock of a leaving part."""

from typing import Any

from mes_terminal.cli.load_text import diff_lines
from mes_terminal.domain.load_changes import BomPart, LoadDiff, Place
from mes_terminal.store.database import Database
from tests.plants import as_json
from tests.unit.plant_files import BASE, db, files, loaded, rows

__all__ = ["db", "files"]

COSTED = BASE["items"].replace("tracking,kind", "tracking,kind,standard_cost,cost_per")
STOCK = {
    "items": COSTED.replace("LEG,pcs,0,lot,", "LEG,pcs,0,lot,,2.5,2"),
    "receipts": """
        reference,item,lot,container,location,quantity,effective_at
        R-1,LEG,L-1,BOX-1,LINE,25,2026-11-02T08:00:00Z
        R-2,LEG,L-2,,LINE,30,2026-11-03T08:00:00Z
        R-3,LEG,L-2,,STORE,5,2026-11-03T08:00:00Z
    """,
    "locations": "location,kind\nSTORE,store",
}
PLANNED = BASE["work_orders"] + "WO-2,CHAIR,5,planned\n"


def diff_of(db: Database, **changed: str) -> LoadDiff:
    diff = loaded(db, {**STOCK, **changed}, diff=True).diff
    assert isinstance(diff, LoadDiff)
    return diff


def touched(diff: LoadDiff) -> list[tuple[str, str, str]]:
    return [(one.work_order, one.effect, one.what) for one in diff.orders]


def test_a_released_order_keeps_its_lines_and_a_planned_one_takes_the_new_bom(db: Database) -> None:
    """BF-7, BF-8."""
    loaded(db, {**STOCK, "work_orders": PLANNED})
    lines = BASE["bom_lines"].replace("CHAIR,A,10,LEG,4", "CHAIR,A,10,LEG,3")
    diff = diff_of(db, work_orders=PLANNED, bom_lines=lines)
    assert touched(diff) == [("WO-1", "kept", "CHAIR A"), ("WO-2", "at_release", "CHAIR A")]
    assert diff.open_orders == ["WO-2"]
    (row,) = diff.rows
    assert row.columns == {"quantity": ("4", "3")}
    (bom,) = diff.boms
    assert (bom.item, bom.revision, bom.added, bom.removed) == ("CHAIR", "A", [], [])
    assert bom.changed == [BomPart("10", "LEG", "3")]
    assert diff.leaving == []


def test_a_change_within_a_phantom_touches_the_products_made_with_it(db: Database) -> None:
    """BF-9: SEAT is a phantom in CHAIR."""
    loaded(db, {**STOCK, "work_orders": PLANNED})
    lines = BASE["bom_lines"].replace("SEAT,A,10,PAD,1", "SEAT,A,10,PAD,2")
    diff = diff_of(db, work_orders=PLANNED, bom_lines=lines)
    assert touched(diff) == [("WO-1", "kept", "CHAIR A"), ("WO-2", "at_release", "CHAIR A")]


def test_an_orders_own_fields_lines_and_serials_touch_it_now_or_from_the_next_unit(
    db: Database,
) -> None:
    """BF-7."""
    loaded(db, STOCK)
    diff = diff_of(
        db,
        work_orders=BASE["work_orders"].replace("WO-1,CHAIR,10", "WO-1,CHAIR,12"),
        work_order_lines="work_order,line,component,quantity\nWO-1,10,LEG,36",
    )
    assert touched(diff) == [("WO-1", "now", "quantity"), ("WO-1", "next_unit", "lines")]
    assert diff.open_orders == ["WO-1"]


def test_a_policy_of_an_item_touches_the_orders_that_take_it(db: Database) -> None:
    """BF-10: shortage and tolerances are read with each report, not frozen."""
    loaded(db, STOCK)
    items = STOCK["items"].replace("cost_per", "cost_per,shortage_policy")
    items = items.replace("TAPE,m,3,none,", "TAPE,m,3,none,,,,block")
    assert touched(diff_of(db, items=items)) == [("WO-1", "now", "TAPE: shortage_policy")]


def test_a_part_that_leaves_is_told_with_its_stock_its_worth_and_what_stands_in(
    db: Database,
) -> None:
    loaded(db, STOCK)
    lines = BASE["bom_lines"].replace("CHAIR,A,10,LEG,4", "CHAIR,A,10,PAD,4")
    lines = lines.replace("CHAIR,A,20,TAPE,1.5\n", "")
    diff = diff_of(
        db,
        bom_lines=lines,
        bom_substitutes="item,revision,line,substitute\nCHAIR,A,10,LEG",
    )
    leg, tape = diff.leaving
    assert (leg.item, leg.product, leg.line, leg.instead) == ("LEG", "CHAIR", "10", "PAD")
    assert (leg.on_hand, leg.value, leg.substitutes) == ("60", "75.00", ["LEG"])
    assert leg.places == [
        Place("LINE", "L-2", "30"), Place("LINE", "L-1", "25"), Place("STORE", "L-2", "5"),
    ]  # fmt: skip
    assert (tape.item, tape.instead, tape.on_hand, tape.value) == ("TAPE", None, "0", None)
    assert tape.still_used_by == []
    (bom,) = diff.boms
    assert [part.line for part in bom.removed] == ["20"]
    assert [part.component for part in bom.changed] == ["PAD"]
    assert rows(db, "SELECT count(*) FROM bom_line") == [(4,)]


def test_people_read_it_in_lines_that_end_with_how_many_more(db: Database) -> None:
    loaded(db, {**STOCK, "work_orders": PLANNED})
    lines = BASE["bom_lines"].replace("CHAIR,A,10,LEG,4", "CHAIR,A,10,PAD,4")
    reasons = "code,kind\n" + "\n".join(f"R-{n},scrap" for n in range(60))
    diff: dict[str, Any] = as_json(
        diff_of(db, bom_lines=lines, reasons=reasons, work_orders=PLANNED)
    )
    told = list(diff_lines(diff))
    assert told[0] == "Rows: 61"
    assert "  and 11 more" in told
    assert "  WO-1 (released) keeps its lines, which are frozen: CHAIR A" in told
    assert "  WO-2 (planned) takes it when it is released: CHAIR A" in told
    assert "  LEG leaves CHAIR A line 10, PAD in its stead" in told
    assert "    on hand: 60 pcs, worth 75.00 EUR" in told
    assert told[-1] == "Open orders touched: WO-2"
