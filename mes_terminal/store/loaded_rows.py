"""What the last load said of each row of each file, as the bytes that were remembered.

Keys are JSON arrays of the key cells, contents JSON objects; both are made and read by the use
case. Reads are in bulk: a whole table, or the rows below some parents in one statement.
"""

import json
from collections.abc import Collection, Iterable

from mes_terminal.store.database import Connection
from mes_terminal.store.staging import is_set_down

Remembered = list[tuple[str, str]]
"""(key, content), both JSON texts."""


def read_table(conn: Connection, table: str) -> Remembered:
    """Return everything remembered of a file."""
    return conn.execute(
        "SELECT key, content FROM loaded_row WHERE table_name = ?", (table,)
    ).fetchall()


def read_keys(conn: Connection, table: str, keys: Collection[str]) -> Remembered:
    """Return what is remembered under some keys."""
    return conn.execute(
        """
        SELECT l.key, l.content
        FROM json_each(?) AS wanted
        CROSS JOIN loaded_row AS l ON l.table_name = ? AND l.key = wanted.value
        """,
        (json.dumps(list(keys)), table),
    ).fetchall()


def read_below(conn: Connection, table: str, prefixes: Collection[str]) -> Remembered:
    """Return what is remembered under keys that begin with one of `prefixes` (`["WO-1",`)."""
    return conn.execute(
        """
        SELECT l.key, l.content
        FROM json_each(?) AS wanted
        CROSS JOIN loaded_row AS l
            ON l.table_name = ? AND l.key >= wanted.value
            AND l.key < wanted.value || char(1114111)
        """,
        (json.dumps(list(prefixes)), table),
    ).fetchall()


def remember(conn: Connection) -> None:
    """Store what the load has said, as it was set down."""
    if is_set_down(conn, "loaded_rows"):
        conn.execute(
            """
            INSERT INTO loaded_row (table_name, key, content)
            SELECT s.table_name, s.key, s.content FROM temp.staged_loaded_rows AS s WHERE TRUE
            ON CONFLICT (table_name, key) DO UPDATE SET content = excluded.content
            """
        )


def forget(conn: Connection, table: str, keys: Iterable[str]) -> None:
    """Remove what a set no longer has."""
    conn.executemany(
        "DELETE FROM loaded_row WHERE table_name = ? AND key = ?", ((table, key) for key in keys)
    )
