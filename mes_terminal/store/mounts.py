"""Mounted lots and containers, and what mounting needs to know (BF-17)."""

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.posting import MovementRow
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store.balances import add_stock, note_arrival
from mes_terminal.store.database import Connection
from mes_terminal.store.let_pass import LetPass


class MaterialFacts(Struct, frozen=True):
    """A lot or container somebody scanned."""

    lot_id: int
    item_id: int
    item: str
    uom: str
    step_micro: int
    tracking: str
    lot_rule: str | None
    lot: str | None
    serial: str | None
    container: str | None
    status: str
    expires_on: str | None


class ItemFacts(Struct, frozen=True):
    """An item of which a new lot arrives."""

    item: str
    uom: str
    step_micro: int
    tracking: str
    shelf_life_days: int | None


class NeededAt(Struct, frozen=True):
    """The open order line that needs an item most urgently."""

    line_id: int
    work_order: str
    location_id: int
    location: str
    position: str
    is_current: bool
    """Its order is started, or the current one."""
    stands_in_for: str | None
    """The component it may stand in for; `None`: it is needed itself."""
    needs_approval: int
    """It is a substitute that a supervisor must scan (BF-29)."""
    ratio: tuple[int, int] | None = None
    """Units of it for one of the component, as a fraction, where only another BOM names it a
    substitute; `None`: the order names it."""


class Elsewhere(Struct, frozen=True):
    """Stock of the scanned material at another location of this station."""

    balance_id: int
    lot_id: int
    container_id: int
    location_id: int
    location: str
    quantity_micro: int
    arrived_at: str


class Mounted(Struct, frozen=True):
    """A mounted lot or container."""

    position: str
    item_id: int
    item: str
    lot_id: int
    lot: str | None
    container_id: int
    container: str | None


def read_material(conn: Connection, lot_id: int, container_id: int) -> MaterialFacts:
    """Return the lot (of the container, if one is given) with its item."""
    row = conn.execute(
        """
        SELECT l.lot_id, i.item_id, i.item, i.uom, i.step_micro, i.tracking, i.lot_rule,
               nullif(l.lot, ''), nullif(l.serial, ''), c.container, l.status, l.expires_on
          FROM lot l
          JOIN item i USING (item_id)
          LEFT JOIN container c ON c.container_id = :container_id
         WHERE l.lot_id = coalesce(
               (SELECT lot_id FROM container WHERE container_id = :container_id), :lot_id)
        """,
        {"lot_id": lot_id, "container_id": container_id},
    ).fetchone()
    return MaterialFacts(*row)


def read_item(conn: Connection, item_id: int) -> ItemFacts:
    """Return what receiving a lot of an item needs to know."""
    row = conn.execute(
        "SELECT item, uom, step_micro, tracking, shelf_life_days FROM item WHERE item_id = ?",
        [item_id],
    ).fetchone()
    return ItemFacts(*row)


def read_need(
    conn: Connection, material: MaterialFacts, container_id: int, current_order_id: int | None
) -> NeededAt | None:
    """Return the open line that needs the item, or that it may stand in for (BF-29).

    Lines of the current order come first; then those that need the item itself; then those of
    started orders, due first. Of several positions the one it is mounted in already, else a vacant
    one, else the first.
    """
    row = conn.execute(
        """
        WITH wanted AS (
            SELECT line_id, NULL AS approval FROM order_line WHERE component_id = :item_id
             UNION ALL
            SELECT line_id, approval FROM order_line_substitute JOIN order_line USING (line_id)
             WHERE substitute_id = :item_id AND issue_method = 'backflush')
        SELECT l.line_id, w.work_order, l.location_id, o.location,
               coalesce(l.mount_position, i.item),
               w.status = 'started' OR w.work_order_id IS :current,
               iif(n.approval IS NULL, NULL, i.item), n.approval IS 'required'
          FROM wanted n
          JOIN order_line l USING (line_id)
          JOIN work_order w USING (work_order_id)
          JOIN location o ON o.location_id = l.location_id
          JOIN item i ON i.item_id = l.component_id
          LEFT JOIN mount m ON m.position = coalesce(l.mount_position, i.item)
         WHERE w.status IN ('released', 'started')
         ORDER BY w.work_order_id IS :current DESC, n.approval IS NOT NULL,
                  w.status = 'started' DESC,
                  w.due_at IS NULL, w.due_at, w.sequence IS NULL, w.sequence, w.work_order,
                  (m.lot_id = :lot_id AND m.container_id = :container_id) IS TRUE DESC,
                  m.position IS NOT NULL, n.approval IS 'required', l.position
         LIMIT 1
        """,
        {
            "item_id": material.item_id,
            "lot_id": material.lot_id,
            "container_id": container_id,
            "current": current_order_id,
        },
    ).fetchone()
    return NeededAt(*row) if row else None


