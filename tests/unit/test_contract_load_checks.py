"""What a load refuses, and what it does not tell twice: cases beside those of the load's own."""

import pytest

from mes_terminal.store.database import Database
from mes_terminal.usecases.load_master_data import load_folder
from tests.unit.plant_files import BASE, LATER, NOW, RULES, db, files, load, loaded, rows

__all__ = ["db"]

ITEMS = BASE["items"].rstrip()
LINES = "item,revision,line,component,quantity,operation,role,effective_from,effective_to\n"
ROUTING = "item,revision,operation\nCHAIR,A,10"

CASES = {
    "an operation that the routing lacks, on a line of another day": (
        {"bom_lines": LINES + "CHAIR,A,10,LEG,4,20,,2030-01-01,", "routings": ROUTING},
        "bom_lines.csv:2: operation: operation 20 is not in the routing of CHAIR revision A",
    ),
    "an operation that the routing lacks, on a by-product": (
        {"bom_lines": LINES + "CHAIR,A,10,LEG,4,20,by_product,,", "routings": ROUTING},
        "bom_lines.csv:2: operation: operation 20 is not in the routing of CHAIR revision A",
    ),
    "half a serial, on a line of another day": (
        {"bom_lines": LINES + "CHAIR,A,10,LEG,4,,,,\nCHAIR,A,20,MOTOR,0.5,,,,2020-12-31"},
        "bom_lines.csv:3: quantity: MOTOR is tracked by serial but 1/2 go into one CHAIR",
    ),
    "an output where another station writes (BF-14)": (
        {
            "locations": "location,station\nYARD,OTHER",
            "work_centres": "work_centre,output_location\nWC,YARD",
            "work_orders": "work_order,item,quantity,status,work_centre\nWO-1,CHAIR,10,released,WC",
        },
        "work_orders.csv:2: work_centre: would bring CHAIR to YARD, which is written by OTHER only",
    ),
    "receipts of more than 64 bits in all (BF-1)": (
        {
            "receipts": "reference,item,lot,location,quantity\n"
            "R1,LEG,L1,LINE,9000000000000\nR2,LEG,L2,LINE,9000000000000"
        },
        "receipts.csv:3: quantity: there would be more LEG than can be counted; write less",
    ),
    "a quantity of more than 64 bits (BF-1)": (
        {"work_orders": "work_order,item,quantity\nWO-1,CHAIR,9999999999999999"},
        "work_orders.csv:2: quantity: '9999999999999999' is too large; write at most 9223372036854",
    ),
}


@pytest.mark.parametrize(("changes", "told"), CASES.values(), ids=CASES.keys())
def test_a_fault_is_told_at_its_place_with_the_mend(
    db: Database, changes: dict[str, str], told: str
) -> None:
    faults = [str(fault) for fault in load(db, changes).faults]
    assert len(faults) == 1, faults
    assert faults[0].startswith(told)


def test_receipts_count_up_to_what_is_there(db: Database) -> None:
    """BF-1: a later receipt cannot make a balance that 64 bits do not hold."""
    header = "reference,item,location,quantity\n"
    loaded(db, {"receipts": header + "R1,PAD,LINE,9000000000000"})
    faults = load(db, {"receipts": header + "R2,PAD,LINE,9000000000000"}).faults
    assert [fault.column for fault in faults] == ["quantity"]
    loaded(db, {"receipts": header + "R2,PAD,LINE,1"})


@pytest.mark.parametrize(
    "items",
    [b"\xff\xfe", b'item,uom\n"A"x,pcs\n', b"uom\npcs\n", b"item,uom\nA,pcs,1,2\n"],
    ids=["no UTF-8", "quotation marks", "no key column", "too many cells"],
)
def test_an_unreadable_file_causes_no_faults_elsewhere(db: Database, items: bytes) -> None:
    """What other files refer to may be in what could not be read."""
    folder = {**files(), "items.csv": items}
    result = load_folder(db, folder, rules=RULES, now=NOW, at=None)
    assert [fault.file for fault in result.faults] == ["items.csv"]


def test_a_line_of_blanks_is_a_blank_line(db: Database) -> None:
    folder = {**files(), "items.csv": files()["items.csv"] + b"\n  \n ,  ,\n"}
    assert load_folder(db, folder, rules=RULES, now=NOW, at=None).faults == []


@pytest.mark.parametrize(
    ("days", "bits"), [("12345", 31), ("Mo-Fr", 31), ("Mon,Wednesday", 5), ("7", 64)]
)
def test_days_of_a_shift_are_read_as_people_write_them(db: Database, days: str, bits: int) -> None:
    loaded(db, {"shifts": f'shift,start,end,days\nE,06:00,14:00,"{days}"'})
    assert rows(db, "SELECT days FROM shift") == [(bits,)]


def test_naming_the_items_own_unit_is_no_other_content(db: Database) -> None:
    """A reference is applied once; `pcs` and the empty cell say the same."""
    loaded(db, {"receipts": "reference,item,location,quantity\nR1,PAD,LINE,5"})
    loaded(db, {"receipts": "reference,item,location,quantity,uom\nR1,PAD,LINE,5,pcs"}, now=LATER)
    assert rows(db, "SELECT sum(quantity_micro) FROM movement") == [(5_000_000,)]
