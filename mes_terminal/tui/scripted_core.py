"""A core that knows only what it was told: for pictures, tests and looking. Opens no socket."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import msgspec

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.view import PreflightView, StationView
from mes_terminal.errors import CoreError, InputError
from mes_terminal.tui import gallery_shift as shifts
from mes_terminal.tui.gallery_traces import trace_parts

if TYPE_CHECKING:
    from mes_terminal.domain.trace import Trace


class ScriptedCore:
    """A core that knows only what it was told: `CoreLink` for pictures and tests.

    A scan is answered by `answers[code]`, else as unknown; `pushes` is what it tells by itself.
    """

    def __init__(self, view: StationView, answers: dict[str, Outcome] | None = None) -> None:
        self.view = view
        self.answers = answers or {}
        self.scans: list[bytes] = []
        self.pushes: asyncio.Queue[tuple[str, msgspec.Raw]] = asyncio.Queue()
        self.preflight = PreflightView(lines_post=3, lines_short=0)
        self.away = False
        self.shift = shifts.NOW
        self.signed: list[dict[str, Any]] = []
        """What shifts were signed off with."""
        self.approvals: list[dict[str, Any]] = []
        """What approvals were given with."""
        self.refuses: str | None = None
        """Why a PIN is not taken."""
        self.traced: Trace | None = None
        self.asked: list[dict[str, str]] = []
        """What genealogy was asked for."""
        self.hold: asyncio.Event | None = None
        """Set: a scan is answered only when this event is."""

    async def open(self) -> None:
        """Attach, unless it is away."""
        if self.away:
            raise CoreError("no core", reason="core_gone")

    async def close(self) -> None:
        """Nothing to leave."""

    async def request(self, do: str, **params: Any) -> msgspec.Raw:
        """Answer `scan`, `preflight`, `end_shift` and `approve`."""
        if self.away:
            raise CoreError("no core", reason="core_gone")
        if do == "preflight":
            return encoded(self.preflight)
        if do == "end_shift":
            self.signed.append(params)
            return encoded(shifts.REPORT)
        if do == "approve":
            self.approvals.append(params)
            if self.refuses is not None:
                raise InputError(self.refuses, reason="not_authorised")
            return encoded({"outcome": "approved", "message": "It is approved"})
        assert do == "scan", do
        raw = bytes.fromhex(params["hex"])
        self.scans.append(raw)
        if self.hold is not None:
            await self.hold.wait()
        code = raw.decode("utf-8", "replace")
        unknown = Outcome(
            scan_id=f"scan-{len(self.scans)}", code=code, outcome="unknown", message=""
        )
        return encoded(self.answers.get(code, unknown))

    async def pages(self, do: str, **params: Any) -> AsyncIterator[list[msgspec.Raw]]:
        """Answer a trace with `traced`; without it the lot is unknown. `B:` makes a badge."""
        if self.away:
            raise CoreError("no core", reason="core_gone")
        if do == "decode":
            code = bytes.fromhex(params["hex"]).decode("utf-8", "replace")
            badge = code.removeprefix("B:")
            yield [encoded({"kind": "badge", "key": badge})] if badge != code else []
            return
        if params["name"] == "shift_now":
            yield [encoded(self.shift)]
            return
        assert (do, params["name"]) == ("list", "trace")
        self.asked.append(params["filters"])
        if self.traced is None:
            raise InputError("'LEG' has no lot 'X'.", reason="lot_unknown")
        yield [encoded(row) for row in trace_parts(self.traced)]

    async def subscribe(self) -> AsyncIterator[tuple[str, msgspec.Raw]]:
        """Yield the station, then what `push` queued."""
        yield "view", encoded(self.view)
        while True:
            yield await self.pushes.get()

    def push(self, kind: str, value: object) -> None:
        """Tell the screen something."""
        self.pushes.put_nowait((kind, encoded(value)))


def encoded(value: object) -> msgspec.Raw:
    """Return a value as the core sends it."""
    return msgspec.Raw(msgspec.json.encode(value))
