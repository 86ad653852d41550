"""Shortages heal themselves: what was owed is posted when what blocked it has changed (BF-22).

The changes are queued in their own transactions (`store.heal_queue`). Here they are tried in
batches, each a transaction of its own, the oldest report first. Called by the station between
scans, never inside one.
"""

from typing import Final

from mes_terminal.domain.healing import OwedPart, Places, Told, draw_part, plan_healing
from mes_terminal.domain.instants import local_day
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import clock, heal_queue, healing
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events, read_head
from mes_terminal.store.heal_queue import Queued
from mes_terminal.store.master_data import read_version

PARTS_MAX: Final = 16
"""Owed parts tried in one transaction: a scan that comes meanwhile waits for some ten ms."""


def heal(db: Database, rules: StationRules, *, now: str) -> bool:
    """Try one batch of the change that waits longest; return whether more waits.

    `now` is the clock's reading. While the clock is in doubt nothing is tried (BF-33).
    """
    if not heal_queue.anything_queued(db.conn) or clock.in_doubt(db.conn):
        return False
    with db.transaction() as conn:
        queued = heal_queue.next_queued(conn)
        if queued is not None:
            _try(conn, queued, rules, now)
    return heal_queue.anything_queued(db.conn)


def heal_all(db: Database, rules: StationRules, *, now: str) -> None:
    """Try whatever waits."""
    while heal(db, rules, now=now):
        pass


def _try(conn: Connection, queued: Queued, rules: StationRules, now: str) -> None:
    parts = healing.owed_parts(conn, queued, limit=PARTS_MAX)
    places = healing.read_places(conn, rules.scrap_location)
    for part in parts:
        _post(conn, part, queued.event_seq, places, rules, now)
    heal_queue.note_still_open(conn, parts, queued.event_seq)
    if len(parts) < PARTS_MAX:
        heal_queue.leave_queue(conn, queued)
    else:
        heal_queue.note_tried(conn, queued, parts[-1])


def _post(
    conn: Connection,
    part: OwedPart,
    cause_seq: int,
    places: Places,
    rules: StationRules,
    now: str,
) -> None:
    """Post what there is for a part; nothing if there is nothing."""
    day = local_day(part.reported_at, rules.zone)
    sources = healing.sources_for(conn, part, reported_day=day)
    tracked = part.tracking != "none"
    net, scrap = draw_part(part, sources, healing.sole_lot(conn, part) if tracked else None)
    if not (net or scrap):
        return
    plan = plan_healing(
        part,
        net,
        scrap,
        healing.unnamed(conn, part) if tracked else [],
        heal_queue.read_cause(conn, cause_seq),
        places,
        Told(station=rules.station, master_data_version=str(read_version(conn))),
    )
    movement_first = read_head(conn).movement_seq + 1
    (event_seq,) = append_events(conn, [plan.event], rules=rules, recorded_at=now)
    healing.write_healing(
        conn,
        plan,
        places,
        event_seq=event_seq,
        cause_seq=cause_seq,
        movement_first=movement_first,
    )
