"""Whatever a file holds, a mapping makes rows or faults of it; and one value is one value.

A quantity or a day, written in any foreign way, is read as the same canonical value; and what a
template writes for an ERP, a mapping reads back as it was.
"""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.instants import format_instant
from mes_terminal.domain.quantity import QUANTITY_MAX_MICRO, format_quantity, parse_quantity
from mes_terminal.exchange.cells import CellError
from mes_terminal.exchange.csv_folder import parse_folder
from mes_terminal.exchange.csv_template import parse_template, render
from mes_terminal.exchange.mapped_values import date_reader, number_reader, shift_point
from mes_terminal.exchange.rows import ReceiptRow
from mes_terminal.store.folder import read_folder

EXAMPLES = Path(__file__).parents[2] / "config" / "mappings"
FOLDERS = {path.name: read_folder(path) for path in sorted(EXAMPLES.iterdir())}
BERLIN = ZoneInfo("Europe/Berlin")

micros = st.integers(-QUANTITY_MAX_MICRO, QUANTITY_MAX_MICRO)
signs = st.sampled_from([(".", ""), (".", ","), (",", ""), (",", "."), (",", " "), (".", "'")])
days = st.dates(date(1900, 1, 1), date(2899, 12, 31))


@settings(deadline=None)
@given(micros, signs, st.booleans(), st.integers(0, 5), st.integers(0, 3))
def test_a_number_is_the_same_however_it_is_written(
    micro: int, sign: tuple[str, str], behind: bool, before: int, after: int
) -> None:
    """BF-1."""
    decimal, thousands = sign
    whole, _, places = format_quantity(abs(micro)).partition(".")
    grouped = f"{int(whole):,}".replace(",", thousands)
    zeros = "0" * before if grouped == whole else ""
    text = zeros + grouped + (decimal + places + "0" * after if places or after else "")
    minus = "-" if micro < 0 else ""
    written = f"{text}{minus}" if behind else f"{minus}{text}"
    read = number_reader(decimal=decimal, thousands=thousands, trailing_minus=behind)
    assert parse_quantity(read(written)) == micro
    assert read(written) == format_quantity(micro)


@settings(deadline=None)
@given(st.integers(-(10**13), 10**13), st.integers(1, 6))
def test_implied_decimals_are_exact(number: int, places: int) -> None:
    assert parse_quantity(shift_point(str(number), places)) == number * 10 ** (6 - places)


@settings(deadline=None)
@given(days)
def test_a_day_is_the_same_however_it_is_written(day: date) -> None:
    julian = f"{day.year // 100 - 19}{day:%y%j}".lstrip("0").rjust(5, "0")
    ways = {
        "DD.MM.YYYY": f"{day:%d.%m.}{day.year}",
        "YYYYMMDD": day.isoformat().replace("-", ""),
        "M/D/YYYY": f"{day.month}/{day.day}/{day.year}",
        "MM/DD/YYYY": f"{day:%m/%d/}{day.year}",
        "DD-MMM-YYYY": f"{day:%d}-{day.strftime('%b').upper()}-{day.year}",
        "YYYY-MM-DD": day.isoformat(),
        "CYYDDD": julian,
    }
    for form, text in ways.items():
        assert date_reader([form], with_time=False, zone=None, site=BERLIN)(text) == day.isoformat()
    every = date_reader(
        ["DD.MM.YYYY", "YYYY-MM-DD", "CYYDDD"], with_time=False, zone=None, site=BERLIN
    )
    assert {every(ways[form]) for form in ("DD.MM.YYYY", "YYYY-MM-DD", "CYYDDD")} == {
        day.isoformat()
    }


@settings(deadline=None)
@given(st.integers(0, 999_999))
def test_a_julian_number_is_a_day_or_told(number: int) -> None:
    year, day = 1900 + number // 1000, number % 1000
    try:
        found = date_reader(["CYYDDD"], with_time=False, zone=None, site=BERLIN)(f"{number:06d}")
    except CellError:
        assert day == 0 or day > 365
    else:
        assert found == ("" if not number else
                         (date(year, 1, 1) + timedelta(days=day - 1)).isoformat())  # fmt: skip


@settings(deadline=None)
@given(st.text(max_size=45), signs, st.booleans())
def test_any_text_is_a_number_or_told(text: str, sign: tuple[str, str], behind: bool) -> None:
    decimal, thousands = sign
    try:
        found = number_reader(decimal=decimal, thousands=thousands, trailing_minus=behind)(text)
    except CellError:
        return
    digits = [one for one in text if one.isdecimal()]
    assert digits
    assert [one for one in found if one.isdecimal() and one != "0"] == [
        one for one in digits if one != "0"
    ]


spoils = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(0, 3_000),
        st.integers(0, 20),
        st.one_of(st.binary(max_size=12), st.sampled_from([
            b"|", b'"', b";", b"\r\n", b"\x00", b"-", b"\xff", b"|||||||||||||||||||||", b",-",
            b"00.00.0000", b"9" * 30, "Ä".encode(), b"\n\n", b"*", b"\xef\xbb\xbf",
        ])),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FOLDERS)), spoils)
