"""The bottom line: what the function keys do. Scanning alone needs none of them."""

from collections.abc import Mapping, Sequence
from typing import Final

from textual.content import Content
from textual.widget import Widget

GAPS: Final = (2, 1, 0)
"""Columns between two keys: the most that leaves room for all of them."""


class KeyBar(Widget):
    """Keys and their legends, from the left."""

    keys: Sequence[tuple[str, str]] = ()
    brief: Mapping[str, str] = {}

    def show(
        self, keys: Sequence[tuple[str, str]], *, test: bool, brief: Mapping[str, str] | None = None
    ) -> None:
        """Draw `keys` as pairs of key and legend; where there is no room for all of them, with the
        legends of `brief`, by key."""
        self.keys, self.brief = keys, brief or {}
        self.set_class(test, "-test")
        self.refresh()

    def render(self) -> Content:
        """Return one line."""
        brief = [(key, self.brief.get(key, legend)) for key, legend in self.keys]
        for keys, gap in [*((self.keys, gap) for gap in GAPS), (brief, 1), (brief, 0)]:
            parts = [Content.assemble((f" {key} ", "bold"), legend) for key, legend in keys]
            line = Content(" " * gap).join(parts)
            if line.cell_length <= self.size.width:
                break
        return line.truncate(self.size.width, ellipsis=True)
