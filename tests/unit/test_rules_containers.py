"""Containers in positions: change-over, gain and loss, and the units each covered (BF-17)."""

from pathlib import Path

import msgspec
import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.store.mount_spans import Covered, Stay, read_stays
from tests.plants import TEST_RULES, Station, open_station, plant, quantities, said

RECEIPTS = """
    R1,WIRE,W-1,REEL-1,LINE,100
    R2,WIRE,W-1,REEL-2,STORE,100
    R3,WIRE,W-2,REEL-3,LINE,100
    R4,WIRE,W-9,,LINE,50
    """


def reels(folder: Path, *, pct: str = "5", quantity: str = "100", **tables: str) -> Station:
    """A lamp takes 2 m of wire (to the centimetre) from LINE; a reel may differ by 5 %.

    WO-1 is the active order.
    """
    base = plant(
        items=f"item,tracking,decimals,lot_overrun_pct\nLAMP,lot,0,\nWIRE,lot,2,{pct}",
        boms="item,revision\nLAMP,A",
        bom_lines="item,revision,line,component,quantity\nLAMP,A,10,WIRE,2",
        receipts="reference,item,lot,container,location,quantity" + RECEIPTS,
        work_orders=f"work_order,item,quantity,status\nWO-1,LAMP,{quantity},released",
        locations="location,kind\nSTORE,store\nQUARANTINE,hold\nSCRAP,scrap",
    )
    station = open_station(folder, base | plant(**tables))
    station.scan("%START WO-1")
    return station


def make(station: Station, quantity: int) -> Outcome:
    """Report so many lamps."""
    station.scan(f"%QTY {quantity}")
    return station.scan("LAMP")


def leave(station: Station, command: str, code: str) -> Outcome:
    station.scan(command)
    return station.scan(code)


def left(station: Station, container: str) -> str:
    """Return what the books have of a container."""
    row = station.db.conn.execute(
        "SELECT coalesce(sum(quantity_micro), 0) / 1e6 FROM balance "
        "JOIN container USING (container_id) WHERE container = ?",
        [container],
    ).fetchone()
    return f"{row[0]:g}"


def stays(station: Station, lot: str = "W-1") -> list[Stay]:
    (item,) = station.db.conn.execute(
        "SELECT item FROM lot JOIN item USING (item_id) WHERE lot = ?", [lot]
    ).fetchone()
    return list(read_stays(station.db, item, lot, since=0, limit=None))


def test_what_an_empty_reel_still_has_in_the_books_is_a_loss(tmp_path: Path) -> None:
    """BF-17: 4 m of 100 are within 5 %."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 48)
    outcome = leave(station, "%EMPTY", "REEL-1")
    assert (said(outcome), outcome.exceptions) == (("recorded", None), [])
    assert "4 pcs less than the books: a loss" in outcome.message
    assert left(station, "REEL-1") == "0"
    row = station.rows("movements")[-1]
    assert (row["kind"], row["from"], row["to"], row["quantity"]) == (
        "adjustment", "LINE", "@adjustment", "4",
    )  # fmt: skip
    (event,) = [row["event"] for row in station.rows("outbox", type="stock.adjusted")]
    (actual,) = event["data"]["material_actuals"]
    assert (actual["use"], actual["quantity"]) == ("Adjusted", "-4")
    assert station.faults() == []


def test_beyond_the_tolerance_the_books_stay_and_a_person_is_asked(tmp_path: Path) -> None:
    """BF-17: 6 m are more than 5 % of 100; one exception, and the line goes on."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 47)
    outcome = leave(station, "%EMPTY", "REEL-1")
    assert [(each.kind, each.quantity) for each in outcome.exceptions] == [("lot_overdrawn", "6")]
    assert station.exceptions() == [("lot_overdrawn", "open", None, "WIRE", "6")]
    assert "tolerance of 5" in station.rows("exceptions")[0]["cause"]
    assert left(station, "REEL-1") == "6"
    assert station.rows("movements", kind="adjustment") == []
    assert said(station.scan("REEL-3")) == ("recorded", None)
    assert station.faults() == []


