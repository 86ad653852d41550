"""How long units take at least by their routing (BF-24, `implausible_close`). Pure."""

from collections.abc import Iterable

from msgspec import Struct


class OperationTime(Struct, frozen=True):
    """The run time of an operation, and how many units are still to pass it."""

    work_centre_id: int | None
    run_minutes_micro: int
    run_basis_micro: int
    units_micro: int


def least_run_s(operations: Iterable[OperationTime]) -> int:
    """Return the seconds that the busiest work centre needs; 0 where no run time is known.

    Work centres work side by side, the operations of one of them do not. Set-up is left out: it may
    have been done before.
    """
    needed: dict[int | None, int] = {}
    for each in operations:
        minutes_micro = each.run_minutes_micro * each.units_micro // each.run_basis_micro
        needed[each.work_centre_id] = needed.get(each.work_centre_id, 0) + minutes_micro
    return max(needed.values(), default=0) * 60 // 1_000_000
