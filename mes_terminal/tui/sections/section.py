"""The description of a section: its list, how a row is drawn and told, what can be done with it.

Values and pure functions only; `list_page` makes a page of it. Every text that a presenter returns
must be safe (`safe_text.safe`): what a row holds was scanned or loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from mes_terminal.tui.forms import Form
from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.telling import Telling

R = TypeVar("R")
Details = Mapping[str, Any]
"""What was asked for the selected row, by the name of the detail; missing until it has come."""


class Cell(Struct, frozen=True):
    """A part of a line. `columns` 0: what is left; on the right texts end at the column."""

    text: str
    columns: int = 0
    emphasis: Emphasis = "plain"
    wide: bool = False
    """Only where the list has `list_body.WIDE_COLUMNS`."""


class Line(Struct, frozen=True):
    """One row of a list, or the names of its columns."""

    left: Sequence[Cell]
    right: Sequence[Cell] = ()


class Scope(Struct, frozen=True):
    """What is listed: its name in the words of the section, and the filters that it is."""

    name: str
    filters: dict[str, str] = {}


class Detail(Struct, frozen=True, kw_only=True):
    """What is asked for the selected row (`None`: there is none) beside itself.

    `do` is `list` (`params` are its filters, the answer a list of `kind`) or a request; where
    `params` returns `None` nothing is asked.
    """

    name: str
    do: str = "list"
    list_name: str = ""
    params: Callable[[Any], dict[str, Any] | None]
    kind: Any


class Head(Struct, frozen=True):
    """A list of one row of totals, and the texts of the head line that it makes."""

    list_name: str
    row: type
    texts: Callable[[Any, Telling], Sequence[str]]


class Go(Struct, frozen=True):
    """Another section, there looking for `text` if there is one."""

    section: str
    text: str = ""


class Action(Struct, frozen=True, kw_only=True):
    """What a letter does with the selected row: it opens a form, or goes elsewhere.

    `form` returns `None` where there is nothing to do. The name is one of the section's words
    (`legend_<name>` in the bottom line, `help_<name>` in the help).
    """

    key: str
    name: str
    form: Callable[[Any, Details, Telling], Form | Go | None]
    needs_row: bool = True
    """Without: it works in an empty list too, then with the row `None`."""


class Section(Struct, Generic[R], frozen=True, kw_only=True):
    """A list with a story, shown by `list_page.ListPage`.

    The list takes the filters `text` (where `finds_text`), `after` (the `key` of the last row
    seen) and `limit`, beside those of the scopes. It ends where a page is empty. The first scope is
    shown at opening, the last one has everything.
    """

    name: str
    list_name: str
    row: type[R]
    key: Callable[[R], str]
    line: Callable[[R, Telling], Line]
    story: Callable[[R, Details, Telling], list[Piece]]
    columns: Callable[[Telling], Line] | None = None
    scopes: Sequence[Scope] = (Scope("all"),)
    count_list: str = ""
    """A list of one row `{"count": n}` that takes the same filters, but `after` and `limit`."""
    head: Head | None = None
    empty: Callable[[Any, Telling], str] | None = None
    """What is said where there is nothing, given the row of `head`; else the words' own."""
    finds_text: bool = True
    takes: Mapping[str, Callable[[str], str]] = {}
    """The kinds of codes that are found here, each with what is looked for, given its key."""
    details: Sequence[Detail] = ()
    actions: Sequence[Action] = ()
