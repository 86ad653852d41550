"""The lean floor of `bench`: the least a correct close needs, with tables of its own, one commit.

Correct means: the scan is kept once, the order's own lines carry what was issued (BF-4), the lot is
chosen by expiry and receipt (BF-15), no balance goes below zero (BF-19), movements and genealogy
are written, traced both ways, and with the report, the outcome of the scan and its place in the
outbox one chained event tells it (BF-12, UP-1). Left out is what makes a station of it: the
journal's own commit, shortages, mounted lots, certainty, scrap, conversions of policies,
exceptions, foreign keys and append-only triggers. Called by the benchmarks only.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.store.bench_floors import EDGES_PER_REPORT, LOTS_OF_HISTORY, history
from mes_terminal.store.database import WRITER_PRAGMAS
from mes_terminal.store.sqlite import sqlite

UNITS_PER_ORDER: Final = 10
"""The same as the station's orders have."""

_STOCK_MICRO: Final = 10**15
_OUTSIDE, _LINE, _FINISHED = 0, 1, 2

_TABLES: Final = (
    "CREATE TABLE scan (scan_seq INTEGER PRIMARY KEY, scan_id TEXT NOT NULL UNIQUE, "
    "raw BLOB NOT NULL) STRICT",
    "CREATE TABLE job (job_id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, "
    "item INTEGER NOT NULL, quantity INTEGER NOT NULL, done INTEGER NOT NULL) STRICT",
    "CREATE TABLE line (job_id INTEGER, position INTEGER, item INTEGER NOT NULL, "
    "per_unit INTEGER NOT NULL, issued INTEGER NOT NULL, PRIMARY KEY (job_id, position)) "
    "STRICT, WITHOUT ROWID",
    "CREATE TABLE lot (lot_id INTEGER PRIMARY KEY, item INTEGER NOT NULL, lot TEXT NOT NULL, "
    "UNIQUE (item, lot)) STRICT",
    "CREATE TABLE balance (balance_id INTEGER PRIMARY KEY, item INTEGER NOT NULL, "
    "place INTEGER NOT NULL, expires_on TEXT NOT NULL, received_at TEXT NOT NULL, "
    "lot_id INTEGER NOT NULL, quantity INTEGER NOT NULL CHECK (quantity >= 0)) STRICT",
    "CREATE INDEX pick ON balance (item, place, expires_on, received_at, lot_id) "
    "WHERE quantity > 0",
    "CREATE TABLE movement (movement_seq INTEGER PRIMARY KEY, event_seq INTEGER NOT NULL, "
    "lot_id INTEGER NOT NULL, source INTEGER NOT NULL, target INTEGER NOT NULL, "
    "quantity INTEGER NOT NULL) STRICT",
    "CREATE TABLE edge (child_id INTEGER, parent_id INTEGER, event_seq INTEGER, "
    "quantity INTEGER NOT NULL, PRIMARY KEY (child_id, parent_id, event_seq)) "
    "STRICT, WITHOUT ROWID",
    "CREATE TABLE event (event_seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, "
    "body TEXT NOT NULL) STRICT",
    "CREATE TABLE report (event_seq INTEGER PRIMARY KEY, job_id INTEGER NOT NULL, "
    "quantity INTEGER NOT NULL, lot_id INTEGER NOT NULL) STRICT",
    "CREATE TABLE outcome (scan_seq INTEGER PRIMARY KEY, event_seq INTEGER NOT NULL, "
    "outcome TEXT NOT NULL) STRICT",
    "CREATE TABLE outbox (event_seq INTEGER PRIMARY KEY, status TEXT NOT NULL) STRICT",
)
_FORWARD: Final = "CREATE INDEX edge_forward ON edge (parent_id, child_id, quantity)"

_HEAD: Final = """
SELECT job_id, item, quantity - done, (SELECT coalesce(max(event_seq), 0) FROM event),
       (SELECT hash FROM event ORDER BY event_seq DESC LIMIT 1),
       (SELECT coalesce(max(movement_seq), 0) FROM movement),
       (SELECT max(lot_id) + 1 FROM lot)
FROM job WHERE number = ?
"""
_LINES: Final = """
SELECT line.position, line.item, line.per_unit, balance.balance_id, balance.quantity,
       lot.lot_id, lot.lot
FROM line
JOIN balance ON balance.balance_id = (
    SELECT balance_id FROM balance
    WHERE item = line.item AND place = 1 AND quantity > 0
    ORDER BY expires_on, received_at, lot_id LIMIT 1)
JOIN lot ON lot.lot_id = balance.lot_id
WHERE line.job_id = ? ORDER BY line.position
"""


