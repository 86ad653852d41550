"""Exceptions as a person finds them, what may be used for them, and how they end (BF-23).

Called by `usecases.resolve_exceptions`, inside its transaction.
"""

from msgspec import Struct

from mes_terminal.domain.healing import OwedPart
from mes_terminal.domain.order import Source, Substitute
from mes_terminal.domain.resolving import OpenException
from mes_terminal.store.database import Connection

# A held lot counts for reports before the hold; expiry is judged as of the report (BF-22).
_NAMED = """
    SELECT b.balance_id, b.lot_id, b.container_id, b.lot, b.expires_on, b.quantity_micro
      FROM balance b JOIN lot l USING (lot_id)
     WHERE b.item_id = :item_id AND b.location_id = :location_id AND b.quantity_micro > 0
       AND l.lot = :lot AND l.serial = ''
       AND (l.status = 'available'
            OR EXISTS (SELECT 1 FROM held_lot h WHERE h.item_id = :item_id
                          AND h.lot_id = l.lot_id AND h.since_seq > :report_seq))
       AND b.expires_on >= :reported_day
     ORDER BY b.expires_on, b.received_at, b.lot, b.container_id
"""


class NamedItem(Struct, frozen=True):
    """An item that a person names."""

    item_id: int
    item: str
    uom: str
    step_micro: int
    tracking: str


class NamedLot(Struct, frozen=True):
    """A lot that a person names, and what of it lies at one location."""

    status: str
    expires_on: str | None
    quantity_micro: int


def read_exception(conn: Connection, exception_id: int) -> OpenException | None:
    """Return an exception; `None`: there is none of that id."""
    row = conn.execute(
        """
        SELECT x.exception_id, x.kind, x.status, x.subject, w.work_order,
               coalesce(l.first_line, l.line), i.item, i.uom,
               x.quantity_micro, x.resolution
          FROM exception x
          LEFT JOIN work_order w ON w.work_order_id = x.work_order_id
          LEFT JOIN order_line l ON l.line_id = x.line_id
          LEFT JOIN item i ON i.item_id = x.item_id
         WHERE x.exception_id = ?
        """,
        [exception_id],
    ).fetchone()
    names = OpenException.__struct_fields__
    return OpenException(**dict(zip(names, row, strict=True))) if row else None


def read_item(conn: Connection, item: str) -> NamedItem | None:
    """Return an item by its number."""
    row = conn.execute(
        "SELECT item_id, item, uom, step_micro, tracking FROM item WHERE item = ?", [item]
    ).fetchone()
    return NamedItem(*row) if row else None


def read_lot(conn: Connection, item_id: int, lot: str, location_id: int) -> NamedLot | None:
    """Return a lot of an item with what lies at the location; `None`: the item has no such lot."""
    row = conn.execute(
        """
        SELECT l.status, l.expires_on,
               coalesce((SELECT sum(b.quantity_micro) FROM balance b
                          WHERE b.lot_id = l.lot_id AND b.location_id = ?3), 0)
          FROM lot l
         WHERE l.item_id = ?1 AND l.lot = ?2 AND l.serial = '' AND l.work_order_id = 0
        """,
        [item_id, lot, location_id],
    ).fetchone()
    return NamedLot(*row) if row else None


def lots_at(conn: Connection, item_id: int, location_id: int, *, limit: int) -> list[str]:
    """Return the lots of an item that may be picked at a location, in the order of BF-15."""
    rows = conn.execute(
        """
        SELECT DISTINCT lot FROM (
            SELECT lot FROM balance WHERE item_id = ? AND location_id = ? AND pickable = 1
             ORDER BY expires_on, received_at, lot)
         LIMIT ?
        """,
        [item_id, location_id, limit],
    )
    return [row[0] for row in rows]


def named_sources(
    conn: Connection, part: OwedPart, item_id: int, lot: str, *, reported_day: str
) -> list[Source]:
    """Return what of a lot may be posted for a part; the empty lot is an untracked item's stock."""
    rows = conn.execute(
        _NAMED,
        {
            "item_id": item_id,
            "lot": lot,
            "location_id": part.location_id,
            "report_seq": part.report_seq,
            "reported_day": reported_day,
        },
    )
    return [Source(*row) for row in rows]


def read_stand_in(conn: Connection, part: OwedPart, item: NamedItem) -> Substitute | None:
    """Return an item as the order line lists it in place of its component (BF-29)."""
    row = conn.execute(
        """
        SELECT ratio_num, ratio_den FROM order_line_substitute
         WHERE line_id = ? AND substitute_id = ?
        """,
        [part.line_id, item.item_id],
    ).fetchone()
    return stand_in(item, row[0], row[1]) if row else None


def stand_in(item: NamedItem, ratio_num: int, ratio_den: int) -> Substitute:
    """Return an item that a person says was used, by that ratio."""
    return Substitute(
        item.item_id,
        item.item,
        item.uom,
        item.step_micro,
        item.tracking,
        ratio_num,
        ratio_den,
        is_automatic=0,
        mount_required=0,
        sole_lot_id=None,
        mounted_lot_id=None,
        mounted_container_id=None,
    )


def end_exception(
    conn: Connection, found: OpenException, event_seq: int, *, resolution: str
) -> None:
    """End an exception that nothing is posted for."""
    conn.execute(
        """
        UPDATE exception SET status = 'resolved', resolution = ?,
               quantity_micro = iif(quantity_micro IS NULL, NULL, 0)
         WHERE exception_id = ?
        """,
        [resolution, found.exception_id],
    )
    if found.quantity_micro is not None:
        conn.execute(
            "INSERT INTO exception_item VALUES (?, ?, ?, 0)",
            [found.exception_id, event_seq, -found.quantity_micro],
        )
