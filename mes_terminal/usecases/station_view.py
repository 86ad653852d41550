"""What the operator's screen shows between scans, read in a few statements of fixed size."""

import json

from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.session import Session
from mes_terminal.domain.slots import missing
from mes_terminal.domain.view import (
    HandedOverView,
    OperationView,
    OrderView,
    PartView,
    StationView,
    UnitView,
    UpstreamView,
)
from mes_terminal.store import line_state
from mes_terminal.store import station_view as rows
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.order_facts import operations_of
from mes_terminal.store.reversals import Recorded, last_report
from mes_terminal.store.session import read_session
from mes_terminal.store.shift_ends import read_handed_over
from mes_terminal.store.slots import read_slots
from mes_terminal.usecases.approval_view import answered, asked_now

ORDERS_NEXT = 3
SCANS_SHOWN = 8
MOUNTS_SHOWN = 12
CALLS_SHOWN = 4


def station_view(db: Database, rules: StationRules, *, now: str) -> StationView:
    """Return the screen's snapshot; the core adds the scanners and the waiting scans."""
    conn = db.conn
    session, person, _ = read_session(conn)
    current, following = rows.read_orders(conn, session.work_order_id, limit=ORDERS_NEXT)
    report = last_report(conn)
    undo, undo_until = _undo(report, rules, person.badge if person else None, now=now)
    outbox = rows.read_outbox(conn)
    return StationView(
        station=rules.station,
        mode=rules.mode,
        now=now,
        language=(person.language if person and person.language else rules.language),
        person=person.badge if person else None,
        person_name=person.name if person else None,
        order=current,
        operations=_operations(conn, session, report) if current else [],
        unit=_unit(conn, session, current) if current else None,
        next_orders=following,
        mounted=rows.read_mounted(conn, limit=MOUNTS_SHOWN),
        last_scans=rows.read_last_scans(conn, limit=SCANS_SHOWN),
        pending_verb=session.pending_verb,
        pending_argument=session.pending_argument,
        pending_quantity=(
            None
            if session.pending_quantity_micro is None
            else format_quantity(session.pending_quantity_micro)
        ),
        can_undo=undo,
        undo_until=undo_until,
        postings_waiting=outbox.waiting,
        oldest_waiting_at=outbox.oldest_at,
        upstream=_upstream(outbox),
        exceptions_open=rows.count_open_exceptions(conn),
        count=(
            None
            if session.stock_count_id is None
            else rows.read_count(conn, session.stock_count_id)
        ),
        stopped=(
            None
            if session.line_stop_id is None
            else line_state.view_stop(conn, session.line_stop_id)
        ),
        calls=line_state.view_calls(conn, limit=CALLS_SHOWN) if session.anything_called else [],
        handed_over=_handed_over(conn, session, report),
        approval=asked_now(conn, session, now=now),
        answers=answered(conn, now=now),
        clock_in_doubt=session.clock_in_doubt,
    )


def _upstream(outbox: rows.Outbox) -> UpstreamView:
    """Return what the database knows; the core adds what its relay does."""
    return UpstreamView(fresh_at=outbox.oldest_at, refused=outbox.refused, parked=outbox.parked)


def _operations(conn: Connection, session: Session, report: Recorded | None) -> list[OperationView]:
    """Return the operations of the current order; the last report swept those it did not name."""
    assert session.work_order_id is not None
    swept: set[int] = set()
    if report and report.operation and report.work_order_id == session.work_order_id:
        passed = [position for position, good, _ in json.loads(report.passed or "[]") if good > 0]
        swept = set(passed[:-1]) if report.kind == "operation" else set()
    return [
        OperationView(
            operation=each.operation,
            description=each.description,
            good=format_quantity(each.good_micro),
            scrapped=format_quantity(each.scrapped_micro),
            swept_by=report.scan_id if report and each.position in swept else None,
        )
        for each in operations_of(conn, session.work_order_id)
    ]


def _handed_over(
    conn: Connection, session: Session, report: Recorded | None
) -> list[HandedOverView]:
    """Return what is handed over to who signed in, until something is reported after that."""
    if session.badge is None or session.signed_in_at is None:
        return []
    if report is not None and report.event_time > session.signed_in_at:
        return []
    return [HandedOverView(*row) for row in read_handed_over(conn, session.badge)]


def _unit(conn: Connection, session: Session, order: OrderView) -> UnitView | None:
    """Return the unit at hand with what it lacks. Before a unit is scanned, it is the one that the
    components that wait are for."""
    assert session.work_order_id is not None
    if not rows.has_slots(conn, session.work_order_id):
        return None
    serial = None
    if session.unit_id is not None:
        serial = rows.unit_serial(conn, session.unit_id)
        if serial is None:  # it is made, and in rework
            return None
    lines = read_slots(conn, session.work_order_id, session.unit_id)
    lacks = missing(lines)
    at_hand = session.unit_id is not None or session.next_unit or any(e.filled for e in lines)
    if not (lacks and at_hand):
        return None
    parts = [PartView(each.line.item, each.count) for each in lacks]
    return UnitView(item=order.item, serial=serial, missing=parts)


def _undo(
    report: Recorded | None, rules: StationRules, badge: str | None, *, now: str
) -> tuple[str | None, str | None]:
    if report is None or report.person != badge:
        return None, None
    until = plus_seconds(report.event_time, rules.undo_grace_s)
    if now > until:
        return None, None
    what = {
        "short_close": "the short close",
        "rework": "the rework",
        "reworked": "the end of rework",
        "exchange": "the exchange",
    }.get(report.kind, f"{format_quantity(report.standing_micro)} {report.item}")
    return f"{what} of {report.work_order}", until
