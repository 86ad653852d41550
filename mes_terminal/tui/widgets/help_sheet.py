"""The help: what the signs mean, the keys, the commands, and what can be scanned right now."""

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from mes_terminal.tui.glyphs import RICH, Glyphs
from mes_terminal.tui.present import Tone
from mes_terminal.tui.safe_text import wrap
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.words import Words

_TONES: tuple[Tone, ...] = ("ok", "do", "check", "stop")


class HelpSheet(Widget):
    """One page; fits 80 columns by 24 rows."""

    def __init__(
        self,
        words: Words,
        keys: Sequence[tuple[str, str]],
        now: Sequence[str],
        glyphs: Glyphs = RICH,
    ) -> None:
        super().__init__()
        self._words, self._keys, self._now, self._glyphs = words, keys, now, glyphs

    def render(self) -> Content:
        """Return the page."""
        words, labels = self._words, self._words.labels
        lines = [self._heading(labels.help_now)]
        bullet = f" {self._glyphs.prompt} "
        for text in self._now:
            lines += [paint.text(bullet + line) for line in wrap(text, self.size.width - 4)]
        lines += [Content(""), self._heading(labels.help_signs)]
        lines += [self._sign(tone) for tone in _TONES]
        lines += [Content(""), self._heading(labels.help_commands)]
        lines += [
            Content.assemble((f" {paint.padded(c, 20)}", "bold $quiet-strong"), meaning)
            for c, meaning in words.commands.items()
        ]
        keys = "  ".join(f"{key} {legend}" for key, legend in self._keys)
        lines += [Content(""), paint.text(f" {keys}"), paint.text(f" {labels.help_close}", "bold")]
        return paint.stacked(lines)

    def _heading(self, text: str) -> Content:
        return Content.styled(text, "bold $quiet-muted")

    def _sign(self, tone: Tone) -> Content:
        sign = f" {self._glyphs.tones[tone]} {paint.padded(self._words.signs[tone], 8)}"
        style = f"bold $tone-{tone}-text on $tone-{tone}-ground"
        return Content.assemble(" ", (sign, style), f"  {self._words.sign_help[tone]}")
