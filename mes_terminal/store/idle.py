"""Who is signed in at the station, and when they scanned last by the clock."""

from mes_terminal.domain.session import Person
from mes_terminal.store.database import Connection


def signed_in(conn: Connection) -> Person | None:
    """Return who is signed in."""
    row = conn.execute(
        """
        SELECT o.badge, o.name, o.role, o.language
          FROM station_state s JOIN operator o ON o.badge = s.badge
        """
    ).fetchone()
    return Person(*row) if row else None


def last_use(conn: Connection) -> str | None:
    """Return the clock's reading at the newest scan of who is signed in; none while nobody is, so
    that nothing is looked for. A scan under a badge of its own (`--as`) is somebody's else."""
    row = conn.execute(
        """
        SELECT j.received_at FROM station_state s JOIN scan_journal j ON j.badge IS NULL
         WHERE s.badge IS NOT NULL ORDER BY j.scan_seq DESC LIMIT 1
        """
    ).fetchone()
    return row[0] if row else None


def sign_out(conn: Connection) -> None:
    """Let nobody be signed in."""
    conn.execute("UPDATE station_state SET badge = NULL, signed_in_at = NULL")
