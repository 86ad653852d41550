"""What a comparison with upstream reads: own stock, own locations, postings that upstream's figures
lack, and those figures as the core noted them last. Called by `usecases.reconcile`.

`note_reading` runs inside the caller's transaction.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import astuple

from mes_terminal.domain.conversions import Conversion, Conversions
from mes_terminal.domain.reconcile import StockKey, stock_key
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.lists import stream

EVERYTHING: Final = 2**63 - 1
"""A watermark of figures that have whatever was delivered."""

_OWN: Final = """
SELECT location FROM location
WHERE kind <> 'virtual' AND kind <> 'scrap' AND (station IS NULL OR station = :station)
"""

_STOCK: Final = """
SELECT item.item, lot.lot, lot.serial, location.location,
       sum(balance.quantity_micro / 1000000), sum(balance.quantity_micro % 1000000)
FROM balance
JOIN lot ON lot.lot_id = balance.lot_id
JOIN item ON item.item_id = lot.item_id
JOIN location ON location.location_id = balance.location_id
WHERE balance.quantity_micro <> 0 AND (:item IS NULL OR item.item = :item)
GROUP BY balance.lot_id, balance.location_id
"""

# What is not delivered; and of what is that which came after the figures, by number. A row that was
# pruned was delivered long ago. What is delivered and kept is never walked: it may be of months.
POSTINGS: Final = """
SELECT event.outbox_seq, event.body, delivery.status, delivery.let_go
  FROM delivery CROSS JOIN event ON event.outbox_seq = delivery.outbox_seq
 WHERE delivery.status <> 'delivered' AND delivery.let_go = 0
UNION ALL
SELECT event.outbox_seq, event.body, delivery.status, delivery.let_go
  FROM delivery CROSS JOIN event ON event.outbox_seq = delivery.outbox_seq
 WHERE delivery.let_go = 1
UNION ALL
SELECT event.outbox_seq, event.body, 'delivered', 0
  FROM event LEFT JOIN delivery ON delivery.outbox_seq = event.outbox_seq
 WHERE event.outbox_seq > :watermark AND coalesce(delivery.status, 'delivered') = 'delivered'
"""

LET_GO: Final = """
SELECT event.body FROM delivery CROSS JOIN event ON event.outbox_seq = delivery.outbox_seq
 WHERE delivery.let_go = 1
"""

# What came after figures that tell a time.
_SINCE: Final = """
SELECT event.outbox_seq, event.body, 'delivered', 0
  FROM delivery JOIN event ON event.outbox_seq = delivery.outbox_seq
 WHERE delivery.status = 'delivered' AND delivery.delivered_at > :at
   AND event.outbox_seq <= :watermark
"""

# What was refused when the figures were read, and accepted since.
_ACCEPTED: Final = """
SELECT event.outbox_seq, event.body, 'delivered', 0
  FROM json_each(:refused)
  CROSS JOIN delivery ON delivery.outbox_seq = json_each.value
  CROSS JOIN event ON event.outbox_seq = delivery.outbox_seq
 WHERE delivery.status = 'delivered' AND event.outbox_seq <= :watermark
"""

# What was refused has been judged, so the receiver's watermark goes past it; it has an effect from
# when it is accepted, which ends its exception.
_REFUSED: Final = """
SELECT subject FROM exception WHERE kind = 'posting_refused' AND status = 'open'
UNION ALL
SELECT subject FROM exception
 WHERE kind = 'posting_refused' AND ended_at IS NOT NULL AND ended_at > :noted_at
"""

_READING: Final = """
SELECT as_of, watermark, epoch, pieces, beyond, noted_at FROM upstream_reading
"""
_FIGURES: Final = """
SELECT item, lot, serial, location, quantity_micro FROM upstream_stock
WHERE :item IS NULL OR item = :item
"""


class Reading(Struct, frozen=True):
    """Upstream's figures: when they were true, and up to which posting of which epoch they go."""

    as_of: str
    watermark: int
    epoch: str
    pieces: int
    beyond: str
    """JSON: what else they have, behind gaps, as first and last."""
    noted_at: str
    """When the core read them, by the station's clock."""


class Queued(Struct, frozen=True):
    """A posting that upstream's figures lack."""

    sequence: int
    body: str
    status: str
    let_go: bool


