"""The supervisor's desk, driven as a person and a scanner drive it (screens 8 to 11)."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot

from mes_terminal.domain.desk import ExceptionStory, Suggestion
from mes_terminal.domain.view import StationView
from mes_terminal.tui import desk_control, gallery_desk
from mes_terminal.tui.app import OperatorApp
from mes_terminal.tui.gallery import outcome, scenes, station
from mes_terminal.tui.gallery_core import DeskCore
from mes_terminal.tui.gallery_desk import MIXED, exception, legs
from mes_terminal.tui.gallery_plant import ANSWERS, LISTS
from mes_terminal.tui.gated_app import GatedApp
from mes_terminal.tui.glyphs import RICH
from mes_terminal.tui.keys import KeyReader
from mes_terminal.tui.screens.desk import DeskScreen
from mes_terminal.tui.screens.form import FormScreen
from mes_terminal.tui.scripted_core import ScriptedCore
from mes_terminal.tui.supervisor_app import SupervisorApp
from mes_terminal.tui.terminal import key_events
from mes_terminal.tui.widgets.exceptions_body import ExceptionsBody
from tests.tui.test_hostile import HOSTILE, assert_harmless

if TYPE_CHECKING:
    from mes_terminal.tui.widgets.desk_panes import ListPane, StoryPane


@dataclass
class Desk:
    """The app and its core."""

    app: GatedApp
    core: Any
    pilot: Pilot[None]

    def text(self) -> str:
        """Everything on the screen, row by row."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the app work until `condition`, at most ten seconds."""
        for _ in range(500):
            await self.pilot.pause(0.02)
            if condition():
                return
        raise AssertionError(f"not within ten seconds; the screen:\n{self.text()}")

    async def sees(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""
        await self.until(lambda: all(text in self.text() for text in texts))

    async def do(self, *what: str) -> None:
        """Press keys by name, or type texts as a person does."""
        for each in what:
            await gallery_desk.do(self.app, self.pilot, each)

    async def scan(self, code: str) -> None:
        """Press keys as a scanner does: without a pause."""
        reader = KeyReader()
        for event in key_events([*reader.feed(code + "\r"), *reader.flush()]):
            self.app.post_message(event)
        await self.pilot.pause()

    def asked(self, name: str) -> list[dict[str, Any]]:
        """What the core was asked of one list or request."""
        return [params for what, params in self.core.asked if what == name]

    @property
    def dialog(self) -> bool:
        """Whether the dialog is open."""
        return isinstance(self.app.screen, FormScreen)


OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> OpenDesk:
    monkeypatch.setattr(desk_control, "POLL_S", 0.1)

    @asynccontextmanager
    async def opened(
        rows: Iterable[ExceptionStory] = MIXED,
        view: StationView | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        away: bool = False,
    ) -> AsyncIterator[Desk]:
        core = DeskCore(view or station(), list(rows), LISTS)
        core.answers = dict(ANSWERS)
        core.away = away
        app = SupervisorApp(core, plain=False, zone=UTC, first="exceptions")
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, core, pilot)
            if not away:
                await desk.until(lambda: isinstance(app.screen, DeskScreen))
                await desk.until(lambda: bool(desk.asked("exception_groups")))
                await pilot.pause(0.05)
            yield desk

    return opened


def chosen(desk: Desk) -> str:
    """Return the line of the rows that the cursor is on."""
    lines = [line[38:] for line in desk.text().splitlines()[2:11]]
    return next((line.strip(" ▶│") for line in lines if "▶" in line), "")


async def test_groups_stand_the_gravest_first_with_count_and_age(opened: OpenDesk) -> None:
    async with opened() as desk:
        await desk.sees("8 open", "oldest 2 h 10", "scan failed", "disk I/O error")
        names = [line[2:20].strip() for line in desk.text().splitlines()[2:7]]
        assert names == ["✖ scan failed", "lot expired", "shortage", "unknown code",
                         "too many made"]  # fmt: skip