def test_spoilt_exports_are_rows_or_faults(
    name: str, changes: list[tuple[int, int, int, bytes]]
) -> None:
    """Of the exports only: nothing raises, and each fault names a file of the folder."""
    folder = dict(FOLDERS[name])
    exports = sorted(folder.keys() - {"mapping.toml"})
    for which, place, length, piece in changes:
        file = exports[which % len(exports)]
        at = place % (len(folder[file]) + 1)
        folder[file] = folder[file][:at] + piece + folder[file][at + length :]
    parsed = parse_folder(folder, BERLIN)
    assert {fault.file for fault in parsed.faults} <= set(exports)
    for fault in parsed.faults:
        lines = folder[fault.file].count(b"\n") + folder[fault.file].count(b"\r") + 1
        assert fault.line is None or 1 <= fault.line <= lines
        assert ";" in fault.message


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FOLDERS)), st.binary(max_size=200))
def test_any_bytes_in_the_place_of_an_export_are_rows_or_faults(name: str, content: bytes) -> None:
    folder = {file: content for file in FOLDERS[name] if file != "mapping.toml"}
    parsed = parse_folder({**folder, "mapping.toml": FOLDERS[name]["mapping.toml"]}, BERLIN)
    assert {fault.file for fault in parsed.faults} <= set(folder)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FOLDERS)), st.lists(
    st.tuples(st.integers(0, 5_000), st.integers(0, 15), st.text("[]=\"'{},.\n#x1*\\", max_size=6)),
    min_size=1, max_size=3,
))  # fmt: skip
def test_a_spoilt_mapping_is_told_or_works(name: str, changes: list[tuple[int, int, str]]) -> None:
    folder = dict(FOLDERS[name])
    text = folder["mapping.toml"].decode()
    for place, length, piece in changes:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + length :]
    folder["mapping.toml"] = text.encode()
    parsed = parse_folder(folder, BERLIN)
    assert all(fault.message for fault in parsed.faults)


# What is written is read back ------------------------------------------------------------------

WRITTEN = """
[[file]]
name = "goods"
types = ["production.completed"]
delimiter = {delimiter}
encoding = "{encoding}"
zone = "{zone}"
columns = [
  {{ heading = "Id", field = "id" }},
  {{ heading = "Row", field = "row" }},
  {{ heading = "Item", field = "item", width = {width} }},
  {{ heading = "Lot", field = "lot" }},
  {{ heading = "Qty", field = "quantity", decimal = "{decimal}", sign = "{sign}" }},
  {{ heading = "Unit", field = "uom", words = {{ pcs = "ST" }} }},
  {{ heading = "At", field = "time", date = "%d.%m.%Y %H:%M:%S" }},
]
"""
READ = """
[[file]]
name = "*.csv"
delimiter = {delimiter}
encoding = "{encoding}"
decimal = "{decimal}"
trailing_minus = {trailing}
dates = ["DD.MM.YYYY hh:mm:ss"]
zone = "{zone}"
[[file.table]]
name = "receipts"
[file.table.columns]
reference = {{ from = ["Id", "Row"], between = "/" }}
item = {{ from = "Item", strip_zeros = true }}
lot = "Lot"
quantity = "Qty"
uom = {{ from = "Unit", values = {{ ST = "pcs" }} }}
effective_at = "At"
location = {{ constant = "LINE" }}
"""
signed = st.integers(-(10**12), 10**12).filter(bool)
lots = st.none() | st.text(
    st.characters(codec="cp1252", exclude_categories=["C", "Z"]),
    min_size=1, max_size=12,
)  # fmt: skip
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
materials = st.tuples(st.integers(1, 10**9), lots, signed)


@settings(deadline=None)
@given(
    st.lists(materials, min_size=1, max_size=4), moments,
    st.sampled_from([";", ",", "\t", "|"]), st.sampled_from(["utf-8", "cp1252"]),
    st.sampled_from(["leading", "trailing"]), st.sampled_from([".", ","]),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]), st.integers(1, 18),
)  # fmt: skip
def test_what_a_template_writes_a_mapping_reads_back(
    made: list[tuple[int, str | None, int]], moment: datetime, delimiter: str, encoding: str,
    sign: str, decimal: str, zone: str, width: int,
) -> None:  # fmt: skip
    """BF-1: to the last digit. A quantity below zero is none of a receipt, and told as the number
    that it is."""
    said = {
        "delimiter": json.dumps(delimiter), "encoding": encoding, "zone": zone, "sign": sign,
        "decimal": decimal, "width": width, "trailing": str(sign == "trailing").lower(),
    }  # fmt: skip
    body = json.dumps({
        "type": "io.mes-terminal.production.completed.v1", "id": "e:1",
        "time": format_instant(moment),
        "data": {"material_actuals": [
            {"use": "Consumed", "item": str(item), "lot": lot, "quantity": format_quantity(micro),
             "uom": "pcs"}
            for item, lot, micro in made
        ]},
    })  # fmt: skip
    template = parse_template(WRITTEN.format(**said).encode(), "t.toml")
    files = render(template, [body.encode()], "S-1")
    quoted = READ.format(**said).replace('encoding = "', "quote = '\"'\nencoding = \"", 1)
    parsed = parse_folder({**files, "mapping.toml": quoted.encode()}, BERLIN)
    told = [fault.message for fault in parsed.faults]
    below = [micro for _, _, micro in made if micro < 0]
    assert [message.split(" is not more")[0] for message in told] == [
        repr(format_quantity(micro)) for micro in below
    ]
    rows = [row for row in parsed.tables["receipts"].rows if isinstance(row, ReceiptRow)]
    read = [(row.reference, row.item, row.lot or None, row.uom) for row in rows]
    assert read == [
        (f"e:1/{number}", str(item), lot, "pcs") for number, (item, lot, _) in enumerate(made, 1)
    ]
    whole = [row for row in rows if not row.faulty]
    assert [row.quantity for row in whole] == [micro for _, _, micro in made if micro > 0]
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    is_told_twice = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) != moment
    assert is_told_twice or {row.effective_at for row in whole} <= {format_instant(moment)}