def read_listed_elsewhere(
    conn: Connection, item_id: int, current_order_id: int | None
) -> NeededAt | None:
    """Return the open line whose component the item may stand in for by another BOM, or another
    line or revision of its own: not by the order, so somebody must let that pass (BF-24)."""
    row = conn.execute(
        """
        SELECT l.line_id, w.work_order, l.location_id, o.location,
               coalesce(l.mount_position, i.item),
               w.status = 'started' OR w.work_order_id IS :current, i.item, 1,
               t.ratio_num, t.ratio_den
          FROM bom_substitute t
          JOIN bom_line n USING (bom_line_id)
          JOIN bom b USING (bom_id)
          JOIN order_line l ON l.component_id = n.component_id
          JOIN work_order w USING (work_order_id)
          JOIN location o ON o.location_id = l.location_id
          JOIN item i ON i.item_id = l.component_id
          JOIN item s ON s.item_id = t.substitute_id
         WHERE t.substitute_id = :item_id AND l.issue_method = 'backflush'
           AND s.tracking <> 'serial' AND w.status IN ('released', 'started')
         ORDER BY w.work_order_id IS :current DESC, w.status = 'started' DESC,
                  w.due_at IS NULL, w.due_at, w.sequence IS NULL, w.sequence, w.work_order,
                  b.item_id = w.item_id DESC, t.priority IS NULL, t.priority, b.bom_id DESC,
                  l.position, n.line
         LIMIT 1
        """,
        {"item_id": item_id, "current": current_order_id},
    ).fetchone()
    return replace(NeededAt(*row[:-2]), ratio=(row[-2], row[-1])) if row else None


def list_substitute(conn: Connection, need: NeededAt, item_id: int) -> None:
    """Let the order name a substitute too: one that a person scans, with an approval."""
    assert need.ratio is not None
    conn.execute(
        "INSERT INTO order_line_substitute VALUES (?, ?, ?, ?, NULL, 'required', 'scanned')",
        [need.line_id, item_id, *need.ratio],
    )


def needed_items(conn: Connection, current_order_id: int | None, *, limit: int) -> list[str]:
    """Return tracked components that the current order (else the next one) needs."""
    rows = conn.execute(
        """
        SELECT DISTINCT i.item FROM order_line l JOIN item i ON i.item_id = l.component_id
         WHERE i.tracking <> 'none' AND l.work_order_id = (
               SELECT work_order_id FROM work_order WHERE status IN ('released', 'started')
                ORDER BY work_order_id IS :current DESC, status = 'started' DESC,
                         due_at IS NULL, due_at, sequence IS NULL, sequence, work_order LIMIT 1)
         ORDER BY l.position LIMIT :limit
        """,
        {"current": current_order_id, "limit": limit},
    )
    return [row[0] for row in rows]


def makes_with_scanned_lot(conn: Connection, item_id: int) -> bool:
    """Tell whether open orders make the item under the lot scanned last (BF-39, `scanned`)."""
    row = conn.execute(
        """
        SELECT EXISTS (SELECT 1 FROM work_order w JOIN item i USING (item_id)
                        WHERE i.item_id = ? AND i.lot_rule = 'scanned'
                          AND w.status IN ('released', 'started'))
        """,
        [item_id],
    ).fetchone()
    return bool(row[0])


