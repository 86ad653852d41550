"""The outbox as the supervisor's desk pages through it. Called by `usecases.desk_outbox`.

What is not delivered comes the oldest first, as it is sent, from an index of its own; everything
the newest first, with what was delivered and pruned since (UP-5). A text is looked for in what a
posting is about, never in its document.
"""

from typing import Any, Final

from mes_terminal.store.database import Database
from mes_terminal.store.station_view import read_unsent

# The partition key and the subject stand next to each other in every document, before the time. A
# quotation mark inside a name is escaped there, so that none is taken for the end.
NAMES: Final = """substr(event.body, instr(event.body, '"partitionkey":"') + 15,
                 instr(event.body, '","time":"') - instr(event.body, '"partitionkey":"') - 15)"""

_ROWS: Final = f"""
SELECT {{sequence}}, event.type, coalesce(delivery.status, 'delivered'),
       coalesce(delivery.attempts, 1), event.recorded_at, delivery.delivered_at,
       delivery.last_error, event.body
FROM {{which}}
  AND (:status IS NULL OR coalesce(delivery.status, 'delivered') = :status)
  AND (:text IS NULL
       OR event.type LIKE :text ESCAPE '\\' OR delivery.last_error LIKE :text ESCAPE '\\'
       OR {NAMES} LIKE :text ESCAPE '\\')
"""  # noqa: S608
_OF_STATUS: Final = """
delivery CROSS JOIN event ON event.outbox_seq = delivery.outbox_seq
WHERE delivery.status = '{status}' AND delivery.status <> 'delivered' AND delivery.let_go = 0
  AND delivery.outbox_seq BETWEEN :first AND :last"""

OPEN: Final = (
    " UNION ALL ".join(
        _ROWS.format(sequence="delivery.outbox_seq", which=_OF_STATUS.format(status=status))
        for status in ("waiting", "refused", "parked")
    )
    + "ORDER BY 1"
)
"""Three walks of one index, merged."""
EVERY: Final = (
    _ROWS.format(
        sequence="event.outbox_seq",
        which="event LEFT JOIN delivery ON delivery.outbox_seq = event.outbox_seq "
        "WHERE event.outbox_seq BETWEEN :first AND :last",
    )
    + "ORDER BY event.outbox_seq DESC"
)


def totals(database: Database) -> tuple[int, int, int, str | None]:
    """Return how many are not delivered, how many of them refused and parked, and since when the
    oldest waits."""
    unsent, oldest_at = read_unsent(database.conn)
    refused, parked = database.conn.execute("SELECT refused, parked FROM upstream_state").fetchone()
    return unsent, refused, parked, oldest_at


def last_sequence(database: Database) -> int:
    """Return the sequence of the last posting: they have no gap."""
    row = database.conn.execute("SELECT max(outbox_seq) FROM event").fetchone()
    return row[0] or 0


def document(database: Database, sequence: int) -> tuple[Any, ...] | None:
    """Return the sequence and the document of a posting, the receiver's number for it, its last
    answer, the refused posting that it waits for, and whether it stays refused."""
    row: tuple[Any, ...] | None = database.conn.execute(
        """
        SELECT event.outbox_seq, event.body, delivery.document, delivery.answer, delivery.behind,
               delivery.let_go
          FROM event LEFT JOIN delivery ON delivery.outbox_seq = event.outbox_seq
         WHERE event.outbox_seq = ?
        """,
        [sequence],
    ).fetchone()
    return row
