"""The body of the morning: four blocks, and what is told of the line under the cursor.

Below 120 columns the blocks stand in one column, what stops first; from there on in two.
"""

from collections.abc import Sequence
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.morning_blocks import Block, Entry
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.widgets.blocks_pane import BlocksPane
from mes_terminal.tui.widgets.desk_panes import StoryPane

WIDE_COLUMNS: Final = 120
BLOCKS_LEFT: Final = 2


class MorningBody(Container):
    """Two panes and a story; `sections.morning` tells them what to draw."""

    DEFAULT_CLASSES = "-morning"

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.left, self.right = BlocksPane(classes="-left"), BlocksPane(classes="-right")
        self.story = StoryPane(classes="-story")
        for pane in (self.left, self.right, self.story):
            pane.glyphs = glyphs
        self._blocks: Sequence[Block] = ()
        self._at: Entry | None = None

    def compose(self) -> ComposeResult:
        """Place the panes; the style sheet decides where."""
        with Container(classes="-blocks"):
            yield self.left
            yield self.right
        yield self.story

    def show(self, blocks: Sequence[Block], at: Entry | None, story: Sequence[Piece]) -> None:
        """Draw the blocks with the cursor on an entry, and its story, the first sentence as the
        heading."""
        self._blocks, self._at = blocks, at
        self._spread()
        title, rest = story[0].text if story else "", story[1:]
        if rest and not self.is_wide:
            rest = [Piece(" ".join(each.text for each in rest))]
        self.story.show(title, rest, first=0, focused=False)

    def on_resize(self, event: events.Resize) -> None:
        """Spread the blocks anew."""
        del event
        self._spread()

    @property
    def is_wide(self) -> bool:
        """Whether there is room for two columns."""
        return self.app.size.width >= WIDE_COLUMNS

    def _spread(self) -> None:
        parts = BLOCKS_LEFT if self.is_wide else len(self._blocks)
        self.left.show(self._blocks[:parts], self._at)
        self.right.show(self._blocks[parts:], self._at)
