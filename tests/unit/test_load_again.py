"""Loading: what is written, what survives the next load, what a changed file changes."""

from mes_terminal.domain.load_changes import LoadDiff
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Database
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases import load_master_data
from tests.unit.plant_files import BASE, LATER, NOW, RULES, db, files, load, loaded, rows

__all__ = ["db"]

STOCK = {
    "lots": "item,lot,expires_on,status\nLEG,L-1,2027-01-31,available",
    "receipts": """
        reference,item,lot,container,location,quantity,effective_at
        R-1,LEG,L-1,BOX-1,LINE,25,2026-11-02T08:00:00Z
        R-2,LEG,L-2,,LINE,30,2026-11-03T08:00:00Z
        R-3,PAD,,,LINE,40,
    """,
}


def changes(result: load_master_data.LoadResult) -> dict[str, tuple[int, int]]:
    return {
        name: (counts.added, counts.changed)
        for name, counts in result.tables.items()
        if counts.added or counts.changed
    }


def order(db: Database, number: str = "WO-1") -> tuple[object, ...]:
    return rows(
        db,
        "SELECT status, quantity_micro / 1000000, good_micro / 1000000, snapshot_version, revision "
        "FROM work_order WHERE work_order = ?",
        number,
    )[0]


def lines(db: Database, number: str = "WO-1") -> list[tuple[object, ...]]:
    return rows(
        db,
        """
        SELECT l.line, i.item, l.net_num, l.net_den, l.issued_micro / 1000000.0
        FROM order_line l JOIN work_order w USING (work_order_id)
        JOIN item i ON i.item_id = l.component_id WHERE w.work_order = ? ORDER BY l.position
        """,
        number,
    )


def test_the_same_folder_again_changes_nothing(db: Database) -> None:
    first = loaded(db, STOCK)
    assert changes(first)["receipts"] == (3, 0)
    before = rows(db, "SELECT count(*), max(hash) FROM event") + rows(
        db, "SELECT * FROM station_state"
    )
    again = loaded(db, STOCK, now=LATER)
    assert changes(again) == {}
    assert again.tables["receipts"].unchanged == 3
    assert before == rows(db, "SELECT count(*), max(hash) FROM event") + rows(
        db, "SELECT * FROM station_state"
    )


def test_the_same_rows_with_other_delimiter_order_and_columns_change_nothing(db: Database) -> None:
    loaded(db, STOCK)
    folder = files(STOCK)
    folder["work_orders.csv"] = (
        b"\xef\xbb\xbfquantity;work_order;item;status;lot\r\n10.0;WO-1;CHAIR;released;\r\n"
    )
    folder["boms.csv"] = b"item,revision,output_quantity\nSEAT,A,1\nCHAIR,A,\n"
    result = load_master_data.load_folder(db, folder, rules=RULES, now=LATER, at=None)
    assert (result.faults, changes(result)) == ([], {})


def test_a_dry_run_and_a_diff_write_nothing(db: Database) -> None:
    assert changes(loaded(db, STOCK, dry_run=True))["items"] == (6, 0)
    assert rows(db, "SELECT count(*) FROM item") == [(0,)]
    loaded(db, STOCK)
    altered = {**STOCK, "work_orders": BASE["work_orders"].replace("10", "12")}
    diff = loaded(db, altered, diff=True).diff
    assert isinstance(diff, LoadDiff)
    assert [(row.table, row.key, row.change, row.columns) for row in diff.rows] == [
        ("work_orders", "WO-1", "changed", {"quantity": ("10", "12")})
    ]
    assert diff.open_orders == ["WO-1"]
    assert order(db)[1] == 10


def test_one_fault_keeps_everything_out(db: Database) -> None:
    faulty = {**STOCK, "reasons": "code,kind\nX,unknown"}
    assert len(load(db, faulty).faults) == 1
    assert rows(db, "SELECT count(*) FROM item") == [(0,)]


