"""What a load does to orders: their fields, their status, the snapshot at release (BF-7, BF-8).

Reads in bulk, writes nothing; every fault is found at once, for orders that are not released too.
Called by the load, before its transaction and, if the log moved on in between, again inside it.
"""

import json
from collections import defaultdict
from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.bom import Bom, Plant
from mes_terminal.domain.conversions import Conversions
from mes_terminal.domain.effectivity import effective_on
from mes_terminal.domain.explosion import ExplodedLine, Explosion, explode, targets
from mes_terminal.domain.instants import local_day
from mes_terminal.domain.order_changes import OrderChange
from mes_terminal.domain.rules import StationRules
from mes_terminal.exchange import rows
from mes_terminal.exchange.faults import Fault
from mes_terminal.store import order_snapshot
from mes_terminal.store.order_snapshot import COUNTS_FROM_NOW, OrderState, Values
from mes_terminal.usecases.check_orders import check_explicit_lines, check_exploded, check_order
from mes_terminal.usecases.check_plant import explosion_faults
from mes_terminal.usecases.merged_rows import Merged
from mes_terminal.usecases.plan_changes import DueSoFar, changed_lines, to_tell
from mes_terminal.usecases.plan_reads import PlanReads
from mes_terminal.usecases.plan_stock import foreign_locations
from mes_terminal.usecases.plan_units import UnitsPlan, plan_units
from mes_terminal.usecases.plant_of_rows import explicit_bom

_OPEN: Final = ("planned", "released", "started", "hold")
_FROZEN_POLICIES: Final = frozenset(
    ("line", "component", "basis", "net_num", "net_den", "gross_num", "gross_den", "scrap_pct",
     "operation", "issue_method", "location", "location_rule", "mount", "mount_position", "erp_ref")
)  # fmt: skip


class OrdersPlan(Struct, frozen=True):
    """The rows that a load writes for orders, as `store.order_snapshot` takes them; the faults."""

    orders: list[Values]
    released: list[str]
    """Orders whose operations are frozen with this load."""
    replaced: list[str]
    amended: list[Values]
    lines: list[Values]
    substitutes: list[Values]
    outputs: list[Values]
    units: UnitsPlan
    faults: list[Fault]


class _Release(Struct, frozen=True):
    """What an order is made by: its revision and lines."""

    bom: Bom | None
    explosion: Explosion


Explosions = dict[tuple[str, str, str, str | None], Explosion]
"""Explosions done, so that many orders of one product cost one."""


def plan_orders(
    reads: PlanReads,
    merged: Merged,
    plant: Plant,
    conversions: Conversions,
    *,
    rules: StationRules,
    load_time: str,
) -> OrdersPlan:
    """Return what the order files change; `load_time` is the release date of what is released."""
    return _OrderPlanner(reads, merged, plant, conversions, rules, load_time).plan()


