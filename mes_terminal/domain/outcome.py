"""What one scan led to, in the words and keys of `scan --json`.

The values are final: the station encodes them once and every reader (screen, command line, test)
sees the same document. Quantities are decimal texts. Made by the ruling, drawn by the screens.
"""

from typing import Literal

from msgspec import Struct

OutcomeKind = Literal["completed", "recorded", "already_done", "needs", "rejected", "unknown"]
Certainty = Literal["exact", "sole", "pooled", "assumed", "unknown"]
ExceptionKind = Literal[
    "shortage", "unknown_lot", "lot_overdrawn", "lot_expired", "lot_on_hold", "unknown_code",
    "over_completion", "consumption", "component_serial", "substitution", "count_variance",
    "conversion_missing", "scanner", "posting_refused", "label_mismatch", "site_conflict",
    "clock", "failed_scan",
]  # fmt: skip


class Consumed(Struct, frozen=True, gc=False):
    """One draw of one order line from one lot; also used for `scrapped`."""

    line: str | None
    """`None`: for no line of an order, such as an extra part."""
    item: str
    lot: str | None
    serial: str | None
    location: str
    quantity: str
    uom: str
    certainty: Certainty | None


class Produced(Struct, frozen=True):
    """Finished goods received by the report."""

    item: str
    lot: str | None
    serial: str | None
    location: str
    quantity: str
    uom: str


class OpenedException(Struct, frozen=True):
    """An exception that the scan opened or raised."""

    id: int
    kind: ExceptionKind
    line: str | None
    item: str | None
    quantity: str | None


class Outcome(Struct, frozen=True, kw_only=True):
    """The one answer to one scan. Key order is the order of the JSON document."""

    scan_id: str
    code: str
    outcome: OutcomeKind
    reason: str | None = None
    message: str
    hint: str | None = None
    work_order: str | None = None
    order_status: str | None = None
    item: str | None = None
    quantity: str | None = None
    lot: str | None = None
    serial: str | None = None
    report_id: str | None = None
    consumed: list[Consumed] = []
    produced: list[Produced] = []
    scrapped: list[Consumed] = []
    exceptions: list[OpenedException] = []
    duration_ms: float = 0.0
