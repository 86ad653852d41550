"""A healing is undone: what it drew on is taken back, so its part is owed again (BF-22, BF-31).

Each has its own event for upstream: less was consumed, more is demanded.
"""

from collections.abc import Sequence

import msgspec

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.posting import EventDraft
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.recorded import Taken, reversal_rows, stock_changes
from mes_terminal.domain.reversal_told import actuals_back
from mes_terminal.store import exceptions, healed, reversals
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.healed import Healed
from mes_terminal.usecases.context import Context


def undo_healings(conn: Connection, healings: Sequence[Healed], context: Context) -> None:
    """Undo healings, the latest first."""
    for each in healings:
        _undo(conn, each, context)


def _undo(conn: Connection, healing: Healed, context: Context) -> None:
    taken = [
        Taken(one, one.left_micro, one.left_covers_micro) for one in healing.moved if one.left_micro
    ]
    exception_id = exceptions.open_again(conn, healing.exception_id, healing.left_micro)
    draft = _event(conn, healing, exception_id, taken, context)
    event_seq = append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)
    reversals.change_stock(conn, stock_changes(taken))
    reversals.forget_sole(conn, taken)
    reversals.note_taken_back(conn, taken, event_seq)
    healed.owe_again(conn, healing, exception_id, event_seq)


def _event(
    conn: Connection, healing: Healed, exception_id: int, taken: list[Taken], context: Context
) -> EventDraft:
    """Return `exception.opened` with what the healing said, negated."""
    original = msgspec.json.decode(healing.body)["data"]
    owed = OpenedException(
        exception_id, "shortage", healing.line, healing.item, format_quantity(healing.left_micro)
    )
    return EventDraft(
        type="exception.opened",
        subject=original["work_order"],
        partition_key=original["work_order"],
        event_time=context.scan.event_time,
        data=original
        | {
            "scan_id": context.scan.scan_id,
            "person": context.badge,
            "master_data_version": str(context.session.master_data_version),
            "event_time": context.scan.event_time,
            "material_actuals": actuals_back(taken, original["material_actuals"]),
            "exceptions": [owed],
        },
        upstream=True,
        person=context.badge,
        movements=reversal_rows(taken),
        edges=[
            (child, parent, line, -quantity, sure)
            for child, parent, line, quantity, sure in healed.edges_of(conn, healing)
            if quantity
        ],
    )
