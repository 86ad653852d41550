"""`mapping.toml`: files as ERPs export them become the tables, or are told with their own words."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mes_terminal.exchange.csv_folder import ParsedFolder, parse_folder, read_cells
from mes_terminal.store.database import Database
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases.load_master_data import load_folder
from tests.unit.plant_files import NOW, RULES, db, rows

__all__ = ["db"]

BERLIN = ZoneInfo("Europe/Berlin")

ITEMS = """
    [[file]]
    name = "parts.csv"
    [[file.table]]
    name = "items"
    [file.table.columns]
    item = "Part"
    description = "Text"
"""


def text(lines: str) -> str:
    return "\n".join(line.strip() for line in lines.strip("\n").splitlines())


def parsed(mapping: str, zone: ZoneInfo = BERLIN, **files: str | bytes) -> ParsedFolder:
    """Read files, each given by its name with `_` for `.`."""
    content = {
        name.replace("_", "."): one if isinstance(one, bytes) else text(one).encode()
        for name, one in files.items()
    }
    return parse_folder({"mapping.toml": text(mapping).encode(), **content}, zone)


def cells(folder: ParsedFolder, table: str, *columns: str) -> list[Any]:
    """Return the columns of a table's rows, which must have no fault; one column as it is."""
    assert [str(fault) for fault in folder.faults] == []
    found = [tuple(getattr(row, name) for name in columns) for row in folder.tables[table].rows]
    return [one[0] for one in found] if len(columns) == 1 else found


def faults(folder: ParsedFolder) -> list[str]:
    return [str(fault) for fault in folder.faults]


def of_items(column: str, rule: str, *values: str, said: str = "") -> Any:
    """Return what a rule makes of the column `X` in rows with these values."""
    mapping = f"""
        [[file]]
        name = "x.csv"
        delimiter = ";"
        {said}
        [[file.table]]
        name = "items"
        [file.table.columns]
        item = "Part"
        {column} = {rule}
    """
    lines = "\n".join(f"P-{number};{value}" for number, value in enumerate(values))
    return parsed(mapping, x_csv=f"Part;X\n{lines}")


# --- files and their text --------------------------------------------------------------------


def test_files_and_columns_are_renamed() -> None:
    folder = parsed(ITEMS, parts_csv="Part,Text\nLEG,Leg of a chair")
    assert cells(folder, "items", "item", "description") == [("LEG", "Leg of a chair")]
    assert folder.tables["items"].columns == {"item", "description"}


def test_clean_files_beside_are_read_as_ever() -> None:
    folder = parsed(ITEMS, parts_csv="Part,Text\nLEG,x", reasons_csv="code,kind\nBENT,scrap")
    assert cells(folder, "items", "item") == ["LEG"]
    assert cells(folder, "reasons", "code") == ["BENT"]


