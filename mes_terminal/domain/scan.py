"""A scan: the bytes a person presented to the station, with the identity made at the edge.

Everything the scan causes is keyed by `scan_id`; `scan_seq` is its place in the journal (BF-13).
"""

from typing import Final

from msgspec import Struct

CODE_MAX_BYTES: Final = 4096
"""The longest code that is journalled (BF-13); a longer one is cut there and refused."""


class ScanRequest(Struct, frozen=True, kw_only=True):
    """A code as it reaches the core, before it is journalled."""

    raw: bytes
    device: str
    badge: str | None = None
    """`--as`: who scans, for this scan only."""
    event_time: str | None = None
    """`--at`: a time given, not read from the clock (BF-33)."""
    fault: str | None = None
    """Why the scanner's frame must be refused whatever it says (`overrun`, `forbidden_key`)."""
    fault_key: str | None = None
    """The key of a `forbidden_key`."""


class Scan(Struct, frozen=True, kw_only=True):
    """A journalled scan."""

    scan_seq: int
    row_hash: str
    """SHA-256 of its journal row, which its events and its outcome carry."""
    scan_id: str
    raw: bytes
    truncated: bool
    """The code was longer than `CODE_MAX_BYTES`."""
    device: str
    received_at: str
    """The clock's reading, UTC."""
    event_time: str
    """When it happened: `received_at`, or what `--at` said."""
    badge: str | None = None
    fault: str | None = None
    """As in `ScanRequest`."""
    fault_key: str | None = None
    recovered_at: str | None = None
    """When it was found in the journal at start: booked before the stop, handled after it."""
