"""The genealogy over the operator's screen: it reads, it loses no scan, and it gives none."""

import pytest

from mes_terminal.domain.trace import Trace, TraceEdge, TraceNode
from mes_terminal.tui.gallery import outcome, station
from mes_terminal.tui.gallery_traces import CHAIR_TRACE, leg_trace
from mes_terminal.tui.glyphs import RICH
from mes_terminal.tui.screens.trace import TraceScreen
from tests.tui.conftest import Desk, OpenDesk
from tests.tui.test_hostile import HOSTILE, assert_harmless
from tests.tui.test_operator import happened


async def opened(desk: Desk, trace: Trace | None = CHAIR_TRACE) -> None:
    """Book a unit, then open the view."""
    desk.core.traced = trace
    desk.core.push("outcome", happened("ok"))
    await desk.until(lambda: "Unit 000063 booked" in desk.text())
    await desk.pilot.press("f6")
    await desk.until(lambda: "GENEALOGY  CHAIR-4" in desk.text() or trace is not CHAIR_TRACE)


def is_open(desk: Desk) -> bool:
    return isinstance(desk.app.screen, TraceScreen)


async def type_slowly(desk: Desk, text: str) -> None:
    """Type as a person does."""
    for character in text:
        await desk.type(character)
        await desk.pilot.pause(0.08)


async def test_it_opens_with_what_was_made_last(open_desk: OpenDesk) -> None:
    """BF-37: made from, with quantities and certainty."""
    async with open_desk() as desk:
        await opened(desk)
        assert desk.core.asked == [{"item": "CHAIR-4", "serial": "000063",
                                    "direction": "backward"}]  # fmt: skip
        assert "made from" in desk.text()
        assert "0.125 kg  assumed" in desk.text()
        assert desk.core.scans == []


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"lot": "L-66", "item": "LEG"}, {"item": "LEG", "lot": "L-66"}),
        ({"serial": "M-1", "item": "MOTOR"}, {"item": "MOTOR", "serial": "M-1"}),
    ],
)
async def test_it_opens_with_a_lot_that_was_only_scanned(
    open_desk: OpenDesk, fields: dict[str, str], subject: dict[str, str]
) -> None:
    async with open_desk() as desk:
        desk.core.push("outcome", outcome("rejected", "lot_expired", **fields))
        await desk.pilot.pause(0.1)
        await desk.pilot.press("f6")
        await desk.until(lambda: desk.core.asked == [{**subject, "direction": "backward"}])