def test_an_empty_mapping_changes_nothing() -> None:
    assert cells(parsed("", items_csv="item\nLEG"), "items", "item") == ["LEG"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252", "cp850"]
)
def test_files_are_read_in_their_encoding(encoding: str) -> None:
    said = encoding.removesuffix("-sig")
    mapping = ITEMS.replace("[[file.table]]", f'encoding = "{said}"\n[[file.table]]', 1)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    content = f"{mark}Part,Text\r\nLEG,Stuhlbein für Öfen\r\n".encode(encoding)
    assert cells(parsed(mapping, parts_csv=content), "items", "description") == [
        "Stuhlbein für Öfen"
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_header_or_stated(delimiter: str) -> None:
    content = f"Part{delimiter}Text\nLEG{delimiter}a leg"
    stated = ITEMS.replace("[[file.table]]", f"delimiter = '{delimiter}'\n[[file.table]]", 1)
    for mapping in (ITEMS, stated):
        assert cells(parsed(mapping, parts_csv=content), "items", "description") == ["a leg"]


LIST = """
    20.11.2026          Material list           1

    ---------------------------
    |Material|Text     | Menge|
    ---------------------------
    |LEG     |a 1/2" leg|   4 |
    |SEAT    |          |   1 |
    ---------------------------
    20.11.2026          Material list           2
    |Material|Text     | Menge|
    ---------------------------
    |PAD     |pad      |   7 |
    ---------------------------
    |*       |         |  12 |
    Records: 3
"""
LISTED = """
    [[file]]
    name = "list.txt"
    header = "Material"
    ignore_lines = ["*Material list*"]
    skip_last = 2
    ignore_columns = ["Men*"]
    [[file.table]]
    name = "items"
    [file.table.columns]
    item = "Material"
    description = "Text"
"""


def test_a_list_export_loses_its_titles_dashes_borders_and_totals() -> None:
    folder = parsed(LISTED, list_txt=LIST)
    assert cells(folder, "items", "at", "item", "description") == [
        (6, "LEG", 'a 1/2" leg'), (7, "SEAT", ""), (12, "PAD", "pad"),
    ]  # fmt: skip


@pytest.mark.parametrize("header", ["4", "'Material'"])
def test_the_header_is_found_by_line_or_by_a_cell(header: str) -> None:
    mapping = LISTED.replace('"Material"\n    ignore', f"{header}\n    ignore")
    assert mapping != LISTED or "'" not in header
    assert len(cells(parsed(mapping, list_txt=LIST), "items", "item")) == 3


def test_a_star_is_written_with_a_stroke() -> None:
    mapping = LISTED.replace("skip_last = 2", "skip_last = 1\nskip = { Material = '\\*' }")
    assert cells(parsed(mapping, list_txt=LIST), "items", "item") == ["LEG", "SEAT", "PAD"]


def test_a_star_may_stand_beside_any_text() -> None:
    rule = "{ from = 'X', values = { '*\\*' = 'box', 'a*' = 'bag' } }"
    folder = of_items("uom", rule, "a5*", "a5", "a*")
    assert cells(folder, "items", "uom") == ["box", "bag", "box"]


def test_a_file_without_header_has_its_columns_named() -> None:
    mapping = ITEMS.replace("[[file.table]]", 'names = ["Part", "Text"]\n[[file.table]]', 1)
    folder = parsed(mapping, parts_csv="LEG,a leg\nSEAT,a seat")
    assert cells(folder, "items", "at", "item") == [(1, "LEG"), (2, "SEAT")]


def test_the_second_column_of_a_name_is_numbered() -> None:
    mapping = ITEMS.replace('"Text"', '"Text (2)"') + 'uom = "Text"'
    folder = parsed(mapping, parts_csv="Part,Text,Text\nLEG,pcs,a leg")
    assert cells(folder, "items", "uom", "description") == [("pcs", "a leg")]


def test_names_of_columns_hold_one_blank_and_nothing_hidden() -> None:
    mapping = ITEMS.replace('"Text"', '"The text (de)"')
    folder = parsed(mapping, parts_csv='Part,"The \x00text\n  (de)"\nLEG,a leg')
    assert cells(folder, "items", "at", "description") == [(3, "a leg")]


def test_quotes_hold_delimiters_and_ends_of_lines() -> None:
    folder = parsed(ITEMS, parts_csv='Part,Text\nLEG,"a, b\nc"\nSEAT,d')
    assert cells(folder, "items", "at", "description") == [(2, "a, b\nc"), (4, "d")]


def test_several_files_of_one_kind_are_read_one_after_the_other() -> None:
    mapping = ITEMS.replace("parts.csv", "parts*.csv")
    folder = parsed(mapping, parts1_csv="Part,Text\nLEG,x", parts2_csv="Text,Part\ny,SEAT\nz,LEG")
    assert faults(folder) == ["parts2.csv:3: Part: LEG is in parts1.csv line 2 already; remove one"]
    assert [row.item for row in folder.tables["items"].rows] == ["LEG", "SEAT"]  # type: ignore[attr-defined]


def test_files_can_be_ignored_and_be_optional() -> None:
    folder = parsed(
        'ignore = ["*.pdf", "notes.txt"]' + ITEMS.replace("[[file.table]]", "optional = true\n"
        "[[file.table]]", 1), read_me_pdf=b"%PDF", notes_txt="hello",
    )  # fmt: skip
    assert faults(folder) == []


# --- cells -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "cell", "micro"),
    [
        ("decimal = ','\nthousands = '.'", "1.234,50", 1_234_500_000),
        ("decimal = ','\nthousands = '.'", "1234,5", 1_234_500_000),
        ("decimal = ','", "0,000001", 1),
        ("thousands = ','", '1,234,567.5', 1_234_567_500_000),
        ("thousands = ' '\ndecimal = ','", "1\u202f234,5", 1_234_500_000),
        ('thousands = "\'"', "1'234.5", 1_234_500_000),
        ("", ".5", 500_000),
        ("", "0007.500000000", 7_500_000),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written(said: str, cell: str, micro: int) -> None:
    """BF-1: exactly."""
    assert cells(of_items("standard_cost", '"X"', cell, said=said), "items", "standard_cost") == [
        micro
    ]


@pytest.mark.parametrize(
    ("said", "cell"),
    [
        ("decimal = ','\nthousands = '.'", "12.5"),
        ("decimal = ','\nthousands = '.'", "1.23.456"),
        ("decimal = ','", "1.5"), ("", "1,5"), ("", "1E+03"), ("", "12,5-"), ("", "-"), ("", "1 2"),
        ("trailing_minus = true", "-5-"), ("", "9" * 41), ("", "²"),
    ],
)  # fmt: skip
def test_what_is_no_such_number_is_a_fault(said: str, cell: str) -> None:
    (fault,) = of_items("standard_cost", '"X"', cell, said=said).faults
    assert (fault.file, fault.line, fault.column) == ("x.csv", 2, "X")


def test_a_minus_may_stand_behind() -> None:
    mapping = """
        [defaults]
        trailing_minus = true
        decimal = ","
        [[file]]
        name = "o.csv"
        delimiter = ";"
        [[file.table]]
        name = "work_orders"
        columns = { work_order = "Nr", item = "Part", quantity = "Menge", sequence = "Rang" }
    """
    folder = parsed(mapping, o_csv="Nr;Part;Menge;Rang\n1;A;2,5;5-\n2;A;2,5-;5 -")
    assert faults(folder) == [
        "o.csv:3: Menge: '-2.5' is not more than zero; write a positive number"
    ]
    assert [row.sequence for row in folder.tables["work_orders"].rows] == [-5, -5]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("DD.MM.YYYY", "20.11.2026"), ("YYYYMMDD", "20261120"), ("CYYDDD", "126324"),
        ("MM/DD/YYYY", "11/20/2026"), ("M/D/YYYY", "11/20/2026"), ("DD-MMM-YYYY", "20-NOV-2026"),
        ("DD.MM.YY", "20.11.26"), ("YYYY-MM-DD", "2026-11-20"),
    ],
)  # fmt: skip
def test_dates_are_read_as_they_are_written(form: str, cell: str) -> None:
    mapping = f"""
        [[file]]
        name = "lots.csv"
        dates = ["YYYY", "{form}"]
        [[file.table]]
        name = "lots"
        columns = {{ item = "Part", lot = "Charge", expires_on = "MHD", received_at = "WE" }}
    """.replace('"YYYY", ', "")
    folder = parsed(mapping, lots_csv=f"Part,Charge,MHD,WE\nA,1,{cell},{cell}")
    assert cells(folder, "lots", "expires_on", "received_at") == [
        ("2026-11-20", "2026-11-19T23:00:00.000000Z")
    ]


