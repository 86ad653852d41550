"""Rows of a load, set down beside the database before the transaction that applies them.

They stand in temporary tables of the writing connection, `temp.staged_<name>`: filling those takes
no lock and can be done in parts, between scans. One statement a table then moves all its rows, so
that the transaction is short. Called by the load only; one load at a time.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct, structs

from mes_terminal.store.database import Connection

ROWS_A_PART: Final = 2_000
"""Rows set down in one turn of the store thread: some 20 ms, which a scan may wait."""


class Batch(Struct, frozen=True):
    """Rows for `temp.staged_<name>`, values in the order of `filled`; other columns are NULL.

    To bind a NULL costs as much as twenty integers, and most columns of most files are empty.
    """

    name: str
    columns: tuple[str, ...]
    filled: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]


def parts_of(batches: Sequence[Batch]) -> Iterator[Batch]:
    """Yield the batches in parts of a bounded number of rows."""
    for batch in batches:
        for start in range(0, len(batch.rows), ROWS_A_PART):
            yield structs.replace(batch, rows=batch.rows[start : start + ROWS_A_PART])


def clear(conn: Connection) -> None:
    """Take away what an earlier load has set down."""
    found = conn.execute(
        "SELECT name FROM temp.sqlite_schema WHERE type = 'table' AND name GLOB 'staged_*'"
    )
    for (name,) in found.fetchall():
        conn.execute(f'DROP TABLE temp."{name}"')


def set_down(conn: Connection, part: Batch) -> None:
    """Add rows to their temporary table; inside a transaction or not."""
    conn.execute(f"CREATE TEMP TABLE IF NOT EXISTS staged_{part.name} ({_listed(part.columns)})")
    into = f"staged_{part.name} ({_listed(part.filled)})"
    marks = ", ".join("?" * len(part.filled))
    insert = f"INSERT INTO temp.{into} VALUES ({marks})"  # noqa: S608
    if conn.in_transaction:
        conn.executemany(insert, part.rows)
        return
    conn.execute("BEGIN")
    try:
        conn.executemany(insert, part.rows)
        conn.execute("COMMIT")
    except BaseException:
        conn.execute("ROLLBACK")
        raise


def is_set_down(conn: Connection, name: str) -> bool:
    """Tell whether any row of a batch was set down."""
    found = conn.execute("SELECT 1 FROM temp.sqlite_schema WHERE name = ?", (f"staged_{name}",))
    return found.fetchone() is not None


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
