"""Reverse a report, or a part of it: a new report that compensates what was recorded (BF-31).

Lot by lot, never from the BOM; nothing is edited. Whether it may be is `usecases.undo_report`'s
business; whether it can be, as something depends on it, is refused here before anything is written.
"""

import json
from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain import operations, reversal
from mes_terminal.domain.by_products import target_micro
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.posting import EdgeRow, EventDraft, ReportRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.recorded import Moved, came_back, reversal_rows, stock_changes
from mes_terminal.domain.report_told import operation_actual
from mes_terminal.domain.reversal import Back, Part
from mes_terminal.domain.reversal_told import actuals_back, by_line
from mes_terminal.store import (
    before_reports,
    dependents,
    expiry,
    hand_issues,
    healed,
    mount_spans,
    recalled,
    reports,
    reversals,
    rework,
    slots,
)
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.heal_queue import queue_stock
from mes_terminal.store.healed import Healed
from mes_terminal.store.order_facts import operations_of
from mes_terminal.store.reversals import Recorded
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.permits import give_back
from mes_terminal.usecases.reversal_answer import reversal_answer
from mes_terminal.usecases.undo_healing import undo_healings

DEPENDENTS_SHOWN: Final = 5
"""How many dependents a refusal lists: what fits the screen."""


class _Reversal(Struct, frozen=True, kw_only=True):
    """What a reversal writes, before it is written."""

    report: Recorded
    part: Part
    back: Back
    edges: list[EdgeRow]
    lost: list[tuple[int, int, int]]
    """What operations lose: (position, good, scrapped)."""
    labour: list[operations.Gain]
    status: str
    freed: list[Healed]
    """Healings of other reports that drew on its output: they are undone first."""

    @property
    def good_micro(self) -> int:
        """Good units that go back."""
        return self.part.part_micro if self.report.good_micro else 0

    @property
    def scrapped_micro(self) -> int:
        """Scrapped units that are none any more."""
        return self.part.part_micro if self.report.scrapped_micro else 0


def reverse_report(
    conn: Connection, report: Recorded, part_micro: int | None, context: Context, *, is_named: bool
) -> Answer:
    """Take a report that stands back, or so many units of it; refuse it if something depends on it.

    `is_named`: by its code, so that the station goes on with the order it has.
    """
    facts = operations_of(conn, report.work_order_id) if report.passed else []
    own = recalled.recall_range(conn, report.movement_first, report.movement_count)
    planned = _plan(conn, report, own, part_micro, facts)
    missing = dependents.missing_stock(conn, planned.back.taken)
    freed = healed.in_the_way(conn, report.report_seq, missing)
    blocking = _blocking(conn, planned, own, facts, missing, freed)
    if blocking:
        shown = ", ".join(blocking[:DEPENDENTS_SHOWN])
        return refused(
            context,
            "has_dependents",
            f"{_what_of(report)} has gone on: {shown}",
            report,
            hint=f"Take that back first: mes-terminal orders reports {report.work_order}",
        )
    if freed:
        undo_healings(conn, freed, context)
        context = msgspec.structs.replace(context, head=read_head(conn))
    return _post(conn, msgspec.structs.replace(planned, freed=freed), context, is_named=is_named)


def refused(
    context: Context,
    reason: str,
    said: str,
    report: Recorded | None = None,
    *,
    hint: str = "Call a supervisor",
) -> Answer:
    """Return a refusal: nothing is taken back."""
    return answer(
        context,
        "rejected",
        f"{said}. Nothing was taken back",
        hint,
        reason=reason,
        work_order=report.work_order if report else None,
    )


def _what_of(report: Recorded) -> str:
    if report.is_rework:
        return f"What was in rework of {report.work_order}"
    return f"The output of {report.work_order}"


