"""Lots, containers and stock that a load brings: bulk reads of the facts, bulk writes of the rows.

Writes run inside the caller's transaction. Guarantees that the copies in `balance` equal their
lot's columns, and that `item_location` knows the only lot of an item at a location (BF-37).
"""

from collections.abc import Collection, Iterable, Sequence
from json import dumps
from typing import Final

from msgspec import Struct

from mes_terminal.domain.posting import MovementRow
from mes_terminal.domain.quantity import MICRO
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store.balances import add_stock
from mes_terminal.store.database import Connection

LotKey = tuple[str, str, str]
"""item, lot, serial."""

SUPPLIER: Final = "@supplier"


class LotState(Struct, frozen=True, kw_only=True):
    """A lot as it stands or will stand; `lot_id` None: not yet there."""

    lot_id: int | None = None
    status: str = "available"
    expires_on: str | None = None
    received_at: str | None = None
    supplier: str | None = None
    supplier_lot: str | None = None


class ContainerState(Struct, frozen=True):
    """A container and the lot it holds."""

    container_id: int
    key: LotKey


class Arrival(Struct, frozen=True, kw_only=True):
    """Stock that a receipt brings to a location, in micro-units of the base unit."""

    reference: str
    content: str
    key: LotKey
    container: str | None
    location: str
    quantity_micro: int
    effective_at: str
    tracked: bool


def read_contents(conn: Connection, references: Collection[str]) -> list[tuple[str, str]]:
    """Return (reference, content) of receipts that were applied before."""
    return conn.execute(
        """
        SELECT r.reference, r.content
        FROM json_each(?) AS wanted CROSS JOIN receipt AS r ON r.reference = wanted.value
        """,
        (dumps(list(references)),),
    ).fetchall()


def read_lots(conn: Connection, keys: Collection[LotKey]) -> dict[LotKey, LotState]:
    """Return the lots that exist."""
    found = conn.execute(
        """
        SELECT i.item, l.lot, l.serial, l.lot_id, l.status, l.expires_on, l.received_at,
               l.supplier, l.supplier_lot
        FROM json_each(?) AS wanted
        CROSS JOIN item AS i ON i.item = wanted.value ->> 0
        CROSS JOIN lot AS l ON l.item_id = i.item_id AND l.lot = wanted.value ->> 1
            AND l.serial = wanted.value ->> 2 AND l.work_order_id = 0
        """,
        (dumps(list(keys)),),
    )
    return {
        (item, lot, serial): LotState(
            lot_id=lot_id,
            status=status,
            expires_on=expires_on,
            received_at=received_at,
            supplier=supplier,
            supplier_lot=supplier_lot,
        )
        for item, lot, serial, lot_id, status, expires_on, received_at, supplier, supplier_lot
        in found
    }  # fmt: skip


def serials_known(conn: Connection, serials: Collection[tuple[str, str]]) -> dict[LotKey, bool]:
    """Return the lots with these (item, serial), and whether any stock of them is left."""
    found = conn.execute(
        """
        SELECT i.item, l.lot, l.serial,
               EXISTS (SELECT 1 FROM balance AS b
                       WHERE b.lot_id = l.lot_id AND b.quantity_micro > 0)
        FROM json_each(?) AS wanted
        CROSS JOIN item AS i ON i.item = wanted.value ->> 0
        CROSS JOIN lot AS l ON l.serial = wanted.value ->> 1 AND l.serial <> ''
            AND l.item_id = i.item_id
        """,
        (dumps(list(serials)),),
    )
    return {(item, lot, serial): bool(left) for item, lot, serial, left in found}


def read_held(conn: Connection, items: Collection[str]) -> dict[str, int]:
    """Return what is on hand of some items in micro-units, each balance rounded up to a unit.

    So rounded, a sum beyond 64 bits can be told before it is made.
    """
    found = conn.execute(
        """
        SELECT i.item, sum(b.quantity_micro / 1000000 + 1)
        FROM json_each(?) AS wanted
        CROSS JOIN item AS i ON i.item = wanted.value
        CROSS JOIN lot AS l ON l.item_id = i.item_id
        CROSS JOIN balance AS b ON b.lot_id = l.lot_id AND b.quantity_micro > 0
        GROUP BY i.item
        """,
        (dumps(list(items)),),
    )
    return {item: units * MICRO for item, units in found}


def read_containers(conn: Connection, containers: Collection[str]) -> dict[str, ContainerState]:
    """Return the containers that exist."""
    found = conn.execute(
        """
        SELECT c.container, c.container_id, i.item, l.lot, l.serial
        FROM json_each(?) AS wanted
        CROSS JOIN container AS c ON c.container = wanted.value
        JOIN lot AS l USING (lot_id)
        JOIN item AS i USING (item_id)
        """,
        (dumps(list(containers)),),
    )
    return {row[0]: ContainerState(row[1], (row[2], row[3], row[4])) for row in found}


