"""Stock, lots and mounted containers as the supervisor's desk pages through them.

What there is of an item is found by the partial indexes of `balance`, so that what was used up long
ago costs nothing. Called by `usecases.desk_stock`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream

_PART_COLUMNS: Final = """balance.item_id, balance.lot_id, balance.lot, balance.location_id,
           balance.container_id, balance.expires_on, balance.received_at"""


def _parts(which: str) -> str:
    """Return the balances that hold something or owe it, each by a partial index."""
    return f"""(
    SELECT {_PART_COLUMNS}, balance.quantity_micro, 0 AS held FROM balance
    WHERE {which} balance.pickable = 1
    UNION ALL
    SELECT {_PART_COLUMNS}, balance.quantity_micro, 1 FROM balance
    WHERE {which} balance.pickable = 0 AND balance.quantity_micro > 0
    UNION ALL
    SELECT {_PART_COLUMNS}, balance.quantity_micro, 0 FROM balance
    WHERE {which} balance.quantity_micro < 0)"""  # noqa: S608


_ITEM_FOUND: Final = "(item.item LIKE :text ESCAPE '\\' OR item.description LIKE :text ESCAPE '\\')"

_ITEMS: Final = f"""
SELECT item.item_id, item.item, item.description, item.uom, item.standard_cost_micro,
       item.cost_per_micro, :text IS NULL OR {_ITEM_FOUND}
FROM item
WHERE item.item >= :item
  AND (EXISTS (SELECT 1 FROM balance WHERE balance.item_id = item.item_id AND balance.pickable = 1)
       OR EXISTS (SELECT 1 FROM balance WHERE balance.item_id = item.item_id
                  AND balance.pickable = 0 AND balance.quantity_micro > 0)
       OR EXISTS (SELECT 1 FROM balance WHERE balance.item_id = item.item_id
                  AND balance.quantity_micro < 0))
  AND (:text IS NULL OR {_ITEM_FOUND}
       OR EXISTS (SELECT 1 FROM location WHERE location.location LIKE :text ESCAPE '\\')
       OR item.item_id IN (SELECT item_id FROM lot WHERE lot.lot LIKE :text ESCAPE '\\'
                           OR lot.serial LIKE :text ESCAPE '\\'))
ORDER BY item.item
"""  # noqa: S608

# A sum is taken in two parts, as everywhere: see `store.lists`.
_PLACES: Final = f"""
SELECT location.location, location.kind,
       sum(part.quantity_micro / 1000000), sum(part.quantity_micro % 1000000),
       sum(part.held * (part.quantity_micro / 1000000)),
       sum(part.held * (part.quantity_micro % 1000000)),
       count(DISTINCT CASE WHEN part.lot <> '' THEN part.lot_id END)
FROM {_parts("balance.item_id = :item_id AND")} AS part
JOIN location ON location.location_id = part.location_id
WHERE location.kind <> 'virtual' AND location.location > :location
  AND (:found OR location.location LIKE :text ESCAPE '\\' OR part.lot LIKE :text ESCAPE '\\'
       OR part.lot_id IN (SELECT lot_id FROM lot WHERE lot.item_id = :item_id
                          AND lot.lot LIKE :text ESCAPE '\\'))
GROUP BY location.location
ORDER BY location.location
"""  # noqa: S608

STOCK_COUNT: Final = f"""
SELECT count(*) FROM (
    SELECT DISTINCT part.item_id, part.location_id
    FROM {_parts("")} AS part
    WHERE part.location_id NOT IN (SELECT location_id FROM location WHERE kind = 'virtual')
      AND (:text IS NULL OR part.lot LIKE :text ESCAPE '\\'
           OR part.item_id IN (SELECT item_id FROM item WHERE {_ITEM_FOUND})
           OR part.location_id IN (SELECT location_id FROM location
                                   WHERE location.location LIKE :text ESCAPE '\\')
           OR part.lot_id IN (SELECT lot_id FROM lot WHERE lot.lot LIKE :text ESCAPE '\\')))
"""  # noqa: S608

_HERE: Final = """balance.item_id = (SELECT item_id FROM item WHERE item.item = :item)
          AND balance.location_id = (SELECT location_id FROM location
                                     WHERE location.location = :location) AND"""
STOCK_LOTS: Final = f"""
SELECT nullif(lot.lot, ''), nullif(lot.serial, ''), container.container, sum(part.quantity_micro),
       lot.status, lot.expires_on, lot.received_at
FROM {_parts(_HERE)} AS part
JOIN lot ON lot.lot_id = part.lot_id
LEFT JOIN container ON container.container_id = part.container_id
GROUP BY part.lot_id, part.container_id
ORDER BY lot.status <> 'available', part.expires_on, part.received_at, lot.lot, lot.serial,
         container.container
