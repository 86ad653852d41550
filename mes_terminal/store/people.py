"""People and their PINs: who may work here, and what proves it.

Called by `usecases.people` and `usecases.authenticate`, inside their transactions.
"""

from msgspec import Struct

from mes_terminal.store.database import Connection

PEOPLE = """
    SELECT o.badge, o.name, o.role, o.language, p.badge IS NOT NULL, p.locked_until, o.disabled_at
      FROM operator o LEFT JOIN operator_pin p USING (badge)
     ORDER BY o.badge
"""


class Known(Struct, frozen=True):
    """A person as the station knows them, disabled or not."""

    badge: str
    name: str
    role: str
    disabled_at: str | None
    pin_hash: str | None
    wrong: int
    """Wrong tries of the PIN since the last right one."""
    locked_until: str | None


def read_known(conn: Connection, badge: str) -> Known | None:
    """Return the person of a badge, disabled or not."""
    row = conn.execute(
        """
        SELECT o.badge, o.name, o.role, o.disabled_at, p.pin_hash, coalesce(p.wrong, 0),
               p.locked_until
          FROM operator o LEFT JOIN operator_pin p USING (badge)
         WHERE o.badge = ?
        """,
        [badge],
    ).fetchone()
    return Known(*row) if row else None


def supervisors_with_pin(conn: Connection) -> list[str]:
    """Return the badges of the supervisors who can prove who they are."""
    rows = conn.execute(
        """
        SELECT o.badge FROM operator o JOIN operator_pin p USING (badge)
         WHERE o.role = 'supervisor' AND o.disabled_at IS NULL ORDER BY o.badge
        """
    )
    return [row[0] for row in rows]


def has_pin(conn: Connection, badge: str) -> bool:
    """Tell whether a person can prove who they are."""
    row = conn.execute("SELECT EXISTS (SELECT 1 FROM operator_pin WHERE badge = ?)", [badge])
    return bool(row.fetchone()[0])


def note_try(conn: Connection, badge: str, wrong: int, locked_until: str | None) -> None:
    """Note how many tries of a PIN were wrong in a row, and until when it is locked."""
    conn.execute(
        "UPDATE operator_pin SET wrong = ?, locked_until = ? WHERE badge = ?",
        [wrong, locked_until, badge],
    )


def note_seen(conn: Connection, badge: str, *, at: str) -> None:
    """Note that a person was here."""
    conn.execute("UPDATE operator SET seen_at = ? WHERE badge = ?", [at, badge])


def set_pin(conn: Connection, badge: str, pin_hash: str, *, at: str) -> None:
    """Keep the hash of a new PIN; wrong tries of the old one are forgotten."""
    conn.execute(
        """
        INSERT INTO operator_pin (badge, pin_hash, set_at) VALUES (?, ?, ?)
        ON CONFLICT (badge) DO UPDATE SET pin_hash = excluded.pin_hash, set_at = excluded.set_at,
            wrong = 0, locked_until = NULL
        """,
        [badge, pin_hash, at],
    )


def put_person(conn: Connection, badge: str, *, name: str, role: str, language: str | None) -> None:
    """Add a person, or let one come back."""
    conn.execute(
        """
        INSERT INTO operator (badge, name, role, language) VALUES (?, ?, ?, ?)
        ON CONFLICT (badge) DO UPDATE SET name = excluded.name, role = excluded.role,
            language = excluded.language, disabled_at = NULL
        """,
        [badge, name, role, language],
    )


def disable(conn: Connection, badge: str, *, at: str) -> None:
    """Disable a person: the badge opens nothing, is signed out, and has no PIN any more."""
    conn.execute("UPDATE operator SET disabled_at = ? WHERE badge = ?", [at, badge])
    conn.execute("DELETE FROM operator_pin WHERE badge = ?", [badge])
    conn.execute(
        "UPDATE station_state SET badge = NULL, signed_in_at = NULL WHERE badge = ?", [badge]
    )
