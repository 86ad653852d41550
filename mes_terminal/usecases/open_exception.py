"""Open an exception that a scan found, and say so upstream: its event, then its row (BF-20)."""

from typing import Any

from msgspec.structs import replace

from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.store import exceptions
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.usecases.context import Context, fact


def open_exception(
    conn: Connection,
    kind: ExceptionKind,
    context: Context,
    *,
    subject: str,
    quantity_micro: int,
    cause_code: str,
    cause: str,
    severity: str = "warn",
    item_id: int | None = None,
    lot_id: int | None = None,
    tries: int = 0,
    **detail: Any,
) -> tuple[int, int]:
    """Return the ids of the exception and of its event, which tells `detail`. There must be no open
    one of this kind and subject."""
    number = exceptions.next_number(conn)
    draft = replace(
        fact(context, "exception.opened", kind, exception_id=number, kind=kind, **detail),
        upstream=True,
    )
    event_seq = append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)
    exception_id = exceptions.open_exception(
        conn,
        exception_id=number,
        kind=kind,
        severity=severity,
        subject=subject,
        quantity_micro=quantity_micro,
        opened_at=context.scan.event_time,
        event_seq=event_seq,
        cause_code=cause_code,
        cause=cause,
        item_id=item_id,
        lot_id=lot_id,
        tries=tries,
    )
    return exception_id, event_seq
