"""Take the last report back: `%UNDO` by its operator within the grace time (BF-31).

Later a supervisor takes back what another person reported; for its operator the control matrix
decides (BF-24).

A reversal is a new report that compensates the recorded movements, lot by lot; nothing is edited.
"""

import json
from typing import Any

import msgspec
from msgspec import Struct

from mes_terminal.domain.bom import line_order
from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.outcome import Consumed, OpenedException, Produced
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.posting import EdgeRow, EventDraft
from mes_terminal.domain.quantity import MICRO, format_quantity, parse_quantity
from mes_terminal.domain.session import Session
from mes_terminal.store import (
    balances,
    hand_issues,
    healed,
    mount_spans,
    policy,
    reports,
    reversals,
    rework,
    slots,
)
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.heal_queue import queue_stock
from mes_terminal.store.healed import Healed
from mes_terminal.store.reversals import OwedPart, Recalled, Recorded
from mes_terminal.usecases.apply_policy import accepted, stopped
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.undo_healing import undo_healings

DEPENDENTS_SHOWN = 5
"""How many dependents a refusal lists: what fits the screen."""


class _Back(Struct):
    """What goes back: the report's movements and those of what was posted for it later (BF-22)."""

    movements: list[Recalled]
    healed: list[Healed]
    freed: list[Healed]
    """Healings of other reports that drew on its output: they are undone first."""
    missing: list[reversals.StockKey]
    """Of what it made, less is left all the same."""


def undo_last(conn: Connection, context: Context) -> Answer:
    """Reverse the station's last report, if it is this person's, recent, and still all there."""
    report = reversals.last_report(conn)
    if report is None:
        return _refused(context, "nothing_to_undo", "There is no report to take back")
    age_s = seconds_between(report.event_time, context.scan.event_time)
    is_late = age_s > context.rules.undo_grace_s
    if report.person != context.badge and not (is_late and _supervises(context)):
        said = f"The last report ({report.work_order}) is by {report.person or 'nobody'}"
        return _refused(context, "not_authorised", said, report)
    met = _late(conn, report, context) if is_late and report.person == context.badge else []
    stop = stopped(conn, met, context, work_order=report.work_order, item=report.item)
    if stop is not None:
        return stop
    places = reversals.location_kinds(conn)
    back = _recall(conn, report, places)
    blocking = reversals.dependents(conn, back.missing, limit=DEPENDENTS_SHOWN)
    parent = rework.sits_elsewhere(conn, report.report_seq)
    if parent is not None:
        blocking.append(f"what came out of its unit sits in {parent}")
    if blocking:
        said = f"The output of {report.work_order} has gone on: {', '.join(blocking)}"
        return _refused(context, "has_dependents", said, report)
    if back.freed:
        undo_healings(conn, back.freed, context)
        context = msgspec.structs.replace(context, head=read_head(conn))
    ruled = _reverse(conn, report, back, places, context)
    accepted(conn, met, ruled, report.work_order, context)
    return ruled


def _supervises(context: Context) -> bool:
    return context.person is not None and context.person.supervises


def _late(conn: Connection, report: Recorded, context: Context) -> list[Deviation]:
    return [
        Deviation(
            situation="late_reversal",
            item=report.item,
            item_class=policy.class_of_item(conn, report.item),
            quantity=format_quantity(report.good_micro or report.scrapped_micro),
            said=f"The last report ({report.work_order}) is older than "
            f"{context.rules.undo_grace_s} s",
            hint="Call a supervisor",
        )
    ]


def _recall(conn: Connection, report: Recorded, places: dict[int, tuple[str, str]]) -> _Back:
    own = healed.healed_of(conn, report.report_seq)
    movements = reversals.recall_movements(conn, report) + healed.movements_of(conn, own)
    taken_back = [
        each
        for each in movements
        if places[each.to_id][1] != "virtual" and each.kind != "adjustment"
    ]
    missing = reversals.missing_stock(conn, taken_back)
    freed = healed.in_the_way(conn, report.report_seq, missing)
    for each in healed.movements_of(conn, freed):
        key = (each.lot_id, each.from_id, each.container_id)
        if key in missing:
            missing[key] -= each.quantity_micro
    return _Back(movements, own, freed, [key for key, left in missing.items() if left > 0])


