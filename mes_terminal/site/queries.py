"""What people and programs ask the site: stock, orders, stations, conflicts, exceptions.

Each is one list over all stations, its rows as JSON values in a stated order: quantities decimal
texts, instants in UTC, `None` for absent. Called by the command line and the doors.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from psycopg.rows import dict_row

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.site.arrivals import spans_of
from mes_terminal.site.conflicts import station_of
from mes_terminal.site.database import Connection
from mes_terminal.site.stations import GAPS_TOLD_MAX, stand_of

Row = dict[str, Any]

ROWS_MAX: Final = 100_000
"""Rows of one list: more is for SQL."""

_STOCK: Final = """
    SELECT m.item, nullif(m.lot, '') AS lot, nullif(m.serial, '') AS serial, b.location,
           b.quantity_micro, i.uom
      FROM balance b JOIN material m USING (material_id) JOIN item i USING (item)
     WHERE b.quantity_micro <> 0
       AND (%(item)s::text IS NULL OR m.item = %(item)s)
       AND (%(lot)s::text IS NULL OR m.lot = %(lot)s)
       AND (%(location)s::text IS NULL OR b.location = %(location)s)
     ORDER BY m.item COLLATE "C", m.lot COLLATE "C", m.serial COLLATE "C", b.location COLLATE "C"
     LIMIT %(limit)s
"""
_ORDERS: Final = """
    SELECT w.work_order, w.item, w.quantity_micro, w.due_at,
           coalesce(sum(p.good_micro), 0)::bigint AS completed_micro,
           coalesce(sum(p.scrapped_micro), 0)::bigint AS scrapped_micro,
           CASE WHEN w.barred_as IS NOT NULL THEN w.barred_as
                WHEN w.finals > 0 THEN 'closed'
                WHEN count(p.epoch_id) > 0 THEN 'started'
                ELSE w.planned_status END AS status,
           w.barred_since AS closed_at, w.barred_by AS closed_by,
           coalesce(array_agg(DISTINCT s.source) FILTER (WHERE s.source IS NOT NULL), '{}')
               AS stations
      FROM work_order w
      LEFT JOIN order_part p USING (work_order)
      LEFT JOIN epoch e USING (epoch_id)
      LEFT JOIN source s USING (source_id)
     WHERE (%(work_order)s::text IS NULL OR w.work_order = %(work_order)s)
       AND (%(item)s::text IS NULL OR w.item = %(item)s)
     GROUP BY w.work_order
     ORDER BY w.work_order COLLATE "C"
     LIMIT %(limit)s
"""
_STATIONS: Final = """
    SELECT s.source, s.epoch, s.software, s.last_seen_at, s.last_sequence, e.first_sequence,
           e.received, e.head_sequence, e.head_hash,
           EXISTS (SELECT 1 FROM epoch o
                    WHERE o.source_id = e.source_id AND o.epoch_id < e.epoch_id) AS is_later,
           (SELECT count(*) FROM posting p JOIN epoch o USING (epoch_id)
             WHERE o.source_id = s.source_id AND p.outcome = 'refused' AND NOT p.is_final)
               AS refused,
           (SELECT count(*) FROM station_exception x
             WHERE x.source_id = s.source_id AND x.is_open) AS exceptions,
           (SELECT max(p.last_seen_at) FROM person_seen p WHERE p.source_id = s.source_id)
               AS person_seen_at,
           coalesce(c.version, 0) AS confirmed_version, c.confirmed_at
      FROM source s
      LEFT JOIN epoch e ON e.source_id = s.source_id AND e.epoch = s.epoch
      LEFT JOIN down_confirmed c USING (source)
     ORDER BY s.source COLLATE "C"
     LIMIT %(limit)s
"""
_CONFLICTS: Final = """
    SELECT conflict_id AS id, kind, state, opened_at, ended_at, ended_by, end_reason, sentence,
           work_order, item, lot, serial, quantity_micro, stations, postings
      FROM conflict
     WHERE NOT %(open)s::boolean OR state = 'open'
     ORDER BY conflict_id
     LIMIT %(limit)s
