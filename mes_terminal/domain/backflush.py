"""What a report takes, and from which lots: the heart of the station. Pure.

`dues` says what each line still needs for what is reported (BF-4); `Stock` hands out lots in the
order of BF-15 and knows what is left; `draw` brings both together and names how sure each draw is
(BF-37). Lots are split, never merged.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from mes_terminal.domain.order import LineFacts, Source, net_target_micro, scrap_target_micro
from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.quantity import MICRO

PoolKey = tuple[int, int]
"""item_id, location_id: what lines may share."""

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


class Draw(Struct, frozen=True):
    """What one line got, and what it did not get."""

    line: LineFacts
    net: list[Piece]
    scrap: list[Piece] = []
    net_missing_micro: int = 0
    scrap_missing_micro: int = 0


class Stock:
    """What can be picked at each location, and what of it is left as a report draws on it."""

    def __init__(self, pools: dict[PoolKey, list[Source]]) -> None:
        self._pools = pools
        self.left_micro: dict[int, int] = {}
        """Balance id → what is left, of every balance drawn on."""

    def take_from_first(self, key: PoolKey, quantity_micro: int) -> Source | None:
        """Draw from the pool's first balance if that covers it all: what most lines find."""
        sources = self._pools.get(key)
        if not sources:
            return None
        source = sources[0]
        left = self.left_micro.get(source.balance_id, source.quantity_micro) - quantity_micro
        if left < 0:
            return None
        self.left_micro[source.balance_id] = left
        return source

    def take(
        self, key: PoolKey, quantity_micro: int, *, mounted_only: bool
    ) -> tuple[list[tuple[Source, int]], int]:
        """Draw up to `quantity_micro`; return the parts in order and what is missing."""
        parts: list[tuple[Source, int]] = []
        if not quantity_micro:
            return parts, 0
        left = self.left_micro
        for source in self._pools.get(key, ()):
            if mounted_only and not source.mounted:
                continue
            available = left.get(source.balance_id, source.quantity_micro)
            if available <= 0:
                continue
            part = min(available, quantity_micro)
            left[source.balance_id] = available - part
            parts.append((source, part))
            quantity_micro -= part
            if not quantity_micro:
                break
        return parts, quantity_micro


def dues(lines: Iterable[LineFacts], reported_micro: int) -> list[Due]:
    """Return what each backflushed line needs once `reported_micro` units are reported (BF-4)."""
    needed: list[Due] = []
    for line in lines:
        if line.issue_method != "backflush":
            continue
        net = net_target_micro(line, reported_micro) - line.net_taken_micro
        scrap = 0
        if line.gross_num != line.net_num or line.gross_den != line.net_den:
            scrap = scrap_target_micro(line, reported_micro) - line.scrap_taken_micro
        if net > 0 or scrap > 0:
            key = (line.item_id, line.location_id)
            needed.append(Due(line, key, max(0, net), max(0, scrap)))
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


def draw(needed: Sequence[Due], stock: Stock, *, units_micro: int) -> list[Draw]:
    """Draw what is due from stock: mounted first, then in the pools' order (BF-15).

    `units_micro` is what the report says was made; one unit makes a mounted draw exact.
    """
    draws: list[Draw] = []
    for due in needed:
        line = due.line
        key = due.key
        mounted_only = bool(line.mount_required)
        if not (mounted_only or due.scrap_micro):
            source = stock.take_from_first(key, due.net_micro)
            if source is not None:
                sure = _certainty(line, source, "exact")
                draws.append(Draw(line, [Piece(source, due.net_micro, sure)]))
                continue
        net, net_missing = stock.take(key, due.net_micro, mounted_only=mounted_only)
        scrap: list[tuple[Source, int]] = []
        scrap_missing = 0
        if due.scrap_micro:
            scrap, scrap_missing = stock.take(key, due.scrap_micro, mounted_only=mounted_only)
        mounted = _mounted_certainty(net, scrap, one_unit=units_micro <= MICRO)
        draws.append(
            Draw(
                line,
                [Piece(source, part, _certainty(line, source, mounted)) for source, part in net],
                [Piece(source, part, _certainty(line, source, mounted)) for source, part in scrap],
                net_missing,
                scrap_missing,
            )
        )
    return draws


def _mounted_certainty(
    net: list[tuple[Source, int]], scrap: list[tuple[Source, int]], *, one_unit: bool
) -> Certainty:
    """Return how sure the mounted draws of one line are: all units hold it, or only some may."""
    if one_unit or len(net) + len(scrap) < 2:
        return "exact"
    distinct = {(source.lot_id, source.container_id) for source, _ in (*net, *scrap)}
    return "exact" if len(distinct) == 1 else "pooled"


def _certainty(line: LineFacts, source: Source, mounted: Certainty) -> Certainty | None:
    if line.tracking == "none":
        return None
    if source.mounted:
        return mounted
    return "sole" if source.lot_id == line.sole_lot_id else "assumed"


def weaker(one: Certainty, other: Certainty) -> Certainty:
    """Return the less certain of two."""
    return max(one, other, key=WEAKEST_LAST.index)