async def test_the_story_tells_what_happened_and_what_may_mend_it(opened: OpenDesk) -> None:
    """BF-22."""
    async with opened() as desk:
        await desk.do("down", "down")
        await desk.sees("WO-0998", "WO-1003", "WO-1007", "1 of 3", "2 pcs FRAME are owed")
        await desk.do("tab", "down", "down")
        await desk.sees(
            "3 of 3",
            "12 pcs LEG are owed",
            "when Anna K. was scanning",
            "Scanned at st02: WO-1007. Shift B.",
            "Shift lead sees to it.",
        )
        await desk.do("tab", "down", "down", "down", "down")
        await desk.sees("1 Name L-78 at LINE if it was used", "3 Bring L-80 from STORE to LINE")


async def test_tab_and_arrows_go_round_the_panes(opened: OpenDesk) -> None:
    async with opened() as desk:
        screen = desk.app.screen
        assert isinstance(screen, DeskScreen)
        for key, focused in [("tab", 1), ("tab", 2), ("right", 0), ("left", 2), ("left", 1)]:
            await desk.do(key)
            body = screen.query_one(ExceptionsBody)
            panes: list[ListPane | StoryPane] = [body.groups, body.rows, body.story]
            wanted = [place == focused for place in range(3)]
            await desk.until(
                lambda wanted=wanted, panes=panes: (
                    [  # type: ignore[misc]
                        pane._focused for pane in panes
                    ]
                    == wanted
                )
            )


async def test_a_long_group_is_loaded_page_by_page_as_the_cursor_comes_near(
    opened: OpenDesk,
) -> None:
    """Screens 11: it says how many there are, and asks for no more than is looked at."""
    rows = [legs(n, f"WO-{n:04d}", "4", "13:22") for n in range(1, 1001)]
    async with opened(rows) as desk:
        await desk.sees("1 of 1000")
        assert "since" not in desk.asked("exception_rows")[0]
        assert {each["limit"] for each in desk.asked("exception_rows")} <= {"200", "1"}
        await desk.do("tab", "end")
        await desk.until(lambda: any(e.get("since") == "200" for e in desk.asked("exception_rows")))
        await desk.sees("WO-0200", "200 of 1000")
        await desk.do("pagedown")
        await desk.sees("209 of 1000")
        await desk.do("home")
        await desk.sees("1 of 1000", "WO-0001")


async def test_a_text_is_looked_for_and_let_go(opened: OpenDesk) -> None:
    async with opened() as desk:
        await desk.do("/", "WO-1003")
        await desk.sees(f"{RICH.prompt} WO-1003█")
        await desk.do("enter")
        await desk.sees("1 open", "only with WO-1003", "1 of 1")
        assert desk.asked("exception_groups")[-1] == {"text": "WO-1003", "open": "1"}
        await desk.do("escape")
        await desk.sees("8 open")
        await desk.do("/", "XYZ", "enter")
        await desk.sees("Nothing open has this")


async def test_a_scanned_code_is_looked_for_where_a_text_is_asked(opened: OpenDesk) -> None:
    async with opened() as desk:
        await desk.do("/")
        await desk.scan("WO-0991")
        await desk.sees("only with WO-0991")


async def test_o_shows_the_ended_ones_too(opened: OpenDesk) -> None:
    ended = exception(9, "unknown_code", status="resolved", cause="OLD", quantity="1",
                      resolution="written off by SUP-1: SEEN")  # fmt: skip
    async with opened([*MIXED, ended]) as desk:
        await desk.sees("8 open")
        await desk.do("o")
        await desk.sees("9 open and ended")
        await desk.do("down", "down", "down", "tab", "end")
        await desk.sees("How it ended", "written off by SUP-1: SEEN")
        await desk.do("r")
        assert not desk.dialog
        await desk.do("o")
        await desk.until(lambda: "8 open " in desk.text())


