"""A person approves the difference that a count found: it is booked as found (BF-32, BF-23)."""

from msgspec.structs import replace

from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.resolving import Decided, OpenException, Resolved, ended_event
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import counts, resolutions
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_events
from mes_terminal.store.heal_queue import queue_healing
from mes_terminal.usecases.post_count import actuals_of, change_books, movements_of


def resolve_count(
    conn: Connection, found: OpenException, decided: Decided, rules: StationRules
) -> Resolved:
    """Book the difference, as far as no lot goes below zero (BF-19); what came heals (BF-22)."""
    count, item, changes = counts.read_waiting(conn, found.exception_id)
    possible = counts.possible(conn, changes, count.location_id, tracking=item.tracking)
    actuals = actuals_of(conn, count, item, possible)
    draft = ended_event(found, decided, actuals, movements_of(conn, count, possible))
    draft = replace(draft, subject=item.item, partition_key=item.item)
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=decided.at)
    change_books(conn, count, possible, at=decided.at)
    counts.note_posted(conn, count.stock_count_id, item.item_id, event_seq)
    counts.note_sole(conn, item.item_id, count.location_id)
    if any(each.delta_micro > 0 for each in possible):
        queue_healing(conn, item.item_id, count.location_id, event_seq)
    total = format_quantity(sum(each.delta_micro for each in possible))
    said = f"{total} {item.uom} of {item.item} at {count.location}, as counted"
    resolutions.end_exception(
        conn, found, event_seq, resolution=f"posted by {decided.person}: {said}"
    )
    return Resolved(
        id=found.exception_id,
        outcome="posted",
        message=f"Booked {said}",
        posted=[
            Consumed(None, each.item, each.lot, each.serial, each.location, each.quantity,
                     each.uom, None)
            for each in actuals
        ],
    )  # fmt: skip