def test_the_item_decides_the_tolerance_else_the_station(tmp_path: Path) -> None:
    """BF-17, `stock.lot_overrun_pct`: 3 % by default."""
    station = reels(tmp_path, pct="")
    station.scan("REEL-1")
    make(station, 48)
    assert [each.kind for each in leave(station, "%EMPTY", "REEL-1").exceptions] == [
        "lot_overdrawn"
    ]
    rules = msgspec.structs.replace(TEST_RULES, lot_overrun_pct_micro=4_000_000)
    other = reels(tmp_path / "other", pct="")
    other.rules = rules
    other.scan("REEL-1")
    make(other, 48)
    assert leave(other, "%EMPTY", "REEL-1").exceptions == []


@pytest.mark.parametrize(
    ("aside", "booked", "kept"),
    [("22.5", "2.5", "22.5"), ("17.5", "2.5", "17.5"), ("20", "0", "20")],
)
def test_a_reel_set_aside_keeps_what_a_person_found_in_it(
    tmp_path: Path, aside: str, booked: str, kept: str
) -> None:
    """BF-17: 40 lamps took 80 m of the 100; the rest was measured."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 40)
    outcome = leave(station, f"%ASIDE {aside}", "REEL-1")
    assert (said(outcome), outcome.quantity) == (("recorded", None), aside)
    assert left(station, "REEL-1") == kept
    moved = [row["quantity"] for row in station.rows("movements", kind="adjustment")]
    assert moved == ([] if booked == "0" else [booked])
    assert station.db.conn.execute("SELECT * FROM mount").fetchall() == []
    assert station.faults() == []


def test_gains_and_losses_of_one_reel_count_together(tmp_path: Path) -> None:
    """BF-17: a gain of 4 m, then a loss of 8: 4 m less than its label in all."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    leave(station, "%ASIDE 104", "REEL-1")
    station.scan("REEL-1")
    make(station, 48)
    assert leave(station, "%EMPTY", "REEL-1").exceptions == []
    station.scan("REEL-3")
    leave(station, "%ASIDE 104", "REEL-3")
    station.scan("REEL-3")
    assert [each.kind for each in leave(station, "%ASIDE 106", "REEL-3").exceptions] == [
        "lot_overdrawn"
    ]
    assert station.faults() == []


def test_setting_aside_needs_a_quantity_of_the_items_step(tmp_path: Path) -> None:
    """BF-2, BF-17: nothing is booked and the reel stays where it is."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    before = station.ledger()
    assert said(station.scan("%ASIDE")) == ("needs", "quantity")
    assert said(station.scan("%ASIDE much")) == ("rejected", "malformed")
    assert said(leave(station, "%ASIDE 1.005", "REEL-1")) == ("rejected", "not_a_step")
    assert station.ledger() == before
    assert len(station.db.conn.execute("SELECT * FROM mount").fetchall()) == 1


def test_unmounting_leaves_the_books_alone(tmp_path: Path) -> None:
    """BF-17."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 49)
    assert leave(station, "%UNMOUNT", "WIRE").quantity == "2"
    assert left(station, "REEL-1") == "2"


def test_the_next_reel_says_that_the_old_one_is_empty(tmp_path: Path) -> None:
    """BF-17, the change-over: 2 m of REEL-1 are lost; REEL-2 comes from the store."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 49)
    outcome = station.scan("REEL-2")
    assert (said(outcome), outcome.quantity) == (("recorded", None), "100")
    assert "REEL-1 is empty: 2 pcs less than the books: a loss" in outcome.message
    assert left(station, "REEL-1") == "0"
    assert [(each.container, each.ended_by) for each in stays(station)] == [
        ("REEL-1", "next"),
        ("REEL-2", None),
    ]
    assert station.faults() == []


def test_a_reel_that_is_changed_half_full_is_asked_about(tmp_path: Path) -> None:
    """BF-17: `%ASIDE` would have kept its rest."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 25)
    opened = station.scan("REEL-3").exceptions
    assert [(each.kind, each.quantity) for each in opened] == [("lot_overdrawn", "50")]
    assert left(station, "REEL-1") == "50"


