"""Units are made, pass operations and end as scrap.

Reports of every kind go through `_post`: what of the order is due (BF-4, BF-11), what that draws,
and what becomes of it (BF-12, BF-25, BF-26).
"""

from fractions import Fraction
from math import floor
from typing import Any

from tests.model.stays import Stays
from tests.model.values import (
    Answer,
    Line,
    Movement,
    Operation,
    Order,
    Passed,
    Report,
    Take,
    moved,
    path_of,
    text,
)


class Making(Stays):
    """Books in which things are made."""

    over_completion: Fraction
    current: str | None
    pending: tuple[str, str] | None
    pending_quantity: Fraction | None

    def _report(
        self, order: Order, quantity: Fraction, *, at: str, who: str | None, short: bool = False
    ) -> Answer:
        """Finished units; or none, where the order is closed short."""
        if quantity % self.step(order.item):
            return Answer("rejected", "not_a_step", order.number)
        if not short and quantity > self._allowed(order):
            return Answer("rejected", "over_tolerance", order.number)
        gains: tuple[Passed, ...] = ()
        if order.operations and not short:
            gains = self._gains(order, order.operations[-1], quantity, Fraction(0))
        return self._post(
            order, Report(order.number, quantity, who, at, order.status, [], [], None, "", [],
                          gains=gains), short=short,
        )  # fmt: skip

    def _operation(
        self, name: str, number: str | None = None, *, at: str, who: str | None
    ) -> Answer:
        """BF-11: units that passed an operation."""
        if number is not None and number not in self.orders:
            return Answer("needs", "order")
        order = self.orders[number] if number else self._active()
        if order is None:
            return Answer("needs", "order")
        here = next((each for each in order.operations if each.name == name), None)
        if here is None:
            return not_open(order) or Answer("rejected", "malformed", order.number)
        asked, self.pending_quantity = self.pending_quantity, None
        if here is order.operations[-1]:
            if order.status == "closed":
                return Answer("already_done", "order_closed", order.number)
            return not_open(order) or self._complete(order, here, asked, at=at, who=who)
        if refusal := not_open(order):
            return refusal
        return self._pass(order, here, asked, at=at, who=who)

    def _complete(
        self, order: Order, here: Operation, asked: Fraction | None, *, at: str, who: str | None
    ) -> Answer:
        """The last operation: what the backflush point before it delivered, and no more."""
        came = None if here.overlap else self._came(order, here)
        quantity = asked or self.remaining(order)
        if came is not None:
            quantity = asked or min(quantity, came)
            if not quantity and self.passed(order, here):
                return Answer("already_done", None, order.number)
            if not quantity or quantity > came:
                return Answer("rejected", "operation_order", order.number)
        return self._report(order, quantity, at=at, who=who)

    def _pass(
        self, order: Order, here: Operation, asked: Fraction | None, *, at: str, who: str | None
    ) -> Answer:
        good = self.passed(order, here)
        upto = order.operations[: order.operations.index(here) + 1]
        ended = sum((self.ended(order, each) for each in upto), Fraction(0))
        usual = order.quantity - good - (0 if order.replace_scrap else ended)
        allowed = max(Fraction(0), usual + self._tolerance(order))
        usual = max(Fraction(0), usual)
        came = None if here.overlap else self._came(order, here)
        limit = allowed if came is None else min(allowed, came)
        quantity = min(usual, limit) if asked is None else asked
        if asked is None and not quantity and good:
            return Answer("already_done", None, order.number)
        if quantity <= 0 or quantity > limit:
            is_early = came is not None and (came < allowed or quantity <= allowed)
            reason = "operation_order" if is_early else "over_tolerance"
            return Answer("rejected", reason, order.number)
        if quantity % self.step(order.item):
            return Answer("rejected", "not_a_step", order.number)
        gains = self._gains(order, here, quantity, Fraction(0))
        return self._post(
            order, Report(order.number, Fraction(0), who, at, order.status, [], [], None, "", [],
                          passed=quantity, gains=gains),
        )  # fmt: skip

    def _scrap_units(self, order: Order, quantity: Fraction, *, at: str, who: str | None) -> Answer:
        """BF-26: units that have passed an operation end there first."""
        if refusal := not_open(order):
            return refusal
        if quantity % self.step(order.item):
            return Answer("rejected", "not_a_step", order.number)
        if quantity > self._allowed(order) and not order.replace_scrap:
            return Answer("rejected", "over_tolerance", order.number)
        gains: tuple[Passed, ...] = ()
        if order.operations:
            here, waiting = order.operations[-1], Fraction(0)
            for each, later in zip(order.operations, order.operations[1:], strict=False):
                left = self.passed(order, each) - self.passed(order, later)
                left -= self.ended(order, later)
                if left > 0:
                    here, waiting = each, left
            gains = self._gains(order, here, -min(waiting, quantity), quantity)
        return self._post(
            order, Report(order.number, Fraction(0), who, at, order.status, [], [], None, "", [],
                          scrapped=quantity, gains=gains),
        )  # fmt: skip

    def _allowed(self, order: Order) -> Fraction:
        return order.quantity + self._tolerance(order) - self.counted(order)

    def _tolerance(self, order: Order) -> Fraction:
        told = self.cell("items", (order.item,), "over_completion_pct")
        percent = Fraction(told) if told else self.over_completion
        step = self.step(order.item)
        return floor(order.quantity * percent / 100 / step) * step

    def passed(self, order: Order, here: Operation) -> Fraction:
        """Return the units that passed an operation, those that ended later included."""
        before = order.completed_before
        if here is not order.operations[-1]:
            before += order.scrapped_before
        return before + sum(
            (gain.good for gain in self._all_gains(order) if gain.operation == here.name),
            Fraction(0),
        )

    def ended(self, order: Order, here: Operation) -> Fraction:
        """Return the units that ended at an operation."""
        before = order.scrapped_before if here is order.operations[-1] else Fraction(0)
        return before + sum(
            (gain.scrapped for gain in self._all_gains(order) if gain.operation == here.name),
            Fraction(0),
        )

    def _all_gains(self, order: Order) -> list[Passed]:
        return [gain for report in self.standing(order) for gain in report.gains]

    def _came(self, order: Order, here: Operation) -> Fraction | None:
        """Return what the nearest earlier backflush point has delivered for this one."""
        ended = self.passed(order, here) + self.ended(order, here)
        for each in reversed(order.operations[: order.operations.index(here)]):
            if each.is_point:
                return self.passed(order, each) - ended
            ended += self.ended(order, each)
        return None

    def _gains(
        self, order: Order, here: Operation, good: Fraction, scrapped: Fraction
    ) -> tuple[Passed, ...]:
        """What is reported at an operation has passed every earlier one."""
        found = [Passed(here.name, good, scrapped)]
        wanted = self.passed(order, here) + good + self.ended(order, here) + scrapped
        for each in reversed(order.operations[: order.operations.index(here)]):
            known = self.passed(order, each)
            found.append(Passed(each.name, max(Fraction(0), wanted - known), Fraction(0)))
            wanted = max(wanted, known) + self.ended(order, each)
        return tuple(found)

    def due(self, order: Order) -> dict[str, Fraction]:
        """Return the units that count for the lines of each operation, and for those of none."""
        made = self.good(order) + self.scrapped(order)
        if not order.operations:
            names = {line.operation for line in order.lines}
            return {"": made, **dict.fromkeys(names, made)}
        found: dict[str, Fraction] = {}
        for place, each in enumerate(order.operations):
            ended = Fraction(0)
            for later in order.operations[place:]:
                ended += self.ended(order, later)
                if later.is_point or later is order.operations[-1]:
                    found[each.name] = self.passed(order, later) + ended
                    break
        return {"": found[order.operations[-1].name], **found}

    def _active(self) -> Order | None:
        """Return the current order if it is open, else the started one due first."""
        started = [order for order in self.orders.values() if order.status == "started"]
        now = self.orders.get(self.current or "")
        if now is not None and now.status in ("released", "started"):
            return now
        return min(started, key=due_first, default=None)

    def _post(self, order: Order, report: Report, *, short: bool = False) -> Answer:
        self.reports.append(report)  # so that it counts; it goes again where it is refused
        due = self.due(order)
        self.reports.pop()
        units, at = report.units, report.at
        takes = self._draw(order, due, units, at)
        for take in takes:
            if (take.owed or take.owed_scrap) and self._policy(take.line.item) == "block":
                return Answer("rejected", "shortage_blocked", order.number)
        ends = report.good + (0 if order.replace_scrap else report.scrapped)
        closes = short or bool(ends and self.remaining(order) <= ends)
        exceptions = self._take_all(report, takes)
        for line in order.lines:
            if closes and line.method == "manual":
                missing = self.targets(line, due[line.operation])[0] - self.taken(order, line)[0]
                if missing > 0:
                    report.manual.append((line, missing))
                    exceptions.append(("consumption", line.path, line.item, text(missing)))
        exceptions.sort(key=lambda told: path_of(told[1]))
        if not short:
            report.taken_in = self._take_in(order, due, all_of_it=closes)
        self._become(order, report)
        self.reports.append(report)
        order.status = "closed" if closes else "started"
        if order.status != "closed":
            self.current = order.number
        elif self.current == order.number:
            self.current = None
        return Answer(
            "completed", None, order.number, text(units), self._drawn(takes, "net"),
            self._drawn(takes, "scrap"), self._produced(report), tuple(exceptions),
        )  # fmt: skip

    def _take_in(
        self, order: Order, due: dict[str, Fraction], *, all_of_it: bool
    ) -> list[tuple[Line | None, str, str, Fraction]]:
        """Return (line, item, lot, quantity) of what was issued by hand that goes into the units of
        the report at hand (BF-37): what they need of it, the report that ends the order all."""
        waiting = self.waiting(order)
        needed: dict[str, Fraction] = {}
        for line, *_ in waiting:
            if line and line.path not in needed:
                here = (part for path, _, _, part in waiting if path == line)
                target = self.targets(line, due[line.operation])[0]
                needed[line.path] = target - self.taken(order, line)[0] + sum(here)
        found: list[tuple[Line | None, str, str, Fraction]] = []
        for line, item, lot, quantity in waiting:
            part = quantity
            if line and not all_of_it:
                part = max(Fraction(0), min(part, needed[line.path]))
                needed[line.path] -= part
            if part:
                found.append((line, item, lot, part))
        return found

    def _take_all(self, report: Report, takes: list[Take]) -> list[tuple[Any, ...]]:
        """Book what the lines take; return the exceptions of what is missing."""
        exceptions: list[tuple[Any, ...]] = []
        report.takes = takes
        for take in takes:
            self._go_negative(take)
            for heap, gain, key in take.gains:
                found = Movement(heap.item, heap.lot, heap.container, "@adjustment", heap.place,
                                 gain)  # fmt: skip
                report.movements.append(found)
                self.gained[key] = self.gained.get(key, Fraction(0)) + gain
            report.movements += [moved(heap, "@production", part) for heap, part, _ in take.net]
            report.movements += [moved(heap, "SCRAP", part) for heap, part, _ in take.scrap]
            if missing := take.owed + take.owed_scrap:
                exceptions.append(("shortage", take.line.path, take.line.item, text(missing)))
            if take.overdrawn:
                told = ("lot_overdrawn", take.line.path, take.line.item, text(take.overdrawn))
                exceptions.append(told)
        for one in report.movements:
            self.arrived.setdefault((one.item, one.lot, one.container, one.target), report.at)
        self.movements += report.movements
        return exceptions

    def _become(self, order: Order, report: Report) -> None:
        """Name what genealogy hangs on, and receive the good units (BF-37, BF-39)."""
        if report.passed and self.cell("items", (order.item,), "tracking") == "lot":
            name = order.lot or order.number
            status = self.cell("items", (order.item,), "output_status") or "available"
            self.lots.setdefault(
                (order.item, name), {"status": status, "expires_on": "", "received_at": report.at}
            )
            report.child, report.is_lot = name, True
        elif report.passed or report.scrapped:
            report.child = order.number
        else:
            report.produced, report.expires_on = self._produce(order, report, report.at)
        if report.produced:
            report.child = report.produced[1] or order.number
            report.is_lot = bool(report.produced[1])
            movement = Movement(*report.produced, "", "@production", "FG", report.good)
            report.movements = [*report.movements, movement]
            self._arrive(movement, report.at)
        if report.child:
            self.edges += self._edges(report)

    def _order_of_item(self, item: str) -> Order | None:
        mine = [order for order in self.orders.values() if order.item == item]
        started = [order for order in mine if order.status == "started"]
        released = [order for order in mine if order.status == "released"]
        if started:
            return min(started, key=due_first)
        return released[0] if len(released) == 1 else None


def not_open(order: Order) -> Answer | None:
    """Return the refusal of an order that may not be reported."""
    reasons = {"planned": "not_released", "hold": "order_on_hold", "cancelled": "order_cancelled",
               "closed": "order_closed"}  # fmt: skip
    reason = reasons.get(order.status)
    return Answer("rejected", reason, order.number) if reason else None


def due_first(order: Order) -> tuple[bool, str, str]:
    """Return by what orders are put in their turn."""
    return order.due_at == "", order.due_at, order.number
