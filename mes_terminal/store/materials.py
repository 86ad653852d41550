"""Material that somebody handles: what a code names, where it lies here, and taking it from there.

Called by the use cases of material by hand (BF-10, BF-16, BF-27). Every function runs inside the
caller's transaction.
"""

from collections.abc import Sequence

from msgspec import Struct

from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store.balances import add_stock
from mes_terminal.store.database import Connection

_HELD = """
    SELECT b.balance_id, b.lot_id, b.container_id, b.location_id, o.location, o.kind,
           b.quantity_micro, b.arrived_at,
           EXISTS (SELECT 1 FROM mount m
                    WHERE m.lot_id = b.lot_id AND m.location_id = b.location_id
                      AND m.container_id IN (0, b.container_id))
      FROM balance b JOIN location o USING (location_id)
     WHERE b.lot_id = :lot_id AND (:container_id = 0 OR b.container_id = :container_id)
       AND b.quantity_micro > 0 AND o.kind <> 'virtual'
       AND coalesce(o.station, :station) = :station
     ORDER BY 9 DESC, b.location_id, b.container_id
"""


class Held(Struct, frozen=True):
    """A balance of some material at a real location of this station."""

    balance_id: int
    lot_id: int
    container_id: int
    location_id: int
    location: str
    location_kind: str
    quantity_micro: int
    arrived_at: str
    mounted: int


class Place(Struct, frozen=True):
    """A location."""

    location_id: int
    location: str
    kind: str


class Taken(Struct, frozen=True):
    """A part of a balance that is taken."""

    held: Held
    quantity_micro: int


class StandIn(Struct, frozen=True):
    """How an item counts for a line whose component it may stand in for (BF-29)."""

    ratio_num: int
    ratio_den: int
    """Units of it for one unit of the component, as a fraction."""
    needs_approval: int


class PlaceInUse(Struct, frozen=True):
    """A position in which a lot or container is mounted."""

    position: str
    lot_id: int
    container_id: int
    location_id: int


def nameless_lot(conn: Connection, item_id: int) -> int:
    """Return the lot that stands for an item's stock without a name."""
    row = conn.execute(
        "SELECT lot_id FROM lot "
        "WHERE item_id = ? AND lot = '' AND serial = '' AND work_order_id = 0",
        [item_id],
    ).fetchone()
    return int(row[0])


def output_lot(conn: Connection, work_order_id: int) -> int | None:
    """Return the lot that an order makes, by its own name or the order's; `None`: none yet."""
    row = conn.execute(
        """
        SELECT l.lot_id FROM work_order w
          JOIN lot l ON l.item_id = w.item_id AND l.lot = coalesce(w.lot, w.work_order)
                    AND l.serial = '' AND l.work_order_id = 0
         WHERE w.work_order_id = ?
        """,
        [work_order_id],
    ).fetchone()
    return int(row[0]) if row else None


def serial_lot(conn: Connection, unit_id: int) -> int | None:
    """Return the stock identity of a unit that was made; `None` if it was not."""
    row = conn.execute(
        """
        SELECT l.lot_id FROM unit u
          JOIN lot l ON l.item_id = u.item_id AND l.serial = u.serial AND l.lot = ''
                    AND l.work_order_id = 0
         WHERE u.unit_id = ?
        """,
        [unit_id],
    ).fetchone()
    return int(row[0]) if row else None


def read_held(conn: Connection, lot_id: int, container_id: int, *, station: str) -> list[Held]:
    """Return where the material lies at this station's real locations: mounted first."""
    rows = conn.execute(_HELD, {"lot_id": lot_id, "container_id": container_id, "station": station})
    return [Held(*row) for row in rows]


def sits_in_slot(conn: Connection, lot_id: int) -> bool:
    """Tell whether a serial fills a slot (BF-18)."""
    row = conn.execute("SELECT EXISTS (SELECT 1 FROM slot WHERE lot_id = ?)", [lot_id]).fetchone()
    return bool(row[0])


def place(conn: Connection, location: str) -> Place:
    """Return a location by its name."""
    row = conn.execute(
        "SELECT location_id, location, kind FROM location WHERE location = ?", [location]
    ).fetchone()
    return Place(*row)