def of_lots(cell: str, rule: str = '"X"', said: str = "", zone: ZoneInfo = BERLIN) -> ParsedFolder:
    mapping = f"""
        [[file]]
        name = "l.csv"
        {said}
        [[file.table]]
        name = "lots"
        [file.table.columns]
        item = "Part"
        lot = "Part"
        received_at = {rule}
    """
    return parsed(mapping, zone, l_csv=f"Part,X\nA,{cell}")


@pytest.mark.parametrize(
    ("said", "cell", "instant"),
    [
        ('dates = ["DD.MM.YYYY hh:mm"]', "20.11.2026 14:30", "2026-11-20T13:30"),
        ('dates = ["DD.MM.YYYY hh:mm", "DD.MM.YYYY"]', "20.11.2026", "2026-11-19T23:00"),
        ('dates = ["YYYYMMDDhhmmss"]\nzone = "UTC"', "20261120143000", "2026-11-20T14:30"),
        ('zone = "America/New_York"', "2026-11-20 09:30:00", "2026-11-20T14:30"),
        ('zone = "America/New_York"', "2026-11-20T09:30:00Z", "2026-11-20T09:30"),
        ("", "2026-11-20 09:30:00", "2026-11-20T08:30"),
    ],
)  # fmt: skip
def test_times_are_meant_in_the_zone_that_is_said(said: str, cell: str, instant: str) -> None:
    (found,) = cells(of_lots(cell, said=said), "lots", "received_at")
    assert found == f"{instant}:00.000000Z"


def test_the_day_of_a_time_is_the_day_at_the_station() -> None:
    mapping = """
        [[file]]
        name = "l.csv"
        dates = ["YYYY-MM-DD hh:mm:ss", "YYYY-MM-DD"]
        zone = "UTC"
        [[file.table]]
        name = "lots"
        columns = { item = "Part", lot = "Lot", expires_on = "X" }
    """
    folder = parsed(mapping, l_csv="""
        Part,Lot,X
        A,1,2027-05-31 21:59:59
        A,2,2027-05-31 22:00:00
        A,3,2027-05-31
    """)  # fmt: skip
    assert cells(folder, "lots", "expires_on") == ["2027-05-31", "2027-06-01", "2027-05-31"]


@pytest.mark.parametrize(
    ("form", "cell"),
    [("DD.MM.YYYY", "00.00.0000"), ("YYYYMMDD", "00000000"), ("CYYDDD", "0"), ("CYYDDD", "")],
)
def test_a_date_of_zeros_says_nothing(form: str, cell: str) -> None:
    assert cells(of_lots(cell, said=f'dates = ["{form}"]'), "lots", "received_at") == [None]


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("DD.MM.YYYY", "31.02.2026"), ("CYYDDD", "126366"), ("CYYDDD", "126000"),
        ("CYYDDD", "20261120"), ("MM/DD/YYYY", "20/11/2026"), ("YYYYMMDD", "2026-11-20"),
        ("DD-MMM-YYYY", "20-NOX-2026"), ("DD.MM.YYYY hh:mm", "20.11.2026 25:00"),
    ],
)  # fmt: skip
def test_what_is_no_such_date_is_a_fault(form: str, cell: str) -> None:
    (found,) = faults(of_lots(cell, said=f'dates = ["{form}"]'))
    assert found == (
        f"l.csv:2: X: {cell!r} is no date like {form}; mend it, or dates in mapping.toml"
    )


