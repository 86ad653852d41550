"""The books of the model: orders, lots, every movement ever made, and what they add up to."""

from collections.abc import Mapping
from csv import DictReader
from fractions import Fraction
from io import StringIO
from math import ceil, floor

from tests.model.plant import KEYS, Cells, Plant
from tests.model.values import (
    ByHand,
    Edge,
    Heap,
    Line,
    Movement,
    Order,
    Report,
    Take,
    later_day,
    text,
)


class Books(Plant):
    """A plant with its stock and its orders."""

    def __init__(self, *, planned_scrap: str) -> None:
        super().__init__(planned_scrap=planned_scrap)
        self.orders: dict[str, Order] = {}
        self.lots: dict[tuple[str, str], dict[str, str]] = {}
        self.containers: dict[str, tuple[str, str]] = {}
        self.movements: list[Movement] = []
        self.arrived: dict[tuple[str, str, str, str], str] = {}
        self.seen: dict[tuple[str, str], set[str]] = {}
        self.reports: list[Report] = []
        self.edges: list[Edge] = []
        self.told_scrap: dict[tuple[str, str], Fraction] = {}
        """Order and line → what people said was scrapped of its component (BF-27)."""
        self.by_hand: list[ByHand] = []

    def stock(self) -> list[dict[str, str | None]]:
        """Return the rows of `stock --json`."""
        sums: dict[tuple[str, str, str], Fraction] = {}
        for heap in self.heaps():
            key = (heap.item, heap.lot, heap.place)
            sums[key] = sums.get(key, Fraction(0)) + heap.quantity
        return [
            {"item": item, "lot": lot or None, "serial": None, "location": place,
             "quantity": text(quantity), "uom": self.uom(item)}
            for (item, lot, place), quantity in sorted(sums.items())
            if quantity
        ]  # fmt: skip

    def lot_rows(self) -> list[tuple[str, str, str, str | None, str | None]]:
        """Return (item, lot, status, expires_on, received_at) by item and lot."""
        return [
            (item, lot, row["status"], row["expires_on"] or None, row["received_at"] or None)
            for (item, lot), row in sorted(self.lots.items())
            if lot
        ]

    def order_rows(self) -> list[tuple[str, str, str, str, str]]:
        """Return (number, status, completed, scrapped, remaining) by number."""
        return [
            (number, order.status, text(self.good(order)), text(self.scrapped(order)),
             text(self.remaining(order)))
            for number, order in sorted(self.orders.items())
        ]  # fmt: skip

    def owed(self) -> dict[tuple[str, str], str]:
        """Return what each line owes, planned scrap not included."""
        return {
            (order.number, line.path): text(sum(
                (take.owed for take in self.takes(order, line)), Fraction(0)))
            for order in self.orders.values()
            for line in order.lines
        }  # fmt: skip

    def load(self, files: Mapping[str, str], *, at: str) -> None:
        """Take what the files say, at `at`."""
        changed: dict[str, list[tuple[Cells | None, Cells]]] = {name: [] for name in KEYS}
        for file, content in files.items():
            name = file.removesuffix(".csv")
            for row in DictReader(StringIO(content)):
                key = tuple(row.get(part, "") for part in KEYS[name])
                old = self.tables[name].get(key)
                if old != row:
                    changed[name].append((old, row))
                    self.tables[name][key] = row
        for old, row in changed["lots"]:
            lot = self.lots.setdefault((row["item"], row["lot"]), {"received_at": ""})
            status, before = row["status"], old["status"] if old else "available"
            if status != before or "status" not in lot:  # what the file left is as people left it
                lot["status"] = status
            lot["expires_on"] = row.get("expires_on") or lot.get("expires_on", "")
        for old, row in changed["work_orders"]:
            self._take_order(old, row, at)
        for _, row in changed["receipts"]:
            self._receive(row, at)

    def heaps(self) -> list[Heap]:
        """Return every heap there ever was, with what is left of it, in order of first arrival."""
        sums: dict[tuple[str, str, str, str], Fraction] = {}
        for one in self.movements:
            for place, quantity in ((one.target, one.quantity), (one.source, -one.quantity)):
                if not place.startswith("@"):
                    key = (one.item, one.lot, one.container, place)
                    sums[key] = sums.get(key, Fraction(0)) + quantity
        return [Heap(*key, quantity) for key, quantity in sums.items()]

    def good(self, order: Order) -> Fraction:
        """Return what is completed, go-live included."""
        return sum((each.good for each in self.standing(order)), order.completed_before)

    def scrapped(self, order: Order) -> Fraction:
        """Return what was scrapped, go-live included."""
        ended = (each.scrapped for each in self.standing(order))
        return sum(ended, order.scrapped_before)

    def standing(self, order: Order) -> list[Report]:
        """Return the reports of an order that were not taken back."""
        return [each for each in self.reports if each.standing and each.order == order.number]

    def counted(self, order: Order) -> Fraction:
        """Return what counts against the quantity of an order (BF-26)."""
        return self.good(order) + (0 if order.replace_scrap else self.scrapped(order))

    def remaining(self, order: Order) -> Fraction:
        """BF-26."""
        return max(Fraction(0), order.quantity - self.counted(order))

    def takes(self, order: Order, line: Line) -> list[Take]:
        """Return what standing reports took for a line."""
        return [
            take
            for report in self.standing(order)
            for take in report.takes
            if take.line.path == line.path
        ]

    def targets(self, line: Line, reported: Fraction) -> tuple[Fraction, Fraction]:
        """BF-4: net rounded up, the planned scrap rounded down, both cumulative."""
        if reported <= 0:
            return Fraction(0), Fraction(0)
        times = reported if line.basis == "per_unit" else Fraction(1)
        net, gross, step = line.net * times, line.gross * times, self.step(line.item)
        return ceil(net / step) * step, floor((gross - net) / step) * step

    def taken(self, order: Order, line: Line) -> tuple[Fraction, Fraction]:
        """Return what was issued and is owed for a line, as (net, planned scrap)."""
        net, scrap = Fraction(0), Fraction(0)
        if line.method != "bulk":
            net, scrap = self.targets(line, order.completed_before + order.scrapped_before)
        for take in self.takes(order, line):
            net += take.owed + take.net_more + sum(part[1] for part in take.net)
            scrap += take.owed_scrap + take.scrap_more + sum(part[1] for part in take.scrap)
        net += sum(
            each.quantity
            for each in self.by_hand
            if each.line and (each.order, each.line.path) == (order.number, line.path)
        )
        return net, scrap + self.told_scrap.get((order.number, line.path), Fraction(0))

    def waiting(self, order: Order) -> list[tuple[Line | None, str, str, Fraction]]:
        """Return what of tracked material by hand no report has taken in, in the order issued."""
        taken: dict[tuple[str, str, str], Fraction] = {}
        for report in self.standing(order):
            for line, item, lot, quantity in report.taken_in:
                key = (line.path if line else "", item, lot)
                taken[key] = taken.get(key, Fraction(0)) + quantity
        left: dict[tuple[str, str, str], tuple[Line | None, Fraction]] = {}
        for each in self.by_hand:
            if each.order != order.number or not each.lot:
                continue
            key = (each.line.path if each.line else "", each.item, each.lot)
            gone = min(each.quantity, taken.get(key, Fraction(0)))
            taken[key] = taken.get(key, Fraction(0)) - gone
            if each.quantity > gone:
                known = left.get(key, (None, Fraction(0)))[1]
                left[key] = (each.line, known + each.quantity - gone)
        return [(line, item, lot, part) for (_, item, lot), (line, part) in left.items()]

    def _receive(self, row: Cells, at: str) -> None:
        item, lot, container = row["item"], row.get("lot") or "", row.get("container") or ""
        when = row.get("effective_at") or at
        known = self.lots.setdefault((item, lot), {"status": "available"})
        known.setdefault("received_at", "")
        known["received_at"] = known["received_at"] or when
        known["expires_on"] = known.get("expires_on") or row.get("expires_on") or ""
        shelf_life = self.cell("items", (item,), "shelf_life_days")
        if shelf_life and lot and not known["expires_on"]:
            known["expires_on"] = later_day(known["received_at"][:10], int(shelf_life))
        if container:
            self.containers.setdefault(container, (item, lot))
        quantity = Fraction(row["quantity"]) * self.factor(item, row.get("uom") or self.uom(item))
        self._arrive(Movement(item, lot, container, "@supplier", row["location"], quantity), when)

    def _arrive(self, movement: Movement, when: str) -> None:
        self.movements.append(movement)
        key = (movement.item, movement.lot, movement.container, movement.target)
        self.arrived[key] = min(when, self.arrived.get(key, when))
        self.seen[movement.item, movement.target] = {
            heap.lot
            for heap in self.heaps()
            if (heap.item, heap.place) == (movement.item, movement.target) and heap.quantity > 0
        }

    def _take_order(self, old: Cells | None, row: Cells, at: str) -> None:
        number = row["work_order"]
        if number not in self.orders:
            self.orders[number] = Order(
                number, row["item"], Fraction(row["quantity"]), row.get("due_at") or "",
                row.get("lot") or "", row.get("replace_scrap") == "yes", row["status"], [],
                Fraction(row.get("completed_so_far") or 0),
                Fraction(row.get("scrapped_so_far") or 0),
            )  # fmt: skip
        order = self.orders[number]
        order.quantity = Fraction(row["quantity"])
        order.due_at = row.get("due_at") or ""
        if old is not None and old["status"] != row["status"] and order.status != "closed":
            order.status = row["status"]
        if order.status in ("released", "started"):
            if not order.lines:
                day = (row.get("start_at") or at)[:10]
                order.lines = self.explode(order.item, day, row.get("revision") or "")
                order.operations = self.routing(order.item, day, row.get("revision") or "")
            if self.good(order) + self.scrapped(order) > 0:
                order.status = "started"
            if self.remaining(order) == 0:
                order.status = "closed"
