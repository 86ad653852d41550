"""Count a code that no rule reads: one exception a code and day (BF-13, never lost)."""

import hashlib

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.quantity import MICRO
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.exceptions import open_exception, raise_open
from mes_terminal.usecases.context import Answer, Context, answer

CODE_SHOWN = 120
"""Characters of an unknown code that its exception keeps to read; the journal has all of it."""


def count_unknown(conn: Connection, context: Context) -> Answer:
    """Open the code's exception of the day, or raise it; `quantity` counts the scans."""
    digest = hashlib.sha256(context.scan.raw).hexdigest()[:32]
    subject = f"code:{context.today}:{digest}"
    event_seq = None
    raised = raise_open(conn, kind="unknown_code", subject=subject, quantity_micro=MICRO)
    if raised is None:
        event_seq = append_event(
            conn,
            _opened(context),
            context.head,
            context.scan,
            rules=context.rules,
        )
        exception_id = open_exception(
            conn,
            kind="unknown_code",
            severity="info",
            subject=subject,
            quantity_micro=MICRO,
            opened_at=context.scan.event_time,
            event_seq=event_seq,
            cause=context.code[:CODE_SHOWN],
        )
    else:
        exception_id = raised[0]
    return answer(
        context,
        "unknown",
        f"Nothing is known by the code {context.code[:CODE_SHOWN]}. Nothing was booked",
        "Scan an order, a unit or a component lot; keep the label for the supervisor",
        exceptions=[OpenedException(exception_id, "unknown_code", None, None, "1")],
        event_seq=event_seq,
    )


def _opened(context: Context) -> EventDraft:
    return EventDraft(
        type="exception.opened",
        subject="unknown_code",
        partition_key="unknown_code",
        event_time=context.scan.event_time,
        data=Fact(
            scan_id=context.scan.scan_id,
            person=context.badge,
            station=context.rules.station,
            event_time=context.scan.event_time,
            detail={"kind": "unknown_code", "code": context.code, "hex": context.scan.raw.hex()},
        ),
        upstream=True,
        person=context.badge,
    )
