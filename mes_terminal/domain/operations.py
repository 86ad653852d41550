"""How far the units of an order are: what operations have delivered, and what that posts (BF-11).

Pure. An operation's `good` are the units that passed it, those scrapped later included; its
`scrapped` are those it ended with. What is reported at an operation has passed the earlier ones:
they are swept up to it. Lines post with the next backflush point from their own operation on.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.labour import Labour, labour_of
from mes_terminal.domain.order import LineFacts
from mes_terminal.domain.quantity import MICRO


class OperationFacts(Struct, frozen=True):
    """An operation of an order's snapshot. Quantities in micro-units of the product."""

    position: int
    operation: str
    description: str
    is_backflush_point: int
    overlap: int
    good_micro: int
    scrapped_micro: int
    work_centre: str | None = None
    setup_minutes_micro: int = 0
    run_minutes_micro: int = 0
    run_basis_micro: int = MICRO


class Gain(Struct, frozen=True):
    """What an operation gains by a report, or loses by a reversal."""

    position: int
    operation: str
    good_micro: int
    scrapped_micro: int
    work_centre: str | None
    labour: Labour


def gains(
    operations: Sequence[OperationFacts], position: int, good_micro: int, scrapped_micro: int
) -> list[Gain]:
    """Return what each operation gains when so many pass, or end at, the one at `position`.

    Units that had passed it and end there after all are good no longer: `good_micro` below zero.
    """
    found: list[Gain] = []
    wanted = 0
    for each in reversed(operations):
        if each.position > position:
            continue
        if each.position == position:
            good, scrapped = good_micro, scrapped_micro
        else:
            good, scrapped = max(0, wanted - each.good_micro), 0
        wanted = each.good_micro + good + each.scrapped_micro + scrapped
        if good or scrapped:
            found.append(_gain(each, good, scrapped))
    return found[::-1]


def losses(
    operations: Sequence[OperationFacts], changes: Iterable[tuple[int, int, int]]
) -> list[Gain]:
    """Return what operations lose by a reversal, as gains below zero, with the labour given back.

    `operations` as they stand before it, `changes` as (position, good, scrapped).
    """
    standing_at = {each.position: each for each in operations}
    return [_gain(standing_at[position], good, ended) for position, good, ended in changes]


def _gain(operation: OperationFacts, good_micro: int, scrapped_micro: int) -> Gain:
    worked_on = operation.good_micro + operation.scrapped_micro
    return Gain(
        operation.position,
        operation.operation,
        good_micro,
        scrapped_micro,
        operation.work_centre,
        labour_of(operation, worked_on, worked_on + good_micro + scrapped_micro),
    )


def after(
    operations: Sequence[OperationFacts], gained: Sequence[Gain]
) -> tuple[OperationFacts, ...]:
    """Return the operations as they stand with what they gained."""
    more = {gain.position: gain for gain in gained}
    return tuple(
        each
        if (gain := more.get(each.position)) is None
        else replace(
            each,
            good_micro=each.good_micro + gain.good_micro,
            scrapped_micro=each.scrapped_micro + gain.scrapped_micro,
        )
        for each in operations
    )


class Reported(Struct, frozen=True):
    """How many units count for each line of an order (BF-4 with BF-11)."""

    units_micro: int
    """Good and scrapped units of the order."""
    by_position: dict[int, int] = {}
    """Operation → units that its lines are due for; a line without one is due at completion."""

    def of(self, line: LineFacts) -> int:
        """Return how many units the line is due for."""
        if not line.operation_position:
            return self.units_micro
        return self.by_position.get(line.operation_position, self.units_micro)


def reported(operations: Sequence[OperationFacts], units_micro: int) -> Reported:
    """Return what lines are due for: without operations `units_micro`, good and scrapped."""
    due: dict[int, int] = {}
    passed = ended = 0
    for each in reversed(operations):
        if each.is_backflush_point:
            passed, ended = each.good_micro, 0
        ended += each.scrapped_micro
        due[each.position] = passed + ended
    return Reported(due[operations[-1].position] if operations else units_micro, due)


def available_micro(operations: Sequence[OperationFacts], position: int) -> int | None:
    """Return how many units the nearest earlier reporting operation has for this one; `None` if
    there is no such operation (BF-11)."""
    ended = 0
    here = next(each for each in operations if each.position == position)
    for each in reversed(operations[: operations.index(here)]):
        if each.is_backflush_point:
            return each.good_micro - here.good_micro - here.scrapped_micro - ended
        ended += each.scrapped_micro
    return None


def standing(operations: Sequence[OperationFacts]) -> tuple[int, int] | None:
    """Return the last operation with units that have passed it and not come to the next one, and
    how many; `None` if there are none. That is where a unit taken from the line stands (BF-26).
    """
    for each, later in reversed(list(pairwise(operations))):
        waiting = each.good_micro - later.good_micro - later.scrapped_micro
        if waiting > 0:
            return each.position, waiting
    return None
