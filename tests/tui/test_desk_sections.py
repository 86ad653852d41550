"""The sections of the desk, driven as a person and a scanner drive them (screens 9 to 11)."""

import gc
import tracemalloc
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC
from typing import Any, Protocol

import msgspec
import pytest
from msgspec import Struct

from mes_terminal.domain.view import StationView
from mes_terminal.tui import desk_control
from mes_terminal.tui.desk_feed import PAGE_ROWS
from mes_terminal.tui.gallery import station
from mes_terminal.tui.gallery_core import DeskCore
from mes_terminal.tui.gallery_desk import LATE, MIXED
from mes_terminal.tui.gallery_plant import ANSWERS, LISTS, lot, mount, order, stock
from mes_terminal.tui.screens.desk import DeskScreen
from mes_terminal.tui.sections.list_window import PAGES_HELD, ListWindow
from mes_terminal.tui.sections.registry import SECTIONS
from mes_terminal.tui.supervisor_app import SupervisorApp
from mes_terminal.tui.words import LANGUAGES
from tests.tui.test_desk import Desk
from tests.tui.test_hostile import HOSTILE, assert_harmless


class OpenSections(Protocol):
    """Opens the desk with lists of a core."""

    def __call__(
        self,
        lists: Mapping[str, Sequence[Struct]] = LISTS,
        *,
        first: str = "orders",
        view: StationView | None = None,
        size: tuple[int, int] = (80, 24),
    ) -> AbstractAsyncContextManager[Desk]: ...


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> OpenSections:
    monkeypatch.setattr(desk_control, "POLL_S", 0.1)

    @asynccontextmanager
    async def opened(
        lists: Mapping[str, Sequence[Struct]] = LISTS,
        *,
        first: str = "orders",
        view: StationView | None = None,
        size: tuple[int, int] = (80, 24),
    ) -> AsyncIterator[Desk]:
        core = DeskCore(view or station(), list(MIXED), lists)
        core.answers = dict(ANSWERS)
        app = SupervisorApp(core, plain=False, zone=UTC, first=first)
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, core, pilot)
            await desk.until(lambda: isinstance(app.screen, DeskScreen))
            await pilot.pause(0.1)
            yield desk

    return opened


def head(desk: Desk) -> str:
    """Return the title of the section that is open."""
    return desk.text().splitlines()[0].split("·")[0].strip()


def chosen(desk: Desk) -> str:
    """Return the line that the cursor is on."""
    lines = [line for line in desk.text().splitlines() if line.startswith("▶")]
    return lines[0].strip("▶ ") if lines else ""


async def test_a_digit_opens_a_section_and_again_its_neighbour(opened: OpenSections) -> None:
    """Issue 5, part 2."""
    async with opened() as desk:
        for key, title in [
            ("4", "STOCK"), ("5", "LOTS"), ("5", "MOUNTED"), ("5", "LOTS"), ("2", "EXCEPTIONS"),
            ("3", "ORDERS"),
        ]:  # fmt: skip
            await desk.do(key)
            await desk.until(lambda title=title: head(desk) == title)  # type: ignore[misc]


async def test_the_menu_names_all_sections_and_esc_goes_back(opened: OpenSections) -> None:
    async with opened(size=(120, 40)) as desk:
        await desk.do("m")
        words = LANGUAGES["en"].sections
        await desk.sees("SECTIONS", *(words[each.name].about[:20] for each in SECTIONS))
        assert chosen(desk).startswith("3 Orders")
        await desk.do("escape")
        await desk.until(lambda: head(desk) == "ORDERS")
        await desk.do("m", "down", "enter")
        await desk.until(lambda: head(desk) == "STOCK")
        await desk.do("escape")
        await desk.until(lambda: head(desk) == "ORDERS")


async def test_brackets_go_through_all_sections_round(opened: OpenSections) -> None:
    async with opened() as desk:
        await desk.do("]")
        await desk.until(lambda: head(desk) == "STOCK")
        await desk.do("[", "[")
        await desk.until(lambda: head(desk) == "ALL STATIONS")
        await desk.do("[")
        await desk.until(lambda: head(desk) == "EXCEPTIONS")


