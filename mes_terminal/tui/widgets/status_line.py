"""The line that says how the station is: scanners, postings, exceptions, clock (screens 4)."""

from collections.abc import Sequence

from textual.content import Content

from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn


class StatusLine(Drawn):
    """What needs a person comes first and is coloured. Where the line is short, what says that all
    is well goes, then what comes last, which is counted: no word is cut in its middle."""

    pieces: Sequence[Piece] = ()

    def show(self, pieces: Sequence[Piece]) -> None:
        """Draw `pieces` (safe)."""
        self.pieces = sorted(pieces, key=lambda piece: piece.emphasis != "alert")
        self.refresh()

    def render(self) -> Content:
        """Return one line."""
        shown, left_out = list(self.pieces), 0
        while (line := self._line(shown, left_out)).cell_length > self.size.width:
            calm = next((piece for piece in shown if piece.emphasis == "muted"), None)
            if len(shown) == 1:
                break
            if calm is None:
                shown.pop()
                left_out += 1
            else:
                shown.remove(calm)
        return line.truncate(self.size.width, ellipsis=True)

    def _line(self, pieces: Sequence[Piece], left_out: int) -> Content:
        sign = self.glyphs.tones["check"]
        parts = [
            paint.painted(
                Piece(f"{sign} {p.text}" if p.emphasis == "alert" else p.text, p.emphasis)
            )
            for p in pieces
        ]
        if left_out:
            parts.append(paint.text(f"+{left_out}", paint.EMPHASIS["strong"]))
        return paint.joined(parts, self.glyphs.dot)
