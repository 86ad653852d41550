"""Material issued by hand: for how much it counts (BF-29), which units are made of it, and which of
them give up what comes back (BF-10, BF-37). Pure.

A line's issues serve its units in the order issued, as its requirement grows: a report takes in
what its own units need of them, the report that ends the order all that is left. Extra parts belong
to the next report whatever it makes.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.operations import Reported
from mes_terminal.domain.order import LineFacts, net_target_micro
from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.posting import EdgeRow
from mes_terminal.domain.quantity import ceil_to_step, floor_to_step


class Waiting(Struct, frozen=True):
    """What of a lot waits for a report."""

    line_id: int
    """0: an extra part."""
    lot_id: int
    quantity_micro: int
    covers_micro: int
    """What it counts for, in units of the line's component."""
    step_micro: int
    """Of the item."""


class Lies(Struct, frozen=True):
    """Where of a lot so much lies of what was issued of it for a line, or as extra parts."""

    report_seq: int | None
    """The report that took it in; `None`: it waits for one."""
    quantity_micro: int
    covers_micro: int
    """What it counts for, in units of the line's component."""


class Contains(Struct, frozen=True):
    """What genealogy has of a lot in a product of a report."""

    child_id: int
    item_id: int
    quantity_micro: int
    certainty: Certainty


def covers_micro(quantity_micro: int, line: LineFacts, ratio_num: int, ratio_den: int) -> int:
    """Return what so much of an item does for in whole steps of a line's component, where
    `ratio` of it does for one (BF-29). All that was issued of it is counted together, so that many
    small issues do for as much as one."""
    return floor_to_step(quantity_micro * ratio_den, ratio_num, line.step_micro)


def share(
    waiting: Sequence[Waiting], lines: Iterable[LineFacts], due: Reported, *, closes: bool
) -> list[Waiting]:
    """Return what of `waiting` a report takes in that brings its order to `due` units.

    A line has what it took by hand and by reports; what still waits of the first is not yet in
    any unit, so the report needs its target less all the rest.
    """
    if closes or not waiting:
        return list(waiting)
    waits: dict[int, int] = {}
    for each in waiting:
        waits[each.line_id] = waits.get(each.line_id, 0) + each.covers_micro
    needed = {
        line.line_id: net_target_micro(line, due.of(line))
        - (line.net_taken_micro - waits[line.line_id])
        for line in lines
        if line.line_id in waits
    }
    taken: list[Waiting] = []
    for each in waiting:
        left = needed.get(each.line_id)
        if left is None:
            taken.append(each)
        elif left > 0:
            part = _part(each, left)
            needed[each.line_id] = left - part.covers_micro
            taken.append(part)
    return taken


def _part(each: Waiting, needed_micro: int) -> Waiting:
    """Return what of it does for so much: of a substitute whole steps, rounded up."""
    if each.covers_micro <= needed_micro:
        return each
    quantity = ceil_to_step(each.quantity_micro * needed_micro, each.covers_micro, each.step_micro)
    return replace(
        each, quantity_micro=min(quantity, each.quantity_micro), covers_micro=needed_micro
    )


def given_up(places: Iterable[Lies], quantity_micro: int, covers_micro: int) -> list[Lies]:
    """Return what each place gives up of a return, the first one first: with a quantity goes what
    it counts for; the first place has the difference."""
    found: list[Lies] = []
    for each in places:
        quantity = min(quantity_micro, each.quantity_micro)
        if quantity <= 0:
            break
        covers = max(0, min(covers_micro, each.covers_micro))
        found.append(Lies(each.report_seq, quantity, covers))
        quantity_micro -= quantity
        covers_micro -= covers
    if covers_micro:
        found[0] = replace(found[0], covers_micro=found[0].covers_micro + covers_micro)
    return found


def edges_given_up(
    products: Sequence[Contains], lot_id: int, line_id: int, quantity_micro: int
) -> list[EdgeRow]:
    """Return the edges, below zero, of what a report's units are no longer made of.

    Of units with serial numbers the first of `products` give it up first; each other output of the
    report gives up all of it once more (BF-30).
    """
    edges: list[EdgeRow] = []
    for item_id in dict.fromkeys(each.item_id for each in products):
        left = quantity_micro
        same = [each for each in products if each.item_id == item_id]
        for each in same:
            part = left if each is same[-1] else min(left, each.quantity_micro)
            left -= part
            if part:
                edges.append((each.child_id, lot_id, line_id, -part, each.certainty))
    return edges
