"""Owed parts of reports, the stock that may be posted for them, and the rows that do it (BF-22).

Called by `usecases.heal` and `usecases.resolve_exceptions`, inside their transactions.
"""

from mes_terminal.domain.healing import Healing, OwedPart, Places, Unnamed
from mes_terminal.domain.order import Source
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store.balances import add_stock
from mes_terminal.store.database import Connection
from mes_terminal.store.expiry import shorten_healed
from mes_terminal.store.heal_queue import Queued
from mes_terminal.store.made import MADE, TOLD

# What was posted of a part since, written off, or taken back with a part of its report is taken off
# it; what an undone healing gave back is there again.
_SINCE = """
    SELECT h.event_seq FROM healing h WHERE h.report_seq = p.event_seq
     UNION ALL
    SELECT h.undone_seq FROM healing h WHERE h.report_seq = p.event_seq
     UNION ALL
    SELECT v.report_seq FROM report v WHERE v.reverses = p.event_seq
"""
_PARTS = """
    SELECT * FROM (
        SELECT x.exception_id, r.report_seq, j.scan_id, r.event_time, w.work_order,
               l.line_id, coalesce(l.first_line, l.line), l.erp_ref, l.location_id, o.location,
               l.location_rule,
               l.mount = 'required', l.mount_position,
               i.item_id, i.item, i.uom, i.tracking, product.inherit_expiry,
               (SELECT lot_id FROM lot WHERE item_id = i.item_id AND lot = '' AND serial = ''
                   AND work_order_id = 0),
               i.step_micro,
               p.quantity_micro - p.scrap_micro + coalesce((
                   SELECT sum(since.quantity_micro - since.scrap_micro)
                     FROM exception_item since
                    WHERE since.exception_id = x.exception_id AND since.event_seq IN ({since})
               ), 0) AS net_micro,
               p.scrap_micro + coalesce((
                   SELECT sum(since.scrap_micro) FROM exception_item since
                    WHERE since.exception_id = x.exception_id AND since.event_seq IN ({since})
               ), 0) AS scrap_micro
          FROM exception x
          CROSS JOIN order_line l ON l.line_id = x.line_id
          CROSS JOIN exception_item p ON p.exception_id = x.exception_id
          CROSS JOIN report r ON r.report_seq = p.event_seq AND r.kind <> 'reversal'
          CROSS JOIN scan_journal j ON j.scan_seq = r.scan_seq
          CROSS JOIN work_order w ON w.work_order_id = r.work_order_id
          CROSS JOIN item product ON product.item_id = w.item_id
          CROSS JOIN item i ON i.item_id = x.item_id
          CROSS JOIN location o ON o.location_id = l.location_id
         WHERE x.status = 'open'
           AND {picked}
    )
     WHERE net_micro > 0 OR scrap_micro > 0
     ORDER BY report_seq, exception_id LIMIT :limit
"""
_WAITING = _PARTS.format(
    since=_SINCE,
    picked="""x.kind = 'shortage' AND x.item_id = :item_id AND l.location_id = :location_id
           AND (p.event_seq > :report_seq
                OR (p.event_seq = :report_seq AND p.exception_id > :exception_id))
           AND i.tracking <> 'serial' AND o.kind <> 'hold' AND o.kind <> 'scrap'""",
)
# A slot that was filled in rework belongs to the report that made its unit (BF-18).
_FILLED = """
     UNION ALL
    SELECT f.event_seq FROM exception_item f
      CROSS JOIN report late ON late.report_seq = f.event_seq AND late.kind = 'exchange'
     WHERE f.exception_id = x.exception_id
       AND EXISTS (SELECT 1 FROM movement m
                    WHERE m.movement_seq >= r.movement_first
                      AND m.movement_seq < r.movement_first + r.movement_count
                      AND m.kind = 'production' AND m.lot_id = late.lot_id)
"""
_OF_EXCEPTION = _PARTS.format(
    since=_SINCE + _FILLED,
    picked="x.exception_id = :exception_id AND x.kind IN ('shortage', 'component_serial')",
)