def own_locations(database: Database, station: str) -> frozenset[str]:
    """Return the locations whose stock this station writes, but for scrap."""
    rows = database.conn.execute(_OWN, {"station": station})
    return frozenset(location for (location,) in rows)


def stock(database: Database, item: str | None) -> Iterator[tuple[StockKey, int]]:
    """Yield the station's stock by lot, serial and location, at scrap locations too."""
    for name, lot, serial, location, whole, rest in stream(database, _STOCK, {"item": item}):
        yield stock_key(name, lot, serial, location), whole * 1_000_000 + rest


def units(database: Database) -> dict[str, str]:
    """Return the unit of each item."""
    return dict(database.conn.execute("SELECT item, uom FROM item").fetchall())


def conversions(database: Database) -> Conversions:
    """Return the unit conversions of every item (BF-2)."""
    rows = database.conn.execute(
        """
        SELECT coalesce(item.item, ''), from_uom, to_uom, factor_num, factor_den
          FROM unit_conversion LEFT JOIN item ON item.item_id = unit_conversion.item_id
        """
    )
    return Conversions(
        Conversion(item, from_uom, to_uom, Fraction(num, den))
        for item, from_uom, to_uom, num, den in rows
    )


def postings(
    database: Database, *, watermark: int, at: str | None, refused: Collection[int]
) -> Iterator[Queued]:
    """Yield what upstream's figures lack: they have what was delivered up to `watermark`, but not
    after `at`, nor these that were `refused` then. In no order: sorting would hold all the
    documents."""
    asked = {"watermark": watermark, "at": at, "refused": json.dumps(sorted(refused))}
    parts = [POSTINGS, *([_SINCE] if at is not None else []), *([_ACCEPTED] if refused else [])]
    statement = " UNION ALL ".join(parts)
    for sequence, body, status, let_go in stream(database, statement, asked):
        yield Queued(sequence, body, status, bool(let_go))


def refused_subjects(database: Database, *, noted_at: str) -> list[str]:
    """Return what the exceptions of postings are about that were refused at `noted_at`, or are."""
    rows = database.conn.execute(_REFUSED, {"noted_at": noted_at})
    return [subject for (subject,) in rows]


def bodies_let_go(database: Database) -> Iterator[str]:
    """Yield the documents that upstream refused for good."""
    rows = database.conn.execute(LET_GO)
    for (body,) in rows:
        yield body


def reading(database: Database) -> Reading | None:
    """Return what the core noted last of upstream's stock; `None`: nothing yet."""
    row = database.conn.execute(_READING).fetchone()
    return Reading(*row) if row else None


def figures(database: Database, item: str | None) -> Iterator[tuple[StockKey, int]]:
    """Yield upstream's stock as it was noted last."""
    for name, lot, serial, location, micro in stream(database, _FIGURES, {"item": item}):
        yield stock_key(name, lot, serial, location), micro


def stamp(database: Database) -> tuple[Any, ...]:
    """Return what changes with anything that a comparison follows from."""
    row: tuple[Any, ...] = database.conn.execute(
        """
        SELECT (SELECT noted_at FROM upstream_reading), (SELECT max(event_seq) FROM event),
               settled, refused, parked FROM upstream_state
        """
    ).fetchone()
    return row


def noted_at(database: Database) -> str | None:
    """Return when upstream's stock was noted last; `None`: never."""
    row = database.conn.execute("SELECT noted_at FROM upstream_reading").fetchone()
    return row[0] if row else None


def note_reading(
    conn: Connection,
    noted: Reading,
    *,
    differ: Iterable[tuple[StockKey, int]],
    gone: Iterable[StockKey],
) -> None:
    """Keep upstream's figures in place of those before: what is not the same, and what is no
    more."""
    conn.executemany(
        """
        DELETE FROM upstream_stock WHERE item = ? AND lot = ? AND serial = ? AND location = ?
        """,
        map(_cells, gone),
    )
    conn.executemany(
        "INSERT OR REPLACE INTO upstream_stock VALUES (?, ?, ?, ?, ?)",
        [(*_cells(key), micro) for key, micro in differ],
    )
    conn.execute(
        "INSERT OR REPLACE INTO upstream_reading VALUES (1, ?, ?, ?, ?, ?, ?)",
        list(astuple(noted)),
    )


def _cells(key: StockKey) -> tuple[str, str, str, str]:
    return key.item, key.lot or "", key.serial or "", key.location or ""