def test_a_column_may_have_dates_of_its_own() -> None:
    rule = '{ from = "X", dates = ["YYYYMMDD"] }'
    folder = of_lots("20261120", rule, said='dates = ["DD.MM.YYYY"]', zone=ZoneInfo("UTC"))
    assert cells(folder, "lots", "received_at") == ["2026-11-20T00:00:00.000000Z"]


def test_leading_zeros_go_from_numbers_only() -> None:
    folder = of_items(
        "uom", '{ from = "X", strip_zeros = true }', "0000001001", "000", "00A1", "7", ""
    )
    assert cells(folder, "items", "uom") == ["1001", "0", "00A1", "7", "pcs"]


def test_words_become_others_and_an_unknown_one_is_a_fault() -> None:
    rule = '{ from = "X", values = { ST = "pcs", EA = "pcs", "KG*" = "kg" } }'
    assert cells(of_items("uom", rule, "ST", "EA", "KG net"), "items", "uom") == [
        "pcs", "pcs", "kg",
    ]  # fmt: skip
    assert faults(of_items("uom", rule, "ST", "CTN")) == [
        "x.csv:3: X: 'CTN' is none of the words of mapping.toml (ST, EA, KG*); add it to values"
    ]


def test_other_words_can_be_kept_or_be_one_word() -> None:
    kept = '{ from = "X", values = { ST = "pcs" }, keep_others = true }'
    one = '{ from = "X", values = { ST = "pcs" }, otherwise = "box" }'
    assert cells(of_items("uom", kept, "ST", "kg"), "items", "uom") == ["pcs", "kg"]
    assert cells(of_items("uom", one, "ST", "kg"), "items", "uom") == ["pcs", "box"]


def test_lists_of_words_are_shared_by_name() -> None:
    mapping = '[values.unit]\nST = "pcs"\n' + ITEMS + 'uom = { from = "U", values = "unit" }'
    assert cells(parsed(mapping, parts_csv="Part,Text,U\nLEG,x,ST"), "items", "uom") == ["pcs"]


def test_the_first_pattern_that_fits_decides() -> None:
    rule = '{ from = "X", values = { "*TABG*" = "hold", "*FREI*" = "available" } }'
    folder = of_items("output_status", rule, "FREI RÜCK TABG", "FREI MABS")
    assert cells(folder, "items", "output_status") == ["hold", "available"]


def test_empty_cells_and_words_that_say_nothing() -> None:
    rule = '{ from = "X", if_empty = "box", values = { NONE = "" }, keep_others = true }'
    folder = of_items("uom", rule, "", "NULL", "NONE", "kg", said='empty = ["NULL"]')
    assert cells(folder, "items", "uom") == ["box", "box", "box", "kg"]


def test_a_part_of_a_cell_is_picked() -> None:
    rule = "{ from = 'X', pick = '\\[(.*?)\\]', prefix = 'A-', suffix = '!' }"
    assert cells(of_items("uom", rule, "[LEG] Leg of a chair"), "items", "uom") == ["A-LEG!"]
    (found,) = faults(of_items("uom", rule, "Leg"))
    assert "has nothing that pick looks for" in found


def test_columns_are_joined_to_a_key() -> None:
    mapping = """
        [[file]]
        name = "moves.csv"
        [[file.table]]
        name = "receipts"
        [file.table.columns]
        reference = { from = ["Doc", "Line"], between = "-", strip_zeros = true, prefix = "R" }
        item = "Part"
        location = { constant = "LINE" }
        quantity = "Qty"
    """
    folder = parsed(mapping, moves_csv="Doc,Line,Part,Qty\n0045,0010,LEG,4\n45,20,LEG,4")
    assert cells(folder, "receipts", "reference") == ["R45-10", "R45-20"]
    folder = parsed(mapping, moves_csv="Doc,Line,Part,Qty\n45,,LEG,4\n,,LEG,5\n46,1,LEG,x")
    assert faults(folder) == [
        "moves.csv:2: Doc + Line: Line is empty and the other part is not; fill it",
        "moves.csv:3: Doc + Line: the cell is empty; fill it",
        "moves.csv:4: Qty: 'x' is no number like 1234.5; mend it, or decimal, thousands and "
        "trailing_minus in mapping.toml",
    ]


def test_two_columns_are_a_factor() -> None:
    """SAP tells a conversion as numerator and denominator."""
    mapping = """
        [[file]]
        name = "marm.csv"
        [[file.table]]
        name = "unit_conversions"
        [file.table.columns]
        item = "Part"
        from_uom = "Unit"
        to_uom = { constant = "pcs" }
        factor = { from = ["UMREZ", "UMREN"], between = "/" }
    """
    folder = parsed(mapping, marm_csv="Part,Unit,UMREZ,UMREN\nBOLT,box,500,1\nBOLT,kg,1000,3")
    assert cells(folder, "unit_conversions", "factor") == [(500, 1), (1000, 3)]


