"""What the operator's screen shows between scans: one snapshot, pushed by the core after each scan.

Made by `usecases.station_view`, sent over the link, drawn by `tui`. Quantities are decimal texts,
instants UTC texts.
"""

from typing import Literal

from msgspec import Struct

from mes_terminal.domain.order_changes import OrderChange

ScannerState = Literal["absent", "opening", "ready", "gone", "denied", "busy", "fault"]


class OrderView(Struct, frozen=True, kw_only=True):
    """A work order as the header and the queue show it."""

    work_order: str
    item: str
    description: str
    quantity: str
    completed: str
    scrapped: str
    remaining: str
    uom: str
    status: str
    due_at: str | None = None
    changes: list[OrderChange] = []
    """What loads changed in mid order, until a report of it has told it (BF-7)."""


class OperationView(Struct, frozen=True, kw_only=True):
    """An operation of the current order: the units that passed it, and those that ended at it."""

    operation: str
    description: str
    good: str
    scrapped: str
    swept_by: str | None = None
    """The last report, where that passed the units here without naming it (BF-11)."""


class PartView(Struct, frozen=True):
    """A component with serials that a unit lacks, and how many of it."""

    item: str
    count: int


class UnitView(Struct, frozen=True, kw_only=True):
    """The unit at hand, whose slots are being filled (BF-18)."""

    item: str
    serial: str | None
    """`None`: the next unit of a product without serials, or one that is not scanned yet."""
    missing: list[PartView]
    """Its empty slots in their order: what is to be scanned next stands first."""


class MountView(Struct, frozen=True, kw_only=True):
    """A mounted lot or container: what its books have left and which lot follows it."""

    position: str
    item: str
    lot: str | None
    container: str | None
    left: str
    uom: str
    then_lot: str | None = None


class ScanView(Struct, frozen=True, kw_only=True):
    """One of the last scans, newest first."""

    at: str
    code: str
    outcome: str
    reason: str | None
    message: str


class ScannerView(Struct, frozen=True, kw_only=True):
    """One scanner's health for the status line."""

    name: str
    state: ScannerState
    sentence: str = ""
    last_scan_at: str | None = None
    counts: dict[str, int] = {}
    """Since the core started: `reads`, `no_reads`, `incomplete`, `duplicates`, `refused`,
    `overruns`, `lost_gs`, `reconnects`; what never happened is left out."""


class PreflightView(Struct, frozen=True, kw_only=True):
    """What a close of the current order would do right now (rolled back)."""

    lines_post: int
    lines_short: int
    shortages: list[str] = []
    """One phrase a short line: `CHAIN short 3 m`."""


class CountView(Struct, frozen=True):
    """A count that is open (BF-32): of which place, and how many items were counted so far."""

    location: str
    items: int


class StopView(Struct, frozen=True):
    """The line stands: since when, and why."""

    since: str
    reason: str
    description: str | None = None
    """What the plant calls the reason."""


class CallView(Struct, frozen=True):
    """Material was called and has not come: of the item, else for the order, else anything."""

    item: str | None
    work_order: str | None
    times: int
    since: str


class HandedOverView(Struct, frozen=True):
    """Open exceptions of a kind that are handed over to who has just signed in."""

    kind: str
    count: int


class ApprovalView(Struct, frozen=True, kw_only=True):
    """What the station asks a supervisor now (BF-24)."""

    id: int
    situation: str
    item: str
    lot: str | None
    work_order: str | None
    quantity: str | None
    said: str
    until: str
    approver: str | None = None
    """Whose badge was scanned: the screen asks for the PIN."""
    approver_name: str | None = None


class AnswerView(Struct, frozen=True):
    """What a supervisor answered and nobody has used yet: which code may be scanned again."""

    id: int
    status: Literal["approved", "refused"]
    by: str
    code: str
    said: str


class UpstreamView(Struct, frozen=True, kw_only=True):
    """How it stands with whoever receives the postings (UP-4, UP-6)."""

    kind: str = ""
    """The connector: `http`."""
    state: Literal["off", "starting", "online", "offline", "wrong"] = "off"
    """`off`: nothing leaves this station. `wrong`: the receiver answers, and something must be
    mended before anything is sent."""
    receiver: str | None = None
    """What the receiver calls itself."""
    trouble: str | None = None
    """Why it is offline or wrong, as a sentence."""
    behind_s: float | None = None
    """How far the ERP behind the receiver is behind it; `None`: there is none, or it is silent."""
    fresh_at: str | None = None
    """What was recorded before this instant is upstream, or was refused; `None`: all of it."""
    warn_after_h: int = 24
    refused: int = 0
    parked: int = 0


class DiskView(Struct, frozen=True):
    """The disk has little room left (UP-6): how much, and at how much scanning stops."""

    left_mb: int
    stop_mb: int
    stopped: bool
    """Scanning has stopped: nothing that is scanned is recorded."""


class StationView(Struct, frozen=True, kw_only=True):
    """Everything the operator's screen needs beside the last outcome."""

    station: str
    mode: Literal["live", "test", "training"]
    """`training`: on a copy of the live database, which nothing leaves."""
    now: str
    language: str = "en"
    person: str | None = None
    person_name: str | None = None
    order: OrderView | None = None
    operations: list[OperationView] = []
    """Of the current order, in their order."""
    unit: UnitView | None = None
    """The unit at hand, while slots of it are empty."""
    next_orders: list[OrderView] = []
    mounted: list[MountView] = []
    last_scans: list[ScanView] = []
    scanners: list[ScannerView] = []
    pending_verb: str | None = None
    """A command that waits for the next code: `SHORT`, `EMPTY`, `UNMOUNT`."""
    pending_argument: str | None = None
    pending_quantity: str | None = None
    """What `%QTY` set for the next code."""
    can_undo: str | None = None
    """What `%UNDO` would take back, in words; `None` if nothing."""
    undo_until: str | None = None
    printer_trouble: str | None = None
    """Why labels wait, in words; `None` while they print."""
    backup_trouble: str | None = None
    """Why the backup that is due could not be made, in words; `None` while there is one."""
    disk: DiskView | None = None
    """`None` while the disk has room."""
    postings_waiting: int = 0
    """Those that are refused or parked are told apart, in `upstream`."""
    oldest_waiting_at: str | None = None
    upstream: UpstreamView | None = None
    exceptions_open: int = 0
    count: CountView | None = None
    stopped: StopView | None = None
    calls: list[CallView] = []
    """The oldest first."""
    handed_over: list[HandedOverView] = []
    """Told from the signing in until the next report."""
    approval: ApprovalView | None = None
    answers: list[AnswerView] = []
    """The newest first."""
    preflight: PreflightView | None = None
    clock_in_doubt: bool = False
    scans_waiting: int = 0
    """Scans journalled and not yet handled: the visible queue."""
