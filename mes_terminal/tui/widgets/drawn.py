"""What the widgets of the screen have in common: the terminal's signs."""

from textual.widget import Widget

from mes_terminal.tui.glyphs import RICH, Glyphs


class Drawn(Widget):
    """A widget that draws with the terminal's signs; the screen gives it the set."""

    glyphs: Glyphs = RICH