def test_implied_decimals_and_other_units() -> None:
    implied = '{ from = "X", implied_decimals = 4 }'
    folder = of_items("standard_cost", implied, "12500", "5", "0", "-10000"[1:])
    assert cells(folder, "items", "standard_cost") == [1_250_000, 500, 0, 1_000_000]
    hours = '{ from = "X", implied_decimals = 2, times = 60 }'
    assert cells(of_items("standard_cost", hours, "125"), "items", "standard_cost") == [75_000_000]
    thirds = '{ from = "X", times = "1/3" }'
    assert cells(of_items("standard_cost", thirds, "3"), "items", "standard_cost") == [1_000_000]
    assert "more than six decimal places" in faults(of_items("standard_cost", thirds, "1"))[0]
    assert "implied_decimals are set" in faults(of_items("standard_cost", implied, "1.5"))[0]


# --- rows ------------------------------------------------------------------------------------

ORDERS = """
    [[file]]
    name = "orders.csv"
    [[file.table]]
    name = "work_orders"
    distinct = true
    [file.table.columns]
    work_order = "Order"
    item = "Part"
    quantity = "Qty"
    [[file.table]]
    name = "work_order_lines"
    skip = { Component = "" }
    [file.table.columns]
    work_order = "Order"
    line = "Line"
    component = "Component"
    quantity = "Needs"
"""


def test_one_wide_file_becomes_several_tables() -> None:
    folder = parsed(ORDERS, orders_csv="""
        Order,Part,Qty,Line,Component,Needs
        1,CHAIR,10,10,LEG,40
        1,CHAIR,10.0,20,SEAT,10
        2,CHAIR,5,,,
    """)  # fmt: skip
    assert cells(folder, "work_orders", "at", "work_order", "quantity") == [
        (2, "1", 10_000_000), (4, "2", 5_000_000),
    ]  # fmt: skip
    assert cells(folder, "work_order_lines", "at", "line", "component") == [
        (2, "10", "LEG"), (3, "20", "SEAT"),
    ]  # fmt: skip


def test_rows_of_one_key_that_differ_are_a_fault() -> None:
    folder = parsed(ORDERS, orders_csv="""
        Order,Part,Qty,Line,Component,Needs
        1,CHAIR,10,10,LEG,40
        1,CHAIR,12,20,SEAT,10
        1,CHAIR,10,20,SEAT,10
    """)  # fmt: skip
    assert faults(folder) == [
        "orders.csv:3: Qty: 1 is in line 2 already, with another one; give both the same",
        "orders.csv:4: Line: 1 20 is in line 3 already; remove one",
    ]


def test_what_is_wrong_with_a_repeated_row_is_told_once() -> None:
    folder = parsed(ORDERS, orders_csv="""
        Order,Part,Qty,Line,Component,Needs
        1,CHAIR,x,10,LEG,40
        1,CHAIR,x,20,SEAT,10
    """)  # fmt: skip
    assert [(fault.line, fault.column) for fault in folder.faults] == [(2, "Qty")]


def test_rows_are_chosen_by_their_cells() -> None:
    mapping = ITEMS.replace("[[file.table]]", 'only = { Plant = ["10*", "7"] }\n[[file.table]]', 1)
    mapping = mapping.replace("[file.table.columns]", 'skip = { Text = "" }\n[file.table.columns]')
    folder = parsed(mapping, parts_csv="""
        Part,Text,Plant
        A,x,1000
        B,x,2000
        C,,1000
        D,x,7
        E,x,70
    """)  # fmt: skip
    assert cells(folder, "items", "item") == ["A", "D"]


def test_cells_are_filled_from_the_row_above_that_begins_a_document() -> None:
    mapping = ORDERS.replace("[[file.table]]", 'fill_down = ["Order", "Part", "Qty", "Due"]\n'
                             "[[file.table]]", 1).replace('"Qty"\n    [[', '"Qty"\n    due_at = '
                             '"Due"\n    [[')  # fmt: skip
    folder = parsed(mapping.replace('line = "Line"', "line = { count = 10 }"), orders_csv="""
        Order,Part,Qty,Due,Component,Needs
        1,CHAIR,10,2026-11-20,LEG,40
        ,,,,SEAT,10
        2,CHAIR,5,,LEG,20
        ,,5.0,,SEAT,5
        ,,,,PAD,5
    """)  # fmt: skip
    assert cells(folder, "work_orders", "work_order", "due_at") == [
        ("1", "2026-11-19T23:00:00.000000Z"), ("2", None),
    ]  # fmt: skip
    assert cells(folder, "work_order_lines", "work_order", "line", "component") == [
        ("1", "10", "LEG"), ("1", "20", "SEAT"), ("2", "10", "LEG"), ("2", "20", "SEAT"),
        ("2", "30", "PAD"),
    ]  # fmt: skip


def test_one_file_may_fill_a_table_twice() -> None:
    again = ITEMS[ITEMS.index("[[file.table]]") :].replace('"Part"', '"Parent"')
    folder = parsed(
        (ITEMS + again).replace('name = "items"', 'name = "items"\ndistinct = true'),
        parts_csv="Part,Text,Parent\nLEG,x,CHAIR\nSEAT,x,CHAIR",
    )  # fmt: skip
    assert cells(folder, "items", "item") == ["LEG", "SEAT", "CHAIR"]