def test_a_hold_and_a_closed_order_survive_the_nightly_load(db: Database) -> None:
    loaded(db, STOCK)
    db.conn.execute("UPDATE lot SET status = 'hold' WHERE lot = 'L-1'")
    db.conn.execute("UPDATE work_order SET status = 'closed', good_micro = 10000000")
    loaded(db, STOCK, now=LATER)
    altered = {
        "lots": STOCK["lots"].replace("2027-01-31", "2027-02-28"),
        "work_orders": BASE["work_orders"]
        .replace("status", "status,sequence")
        .replace("released", "released,7"),
    }
    loaded(db, altered, now=LATER)
    assert rows(db, "SELECT status, expires_on FROM lot WHERE lot = 'L-1'") == [
        ("hold", "2027-02-28")
    ]
    assert order(db)[0] == "closed"
    held = {"work_orders": BASE["work_orders"].replace("released", "hold")}
    loaded(db, held, now=LATER)
    assert order(db)[0] == "closed"


def test_a_load_may_do_nothing_but_take_rows_out_of_their_sets(db: Database) -> None:
    routing = "item,revision,operation\nCHAIR,A,10\nCHAIR,A,20\n"
    listed = "item,revision,line,substitute\nCHAIR,A,10,PAD\n"
    loaded(db, {**STOCK, "routings": routing, "bom_substitutes": listed})
    shorter = {
        "bom_lines": BASE["bom_lines"].replace("CHAIR,A,20,TAPE,1.5\n", ""),
        "routings": routing.replace("CHAIR,A,10\n", ""),
    }
    result = loaded(db, shorter, now=LATER)
    assert changes(result) == {"bom_lines": (0, 1), "routings": (0, 1)}
    assert rows(db, "SELECT line FROM bom_line ORDER BY 1") == [("10",), ("10",), ("30",)]
    assert rows(db, "SELECT operation FROM routing_operation") == [("20",)]


def test_absence_is_not_deletion_but_a_set_is_replaced(db: Database) -> None:
    loaded(db)
    shorter = {
        "items": "item\nGLUE",
        "boms": "",
        "work_orders": "",
        "bom_lines": "item,revision,line,component,quantity\nCHAIR,A,10,LEG,3",
    }
    assert changes(loaded(db, shorter, now=LATER)) == {"items": (1, 0), "bom_lines": (0, 3)}
    assert rows(db, "SELECT count(*) FROM item") == [(7,)]
    left = (
        "SELECT i.item, b.line FROM bom_line b JOIN bom USING (bom_id) JOIN item i USING (item_id)"
    )
    assert rows(db, left + " ORDER BY 1, 2") == [("CHAIR", "10"), ("SEAT", "10")]


def test_a_later_bom_does_not_touch_a_released_order(db: Database) -> None:
    """BF-7: the snapshot is frozen; the next order takes the new lines."""
    loaded(db)
    five = {
        "bom_lines": BASE["bom_lines"].replace("LEG,4", "LEG,5"),
        "work_orders": BASE["work_orders"] + "\nWO-2,CHAIR,10,released",
    }
    loaded(db, five, now=LATER)
    assert lines(db)[0] == ("10", "LEG", 4, 1, 0.0)
    assert lines(db, "WO-2")[0] == ("10", "LEG", 5, 1, 0.0)


def test_a_planned_or_held_order_is_exploded_when_it_is_released(db: Database) -> None:
    for status in ("planned", "hold"):
        loaded(db, {"work_orders": BASE["work_orders"].replace("released", status)})
        assert (order(db)[0], order(db)[3], lines(db)) == (status, 0, [])
    loaded(db, now=LATER)
    assert (order(db)[0], order(db)[3]) == ("released", 1)
    assert [line[:2] for line in lines(db)] == [("10", "LEG"), ("20", "TAPE"), ("30.10", "PAD")]


def test_go_live_quantities_count_as_issued_up_to_the_target(db: Database) -> None:
    """BF-4 and the settled go-live: no movement, no later change."""
    base = "work_order,item,quantity,status,completed_so_far,scrapped_so_far\n"
    loaded(db, {"work_orders": base + "WO-1,CHAIR,10,released,3,1"})
    assert order(db) == ("started", 10, 3, 1, "A")
    assert [line[4] for line in lines(db)] == [16.0, 6.0, 4.0]
    assert rows(db, "SELECT count(*) FROM movement") == [(0,)]
    loaded(db, {"work_orders": base + "WO-1,CHAIR,10,released,5,1"}, now=LATER)
    assert order(db)[2] == 3


