"""What a shift leaves behind, read from the station's tables, and the shifts that were signed off.

Read only when somebody ends a shift or looks at one. Called by `usecases.shift_end`.
"""

from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.shift_report import (
    ItemTotal,
    LeftContainer,
    OpenKind,
    OrderInProcess,
)
from mes_terminal.store.database import Connection

SHIFTS: Final = """
SELECT s.shift_end_id, s.production_day, s.shift, s.began_at, s.ended_at, s.person,
       coalesce(o.name, s.person), e.body ->> '$.data.station', e.body -> '$.data.detail',
       s.signature_seq,
       (SELECT hash FROM event WHERE event_seq = s.signature_seq)
  FROM shift_end s
  JOIN event e USING (event_seq)
  LEFT JOIN operator o ON o.badge = s.person
 WHERE (:after IS NULL OR s.shift_end_id < :after) AND (:id IS NULL OR s.shift_end_id = :id)
 ORDER BY s.shift_end_id DESC
"""
"""The newest first, with what their events say."""

_IN_PROCESS: Final = """
SELECT w.work_order, i.item, i.uom,
       (SELECT coalesce(sum(max(0, p.good_micro - n.good_micro - n.scrapped_micro)), 0)
          FROM order_operation p
          JOIN order_operation n ON n.work_order_id = p.work_order_id
                                AND n.position = p.position + 1
         WHERE p.work_order_id = w.work_order_id)
       + 1000000 * (SELECT count(DISTINCT coalesce(unit_id, 0)) FROM slot
                     WHERE slot.work_order_id = w.work_order_id AND slot.report_seq IS NULL)
       AS between_micro,
       max(0, w.quantity_micro - w.good_micro - iif(w.replace_scrap, 0, w.scrapped_micro))
  FROM work_order w JOIN item i USING (item_id)
 WHERE w.status IN ('released', 'started') AND (w.status = 'started' OR between_micro > 0)
 ORDER BY w.work_order
"""
_SET_ASIDE: Final = """
SELECT i.item, nullif(l.lot, ''), c.container, i.uom,
       (SELECT coalesce(sum(b.quantity_micro), 0) FROM balance b
         WHERE b.lot_id = s.lot_id AND b.location_id = s.location_id
           AND (s.container_id = 0 OR b.container_id = s.container_id)) AS left_micro
  FROM mount_span s
  JOIN item i USING (item_id)
  JOIN lot l USING (lot_id)
  LEFT JOIN container c ON c.container_id = s.container_id
 WHERE s.ended_by = 'aside' AND s.ended_seq > :since AND left_micro > 0
   AND NOT EXISTS (SELECT 1 FROM mount m
                    WHERE m.lot_id = s.lot_id AND m.container_id = s.container_id)
 GROUP BY s.lot_id, s.container_id, s.location_id
 ORDER BY i.item, l.lot, c.container LIMIT :most
"""
_ITEMS: Final = """
SELECT i.item, i.uom,
       sum(r.good_micro / 1000000), sum(r.good_micro % 1000000),
       sum(r.scrapped_micro / 1000000), sum(r.scrapped_micro % 1000000),
       count(*) FILTER (WHERE r.kind <> 'reversal'), count(*) FILTER (WHERE r.kind = 'reversal')
  FROM report r
  JOIN work_order w USING (work_order_id)
  JOIN item i USING (item_id)
 WHERE r.report_seq > :since
 GROUP BY i.item_id ORDER BY i.item
"""


class LastEnd(Struct, frozen=True):
    """The shift that was signed off last."""

    shift_end_id: int
    event_seq: int
    signature_seq: int
    production_day: str
    shift: str | None
    due_at: str | None
    ended_at: str
    name: str
    """Of who signed."""


def last_end(conn: Connection) -> LastEnd | None:
    """Return the shift that was signed off last."""
    row = conn.execute(
        """
        SELECT s.shift_end_id, s.event_seq, s.signature_seq, s.production_day, s.shift, s.due_at,
               s.ended_at, coalesce(o.name, s.person)
          FROM shift_end s LEFT JOIN operator o ON o.badge = s.person
         ORDER BY s.shift_end_id DESC LIMIT 1
        """
    ).fetchone()
    return LastEnd(*row) if row else None


def first_entry_at(conn: Connection) -> str | None:
    """Return when the first entry of the log was recorded."""
    row = conn.execute("SELECT recorded_at FROM event ORDER BY event_seq LIMIT 1").fetchone()
    return row[0] if row else None


