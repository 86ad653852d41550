"""The clock's last true reading, and whether it is in doubt (BF-33)."""

from mes_terminal.store.database import Connection


def last_reading(conn: Connection) -> str | None:
    """Return when the newest scan reached the station, by the clock then."""
    row = conn.execute(
        "SELECT received_at FROM scan_journal ORDER BY scan_seq DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def in_doubt(conn: Connection) -> bool:
    """Tell whether a step back waits for a supervisor."""
    return bool(conn.execute("SELECT clock_in_doubt FROM station_state").fetchone()[0])


def set_in_doubt(conn: Connection, *, in_doubt: bool) -> None:
    """Set or clear the doubt."""
    conn.execute("UPDATE station_state SET clock_in_doubt = ?", [int(in_doubt)])