def test_a_bare_lot_is_not_presumed_empty(tmp_path: Path) -> None:
    """BF-17: nobody knows how much of it stood in the position."""
    station = reels(tmp_path)
    station.scan("WIRE|W-9")
    outcome = station.scan("REEL-1")
    assert outcome.exceptions == []
    assert station.stock("WIRE", "W-9") == "50"


def test_scanning_the_same_reel_again_changes_nothing(tmp_path: Path) -> None:
    """BF-17: one stay, from the first scan on."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    station.scan("REEL-1")
    assert len(stays(station)) == 1
    assert leave(station, "%UNMOUNT", "REEL-1").outcome == "recorded"


def test_the_units_that_each_reel_covered_are_recorded(tmp_path: Path) -> None:
    """BF-17: 10 lamps before any, 30 from REEL-1, 20 from REEL-3, which is still there."""
    station = reels(tmp_path)
    make(station, 10)
    station.scan("REEL-1")
    make(station, 12)
    make(station, 18)
    leave(station, "%ASIDE 40", "REEL-1")
    station.scan("REEL-3")
    make(station, 20)
    (first,), (second,) = stays(station), stays(station, "W-2")
    assert first.covered == [Covered("WO-1", 10_000_000, 40_000_000)]
    assert second.covered == [Covered("WO-1", 40_000_000, 60_000_000)]
    assert (first.left_micro, first.ended_by, second.ended_at) == (40_000_000, "aside", None)


def test_what_was_undone_was_not_covered(tmp_path: Path) -> None:
    """BF-17, BF-31."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 10)
    make(station, 5)
    station.scan("%UNDO")
    leave(station, "%UNMOUNT", "REEL-1")
    (stay,) = stays(station)
    assert stay.covered == [Covered("WO-1", 0, 10_000_000)]


def test_the_mounted_reel_gives_a_little_more_by_hand_too(tmp_path: Path) -> None:
    """BF-17, BF-10: 103 m are issued of a reel of 100; 3 are a gain, in the same event."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    station.scan("%ISSUE")
    station.scan("%QTY 103")
    outcome = station.scan("REEL-1")
    assert (said(outcome), outcome.quantity) == (("recorded", None), "103")
    assert [row["kind"] for row in station.rows("movements")][-2:] == ["adjustment", "issue"]
    assert left(station, "REEL-1") == "0"
    assert stays(station)[0].gained_micro == 3_000_000
    assert station.faults() == []


def test_more_than_the_tolerance_is_not_issued_by_hand(tmp_path: Path) -> None:
    """BF-17, BF-19: 106 m are not in a reel of 100."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    station.scan("%ISSUE")
    station.scan("%QTY 106")
    assert said(station.scan("REEL-1")) == ("rejected", "shortage_blocked")
    assert left(station, "REEL-1") == "100"
    assert station.faults() == []


def drawn(outcome: Outcome) -> list[tuple[str | None, str, str | None]]:
    """Return (lot, quantity, certainty) of what was consumed."""
    return [(each.lot, each.quantity, each.certainty) for each in outcome.consumed]


def counts(station: Station) -> tuple[int, int]:
    """Return what the wire line was issued and is owed, in metres."""
    row = station.db.conn.execute("SELECT issued_micro, owed_micro FROM order_line").fetchone()
    return row[0] // 1_000_000, row[1] // 1_000_000


def test_a_report_takes_a_little_more_than_the_books_have(tmp_path: Path) -> None:
    """BF-17: 52 lamps take 104 m of a reel of 100; 4 m are a gain of the lot, booked before the
    issue in the same report, and the edge names the reel's lot."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    outcome = make(station, 52)
    assert drawn(outcome) == [("W-1", "104", "exact")]
    assert outcome.exceptions == []
    assert [
        (row["kind"], row["from"], row["to"], row["quantity"]) for row in station.rows("movements")
    ][-3:] == [
        ("adjustment", "@adjustment", "LINE", "4"),
        ("issue", "LINE", "@production", "104"),
        ("production", "@production", "FG", "52"),
    ]
    (row,) = station.rows("outbox", type="production.completed")
    told = [(each["use"], each["quantity"]) for each in row["event"]["data"]["material_actuals"]]
    assert told == [("Produced", "52"), ("Adjusted", "4"), ("Consumed", "104")]
    assert left(station, "REEL-1") == "0"
    assert stays(station)[0].gained_micro == 4_000_000
    assert station.edges() == [("WO-1", "W-1", "10", "104", "exact")]
    assert station.faults() == []


def test_the_gain_goes_on_from_report_to_report(tmp_path: Path) -> None:
    """BF-17: unit by unit as at once; an empty reel still gives, up to 5 m in all."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 50)
    assert drawn(make(station, 1)) == [("W-1", "2", "exact")]
    assert drawn(make(station, 1)) == [("W-1", "2", "exact")]
    outcome = make(station, 1)
    assert drawn(outcome) == [("W-1", "1", "exact"), ("W-2", "1", "assumed")]
    assert [(each.kind, each.line, each.quantity) for each in outcome.exceptions] == [
        ("lot_overdrawn", "10", "1")
    ]
    assert stays(station)[0].gained_micro == 5_000_000
    assert station.faults() == []