async def test_a_section_is_found_again_as_it_was_left(opened: OpenSections) -> None:
    async with opened() as desk:
        await desk.do("down", "down")
        await desk.until(lambda: chosen(desk).startswith("WO-1008"))
        await desk.do("4")
        await desk.until(lambda: head(desk) == "STOCK")
        await desk.do("3")
        await desk.until(lambda: chosen(desk).startswith("WO-1008"))


async def test_an_order_tells_what_a_close_would_do_and_who_reported(opened: OpenSections) -> None:
    """Screens 6: the real posting code, taken back."""
    async with opened(size=(120, 40)) as desk:
        await desk.sees("late 13:30", "2 would post, 1 would not:", "LEG short 12 pcs")
        await desk.sees("10 LEG: 252 of 400 pcs, 12 owed", "13:31 scrapped 2 Anna K., taken back")
        assert desk.asked("preflight") == [{"work_order": "WO-1001"}]
        await desk.do("down", "down", "down")
        await desk.sees("WO-1009: on hold")
        await desk.pilot.pause(0.3)
        assert {"work_order": "WO-1009"} not in desk.asked("preflight")


async def test_o_lists_others_and_a_text_keeps_what_has_it(opened: OpenSections) -> None:
    async with opened() as desk:
        await desk.sees("6 in the queue")
        await desk.do("o")
        await desk.until(lambda: desk.asked("desk_orders")[-1].get("late") == "1")
        await desk.sees("late · LINE3"[:4])
        await desk.do("/", "STOOL", "enter")
        await desk.sees("only with STOOL", "WO-1008")
        assert "WO-1007" not in desk.text()
        await desk.do("/", "NONE", "enter")
        await desk.sees("Nothing here has this.")
        await desk.do("escape")
        await desk.sees("WO-1007")


@pytest.mark.parametrize(
    ("first", "code", "meaning", "title", "sees"),
    [
        ("orders", "WO-1008", ("order", "WO-1008"), "ORDERS", "only with WO-1008"),
        ("stock", "LEG", ("item", "LEG"), "STOCK", "only with LEG"),
        ("stock", "WO-1008", ("order", "WO-1008"), "ORDERS", "only with WO-1008"),
        ("lots", "LEG|L-78|40", ("lot", "LEG|L-78"), "LOTS", "only with L-78"),
        ("mounts", "C-4711", ("container", "C-4711"), "MOUNTED", "only with C-4711"),
        ("orders", "LEG|L-78", ("lot", "LEG|L-78"), "LOTS", "only with L-78"),
        ("orders", "m4[]", None, "ORDERS", "only with m4[]"),
    ],
)
async def test_a_scan_shows_what_it_names_where_that_is_found(
    opened: OpenSections,
    first: str,
    code: str,
    meaning: tuple[str, str] | None,
    title: str,
    sees: str,
) -> None:
    """Keyboard and scanner work everywhere: a code filters and never presses a key."""
    async with opened(first=first) as desk:
        if meaning is not None:
            desk.core.meanings = {code: [{"kind": meaning[0], "key": meaning[1]}]}
        await desk.scan(code)
        await desk.sees(sees)
        assert head(desk) == title


async def test_what_is_open_on_an_order_is_one_key_away(opened: OpenSections) -> None:
    async with opened() as desk:
        await desk.sees("2 exceptions are open on it.")
        await desk.do("down", "e")
        await desk.until(lambda: head(desk) == "EXCEPTIONS")
        await desk.sees("only with WO-1007", "1 open")