# --- faults ----------------------------------------------------------------------------------


def test_what_is_wrong_with_the_plant_leads_back_to_the_export(db: Database) -> None:
    """Found by the checks of the load, long after reading."""
    mapping = ORDERS + 'uom = "Unit"' + ITEMS.replace("description", "kind")
    content = {
        "mapping.toml": text(mapping).encode(),
        "parts.csv": b"Part,Text\nCHAIR,manufactured\nLEG,purchased\n",
        "orders.csv": b"Order,Part,Qty,Line,Component,Needs,Unit\n\n1,CHAIR,10,10,LEG,40,\n"
        b"2,STOOL,1,10,LEG,4,\n3,CHAIR,1,10,LEG,4,box\n",
    }
    result = load_folder(db, content, rules=RULES, now=NOW, at=None)
    told = {(one.file, one.line, one.column): one.message for one in result.faults}
    assert told["orders.csv", 4, "Part"].startswith("STOOL is unknown")
    assert told["orders.csv", 5, "Unit"].startswith("LEG has no conversion from box")
    assert len(told) == 2
    assert rows(db, "SELECT count(*) FROM item") == [(0,)]


def test_a_fault_of_the_second_file_names_it_and_its_line(db: Database) -> None:
    content = {
        "mapping.toml": text(ORDERS.replace("orders.csv", "o*.csv") + ITEMS).encode(),
        "parts.csv": b"Part,Text\nCHAIR,x\n",
        "o1.csv": b"Order,Part,Qty,Line,Component,Needs\n1,CHAIR,10,,,\n2,CHAIR,10,,,\n",
        "o2.csv": b"Part,Order,Qty,Line,Component,Needs\nCHAIR,3,10,,,\nSTOOL,4,10,,,\n",
    }
    result = load_folder(db, content, rules=RULES, now=NOW, at=None)
    told = {(one.file, one.line, one.column): one.message for one in result.faults}
    assert told["o2.csv", 3, "Part"].startswith("STOOL is unknown")
    assert [key for key in told if key[0] == "o1.csv"] == [
        ("o1.csv", 2, "Part"), ("o1.csv", 3, "Part"),
    ]  # fmt: skip


def test_a_constant_that_is_wrong_is_told_as_of_the_mapping(db: Database) -> None:
    mapping = ITEMS + 'tracking = { constant = "lots" }'
    (found,) = faults(parsed(mapping, parts_csv="Part,Text\nLEG,x"))
    assert found == (
        "parts.csv:2: tracking (of mapping.toml): 'lots' is none of none, lot, serial; write one "
        "of them"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Part,Txt\nLEG,x", [
            "parts.csv:1: Text: the column is missing; export it, or mend mapping.toml (did you "
            "mean Txt?)",
            "parts.csv:1: Txt: nothing is taken from the column; map it, or name it in "
            "ignore_columns"]),
        ("Part,Text\nLEG,x,y", [
            "parts.csv:2: has 3 cells for 2 columns; take the delimiter out of its cells"]),
        ("Part,Text,\nLEG,x,y", [
            "parts.csv:2: holds 'y' in column 3, which has no name; take the delimiter out of its "
            "cells, or name the column in the header"]),
        ('Part,Text\nLEG,"x', [
            "parts.csv:2: the row cannot be read (unexpected end of data); check its quotation "
            "marks, or set quote in mapping.toml"]),
        (b"Part,Text\nLEG,x\nSEAT,\xfc\n", [
            "parts.csv:3: the file is no utf-8; name its encoding in mapping.toml, or save it with "
            "that one"]),
        (b"", ["parts.csv: the file has no header with line 1; export it again, or mend header in "
               "mapping.toml"]),
        ("Part,Text\n,x", ["parts.csv:2: Part: the cell is empty; fill it"]),
    ],
)  # fmt: skip
def test_a_file_that_is_another_one_is_told(content: str | bytes, told: list[str]) -> None:
    assert faults(parsed(ITEMS, parts_csv=content)) == told


def test_missing_doubly_meant_and_unmapped_files_are_told() -> None:
    assert faults(parsed(ITEMS)) == [
        "parts.csv: the file is missing; export it, or say optional = true for it in mapping.toml"
    ]
    twice = ITEMS + ITEMS.replace("parts.csv", "p*.csv")
    folder = parsed(twice, parts_csv="Part,Text\nLEG,x", stock_txt="x")
    assert faults(folder) == [
        "parts.csv: parts.csv and p*.csv both mean this file; let only one mean it",
        "stock.txt: mapping.toml has no [[file]] for this file; add one, name it in ignore, or "
        "remove the file",
    ]


