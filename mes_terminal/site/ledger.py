"""Write what a batch of postings did into the ledger of the site: one statement a table.

Every function runs inside the caller's transaction. Tables are written in one order, rows of a
table in the order of their keys: whoever waits holds nothing that the other one needs next.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from psycopg import Cursor

from mes_terminal.site.database import Connection
from mes_terminal.site.rows import ExceptionChange, MaterialKey, Rows

MaterialIds = dict[MaterialKey, int]

_KNOWN: Final = """
    SELECT m.item, m.lot, m.serial, m.work_order, m.material_id
      FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
           AS n(item, lot, serial, work_order)
      JOIN material m USING (item, lot, serial, work_order)
"""
_NEW: Final = """
    INSERT INTO material (item, lot, serial, work_order)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
           AS n(item, lot, serial, work_order)
     ORDER BY item, lot, serial, work_order
    ON CONFLICT (item, lot, serial, work_order) DO NOTHING
"""
_LOCK: Final = """
    SELECT material_id FROM material WHERE material_id = ANY(%s)
     ORDER BY material_id FOR NO KEY UPDATE
"""
_STATUS: Final = """
    UPDATE material m SET station_status = n.status, station_status_at = n.at
      FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS n(material_id, status, at)
     WHERE m.material_id = n.material_id
       AND (m.station_status_at IS NULL OR m.station_status_at <= n.at)
"""
_ITEMS: Final = """
    INSERT INTO item (item, uom)
    SELECT * FROM unnest(%s::text[], %s::text[]) AS n(item, uom) ORDER BY item
    ON CONFLICT (item) DO NOTHING
"""
_ORDERS: Final = """
    INSERT INTO work_order AS w (work_order, item, finals, last_at)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::int[], %s::timestamptz[])
           AS n(work_order, item, finals, last_at)
     ORDER BY work_order
    ON CONFLICT (work_order) DO UPDATE
       SET item = coalesce(w.item, excluded.item), finals = w.finals + excluded.finals,
           last_at = greatest(w.last_at, excluded.last_at)
"""
_PARTS: Final = """
    INSERT INTO order_part AS p (work_order, epoch_id, good_micro, scrapped_micro)
    SELECT * FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[])
           AS n(work_order, epoch_id, good_micro, scrapped_micro)
     ORDER BY work_order, epoch_id
    ON CONFLICT (work_order, epoch_id) DO UPDATE
       SET good_micro = p.good_micro + excluded.good_micro,
           scrapped_micro = p.scrapped_micro + excluded.scrapped_micro
"""
_MOVEMENTS: Final = """
    INSERT INTO movement (posting_id, line_no, material_id, location, quantity_micro, use,
                          order_line)
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::text[], %s::bigint[],
                         %s::text[], %s::text[])
"""
_BALANCES: Final = """
    INSERT INTO balance AS b (material_id, location, quantity_micro)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[])
           AS n(material_id, location, quantity_micro)
     ORDER BY material_id, location
    ON CONFLICT (material_id, location) DO UPDATE
       SET quantity_micro = b.quantity_micro + excluded.quantity_micro
"""
_WRITERS: Final = """
    INSERT INTO location_writer (location, source_id, first_posting_id)
    SELECT * FROM unnest(%s::text[], %s::int[], %s::bigint[])
           AS n(location, source_id, first_posting_id)
     ORDER BY location, source_id
    ON CONFLICT (location, source_id) DO NOTHING
    RETURNING location
"""
_UNITS: Final = """
    INSERT INTO unit_made AS u (material_id, epoch_id, work_order, made_micro, made_at, posting_id)
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::bigint[], %s::timestamptz[],
                         %s::bigint[])
           AS n(material_id, epoch_id, work_order, made_micro, made_at, posting_id)
     ORDER BY material_id, epoch_id
    ON CONFLICT (material_id, epoch_id) DO UPDATE
       SET made_micro = u.made_micro + excluded.made_micro, work_order = excluded.work_order,
           made_at = greatest(u.made_at, excluded.made_at), posting_id = excluded.posting_id
"""
_EDGES: Final = """
    INSERT INTO edge (child_id, parent_id, posting_id, order_line, quantity_micro, certainty)
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[],
                         %s::text[])
"""
_PEOPLE: Final = """
    INSERT INTO person_seen AS p (source_id, person, last_seen_at)
    SELECT * FROM unnest(%s::int[], %s::text[], %s::timestamptz[])
           AS n(source_id, person, last_seen_at)
     ORDER BY source_id, person
    ON CONFLICT (source_id, person) DO UPDATE
       SET last_seen_at = greatest(p.last_seen_at, excluded.last_seen_at)
"""
_EXCEPTION: Final = """
    INSERT INTO station_exception AS x (
        source_id, exception_id, kind, work_order, line, item, lot, about, open_micro, opened,
        ended, opened_at, ended_at)
    VALUES (%(source_id)s, %(exception_id)s, %(kind)s, %(work_order)s, %(line)s, %(item)s, %(lot)s,
            %(about)s, %(delta)s::bigint, %(opened)s::int, %(ended)s::int,
            CASE WHEN %(opened)s::int > 0 THEN %(at)s::timestamptz END,
            CASE WHEN %(ended)s::int > 0 THEN %(at)s::timestamptz END)
    ON CONFLICT (source_id, exception_id) WHERE exception_id IS NOT NULL DO UPDATE
       SET open_micro = coalesce(x.open_micro + excluded.open_micro, x.open_micro,
                                 excluded.open_micro),
           opened = x.opened + excluded.opened, ended = x.ended + excluded.ended,
           opened_at = least(x.opened_at, excluded.opened_at),
           ended_at = greatest(x.ended_at, excluded.ended_at),
           work_order = coalesce(x.work_order, excluded.work_order),
           line = coalesce(x.line, excluded.line), item = coalesce(x.item, excluded.item)
