"""The station in the slowest and most obvious way: the rules, once more, without a database.

Written from the rules alone (BF-3 … BF-39, and how they were settled), to be compared with the real
station scan by scan. It keeps what the files said as text, a list of every movement ever made and a
list of reports; whatever it is asked, it adds up from the beginning. All quantities are fractions.
Times are UTC texts; the site is in UTC. Left out are serials, rework, by-products, returns and
healing: `test_shift_machine.py` has them.
"""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from tests.model.handling import Handling
from tests.model.making import not_open
from tests.model.values import (
    NEVER,
    Answer,
    Line,
    Mount,
    Movement,
    Order,
    Report,
    StandIn,
    moment,
    moved,
    text,
)


class Model(Handling):
    """A plant and its station."""

    def __init__(
        self,
        *,
        shortage_policy: str = "exception",
        planned_scrap: str = "posted",
        over_completion_pct: str = "0",
        undo_grace_s: int = 120,
        lot_overrun_pct: str = "3",
    ) -> None:
        super().__init__(
            shortage_policy=shortage_policy,
            planned_scrap=planned_scrap,
            lot_overrun_pct=lot_overrun_pct,
        )
        self.over_completion = Fraction(over_completion_pct)
        self.undo_grace_s = undo_grace_s
        self.current: str | None = None
        self.pending: tuple[str, str] | None = None
        self.pending_quantity: Fraction | None = None
        self.signed_in: str | None = None

    def scan(self, code: str, *, at: str, badge: str | None = None) -> Answer:
        """Return what the station answers to one code, and be in the state it is in afterwards."""
        if badge is not None and not self.tables["operators"].get((badge,)):
            return Answer("rejected", "not_authorised")
        who = badge or self.signed_in
        if code.startswith("%"):
            return self._command(code, at, who)
        if code.startswith("B:"):
            return self._badge(code[2:])
        if code.startswith("L:"):
            kinds = {"location"}
            names: list[tuple[str, str, str]] = [("location", code[2:], "")]
        else:
            names = self._names(code)
            kinds = {kind for kind, _, _ in names}
        quantity = self.pending_quantity
        if kinds and kinds <= {"order", "item", "container", "lot"} and len(names) == 1:
            self.pending_quantity = None  # taken, whatever comes of it
        return self._named(code, names, quantity, at, who)

    def _named(
        self, code: str, names: list[tuple[str, str, str]], quantity: Fraction | None, at: str,
        who: str | None,
    ) -> Answer:  # fmt: skip
        if self.pending:
            verb = self.pending[0]
            if verb in ("EMPTY", "UNMOUNT", "ASIDE"):
                return self._dismount(code, names, at)
            if verb in ("SCRAP", "HOLD", "RELEASE", "ISSUE", "EXTRA") and names:
                return self._handle(code, verb, names, quantity, at, who)
            orders = [name for kind, name, _ in names if kind == "order"]
            if orders:
                self.pending = None
                if verb == "START":
                    return self._start(orders[0])
                return self._short(self.orders[orders[0]], at, who)
            if names:
                return Answer("needs", "order")
        if not names:
            return self._unknown()
        if len(names) > 1:
            return Answer("rejected", "ambiguous")
        kind, name, lot = names[0]
        if kind == "order":
            order = self.orders[name]
            if order.status == "closed":
                return Answer("already_done", "order_closed", name)
            refusal = not_open(order)
            return refusal or self._report(order, quantity or self.remaining(order), at=at, who=who)
        if kind == "item":
            return self._item(name, quantity or Fraction(1), at, who)
        if kind == "container":
            return self._mount(*self.containers[name], name, quantity, at)
        if kind == "lot":
            return self._lot(code, name, lot, quantity, at)
        return Answer("rejected", "no_effect")

    def _names(self, code: str) -> list[tuple[str, str, str]]:
        """Return everything the code means, as (kind, name, lot)."""
        parts = code.split("|")
        if len(parts) in (2, 3) and all(parts) and _figures(parts[2:]):
            return [("lot", parts[0], parts[1])]
        names = [("order", code, "")] if code in self.orders else []
        if code in self.containers:
            names.append(("container", code, ""))
        names += [
            ("lot", item, lot)
            for item, lot in self.lots
            if lot and lot == code and not (code in self.orders and self.orders[code].item == item)
        ]
        if (code,) in self.tables["items"]:
            names.append(("item", code, ""))
        return names

    def _unknown(self) -> Answer:
        return Answer("unknown", exceptions=(("unknown_code", None, None, "1"),))

    def _badge(self, badge: str) -> Answer:
        if not self.tables["operators"].get((badge,)):
            return Answer("rejected", "not_authorised")
        self.signed_in = None if self.signed_in == badge else badge
        return Answer("recorded")

    def _command(self, code: str, at: str, who: str | None) -> Answer:
        verb, _, argument = code[1:].partition(" ")
        if verb == "QTY":
            self.pending_quantity = Fraction(argument)
            return Answer("recorded", quantity=text(self.pending_quantity))
        if verb == "CANCEL":
            self.pending = self.pending_quantity = None
        if verb in ("HELP", "CANCEL"):
            return Answer("recorded")
        if verb == "UNDO":
            return self._undo(at, who)
        if verb == "OP":
            return self._operation(*argument.split(" "), at=at, who=who)
        if verb == "RELEASE" and not self._may_release(who):
            self.pending = None  # what waited before it is over, too
            return Answer("rejected", "not_authorised")
        if verb == "START" and not argument:
            self.pending = ("START", "")
            return Answer("needs", "order")
        if verb == "START":
            return self._start(argument)
        if verb in ("SHORT", "SCRAP"):
            kind = {"SHORT": "short_close", "SCRAP": "scrap"}[verb]
            rows = self.tables["reasons"].values()
            reasons = {row["code"] for row in rows if row["kind"] == kind}
            if not argument or (reasons and argument not in reasons):
                self.pending = None
                return Answer("rejected", "reason_missing")
        self.pending = (verb, argument)
        return Answer("recorded")

    def _start(self, number: str) -> Answer:
        order = self.orders[number]
        if self.pending and self.pending[0] == "START":
            self.pending = None
        refusal = not_open(order)
        if refusal:
            return refusal
        order.status = "started"
        self.current = number
        return Answer("recorded", work_order=number)

    def _item(self, item: str, quantity: Fraction, at: str, who: str | None) -> Answer:
        order = self._order_of_item(item)
        if order is not None:
            return self._report(order, quantity, at=at, who=who)
        if any(each.item == item for each in self.orders.values()):
            return Answer("needs", "order")
        is_component = any(row["component"] == item for row in self.tables["bom_lines"].values())
        if self.cell("items", (item,), "tracking") == "lot" and is_component:
            return Answer("needs", "lot")
        return Answer("rejected", "no_effect")

    def _lot(self, code: str, item: str, lot: str, quantity: Fraction | None, at: str) -> Answer:
        figures = code.split("|")[2:]
        if figures and quantity is None:
            quantity = Fraction(figures[0])
        if (item,) not in self.tables["items"] or (item, lot) not in self.lots:
            return Answer("rejected", "lot_unknown")
        return self._mount(item, lot, "", quantity, at)

    def _short(self, order: Order, at: str, who: str | None) -> Answer:
        if order.status == "closed":
            return Answer("already_done", "order_closed", order.number)
        return not_open(order) or self._report(order, Fraction(0), at=at, who=who, short=True)

    def _undo(self, at: str, who: str | None) -> Answer:
        """BF-31."""
        standing = [report for report in self.reports if report.standing]
        if not standing:
            return Answer("rejected", "nothing_to_undo")
        report = standing[-1]
        if report.person != who:
            return Answer("rejected", "not_authorised", report.order)
        if moment(at) - moment(report.at) > timedelta(seconds=self.undo_grace_s):
            return Answer("rejected", "undo_too_late", report.order)
        left = {(h.item, h.lot, h.container, h.place): h.quantity for h in self.heaps()}
        for movement in report.movements:
            where = (movement.item, movement.lot, movement.container, movement.target)
            if movement.source == "@adjustment":
                continue  # what was found beyond the books comes back first
            if where in left and left[where] < movement.quantity:
                return Answer("rejected", "has_dependents", report.order)
        for movement in report.movements:
            self.movements.append(
                Movement(movement.item, movement.lot, movement.container, movement.target,
                         movement.source, movement.quantity)
            )  # fmt: skip
            if not movement.source.startswith("@"):
                self.seen.setdefault((movement.item, movement.source), set()).add(movement.lot)
        for take in report.takes:
            for _, gain, key in take.gains:
                self.gained[key] -= gain
        report.standing = False
        if report.child:
            self.edges += [replace(edge, quantity=-edge.quantity) for edge in self._edges(report)]
        if report.produced:
            self._give_back_expiry(report)
        order = self.orders[report.order]
        if order.status in ("started", "closed"):
            order.status = report.status_before
        self.current = order.number
        return Answer(
            "recorded", None, order.number, text(-report.units),
            self._drawn(report.takes, "net", -1), self._drawn(report.takes, "scrap", -1),
            self._produced(report, -1),
        )  # fmt: skip

    def _give_back_expiry(self, report: Report) -> None:
        """BF-39: never a longer one than what stands of the lot allows."""
        assert report.produced
        item, lot = report.produced
        days = [report.expires_on or NEVER]
        others = any(each.standing and each.produced == report.produced for each in self.reports)
        if others and self.cell("items", (item,), "inherit_expiry") == "yes":
            days += self.expiries_in(item, lot)
        self.lots[item, lot]["expires_on"] = "" if min(days) == NEVER else min(days)

    def _mount(
        self, item: str, lot: str, container: str, quantity: Fraction | None, at: str
    ) -> Answer:
        needs = [
            (order, position, line)
            for order in self.orders.values()
            if order.status in ("released", "started")
            for position, line in enumerate(order.lines)
            if line.item == item or (line.method == "backflush" and _stand_in(line, item))
        ]
        if not needs and not self._listed_elsewhere(item):
            return Answer("rejected", "wrong_component")
        known = self.lots[item, lot]
        if known["status"] == "rejected":
            return Answer("rejected", "lot_on_hold")
        needs.sort(key=self._urgency(item, lot, container))
        if not needs or _needs_approval(needs[0][2], item):
            return Answer("rejected", "substitute_not_allowed")
        line = needs[0][2]
        if known["status"] != "available":
            return Answer("rejected", "lot_on_hold")
        if (known["expires_on"] or NEVER) < at[:10]:
            return Answer("rejected", "lot_expired")
        if (quantity or 0) % self.step(item):
            return Answer("rejected", "not_a_step")
        for heap in self.heaps():
            elsewhere = heap.place != line.place and heap.quantity > 0
            pickable = self.cell("locations", (heap.place,), "kind") not in ("hold", "scrap")
            if (
                (heap.item, heap.lot) == (item, lot) and elsewhere and pickable
                and heap.place != "SCRAP" and container in ("", heap.container)
            ):  # fmt: skip
                when = self.arrived[item, lot, heap.container, heap.place]
                self._arrive(moved(heap, line.place, heap.quantity), when)
        mount = Mount(item, lot, container, line.place)
        asked = self.change_over(line.position, mount, quantity, at)
        return Answer("recorded", quantity=text(self.book(mount)), exceptions=_overdrawn(asked))

    def _listed_elsewhere(self, item: str) -> bool:
        """Tell whether a BOM lets the item stand in for a component of an open order."""
        for_ = {
            self.cell("bom_lines", key[:3], "component")
            for key in self.tables["bom_substitutes"]
            if key[3] == item
        }
        return any(
            line.item in for_ and line.method == "backflush"
            for order in self.orders.values()
            if order.status in ("released", "started")
            for line in order.lines
        )

    def _urgency(self, item: str, lot: str, container: str) -> Any:
        """Return by what lines are put in order that could take what was scanned."""
        return lambda need: (
            need[0].number != self.current, need[2].item != item, need[0].status != "started",
            need[0].due_at == "", need[0].due_at, need[0].number,
            not self._holds(need[2].position, item, lot, container),
            need[2].position in self.mounts, _needs_approval(need[2], item), need[1],
        )  # fmt: skip

    def _holds(self, position: str, item: str, lot: str, container: str) -> bool:
        held = self.mounts.get(position)
        return held is not None and (held.item, held.lot, held.container) == (item, lot, container)

    def _dismount(self, code: str, names: list[tuple[str, str, str]], at: str) -> Answer:
        lots = {(item, lot) for kind, item, lot in names if kind == "lot"}
        items = {name for kind, name, _ in names if kind == "item"}
        found = [
            position
            for position, mount in self.mounts.items()
            if position == code
            or (mount.container and mount.container == code)
            or (mount.item, mount.lot) in lots
            or mount.item in items
        ]
        if not found and not names:
            return self._unknown()
        if len(found) != 1:
            return Answer("needs", "component")
        verb, argument = self.pending or ("", "")
        self.pending = None
        left = Fraction(argument) if verb == "ASIDE" else Fraction(0)
        if left % self.step(self.mounts[found[0]].item):
            return Answer("rejected", "not_a_step")
        asked = self.leave(found[0], None if verb == "UNMOUNT" else left, at)
        return Answer("recorded", exceptions=_overdrawn(asked))


def _stand_in(line: Line, item: str) -> StandIn | None:
    return next((each for each in line.substitutes if each.item == item), None)


def _needs_approval(line: Line, item: str) -> bool:
    each = _stand_in(line, item)
    return line.item != item and each is not None and each.needs_approval


def _overdrawn(asked: list[tuple[str, Fraction]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(("lot_overdrawn", None, item, text(quantity)) for item, quantity in asked)


def _figures(parts: list[str]) -> bool:
    return all(part and set(part) <= set("0123456789.") for part in parts)