def test_beyond_the_tolerance_other_lots_give_and_a_person_is_asked(tmp_path: Path) -> None:
    """BF-17, BF-15: 120 m; 105 are in the reel at most, the rest is taken from the next lot. The
    exception of the line grows."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    outcome = make(station, 60)
    assert drawn(outcome) == [("W-1", "105", "pooled"), ("W-2", "15", "assumed")]
    assert "the mounted WIRE lacks 15" in outcome.message
    assert station.exceptions() == [("lot_overdrawn", "open", "10", "WIRE", "15")]
    make(station, 5)
    assert station.exceptions() == [("lot_overdrawn", "open", "10", "WIRE", "25")]
    assert counts(station) == (130, 0)
    assert station.faults() == []


def test_where_only_mounted_wire_counts_the_rest_is_owed(tmp_path: Path) -> None:
    """BF-17, BF-20, `mount = required`."""
    station = reels(
        tmp_path,
        bom_lines="item,revision,line,component,quantity,mount\nLAMP,A,10,WIRE,2,required",
    )
    station.scan("REEL-1")
    outcome = make(station, 60)
    assert drawn(outcome) == [("W-1", "105", "exact")]
    assert [(each.kind, each.quantity) for each in outcome.exceptions] == [
        ("shortage", "15"),
        ("lot_overdrawn", "15"),
    ]
    assert counts(station) == (105, 15)
    assert station.faults() == []


SIDES = """
    item,revision,line,component,quantity{0}
    LAMP,A,10,WIRE,1{1},LEFT
    LAMP,A,20,WIRE,1{1},RIGHT
    """


def sides(folder: Path, *, mount: str = "") -> Station:
    """A lamp takes a metre of wire at each of two positions."""
    header, cell = (",mount,mount_position", ",required") if mount else (",mount_position", "")
    return reels(folder, quantity="200", bom_lines=SIDES.format(header, cell))


def by_line(outcome: Outcome) -> list[tuple[str | None, ...]]:
    return [(each.line, each.lot, each.quantity, each.certainty) for each in outcome.consumed]


def test_each_line_takes_the_gain_of_its_own_reel_first(tmp_path: Path) -> None:
    """BF-17: two reels in two positions, both empty by the books: each holds 4 m more. The next two
    lamps take the last metre of each, and one from elsewhere."""
    station = sides(tmp_path)
    station.scan("REEL-1")
    station.scan("REEL-3")
    make(station, 100)
    assert [row["kind"] for row in station.rows("movements", kind="adjustment")] == []
    make(station, 4)
    assert [stay.gained_micro for stay in (*stays(station), *stays(station, "W-2"))] == [
        4_000_000,
        4_000_000,
    ]
    assert by_line(make(station, 2)) == [
        ("10", "W-1", "1", "pooled"), ("10", "W-9", "1", "assumed"),
        ("20", "W-2", "1", "pooled"), ("20", "W-9", "1", "assumed"),
    ]  # fmt: skip
    station.scan("%UNDO")
    station.scan("%UNDO")
    assert {stay.gained_micro for stay in (*stays(station), *stays(station, "W-2"))} == {0}
    assert station.faults() == []


def test_a_reel_gives_its_gain_before_the_line_goes_to_another_position(tmp_path: Path) -> None:
    """BF-17: 5 m are left of REEL-1 by the books, and it may hold 5 more. What it cannot have held
    is told."""
    station = sides(tmp_path)
    for code in ("%SCRAP BAD", "%QTY 95", "REEL-1", "REEL-1", "REEL-3"):
        station.scan(code)
    outcome = make(station, 30)
    assert by_line(outcome) == [
        ("10", "W-1", "10", "pooled"), ("10", "W-2", "20", "pooled"),
        ("20", "W-2", "30", "exact"),
    ]  # fmt: skip
    assert station.exceptions() == [("lot_overdrawn", "open", "10", "WIRE", "20")]
    station.scan("%UNDO")
    assert (station.stock("WIRE", "W-1"), station.stock("WIRE", "W-2")) == ("5", "100")
    assert station.faults() == []


def test_lines_that_share_a_position_share_its_reel_in_their_order(tmp_path: Path) -> None:
    """BF-15, BF-17: 120 m of a reel of 100 that may hold 5 more."""
    station = reels(
        tmp_path,
        bom_lines="item,revision,line,component,quantity\nLAMP,A,10,WIRE,1\nLAMP,A,20,WIRE,1",
    )
    station.scan("REEL-1")
    assert by_line(make(station, 60)) == [
        ("10", "W-1", "60", "exact"), ("20", "W-1", "45", "pooled"), ("20", "W-2", "15", "assumed"),
    ]  # fmt: skip
    assert station.exceptions() == [("lot_overdrawn", "open", "20", "WIRE", "15")]
    assert station.faults() == []


def test_a_line_that_must_be_mounted_takes_nothing_from_another_position(tmp_path: Path) -> None:
    """BF-17, BF-20, `mount = required`: nothing was scanned into RIGHT."""
    station = sides(tmp_path, mount="required")
    station.scan("REEL-1")
    outcome = make(station, 10)
    assert by_line(outcome) == [("10", "W-1", "10", "exact")]
    assert [(each.kind, each.line, each.quantity) for each in outcome.exceptions] == [
        ("shortage", "20", "10")
    ]
    station.scan("REEL-3")
    assert by_line(make(station, 10)) == [
        ("10", "W-1", "10", "exact"), ("20", "W-2", "10", "exact"),
    ]  # fmt: skip
    assert station.exceptions() == [("shortage", "open", "20", "WIRE", "10")]
    assert station.faults() == []


def test_a_bare_lot_gives_what_the_books_have(tmp_path: Path) -> None:
    """BF-17: nobody knows how much of it stands in the position, so there is nothing to gain."""
    station = reels(tmp_path)
    station.scan("WIRE|W-9")
    assert drawn(make(station, 26)) == [("W-9", "50", "pooled"), ("W-1", "2", "assumed")]
    assert station.rows("movements", kind="adjustment") == []
    assert station.exceptions() == []


def test_a_lot_whose_label_says_what_the_books_do_gives_more_too(tmp_path: Path) -> None:
    """BF-17: it is one box; 2.5 m are 5 % of 50."""
    station = reels(tmp_path)
    station.scan("WIRE|W-9|50")
    make(station, 26)
    assert [row["quantity"] for row in station.rows("movements", kind="adjustment")] == ["2"]
    assert stays(station, "W-9")[0].gained_micro == 2_000_000


def test_a_refused_report_gains_nothing(tmp_path: Path) -> None:
    """BF-17, BF-20, `block`."""
    station = reels(
        tmp_path,
        items="item,tracking,decimals,lot_overrun_pct,shortage_policy\n"
        "LAMP,lot,0,,\nWIRE,lot,2,5,block",
        bom_lines="item,revision,line,component,quantity,mount\nLAMP,A,10,WIRE,2,required",
    )
    station.scan("REEL-1")
    before = station.ledger()
    assert said(make(station, 53)) == ("rejected", "shortage_blocked")
    assert station.ledger() == before
    assert stays(station)[0].gained_micro == 0


def test_undo_takes_the_gain_back_too(tmp_path: Path) -> None:
    """BF-31, BF-17: the reel has its 100 m and its whole tolerance again."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 60)
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert (left(station, "REEL-1"), left(station, "REEL-3")) == ("100", "100")
    assert stays(station)[0].gained_micro == 0
    assert station.exceptions() == [("lot_overdrawn", "voided", "10", "WIRE", "0")]
    assert counts(station) == (0, 0)
    assert station.faults() == []
    assert drawn(make(station, 52)) == [("W-1", "104", "exact")]


