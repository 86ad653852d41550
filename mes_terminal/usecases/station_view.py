"""What the operator's screen shows between scans, read in a few statements of fixed size."""

from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.view import StationView
from mes_terminal.store import station_view as rows
from mes_terminal.store.database import Database
from mes_terminal.store.reversals import last_report
from mes_terminal.store.session import read_session

ORDERS_NEXT = 3
SCANS_SHOWN = 8
MOUNTS_SHOWN = 12


def station_view(db: Database, rules: StationRules, *, now: str) -> StationView:
    """Return the screen's snapshot; the core adds the scanners and the waiting scans."""
    conn = db.conn
    session, person, _ = read_session(conn)
    orders = rows.read_orders(conn, session.work_order_id, limit=ORDERS_NEXT + 1)
    current = orders[0] if orders and session.work_order_id is not None else None
    following = [each for each in orders if each is not current][:ORDERS_NEXT]
    undo, undo_until = _undo(db, rules, person.badge if person else None, now=now)
    waiting, oldest = rows.read_waiting(conn)
    return StationView(
        station=rules.station,
        mode=rules.mode,
        now=now,
        language=(person.language if person and person.language else rules.language),
        person=person.badge if person else None,
        person_name=person.name if person else None,
        order=current,
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
        postings_waiting=waiting,
        oldest_waiting_at=oldest,
        exceptions_open=rows.count_open_exceptions(conn),
        clock_in_doubt=session.clock_in_doubt,
    )


def _undo(
    db: Database, rules: StationRules, badge: str | None, *, now: str
) -> tuple[str | None, str | None]:
    report = last_report(db.conn)
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
    }.get(report.kind, f"{format_quantity(report.good_micro)} {report.item}")
    return f"{what} of {report.work_order}", until
