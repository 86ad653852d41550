"""The scanners of the settings: made, supervised, and their states kept for the screen.

Each scanner has a thread that only reads, stamps and queues (`hardware.reconnect`). A frame that is
a scan goes to the store thread; every other is only counted. An outcome is told back to the scanner
that read it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from hardware.errors import ScannerError
from hardware.framing import SERIAL_IDLE_MS, FramingRules
from hardware.keymap import KeyRules
from hardware.reconnect import ScannerState, Supervisor
from hardware.recording import SUFFIX, Recorder
from hardware.registry import make_scanner
from hardware.scanner import ScannerConfig
from hardware.wedge import WEDGE_IDLE_MS
from mes_terminal import logs
from mes_terminal.domain.scanner_health import (
    ScannerHealth,
    changed,
    is_well,
    read,
    trouble_of,
)
from mes_terminal.domain.view import ScannerView
from mes_terminal.errors import InputError
from mes_terminal.station.clock import utc_now
from mes_terminal.usecases.watch_scanners import note_scanners

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware.frame import FrameKind, ScanFrame
    from hardware.reconnect import StateChange
    from mes_terminal.domain.outcome import Outcome
    from mes_terminal.settings import ScannerTable, Settings
    from mes_terminal.station.booking import Booking


COUNTED: Final[dict[FrameKind, str]] = {
    "code": "reads",
    "reject": "refused",
    "noread": "no_reads",
    "duplicate": "duplicates",
    "incomplete": "incomplete",
}
"""Kind of frame to the name of its counter."""


class Scanners:
    """Every configured scanner; `scanned` gets the frames that are scans, on a reader's thread."""

    def __init__(
        self,
        settings: Settings,
        *,
        scanned: Callable[[ScanFrame], None],
        ignored: Callable[[ScanFrame], None],
        changed: Callable[[], None],
    ) -> None:
        self._scanned = scanned
        self._ignored = ignored
        self._changed = changed
        self._lock = threading.Lock()
        self._views: dict[str, ScannerView] = {}
        self._health: dict[str, ScannerHealth] = {}
        self._seen: set[str] = set()
        self._recorders: dict[str, Recorder] = {}
        self._supervisors: dict[str, Supervisor] = {}
        for name, table in settings.scanner.items():
            self._add(name, table, is_test=settings.station.mode == "test")

    def start(self) -> None:
        """Begin to open and read them."""
        for supervisor in self._supervisors.values():
            supervisor.start()

    def stop(self) -> None:
        """Close them and end their threads."""
        for supervisor in self._supervisors.values():
            supervisor.stop()
        for recorder in self._recorders.values():
            recorder.close()

    def views(self) -> list[ScannerView]:
        """Return each scanner's health."""
        with self._lock:
            return list(self._views.values())

    def watch(self, booking: Booking) -> None:
        """Open and end the exceptions of the scanners. On the store thread, between scans."""
        now = utc_now()
        with self._lock:
            health = dict(self._health)
        troubles = {name: trouble_of(each, now=now) for name, each in health.items()}
        note_scanners(
            booking.db,
            booking.rules,
            troubles={name: each for name, each in troubles.items() if each is not None},
            well=[name for name, each in health.items() if is_well(each)],
            configured=list(health),
            now=now,
        )

    def tell(self, device: str, outcome: Outcome) -> None:
        """Tell the scanner that read a scan how it went. Never waits."""
        supervisor = self._supervisors.get(device)
        if supervisor is not None:
            if outcome.reason == "gs_suspected":
                self._count(device, "lost_gs")
            accepted = outcome.outcome in ("completed", "recorded", "already_done")
            supervisor.feedback("good" if accepted else "bad")

    def _add(self, name: str, table: ScannerTable, *, is_test: bool) -> None:
        if table.driver is None:
            return
        if table.driver == "simulated" and not is_test:
            raise InputError(
                f"scanner.{name}.driver is simulated, which a live station does not take. "
                'Set station.mode = "test", or name the real driver.',
                reason="settings",
            )
        try:
            scanner = make_scanner(config_of(name, table))
        except ScannerError as error:
            raise InputError(f"scanner.{name}: {error.sentence}", reason="settings") from error
        self._record(name, table.record)
        self._views[name] = ScannerView(name=name, state="opening")
        self._health[name] = ScannerHealth("opening", utc_now())
        self._supervisors[name] = Supervisor(scanner, self._take, self._change)

    def _record(self, name: str, folder: str | None) -> None:
        """Begin to write down what the scanner reads, where the settings ask for it."""
        if folder is None:
            return
        path = Path(folder) / f"{name}-{utc_now()[:10]}{SUFFIX}"
        try:
            self._recorders[name] = Recorder(path, logs.say)
        except OSError as error:
            logs.say(f"scanner.{name}.record: {path} cannot be written: {error.strerror}.")

    def _take(self, frame: ScanFrame) -> None:
        recorder = self._recorders.get(frame.device)
        if recorder is not None:
            recorder.add(frame)
        self._count(frame.device, COUNTED[frame.kind])
        if frame.kind != "duplicate":
            with self._lock:
                known = self._health[frame.device]
                self._health[frame.device] = read(
                    known, is_code=frame.kind == "code", now=utc_now()
                )
        if frame.reason == "overrun":
            self._count(frame.device, "overruns")
        if not frame.is_scan:
            logs.write("scanner.ignored", device=frame.device, kind=frame.kind, hint=frame.hint)
            self._ignored(frame)
            return
        with self._lock:
            view = self._views[frame.device]
            self._views[frame.device] = replace(view, last_scan_at=utc_now())
        self._scanned(frame)

    def _count(self, device: str, what: str) -> None:
        with self._lock:
            view = self._views[device]
            counts = {**view.counts, what: view.counts.get(what, 0) + 1}
            self._views[device] = replace(view, counts=counts)

    def _change(self, change: StateChange) -> None:
        logs.write(
            "scanner.state", device=change.device, state=change.state.value, reason=change.reason
        )
        with self._lock:
            view = self._views[change.device]
            self._views[change.device] = replace(
                view, state=change.state.value, sentence=change.sentence
            )
            self._health[change.device] = changed(
                self._health[change.device],
                change.state.value,
                change.sentence,
                now=utc_now(),
            )
        if change.state is ScannerState.READY:
            if change.device in self._seen:
                self._count(change.device, "reconnects")
            self._seen.add(change.device)
        self._changed()


