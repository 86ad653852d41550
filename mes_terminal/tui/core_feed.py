"""The two workers between the screen and the core: one listens, one gives scans.

They post messages and touch no widget. A scan is given once: while the core is away it is refused
at once, so nobody believes it was taken, and nothing is kept to be sent later.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
from textual.message import Message

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.view import PreflightView, StationView
from mes_terminal.errors import CoreError, StationError
from mes_terminal.tui import messages
from mes_terminal.tui.messages import CoreLink

DEVICE: Final = "terminal"
RETRY_S: Final = 0.5
"""Between attempts to find a core at start; losses later are the link's to mend."""
QUEUE_MAX: Final = 256
"""Codes given at this terminal that may wait: minutes of the fastest scanning."""

PREFLIGHT_REST_S: Final = 0.7
"""Scans at one unit a second are not slowed by asking in between."""
PREFLIGHT_EVERY_S: Final = 30.0
"""Material that arrives changes the answer and nothing else on the screen."""

Post = Callable[[Message], object]


class Queue(msgspec.Struct, frozen=True):
    """The core's queue: how many scans wait, and the first codes."""

    waiting: int
    codes: list[str] = []


class Refused(msgspec.Struct, frozen=True):
    """A scanner's code that the core could not even journal."""

    device: str
    sentence: str


class IgnoredFrame(msgspec.Struct, frozen=True):
    """What a scanner read that is no scan."""

    device: str
    kind: str
    code: str
    hint: str | None = None


class CoreFeed:
    """Owns the link while the screen runs."""

    def __init__(self, link: CoreLink, post: Post) -> None:
        self._link = link
        self._post = post
        self._codes: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)
        self._attached = False
        self._looking: asyncio.Task[None] | None = None
        self._looked_key: tuple[Any, ...] | None = None
        self._looked_at_s = 0.0
        self.waiting: deque[str] = deque()
        """Codes given here that wait behind the one at hand, in order."""

    def give(self, raw: bytes) -> None:
        """Take a code for the core, or say at once that it is not taken."""
        code = raw.decode("utf-8", "replace")
        if not self._attached:
            self._post(messages.ScanFailed(code, "", "not_connected"))
            return
        try:
            self._codes.put_nowait(raw)
        except asyncio.QueueFull:
            self._post(messages.ScanFailed(code, "", "too_many"))
            return
        self.waiting.append(code)

    def look_ahead(self, view: StationView) -> None:
        """Ask for the pre-flight of the order at hand, when something changed or time passed.

        A core that states it in the view is not asked. A new order is asked for at once, else a
        run of scans first comes to rest.
        """
        if view.order is None or view.preflight is not None or not self._attached:
            return
        order = view.order
        key = (order.work_order, order.completed, order.scrapped, tuple(view.mounted))
        now_s = asyncio.get_running_loop().time()
        if key == self._looked_key and now_s - self._looked_at_s < PREFLIGHT_EVERY_S:
            return
        new = self._looked_key is None or self._looked_key[0] != order.work_order
        self._looked_key, self._looked_at_s = key, now_s
        if self._looking is not None:
            self._looking.cancel()
        pause_s = 0.0 if new else PREFLIGHT_REST_S
        ask = self._ask_preflight(order.work_order, pause_s)
        self._looking = asyncio.get_running_loop().create_task(ask)

    async def listen(self) -> None:
        """Attach, and post what the core pushes, until cancelled."""
        while True:
            try:
                await self._link.open()
                break
            except CoreError:
                self._post(messages.Lost())
                await asyncio.sleep(RETRY_S)
        while True:
            self._begin()
            try:
                async for kind, data in self._link.subscribe():
                    self._hear(kind, data)
            except StationError:
                self._end()
            await asyncio.sleep(RETRY_S)

    async def send(self) -> None:
        """Give the codes to the core one after the other, until cancelled."""
        while True:
            raw = await self._codes.get()
            self.waiting.popleft()
            code = raw.decode("utf-8", "replace")
            try:
                answer = await self._link.request("scan", hex=raw.hex(), device=DEVICE)
                self._post(messages.OutcomeArrived(msgspec.json.decode(answer, type=Outcome)))
            except StationError as error:
                self._post(messages.ScanFailed(code, error.sentence, error.reason))
            self._post(messages.ScanTaken())

    def _begin(self) -> None:
        self._attached = True
        self._post(messages.Attached())

    async def _ask_preflight(self, work_order: str, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        try:
            answer = await self._link.request("preflight", work_order=work_order)
        except StationError:
            return  # the order was closed meanwhile, or the core is gone: the view says so
        flight = msgspec.json.decode(answer, type=PreflightView)
        self._post(messages.PreflightArrived(work_order, flight))

    def _end(self) -> None:
        self._attached = False
        self._post(messages.Lost())

    def _hear(self, kind: str, data: msgspec.Raw) -> None:
        match kind:
            case "outcome":
                self._post(messages.OutcomeArrived(_read(data, Outcome)))
            case "view":
                self._post(messages.ViewArrived(_read(data, StationView)))
            case "scans_waiting":
                queue = _read(data, Queue)
                self._post(messages.QueueChanged(queue.waiting, queue.codes))
            case "recovered":
                self._post(messages.Recovered(_read(data, Outcome)))
            case "refused":
                refused = _read(data, Refused)
                self._post(messages.ScanFailed(refused.device, refused.sentence, "refused"))
            case "frame":
                frame = _read(data, IgnoredFrame)
                self._post(messages.FrameIgnored(frame.device, frame.kind, frame.code, frame.hint))
            case "stopping":
                self._post(messages.Stopping())
            case "gone":
                self._end()
            case "attached":
                self._begin()
            case _:
                return  # of a newer core: what it means is not known here


def _read(data: msgspec.Raw, kind: Any) -> Any:
    return msgspec.json.decode(data, type=kind)
