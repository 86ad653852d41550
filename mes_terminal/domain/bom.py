"""Bills of material as the rules see them: items, revisions, lines, operations, cycles (BF-9).

Pure values; made from master data when it is checked, read by the explosion.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal

from msgspec import Struct

from mes_terminal.domain.rules import IssueMethod

Basis = Literal["per_unit", "per_order"]
MountRule = Literal["optional", "required"]
PlannedScrap = Literal["posted", "planning_only"]
LineLevel = Literal["order_line", "bom_line"]

_WHOLE: Final = re.compile(r"[0-9]{1,18}\Z")


class ItemPolicy(Struct, frozen=True, kw_only=True):
    """What the explosion asks of an item."""

    item: str
    kind: Literal["purchased", "manufactured", "phantom"]
    tracking: Literal["none", "lot", "serial"] = "none"
    step_micro: int = 1_000_000
    issue_method: IssueMethod | None = None
    mount: MountRule = "optional"


class Substitute(Struct, frozen=True, kw_only=True):
    """An item that may stand in for a line's component (BF-29)."""

    item: str
    ratio: Fraction = Fraction(1)
    priority: int | None = None
    approval: Literal["none", "required"] = "none"
    choice: Literal["scanned", "automatic"] = "scanned"


class BomLine(Struct, frozen=True, kw_only=True):
    """A line; `quantity` in micro-units of the component for `Bom.output_micro` of the product."""

    line: str
    component: str
    quantity: Fraction
    basis: Basis = "per_unit"
    scrap_pct_micro: int = 0
    scrap_mode: Literal["additive", "divisive"] = "additive"
    planned_scrap: PlannedScrap | None = None
    operation: str | None = None
    issue_method: IssueMethod | None = None
    supply_location: str | None = None
    mount: MountRule | None = None
    mount_position: str | None = None
    effective_from: str | None = None
    effective_to: str | None = None
    role: Literal["component", "by_product", "co_product"] = "component"
    cost_share_pct_micro: int | None = None
    erp_ref: str | None = None
    substitutes: tuple[Substitute, ...] = ()


class Bom(Struct, frozen=True, kw_only=True):
    """A revision, or the explicit lines of an order (`level` says whose policies they state)."""

    item: str
    revision: str
    output_micro: int = 1_000_000
    effective_from: str | None = None
    effective_to: str | None = None
    lines: tuple[BomLine, ...] = ()
    level: LineLevel = "bom_line"


class WorkCentre(Struct, frozen=True, kw_only=True):
    """The policies of a work centre."""

    supply_location: str | None = None
    output_location: str | None = None
    issue_method: IssueMethod | None = None


class Operation(Struct, frozen=True, kw_only=True):
    """A step of the routing of a revision."""

    operation: str
    work_centre: str | None = None
    issue_method: IssueMethod | None = None


class Plant(Struct, frozen=True, kw_only=True):
    """Everything an explosion looks up. Routings by (item, revision), in order of operations."""

    items: Mapping[str, ItemPolicy]
    boms: Mapping[str, Sequence[Bom]]
    routings: Mapping[tuple[str, str], Sequence[Operation]] = {}
    work_centres: Mapping[str, WorkCentre] = {}


def line_order(line: str) -> tuple[tuple[int, int, str], ...]:
    """Return the sorting key of a line or operation: whole-number parts compare as numbers."""
    return tuple(
        (0, int(part), part) if _WHOLE.match(part) else (1, 0, part) for part in line.split(".")
    )


def find_cycles(components: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """Return one closed path (`A, B, A`) for each way back that a walk down the BOMs meets.

    `components` maps an item to what any of its revisions is made of. Each cycle is met at least
    once; without recursion, so that a deep BOM cannot exhaust the stack.
    """
    finished: set[str] = set()
    cycles = []
    for start in components:
        if start in finished:
            continue
        path: dict[str, Iterator[str]] = {start: iter(components[start])}
        while path:
            item, pending = next(reversed(path.items()))
            component = next(pending, None)
            if component is None:
                finished.add(item)
                del path[item]
            elif component in path:
                walked = list(path)
                cycles.append((*walked[walked.index(component) :], component))
            elif component not in finished:
                path[component] = iter(components.get(component, ()))
    return cycles
