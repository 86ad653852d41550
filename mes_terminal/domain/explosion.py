"""BOM explosion (BF-3, BF-6, BF-9, BF-10, BF-14): one revision becomes the lines of an order.

Ratios stay exact: phantom levels multiply down unrounded, each level divides by its own output
quantity. Every policy of a line is decided once, and the level that decided is kept. Pure; called
when an order is released and, for its faults, whenever master data is checked.
"""

from fractions import Fraction
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from mes_terminal.domain.bom import (
    Basis,
    Bom,
    BomLine,
    LineLevel,
    MountRule,
    Operation,
    Plant,
    Substitute,
    WorkCentre,
    line_order,
)
from mes_terminal.domain.effectivity import effective_on, is_effective
from mes_terminal.domain.quantity import ceil_to_step, fits_64_bits, floor_to_step
from mes_terminal.domain.rules import IssueMethod, StationRules

LINES_MAX: Final = 10_000
"""Lines of one order; nested phantoms grow without limit otherwise."""

LEVELS_MAX: Final = 50
"""Phantoms below phantoms; deeper is a mistake in the data."""

PERCENT_MICRO: Final = 100_000_000
"""100 % in micro-percent."""

_NO_OPERATION: Final = Operation(operation="")

LocationRule = Literal["line", "work_centre", "station"]


class ExplodedLine(Struct, frozen=True, kw_only=True):
    """A line of the snapshot. `net` and `gross`: micro-units of the component per micro-unit
    reported (`per_unit`), or micro-units from the first unit on (`per_order`)."""

    line: str
    component: str
    basis: Basis
    net: Fraction
    gross: Fraction
    scrap_pct_micro: int
    operation: str | None
    issue_method: IssueMethod
    location: str
    location_rule: LocationRule
    mount: MountRule
    mount_position: str | None
    erp_ref: str | None
    decided_by: dict[str, str]
    substitutes: tuple[Substitute, ...]


class ExplodedOutput(Struct, frozen=True, kw_only=True):
    """A by- or co-product of the snapshot (BF-30); `net` as in `ExplodedLine`."""

    line: str
    item: str
    role: Literal["by_product", "co_product"]
    basis: Basis
    net: Fraction
    cost_share_pct_micro: int | None


class ExplosionFault(Struct, frozen=True, kw_only=True):
    """What is wrong at a line of a revision, or at an explicit line of an order (`level`)."""

    level: LineLevel
    item: str
    revision: str
    line: str
    column: str
    message: str


class Explosion(Struct, frozen=True):
    """The lines in order of their paths, the other outputs, and every fault met."""

    lines: tuple[ExplodedLine, ...]
    outputs: tuple[ExplodedOutput, ...]
    faults: tuple[ExplosionFault, ...]


class _Inherited(NamedTuple):
    """What a phantom line hands down to the lines below it."""

    path: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    basis: Basis = "per_unit"
    net: Fraction = Fraction(1)
    gross: Fraction = Fraction(1)
    operation: str | None = None
    issue_method: tuple[IssueMethod, str] | None = None
    supply_location: tuple[str, str] | None = None


def explode(
    bom: Bom,
    plant: Plant,
    *,
    day: str,
    work_centre: str | None,
    rules: StationRules,
    routing_of: tuple[str, str] | None = None,
) -> Explosion:
    """Return the lines of an order for `bom`, with phantoms exploded as of `day`.

    `work_centre` is the order's; `routing_of` the revision whose operations count (default: that of
    `bom`). Components that `plant` does not know are left out: their fault is told elsewhere.
    """
    return _Walk(bom, plant, day, work_centre, rules, routing_of or (bom.item, bom.revision)).run()


def targets(line: ExplodedLine, reported_micro: int, step_micro: int) -> tuple[int, int]:
    """Return the cumulative net and planned-scrap targets of a line in micro-units (BF-4)."""
    if not reported_micro:
        return 0, 0
    count = reported_micro if line.basis == "per_unit" else 1
    net = ceil_to_step(line.net.numerator * count, line.net.denominator, step_micro)
    if line.gross == line.net:
        return net, 0
    scrap = (line.gross - line.net) * count
    return net, floor_to_step(scrap.numerator, scrap.denominator, step_micro)


