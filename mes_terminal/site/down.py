"""The road down: what stations are to know, kept by key, handed out by version (UP-9).

A document takes the place of an older one of its key, so that a station that was away gets each
order, item and hold once, as it stands now. Versions follow one another without a gap in the order
in which they become visible. Called by the doors, the command line and the ERP bridge.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw, Struct

from mes_terminal.domain.delivery import (
    ConflictData,
    DownDocument,
    DownKind,
    LotStatusData,
    TablesData,
)
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.exchange.down_tables import Rows, key_of
from mes_terminal.site.doors import SiteBusyError
from mes_terminal.site.tables_down import note_tables
from mes_terminal.site.versions import overtake

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from mes_terminal.domain.delivery import Confirmation
    from mes_terminal.site.database import Connection, SiteDatabase

DOCUMENT_MAX_BYTES: Final = 512 * 1024
"""What one message of a broker carries with room to spare; larger sets of rows are parted."""
CONFLICTS_TOGETHER: Final = 500
LISTEN_TIMEOUT_S: Final = 1.0
"""How often the listener looks whether it is to end, and for what was not told."""
REACHABLE_S: Final = 60.0
"""A station that has not asked for so long counts as out of reach."""


class Draft(Struct, frozen=True, kw_only=True):
    """A document before it has its version."""

    key: str
    kind: DownKind
    data: bytes
    stations: Sequence[str] = ()


class Reached(Struct, frozen=True, kw_only=True):
    """How far a station is with a version."""

    source: str
    state: str
    """`applied`, `not_here`, `refused`, `waiting`, or `out_of_reach`."""
    at: str | None
    sentence: str | None = None


class DownRoad:
    """What goes down, in the site's database."""

    def __init__(self, database: SiteDatabase) -> None:
        self._database = database
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._lock = threading.Lock()

    def publish_tables(self, documents: Sequence[Rows], *, stations: Sequence[str] = ()) -> int:
        """Hand tables down, in order; return the highest version, 0 if there was none.

        What is there with the same content stays as it is. Raises `SiteBusyError`, `ValueError`
        for a thing that is too large.
        """
        drafts = table_drafts(documents, stations=stations)
        with self._database.transaction() as conn:
            note_tables(conn, documents)
            return publish(conn, drafts)

    def orders(self) -> list[Rows]:
        """Return the orders that were handed down, each with its rows. `SiteBusyError`."""
        with self._database.transaction() as conn:
            return [msgspec.json.decode(data, type=TablesData).tables for (data,) in
                    conn.execute(_ORDERS)]  # fmt: skip

    def fetch(self, source: str | None, after: int, limit: int) -> list[DownDocument]:
        """Return documents above `after`, for a station or (`None`) for all; above all there is,
        the database was made anew (`versions`). Raises `SiteBusyError`."""
        with self._database.transaction() as conn:
            overtake(conn, after)
            if source is not None:
                conn.execute(_ASKED, {"source": source})
            rows = conn.execute(_FETCH, {"source": source, "after": after, "limit": limit})
            return [_document(*row) for row in rows]

    def gone(self, versions: Sequence[int]) -> set[int]:
        """Return which of these versions no document has. Raises `SiteBusyError`."""
        with self._database.transaction() as conn:
            return {version for (version,) in conn.execute(_GONE, [list(versions)])}

    def confirm(self, confirmation: Confirmation) -> None:
        """Note what a station did. Raises `SiteBusyError`."""
        told = {
            "source": confirmation.source, "version": confirmation.version,
            "at": confirmation.at, "outcome": confirmation.outcome,
            "sentence": confirmation.sentence,
        }  # fmt: skip
        with self._database.transaction() as conn:
            if confirmation.outcome == "applied":
                conn.execute(_CONFIRM, told)
                conn.execute(_APPLIED, told)
            else:
                conn.execute(_KEPT, told)

    def hold(self, data: LotStatusData) -> int:
        """Hold, release or reject a lot at every station; return the version."""
        key = f"lot_status:{data.item}:{data.lot or ''}:{data.serial or ''}"
        draft = Draft(key=key, kind="lot_status", data=msgspec.json.encode(data))
        said = {
            "item": data.item, "lot": data.lot or "", "serial": data.serial or "",
            "status": data.status, "person": data.person, "reason": data.reason,
        }  # fmt: skip
        with self._database.transaction() as conn:
            conn.execute(_STATUS_MADE, said)
            conn.execute(_STATUS_OF_LOT, said)
            conn.execute("DELETE FROM down WHERE key = %s", [key])  # said anew, also what was said
            return publish(conn, [draft])

    def reached(self, version: int) -> list[Reached]:
        """Return how far each station is with a version, those out of reach last."""
        with self._database.transaction() as conn:
            rows = conn.execute(_REACHED, {"version": version, "reachable_s": REACHABLE_S})
            return [
                Reached(source=source, state=state, at=_instant(at), sentence=sentence)
                for source, state, at, sentence in rows
            ]

    def hand_down_conflicts(self) -> int:
        """Hand down what changed of the conflicts; return how many."""
        with self._database.transaction() as conn:
            rows = conn.execute(_CONFLICTS, {"limit": CONFLICTS_TOGETHER}).fetchall()
            publish(conn, [_conflict_draft(*row[:-1]) for row in rows])
            conn.cursor().executemany(
                "UPDATE conflict SET sent_revision = %s WHERE conflict_id = %s",
                [(row[-1], row[0]) for row in rows],
            )
            return len(rows)

    def changed(self) -> asyncio.Future[None]:
        """Return what is done at the next change; called in an event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._waiters.append((loop, future))
        return future

    def listen(self, stopping: threading.Event) -> None:
        """Tell the waiters of every change, and hand down conflicts, until stopped; on a thread of
        its own. A database that is away is waited for."""
        while not stopping.is_set():
            try:
                with self._database.transaction() as conn:
                    conn.commit()
                    conn.autocommit = True
                    try:
                        conn.execute("LISTEN mes_down")
                        self._wake()
                        self._listen_on(conn, stopping)
                        conn.execute("UNLISTEN mes_down")
                    finally:
                        if not conn.closed:
                            conn.autocommit = False
            except SiteBusyError:
                stopping.wait(LISTEN_TIMEOUT_S)

    def _listen_on(self, conn: Connection, stopping: threading.Event) -> None:
        while not stopping.is_set():
            told = list(conn.notifies(timeout=LISTEN_TIMEOUT_S, stop_after=1))
            if told:
                self._wake()
            self.hand_down_conflicts()

    def _wake(self) -> None:
        with self._lock:
            waiters, self._waiters = self._waiters, []
        for loop, future in waiters:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_set, future)


def publish(conn: Connection, drafts: Sequence[Draft]) -> int:
    """Hand documents down inside the caller's transaction; return the highest version."""
    if not drafts:
        return 0
    newest = {each.key: each for each in drafts}
    known: dict[str, str] = dict(
        conn.execute("SELECT key, data FROM down WHERE key = ANY(%s)", [list(newest)]).fetchall()
    )
    changed = [each for key, each in newest.items() if known.get(key) != each.data.decode()]
    if not changed:
        row = conn.execute(
            "SELECT max(version) FROM down WHERE key = ANY(%s)", [list(newest)]
        ).fetchone()
        return int(row[0]) if row else 0
    row = conn.execute(
        "UPDATE down_head SET version = version + %s RETURNING version", [len(changed)]
    ).fetchone()
    assert row is not None
    last = int(row[0])
    conn.execute("DELETE FROM down WHERE key = ANY(%s)", [[each.key for each in changed]])
    conn.cursor().executemany(
        "INSERT INTO down (version, key, kind, stations, data) VALUES (%s, %s, %s, %s, %s)",
        [
            (last - len(changed) + place, each.key, each.kind, list(each.stations),
             each.data.decode())
            for place, each in enumerate(changed, 1)
        ],
    )  # fmt: skip
    return last


