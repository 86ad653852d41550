"""What of a report goes back when it, or a part of it, is taken back: from the records (BF-31).

Pure. Of a part every line gives its share of what the report recorded for it, rounded down to the
step and counted over all parts together, so that the last part gives exactly the rest. What is
still owed goes first, then what was posted later, the latest first, then the report's own
movements, the last one first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from mes_terminal.domain.operations import OperationFacts, Reported, reported
from mes_terminal.domain.posting import EdgeRow
from mes_terminal.domain.quantity import floor_to_step
from mes_terminal.domain.recorded import ByHand, Later, Moved, OwedPart, Taken, Use


class Voided(Struct, frozen=True):
    """What of an exception's part is void with the reversal (BF-23)."""

    part: OwedPart
    quantity_micro: int
    scrap_micro: int


class Unwritten(Struct, frozen=True):
    """What of a write-off goes back."""

    event_seq: int
    line_id: int
    quantity_micro: int
    scrap_micro: int


class Released(Struct, frozen=True):
    """What of the material by hand waits for a report again."""

    by_hand: ByHand
    quantity_micro: int
    covers_micro: int


class LineShare(Struct, frozen=True):
    """What the share of a line follows from."""

    operation_position: int
    per_unit: int
    step_micro: int


class Part(Struct, frozen=True, kw_only=True):
    """How much of a report goes back."""

    units_micro: int
    """What the report was about."""
    before_micro: int
    """What of it went back before."""
    part_micro: int
    is_rest: bool
    """Nothing of it stands afterwards."""
    due: Reported = Reported(0)
    """How many units of the report each line was due for."""
    lines: Mapping[int, LineShare] = {}
    product_id: int = 0
    per_order_items: frozenset[int] = frozenset()
    """By-products that come once for the order."""
    reopens: bool = False
    """The order is open again."""

    @property
    def after_micro(self) -> int:
        """What of it has gone back with this part."""
        return self.before_micro + self.part_micro

    def share(self, recorded_micro: int, line_id: int | None) -> int:
        """Return what of so much for a line has gone back with this part, in whole steps."""
        line = self.lines.get(line_id or 0)
        if line is None or not line.per_unit:
            return 0
        gain = self.due.by_position.get(line.operation_position, self.due.units_micro)
        if gain <= 0:
            return 0
        return floor_to_step(recorded_micro * min(self.after_micro, gain), gain, line.step_micro)


class Back(Struct, frozen=True):
    """What goes back."""

    taken: list[Taken]
    """In the order recorded: the report's own, then what was posted later."""
    voided: list[Voided]
    unwritten: list[Unwritten]
    released: list[Released]


def due_of(
    operations: Sequence[OperationFacts], gained: Iterable[tuple[int, int, int]], units_micro: int
) -> Reported:
    """Return how many units of a report lines were due for by what its operations gained."""
    gains = {position: (good, scrapped) for position, good, scrapped in gained}
    alone = [
        OperationFacts(
            each.position,
            each.operation,
            each.description,
            each.is_backflush_point,
            each.overlap,
            *gains.get(each.position, (0, 0)),
        )
        for each in operations
    ]
    return reported(alone, units_micro)


def lost_by(
    gained: Iterable[tuple[int, int, int]], before_micro: int, after_micro: int
) -> list[tuple[int, int, int]]:
    """Return what operations lose, as (position, good, scrapped), when of a report `after_micro`
    instead of `before_micro` units have gone back: those it swept itself first."""
    return [
        (position, new_good - old_good, new_ended - old_ended)
        for position, good, scrapped in gained
        for old_good, old_ended in (_lost(good, scrapped, before_micro),)
        for new_good, new_ended in (_lost(good, scrapped, after_micro),)
        if (new_good, new_ended) != (old_good, old_ended)
    ]


def _lost(good: int, scrapped: int, units_micro: int) -> tuple[int, int]:
    ended = min(units_micro, scrapped)
    return ended - min(units_micro, good + scrapped), -ended


def goes_back(
    part: Part,
    own: Sequence[Moved],
    later: Sequence[Later],
    owed: Sequence[OwedPart],
    by_hand: Sequence[ByHand],
) -> Back:
    """Return what goes back of a report's movements, exceptions and material by hand."""
    if part.is_rest:
        return _everything(own, later, owed, by_hand)
    given = _Given()
    for line_id, use in _needs(own, later, owed):
        _of_line(part, line_id, use, own, later, owed, given)
    _of_outputs(part, own, given)
    _of_gains([own, *(each.moved for each in later)], given)
    for each in owed:
        if not each.is_owed:
            _of_exception(part, each, given)
    return Back(
        [given.taken[one.movement_seq] for one in _all(own, later)
         if one.movement_seq in given.taken],
        [Voided(each, net + scrap, scrap) for each, net, scrap in given.voided.values()],
        [Unwritten(*key, net, scrap) for key, (net, scrap) in given.unwritten.items()],
        [one for each in by_hand if (one := _released(part, each)) is not None],
    )  # fmt: skip


