"""The dialog that ends exceptions, drawn: which, what can be done, what it comes to, by whom."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.content import Content

from mes_terminal.tui import present_exceptions
from mes_terminal.tui.figures import number
from mes_terminal.tui.safe_text import safe, wrap
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from mes_terminal.tui.screens.resolve import Dialog

RESULT_LINES_MAX: Final = 8
"""Different sentences that are shown of what a decision comes to."""
TYPED_COLUMNS: Final = 44


class ResolveSheet(Drawn):
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
        if dialog.options:
            lines += [self._field(dialog)] if dialog.field else []
            lines += self._options(dialog, width)
        elif not dialog.chosen and not dialog.done:
            lines += _plain([self._words.desk.clock_ends], width)
        if dialog.working:
            lines.append(paint.text(f" {self._words.desk.looking}"))
        if dialog.result is not None:
            shown = dialog.result.lines[:RESULT_LINES_MAX]
            lines += [*self._toned(dialog.result.tone, shown, width), Content("")]
        if dialog.field and not dialog.options:
            lines.append(self._field(dialog))
            lines.append(self._typed(dialog))
            lines += _plain([dialog.hint], width) if dialog.hint else []
        return paint.stacked([*lines, Content(""), self._close_line(dialog)])

    def _heading(self, dialog: "Dialog", width: int) -> list[Content]:
        told, first = self._words.desk, dialog.targets[0]
        n, total = (number(str(each), self._words) for each in (len(dialog.targets), dialog.total))
        what = present_exceptions.kind_text(first.kind, self._words)
        if len(dialog.targets) == 1:
            names = (safe(first.work_order or "", 24), safe(first.item or first.cause or "", 32),
                     present_exceptions.quantity_text(first, self._words))  # fmt: skip
            which = " ".join(filter(None, names))
        else:
            which = told.resolve_group.format(n=n)
            if dialog.total > len(dialog.targets):
                which += f" ({told.oldest_of.format(n=n, total=total)})"
        title = Content.assemble(
            (f" {told.resolve_title}  ", "bold $quiet-muted"),
            (what, "bold $quiet-strong"),
            (f" {self.glyphs.dot} {which}", "$quiet-text"),
        ).truncate(width, ellipsis=True)
        if not dialog.chosen:
            return [title]
        chosen = f" {self.glyphs.prompt} {dialog.chosen.removesuffix(' …')}"
        return [title, paint.text(chosen, "bold $quiet-strong").truncate(width, ellipsis=True)]

    def _options(self, dialog: "Dialog", width: int) -> list[Content]:
        room = max(1, self.size.height - 6)
        first = max(0, min(dialog.at - room + 1, len(dialog.options) - room))
        lines = []
        for place, text in enumerate(dialog.options[first : first + room], first):
            key = f"{place + 1} " if not dialog.field and place < 9 else ""
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

    def _field(self, dialog: "Dialog") -> Content:
        return paint.text(f" {dialog.field}", "bold $quiet-strong")

    def _typed(self, dialog: "Dialog") -> Content:
        dot = "*"
        typed = dot * len(dialog.typed) if dialog.secret else dialog.typed[-TYPED_COLUMNS:]
        return Content.assemble(
            f" {self.glyphs.prompt} ", (safe(typed, TYPED_COLUMNS), "bold"), ("█", "blink")
        )

    def _close_line(self, dialog: "Dialog") -> Content:
        told = self._words.desk
        text = told.back if dialog.done or not (dialog.options or dialog.chosen) else told.confirm
        return paint.text(f" {text}", "$quiet-muted")


def _plain(texts: Sequence[str], width: int) -> list[Content]:
    return [paint.text(f" {line}") for text in texts for line in wrap(text, width - 2)]
