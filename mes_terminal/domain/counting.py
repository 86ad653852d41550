"""What a count of an item found, and what has to be booked for it (BF-32). Pure.

A count is compared with what the books said at the moment of each scan, so the line need not stop:
what is booked is the difference, however much was used since.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.order import PERCENT_MICRO, net_target_micro
from mes_terminal.domain.quantity import floor_to_step


class CountedStock(Struct, frozen=True):
    """A balance of the item at the place of the count. Quantities in micro-units."""

    lot_id: int
    container_id: int
    book_micro: int
    """What the books said when it was counted; of what was not, what they say now."""
    counted_micro: int | None
    """`None`: nobody found any of it."""


class CountedItem(Struct, frozen=True, kw_only=True):
    """An item of a count. Quantities in micro-units of the item."""

    item_id: int
    item: str
    uom: str
    step_micro: int
    tracking: str
    owed_micro: int
    """Used by units that were made, and not booked yet (BF-20)."""
    in_process_micro: int
    """Used by units that are on the line, and not booked yet."""
    stock: tuple[CountedStock, ...]
    """In the order in which it would be picked (BF-15)."""


class ProcessLine(Struct, frozen=True):
    """An order line of a counted item whose units may hold some of it, in micro-units."""

    item_id: int
    work_order_id: int
    per_unit: int
    net_num: int
    net_den: int
    step_micro: int
    since_micro: int
    taken_micro: int
    """What the line has had, owed included."""
    reported_micro: int
    """Good and scrapped units of the order."""
    passed_micro: int | None
    """Units that passed its operation; `None`: the order has no routing."""


class Change(Struct, frozen=True):
    """What is to be booked for one balance, below zero if there is less of it."""

    lot_id: int
    container_id: int
    delta_micro: int


class Finding(Struct, frozen=True):
    """What the count of an item comes to."""

    expected_micro: int
    counted_micro: int
    changes: tuple[Change, ...]

    @property
    def difference_micro(self) -> int:
        """How much more there was than expected."""
        return self.counted_micro - self.expected_micro


def find(item: CountedItem) -> Finding:
    """Return what was expected, what was counted and what makes the books right.

    Expected is the book less what is owed and less what units in process hold (BF-32). What they
    used explains first what is missing of some lot; what it does not explain there is was found
    beside the books: in no lot, and so nothing to book, where the place has none of the item.
    """
    gone = item.owed_micro + item.in_process_micro
    found = list(_by_balance(item.stock))
    changes: list[Change] = []
    for each in found:
        explained = min(gone, max(0, -each.delta_micro))
        gone -= explained
        changes.append(replace(each, delta_micro=each.delta_micro + explained))
    if gone and changes:
        more = max(changes, key=lambda each: each.delta_micro)
        at = changes.index(more)
        changes[at] = replace(more, delta_micro=more.delta_micro + gone)
    book = sum(each.book_micro for each in item.stock)
    return Finding(
        expected_micro=book - item.owed_micro - item.in_process_micro,
        counted_micro=sum(each.counted_micro or 0 for each in item.stock),
        changes=tuple(each for each in changes if each.delta_micro),
    )


def is_within(finding: Finding, *, pct_micro: int, step_micro: int) -> bool:
    """Tell whether the difference is one that nobody has to approve: so many micro-percent of what
    was expected, rounded down to the item's step."""
    allowed = floor_to_step(max(0, finding.expected_micro) * pct_micro, PERCENT_MICRO, step_micro)
    return abs(finding.difference_micro) <= allowed


def in_process_micro(item_id: int, lines: Iterable[ProcessLine], units: Mapping[int, int]) -> int:
    """Return what units that were begun and not reported hold of the item: what passed operations
    took and reports have not posted; without a routing, the `units` of an order by its id, that
    somebody found on the line."""
    held = 0
    for line in lines:
        if line.item_id != item_id:
            continue
        passed = line.passed_micro
        if passed is None:
            passed = line.reported_micro + units.get(line.work_order_id, 0)
        held += max(0, net_target_micro(line, passed) - line.taken_micro)
    return held


def _by_balance(stock: Sequence[CountedStock]) -> Iterator[Change]:
    """Yield the plain difference of each balance."""
    for lot_id in dict.fromkeys(each.lot_id for each in stock):
        of_lot = [each for each in stock if each.lot_id == lot_id]
        loose = next((each for each in of_lot if not each.container_id), None)
        if loose is None or loose.counted_micro is None:
            yield from map(_difference, of_lot)
        else:
            yield from _of_whole_lot(of_lot, loose.counted_micro)


def _of_whole_lot(of_lot: Sequence[CountedStock], counted_micro: int) -> Iterator[Change]:
    """Yield the differences of a lot whose own label was scanned: the number stands for all of its
    containers that were not scanned themselves."""
    covered = [each for each in of_lot if not each.container_id or each.counted_micro is None]
    yield from (_difference(each) for each in of_lot if each not in covered)
    more = counted_micro - sum(each.book_micro for each in covered)
    if more >= 0:
        yield Change(of_lot[0].lot_id, 0, more)
        return
    for each in covered:
        taken = min(-more, max(0, each.book_micro))
        more += taken
        yield Change(each.lot_id, each.container_id, -taken)


def _difference(each: CountedStock) -> Change:
    return Change(each.lot_id, each.container_id, (each.counted_micro or 0) - each.book_micro)
