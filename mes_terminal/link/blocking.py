"""The blocking side of the link: for commands, which ask one thing after the other.

Raises the core's `StationError` as it was there, and `CoreError` when the core is gone.
"""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from mes_terminal.errors import CoreError
from mes_terminal.link import protocol
from mes_terminal.link.places import is_trusted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mes_terminal.link.protocol import Message

T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 5.0


class Client:
    """A blocking connection for one command; requests one after the other."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_TIMEOUT_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise gone() from error
        if not is_trusted(self._socket):
            self._socket.close()
            raise strange()
        self._socket.settimeout(None)
        self._lines = self._socket.makefile("rb")
        self._number = 0
        self._last: int | None = None
        self._pushed: deque[Message] = deque()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the core."""
        self._lines.close()
        self._socket.close()

    def request(self, do: str, **params: Any) -> msgspec.Raw:
        """Ask and return the answer's JSON. Raises the error the core met, or `CoreError`."""
        number = self._send(do, params)
        message = self._receive(number)
        return message.result

    def ask(self, do: str, kind: type[T], **params: Any) -> T:
        """Ask and return the answer as a `kind`."""
        return msgspec.json.decode(self.request(do, **params), type=kind)

    def pages(self, do: str, **params: Any) -> Iterator[bytes]:
        """Ask for a list and yield its rows, each a JSON object."""
        number = self._send(do, params)
        more = True
        while more:
            message = self._receive(number)
            yield from (bytes(row) for row in message.rows or ())
            more = message.more

    def follow(self) -> Iterator[tuple[str, msgspec.Raw]]:
        """Return what the core pushes from now on, until `unfollow` or until the core stops.

        Nothing pushed after this returned is missed, however late it is first asked for.
        """
        self.request("subscribe")
        return self._pushes()

    def _pushes(self) -> Iterator[tuple[str, msgspec.Raw]]:
        while True:
            message = self._pushed.popleft() if self._pushed else self._next()
            if message.id is not None and message.id == self._last:
                return
            if message.push is not None:
                yield message.push, message.data

    def unfollow(self) -> None:
        """End `follow` after everything that was asked of the core before. From any thread."""
        self._last = self._number + 1
        self._send("view", {})

    def _send(self, do: str, params: dict[str, Any]) -> int:
        self._number += 1
        line = protocol.encode_request(self._number, do, params)
        try:
            self._socket.sendall(line)
        except OSError as error:
            raise gone() from error
        return self._number

    def _receive(self, number: int) -> Message:
        while True:
            message = self._next()
            if message.error is not None and message.id in (number, None):
                protocol.raise_fault(message.error)
            if message.id == number:
                return message
            if message.push is not None:
                self._pushed.append(message)

    def _next(self) -> Message:
        try:
            line = self._lines.readline(protocol.MESSAGE_MAX_BYTES)
        except OSError as error:
            raise gone() from error
        if not line.endswith(b"\n"):
            raise gone()
        return protocol.decode_message(line)


def strange() -> CoreError:
    """Return the error of a core that is somebody else's: it is told nothing, no PIN above all."""
    return CoreError(
        "The station's core runs as another user. Nothing was asked. Use the station's own user.",
        reason="not_allowed",
    )


def gone() -> CoreError:
    """Return the error of a core that is not there."""
    return CoreError(
        "The station's core does not answer: it stopped, or is starting again. "
        "Do not count on the last scan; look at the journal.",
        reason="core_gone",
    )
