"""The supervisor's morning as blocks: lines under headings, and what each leads to. Pure."""

from collections.abc import Sequence

from msgspec import Struct

from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.sections.section import Cell, Line
from mes_terminal.tui.telling import Telling


class Goal(Struct, frozen=True):
    """Where a line leads: a section of the desk, and what is looked for there."""

    section: str
    text: str = ""


class Entry(Struct, frozen=True):
    """A line and what it is about; without a goal the cursor passes over it."""

    line: Line
    goal: Goal | None = None
    story: Sequence[Piece] = ()
    """What is told of it while the cursor stands on it."""


class Block(Struct, frozen=True):
    """Lines under a heading."""

    title: str
    right: str
    entries: Sequence[Entry]
    alert: bool = False


def words_of(telling: Telling) -> dict[str, str]:
    """Return the words of the section."""
    return telling.words.sections["morning"].told


def plain_entry(text: str, goal: Goal | None = None) -> Entry:
    """Return a muted line without a sign."""
    return Entry(Line(left=[Cell(" ", 1), Cell(text, emphasis="muted")]), goal, [Piece(text)])
