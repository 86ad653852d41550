"""The reading thread: lists and checks from a connection that can only read.

A list is read in pages, so that the thread serves several lists side by side and none stands in
memory. It never touches the writer's way.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mes_terminal.errors import CoreError, StationError
from mes_terminal.link.protocol import PAGE_BYTES_MAX, PAGE_ROWS_MAX
from mes_terminal.station.worker import told
from mes_terminal.store.database import Database, open_reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

T = TypeVar("T")
Work = tuple[Callable[[Database], Any], "Future[Any]"]

WORK_WAITING_MAX: Final = 256
"""Pages asked for at a time by all clients together."""
PAGE_S: Final = 0.2
"""A page is sent after so long, with what there is by then: other lists have their turn, and what
takes long shows how far it is."""


class Reading(threading.Thread):
    """The thread. `start` once, `stop` once."""

    def __init__(self, database: Path, *, name: str = "reading") -> None:
        super().__init__(name=name, daemon=True)
        self._database = database
        self._work: queue.Queue[Work | None] = queue.Queue(WORK_WAITING_MAX)
        self._opened = Future[None]()

    def start(self) -> None:
        """Open the connection and begin. Raises what the opening raises."""
        super().start()
        self._opened.result()

    def do(self, work: Callable[[Database], T]) -> Future[T]:
        """Queue a piece of work. Raises `CoreError` if too much waits."""
        answer: Future[T] = Future()
        try:
            self._work.put_nowait((work, answer))
        except queue.Full:
            raise CoreError("The station is busy with lists. Ask again.", reason="busy") from None
        return answer

    async def pages(
        self, rows: Callable[[Database], Iterator[bytes]]
    ) -> AsyncIterator[list[bytes]]:
        """Yield the pages of a list, each read in one piece of work."""
        source = await asyncio.shield(asyncio.wrap_future(self.do(rows)))
        try:
            while page := await asyncio.shield(
                asyncio.wrap_future(self.do(lambda _: _next_page(source)))
            ):
                yield page
        finally:
            self.do(lambda _: _let_go(source))

    def stop(self) -> None:
        """End the thread and close the connection."""
        if self.is_alive():
            self._work.put(None)
            self.join()

    def run(self) -> None:
        """Serve until stopped."""
        try:
            database = open_reader(self._database)
        except StationError as error:
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        while (item := self._work.get()) is not None:
            work, answer = item
            try:
                answer.set_result(work(database))
            except Exception as error:  # noqa: BLE001  a run loop: told to whoever asked
                answer.set_exception(told(error))
        database.close()


def _next_page(rows: Iterator[bytes]) -> list[bytes]:
    page: list[bytes] = []
    size = 0
    until_s = time.monotonic() + PAGE_S
    for row in rows:
        page.append(row)
        size += len(row)
        full = len(page) >= PAGE_ROWS_MAX or size >= PAGE_BYTES_MAX
        if full or time.monotonic() >= until_s:
            break
    return page


def _let_go(rows: Iterator[bytes]) -> None:
    """Close a list that may have been left half-way: its statement would hold the log."""
    if isinstance(rows, Generator):
        rows.close()
