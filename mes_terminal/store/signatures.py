"""Where a hash of the log stands: what a signature signs."""

from mes_terminal.store.database import Connection


def event_of_hash(conn: Connection, digest: str) -> tuple[int, str, bool] | None:
    """Return (sequence, type, whether it goes upstream) of the event that has this hash, looked
    for from the newest back."""
    row = conn.execute(
        "SELECT event_seq, type, outbox_seq IS NOT NULL FROM event WHERE hash = ? "
        "ORDER BY event_seq DESC LIMIT 1",
        [digest],
    ).fetchone()
    return (row[0], row[1], bool(row[2])) if row else None