async def test_a_refresh_keeps_the_cursor_on_its_row(opened: OpenSections) -> None:
    async with opened() as desk:
        await desk.do("down")
        await desk.until(lambda: chosen(desk).startswith("WO-1007"))
        rows = list(desk.core.lists["desk_orders"])
        desk.core.lists["desk_orders"] = [order("WO-0001"), *rows]
        await desk.sees("WO-0001")
        assert chosen(desk).startswith("WO-1007")
        less = msgspec.structs.replace(rows[1], completed="13")
        desk.core.lists["desk_orders"] = [order("WO-0001"), rows[0], less, *rows[2:]]
        await desk.sees("13/100")
        assert chosen(desk).startswith("WO-1007")


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Since 2026-11-20 09:12, by Quentin Roy: cracks."),
     ("de", "Seit 2026-11-20 09:12, von Quentin Roy: cracks.")],
)  # fmt: skip
async def test_a_held_lot_says_who_holds_it_and_why(
    opened: OpenSections, language: str, told: str
) -> None:
    """UP-9: also one that the site holds; one that may be used has nothing of it."""
    async with opened(view=station(language=language)) as desk:
        await desk.do("5", "down", "down", "down")
        await desk.sees("L-79", told)
        await desk.do("up")
        await desk.until(lambda: told not in desk.text())


async def test_help_lists_the_keys_of_the_section(opened: OpenSections) -> None:
    async with opened() as desk:
        await desk.do("f1")
        await desk.sees("e: show the exceptions that are open on it", "/: show only orders that")
        await desk.sees("m  0: list all sections")
        await desk.do("f1", "4", "f1")
        await desk.sees("l: go to the lots of the item")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
async def test_hostile_text_in_every_column_is_drawn_as_text(
    opened: OpenSections, text: str
) -> None:
    """Screens 10."""
    told = text.encode("utf-8", "replace").decode()
    lists: dict[str, list[Struct]] = {
        "desk_orders": [hostile(order("WO-1"), told)],
        "desk_stock": [hostile(stock("LEG", "LINE", "1", value="1", currency="EUR"), told)],
        "desk_lots": [hostile(lot("LEG", "L-1", "1", status="hold"), told)],
        "desk_mounts": [hostile(mount("P1", "LEG", "L-1", "1"), told)],
        **{
            name: [hostile(LISTS[name][0], told)]
            for name in (
                "order_lines",
                "order_reports",
                "desk_stock_lots",
                "desk_lot_places",
                "desk_lot_held",
            )
        },
    }
    async with opened(lists) as desk:
        for key in ("3", "4", "5", "5", "tab"):
            await desk.do(key)
            await desk.pilot.pause(0.25)
            assert_harmless(desk.text())
        assert desk.app._exception is None


def hostile(row: Struct, text: str) -> Struct:
    """Return a row with `text` wherever it has a text."""
    fields = {
        field.name: text
        for field in msgspec.structs.fields(row)
        if field.type in (str, str | None) and field.name != "key"
    }
    return msgspec.structs.replace(row, **fields)


async def test_a_form_asks_who_signs_and_the_pin_is_nowhere(opened: OpenSections) -> None:
    """Exceptions are given to a person: badge by scan, PIN as dots, said what came of it."""
    async with opened(first="exceptions") as desk:
        await desk.sees("8 open")
        await desk.do("a")
        await desk.sees("ASSIGN", "Who sees to it from now on?")
        await desk.scan("SUP-2")
        await desk.sees("Who decides? Scan your badge.")
        await desk.scan("SUP-1")
        await desk.do("1111")
        await desk.sees("****")
        await desk.do("enter")
        await desk.sees("STOP", "That is not the PIN of SUP-1", "Who decides?")
        await desk.do("SUP-1", "enter")  # a second scan may be too near to the first
        await desk.do("4711", "enter")
        await desk.sees("OK", "1 given.")
        assert desk.asked("assign")[-1] == {
            "ids": [8], "to": "SUP-2", "badge": "SUP-1", "pin": "4711",
        }  # fmt: skip
        await desk.do("enter")
        await desk.until(lambda: not desk.dialog)
        desk.core.asked.clear()
        gc.collect()
        kept = [each for each in gc.get_objects() if isinstance(each, dict) and "4711" in
                [value for value in each.values() if isinstance(value, str)]]  # fmt: skip
        assert [each for each in kept if each is not desk.core.__dict__] == []


