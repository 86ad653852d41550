"""Take the last report back: `%UNDO` by its operator within the grace time (BF-31).

A reversal is a new report that compensates the recorded movements, lot by lot; nothing is edited.
"""

from typing import Any

import msgspec

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.outcome import Consumed, OpenedException, Produced
from mes_terminal.domain.posting import EdgeRow, EventDraft
from mes_terminal.domain.quantity import format_quantity, parse_quantity
from mes_terminal.store import balances, reports, reversals
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.reversals import OwedPart, Recalled, Recorded
from mes_terminal.usecases.context import Answer, Context, answer, changed

DEPENDENTS_SHOWN = 5
"""How many dependents a refusal lists: what fits the screen."""


def undo_last(conn: Connection, context: Context) -> Answer:
    """Reverse the station's last report, if it is this person's, recent, and still all there."""
    report = reversals.last_report(conn)
    if report is None:
        return _refused(context, "nothing_to_undo", "There is no report to take back")
    if report.person != context.badge:
        said = f"The last report ({report.work_order}) is by {report.person or 'nobody'}"
        return _refused(context, "not_authorised", said, report)
    age_s = seconds_between(report.event_time, context.scan.event_time)
    if age_s > context.rules.undo_grace_s:
        said = f"The last report ({report.work_order}) is older than {context.rules.undo_grace_s} s"
        return _refused(context, "undo_too_late", said, report)
    movements = reversals.recall_movements(conn, report)
    places = reversals.location_kinds(conn)
    taken_back = [each for each in movements if places[each.to_id][1] != "virtual"]
    blocking = reversals.dependents(conn, taken_back, limit=DEPENDENTS_SHOWN)
    if blocking:
        said = f"The output of {report.work_order} has gone on: {', '.join(blocking)}"
        return _refused(context, "has_dependents", said, report)
    return _reverse(conn, report, movements, places, context)


def _reverse(
    conn: Connection,
    report: Recorded,
    movements: list[Recalled],
    places: dict[int, tuple[str, str]],
    context: Context,
) -> Answer:
    owed = reversals.recall_owed(conn, report)
    edges = reversals.recall_edges(conn, report)
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
    actuals = [_negated(actual) for actual in original["material_actuals"]]
    _give_back(conn, report, movements, owed, places, context)
    draft = _event(report, original, actuals, voided, movements, edges, context)
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    reversals.void_owed(conn, owed, event_seq, resolution=f"voided by {context.scan.scan_id}")
    reports.insert_report(
        conn,
        (event_seq, context.scan.scan_seq, report.work_order_id, "reversal", -report.good_micro,
         0, report.lot_id, context.badge, context.scan.event_time, report.status_before,
         report.expires_before, report.report_seq, context.head.movement_seq + 1,
         len(movements)),
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
            "material_actuals": actuals,
            "exceptions": voided,
        },
        upstream=True,
        person=context.badge,
        movements=reversals.reversal_rows(movements),
        edges=[
            (child, parent, line, -quantity, sure) for child, parent, line, quantity, sure in edges
        ],
    )


def _give_back(
    conn: Connection,
    report: Recorded,
    movements: list[Recalled],
    owed: list[OwedPart],
    places: dict[int, tuple[str, str]],
    context: Context,
) -> None:
    """Undo balances, line totals and the order; what a lot's expiry was comes back."""
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
            amounts[0 if each.kind == "issue" else 1] += each.quantity_micro
    for part in owed:
        if part.kind == "shortage" and part.line_id is not None:
            amounts = totals.setdefault(part.line_id, [0, 0, 0, 0])
            amounts[2] += part.quantity_micro - part.scrap_micro
            amounts[3] += part.scrap_micro
    reversals.change_stock(conn, deltas)
    reversals.forget_sole(conn, returned)
    reversals.take_back_totals(conn, totals)
    reversals.restore_order(conn, report, at=context.scan.event_time)
    if report.lot_id is not None:
        balances.set_expiry(conn, report.lot_id, report.expires_before)


def _negated(actual: dict[str, Any]) -> dict[str, Any]:
    return actual | {"quantity": format_quantity(-parse_quantity(actual["quantity"]))}


def _told(
    report: Recorded, actuals: list[dict[str, Any]], event_seq: int, context: Context
) -> Answer:
    quantity = format_quantity(report.good_micro)
    made = [actual for actual in actuals if actual["use"] == "Produced"]
    short = report.kind == "short_close"
    what = "the short close" if short else f"{quantity} {report.item}"
    serials = [actual["serial"] for actual in made]
    return answer(
        context,
        "recorded",
        f"Taken back: {what} of {report.work_order}",
        "Scan it again when it is right",
        work_order=report.work_order,
        order_status=report.status_before,
        item=report.item,
        quantity=format_quantity(-report.good_micro),
        lot=made[0]["lot"] if made else None,
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
        session=changed(context.session, work_order_id=report.work_order_id),
    )  # fmt: skip


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
