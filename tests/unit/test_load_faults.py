"""Every check of the load, one row a case: the files that differ, and where the fault is told."""

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Database
from mes_terminal.usecases.load_master_data import load_folder
from tests.unit.plant_files import BASE, LATER, RULES, db, files, load, loaded, rows, table

__all__ = ["db"]

ITEMS = BASE["items"].rstrip()
LINES = BASE["bom_lines"].rstrip()

CASES = {
    "a quantity that is no number": (
        {"bom_lines": LINES.replace("LEG,4", "LEG,four")},
        "bom_lines.csv:2: quantity: 'four' is no number",
    ),
    "more than six places (BF-1)": (
        {"bom_lines": LINES.replace("LEG,4", "LEG,0.1234567")},
        "bom_lines.csv:2: quantity: '0.1234567' is no number with at most six decimal places",
    ),
    "more than 64 bits (BF-1)": (
        {"bom_lines": LINES.replace("LEG,4", "LEG,99999999999999")},
        "bom_lines.csv:2: quantity: '99999999999999' is too large",
    ),
    "a decimal comma": (
        {"bom_lines": LINES.replace("LEG,4", 'LEG,"1,5"')},
        "bom_lines.csv:2: quantity: '1,5' is no number",
    ),
    "a quantity of zero": (
        {"bom_lines": LINES.replace("LEG,4", "LEG,0")},
        "bom_lines.csv:2: quantity: '0' is not more than zero",
    ),
    "a word that is no choice": (
        {"items": ITEMS.replace("LEG,pcs,0,lot", "LEG,pcs,0,batch")},
        "items.csv:3: tracking: 'batch' is none of none, lot, serial",
    ),
    "a yes that is none": (
        {"work_orders": "work_order,item,quantity,replace_scrap\nWO-1,CHAIR,10,ja"},
        "work_orders.csv:2: replace_scrap: 'ja' is neither yes nor no",
    ),
    "a date that is none": (
        {"boms": "item,revision,effective_from\nCHAIR,A,20.11.2026\nSEAT,A,"},
        "boms.csv:2: effective_from: '20.11.2026' is no date",
    ),
    "an instant that is none": (
        {"work_orders": "work_order,item,quantity,due_at\nWO-1,CHAIR,10,soon"},
        "work_orders.csv:2: due_at: 'soon' is no date or time",
    ),
    "an empty cell that must be filled": (
        {"work_orders": "work_order,item,quantity\nWO-1,CHAIR,"},
        "work_orders.csv:2: quantity: the cell is empty",
    ),
    "a control character": (
        {"items": ITEMS + "\nX\x1bY,pcs,0,none,"},
        "items.csv:8: item: holds a control character",
    ),
    "an unknown column": (
        {"work_orders": "work_order,item,quantity,prio\nWO-1,CHAIR,10,1"},
        "work_orders.csv:1: prio: the column is unknown",
    ),
    "a column twice": (
        {"work_orders": "work_order,item,quantity,item\nWO-1,CHAIR,10,CHAIR"},
        "work_orders.csv:1: item: the column is there twice",
    ),
    "a missing column": (
        {"work_orders": "work_order,item\nWO-1,CHAIR"},
        "work_orders.csv:1: quantity: the column is missing",
    ),
    "more cells than columns": (
        {"work_orders": "work_order,item,quantity\nWO-1,CHAIR,10,20"},
        "work_orders.csv:2: has 4 cells for 3 columns",
    ),
    "a broken quotation": (
        {"work_orders": 'work_order,item,quantity\n"WO-1"x,CHAIR,10'},
        "work_orders.csv:2: the row cannot be read",
    ),
    "a key twice": (
        {"items": ITEMS + "\nLEG,pcs,0,lot,"},
        "items.csv:8: item: LEG is in line 3 already",
    ),
    "an unknown reference": (
        {"bom_lines": LINES.replace("20,TAPE", "20,TEPA")},
        "bom_lines.csv:3: component: TEPA is unknown; correct it, or add it to items.csv",
    ),
    "an unknown revision": (
        {"work_orders": "work_order,item,quantity,revision\nWO-1,CHAIR,10,B"},
        "work_orders.csv:2: revision: CHAIR B is unknown",
    ),
    "an unknown location": (
        {"receipts": "reference,item,lot,location,quantity\nR-1,LEG,L-1,LINE-9,5"},
        "receipts.csv:2: location: LINE-9 is unknown",
    ),
    "a cycle in the BOM (BF-9)": (
        {
            "boms": "item,revision\nCHAIR,A\nSEAT,A\nPAD,A",
            "bom_lines": LINES + "\nPAD,A,10,CHAIR,1",
        },
        "bom_lines.csv:6: component: the BOM goes round: CHAIR -> SEAT -> PAD -> CHAIR",
    ),
    "overlapping effectivity (BF-8)": (
        {
            "boms": """
                item,revision,effective_from,effective_to
                CHAIR,A,,2026-11-30
                CHAIR,B,2026-11-30,
                SEAT,A,,
            """
        },
        "boms.csv:3: effective_from: revisions A and B of CHAIR are both effective",
    ),
    "effectivity that ends before it begins": (
        {
            "boms": """
                item,revision,effective_from,effective_to
                CHAIR,A,2026-11-30,2026-11-01
                SEAT,A,,
            """
        },
        "boms.csv:2: effective_to: lies before effective_from",
    ),
    "no revision on the order's start date (BF-8)": (
        {
            "boms": "item,revision,effective_from\nCHAIR,A,2026-12-01\nSEAT,A,",
            "work_orders": "work_order,item,quantity,start_at\nWO-1,CHAIR,10,2026-11-30T08:00:00Z",
        },
        "work_orders.csv:2: revision: no revision is effective for CHAIR on 2026-11-30",
    ),
    "a phantom without a revision on that date": (
        {"boms": "item,revision,effective_to\nCHAIR,A,\nSEAT,A,2026-01-01"},
        "bom_lines.csv:4: component: phantom SEAT has no revision effective on 2026-11-20",
    ),
    "a missing conversion (BF-2)": (
        {"bom_lines": "item,revision,line,component,quantity,uom\nCHAIR,A,10,TAPE,1,ft"},
        "bom_lines.csv:2: uom: TAPE has no conversion from ft to m",
    ),
    "conversions that disagree (BF-2)": (
        {
            "unit_conversions": """
                item,from_uom,to_uom,factor
                ,box,bag,2
                ,bag,pcs,4
                ,box,pcs,10
            """
        },
        "unit_conversions.csv:4: factor: 1 box is 10 pcs here, but 8 by other conversions",
    ),
    "a conversion to itself": (
        {"unit_conversions": "item,from_uom,to_uom,factor\n,m,m,1"},
        "unit_conversions.csv:2: to_uom: is the same unit",
    ),
    "a factor of zero": (
        {"unit_conversions": "item,from_uom,to_uom,factor\n,m,mm,0"},
        "unit_conversions.csv:2: factor: '0' is not more than zero",
    ),
    "an order that no step can hold (BF-5)": (
        {"work_orders": "work_order,item,quantity\nWO-1,CHAIR,2.5"},
        "work_orders.csv:2: quantity: 2.5 is no multiple of 1 pcs, the step of CHAIR",
    ),
    "a receipt that no step can hold": (
        {"receipts": "reference,item,lot,location,quantity\nR-1,LEG,L-1,LINE,0.5"},
        "receipts.csv:2: quantity: 0.5 is no multiple of 1 pcs",
    ),
    "a pack that no step can hold": (
        {"items": "item,pack_quantity\nLEG,1.5", "boms": "", "bom_lines": "", "work_orders": ""},
        "items.csv:2: pack_quantity: 1.5 is no multiple of 1 pcs",
    ),
    "a requirement beyond a fraction of 64 bits": (
        {
            "unit_conversions": "item,from_uom,to_uom,factor\nTAPE,x,m,1/99999989",
            "boms": "item,revision,output_quantity\nCHAIR,A,0.999983\nSEAT,A,0.999979",
            "bom_lines": """
                item,revision,line,component,quantity,uom
                CHAIR,A,10,SEAT,1,
                SEAT,A,10,TAPE,1,x
            """,
        },
        "bom_lines.csv:3: quantity: the requirement is no fraction of two 64-bit numbers",
    ),
    "a factor beyond a fraction of 64 bits": (
        {"unit_conversions": "item,from_uom,to_uom,factor\nTAPE,x,m,0.1234567890123456789"},
        "unit_conversions.csv:2: factor: '0.1234567890123456789' is no factor",
    ),
    "a need that cannot be counted": (
        {
            "bom_lines": LINES.replace("LEG,4", "LEG,9000000000"),
            "work_orders": "work_order,item,quantity\nWO-1,CHAIR,1000000",
        },
        "work_orders.csv:2: quantity: needs more LEG than can be counted",
    ),
    "divisive scrap of 100 %": (
        {
            "bom_lines": """
                item,revision,line,component,quantity,scrap_pct,scrap_mode
                CHAIR,A,10,LEG,4,100,divisive
            """
        },
        "bom_lines.csv:2: scrap_pct: 100 % of divisive scrap leaves nothing",
    ),
    "planned scrap of serials": (
        {"bom_lines": "item,revision,line,component,quantity,scrap_pct\nCHAIR,A,10,MOTOR,1,2"},
        "bom_lines.csv:2: scrap_pct: MOTOR is tracked by serial and cannot have planned scrap",
    ),
    "planned scrap of serials through a phantom": (
        {
            "bom_lines": """
                item,revision,line,component,quantity,scrap_pct
                CHAIR,A,10,SEAT,1,2
                SEAT,A,10,MOTOR,1,
            """
        },
        "bom_lines.csv:3: scrap_pct: MOTOR is tracked by serial and cannot have planned scrap",
    ),
    "half a serial per unit": (
        {"bom_lines": LINES + "\nCHAIR,A,40,MOTOR,0.5"},
        "bom_lines.csv:6: quantity: MOTOR is tracked by serial but 1/2 go into one CHAIR",
    ),
    "cost shares over 100 % (BF-30)": (
        {
            "bom_lines": """
                item,revision,line,component,quantity,role,cost_share_pct
                CHAIR,A,10,LEG,4,component,
                CHAIR,A,20,PAD,1,by_product,60
                CHAIR,A,30,TAPE,1,co_product,41
            """
        },
        "bom_lines.csv:4: cost_share_pct: the cost shares of CHAIR A are 101 %",
    ),
    "a last operation that is no backflush point (BF-11)": (
        {
            "routings": """
                item,revision,operation,backflush_point
                CHAIR,A,100,no
                CHAIR,A,20,yes
            """
        },
        "routings.csv:2: backflush_point: the last operation 100 of CHAIR must be a backflush",
    ),
    "an operation that the routing lacks": (
        {
            "bom_lines": "item,revision,line,component,quantity,operation\nCHAIR,A,10,LEG,4,30",
            "routings": "item,revision,operation,backflush_point\nCHAIR,A,20,yes",
        },
        "bom_lines.csv:2: operation: operation 30 is not in the routing of CHAIR revision A",
    ),
    "an order for a phantom": (
        {"work_orders": "work_order,item,quantity\nWO-1,SEAT,10"},
        "work_orders.csv:2: item: SEAT is phantom, so no order can make it",
    ),
    "an order for a purchased item": (
        {"work_orders": "work_order,item,quantity\nWO-1,LEG,10"},
        "work_orders.csv:2: item: LEG is purchased, so no order can make it",
    ),
    "a tracked receipt without a lot": (
        {"receipts": "reference,item,location,quantity\nR-1,LEG,LINE,5"},
        "receipts.csv:2: lot: LEG is tracked by lot; give the lot",
    ),
    "an untracked receipt with a lot": (
        {"receipts": "reference,item,lot,location,quantity\nR-1,PAD,L-1,LINE,5"},
        "receipts.csv:2: lot: PAD is not tracked by lot",
    ),
    "a serial receipt without a serial": (
        {"receipts": "reference,item,location,quantity\nR-1,MOTOR,LINE,1"},
        "receipts.csv:2: serial: MOTOR is tracked by serial; give the serial",
    ),
    "two pieces of one serial": (
        {"receipts": "reference,item,serial,location,quantity\nR-1,MOTOR,M-1,LINE,2"},
        "receipts.csv:2: quantity: a serial is one unit",
    ),
    "a serial received twice": (
        {
            "receipts": """
                reference,item,serial,location,quantity
                R-1,MOTOR,M-1,LINE,1
                R-2,MOTOR,M-1,LINE,1
            """
        },
        "receipts.csv:3: serial: M-1 is received twice",
    ),
    "a container of two lots": (
        {
            "receipts": """
                reference,item,lot,container,location,quantity
                R-1,LEG,L-1,BOX-1,LINE,5
                R-2,LEG,L-2,BOX-1,LINE,5
            """
        },
        "receipts.csv:3: container: BOX-1 holds LEG L-1",
    ),
    "two expiry days of one lot": (
        {
            "lots": "item,lot,expires_on\nLEG,L-1,2027-01-31",
            "receipts": """
                reference,item,lot,location,quantity,expires_on
                R-1,LEG,L-1,LINE,5,2027-02-28
            """,
        },
        "receipts.csv:2: expires_on: LEG L-1 expires on 2027-01-31, not 2027-02-28",
    ),
    "a lot of an untracked item": (
        {"lots": "item,lot\nPAD,L-1"},
        "lots.csv:2: lot: PAD is not tracked by lot",
    ),
    "a GTIN with a wrong check digit": (
        {"items": "item,gtin\nLEG,4006381333932", "boms": "", "bom_lines": "", "work_orders": ""},
        "items.csv:2: gtin: '4006381333932' has a wrong check digit; it should end in 1",
    ),
    "a code of kind gtin with a wrong check digit": (
        {"item_codes": "code,item,kind\n96385075,LEG,gtin"},
        "item_codes.csv:2: code: '96385075' has a wrong check digit; it should end in 4",
    ),
    "a code that is an item": (
        {"item_codes": "code,item,kind\nPAD,LEG,old"},
        "item_codes.csv:2: code: PAD is an item itself",
    ),
    "a location written by two stations (BF-14)": (
        {"locations": "location,kind,station\nLINE,line_side,STATION-2"},
        "locations.csv:2: station: LINE would be written by STATION-2 and by STATION-1",
    ),
    "a receipt where another station writes (BF-14)": (
        {
            "locations": "location,kind,station\nLINE-2,line_side,STATION-2",
            "receipts": "reference,item,lot,location,quantity\nR-1,LEG,L-1,LINE-2,5",
        },
        "receipts.csv:2: location: LINE-2 is written by STATION-2 only",
    ),
    "a line that draws where another station writes (BF-14)": (
        {
            "locations": "location,kind,station\nLINE-2,line_side,STATION-2",
            "bom_lines": """
                item,revision,line,component,quantity,supply_location
                CHAIR,A,10,LEG,4,LINE-2
            """,
        },
        "work_orders.csv:2: work_order: line 10 would draw from LINE-2",
    ),
    "negative stock of a tracked item (BF-19)": (
        {"items": ITEMS.replace("kind", "kind,shortage_policy").replace(
            "LEG,pcs,0,lot,", "LEG,pcs,0,lot,,negative")},
        "items.csv:3: shortage_policy: LEG is tracked by lot, whose stock cannot go negative",
    ),
    "serials of an item that has none": (
        {"work_order_serials": "work_order,serial\nWO-1,S-1"},
        "work_order_serials.csv:2: work_order: CHAIR is not tracked by serial",
    ),
    "a badge with its prefix": (
        {"operators": "badge,name,role\nB:anna,Anna,operator"},
        "operators.csv:2: badge: write the badge without B: (anna)",
    ),
    "a shift that begins at no time": (
        {"shifts": "shift,start,end,days\nEARLY,6 am,14:00,Mon-Fri"},
        "shifts.csv:2: start: '6 am' is no time of day",
    ),
    "a virtual location": (
        {"locations": "location,kind\n@supplier,store"},
        "locations.csv:2: location: a location cannot begin with @",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_fault_is_told_at_its_place_with_the_mend(
    db: Database, case: tuple[dict[str, str], str]
) -> None:
    changes, expected = case
    told = [str(fault) for fault in load(db, changes).faults]
    assert [one for one in told if one.startswith(expected)], told
    assert rows(db, "SELECT item FROM item") == []


CLEAN = {
    "semicolons and a byte-order mark": b"\xef\xbb\xbfitem;description\nLEG;leg, long\n",
    "CR LF, quotes and a line break in a cell": b'item,description\r\nLEG,"a ""b""\r\nc"\r\n',
    "blank lines": b"item,description\n\nLEG,x\n,\n\n",
    "no end of line at the end": b"item,description\nLEG,x",
    "one column": b"item\nLEG\n",
}


@pytest.mark.parametrize("content", CLEAN.values(), ids=CLEAN.keys())
def test_every_way_to_write_a_csv_file_is_read(db: Database, content: bytes) -> None:
    result = load_folder(db, {"items.csv": content}, rules=RULES, now=LATER, at=None)
    assert result.faults == []
    assert rows(db, "SELECT item FROM item") == [("LEG",)]


def test_a_line_break_in_a_cell_does_not_shift_the_line_of_a_later_fault(db: Database) -> None:
    content = b'item,description,decimals\nLEG,"two\nlines",0\nPAD,x,seven\n'
    result = load_folder(db, {"items.csv": content}, rules=RULES, now=LATER, at=None)
    assert [(fault.line, fault.column) for fault in result.faults] == [(4, "decimals")]


def test_a_file_that_is_no_utf8_is_told_with_its_line(db: Database) -> None:
    content = b"item,description\nLEG,Stuhlbein\nPAD,Kissen f\xfcr St\xfchle\n"
    result = load_folder(db, {"items.csv": content}, rules=RULES, now=LATER, at=None)
    assert [(fault.file, fault.line) for fault in result.faults] == [("items.csv", 3)]


def test_unknown_files_are_faults(db: Database) -> None:
    folder = {**files(), "prices.csv": b"item,price\n"}
    result = load_folder(db, folder, rules=RULES, now=LATER, at=None)
    assert [fault.file for fault in result.faults] == ["prices.csv"]
    assert "say in mapping.toml how it is read" in result.faults[0].message


def test_a_first_load_without_items_is_a_fault(db: Database) -> None:
    result = load_folder(db, {}, rules=RULES, now=LATER, at=None)
    assert [(fault.file, fault.line) for fault in result.faults] == [("items.csv", None)]


def test_all_faults_are_told_at_once_and_at_most_200(db: Database) -> None:
    many = "item,decimals\n" + "\n".join(f"I-{number},9" for number in range(300))
    folder = {"items.csv": table(many)}
    result = load_folder(db, folder, rules=RULES, now=LATER, at=None)
    assert len(result.faults) == 200
    assert [fault.line for fault in result.faults] == list(range(2, 202))


def test_an_unreadable_cell_causes_no_faults_elsewhere(db: Database) -> None:
    changes = {"items": ITEMS.replace("TAPE,m,3,none", "TAPE,m,many,none")}
    assert [fault.file for fault in load(db, changes).faults] == ["items.csv"]


def test_stock_holds_its_unit_step_and_tracking(db: Database) -> None:
    loaded(db, {"receipts": "reference,item,location,quantity\nR-1,PAD,LINE,5"})
    for column, row in {
        "uom": "PAD,box,0,none,",
        "decimals": "PAD,pcs,2,none,",
        "tracking": "PAD,pcs,0,lot,",
    }.items():
        faults = load(db, {"items": ITEMS.replace("PAD,pcs,0,none,", row)}).faults
        assert [(fault.file, fault.line, fault.column) for fault in faults] == [
            ("items.csv", 6, column)
        ]


def test_a_location_of_another_station_is_not_ours_to_fault(db: Database) -> None:
    """BF-14: the same folder serves both stations."""
    folder = {"locations": "location,kind,station\nLINE-2,line_side,STATION-2"}
    loaded(db, folder)
    other = StationRules(station="STATION-2", supply_location="LINE-2")
    assert load(db, folder, rules=other).faults == []