async def test_groups_are_by_kind_cause_owner_and_order(opened: OpenSections) -> None:
    """Issue 5, part 1."""
    async with opened(first="exceptions", size=(120, 40)) as desk:
        desk.core.rows = list(LATE)
        await desk.sees("8 open", "2 late")
        await desk.do("b")
        await desk.sees("Why", "LEG: stock expired"[:4], "FRAME: no stock")
        await desk.do("b")
        await desk.sees("Whose", "Shift lead", "nobody's")
        await desk.do("b")
        await desk.sees("WO-1007", "without an order")
        assert desk.asked("exception_groups")[-1]["by"] == "order"
        await desk.do("b", "d")
        await desk.sees("only late ones", "2 open", "due 2026-11-20 13:30.")
        await desk.do("escape", "n", "Shift lead", "enter")
        await desk.sees("only of Shift lead", "3 open")


async def test_a_hundred_thousand_rows_are_paged_through_in_little_memory(
    opened: OpenSections,
) -> None:
    """Screens 11: whatever was paged through, two thousand rows are held."""
    many = [order(f"WO-{n:06d}", key=f"{n:06d}") for n in range(100_000)]
    async with opened({"desk_orders": many}) as desk:
        await desk.sees("1 of 100 000")
        page: Any = desk.app.desk._pages["orders"]  # type: ignore[attr-defined]
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(30):
            place = page._window.at
            desk.app.post_message(_key("end"))
            await desk.until(lambda place=place: page._window.at > place)  # type: ignore[misc]
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert page._window.at > 20 * PAGE_ROWS
        assert page._window.end - page._window.first <= PAGES_HELD * PAGE_ROWS
        assert grown < 20_000_000
        await desk.do("home")
        await desk.sees("1 of 100 000", "WO-000000")


def _key(name: str) -> Any:
    from textual import events

    return events.Key(name, None)


def walk(window: ListWindow[str], rows: list[str], number: int) -> None:
    """Give the window a page of `rows` as a list does."""
    after = window.start_of(number)
    first = rows.index(after) + 1 if after else 0
    window.take(number, rows[first : first + PAGE_ROWS])


def test_the_window_goes_down_and_up_the_whole_list() -> None:
    """Every row is seen once on the way down and once on the way up, few are held."""
    rows = [f"{n:06d}" for n in range(5_005)]
    window = ListWindow[str](str)
    walk(window, rows, 0)
    for place in range(len(rows)):
        while (wanted := window.page_wanted()) is not None:
            walk(window, rows, wanted)
        assert window.row == rows[place]
        assert window.end - window.first <= PAGES_HELD * PAGE_ROWS
        window.move("down", page_rows=20)
    assert window.total == len(rows)
    for place in reversed(range(len(rows))):
        while (wanted := window.page_wanted()) is not None:
            walk(window, rows, wanted)
        assert window.row == rows[place]
        window.move("up", page_rows=20)


def test_a_page_that_changed_lets_what_follows_be_asked_again() -> None:
    rows = [f"{n:06d}" for n in range(0, 2_000, 2)]
    window = ListWindow[str](str)
    for number in range(3):
        walk(window, rows, number)
    for _ in range(360):
        window.move("down", page_rows=20)
    assert window.row == "000720"
    assert window.page_wanted() is None
    rows.insert(201, "000401")
    walk(window, rows, 1)
    assert window.row == "000720"
    assert window.page_wanted() == 2
    rows.remove("000720")
    walk(window, rows, 1)
    assert window.row == "000722"


def test_short_pages_go_on_until_one_is_empty() -> None:
    window = ListWindow[str](str)
    window.take(0, ["a", "b"])
    assert window.page_wanted() == 1
    window.take(1, ["c"])
    window.take(2, [])
    assert window.total == 3
    assert window.page_wanted() is None
    window.forget_end()
    assert window.page_wanted() == 2


@pytest.mark.parametrize("name", [each.name for each in SECTIONS])
def test_both_languages_have_the_same_words_of_a_section(name: str) -> None:
    english, german = (LANGUAGES[language].sections[name] for language in ("en", "de"))
    assert set(english.told) == set(german.told)
    assert set(english.scopes) == set(german.scopes)
    for field in ("title", "about", "rows", "story", "empty", "finds"):
        assert bool(getattr(english, field)) == bool(getattr(german, field)), field
