"""Whether the line stands, and what is called for: line stops and calls for material.

Working state: every row follows from the events it names. Called by `usecases.line_stop` and
`usecases.call_material`.
"""

from collections.abc import Collection
from json import dumps
from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.view import CallView, StopView
from mes_terminal.store.database import Connection

STOPS: Final = """
SELECT s.line_stop_id, s.reason, r.description, w.work_order, s.person, o.name, s.stopped_at,
       s.ended_at
  FROM line_stop s
  LEFT JOIN reason r ON r.code = s.reason AND r.kind = 'stop'
  LEFT JOIN work_order w USING (work_order_id)
  LEFT JOIN operator o ON o.badge = s.person
 WHERE (:after IS NULL OR s.line_stop_id < :after)
 ORDER BY s.line_stop_id DESC
"""
CALLS: Final = """
SELECT c.material_call_id, i.item, i.description, w.work_order, l.location, c.times, c.person,
       o.name, c.called_at, c.ended_at, c.ended_by
  FROM material_call c
  LEFT JOIN item i USING (item_id)
  LEFT JOIN work_order w USING (work_order_id)
  LEFT JOIN location l USING (location_id)
  LEFT JOIN operator o ON o.badge = c.person
 WHERE (:after IS NULL OR c.material_call_id < :after)
   AND (:open IS NULL OR c.ended_seq IS NULL)
 ORDER BY c.material_call_id DESC
"""


class LineStop(Struct, frozen=True):
    """A stop that lasts."""

    line_stop_id: int
    reason: str
    stopped_at: str
    stopped_seq: int


class Call(Struct, frozen=True):
    """A call for material that nobody has answered yet; without an item nothing is known of it."""

    material_call_id: int
    subject: str
    item: str | None
    work_order: str | None
    location: str | None
    times: int
    called_at: str


# What is open is found by its index and then put in order: the table keeps what has ended.
_CALL: Final = """
SELECT c.material_call_id, c.subject, i.item, w.work_order, l.location, c.times, c.called_at
  FROM material_call c
  LEFT JOIN item i USING (item_id)
  LEFT JOIN work_order w USING (work_order_id)
  LEFT JOIN location l USING (location_id)
"""


def read_stop(conn: Connection, line_stop_id: int) -> LineStop:
    """Return a stop."""
    row = conn.execute(
        "SELECT line_stop_id, reason, stopped_at, stopped_seq FROM line_stop"
        " WHERE line_stop_id = ?",
        [line_stop_id],
    ).fetchone()
    return LineStop(*row)


def begin_stop(
    conn: Connection,
    *,
    reason: str,
    work_order_id: int | None,
    person: str | None,
    at: str,
    event_seq: int,
) -> int:
    """Let the line stand; return the id of the stop. None may be open."""
    cursor = conn.execute(
        "INSERT INTO line_stop (reason, work_order_id, person, stopped_at, stopped_seq)"
        " VALUES (?, ?, ?, ?, ?)",
        [reason, work_order_id, person, at, event_seq],
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def end_stop(conn: Connection, line_stop_id: int, *, at: str, event_seq: int) -> None:
    """Let the line run again."""
    conn.execute(
        "UPDATE line_stop SET ended_at = ?, ended_seq = ? WHERE line_stop_id = ?",
        [at, event_seq, line_stop_id],
    )


def makes_the_line_run(conn: Connection, report_seq: int) -> bool:
    """Tell whether an event is a report of good units, at an operation or of the product."""
    row = conn.execute(
        """
        SELECT 1 FROM report
         WHERE report_seq = ? AND (kind = 'completion' AND good_micro > 0 OR kind = 'operation'
               AND EXISTS (SELECT 1 FROM json_each(passed) p WHERE p.value ->> 1 > 0))
        """,
        [report_seq],
    ).fetchone()
    return row is not None


def open_call(conn: Connection, subject: str) -> Call | None:
    """Return the open call about a subject."""
    row = conn.execute(
        f"{_CALL} WHERE c.subject = ? AND c.ended_seq IS NULL",
        [subject],
    ).fetchone()
    return Call(*row) if row else None


def read_call(conn: Connection, material_call_id: int) -> Call | None:
    """Return a call that is open; `None` if it is not."""
    row = conn.execute(
        f"{_CALL} WHERE c.material_call_id = ? AND c.ended_seq IS NULL",
        [material_call_id],
    ).fetchone()
    return Call(*row) if row else None


def open_calls(conn: Connection) -> list[Call]:
    """Return the open calls, the oldest first."""
    rows = conn.execute(f"{_CALL} WHERE c.ended_seq IS NULL ORDER BY +c.material_call_id")
    return [Call(*row) for row in rows]


def calls_met(conn: Connection, stock: Collection[tuple[int, int]]) -> list[Call]:
    """Return the open calls that stock answers (pairs of the ids of its lot and its location), the
    oldest first; one of no known item is answered by anything that comes to a place of the line."""
    rows = conn.execute(
        f"""
        {_CALL}
         WHERE c.ended_seq IS NULL AND EXISTS (
               SELECT 1 FROM json_each(:stock) p
                CROSS JOIN lot ON lot.lot_id = p.value ->> 0
                CROSS JOIN location at ON at.location_id = p.value ->> 1
                WHERE CASE WHEN c.item_id IS NULL THEN at.kind = 'line_side'
                           ELSE c.item_id = lot.item_id AND c.location_id = at.location_id END)
         ORDER BY +c.material_call_id
        """,  # noqa: S608
        {"stock": dumps(sorted(set(stock)))},
    )
    return [Call(*row) for row in rows]


def begin_call(
    conn: Connection,
    *,
    subject: str,
    item_id: int | None,
    work_order_id: int | None,
    location_id: int | None,
    person: str | None,
    at: str,
    event_seq: int,
) -> int:
    """Open a call; return its id. None of its subject may be open."""
    cursor = conn.execute(
        """
        INSERT INTO material_call
            (subject, item_id, work_order_id, location_id, person, called_at, called_seq)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        [subject, item_id, work_order_id, location_id, person, at, event_seq],
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def call_again(conn: Connection, material_call_id: int) -> None:
    """Count one more call."""
    conn.execute(
        "UPDATE material_call SET times = times + 1 WHERE material_call_id = ?", [material_call_id]
    )


def end_call(conn: Connection, material_call_id: int, *, by: str, at: str, event_seq: int) -> None:
    """End a call: what was called for has come, or a supervisor sees to it."""
    conn.execute(
        """
        UPDATE material_call SET ended_at = ?, ended_seq = ?, ended_by = ?
         WHERE material_call_id = ?
        """,
        [at, event_seq, by, material_call_id],
    )


def view_stop(conn: Connection, line_stop_id: int) -> StopView:
    """Return a stop as the screen shows it."""
    row: Any = conn.execute(
        """
        SELECT s.stopped_at, s.reason, r.description FROM line_stop s
          LEFT JOIN reason r ON r.code = s.reason AND r.kind = 'stop'
         WHERE line_stop_id = ?
        """,
        [line_stop_id],
    ).fetchone()
    return StopView(*row)


def view_calls(conn: Connection, *, limit: int) -> list[CallView]:
    """Return the open calls as the screen shows them, the oldest first."""
    rows = conn.execute(
        """
        SELECT i.item, w.work_order, c.times, c.called_at
          FROM material_call c LEFT JOIN item i USING (item_id)
          LEFT JOIN work_order w USING (work_order_id)
         WHERE c.ended_seq IS NULL ORDER BY +c.material_call_id LIMIT ?
        """,
        [limit],
    )
    return [CallView(*row) for row in rows]
