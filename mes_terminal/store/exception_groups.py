"""The exceptions as the supervisor's desk reads them: counted by kind, and a kind's in pages.

The oldest first, by when they were opened. Counting reads an index and no row; a page begins where
the one before ended. Called by `usecases.exception_groups`.
"""

from typing import Final

from mes_terminal.store.database import Database
from mes_terminal.store.lists import SUGGESTED

_GROUPS: Final = """
SELECT exception.kind, count(*), min(exception.opened_at),
       max(exception.severity = 'stop'), max(exception.severity = 'warn')
FROM exception {joined}
WHERE {which}
GROUP BY exception.kind
"""
_NAMED: Final = """
LEFT JOIN work_order ON work_order.work_order_id = exception.work_order_id
LEFT JOIN item ON item.item_id = exception.item_id
LEFT JOIN lot ON lot.lot_id = exception.lot_id"""
_OPEN: Final = "exception.status = 'open'"
_FOUND: Final = """(instr(upper(work_order.work_order), :text) > 0
       OR instr(upper(item.item), :text) > 0 OR instr(upper(lot.lot), :text) > 0
       OR instr(upper(exception.cause), :text) > 0)"""

GROUPS: Final = {
    (is_open, found): _GROUPS.format(
        joined=_NAMED if found else "",
        which=" AND ".join([_OPEN if is_open else "1", *([_FOUND] if found else [])]),
    )
    for is_open in (True, False)
    for found in (True, False)
}
"""By whether only open ones count, and whether a text is looked for."""

_ROWS: Final = f"""
SELECT exception.exception_id, exception.kind, exception.status, exception.severity,
       work_order.work_order, order_line.line, item.item, lot.lot, exception.quantity_micro,
       item.uom, item.tracking, location.location, exception.opened_at,
       coalesce(operator.name, event.person), exception.cause, exception.resolution,
{SUGGESTED}
FROM exception {_NAMED}
LEFT JOIN order_line ON order_line.line_id = exception.line_id
LEFT JOIN location ON location.location_id = order_line.location_id
LEFT JOIN event ON event.event_seq = exception.opened_event_seq
LEFT JOIN operator ON operator.badge = event.person
WHERE exception.kind = :kind AND {{which}}
  AND (exception.opened_at, exception.exception_id) > (:since_at, :since)
  AND (:text IS NULL OR {_FOUND})
ORDER BY exception.opened_at, exception.exception_id
"""  # noqa: S608

ROWS: Final = {is_open: _ROWS.format(which=_OPEN if is_open else "1") for is_open in (True, False)}
"""By whether only open ones are listed."""


def opened_at(database: Database, exception_id: int) -> str:
    """Return when an exception was opened; before all others if there is none of that id."""
    row = database.conn.execute(
        "SELECT opened_at FROM exception WHERE exception_id = ?", [exception_id]
    ).fetchone()
    return row[0] if row else ""
