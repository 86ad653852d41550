"""A healing is undone: what it drew on is taken back, so its part is owed again (BF-22, BF-31).

Each has its own event for upstream: less was consumed, more is demanded.
"""

from collections.abc import Sequence

import msgspec

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.posting import EventDraft
from mes_terminal.domain.quantity import format_quantity, parse_quantity
from mes_terminal.store import healed, reversals
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.healed import Healed
from mes_terminal.usecases.context import Context


def undo_healings(conn: Connection, healings: Sequence[Healed], context: Context) -> None:
    """Undo healings, the latest first."""
    for each in healings:
        _undo(conn, each, context)


def _undo(conn: Connection, healing: Healed, context: Context) -> None:
    movements = healed.movements_of(conn, [healing])
    draft = _event(conn, healing, movements, context)
    event_seq = append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)
    kinds = reversals.location_kinds(conn)
    deltas: dict[reversals.StockKey, int] = {}
    for each in movements:
        for location_id, sign in ((each.from_id, 1), (each.to_id, -1)):
            if kinds[location_id][1] != "virtual":
                key = (each.lot_id, location_id, each.container_id)
                deltas[key] = deltas.get(key, 0) + sign * each.quantity_micro
    reversals.change_stock(conn, deltas)
    reversals.forget_sole(conn, {(each.item_id, each.from_id, each.lot_id) for each in movements})
    healed.owe_again(conn, healing, event_seq)


def _event(
    conn: Connection,
    healing: Healed,
    movements: list[reversals.Recalled],
    context: Context,
) -> EventDraft:
    """Return `exception.opened` with what the healing said, negated."""
    original = msgspec.json.decode(healing.body)["data"]
    owed = OpenedException(
        healing.exception_id,
        "shortage",
        healing.line,
        healing.item,
        format_quantity(healing.quantity_micro),
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
            "material_actuals": [
                actual | {"quantity": format_quantity(-parse_quantity(actual["quantity"]))}
                for actual in original["material_actuals"]
            ],
            "exceptions": [owed],
        },
        upstream=True,
        person=context.badge,
        movements=reversals.reversal_rows(movements),
        edges=[
            (child, parent, line, -quantity, sure)
            for child, parent, line, quantity, sure in healed.edges_of(conn, [healing])
        ],
    )
