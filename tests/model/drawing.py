"""From which stock a line draws, how sure it is, and into what it goes (BF-14 … BF-20, BF-37)."""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from tests.model.books import Books
from tests.model.values import (
    NEVER,
    Edge,
    Heap,
    Line,
    Mount,
    Order,
    Report,
    StandIn,
    StayKey,
    Take,
    later_day,
    text,
    weaker,
)

Place = tuple[str, str, str, str]
Allowances = dict[Place, tuple[StayKey, Fraction]]
"""Heap by its place → whose gain it is, and how much it may give beyond its books."""
Parts = list[tuple[Heap, Fraction]]


class Drawing(Books):
    """Books from which reports draw; `mounts` is by position."""

    def __init__(self, *, shortage_policy: str, planned_scrap: str, lot_overrun_pct: str) -> None:
        super().__init__(planned_scrap=planned_scrap)
        self.shortage_policy = shortage_policy
        self.overrun = Fraction(lot_overrun_pct) / 100
        self.mounts: dict[str, Mount] = {}
        self.sizes: dict[str, tuple[Fraction, bool]] = {}
        """Position → what the tolerance is taken of, and whether a label says so."""
        self.gained: dict[StayKey, Fraction] = {}
        """Gains less losses."""
        self.stays: dict[str, StayKey] = {}
        """Position → the container, or the stay of the bare lot, that is in it."""

    def _policy(self, item: str) -> str:
        own = self.cell("items", (item,), "shortage_policy")
        tracked = self.cell("items", (item,), "tracking") == "lot"
        if not own and tracked and self.shortage_policy == "negative":
            return "exception"
        return own or self.shortage_policy

    def _draw(self, order: Order, reported: Fraction, units: Fraction, at: str) -> list[Take]:
        heaps = self.heaps()
        left = {_place(heap): heap.quantity for heap in heaps}
        more = self._allowances(heaps)
        drawn: list[tuple[Take, Parts, Parts]] = []
        for line in order.lines:
            if line.method != "backflush":
                continue
            net, scrap = self.targets(line, reported)
            taken_net, taken_scrap = self.taken(order, line)
            take = Take(line)
            found = self._found(heaps, left, line.item, line.place, at)
            standing = self._standing(heaps, left, line, at)
            ways = (net - taken_net, scrap - taken_scrap)
            parts = [
                self._cover(left, more, take, found, standing, max(wanted, Fraction(0)))
                for wanted in ways
            ]
            (net_parts, take.owed, take.net_more) = parts[0]
            (scrap_parts, take.owed_scrap, take.scrap_more) = parts[1]
            if net_parts or scrap_parts or take.owed or take.owed_scrap:
                drawn.append((take, net_parts, scrap_parts))
        for take, net_parts, scrap_parts in drawn:
            take.owed, added = self._choose(heaps, left, take.line, net_parts, take.owed, at)
            take.net_more += added
            take.owed_scrap, added = self._choose(
                heaps, left, take.line, scrap_parts, take.owed_scrap, at
            )
            take.scrap_more += added
            self._judge(take, net_parts, scrap_parts, units)
        return [take for take, _, _ in drawn]

    def _judge(self, take: Take, net: Parts, scrap: Parts, units: Fraction) -> None:
        """Name how sure each part is (BF-37)."""
        distinct = {(heap.item, heap.lot, heap.container) for heap, _ in net + scrap}
        scanned = "pooled" if len(distinct) > 1 and units > 1 else "exact"
        take.net = [(heap, part, self._certainty(heap, scanned)) for heap, part in net]
        take.scrap = [(heap, part, self._certainty(heap, scanned)) for heap, part in scrap]

    def _found(
        self, heaps: list[Heap], left: dict[Place, Fraction], item: str, place: str, at: str
    ) -> list[Heap]:
        """Return the heaps that may be drawn on, in their turn."""
        here = [heap for heap in heaps if (heap.item, heap.place) == (item, place)]
        return sorted((heap for heap in here if self._usable(heap, left, at)), key=self._turn)

    def _standing(
        self, heaps: list[Heap], left: dict[Place, Fraction], line: Line, at: str
    ) -> list[tuple[StandIn, list[Heap]]]:
        """Return what stands in the line's position in place of its component."""
        held = self.mounts.get(line.position)
        return [
            (each, [
                heap
                for heap in self._found(heaps, left, each.item, line.place, at)
                if heap.lot == held.lot and held.container in ("", heap.container)
            ])
            for each in line.substitutes
            if held and (held.item, held.place) == (each.item, line.place)
            and not each.needs_approval
        ]  # fmt: skip

    def _cover(
        self, left: dict[Place, Fraction], more: Allowances, take: Take, found: list[Heap],
        standing: list[tuple[StandIn, list[Heap]]], wanted: Fraction,
    ) -> tuple[Parts, Fraction, Fraction]:  # fmt: skip
        """Take what is mounted, what it holds beyond its books, then the rest; return the parts,
        what is missing, and how much more than their quantities they count."""
        parts: Parts = []
        added = Fraction(0)
        mounted = [heap for heap in found if self._is_mounted(heap)]
        for gains in ({}, more):
            wanted -= _draw_on(left, gains, take, mounted, parts, wanted)
            for each, heaps in standing:
                covered, quantity = self._worth(left, gains, take.line, each, heaps, wanted)
                _draw_on(left, gains, take, heaps, parts, quantity)
                wanted, added = wanted - covered, added + covered - quantity
        containers = [heap for _, heaps in standing for heap in heaps] + mounted
        if any(_place(heap) in more for heap in containers):
            take.overdrawn += wanted
        if take.line.mount == "optional":
            others = [heap for heap in found if not self._is_mounted(heap)]
            wanted -= _draw_on(left, {}, take, others, parts, wanted)
        return parts, wanted, added

    def _choose(
        self, heaps: list[Heap], left: dict[Place, Fraction], line: Line, parts: Parts,
        wanted: Fraction, at: str,
    ) -> tuple[Fraction, Fraction]:  # fmt: skip
        """Take what is missing from the substitutes that the station may choose (BF-29); return
        what is missing then, and how much more the parts count."""
        added = Fraction(0)
        for each in line.substitutes:
            if not each.automatic or line.mount == "required":
                continue
            found = self._found(heaps, left, each.item, line.place, at)
            if self.cell("items", (each.item,), "mount") == "required":
                found = [heap for heap in found if self._is_mounted(heap)]
            covered, quantity = self._worth(left, {}, line, each, found, wanted)
            _draw_on(left, {}, Take(line), found, parts, quantity)
            wanted, added = wanted - covered, added + covered - quantity
        return wanted, added

    def _worth(
        self, left: dict[Place, Fraction], more: Allowances, line: Line, each: StandIn,
        heaps: list[Heap], wanted: Fraction,
    ) -> tuple[Fraction, Fraction]:  # fmt: skip
        """Return how much of the component a substitute covers, in whole steps of it unless it
        covers all, and how much of the substitute that takes."""
        step, own = self.step(each.item), self.step(line.item)
        there = sum((_available(left, more, heap) for heap in heaps), Fraction(0))
        covers = wanted
        if ceil(wanted * each.ratio / step) * step > there:
            covers = floor(there / each.ratio / own) * own
        return covers, ceil(covers * each.ratio / step) * step

    def _allowances(self, heaps: list[Heap]) -> Allowances:
        """Return what containers of known size may give beyond their books (BF-17); of a bare lot
        that is one box, its last heap may."""
        known = ["", *self.containers]
        more: Allowances = {}
        for position, mount in sorted(
            self.mounts.items(), key=lambda each: (known.index(each[1].container), each[0])
        ):
            base, sized = self.sizes[position]
            here = [
                heap
                for heap in heaps
                if (heap.item, heap.lot, heap.place) == (mount.item, mount.lot, mount.place)
                and mount.container in ("", heap.container)
            ]
            if not sized or not here:
                continue
            heap = max(here, key=lambda heap: known.index(heap.container))
            key = self.stays[position]
            tolerance = self.tolerance(base, mount.item) - self.gained.get(key, Fraction(0))
            more[_place(heap)] = key, max(Fraction(0), tolerance)
        return more

    def tolerance(self, base: Fraction, item: str) -> Fraction:
        """Return how far gains less losses may lie from zero."""
        step = self.step(item)
        return floor(base * self.overrun / step) * step

    def _usable(self, heap: Heap, left: dict[Place, Fraction], at: str) -> bool:
        """BF-16; what is mounted may be empty by the books."""
        lot = self.lots[heap.item, heap.lot]
        return (
            (left[_place(heap)] > 0 or self._is_mounted(heap))
            and lot["status"] == "available"
            and (lot["expires_on"] or NEVER) >= at[:10]
            and self.arrived[heap.item, heap.lot, heap.container, heap.place] <= at
            and self.cell("locations", (heap.place,), "kind") not in ("hold", "scrap")
        )

    def _turn(self, heap: Heap) -> tuple[Any, ...]:
        """BF-15: mounted, then first expired, then first received, then the lot's number."""
        lot = self.lots[heap.item, heap.lot]
        known = ["", *self.containers]
        return (
            not self._is_mounted(heap), lot["expires_on"] or NEVER, lot["received_at"], heap.lot,
            known.index(heap.container),
        )  # fmt: skip

    def _is_mounted(self, heap: Heap) -> bool:
        return any(
            (each.item, each.lot, each.place) == (heap.item, heap.lot, heap.place)
            and each.container in ("", heap.container)
            for each in self.mounts.values()
        )

    def _certainty(self, heap: Heap, scanned: str) -> str | None:
        """BF-37."""
        if self.cell("items", (heap.item,), "tracking") != "lot":
            return None
        if self._is_mounted(heap):
            return scanned
        return "sole" if self.seen[heap.item, heap.place] == {heap.lot} else "assumed"

    def _go_negative(self, take: Take) -> None:
        """BF-20, `negative`: what is missing comes from the nameless stock all the same."""
        if self._policy(take.line.item) == "negative":
            heap = Heap(take.line.item, "", "", take.line.place, Fraction(0))
            self.lots.setdefault(
                (take.line.item, ""), {"status": "available", "expires_on": "", "received_at": ""}
            )
            if take.owed:
                take.net.append((heap, take.owed, None))
            if take.owed_scrap:
                take.scrap.append((heap, take.owed_scrap, None))
            take.owed = take.owed_scrap = Fraction(0)

    def _produce(
        self, order: Order, quantity: Fraction, takes: list[Take], at: str
    ) -> tuple[tuple[str, str] | None, str]:
        """Make the output lot, if there is output; return it, and what its expiry was (BF-39)."""
        if not quantity:
            return None, ""
        if self.cell("items", (order.item,), "tracking") != "lot":
            self.lots.setdefault(
                (order.item, ""), {"status": "available", "expires_on": "", "received_at": ""}
            )
            return (order.item, ""), ""
        name = order.lot or order.number
        status = self.cell("items", (order.item,), "output_status") or "available"
        lot = self.lots.setdefault(
            (order.item, name), {"status": status, "expires_on": "", "received_at": at}
        )
        before = lot["expires_on"]
        days = [before or NEVER]
        if shelf_life := self.cell("items", (order.item,), "shelf_life_days"):
            days.append(later_day(at[:10], int(shelf_life)))
        if self.cell("items", (order.item,), "inherit_expiry") == "yes":
            days += [
                self.lots[heap.item, heap.lot]["expires_on"] or NEVER
                for take in takes
                for heap, _, _ in take.net
            ]
        lot["expires_on"] = "" if min(days) == NEVER else min(days)
        lot["received_at"] = lot["received_at"] or at
        return (order.item, name), before

    def _edges(self, report: Report) -> list[Edge]:
        assert report.produced
        child = report.produced[1] or report.order
        edges: dict[tuple[str, str, str], Edge] = {}
        for take in report.takes:
            path = take.line.path
            parents = [(heap.item, heap.lot, part, sure) for heap, part, sure in take.net if sure]
            if take.owed and self.cell("items", (take.line.item,), "tracking") == "lot":
                parents.append((take.line.item, "unknown", take.owed, "unknown"))
            for item, lot, part, sure in parents:
                known = edges.get((path, item, lot))
                if known:
                    part, sure = part + known.quantity, weaker(sure, known.certainty)
                edges[path, item, lot] = Edge(child, lot, path, part, sure)
        return list(edges.values())

    def _drawn(self, takes: Iterable[Take], part: str, sign: int = 1) -> tuple[Any, ...]:
        rows = []
        for take in takes:
            sums: dict[tuple[str, str], tuple[Fraction, str | None]] = {}
            for heap, quantity, sure in getattr(take, part):
                known = sums.get((heap.item, heap.lot), (Fraction(0), sure))
                sums[heap.item, heap.lot] = (known[0] + quantity, weaker(known[1], sure))
            place = take.line.place if part == "net" else "SCRAP"
            rows += [
                (take.line.path, item, lot or None, place, text(sign * quantity), sure)
                for (item, lot), (quantity, sure) in sums.items()
            ]
        return tuple(rows)

    def _produced(self, report: Report, sign: int = 1) -> tuple[Any, ...]:
        if not report.produced:
            return ()
        item, lot = report.produced
        return ((item, lot or None, "FG", text(sign * report.good)),)


def _place(heap: Heap) -> Place:
    return heap.item, heap.lot, heap.container, heap.place


def _available(left: dict[Place, Fraction], more: Allowances, heap: Heap) -> Fraction:
    place = _place(heap)
    return left[place] + (more[place][1] if place in more else 0)


def _draw_on(
    left: dict[Place, Fraction], more: Allowances, take: Take, heaps: list[Heap], parts: Parts,
    wanted: Fraction,
) -> Fraction:  # fmt: skip
    """Take from these heaps in turn, beyond their books where `more` says so; return how much."""
    drawn = Fraction(0)
    for heap in heaps:
        part = min(_available(left, more, heap), wanted - drawn)
        if part <= 0:
            continue
        place = _place(heap)
        gain = max(Fraction(0), part - left[place])
        left[place] -= part - gain
        if gain:
            key, allowed = more[place]
            more[place] = key, allowed - gain
            take.gains.append((heap, gain, key))
        parts.append((heap, part))
        drawn += part
    return drawn
