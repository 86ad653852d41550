"""What a label books: GS1, MH10.8.2 and EAN labels through the one door (issue: meaning)."""

from pathlib import Path

import msgspec
import pytest

from mes_terminal.domain.rules import StationRules
from tests.plants import TEST_RULES, Station, open_station, plant, said

GS = "\x1d"
RS = "\x1e"
EOT = "\x04"
CHAIR_GTIN = "09506000134352"
LEG_GTIN = "09506000134369"
PAINT_GTIN = "04012345678901"
SSCC = "395060001343500010"

PLANT = plant(
    items=f"""
        item,tracking,gtin,uom,decimals
        CHAIR,none,{CHAIR_GTIN},pcs,0
        LEG,lot,9506000134369,pcs,0
        PAINT,lot,,kg,3
        MOTOR,serial,,pcs,0
        """,
    item_codes="""
        code,item,kind,partner,uom,quantity
        4012345678901,PAINT,gtin,,drum,1
        ACME-77,LEG,supplier,ACME,,
        ZETA-77,PAINT,supplier,ZETA,,
        BOX-OF-6,CHAIR,customer,,,6
        """,
    unit_conversions="item,from_uom,to_uom,factor\nPAINT,drum,kg,25",
    boms="item,revision\nCHAIR,A",
    bom_lines="""
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        CHAIR,A,20,PAINT,0.5
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at,expires_on
        R1,LEG,L-1,LINE,1000,2026-11-01,
        R2,LEG,L-2,LINE,1000,2026-11-02,2027-06-30
        R3,PAINT,P-1,LINE,50,2026-11-02,2027-06-30
        """,
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,100,released",
)
RECEIVING = msgspec.structs.replace(TEST_RULES, receive_from_labels=True)


def station(folder: Path, rules: StationRules = TEST_RULES) -> Station:
    return open_station(folder, PLANT, rules)


def mh10(*fields: str) -> str:
    return f"[)>{RS}06{GS}" + GS.join(fields) + RS + EOT


@pytest.mark.parametrize(
    "code",
    [
        f"]C101{LEG_GTIN}10L-1",
        f"]d201{LEG_GTIN}10L-1{GS}30250",
        f"{GS}01{LEG_GTIN}10L-1",
        f"https://id.gs1.org/01/{LEG_GTIN}/10/L-1?37=250",
        mh10("PLEG", "1TL-1", "Q250"),
        mh10("1PACME-77", "VACME", "TL-1"),
    ],
)
def test_a_lot_label_of_any_grammar_mounts_the_lot(code: str, tmp_path: Path) -> None:
    """BF-17: by GTIN (13 digits in the file, 14 on the label), ours or the supplier's number."""
    plant = station(tmp_path)
    done = plant.scan(code)
    assert (done.outcome, done.item, done.lot) == ("recorded", "LEG", "L-1")


def test_a_suppliers_number_counts_for_that_supplier_only(tmp_path: Path) -> None:
    done = station(tmp_path).scan(mh10("1PACME-77", "VZETA", "TL-1"))
    assert done.outcome == "unknown"


def test_two_items_on_one_label_are_ambiguous(tmp_path: Path) -> None:
    done = station(tmp_path).scan(mh10("PLEG", "1PZETA-77", "TL-1"))
    assert (done.outcome, done.reason) == ("rejected", "ambiguous")


def test_the_quantity_of_a_label_is_evidence_in_the_base_unit(tmp_path: Path) -> None:
    """BF-2: two drums of 25 kg by the pack of the number, 12.5 kg by weight; never one for one."""
    plant = station(tmp_path)
    by_pack = plant.scan(f"]C101{PAINT_GTIN}10P-1{GS}302")
    assert by_pack.outcome == "recorded"
    assert "on the label" not in by_pack.message, "50 kg in the books, 50 kg on the label"
    by_weight = plant.scan(f"]C101{PAINT_GTIN}310300125010P-1")
    assert "1.25 on the label" in by_weight.message
    in_litres = plant.scan(f"]C101{PAINT_GTIN}315200125010P-1")
    assert (in_litres.outcome, in_litres.reason) == ("rejected", "malformed")
    assert "no conversion from l to kg" in in_litres.message


IN_LITRES = f"]C101{PAINT_GTIN}315200125010P-1"