class _OrderPlanner:
    def __init__(
        self,
        reads: PlanReads,
        merged: Merged,
        plant: Plant,
        conversions: Conversions,
        rules: StationRules,
        load_time: str,
    ) -> None:
        self._merged = merged
        self._plant = plant
        self._conversions = conversions
        self._rules = rules
        self._today = local_day(load_time, rules.zone)
        self._explosions: Explosions = {}
        self._rows = merged.rows("work_orders", rows.WorkOrderRow)
        self._explicit: dict[str, list[rows.WorkOrderLineRow]] = defaultdict(list)
        for line in merged.rows("work_order_lines", rows.WorkOrderLineRow).values():
            self._explicit[line.work_order].append(line)
        self._changed = {change.key[0]: change for change in merged.tables["work_orders"].changes}
        self._lines_changed = {
            change.key[0] for change in merged.tables["work_order_lines"].changes
        }
        self._states = self._read_states(reads)
        self._frozen = reads(order_snapshot.read_lines, self._lines_changed)
        self._operations = reads(order_snapshot.read_operations, self._lines_changed)
        self._told = dict[str, list[OrderChange]]()
        self._foreign = foreign_locations(merged, rules)
        self._plan = OrdersPlan([], [], [], [], [], [], [], plan_units(reads, merged, plant), [])

    def _read_states(self, reads: PlanReads) -> dict[str, OrderState]:
        """Read every order; on how far one is that the files leave alone, nothing rests."""
        changed = self._changed.keys() | self._lines_changed
        others = [key[0] for key in self._rows if key[0] not in changed]
        states = reads(order_snapshot.read_orders, sorted(changed))
        return states | reads.aside(order_snapshot.read_orders, others)

    def plan(self) -> OrdersPlan:
        self._plan.faults.extend(self._plan.units.faults)
        for row in self._rows.values():
            if row.item in self._plant.items:
                state = self._states.get(row.work_order)
                state = state if row.work_order in self._changed else None
                faults = [
                    *check_order(self._merged, self._plant, row, state),
                    *check_explicit_lines(
                        self._merged,
                        self._plant,
                        self._conversions,
                        self._explicit.get(row.work_order, ()),
                    ),
                ]
                self._plan.faults.extend(faults)
                self._take(row, sound=not faults and not row.faulty)
        return self._plan

    def _take(self, row: rows.WorkOrderRow, *, sound: bool) -> None:
        state = self._states.get(row.work_order)
        status = self._status(row, state)
        version = state.snapshot_version if state else 0
        revision = state.revision if state and version else row.revision
        output = state.output_location if state and version else self._output_location(row, None)
        if self._plant.items[row.item].kind != "manufactured":
            return
        if not version and status in _OPEN:
            release = self._release(row)
            if release is None:
                return
            if release.bom:
                revision = release.bom.revision
                output = self._output_location(row, release.bom)
            if output in self._foreign:
                self._fault(
                    row,
                    "work_centre",
                    f"would bring {row.item} to {output}, which is written by "
                    f"{self._foreign[output]} only; give it another output location",
                )
                sound = False
            if status in ("released", "started") and sound:
                version = 1
                self._freeze(row, release, version)
        elif version and row.work_order in self._lines_changed and status in _OPEN:
            version = self._amend(row, state, version, sound=sound)
        if row.work_order in self._changed or version != (state.snapshot_version if state else 0):
            self._write(row, state, status, version, revision, output)

    def _write(
        self,
        row: rows.WorkOrderRow,
        state: OrderState | None,
        status: str,
        version: int,
        revision: str | None,
        output: str,
    ) -> None:
        good = state.good_micro if state else row.completed_so_far
        scrapped = state.scrapped_micro if state else row.scrapped_so_far
        reported = good + (0 if row.replace_scrap else scrapped)
        if status in ("released", "started") and version:
            status = "started" if good + scrapped else status
            status = "closed" if reported >= row.quantity else status
        self._plan.orders.append(
            {
                **msgspec.structs.asdict(row),
                "status": status,
                "revision": revision,
                "output_location": output,
                "snapshot_version": version,
                "good": good,
                "scrapped": scrapped,
                "changes": to_tell(row, state, self._told.get(row.work_order, ())),
            }
        )

    def _status(self, row: rows.WorkOrderRow, state: OrderState | None) -> str:
        """Return the status: the station's own unless the file's has changed."""
        change = self._changed.get(row.work_order)
        if state is None:
            return row.status
        old = change.old if change else None
        if not isinstance(old, rows.WorkOrderRow) or old.status == row.status:
            return state.status
        if state.status == "closed" and old.status != "closed":
            return "closed"
        return row.status

    def _release(self, row: rows.WorkOrderRow) -> _Release | None:
        """Explode the order as it would be released; None if it has no revision (told)."""
        on_start = self._rules.bom_date == "start" and row.start_at
        day = (
            local_day(row.start_at, self._rules.zone) if on_start and row.start_at else self._today
        )
        bom = self._revision(row, day)
        explicit = self._explicit.get(row.work_order)
        if bom is None and not explicit:
            return None
        if explicit:
            exploded = self._explode_explicit(row, explicit, bom, day)
        else:
            assert bom is not None
            key = (bom.item, bom.revision, day, row.work_centre)
            if key not in self._explosions:
                self._explosions[key] = explode(
                    bom, self._plant, day=day, work_centre=row.work_centre, rules=self._rules
                )
            exploded = self._explosions[key]
        faults = list(explosion_faults(self._merged, exploded.faults, row.work_order))
        faults += check_exploded(self._plant, self._foreign, row, exploded)
        self._plan.faults.extend(faults)
        return _Release(bom, exploded)

    def _explode_explicit(
        self,
        row: rows.WorkOrderRow,
        lines: list[rows.WorkOrderLineRow],
        bom: Bom | None,
        day: str,
    ) -> Explosion:
        stated = explicit_bom(self._merged, self._conversions, row, lines)
        return explode(
            stated,
            self._plant,
            day=day,
            work_centre=row.work_centre,
            rules=self._rules,
            routing_of=(bom.item, bom.revision) if bom else None,
        )

    def _revision(self, row: rows.WorkOrderRow, day: str) -> Bom | None:
        """Choose by BF-8."""
        revisions = self._plant.boms.get(row.item, ())
        if row.revision:
            return next((bom for bom in revisions if bom.revision == row.revision), None)
        found = effective_on(revisions, day)
        if len(found) == 1 or row.work_order in self._explicit:
            return found[0] if len(found) == 1 else None
        many = f"{len(found)} revisions are" if found else "no revision is"
        self._fault(
            row,
            "revision",
            f"{many} effective for {row.item} on {day}; name the revision, or correct boms.csv",
        )
        return None

    def _amend(
        self, row: rows.WorkOrderRow, state: OrderState | None, version: int, *, sound: bool
    ) -> int:
        """Freeze changed explicit lines anew; return the version that then holds.

        Where units are reported already, the version counts from the next one (BF-7).
        """
        assert state is not None
        before = len(self._plan.faults)
        release = self._release(row)
        if release is None or len(self._plan.faults) > before or not sound:
            return version
        lines = [_values(line) for line in release.explosion.lines]
        frozen = [
            {name: line[name] for name in _FROZEN_POLICIES}
            for line in self._frozen.get(row.work_order, ())
        ]
        if frozen == [{name: line[name] for name in _FROZEN_POLICIES} for line in lines]:
            return version
        due = DueSoFar(state, self._operations.get(row.work_order, ()))
        self._told[row.work_order] = changed_lines(
            self._frozen.get(row.work_order, ()), release.explosion.lines, due
        )
        if state.touched or state.good_micro or state.scrapped_micro:
            self._plan.amended.append({"work_order": row.work_order})
            self._freeze(row, release, version + 1, due=due)
        else:
            self._plan.replaced.append(row.work_order)
            self._freeze(row, release, version + 1)
        return version + 1

    def _freeze(
        self,
        row: rows.WorkOrderRow,
        release: _Release,
        version: int,
        *,
        due: DueSoFar | None = None,
    ) -> None:
        """Plan the rows of the snapshot; what was made before go-live counts as issued.

        With `due` the version begins to count there, so nothing is issued for what came before.
        """
        if due is None:
            self._plan.released.append(row.work_order)
        new = row.work_order not in self._states
        state = self._states.get(row.work_order)
        reported = state.good_micro + state.scrapped_micro if state else 0
        reported = row.completed_so_far + row.scrapped_so_far if new else reported
        for position, line in enumerate(release.explosion.lines, start=1):
            step = self._plant.items[line.component].step_micro
            net, scrap = targets(line, reported, step)
            booked = line.issue_method != "bulk" and due is None
            self._plan.lines.append(
                {
                    **_values(line),
                    "work_order": row.work_order,
                    "position": position,
                    "decided_by": json.dumps(line.decided_by),
                    "snapshot_version": version,
                    "issued": net if booked else 0,
                    "scrapped": scrap if booked else 0,
                    "since": COUNTS_FROM_NOW - due.of(line.operation) if due else 0,
                }
            )
            self._plan.substitutes.extend(
                {
                    "work_order": row.work_order,
                    "line": line.line,
                    "ratio_num": one.ratio.numerator,
                    "ratio_den": one.ratio.denominator,
                    **msgspec.structs.asdict(one),
                    "ratio": None,
                }
                for one in line.substitutes
            )
        self._freeze_outputs(row, release)

    def _freeze_outputs(self, row: rows.WorkOrderRow, release: _Release) -> None:
        self._plan.outputs.extend(
            {
                "work_order": row.work_order,
                "line": output.line,
                "item": output.item,
                "role": output.role,
                "basis": output.basis,
                "net_num": output.net.numerator,
                "net_den": output.net.denominator,
                "cost_share_pct": output.cost_share_pct_micro,
            }
            for output in release.explosion.outputs
        )

    def _output_location(self, row: rows.WorkOrderRow, bom: Bom | None) -> str:
        """The order's work centre, else that of the last operation, else the station decides."""
        centres = [row.work_centre]
        if bom and (routing := self._plant.routings.get((bom.item, bom.revision))):
            centres.append(routing[-1].work_centre)
        for name in centres:
            centre = self._plant.work_centres.get(name or "")
            if centre and centre.output_location:
                return centre.output_location
        return self._rules.output_location

    def _fault(self, row: rows.WorkOrderRow, column: str | None, message: str) -> None:
        self._plan.faults.append(Fault("work_orders.csv", row.at or None, column, message))


def _values(line: ExplodedLine) -> dict[str, Any]:
    return {
        "line": line.line,
        "component": line.component,
        "basis": line.basis,
        "net_num": line.net.numerator,
        "net_den": line.net.denominator,
        "gross_num": line.gross.numerator,
        "gross_den": line.gross.denominator,
        "scrap_pct": line.scrap_pct_micro,
        "operation": line.operation,
        "issue_method": line.issue_method,
        "location": line.location,
        "location_rule": line.location_rule,
        "mount": line.mount,
        "mount_position": line.mount_position,
        "erp_ref": line.erp_ref,
    }
