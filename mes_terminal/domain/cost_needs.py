"""What the lines of an order are due for, and what their totals say (BF-4, BF-7, BF-11). Pure.

The measure against which `domain.costing` holds what was taken.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from mes_terminal.domain.cost_facts import CostedOperation, CostFacts, Issue, Need, Use
from mes_terminal.domain.quantity import ceil_to_step, floor_to_step


class Reach(NamedTuple):
    """Units that a line or an operation has worked for, and how many of them ended as scrap."""

    units_micro: int
    lost_micro: int


def reach_of_line(facts: CostFacts, operation: str | None) -> Reach:
    """Return the units a line is due for: those of the next backflush point, and what was scrapped
    on the way there; without an operation those of the last one (BF-11)."""
    if not facts.operations:
        return Reach(facts.good_micro + facts.scrapped_micro, facts.scrapped_micro)
    names = [each.operation for each in facts.operations]
    ahead = facts.operations[names.index(operation) if operation in names else -1 :]
    passed = ended = 0
    for each in reversed(ahead):
        if each.is_backflush_point:
            passed, ended = each.good_micro, 0
        ended += each.scrapped_micro
    return Reach(passed + ended, sum(each.scrapped_micro for each in ahead))


def reach_of_operation(facts: CostFacts, operation: CostedOperation) -> Reach:
    """Return the units an operation worked on, whether it posts material or not."""
    ahead = (each for each in facts.operations if each.position >= operation.position)
    lost = sum(each.scrapped_micro for each in ahead)
    return Reach(operation.good_micro + operation.scrapped_micro, lost)


def required_micro(need: Need, units_micro: int) -> Fraction:
    """Return what the line should have taken for the first `units_micro` units (BF-4, BF-7)."""
    if not units_micro:
        return Fraction(0)
    if units_micro < need.since_micro:
        return Fraction(need.carried_micro * units_micro, need.since_micro)
    return Fraction(need.carried_micro + sum(_targets(need, units_micro - need.since_micro)))


def _targets(need: Need, units_micro: int) -> tuple[int, int]:
    """Return the net and planned-scrap targets of a version of the line for its own units."""
    count = units_micro if need.per_unit else bool(units_micro or need.since_micro)
    net, scrap = need.net * count, (need.gross - need.net) * count
    return (
        ceil_to_step(net.numerator, net.denominator, need.step_micro),
        floor_to_step(scrap.numerator, scrap.denominator, need.step_micro),
    )


def without_report(facts: CostFacts) -> Iterator[Issue]:
    """Yield what the totals of the lines say beyond the issues that are named.

    Lines that were changed after a go-live do not say how much of their total is older.
    """
    seen: dict[tuple[str | None, Use], int] = {}
    for issue in facts.issues:
        key = (issue.line, issue.use)
        covers = issue.quantity_micro if issue.covers_micro is None else issue.covers_micro
        seen[key] = seen.get(key, 0) + covers
    for need in facts.needs:
        if facts.before_micro and (need.since_micro or not need.net):
            continue
        before = (0, 0) if need.bulk else _targets(need, facts.before_micro)
        totals: tuple[tuple[Use, Use, int | None, int], ...] = (
            ("issue", "issue", need.issued_micro, before[0]),
            ("reported_scrap", "planned_scrap", need.scrapped_micro, before[1]),
        )
        for use, named, total_micro, before_micro in totals:
            if total_micro is not None:
                rest = total_micro - before_micro - seen.get((need.line, named), 0)
                yield Issue(need.line, need.price, use, rest)
