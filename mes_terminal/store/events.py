"""The log: append events with the ledger rows they explain, one chain without gaps.

Every function runs inside the caller's transaction. The delivery row of what goes upstream is made
by the schema itself (UP-1).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from mes_terminal import __version__
from mes_terminal.domain.instants import utc_offset
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

HEAD_COLUMNS = """
    (SELECT value FROM meta WHERE key = 'epoch'),
    coalesce((SELECT max(event_seq) FROM event), 0),
    (SELECT hash FROM event ORDER BY event_seq DESC LIMIT 1),
    coalesce((SELECT max(outbox_seq) FROM event), 0),
    coalesce((SELECT max(movement_seq) FROM movement), 0),
    (SELECT hash FROM scan_outcome ORDER BY scan_seq DESC LIMIT 1),
    (SELECT master_data_version FROM station_state),
    (SELECT clock_in_doubt FROM station_state)
"""

_INSERT_EVENT = """
    INSERT INTO event (event_seq, type, event_time, recorded_at, scan_seq, person, second_person,
                       reason, outbox_seq, hash, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_MOVEMENT = "INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_EDGE = "INSERT INTO edge VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_REPORT = """
    INSERT INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


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
    epoch, event_seq, last_hash, outbox_seq, movement_seq, journal_hash, version, doubt = columns
    return LogHead(
        epoch, event_seq, last_hash or FIRST_HASH, outbox_seq, movement_seq,
        journal_hash or FIRST_HASH, version, bool(doubt),
    )  # fmt: skip


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
    offset = utc_offset(recorded_at, rules.zone)
    scan_seq = scan.scan_seq if scan else None
    events: list[tuple[Any, ...]] = []
    movements: list[tuple[Any, ...]] = []
    edges: list[tuple[Any, ...]] = []
    reports: list[tuple[Any, ...]] = []
    for draft in drafts:
        ledger = _ledger_of(draft, head, scan_seq)
        body = event_body(
            draft,
            head,
            source=source,
            software=__version__,
            recorded_at=recorded_at,
            utc_offset=offset,
            scan_hash=scan.row_hash if scan else None,
            ledger=ledger_bytes(*ledger) if any(ledger) else None,
        )
        head = _after(head, draft, chain(head.hash, body))
        events.append(
            (head.event_seq, draft.type, draft.event_time, recorded_at, scan_seq, draft.person,
             draft.second_person, draft.reason, head.outbox_seq if draft.upstream else None,
             head.hash, body.decode())
        )  # fmt: skip
        movements += ledger[0]
        edges += ledger[1]
        reports += ledger[2]
    conn.executemany(_INSERT_EVENT, events)
    for statement, rows in (
        (_INSERT_MOVEMENT, movements), (_INSERT_EDGE, edges), (_INSERT_REPORT, reports)
    ):  # fmt: skip
        if rows:
            conn.executemany(statement, rows)
    return [event[0] for event in events]


def _ledger_of(
    draft: EventDraft, head: LogHead, scan_seq: int | None
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the event's movements, edges and report as they will stand in the tables."""
    seq = head.event_seq + 1
    first = head.movement_seq + 1
    movements = [
        (movement_seq, seq, *row) for movement_seq, row in enumerate(draft.movements, first)
    ]
    edges = [
        (child, parent, seq, line_id, quantity, certainty)
        for child, parent, line_id, quantity, certainty in draft.edges
    ]
    edges.sort()
    made = draft.report
    if made is None:
        return movements, edges, []
    report = (
        seq, scan_seq, made.work_order_id, made.kind, made.good_micro, made.scrapped_micro,
        made.lot_id, draft.person, draft.event_time, made.order_status_before,
        made.lot_expires_before, made.reverses, first, len(movements), made.operation,
        made.passed, made.reversed_micro, made.reverses_rest,
    )  # fmt: skip
    return movements, edges, [report]


def _after(head: LogHead, draft: EventDraft, digest: str) -> LogHead:
    return LogHead(
        head.epoch,
        head.event_seq + 1,
        digest,
        head.outbox_seq + draft.upstream,
        head.movement_seq + len(draft.movements),
        head.journal_hash,
        head.master_data_version,
        head.clock_in_doubt,
    )