def test_a_go_live_order_that_is_done_is_closed(db: Database) -> None:
    base = "work_order,item,quantity,status,completed_so_far\n"
    loaded(db, {"work_orders": base + "WO-1,CHAIR,10,released,10"})
    assert order(db)[0] == "closed"


def test_order_quantity_follows_the_file_but_not_below_what_is_reported(db: Database) -> None:
    """BF-7."""
    loaded(db)
    db.conn.execute("UPDATE work_order SET status = 'started', good_micro = 6000000")
    loaded(db, {"work_orders": BASE["work_orders"].replace(",10,", ",8,")}, now=LATER)
    assert order(db)[:3] == ("started", 8, 6)
    faults = load(db, {"work_orders": BASE["work_orders"].replace(",10,", ",5,")}).faults
    assert [str(fault) for fault in faults] == [
        "work_orders.csv:2: quantity: 6 are reported already; write at least that"
    ]


def test_a_held_order_that_was_reported_goes_on_as_started(db: Database) -> None:
    loaded(db)
    db.conn.execute("UPDATE work_order SET status = 'started', good_micro = 6000000")
    loaded(db, {"work_orders": BASE["work_orders"].replace("released", "hold")}, now=LATER)
    assert order(db)[0] == "hold"
    loaded(db, now=LATER)
    assert order(db)[0] == "started"


def test_a_released_order_keeps_its_item_and_revision(db: Database) -> None:
    loaded(db)
    other = {
        "items": BASE["items"] + "\nSTOOL,pcs,0,none,manufactured",
        "boms": BASE["boms"] + "\nSTOOL,A",
        "work_orders": BASE["work_orders"].replace("CHAIR", "STOOL"),
    }
    assert [fault.column for fault in load(db, other).faults] == ["item"]


def test_explicit_lines_replace_the_explosion(db: Database) -> None:
    """Quantities are for the whole order: per unit they are divided by its quantity."""
    explicit = """
        work_order,line,component,quantity,uom,basis,issue_method,erp_ref
        WO-1,5,LEG,40,,per_unit,,RES-1
        WO-1,6,TAPE,100,mm,per_order,manual,
    """
    conversion = "item,from_uom,to_uom,factor\n,m,mm,1000"
    loaded(db, {"work_order_lines": explicit, "unit_conversions": conversion})
    assert [line[:4] for line in lines(db)] == [("5", "LEG", 4, 1), ("6", "TAPE", 100_000, 1)]
    decided = rows(
        db, "SELECT issue_method, decided_by ->> 'issue_method', erp_ref FROM order_line"
    )
    assert decided == [("backflush", "station", "RES-1"), ("manual", "order_line", None)]


def test_changed_explicit_lines_are_a_new_snapshot(
    db: Database,
) -> None:
    base = "work_order,line,component,quantity\n"
    loaded(db, {"work_order_lines": base + "WO-1,5,LEG,40"})
    loaded(db, {"work_order_lines": base + "WO-1,5,LEG,50"}, now=LATER)
    assert (order(db)[3], lines(db)) == (2, [("5", "LEG", 5, 1, 0.0)])
    same = {
        "work_order_lines": base + "WO-1,5,LEG,60",
        "work_orders": BASE["work_orders"].replace(",10,", ",12,"),
    }
    loaded(db, same, now=LATER)
    assert (order(db)[1], order(db)[3]) == (12, 2)


