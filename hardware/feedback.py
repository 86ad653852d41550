"""What a station tells a scanner: bytes it can be set to send, and the hand-shake of some.

Pure. `Handshake` decides what to answer a frame on the line (ACK, NAK) and recognises the
repetition that a NAK asks for; `name_of` says in words what bytes mean to a scanner.
"""

from dataclasses import replace
from typing import Final, Literal

from hardware.frame import ScanFrame

ACK: Final = b"\x06"
NAK: Final = b"\x15"
BEL: Final = b"\x07"
HandshakeName = Literal["none", "acknak"]

REPEATED_WITHIN_S: Final = 3.0
"""A scanner repeats what was refused at once; later the same bytes are a read of their own."""

HOST_BEEPS: Final = {b"\x1b4,": "low", b"\x1b5,": "medium", b"\x1b6,": "high"}
"""Honeywell's host commands for a beep (Xenon, Granit)."""


class Handshake:
    """The ACK/NAK protocol of one line: each frame is answered, a repetition counts once."""

    def __init__(self, name: HandshakeName) -> None:
        self._is_on = name == "acknak"
        self._delivered = b""
        self._refused_at_s: float | None = None

    def take(self, frame: ScanFrame) -> tuple[ScanFrame, bytes]:
        """Return the frame as it counts, and the bytes to answer it with.

        Half a code is refused with NAK, which makes the scanner send it again. What comes again
        although it was delivered is a `duplicate`.
        """
        if not self._is_on:
            return frame, b""
        if frame.kind == "incomplete":
            self._refused_at_s = frame.at_s
            return frame, NAK
        refused_at_s, self._refused_at_s = self._refused_at_s, None
        is_repetition = (
            refused_at_s is not None
            and frame.kind == "code"
            and frame.raw == self._delivered
            and frame.at_s - refused_at_s <= REPEATED_WITHIN_S
        )
        if is_repetition:
            return replace(frame, kind="duplicate"), ACK
        if frame.is_scan:
            self._delivered = frame.raw
        return frame, ACK

    def refused(self, at_s: float) -> None:
        """A NAK went out for a reason of its own: what was read last will come again."""
        self._refused_at_s = at_s


def name_of(data: bytes) -> str:
    """Return in words what a scanner makes of bytes from the host; as hexadecimal if unknown."""
    single = {ACK: "ack", NAK: "nak", BEL: "beep ok"}.get(data)
    if single is not None:
        return single
    commands = [data[at : at + 3] for at in range(0, len(data), 3)]
    beeps = [HOST_BEEPS.get(command) for command in commands]
    if beeps and None not in beeps:
        return f"beep{'s' if len(beeps) > 1 else ''} {', '.join(str(beep) for beep in beeps)}"
    return f"bytes {data.hex()}"