def _plan(
    conn: Connection,
    report: Recorded,
    own: list[Moved],
    part_micro: int | None,
    facts: list[operations.OperationFacts],
) -> _Reversal:
    units = report.units_micro
    quantity = report.standing_micro if part_micro is None else part_micro
    is_rest = quantity == report.standing_micro
    status = before_reports.status_after(conn, report, units_micro=quantity, is_rest=is_rest)
    part = Part(
        units_micro=units,
        before_micro=report.reversed_micro,
        part_micro=quantity,
        is_rest=is_rest,
        due=reversal.due_of(facts, report.gained, units),
        lines={} if is_rest else recalled.line_shares(conn, report.work_order_id),
        product_id=report.product_id,
        per_order_items=recalled.per_order_outputs(conn, report.work_order_id),
        reopens=report.order_status == "closed" != status,
    )
    lost = reversal.lost_by(report.gained, part.before_micro, part.after_micro)
    back = reversal.goes_back(
        part,
        own,
        healed.later_of(conn, report.report_seq),
        recalled.recall_owed(conn, report),
        recalled.by_hand_of(conn, report),
    )
    node_id = recalled.order_node(conn, report) if report.kind == "completion" and facts else None
    return _Reversal(
        report=report,
        part=part,
        back=back,
        edges=reversal.edges_back(part, recalled.standing_edges(conn, report), back, node_id),
        lost=lost,
        labour=operations.losses(facts, lost),
        status=status,
        freed=[],
    )


def _blocking(
    conn: Connection,
    planned: _Reversal,
    own: list[Moved],
    facts: list[operations.OperationFacts],
    missing: dict[healed.StockKey, int],
    freed: list[Healed],
) -> list[str]:
    """Return what depends on what goes back, in words."""
    report, limit = planned.report, DEPENDENTS_SHOWN
    found = dependents.short_close(conn, report)
    found += dependents.passes(conn, report, own, planned.part.part_micro, limit=limit)
    rest = operations.after(facts, planned.labour)
    found += dependents.later_operations(conn, report, facts, rest, limit=limit)
    if found:
        return found
    for each in freed:
        for moved in each.moved:
            key = (moved.lot_id, moved.from_id, moved.container_id)
            if key in missing:
                missing[key] -= moved.left_micro
    still = [key for key, left in missing.items() if left > 0]
    found += dependents.gone_on(conn, still, limit=limit)
    parent = rework.sits_elsewhere(conn, report.report_seq)
    if parent is not None:
        found.append(f"what came out of its unit sits in {parent}")
    return found


def _post(conn: Connection, planned: _Reversal, context: Context, *, is_named: bool) -> Answer:
    report, back = planned.report, planned.back
    told = [
        (first, count, msgspec.json.decode(body)["data"])
        for first, count, body in healed.told_of(conn, report.report_seq)
    ]
    actuals = _actuals(back, told)
    draft = _event(planned, told[0][2], actuals, context)
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    reversals.note_taken_back(conn, back.taken, event_seq)
    changes = stock_changes(back.taken)
    reversals.change_stock(conn, changes)
    reversals.forget_sole(conn, came_back(back.taken, changes))
    reversals.take_back_totals(conn, _totals(back))
    reversals.unwrite(conn, back.unwritten, event_seq)
    said = f"voided by {context.scan.scan_id}"
    reversals.void(conn, back.voided, event_seq, resolution=said)
    _give_back(conn, planned, event_seq, context)
    returned = [(*key[:2], event_seq) for key, delta in changes.items() if delta > 0]
    returned += [
        (moved.lot_id, moved.from_id, event_seq) for each in planned.freed for moved in each.moved
    ]
    queue_stock(conn, returned)
    return reversal_answer(
        report,
        actuals,
        context,
        units_micro=planned.part.part_micro,
        status=planned.status,
        event_seq=event_seq,
        is_named=is_named,
    )


