"""Connections of the door for HTTP: one that does not say what it wants is ended.

uvicorn waits for the head of a request for ever, and counts such a connection among those that it
serves; without a bound, whoever opens enough of them shuts every station out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

HEAD_MAX_S: Final = 10.0
"""How long the head of a request may take to arrive, once it or its connection has begun."""


class HeadsInTime(H11Protocol):
    """HTTP as uvicorn speaks it, with a bound on the time for the head of a request."""

    _head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take what comes; what is no whole head yet is waited for no longer than that."""
        super().data_received(data)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._let_go()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._let_go()  # it is being answered
        elif self._head_due is None:
            self._head_due = self.loop.call_later(HEAD_MAX_S, self._end)

    def _let_go(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _end(self) -> None:
        self._head_due = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
