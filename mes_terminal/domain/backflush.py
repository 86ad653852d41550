"""What a report takes, and from which lots: the heart of the station. Pure.

`dues` says what each line still needs for what is reported (BF-4); `Stock` hands out lots in the
order of BF-15 and knows what is left; `draw` brings both together and names how sure each draw is
(BF-37). Lots are split, never merged. `domain.sourcing` draws on more than the shelf: on what is
mounted, which may hold a little more than its books (BF-17), and on substitutes (BF-29).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.domain.operations import Reported
from mes_terminal.domain.order import (
    LineFacts,
    Source,
    Substitute,
    net_target_micro,
    scrap_target_micro,
)
from mes_terminal.domain.outcome import Certainty

PoolKey = tuple[int, int]
"""item_id, location_id: what lines may share."""

NO_BALANCE: Final = 0
"""The balance of a source that is beside the books: what is drawn of it is found there first."""

WEAKEST_LAST: tuple[Certainty, ...] = ("exact", "sole", "pooled", "assumed", "unknown")


class Due(Struct, frozen=True, gc=False):
    """What a line needs now: for the units, and as planned scrap."""

    line: LineFacts
    key: PoolKey
    net_micro: int
    scrap_micro: int


class Piece(Struct, frozen=True, gc=False):
    """Part of a draw, from one balance."""

    source: Source
    quantity_micro: int
    certainty: Certainty | None
    gain_micro: int = 0
    """Of it beyond the books: a gain of the mounted container (BF-17)."""
    substitute: Substitute | None = None
    """The item that stands in for the component (BF-29); `quantity_micro` is then its own."""
    substituted_micro: int = 0
    """How much of the component the substitute counts for."""

    @property
    def covers_micro(self) -> int:
        """What it counts for, in units of the component (BF-4)."""
        return self.quantity_micro if self.substitute is None else self.substituted_micro

    @property
    def is_let_pass(self) -> bool:
        """Is it used in spite of its expiry, a hold, or without its approval (BF-24)?"""
        source = self.source
        return bool(
            source.is_expired
            or source.is_held
            or (self.substitute is not None and self.substitute.is_let_pass)
        )


class Draw(Struct, frozen=True, gc=False):
    """What one line got, and what it did not get."""

    line: LineFacts
    net: Sequence[Piece]
    scrap: Sequence[Piece] = ()
    net_missing_micro: int = 0
    scrap_missing_micro: int = 0
    overdrawn_micro: int = 0
    """What a mounted container of known size should have given and could not (BF-17)."""
    whole: Piece | None = None
    """The one piece that covered the line, where there is nothing else to say: most lines."""

    @property
    def is_plain(self) -> bool:
        """Is it covered as it should be, so that nobody has to look at it?"""
        if self.net_missing_micro or self.scrap_missing_micro or self.overdrawn_micro:
            return False
        for piece in self.net:
            if piece.is_let_pass:
                return False
        return not any(piece.is_let_pass for piece in self.scrap)


class Stock:
    """What can be picked at each location, and what of it is left as a report draws on it.

    `allowances` has, by balance id, what mounted containers of known size may give beyond their
    books (BF-17).
    """

    def __init__(
        self, pools: dict[PoolKey, list[Source]], allowances: dict[int, int] | None = None
    ) -> None:
        self._pools = pools
        self._allowances = allowances or {}
        self.left_micro: dict[int, int] = {}
        """Balance id → what is left, of every balance drawn on."""

    def stands(self, key: PoolKey) -> bool:
        """Is anything of the pool mounted? That comes first in it."""
        sources = self._pools.get(key)
        return bool(sources and sources[0].position)

    def add(self, pools: dict[PoolKey, list[Source]]) -> None:
        """Know more stock; what was drawn of it stays drawn."""
        self._pools |= pools

    def sources(self, key: PoolKey) -> Sequence[Source]:
        """Return the pool in the order of BF-15."""
        return self._pools.get(key, ())

    def is_sized(self, source: Source) -> bool:
        """Is it known how much the mounted container holds?"""
        return bool(source.position) and source.balance_id in self._allowances

    def available_micro(self, source: Source, *, with_gain: bool) -> int:
        """Return what is left of a balance, and what its container may give beyond."""
        left = self.left_micro.get(source.balance_id, source.quantity_micro)
        return left + self._allowances.get(source.balance_id, 0) if with_gain else left

    def draw(self, source: Source, quantity_micro: int) -> int:
        """Draw from a balance; return what of it is beyond the books."""
        left = self.left_micro.get(source.balance_id, source.quantity_micro) - quantity_micro
        gain = max(0, -left)
        self.left_micro[source.balance_id] = left + gain
        if gain:
            self._allowances[source.balance_id] -= gain
        return gain

    def take_from_first(
        self, key: PoolKey, quantity_micro: int, position: str = ""
    ) -> Source | None:
        """Draw from the pool's first balance, or the first in a position, if that covers it all:
        what most lines find."""
        sources = self._pools.get(key)
        if not sources:
            return None
        source = sources[0]
        if source.position != position:
            for source in sources:
                if source.position == position:
                    break
            else:
                return None
        left = self.left_micro.get(source.balance_id, source.quantity_micro) - quantity_micro
        if left < 0:
            return None
        self.left_micro[source.balance_id] = left
        return source

    def take(self, line: LineFacts, key: PoolKey, quantity_micro: int) -> tuple[list[Piece], int]:
        """Draw up to `quantity_micro` of what is not mounted; return the pieces in order, and what
        is missing."""
        parts: list[Piece] = []
        if not quantity_micro:
            return parts, 0
        left = self.left_micro
        for source in self._pools.get(key, ()):
            if source.position:
                continue
            available = left.get(source.balance_id, source.quantity_micro)
            if available <= 0:
                continue
            part = min(available, quantity_micro)
            left[source.balance_id] = available - part
            parts.append(Piece(source, part, chosen(line, source)))
            quantity_micro -= part
            if not quantity_micro:
                break
        return parts, quantity_micro


def dues(lines: Iterable[LineFacts], reported: Reported) -> list[Due]:
    """Return what each backflushed line needs once so many units count for it (BF-4, BF-11).

    Components with serials are not drawn from stock: they are in the slots (BF-18).
    """
    needed: list[Due] = []
    for line in lines:
        if line.issue_method != "backflush" or line.tracking == "serial":
            continue
        units = reported.of(line)
        net = max(0, net_target_micro(line, units) - line.net_taken_micro)
        scrap = 0
        if line.gross_num != line.net_num or line.gross_den != line.net_den:
            scrap = max(0, scrap_target_micro(line, units) - line.scrap_taken_micro)
        if net or scrap:
            needed.append(Due(line, (line.item_id, line.location_id), net, scrap))
    return needed


def first_pools(
    needed: Sequence[Due], mounted: dict[PoolKey, list[Source]]
) -> tuple[dict[PoolKey, list[Source]], set[PoolKey]]:
    """Return the pools that their first balance covers, and the keys of those to read whole."""
    wanted: dict[PoolKey, int] = {}
    for due in needed:
        wanted[due.key] = wanted.get(due.key, 0) + due.net_micro + due.scrap_micro
    pools: dict[PoolKey, list[Source]] = {}
    to_read: set[PoolKey] = set()
    for due in needed:
        line, key = due.line, due.key
        if key in mounted or wanted[key] > line.available_micro > 0:
            to_read.add(key)
        elif line.available_micro:
            pools[key] = [
                Source(
                    line.balance_id,
                    line.lot_id,
                    line.container_id,
                    line.lot,
                    line.expires_on,
                    line.available_micro,
                )
            ]
    return pools, to_read


def runs_out(needed: Sequence[Due], mounted: dict[PoolKey, list[Source]]) -> bool:
    """Tell whether lines need more than the books have of what is mounted for them: in the position
    that is theirs, or anywhere."""
    wanted: dict[tuple[PoolKey, str], int] = {}
    for due in needed:
        if due.key in mounted:
            for asked in ((due.key, due.line.position), (due.key, "")):
                wanted[asked] = wanted.get(asked, 0) + due.net_micro + due.scrap_micro
    for (key, position), micro in wanted.items():
        there = [one for one in mounted[key] if position in (one.position, "")]
        # a lot and a box of it may both be mounted: its balance is there once
        books = {one.balance_id: one.quantity_micro for one in there}
        if len(books) < len(there) or (there and sum(books.values()) < micro):
            return True
    return False


def draw(needed: Sequence[Due], stock: Stock) -> list[Draw]:
    """Draw what is due from the books of what is not mounted, in the pools' order (BF-15)."""
    draws: list[Draw] = []
    for due in needed:
        line = due.line
        key = due.key
        if line.mount_required:
            draws.append(Draw(line, (), (), due.net_micro, due.scrap_micro))
            continue
        if not due.scrap_micro:
            source = stock.take_from_first(key, due.net_micro)
            if source is not None:
                piece = Piece(source, due.net_micro, chosen(line, source))
                draws.append(Draw(line, (piece,), whole=piece))
                continue
        net, net_missing = stock.take(line, key, due.net_micro)
        scrap, scrap_missing = stock.take(line, key, due.scrap_micro)
        draws.append(Draw(line, net, scrap, net_missing, scrap_missing))
    return draws


