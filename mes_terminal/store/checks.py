"""What `doctor` reads: rows of the log in order, and statements that find the first fault.

Everything streams; where SQLite must sort, it sorts, so memory does not grow with history. Every
`FAULTS_…` statement yields one sentence a fault and nothing when all is well. Called by
`usecases.doctor`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlite_utils

from mes_terminal.store import migrations
from mes_terminal.store.database import Database
from mes_terminal.store.sqlite import sqlite

FAULTS_MOVEMENTS: Final = """
SELECT 'movement ' || movement_seq || ' ' || CASE
    WHEN movement_seq <> position THEN 'stands where ' || position || ' is expected'
    WHEN quantity_micro <= 0 THEN 'has no positive quantity'
    WHEN from_location_id = to_location_id THEN 'ends where it began'
    WHEN no_lot THEN 'names a lot that does not exist'
    WHEN no_place THEN 'names a location that does not exist'
    WHEN no_container THEN 'names a container that does not exist'
    ELSE 'belongs to no event' END
FROM (
    SELECT movement.movement_seq, movement.quantity_micro, from_location_id, to_location_id,
           row_number() OVER (ORDER BY movement.movement_seq) AS position,
           lot.lot_id IS NULL AS no_lot,
           origin.location_id IS NULL OR target.location_id IS NULL AS no_place,
           movement.container_id <> 0 AND container.container_id IS NULL AS no_container,
           event.event_seq IS NULL AS no_event
    FROM movement
    LEFT JOIN lot ON lot.lot_id = movement.lot_id
    LEFT JOIN location AS origin ON origin.location_id = movement.from_location_id
    LEFT JOIN location AS target ON target.location_id = movement.to_location_id
    LEFT JOIN container ON container.container_id = movement.container_id
    LEFT JOIN event ON event.event_seq = movement.event_seq
)
WHERE movement_seq <> position OR quantity_micro <= 0 OR from_location_id = to_location_id
   OR no_lot OR no_place OR no_container OR no_event
"""

FAULTS_REPORTS: Final = """
SELECT 'report ' || report_seq || ' says it has ' || movement_count || ' movements from '
       || movement_first || ' on; the ledger does not'
FROM report
WHERE movement_count <> (
    SELECT count(*) FROM movement
    WHERE movement_seq >= report.movement_first
      AND movement_seq < report.movement_first + report.movement_count
      AND event_seq = report.report_seq)
"""

# What a report took of a tracked lot, with what it took in of what was issued by hand, less what of
# that came back (BF-10), and what was posted for it later (BF-22), is what genealogy says it made
# something from; its reversal gives the same back, so the two are judged together. By- and
# co-products have the same inputs once more (BF-30). The nameless lot of a tracked item stands for
# missing stock (BF-21) and has edges without a movement.
FAULTS_EDGES: Final = """
SELECT 'event ' || event_seq || ' moved another quantity of ' || item.item || ' '
       || lot.lot || lot.serial || ' than its genealogy says'
