"""What the supervisor's desk shows and where its cursor stands. Pure; moved by `desk_control`.

A refresh never moves the cursor off the exception it stands on while that is still there; where it
has ended, the cursor stays at its place in the list.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from mes_terminal.domain.desk import ExceptionStory, GroupBy, KindGroup
from mes_terminal.tui.sections.list_window import ListWindow

PANES: Final = ("groups", "rows", "story")
GROUPINGS: Final[tuple[GroupBy, ...]] = ("kind", "cause", "owner", "order")
Step = Literal["up", "down", "pageup", "pagedown", "home", "end"]
STEPS: Final = ("up", "down", "pageup", "pagedown", "home", "end")


@dataclass
class DeskState:
    """One desk."""

    groups: list[KindGroup] = field(default_factory=list)
    by: GroupBy = "kind"
    """What groups them."""
    key: str | None = None
    """The selected group's."""
    rows: ListWindow[ExceptionStory] = field(default_factory=lambda: ListWindow(_key))
    """Those of the selected group: what is held of them."""
    pane: int = 0
    story_first: int = 0
    text: str = ""
    only_open: bool = True
    only_late: bool = False
    """Only what is past its due time."""
    owner: str | None = None
    """Only whose this is: a badge, or an owner of the settings."""
    loaded: bool = False
    """The core has answered once."""

    @property
    def group(self) -> KindGroup | None:
        """The selected group."""
        return next((each for each in self.groups if each.key == self.key), None)

    @property
    def group_at(self) -> int:
        """Its place in the list."""
        keys: list[str | None] = [each.key for each in self.groups]
        return keys.index(self.key) if self.key in keys else 0

    @property
    def row(self) -> ExceptionStory | None:
        """The selected exception."""
        return self.rows.row

    def filters(self) -> dict[str, str]:
        """Return what the lists are asked with."""
        asked = {
            "text": self.text,
            "open": "1" if self.only_open else "",
            "overdue": "1" if self.only_late else "",
            "owner": self.owner or "",
            "by": self.by if self.by != "kind" else "",
        }
        return {name: value for name, value in asked.items() if value}

    def group_filters(self) -> dict[str, str]:
        """Return what the rows of the selected group are asked with."""
        name = "kind" if self.by == "kind" else "key"
        return self.filters() | {name: self.key or ""}

    def regroup(self) -> None:
        """Group by the next thing, and begin anew."""
        self.by = GROUPINGS[(GROUPINGS.index(self.by) + 1) % len(GROUPINGS)]
        self.key = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was listed: something else is asked for."""
        self.groups, self.loaded = [], False
        self._begin_group()

    def take_groups(self, groups: list[KindGroup]) -> bool:
        """Take what there is now; tell whether the selected group's rows are to be asked for."""
        before, place = self.group, self.group_at
        self.groups, self.loaded = groups, True
        if self.group is None:
            self.key = groups[min(place, len(groups) - 1)].key if groups else None
            self._begin_group()
        group = self.group
        return group is not None and (group != before or not self.rows.loaded)

    def take_rows(self, page: int, rows: list[ExceptionStory]) -> None:
        """Take a page of the selected group."""
        selected = self.row
        self.rows.take(page, rows)
        if selected is not None and (self.row is None or self.row.id != selected.id):
            self.story_first = 0

    def move(self, step: str, *, page: int) -> bool:
        """Move in the pane at hand; tell whether another group was chosen."""
        by = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}.get(step)
        if PANES[self.pane] == "story":
            self.story_first = max(0, self.story_first + by) if by else 0
            return False
        if PANES[self.pane] == "groups":
            return self._move_group(_moved(self.group_at, by, step, len(self.groups)))
        self.rows.move(step, page_rows=page)
        self.story_first = 0
        return False

    def _move_group(self, place: int) -> bool:
        if not self.groups or self.groups[place].key == self.key:
            return False
        self.key = self.groups[place].key
        self._begin_group()
        return True

    def _begin_group(self) -> None:
        self.rows, self.story_first = ListWindow(_key), 0


def _key(row: ExceptionStory) -> str:
    return str(row.id)


def _moved(at: int, by: int | None, step: str, count: int) -> int:
    wanted = at + by if by is not None else 0 if step == "home" else count - 1
    return max(0, min(wanted, count - 1))