def _actuals(back: Back, told: list[tuple[int, int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what goes back of what the report said, and of what was posted for it later."""
    found: list[dict[str, Any]] = []
    for first, count, data in told:
        taken = [each for each in back.taken if first <= each.moved.movement_seq < first + count]
        found += actuals_back(taken, data["material_actuals"])
    return by_line(found)


def _row(planned: _Reversal) -> ReportRow:
    report = planned.report
    return ReportRow(
        work_order_id=report.work_order_id,
        kind="reversal",
        good_micro=-planned.good_micro,
        scrapped_micro=-planned.scrapped_micro,
        lot_id=report.lot_id,
        order_status_before=report.order_status,
        lot_expires_before=report.expires_before,
        reverses=report.report_seq,
        operation=report.operation,
        passed=json.dumps(planned.lost) if planned.lost else None,
        reversed_micro=planned.part.part_micro,
        reverses_rest=int(planned.part.is_rest),
    )


def _event(
    planned: _Reversal,
    original: dict[str, Any],
    actuals: list[dict[str, Any]],
    context: Context,
) -> EventDraft:
    report = planned.report
    return EventDraft(
        type="report.reversed",
        subject=report.work_order,
        partition_key=report.work_order,
        event_time=context.scan.event_time,
        data=original
        | {
            "report_id": context.scan.scan_id,
            "scan_id": context.scan.scan_id,
            "final": False,
            "person": context.badge,
            "master_data_version": str(context.session.master_data_version),
            "event_time": context.scan.event_time,
            "reverses": report.scan_id,
            "scrapped_quantity": format_quantity(-planned.scrapped_micro),
            "material_actuals": actuals,
            "labour_actuals": [operation_actual(each) for each in planned.labour],
            "exceptions": [
                OpenedException(
                    each.part.exception_id,
                    each.part.kind,  # type: ignore[arg-type]  # one that this program wrote
                    each.part.line,
                    each.part.item,
                    format_quantity(-each.quantity_micro),
                )
                for each in planned.back.voided
            ],
        },
        upstream=True,
        person=context.badge,
        movements=reversal_rows(planned.back.taken),
        edges=planned.edges,
        report=_row(planned),
    )


def _totals(back: Back) -> dict[int, list[int]]:
    """Return by how much line totals fall: line id → [issued, scrapped, owed, owed scrap, written
    off, written off scrap]."""
    totals: dict[int, list[int]] = {}
    for taken in back.taken:
        moved = taken.moved
        if moved.line_id is None:
            continue
        amounts = totals.setdefault(moved.line_id, [0] * 6)
        if moved.kind == "reversal":  # a serial that an exchange took out of its unit
            amounts[0] -= taken.quantity_micro
        else:
            amounts[0 if moved.kind == "issue" else 1] += taken.covers_micro
    for each in back.voided:
        if each.part.is_owed and each.part.line_id is not None:
            amounts = totals.setdefault(each.part.line_id, [0] * 6)
            amounts[2] += each.quantity_micro - each.scrap_micro
            amounts[3] += each.scrap_micro
    for one in back.unwritten:
        amounts = totals.setdefault(one.line_id, [0] * 6)
        amounts[4] += one.quantity_micro
        amounts[5] += one.scrap_micro
    return totals


def _give_back(conn: Connection, planned: _Reversal, event_seq: int, context: Context) -> None:
    """Undo what a report changed beside stock and line totals."""
    report, back = planned.report, planned.back
    for each in back.taken:
        if each.moved.kind == "adjustment":  # a gain of a mounted container (BF-17)
            gained = (each.moved.lot_id, each.moved.container_id, -each.quantity_micro)
            mount_spans.note_gain(conn, *gained, report_seq=report.report_seq)
    if planned.good_micro:
        _note_ahead(conn, planned)
    reports.change_operations(conn, report.work_order_id, planned.lost)
    if planned.part.is_rest:
        slots.take_apart(conn, report.report_seq)
        rework.put_back(conn, report.report_seq)
        hand_issues.give_back(conn, report.report_seq)
    else:
        lots = [each.moved.lot_id for each in back.taken if each.moved.tracking == "serial"]
        slots.take_apart(conn, report.report_seq, lots)
        hand_issues.release(conn, report.report_seq, back.released, event_seq)
    reversals.restore_order(
        conn,
        report,
        good_micro=planned.good_micro,
        scrapped_micro=planned.scrapped_micro,
        status=planned.status,
        is_rest=planned.part.is_rest,
        at=context.scan.event_time,
    )
    if planned.part.is_rest:
        expiry.restore_expiry(conn, report)
        give_back(conn, report.report_seq, event_seq, context)


def _note_ahead(conn: Connection, planned: _Reversal) -> None:
    """Note by how much what by- and co-products received differs from what the good units bring:
    the next report makes up for it (BF-30)."""
    good, outputs = recalled.outputs_of(conn, planned.report.work_order_id)
    back = {
        each.moved.item_id: each.quantity_micro
        for each in planned.back.taken
        if each.moved.kind == "production"
    }
    for each in outputs:
        less = target_micro(each, good) - target_micro(each, good - planned.good_micro)
        ahead = each.ahead_micro + less - back.pop(each.item_id, 0)
        if ahead != each.ahead_micro:
            reports.set_ahead(conn, planned.report.work_order_id, [(each.line, ahead)])
