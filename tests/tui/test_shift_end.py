"""The end of a shift and line stops on the operator's screen (screens: flows; issue 5, part 2)."""

import re
from typing import Any, Final

import pytest
from msgspec.structs import replace

from mes_terminal.domain.shift_report import OpenKind, ShiftNow
from mes_terminal.domain.view import CallView, StopView
from mes_terminal.errors import InputError
from mes_terminal.tui import gallery_shift as shifts
from mes_terminal.tui.gallery import outcome, station
from mes_terminal.tui.safe_text import column_count
from mes_terminal.tui.scripted_core import encoded
from mes_terminal.tui.words import LANGUAGES
from tests.tui.conftest import Desk, OpenDesk
from tests.tui.test_hostile import HOSTILE, assert_harmless

END: Final = outcome("recorded", code="%END", work_order=None, item=None)
ZERO: Final = replace(
    shifts.NOW,
    zero_open=True,
    open=replace(shifts.OPEN, exceptions=[], approvals=0, count=None, calls=0, stopped=None),
)


async def end(desk: Desk, now: ShiftNow = shifts.NOW) -> None:
    """Scan `%END` and wait until the screen says what is open."""
    desk.core.shift = now
    desk.core.answers["%END"] = END
    await desk.type("%END\r")
    await desk.until(lambda: "END OF SHIFT" in desk.text() and "Made" in desk.text())


async def by_hand(desk: Desk, text: str) -> None:
    """Type as a person does: one key after the other."""
    for character in text:
        await desk.type(character)
        await desk.pilot.pause(0.08)


async def test_a_scanner_never_types_a_pin(open_desk: OpenDesk) -> None:
    """Digits that could be one are refused with a word, nothing is tried."""
    async with open_desk() as desk:
        await end(desk, ZERO)
        await desk.until(lambda: "scan your badge to sign" in desk.text())
        await desk.type("B:SUP-1\r")
        await desk.until(lambda: "PIN of SUP-1" in desk.text())
        await desk.type("4711\r")
        await desk.until(lambda: LANGUAGES["en"].approve.typed_only[:20] in desk.text())
        assert (desk.core.signed, desk.core.scans) == ([], [b"%END"])


async def test_end_shows_what_is_open_and_asks_for_badge_and_pin(open_desk: OpenDesk) -> None:
    """With zero open nobody has to take anything over; the PIN is dots, and told once."""
    async with open_desk() as desk:
        await end(desk, ZERO)
        text = desk.text()
        assert "zero open" in text
        assert "EARLY · 2026-11-20 · since 05:02" in text
        await desk.until(lambda: "scan your badge to sign" in desk.text())
        await desk.type("B:SUP-1\r")
        await desk.until(lambda: "PIN of SUP-1" in desk.text())
        await by_hand(desk, "4711")
        await desk.until(lambda: " ****█" in desk.text())
        assert "4711" not in desk.text()
        await by_hand(desk, "\r")
        await desk.until(lambda: "signed off by Maria L." in desk.text())
        assert desk.core.signed == [{"badge": "SUP-1", "pin": "4711", "hand_over": None}]
        groups = re.findall(r"[0-9a-f]{8}", desk.text())
        assert "".join(groups) == shifts.REPORT.anchor.hash
        assert desk.core.scans == [b"%END"], "no badge and no PIN went to the station"
        await desk.pilot.press("escape")
        await desk.until(lambda: "END OF SHIFT" not in desk.text())


async def test_what_is_nobodys_is_handed_over_by_a_badge_first(open_desk: OpenDesk) -> None:
    """The badge of who takes over, then the supervisor's."""
    async with open_desk() as desk:
        await end(desk)
        await desk.until(lambda: "Who takes over what is open?" in desk.text())
        assert "3 belong to nobody" in desk.text()
        await desk.type("B:SUP-2\r")
        await desk.until(lambda: "scan your badge to sign" in desk.text())
        await desk.type("B:SUP-1\r")
        await desk.until(lambda: "PIN of SUP-1" in desk.text())
        await by_hand(desk, "4711\r")
        await desk.until(lambda: "4 handed over to Tom B." in desk.text())
        assert desk.core.signed == [{"badge": "SUP-1", "pin": "4711", "hand_over": "SUP-2"}]


async def test_a_badge_read_by_another_scanner_of_the_station_counts_too(
    open_desk: OpenDesk,
) -> None:
    """A scanner of the core signs its holder in, and fills the field."""
    async with open_desk() as desk:
        await end(desk, ZERO)
        await desk.until(lambda: "scan your badge to sign" in desk.text())
        badge = outcome("recorded", code="B:SUP-1", scan_id="other", work_order=None, item=None)
        desk.core.push("outcome", badge)
        await desk.until(lambda: "PIN of SUP-1" in desk.text())


async def test_esc_leaves_it_and_the_shift_goes_on(open_desk: OpenDesk) -> None:
    """Nothing was signed; what was typed so far is forgotten."""
    async with open_desk() as desk:
        await end(desk, ZERO)
        await desk.until(lambda: "scan your badge to sign" in desk.text())
        await desk.type("B:SUP-1\r")
        await desk.until(lambda: "PIN of SUP-1" in desk.text())
        await by_hand(desk, "47")
        await desk.pilot.press("escape")
        await desk.until(lambda: "WO-1001" in desk.text())
        assert "47" not in desk.text().split("Scan, or type")[-1].splitlines()[0]
        assert desk.core.signed == []


