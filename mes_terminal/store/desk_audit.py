"""The audit trail as the supervisor's desk looks through it. Called by `usecases.desk_audit`.

Always from the newest entry back, and no further than the caller says: a text that few entries have
would else be looked for through the whole log. What a text is looked for in: the type, who, why,
what it is about, what is told (without the envelope and its hashes), the code that was scanned.
"""

from typing import Any, Final

from mes_terminal.store.database import Database
from mes_terminal.store.desk_outbox import NAMES

ENTRIES: Final = f"""
SELECT event.event_seq, event.type, event.event_time, event.recorded_at, event.person, person.name,
       event.second_person, second.name, event.reason, event.body
FROM event
LEFT JOIN operator AS person ON person.badge = event.person
LEFT JOIN operator AS second ON second.badge = event.second_person
LEFT JOIN scan_journal AS scan ON :text IS NOT NULL AND scan.scan_seq = event.scan_seq
WHERE event.event_seq BETWEEN :oldest AND :newest
  AND (:type IS NULL OR substr(event.type, 1, length(:type)) = :type)
  AND (:person IS NULL OR event.person = :person OR event.second_person = :person)
  AND (:from_at IS NULL OR event.recorded_at >= :from_at)
  AND (:until_at IS NULL OR event.recorded_at < :until_at)
  AND (:text IS NULL
       OR event.type LIKE :text ESCAPE '\\' OR event.person LIKE :text ESCAPE '\\'
       OR event.second_person LIKE :text ESCAPE '\\' OR event.reason LIKE :text ESCAPE '\\'
       OR person.name LIKE :text ESCAPE '\\' OR second.name LIKE :text ESCAPE '\\'
       OR {NAMES} LIKE :text ESCAPE '\\'
       OR substr(event.body, instr(event.body, '"data":') + 7) LIKE :text ESCAPE '\\'
       OR CAST(scan.raw AS TEXT) LIKE :text ESCAPE '\\'
       OR event.hash = :hash)
ORDER BY event.event_seq DESC
"""  # noqa: S608

_DOCUMENT: Final = """
SELECT event.event_seq, event.outbox_seq, event.hash, event.body,
       scan.scan_seq, scan.scan_id, scan.raw, scan.device, scan.received_at
FROM event
LEFT JOIN scan_journal AS scan ON scan.scan_seq = event.scan_seq
WHERE event.event_seq = ?
"""


def last_sequence(database: Database) -> int:
    """Return the sequence of the last entry: they have no gap."""
    row = database.conn.execute("SELECT max(event_seq) FROM event").fetchone()
    return row[0] or 0


def document(database: Database, sequence: int) -> tuple[Any, ...] | None:
    """Return an entry whole, with the scan that led to it."""
    row: tuple[Any, ...] | None = database.conn.execute(_DOCUMENT, [sequence]).fetchone()
    return row