def write_lots(conn: Connection, lots: Iterable[tuple[LotKey, LotState]]) -> None:
    """Add or alter lots, and the copies of their columns in the balances."""
    rows = [
        {
            "item": key[0],
            "lot": key[1],
            "serial": key[2],
            "status": state.status,
            "expires_on": state.expires_on,
            "received_at": state.received_at,
            "supplier": state.supplier,
            "supplier_lot": state.supplier_lot,
            "lot_id": state.lot_id,
        }
        for key, state in lots
    ]
    conn.executemany(
        """
        INSERT INTO lot (item_id, lot, serial, status, expires_on, received_at, supplier,
            supplier_lot)
        VALUES ((SELECT item_id FROM item WHERE item = :item), :lot, :serial, :status, :expires_on,
            :received_at, :supplier, :supplier_lot)
        ON CONFLICT (item_id, lot, serial, work_order_id) DO UPDATE SET status = excluded.status,
            expires_on = excluded.expires_on, received_at = excluded.received_at,
            supplier = excluded.supplier, supplier_lot = excluded.supplier_lot
        """,
        rows,
    )
    conn.executemany(
        """
        UPDATE balance SET expires_on = coalesce(:expires_on, '9999-12-31'),
            received_at = coalesce(:received_at, arrived_at),
            pickable = quantity_micro > 0 AND :status = 'available'
        WHERE lot_id = :lot_id
        """,
        [row for row in rows if row["lot_id"] is not None],
    )


def write_containers(conn: Connection, arrivals: Iterable[Arrival]) -> None:
    """Make the containers that arrive; one that is filled again holds that much more."""
    conn.executemany(
        """
        INSERT INTO container (container, lot_id, received_micro)
        VALUES (?, (SELECT lot_id FROM lot
                    WHERE item_id = (SELECT item_id FROM item WHERE item = ?) AND lot = ?
                        AND serial = ? AND work_order_id = 0), ?)
        ON CONFLICT (container) DO UPDATE SET
            received_micro = received_micro + excluded.received_micro
        """,
        [(one.container, *one.key, one.quantity_micro) for one in arrivals if one.container],
    )


def movements_of(conn: Connection, arrivals: Sequence[Arrival]) -> list[MovementRow]:
    """Return the ledger row of each arrival (BF-35); lots and containers must exist."""
    lots = read_lots(conn, {one.key for one in arrivals})
    containers = read_containers(conn, {one.container for one in arrivals if one.container})
    locations = dict(conn.execute("SELECT location, location_id FROM location").fetchall())
    return [
        (
            None,
            lots[one.key].lot_id or 0,
            containers[one.container].container_id if one.container else 0,
            locations[SUPPLIER],
            locations[one.location],
            one.quantity_micro,
            "receipt",
            None,
        )
        for one in arrivals
    ]


def write_arrivals(
    conn: Connection,
    arrivals: Sequence[Arrival],
    movements: Sequence[MovementRow],
    event_seqs: Sequence[int],
) -> None:
    """Write receipts and balances; `movements` and `event_seqs` are those of `arrivals`."""
    conn.executemany(
        "INSERT INTO receipt (reference, event_seq, content) VALUES (?, ?, ?)",
        [(one.reference, seq, one.content) for one, seq in zip(arrivals, event_seqs, strict=True)],
    )
    add_stock(
        conn,
        [
            StockIn(row[1], row[4], one.quantity_micro, one.effective_at, row[2])
            for one, row in zip(arrivals, movements, strict=True)
        ],
    )
    _note_sole_lots(conn, {(row[1], row[4]) for row in movements})


def _note_sole_lots(conn: Connection, places: Collection[tuple[int, int]]) -> None:
    """Note, for each (lot, location) that received, whether its item has that lot only there."""
    conn.execute(
        """
        WITH place AS (
            SELECT DISTINCT l.item_id, wanted.value ->> 1 AS location_id
            FROM json_each(?) AS wanted CROSS JOIN lot AS l ON l.lot_id = wanted.value ->> 0
        )
        INSERT INTO item_location (item_id, location_id, sole_lot_id)
        SELECT p.item_id, p.location_id,
               iif(count(DISTINCT b.lot_id) = 1, min(b.lot_id), NULL)
        FROM place AS p
        CROSS JOIN lot AS l ON l.item_id = p.item_id
        CROSS JOIN balance AS b ON b.lot_id = l.lot_id AND b.location_id = p.location_id
            AND b.quantity_micro > 0
        WHERE TRUE
        GROUP BY p.item_id, p.location_id
        ON CONFLICT (item_id, location_id) DO UPDATE SET sole_lot_id = excluded.sole_lot_id
        """,
        (dumps(list(places)),),
    )