def test_files_of_one_table_have_the_same_columns() -> None:
    folder = parsed(ITEMS, parts_csv="Part,Text\nLEG,x", items_csv="item,description,uom\nA,b,c")
    assert faults(folder) == [
        "items.csv: items is also read from parts.csv, and only one of the two has uom; give both "
        "the same columns"
    ]


def test_a_file_that_cannot_be_read_makes_no_further_faults(db: Database) -> None:
    content = {
        "mapping.toml": text(ORDERS + ITEMS).encode(),
        "parts.csv": b"\xff\xfe\n",
        "orders.csv": b"Order,Part,Qty,Line,Component,Needs\n1,CHAIR,10,10,LEG,40\n",
    }
    result = load_folder(db, content, rules=RULES, now=NOW, at=None)
    assert [fault.file for fault in result.faults] == ["parts.csv"]


@pytest.mark.parametrize(
    ("parts", "line"),
    [("Part,Text\nCHAIR,manufactured\nSEAT,a,b", 3), ("Part,Text\nCHAIR,manufactured\nX1,", 3)],
)
def test_what_refers_to_a_row_that_was_lost_is_not_told_too(
    db: Database, parts: str, line: int
) -> None:
    picked = """item = { from = "Part", pick = '^[A-Z]+$' }"""
    items = ITEMS.replace("description", "kind").replace('item = "Part"', picked)
    content = {
        "mapping.toml": text(ORDERS + items).encode(),
        "parts.csv": parts.encode(),
        "orders.csv": b"Order,Part,Qty,Line,Component,Needs\n1,CHAIR,10,10,SEAT,10\n",
    }
    result = load_folder(db, content, rules=RULES, now=NOW, at=None)
    assert [(fault.file, fault.line) for fault in result.faults] == [("parts.csv", line)]


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ("[[file]", "mapping.toml:1: no valid TOML: Expected ']]' at the end of an array "
                    "declaration; mend that line"),
        ("fil = 1", "mapping.toml: fil: there is no such key; did you mean file?"),
        (ITEMS.replace("[[file.table]]", 'encodin = "utf-8"\n[[file.table]]', 1),
         "mapping.toml: file.parts.csv.encodin: there is no such key; did you mean encoding?"),
        (ITEMS + 'uom = { frm = "U" }',
         "mapping.toml: file.parts.csv.table.items.columns.uom.frm: there is no such key; did you "
         "mean from?"),
        (ITEMS.replace("[[file.table]]", 'encoding = "utf8"\n[[file.table]]', 1),
         "mapping.toml: file.parts.csv.encoding: is 'utf8', and must be one of 'utf-8', 'utf-"),
        (ITEMS.replace("[[file.table]]", "optional = 1\n[[file.table]]", 1),
         "mapping.toml: file.parts.csv.optional: is 1, and must be true or false; mend it"),
        (ITEMS.replace("[[file.table]]", "header = 0\n[[file.table]]", 1),
         "mapping.toml: file.parts.csv.header: is 0, and must be a whole number from 1 to 1000 or "
         "text in quotes, not empty; mend it"),
        ("file = 1", "mapping.toml: file: is 1, and must be tables in double brackets; mend it"),
        ("[[file]]\nname = 'x'", "mapping.toml: file.x.table: the key is missing; add it"),
        ("[[file]]\ntable = []", "mapping.toml: file.number 1.name: the key is missing; add it"),
        ("[[file]]\nname = 'x'\ntable = []",
         "mapping.toml: file.x.table: the file becomes no table; add a [[file.table]]"),
        (ITEMS.replace('"items"', '"item"'),
         "mapping.toml: file.parts.csv.table.item: there is no such table; did you mean items?"),
        (ITEMS.replace("description", "describtion"),
         "mapping.toml: file.parts.csv.table.items.columns.describtion: items has no such column; "
         "did you mean description?"),
        (ITEMS.replace("item =", "uom ="),
         "mapping.toml: file.parts.csv.table.items.columns: items needs item; add it"),
        (ITEMS + 'uom = { from = "U", constant = "x" }',
         "mapping.toml: file.parts.csv.table.items.columns.uom: has to come from one of from, "),
        (ITEMS + "uom = { from = [] }",
         "mapping.toml: file.parts.csv.table.items.columns.uom.from: names no column; name one"),
        (ITEMS + "uom = { count = 10 }",
         "mapping.toml: file.parts.csv.table.items.columns.uom.count: only lines of a BOM"),
        (ITEMS + 'uom = { from = "U", values = "unit" }',
         "mapping.toml: file.parts.csv.table.items.columns.uom.values: [values] has no list"),
        (ITEMS + 'uom = { from = "U", otherwise = "x" }',
         "mapping.toml: file.parts.csv.table.items.columns.uom: has otherwise or keep_"),
        (ITEMS + "uom = { from = 'U', pick = '(' }",
         "mapping.toml: file.parts.csv.table.items.columns.uom.pick: '(' is no regular "),
        (ITEMS + "standard_cost = { from = 'U', times = '1/0' }",
         "mapping.toml: file.parts.csv.table.items.columns.standard_cost.times: '1/0' is no"),
        (ITEMS + "uom = { from = 'U', times = 2 }",
         "mapping.toml: file.parts.csv.table.items.columns.uom: uom is no number; leave times "),
        (ITEMS + "uom = { from = 'U', dates = ['YYYYMMDD'] }",
         "mapping.toml: file.parts.csv.table.items.columns.uom.dates: uom is no date; leave "),
        ("[defaults]\ndates = ['DD.MM']",
         "mapping.toml: defaults.dates: 'DD.MM' is no date; write it like DD.MM.YYYY, YYYYMMDD or"),
        ("[defaults]\ndates = ['DD.DD.YYYY']", "mapping.toml: defaults.dates: 'DD.DD.YYYY' names"),
        ("[defaults]\ndecimal = ','\nthousands = ','\n" + ITEMS,
         "mapping.toml: file.parts.csv.thousands: is the decimal sign too; name another one"),
        ("[defaults]\nzone = 'Europe/Berln'\n" + ITEMS,
         "mapping.toml: file.parts.csv.zone: 'Europe/Berln' is no time zone; write it like"),
        (ITEMS.replace("[[file.table]]", "names = ['a', 'a']\n[[file.table]]", 1),
         "mapping.toml: file.parts.csv.names: every column needs a name of its own"),
    ],
)  # fmt: skip
def test_every_mistake_in_the_mapping_is_one_sentence(mapping: str, told: str) -> None:
    folder = parsed(mapping, parts_csv="Part,Text,U\nLEG,x,y")
    (found,) = faults(folder)
    assert found.startswith(told)
    assert folder.tables["items"].rows == []


