"""The end of a shift, drawn: what is open, what is asked to sign it off, what came of it."""

from collections.abc import Sequence

from textual.content import Content

from mes_terminal.tui.present_shift import Row
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe, wrap
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn
from mes_terminal.tui.words import Words

LABEL_COLUMNS: int = 15
TYPED_COLUMNS: int = 44
ROW_LINES_MAX: int = 2


class ShiftSheet(Drawn):
    """One page; fits 80 columns by 24 rows. Every text is safe but `typed`; of a PIN that is
    stars."""

    words: Words
    name_text = ""
    rows: Sequence[Row] = ()
    prompt = ""
    hint = ""
    typed = ""
    fault = ""
    signed: Sequence[str] = ()

    def __init__(self, words: Words, *, practice: str) -> None:
        super().__init__()
        self.words, self._practice = words, practice

    def render(self) -> Content:
        """Return the page."""
        told, width = self.words.shift, max(24, self.size.width - 2)
        mode = f" {self._practice} " if self._practice else ""
        title = Content.assemble(
            (mode, "bold $test-text on $test-ground"),
            (f" {told.title}  ", "bold $quiet-muted"),
            (self.name_text, "bold $quiet-strong"),
        ).truncate(width, ellipsis=True)
        lines = [title, Content("")]
        if self.signed:
            lines += self._signed(width)
        elif not self.rows:
            lines.append(paint.text(f" {told.looking}"))
        for label, piece in () if self.signed else self.rows:
            lines += self._row(label, piece, width)
        lines.append(Content(""))
        if self.fault:
            lines += [*self._toned("stop", [self.fault], width), Content("")]
        if self.prompt:
            lines += self._field(width)
        closing = told.close if self.signed or not self.prompt else told.leave
        return paint.stacked([*lines, Content(""), paint.text(f" {closing}", "$quiet-muted")])

    def _row(self, label: str, piece: Piece, width: int) -> list[Content]:
        name = f" {paint.padded(label, LABEL_COLUMNS)} "
        texts = wrap(piece.text, max(8, width - len(name)))[:ROW_LINES_MAX] or [""]
        indents = [Content.styled(name, "$quiet-muted"), Content(" " * len(name))]
        return [
            indents[min(place, 1)] + paint.painted(Piece(text, piece.emphasis))
            for place, text in enumerate(texts)
        ]

    def _field(self, width: int) -> list[Content]:
        shown = self.typed[-TYPED_COLUMNS:]
        lines = [paint.text(f" {self.prompt}", "bold $quiet-strong").truncate(width, ellipsis=True)]
        lines.append(
            Content.assemble(
                f" {self.glyphs.prompt} ", (safe(shown, TYPED_COLUMNS), "bold"), ("█", "blink")
            )
        )
        if self.hint:
            lines.append(paint.text(f" {self.hint}", "$quiet-muted").truncate(width, ellipsis=True))
        return lines

    def _signed(self, width: int) -> list[Content]:
        said, *anchor = self.signed
        return [
            *self._toned("ok", [said], width),
            Content(""),
            *(paint.text(f" {line}", "bold $quiet-strong") for line in anchor),
        ]

    def _toned(self, tone: str, texts: Sequence[str], width: int) -> list[Content]:
        style = f"bold $tone-{tone}-text on $tone-{tone}-ground"
        sign = f" {self.glyphs.tones[tone]} {self.words.signs[tone]} "  # type: ignore[index]
        head, *rest = [line for text in texts for line in wrap(text, max(8, width - 14))] or [""]
        first = Content.assemble(" ", (sign, style), (f"  {head}", "bold $quiet-strong"))
        indent = " " * (len(sign) + 3)
        return [first, *(paint.text(indent + line) for line in rest)]
