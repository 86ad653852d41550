"""The set-up sheet read by a keyboard wedge: layouts, Caps Lock, GS by keys, and terminals.

The simulated wedge presses the keys of its own layout; the station's settings say another. See
`test_sheet_check` for the round trip.
"""

from itertools import product
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.keymap import LayoutName
from hardware.sheet import GS, SHEET, Arrival, LineSettings, Pressed, SheetCode, Typed
from hardware.sheet_check import check_sheet, recognise
from hardware.sheet_reading import LAYOUTS, characters
from tests.sheet_round_trip import assert_comes_out_right, kinds, read_all
from tests.wedge_scanner import Wedge, press

DEFAULT: Final = LineSettings()
TAB: Final = 15
KEYPAD_ENTER: Final = 96


@pytest.mark.parametrize("gs", ["ctrl", "alt"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wedge_that_is_set_right_needs_nothing(layout: LayoutName, gs: str) -> None:
    arrived = read_all(Wedge(layout=layout, gs=gs))
    check = check_sheet(arrived, LineSettings(layout=layout))
    assert check.findings == ()
    assert_comes_out_right(check, arrived, driver="evdev_wedge")


@pytest.mark.parametrize(("scanner", "settings"), product(LAYOUTS, LAYOUTS))
def test_whatever_layout_is_set_the_scanners_own_is_found(
    scanner: LayoutName, settings: LayoutName
) -> None:
    """Every layout of a scanner under every layout of the settings."""
    arrived = read_all(Wedge(layout=scanner))
    check = check_sheet(arrived, LineSettings(layout=settings))
    assert check.proposed.layout == scanner
    assert kinds(check) == ({} if scanner == settings else {"layout": "mended"})
    assert_comes_out_right(check, arrived, driver="evdev_wedge")
    assert check_sheet(arrived, check.proposed).is_ready


MENDED: Final[dict[str, tuple[Wedge, LineSettings, LineSettings]]] = {
    "tab": (Wedge(suffix=press(TAB)), DEFAULT, LineSettings(suffix="\t")),
    "no suffix": (Wedge(suffix=()), DEFAULT, LineSettings(suffix="")),
    "F8 for GS": (Wedge(gs="F8"), DEFAULT, LineSettings(key_map={"F8": "1d"})),
    "F12 for GS": (Wedge(gs="F12"), DEFAULT, LineSettings(key_map={"F12": "1d"})),
    "text for GS": (Wedge(gs="<GS>"), DEFAULT, LineSettings(gs_token="<GS>")),
    "prefix": (Wedge(prefix="~"), DEFAULT, LineSettings(prefix="~")),
    "Caps Lock pressed": (Wedge(caps_pressed=True), DEFAULT, LineSettings(caps="track")),
    "German, F8, tab": (
        Wedge(layout="de", gs="F8", suffix=press(TAB)), DEFAULT,
        LineSettings(layout="de", key_map={"F8": "1d"}, suffix="\t"),
    ),
    "French with Caps Lock and a prefix": (
        Wedge(layout="fr", caps_pressed=True, prefix="S1:"), LineSettings(layout="de"),
        LineSettings(layout="fr", caps="track", prefix="S1:"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MENDED)
def test_the_lines_for_a_wedge_make_the_same_keys_come_out_right(case: str) -> None:
    """The round trip: findings, lines, TOML, keys, framing, decoding."""
    wedge, current, wanted = MENDED[case]
    arrived = read_all(wedge)
    check = check_sheet(arrived, current)
    assert check.proposed == wanted
    assert set(kinds(check).values()) == {"mended"}
    assert_comes_out_right(check, arrived, driver="evdev_wedge")
    assert check_sheet(arrived, check.proposed).is_ready


@pytest.mark.parametrize("suffix", [press(KEYPAD_ENTER), (*press(28), *press(28))])
def test_any_enter_is_an_end(suffix: tuple[tuple[int, int], ...]) -> None:
    assert check_sheet(read_all(Wedge(suffix=suffix)), DEFAULT).is_ready


@pytest.mark.parametrize(
    ("wedge", "kind"),
    [(Wedge(gs="none"), "gs_dropped"), (Wedge(sees_caps_on=True), "caps_lock")],
)
def test_what_only_the_scanner_can_mend_is_said(wedge: Wedge, kind: str) -> None:
    check = check_sheet(read_all(wedge), DEFAULT)
    assert kinds(check) == {kind: "open"}
    assert check.lines("st10") == ()


def test_caps_lock_and_a_wrong_layout_are_found_together() -> None:
    check = check_sheet(read_all(Wedge(layout="de", sees_caps_on=True)), DEFAULT)
    assert kinds(check) == {"caps_lock": "open", "layout": "mended"}
    assert check.proposed.layout == "de"


@pytest.mark.parametrize("code", SHEET, ids=lambda code: code.title)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_code_is_known_again_in_any_layout(code: SheetCode, layout: LayoutName) -> None:
    assert recognise(Wedge(layout=layout, gs="F8").read(code), DEFAULT) == code.number


def typed(code: SheetCode, host: LayoutName, scanner: LayoutName) -> Typed:
    """What a terminal with a `host` keyboard gets from a scanner that presses another's keys.

    Where the host has nothing on a key with AltGr, it shows the key alone, as Linux does.
    """
    wedge, shown = Wedge(layout=scanner), characters(host)
    text = ""
    for character in code.aim + code.data.decode():
        keys = wedge.keys.get(character, ())
        text += shown.get(keys) or shown.get(keys[-1:]) or character
    return Typed(text + "\n")


@pytest.mark.parametrize(("host", "scanner"), product(LAYOUTS, LAYOUTS))
def test_a_terminal_with_another_keyboard_is_told_which(
    host: LayoutName, scanner: LayoutName
) -> None:
    """A wedge that types into a terminal: nothing in the settings can mend that."""
    arrived: dict[int, Arrival] = {code.number: typed(code, host, scanner) for code in SHEET}
    check = check_sheet(arrived, DEFAULT)
    if host == scanner:
        assert check.is_ready
        return
    (finding,) = check.findings
    assert (finding.kind, finding.weight) == ("layout", "open")
    assert f"as a {scanner} keyboard" in finding.sentence
    assert f"country to {host}" in finding.sentence


def test_caps_lock_in_a_terminal_is_named() -> None:
    arrived: dict[int, Arrival] = {
        code.number: Typed((code.aim + code.data.decode()).swapcase() + "\n") for code in SHEET
    }
    (finding,) = check_sheet(arrived, DEFAULT).findings
    assert "Caps Lock is on" in finding.sentence
    assert GS in SHEET[4].data


def test_a_key_that_no_code_may_hold_is_named() -> None:
    wedge = Wedge()
    arrived = read_all(wedge)
    arrived[1] = Pressed((*press(29, 56, 59), *wedge.read(SHEET[0]).keys))
    check = check_sheet(arrived, DEFAULT)
    assert "CTRL+ALT+F1" in check.findings[0].sentence
    assert check.findings[0].weight == "open"


WEDGES: Final = st.builds(
    Wedge,
    layout=st.sampled_from(LAYOUTS),
    suffix=st.sampled_from([press(28), press(KEYPAD_ENTER), press(TAB), ()]),
    gs=st.sampled_from(["ctrl", "alt", "F8", "F12", "<GS>"]),
    aim=st.just(True),
    prefix=st.sampled_from(["", "S1:", "~"]),
    caps_pressed=st.booleans(),
)


@settings(max_examples=40, deadline=None)
@given(wedge=WEDGES, layout=st.sampled_from(LAYOUTS), suffix=st.sampled_from([None, "", "\t"]))
def test_any_wedge_under_any_settings_is_put_right(
    wedge: Wedge, layout: LayoutName, suffix: str | None
) -> None:
    """A law: whatever both are set to, with the proposed lines the sheet comes out as printed."""
    arrived: dict[int, Arrival] = {code.number: wedge.read(code) for code in SHEET}
    check = check_sheet(arrived, LineSettings(layout=layout, suffix=suffix))
    assert {finding.weight for finding in check.findings} <= {"mended", "note"}
    assert_comes_out_right(check, arrived, driver="evdev_wedge")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2)), max_size=80))
def test_whatever_keys_are_pressed_are_judged_and_never_an_error(
    keys: list[tuple[int, int]],
) -> None:
    read = Pressed(tuple(keys))
    recognise(read, DEFAULT)
    for finding in check_sheet({1: read}, DEFAULT).findings:
        assert finding.sentence.isprintable()