async def test_one_is_resolved_by_preview_badge_and_pin(opened: OpenDesk) -> None:
    """BF-23: nothing is decided before its preview was seen, and the PIN is nowhere."""
    async with opened() as desk:
        await desk.do("down", "down", "tab", "down", "down", "enter")
        await desk.sees("WO-1007 LEG 12 pcs", "2 From lot L-78 at LINE", "7 Write off")
        await desk.do("down", "enter")
        await desk.sees("DO", "It would end.", "posted: 12 pcs LEG L-78")
        preview = desk.asked("resolve")[-1]
        assert preview["ids"] == [7]
        assert preview["preview"]
        assert "pin" not in preview
        await desk.do("enter")
        await desk.sees("Who decides? Scan your badge.")
        await desk.scan("SUP-1")
        await desk.sees("PIN of SUP-1")
        await desk.do("4711")
        await desk.sees("****█")
        assert "4711" not in desk.text()
        await desk.do("enter")
        await desk.sees("OK", "It has ended.", "Enter or Esc closes this.")
        done = desk.asked("resolve")[-1]
        assert (done["badge"], done["pin"], done["decision"]["lot"]) == ("SUP-1", "4711", "L-78")
        assert "4711" not in desk.text()
        await desk.do("enter")
        await desk.until(lambda: not desk.dialog)
        await desk.sees("7 open", "2 of 2")


async def test_a_wrong_pin_is_said_and_badge_and_pin_are_asked_again(opened: OpenDesk) -> None:
    async with opened() as desk:
        await desk.do("r", "enter", "enter", "wait", "enter", "SUP-1", "enter", "1111", "enter")
        await desk.sees("STOP", "That is not the PIN of SUP-1", "Who decides?")
        await desk.do("SUP-1", "enter", "4711", "enter")
        await desk.sees("It has ended.")
        assert "1111" not in desk.text()


async def test_a_group_is_resolved_at_once_and_says_what_would_not(opened: OpenDesk) -> None:
    async with opened() as desk:
        desk.core.refusals = {3: "Name the lot that was used: L-78"}
        await desk.do("down", "down", "g")
        await desk.sees("3 exceptions at once")
        await desk.do("1")
        await desk.sees("CHECK", "2 would end, 1 would not.", "Name the lot that was used")
        await desk.do("enter", "SUP-1", "enter", "4711", "enter")
        await desk.sees("2 ended. Still open: 1.")
        await desk.do("escape")
        await desk.sees("6 open")


async def test_of_a_long_group_the_hundred_oldest_are_taken(opened: OpenDesk) -> None:
    rows = [legs(n, f"WO-{n:04d}", "4", "13:22") for n in range(1, 301)]
    async with opened(rows) as desk:
        await desk.do("g", "1")
        await desk.sees("the 100 oldest of 300", "All 100 would end.")
        assert desk.asked("resolve")[-1]["ids"] == list(range(1, 101))


async def test_a_reason_is_chosen_from_those_that_were_loaded(opened: OpenDesk) -> None:
    """Of the kind `write_off` only."""
    async with opened() as desk:
        await desk.do("r", "2")
        await desk.sees("Why is it written off?", "FOUND  found in the scrap", "SEEN")
        assert "BURR" not in desk.text()
        await desk.do("down", "enter")
        await desk.sees("written off: 1")
        assert desk.asked("resolve")[-1]["decision"]["reason"] == "SEEN"


@pytest.mark.parametrize(
    ("number", "fields", "decision"),
    [
        ("4", ["L-9"], {"how": "change", "lot": "L-9"}),
        ("5", ["LEG-B", "B-3"], {"how": "change", "lot": "B-3", "item": "LEG-B"}),
        ("5", ["TAPE", "*"], {"how": "change", "lot": None, "item": "TAPE"}),
        ("6", ["10.5", "L-9"], {"how": "change", "lot": "L-9", "quantity": "10.5"}),
        ("3", [], {"how": "change", "lot": "B-3", "item": "LEG-B"}),
    ],
)
async def test_what_was_used_instead_is_asked_field_by_field(
    opened: OpenDesk, number: str, fields: list[str], decision: dict[str, Any]
) -> None:
    """BF-23."""
    async with opened() as desk:
        await desk.do("down", "down", "tab", "end", "r", number)
        for each in fields:
            await desk.do(each, "enter")
        await desk.sees("It would end.")
        asked = desk.asked("resolve")[-1]["decision"]
        assert {name: asked[name] for name in decision} == decision


