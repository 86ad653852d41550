"""From which stock a line draws, how sure it is, and into what it goes (BF-14 … BF-20, BF-37)."""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor
from typing import Any

from tests.model.books import Books
from tests.model.taking import (
    Allowances,
    Cover,
    Parts,
    Place,
    available,
    distinct,
    draw_on,
    place_of,
)
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

    def _draw(self, order: Order, due: dict[str, Fraction], units: Fraction, at: str) -> list[Take]:
        """Return what each line takes; `due` has, by operation, the units that count for it."""
        heaps = self.heaps()
        left = {place_of(heap): heap.quantity for heap in heaps}
        more = self._allowances(heaps)
        drawn: list[Cover] = []
        for line in order.lines:
            if line.method != "backflush":
                continue
            net, scrap = self.targets(line, due[line.operation])
            taken_net, taken_scrap = self.taken(order, line)
            found = self._found(heaps, left, line.item, line.place, at)
            standing = self._standing(heaps, left, line, at)
            cover = Cover(
                Take(line), found, standing,
                [max(net - taken_net, Fraction(0)), max(scrap - taken_scrap, Fraction(0))],
            )  # fmt: skip
            self._cover_own(left, more, cover)
            drawn.append(cover)
        for cover in drawn:
            self._cover_rest(left, more, cover)
        for cover in drawn:
            take = cover.take
            take.owed, added = self._choose(
                heaps, left, take.line, cover.parts[0], cover.wanted[0], at
            )
            take.net_more = cover.added[0] + added
            take.owed_scrap, added = self._choose(
                heaps, left, take.line, cover.parts[1], cover.wanted[1], at
            )
            take.scrap_more = cover.added[1] + added
            self._judge(take, *cover.parts, units)
        return [
            cover.take
            for cover in drawn
            if any(cover.parts) or cover.take.owed or cover.take.owed_scrap
        ]

    def _judge(self, take: Take, net: Parts, scrap: Parts, units: Fraction) -> None:
        """Name how sure each part is (BF-37)."""
        heaps = [heap for heap, _ in net + scrap]
        own = "pooled" if distinct(heaps) > 1 and units > 1 else "exact"
        mounted = [heap for heap in heaps if self._is_mounted(heap)]
        others = "pooled" if distinct(mounted) > 1 and units > 1 else "assumed"
        sure = self._sure_positions(take.line)
        if any(self._is_mounted(heap, each) for heap in heaps for each in sure):
            others = own
        take.net = [
            (heap, part, self._certainty(take.line, heap, own, others)) for heap, part in net
        ]
        take.scrap = [
            (heap, part, self._certainty(take.line, heap, own, others)) for heap, part in scrap
        ]

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

    def _cover_own(self, left: dict[Place, Fraction], more: Allowances, cover: Cover) -> None:
        """Take what stands in the line's position, then what it holds beyond its books."""
        line = cover.take.line
        own = [heap for heap in cover.found if self._is_mounted(heap, line.position)]
        for place, parts in enumerate(cover.parts):
            for gains in ({}, more):
                cover.wanted[place] -= draw_on(
                    left, gains, cover.take, own, parts, cover.wanted[place]
                )
                for each, heaps in cover.standing:
                    covered, quantity = self._worth(
                        left, gains, line, each, heaps, cover.wanted[place]
                    )
                    draw_on(left, gains, cover.take, heaps, parts, quantity)
                    cover.wanted[place] -= covered
                    cover.added[place] += covered - quantity
        containers = [heap for _, heaps in cover.standing for heap in heaps] + own
        cover.is_sized = any(place_of(heap) in more for heap in containers)
        if cover.is_sized:
            cover.take.overdrawn = sum(cover.wanted, Fraction(0))

    def _cover_rest(self, left: dict[Place, Fraction], more: Allowances, cover: Cover) -> None:
        """Take what stands in other positions, then what is not mounted."""
        line = cover.take.line
        mounted = [heap for heap in cover.found if self._is_mounted(heap)]
        others = [
            heap
            for heap in mounted
            if any(self._is_mounted(heap, each) for each in self.mounts if each != line.position)
        ]
        if line.mount == "optional" or not line.is_named:
            for place, parts in enumerate(cover.parts):
                for gains in ({}, more):
                    cover.wanted[place] -= draw_on(
                        left, gains, cover.take, others, parts, cover.wanted[place]
                    )
            if not cover.is_sized and any(place_of(heap) in more for heap in others):
                cover.take.overdrawn = sum(cover.wanted, Fraction(0))
        if line.mount == "optional":
            rest = [heap for heap in cover.found if heap not in mounted]
            for place, parts in enumerate(cover.parts):
                cover.wanted[place] -= draw_on(
                    left, {}, cover.take, rest, parts, cover.wanted[place]
                )

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
            draw_on(left, {}, Take(line), found, parts, quantity)
            wanted, added = wanted - covered, added + covered - quantity
        return wanted, added

    def _worth(
        self, left: dict[Place, Fraction], more: Allowances, line: Line, each: StandIn,
        heaps: list[Heap], wanted: Fraction,
    ) -> tuple[Fraction, Fraction]:  # fmt: skip
        """Return how much of the component a substitute covers, in whole steps of it unless it
        covers all, and how much of the substitute that takes."""
        step, own = self.step(each.item), self.step(line.item)
        there = sum((available(left, more, heap) for heap in heaps), Fraction(0))
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
            more[place_of(heap)] = key, max(Fraction(0), tolerance)
        return more

    def tolerance(self, base: Fraction, item: str) -> Fraction:
        """Return how far gains less losses may lie from zero."""
        step = self.step(item)
        return floor(base * self.overrun / step) * step

    def _usable(self, heap: Heap, left: dict[Place, Fraction], at: str) -> bool:
        """BF-16; what is mounted may be empty by the books."""
        lot = self.lots[heap.item, heap.lot]
        return (
            (left[place_of(heap)] > 0 or self._is_mounted(heap))
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

    def _is_mounted(self, heap: Heap, position: str = "") -> bool:
        """Tell whether a heap stands in a position, or in any."""
        return any(
            (each.item, each.lot, each.place) == (heap.item, heap.lot, heap.place)
            and each.container in ("", heap.container)
            and position in ("", where)
            for where, each in self.mounts.items()
        )

    def _certainty(self, line: Line, heap: Heap, own: str, others: str) -> str | None:
        """BF-37."""
        if self.cell("items", (heap.item,), "tracking") != "lot":
            return None
        if any(self._is_mounted(heap, each) for each in self._sure_positions(line)):
            return own
        seen = self.seen.get((heap.item, heap.place))  # None: what only a gain brought there
        if seen == {heap.lot}:
            return "sole"
        return others if self._is_mounted(heap) else "assumed"

    def _sure_positions(self, line: Line) -> set[str]:
        """Return the line's position; where it names none and its item is mounted once, there."""
        places = {
            position
            for position, each in self.mounts.items()
            if position == line.position or (each.item, each.place) == (line.item, line.place)
        }
        return {line.position} | (places if not line.is_named and len(places) == 1 else set())

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

    def _produce(self, order: Order, report: Report, at: str) -> tuple[tuple[str, str] | None, str]:
        """Make the output lot, if there is output; return it, and what its expiry was (BF-39)."""
        if not report.good:
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
            used = [(heap.item, heap.lot) for take in report.takes for heap, _, _ in take.net]
            used += [(item, name) for _, item, name, _ in report.taken_in]
            days += [self.lots[each]["expires_on"] or NEVER for each in used]
            if order.operations:
                days += self.expiries_in(order.item, name)
        lot["expires_on"] = "" if min(days) == NEVER else min(days)
        lot["received_at"] = lot["received_at"] or at
        return (order.item, name), before

    def expiries_in(self, product: str, child: str) -> list[str]:
        """Return the expiry of each lot that is in what was made."""
        sums: dict[tuple[str, str], Fraction] = {}
        for edge in self.edges:
            is_it = edge.is_lot and (edge.product, edge.child) == (product, child)
            if is_it and edge.certainty != "unknown":
                key = (edge.item, edge.parent)
                sums[key] = sums.get(key, Fraction(0)) + edge.quantity
        return [self.lots[key]["expires_on"] or NEVER for key, left in sums.items() if left > 0]

    def _edges(self, report: Report) -> list[Edge]:
        child = report.child
        parents: list[tuple[str, str, str, Fraction, str]] = []
        for take in report.takes:
            path = take.line.path
            parents += [
                (path, heap.item, heap.lot, part, sure) for heap, part, sure in take.net if sure
            ]
            if take.owed and self.cell("items", (take.line.item,), "tracking") == "lot":
                parents.append((path, take.line.item, "unknown", take.owed, "unknown"))
        by_hand = "exact" if report.units <= 1 else "pooled"
        parents += [
            (line.path if line else "", item, lot, part, by_hand)
            for line, item, lot, part in report.taken_in
        ]
        edges: dict[tuple[str, str, str], Edge] = {}
        for path, item, lot, part, sure in parents:
            known = edges.get((path, item, lot))
            if known:
                part, sure = part + known.quantity, weaker(sure, known.certainty)
            edges[path, item, lot] = Edge(
                child, lot, path, part, sure, item, report.is_lot, self.orders[report.order].item
            )
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
