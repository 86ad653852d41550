"""What a load changes about orders that are being worked on, for the station to tell (BF-7).

An order that nobody has begun here may change as it likes. Called by the planner of orders.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from mes_terminal.domain.explosion import ExplodedLine
from mes_terminal.domain.operations import OperationFacts, reported
from mes_terminal.domain.order_changes import (
    FrozenLine,
    OrderChange,
    frozen_line,
    line_changes,
    merged,
    read,
    written,
)
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.exchange import rows
from mes_terminal.store.order_snapshot import OrderState, Values


class DueSoFar:
    """How many units the lines of an order were due for before a new version of its snapshot."""

    def __init__(self, state: OrderState, operations: Sequence[OperationFacts]) -> None:
        so_far = reported(operations, state.good_micro + state.scrapped_micro)
        self.units_micro = so_far.units_micro
        """Of a line without an operation."""
        self._by_operation = {each.operation: so_far.by_position[each.position]
                              for each in operations}  # fmt: skip

    def of(self, operation: str | None) -> int:
        """Return the units that a line of the operation was due for."""
        return self._by_operation.get(operation or "", self.units_micro)


def to_tell(
    row: rows.WorkOrderRow, state: OrderState | None, of_lines: Iterable[OrderChange]
) -> str | None:
    """Return what the station has to tell of the order from now on, as it is kept with it."""
    if state is None or not _is_begun(state):
        return None
    untold = read(state.changes)
    return written(merged(untold, [*_of_order(row, state), *of_lines]))


def changed_lines(
    was: Iterable[Values], now: Iterable[ExplodedLine], due: DueSoFar
) -> list[OrderChange]:
    """Return how the frozen lines `was` differ from those of the new version."""
    old = {line["line"]: line for line in was}
    new = {line.line: line for line in now}
    after = {name: due.of(line["operation"]) for name, line in old.items()}
    after |= {name: due.of(line.operation) for name, line in new.items()}
    return line_changes(
        {name: _frozen(line) for name, line in old.items()},
        {name: frozen_line(line) for name, line in new.items()},
        after,
    )


def _is_begun(state: OrderState) -> bool:
    open_ = state.status in ("released", "started", "hold")
    return open_ and (state.is_current or state.touched or state.status == "started")


def _of_order(row: rows.WorkOrderRow, state: OrderState) -> Iterator[OrderChange]:
    if row.quantity != state.quantity_micro:
        quantities = (format_quantity(micro) for micro in (state.quantity_micro, row.quantity))
        yield OrderChange("quantity", *quantities)
    if row.due_at != state.due_at:
        yield OrderChange("due_at", state.due_at, row.due_at)
    if row.sequence != state.sequence:
        yield OrderChange("sequence", _text(state.sequence), _text(row.sequence))


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _frozen(line: Values) -> FrozenLine:
    return FrozenLine(
        line["component"],
        Fraction(line["net_num"], line["net_den"]),
        line["basis"] == "per_unit",
        line["location"],
    )
