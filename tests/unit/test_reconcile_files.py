"""`reconcile --stock FILE --mapping FILE`: the ERP's own list of stock, in its words and units."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mes_terminal.cli.main import cli
from mes_terminal.cli.session import Session
from mes_terminal.errors import InputError
from mes_terminal.exchange.csv_folder import parse_folder
from mes_terminal.store.database import Database
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases.lists import read_list
from mes_terminal.usecases.load_master_data import load_folder
from tests.unit.plant_files import LATER, NOW, RULES, db, files
from tests.unit.test_mapping import text

__all__ = ["db"]

EXAMPLES = Path(__file__).parents[2] / "config" / "mappings"
MAPPING = """
    [defaults]
    delimiter = ";"
    decimal = ","
    thousands = "."
    trailing_minus = true

    [[file]]
    name = "stock*.csv"
    [[file.table]]
    name = "stock"
    [file.table.columns]
    item = { from = "Part", strip_zeros = true }
    lot = "Batch"
    location = { from = "Place", values = { PL01 = "LINE", "*" = "ELSEWHERE" } }
    quantity = "Free"
    uom = { from = "Unit", values = { ST = "pcs", M = "m", CM = "cm", IN = "in", KG = "kg" } }
"""
HEADER = "Part;Batch;Place;Free;Unit\n"
PLANT = {
    "lots": "item,lot\nLEG,L-1\nLEG,L-2",
    "receipts": "reference,item,lot,location,quantity\nR-1,LEG,L-1,LINE,1200\nR-2,TAPE,,LINE,2.5\n"
    "R-3,PAD,,LINE,7",
    "unit_conversions": "item,from_uom,to_uom,factor\n,m,cm,100\nTAPE,in,cm,2.54",
}


@pytest.fixture
def station(db: Database) -> Database:
    result = load_folder(db, files(PLANT), rules=RULES, now=NOW, at=None)
    assert [str(fault) for fault in result.faults] == []
    return db


def wish(
    folder: Path, rows: str, mapping: str = MAPPING, name: str = "stock.csv"
) -> dict[str, str]:
    """Write what is asked with; return the filters."""
    (folder / name).write_text(HEADER + text(rows) if rows else "")
    (folder / "erp.toml").write_text(text(mapping))
    return {"stock": str(folder / name), "mapping": str(folder / "erp.toml")}


def compared(database: Database, **filters: str) -> list[tuple[Any, ...]]:
    found: Any = read_list(database, "reconcile", filters, rules=RULES, now=LATER)
    return [(row.item, row.lot, row.upstream, row.station, row.unexplained) for row in found]


def refused(database: Database, filters: dict[str, str]) -> str:
    with pytest.raises(InputError) as told:
        compared(database, **filters)
    return told.value.sentence


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("sap", "MB52.txt"), ("jd-edwards", "F41021.csv"), ("odoo", "Quants (stock.quant).csv"),
        ("erpnext", "Bin.csv"),
    ],
)  # fmt: skip
def test_the_lists_of_the_examples_have_what_was_loaded(db: Database, name: str, file: str) -> None:
    """One mapping says how all that an ERP exports is read; a load leaves its stock alone."""
    folder = EXAMPLES / name
    assert load_folder(db, read_folder(folder), rules=RULES, now=NOW, at=None).faults == []
    filters = {
        "stock": str(folder / file),
        "mapping": str(folder / "mapping.toml"),
        "by": "location",
    }
    found: Any = list(read_list(db, "reconcile", filters, rules=RULES, now=LATER))
    assert [row for row in found if not row.is_nothing] == []
    assert len(found) == {"sap": 6, "jd-edwards": 5, "odoo": 5, "erpnext": 4}[name]


def test_words_numbers_and_units_are_those_of_the_erp(station: Database, tmp_path: Path) -> None:
    """BF-2: 250 cm are 2.5 m to the last digit."""
    rows = "LEG;L-1;PL01;1.000,0;ST\nLEG;L-1;PL01;200;ST\nTAPE;;PL01;250;CM\n007;;PL01;3,5-;ST"
    assert compared(station, by="lot", **wish(tmp_path, rows)) == [
        ("7", None, "-3.5", "0", "-3.5"),
        ("LEG", "L-1", "1200", "1200", "0"),
        ("PAD", None, "0", "7", "-7"),
        ("TAPE", None, "2.5", "2.5", "0"),
    ]


def test_a_unit_is_converted_by_a_chain_exactly_or_not_at_all(
    station: Database, tmp_path: Path
) -> None:
    """BF-2: an inch is 2.54 cm, and a thousandth of one 25.4 millionths of a metre."""
    found = compared(station, **wish(tmp_path, "TAPE;;PL01;100;IN"))
    assert ("TAPE", None, "2.54", "2.5", "0.04") in found
    assert refused(station, wish(tmp_path, "TAPE;;PL01;0,001;IN")) == (
        "stock.csv:2: TAPE is counted in m here, and its in have more than six decimal places in "
        "m; export it in m."
    )


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            "LEG;L-1;PL01;1,x;ST\nLEG;L-1;PL01;1;KAR\n;L-1;PL01;1;ST",
            "stock.csv:2: Free: '1,x' is no number like 1.234,5; mend it, or decimal, thousands "
            "and trailing_minus in mapping.toml (and 2 more).",
        ),
        (
            "LEG;L-1;PL01;1;KG",
            "stock.csv:2: LEG is counted in pcs here, and there is no conversion from kg; add one "
            "to unit_conversions.csv, or export it in pcs.",
        ),
        (
            "LEG;L-1;PL02;1;ST\nTAPE;;X;1;M",
            "stock.csv: nothing of it lies at a location of this station (FG, LINE): it has "
            "ELSEWHERE. Translate them by values in a mapping, or leave the column out.",
        ),
        ("", "stock.csv: the file has no header with line 1; export it again, or mend header in "
             "mapping.toml."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_list_is_one_sentence(
    rows: str, told: str, station: Database, tmp_path: Path
) -> None:
    assert refused(station, wish(tmp_path, rows)) == told


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        (
            "",
            "stock.csv: mapping.toml has no [[file]] of this name that becomes the table stock; "
            "add one, or name another file.",
        ),
        (
            MAPPING.replace("stock*", "MB52*"),
            "stock.csv: mapping.toml has no [[file]] of this name",
        ),
        (
            MAPPING + MAPPING[MAPPING.index("[[file]]") :],
            "both mean this file; let only one mean it",
        ),
        (
            MAPPING.replace('quantity = "Free"', ""),
            "erp.toml: file.stock*.csv.table.stock.columns: stock needs quantity; add it.",
        ),
        (
            MAPPING + '[[file.table]]\nname = "items"\ncolumns = { item = "Part" }',
            "erp.toml: file.stock*.csv.table: stock is compared and not loaded; give it a file of "
            "its own.",
        ),
    ],
)
def test_what_is_wrong_with_its_mapping_is_one_sentence(
    mapping: str, told: str, station: Database, tmp_path: Path
) -> None:
    assert told in refused(station, wish(tmp_path, "LEG;L-1;PL01;1;ST", mapping))


def test_a_load_leaves_a_list_of_stock_alone() -> None:
    """Nor is it missing, or wrong, for a load."""
    content = {"mapping.toml": text(MAPPING).encode(), "items.csv": b"item\nLEG"}
    for more in ({}, {"stock.csv": b"\xff\xff"}):
        folder = parse_folder(content | more, RULES.zone)
        assert ([str(fault) for fault in folder.faults], list(folder.tables)) == ([], ["items"])
    both = (
        MAPPING
        + '[[file]]\nname = "stock.csv"\n[[file.table]]\nname = "items"\ncolumns = {item="A"}'
    )
    folder = parse_folder({"mapping.toml": text(both).encode(), "stock.csv": b"A\nLEG"}, RULES.zone)
    assert [str(fault) for fault in folder.faults] == [
        "stock.csv: stock*.csv and stock.csv both mean this file; let only one mean it"
    ]


# The command -------------------------------------------------------------------------------------


def run(database: Database, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli, ["--db", str(database.path), "reconcile", *arguments], obj=Session()
    )


def test_the_command_says_what_it_left_out_and_of_when_the_figures_are(
    station: Database, tmp_path: Path
) -> None:
    filters = wish(
        tmp_path, "LEG;L-1;PL01;1200;ST\nLEG;L-2;PL07;5;ST\nPAD;;PL01;7;ST\nTAPE;;PL01;2,5;M"
    )
    asked = ["--stock", filters["stock"], "--mapping", filters["mapping"]]
    told = run(station, *asked, "--at", "2026-11-20T14:00:00Z")
    assert (told.exit_code, told.stdout.splitlines()) == (0, [
        "The ERP's figures are of 2026-11-20T14:00:00.000000Z.",
        "Left out: 1 piece of the ERP's stock at other locations, such as ELSEWHERE.",
        "3 items: the ERP has what the station has.",
    ])  # fmt: skip
    assert (
        run(station, *asked, "--item", "PAD").stdout
        == "1 item: the ERP has what the station has.\n"
    )


def test_a_mapping_goes_with_a_file(station: Database, tmp_path: Path) -> None:
    told = run(station, "--mapping", wish(tmp_path, "")["mapping"])
    assert isinstance(told.exception, InputError)
    assert told.exception.sentence == (
        "--mapping says how the file of --stock is read: give --stock too."
    )
    lost = run(
        station, "--stock", str(tmp_path / "stock.csv"), "--mapping", str(tmp_path / "no.toml")
    )
    assert isinstance(lost.exception, InputError)
    assert (
        lost.exception.sentence
        == f"{tmp_path / 'no.toml'} cannot be read: No such file or directory."
    )