async def test_esc_leaves_the_dialog_and_nothing_is_done(opened: OpenDesk) -> None:
    async with opened() as desk:
        await desk.do("r", "1", "enter", "wait", "enter", "SUP-1", "enter", "escape")
        await desk.until(lambda: not desk.dialog)
        assert all(each.get("preview") for each in desk.asked("resolve"))
        assert len(desk.core.rows) == len(MIXED)


async def test_the_clock_ends_at_the_station_and_not_here(opened: OpenDesk) -> None:
    """BF-33."""
    async with opened([exception(1, "clock", severity="stop", cause="it reads 1999")]) as desk:
        await desk.do("enter")
        await desk.sees("This ends at the station", "Enter or Esc closes this")
        await desk.do("enter")
        await desk.until(lambda: not desk.dialog)
        assert desk.asked("resolve") == []


async def test_what_heals_goes_and_the_cursor_stays_on_its_exception(opened: OpenDesk) -> None:
    """BF-22."""
    async with opened() as desk:
        await desk.do("down", "down", "tab", "down", "down")
        await desk.until(lambda: chosen(desk).startswith("14:01 WO-1007"))
        desk.core.rows = [each for each in desk.core.rows if each.id != 3]
        await desk.sees("2 of 2", "7 open")
        assert chosen(desk).startswith("14:01 WO-1007")
        less = [msgspec.structs.replace(each, quantity="5") if each.id == 7 else each
                for each in desk.core.rows]  # fmt: skip
        desk.core.rows = less
        await desk.sees("5 pcs LEG are owed")
        desk.core.rows = [each for each in less if each.id != 7]
        await desk.sees("1 of 1", "6 open")
        assert chosen(desk).startswith("13:22 WO-1003")


async def test_new_ones_appear_by_themselves(opened: OpenDesk) -> None:
    async with opened([]) as desk:
        await desk.sees("Nothing is open.")
        desk.core.rows = [legs(1, "WO-1", "4", "13:22")]
        await desk.sees("1 open", "WO-1", "4 pcs LEG are owed")


async def test_a_core_that_is_away_is_one_sentence_and_found_again(opened: OpenDesk) -> None:
    async with opened() as desk:
        await desk.sees("8 open")
        desk.core.away = True
        await desk.sees("The station is not there. What is shown may be old")
        assert "shortage" in desk.text()
        desk.core.away = False
        await desk.until(lambda: "The station is not there" not in desk.text())


async def test_it_waits_for_a_core_that_is_not_there_yet(opened: OpenDesk) -> None:
    async with opened(away=True) as desk:
        await desk.sees("The station is not there")
        desk.core.away = False
        await desk.sees("8 open")


async def test_a_core_that_goes_in_the_dialog_is_said_there(opened: OpenDesk) -> None:
    async with opened() as desk:
        await desk.do("r")
        desk.core.away = True
        await desk.do("1", "wait", "enter")
        await desk.sees("STOP", "The station is not there")
        assert desk.dialog


async def test_a_scan_that_no_field_waits_for_shows_what_it_names(opened: OpenDesk) -> None:
    """Issue 5: a scan filters the list by what it names; nothing is booked, no key is pressed."""
    async with opened() as desk:
        await desk.scan("r-o-g/WO-1001")
        await desk.sees("only with r-o-g/WO-1001")
        assert not desk.dialog
        assert desk.asked("resolve") == []
        desk.core.meanings = {"LEG|L-66|40": [{"kind": "lot", "key": "LEG|L-66"}]}
        await desk.scan("LEG|L-66|40")
        await desk.sees("only with L-66", "2 open", "lot expired")


async def test_help_lists_the_keys(opened: OpenDesk) -> None:
    async with opened() as desk:
        await desk.do("f1")
        await desk.sees("THE DESK", "resolve those of its kind", "list all sections")
        await desk.do("escape")
        await desk.until(lambda: "THE DESK" not in desk.text())


async def test_it_speaks_german(opened: OpenDesk) -> None:
    async with opened(view=station(language="de")) as desk:
        await desk.do("down", "down", "tab", "end")
        await desk.sees("AUSNAHMEN", "8 offen", "Fehlmenge", "12 pcs LEG fehlen", "Lösen")
        await desk.do("enter", "1")
        await desk.sees("ERLEDIGEN", "BITTE", "Sie würde enden.")
        await desk.do("enter")
        await desk.sees("Ausweis scannen")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
