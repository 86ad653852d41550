"""Texts to drawn lines: the few ways in which every widget builds its `Content`.

Texts must be safe already (`present`, `present_view`); nothing here reads markup.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from textual.content import Content

from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.safe_text import column_count

EMPHASIS: Final[dict[Emphasis, str]] = {
    "plain": "$quiet-text",
    "muted": "$quiet-muted",
    "strong": "bold $quiet-strong",
    "alert": "bold $quiet-alert",
}


def painted(piece: Piece) -> Content:
    """Return `piece` in its colour."""
    return Content.styled(piece.text, EMPHASIS[piece.emphasis])


def text(value: str, style: str = "$quiet-text") -> Content:
    """Return `value` in `style`."""
    return Content.styled(value, style)


def joined(parts: Sequence[Content], between: str) -> Content:
    """Return `parts` in one line with muted signs between them."""
    return Content.styled(f" {between} ", EMPHASIS["muted"]).join(parts)


def spread(left: Content, right: Content, width: int) -> Content:
    """Return a line of `width` columns with `right` at its end; `left` gives way."""
    room = width - right.cell_length - 1
    if left.cell_length > room:  # blanks that are cut leave no sign
        left = left.rstrip()
    if room < 1:
        return left.truncate(width, ellipsis=True)
    left = left.truncate(room, ellipsis=True)
    return left + Content(" " * (width - left.cell_length - right.cell_length)) + right


def stacked(lines: Iterable[Content]) -> Content:
    """Return `lines` below each other."""
    return Content("\n").join(lines)


def padded(value: str, width: int) -> str:
    """Return `value` filled up or cut to `width` columns."""
    columns = column_count(value)
    if columns <= width:
        return value + " " * (width - columns)
    cut = value
    while column_count(cut) > width - 1:
        cut = cut[:-1]
    return padded(cut + "…", width)
