"""A supervisor's PIN at the operator's screen, and what a desk answered (BF-24)."""

from typing import Any

import msgspec
import pytest

from mes_terminal.domain.policy import SITUATIONS
from mes_terminal.domain.view import AnswerView
from mes_terminal.tui import gallery_approve as pictures
from mes_terminal.tui.app import OperatorApp
from mes_terminal.tui.gallery import station
from mes_terminal.tui.screens.approve import ApproveScreen
from mes_terminal.tui.words import LANGUAGES, words_for
from tests.tui.conftest import Desk, OpenDesk


async def waits_for_pin(desk: Desk, **changes: Any) -> None:
    """Let the core ask for Sofia's PIN, as after the scan of her badge."""
    desk.core.push("outcome", pictures.ASKS_PIN)
    view = station(approval=msgspec.structs.replace(pictures.PIN_AWAITED, **changes))
    desk.core.push("view", view)
    await desk.until(lambda: "PIN of Sofia K." in desk.text())


async def by_hand(desk: Desk, text: str) -> None:
    """Press keys one after the other, as a person does."""
    for character in text:
        await desk.type(character)
        await desk.pilot.pause(0.08)


def is_open(desk: Desk) -> bool:
    return isinstance(desk.app.top, ApproveScreen)


async def test_the_question_fills_the_screen(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        desk.core.push("outcome", pictures.ASKS)
        desk.core.push("view", station(approval=pictures.ASKED))
        await desk.until(lambda: "A supervisor must approve" in desk.text())
        assert not is_open(desk)


async def test_a_pin_is_dots_and_goes_into_the_request_alone(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await waits_for_pin(desk)
        assert "L-66 of LEG expired" in desk.text()
        await by_hand(desk, "8642")
        await desk.until(lambda: "****█" in desk.text())
        assert "8642" not in desk.text()
        await by_hand(desk, "\r")
        await desk.until(lambda: not is_open(desk))
        assert desk.core.approvals == [{"id": 3, "badge": "2001", "pin": "8642"}]
        assert desk.core.scans == []


async def test_a_wrong_pin_is_said_and_asked_again(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await waits_for_pin(desk)
        desk.core.refuses = "That is not the PIN of 2001. \x1b[31mNothing was done."
        await by_hand(desk, "8643\r")
        await desk.until(lambda: "not the PIN of 2001" in desk.text())
        assert "\x1b" not in desk.text()
        desk.core.refuses = None
        await by_hand(desk, "8642\r")
        await desk.until(lambda: not is_open(desk))
        assert [each["pin"] for each in desk.core.approvals] == ["8643", "8642"]


async def test_what_a_scanner_sends_is_never_a_pin(open_desk: OpenDesk) -> None:
    """A code that looks like one is refused with a word; it reaches neither core nor journal."""
    async with open_desk() as desk:
        await waits_for_pin(desk)
        await desk.type("96385074\r")
        await desk.until(lambda: "Type the PIN on the keyboard" in desk.text())
        assert (desk.core.approvals, desk.core.scans) == ([], [])
        assert is_open(desk)


async def test_another_code_goes_to_the_station(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await waits_for_pin(desk)
        await desk.type("LEG|L-78\r")
        await desk.until(lambda: desk.core.scans == [b"LEG|L-78"])
        assert not is_open(desk)


@pytest.mark.parametrize("key", ["escape", "f5"])
async def test_it_can_be_left(open_desk: OpenDesk, key: str) -> None:
    async with open_desk() as desk:
        await waits_for_pin(desk)
        await by_hand(desk, "86")
        await desk.pilot.press(key)
        if key == "escape":  # the first one takes back what was typed
            await desk.pilot.pause(0.2)
            await desk.pilot.press(key)
        await desk.until(lambda: not is_open(desk))
        assert desk.core.scans == ([b"%CANCEL"] if key == "f5" else [])
        assert "86" not in desk.app.operator.entry.typed


async def test_it_closes_when_the_station_no_longer_waits(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await waits_for_pin(desk)
        desk.core.push("view", station())
        await desk.until(lambda: not is_open(desk))


async def test_it_closes_when_its_time_is_over(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await waits_for_pin(desk, until="2026-11-20T14:05:13.000000Z")
        await desk.until(lambda: not is_open(desk))


async def test_the_same_badge_once_more_asks_again(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        await waits_for_pin(desk)
        await desk.pilot.press("escape")
        await desk.until(lambda: not is_open(desk))
        await waits_for_pin(desk, until="2026-11-20T14:07:00.000000Z")
        assert is_open(desk)


async def test_an_answer_from_the_desk_is_told_once(open_desk: OpenDesk) -> None:
    """Part 4: "Approved by Sofia: scan it again"."""
    async with open_desk() as desk:
        desk.core.push("view", station(answers=pictures.APPROVED))
        await desk.until(lambda: "Sofia K. approves it" in desk.text())
        assert "Scan LEG|L-66 again" in desk.text()
        assert "LEG|L-66: approved by Sofia K." in desk.text()
        assert desk.heard == ["accepted"]
        desk.core.push("view", station(answers=pictures.APPROVED, exceptions_open=2))
        await desk.pilot.pause(0.1)
        assert desk.heard == ["accepted"]
        desk.core.push("view", station(answers=[AnswerView(5, "refused", "Tom", "WO-1", "said")]))
        await desk.until(lambda: "Tom refuses it: WO-1" in desk.text())
        assert desk.heard == ["accepted", "stop"]


async def test_hostile_texts_are_drawn_safely(open_desk: OpenDesk) -> None:
    async with open_desk() as desk:
        evil = "\x1b[2J\u202e[red]" * 40
        await waits_for_pin(desk, said=evil, item=evil, lot=evil, situation=evil)
        assert "\x1b" not in desk.text()
        assert "\u202e" not in desk.text()
        desk.core.push("view", station(answers=[AnswerView(6, "approved", evil, evil, evil)]))
        await desk.until(lambda: "approves it" in desk.text())
        assert "\x1b" not in desk.text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_situation_has_words(language: str) -> None:
    assert set(words_for(language).approve.situations) == set(SITUATIONS)


def test_the_app_keeps_no_pin() -> None:
    """What was typed is counted, never kept: there is nowhere to put it."""
    fields = vars(OperatorApp(object()))["_approve"].__dict__  # type: ignore[arg-type]
    assert all(not isinstance(value, str) or value == "" for value in fields.values())
