"""The receiver as one process: the inbox, its doors, the road down, the ERP bridge.

Runs until it is told to stop; what is at hand is finished first. A database that is away is said
once and tried for ever: the doors stay open and tell the stations to come again.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mes_terminal import logs
from mes_terminal.site import queries
from mes_terminal.site.database import CONNECTIONS_MAX, SiteDatabase, open_database
from mes_terminal.site.doors import Offers, SiteBusyError, folder, http
from mes_terminal.site.down import DownRoad
from mes_terminal.site.inbox import Inbox
from mes_terminal.site.stock import Stock

if TYPE_CHECKING:
    from mes_terminal.settings.upstream_tables import SiteTable

Say = Callable[[str], None]

LOOK_AGAIN_S: Final = 2.0
"""How long a database that was away is left alone."""
LOOK_EVERY_S: Final = 10.0
"""How often a database that is there is looked at, so that its loss is said."""
NOT_READY: Final = "The site is starting and its database is not ready yet; come again."


def run_site(site: SiteTable, *, say: Say) -> None:
    """Be the receiver until SIGTERM or SIGINT; `say` gets what people should read.

    Raises `InputError` for wrong settings, `DatabaseError` for a schema that is newer.
    """
    asyncio.run(_run(site, say))


async def _run(site: SiteTable, say: Say) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(CONNECTIONS_MAX, "site"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    database = open_database(site)
    try:
        await serve(database, site, stopping, say=say)
    finally:
        await asyncio.to_thread(database.close)


async def serve(
    database: SiteDatabase, site: SiteTable, stopping: asyncio.Event, *, say: Say
) -> None:
    """Open every door of the settings until `stopping` is set; an error of one ends all."""
    database.closed_because = NOT_READY
    road = DownRoad(database)
    inbox = _inbox(database, site)
    tasks = [
        asyncio.create_task(each) for each in _parts(inbox, road, database, site, stopping, say)
    ]
    ended = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await ended
    for result in results:
        if isinstance(result, BaseException):
            raise result
    say("Stopped.")


def _parts(
    inbox: Inbox,
    road: DownRoad,
    database: SiteDatabase,
    site: SiteTable,
    stopping: asyncio.Event,
    say: Say,
) -> list[Coroutine[object, object, None]]:
    """Return what runs side by side: a door for each road that the settings name."""
    offers = Offers(
        down=road,
        stock=Stock(database).reading,
        exceptions=lambda after, limit: _exceptions(database, after, limit),
    )
    listens = asyncio.Event()
    parts: list[Coroutine[object, object, None]] = [
        http.serve(inbox, site, stopping, offers=offers, ready=listens),
        _say_when(listens, stopping, say, f"Listening for stations at {site.listen}."),
        watch(database, stopping, say),
        _on_thread(road.listen, stopping),
    ]
    if site.nats.url is not None:
        from mes_terminal.site.doors import nats

        parts.append(nats.serve(inbox, site, stopping, offers=offers))
        say(f"Taking postings from NATS at {site.nats.url}.")
    if site.mqtt.url is not None:
        from mes_terminal.site.doors import mqtt

        parts.append(mqtt.serve(inbox, site, stopping, offers=offers))
        say(f"Taking postings from MQTT at {site.mqtt.url}.")
    if site.folders:
        folders = [Path(each).expanduser() for each in site.folders]
        parts.append(folder.serve(inbox, folders, stopping))
        say(f"Reading {', '.join(map(str, folders))}.")
    if site.tryton.url is not None:
        parts.append(_on_thread(lambda ended: _bridge(database, road, site, ended), stopping))
        say(f"Posting to Tryton at {site.tryton.url}.")
    return parts


def _inbox(database: SiteDatabase, site: SiteTable) -> Inbox:
    if site.tryton.url is None:
        return Inbox(database)
    from mes_terminal.site.tryton.deliveries import behind_s

    return Inbox(database, behind_s=behind_s)


def _bridge(
    database: SiteDatabase, road: DownRoad, site: SiteTable, stopping: threading.Event
) -> None:
    from mes_terminal.site.tryton.from_settings import bridge_of

    with bridge_of(database, road, site.tryton) as bridge:
        bridge.run(stopping)


async def watch(database: SiteDatabase, stopping: asyncio.Event, say: Say) -> None:
    """Make the database ready as soon as it is there, and say when it goes and comes."""
    is_there: bool | None = None
    while not stopping.is_set():
        try:
            await asyncio.to_thread(_look, database)
        except SiteBusyError as error:
            if is_there is not False:
                logs.write("site.database_away", sentence=error.sentence)
                say(error.sentence)
            is_there = False
        else:
            if not is_there:
                logs.write("site.database_ready", database=database.name)
                say(f"Keeping the ledger in {database.name}.")
            is_there = True
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_EVERY_S if is_there else LOOK_AGAIN_S)


def _look(database: SiteDatabase) -> None:
    if database.closed_because is not None:
        for name in database.migrate():
            logs.write("site.migrated", migration=name)
        database.closed_because = None
        return
    with database.transaction() as conn:
        conn.execute("SELECT 1")


async def _on_thread(work: Callable[[threading.Event], None], stopping: asyncio.Event) -> None:
    """Run what works until its event is set on a thread of its own."""
    ended = threading.Event()
    with ThreadPoolExecutor(1) as own:
        task = asyncio.get_running_loop().run_in_executor(own, work, ended)
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            ended.set()
            await task


async def _say_when(event: asyncio.Event, stopping: asyncio.Event, say: Say, words: str) -> None:
    """Say something when an event comes; ends with the stopping, as all parts do."""
    comes = asyncio.create_task(event.wait())
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait((comes, stop), return_when=asyncio.FIRST_COMPLETED)
    if event.is_set():
        say(words)
    comes.cancel()
    await stop


def _exceptions(database: SiteDatabase, after: int, limit: int) -> list[dict[str, object]]:
    with database.transaction() as conn:
        return list(queries.exceptions(conn, after=after, limit=limit))