def read_elsewhere(
    conn: Connection, lot_id: int, container_id: int, location_id: int, *, station: str
) -> list[Elsewhere]:
    """Return what the books have of the material at this station's other pickable locations; of
    what is in rework only serials, which somebody chose (BF-28)."""
    rows = conn.execute(
        """
        SELECT b.balance_id, b.lot_id, b.container_id, b.location_id, o.location,
               b.quantity_micro, b.arrived_at
          FROM balance b JOIN location o USING (location_id) JOIN lot l USING (lot_id)
         WHERE b.lot_id = :lot_id AND (:container_id = 0 OR b.container_id = :container_id)
           AND b.location_id <> :location_id AND b.quantity_micro > 0
           AND o.kind NOT IN ('hold', 'scrap') AND (o.kind <> 'rework' OR l.serial <> '')
           AND coalesce(o.station, :station) = :station
         ORDER BY b.balance_id
        """,
        {
            "lot_id": lot_id,
            "container_id": container_id,
            "location_id": location_id,
            "station": station,
        },
    )
    return [Elsewhere(*row) for row in rows]


def move(conn: Connection, stock: list[Elsewhere], item_id: int, location_id: int) -> None:
    """Move balances to a location; each arrival moves along (BF-16)."""
    conn.executemany(
        "UPDATE balance SET quantity_micro = 0, pickable = 0 WHERE balance_id = ?",
        [(each.balance_id,) for each in stock],
    )
    add_stock(
        conn,
        [
            StockIn(
                each.lot_id, location_id, each.quantity_micro, each.arrived_at, each.container_id
            )
            for each in stock
        ],
    )
    if stock:
        note_arrival(conn, item_id, location_id, stock[0].lot_id)


def move_rows(stock: list[Elsewhere], location_id: int) -> list[MovementRow]:
    """Return the ledger rows of a move."""
    return [
        (None, each.lot_id, each.container_id, each.location_id, location_id, each.quantity_micro,
         "move", None)
        for each in stock
    ]  # fmt: skip


def mount(
    conn: Connection,
    position: str,
    *,
    item_id: int,
    lot_id: int,
    container_id: int,
    location_id: int,
    at: str,
    let_pass: LetPass,
) -> None:
    """Mount; what was in the position before is presumed empty."""
    conn.execute(
        """
        INSERT INTO mount VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET item_id = excluded.item_id, lot_id = excluded.lot_id,
            container_id = excluded.container_id, location_id = excluded.location_id,
            mounted_at = excluded.mounted_at, may_expire = excluded.may_expire,
            may_be_held = excluded.may_be_held, approved_by = excluded.approved_by
        """,
        [position, item_id, lot_id, container_id, location_id, at, let_pass.expired, let_pass.held,
         let_pass.approved_by],
    )  # fmt: skip


def unmount(conn: Connection, position: str) -> None:
    """Empty a position."""
    conn.execute("DELETE FROM mount WHERE position = ?", [position])


def read_mounts(conn: Connection) -> list[Mounted]:
    """Return what is mounted, by position."""
    rows = conn.execute(
        """
        SELECT m.position, m.item_id, i.item, m.lot_id, nullif(l.lot, ''), m.container_id,
               c.container
          FROM mount m
          JOIN item i USING (item_id)
          JOIN lot l USING (lot_id)
          LEFT JOIN container c USING (container_id)
         ORDER BY m.position
        """
    )
    return [Mounted(*row) for row in rows]


def left_micro(conn: Connection, lot_id: int, container_id: int, location_id: int) -> int:
    """Return what the books have of the material at the location."""
    row = conn.execute(
        """
        SELECT coalesce(sum(quantity_micro), 0) FROM balance
         WHERE lot_id = :lot_id AND location_id = :location_id
           AND (:container_id = 0 OR container_id = :container_id)
        """,
        {"lot_id": lot_id, "container_id": container_id, "location_id": location_id},
    ).fetchone()
    return int(row[0])
