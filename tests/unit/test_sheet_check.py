"""The set-up sheet: every misconfiguration is named, and the lines proposed put it right.

A simulated scanner reads the sheet as it is set (layout, suffix, GS, ...); the check sees only what
leaves it. The round trip is the strongest test: with the proposed lines in the settings, the very
same bytes and keys go through the framing and decoding of the station and come out as printed.
"""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.sheet import GS, SHEET, Arrival, LineSettings, Sent, SheetCode
from hardware.sheet_check import check_sheet, recognise
from hardware.shown_bytes import show
from tests.sheet_round_trip import SerialScanner, assert_comes_out_right, kinds, read_all

DEFAULT: Final = LineSettings()


PERFECT: Final = SerialScanner()

MENDED: Final[dict[str, tuple[SerialScanner, LineSettings, dict[str, str]]]] = {
    "tab": (SerialScanner(suffix=b"\t"), DEFAULT, {"suffix": "\t"}),
    "etx": (SerialScanner(prefix=b"\x02", suffix=b"\x03"), DEFAULT,
            {"prefix": "\x02", "suffix": "\x03"}),
    "tab and line end": (SerialScanner(suffix=b"\t\r\n"), DEFAULT, {"suffix": "\t\r\n"}),
    "no suffix": (SerialScanner(suffix=b""), DEFAULT, {"suffix": ""}),
    "a line end where silence was set": (PERFECT, LineSettings(suffix=""), {"suffix": "\r"}),
    "prefix": (SerialScanner(prefix=b"S1:"), DEFAULT, {"prefix": "S1:"}),
    "prefix that is gone": (PERFECT, LineSettings(prefix="S1:"), {"prefix": ""}),
    "other prefix": (SerialScanner(prefix=b"~"), LineSettings(prefix="S1:"), {"prefix": "~"}),
    "gs as text": (SerialScanner(gs=b"<GS>"), DEFAULT, {"gs_token": "<GS>"}),
    "gs and fnc1 as text": (SerialScanner(gs=b"{GS}", lead=b"{GS}"), DEFAULT,
                            {"gs_token": "{GS}"}),
    "gs as one sign": (SerialScanner(gs=b"|"), DEFAULT, {"gs_token": "|"}),
    "ids refused": (PERFECT, LineSettings(aim_id="never"), {"aim_id": "auto"}),
    "7E1": (SerialScanner(parity="E"), DEFAULT, {"parity": "E"}),
    "7O1": (SerialScanner(parity="O", suffix=b"\r\n"), DEFAULT, {"parity": "O"}),
    "7E1, tab, prefix": (SerialScanner(parity="E", suffix=b"\t", prefix=b"#"), DEFAULT,
                         {"parity": "E", "suffix": "\t", "prefix": "#"}),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n"])
def test_a_scanner_that_is_set_right_needs_nothing(suffix: bytes) -> None:
    arrived = read_all(replace(PERFECT, suffix=suffix))
    check = check_sheet(arrived, DEFAULT)
    assert (check.findings, check.lines("st10"), check.is_ready) == ((), (), True)
    assert check.read == tuple(range(1, 8))
    assert_comes_out_right(check, arrived)


@pytest.mark.parametrize("case", MENDED)
def test_the_lines_for_a_serial_scanner_make_the_same_bytes_come_out_right(case: str) -> None:
    """The round trip: findings, lines, TOML, framing, decoding."""
    scanner, current, wanted = MENDED[case]
    arrived = {code.number: scanner.read(code) for code in SHEET}
    check = check_sheet(arrived, current)
    assert not check.is_ready
    assert {key: getattr(check.proposed, key) for key in wanted} == wanted
    assert set(kinds(check).values()) == {"mended"}
    assert_comes_out_right(check, arrived)
    bits = check.proposed.bits
    again = {n: Sent(bytes(b & (1 << bits) - 1 for b in read.data)) for n, read in arrived.items()}
    assert check_sheet(again, check.proposed).is_ready


OPEN: Final[dict[str, tuple[SerialScanner, str]]] = {
    "gs dropped": (SerialScanner(gs=b""), "gs_dropped"),
    "gs as a letter": (SerialScanner(gs=b"X"), "gs_varies"),
    "case swapped": (SerialScanner(swaps_case=True), "caps_lock"),
    "suffix that is data": (SerialScanner(suffix=b"#"), "suffix_other"),
    "something after the line end": (SerialScanner(suffix=b"\r\t"), "suffix_other"),
    "a vendor's code identifier": (
        SerialScanner(code_ids={"code_128": b"j", "gs1_128": b"I", "qr_code": b"s"}), "code_id",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OPEN)
def test_what_no_setting_can_mend_is_said_and_not_proposed(case: str) -> None:
    scanner, kind = OPEN[case]
    check = check_sheet(read_all(scanner), DEFAULT)
    assert kinds(check)[kind] == "open"
    assert not check.is_ready
    assert check.lines("st10") == ()


def test_without_identifiers_it_works_and_says_what_would_be_better() -> None:
    check = check_sheet(read_all(SerialScanner(aim=False, lead=GS)), DEFAULT)
    assert kinds(check) == {"aim_missing": "note"}
    assert check.is_ready


def test_identifiers_that_are_required_and_not_sent_are_no_longer_required() -> None:
    check = check_sheet(read_all(SerialScanner(aim=False)), LineSettings(aim_id="require"))
    assert kinds(check) == {"aim_setting": "mended"}
    assert check.proposed.aim_id == "auto"


def test_a_gs1_code_that_is_named_as_a_plain_one_is_found() -> None:
    arrived = read_all(PERFECT)
    arrived[5] = Sent(b"]C0" + SHEET[4].data + b"\r")
    assert kinds(check_sheet(arrived, DEFAULT)) == {"gs1_plain": "open"}


def test_a_token_that_is_no_longer_needed_is_taken_out() -> None:
    check = check_sheet(read_all(PERFECT), LineSettings(gs_token="<GS>"))
    assert check.lines("st10") == ("[scanner.st10]", "# gs_token: take this line out")
    assert_comes_out_right(check, read_all(PERFECT))


def damaged(number: int, data: bytes) -> dict[int, Arrival]:
    arrived = read_all(PERFECT)
    arrived[number] = Sent(SHEET[number - 1].aim.encode() + data + b"\r")
    return arrived


@pytest.mark.parametrize(
    ("number", "data", "kind", "named"),
    [
        (1, b"Seetup-Sheet-0123456789", "doubled", "e"),
        (1, bytes(byte for byte in SHEET[0].data for _ in (0, 1)), "doubled", "S"),
        (3, b"ABCDFGHIJKLMNOPQRSTUVWXYZ@[\\]^", "lost", "E_"),
        (4, b"abcdefghijklmnopqrstuvwxzy`{}~|", "changed", "y"),
        (2, b"A !@#$%&'()*+,-./:;<=>?Z", "changed", '" as @'),
        (1, b"\x01\x80\xfe\x11", "unreadable", "01h"),
        (1, b"SETUP-SHEET-0123456789", "changed", "etup"),
    ],
)
def test_characters_that_come_twice_not_at_all_or_changed_are_named(
    number: int, data: bytes, kind: str, named: str
) -> None:
    check = check_sheet(damaged(number, data), DEFAULT)
    (finding,) = check.findings
    assert (finding.kind, finding.weight) == (kind, "open")
    assert f"Code {number}" in finding.sentence
    assert named in finding.sentence


def test_a_scanner_that_speaks_ssi_is_told_by_its_packets() -> None:
    """V114: the packet of a Zebra left in SSI mode."""
    arrived: dict[int, Arrival] = {1: Sent(bytes.fromhex("0bf3000003574f2d313031fd9a"))}
    (finding,) = check_sheet(arrived, DEFAULT).findings
    assert "speaks SSI" in finding.sentence


def test_codes_that_were_left_out_are_not_judged() -> None:
    """A laser cannot see two-dimensional codes."""
    arrived = {number: read for number, read in read_all(PERFECT).items() if number <= 5}
    check = check_sheet(arrived, DEFAULT)
    assert check.is_ready
    assert check.read == (1, 2, 3, 4, 5)


def test_different_ends_of_the_same_scanner_are_found() -> None:
    arrived = read_all(PERFECT)
    arrived[7] = Sent(b"]Q1" + SHEET[6].data + b"\t")
    assert kinds(check_sheet(arrived, DEFAULT)) == {"suffix_varies": "open"}


@pytest.mark.parametrize("code", SHEET, ids=lambda code: code.title)
@pytest.mark.parametrize(
    "scanner",
    [PERFECT, SerialScanner(parity="E", suffix=b"\t"), SerialScanner(gs=b"", prefix=b"S1:"),
     SerialScanner(swaps_case=True)],
    ids=["right", "7E1", "prefix", "case"],
)  # fmt: skip
def test_each_code_is_known_again_however_the_scanner_is_set(
    code: SheetCode, scanner: SerialScanner
) -> None:
    assert recognise(scanner.read(code), DEFAULT) == code.number


def test_a_code_that_is_not_on_the_sheet_is_none_of_it() -> None:
    assert recognise(Sent(b"4006381333931\r"), DEFAULT) is None
    assert recognise(Sent(b""), DEFAULT) is None


def test_the_sheet_holds_every_printable_character_and_gs() -> None:
    plain = b"".join(code.data for code in SHEET if not code.is_gs1)
    assert set(plain) == set(range(0x20, 0x7F))
    assert [code.data.count(GS) for code in SHEET if code.is_gs1] == [1, 2]
    assert len({code.data for code in SHEET}) == len(SHEET)


def test_bytes_are_shown_by_name_and_never_raw() -> None:
    assert show(b"\x02\r") == "STX CR"
    assert show(b"<GS>") == "<GS>"
    assert show(bytes(range(256))).isprintable()


SCANNERS: Final = st.builds(
    SerialScanner,
    prefix=st.sampled_from([b"", b"\x02", b"S1:", b"~", b"#"]),
    suffix=st.sampled_from([b"\r", b"\n", b"\r\n", b"\t", b"\x03", b"\x03\r", b""]),
    gs=st.sampled_from([GS, b"<GS>", b"{GS}", b"|", b"~~"]),
    aim=st.just(True),
    parity=st.sampled_from("NEO"),
)
CURRENT: Final = st.builds(
    LineSettings,
    prefix=st.sampled_from(["", "S1:", "Z"]),
    suffix=st.sampled_from([None, "", "\t", "\x03"]),
    gs_token=st.sampled_from([None, "<GS>", "|"]),
    aim_id=st.sampled_from(["auto", "require", "never"]),
)


@settings(max_examples=60, deadline=None)
@given(scanner=SCANNERS, current=CURRENT)
def test_any_scanner_under_any_settings_is_put_right(
    scanner: SerialScanner, current: LineSettings
) -> None:
    """A law: whatever both are set to, with the proposed lines the sheet comes out as printed."""
    arrived: dict[int, Arrival] = {code.number: scanner.read(code) for code in SHEET}
    check = check_sheet(arrived, current)
    assert {finding.weight for finding in check.findings} <= {"mended", "note"}
    assert_comes_out_right(check, arrived)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.integers(1, 7), st.binary(max_size=60).map(Sent), min_size=1))
def test_whatever_arrives_is_judged_and_never_an_error(arrived: dict[int, Arrival]) -> None:
    check = check_sheet(arrived, DEFAULT)
    assert check.findings
    assert all(finding.sentence.isprintable() for finding in check.findings)
    for read in arrived.values():
        recognise(read, DEFAULT)