def table_drafts(documents: Iterable[Rows], *, stations: Sequence[str] = ()) -> list[Draft]:
    """Return the drafts of things with their rows; `key_of` says which an older one they replace.

    A thing whose rows are larger than a document is refused by its name: `ValueError`.
    """
    drafts = []
    for rows in documents:
        tables = {name: [dict(row) for row in part] for name, part in rows.items()}
        data = msgspec.json.encode(TablesData(tables))
        if len(data) > DOCUMENT_MAX_BYTES:
            raise ValueError(f"{key_of(rows)} is larger than {DOCUMENT_MAX_BYTES} bytes")
        drafts.append(Draft(key=key_of(rows), kind="tables", data=data, stations=stations))
    return drafts


_ORDERS: Final = """
SELECT data FROM down WHERE kind = 'tables' AND key LIKE 'work_orders:%' ORDER BY version
"""
_STATUS_MADE: Final = """
INSERT INTO material (item, lot, serial) VALUES (%(item)s, %(lot)s, %(serial)s)
ON CONFLICT DO NOTHING
"""
# A lot is held with all its serials; a serial whatever lot it is of, as at the stations.
_STATUS_OF_LOT: Final = """
UPDATE material SET status = %(status)s, status_since = now(), status_by = %(person)s,
       status_reason = %(reason)s
 WHERE item = %(item)s AND (lot = %(lot)s OR %(lot)s = '' AND %(serial)s <> '')
   AND (serial = %(serial)s OR %(serial)s = '')
   AND (lot <> '' OR serial <> '') AND work_order = ''
"""
_ASKED: Final = """
INSERT INTO down_confirmed (source, version, confirmed_at, asked_at)
VALUES (%(source)s, 0, now(), now())
ON CONFLICT (source) DO UPDATE SET asked_at = now()
"""
_FETCH: Final = """
SELECT version, key, kind, sent_at, stations, data FROM down
 WHERE version > %(after)s
   AND (%(source)s::text IS NULL OR stations = '{}' OR %(source)s = ANY(stations))
 ORDER BY version LIMIT %(limit)s
"""
_GONE: Final = "SELECT unnest(%s::bigint[]) EXCEPT SELECT version FROM down"
_CONFIRM: Final = """
INSERT INTO down_confirmed (source, version, confirmed_at, asked_at)
VALUES (%(source)s, %(version)s, %(at)s, now())
ON CONFLICT (source) DO UPDATE SET version = greatest(down_confirmed.version, excluded.version),
    confirmed_at = CASE WHEN excluded.version > down_confirmed.version
                        THEN excluded.confirmed_at ELSE down_confirmed.confirmed_at END,
    asked_at = now()
"""
# A document that was kept and is confirmed by itself has been applied by now; so has one whose key
# came again. The confirmation of all others says nothing about what is kept.
_APPLIED: Final = """
DELETE FROM down_kept WHERE source = %(source)s
   AND (version = %(version)s OR version NOT IN (SELECT version FROM down))
   AND told_at < %(at)s
"""
_KEPT: Final = """
INSERT INTO down_kept (source, version, outcome, sentence, told_at)
VALUES (%(source)s, %(version)s, %(outcome)s, %(sentence)s, %(at)s)
ON CONFLICT (source, version) DO UPDATE SET outcome = excluded.outcome,
    sentence = excluded.sentence, told_at = excluded.told_at
"""
# A station is heard of when it asks for more, and when it posts or greets.
_REACHED: Final = """
WITH heard AS (
    SELECT source, max(heard_at) AS heard_at FROM (
        SELECT source, last_seen_at AS heard_at FROM source
        UNION ALL SELECT source, asked_at FROM down_confirmed) AS every
     GROUP BY source)
SELECT * FROM (
    SELECT heard.source AS source,
           CASE WHEN kept.outcome IS NOT NULL THEN kept.outcome
                WHEN done.version >= %(version)s THEN 'applied'
                WHEN heard.heard_at > now() - make_interval(secs => %(reachable_s)s) THEN 'waiting'
                ELSE 'out_of_reach' END AS state,
           CASE WHEN done.version >= %(version)s THEN done.confirmed_at
                ELSE heard.heard_at END AS at,
           kept.sentence AS sentence
      FROM heard
      LEFT JOIN down_confirmed AS done ON done.source = heard.source
      LEFT JOIN down_kept AS kept
             ON kept.source = heard.source AND kept.version = %(version)s) AS reached
 ORDER BY state = 'out_of_reach', source
"""
_CONFLICTS: Final = """
SELECT conflict_id, kind, state, sentence, end_reason, work_order, item, lot, serial,
       quantity_micro, stations, postings, revision
  FROM conflict WHERE sent_revision < revision
 ORDER BY conflict_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""


def _conflict_draft(
    number: int, kind: str, state: str, sentence: str, end_reason: str | None,
    work_order: str | None, item: str | None, lot: str | None, serial: str | None,
    quantity_micro: int | None, stations: list[str], postings: list[str],
) -> Draft:  # fmt: skip
    ended = state == "ended"
    data = ConflictData(
        conflict=number, kind=kind,
        sentence=(end_reason or "it no longer holds") if ended else sentence,
        work_order=work_order, item=item, lot=lot, serial=serial,
        quantity=None if quantity_micro is None else format_quantity(quantity_micro),
        postings=postings,
    )  # fmt: skip
    return Draft(
        key=f"conflict:{number}",
        kind="conflict_ended" if ended else "conflict",
        data=msgspec.json.encode(data),
        stations=stations,
    )


def _document(
    version: int, key: str, kind: Any, sent_at: datetime, stations: list[str], data: str
) -> DownDocument:
    return DownDocument(
        version=version,
        key=key,
        kind=kind,
        sent_at=_instant(sent_at) or "",
        stations=stations,
        data=Raw(data.encode()),
    )


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
