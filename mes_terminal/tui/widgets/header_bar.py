"""The top line: station, LIVE or TEST, who is signed in, what time it is."""

from textual.content import Content

from mes_terminal.tui.safe_text import column_count, safe
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn


class HeaderBar(Drawn):
    """TEST differs from LIVE in colour, in words and in a hatched band."""

    station = ""
    mode_word = ""
    warning = ""
    person = ""
    clock = ""

    def show(self, *, station: str, mode_word: str, warning: str, person: str) -> None:
        """Draw these texts; a `warning` means TEST."""
        self.station, self.mode_word = safe(station, 24), mode_word
        self.warning, self.person = warning, person
        self.set_class(bool(warning), "-test")
        self.refresh()

    def show_time(self, clock: str) -> None:
        """Draw the wall time."""
        if clock != self.clock:
            self.clock = clock
            self.refresh()

    def render(self) -> Content:
        """Return one line, in the middle of the bar's height."""
        left = Content.styled(f" {self.station} ", "bold")
        right = Content.assemble(f"{self.person}   ", (self.clock, "bold"), " ")
        if self.warning:
            band = self.glyphs.hatch * 3
            left += Content.styled(f" {band} {self.mode_word} {band} ", "bold")
            room = self.size.width - left.cell_length - right.cell_length - 2
            left += Content(f" {self._warning_within(room)}")
        else:
            left += Content(f" {self.glyphs.dot} {self.mode_word}")
        line = paint.spread(left, right, self.size.width)
        if self.size.height < 3:
            return line
        fill = self.glyphs.hatch * self.size.width if self.warning else ""
        return paint.stacked([Content(fill), line, Content(fill)])

    def _warning_within(self, room: int) -> str:
        """Return the warning, or what stands before its comma, or nothing: never a part of it."""
        texts = (self.warning, self.warning.partition(",")[0])
        return next((text for text in texts if column_count(text) <= room), "")