def test_undo_after_the_reel_was_changed_finds_the_stay_it_was_taken_from(tmp_path: Path) -> None:
    """BF-31, BF-17: the gain of REEL-1 is forgotten, also when it is mounted once more."""
    station = reels(tmp_path)
    station.scan("REEL-1")
    make(station, 52)
    station.scan("REEL-3")
    station.scan("REEL-1")
    station.scan("%UNDO")
    assert [(stay.container, stay.gained_micro) for stay in stays(station)] == [
        ("REEL-1", 0),
        ("REEL-1", 0),
    ]
    assert left(station, "REEL-1") == "100"
    assert station.faults() == []


def test_planned_scrap_is_taken_of_the_gain_as_well(tmp_path: Path) -> None:
    """BF-4, BF-17: 98 m for 49 lamps and 4.9 m of scrap out of a reel of 100."""
    station = reels(
        tmp_path,
        bom_lines="item,revision,line,component,quantity,scrap_pct\nLAMP,A,10,WIRE,2,5",
    )
    station.scan("REEL-1")
    outcome = make(station, 49)
    assert [(each.lot, each.quantity) for each in outcome.scrapped] == [("W-1", "4.9")]
    assert [row["quantity"] for row in station.rows("movements", kind="adjustment")] == ["2.9"]
    assert station.stock("WIRE", "W-1", "SCRAP") == "4.9"
    station.scan("%UNDO")
    assert left(station, "REEL-1") == "100"
    assert station.faults() == []


