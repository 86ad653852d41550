"""What upstream changed about an order that is being worked on, until it was told (BF-7).

A load writes the changes with the order; the next report of the order tells them and forgets them.
Values only, so that a screen can put them into words of its own. Pure.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, Literal

import msgspec
from msgspec import Struct

from mes_terminal.domain.explosion import ExplodedLine
from mes_terminal.domain.quantity import MICRO, format_quantity

Changed = Literal[
    "quantity", "due_at", "sequence", "part", "new_line", "no_line", "need", "place", "lines"
]  # fmt: skip

LINES_TOLD_MAX: Final = 12
"""Of more changed lines only the number is told: nobody reads them at the line."""


class OrderChange(Struct, frozen=True, omit_defaults=True):
    """One thing that is not as it was. Quantities are decimal texts, instants UTC texts."""

    what: Changed
    was: str | None = None
    now: str | None = None
    """For `part` two items, for `need` two quantities a unit, for `place` two locations; of `lines`
    their number."""
    line: str | None = None
    item: str | None = None
    after: str | None = None
    """For a line: it holds for the units after so many."""


class FrozenLine(Struct, frozen=True):
    """What a line of the snapshot asks for, as far as a person at the line has to know."""

    component: str
    need: Fraction
    per_unit: bool
    location: str


def frozen_line(line: ExplodedLine) -> FrozenLine:
    """Return a line as it will be."""
    return FrozenLine(line.component, line.net, line.basis == "per_unit", line.location)


def line_changes(
    was: dict[str, FrozenLine], now: dict[str, FrozenLine], after_micro: dict[str, int]
) -> list[OrderChange]:
    """Return how the lines of a new version differ from those before, by line.

    `after_micro` says, for each line of either, how many units it was due for so far.
    """
    found: list[OrderChange] = []
    for line in [*was, *(line for line in now if line not in was)]:
        old, new = was.get(line), now.get(line)
        after = format_quantity(after_micro[line])
        if old is None and new is not None:
            found.append(OrderChange("new_line", line=line, item=new.component, after=after))
        elif new is None and old is not None:
            found.append(OrderChange("no_line", line=line, item=old.component, after=after))
        elif old is not None and new is not None:
            found += _differences(line, old, new, after)
    return found


def _differences(line: str, old: FrozenLine, new: FrozenLine, after: str) -> Iterable[OrderChange]:
    item = new.component
    if old.component != item:
        yield OrderChange("part", old.component, item, line, item, after)
        return
    if (old.need, old.per_unit) != (new.need, new.per_unit):
        yield OrderChange("need", _quantity(old), _quantity(new), line, item, after)
    if old.location != new.location:
        yield OrderChange("place", old.location, new.location, line, item, after)


def _quantity(line: FrozenLine) -> str | None:
    """Return what a unit, or the order, takes; `None` where no decimal says it exactly."""
    need = line.need * MICRO if line.per_unit else line.need
    return format_quantity(need.numerator) if need.denominator == 1 else None


def merged(untold: Sequence[OrderChange], new: Sequence[OrderChange]) -> list[OrderChange]:
    """Return what is to be told after a further load: not what is again as it was."""
    found = list(untold)
    for change in new:
        same = next((one for one in found if _about(one) == _about(change)), None)
        if same is None:
            found.append(change)
            continue
        found.remove(same)
        if same.was != change.now or change.was is None:
            found.append(msgspec.structs.replace(change, was=same.was))
    return _bounded(found)


def _bounded(changes: list[OrderChange]) -> list[OrderChange]:
    of_lines = [one for one in changes if one.line is not None or one.what == "lines"]
    if len(of_lines) <= LINES_TOLD_MAX:
        return changes
    count = sum(int(one.now or 0) if one.what == "lines" else 1 for one in of_lines)
    others = [one for one in changes if one not in of_lines]
    return [*others, OrderChange("lines", now=str(count))]


def _about(change: OrderChange) -> tuple[str, str | None]:
    return change.what, change.line


def written(changes: Sequence[OrderChange]) -> str | None:
    """Return the changes as they are kept with the order; `None` if there are none."""
    return msgspec.json.encode(changes).decode() if changes else None


def read(text: str | None) -> list[OrderChange]:
    """Return the changes that `written` kept."""
    return msgspec.json.decode(text, type=list[OrderChange]) if text else []


def in_words(work_order: str, text: str | None) -> str:
    """Return the changes kept in `text` as a phrase; empty if there are none.

    `WO-1003 changed: 60 instead of 50, line 30 CHAIN-B instead of CHAIN from unit 64 on`
    """
    changes = read(text)
    if not changes:
        return ""
    return f"{work_order} changed: " + ", ".join(_phrase(change) for change in changes)


def from_unit(change: OrderChange) -> str:
    """Return the first whole unit that a change of a line holds for: `64` after 63."""
    whole, _, rest = (change.after or "0").partition(".")
    return change.after or "0" if rest else str(int(whole) + 1)


def _phrase(change: OrderChange) -> str:
    line = f"line {change.line} {change.item}"
    since = f" from unit {from_unit(change)} on"
    match change.what:
        case "quantity":
            return f"{change.now} instead of {change.was}"
        case "due_at":
            return f"due {change.now or 'at any time'} instead of {change.was or 'at any time'}"
        case "sequence":
            return f"place {change.now or 'none'} in the queue instead of {change.was or 'none'}"
        case "part":
            return f"{line} instead of {change.was}{since}"
        case "new_line":
            return f"{line} is new{since}"
        case "no_line":
            return f"no {line}{since}"
        case "need":
            of = f" {change.now} instead of {change.was}" if change.now and change.was else ""
            return f"{line}{of or ' in another quantity'}{since}"
        case "place":
            return f"{line} from {change.now} instead of {change.was}{since}"
        case "lines":
            return f"{change.now} lines are different"