FROM (
    SELECT coalesce(report.reverses, report.report_seq) AS event_seq, part.lot_id,
           sum(part.taken_micro) AS unexplained_micro
    FROM (
        SELECT movement.event_seq, movement.lot_id,
               CASE WHEN movement.kind = 'issue' OR movement.to_location_id = place.location_id
                   THEN movement.quantity_micro ELSE -movement.quantity_micro END AS taken_micro
        FROM movement
        JOIN lot ON lot.lot_id = movement.lot_id AND (lot.lot <> '' OR lot.serial <> '')
        JOIN location AS place ON place.location = '@production'
        WHERE movement.kind = 'issue'
           OR (movement.kind = 'reversal' AND movement.line_id IS NOT NULL
               AND place.location_id IN (movement.from_location_id, movement.to_location_id))
        UNION ALL
        SELECT hand_issue.report_seq, hand_issue.lot_id, hand_issue.quantity_micro
        FROM hand_issue
        JOIN lot ON lot.lot_id = hand_issue.lot_id AND (lot.lot <> '' OR lot.serial <> '')
        WHERE hand_issue.report_seq IS NOT NULL
        UNION ALL
        SELECT coalesce(back.report_seq, edge.report_seq), edge.parent_id, -edge.quantity_micro
        FROM edge
        JOIN lot ON lot.lot_id = edge.parent_id AND (lot.lot <> '' OR lot.serial <> '')
        JOIN lot AS child ON child.lot_id = edge.child_id
        LEFT JOIN healing AS late ON late.event_seq = edge.report_seq
        LEFT JOIN healing AS undone ON undone.undone_seq = edge.report_seq
        LEFT JOIN hand_return AS back ON back.event_seq = edge.report_seq
        JOIN report AS made
          ON made.report_seq = coalesce(late.report_seq, undone.report_seq, back.report_seq,
                                        edge.report_seq)
        JOIN work_order ON work_order.work_order_id = made.work_order_id
            AND work_order.item_id = child.item_id
    ) AS part
    LEFT JOIN healing AS late ON late.event_seq = part.event_seq
    LEFT JOIN healing AS undone ON undone.undone_seq = part.event_seq
    JOIN report
      ON report.report_seq = coalesce(late.report_seq, undone.report_seq, part.event_seq)
    GROUP BY coalesce(report.reverses, report.report_seq), part.lot_id
    HAVING unexplained_micro <> 0
) AS fault
JOIN lot ON lot.lot_id = fault.lot_id
JOIN item ON item.item_id = lot.item_id
"""

# What was taken back of a movement, in however many parts, is at most all of it (BF-31).
FAULTS_TAKEN_BACK: Final = """
SELECT 'movement ' || taken_back.movement_seq || ' gave back more than it moved'
FROM taken_back LEFT JOIN movement ON movement.movement_seq = taken_back.movement_seq
GROUP BY taken_back.movement_seq
HAVING sum(taken_back.quantity_micro) > coalesce(movement.quantity_micro, 0)
"""

FAULTS_COPIES: Final = """
SELECT 'the balance of ' || item.item || ' ' || balance.lot || ' at ' || location.location || ' '
       || CASE WHEN location.kind = 'virtual' THEN 'is kept, though the place is not a real one'
          WHEN balance.quantity_micro < 0 AND item.tracking <> 'none' THEN 'is below zero'
          ELSE 'does not carry what its lot says' END
FROM balance
JOIN lot ON lot.lot_id = balance.lot_id
JOIN item ON item.item_id = lot.item_id
JOIN location ON location.location_id = balance.location_id
WHERE location.kind = 'virtual'
   OR (balance.quantity_micro < 0 AND item.tracking <> 'none')
   OR balance.item_id <> lot.item_id
   OR balance.lot NOT IN (lot.lot, lot.serial)
   OR balance.expires_on <> coalesce(lot.expires_on, '9999-12-31')
   OR balance.pickable <> (balance.quantity_micro > 0 AND lot.status = 'available')
"""

FAULTS_OUTBOX: Final = """
SELECT CASE WHEN outbox_seq <> position
       THEN 'sequence ' || outbox_seq || ' stands where ' || position || ' is expected'
       ELSE 'posting ' || outbox_seq || ' is not in the queue' END
FROM (
    SELECT event.outbox_seq, row_number() OVER (ORDER BY event.event_seq) AS position,
           delivery.outbox_seq IS NULL AND event.outbox_seq > pruned_below AS not_queued
    FROM event CROSS JOIN upstream_state
    LEFT JOIN delivery ON delivery.outbox_seq = event.outbox_seq
    WHERE event.outbox_seq IS NOT NULL
)
WHERE outbox_seq <> position OR not_queued
UNION ALL
SELECT 'the queue holds ' || outbox_seq || ', which is no posting'
FROM delivery
WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.outbox_seq = delivery.outbox_seq)
UNION ALL
SELECT 'the queue holds ' || found || ' ' || name || ' postings and counts ' || counted
FROM (
    SELECT 'waiting' AS name,
           (SELECT count(*) FROM delivery
             WHERE status = 'waiting' AND status <> 'delivered' AND let_go = 0) AS found,
           (SELECT count(outbox_seq) FROM event) - settled - refused - parked AS counted
    FROM upstream_state
    UNION ALL
    SELECT 'refused', (SELECT count(*) FROM delivery
             WHERE status = 'refused' AND status <> 'delivered' AND let_go = 0), refused
    FROM upstream_state
    UNION ALL
    SELECT 'parked', (SELECT count(*) FROM delivery
             WHERE status = 'parked' AND status <> 'delivered' AND let_go = 0), parked
    FROM upstream_state
)
WHERE found <> counted
"""

FAULTS_JOURNAL: Final = """
SELECT 'scan ' || scan_seq || ' stands where ' || position || ' is expected'
FROM (SELECT scan_seq, row_number() OVER (ORDER BY scan_seq) AS position FROM scan_journal)
WHERE scan_seq <> position
UNION ALL
SELECT 'scan ' || scan_seq || ' has no outcome, though a later scan has one'
FROM scan_journal
WHERE scan_seq < (SELECT max(scan_seq) FROM scan_outcome)
  AND NOT EXISTS (SELECT 1 FROM scan_outcome WHERE scan_outcome.scan_seq = scan_journal.scan_seq)
