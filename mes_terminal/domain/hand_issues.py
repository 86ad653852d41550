"""Which material issued by hand the units of a report are made of (BF-10, BF-37). Pure.

A line's issues serve its units in the order issued, as its requirement grows: a report takes in
what its own units need of them, the report that ends the order all that is left. Extra parts belong
to the next report whatever it makes.
"""

from collections.abc import Iterable, Sequence

from mes_terminal.domain.operations import Reported
from mes_terminal.domain.order import LineFacts, net_target_micro

Waiting = tuple[int, int, int]
"""line id (0: an extra part), lot id, quantity in micro-units."""


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
    for line_id, _, quantity in waiting:
        waits[line_id] = waits.get(line_id, 0) + quantity
    needed = {
        line.line_id: net_target_micro(line, due.of(line))
        - (line.net_taken_micro - waits[line.line_id])
        for line in lines
        if line.line_id in waits
    }
    taken: list[Waiting] = []
    for line_id, lot_id, quantity in waiting:
        part = quantity if not line_id else max(0, min(quantity, needed.get(line_id, quantity)))
        if line_id in needed:
            needed[line_id] -= part
        if part:
            taken.append((line_id, lot_id, part))
    return taken
