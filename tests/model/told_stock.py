"""What the postings say of stock, beside the ledger: the same, posting by posting and in sum.

The ledger is read here by SQL of its own, the postings as any receiver would.
"""

from collections import defaultdict
from typing import Any, Final

from mes_terminal.domain.reconcile import StockKey, effects_of, read_posting, stock_key
from mes_terminal.store.database import Database

Stock = dict[StockKey, int]

NO_STOCK: Final = ("scrap", "virtual")
"""Kinds of locations where nothing is anybody's stock."""

_MOVED: Final = """
    SELECT m.event_seq, i.item, l.lot, l.serial, f.location, f.kind, t.location, t.kind,
           m.quantity_micro
      FROM movement m
      JOIN lot l ON l.lot_id = m.lot_id JOIN item i ON i.item_id = l.item_id
      JOIN location f ON f.location_id = m.from_location_id
      JOIN location t ON t.location_id = m.to_location_id
"""
_BALANCES: Final = """
    SELECT i.item, l.lot, l.serial, p.location, sum(b.quantity_micro)
      FROM balance b JOIN lot l ON l.lot_id = b.lot_id JOIN item i ON i.item_id = l.item_id
      JOIN location p ON p.location_id = b.location_id
     WHERE p.kind NOT IN ('scrap', 'virtual') GROUP BY 1, 2, 3, 4
"""


def moved_by_event(db: Database) -> dict[int, Stock]:
    """Return what each event of the log did to stock, by its movements."""
    moved: dict[int, Stock] = defaultdict(lambda: defaultdict(int))
    for seq, item, lot, serial, origin, left, target, came, micro in db.conn.execute(_MOVED):
        if left not in NO_STOCK:
            moved[seq][stock_key(item, lot, serial, origin)] -= micro
        if came not in NO_STOCK:
            moved[seq][stock_key(item, lot, serial, target)] += micro
    return {seq: some for seq, all_of_it in moved.items() if (some := _not_zero(all_of_it))}


def told_by_event(db: Database) -> dict[int, Stock]:
    """Return what each posting says that it did to stock, by the sequence of the log."""
    places = dict(db.conn.execute("SELECT location, kind FROM location").fetchall())
    told: dict[int, Stock] = {}
    rows = db.conn.execute("SELECT event_seq, body FROM event WHERE outbox_seq IS NOT NULL")
    for seq, body in rows:
        net: Stock = defaultdict(int)
        for key, micro in effects_of(read_posting(body)):
            if places[key.location] not in NO_STOCK:
                net[key] += micro
        if some := _not_zero(net):
            told[seq] = some
    return told


def in_sum(effects: dict[int, Stock]) -> Stock:
    """Return what all of it comes to."""
    total: Stock = defaultdict(int)
    for effect in effects.values():
        for key, micro in effect.items():
            total[key] += micro
    return _not_zero(total)


def stock_of(db: Database) -> Stock:
    """Return the station's stock."""
    total: Stock = defaultdict(int)
    for item, lot, serial, location, micro in db.conn.execute(_BALANCES):
        total[stock_key(item, lot, serial, location)] += micro
    return _not_zero(total)


def assert_all_is_told(db: Database) -> dict[int, Stock]:
    """Assert that postings and ledger agree; return what the postings say."""
    told, moved = told_by_event(db), moved_by_event(db)
    differing = {seq for seq in told.keys() | moved.keys() if told.get(seq) != moved.get(seq)}
    assert not differing, [_story(db, seq, told, moved) for seq in sorted(differing)[:3]]
    assert in_sum(told) == stock_of(db)
    return told


def _story(db: Database, seq: int, told: dict[int, Stock], moved: dict[int, Stock]) -> Any:
    body = db.conn.execute("SELECT body FROM event WHERE event_seq = ?", [seq]).fetchone()[0]
    return {"told": told.get(seq), "moved": moved.get(seq), "body": body}


def _not_zero(stock: Stock) -> Stock:
    return {key: micro for key, micro in stock.items() if micro}
