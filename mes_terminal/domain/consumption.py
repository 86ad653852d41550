"""What an order took more or less of than it should, judged once: when it ends (BF-24). Pure.

What a line took is what was posted or is owed for its units, by reports or by hand; more than its
target may also be extra parts of its item, which count at the item's first line. What was scrapped
and what containers lost is not in it: neither went into the units.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from mes_terminal.domain.backflush import Draw
from mes_terminal.domain.operations import Reported
from mes_terminal.domain.order import PERCENT_MICRO, LineFacts, net_target_micro
from mes_terminal.domain.quantity import floor_to_step


class OffTarget(Struct, frozen=True):
    """A line that took more or less than its target and the tolerance of its item."""

    line: LineFacts
    is_over: bool
    beyond_micro: int
    """By how much it is beyond the tolerance."""
    taken_micro: int
    target_micro: int


def is_judged(line: LineFacts) -> bool:
    """Tell whether anything is said about what the line took: an item without a tolerance has no
    limit, but what is to be issued by hand must be issued."""
    if line.issue_method == "bulk":
        return False
    limited = line.over_pct_micro is not None or line.under_pct_micro is not None
    return limited or line.issue_method == "manual"


def off_target(
    lines: Iterable[LineFacts],
    draws: Iterable[Draw],
    due: Reported,
    extra_micro: Mapping[int, int],
) -> list[OffTarget]:
    """Return those of the judged lines that end beyond their tolerance. `extra_micro` has, by item
    id, the extra parts that the order used."""
    now = {
        each.line.line_id: sum(piece.covers_micro for piece in each.net) + each.net_missing_micro
        for each in draws
    }
    extra = dict(extra_micro)
    found: list[OffTarget] = []
    for line in lines:
        target = net_target_micro(line, due.of(line))
        taken = line.net_taken_micro + now.get(line.line_id, 0)
        used = taken + extra.pop(line.item_id, 0)
        over = _beyond(line, used - target, target, line.over_pct_micro)
        under_pct = line.under_pct_micro
        if under_pct is None and line.issue_method == "manual":
            under_pct = 0
        under = _beyond(line, target - taken, target, under_pct)
        if over:
            found.append(OffTarget(line, True, over, used, target))
        elif under:
            found.append(OffTarget(line, False, under, taken, target))
    return found


def _beyond(line: LineFacts, difference: int, target: int, pct_micro: int | None) -> int:
    if pct_micro is None:
        return 0
    return max(0, difference - floor_to_step(target * pct_micro, PERCENT_MICRO, line.step_micro))
