"""What orders of the sample plant cost, checked by head (BF-38).

The sample plant brings what its parts cost and the rates of its work centres.
"""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.errors import InputError
from mes_terminal.store import costs as store
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases.lists import LISTS
from tests.plants import Row, Station, as_json, empty_database, open_station, plant

ROOT = Path(__file__).parents[2]
SAMPLE = read_folder(ROOT / "config" / "sample-plant")
KEYS = [
    "work_order", "item", "uom", "good", "scrapped", "currency", "lines", "total", "per_unit",
    "standard", "usage_variance", "variance", "incomplete",
]  # fmt: skip
LINE_KEYS = [
    "kind", "element", "line", "item", "operation", "work_centre", "quantity", "uom", "rate", "per",
    "cost",
]  # fmt: skip


@pytest.fixture
def station(tmp_path: Path) -> Station:
    files = {name: text.decode() for name, text in SAMPLE.items()}
    return open_station(tmp_path, files, template=empty_database())


def cost(station: Station, work_order: str, **filters: str) -> Row:
    (row,) = station.rows("order_costs", work_order=work_order, **filters)
    assert list(row) == KEYS
    assert all(list(line) == LINE_KEYS for line in row["lines"])
    return row


def shown(row: Row, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(line[key] for key in keys) for line in row["lines"]]


def test_a_hundred_chairs(station: Station) -> None:
    """400 legs at 3.20, 100 frames at 12.50, 100 backrests at 87.50 a hundred; no routing."""
    station.scan("WO-1001")
    row = cost(station, "WO-1001")
    assert shown(row, "kind", "line", "item", "quantity", "uom", "rate", "per", "cost") == [
        ("material", "10", "LEG", "400", "pcs", "3.2", "1", "1280.00"),
        ("material", "20", "FRAME", "100", "pcs", "12.5", "1", "1250.00"),
        ("material", "30", "BACKREST", "100", "pcs", "87.5", "100", "87.50"),
    ]
    assert {key: row[key] for key in KEYS if key != "lines"} == {
        "work_order": "WO-1001", "item": "CHAIR-4", "uom": "pcs", "good": "100", "scrapped": "0",
        "currency": "EUR", "total": "2617.50", "per_unit": "26.175", "standard": "2617.50",
        "usage_variance": "0.00", "variance": "0.00", "incomplete": [],
    }  # fmt: skip


def test_fifty_bicycles_with_their_operations(station: Station) -> None:
    """Set-up 15 min at 42 and 10 min at 38; run 4, 18 and 2 min a bicycle; a carton for four of
    them, so 13; 2 % of 70 m of chain; grease is bulk and stands in the overhead."""
    station.scan("WO-1003")
    row = cost(station, "WO-1003")
    assert shown(row, "kind", "element", "line", "item", "quantity", "cost")[7:9] == [
        ("material", "material", "80", "CARTON", "13", "40.30"),
        ("planned_scrap", "material", "40", "CHAIN", "1.4", "6.11"),
    ]
    hours = [line for line in row["lines"] if line["uom"] == "h"]
    assert [
        (line["kind"], line["operation"], line["work_centre"], line["quantity"], line["rate"])
        for line in hours
    ] == [
        ("setup", "10", "WC-PAINT", "0.25", "42"),
        ("setup", "20", "WC-ASSEMBLY", "0.166667", "38"),
        ("labour", "10", "WC-PAINT", "3.333333", "42"),
        ("labour", "20", "WC-ASSEMBLY", "15", "38"),
        ("labour", "30", "WC-PACK", "1.666667", "32"),
        ("overhead", "10", "WC-PAINT", "3.583333", "18"),
        ("overhead", "20", "WC-ASSEMBLY", "15.166667", "12"),
        ("overhead", "30", "WC-PACK", "1.666667", "8"),
    ]
    material = ["4250", "118.5", "1140", "935", "215", "305.64", "305.55", "40.3", "6.111"]
    labour = Fraction("780.16") + Fraction(2, 300)  # 10.50 + 6.33⅓ + 140 + 570 + 53.33⅓
    overhead = Fraction("259.83") + Fraction(1, 300)  # 64.50 + 182 + 13.33⅓
    assert row["total"] == "8356.10"
    assert sum(map(Fraction, material)) + labour + overhead == Fraction("8356.101")
    assert (row["standard"], row["usage_variance"], row["incomplete"]) == ("8356.10", "0.00", [])


