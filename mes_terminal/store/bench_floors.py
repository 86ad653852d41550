"""What `bench` measures against: the statements of a real close, replayed bare.

`Recorder` notes every statement of a real close with its values; `replay` runs them again through
a bare connection in one transaction. `add_history` puts edges where years of production would have
put them. The other floor is `store.bench_lean`. Called by the benchmarks only, on databases they
have made.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from mes_terminal.store.database import Connection, Database

Statement = tuple[str, bool, Any]
"""SQL, whether it ran for many rows, and its values."""

EDGES_PER_REPORT: Final = 60
LOTS_OF_HISTORY: Final = 20_000
"""Component lots that history used, beside those the benchmark draws on."""

_CONTROL: Final = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_WAL_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24


class Recorder:
    """Stands in for a connection and notes every statement with its values."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.statements: list[Statement] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, values: Any = ()) -> Any:
        """Note the statement and run it."""
        self.statements.append((sql, False, _copied(values)))
        return self._connection.execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Any]) -> Any:
        """Note the statement with all its rows and run it."""
        kept = [_copied(row) for row in rows]
        self.statements.append((sql, True, kept))
        return self._connection.executemany(sql, kept)

    def taken(self) -> list[Statement]:
        """Return what was noted since the last call."""
        noted, self.statements = self.statements, []
        return noted


def _copied(values: Any) -> Any:
    return dict(values) if isinstance(values, dict) else tuple(values)


def without_control(statements: Sequence[Statement]) -> list[Statement]:
    """Leave out what begins and ends transactions: the replay has one of its own."""
    return [each for each in statements if not each[0].lstrip().upper().startswith(_CONTROL)]


def replay(connection: Connection, statements: Sequence[Statement]) -> None:
    """Run the statements again, with their values, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for sql, many, values in statements:
        if many:
            connection.executemany(sql, values)
        else:
            connection.execute(sql, values).fetchall()
    connection.execute("COMMIT")


def empty_wal(database: Database) -> None:
    """Move all of the WAL into the database, so that the file can be copied, or commits counted."""
    database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def synced_commits(database: Path) -> int:
    """Return how many commits the WAL of `database` holds; each is one sync (synchronous=FULL).

    Counts the frames that end a transaction and belong to the WAL's present salt.
    Source: SQLite, "The WAL File Format".
    """
    raw = database.with_name(f"{database.name}-wal").read_bytes()
    if len(raw) < _WAL_HEADER_BYTES:
        return 0
    page_bytes = int.from_bytes(raw[8:12], "big")
    salt = raw[16:24]
    frames = range(_WAL_HEADER_BYTES, len(raw), _FRAME_HEADER_BYTES + page_bytes)
    heads = (raw[at : at + _FRAME_HEADER_BYTES] for at in frames)
    return sum(1 for head in heads if head[8:16] == salt and any(head[4:8]))


def add_history(database: Database, edges: int) -> None:
    """Add `edges` genealogy edges of earlier reports, as if their lots had been used for years.

    Half of the parents are the lots that are in stock now, so that a close writes into the middle
    of a large index, as it would in a plant.
    """
    conn = database.conn
    (index,) = conn.execute("SELECT sql FROM sqlite_schema WHERE name = 'edge_forward'").fetchone()
    reports = -(-edges // EDGES_PER_REPORT)
    with database.transaction():
        in_stock = [
            row[0] for row in conn.execute("SELECT DISTINCT lot_id FROM balance ORDER BY lot_id")
        ]
        (first,) = conn.execute("SELECT max(lot_id) + 1 FROM lot").fetchone()
        conn.execute("INSERT INTO item (item, kind) VALUES ('HISTORY', 'purchased')")
        conn.executemany(
            "INSERT INTO lot (lot_id, item_id, lot) "
            "SELECT ?, item_id, ? FROM item WHERE item = 'HISTORY'",
            ((first + n, f"H-{n}") for n in range(LOTS_OF_HISTORY + reports)),
        )
        conn.execute("DROP INDEX edge_forward")
        conn.executemany(
            "INSERT INTO edge VALUES (?, ?, ?, 1, 1000000, 'assumed')",
            history(first, in_stock, edges),
        )
        conn.execute(index)


def history(first: int, in_stock: Sequence[int], edges: int) -> Iterable[tuple[int, int, int]]:
    """Yield child, parent and report of each edge, in key order."""
    for number in range(0, edges, EDGES_PER_REPORT):
        report = number // EDGES_PER_REPORT
        count = min(EDGES_PER_REPORT, edges - number)
        parents = {
            in_stock[(report * 7 + j) % len(in_stock)]
            if j % 2
            # a spread without chance: the same history on every machine
            else first + (report * 7919 + j * 104_729) % LOTS_OF_HISTORY
            for j in range(count)
        }
        spare = first
        while len(parents) < count:
            parents.add(spare)
            spare += 1
        child = first + LOTS_OF_HISTORY + report
        yield from ((child, parent, -1 - report) for parent in sorted(parents))
