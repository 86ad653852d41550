"""The line that says how the station is: scanners, postings, exceptions, clock (screens 4)."""

from collections.abc import Sequence

from textual.content import Content

from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn


class StatusLine(Drawn):
    """What needs a person comes first and is coloured, so it is seen where the line is short."""

    pieces: Sequence[Piece] = ()

    def show(self, pieces: Sequence[Piece]) -> None:
        """Draw `pieces` (safe)."""
        self.pieces = sorted(pieces, key=lambda piece: piece.emphasis != "alert")
        self.refresh()

    def render(self) -> Content:
        """Return one line."""
        sign = self.glyphs.tones["check"]
        parts = [
            paint.painted(
                Piece(f"{sign} {p.text}" if p.emphasis == "alert" else p.text, p.emphasis)
            )
            for p in self.pieces
        ]
        return paint.joined(parts, self.glyphs.dot).truncate(self.size.width, ellipsis=True)