UNION ALL
SELECT 'the outcome of scan ' || scan_seq || ' has no scan'
FROM scan_outcome
WHERE NOT EXISTS (SELECT 1 FROM scan_journal WHERE scan_journal.scan_seq = scan_outcome.scan_seq)
UNION ALL
SELECT 'the outcome of scan ' || scan_outcome.scan_seq || ' names the event of another scan'
FROM scan_outcome LEFT JOIN event ON event.event_seq = scan_outcome.event_seq
WHERE scan_outcome.event_seq IS NOT NULL AND event.scan_seq IS NOT scan_outcome.scan_seq
UNION ALL
SELECT 'report ' || report.report_seq || ' belongs to scan ' || report.scan_seq
       || ', which has no outcome'
FROM report
WHERE NOT EXISTS (SELECT 1 FROM scan_outcome WHERE scan_outcome.scan_seq = report.scan_seq)
UNION ALL
SELECT 'scan ' || scan_seq || ' posted ' || count(*) || ' reports'
FROM report GROUP BY scan_seq HAVING count(*) > 1
"""

# Both sides in key order, to be compared row by row. A sum is taken in whole units and the rest,
# since SQLite refuses one that leaves 64 bits.
BALANCES_OF_THE_LEDGER: Final = """
SELECT lot_id, location_id, container_id,
       sum(delta_micro / 1000000), sum(delta_micro % 1000000)
FROM (
    SELECT lot_id, to_location_id AS location_id, container_id, quantity_micro AS delta_micro
    FROM movement
    UNION ALL
    SELECT lot_id, from_location_id, container_id, -quantity_micro FROM movement
)
WHERE location_id NOT IN (SELECT location_id FROM location WHERE kind = 'virtual')
GROUP BY lot_id, location_id, container_id
ORDER BY lot_id, location_id, container_id
"""

BALANCES_KEPT: Final = """
SELECT lot_id, location_id, container_id, quantity_micro
FROM balance
WHERE location_id NOT IN (SELECT location_id FROM location WHERE kind = 'virtual')
ORDER BY lot_id, location_id, container_id
"""

# Per item: what the balances hold, and what the ledger put into the virtual locations.
ITEM_SUMS: Final = """
SELECT item.item, sum(part.whole), sum(part.rest)
FROM (
    SELECT lot_id, quantity_micro / 1000000 AS whole, quantity_micro % 1000000 AS rest FROM balance
    UNION ALL
    SELECT lot_id, quantity_micro / 1000000, quantity_micro % 1000000 FROM movement
    WHERE to_location_id IN (SELECT location_id FROM location WHERE kind = 'virtual')
    UNION ALL
    SELECT lot_id, -(quantity_micro / 1000000), -(quantity_micro % 1000000) FROM movement
    WHERE from_location_id IN (SELECT location_id FROM location WHERE kind = 'virtual')
) AS part
JOIN lot ON lot.lot_id = part.lot_id
JOIN item ON item.item_id = lot.item_id
GROUP BY item.item_id
ORDER BY item.item
"""

# The scan's columns come last, whole, as they are hashed.
EVENTS: Final = """
SELECT event.event_seq, event.type, event.event_time, event.outbox_seq, event.hash, event.body,
       event.recorded_at, event.person, event.second_person, event.reason, event.scan_seq,
       scan_journal.*
