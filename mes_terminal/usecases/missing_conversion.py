"""A label in a unit of measure that has no conversion: never taken one for one (BF-2).

The scan is refused, and one exception an item and unit says so and counts the scans. It ends when a
load brings a conversion; the scans are made again.
"""

from mes_terminal.domain.conversions import ConversionFault
from mes_terminal.domain.intent import MissingConversion, Refuse
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.quantity import MICRO
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.codes import factor_to_base
from mes_terminal.store.database import Connection
from mes_terminal.store.exceptions import open_subjects, raise_open
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.end_by_itself import end_by_itself
from mes_terminal.usecases.open_exception import open_exception


def note_missing(
    conn: Connection, refused: Refuse, lacks: MissingConversion, context: Context
) -> Answer:
    """Refuse the scan, and open the exception of the item and unit, or raise it."""
    subject = f"{lacks.item_id}:{lacks.uom}"
    event_seq = None
    raised = raise_open(conn, kind="conversion_missing", subject=subject, quantity_micro=MICRO)
    if raised is None:
        exception_id, event_seq = open_exception(
            conn,
            "conversion_missing",
            context,
            subject=subject,
            quantity_micro=MICRO,
            cause_code="no_conversion",
            cause=refused.message,
            item_id=lacks.item_id,
            tries=1,
            uom=lacks.uom,
            hex=context.scan.raw.hex(),
        )
    else:
        exception_id = raised[0]
    return answer(
        context,
        "rejected",
        refused.message,
        refused.hint,
        reason=refused.reason,
        exceptions=[OpenedException(exception_id, "conversion_missing", None, None, "1")],
        event_seq=event_seq,
    )


def end_missing(conn: Connection, rules: StationRules, *, now: str) -> None:
    """End the exceptions of items and units that have a conversion by now: a load brought it."""
    for each in open_subjects(conn, "conversion_missing"):
        item_id, _, uom = each.subject.partition(":")
        if isinstance(factor_to_base(conn, int(item_id), uom), ConversionFault):
            continue
        end_by_itself(
            conn,
            "conversion_missing",
            each,
            about="conversion_missing",
            resolution=f"a conversion from {uom} was loaded",
            rules=rules,
            now=now,
        )