def test_receipts_make_lots_containers_stock_and_one_event_each(db: Database) -> None:
    """BF-16, BF-35, BF-36."""
    loaded(db, STOCK, at="2026-11-19T06:00:00.000000Z")
    assert rows(
        db,
        """
        SELECT item, b.lot, quantity_micro / 1000000, arrived_at, b.expires_on, pickable,
               may_go_negative, c.container
        FROM balance b JOIN item USING (item_id) LEFT JOIN container c USING (container_id)
        ORDER BY 1, 2
        """,
    ) == [
        ("LEG", "L-1", 25, "2026-11-02T08:00:00.000000Z", "2027-01-31", 1, 0, "BOX-1"),
        ("LEG", "L-2", 30, "2026-11-03T08:00:00.000000Z", "9999-12-31", 1, 0, None),
        ("PAD", "", 40, "2026-11-19T06:00:00.000000Z", "9999-12-31", 1, 1, None),
    ]
    received = rows(
        db,
        """
        SELECT body ->> '$.data.reference', body ->> '$.data.material_actuals[0].use',
               body ->> '$.data.material_actuals[0].lot',
               body ->> '$.data.material_actuals[0].quantity', event_time, quantity_micro / 1000000
        FROM event JOIN movement USING (event_seq) WHERE type = 'material.received' ORDER BY 1
        """,
    )
    assert received == [
        ("R-1", "Received", "L-1", "25", "2026-11-02T08:00:00.000000Z", 25),
        ("R-2", "Received", "L-2", "30", "2026-11-03T08:00:00.000000Z", 30),
        ("R-3", "Received", None, "40", "2026-11-19T06:00:00.000000Z", 40),
    ]
    assert rows(db, "SELECT type, outbox_seq FROM event ORDER BY event_seq DESC LIMIT 1") == [
        ("loaded", None)
    ]


def test_a_reference_is_applied_once_ever(db: Database) -> None:
    loaded(db, STOCK)
    other = {**STOCK, "receipts": STOCK["receipts"].replace(",25,", ",26,")}
    faults = load(db, other).faults
    assert [(fault.file, fault.line, fault.column) for fault in faults] == [
        ("receipts.csv", 2, "reference")
    ]


def test_the_only_lot_of_an_item_at_a_location_is_known(db: Database) -> None:
    """BF-37, `sole`: until another lot of it is received there."""
    sole = """
        SELECT lot.lot FROM item_location LEFT JOIN lot ON lot_id = sole_lot_id
        WHERE item_location.item_id = (SELECT item_id FROM item WHERE item = 'LEG')
    """
    loaded(db, {"receipts": "reference,item,lot,location,quantity\nR-1,LEG,L-1,LINE,25"})
    assert rows(db, sole) == [("L-1",)]
    loaded(db, {"receipts": "reference,item,lot,location,quantity\nR-2,LEG,L-2,LINE,25"})
    assert rows(db, sole) == [(None,)]


def test_shelf_life_counts_from_the_day_received_at_the_site(db: Database) -> None:
    """Received day + n, inclusive; a later receipt moves nothing."""
    from zoneinfo import ZoneInfo

    rules = StationRules(zone=ZoneInfo("Europe/Berlin"))
    receipts = "reference,item,lot,location,quantity,effective_at\n"
    plant = {
        "items": BASE["items"].replace("kind", "kind,shelf_life_days").replace(
            "LEG,pcs,0,lot,", "LEG,pcs,0,lot,,10"),
        "receipts": receipts + "R-1,LEG,L-1,LINE,5,2026-11-02T23:30:00Z",
    }  # fmt: skip
    loaded(db, plant, rules=rules)
    lot = "SELECT received_at, expires_on FROM lot WHERE lot = 'L-1'"
    assert rows(db, lot) == [("2026-11-02T23:30:00.000000Z", "2026-11-13")]
    loaded(db, {**plant, "receipts": receipts + "R-2,LEG,L-1,LINE,5,2026-11-01T12:00:00Z"})
    assert rows(db, lot) == [("2026-11-02T23:30:00.000000Z", "2026-11-13")]
    assert rows(db, "SELECT arrived_at, quantity_micro FROM balance") == [
        ("2026-11-01T12:00:00.000000Z", 10_000_000)
    ]


def test_a_lot_put_on_hold_by_the_file_is_no_longer_pickable(db: Database) -> None:
    loaded(db, STOCK)
    held = {**STOCK, "lots": STOCK["lots"].replace("available", "hold")}
    loaded(db, held, now=LATER)
    assert rows(db, "SELECT pickable FROM balance WHERE lot = 'L-1'") == [(0,)]