"""
_EXCEPTIONS: Final = """
    SELECT x.station_exception_id AS number, s.source, x.exception_id AS id, x.kind,
           x.work_order, x.line, x.item, x.lot,
           x.open_micro AS quantity_micro, x.opened_at, x.about AS cause,
           CASE WHEN x.is_open THEN 'open' ELSE 'resolved' END AS status, x.ended_at
      FROM station_exception x JOIN source s USING (source_id)
     WHERE (NOT %(open)s::boolean OR x.is_open) AND x.station_exception_id > %(after)s
     ORDER BY x.station_exception_id
     LIMIT %(limit)s
"""
_REFUSED: Final = """
    SELECT s.source, e.epoch, p.sequence, p.type, p.work_order, p.event_time, p.reason, p.sentence
      FROM posting p JOIN epoch e USING (epoch_id) JOIN source s ON s.source_id = p.source_id
     WHERE p.outcome = 'refused' AND NOT p.is_final
     ORDER BY p.posting_id
     LIMIT %(limit)s
"""


def stock(
    conn: Connection,
    *,
    item: str | None = None,
    lot: str | None = None,
    location: str | None = None,
) -> list[Row]:
    """Return what lies where, by item, lot, serial and location; zeros left out."""
    return _rows(conn, _STOCK, {"item": item, "lot": lot, "location": location})


def orders(
    conn: Connection, *, work_order: str | None = None, item: str | None = None
) -> list[Row]:
    """Return orders by number, with what all stations together reported."""
    found = _rows(conn, _ORDERS, {"work_order": work_order, "item": item}, keep_micro=True)
    for row in found:
        ordered, done = row.pop("quantity_micro"), row.pop("completed_micro")
        scrapped = row.pop("scrapped_micro")
        row["stations"] = sorted(map(station_of, row["stations"]))
        row["quantity"] = None if ordered is None else format_quantity(ordered)
        row["completed"] = format_quantity(done)
        row["scrapped"] = format_quantity(scrapped)
        row["remaining"] = None if ordered is None else format_quantity(max(0, ordered - done))
    return found


def stations(conn: Connection) -> list[Row]:
    """Return the stations, with what of their outbox is here and what is missing."""
    found = []
    for row in _rows(conn, _STATIONS, {}):
        spans = spans_of(row.pop("received") or ())
        stand = stand_of(row.pop("first_sequence"), spans, is_later=bool(row.pop("is_later")))
        last = row["last_sequence"]
        missing = [list(each) for each in stand.missing[:GAPS_TOLD_MAX]]
        found.append(
            {"station": station_of(row["source"])}
            | row
            | {
                "watermark": stand.watermark,
                "highest": stand.highest,
                "missing": missing,
                "behind": None if last is None else max(0, last - stand.watermark),
            }
        )
    return found


def conflicts(conn: Connection, *, only_open: bool = True) -> list[Row]:
    """Return what no station alone can see, by number."""
    return _rows(conn, _CONFLICTS, {"open": only_open})


def exceptions(
    conn: Connection, *, only_open: bool = True, after: int = 0, limit: int = ROWS_MAX
) -> list[Row]:
    """Return the exceptions of all stations in the order in which they came here: at most `limit`,
    those after the `number` of another one."""
    values = {"open": only_open, "after": after, "limit": min(limit, ROWS_MAX)}
    return [
        {"station": station_of(row["source"])} | row for row in _rows(conn, _EXCEPTIONS, values)
    ]


def refused(conn: Connection) -> list[Row]:
    """Return the postings that stand refused, and why."""
    return _rows(conn, _REFUSED, {})


def _rows(
    conn: Connection, statement: str, values: Mapping[str, Any], *, keep_micro: bool = False
) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(statement, {"limit": ROWS_MAX, **values}).fetchall()
    return [_told(row, keep_micro=keep_micro) for row in found]


def _told(row: Row, *, keep_micro: bool) -> Row:
    told: Row = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            told[name] = instant(value)
        elif name == "quantity_micro" and not keep_micro:
            told["quantity"] = None if value is None else format_quantity(value)
        else:
            told[name] = value
    return told


def instant(value: datetime) -> str:
    """Return an instant of the database (its sessions are in UTC) as the program writes it."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