def test_lines_sum_to_the_total_exactly(station: Station) -> None:
    """Although most of the bicycle's lines end in a third of a cent."""
    station.scan("WO-1003")
    row = cost(station, "WO-1003")
    cents = [int(line["cost"].replace(".", "")) for line in row["lines"]]
    assert sum(cents) == int(row["total"].replace(".", ""))


def test_in_parts_it_costs_what_it_costs_at_once(station: Station) -> None:
    for _ in range(7):
        station.scan("%QTY 3")
        station.scan("WO-1003")
    station.scan("WO-1003")
    assert cost(station, "WO-1003")["total"] == "8356.10"


def test_what_was_taken_back_costs_nothing(station: Station) -> None:
    """BF-31: neither the hours nor the set-up."""
    station.scan("WO-1003")
    station.scan("%UNDO")
    row = cost(station, "WO-1003")
    assert (row["lines"], row["total"], row["per_unit"], row["good"]) == ([], "0.00", None, "0")


def test_what_is_owed_costs_too(station: Station) -> None:
    """BF-20: WO-1104 lacks ten frames after WO-1003; a total without them would be too low."""
    station.scan("WO-1003")
    station.scan("WO-1104")
    row = cost(station, "WO-1104")
    frames = [line for line in row["lines"] if line["item"] == "BIKE-FRAME"]
    assert shown({"lines": frames}, "kind", "quantity", "cost") == [
        ("material", "20", "1700.00"),
        ("owed", "10", "850.00"),
    ]
    assert (row["usage_variance"], row["variance"]) == ("0.00", "0.00")


def test_bicycles_made_before_go_live_are_not_costed_here(station: Station) -> None:
    """WO-1104: 10 of 40 were completed before; 30 are costed, without set-up, and 7 cartons
    (ten of them, less the three that the first ten took)."""
    station.scan("WO-1104")
    row = cost(station, "WO-1104")
    assert (row["good"], row["variance"]) == ("30", "0.00")
    assert [line for line in row["lines"] if line["kind"] == "setup"] == []
    assert [line["quantity"] for line in row["lines"] if line["item"] == "CARTON"] == ["7"]


def test_bicycles_scrapped_before_go_live_are_no_scrap_of_this_station(station: Station) -> None:
    """10 of 20 were good before and 2 scrapped: 8 remain, at 2 minutes of packing each."""
    orders = "work_order,item,quantity,status,completed_so_far,scrapped_so_far"
    station.load(plant(work_orders=f"{orders}\nWO-9,BICYCLE,20,released,10,2\n"))
    station.scan("WO-9")
    row = cost(station, "WO-9")
    assert (row["good"], row["scrapped"], row["variance"]) == ("8", "0", "0.00")
    assert [
        (line["kind"], line["quantity"]) for line in row["lines"] if line["operation"] == "30"
    ] == [("material", "2"), ("labour", "0.266667"), ("overhead", "0.266667")]


def test_an_item_without_standard_cost_is_named_and_not_taken_for_free(station: Station) -> None:
    station.load(plant(items="item,standard_cost\nLEG,\nBOARD,\n"))
    station.scan("WO-1001")
    row = cost(station, "WO-1001")
    assert shown(row, "item", "rate", "cost")[0] == ("LEG", None, None)
    assert row["total"] == "1337.50"
    assert row["incomplete"] == [{"what": "item", "key": "LEG", "missing": "standard_cost"}]


def test_a_price_that_changes_changes_what_orders_cost(station: Station) -> None:
    """Nothing is stored: material is valued at the standard of the moment of asking."""
    station.scan("WO-1001")
    station.load(plant(items="item,standard_cost,cost_per\nLEG,3.3,1\n"))
    row = cost(station, "WO-1001")
    assert (row["total"], row["standard"]) == ("2657.50", "2657.50")


