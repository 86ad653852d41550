"""The page of the morning: what a supervisor sees first, without a scan.

Each line leads to what it is about; a letter resolves one of the first groups that a desk can end.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mes_terminal.domain.desk import ExceptionStory
from mes_terminal.domain.morning import Morning, MorningGroup
from mes_terminal.domain.resolving import EXCEPTIONS_MAX
from mes_terminal.tui import present_morning, resolve_form
from mes_terminal.tui.morning_blocks import Block, Entry
from mes_terminal.tui.present_figures import day_text
from mes_terminal.tui.present_morning import GROUP_KEYS, Room
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.sections.page import Desk, Page
from mes_terminal.tui.widgets.morning_body import MorningBody

if TYPE_CHECKING:
    from mes_terminal.errors import StationError

ASK_EVERY_POLLS: Final = 15
"""Half a minute: what stops today changes slowly, and telling it takes the station some time."""
BRIEF: Final = Room(orders=3, groups=4, brief=True)
"""All four blocks are seen at once on 80 columns and 24 rows."""
WIDE: Final = Room(orders=12, groups=12, brief=False)


class MorningPage(Page):
    """What stops today, what is open, yesterday, what else is due."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.widget: MorningBody = MorningBody(desk.glyphs)
        self._morning: Morning | None = None
        self._blocks: list[Block] = []
        self._at = 0
        self._polls = 0
        self._asked = False

    @property
    def told(self) -> dict[str, str]:
        """The words of the section."""
        return self.desk.words.sections["morning"].told

    # The desk ------------------------------------------------------------------------------------

    def opened(self) -> None:
        """Ask what there is."""
        self.begin_round()
        self._asked = False
        self._ask()

    def poll(self) -> None:
        """Ask again every half a minute."""
        self._polls += 1
        if self._polls >= ASK_EVERY_POLLS:
            self._ask()

    def heading(self) -> Sequence[str]:
        """Return the production day."""
        if self._morning is None or self.desk.telling is None:
            return ()
        return [day_text(self._morning.today, self.told)]

    def legends(self) -> Sequence[tuple[str, str]]:
        """Enter goes there; the letters of the groups; again."""
        keys = [("Enter", self.told["legend_enter"])]
        groups = "".join(self._groups())
        if groups:
            keys.append((" ".join(groups), self.told["legend_groups"]))
        return [*keys, ("r", self.told["legend_again"])]

    def help(self) -> dict[str, str]:
        """Return what the keys do."""
        names = {"↑ ↓": "move", "Enter": "enter", " ".join(GROUP_KEYS): "groups", "r": "again"}
        return {key: self.told[f"help_{name}"] for key, name in names.items()}

    def press(self, key: str) -> bool:
        """Go through the lines, or to what one is about."""
        last = len(self._entries()) - 1
        by = {"up": -1, "down": 1, "pageup": -last, "pagedown": last, "home": -last, "end": last}
        if key == "enter":
            self._go()
        elif key == "tab":
            self._next_block()
        elif key in by:
            self._at = max(0, min(last, self._at + by[key]))
        else:
            return False
        return True

    def press_letter(self, letter: str) -> bool:
        """Resolve a group, or look again."""
        group = self._groups().get(letter)
        if group is not None:
            self._resolve(group)
        elif letter == "r":
            self.opened()
        else:
            return False
        return True

    def draw(self) -> None:
        """Draw the blocks."""
        telling, morning = self.desk.telling, self._morning
        if telling is None or morning is None:
            self._blocks = []
            self.widget.show([], None, [Piece(self.told["loading"])])
            return
        room = WIDE if self.widget.is_wide else BRIEF
        self._blocks = present_morning.blocks(morning, telling, self.desk.glyphs, room)
        entries = self._entries()
        self._at = max(0, min(self._at, len(entries) - 1))
        at = entries[self._at] if entries else None
        self.widget.show(self._blocks, at, at.story if at is not None else ())

    # Its own -------------------------------------------------------------------------------------

    def _entries(self) -> list[Entry]:
        return [each for block in self._blocks for each in block.entries if each.goal is not None]

    def _title(self, at: Entry | None) -> str:
        return next((block.title for block in self._blocks if at in block.entries), "")

    def _next_block(self) -> None:
        """Go to the first line of the next block that has one."""
        entries = self._entries()
        if not entries:
            return
        title = self._title(entries[self._at])
        later = [
            place for place in range(self._at, len(entries)) if self._title(entries[place]) != title
        ]
        self._at = later[0] if later else 0

    def _groups(self) -> dict[str, MorningGroup]:
        if self._morning is None:
            return {}
        return present_morning.keyed_groups(self._morning.work)

    def _go(self) -> None:
        entries = self._entries()
        if entries and (goal := entries[self._at].goal) is not None:
            self.desk.go(goal.section, goal.text)

    def _ask(self) -> None:
        if self._asked:
            return
        self._asked, self._polls = True, 0

        def take(morning: Morning) -> None:
            self._asked, self._morning = False, morning

        self.ask_value("morning", {}, Morning, take, self._failed)

    def _failed(self, error: "StationError") -> None:
        self._asked = False
        self.desk.fail(error)

    def _resolve(self, found: MorningGroup) -> None:
        """Open the form for the oldest of a group."""
        group = found.group

        def take(rows: list[ExceptionStory]) -> None:
            if rows:
                form = resolve_form.resolve_form(
                    rows, group.count, self.desk.words, self.desk.glyphs
                )
                self.desk.fill(form, self.opened)

        asked = {"open": "1", "by": "cause", "key": group.key, "limit": str(EXCEPTIONS_MAX)}
        self.ask_rows("exception_rows", asked, ExceptionStory, take)
