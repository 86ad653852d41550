"""Whatever a file holds, a mapping makes rows or faults of it; and one value is one value.

A quantity or a day, written in any foreign way, is read as the same canonical value.
"""

from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.quantity import QUANTITY_MAX_MICRO, format_quantity, parse_quantity
from mes_terminal.exchange.cells import CellError
from mes_terminal.exchange.csv_folder import parse_folder
from mes_terminal.exchange.mapped_values import date_reader, number_reader, shift_point
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
