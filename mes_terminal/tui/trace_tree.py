"""The genealogy as a tree that opens step by step: what is seen of it, where the cursor stands.

Pure; moved by `sections/genealogy.py`, which asks the core for each step. A branch is opened once
and then kept; what a step has more than one page is a line of its own that loads the next page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mes_terminal.domain.trace_steps import TraceStep

LINES_MAX: Final = 5000
"""Lines that are held: a person reads no more, and starts again further along the way."""


NOWHERE: Final = TraceStep(
    node=0, item="", description="", lot=None, serial=None, work_order=None, status="", uom="",
    goes_on=True,
)  # fmt: skip


@dataclass
class Branch:
    """A lot in the tree, and what hangs on it as far as it was asked for."""

    step: TraceStep
    above: "Branch | None" = None
    below: "list[Branch] | None" = None
    """`None`: not asked for yet."""
    total: int | None = None
    """How many hang on it, as the core said."""
    opened: bool = False
    asked: bool = False
    """A page of it is on its way."""
    ends: bool = False
    """The last page has come."""

    @property
    def level(self) -> int:
        """How many steps it is from where the tree begins; -1: the top, which is no line."""
        return -1 if self.above is None else self.above.level + 1

    @property
    def last_node(self) -> int:
        """What the next page comes after; 0: from the first on."""
        return self.below[-1].step.node if self.below else 0


@dataclass(frozen=True)
class TreeLine:
    """A line that is seen: a branch, or (`more`) that it has further ones."""

    branch: Branch
    rails: tuple[bool, ...]
    """For each level whether more follow below on it."""
    more: int | None = None
    """How many are not shown; `None`: the line is the branch itself."""


@dataclass
class TraceTree:
    """The tree of one code, in one direction."""

    top: Branch = field(default_factory=lambda: Branch(NOWHERE, opened=True))
    """What all that the code names hangs on; it is no line itself."""
    at: int = 0

    @property
    def loaded(self) -> bool:
        """Whether the core has told where it begins."""
        return self.top.below is not None

    def lines(self) -> list[TreeLine]:
        """Return everything that is open, from the top, at most `LINES_MAX`."""
        found: list[TreeLine] = []
        stack: list[tuple[Branch, tuple[bool, ...], bool]] = []
        if self.loaded:
            roots = [(root, (), False) for root in self.top.below or []]
            stack = (
                [*reversed(roots)] if self.top.ends else [(self.top, (), True), *reversed(roots)]
            )
        while stack and len(found) < LINES_MAX:
            branch, rails, is_more = stack.pop()
            if is_more:
                found.append(TreeLine(branch, rails, _rest(branch)))
                continue
            found.append(TreeLine(branch, rails))
            if branch.opened and branch.below is not None:
                stack += reversed(_hanging(branch, rails))
        return found

    @property
    def line(self) -> TreeLine | None:
        """The selected line."""
        lines = self.lines()
        return lines[self.at] if self.at < len(lines) else None

    def move(self, step: str, *, page_rows: int) -> None:
        """Move the cursor."""
        by = {"up": -1, "down": 1, "pageup": -page_rows, "pagedown": page_rows}.get(step)
        last = len(self.lines()) - 1
        wanted = self.at + by if by is not None else 0 if step == "home" else last
        self.at = max(0, min(wanted, last))

    def open(self) -> Branch | None:
        """Open the selected branch, or go into it where it is open; return one whose next page is
        to be asked for."""
        line = self.line
        if line is None:
            return None
        branch = line.branch
        if line.more is not None:
            return branch
        if not branch.step.goes_on:
            return None
        if branch.opened and branch.below:
            self.at += 1
            return None
        branch.opened = True
        return branch if branch.below is None else None

    def close(self) -> None:
        """Close the selected branch, or go to the one it hangs on."""
        line = self.line
        if line is None:
            return
        branch = line.branch
        if line.more is None and branch.opened:
            branch.opened = False
        elif line.more is not None:
            self._select(branch)
        elif branch.above is not None and branch.above is not self.top:
            self._select(branch.above)

    def take(self, branch: Branch, steps: Sequence[TraceStep], *, page_rows: int) -> None:
        """Hang a page on a branch."""
        selected = self.line
        branch.asked = False
        branch.below = [*(branch.below or []), *(Branch(step, branch) for step in steps)]
        branch.ends = len(steps) < page_rows
        if selected is not None and selected.more is None:
            self._select(selected.branch)

    def _select(self, branch: Branch) -> None:
        for place, line in enumerate(self.lines()):
            if line.branch is branch and line.more is None:
                self.at = place
                return


def _rest(branch: Branch) -> int:
    shown = len(branch.below or [])
    return max(0, (branch.total or 0) - shown)


def _hanging(
    branch: Branch, rails: tuple[bool, ...]
) -> list[tuple[Branch, tuple[bool, ...], bool]]:
    """Return the lines below a branch, each with its rails; the last says that there are more."""
    below, goes_on = branch.below or [], not branch.ends
    last = len(below) - 1
    lines = [(each, (*rails, place < last or goes_on), False) for place, each in enumerate(below)]
    return [*lines, (branch, (*rails, False), True)] if goes_on else lines
