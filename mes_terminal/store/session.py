"""The station's state row, and where the log stands: read with each scan, written when changed."""

from mes_terminal.domain.posting import LogHead
from mes_terminal.domain.session import Person, Session
from mes_terminal.store.database import Connection
from mes_terminal.store.events import HEAD_COLUMNS, head_of

_READ = f"""
    SELECT o.badge, o.name, o.role, o.language,
           s.badge, s.signed_in_at, s.work_order_id, s.unit_id, s.next_unit,
           s.stock_count_id,
           s.pending_verb, s.pending_argument,
           s.pending_quantity_micro, s.confirm_reason, s.confirm_code, s.confirm_until,
           s.recovered_code, s.recovered_until, s.clock_in_doubt, s.master_data_version,
           EXISTS (SELECT 1 FROM mount), s.line_stop_id,
           EXISTS (SELECT 1 FROM material_call WHERE ended_seq IS NULL),
           {HEAD_COLUMNS}
      FROM station_state s
      LEFT JOIN operator o ON o.badge = coalesce(:badge, s.badge) AND o.disabled_at IS NULL
"""  # noqa: S608
_WRITE = """
    UPDATE station_state
       SET badge = :badge, signed_in_at = :signed_in_at, work_order_id = :work_order_id,
           unit_id = :unit_id, next_unit = :next_unit, stock_count_id = :stock_count_id,
           pending_verb = :pending_verb, pending_argument = :pending_argument,
           pending_quantity_micro = :pending_quantity_micro, confirm_reason = :confirm_reason,
           confirm_code = :confirm_code, confirm_until = :confirm_until,
           recovered_code = :recovered_code, recovered_until = :recovered_until,
           clock_in_doubt = :clock_in_doubt, line_stop_id = :line_stop_id
"""


def read_session(
    conn: Connection, badge: str | None = None
) -> tuple[Session, Person | None, LogHead]:
    """Return the state, who scans (by `badge`, else who is signed in) and the log's head.

    The person is `None` when nobody is signed in, and when `badge` is nobody's.
    """
    row = conn.execute(_READ, {"badge": badge}).fetchone()
    person = Person(*row[:4]) if row[0] is not None else None
    state = row[4:23]
    session = Session(
        badge=state[0],
        signed_in_at=state[1],
        work_order_id=state[2],
        unit_id=state[3],
        next_unit=bool(state[4]),
        stock_count_id=state[5],
        pending_verb=state[6],
        pending_argument=state[7],
        pending_quantity_micro=state[8],
        confirm_reason=state[9],
        confirm_code=state[10],
        confirm_until=state[11],
        recovered_code=state[12],
        recovered_until=state[13],
        clock_in_doubt=bool(state[14]),
        master_data_version=state[15],
        anything_mounted=bool(state[16]),
        line_stop_id=state[17],
        anything_called=bool(state[18]),
    )
    return session, person, head_of(row[23:])


def write_session(conn: Connection, session: Session) -> None:
    """Store the state. The master-data version belongs to the load and is left alone."""
    conn.execute(
        _WRITE,
        {
            "badge": session.badge,
            "signed_in_at": session.signed_in_at,
            "work_order_id": session.work_order_id,
            "unit_id": session.unit_id,
            "next_unit": int(session.next_unit),
            "stock_count_id": session.stock_count_id,
            "pending_verb": session.pending_verb,
            "pending_argument": session.pending_argument,
            "pending_quantity_micro": session.pending_quantity_micro,
            "confirm_reason": session.confirm_reason,
            "confirm_code": session.confirm_code,
            "confirm_until": session.confirm_until,
            "recovered_code": session.recovered_code,
            "recovered_until": session.recovered_until,
            "clock_in_doubt": int(session.clock_in_doubt),
            "line_stop_id": session.line_stop_id,
        },
    )


def operator_of(conn: Connection, badge: str) -> Person | None:
    """Return the person of a badge; `None` if it is nobody's, or theirs no longer."""
    row = conn.execute(
        "SELECT badge, name, role, language FROM operator WHERE badge = ? AND disabled_at IS NULL",
        [badge],
    ).fetchone()
    return Person(*row) if row else None
