"""A form of the desk, drawn: what it is about, what is asked, what it comes to, who signs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.content import Content

from mes_terminal.tui.safe_text import safe, wrap
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from mes_terminal.tui.screens.form import Dialog

RESULT_LINES_MAX: Final = 8
"""Different sentences that are shown of what a request comes to."""
TYPED_COLUMNS: Final = 44


class FormSheet(Drawn):
    """One page, from top to bottom as the person goes."""

    _dialog: "Dialog | None" = None

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def show(self, dialog: "Dialog") -> None:
        """Draw the dialog as it is now."""
        self._dialog = dialog
        self.refresh()

    def render(self) -> Content:
        """Return the page."""
        dialog, width = self._dialog, max(8, self.size.width - 2)
        if dialog is None:
            return Content("")
        lines = [*self._heading(dialog, width), Content("")]
        if dialog.fault:
            lines += [*self._toned("stop", [dialog.fault], width), Content("")]
        if dialog.only_told and not dialog.done:
            lines += _plain([dialog.only_told], width)
        if dialog.working:
            lines.append(paint.text(f" {self._words.desk.looking}"))
        if dialog.result is not None:
            shown = dialog.result.lines[:RESULT_LINES_MAX]
            lines += [*self._toned(dialog.result.tone, shown, width), Content("")]
        if dialog.field is not None:
            lines.append(paint.text(f" {dialog.field}", "bold $quiet-strong"))
        if dialog.options:
            lines += self._options(dialog, width, room=self.size.height - len(lines) - 2)
        elif dialog.field is not None:
            lines.append(self._typed(dialog))
            lines += _plain([dialog.hint], width) if dialog.hint else []
        return paint.stacked([*lines, Content(""), self._close_line(dialog)])

    def _heading(self, dialog: "Dialog", width: int) -> list[Content]:
        title = Content.assemble(
            (f" {dialog.title}  ", "bold $quiet-muted"), (dialog.what, "bold $quiet-strong")
        ).truncate(width, ellipsis=True)
        if not dialog.trail:
            return [title]
        trail = f" {self.glyphs.prompt} {dialog.trail}"
        return [title, paint.text(trail, "bold $quiet-strong").truncate(width, ellipsis=True)]

    def _options(self, dialog: "Dialog", width: int, *, room: int) -> list[Content]:
        room = max(1, room)
        first = max(0, min(dialog.at - room + 1, len(dialog.options) - room))
        lines = []
        for place, text in enumerate(dialog.options[first : first + room], first):
            key = f"{place + 1} " if dialog.numbered and place < 9 else ""
            line = Content(f" {key}{text} ").truncate(width, ellipsis=True)
            lines.append(Content(" ") + (line.stylize("reverse") if place == dialog.at else line))
        return lines

    def _toned(self, tone: str, texts: Sequence[str], width: int) -> list[Content]:
        """Return a result as on the operator's screen: its word and sign, in its colour."""
        style = f"bold $tone-{tone}-text on $tone-{tone}-ground"
        sign = f" {self.glyphs.tones[tone]} {self._words.signs[tone]} "  # type: ignore[index]
        head, *rest = [line for text in texts for line in wrap(text, max(1, width - 14))] or [""]
        lines = [Content.assemble(" ", (sign, style), (f"  {head}", "bold $quiet-strong"))]
        indent = " " * (len(sign) + 3)
        return [*lines, *(paint.text(indent + line) for line in rest)]

    def _typed(self, dialog: "Dialog") -> Content:
        typed = "*" * len(dialog.typed) if dialog.secret else dialog.typed[-TYPED_COLUMNS:]
        return Content.assemble(
            f" {self.glyphs.prompt} ", (safe(typed, TYPED_COLUMNS), "bold"), ("█", "blink")
        )

    def _close_line(self, dialog: "Dialog") -> Content:
        told = self._words.desk
        text = told.back if dialog.done or dialog.only_told else told.confirm
        return paint.text(f" {text}", "$quiet-muted")


def _plain(texts: Sequence[str], width: int) -> list[Content]:
    return [paint.text(f" {line}") for text in texts for line in wrap(text, width - 2)]