def test_a_substitute_in_the_position_gives_a_little_more_as_well(tmp_path: Path) -> None:
    """BF-17, BF-29: 100 m of wire are 50 m of cord, and the reel has 49."""
    station = reels(
        tmp_path,
        items="item,tracking,decimals,lot_overrun_pct\nLAMP,lot,0,\nWIRE,lot,2,5\nCORD,lot,2,5",
        bom_substitutes="item,revision,line,substitute,ratio\nLAMP,A,10,CORD,0.5",
        receipts="reference,item,lot,container,location,quantity\nR1,CORD,C-1,REEL-9,LINE,49",
    )
    station.scan("REEL-9")
    outcome = make(station, 50)
    assert [(each.item, each.quantity) for each in outcome.consumed] == [("CORD", "50")]
    assert outcome.exceptions == []
    assert counts(station) == (100, 0)
    assert left(station, "REEL-9") == "0"
    assert stays(station, "C-1")[0].gained_micro == 1_000_000
    station.scan("%UNDO")
    assert (counts(station), left(station, "REEL-9")) == ((0, 0), "49")
    assert station.faults() == []


def test_a_lot_and_a_box_of_it_mounted_side_by_side_are_counted_once(tmp_path: Path) -> None:
    """BF-17: two positions draw on the same 130 m; the box of 80 m gives the 10 m that lack."""
    station = open_station(
        tmp_path,
        plant(
            items="item,tracking,lot_overrun_pct\nLAMP,lot,\nWIRE,lot,20",
            boms="item,revision\nLAMP,A",
            bom_lines="""
                item,revision,line,component,quantity,mount_position
                LAMP,A,10,WIRE,1,LEFT
                LAMP,A,20,WIRE,1,RIGHT
                """,
            receipts="""
                reference,item,lot,container,location,quantity,effective_at
                R1,WIRE,W-1,,LINE,50,2026-11-01
                R2,WIRE,W-1,BOX,LINE,80,2026-11-01
                """,
            work_orders="work_order,item,quantity,status\nWO,LAMP,100,released",
        ),
    )
    for code in ("WIRE|W-1", "BOX", "%QTY 70"):
        station.scan(code)
    outcome = station.scan("WO")
    assert (quantities(outcome), outcome.exceptions) == (
        [("10", "W-1", "70"), ("20", "W-1", "70")],
        [],
    )
    assert station.stock("WIRE", "W-1") == "0"
    assert station.faults() == []