def read_in_process(conn: Connection, *, limit: int) -> tuple[list[OrderInProcess], int]:
    """Return the orders that are begun and not closed, so many at most, and how many there are."""
    rows: Any = conn.execute(_IN_PROCESS).fetchall()
    orders = [
        OrderInProcess(number, item, format_quantity(units), format_quantity(remaining), uom)
        for number, item, uom, units, remaining in rows[:limit]
    ]
    return orders, len(rows)


def read_set_aside(conn: Connection, *, since_seq: int, limit: int) -> list[LeftContainer]:
    """Return what was set aside since an event and is not mounted again or used up."""
    rows: Any = conn.execute(_SET_ASIDE, {"since": since_seq, "most": limit})
    return [
        LeftContainer(None, item, lot, container, format_quantity(left), uom)
        for item, lot, container, uom, left in rows
    ]


def read_open_kinds(conn: Connection) -> list[OpenKind]:
    """Return how many exceptions of each kind are open, and how many are nobody's by name: who is
    disabled has nothing any more."""
    rows: Any = conn.execute(
        """
        SELECT kind, count(*), count(*) FILTER (
                   WHERE assigned IS NULL OR assigned IN (
                         SELECT badge FROM operator WHERE disabled_at IS NOT NULL))
          FROM exception WHERE status = 'open' GROUP BY kind ORDER BY kind
        """
    )
    return [OpenKind(*row) for row in rows]


def read_handed_over(conn: Connection, badge: str) -> list[tuple[str, int]]:
    """Return (kind, how many) of the open exceptions that are a person's by name."""
    return conn.execute(
        """
        SELECT kind, count(*) FROM exception INDEXED BY exception_owners
         WHERE assigned = ? AND status = 'open' GROUP BY kind ORDER BY kind
        """,
        [badge],
    ).fetchall()


def count_approvals(conn: Connection, *, at: str) -> int:
    """Return how many questions wait for a supervisor."""
    row = conn.execute(
        "SELECT count(*) FROM approval WHERE status = 'open' AND expires_at > ?", [at]
    ).fetchone()
    return int(row[0])


def item_totals(conn: Connection, *, since_seq: int) -> tuple[list[ItemTotal], int]:
    """Return what was reported since an event by item, and how many reports were taken back."""
    rows: Any = conn.execute(_ITEMS, {"since": since_seq}).fetchall()
    totals = [
        ItemTotal(
            item,
            uom,
            format_quantity(good * MICRO + good_rest),
            format_quantity(scrap * MICRO + scrap_rest),
            reports,
        )
        for item, uom, good, good_rest, scrap, scrap_rest, reports, _ in rows
    ]
    return totals, sum(row[-1] for row in rows)


def exceptions_since(conn: Connection, *, since_seq: int, since_at: str) -> tuple[int, int]:
    """Return how many exceptions were opened and how many ended since."""
    row = conn.execute(
        """
        SELECT (SELECT count(*) FROM exception WHERE opened_event_seq > :seq),
               (SELECT count(*) FROM exception WHERE ended_at > :at)
        """,
        {"seq": since_seq, "at": since_at},
    ).fetchone()
    return row[0], row[1]


def stops_since(conn: Connection, *, since_seq: int) -> list[tuple[str, str, str | None]]:
    """Return (reason, begin, end) of the stops that lasted into the time since an event."""
    return conn.execute(
        """
        SELECT reason, stopped_at, ended_at FROM line_stop
         WHERE ended_seq IS NULL OR ended_seq > ? ORDER BY line_stop_id
        """,
        [since_seq],
    ).fetchall()


def calls_since(conn: Connection, *, since_seq: int) -> int:
    """Return how many calls for material were opened since an event."""
    row = conn.execute(
        "SELECT count(*) FROM material_call WHERE called_seq > ?", [since_seq]
    ).fetchone()
    return int(row[0])


def write_end(
    conn: Connection,
    *,
    event_seq: int,
    signature_seq: int,
    production_day: str,
    shift: str | None,
    due_at: str | None,
    began_at: str,
    ended_at: str,
    person: str,
    handed_over_to: str | None,
) -> int:
    """Keep a shift that was signed off; return its id."""
    cursor = conn.execute(
        """
        INSERT INTO shift_end (event_seq, signature_seq, production_day, shift, due_at, began_at,
                               ended_at, person, handed_over_to)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [event_seq, signature_seq, production_day, shift, due_at, began_at, ended_at, person,
         handed_over_to],
    )  # fmt: skip
    assert cursor.lastrowid is not None
    return cursor.lastrowid