def test_a_unit_without_conversion_is_an_exception_that_counts_its_scans(tmp_path: Path) -> None:
    """BF-2: never one for one; one exception an item and unit, told upstream once."""
    plant = station(tmp_path)
    first, second = plant.scan(IN_LITRES), plant.scan(IN_LITRES)
    assert [said(each) for each in (first, second)] == [("rejected", "malformed")] * 2
    assert [each.exceptions[0].id for each in (first, second)] == [1, 1]
    assert plant.exceptions() == [("conversion_missing", "open", None, "PAINT", "2")]
    (told,) = plant.rows("exception_stories", ids="1")
    assert (told["cause_code"], told["tries"], told["value"]) == (
        "conversion_missing:no_conversion", 2, None,
    )  # fmt: skip
    assert told["blocking"].startswith("There is no conversion: ")
    assert [each["how"] for each in told["proposals"]] == ["load", "write_off"]
    (event,) = plant.rows("outbox", type="exception.opened")
    assert event["event"]["data"]["detail"]["uom"] == "l"
    assert plant.stock("PAINT", "P-1") == "50"
    assert plant.faults() == []


def test_a_conversion_that_is_loaded_ends_it_and_the_label_can_be_scanned(tmp_path: Path) -> None:
    """BF-2, BF-22: a load that brings another one does not."""
    plant = station(tmp_path)
    plant.scan(IN_LITRES)
    head = "item,from_uom,to_uom,factor\nPAINT,drum,kg,25\n"
    plant.load({"unit_conversions.csv": f"{head}LEG,l,pcs,2\n"}, at=plant.now)
    assert plant.rows("exceptions")[0]["status"] == "open"
    plant.load({"unit_conversions.csv": f"{head}LEG,l,pcs,2\nPAINT,l,kg,1.4\n"}, at=plant.now)
    (row,) = plant.rows("exceptions")
    assert (row["status"], row["quantity"], row["resolution"]) == (
        "resolved", "0", "a conversion from l was loaded",
    )  # fmt: skip
    (event,) = plant.rows("outbox", type="exception.resolved")
    assert event["event"]["data"]["exceptions"][0]["kind"] == "conversion_missing"
    assert plant.scan(IN_LITRES).outcome == "recorded"
    assert plant.faults() == []


def test_a_new_lot_is_refused_where_labels_receive_nothing(tmp_path: Path) -> None:
    done = station(tmp_path).scan(f"]C101{LEG_GTIN}10L-9{GS}3040")
    assert (done.outcome, done.reason) == ("rejected", "lot_unknown")


def test_a_label_of_a_new_lot_receives_it_once_where_the_station_allows_it(tmp_path: Path) -> None:
    """`codes.receive_from_labels`: stock, expiry, supplier lot, event and mount in one scan."""
    plant = station(tmp_path, RECEIVING)
    code = f"]C101{LEG_GTIN}1727063010L-9{GS}3040"
    done = plant.scan(code)
    assert (done.outcome, done.lot, done.quantity) == ("recorded", "L-9", "40")
    assert plant.stock("LEG", "L-9") == "40"
    again = plant.scan(code)
    assert again.outcome == "recorded"
    assert plant.stock("LEG", "L-9") == "40"
    (lot,) = plant.rows("lots", item="LEG", lot="L-9")
    assert lot["expires_on"] == "2027-06-30"
    received = [row for row in plant.rows("outbox") if row["type"].endswith("material.received.v1")]
    assert received[-1]["subject"].startswith("label:")
    assert plant.faults() == []


def test_a_new_lot_without_quantity_asks_for_it_and_takes_it(tmp_path: Path) -> None:
    plant = station(tmp_path, RECEIVING)
    code = mh10("PLEG", "1TL-9")
    assert said(plant.scan(code)) == ("needs", "quantity")
    plant.scan("%QTY 12")
    assert plant.scan(code).outcome == "recorded"
    assert plant.stock("LEG", "L-9") == "12"


def test_a_new_lot_that_has_expired_or_nobody_needs_is_not_received(tmp_path: Path) -> None:
    plant = station(tmp_path, RECEIVING)
    expired = plant.scan(f"]C101{LEG_GTIN}1725063010L-9{GS}3040")
    assert said(expired) == ("rejected", "lot_expired")
    no_motor = plant.scan(mh10("PMOTOR", "1TX", "Q1"))
    assert said(no_motor) == ("rejected", "lot_unknown")
    assert plant.stock("LEG", "L-9") == "0"
    assert plant.scan(f"]C101{CHAIR_GTIN}10NEW{GS}305").outcome == "rejected"