def short_keys(draws: Iterable[Draw]) -> set[PoolKey]:
    """Return the items at places of which something is missing that would be owed or refused: what
    goes below zero by its policy is not (BF-20)."""
    return {
        (each.line.item_id, each.line.location_id)
        for each in draws
        if (each.net_missing_micro or each.scrap_missing_micro)
        and each.line.shortage_policy != "negative"
    }


def found_uncounted(draws: Iterable[Draw], sources: Mapping[PoolKey, Source]) -> list[Draw]:
    """Return the draws with what is missing of uncounted items found beside the books: a gain of
    the item's nameless lot, used at once (BF-20, go-live)."""
    found: list[Draw] = []
    for each in draws:
        line = each.line
        source = sources.get((line.item_id, line.location_id))
        missing = (each.net_missing_micro, each.scrap_missing_micro)
        if source is None or not any(missing) or line.shortage_policy == "negative":
            found.append(each)
            continue
        sure: Certainty | None = None if line.tracking == "none" else "unknown"
        net, scrap = ([Piece(source, micro, sure, micro)] if micro else [] for micro in missing)
        found.append(
            Draw(
                line,
                [*each.net, *net],
                [*each.scrap, *scrap],
                overdrawn_micro=each.overdrawn_micro,
            )
        )
    return found


def uncounted_keys(draws: Iterable[Draw]) -> set[PoolKey]:
    """Return the items at places of which something was found so."""
    return {
        (each.line.item_id, each.line.location_id)
        for each in draws
        for piece in (*each.net, *each.scrap)
        if piece.source.balance_id == NO_BALANCE
    }


def in_line_order(lines: Iterable[LineFacts], draws: Iterable[Draw]) -> list[Draw]:
    """Return draws in the order of their lines."""
    place = {line.line_id: position for position, line in enumerate(lines)}
    return sorted(draws, key=lambda each: place[each.line.line_id])


def chosen(item: LineFacts | Substitute, source: Source) -> Certainty | None:
    """Return how sure a lot is that the program chose (BF-37)."""
    if item.tracking == "none":
        return None
    return "sole" if source.lot_id == item.sole_lot_id else "assumed"


def weaker(one: Certainty, other: Certainty) -> Certainty:
    """Return the less certain of two."""
    return max(one, other, key=WEAKEST_LAST.index)
