"""Questions of the control matrix that only a supervisor answers wait as requests (BF-24).

The operator may go on with other work: a desk answers later. One is open for the same situation,
thing, quantity and person; it is closed when it was let pass, answered, cancelled, or when the
shift ended in which it was asked.
"""

from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.shifts import shift_end
from mes_terminal.store import approvals
from mes_terminal.store.approvals import Asked
from mes_terminal.store.database import Connection
from mes_terminal.store.orders import read_shifts
from mes_terminal.usecases.context import Context


def note_asked(
    conn: Connection, met: Deviation, work_order: str | None, event_seq: int, context: Context
) -> int:
    """Keep what is asked now; return the id of the request."""
    now = context.scan.received_at
    return approvals.note_asked(
        conn,
        _key(met, work_order, context),
        item_class=met.item_class,
        said=met.said,
        code=context.asked_code or context.scan.raw,
        asked_at=context.scan.event_time,
        expires_at=shift_end(now, read_shifts(conn), context.rules.zone),
        event_seq=event_seq,
    )


def note_accepted(
    conn: Connection, met: Deviation, work_order: str | None, by: str | None, context: Context
) -> None:
    """Close the request of what was let pass with a badge at the station."""
    at = context.scan.event_time
    approvals.note_used(conn, _key(met, work_order, context), by=by, at=at)


def _key(met: Deviation, work_order: str | None, context: Context) -> Asked:
    return Asked(
        situation=met.situation,
        item=met.item,
        lot=met.lot or "",
        work_order=met.work_order or work_order or "",
        quantity=met.quantity or "",
        person=context.badge or "",
    )
