"""Count a code that no rule reads: one exception a code and day (BF-13, never lost)."""

import hashlib

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.quantity import MICRO
from mes_terminal.store.database import Connection
from mes_terminal.store.exceptions import raise_open
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.open_exception import open_exception

CODE_SHOWN = 120
"""Characters of an unknown code that its exception keeps to read; the journal has all of it."""


def count_unknown(conn: Connection, context: Context) -> Answer:
    """Open the code's exception of the day, or raise it; `quantity` counts the scans."""
    digest = hashlib.sha256(context.scan.raw).hexdigest()[:32]
    subject = f"code:{context.today}:{digest}"
    event_seq = None
    raised = raise_open(conn, kind="unknown_code", subject=subject, quantity_micro=MICRO)
    if raised is None:
        exception_id, event_seq = open_exception(
            conn,
            "unknown_code",
            context,
            severity="info",
            subject=subject,
            quantity_micro=MICRO,
            tries=1,
            cause_code="not_known",
            cause=context.code[:CODE_SHOWN],
            code=context.code,
            hex=context.scan.raw.hex(),
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
