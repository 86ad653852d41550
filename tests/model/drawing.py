"""From which stock a line draws, how sure it is, and into what it goes (BF-14 … BF-20, BF-37)."""

from collections.abc import Iterable
from fractions import Fraction
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
    Take,
    later_day,
    text,
    weaker,
)


class Drawing(Books):
    """Books from which reports draw; `mounts` is by position."""

    def __init__(self, *, shortage_policy: str, planned_scrap: str) -> None:
        super().__init__(planned_scrap=planned_scrap)
        self.shortage_policy = shortage_policy
        self.mounts: dict[str, Mount] = {}

    def _policy(self, item: str) -> str:
        own = self.cell("items", (item,), "shortage_policy")
        tracked = self.cell("items", (item,), "tracking") == "lot"
        if not own and tracked and self.shortage_policy == "negative":
            return "exception"
        return own or self.shortage_policy

    def _draw(self, order: Order, reported: Fraction, units: Fraction, at: str) -> list[Take]:
        heaps = self.heaps()
        takes = []
        for line in order.lines:
            if line.method != "backflush":
                continue
            net, scrap = self.targets(line, reported)
            taken_net, taken_scrap = self.taken(order, line)
            take = Take(line)
            net_parts, take.owed = self._from_stock(heaps, line, max(net - taken_net, Fraction(0)),
                                                    at)  # fmt: skip
            scrap_parts, take.owed_scrap = self._from_stock(
                heaps, line, max(scrap - taken_scrap, Fraction(0)), at
            )
            mounted = [heap for heap, _ in net_parts + scrap_parts if self._is_mounted(heap)]
            several = len({(heap.lot, heap.container) for heap, _ in net_parts + scrap_parts}) > 1
            scanned = "pooled" if mounted and several and units > 1 else "exact"
            take.net = [(heap, part, self._certainty(heap, scanned)) for heap, part in net_parts]
            take.scrap = [
                (heap, part, self._certainty(heap, scanned)) for heap, part in scrap_parts
            ]
            if net_parts or scrap_parts or take.owed or take.owed_scrap:
                takes.append(take)
        return takes

    def _from_stock(
        self, heaps: list[Heap], line: Line, wanted: Fraction, at: str
    ) -> tuple[list[tuple[Heap, Fraction]], Fraction]:
        """Take from the heaps (which shrink); return the parts and what is missing."""
        parts: list[tuple[Heap, Fraction]] = []
        for heap in sorted((each for each in heaps if self._usable(each, line, at)),
                           key=self._turn):  # fmt: skip
            part = min(heap.quantity, wanted)
            if part > 0:
                wanted -= part
                parts.append((heap, part))
                heaps[heaps.index(heap)] = Heap(
                    heap.item, heap.lot, heap.container, heap.place, heap.quantity - part
                )
        return parts, wanted

    def _usable(self, heap: Heap, line: Line, at: str) -> bool:
        """BF-14, BF-16, and `mount = required` of BF-17."""
        lot = self.lots[heap.item, heap.lot]
        return (
            (heap.item, heap.place) == (line.item, line.place)
            and heap.quantity > 0
            and lot["status"] == "available"
            and (lot["expires_on"] or NEVER) >= at[:10]
            and self.arrived[heap.item, heap.lot, heap.container, heap.place] <= at
            and self.cell("locations", (heap.place,), "kind") not in ("hold", "scrap")
            and (line.mount == "optional" or self._is_mounted(heap))
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
        edges: dict[tuple[str, str], Edge] = {}
        for take in report.takes:
            path = take.line.path
            parents = [(heap.lot, part, sure) for heap, part, sure in take.net if sure]
            if take.owed and self.cell("items", (take.line.item,), "tracking") == "lot":
                parents.append(("unknown", take.owed, "unknown"))
            for lot, part, sure in parents:
                known = edges.get((path, lot))
                if known:
                    part, sure = part + known.quantity, weaker(sure, known.certainty)
                edges[path, lot] = Edge(child, lot, path, part, sure)
        return list(edges.values())

    def _drawn(self, takes: Iterable[Take], part: str, sign: int = 1) -> tuple[Any, ...]:
        rows = []
        for take in takes:
            sums: dict[str, tuple[Fraction, str | None]] = {}
            for heap, quantity, sure in getattr(take, part):
                known = sums.get(heap.lot, (Fraction(0), sure))
                sums[heap.lot] = (known[0] + quantity, weaker(known[1], sure))
            place = take.line.place if part == "net" else "SCRAP"
            rows += [
                (take.line.path, take.line.item, lot or None, place, text(sign * quantity), sure)
                for lot, (quantity, sure) in sums.items()
            ]
        return tuple(rows)

    def _produced(self, report: Report, sign: int = 1) -> tuple[Any, ...]:
        if not report.produced:
            return ()
        item, lot = report.produced
        return ((item, lot or None, "FG", text(sign * report.good)),)
