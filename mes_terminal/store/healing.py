"""Owed parts of reports, the stock that may be posted for them, and the rows that do it (BF-22).

Called by `usecases.heal`, inside its transaction.
"""

from mes_terminal.domain.healing import Healing, OwedPart, Places, Unnamed
from mes_terminal.domain.order import Source
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store.balances import add_stock
from mes_terminal.store.database import Connection
from mes_terminal.store.heal_queue import Queued
from mes_terminal.store.made import MADE

# What was posted of a part since is taken off it, unless that was undone.
_PARTS = """
    SELECT * FROM (
        SELECT x.exception_id, r.report_seq, j.scan_id, r.event_time, w.work_order,
               l.line_id, l.line, l.erp_ref, l.location_id, o.location, l.location_rule,
               l.mount = 'required', i.item_id, i.item, i.uom, i.tracking, product.inherit_expiry,
               (SELECT lot_id FROM lot WHERE item_id = i.item_id AND lot = '' AND serial = ''
                   AND work_order_id = 0),
               p.quantity_micro - p.scrap_micro + coalesce((
                   SELECT sum(done.quantity_micro - done.scrap_micro)
                     FROM healing h CROSS JOIN exception_item done
                       ON done.exception_id = h.exception_id AND done.event_seq = h.event_seq
                    WHERE h.report_seq = p.event_seq AND h.exception_id = x.exception_id
                      AND h.undone_seq IS NULL), 0) AS net_micro,
               p.scrap_micro + coalesce((
                   SELECT sum(done.scrap_micro)
                     FROM healing h CROSS JOIN exception_item done
                       ON done.exception_id = h.exception_id AND done.event_seq = h.event_seq
                    WHERE h.report_seq = p.event_seq AND h.exception_id = x.exception_id
                      AND h.undone_seq IS NULL), 0) AS scrap_micro
          FROM exception x
          CROSS JOIN order_line l ON l.line_id = x.line_id AND l.location_id = :location_id
          CROSS JOIN exception_item p ON p.exception_id = x.exception_id
               AND (p.event_seq > :report_seq
                    OR (p.event_seq = :report_seq AND p.exception_id > :exception_id))
          CROSS JOIN report r ON r.report_seq = p.event_seq AND r.kind <> 'reversal'
          CROSS JOIN scan_journal j ON j.scan_seq = r.scan_seq
          CROSS JOIN work_order w ON w.work_order_id = r.work_order_id
          CROSS JOIN item product ON product.item_id = w.item_id
          CROSS JOIN item i ON i.item_id = x.item_id AND i.tracking <> 'serial'
          CROSS JOIN location o ON o.location_id = l.location_id
               AND o.kind <> 'hold' AND o.kind <> 'scrap'
         WHERE x.kind = 'shortage' AND x.status = 'open' AND x.item_id = :item_id
           AND NOT EXISTS (SELECT 1 FROM report v WHERE v.reverses = p.event_seq)
    )
     WHERE net_micro > 0 OR scrap_micro > 0
     ORDER BY report_seq, exception_id LIMIT :limit
"""

# Held lots count for reports before the hold. What was mounted then was there, whenever the books
# had it arrive; of the rest only what had arrived, and whatever is untracked.
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
               EXISTS (SELECT 1 FROM mount_span s
                        WHERE s.lot_id = there.lot_id AND s.location_id = there.location_id
                          AND s.container_id IN (0, there.container_id)
                          AND s.mounted_at <= :reported_at AND s.mounted_seq < :report_seq
                          AND (s.ended_seq IS NULL OR s.ended_seq > :report_seq
                               OR s.ended_at >= :reported_at)) AS was_mounted,
               EXISTS (SELECT 1 FROM mount m
                        WHERE m.lot_id = there.lot_id AND m.location_id = there.location_id
                          AND m.container_id IN (0, there.container_id)) AS is_mounted
          FROM there
    )
    SELECT balance_id, lot_id, container_id, lot, expires_on, quantity_micro, was_mounted
      FROM judged
     WHERE CASE WHEN :tracked
           THEN expires_on >= :reported_day
                AND (was_mounted OR (arrived_at <= :reported_at AND NOT :mount_required))
           ELSE was_mounted OR is_mounted OR NOT :mount_required END
     ORDER BY was_mounted DESC, expires_on, received_at, lot, container_id
