"""Where a hash of the log stands: what a signature signs."""

from mes_terminal.store.database import Connection


def event_of_hash(conn: Connection, digest: str) -> tuple[int, str] | None:
    """Return (sequence, type) of the event that has this hash, looked for from the newest back."""
    row = conn.execute(
        "SELECT event_seq, type FROM event WHERE hash = ? ORDER BY event_seq DESC LIMIT 1",
        [digest],
    ).fetchone()
    return (row[0], row[1]) if row else None
