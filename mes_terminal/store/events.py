"""The log: append events with the ledger rows they explain, one chain without gaps.

Every function runs inside the caller's transaction. The delivery row of what goes upstream is made
by the schema itself (UP-1).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from mes_terminal.domain.posting import (
    FIRST_HASH,
    EventDraft,
    LogHead,
    chain,
    event_body,
    ledger_bytes,
)
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan
from mes_terminal.store.database import Connection
from mes_terminal.store.scan_journal import scan_hash

HEAD_COLUMNS = """
    (SELECT value FROM meta WHERE key = 'epoch'),
    coalesce((SELECT max(event_seq) FROM event), 0),
    (SELECT hash FROM event ORDER BY event_seq DESC LIMIT 1),
    coalesce((SELECT max(outbox_seq) FROM event), 0),
    coalesce((SELECT max(movement_seq) FROM movement), 0)
"""

_INSERT_EVENT = """
    INSERT INTO event (event_seq, type, event_time, recorded_at, scan_seq, person, second_person,
                       reason, outbox_seq, hash, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_MOVEMENT = "INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_EDGE = "INSERT INTO edge VALUES (?, ?, ?, ?, ?, ?)"


@cache
def source_of(site: str, station: str) -> str:
    """Return the CloudEvents source of a station: a URI, so other characters are escaped."""
    return f"urn:mes-terminal:{_escaped(site)}:{_escaped(station)}"


def _escaped(name: str) -> str:
    """Return a name with all but the unreserved characters of RFC 3986 as `%` and two digits."""
    return "".join(
        character if character.isascii() and (character.isalnum() or character in "-._~")
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in name
    )  # fmt: skip


def head_of(columns: Sequence[Any]) -> LogHead:
    """Return the head that `HEAD_COLUMNS` selected."""
    epoch, event_seq, last_hash, outbox_seq, movement_seq = columns
    return LogHead(epoch, event_seq, last_hash or FIRST_HASH, outbox_seq, movement_seq)


def read_head(conn: Connection) -> LogHead:
    """Return where the log stands."""
    return head_of(conn.execute(f"SELECT {HEAD_COLUMNS}").fetchone())


def append_event(
    conn: Connection, draft: EventDraft, head: LogHead, scan: Scan, *, rules: StationRules
) -> int:
    """Append the one event of a scan, with its movements and edges; return its sequence."""
    return _append(conn, [draft], head, rules=rules, recorded_at=scan.received_at, scan=scan)[0]


def append_events(
    conn: Connection, drafts: Sequence[EventDraft], *, rules: StationRules, recorded_at: str
) -> list[int]:
    """Append events that no scan caused, in order and in bulk; return their sequences."""
    if not drafts:
        return []
    head = read_head(conn)
    return _append(conn, drafts, head, rules=rules, recorded_at=recorded_at, scan=None)


def _append(
    conn: Connection,
    drafts: Sequence[EventDraft],
    head: LogHead,
    *,
    rules: StationRules,
    recorded_at: str,
    scan: Scan | None,
) -> list[int]:
    source = source_of(rules.site, rules.station)
    scan_seq = scan.scan_seq if scan else None
    scan_digest = scan_hash(scan) if scan else None
    events: list[tuple[Any, ...]] = []
    all_movements: list[tuple[Any, ...]] = []
    all_edges: list[tuple[Any, ...]] = []
    for draft in drafts:
        seq = head.event_seq + 1
        movements = [
            (movement_seq, seq, *row)
            for movement_seq, row in enumerate(draft.movements, head.movement_seq + 1)
        ]
        edges = [
            (child, parent, seq, line_id, quantity, certainty)
            for child, parent, line_id, quantity, certainty in draft.edges
        ]
        edges.sort()
        ledger = ledger_bytes(movements, edges) if movements or edges else None
        body = event_body(draft, head, source=source, scan_hash=scan_digest, ledger=ledger)
        digest = chain(head.hash, body)
        outbox_seq = head.outbox_seq + 1 if draft.upstream else None
        events.append(
            (seq, draft.type, draft.event_time, recorded_at, scan_seq, draft.person,
             draft.second_person, draft.reason, outbox_seq, digest, body.decode())
        )  # fmt: skip
        all_movements += movements
        all_edges += edges
        head = LogHead(
            head.epoch,
            seq,
            digest,
            outbox_seq or head.outbox_seq,
            head.movement_seq + len(movements),
        )
    conn.executemany(_INSERT_EVENT, events)
    if all_movements:
        conn.executemany(_INSERT_MOVEMENT, all_movements)
    if all_edges:
        conn.executemany(_INSERT_EDGE, all_edges)
    return [event[0] for event in events]
