"""A label that says another expiry than the lot's record: an exception, once a lot and day named.

The lot is used by its record. Either the label or the books are wrong, and only a person can tell.
"""

from msgspec.structs import replace

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.quantity import MICRO
from mes_terminal.store.database import Connection
from mes_terminal.store.exceptions import raise_open
from mes_terminal.store.mounts import MaterialFacts
from mes_terminal.usecases.context import Answer, Context
from mes_terminal.usecases.open_exception import open_exception


def note_mismatch(
    conn: Connection, material: MaterialFacts, label_expires_on: str | None, ruled: Answer,
    context: Context,
) -> Answer:  # fmt: skip
    """Open the exception, or raise it, where label and record disagree; else change nothing."""
    recorded = material.expires_on
    if label_expires_on is None or label_expires_on == recorded:
        return ruled
    subject = f"lot:{material.lot_id}:{label_expires_on}"
    cause = (
        f"label of {material.item} {material.lot} says {label_expires_on}, "
        f"the lot's record {recorded or 'no expiry'}"
    )
    raised = raise_open(conn, kind="label_mismatch", subject=subject, quantity_micro=MICRO)
    if raised is None:
        exception_id, _ = open_exception(
            conn,
            "label_mismatch",
            context,
            subject=subject,
            quantity_micro=MICRO,
            tries=1,
            cause_code="expiry",
            cause=cause,
            item=material.item,
            lot=material.lot,
            label=label_expires_on,
            record=recorded,
        )
    else:
        exception_id = raised[0]
    opened = OpenedException(exception_id, "label_mismatch", None, material.item, "1")
    outcome = ruled.outcome
    said = f"{outcome.message}. Check: the {cause}"
    return replace(
        ruled,
        outcome=replace(outcome, message=said, exceptions=[*outcome.exceptions, opened]),
    )
