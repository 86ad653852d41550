"""A person approves the difference that a count found: it is booked as found (BF-32, BF-23)."""

from collections.abc import Sequence

from msgspec.structs import replace

from mes_terminal.domain.counting import CountedItem
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.posting import EventDraft, MaterialActual, MaterialData, MovementRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.resolving import Decided, OpenException, Resolved, ended_event
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import counts, resolutions
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_events
from mes_terminal.store.heal_queue import queue_healing
from mes_terminal.usecases.post_count import actuals_of, change_books, is_of_scrap, movements_of


def resolve_count(
    conn: Connection, found: OpenException, decided: Decided, rules: StationRules
) -> Resolved:
    """Book the difference, as far as no lot goes below zero (BF-19); what came heals (BF-22)."""
    count, item, changes = counts.read_waiting(conn, found.exception_id)
    possible = counts.possible(conn, changes, count.location_id, tracking=item.tracking)
    actuals = actuals_of(conn, count, item, possible)
    movements = movements_of(conn, count, possible)
    if is_of_scrap(conn, count):
        drafts = [_booked(item, decided, actuals, movements), ended_event(found, decided)]
    else:
        drafts = [ended_event(found, decided, actuals, movements)]
    drafts = [replace(each, subject=item.item, partition_key=item.item) for each in drafts]
    event_seq, *_ = events = append_events(conn, drafts, rules=rules, recorded_at=decided.at)
    change_books(conn, count, possible, at=decided.at)
    counts.note_posted(conn, count.stock_count_id, item.item_id, event_seq)
    counts.note_sole(conn, item.item_id, count.location_id)
    if any(each.delta_micro > 0 for each in possible):
        queue_healing(conn, item.item_id, count.location_id, event_seq)
    total = format_quantity(sum(each.delta_micro for each in possible))
    said = f"{total} {item.uom} of {item.item} at {count.location}, as counted"
    resolutions.end_exception(
        conn, found, events[-1], resolution=f"posted by {decided.person}: {said}"
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


def _booked(
    item: CountedItem,
    decided: Decided,
    actuals: Sequence[MaterialActual],
    movements: Sequence[MovementRow],
) -> EventDraft:
    """Return the event of a difference that stays at the station."""
    return EventDraft(
        type="stock.adjusted",
        subject=item.item,
        partition_key=item.item,
        event_time=decided.at,
        data=MaterialData(
            person=decided.person,
            station=decided.station,
            master_data_version=decided.master_data_version,
            event_time=decided.at,
            material_actuals=actuals,
        ),
        upstream=False,
        person=decided.person,
        movements=movements,
    )