def test_a_mapping_that_is_no_text_is_told() -> None:
    found = parse_folder({"mapping.toml": b"\n\xff"}, BERLIN)
    assert faults(found) == ["mapping.toml:2: the file is no UTF-8; save it with that encoding"]
    found = parse_folder({"mapping.toml": b"#" * 2_000_000}, BERLIN)
    assert "too large" in faults(found)[0]


def test_a_mistake_in_the_mapping_is_the_only_fault(db: Database) -> None:
    """Nothing is said of files that were not read."""
    content = {"mapping.toml": b"fil = 1", "items.csv": b"item\nLEG\n", "x.txt": b"?"}
    result = load_folder(db, content, rules=RULES, now=NOW, at=None)
    assert [fault.file for fault in result.faults] == ["mapping.toml"]


# --- cells alone ---------------------------------------------------------------------------


def test_the_cells_of_every_row_are_told_as_a_clean_file_has_them() -> None:
    """UP-9: what the site sends down is loaded with the same result as the export itself."""
    mapping = ORDERS.replace('quantity = "Qty"', 'quantity = "Qty"\ndue_at = "Due"')
    mapping = mapping.replace("[[file.table]]", 'decimal = ","\ndates = ["DD.MM.YYYY"]\n'
                              'delimiter = ";"\n[[file.table]]', 1)  # fmt: skip
    files = {
        "mapping.toml": text(mapping).encode(),
        "orders.csv": b"Order;Part;Qty;Due;Line;Component;Needs\n"
        b"1;CHAIR;10,50;20.11.2026;10;LEG;4\n1;CHAIR;10,5;20.11.2026;20;PAD;1\n2;CHAIR;1;;;;\n",
        "items.csv": b"item,uom,description\nCHAIR\nLEG,box,x\n",
    }
    tables, found = read_cells(files, BERLIN)
    assert found == []
    assert tables == {
        "items": [
            {"item": "CHAIR", "description": "", "uom": ""},
            {"item": "LEG", "description": "x", "uom": "box"},
        ],
        "work_orders": [
            {"work_order": "1", "item": "CHAIR", "quantity": "10.5",
             "due_at": "2026-11-19T23:00:00.000000Z"},
            {"work_order": "2", "item": "CHAIR", "quantity": "1", "due_at": ""},
        ],
        "work_order_lines": [
            {"work_order": "1", "line": "10", "component": "LEG", "quantity": "4"},
            {"work_order": "1", "line": "20", "component": "PAD", "quantity": "1"},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("files", [
    {"mapping.toml": b"fil = 1"}, {"x.csv": b""}, {"items.csv": b"item,decimals\nA,x\nA,1\n"},
])  # fmt: skip
def test_the_faults_of_the_cells_are_those_of_the_rows(files: dict[str, bytes]) -> None:
    assert read_cells(files, BERLIN)[1] == parse_folder(files, BERLIN).faults != []


# --- the folder ------------------------------------------------------------------------------


def test_a_mapping_from_elsewhere_takes_the_place_of_the_own_one(tmp_path: Path) -> None:
    folder = tmp_path / "erp"
    folder.mkdir()
    (folder / "mapping.toml").write_text("own")
    (folder / "parts.csv").write_text("Part\n")
    inside = folder / "sap.toml"
    inside.write_text("given")
    assert read_folder(folder, {"mapping.toml": inside}) == {
        "mapping.toml": b"given", "parts.csv": b"Part\n",
    }  # fmt: skip
