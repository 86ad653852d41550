"""The journal: every scan before it is read, and what became of it (BF-13). Insert-only."""

from collections.abc import Sequence
from typing import Final

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.posting import outcome_hash, scan_bytes, sha256
from mes_terminal.domain.scan import CODE_MAX_BYTES, Scan, ScanRequest
from mes_terminal.store.database import Connection

JOURNAL_COLUMNS: Final = """
    scan_seq, scan_id, received_at, event_time, device, badge, raw, truncated, fault, fault_key
"""
JournalRow = tuple[int, str, str, str | None, str, str | None, bytes, int, str | None, str | None]
"""A row of the journal: all columns, in order."""


def insert_scans(
    conn: Connection, requests: Sequence[ScanRequest], ids: Sequence[str], *, received_at: str
) -> list[Scan]:
    """Journal scans in order; a code that is too long keeps its first bytes."""
    return [
        scan_of(_insert(conn, request, scan_id, received_at))
        for request, scan_id in zip(requests, ids, strict=True)
    ]


def _insert(conn: Connection, request: ScanRequest, scan_id: str, received_at: str) -> JournalRow:
    given = None if request.event_time == received_at else request.event_time
    truncated = int(len(request.raw) > CODE_MAX_BYTES)
    row = (
        scan_id, received_at, given, request.device, request.badge, request.raw[:CODE_MAX_BYTES],
        truncated, request.fault, request.fault_key,
    )  # fmt: skip
    cursor = conn.execute(
        f"INSERT INTO scan_journal ({JOURNAL_COLUMNS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        row,
    )
    assert cursor.lastrowid is not None
    return (cursor.lastrowid, *row)


def waiting(conn: Connection, *, now: str) -> list[Scan]:
    """Return the scans that have no outcome yet: those after the last one that has."""
    rows = conn.execute(
        f"""
        SELECT {JOURNAL_COLUMNS} FROM scan_journal
         WHERE scan_seq > (SELECT coalesce(max(scan_seq), 0) FROM scan_outcome)
         ORDER BY scan_seq
        """  # noqa: S608
    )
    return [scan_of(row, recovered_at=now) for row in rows]


def scan_of(row: JournalRow, *, recovered_at: str | None = None) -> Scan:
    """Return the scan that a row of the journal is, with the hash of the row."""
    seq, scan_id, received_at, given, device, badge, raw, truncated, fault, fault_key = row
    return Scan(
        scan_seq=seq,
        row_hash=sha256(scan_bytes(row)),
        scan_id=scan_id,
        raw=raw,
        truncated=bool(truncated),
        device=device,
        received_at=received_at,
        event_time=given or received_at,
        badge=badge,
        fault=fault,
        fault_key=fault_key,
        recovered_at=recovered_at,
    )


def conclude(
    conn: Connection,
    scan: Scan,
    outcome: Outcome,
    event_seq: int | None,
    *,
    previous_hash: str,
    status: str = "done",
) -> None:
    """Record what became of a scan. `previous_hash` is that of the scan concluded before it."""
    row = (
        scan.scan_seq,
        status,
        outcome.outcome,
        outcome.reason,
        outcome.message,
        event_seq,
        scan.received_at,
    )
    conn.execute(
        "INSERT INTO scan_outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [*row, outcome_hash(previous_hash, scan.row_hash, row)],
    )