# Held lots count for reports before the hold. What was mounted then was there, whenever the books
# had it arrive, first that of the line's own position; of the rest only what had arrived, and
# whatever is untracked. A line that is bound to its position has nothing else.
_SOURCES = """
    WITH there AS (
        SELECT * FROM balance
         WHERE item_id = :item_id AND location_id = :location_id AND pickable = 1
         UNION ALL
        SELECT b.* FROM held_lot h CROSS JOIN balance b ON b.lot_id = h.lot_id
         WHERE h.item_id = :item_id AND h.since_seq > :report_seq
           AND b.location_id = :location_id AND b.quantity_micro > 0
    ), judged AS (
        SELECT *,
               (SELECT max(1 + (s.position = :position)) FROM mount_span s
                 WHERE s.lot_id = there.lot_id AND s.location_id = there.location_id
                   AND s.container_id IN (0, there.container_id)
                   AND s.mounted_at <= :reported_at AND s.mounted_seq < :report_seq
                   AND (s.ended_seq IS NULL OR s.ended_seq > :report_seq
                        OR s.ended_at >= :reported_at)) AS was_mounted,
               (SELECT max(1 + (m.position = :position)) FROM mount m
                 WHERE m.lot_id = there.lot_id AND m.location_id = there.location_id
                   AND m.container_id IN (0, there.container_id)) AS is_mounted
          FROM there
    )
    SELECT balance_id, lot_id, container_id, lot, expires_on, quantity_micro
      FROM judged
     WHERE CASE WHEN :tracked
           THEN expires_on >= :reported_day
                AND (was_mounted >= :mounted_least
                     OR (arrived_at <= :reported_at AND :mounted_least = 0))
           ELSE :mounted_least = 0 OR max(coalesce(was_mounted, 0), coalesce(is_mounted, 0))
                >= :mounted_least END
     ORDER BY coalesce(was_mounted, 0) DESC, expires_on, received_at, lot, container_id
"""
_MOUNTED_ANYWHERE, _MOUNTED_IN_POSITION = 1, 2
"""What was mounted, by how much that says."""

# The products that still have something from the item's nameless lot by this report and line.
_UNNAMED = f"""
    WITH {MADE}, {TOLD}
    SELECT e.child_id, l.item_id, sum(e.quantity_micro) AS left_micro
      FROM made CROSS JOIN told
      JOIN edge e ON e.child_id = made.lot_id AND e.parent_id = :nameless_lot_id
                 AND e.report_seq = told.seq AND e.line_id = :line_id
      JOIN lot l ON l.lot_id = e.child_id
     GROUP BY e.child_id HAVING left_micro > 0
     ORDER BY e.child_id
"""  # noqa: S608

_SOLE = """
    SELECT u.sole_lot_id FROM item_location u
     WHERE u.item_id = :item_id AND u.location_id = :location_id
       AND NOT EXISTS (SELECT 1 FROM lot n CROSS JOIN balance b ON b.lot_id = n.lot_id
                        WHERE n.item_id = :item_id AND n.lot_id <> u.sole_lot_id
                          AND b.location_id = :location_id)
"""


def read_places(conn: Connection, scrap_location: str) -> Places:
    """Return where consumption and scrap go."""
    row = conn.execute(
        """
        SELECT (SELECT location_id FROM location WHERE location = '@production'), location_id
          FROM location WHERE location = ?
        """,
        [scrap_location],
    ).fetchone()
    return Places(row[0], row[1], scrap_location)


def owed_parts(conn: Connection, queued: Queued, *, limit: int) -> list[OwedPart]:
    """Return what is owed of the item there and was not tried yet, the oldest report first."""
    asked = {
        "item_id": queued.item_id,
        "location_id": queued.location_id,
        "report_seq": queued.report_seq,
        "exception_id": queued.exception_id,
        "limit": limit,
    }
    return _read_parts(conn, _WAITING, asked)


def parts_of(conn: Connection, exception_id: int, *, limit: int) -> list[OwedPart]:
    """Return what is open of an exception, the oldest report first."""
    return _read_parts(conn, _OF_EXCEPTION, {"exception_id": exception_id, "limit": limit})


def _read_parts(conn: Connection, statement: str, asked: dict[str, int]) -> list[OwedPart]:
    rows = conn.execute(statement, asked)
    names = OwedPart.__struct_fields__
    return [OwedPart(**dict(zip(names, row, strict=True))) for row in rows]


def sources_for(conn: Connection, part: OwedPart, *, reported_day: str) -> list[Source]:
    """Return what may be posted for a part, as it was when its report was made (BF-15, BF-16)."""
    rows = conn.execute(
        _SOURCES,
        {
            "item_id": part.item_id,
            "location_id": part.location_id,
            "report_seq": part.report_seq,
            "reported_at": part.reported_at,
            "reported_day": reported_day,
            "tracked": part.tracking != "none",
            "position": part.mount_position or part.item,
            "mounted_least": _mounted_least(part),
        },
    )
    return [Source(*row) for row in rows]


