"""The bottom line: what the function keys do. Scanning alone needs none of them."""

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget


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
        parts = [Content.assemble((f" {k} ", "bold"), legend, "  ") for k, legend in self.keys]
        return Content("").join(parts).truncate(self.size.width, ellipsis=True)