FROM event LEFT JOIN scan_journal ON scan_journal.scan_seq = event.scan_seq
ORDER BY event.event_seq
"""
OUTCOMES: Final = """
SELECT scan_outcome.*, scan_journal.*
FROM scan_outcome LEFT JOIN scan_journal ON scan_journal.scan_seq = scan_outcome.scan_seq
ORDER BY scan_outcome.scan_seq
"""
MOVEMENTS: Final = "SELECT * FROM movement ORDER BY movement_seq"
EDGES: Final = """
SELECT child_id, parent_id, report_seq, line_id, quantity_micro, certainty FROM edge
ORDER BY report_seq, child_id, parent_id, line_id
"""
REPORTS: Final = "SELECT * FROM report ORDER BY report_seq"
COUNTS: Final = """
SELECT (SELECT count(*) FROM movement), (SELECT count(*) FROM balance),
       (SELECT count(*) FROM event), (SELECT count(outbox_seq) FROM event),
       (SELECT count(*) FROM scan_journal),
       (SELECT count(*) FROM scan_journal) - (SELECT count(*) FROM scan_outcome)
"""
CLOCK: Final = """
SELECT clock_in_doubt,
       (SELECT received_at FROM scan_journal ORDER BY scan_seq DESC LIMIT 1)
FROM station_state
"""
SCHEMA_OBJECTS: Final = """
SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name
"""


@contextmanager
def snapshot(database: Database) -> Iterator[None]:
    """Let every statement in the block see the database as it is now, beside a writer."""
    if database.conn.in_transaction:
        yield
        return
    database.conn.execute("BEGIN")
    try:
        yield
    finally:
        database.conn.execute("ROLLBACK")


def rows(database: Database, statement: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one of the statements above as SQLite finds them."""
    yield from database.conn.execute(statement)


def event_hash(database: Database, event_seq: int) -> str | None:
    """Return the hash of an entry of the log; `None` where there is none."""
    row = database.conn.execute(
        "SELECT hash FROM event WHERE event_seq = ?", [event_seq]
    ).fetchone()
    return row[0] if row else None


def lot_place(database: Database, lot_id: int, location_id: int) -> str:
    """Return item, lot or serial, and location in words, for a sentence about a fault."""
    row = database.conn.execute(
        """
        SELECT (SELECT item.item || ' ' || lot.lot || lot.serial FROM lot JOIN item USING (item_id)
                WHERE lot_id = ?),
               (SELECT location FROM location WHERE location_id = ?)
        """,
        [lot_id, location_id],
    ).fetchone()
    thing, place = row
    return f"{(thing or f'lot {lot_id}').strip()} at {place or f'location {location_id}'}"


def program_schema() -> dict[str, str]:
    """Return what this program's migrations make of an empty database: object -> its SQL."""
    connection = sqlite.connect(":memory:", isolation_level=None)
    try:
        fresh = sqlite_utils.Database(connection, recursive_triggers=False, execute_plugins=False)
        migrations.migrate(fresh, Path(":memory:"), is_new=True)
        return dict(connection.execute(SCHEMA_OBJECTS).fetchall())
    finally:
        connection.close()


def page_faults(database: Database) -> list[str]:
    """Return what SQLite's own quick check finds, at most a few lines; empty when all is well."""
    found = [str(row[0]) for row in database.conn.execute("PRAGMA quick_check(3)")]
    return [] if found == ["ok"] else found


def foreign_key_faults(database: Database) -> Iterator[str]:
    """Yield a sentence for each row that points to a row which is not there."""
    for table, row_id, parent, _ in database.conn.execute("PRAGMA foreign_key_check"):
        yield f"a row of {table} ({row_id}) points to a row of {parent} that does not exist"


def sqlite_version() -> str:
    """Return the version of the SQLite library in use."""
    return sqlite.sqlite_version


def disk_free_bytes(database: Database) -> int:
    """Return what is free for this program on the disk that holds the database."""
    volume = os.statvfs(database.path.parent)
    return volume.f_bavail * volume.f_frsize


def reader_pragmas(database: Database) -> dict[str, int | str]:
    """Return what a reading connection can tell of the writer's pragmas: what the file carries."""
    row = database.conn.execute("PRAGMA journal_mode").fetchone()
    return {"journal_mode": row[0]}
