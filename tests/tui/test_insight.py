"""The supervisor's morning and the key figures, driven by keys alone."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.figures import DayFigures
from mes_terminal.domain.morning import Morning
from mes_terminal.domain.quantity import MICRO
from mes_terminal.domain.view import StationView, UpstreamView
from mes_terminal.tui import present_figures
from mes_terminal.tui.gallery import station
from mes_terminal.tui.present_figures import ticks
from mes_terminal.tui.words import words_for
from mes_terminal.tui.words.english_insight import ENGLISH_INSIGHT
from mes_terminal.tui.words.german_insight import GERMAN_INSIGHT
from tests.tui.insight_core import QUIET, InsightCore, day, insight_app, morning, tally
from tests.tui.test_desk import Desk
from tests.tui.test_hostile import HOSTILE, assert_harmless

Open = Callable[..., AbstractAsyncContextManager[Desk]]
SMALL, WIDE = (80, 24), (120, 36)


def german() -> StationView:
    return msgspec.structs.replace(station(), language="de")


@pytest.fixture
def open_insight() -> Open:
    @asynccontextmanager
    async def opened(
        told: Morning | None = None,
        *,
        first: str = "morning",
        size: tuple[int, int] = SMALL,
        view: StationView | None = None,
        sixteen: bool = False,
    ) -> AsyncIterator[Desk]:
        core = InsightCore(view or station(), told)
        app = insight_app(core, first=first, sixteen=sixteen)
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, core, pilot)
            yield desk

    return opened


async def test_the_desk_begins_with_the_morning_whole_on_a_small_screen(open_insight: Open) -> None:
    """Screens 6, 9: what stops, what is open, yesterday, what else; without a key, on 80 by 24."""
    async with open_insight() as desk:
        await desk.sees(
            "STOPS TODAY", "41 post, 1 not: CHAIN short 3 m, enough for 31", "late",
            "3 others would post whole", "21 open", "worth 412.80 EUR", "1 overdue",
            "shortage LEG: no stock", "line lead", "due 08:00", "Thu 11-19 against Wed 11-18",
            "error rate 7.32 % (9.10 %)", "GLUE G-4: 12.5 kg expire today", "4 postings wait",
            "3 counts are due", "Scanner st10",
        )  # fmt: skip


async def test_a_wide_screen_tells_yesterday_figure_by_figure(open_insight: Open) -> None:
    async with open_insight(size=WIDE) as desk:
        await desk.sees("time to end them", "(1 h 30)", "PAINT P-9: 25 kg expire Sun 11-22")


async def test_enter_goes_to_what_a_line_is_about(open_insight: Open) -> None:
    """The second order that stops; then back by its digit."""
    async with open_insight() as desk:
        await desk.sees("WO-1104")
        await desk.do("down")
        await desk.sees("WO-1104 makes 60 pcs of BICYCLE")
        app: Any = desk.app
        gone: list[tuple[str, str]] = []
        app.desk.go = lambda section, text="": gone.append((section, text))
        await desk.do("enter", "tab", "enter", "tab", "enter", "tab", "down", "down", "enter")
        await desk.until(lambda: len(gone) == 4)
        assert gone == [("orders", "WO-1104"), ("exceptions", ""), ("figures", ""), ("outbox", "")]


async def test_a_letter_resolves_a_group_with_a_proposal(open_insight: Open) -> None:
    """Three group actions empty the usual desk: `a` is the group of LEG, asked for by its cause."""
    async with open_insight() as desk:
        await desk.sees("shortage LEG: no stock")
        await desk.do("a")
        await desk.until(lambda: any(name == "exception_rows" for name, _ in desk.core.asked))
        asked = [filters for name, filters in desk.core.asked if name == "exception_rows"]
        assert asked == [{"open": "1", "by": "cause", "key": "shortage:no_stock", "limit": "100"}]
        await desk.until(lambda: "FormScreen" in str(type(desk.app.top)))


async def test_what_only_the_line_can_end_has_no_letter(open_insight: Open) -> None:
    """A failed scan is scanned again at the station: no letter of the desk can end it."""
    async with open_insight() as desk:
        await desk.sees("scan failed")
        (row,) = [line for line in desk.text().splitlines() if "scan failed" in line]
        assert not row.strip().startswith(("a ", "b ", "c "))


async def test_a_quiet_morning_says_so(open_insight: Open) -> None:
    async with open_insight(QUIET) as desk:
        await desk.sees(
            "All 2 orders in sequence would post whole.", "Nothing is open.",
            "Nothing was reported in the last two weeks.", "Nothing else is due.",
        )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de"])
async def test_each_word_of_alarm_on_the_status_line_is_explained_in_the_morning(
    open_insight: Open, language: str
) -> None:
    """Screens 2: never a code without words; UP-4: what keeps every posting back."""
    wrong = UpstreamView(state="wrong", trouble="The token file /etc/token cannot be read.")
    view = station(
        language=language,
        upstream=wrong,
        backup_trouble="The folder /backup is not there.",
        printer_trouble="The printer at 10.0.0.9 is out of paper.",
    )
    labels = words_for(language).labels
    async with open_insight(view=view) as desk:
        await desk.sees(
            labels.upstream_trouble, labels.backup_trouble, labels.printer_trouble,
            "The token file /etc/token cannot be read.", "The folder /backup is not there.",
            "The printer at 10.0.0.9 is out of paper.",
        )  # fmt: skip
        app: Any = desk.app
        gone: list[str] = []
        app.desk.go = lambda section, text="": gone.append(section)
        await desk.do("tab", "tab", "tab", "enter")
        await desk.until(lambda: gone == ["outbox"])


async def test_the_values_of_all_groups_end_below_each_other(open_insight: Open) -> None:
    """Also a value of six places."""
    told = morning()
    worth = [msgspec.structs.replace(each.group, value="139456.00") if each.group.item == "LEG"
             else each.group for each in told.work.groups]  # fmt: skip
    groups = [msgspec.structs.replace(each, group=group)
              for each, group in zip(told.work.groups, worth, strict=True)]  # fmt: skip
    work = msgspec.structs.replace(told.work, groups=groups)
    async with open_insight(msgspec.structs.replace(told, work=work)) as desk:
        await desk.sees("139 456.00", "96.00")
        lines = desk.text().splitlines()
        ends = {line.index(value) + len(value)
                for value in ("139 456.00", "96.00", "6.80") for line in lines
                if f" {value} " in line and "worth" not in line}  # fmt: skip
        assert len(ends) == 1


@pytest.mark.parametrize("language", ["en", "de"])
async def test_that_nothing_is_sent_is_no_grey_remark(open_insight: Open, language: str) -> None:
    """Screens 1: what needs a person has a sign, on every screen of the desk."""
    wrong = UpstreamView(state="wrong", trouble="The token file cannot be read.")
    view = station(language=language, upstream=wrong)
    async with open_insight(view=view) as desk:
        word = words_for(language).labels.upstream_trouble
        await desk.sees(f"▲ {word}, 3 ")


async def test_the_morning_speaks_german(open_insight: Open) -> None:
    async with open_insight(view=german()) as desk:
        await desk.sees("STOCKT HEUTE", "41 buchen, 1 nicht: CHAIN fehlen 3 m", "GESTERN")


async def test_arrows_change_the_chart_and_the_day(open_insight: Open) -> None:
    async with open_insight(first="figures") as desk:
        await desk.sees("Units by hour, in pcs", "Fri 11-20 (today)", "1412 / 18", "EARLY")
        await desk.do("right")
        await desk.sees("Exceptions opened, by cause", "shortage: no stock", "310.00 EUR")
        await desk.do("right")
        await desk.sees("Open now, by age", "older")
        await desk.do("right")
        await desk.sees("Reports in error, in percent, by day")
        await desk.do("up")
        await desk.sees("Thu 11-19")
        await desk.do("down")
        await desk.sees("Fri 11-20 (today)")
        await desk.do("down", "up", "up", "home")
        await desk.sees("Fri 11-20 (today)")


async def test_plain_terminals_get_bars_of_text(open_insight: Open) -> None:
    """TERM=linux: no braille, no picture; the figures stand beside the bars."""
    async with open_insight(first="figures", sixteen=True) as desk:
        await desk.sees("10  140 +5", "16  110 +3", "█")
        await desk.do("right")
        await desk.sees("shortage: no stock", "45 %")
        assert not any(0x2800 <= ord(sign) <= 0x28FF for sign in desk.text())


async def test_a_day_without_anything_says_so(open_insight: Open) -> None:
    async with open_insight(first="figures") as desk:
        await desk.sees("Units by hour")
        empty = day("2026-11-20", total=tally(reports=0, error_pct=None, made=[]), hours=[],
                    causes=[], shifts=[])  # fmt: skip
        app: Any = desk.app
        page = app.desk._pages["figures"]
        page._days, page._ages = [empty], []
        for said in ("Nothing was reported on this day.", "No exception was opened on this day.",
                     "Nothing is open.", "Nothing was reported in these days."):  # fmt: skip
            page.draw()
            await desk.sees(said)
            await desk.do("right")


@pytest.mark.parametrize("text", HOSTILE)
async def test_nothing_that_was_loaded_reaches_the_terminal_as_it_is(
    open_insight: Open, text: str
) -> None:
    """Screens 10: orders, items, lots, owners, reasons and proposals are shown as text."""

    def hostile(value: Any) -> Any:
        match value:
            case msgspec.Struct():
                kept = (
                    "work_order",
                    "item",
                    "description",
                    "uom",
                    "lot",
                    "location",
                    "owner",
                    "why",
                    "sentence",
                    "name",
                    "refused",
                    "currency",
                    "shift",
                    "cause_code",
                )
                fields = {
                    name: text if name in kept and each is not None else hostile(each)
                    for name, each in msgspec.structs.asdict(value).items()
                }
                return msgspec.structs.replace(value, **fields)
            case list():
                return [hostile(each) for each in value]
            case _:
                return value

    told = hostile(morning())
    encodable = text.encode("utf-8", "replace").decode()
    told = told if encodable == text else morning()
    for size in (SMALL, WIDE):
        async with open_insight(told, size=size) as desk:
            await desk.until(lambda: "STOPS TODAY" in desk.text())
            await desk.do("down", "tab", "down", "tab", "tab", "down")
            assert_harmless(desk.text())
    async with open_insight(told, first="figures", size=WIDE) as desk:
        await desk.sees("Units by hour")
        app: Any = desk.app
        page = app.desk._pages["figures"]
        page._days = [hostile(day("2026-11-20"))] if told is not None else page._days
        for _ in range(4):
            page.draw()
            await desk.do("right")
            assert_harmless(desk.text())


def test_both_languages_have_the_same_words() -> None:
    for name, english in ENGLISH_INSIGHT.items():
        assert english.told.keys() == GERMAN_INSIGHT[name].told.keys()


@pytest.mark.parametrize(
    ("most", "marks"),
    [(0, [0, 1]), (1, [0, 1]), (5, [0, 1, 2, 3, 4, 5]), (9, [0, 2, 4, 6, 8]), (145, [0, 50, 100]),
     (5000, [0, 1000, 2000, 3000, 4000, 5000])],
)  # fmt: skip
def test_the_axis_is_marked_in_round_steps(most: int, marks: list[int]) -> None:
    assert [each // MICRO for each in ticks(most * MICRO)] == marks


def test_hours_without_a_report_stand_between_the_others() -> None:
    """A break is seen as one."""
    told = day("2026-11-20")
    gap = msgspec.structs.replace(told, hours=[told.hours[0], told.hours[4]])
    assert present_figures._hours_between([each.start_at for each in gap.hours]) == [
        f"2026-11-20T{hour:02d}:00:00.000000Z" for hour in range(5, 10)
    ]


def test_every_figure_of_a_row_is_told(open_insight: Open) -> None:
    """Each row of the table has its word."""
    for words in (ENGLISH_INSIGHT, GERMAN_INSIGHT):
        assert {f"row_{name}" for name in present_figures.ROWS} <= words["figures"].told.keys()
    assert isinstance(day("2026-11-20"), DayFigures)


SHOTS = [
    ("morning", "morning", SMALL, False, False),
    ("morning-plain-german", "morning", SMALL, True, True),
    ("morning-wide", "morning", WIDE, False, False),
    ("figures", "figures", SMALL, False, False),
    ("figures-plain-german", "figures", SMALL, True, True),
    ("figures-wide", "figures", WIDE, False, False),
]


def is_drawn(app: Any, first: str, *, sixteen: bool) -> bool:
    """Tell whether the section has its answers, and its picture its room."""
    page = app.desk._pages.get(first)
    if page is None or app.desk.telling is None:
        return False
    if first == "morning":
        return page._morning is not None
    chart = page.widget.chart
    return bool(page._days) and (sixteen or (chart is not None and chart.size.width > 0))


@pytest.mark.parametrize(("_name", "first", "size", "sixteen", "in_german"), SHOTS)
def test_the_sections_look_as_they_did(
    snap_compare: Any, _name: str, first: str, size: tuple[int, int], sixteen: bool, in_german: bool
) -> None:
    core = InsightCore(german() if in_german else station())
    app = insight_app(core, first=first, sixteen=sixteen)

    async def settle(pilot: Any) -> None:
        for _ in range(200):
            await pilot.pause(0.05)
            if is_drawn(pilot.app, first, sixteen=sixteen):
                break
        await pilot.pause(0.1)

    assert snap_compare(app, terminal_size=size, run_before=settle)
