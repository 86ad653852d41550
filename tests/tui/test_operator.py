"""The operator's screen, driven as a person and a scanner drive it (screens 1 to 7)."""

import asyncio

import msgspec
import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.view import PreflightView
from mes_terminal.tui import big_font, gallery_orders
from mes_terminal.tui.gallery import outcome, scenes, station
from mes_terminal.tui.glyphs import RICH
from mes_terminal.tui.screens.help import HelpScreen
from mes_terminal.tui.widgets import result_panel
from tests.tui.conftest import Desk, OpenDesk


def classes(desk: Desk) -> frozenset[str]:
    return desk.app.operator.result.classes


def happened(name: str) -> Outcome:
    found = scenes()[name].happens
    assert found is not None
    return found


async def test_an_outcome_fills_the_middle_with_its_colour_and_words(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        desk.core.push("outcome", happened("ok"))
        await desk.until(lambda: "Unit 000063 booked" in desk.text())
        assert "-ok" in classes(desk)
        assert "3 components backflushed" in desk.text()
        assert desk.heard == ["accepted"]


@pytest.mark.parametrize(("name", "tone"), [("stop", "-stop"), ("check", "-check"), ("do", "-do")])
async def test_each_tone_has_a_class_of_its_own(open_desk: OpenDesk, name: str, tone: str) -> None:
    async with open_desk() as desk:
        desk.core.push("outcome", happened(name))
        await desk.until(lambda: tone in classes(desk))


async def test_the_colour_calms_down_and_the_message_stays(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_panel, "BRIGHT_S", 0.2)
    async with open_desk() as desk:
        desk.core.push("outcome", happened("stop"))
        await desk.until(lambda: "-stop" in classes(desk))
        await desk.until(lambda: "-calm" in classes(desk))
        assert "Lot L-66 of LEG expired on 2026-11-01" in desk.text()


async def test_an_outcome_that_comes_twice_is_shown_and_heard_once(open_desk: OpenDesk) -> None:
    """It comes as the answer to the scan and as a push to every screen."""
    unit = happened("ok")
    async with open_desk(answers={"000063": unit}) as desk:
        await desk.type("000063\r")
        desk.core.push("outcome", unit)
        await desk.until(lambda: "Unit 000063 booked" in desk.text())
        await desk.pilot.pause(0.1)
        assert desk.heard == ["accepted"]


async def test_a_code_typed_in_a_burst_reaches_the_core_exactly(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await desk.type("WO-1002|q x\r")
        await desk.until(lambda: desk.core.scans == [b"WO-1002|q x"])


async def test_a_person_sees_what_is_typed(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        for character in "WO":
            await desk.type(character)
            await desk.pilot.pause(0.08)
        await desk.until(lambda: f"{RICH.prompt} WO█" in desk.text())
        await desk.type("\r")
        await desk.until(lambda: desk.core.scans == [b"WO"])


@pytest.mark.parametrize(("key", "code"), [("f1", b"%HELP"), ("f2", b"%UNDO"), ("f5", b"%CANCEL")])
async def test_a_function_key_gives_its_command_by_the_same_door(
    open_desk: OpenDesk, key: str, code: bytes
) -> None:
    async with open_desk() as desk:
        await desk.pilot.press(key)
        await desk.until(lambda: desk.core.scans == [code])


async def test_quantity_is_begun_by_key_and_finished_by_hand(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await desk.pilot.press("f3")
        await desk.until(lambda: f"{RICH.prompt} %QTY █" in desk.text())
        await desk.type("5")
        await desk.pilot.pause(0.08)
        await desk.type("\r")
        await desk.until(lambda: desk.core.scans == [b"%QTY 5"])


async def test_help_opens_by_its_outcome_and_closes_by_the_next_scan(open_desk: OpenDesk) -> None:
    async with open_desk(answers={"%HELP": happened("help")}) as desk:
        await desk.pilot.press("f1")
        await desk.until(lambda: isinstance(desk.app.screen, HelpScreen))
        await desk.until(lambda: "something is needed from you" in desk.text())
        await desk.type("000063\r")
        await desk.until(lambda: not isinstance(desk.app.screen, HelpScreen))
        await desk.until(lambda: desk.core.scans[-1] == b"000063")


async def test_scans_made_ahead_queue_visibly_in_order(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        desk.core.hold = asyncio.Event()
        for code in ("AAA1", "BBB2", "CCC3"):
            await desk.type(f"{code}\r")
        await desk.until(lambda: "2 waiting: BBB2 → CCC3" in desk.text())
        desk.core.hold.set()
        await desk.until(lambda: desk.core.scans == [b"AAA1", b"BBB2", b"CCC3"])
        await desk.until(lambda: "waiting:" not in desk.text())


async def test_the_cores_own_queue_is_shown(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        desk.core.push("scans_waiting", {"waiting": 5, "codes": ["WO-2", "WO-3"]})
        await desk.until(lambda: "5 waiting: WO-2 → WO-3" in desk.text())


async def test_a_lost_core_is_said_and_a_scan_is_not_believed_taken(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        desk.core.push("gone", None)
        await desk.until(lambda: "NOT CONNECTED" in desk.text())
        assert desk.heard == ["stop"]
        await desk.type("000064\r")
        await desk.until(lambda: "NOT taken: 000064" in desk.text())
        assert desk.core.scans == []
        desk.core.push("attached", None)
        desk.core.push("view", station())
        await desk.until(lambda: "NOT CONNECTED" not in desk.text())
        await desk.type("000065\r")
        await desk.until(lambda: desk.core.scans == [b"000065"])


async def test_the_warning_of_a_test_station_is_never_cut_within(open_desk: OpenDesk) -> None:
    view = station(mode="test", person=None, person_name=None)
    async with open_desk(view) as desk:
        await desk.until(lambda: "nobody signed in" in desk.text())
        head = desk.text().splitlines()[0]
        assert "practice only" in head
        assert "…" not in head


async def test_a_sign_too_long_for_one_line_stands_in_two(open_desk: OpenDesk) -> None:
    async with open_desk(size=(120, 34)) as desk:
        desk.core.push("gone", None)
        await desk.until(lambda: big_font.draw("CONNECTED", 1)[0] in desk.text())
        assert big_font.draw("NOT", 1)[0] in desk.text()


async def test_a_sign_without_room_is_said_once_in_the_sentence(open_desk: OpenDesk) -> None:
    async with open_desk(size=(80, 16)) as desk:
        desk.core.push("gone", None)
        await desk.until(lambda: "✖ NOT CONNECTED: this screen" in desk.text())


async def test_a_scan_that_the_core_lost_on_the_way_is_doubted_not_denied(
    open_desk: OpenDesk,
) -> None:
    async with open_desk() as desk:
        desk.core.away = True
        await desk.type("000064\r")
        await desk.until(lambda: "Not sure whether this was taken: 000064" in desk.text())


async def test_a_core_that_is_not_there_yet_is_waited_for(open_desk: OpenDesk) -> None:
    async with open_desk(away=True) as desk:
        await desk.until(lambda: "NOT CONNECTED" in desk.text())
        desk.core.away = False
        await desk.until(lambda: "WO-1001" in desk.text())


async def test_the_badge_chooses_the_language(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        desk.core.push("outcome", happened("stop"))
        desk.core.push("view", station(language="de"))
        await desk.until(lambda: "LEG: Los L-66 ist abgelaufen." in desk.text())
        assert "Im Einsatz" in desk.text()


async def test_test_mode_does_not_look_like_live(open_desk: OpenDesk) -> None:
    async with open_desk(station(mode="test")) as desk:
        await desk.until(lambda: f"{RICH.hatch * 3} TEST {RICH.hatch * 3}" in desk.text())
        header = desk.app.operator.header
        assert header.has_class("-test")
        assert header.styles.background.hex == "#CC79A7"


async def test_a_training_copy_looks_like_no_live_station(open_desk: OpenDesk) -> None:
    """Issue 5, part 8: the word, the hatched band and the colour of TEST, in each language."""
    async with open_desk(station(mode="training"), size=(120, 30)) as desk:
        await desk.until(lambda: f"{RICH.hatch * 3} TRAINING {RICH.hatch * 3}" in desk.text())
        assert "nothing counts" in desk.text()
        assert "LIVE" not in desk.text()
        header = desk.app.operator.header
        assert header.has_class("-test")
        assert header.styles.background.hex == "#CC79A7"
        desk.core.push("view", station(mode="training", language="de"))
        await desk.until(lambda: "SCHULUNG" in desk.text())


async def test_recovered_scans_are_told(open_desk: OpenDesk) -> None:
    """BF-13: booked before the stop; do not scan it again."""
    async with open_desk() as desk:
        desk.core.push("recovered", outcome("completed", code="000064"))
        await desk.until(lambda: "Booked before the stop: 000064." in desk.text())


async def test_a_refused_journal_is_said_not_recorded(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        desk.core.push("refused", {"device": "st02-hand", "sentence": "The disk is full."})
        await desk.until(lambda: "NOT RECORDED: st02-hand" in desk.text())
        assert desk.heard == ["stop"]


async def test_a_push_of_a_newer_core_is_passed_over(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        desk.core.push("weather", {"rain": True})
        desk.core.push("outcome", happened("ok"))
        await desk.until(lambda: "Unit 000063 booked" in desk.text())


async def test_one_ctrl_q_is_a_slip_two_leave(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await desk.pilot.press("ctrl+q")
        await desk.until(lambda: "Ctrl+Q once more" in desk.text())
        assert desk.app._exit is False
        await desk.pilot.press("ctrl+q")
        await desk.until(lambda: desk.app._exit)


@pytest.mark.parametrize("name", sorted(scenes()))
@pytest.mark.parametrize("size", [(80, 24), (120, 30), (200, 60), (40, 12), (20, 5)])
async def test_every_scene_stands_at_every_size(
    open_desk: OpenDesk, name: str, size: tuple[int, int]
) -> None:
    scene = scenes()[name]
    async with open_desk(scene.view, size=size) as desk:
        if scene.happens is not None:
            desk.core.push("outcome", scene.happens)
        desk.core.push("gone" if scene.lost else "view", None if scene.lost else scene.view)
        await desk.until(lambda: len(desk.text().split("\n")) == size[1])


async def test_a_change_of_the_order_stays_until_it_was_told(open_desk: OpenDesk) -> None:
    """BF-7: through the results of other scans."""
    changed = station(order=gallery_orders.CHANGED)
    async with open_desk(changed) as desk:
        await desk.until(lambda: "CHANGED  100 instead of 50" in desk.text())
        desk.core.push("outcome", outcome("unknown", code="4711"))
        desk.core.push("view", changed)
        await desk.until(lambda: "4711 is unknown" in desk.text())
        assert "line 30: CHAIN-B" in desk.text()
        told = msgspec.structs.replace(gallery_orders.CHANGED, changes=[])
        desk.core.push("outcome", gallery_orders.CHANGE_TOLD)
        desk.core.push("view", station(order=told))
        await desk.until(lambda: "CHANGED" not in desk.text())
        assert "WO-1003 changed: 100 instead of 50" in desk.text()


async def test_the_preflight_is_asked_for_and_a_start_says_what_is_missing(
    open_desk: OpenDesk,
) -> None:
    """At START the missing material is named before anything is built (screens 6)."""
    async with open_desk(station(order=None, preflight=None)) as desk:
        desk.core.preflight = PreflightView(
            lines_post=40, lines_short=1, shortages=["CHAIN short 3 m"]
        )
        desk.core.push("outcome", outcome("recorded", code="%START WO-1001"))
        await desk.until(lambda: "WO-1001 is started." in desk.text())
        desk.core.push("view", station(preflight=None))
        await desk.until(lambda: "40 lines would post, 1 not: CHAIN short 3 m" in desk.text())
        await desk.until(lambda: "-do" in classes(desk))