def test_an_expiry_that_the_books_do_not_know_opens_one_exception(tmp_path: Path) -> None:
    """The lot is used by its record; who is right only a person can tell."""
    plant = station(tmp_path)
    code = f"]C101{LEG_GTIN}1727010110L-2"
    done = plant.scan(code)
    assert done.outcome == "recorded"
    assert [one.kind for one in done.exceptions] == ["label_mismatch"]
    plant.scan(code)
    assert plant.exceptions() == [("label_mismatch", "open", None, None, "2")]
    same = plant.scan(f"]C101{LEG_GTIN}1727063010L-2")
    assert same.exceptions == []
    assert plant.faults() == []


def test_a_label_that_says_expired_is_refused_whatever_the_books_say(tmp_path: Path) -> None:
    plant = station(tmp_path)
    done = plant.scan(f"]C101{LEG_GTIN}1726010110L-2")
    assert said(done) == ("rejected", "lot_expired")
    assert plant.exceptions() == []


def test_a_lost_separator_is_refused_where_it_hides_what_the_station_expects(
    tmp_path: Path,
) -> None:
    """Lot `L-1` and serial in one: unless the books know a lot of exactly that name."""
    plant = station(tmp_path)
    assert said(plant.scan(f"]C101{LEG_GTIN}10L-121S7")) == ("rejected", "gs_suspected")
    plant.load(
        plant_of_lot("L-121S7"),
    )
    assert plant.scan(f"]C101{LEG_GTIN}10L-121S7").outcome == "recorded"
    harmless = plant.scan(f"]C101{LEG_GTIN}10L-1240X")
    assert said(harmless) == ("rejected", "lot_unknown"), "an item number is nothing it waits for"


def test_a_count_that_reads_like_an_element_is_a_count(tmp_path: Path) -> None:
    """2100 ends like lot 0; 241055 may be 24 that swallowed a lot."""
    plant = station(tmp_path)
    done = plant.scan(f"]C101{LEG_GTIN}30210")
    assert done.reason != "gs_suspected"
    assert plant.scan(f"]C102{LEG_GTIN}372100").reason != "gs_suspected"
    assert said(plant.scan(f"]C102{LEG_GTIN}37241055")) == ("rejected", "gs_suspected")


@pytest.mark.parametrize("order", ["WO-1001", "WO-21055", "4530126"])
def test_an_order_number_that_ends_like_an_element_is_the_order(order: str, tmp_path: Path) -> None:
    """The books know it whole, so it has swallowed nothing."""
    work_orders = f"work_order,item,quantity,status\n{order},CHAIR,100,released"
    plant = open_station(tmp_path, {**PLANT, "work_orders.csv": work_orders}, TEST_RULES)
    done = plant.scan(f"]C193{order}")
    assert (done.outcome, done.work_order) == ("completed", order)


def test_an_item_number_that_ends_like_an_element_is_the_item(tmp_path: Path) -> None:
    changed = {
        "items.csv": PLANT["items.csv"] + "CHAIR-2105,none,,pcs,0\n",
        "boms.csv": PLANT["boms.csv"] + "CHAIR-2105,A\n",
        "bom_lines.csv": PLANT["bom_lines.csv"] + "CHAIR-2105,A,10,LEG,4\n",
        "work_orders.csv": "work_order,item,quantity,status\nWO-5,CHAIR-2105,100,released",
    }
    plant = open_station(tmp_path, {**PLANT, **changed}, TEST_RULES)
    for ai in ("240", "241"):
        done = plant.scan(f"]C1{ai}CHAIR-2105")
        assert (done.outcome, done.item) == ("completed", "CHAIR-2105")
    also = plant.scan(f"]C1240CHAIR-2105{GS}241X2107")
    assert said(also) == ("rejected", "gs_suspected"), "which of the two names it is open"


def plant_of_lot(lot: str) -> dict[str, str]:
    rows = f"reference,item,lot,location,quantity,effective_at\nR9,LEG,{lot},LINE,5,2026-11-03"
    return {**PLANT, "receipts.csv": rows}


def test_a_box_of_the_product_reports_its_quantity_once(tmp_path: Path) -> None:
    """BF-34: the same SSCC in another symbology, or with its elements in another order, is it."""
    plant = station(tmp_path)
    done = plant.scan(f"]C100{SSCC}02{CHAIR_GTIN}3724")
    assert (done.outcome, done.quantity) == ("completed", "24")
    again = plant.scan(f"]d202{CHAIR_GTIN}3724{GS}00{SSCC}")
    assert again.outcome == "already_done"
    assert plant.order("WO-1")["completed"] == "24"
    plant.scan("%UNDO")
    assert plant.scan(f"]C100{SSCC}02{CHAIR_GTIN}3724").outcome == "completed"
    assert plant.faults() == []