@pytest.mark.parametrize("size", [(80, 24), (200, 60), (20, 5)])
async def test_hostile_names_are_drawn_as_text(
    opened: OpenDesk, text: str, size: tuple[int, int]
) -> None:
    told = text.encode("utf-8", "replace").decode()
    row = exception(
        1, "shortage", work_order=told, line=told, item=told, lot=told, quantity=told, uom=told,
        tracking=told, location=told, person=told, cause=told, opened_at=told,
        suggestions=[Suggestion(told, told, told, told, told)],
    )  # fmt: skip
    async with opened([row], station(station=told), size=size) as desk:
        desk.core.refusals = {1: told}
        await desk.pilot.pause(0.1)
        assert_harmless(desk.text())
        for key in ("r", "1", "escape", "/", "escape"):
            await desk.do(key)
            assert_harmless(desk.text())
        assert desk.app._exception is None


# Over the operator's screen ----------------------------------------------------------------------


class BothCore(DeskCore):
    """A core that takes scans too."""

    def __init__(self) -> None:
        super().__init__(station(), list(MIXED))
        self.operator = ScriptedCore(self.view)

    async def request(self, do: str, **params: Any) -> msgspec.Raw:
        """Answer the desk, and scans."""
        if do in ("scan", "preflight"):
            return await self.operator.request(do, **params)
        return await super().request(do, **params)

    async def subscribe(self) -> AsyncIterator[tuple[str, msgspec.Raw]]:
        """Push what the test pushes."""
        async for each in self.operator.subscribe():
            yield each


@pytest.fixture
async def over() -> AsyncIterator[Desk]:
    core = BothCore()
    app = OperatorApp(core, plain=False, zone=UTC, play=lambda _: None)
    async with app.run_test(size=(80, 24)) as pilot:
        desk = Desk(app, core, pilot)
        await desk.sees("LINE3-ST02")
        app.post_message(events.Key("f7", None))
        await desk.sees("EXCEPTIONS", "8 open")
        yield desk


async def test_f7_opens_it_over_the_operators_screen_and_closes_it(over: Desk) -> None:
    over.app.post_message(events.Key("f7", None))
    await over.until(lambda: "EXCEPTIONS" not in over.text())


async def test_a_scan_is_taken_while_it_is_open_and_its_result_is_told(over: Desk) -> None:
    """No scan is lost because somebody looks at exceptions."""
    await over.scan("LEG|L-66")
    await over.until(lambda: over.core.operator.scans == [b"LEG|L-66"])
    await over.sees("EXCEPTIONS", "STOP", "L-66")


@pytest.mark.parametrize(("name", "told"), [("ok", "✔ OK Unit"), ("stop", "✖ STOP Lot")])
async def test_a_result_is_told_with_its_own_sign(over: Desk, name: str, told: str) -> None:
    """Screens 1: word and sign say the same, at the desk too."""
    over.core.operator.push("outcome", scenes()[name].happens)
    await over.sees("EXCEPTIONS", told)


async def test_no_pin_becomes_a_scan_though_results_come_in_between(over: Desk) -> None:
    """A result at the line must not close the field that a person types a PIN into."""
    over.core.pin = "8256"
    await over.do("r", "1", "enter", "wait", "enter", "SUP-1", "enter", "82")
    over.core.operator.push("outcome", scenes()["stop"].happens)
    over.core.operator.push("gone", None)
    await over.pilot.pause(0.1)
    assert over.dialog
    await over.do("56", "enter")
    await over.sees("It has ended.")
    assert over.core.operator.scans == []
    await over.do("enter", "escape")
    await over.until(lambda: "NOT CONNECTED" in over.text())
    assert "8256" not in over.text()


async def test_letters_at_the_desk_are_no_scan(over: Desk) -> None:
    over.core.operator.push("outcome", outcome("recorded", code="x"))
    await over.do("x", "o", "enter", "escape", "escape")
    await over.until(lambda: "EXCEPTIONS" not in over.text())
    assert over.core.operator.scans == []
