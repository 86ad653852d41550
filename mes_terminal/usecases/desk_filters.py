"""What the desk's lists are asked for: a text that is looked for, a page, and filters of their own.

A page begins `after` a key that the row before it told, so it is found however the list has grown.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, TypeVar

from mes_terminal.errors import InputError
from mes_terminal.usecases.filters import whole_number

T = TypeVar("T")

PAGE_ROWS_MAX: Final = 1000
"""Rows of one page, whatever is asked for: what a list holds in memory at a time."""


def check_filters(name: str, filters: Mapping[str, str], known: Iterable[str]) -> None:
    """Raise `InputError` for a filter that the list `name` lacks."""
    offered = tuple(known)
    for each in filters:
        if each not in offered:
            raise InputError(f"{name} has no filter {each!r}. It has: {', '.join(offered)}.")


def sought(filters: Mapping[str, str]) -> str | None:
    r"""Return the pattern of `text` for `LIKE … ESCAPE '\'`: anywhere, whatever the case of the
    letters of ASCII; `None` where nothing is looked for."""
    text = filters.get("text")
    if not text:
        return None
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return f"%{text}%"


def page_rows(filters: Mapping[str, str]) -> int:
    """Return how many rows are asked for, at most `PAGE_ROWS_MAX`."""
    limit = filters.get("limit")
    asked = PAGE_ROWS_MAX if limit is None else whole_number("limit", limit)
    return min(asked, PAGE_ROWS_MAX)


def page(rows: Iterator[T], filters: Mapping[str, str]) -> Iterator[T]:
    """Yield the first rows, as many as are asked for."""
    return islice(rows, page_rows(filters))


def number_after(filters: Mapping[str, str], default: int) -> int:
    """Return the number that a page begins after; `default` for the first page."""
    return whole_number("after", filters["after"]) if filters.get("after") else default
