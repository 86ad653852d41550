"""The journal: every scan before it is read, and what became of it (BF-13). Insert-only."""

from collections.abc import Sequence
from typing import Any

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.posting import scan_bytes, sha256
from mes_terminal.domain.scan import CODE_MAX_BYTES, Scan, ScanRequest
from mes_terminal.store.database import Connection


def insert_scans(
    conn: Connection, requests: Sequence[ScanRequest], ids: Sequence[str], *, received_at: str
) -> list[Scan]:
    """Journal scans in order; a code that is too long keeps its first bytes."""
    return [
        Scan(
            scan_seq=_insert(conn, request, scan_id, received_at),
            scan_id=scan_id,
            raw=request.raw[:CODE_MAX_BYTES],
            truncated=len(request.raw) > CODE_MAX_BYTES,
            device=request.device,
            received_at=received_at,
            event_time=request.event_time or received_at,
            badge=request.badge,
            fault=request.fault,
            fault_key=request.fault_key,
        )
        for request, scan_id in zip(requests, ids, strict=True)
    ]


def _insert(conn: Connection, request: ScanRequest, scan_id: str, received_at: str) -> int:
    cursor = conn.execute(
        """
        INSERT INTO scan_journal
               (scan_id, received_at, event_time, device, badge, raw, truncated, fault, fault_key)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            scan_id,
            received_at,
            None if request.event_time == received_at else request.event_time,
            request.device,
            request.badge,
            request.raw[:CODE_MAX_BYTES],
            int(len(request.raw) > CODE_MAX_BYTES),
            request.fault,
            request.fault_key,
        ],
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def waiting(conn: Connection, *, now: str) -> list[Scan]:
    """Return the scans that have no outcome yet: those after the last one that has."""
    rows = conn.execute(
        """
        SELECT scan_seq, scan_id, received_at, event_time, device, badge, raw, truncated,
               fault, fault_key
          FROM scan_journal
         WHERE scan_seq > (SELECT coalesce(max(scan_seq), 0) FROM scan_outcome)
         ORDER BY scan_seq
        """
    )
    return [
        Scan(
            scan_seq=seq,
            scan_id=scan_id,
            raw=raw,
            truncated=bool(truncated),
            device=device,
            received_at=received_at,
            event_time=event_time or received_at,
            badge=badge,
            fault=fault,
            fault_key=fault_key,
            recovered_at=now,
        )
        for (
            seq,
            scan_id,
            received_at,
            event_time,
            device,
            badge,
            raw,
            truncated,
            fault,
            fault_key,
        ) in rows
    ]


def conclude(
    conn: Connection, scan: Scan, outcome: Outcome, event_seq: int | None, *, status: str = "done"
) -> None:
    """Record what became of a scan."""
    conn.execute(
        "INSERT INTO scan_outcome VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            scan.scan_seq,
            status,
            outcome.outcome,
            outcome.reason,
            outcome.message,
            event_seq,
            scan.received_at,
        ],
    )


def scan_hash(scan: Scan) -> str:
    """Return the SHA-256 of the scan's journal row, which its events carry."""
    return sha256(scan_bytes(_row(scan)))


def _row(scan: Scan) -> tuple[Any, ...]:
    given = scan.event_time if scan.event_time != scan.received_at else None
    return (
        scan.scan_seq,
        scan.scan_id,
        scan.received_at,
        given,
        scan.device,
        scan.badge,
        scan.raw,
        int(scan.truncated),
        scan.fault,
        scan.fault_key,
    )