def orders_taking(conn: Connection, item_id: int, current_order_id: int | None) -> list[str]:
    """Return the current order and the started ones that take an item: the current one first, then
    those that need the item itself, then those it may stand in for (BF-29), due first."""
    rows = conn.execute(
        """
        WITH taking AS (
            SELECT work_order_id, 0 AS stands_in FROM order_line
             WHERE component_id = :item_id AND net_num > 0
             UNION ALL
            SELECT work_order_id, 1 FROM order_line_substitute JOIN order_line USING (line_id)
             WHERE substitute_id = :item_id AND net_num > 0)
        SELECT w.work_order FROM taking t JOIN work_order w USING (work_order_id)
         WHERE w.status = 'started' OR w.work_order_id IS :current
         GROUP BY w.work_order_id
         ORDER BY w.work_order_id IS :current DESC, min(t.stands_in), w.due_at IS NULL, w.due_at,
                  w.sequence IS NULL, w.sequence, w.work_order
        """,
        {"item_id": item_id, "current": current_order_id},
    )
    return [row[0] for row in rows]


def stand_ins(conn: Connection, work_order_id: int, item_id: int) -> dict[int, StandIn]:
    """Return, by line id, for which lines of an order an item may stand in (BF-29)."""
    rows = conn.execute(
        """
        SELECT line_id, ratio_num, ratio_den, approval = 'required'
          FROM order_line_substitute JOIN order_line USING (line_id)
         WHERE work_order_id = ? AND substitute_id = ?
        """,
        [work_order_id, item_id],
    )
    return {row[0]: StandIn(*row[1:]) for row in rows}


def order_named(conn: Connection, work_order_id: int | None) -> str | None:
    """Return an order's number."""
    row = conn.execute(
        "SELECT work_order FROM work_order WHERE work_order_id = ?", [work_order_id]
    ).fetchone()
    return row[0] if row else None


def take(conn: Connection, parts: Sequence[Taken]) -> None:
    """Take parts off their balances; a balance may occur more than once."""
    conn.executemany(
        """
        UPDATE balance SET quantity_micro = quantity_micro - :quantity_micro,
               pickable = iif(quantity_micro - :quantity_micro > 0, pickable, 0)
         WHERE balance_id = :balance_id
        """,
        [
            {"quantity_micro": each.quantity_micro, "balance_id": each.held.balance_id}
            for each in parts
        ],
    )


def put(conn: Connection, parts: Sequence[Taken], location_id: int) -> None:
    """Put parts to a location; each arrival comes along (BF-16)."""
    add_stock(
        conn,
        [
            StockIn(
                each.held.lot_id,
                location_id,
                each.quantity_micro,
                each.held.arrived_at,
                each.held.container_id,
            )
            for each in parts
        ],
    )


def change_line(
    conn: Connection, line_id: int, *, issued_micro: int = 0, scrapped_micro: int = 0
) -> None:
    """Add to what an order line has been issued, or to its scrap."""
    conn.execute(
        """
        UPDATE order_line SET issued_micro = issued_micro + ?, scrapped_micro = scrapped_micro + ?
         WHERE line_id = ?
        """,
        [issued_micro, scrapped_micro, line_id],
    )


def set_status(conn: Connection, lot_id: int, status: str) -> None:
    """Change the status of a lot, and with it what may be picked of it."""
    conn.execute("UPDATE lot SET status = ? WHERE lot_id = ?", [status, lot_id])
    conn.execute(
        """
        UPDATE balance SET pickable = quantity_micro > 0 AND :status = 'available'
         WHERE lot_id = :lot_id
        """,
        {"status": status, "lot_id": lot_id},
    )


def positions_of(conn: Connection, lot_id: int) -> list[PlaceInUse]:
    """Return the positions in which a lot or one of its containers is mounted."""
    rows = conn.execute(
        "SELECT position, lot_id, container_id, location_id FROM mount WHERE lot_id = ? "
        "ORDER BY position",
        [lot_id],
    )
    return [PlaceInUse(*row) for row in rows]