def _reverse(
    conn: Connection,
    report: Recorded,
    back: _Back,
    places: dict[int, tuple[str, str]],
    context: Context,
) -> Answer:
    owed = reversals.recall_owed(conn, report)
    movements = back.movements
    edges = reversals.recall_edges(conn, report) + healed.edges_of(conn, back.healed)
    original = msgspec.json.decode(report.body)["data"]
    voided = [
        OpenedException(
            each.exception_id,
            each.kind,  # type: ignore[arg-type]  # one of the kinds this program wrote
            each.line,
            each.item,
            format_quantity(-each.quantity_micro),
        )
        for each in owed
    ]
    posted = original["material_actuals"] + healed.actuals_of(back.healed)
    actuals = sorted((_negated(actual) for actual in posted), key=_by_line)
    returned = _give_back(conn, report, movements, owed, places, context)
    draft = _event(report, original, actuals, voided, movements, edges, context)
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    returned += [(each.lot_id, each.from_id) for each in healed.movements_of(conn, back.freed)]
    queue_stock(conn, [(lot_id, location_id, event_seq) for lot_id, location_id in returned])
    reversals.void_owed(conn, owed, event_seq, resolution=f"voided by {context.scan.scan_id}")
    reports.insert_report(
        conn,
        (event_seq, context.scan.scan_seq, report.work_order_id, "reversal", -report.good_micro,
         -report.scrapped_micro, report.lot_id, context.badge, context.scan.event_time,
         report.status_before, report.expires_before, report.report_seq,
         context.head.movement_seq + 1, len(movements), report.operation,
         json.dumps(_negative(report)) if report.passed else None),
    )  # fmt: skip
    return _told(report, actuals, event_seq, context)


def _event(
    report: Recorded,
    original: dict[str, Any],
    actuals: list[dict[str, Any]],
    voided: list[OpenedException],
    movements: list[Recalled],
    edges: list[EdgeRow],
    context: Context,
) -> EventDraft:
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
            "scrapped_quantity": format_quantity(-report.scrapped_micro),
            "labour_actuals": [
                each
                | {
                    "good": format_quantity(-parse_quantity(each["good"])),
                    "scrapped": format_quantity(-parse_quantity(each["scrapped"])),
                }
                for each in original["labour_actuals"]
            ],
            "material_actuals": actuals,
            "exceptions": voided,
        },
        upstream=True,
        person=context.badge,
        movements=reversals.reversal_rows(movements),
        edges=[
            (child, parent, line, -quantity, sure)
            for child, parent, line, quantity, sure in healed.summed(edges)
        ],
    )


def _give_back(
    conn: Connection,
    report: Recorded,
    movements: list[Recalled],
    owed: list[OwedPart],
    places: dict[int, tuple[str, str]],
    context: Context,
) -> list[tuple[int, int]]:
    """Undo balances, line totals and the order; what a lot's expiry was comes back.

    Return (lot, location) of what is there again.
    """
    deltas: dict[tuple[int, int, int], int] = {}
    returned: set[tuple[int, int, int]] = set()
    totals: dict[int, list[int]] = {}
    for each in movements:
        for location_id, sign in ((each.from_id, 1), (each.to_id, -1)):
            if places[location_id][1] != "virtual":
                key = (each.lot_id, location_id, each.container_id)
                deltas[key] = deltas.get(key, 0) + sign * each.quantity_micro
        if each.line_id is not None:
            returned.add((each.item_id, each.from_id, each.lot_id))
            amounts = totals.setdefault(each.line_id, [0, 0, 0, 0])
            if each.kind == "reversal":  # a serial that an exchange took out of its unit
                amounts[0] -= each.quantity_micro
            else:
                amounts[0 if each.kind == "issue" else 1] += each.covers_micro
        if each.kind == "adjustment":  # a gain of a mounted container (BF-17)
            gained = (each.lot_id, each.container_id, -each.quantity_micro)
            mount_spans.note_gain(conn, *gained, report_seq=report.report_seq)
    for part in owed:
        if part.kind == "shortage" and part.line_id is not None:
            amounts = totals.setdefault(part.line_id, [0, 0, 0, 0])
            amounts[2] += part.quantity_micro - part.scrap_micro
            amounts[3] += part.scrap_micro
    reversals.change_stock(conn, deltas)
    reversals.forget_sole(conn, returned)
    reversals.take_back_totals(conn, totals)
    reversals.restore_order(conn, report, at=context.scan.event_time)
    reports.change_operations(conn, report.work_order_id, _negative(report))
    slots.take_apart(conn, report.report_seq)
    rework.put_back(conn, report.report_seq)
    hand_issues.give_back(conn, report.report_seq)
    if report.lot_id is not None and not report.is_rework:
        balances.set_expiry(conn, report.lot_id, report.expires_before)
    return [key[:2] for key, delta in deltas.items() if delta > 0]


