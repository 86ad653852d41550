"""What the supervisor's desk shows and where its cursor stands. Pure; moved by `desk_control`.

A refresh never moves the cursor off the exception it stands on while that is still there; where it
has ended, the cursor stays at its place in the list.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from mes_terminal.domain.desk import ExceptionStory, KindGroup

PANES: Final = ("groups", "rows", "story")
NEAR_END_ROWS: Final = 40
"""So near to the end of what is loaded the next page is asked for."""
Step = Literal["up", "down", "pageup", "pagedown", "home", "end"]
STEPS: Final = ("up", "down", "pageup", "pagedown", "home", "end")


@dataclass
class DeskState:
    """One desk."""

    groups: list[KindGroup] = field(default_factory=list)
    kind: str | None = None
    rows: list[ExceptionStory] = field(default_factory=list)
    at: int = 0
    """Place of the selected row."""
    pane: int = 0
    story_first: int = 0
    text: str = ""
    only_open: bool = True
    loaded: bool = False
    """The core has answered once."""

    @property
    def group(self) -> KindGroup | None:
        """The selected group."""
        return next((each for each in self.groups if each.kind == self.kind), None)

    @property
    def group_at(self) -> int:
        """Its place in the list."""
        kinds: list[str | None] = [each.kind for each in self.groups]
        return kinds.index(self.kind) if self.kind in kinds else 0

    @property
    def row(self) -> ExceptionStory | None:
        """The selected exception."""
        return self.rows[self.at] if self.at < len(self.rows) else None

    @property
    def wants_more(self) -> bool:
        """Whether the cursor is near the end of what is loaded, and there is more."""
        group = self.group
        more = group is not None and len(self.rows) < group.count
        return more and self.at + NEAR_END_ROWS >= len(self.rows)

    def filters(self) -> dict[str, str]:
        """Return what the lists are asked with."""
        asked = {"text": self.text} if self.text else {}
        return asked | ({"open": "1"} if self.only_open else {})

    def take_groups(self, groups: list[KindGroup]) -> bool:
        """Take what there is now; tell whether the selected group's rows are to be asked for."""
        before, place = self.group, self.group_at
        self.groups, self.loaded = groups, True
        if self.group is None:
            self.kind = groups[min(place, len(groups) - 1)].kind if groups else None
            self.rows, self.at, self.story_first = [], 0, 0
        group = self.group
        return group is not None and (group != before or not self.rows)

    def take_rows(self, rows: list[ExceptionStory], since: int) -> None:
        """Take a page: in place of all rows, or after those that are there."""
        if since:
            if self.rows and self.rows[-1].id == since:
                self.rows += rows
            return
        selected = self.row
        self.rows = rows
        ids = [each.id for each in rows]
        if selected is not None and selected.id in ids:
            self.at = ids.index(selected.id)
        else:
            self.at, self.story_first = max(0, min(self.at, len(rows) - 1)), 0

    def take_row(self, rows: list[ExceptionStory]) -> bool:
        """Take the selected row as it is now; tell whether it is not there any more."""
        selected = self.row
        if selected is None:
            return False
        if not rows or rows[0].id != selected.id:
            return True
        self.rows[self.at] = rows[0]
        return False

    def move(self, step: str, *, page: int) -> bool:
        """Move in the pane at hand; tell whether another group was chosen."""
        by = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}.get(step)
        if PANES[self.pane] == "story":
            self.story_first = max(0, self.story_first + by) if by else 0
            return False
        if PANES[self.pane] == "groups":
            return self._move_group(_moved(self.group_at, by, step, len(self.groups)))
        self.at, self.story_first = _moved(self.at, by, step, len(self.rows)), 0
        return False

    def _move_group(self, place: int) -> bool:
        if not self.groups or self.groups[place].kind == self.kind:
            return False
        self.kind = self.groups[place].kind
        self.rows, self.at, self.story_first = [], 0, 0
        return True


def _moved(at: int, by: int | None, step: str, count: int) -> int:
    wanted = at + by if by is not None else 0 if step == "home" else count - 1
    return max(0, min(wanted, count - 1))