def _mounted_least(part: OwedPart) -> int:
    if not part.mount_required:
        return 0
    return _MOUNTED_ANYWHERE if part.mount_position is None else _MOUNTED_IN_POSITION


def sole_lot(conn: Connection, part: OwedPart) -> int | None:
    """Return the one lot of the item that ever lay at the location (BF-37); `None`: several."""
    row = conn.execute(_SOLE, {"item_id": part.item_id, "location_id": part.location_id}).fetchone()
    return row[0] if row else None


def unnamed(conn: Connection, part: OwedPart) -> list[Unnamed]:
    """Return the products that a part's nameless lot stands in."""
    rows = conn.execute(
        _UNNAMED,
        {
            "report_seq": part.report_seq,
            "line_id": part.line_id,
            "nameless_lot_id": part.nameless_lot_id,
        },
    )
    return [Unnamed(*row) for row in rows]


def write_healing(
    conn: Connection,
    healing: Healing,
    places: Places,
    *,
    event_seq: int,
    cause_seq: int | None,
    movement_first: int,
) -> None:
    """Write what a healing changes; its event with movements and edges is written already.

    `cause_seq` is the event of what mended it; `None`: a person decided.
    """
    part = healing.part
    _move_stock(conn, healing, places)
    conn.execute(
        """
        UPDATE order_line
           SET issued_micro = issued_micro + :net, owed_micro = owed_micro - :net - :off,
               written_off_micro = written_off_micro + :off,
               scrapped_micro = scrapped_micro + :scrap,
               owed_scrap_micro = owed_scrap_micro - :scrap - :scrap_off,
               written_off_scrap_micro = written_off_scrap_micro + :scrap_off
         WHERE line_id = :line_id
        """,
        {
            "net": healing.net_micro,
            "scrap": healing.scrap_micro,
            "off": healing.written_micro,
            "scrap_off": healing.written_scrap_micro,
            "line_id": part.line_id,
        },
    )
    if part.inherit_expiry:
        days = {piece.source.lot_id: piece.source.expires_on for piece in healing.net}
        found = [(child, days[used]) for child, used, *_ in healing.event.edges if used in days]
        shorten_healed(conn, part.report_seq, found)
    _lower_exception(conn, healing, event_seq)
    conn.execute(
        "INSERT INTO healing VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        [event_seq, part.exception_id, part.report_seq, cause_seq, movement_first,
         len(healing.event.movements), healing.written_micro, healing.written_scrap_micro],
    )  # fmt: skip
    conn.executemany(
        "INSERT INTO substitution VALUES (?, ?, ?)",
        [(movement_first + place, *covered) for place, *covered in healing.substitutions],
    )


def _move_stock(conn: Connection, healing: Healing, places: Places) -> None:
    """Take what was drawn off its balances; scrap arrives at its location."""
    conn.executemany(
        """
        UPDATE balance SET quantity_micro = quantity_micro - :drawn,
               pickable = iif(quantity_micro > :drawn, pickable, 0)
         WHERE balance_id = :balance_id
        """,
        [
            {"drawn": piece.quantity_micro, "balance_id": piece.source.balance_id}
            for piece in (*healing.net, *healing.scrap)
        ],
    )
    add_stock(
        conn,
        [
            StockIn(
                piece.source.lot_id,
                places.scrap_id,
                piece.quantity_micro,
                healing.event.event_time,
                piece.source.container_id,
            )
            for piece in healing.scrap
        ],
    )


def _lower_exception(conn: Connection, healing: Healing, event_seq: int) -> None:
    ended = healing.ended_micro
    conn.execute(
        """
        UPDATE exception
           SET quantity_micro = quantity_micro - :ended,
               status = iif(quantity_micro > :ended, status, 'resolved'),
               resolution = iif(quantity_micro > :ended, resolution, :resolution)
         WHERE exception_id = :exception_id
        """,
        {
            "ended": ended,
            "resolution": healing.resolution,
            "exception_id": healing.part.exception_id,
        },
    )
    conn.execute(
        "INSERT INTO exception_item VALUES (?, ?, ?, ?)",
        [
            healing.part.exception_id,
            event_seq,
            -ended,
            -healing.scrap_micro - healing.written_scrap_micro,
        ],
    )