async def test_before_anything_was_scanned_it_asks_for_a_name(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await desk.pilot.press("f6")
        await desk.until(lambda: "Nothing was scanned yet" in desk.text())
        await desk.pilot.press("right")
        await desk.pilot.pause(0.1)
        assert desk.core.asked == []


async def test_arrows_turn_the_direction_and_scroll(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await opened(desk, leg_trace())
        await desk.until(lambda: "made from" in desk.text())
        await desk.pilot.press("right")
        await desk.until(lambda: "used in" in desk.text() and "1-18 of 121" in desk.text())
        assert desk.core.asked[-1]["direction"] == "forward"
        for key, place in [
            ("pagedown", "19-36"), ("down", "20-37"), ("up", "19-36"), ("end", "104-121"),
            ("pagedown", "104-121"), ("pageup", "86-103"), ("home", "1-18"), ("up", "1-18"),
        ]:  # fmt: skip
            await desk.pilot.press(key)
            await desk.until(lambda place=place: f"{place} of 121" in desk.text())  # type: ignore[misc]
        assert desk.core.scans == []


async def test_what_a_person_types_there_is_looked_up_and_never_scanned(
    open_desk: OpenDesk,
) -> None:
    async with open_desk() as desk:
        await opened(desk)
        await type_slowly(desk, "L-7")
        await desk.until(lambda: f"{RICH.prompt} L-7█" in desk.text())
        await desk.type("\r")
        await desk.until(lambda: desk.core.asked[-1] == {"code": "L-7", "direction": "backward"})
        assert is_open(desk)
        assert desk.core.scans == []


async def test_a_single_typed_letter_is_looked_up_however_soon_enter_comes(
    open_desk: OpenDesk,
) -> None:
    async with open_desk() as desk:
        await opened(desk)
        await desk.type("L")
        await desk.pilot.pause(0.06)
        await desk.type("\r")
        await desk.until(lambda: len(desk.core.asked) > 1)
        assert desk.core.scans == []


async def test_a_scan_goes_to_the_station_as_always_and_its_result_is_seen(
    open_desk: OpenDesk,
) -> None:
    """No scan is lost because somebody looks something up."""
    async with open_desk(answers={"LEG|L-66": happened("stop")}) as desk:
        await opened(desk)
        await desk.type("LEG|L-66\r")
        await desk.until(lambda: desk.core.scans == [b"LEG|L-66"])
        await desk.until(lambda: not is_open(desk) and "L-66" in desk.text())
        assert len(desk.core.asked) == 1


async def test_a_result_of_another_scanner_closes_it(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await opened(desk)
        desk.core.push("outcome", happened("stop"))
        await desk.until(lambda: not is_open(desk) and "expired" in desk.text())


async def test_what_was_begun_there_is_looked_up_though_a_result_closed_it(
    open_desk: OpenDesk,
) -> None:
    """Half a typed lot must not become a scan because somebody else's result came in between."""
    async with open_desk() as desk:
        await opened(desk)
        await type_slowly(desk, "L-7")
        desk.core.push("outcome", happened("stop"))
        await desk.until(lambda: not is_open(desk))
        await type_slowly(desk, "8")
        await desk.type("\r")
        await desk.until(lambda: desk.core.asked[-1].get("code") == "L-78")
        assert is_open(desk)
        assert desk.core.scans == []


async def test_a_scan_between_typed_letters_is_taken_and_the_letters_stay_a_look_up(
    open_desk: OpenDesk,
) -> None:
    async with open_desk() as desk:
        await opened(desk)
        await type_slowly(desk, "L-7")
        await desk.pilot.pause(0.6)  # the gate takes letters and scan for one code before that
        await desk.type("WO-1001\r")
        await desk.until(lambda: desk.core.scans == [b"WO-1001"])
        await type_slowly(desk, "8")
        await desk.type("\r")
        await desk.until(lambda: desk.core.asked[-1].get("code") == "L-78")
        assert desk.core.scans == [b"WO-1001"]


async def test_what_was_begun_on_the_operators_screen_stays_a_scan(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await type_slowly(desk, "WO-1")
        await desk.pilot.press("f6")
        await desk.until(lambda: is_open(desk))
        await desk.type("\r")
        await desk.until(lambda: desk.core.scans == [b"WO-1"])
        assert not is_open(desk)
        assert desk.core.asked == []


@pytest.mark.parametrize("key", ["f2", "f3", "f4", "f5"])
async def test_no_command_is_given_from_there(open_desk: OpenDesk, key: str) -> None:
    async with open_desk() as desk:
        await opened(desk)
        await desk.pilot.press(key)
        await desk.pilot.pause(0.15)
        assert is_open(desk)
        assert desk.core.scans == []
        assert "%" not in desk.text()


@pytest.mark.parametrize("key", ["escape", "f6"])
async def test_it_closes_by_key(open_desk: OpenDesk, key: str) -> None:
    async with open_desk() as desk:
        await opened(desk)
        await desk.pilot.press(key)
        await desk.until(lambda: not is_open(desk))


async def test_an_unknown_lot_and_a_lost_core_are_said(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await opened(desk, None)
        await desk.until(lambda: "'LEG' has no lot 'X'." in desk.text())
        desk.core.away = True
        await desk.pilot.press("right")
        await desk.until(lambda: "no core" in desk.text())
        desk.core.push("gone", None)
        await desk.until(lambda: not is_open(desk) and "NOT CONNECTED" in desk.text())


async def test_test_mode_is_seen_there_too(open_desk: OpenDesk) -> None:
    async with open_desk(station(mode="test")) as desk:
        await desk.pilot.press("f6")
        await desk.until(lambda: is_open(desk))
        await desk.until(lambda: desk.app.screen.query_one("KeyBar").has_class("-test"))


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
@pytest.mark.parametrize("size", [(80, 24), (200, 60), (20, 5)])
async def test_hostile_names_are_drawn_as_text(
    open_desk: OpenDesk, text: str, size: tuple[int, int]
) -> None:
    told = text.encode("utf-8", "replace").decode()
    nodes = [TraceNode(told, told, told, told, 0), TraceNode(told, None, None, None, 1)]
    trace = Trace(told, told, told, nodes, [TraceEdge(1, 0, "1", told, "unknown", told)])
    async with open_desk(size=size) as desk:
        desk.core.traced = trace
        desk.core.push("outcome", happened("ok"))
        await desk.pilot.pause(0.05)
        await desk.pilot.press("f6")
        await desk.pilot.pause(0.2)
        assert is_open(desk)
        assert_harmless(desk.text())
        assert desk.app._exception is None