def test_a_drum_is_received_in_kilograms(db: Database) -> None:
    """BF-2."""
    plant = {
        "items": BASE["items"] + "\nPAINT,kg,3,lot,",
        "unit_conversions": "item,from_uom,to_uom,factor\nPAINT,drum,kg,25",
        "receipts": "reference,item,lot,location,quantity,uom\nR-1,PAINT,P-1,LINE,1.5,drum",
    }
    loaded(db, plant)
    assert rows(db, "SELECT quantity_micro FROM balance") == [(37_500_000,)]


def test_planned_units_follow_their_file(db: Database) -> None:
    plant = {
        "items": BASE["items"].replace("CHAIR,pcs,0,lot", "CHAIR,pcs,0,serial"),
        "work_order_serials": "work_order,serial\nWO-1,S-1\nWO-1,S-2",
    }
    units = "SELECT serial, position FROM unit ORDER BY position"
    loaded(db, plant)
    assert rows(db, units) == [("S-1", 1), ("S-2", 2)]
    loaded(db, {**plant, "work_order_serials": "work_order,serial\nWO-1,S-2\nWO-1,S-3"})
    assert rows(db, units) == [("S-2", 1), ("S-3", 2)]
    stolen = {
        **plant,
        "work_orders": BASE["work_orders"] + "\nWO-2,CHAIR,10,released",
        "work_order_serials": "work_order,serial\nWO-2,S-2",
    }
    assert [fault.column for fault in load(db, stolen).faults] == ["serial"]


def test_a_kind_that_no_file_states_follows_the_boms(db: Database) -> None:
    loaded(db, {"boms": "", "bom_lines": "", "work_orders": ""})
    kind = "SELECT kind FROM item WHERE item = 'CHAIR'"
    assert rows(db, kind) == [("purchased",)]
    loaded(db, now=LATER)
    assert rows(db, kind) == [("manufactured",)]


def test_what_happens_between_staging_and_applying_counts(db: Database) -> None:
    staged = load_master_data.stage(db.conn, files(STOCK), rules=RULES, load_time=NOW)
    loaded(db, STOCK)
    applied = load_master_data.apply(db, staged, rules=RULES, now=LATER, load_time=LATER)
    assert applied.faults == []
    assert rows(db, "SELECT sum(quantity_micro) FROM balance") == [(95_000_000,)]
    assert rows(db, "SELECT master_data_version FROM station_state") == [(1,)]


def test_the_settings_locations_exist_without_being_listed(db: Database) -> None:
    rules = StationRules(supply_location="L1", output_location="OUT", scrap_location="BIN")
    loaded(db, rules=rules)
    assert rows(db, "SELECT location, kind FROM location WHERE kind <> 'virtual'") == [
        ("L1", "line_side"), ("OUT", "finished"), ("BIN", "scrap"),
    ]  # fmt: skip


def test_work_centres_decide_where_the_order_says_nothing(db: Database) -> None:
    """BF-10, BF-14."""
    plant = {
        "locations": "location,kind\nCELL,line_side\nSHIP,finished",
        "work_centres": "work_centre,supply_location,output_location,issue_method\n"
        "WC,CELL,SHIP,manual",
        "work_orders": "work_order,item,quantity,status,work_centre\nWO-1,CHAIR,10,released,WC",
    }
    loaded(db, plant)
    found = rows(
        db,
        """
        SELECT DISTINCT o.location, location_rule, l.issue_method, p.location
        FROM order_line l JOIN location o USING (location_id)
        JOIN work_order w USING (work_order_id)
        JOIN location p ON p.location_id = w.output_location_id
        """,
    )
    assert found == [("CELL", "work_centre", "manual", "SHIP")]


def test_a_folder_is_read_without_hidden_files(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path)) / "plant"
    folder.mkdir()
    (folder / "items.csv").write_bytes(b"item\nLEG\n")
    (folder / ".DS_Store").write_bytes(b"x")
    assert read_folder(folder) == {"items.csv": b"item\nLEG\n"}