def edges_back(
    part: Part, standing: Sequence[EdgeRow], back: Back, node_id: int | None
) -> list[EdgeRow]:
    """Return the edges that go back, below zero: all that stand, or exactly what a part gives.

    `node_id` is what units in process are made of: as many of them go back as units do.
    """
    less: dict[tuple[int, int], int] = {}
    for taken in back.taken:
        if taken.moved.use == "net":
            _add(less, taken.moved.lot_id, taken.moved.line_id or 0, taken.quantity_micro)
    for each in back.voided:
        if each.part.is_owed and each.part.nameless_lot_id is not None:
            net = each.quantity_micro - each.scrap_micro
            _add(less, each.part.nameless_lot_id, each.part.line_id or 0, net)
    for one in back.released:
        _add(less, one.by_hand.lot_id, one.by_hand.line_id, one.quantity_micro)
    if node_id is not None:
        _add(less, node_id, 0, part.part_micro)
    rows: list[EdgeRow] = []
    for child_id, parent_id, line_id, quantity, certainty in standing:
        goes = quantity if part.is_rest else min(quantity, less.get((parent_id, line_id), 0))
        if goes:
            rows.append((child_id, parent_id, line_id, -goes, certainty))
    return rows


class _Given(Struct):
    """What has been found to go back so far."""

    taken: dict[int, Taken] = {}
    voided: dict[int, tuple[OwedPart, int, int]] = {}
    """Exception id → part, for the units, as scrap."""
    unwritten: dict[tuple[int, int], tuple[int, int]] = {}


def _everything(
    own: Sequence[Moved],
    later: Sequence[Later],
    owed: Sequence[OwedPart],
    by_hand: Sequence[ByHand],
) -> Back:
    return Back(
        [Taken(one, one.left_micro, one.left_covers_micro) for one in _all(own, later)
         if one.left_micro or one.left_covers_micro],
        [Voided(each, each.left_micro, each.left_scrap_micro) for each in owed
         if each.is_open and each.left_micro > 0],
        [Unwritten(each.event_seq, each.line_id, each.written_micro, each.written_scrap_micro)
         for each in later if each.written_micro or each.written_scrap_micro],
        [Released(each, each.quantity_micro - each.given_micro,
                  each.covers_micro - each.given_covers_micro)
         for each in by_hand if each.quantity_micro != each.given_micro],
    )  # fmt: skip


def _all(own: Sequence[Moved], later: Sequence[Later]) -> Iterator[Moved]:
    yield from own
    for each in later:
        yield from each.moved


def _needs(
    own: Sequence[Moved], later: Sequence[Later], owed: Sequence[OwedPart]
) -> list[tuple[int, Use]]:
    found: dict[tuple[int, Use], None] = {}
    for one in _all(own, later):
        if one.use is not None and one.line_id is not None:
            found[one.line_id, one.use] = None
    for line_id in (*(each.line_id for each in owed if each.is_owed), *(e.line_id for e in later)):
        if line_id is not None:
            found[line_id, "net"] = found[line_id, "scrap"] = None
    return list(found)


def _of_line(
    part: Part,
    line_id: int,
    use: Use,
    own: Sequence[Moved],
    later: Sequence[Later],
    owed: Sequence[OwedPart],
    given: _Given,
) -> None:
    parts = [each for each in owed if each.is_owed and each.line_id == line_id]
    healed = [each for each in later if each.line_id == line_id]
    moved = [one for one in own if one.line_id == line_id and one.use == use]
    posted = [[one for one in each.moved if one.use == use] for each in healed]
    was_given = sum(each.given(use) for each in parts)
    was_given += sum(one.given_covers_micro for one in (*moved, *(o for p in posted for o in p)))
    was_given += sum(_written(each, use)[1] for each in healed)
    standing = sum(each.left(use) for each in parts)
    standing += sum(one.left_covers_micro for one in (*moved, *(o for p in posted for o in p)))
    standing += sum(_written(each, use)[0] for each in healed)
    left = min(standing, part.share(was_given + standing, line_id) - was_given)
    for each in parts:
        left -= _void(each, use, min(left, each.left(use)), given)
    for one, rows in reversed(list(zip(healed, posted, strict=True))):
        left -= _unwrite(one, use, min(left, _written(one, use)[0]), given)
        left = _take(rows, left, given)
    _take(moved, left, given)


