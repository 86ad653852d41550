"""The last day with reports against the one before, in words. Pure; part of `present_morning`."""

from collections.abc import Sequence
from typing import Final

from mes_terminal.domain.figures import DayFigures, Tally
from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.morning_blocks import Block, Entry, Goal, plain_entry, words_of
from mes_terminal.tui.present_figures import day_text, seconds_text
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.section import Cell, Line
from mes_terminal.tui.telling import Telling

_NAME_COLUMNS: Final = 19
_FIGURE_COLUMNS: Final = 8


def yesterday_block(
    day: DayFigures | None,
    before: DayFigures | None,
    telling: Telling,
    glyphs: Glyphs,
    *,
    brief: bool,
) -> Block:
    told = words_of(telling)
    if day is None:
        return Block(told["yesterday"], "", [plain_entry(told["yesterday_none"])])
    name = day_text(day.day, told)
    days = told["yesterday_day"].format(day=name)
    if before is not None:
        days = told["yesterday_days"].format(day=name, before=day_text(before.day, told))
    was = before.total if before is not None else None
    figures = _figures(day.total, was, telling, "brief_" if brief else "")
    if brief:
        entries = [_in_brief(figures[:3], glyphs), _in_brief(figures[3:], glyphs)]
    else:
        entries = [_compared(label, now, then, telling) for label, now, then in figures]
    return Block(told["yesterday"], days, entries)


def _in_brief(figures: Sequence[tuple[str, str, str | None]], glyphs: Glyphs) -> Entry:
    parts = [f"{label} {now}" + (f" ({was})" if was else "") for label, now, was in figures]
    line = Line(left=[Cell(" ", 1), Cell(f" {glyphs.dot} ".join(parts))])
    return Entry(line, Goal("figures"))


def _figures(
    now: Tally, was: Tally | None, telling: Telling, form: str
) -> list[tuple[str, str, str | None]]:
    told = words_of(telling)
    figures: list[tuple[str, str | None, str | None]] = []
    for made in now.made[:1]:
        uom = safe(made.uom, 8)
        then = next((each for each in (was.made if was else ()) if each.uom == made.uom), None)
        figures += [
            (told["good"].format(uom=uom), made.good, then.good if then else None),
            (
                told[f"{form}scrapped"].format(uom=uom),
                made.scrapped,
                then.scrapped if then else None,
            ),
        ]
    figures += [
        (
            told[f"{form}first_pass"],
            _pct(now.first_pass_pct),
            _pct(was.first_pass_pct if was else None),
        ),
        (told[f"{form}errors"], _pct(now.error_pct), _pct(was.error_pct if was else None)),
        (told[f"{form}opened"], str(now.opened), str(was.opened) if was else None),
        (told[f"{form}ended"], str(now.ended), str(was.ended) if was else None),
    ]
    shown = [
        (label, telling.number(value or "-"), telling.number(then) if then else None)
        for label, value, then in figures
    ]
    if now.resolve_median_s is not None:
        before_s = was.resolve_median_s if was else None
        then_text = None if before_s is None or form else seconds_text(before_s, telling.words)
        shown.append(
            (told[f"{form}median"], seconds_text(now.resolve_median_s, telling.words), then_text)
        )
    return shown


def _compared(label: str, now: str, was: str | None, telling: Telling) -> Entry:
    before = words_of(telling)["was"].format(value=was) if was is not None else ""
    line = Line(
        left=[
            Cell(" ", 1),
            Cell(label, _NAME_COLUMNS),
            Cell(now, _FIGURE_COLUMNS, "strong"),
            Cell(before, emphasis="muted"),
        ]
    )
    return Entry(line, Goal("figures"))


def _pct(value: str | None) -> str | None:
    return None if value is None else f"{value} %"
