"""The outbox as the supervisor's desk pages through it. Called by `usecases.desk_outbox`.

What is not delivered comes the oldest first, as it is sent, from an index of its own; everything
the newest first. A text is looked for in what a posting is about, never in its document.
"""

from typing import Any, Final

from mes_terminal.store.database import Database

# The partition key and the subject stand next to each other in every document, before the time. A
# quotation mark inside a name is escaped there, so that none is taken for the end.
NAMES: Final = """substr(event.body, instr(event.body, '"partitionkey":"') + 15,
                 instr(event.body, '","time":"') - instr(event.body, '"partitionkey":"') - 15)"""

_ROWS: Final = f"""
SELECT event.outbox_seq, event.type, delivery.status, delivery.attempts, event.recorded_at,
       delivery.delivered_at, delivery.last_error, event.body
FROM delivery CROSS JOIN event ON event.outbox_seq = delivery.outbox_seq
WHERE {{which}}
  AND (:status IS NULL OR delivery.status = :status)
  AND (:text IS NULL
       OR event.type LIKE :text ESCAPE '\\' OR delivery.last_error LIKE :text ESCAPE '\\'
       OR {NAMES} LIKE :text ESCAPE '\\')
ORDER BY delivery.outbox_seq {{way}}
"""  # noqa: S608

OPEN: Final = _ROWS.format(
    which="delivery.status <> 'delivered' AND delivery.outbox_seq BETWEEN :first AND :last", way=""
)
EVERY: Final = _ROWS.format(which="delivery.outbox_seq BETWEEN :first AND :last", way="DESC")

_TOTALS: Final = """
SELECT count(*), coalesce(sum(status = 'refused'), 0), coalesce(sum(status = 'parked'), 0),
       (SELECT event.recorded_at FROM event WHERE event.outbox_seq = (
            SELECT min(outbox_seq) FROM delivery WHERE status <> 'delivered'))
FROM delivery WHERE status <> 'delivered'
"""


def totals(database: Database) -> tuple[int, int, int, str | None]:
    """Return how many are not delivered, how many of them refused and parked, and since when the
    oldest waits."""
    count, refused, parked, oldest_at = database.conn.execute(_TOTALS).fetchone()
    return count, refused, parked, oldest_at


def last_sequence(database: Database) -> int:
    """Return the sequence of the last posting: they have no gap."""
    row = database.conn.execute("SELECT max(outbox_seq) FROM delivery").fetchone()
    return row[0] or 0


def document(database: Database, sequence: int) -> tuple[Any, ...] | None:
    """Return the sequence and the document of a posting."""
    row: tuple[Any, ...] | None = database.conn.execute(
        "SELECT outbox_seq, body FROM event WHERE outbox_seq = ?", [sequence]
    ).fetchone()
    return row
