"""The station's epochs, and the mark of where the database was opened last (UP-1).

Every function that writes runs inside the caller's transaction.
"""

from typing import Final

from msgspec import Struct

from mes_terminal.store.database import Connection

HOME: Final = "home"
"""Key of `meta`: the mark of the place where the database was opened last."""
BACKUP: Final = "backup"
"""Key of `meta` of a backup: when it was made. Who opens it for writing begins an epoch."""


class Epoch(Struct, frozen=True):
    """The id under which postings are numbered, from `first_sequence` on."""

    epoch: str
    first_sequence: int
    began_at: str
    why: str


class Position(Struct, frozen=True):
    """How far the log is: its newest entry and that one's hash."""

    event_seq: int
    hash: str


def read_current(conn: Connection) -> Epoch:
    """Return the epoch of what is posted now."""
    row = conn.execute(
        "SELECT epoch, first_sequence, began_at, why FROM epoch ORDER BY epoch_seq DESC LIMIT 1"
    ).fetchone()
    return Epoch(*row)


def next_sequence(conn: Connection) -> int:
    """Return the sequence of the next posting."""
    found: int = conn.execute("SELECT coalesce(max(outbox_seq), 0) + 1 FROM event").fetchone()[0]
    return found


def insert_epoch(conn: Connection, begun: Epoch) -> None:
    """Let what is posted from now on carry another epoch."""
    conn.execute(
        "INSERT INTO epoch (epoch, first_sequence, began_at, why) VALUES (?, ?, ?, ?)",
        [begun.epoch, begun.first_sequence, begun.began_at, begun.why],
    )
    conn.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", [begun.epoch])


def read_meta(conn: Connection, key: str) -> str | None:
    """Return a value of `meta`; `None` where it has none."""
    row = conn.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
    return row[0] if row else None


def write_meta(conn: Connection, key: str, value: str | None) -> None:
    """Set a value of `meta`; `None` takes it away."""
    if value is None:
        conn.execute("DELETE FROM meta WHERE key = ?", [key])
    else:
        conn.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", [key, value])


def read_position(conn: Connection) -> Position:
    """Return how far the log is; 0 of an empty one."""
    row = conn.execute(
        "SELECT event_seq, hash FROM event ORDER BY event_seq DESC LIMIT 1"
    ).fetchone()
    return Position(*row) if row else Position(0, "")


def holds(conn: Connection, position: Position) -> bool:
    """Tell whether the log has come to that position, and by the same entries."""
    if position.event_seq == 0:
        return True
    row = conn.execute(
        "SELECT hash FROM event WHERE event_seq = ?", [position.event_seq]
    ).fetchone()
    return row is not None and row[0] == position.hash
