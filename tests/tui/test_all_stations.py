"""The desk's section of the open exceptions of all stations, over a scripted core (upstream: a
supervisor at any station sees the exceptions of all)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any, cast

import msgspec
import pytest

from mes_terminal.domain.delivery import SiteException
from mes_terminal.station.site_exceptions import Counted
from mes_terminal.tui import desk_control, themes
from mes_terminal.tui.gallery import station
from mes_terminal.tui.gallery_core import DeskCore
from mes_terminal.tui.gallery_desk import MIXED
from mes_terminal.tui.gallery_plant import LISTS, elsewhere
from mes_terminal.tui.screens.desk import DeskScreen
from mes_terminal.tui.supervisor_app import SupervisorApp
from tests.tui.station_core import Desk, StationCore
from tests.tui.test_hostile import HOSTILE, assert_harmless

SOUGHT = {"limit": "200", "text": "PACK"}
AWAY = "The site at http://site does not answer. These are the exceptions of this station only."


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_control, "POLL_S", 0.1)


@asynccontextmanager
async def desk_with(
    rows: Sequence[SiteException] | None = None, *, language: str = "en", first: str = "exceptions",
    **state: Any,
) -> AsyncIterator[Desk]:  # fmt: skip
    """Open the desk of a station whose site has these."""
    lists = dict(LISTS)
    if rows is not None:
        lists["site_exceptions"] = rows
    if state:
        counted = Counted(count=len(lists["site_exceptions"]), **state)
        lists["site_exceptions_count"] = [counted]
    core = DeskCore(station(language=language), list(MIXED), lists)
    app = SupervisorApp(core, palette=themes.MANY, plain=False, zone=UTC, first=first)
    async with app.run_test(size=(160, 40)) as pilot:
        desk = Desk(app, cast("StationCore", core), pilot)
        await desk.until(
            lambda: isinstance(app.screen, DeskScreen) and app.desk.telling is not None
        )
        yield desk


async def test_the_same_digit_leads_from_this_station_to_all_and_the_story_is_in_words() -> None:
    async with desk_with() as desk:
        await desk.sees("EXCEPTIONS", "8 open")
        await desk.do("2")
        await desk.sees("ALL STATIONS", "4 open", "LINE1-ST04", "PACK-ST01")
        await desk.sees("shortage at LINE1-ST04", "4 FRAME are owed", "Order WO-1003")
        await desk.sees("no stock there", "It is exception 41 of LINE1-ST04")
        await desk.do("down")
        await desk.sees("unknown code at LINE3-ST02", "It ends at LINE3-ST02.")
        await desk.do("end")
        await desk.sees("GLUE of the lot G-3 was used")
        await desk.do("e")
        await desk.sees("EXCEPTIONS", "8 open")


async def test_it_is_read_only_and_finds_texts_and_scanned_orders() -> None:
    async with desk_with(first="all_stations") as desk:
        await desk.sees("4 open")
        await desk.do("r", "a", "g")
        await desk.do("/", "PACK", "enter")
        await desk.sees("only with PACK")
        await desk.until(lambda: ("site_exceptions", SOUGHT) in desk.core.asked)
        cast("DeskCore", desk.core).meanings["WO-1007"] = [{"kind": "order", "key": "WO-1007"}]
        await desk.scan("WO-1007")
        await desk.sees("only with WO-1007")
        asked = {name for name, _ in desk.core.asked}
        assert not asked & {"resolve", "assign"}


async def test_a_site_that_is_away_is_said_in_the_head_line_and_in_the_story() -> None:
    """UP-4: the road is away, the desk is not."""
    own = [elsewhere(7, "LINE3-ST02", "shortage", "WO-1", item="LEG", quantity="3")]
    async with desk_with(own, more=False, trouble=AWAY, first="all_stations") as desk:
        await desk.sees(
            "1 open", "this station only", "could not be asked", "The site at http://site"
        )
        await desk.sees("3 LEG are owed")


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "of the others it is not known. The site"),
     ("de", "von den anderen ist es nicht bekannt. The site")],
)  # fmt: skip
async def test_nothing_open_here_says_nothing_of_the_other_stations(
    language: str, told: str
) -> None:
    """UP-4: with the site away an empty list is no good news."""
    async with desk_with(
        [], more=False, trouble=AWAY, first="all_stations", language=language
    ) as desk:
        await desk.sees(told)


async def test_more_than_are_shown_is_said_in_german_too() -> None:
    async with desk_with(language="de", more=True, trouble=None, first="all_stations") as desk:
        await desk.sees("ALLE STATIONEN", "4 offen", "das Werk hat mehr", "dies sind die 5.000")
        await desk.sees("Es ist Ausnahme 41 von LINE1-ST04")


@pytest.mark.parametrize("text", [HOSTILE[at] for at in (1, 4, 6, 7, 9, 11)])
async def test_what_another_station_says_is_drawn_as_text(text: str) -> None:
    """Screens 10."""
    sent = text.encode("utf-8", "replace").decode()  # JSON has no lone surrogates
    row = SiteException(
        number=1, station=sent, source=sent, id=1, kind=sent, work_order=sent, line=sent,
        item=sent, lot=sent, quantity=sent, opened_at=sent, cause=sent,
    )  # fmt: skip
    held = msgspec.structs.replace(row, number=2, kind="lot_on_hold")
    async with desk_with([row, held], more=True, trouble=sent, first="all_stations") as desk:
        await desk.sees("2 open")
        await desk.do("end")
        await desk.pilot.pause(0.3)
        assert_harmless(desk.text())
