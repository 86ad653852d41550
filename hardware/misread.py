"""What bytes look like when scanner and line are set differently: SSI packets, a parity bit.

Pure. The framer asks when a frame is final, so that the operator is told what to set, not shown
rubbish.
"""

from typing import Final

SSI_HEADER_BYTES: Final = 4
"""Length, opcode, source, status."""
SSI_CHECKSUM_BYTES: Final = 2
LINE_ENDS: Final = (0x0D, 0x0A)
PARITY_BYTES_MIN: Final = 4
"""Fewer bytes have the right parity by chance."""


def is_ssi(raw: bytes) -> bool:
    """Tell whether bytes begin with a packet of the Simple Serial Interface (Symbol, Zebra).

    Its length byte may have been taken for a line end: then it is missing.
    """
    candidates = [raw]
    candidates += [bytes([end]) + raw for end in LINE_ENDS]
    return any(_is_packet(candidate) for candidate in candidates)


def _is_packet(raw: bytes) -> bool:
    """SE-923 guide, 6: the checksum is the two's complement of the sum, high byte first."""
    length = raw[0] if raw else 0
    checksum = raw[length : length + SSI_CHECKSUM_BYTES]
    if length < SSI_HEADER_BYTES or len(checksum) < SSI_CHECKSUM_BYTES:
        return False
    return int.from_bytes(checksum, "big") == -sum(raw[:length]) & 0xFFFF


def parity_hint(raw: bytes) -> str | None:
    """Return what to set if bytes look like seven bits and a parity bit, read as eight."""
    if len(raw) < PARITY_BYTES_MIN or raw.isascii():
        return None
    if not all(0x20 <= byte & 0x7F < 0x7F or byte & 0x7F in (*LINE_ENDS, 9) for byte in raw):
        return None
    odd = sum(byte.bit_count() % 2 for byte in raw)
    if odd == 0:
        return "parity: try 7E1"
    return "parity: try 7O1" if odd == len(raw) else None