def _gained(report: Recorded) -> list[tuple[int, int, int]]:
    """Return what operations gained by the report: (position, good, scrapped)."""
    return [(row[0], row[1], row[2]) for row in json.loads(report.passed or "[]")]


def _negative(report: Recorded) -> list[tuple[int, int, int]]:
    return [(position, -good, -scrapped) for position, good, scrapped in _gained(report)]


def _quantity(report: Recorded, actuals: list[dict[str, Any]]) -> str:
    """Return how many units the report was about."""
    if report.is_rework:
        moved = (parse_quantity(each["quantity"]) for each in actuals if each["use"] == "Moved")
        return format_quantity(-sum(moved) or MICRO)
    passed = _gained(report)[-1][1] if report.kind == "operation" else 0
    return format_quantity(report.good_micro or report.scrapped_micro or passed)


def _negated(actual: dict[str, Any]) -> dict[str, Any]:
    return actual | {"quantity": format_quantity(-parse_quantity(actual["quantity"]))}


def _by_line(actual: dict[str, Any]) -> tuple[bool, Any]:
    """Put what was produced first, then lines in their order; what one line took stays in order."""
    line = actual.get("order_line")
    return line is not None, line_order(line or "")


def _told(
    report: Recorded, actuals: list[dict[str, Any]], event_seq: int, context: Context
) -> Answer:
    quantity = _quantity(report, actuals)
    made = [actual for actual in actuals if actual["use"] == "Produced"]
    about = made or [actual for actual in actuals if actual["use"] == "Moved"]
    what = {
        "short_close": "the short close",
        "operation": f"operation {report.operation} for {quantity} {report.item}",
        "scrap": f"{quantity} {report.item} scrapped",
        "rework": f"the rework of {quantity} {report.item}",
        "reworked": f"the end of rework of {quantity} {report.item}",
        "exchange": f"the exchange in {report.item}",
    }.get(report.kind, f"{quantity} {report.item}")
    serials = [actual["serial"] for actual in about]
    return answer(
        context,
        "recorded",
        f"Taken back: {what} of {report.work_order}",
        "Scan it again when it is right",
        work_order=report.work_order,
        order_status=report.status_before,
        item=report.item,
        quantity=quantity if quantity == "0" else f"-{quantity}",
        lot=about[0]["lot"] if about else None,
        serial=serials[0] if len(serials) == 1 else None,
        report_id=context.scan.scan_id,
        consumed=[_consumed(each) for each in actuals if each["use"] == "Consumed"],
        scrapped=[
            msgspec.structs.replace(_consumed(each), location=context.rules.scrap_location)
            for each in actuals
            if each["use"] == "Scrapped"
        ],
        produced=[
            Produced(each["item"], each["lot"], each["serial"], each["location"],
                     each["quantity"], each["uom"])
            for each in made
        ],
        event_seq=event_seq,
        session=_session_after(report, context),
    )  # fmt: skip


def _session_after(report: Recorded, context: Context) -> Session:
    session = context.session
    if not report.is_rework:
        return changed(session, work_order_id=report.work_order_id)
    if session.pending_verb == "REPLACE":
        session = changed(session, pending_verb=None, pending_argument=None)
    return changed(session, unit_id=None) if report.kind == "rework" else session


def _consumed(actual: dict[str, Any]) -> Consumed:
    return Consumed(
        actual["order_line"], actual["item"], actual["lot"], actual["serial"], actual["location"],
        actual["quantity"], actual["uom"], actual["certainty"],
    )  # fmt: skip


def _refused(context: Context, reason: str, said: str, report: Recorded | None = None) -> Answer:
    return answer(
        context,
        "rejected",
        f"{said}. Nothing was taken back",
        "Call a supervisor" if report else "Scan an order, a unit or a component lot",
        reason=reason,
        work_order=report.work_order if report else None,
    )