def test_a_pack_number_reports_what_is_in_the_pack(tmp_path: Path) -> None:
    plant = station(tmp_path)
    assert plant.scan("BOX-OF-6").quantity == "6"
    assert plant.scan(f"]E0{CHAIR_GTIN[1:]}").quantity == "1"
    assert plant.order("WO-1")["completed"] == "7"


def test_an_order_number_in_an_internal_element_is_the_order(tmp_path: Path) -> None:
    plant = station(tmp_path)
    done = plant.scan(f"]C101{CHAIR_GTIN}3010{GS}93WO-1")
    assert (done.outcome, done.work_order, done.quantity) == ("completed", "WO-1", "10")
    assert plant.scan("]C193WO-1").order_status == "closed"


def test_a_serial_that_nobody_knows_is_told(tmp_path: Path) -> None:
    plant = station(tmp_path)
    assert said(plant.scan(mh10("PMOTOR", "SM-1"))) == ("rejected", "serial_unknown")


def test_an_unknown_gtin_is_unknown_and_counted(tmp_path: Path) -> None:
    plant = station(tmp_path)
    assert plant.scan("]C10109521234543213").outcome == "unknown"
    assert [one[0] for one in plant.exceptions()] == ["unknown_code"]


def test_a_frame_that_the_driver_refused_is_rejected_with_its_reason(tmp_path: Path) -> None:
    """An overrun is journalled and answered, and books nothing though it holds an order."""
    from mes_terminal.domain.scan import ScanRequest
    from mes_terminal.usecases.handle_scan import handle_scan
    from mes_terminal.usecases.journal import journal_scans

    plant = station(tmp_path)
    for fault, key, reason in (
        ("overrun", None, "malformed"),
        ("forbidden_key", "LEFTMETA", "forbidden_key"),
        ("protocol_ssi", None, "malformed"),
    ):
        request = ScanRequest(raw=b"WO-1", device="hand", fault=fault, fault_key=key)
        (scan,) = journal_scans(
            plant.db, [request], received_at=plant.now, new_id=iter([fault]).__next__
        )
        assert said(handle_scan(plant.db, scan, TEST_RULES)) == ("rejected", reason)
    assert plant.order("WO-1")["completed"] == "0"


SERIAL_CHAIR = plant(
    items=f"item,tracking,gtin\nCHAIR,serial,{CHAIR_GTIN}\nLEG,lot,",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,2,released\nWO-2,CHAIR,2,released",
    work_order_serials="work_order,serial\nWO-1,C-1\nWO-1,C-2\nWO-2,C-3\nWO-2,C-4",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
)


@pytest.mark.parametrize(
    ("serial", "order", "answer"),
    [
        ("C-1", "WO-1", ("completed", None)),
        ("C-3", "WO-1", ("rejected", "serial_of_other_order")),
        ("C-9", "WO-1", ("rejected", "serial_unknown")),
    ],
)
def test_a_unit_s_label_that_names_its_order_is_that_unit(
    tmp_path: Path, serial: str, order: str, answer: tuple[str, str | None]
) -> None:
    """BF-18, BF-34: never all that remains of the order."""
    files = {name: PLANT[name] for name in ("boms.csv",)} | SERIAL_CHAIR
    plant = open_station(tmp_path, files, TEST_RULES)
    plant.load({"receipts.csv": "reference,item,lot,location,quantity\nR1,LEG,L-1,LINE,99\n"})
    done = plant.scan(f"]C101{CHAIR_GTIN}21{serial}{GS}93{order}")
    assert said(done) == answer
    booked = "1" if done.outcome == "completed" else "0"
    assert [plant.order(each)["completed"] for each in ("WO-1", "WO-2")] == [booked, "0"]
    assert done.serial == ("C-1" if booked == "1" else None)


@pytest.mark.parametrize(
    "label",
    [
        f"]C101{CHAIR_GTIN}3010{GS}21BOX-1{GS}93WO-1",
        f"]C100{SSCC}02{CHAIR_GTIN}3710{GS}93WO-1",
    ],
)
def test_a_box_whose_label_names_its_order_counts_once(tmp_path: Path, label: str) -> None:
    """BF-34."""
    plant = station(tmp_path)
    assert [plant.scan(label).outcome for _ in range(2)] == ["completed", "already_done"]
    assert plant.order("WO-1")["completed"] == "10"
