"""What has come down to the station: up to which version, and what waits to be applied (UP-9).

Writes run inside the caller's transaction. Called by `usecases.apply_down`.
"""

from collections.abc import Iterable, Sequence

import msgspec

from mes_terminal.domain.delivery import ConfirmedOutcome, DownDocument
from mes_terminal.store.database import Connection

_decode = msgspec.json.Decoder(DownDocument).decode


def read_version(conn: Connection) -> int:
    """Return the version up to which everything was applied, or is kept in `down_waiting`."""
    version: int = conn.execute("SELECT down_version FROM upstream_state").fetchone()[0]
    return version


def set_version(conn: Connection, version: int) -> None:
    """Remember that everything up to this version was seen to; it never goes back."""
    conn.execute(
        "UPDATE upstream_state SET down_version = ? WHERE down_version < ?", [version, version]
    )


def read_waiting(conn: Connection) -> list[DownDocument]:
    """Return what could not be applied, in order of version."""
    rows = conn.execute("SELECT document FROM down_waiting ORDER BY version")
    return [_decode(document) for (document,) in rows]


def read_to_try(conn: Connection) -> list[DownDocument]:
    """Return what may be applied by now, in order of version: all that waits, but for what is about
    an item that is still not known here."""
    rows = conn.execute(
        """
        SELECT document FROM down_waiting
         WHERE outcome <> 'not_here'
            OR EXISTS (SELECT 1 FROM item WHERE item.item = document ->> '$.data.item')
         ORDER BY version
        """
    )
    return [_decode(document) for (document,) in rows]


def first_refused(conn: Connection) -> str | None:
    """Return why the oldest of what stands refused was; `None`: nothing does."""
    row = conn.execute(
        """
        SELECT coalesce(sentence, key) FROM down_waiting WHERE outcome = 'refused'
         ORDER BY version LIMIT 1
        """
    ).fetchone()
    return row[0] if row else None


def keep_waiting(
    conn: Connection, document: DownDocument, outcome: ConfirmedOutcome, sentence: str | None
) -> None:
    """Keep a document that cannot be applied yet; a later one of its key takes its place."""
    conn.execute(
        """
        INSERT INTO down_waiting (key, version, document, outcome, sentence)
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (key) DO UPDATE SET version = excluded.version, document = excluded.document,
            outcome = excluded.outcome, sentence = excluded.sentence
        """,
        [document.key, document.version, msgspec.json.encode(document).decode(), outcome, sentence],
    )


def let_go(conn: Connection, documents: Iterable[DownDocument]) -> None:
    """Forget what waits under the keys of these: they, or older ones, have been applied."""
    pairs = [(each.key, each.version) for each in documents]
    conn.executemany("DELETE FROM down_waiting WHERE key = ? AND version <= ?", pairs)


def lots_of(
    conn: Connection, item: str, lot: str | None, serial: str | None
) -> Sequence[tuple[int, str]] | None:
    """Return the rows of a lot (each of its serials too) or of a serial, with their status; `None`
    where the item is not known."""
    found = conn.execute("SELECT item_id FROM item WHERE item = ?", [item]).fetchone()
    if found is None:
        return None
    rows: Sequence[tuple[int, str]] = conn.execute(
        """
        SELECT lot_id, status FROM lot
         WHERE item_id = :item_id AND lot = coalesce(:lot, lot)
           AND serial = coalesce(:serial, serial) AND (lot <> '' OR serial <> '')
         ORDER BY lot_id
        """,
        {"item_id": found[0], "lot": lot, "serial": serial},
    ).fetchall()
    return rows


def make_lot(conn: Connection, item: str, lot: str | None, serial: str | None, status: str) -> None:
    """Make the row of a lot that is not here yet, so that it has its status when it comes."""
    conn.execute(
        """
        INSERT INTO lot (item_id, lot, serial, status)
        SELECT item_id, ?, ?, ? FROM item WHERE item = ?
        """,
        [lot or "", serial or "", status, item],
    )