"""

# The products that still have something from the item's nameless lot by this report and line.
_UNNAMED = f"""
    WITH {MADE}, told AS (
        SELECT :report_seq AS seq
         UNION
        SELECT event_seq FROM healing WHERE report_seq = :report_seq
         UNION
        SELECT undone_seq FROM healing WHERE report_seq = :report_seq AND undone_seq IS NOT NULL
    )
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
    rows = conn.execute(
        _PARTS,
        {
            "item_id": queued.item_id,
            "location_id": queued.location_id,
            "report_seq": queued.report_seq,
            "exception_id": queued.exception_id,
            "limit": limit,
        },
    )
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
            "mount_required": part.mount_required,
        },
    )
    return [
        Source(balance_id, lot_id, container_id, lot, expires_on, quantity, bool(mounted))
        for balance_id, lot_id, container_id, lot, expires_on, quantity, mounted in rows
    ]


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
    cause_seq: int,
    movement_first: int,
) -> None:
    """Write what a healing changes; its event with movements and edges is written already."""
    part = healing.part
    _move_stock(conn, healing, places)
    conn.execute(
        """
        UPDATE order_line
           SET issued_micro = issued_micro + :net, owed_micro = owed_micro - :net,
               scrapped_micro = scrapped_micro + :scrap,
               owed_scrap_micro = owed_scrap_micro - :scrap
         WHERE line_id = :line_id
        """,
        {"net": healing.net_micro, "scrap": healing.scrap_micro, "line_id": part.line_id},
    )
    _shorten_expiry(conn, healing)
    _lower_exception(conn, healing, event_seq)
    conn.execute(
        "INSERT INTO healing VALUES (?, ?, ?, ?, ?, ?, NULL)",
        [event_seq, part.exception_id, part.report_seq, cause_seq, movement_first,
         len(healing.event.movements)],
    )  # fmt: skip


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
    posted = healing.net_micro + healing.scrap_micro
    conn.execute(
        """
        UPDATE exception
           SET quantity_micro = quantity_micro - :posted,
               status = iif(quantity_micro > :posted, status, 'resolved'),
               resolution = iif(quantity_micro > :posted, resolution, :resolution)
         WHERE exception_id = :exception_id
        """,
        {
            "posted": posted,
            "resolution": healing.resolution,
            "exception_id": healing.part.exception_id,
        },
    )
    conn.execute(
        "INSERT INTO exception_item VALUES (?, ?, ?, ?)",
        [healing.part.exception_id, event_seq, -posted, -healing.scrap_micro],
    )


def _shorten_expiry(conn: Connection, healing: Healing) -> None:
    """Let products that inherit it expire no later than what was found to be in them (BF-39)."""
    if not healing.part.inherit_expiry:
        return
    days = {piece.source.lot_id: piece.source.expires_on for piece in healing.net}
    shortened: list[dict[str, str | int]] = [
        {"expires_on": days[parent_id], "lot_id": child_id}
        for child_id, parent_id, *_ in healing.event.edges
        if parent_id in days
    ]
    for statement in (
        """
        UPDATE lot SET expires_on = min(coalesce(expires_on, '9999-12-31'), :expires_on)
         WHERE lot_id = :lot_id AND :expires_on < '9999-12-31' AND work_order_id = 0
        """,
        "UPDATE balance SET expires_on = min(expires_on, :expires_on) WHERE lot_id = :lot_id",
    ):
        conn.executemany(statement, shortened)