@pytest.mark.parametrize("code", ["000064", "%QTY 5"])
async def test_a_scan_that_is_no_badge_closes_it_and_is_booked(
    open_desk: OpenDesk, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ending the shift is never in the way of the line."""
    async with open_desk() as desk:
        await end(desk, ZERO)
        await desk.until(lambda: "scan your badge to sign" in desk.text())
        monkeypatch.setattr(desk.core, "pages", known_units(desk.core.pages))
        await desk.type(f"{code}\r")
        await desk.until(lambda: desk.core.scans == [b"%END", code.encode()])
        await desk.until(lambda: "END OF SHIFT" not in desk.text())


def known_units(pages: Any) -> Any:
    """Let the core know every plain number as a unit."""

    async def found(do: str, **params: Any) -> Any:
        if do == "decode" and bytes.fromhex(params["hex"]).isdigit():
            yield [encoded({"kind": "unit", "key": "000064"})]
            return
        async for page in pages(do, **params):
            yield page

    return found


async def test_an_outcome_from_elsewhere_closes_it(open_desk: OpenDesk) -> None:
    """A result is never hidden."""
    async with open_desk() as desk:
        await end(desk, ZERO)
        desk.core.push("outcome", outcome("completed", scan_id="unit", quantity="1",
                                          order_status="started"))  # fmt: skip
        await desk.until(lambda: "END OF SHIFT" not in desk.text())


async def test_a_shift_that_is_signed_off_already_says_so_and_asks_nothing(
    open_desk: OpenDesk,
) -> None:
    """A shift ends once."""
    async with open_desk() as desk:
        await end(desk, replace(ZERO, blocked="Shift A was signed off"))
        await desk.until(lambda: "signed off already" in desk.text())
        assert "badge" not in desk.text()


async def test_a_wrong_pin_says_so_and_begins_again(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence of the core, and the first field."""

    async def refuse(do: str, **params: Any) -> Any:
        del do, params
        raise InputError("That is not the PIN of SUP-1. Nothing was done.")

    async with open_desk() as desk:
        await end(desk, ZERO)
        await desk.until(lambda: "scan your badge to sign" in desk.text())
        await desk.type("B:SUP-1\r")
        await desk.until(lambda: "PIN of SUP-1" in desk.text())
        monkeypatch.setattr(desk.core, "request", refuse)
        await by_hand(desk, "4712\r")
        await desk.until(lambda: "That is not the PIN of SUP-1." in desk.text())
        await desk.until(lambda: "scan your badge to sign" in desk.text())


async def test_a_test_station_says_so_on_the_sheet(open_desk: OpenDesk) -> None:
    """Screens 4: TEST must not look like LIVE."""
    async with open_desk(station(mode="test")) as desk:
        await end(desk, ZERO)
        assert "TEST  END OF SHIFT" in desk.text()


async def test_the_screen_says_that_the_line_stands_and_what_is_called(
    open_desk: OpenDesk,
) -> None:
    """A notice until it runs again."""
    view = station(stopped=shifts.STOPPED, calls=shifts.CALLS)
    async with open_desk(view) as desk:
        await desk.until(lambda: "LINE STOPPED" in desk.text())
        assert "since 13:52 · JAM Machine jammed" in desk.text()
        assert "CALLED: LEG 2 times since" in desk.text()
        desk.core.push("view", station(calls=shifts.CALLS))
        await desk.until(lambda: "LINE STOPPED" not in desk.text())
        assert "CALLED  LEG 2 times since 13:58" in desk.text()
        desk.core.push("view", station())
        await desk.until(lambda: "CALLED" not in desk.text())


async def test_who_signs_in_is_told_what_is_handed_over(open_desk: OpenDesk) -> None:
    """Screens, start of shift: the hand-over and the next three orders."""
    view = station(handed_over=shifts.HANDED_OVER)
    async with open_desk(view) as desk:
        desk.core.push("outcome", outcome("recorded", code="B:1001", work_order=None, item=None))
        desk.core.push("view", view)
        await desk.until(lambda: "Handed over to you: 3 shortage, 1 unknown code." in desk.text())
        assert "Next: WO-1001, WO-1002, WO-1003" in desk.text()


async def test_hostile_texts_are_shown_as_text(open_desk: OpenDesk) -> None:
    """Screens 10: reasons, items and names come from files and scans."""
    for hostile in HOSTILE:
        if any("\ud800" <= character <= "\udfff" for character in hostile):
            continue  # no JSON of the core holds it
        view = station(
            stopped=StopView(shifts.STOPPED.since, hostile, hostile),
            calls=[CallView(hostile, None, 1, shifts.STOPPED.since)],
        )
        bad = replace(ZERO, shift=hostile, open=replace(ZERO.open, count=hostile, stopped=hostile))
        async with open_desk(view) as desk:
            assert_harmless(desk.text())
            await end(desk, bad)
            assert_harmless(desk.text())


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_sheet_fits_in_every_language(
    open_desk: OpenDesk, language: str, size: tuple[int, int]
) -> None:
    """Nothing that is asked is cut off at 80 columns by 24 rows."""
    told = LANGUAGES[language].shift
    many = [OpenKind(kind, 99, 99) for kind in ("shortage", "lot_expired", "unknown_code", "clock")]
    full = replace(shifts.NOW, open=replace(shifts.OPEN, exceptions=many))
    async with open_desk(station(language=language), size=size) as desk:
        desk.core.shift = full
        desk.core.answers["%END"] = END
        await desk.type("%END\r")
        await desk.until(lambda: told.asks["taker"] in desk.text())
        assert told.leave in desk.text()
    for text in (*told.asks.values(), *told.hints.values()):
        assert column_count(text.format(name="SUP-1")) <= 74, text