@pytest.mark.parametrize(
    ("currency", "total", "last"), [("JPY", "8356", "13"), ("KWD", "8356.101", "13.333")]
)
def test_a_currency_has_its_own_minor_unit(
    station: Station, currency: str, total: str, last: str
) -> None:
    """ISO 4217: no decimals in yen, three in dinars."""
    station.scan("WO-1003")
    row = cost(station, "WO-1003", currency=currency)
    assert (row["currency"], row["total"]) == (currency, total)
    assert row["lines"][-1]["cost"] in (last, f"{last[:-1]}{int(last[-1]) + 1}")


def test_without_a_number_all_orders_are_costed_that_have_a_report(station: Station) -> None:
    station.scan("WO-1003")
    station.scan("WO-1001")
    assert [row["work_order"] for row in station.rows("order_costs")] == ["WO-1001", "WO-1003"]
    assert cost(station, "WO-1002")["lines"] == []


@pytest.mark.parametrize(
    ("filters", "said"),
    [({"work_order": "WO-9"}, "WO-9"), ({"item": "LEG"}, "item"), ({"currency": "euro"}, "euro")],
)
def test_what_cannot_be_asked_is_refused(
    station: Station, filters: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        list(LISTS["order_costs"](station.db, filters))


def test_material_by_hand_is_costed_by_its_class(station: Station) -> None:
    """BF-10, BF-27: planned issues belong to their line, returns come off, extra parts stand alone,
    and so does what was broken."""
    for codes in [
        ("%QTY 10", "WO-1001"),
        ("%QTY 8", "%ISSUE", "LEG|L-77"),
        ("%QTY 3", "%RETURN", "LEG|L-77"),
        ("%QTY 2", "%EXTRA SPILL", "LEG|L-77"),
        ("%QTY 1", "%SCRAP BROKEN", "FRAME|F-12"),
    ]:
        for code in codes:
            assert station.scan(code).outcome in ("recorded", "completed")
    row = cost(station, "WO-1001")
    assert shown(row, "kind", "line", "item", "quantity", "cost") == [
        ("material", "10", "LEG", "45", "144.00"),
        ("material", "20", "FRAME", "10", "125.00"),
        ("material", "30", "BACKREST", "10", "8.75"),
        ("reported_scrap", "20", "FRAME", "1", "12.50"),
        ("extra", None, "LEG", "2", "6.40"),
    ]
    assert (row["usage_variance"], row["variance"]) == ("34.90", "34.90")
    station.scan("CHAIR-4")
    row = cost(station, "WO-1001")
    assert row["usage_variance"] == "22.10", "four of the legs were those of the next chair"


def test_a_pass_of_rework_costs_the_parts_it_took_in(station: Station) -> None:
    """BF-28: a chair gets another seat frame; the legs it was built with are paid for once."""
    for code in ("%QTY 10", "WO-1001", "%REWORK REPAINT", "CHAIR-4|WO-1001", "%QTY 1",
                 "%EXTRA SPILL", "FRAME|F-12"):  # fmt: skip
        assert station.scan(code).outcome in ("recorded", "completed"), code
    assert cost(station, "WO-1001")["lines"][-1]["kind"] == "extra"
    assert station.scan("CHAIR-4|WO-1001").outcome in ("recorded", "completed")
    row = cost(station, "WO-1001")
    assert shown(row, "kind", "item", "quantity", "cost")[3:] == [("rework", "FRAME", "1", "12.50")]
    assert (row["good"], row["usage_variance"], row["variance"]) == ("10", "12.50", "12.50")


def test_scrapped_units_stand_by_themselves(station: Station) -> None:
    """BF-26: 48 good bicycles and 2 scrapped at the end cost what 50 cost."""
    for code in ("%QTY 40", "WO-1003", "%QTY 2", "%SCRAP SCRATCHED", "WO-1003", "WO-1003"):
        assert station.scan(code).outcome in ("recorded", "completed"), code
    row = cost(station, "WO-1003")
    assert (row["good"], row["scrapped"], row["total"]) == ("48", "2", "8356.10")
    scrap = [line for line in row["lines"] if line["kind"] == "unit_scrap"]
    assert shown({"lines": scrap}, "item", "operation", "element", "quantity")[:1] == [
        ("BIKE-FRAME", "10", "material", "2"),
    ]
    assert row["usage_variance"] == "0.00"


def test_operations_cost_when_they_are_reported(station: Station) -> None:
    """BF-11, BF-26: ten bicycles pass the assembly and sweep the paint booth, one of them is
    scrapped there; none is packed, no carton taken. In process nothing is usage variance."""
    for code in ("%QTY 10", "%OP 20 WO-1003", "%QTY 1", "%SCRAP SCRATCHED", "WO-1003"):
        assert station.scan(code).outcome in ("recorded", "completed"), code
    row = cost(station, "WO-1003")
    hours = [line for line in row["lines"] if line["element"] == "labour"]
    assert shown({"lines": hours}, "kind", "operation", "quantity") == [
        ("setup", "10", "0.25"),
        ("setup", "20", "0.166667"),
        ("labour", "10", "0.6"),
        ("labour", "20", "2.7"),
        ("unit_scrap", "10", "0.066667"),
        ("unit_scrap", "20", "0.3"),
    ]
    assert "CARTON" not in [line["item"] for line in row["lines"]]
    assert (row["good"], row["per_unit"], row["standard"]) == ("0", None, "0.00")
    assert (row["total"], row["usage_variance"], row["variance"]) == ("1668.49", "0.00", "1668.49")
    station.scan("WO-1003")
    row = cost(station, "WO-1003")
    lost = [line["cost"] for line in row["lines"] if line["kind"] == "unit_scrap"]
    chain = Fraction("0.12")  # its planned scrap, of the scrapped unit: 0.028 m at 4.365
    assert sum(map(Fraction, lost)) + chain == Fraction(row["variance"]) == Fraction("164.52")
    station.scan("%UNDO")
    assert cost(station, "WO-1003")["total"] == "1668.49"


def test_a_by_product_that_was_received_is_credited(tmp_path: Path) -> None:
    """BF-30, BF-38: sawing 4 boards of 5.00 gives chips worth 0.40 a kilogram, 0.5 a board."""
    station = open_station(
        tmp_path,
        plant(
            items="""
                item,uom,decimals,kind,standard_cost
                BOARD,pcs,0,,
                LOG,pcs,0,purchased,5
                CHIPS,kg,3,purchased,0.4
                """,
            boms="item,revision\nBOARD,A",
            bom_lines="""
                item,revision,line,component,quantity,role
                BOARD,A,10,LOG,1,component
                BOARD,A,20,CHIPS,0.5,by_product
                """,
            receipts="reference,item,location,quantity\nR1,LOG,LINE,9",
            work_orders="work_order,item,quantity,status\nWO-1,BOARD,4,released",
        ),
    )
    station.scan("WO-1")
    row = cost(station, "WO-1")
    assert shown(row, "kind", "line", "item", "quantity", "rate", "cost") == [
        ("material", "10", "LOG", "4", "5", "20.00"),
        ("by_product", "20", "CHIPS", "-2", "0.4", "-0.80"),
    ]
    assert (row["total"], row["standard"], row["usage_variance"]) == ("19.20", "19.20", "0.00")


STOOLS = """
    item,tracking,standard_cost
    STOOL,lot,
    LEG,lot,2
    PEG,lot,1
    PIN,lot,1
    """


def stools(folder: Path, substitutes: str, legs: int, pegs: int = 90) -> Station:
    """A stool takes a leg, or the pegs or pins that do for one; ten are ordered."""
    return open_station(
        folder,
        plant(
            items=STOOLS,
            boms="item,revision\nSTOOL,A",
            bom_lines="item,revision,line,component,quantity\nSTOOL,A,10,LEG,1",
            bom_substitutes=substitutes,
            receipts=f"""
                reference,item,lot,location,quantity,effective_at
                R1,LEG,L-1,LINE,{legs},2026-11-01
                R2,PEG,P-1,LINE,{pegs},2026-11-01
                R3,PIN,N-1,LINE,90,2026-11-01
                """,
            work_orders="work_order,item,quantity,status\nWO-1,STOOL,10,released",
        ),
    )


def test_whole_pieces_by_hand_count_for_what_they_did(tmp_path: Path) -> None:
    """BF-29, BF-10: 3 pegs at 1.9 a leg are one leg, 3 pins another: no leg is credited for what
    the six would do in fractions."""
    listed = "item,revision,line,substitute,ratio\nSTOOL,A,10,PEG,1.9\nSTOOL,A,10,PIN,1.9"
    station = stools(tmp_path, listed, legs=90)
    station.scan("%START WO-1")
    for code in ("PEG|P-1", "PIN|N-1"):
        for each in ("%ISSUE", "%QTY 3", code):
            station.scan(each)
    station.scan("%QTY 2")
    station.scan("WO-1")
    row = cost(station, "WO-1")
    assert shown(row, "kind", "item", "quantity", "cost") == [
        ("material", "PEG", "3", "3.00"),
        ("material", "PIN", "3", "3.00"),
    ]
    assert (row["total"], row["usage_variance"]) == ("6.00", "2.00")
    for each in ("%RETURN", "%QTY 1", "PIN|N-1"):
        station.scan(each)
    row = cost(station, "WO-1")
    assert shown(row, "item", "quantity") == [("PEG", "3"), ("PIN", "2")]


def test_what_no_longer_stands_in_counts_for_what_it_did(tmp_path: Path) -> None:
    """BF-7, BF-29: 6 pegs did for 4 legs when the order still listed them."""
    listed = "item,revision,line,substitute,ratio\nSTOOL,A,10,PEG,1.5"
    station = stools(tmp_path, listed, legs=90)
    for each in ("%START WO-1", "%ISSUE", "%QTY 6", "PEG|P-1", "%QTY 4", "WO-1"):
        station.scan(each)
    station.load(plant(work_order_lines="work_order,line,component,quantity\nWO-1,20,LEG,10"))
    assert shown(cost(station, "WO-1"), "kind", "item", "quantity") == [("material", "PEG", "6")]


def test_whole_pieces_that_reports_drew_count_for_what_they_did(tmp_path: Path) -> None:
    """BF-29, BF-31: each of four stools took two pegs at 1.5 a leg, the first a leg. What a part
    of a report gave back is no cost."""
    listed = "item,revision,line,substitute,ratio,choice\nSTOOL,A,10,PEG,1.5,automatic"
    station = stools(tmp_path, listed, legs=1)
    for each in ("%QTY 2", "STOOL", "STOOL", "STOOL", "STOOL"):
        station.scan(each)
        row = cost(station, "WO-1")
    assert shown(row, "kind", "item", "quantity", "cost") == [
        ("material", "LEG", "1", "2.00"),
        ("material", "PEG", "8", "8.00"),
    ]
    assert (row["total"], row["usage_variance"]) == ("10.00", "0.00")
    for left in ("6", "4", "2"):
        assert station.scan("%UNDO").outcome == "recorded"
        row = cost(station, "WO-1")
        assert shown(row, "item", "quantity") == [("LEG", "1"), ("PEG", left)]
    assert station.scan("%UNDO WO-1 1").outcome == "recorded"
    assert shown(cost(station, "WO-1"), "item", "quantity") == [("LEG", "1")]


def test_no_history_is_scanned_for_an_order(station: Station) -> None:
    """Each statement finds its rows by a key or an index; reports lead to their movements."""
    asked = {"work_order": "WO-1003", "work_order_id": 1, "production_id": 1}
    plans = {}
    for name in ("ORDER", "LINES", "MOVED", "BY_HAND", "OPERATIONS", "OUTPUTS"):
        plan = station.db.conn.execute(f"EXPLAIN QUERY PLAN {getattr(store, name)}", asked)
        plans[name] = [row[3] for row in plan]
        assert [
            step for step in plans[name] if re.match(r"SCAN (?!signed|standing|moved)", step)
        ] == []
    moved = " ".join(plans["MOVED"])
    assert "SEARCH report USING INDEX report_work_order (work_order_id=?)" in moved
    assert "SEARCH movement USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in moved


def test_asking_writes_nothing(station: Station) -> None:
    station.scan("WO-1003")
    before = json.dumps(as_json(station.rows("audit")))
    cost(station, "WO-1003")
    assert not station.db.conn.in_transaction
    assert json.dumps(as_json(station.rows("audit"))) == before
