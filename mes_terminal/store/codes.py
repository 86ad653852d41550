"""What the database knows of a code, exactly: one statement, whatever the code may name."""

from collections.abc import Sequence
from fractions import Fraction
from json import dumps

from msgspec import Struct

from mes_terminal.domain.conversions import Conversion, ConversionFault, Conversions
from mes_terminal.domain.intent import Meaning
from mes_terminal.store.database import Connection

# A lot that an order made under its own number, by- and co-products included, is the order's code,
# not a second meaning of it.
_LOOK_UP = """
    SELECT 'order', work_order, work_order_id, item_id, NULL, NULL
      FROM work_order WHERE work_order = :code
    UNION ALL
    SELECT 'unit', serial, unit_id, item_id, NULL, NULL FROM unit
     WHERE serial = :code AND origin <> 'freed'
    UNION ALL
    SELECT 'container', c.container, c.container_id, l.item_id, NULL, NULL
      FROM container c JOIN lot l USING (lot_id) WHERE c.container = :code
    UNION ALL
    SELECT 'lot', i.item || '|' || l.lot, l.lot_id, l.item_id, NULL, NULL
      FROM lot l JOIN item i USING (item_id)
     WHERE l.lot = :code AND l.lot <> '' AND l.serial = ''
       AND NOT EXISTS (SELECT 1 FROM work_order w
                        WHERE w.work_order = l.lot
                          AND (w.item_id = l.item_id OR EXISTS (
                               SELECT 1 FROM order_output t
                                WHERE t.work_order_id = w.work_order_id
                                  AND t.item_id = l.item_id)))
    UNION ALL
    SELECT 'component_serial', l.serial, l.lot_id, l.item_id, NULL, NULL FROM lot l
     WHERE l.serial = :code AND l.serial <> ''
       AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.item_id = l.item_id AND u.serial = l.serial)
    UNION ALL
    SELECT 'item', item, item_id, item_id, NULL, NULL FROM item WHERE item = :code
    UNION ALL
    SELECT 'item', item, item_id, item_id, NULL, NULL
      FROM item WHERE gtin = :code AND gtin IS NOT NULL
    UNION ALL
    SELECT 'item', i.item, i.item_id, i.item_id, c.quantity_micro,
           iif(c.quantity_micro IS NULL, NULL, coalesce(c.uom, i.uom))
      FROM item_code c JOIN item i USING (item_id)
     WHERE c.code = :code
"""


class ItemFound(Struct, frozen=True):
    """An item that a label's number names, and the pack that number stands for."""

    item_id: int
    item: str
    uom: str
    tracking: str
    is_made: bool
    """Orders make it."""
    pack_micro: int | None
    pack_uom: str | None


def look_up(conn: Connection, code: str) -> list[Meaning]:
    """Return everything the code names here, each once; empty if nothing does."""
    rows = conn.execute(_LOOK_UP, {"code": code}).fetchall()
    return [Meaning(*row) for row in dict.fromkeys(rows)]


def lot_of(conn: Connection, item: str, lot: str) -> tuple[int, int | None] | None:
    """Return (item_id, lot_id) of a lot named with its item; lot_id `None` if the lot is new.

    `None` if the item is unknown.
    """
    row = conn.execute(
        """
        SELECT i.item_id, l.lot_id FROM item i
          LEFT JOIN lot l ON l.item_id = i.item_id AND l.lot = :lot AND l.serial = ''
                         AND l.work_order_id = 0 AND l.lot <> ''
         WHERE i.item = :item
        """,
        {"item": item, "lot": lot},
    ).fetchone()
    return (row[0], row[1]) if row else None


def lot_id_of(conn: Connection, item_id: int, lot: str) -> int | None:
    """Return the lot of an item by its name; `None` if it is new."""
    row = conn.execute(
        """
        SELECT lot_id FROM lot
         WHERE item_id = ? AND lot = ? AND serial = '' AND work_order_id = 0 AND lot <> ''
        """,
        [item_id, lot],
    ).fetchone()
    return int(row[0]) if row else None


def serial_of(conn: Connection, item_id: int, serial: str) -> Meaning | None:
    """Return the unit or component with this serial of the item; `None` if there is none."""
    row = conn.execute(
        """
        SELECT 'unit', unit_id FROM unit
         WHERE item_id = :item_id AND serial = :serial AND origin <> 'freed'
        UNION ALL
        SELECT 'component_serial', lot_id FROM lot
         WHERE item_id = :item_id AND serial = :serial AND serial <> ''
           AND NOT EXISTS (SELECT 1 FROM unit WHERE item_id = :item_id AND serial = :serial)
        LIMIT 1
        """,
        {"item_id": item_id, "serial": serial},
    ).fetchone()
    return Meaning(row[0], serial, row[1], item_id) if row else None


def items_of(
    conn: Connection, gtins: Sequence[str], names: Sequence[str], partner: str | None
) -> list[ItemFound]:
    """Return the items that any of the numbers names.

    A partner's number counts if it is that partner's, or if nothing says whose it is.
    """
    rows = conn.execute(
        """
        WITH found (item_id, pack_micro, pack_uom) AS (
            SELECT i.item_id, NULL, NULL FROM json_each(:names) AS wanted
              CROSS JOIN item AS i ON i.item = wanted.value
            UNION ALL
            SELECT i.item_id, NULL, NULL FROM json_each(:gtins) AS wanted
              CROSS JOIN item AS i ON i.gtin = wanted.value AND i.gtin IS NOT NULL
            UNION ALL
            SELECT c.item_id, c.quantity_micro, c.uom FROM json_each(:both) AS wanted
              CROSS JOIN item_code AS c ON c.code = wanted.value
             WHERE :partner IS NULL OR c.partner IS NULL OR c.partner = :partner
        )
        SELECT i.item_id, i.item, i.uom, i.tracking,
               EXISTS (SELECT 1 FROM work_order w WHERE w.item_id = i.item_id),
               f.pack_micro, f.pack_uom
          FROM found f JOIN item i USING (item_id)
        """,
        {
            "names": dumps(list(names)),
            "gtins": dumps(list(gtins)),
            "both": dumps([*gtins, *names]),
            "partner": partner,
        },
    )
    return [
        ItemFound(item_id, item, uom, tracking, bool(made), pack_micro, pack_uom)
        for item_id, item, uom, tracking, made, pack_micro, pack_uom in rows
    ]


def factor_to_base(conn: Connection, item_id: int, uom: str) -> Fraction | ConversionFault:
    """Return how many base units of an item one `uom` is, exactly (BF-2)."""
    item, base = conn.execute("SELECT item, uom FROM item WHERE item_id = ?", [item_id]).fetchone()
    if uom == base:
        return Fraction(1)
    rows = conn.execute(
        """
        SELECT item_id, from_uom, to_uom, factor_num, factor_den FROM unit_conversion
         WHERE item_id IN (0, ?)
        """,
        [item_id],
    )
    known = Conversions(
        Conversion(item if owner else "", from_uom, to_uom, Fraction(num, den))
        for owner, from_uom, to_uom, num, den in rows
    )
    return known.factor(item, uom, base)