def _written(each: Later, use: Use) -> tuple[int, int]:
    """Return what is written off, and what of that has gone back."""
    if use == "scrap":
        return each.written_scrap_micro, each.given_written_scrap_micro
    return each.written_micro, each.given_written_micro


def _void(each: OwedPart, use: Use, quantity: int, given: _Given) -> int:
    if quantity > 0:
        _, net, scrap = given.voided.get(each.exception_id, (each, 0, 0))
        more = (net, scrap + quantity) if use == "scrap" else (net + quantity, scrap)
        given.voided[each.exception_id] = (each, *more)
    return max(0, quantity)


def _unwrite(each: Later, use: Use, quantity: int, given: _Given) -> int:
    if quantity > 0:
        key = (each.event_seq, each.line_id)
        net, scrap = given.unwritten.get(key, (0, 0))
        more = (net, scrap + quantity) if use == "scrap" else (net + quantity, scrap)
        given.unwritten[key] = more
    return max(0, quantity)


def _take(rows: Sequence[Moved], left: int, given: _Given) -> int:
    """Take so much of the component back, the last movement first; return what is then left.

    Of a substitute goes back what covered it, in whole steps: the last part has the rest."""
    for one in reversed(rows):
        covers = min(left, one.left_covers_micro)
        if covers > 0:
            given.taken[one.movement_seq] = Taken(one, _quantity_for(one, covers), covers)
            left -= covers
    return left


def _quantity_for(one: Moved, covers: int) -> int:
    if one.covers_micro == one.quantity_micro:
        return covers
    reached = one.back_covers_micro + covers
    if reached == one.covers_micro:
        return one.left_micro
    so_far = floor_to_step(one.quantity_micro * reached, one.covers_micro, one.step_micro)
    return max(0, so_far - one.back_micro)


def _of_outputs(part: Part, own: Sequence[Moved], given: _Given) -> None:
    """The product goes back by the units; what came with it by its share (BF-30)."""
    for one in own:
        if one.kind != "production":
            continue
        if one.item_id == part.product_id:
            quantity = min(part.part_micro, one.left_micro)
        elif one.item_id in part.per_order_items:
            quantity = 0
        else:
            share = floor_to_step(
                one.quantity_micro * part.after_micro, part.units_micro, one.step_micro
            )
            quantity = min(one.left_micro, share - one.back_micro)
        if quantity > 0:
            given.taken[one.movement_seq] = Taken(one, quantity, quantity)


def _of_gains(groups: Iterable[Sequence[Moved]], given: _Given) -> None:
    """What a container gave beyond its books stands just before what was drawn of it (BF-17): it
    was drawn last, so it goes back first."""
    for rows in groups:
        for gain, drawn in pairwise(rows):
            if gain.kind != "adjustment" or drawn.movement_seq not in given.taken:
                continue
            reached = drawn.back_micro + given.taken[drawn.movement_seq].quantity_micro
            quantity = min(reached, gain.quantity_micro) - gain.back_micro
            if quantity > 0:
                given.taken[gain.movement_seq] = Taken(gain, quantity, quantity)


def _of_exception(part: Part, each: OwedPart, given: _Given) -> None:
    """What is told of the report beside what it owes: too much was made (the last units), an order
    that ended off its target and is open again, or a line's share of what was let pass."""
    left = each.left("net") + each.left("scrap")
    if each.kind == "over_completion":
        quantity = min(part.after_micro, each.quantity_micro) - each.given_micro
    elif each.kind == "consumption":
        quantity = left if part.reopens else 0
    else:
        quantity = part.share(each.quantity_micro, each.line_id) - each.given_micro
    _void(each, "net", min(left, quantity), given)


def _released(part: Part, each: ByHand) -> Released | None:
    """Return what goes on waiting of what was issued for a line; extra parts go with the whole."""
    if not each.line_id or not each.covers_micro:
        return None
    reached = part.share(each.covers_micro, each.line_id)
    covers = reached - each.given_covers_micro
    quantity = covers
    if each.covers_micro != each.quantity_micro:
        so_far = floor_to_step(each.quantity_micro * reached, each.covers_micro, each.step_micro)
        quantity = so_far - each.given_micro
    if covers <= 0 and quantity <= 0:
        return None
    return Released(each, max(0, quantity), max(0, covers))


def _add(sums: dict[tuple[int, int], int], lot_id: int, line_id: int, quantity: int) -> None:
    sums[lot_id, line_id] = sums.get((lot_id, line_id), 0) + quantity