"""  # noqa: S608

_THERE: Final = """lot.lot_id IN (
          SELECT balance.lot_id FROM balance WHERE balance.pickable = 1
          UNION ALL
          SELECT balance.lot_id FROM balance
          WHERE balance.pickable = 0 AND balance.quantity_micro > 0)"""
_LOT_WHICH: Final = f"""lot.lot <> ''
  AND (:on_hand IS NULL OR {_THERE})
  AND (:held IS NULL OR lot.status <> 'available')
  AND (:expired IS NULL OR lot.expires_on < :today)
  AND (:text IS NULL OR lot.lot LIKE :text ESCAPE '\\' OR lot.serial LIKE :text ESCAPE '\\'
       OR lot.supplier_lot LIKE :text ESCAPE '\\'
       OR lot.item_id IN (SELECT item_id FROM item WHERE {_ITEM_FOUND}))"""  # noqa: S608

# min(lot.serial) takes the other columns from the row of the lot itself: see `store.lists`.
LOTS: Final = f"""
SELECT item.item, item.description, item.uom, lot.lot, lot.status, lot.expires_on,
       lot.received_at, lot.supplier, lot.supplier_lot, min(lot.serial),
       coalesce(sum(balance.quantity_micro / 1000000), 0),
       coalesce(sum(balance.quantity_micro % 1000000), 0),
       count(DISTINCT CASE WHEN balance.container_id > 0 THEN balance.container_id END),
       hung.position
FROM item
CROSS JOIN lot ON lot.item_id = item.item_id
LEFT JOIN (SELECT mount.lot_id, min(mount.position) AS position FROM mount
           GROUP BY mount.lot_id) AS hung ON hung.lot_id = lot.lot_id
LEFT JOIN balance ON balance.lot_id = lot.lot_id AND balance.quantity_micro <> 0
    AND balance.location_id NOT IN (SELECT location_id FROM location WHERE kind = 'virtual')
WHERE item.item >= :item AND (item.item > :item OR lot.lot > :lot) AND {_LOT_WHICH}
GROUP BY item.item, lot.lot
ORDER BY item.item, lot.lot
"""  # noqa: S608

LOT_COUNT: Final = f"""
SELECT count(*) FROM (SELECT DISTINCT lot.item_id, lot.lot FROM lot WHERE {_LOT_WHICH})
"""  # noqa: S608

LOT_PLACES: Final = """
SELECT location.location, container.container, nullif(lot.serial, ''), sum(balance.quantity_micro)
FROM lot
JOIN balance ON balance.lot_id = lot.lot_id AND balance.quantity_micro <> 0
JOIN location ON location.location_id = balance.location_id AND location.kind <> 'virtual'
LEFT JOIN container ON container.container_id = balance.container_id
WHERE lot.item_id = (SELECT item_id FROM item WHERE item.item = :item) AND lot.lot = :lot
GROUP BY location.location, balance.container_id, lot.serial
ORDER BY location.location, container.container, lot.serial
"""

LOT_HELD: Final = """
SELECT event.event_time, coalesce(operator.name, event.person), event.reason
FROM event
LEFT JOIN operator ON operator.badge = event.person
WHERE event.event_seq > (SELECT coalesce(max(event_seq), 0) FROM event) - :entries
  AND event.type = 'lot.status_changed'
  AND event.body ->> '$.data.detail.item' = :item
  AND event.body ->> '$.data.detail.lot' = :lot
ORDER BY event.event_seq DESC
LIMIT 1
"""

_MOUNTED: Final = """
FROM mount
JOIN item ON item.item_id = mount.item_id
JOIN lot ON lot.lot_id = mount.lot_id
JOIN location ON location.location_id = mount.location_id
LEFT JOIN container ON container.container_id = mount.container_id
WHERE mount.position > :position
  AND (:text IS NULL OR mount.position LIKE :text ESCAPE '\\' OR item.item LIKE :text ESCAPE '\\'
       OR item.description LIKE :text ESCAPE '\\' OR lot.lot LIKE :text ESCAPE '\\'
       OR container.container LIKE :text ESCAPE '\\')"""
_NEXT: Final = """FROM balance
        WHERE balance.item_id = mount.item_id AND balance.location_id = mount.location_id
          AND balance.pickable = 1 AND balance.lot_id <> mount.lot_id
        ORDER BY balance.expires_on, balance.received_at, balance.lot LIMIT 1"""

MOUNTS: Final = f"""
SELECT mount.position, item.item, item.description, item.uom, nullif(lot.lot, ''),
       nullif(lot.serial, ''), container.container, location.location, mount.mounted_at,
       lot.status, lot.expires_on,
       (SELECT coalesce(sum(balance.quantity_micro), 0) FROM balance
        WHERE balance.lot_id = mount.lot_id AND balance.location_id = mount.location_id
          AND (mount.container_id = 0 OR balance.container_id = mount.container_id)),
       (SELECT balance.lot {_NEXT}), (SELECT balance.quantity_micro {_NEXT})
{_MOUNTED}
ORDER BY mount.position
"""  # noqa: S608

MOUNT_COUNT: Final = f"SELECT count(*) {_MOUNTED}"


def read_places(
    database: Database, text: str | None, *, item: str, location: str
) -> Iterator[tuple[Any, ...]]:
    """Yield what there is of an item at a place, by item and location, after the one given.

    Columns: item, description, unit, cost, what the cost is for, then those of a place.
    """
    items = stream(database, _ITEMS, {"text": text, "item": item})
    for item_id, name, description, uom, cost, cost_per, found in items:
        asked: Mapping[str, str | int | None] = {
            "item_id": item_id,
            "text": text,
            "found": found,
            "location": location if name == item else "",
        }
        for row in stream(database, _PLACES, asked):
            yield (name, description, uom, cost, cost_per, *row)