"""
# What a fact opened has no number yet: the oldest open one of the kind is the one that ends.
_NUMBER: Final = """
    UPDATE station_exception SET exception_id = %(exception_id)s
     WHERE station_exception_id = (
        SELECT station_exception_id FROM station_exception
         WHERE source_id = %(source_id)s AND kind = %(kind)s AND exception_id IS NULL AND is_open
           AND NOT EXISTS (
               SELECT 1 FROM station_exception k
                WHERE k.source_id = %(source_id)s AND k.exception_id = %(exception_id)s)
         ORDER BY station_exception_id LIMIT 1)
"""


def name_materials(conn: Connection, rows: Rows) -> MaterialIds:
    """Note the items of a batch and return the ids of its materials; those that are new are
    made."""
    _put(conn, _ITEMS, sorted(rows.uoms.items()))
    return material_ids(conn, rows.materials())


def write_rows(conn: Connection, rows: Rows, ids: MaterialIds) -> list[str]:
    """Write a batch and return the locations that have a new writer."""
    with conn.pipeline():
        _lock_tracked(conn, rows, ids)
        _put(conn, _STATUS, sorted((ids[key], *said) for key, said in rows.statuses.items()))
        _put(conn, _ORDERS, [
            (name, each.item, each.finals, each.last_at)
            for name, each in sorted(rows.orders.items())
        ])  # fmt: skip
        _put(conn, _PARTS, [(*key, *part) for key, part in sorted(rows.parts.items())])
        _put(conn, _BALANCES, sorted(
            (ids[key], location, micro) for (key, location), micro in rows.balances.items()
        ))  # fmt: skip
        writers = _ask_writers(conn, rows)
        _put(conn, _UNITS, sorted(
            (ids[key], epoch_id, each.work_order, each.made_micro, each.made_at, each.posting_id)
            for (key, epoch_id), each in rows.units.items()
        ))  # fmt: skip
        _put(conn, _MOVEMENTS, [
            (line.posting_id, line.line_no, ids[line.material], line.location, line.quantity_micro,
             line.use, line.order_line)
            for line in rows.movements
        ])  # fmt: skip
        _put(conn, _EDGES, [
            (ids[child], ids[parent], posting_id, line, micro, certainty)
            for (child, parent, posting_id, line), (micro, certainty) in rows.edges.items()
        ])  # fmt: skip
        _exceptions(conn, rows.exceptions)
        _put(conn, _PEOPLE, [(*key, at) for key, at in sorted(rows.people.items())])
    fresh = sorted({location for (location,) in writers}) if writers is not None else []
    for location in fresh:  # two new writers of one location see each other
        conn.execute("SELECT pg_advisory_xact_lock(1, hashtext(%s))", [location])
    return fresh


def material_ids(conn: Connection, keys: Collection[MaterialKey]) -> MaterialIds:
    """Return the ids of materials; those that are new are made."""
    if not keys:
        return {}
    found = _known(conn, keys)
    missing = [key for key in keys if key not in found]
    if missing:
        conn.execute(_NEW, _columns(missing))
        found |= _known(conn, missing)
    return found


def _known(conn: Connection, keys: Collection[MaterialKey]) -> MaterialIds:
    rows = conn.execute(_KNOWN, _columns(list(keys)))
    return {MaterialKey(*row[:4]): row[4] for row in rows}


def _lock_tracked(conn: Connection, rows: Rows, ids: MaterialIds) -> None:
    """Let two that touch the same lot follow one another: its total is seen by the second."""
    tracked = {key for key, _ in rows.balances if key.lot or key.serial}
    wanted = sorted({ids[key] for key in tracked | {key for key, _ in rows.units}})
    if wanted:
        conn.execute(_LOCK, [wanted])


def _ask_writers(conn: Connection, rows: Rows) -> Cursor[tuple[Any, ...]] | None:
    if not rows.writers:
        return None
    wanted = [(*key, posting_id) for key, posting_id in sorted(rows.writers.items())]
    return conn.execute(_WRITERS, _columns(wanted))


def _exceptions(conn: Connection, changes: Sequence[ExceptionChange]) -> None:
    if not changes:
        return
    values = [
        {
            "source_id": each.source_id, "exception_id": each.exception_id, "kind": each.kind,
            "work_order": each.work_order, "line": each.line, "item": each.item, "lot": each.lot,
            "about": each.about, "delta": each.delta_micro, "opened": each.opened,
            "ended": each.ended, "at": each.at,
        }
        for each in changes
    ]  # fmt: skip
    for each in values:  # in their order: what one opened, the next may end
        if each["ended"] and each["exception_id"] is not None:
            conn.execute(_NUMBER, each)
        conn.execute(_EXCEPTION, each)


def _put(conn: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        conn.execute(statement, _columns(rows))


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
