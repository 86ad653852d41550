"""Bytes in words, for sentences about what a scanner sent. Pure."""

from typing import Final

SHOWN_MAX: Final = 12
"""Characters that one sentence names."""


def show(data: bytes) -> str:
    """Bytes as a person reads them: controls by their names, at most `SHOWN_MAX` characters."""
    words = [_NAMES.get(byte) or (chr(byte) if byte < 0x7F else f"{byte:02x}h") for byte in data]
    plain = all(0x20 < byte < 0x7F for byte in data)
    shown = ("" if plain else " ").join(words[:SHOWN_MAX])
    return shown + ("…" if len(words) > SHOWN_MAX else "")


_NAMES: Final = {
    0x00: "NUL", 0x02: "STX", 0x03: "ETX", 0x04: "EOT", 0x09: "Tab", 0x0A: "LF", 0x0D: "CR",
    0x1C: "FS", 0x1D: "GS", 0x1E: "RS", 0x1F: "US", 0x20: "space",
    **{byte: f"{byte:02x}h" for byte in (0x01, *range(5, 9), 0x0B, 0x0C, *range(0x0E, 0x1C), 0x7F)},
}  # fmt: skip
