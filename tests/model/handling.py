"""Material in people's hands: scrapped, issued, held and released (BF-10, BF-16, BF-27)."""

from fractions import Fraction

from tests.model.making import Making, due_first, not_open
from tests.model.taking import Place, place_of
from tests.model.values import (
    NEVER,
    Answer,
    ByHand,
    Heap,
    Line,
    Movement,
    Order,
    Passed,
    Report,
    StayKey,
    moved,
    text,
)

PLACES = ("LINE", "FG", "SCRAP", "STORE", "QUARANTINE")
"""Locations in the order in which the station came to know them."""


class Handling(Making):
    """Books of a station at which people handle material."""

    def _handle(
        self, code: str, verb: str, names: list[tuple[str, str, str]], quantity: Fraction | None,
        at: str, who: str | None,
    ) -> Answer:  # fmt: skip
        """A command for units or material and what was scanned; it ends unless something lacks."""
        answer = self._handled(code, verb, names, quantity, at, who)
        if answer.outcome != "needs":
            self.pending = None
        return answer

    def _handled(
        self, code: str, verb: str, names: list[tuple[str, str, str]], quantity: Fraction | None,
        at: str, who: str | None,
    ) -> Answer:  # fmt: skip
        if len(names) > 1:
            return Answer("rejected", "ambiguous")
        kind, name, lot = names[0]
        if verb == "SCRAP" and kind in ("order", "item"):
            orders = [each for each in self.orders.values() if each.item == name]
            order = self.orders[name] if kind == "order" else self._order_of_item(name)
            if order is not None:
                return self._scrap_units(order, quantity or Fraction(1), at=at, who=who)
            if orders:
                return Answer("needs", "order")
        if kind == "location" or (kind == "order" and verb not in ("HOLD", "RELEASE")):
            return Answer("needs", "component")
        label = None
        figures = code.split("|")[2:]
        if figures and quantity is None:
            label = Fraction(figures[0])
        container = ""
        if kind == "container":
            container, (name, lot) = name, self.containers[name]
        elif kind == "order":
            order = self.orders[name]
            name, lot = order.item, order.lot or order.number
            if (name, lot) not in self.lots:
                return Answer("rejected", "lot_unknown")
        elif kind == "item" and self.cell("items", (name,), "tracking") == "lot":
            return Answer("needs", "lot")
        elif kind == "lot" and (name, lot) not in self.lots:
            return Answer("rejected", "lot_unknown")
        told = label if quantity is None else quantity
        if told is not None and (told <= 0 or told % self.step(name)):
            return Answer("rejected", "not_a_step")
        match verb:
            case "SCRAP":
                return self._scrap_material(name, lot, container, told)
            case "ISSUE" | "EXTRA":
                return self._issue(verb, (name, lot, container), quantity, label, at)
            case _:
                return self._judge_lot(verb, name, lot, at, who)

    def _scrap_material(
        self, item: str, lot: str, container: str, quantity: Fraction | None
    ) -> Answer:
        """BF-27: against a line of the active order if one takes it."""
        if quantity is None:
            return Answer("needs", "quantity")
        order, line = self._line_for(item)
        near = line.place if line else ""
        here = self._here(item, lot, container)
        here.sort(key=lambda heap: (not self._is_mounted(heap), heap.place != near))
        if sum(heap.quantity for heap in here) < quantity:
            return Answer("rejected", "shortage_blocked")
        left, parts = quantity, []
        for heap in here:
            part = min(heap.quantity, left)
            if part:
                left -= part
                parts.append(part)
                self._move(heap, part)
        if order is not None and line is not None:
            key = (order.number, line.path)
            self.told_scrap[key] = self.told_scrap.get(key, Fraction(0)) + quantity
        sure = "exact" if lot else None
        rows = tuple(
            (line.path if line else None, item, lot or None, "SCRAP", text(part), sure)
            for part in parts
        )
        return Answer("recorded", None, order.number if order else None, text(quantity),
                      scrapped=rows)  # fmt: skip

    def _move(self, heap: Heap, part: Fraction) -> None:
        when = self.arrived[heap.item, heap.lot, heap.container, heap.place]
        self._arrive(moved(heap, "SCRAP", part), when)

    def _line_for(self, item: str) -> tuple[Order | None, Line | None]:
        for order in self._taking(item):
            if order.status not in ("released", "started"):
                continue
            lines = [each for each in order.lines if each.item == item and each.method != "bulk"]
            lines.sort(key=lambda line: line.method != "manual")
            if lines:
                return order, lines[0]
        return None, None

    def _may_release(self, who: str | None) -> bool:
        return self.cell("operators", (who or "",), "role") in ("quality", "supervisor")

    def _judge_lot(self, verb: str, item: str, lot: str, at: str, who: str | None) -> Answer:
        """BF-16: the whole lot; what is held is mounted no longer."""
        if not lot:
            return Answer("rejected", "no_effect")
        known, status = self.lots[item, lot], {"HOLD": "hold", "RELEASE": "available"}[verb]
        if verb == "RELEASE" and not self._may_release(who):
            return Answer("rejected", "not_authorised")
        if known["status"] == "rejected":
            return Answer("rejected", "lot_on_hold")
        if known["status"] == status:
            return Answer("already_done")
        known["status"] = status
        held = [
            each for each, mount in self.mounts.items() if (mount.item, mount.lot) == (item, lot)
        ]
        for position in held if status == "hold" else ():
            self.leave(position, None, at)
        return Answer("recorded")

    def _issue(
        self, verb: str, material: tuple[str, str, str], stated: Fraction | None,
        label: Fraction | None, at: str,
    ) -> Answer:  # fmt: skip
        """BF-10: planned for a line, or extra."""
        item, lot, _ = material
        order = next(iter(self._taking(item)), None)
        if order is None:
            if self.current is None:
                return Answer("needs", "order")
            return Answer("rejected", "wrong_component", self.current)
        if refusal := not_open(order):
            return refusal
        lines = [each for each in order.lines if each.item == item and each.method != "bulk"]
        lines.sort(key=lambda line: line.method != "manual")
        if not lines:
            return Answer("rejected", "no_effect", order.number)
        known = self.lots.get((item, lot), {"status": "available", "expires_on": ""})
        if known["status"] != "available":
            return Answer("rejected", "lot_on_hold")
        if (known["expires_on"] or NEVER) < at[:10]:
            return Answer("rejected", "lot_expired")
        here = [
            heap
            for heap in self._here(*material)
            if self.arrived[heap.item, heap.lot, heap.container, heap.place] <= at
            and self.cell("locations", (heap.place,), "kind") != "hold"
        ]
        here.sort(key=lambda heap: heap.place != lines[0].place)
        needs = self._needs(order, lines)
        if verb == "EXTRA":
            wanted = label if stated is None else stated
            if wanted is None:
                return Answer("needs", "quantity", order.number)
        else:
            wanted = self._planned(lines, needs, here, stated, label)
            if wanted is None:
                return Answer("rejected", "over_tolerance", order.number)
        left = {place_of(heap): heap.quantity for heap in here}
        missing = wanted - sum(left.values(), Fraction(0))
        gain = self._gain(here, missing)
        if missing > 0 and gain is None and self._policy(item) != "negative":
            return Answer("rejected", "shortage_blocked", order.number)
        if gain is not None:
            heap, quantity, key = gain
            left[place_of(heap)] += quantity
            self.gained[key] += quantity
            self.movements.append(
                Movement(item, heap.lot, heap.container, "@adjustment", heap.place, quantity)
            )
        shares: list[tuple[Line | None, Fraction]] = [(None, wanted)]
        if verb == "ISSUE":
            shares, rest = [], wanted
            for line, need in zip(lines, needs, strict=True):
                shares.append((line, min(need, rest)))
                rest -= min(need, rest)
        rows = [
            self._give(order, line, share, here, left, line or lines[0]) for line, share in shares
        ]
        sure = "exact" if lot else None
        consumed = tuple(
            (line.path if line else None, item, lot or None, place, text(part), sure)
            for (line, _), parts in zip(shares, rows, strict=True)
            for place, part in parts
        )
        return Answer("recorded", None, order.number, text(wanted), consumed)

    def _give(
        self, order: Order, line: Line | None, share: Fraction, here: list[Heap],
        left: dict[Place, Fraction], near: Line,
    ) -> list[tuple[str, Fraction]]:  # fmt: skip
        """Take a share off the heaps, those at the line's place first; return (place, part)."""
        parts: list[tuple[Heap, Fraction]] = []
        for heap in sorted(here, key=lambda heap: heap.place != near.place):
            part = min(left[place_of(heap)], share)
            if part > 0:
                parts.append((heap, part))
                left[place_of(heap)] -= part
                share -= part
        if share:  # BF-20, `negative`
            parts.append((Heap(near.item, "", "", near.place, Fraction(0)), share))
            self.lots.setdefault(
                (near.item, ""), {"status": "available", "expires_on": "", "received_at": ""}
            )
        for heap, part in parts:
            self.movements.append(moved(heap, "@production", part))
            self.by_hand.append(ByHand(order.number, line, heap.item, heap.lot, part))
        return [(heap.place, part) for heap, part in parts]

    def _planned(
        self, lines: list[Line], needs: list[Fraction], here: list[Heap], stated: Fraction | None,
        label: Fraction | None,
    ) -> Fraction | None:  # fmt: skip
        """Return how much a planned issue takes; None if that is more than the order needs."""
        need = sum(needs, Fraction(0))
        wanted = stated
        if wanted is None:
            manual = [
                part for line, part in zip(lines, needs, strict=True) if line.method == "manual"
            ]
            most = sum(manual, Fraction(0)) or need
            there = sum((heap.quantity for heap in here), Fraction(0))
            there = there if label is None else min(label, there)
            wanted = min(most, there) or min(most, self.step(lines[0].item))
        return wanted if need and wanted <= need else None

    def _needs(self, order: Order, lines: list[Line]) -> list[Fraction]:
        """Return what each line still needs for the whole order."""
        rest = self.remaining(order)
        gains: tuple[Passed, ...] = ()
        if order.operations:
            gains = self._gains(order, order.operations[-1], rest, Fraction(0))
        whole = Report(order.number, rest, None, "", "", [], [], None, "", [], gains=gains)
        self.reports.append(whole)
        due = self.due(order)
        self.reports.pop()
        return [
            max(Fraction(0), self.targets(line, due[line.operation])[0]
                - self.taken(order, line)[0])
            for line in lines
        ]  # fmt: skip

    def _gain(self, here: list[Heap], missing: Fraction) -> tuple[Heap, Fraction, StayKey] | None:
        """Return what the mounted container gives beyond its books, if that is enough (BF-17)."""
        if missing <= 0:
            return None
        more = self._allowances(self.heaps())
        for heap in here:
            if place_of(heap) in more:
                key, allowed = more[place_of(heap)]
                return (heap, missing, key) if allowed >= missing else None
        return None

    def _here(self, item: str, lot: str, container: str) -> list[Heap]:
        """Return where it lies, mounted first."""
        boxes = ["", *self.containers]
        here = [
            heap
            for heap in self.heaps()
            if (heap.item, heap.lot) == (item, lot) and container in ("", heap.container)
            and heap.quantity > 0 and heap.place != "SCRAP"
        ]  # fmt: skip
        here.sort(
            key=lambda heap: (
                not self._is_mounted(heap), PLACES.index(heap.place), boxes.index(heap.container)
            )
        )  # fmt: skip
        return here

    def _taking(self, item: str) -> list[Order]:
        """Return the current order and the started ones that take an item, in their turn."""
        now = self.current
        orders = [
            order
            for order in self.orders.values()
            if (order.status == "started" or order.number == now)
            and any(line.item == item for line in order.lines)
        ]
        return sorted(orders, key=lambda order: (order.number != now, *due_first(order)))
