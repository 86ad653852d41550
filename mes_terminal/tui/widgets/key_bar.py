"""The bottom line: what the function keys do. Scanning alone needs none of them."""

from collections.abc import Sequence
from typing import Final

from textual.content import Content
from textual.widget import Widget

GAPS: Final = (2, 1, 0)
"""Columns between two keys: the most that leaves room for all of them."""


class KeyBar(Widget):
    """Keys and their legends, from the left."""

    keys: Sequence[tuple[str, str]] = ()

    def show(self, keys: Sequence[tuple[str, str]], *, test: bool) -> None:
        """Draw `keys` as pairs of key and legend."""
        self.keys = keys
        self.set_class(test, "-test")
        self.refresh()

    def render(self) -> Content:
        """Return one line."""
        for gap in GAPS:
            parts = [Content.assemble((f" {k} ", "bold"), legend) for k, legend in self.keys]
            line = Content(" " * gap).join(parts)
            if line.cell_length <= self.size.width:
                break
        return line.truncate(self.size.width, ellipsis=True)
