"""One read of a scanner, as it leaves a driver.

A `ScanFrame` is final: drivers and the terminal gate make it, the station journals it or counts it,
nobody changes it. It holds bytes, never text: what they mean is decided elsewhere.
"""

from dataclasses import dataclass
from typing import Literal

FrameKind = Literal["code", "reject", "noread", "duplicate", "incomplete"]
"""What a frame is.

`code`: a whole read. `reject`: a whole read that must be refused whatever it says (`reason` says
why). `noread`: the scanner reported that it saw nothing. `duplicate`: the same code again, too soon
for a person. `incomplete`: a code whose end never came.
"""

EndedBy = Literal["suffix", "idle"]

SCAN_KINDS: frozenset[FrameKind] = frozenset({"code", "reject"})
"""The kinds that are presented to the station as scans; every other is only counted and shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFrame:
    """The bytes of one read, without prefix and suffix."""

    raw: bytes
    device: str
    at_s: float
    """Seconds of the driver's monotonic clock when the last byte came; for intervals only."""
    kind: FrameKind = "code"
    symbology: str | None = None
    """AIM identifier (`]C1`), where a driver learns it apart from the data."""
    reason: str | None = None
    """One word of the scanning page (`too_long`, ...), or why an incomplete frame was cut."""
    ended_by: EndedBy | None = None
    key: str | None = None
    """The key that no code holds, of a `forbidden_key` (`LEFTMETA`, `CTRL+ALT+F1`)."""
    warning: str | None = None
    """What was odd about a code that is taken all the same (`autorepeat`)."""
    hint: str | None = None
    """What is probably set wrongly, of a frame that is no scan (`parity: try 7E1`)."""

    @property
    def is_scan(self) -> bool:
        """Whether the station must journal and answer it."""
        return self.kind in SCAN_KINDS