def no_operation(operation: str, routing_of: tuple[str, str]) -> str:
    """Say that the routing of (item, revision) lacks an operation that a line names."""
    item, revision = routing_of
    of = f"{item} revision {revision}" if revision else item
    return f"operation {operation} is not in the routing of {of}; add it to routings.csv"


def no_whole_number(component: str, units: Fraction, product: str) -> str:
    """Say that a part of a serial-tracked component would go into a unit (BF-18)."""
    return (
        f"{component} is tracked by serial but {units} go into one {product}; give a whole number"
    )


class _Walk:
    """One explosion under way: a stack of lines, never recursion."""

    def __init__(
        self,
        bom: Bom,
        plant: Plant,
        day: str,
        work_centre: str | None,
        rules: StationRules,
        routing_of: tuple[str, str],
    ) -> None:
        self._plant = plant
        self._day = day
        self._rules = rules
        self._order_centre = plant.work_centres.get(work_centre or "")
        self._routing_of = routing_of
        routing = plant.routings.get(routing_of, ())
        self._operations = {operation.operation: operation for operation in routing}
        self._lines: dict[str, ExplodedLine] = {}
        self._outputs: dict[str, ExplodedOutput] = {}
        self._faults: dict[ExplosionFault, None] = {}
        self._pending: list[tuple[Bom, BomLine, _Inherited]] = []
        self._push(bom, _Inherited(items=(bom.item,)))

    def run(self) -> Explosion:
        while self._pending and len(self._lines) <= LINES_MAX:
            self._take(*self._pending.pop())
        return Explosion(
            tuple(sorted(self._lines.values(), key=lambda line: line_order(line.line))),
            tuple(sorted(self._outputs.values(), key=lambda one: line_order(one.line))),
            tuple(self._faults),
        )

    def _push(self, bom: Bom, inherited: _Inherited) -> None:
        for line in reversed(bom.lines):
            if is_effective(line, self._day):
                self._pending.append((bom, line, inherited))

    def _take(self, bom: Bom, line: BomLine, above: _Inherited) -> None:
        item = self._plant.items.get(line.component)
        if item is None:
            return
        here = self._combine(bom, line, above)
        if line.role != "component":
            self._add_output(bom, line, here)
        elif item.kind == "phantom":
            self._descend(bom, line, here)
        else:
            self._add_line(bom, line, here)

    def _combine(self, bom: Bom, line: BomLine, above: _Inherited) -> _Inherited:
        basis, net, gross = above.basis, above.net, above.gross
        if line.basis == "per_order":
            basis, net, gross = "per_order", line.quantity, line.quantity
        else:
            per_unit = line.quantity / bom.output_micro
            net, gross = net * per_unit, gross * per_unit
        if line.scrap_pct_micro:
            gross *= self._scrap_factor(line)
        return _Inherited(
            path=(*above.path, line.line),
            items=(*above.items, line.component),
            basis=basis,
            net=net,
            gross=gross,
            operation=line.operation or above.operation,
            issue_method=(line.issue_method, bom.level)
            if line.issue_method
            else above.issue_method,
            supply_location=(
                (line.supply_location, bom.level) if line.supply_location else above.supply_location
            ),
        )

    def _scrap_factor(self, line: BomLine) -> Fraction:
        if (line.planned_scrap or self._rules.planned_scrap) == "planning_only":
            return Fraction(1)
        scrap = Fraction(line.scrap_pct_micro, PERCENT_MICRO)
        if line.scrap_mode == "additive":
            return 1 + scrap
        return 1 / (1 - scrap) if scrap < 1 else Fraction(1)  # 100 % and more: told elsewhere

    def _descend(self, bom: Bom, line: BomLine, here: _Inherited) -> None:
        revisions = effective_on(self._plant.boms.get(line.component, ()), self._day)
        if line.component in here.items[:-1] or len(here.path) > LEVELS_MAX:
            path = " -> ".join(here.items[-LEVELS_MAX:])
            self._fault(bom, line, "component", f"the BOM goes round: {path}; break the circle")
        elif len(revisions) == 1:
            self._push(revisions[0], here)
        elif revisions:
            self._fault(
                bom,
                line,
                "component",
                f"phantom {line.component} has {len(revisions)} revisions on {self._day}; "
                "end one before the other begins",
            )
        else:
            self._fault(
                bom,
                line,
                "component",
                f"phantom {line.component} has no revision effective on {self._day}; "
                "add one to boms.csv",
            )

    def _add_output(self, bom: Bom, line: BomLine, here: _Inherited) -> None:
        if line.role == "component":
            return
        path = self._free_path(bom, line, here)
        self._outputs[path] = ExplodedOutput(
            line=path,
            item=line.component,
            role=line.role,
            basis=here.basis,
            net=here.net,
            cost_share_pct_micro=line.cost_share_pct_micro,
        )

    def _add_line(self, bom: Bom, line: BomLine, here: _Inherited) -> None:
        self._check_ratios(bom, line, here)
        operation = self._operations.get(here.operation or "", _NO_OPERATION)
        if here.operation and operation is _NO_OPERATION:
            self._fault(bom, line, "operation", no_operation(here.operation, self._routing_of))
        centre = self._plant.work_centres.get(operation.work_centre or "")
        centres = [one for one in (centre, self._order_centre) if one]
        item = self._plant.items[line.component]
        method, method_level = self._issue_method(
            here, operation.issue_method, centres, item.issue_method
        )
        location, rule, location_level = self._location(here, centres)
        path = self._free_path(bom, line, here)
        if len(self._lines) == LINES_MAX:
            self._fault(bom, line, "line", f"an order can have {LINES_MAX} lines; split the BOM")
        self._lines[path] = ExplodedLine(
            line=path,
            component=line.component,
            basis=here.basis,
            net=here.net,
            gross=here.gross,
            scrap_pct_micro=line.scrap_pct_micro,
            operation=here.operation,
            issue_method=method,
            location=location,
            location_rule=rule,
            mount=line.mount or item.mount,
            mount_position=line.mount_position,
            erp_ref=line.erp_ref,
            decided_by={
                "issue_method": method_level,
                "supply_location": location_level,
                "mount": bom.level if line.mount else "item",
                "planned_scrap": bom.level if line.planned_scrap else "station",
            },
            substitutes=line.substitutes,
        )

    def _free_path(self, bom: Bom, line: BomLine, here: _Inherited) -> str:
        path = ".".join(here.path)
        if path in self._lines or path in self._outputs:
            self._fault(
                bom, line, "line", f"line {path} is there twice once phantoms are exploded; rename"
            )
        return path

    def _check_ratios(self, bom: Bom, line: BomLine, here: _Inherited) -> None:
        if not (fits_64_bits(here.net) and fits_64_bits(here.gross)):
            self._fault(
                bom,
                line,
                "quantity",
                "the requirement is no fraction of two 64-bit numbers; use rounder quantities",
            )
        if self._plant.items[line.component].tracking != "serial":
            return
        units = here.net / 1_000_000 if here.basis == "per_order" else here.net
        if units.denominator != 1:
            self._fault(
                bom,
                line,
                "quantity",
                no_whole_number(line.component, units, here.items[0]),
            )
        if here.gross != here.net:
            self._fault(
                bom,
                line,
                "scrap_pct",
                f"{line.component} is tracked by serial and cannot have planned scrap; set it to 0",
            )

    def _issue_method(
        self,
        here: _Inherited,
        of_operation: IssueMethod | None,
        centres: list[WorkCentre],
        of_item: IssueMethod | None,
    ) -> tuple[IssueMethod, str]:
        """Decide by BF-10."""
        if here.issue_method:
            return here.issue_method
        if of_operation:
            return of_operation, "operation"
        for centre in centres:
            if centre.issue_method:
                return centre.issue_method, "work_centre"
        return (of_item, "item") if of_item else (self._rules.issue_method, "station")

    def _location(
        self, here: _Inherited, centres: list[WorkCentre]
    ) -> tuple[str, LocationRule, str]:
        """Decide by BF-14: the location, the rule that chose it, the level of BF-10."""
        if here.supply_location:
            return here.supply_location[0], "line", here.supply_location[1]
        for centre in centres:
            if centre.supply_location:
                return centre.supply_location, "work_centre", "work_centre"
        return self._rules.supply_location, "station", "station"

    def _fault(self, bom: Bom, line: BomLine, column: str, message: str) -> None:
        fault = ExplosionFault(
            level=bom.level,
            item=bom.item,
            revision=bom.revision,
            line=line.line,
            column=column,
            message=message,
        )
        self._faults[fault] = None