def config_of(name: str, table: ScannerTable) -> ScannerConfig:
    """Return what the driver needs of `scanner.<name>`."""
    framing = FramingRules(
        prefix=table.prefix.encode(),
        suffix=table.suffix.encode() if table.suffix is not None else None,
        incomplete_ms=table.incomplete_ms,
        max_len=table.max_len,
        duplicate_ms=table.duplicate_ms,
        noread=tuple(text.encode() for text in table.noread),
        idle_ms=_idle_ms(table),
    )
    keys = {name: bytes.fromhex(data) for name, data in table.key_map.items()}
    return ScannerConfig(
        name=name,
        driver=table.driver or "",
        port=table.port,
        baud=table.baud,
        bits=table.bits,
        parity=table.parity,
        stop=table.stop,
        good=bytes.fromhex(table.good_hex or ""),
        bad=bytes.fromhex(table.bad_hex or ""),
        handshake=table.handshake,
        usb_id=table.usb_id,
        usb_serial=table.usb_serial,
        usb_path=table.usb_path,
        framing=framing,
        keys=KeyRules(layout=table.layout, caps=table.caps, key_map=keys),
    )


def _idle_ms(table: ScannerTable) -> int:
    """Return the silence that ends a code without suffix."""
    if table.idle_ms is not None:
        return table.idle_ms
    return WEDGE_IDLE_MS if table.driver == "evdev_wedge" else SERIAL_IDLE_MS