class LeanStation:
    """A station that can do nothing but close an order that is covered by one lot a line."""

    def __init__(self, path: Path, *, sizes: Sequence[int], orders: int, edges: int) -> None:
        """Make the tables, stock, `orders` orders of each size (components), and history."""
        self.path = path
        self.conn = sqlite.connect(str(path), isolation_level=None)
        for name, value in WRITER_PRAGMAS.items():
            self.conn.execute(f"PRAGMA {name} = {value}")
        self.conn.execute("BEGIN")
        for statement in _TABLES:
            self.conn.execute(statement)
        self._add_stock(sum(sizes), edges)
        self._add_orders(sizes, orders)
        self.conn.execute("COMMIT")

    def _add_stock(self, parts: int, edges: int) -> None:
        of_history = LOTS_OF_HISTORY + -(-edges // EDGES_PER_REPORT) if edges else 0
        self.conn.executemany(
            "INSERT INTO lot VALUES (?, ?, ?)",
            ((n, n, f"L-{n}") for n in range(1, parts + of_history + 1)),
        )
        self.conn.executemany(
            "INSERT INTO balance VALUES (?, ?, ?, '9999-12-31', '2026-01-01T00:00:00Z', ?, ?)",
            ((n, n, _LINE, n, _STOCK_MICRO) for n in range(1, parts + 1)),
        )
        self.conn.executemany(
            "INSERT INTO edge VALUES (?, ?, ?, 1000000)",
            history(parts + 1, range(1, parts + 1), edges),
        )
        self.conn.execute(_FORWARD)

    def _add_orders(self, sizes: Sequence[int], orders: int) -> None:
        job_id, first_part = 0, 1
        for size in sizes:
            for number in range(orders):
                job_id += 1
                self.conn.execute(
                    "INSERT INTO job VALUES (?, ?, ?, ?, 0)",
                    [job_id, f"WO-{size}-{number}", -size, UNITS_PER_ORDER * MICRO],
                )
                self.conn.executemany(
                    "INSERT INTO line VALUES (?, ?, ?, ?, 0)",
                    _parts_list(job_id, first_part, size),
                )
            first_part += size

    def close_order(self, number: str, scan_id: str) -> None:
        """Close an order: draw each line, receive the product, note genealogy, append the event."""
        execute, executemany = self.conn.execute, self.conn.executemany
        execute("BEGIN IMMEDIATE")
        scan_seq = execute(
            "INSERT INTO scan (scan_id, raw) VALUES (?, ?)", [scan_id, number.encode()]
        ).lastrowid
        job_id, product, made, event_seq, previous, movement_seq, child = execute(
            _HEAD, [number]
        ).fetchone()
        event_seq += 1
        draws = [
            (position, item, per_unit * made // MICRO, balance_id, left, lot_id, lot)
            for position, item, per_unit, balance_id, left, lot_id, lot in execute(_LINES, [job_id])
        ]
        moves = [(lot_id, _LINE, _OUTSIDE, drawn) for _, _, drawn, _, _, lot_id, _ in draws]
        moves.append((child, _OUTSIDE, _FINISHED, made))
        executemany(
            "UPDATE line SET issued = issued + ? WHERE job_id = ? AND position = ?",
            [(drawn, job_id, position) for position, _, drawn, *_ in draws],
        )
        executemany(
            "UPDATE balance SET quantity = ? WHERE balance_id = ?",
            [(left - drawn, balance_id) for _, _, drawn, balance_id, left, _, _ in draws],
        )
        execute("INSERT INTO lot VALUES (?, ?, ?)", [child, product, number])
        execute(
            "INSERT INTO balance (item, place, expires_on, received_at, lot_id, quantity) "
            "VALUES (?, 2, '9999-12-31', '', ?, ?)",
            [product, child, made],
        )
        executemany(
            "INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?)",
            [(seq, event_seq, *move) for seq, move in enumerate(moves, movement_seq + 1)],
        )
        executemany(
            "INSERT INTO edge VALUES (?, ?, ?, ?)",
            [(child, lot_id, event_seq, drawn) for _, _, drawn, _, _, lot_id, _ in draws],
        )
        body = _event_body(scan_id, number, made, draws)
        digest = hashlib.sha256((previous or "0" * 64).encode() + body).hexdigest()
        execute("INSERT INTO event VALUES (?, ?, ?)", [event_seq, digest, body.decode()])
        execute("INSERT INTO outbox VALUES (?, 'waiting')", [event_seq])
        execute("INSERT INTO report VALUES (?, ?, ?, ?)", [event_seq, job_id, made, child])
        execute("UPDATE job SET done = done + ? WHERE job_id = ?", [made, job_id])
        execute("INSERT INTO outcome VALUES (?, ?, 'completed')", [scan_seq, event_seq])
        execute("COMMIT")

    def checkpoint(self) -> None:
        """Move the WAL into the database."""
        self.conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def close(self) -> None:
        """Close the connection."""
        self.conn.close()


def _event_body(scan_id: str, number: str, made: int, draws: Sequence[tuple[Any, ...]]) -> bytes:
    consumed = [
        {"item": item, "lot": lot, "quantity": format_quantity(drawn)}
        for _, item, drawn, _, _, _, lot in draws
    ]
    return msgspec.json.encode(
        {"scan_id": scan_id, "order": number, "made": format_quantity(made), "consumed": consumed}
    )


def _parts_list(job_id: int, first_part: int, size: int) -> Iterable[tuple[int, int, int, int]]:
    for position in range(size):
        yield job_id, position, first_part + position, (1 + position % 4) * MICRO
