"""The files of the `file` connector: JSON Lines of postings, chained by their hashes. Pure.

The first line is a header, which carries the SHA-256 of the whole file before it (64 zeros: there
is none); every other line is one event exactly as it is stored at the station. A file is numbered
without gaps, so that a lost, changed or doubled one is noticed by whoever reads them.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.posting import sha256

FORMAT: Final = "mes-terminal.postings.v1"


class Header(Struct, frozen=True, kw_only=True):
    """The first line of a file."""

    format: str = FORMAT
    source: str
    number: int
    previous: str
    """The SHA-256 of the file before it."""


class SegmentError(Exception):
    """A file that cannot be what a station wrote; the text says why, as a sentence's end."""


_decode_header: Final = msgspec.json.Decoder(Header).decode


def header_line(header: Header) -> bytes:
    """Return the first line, with its end."""
    return msgspec.json.encode(header) + b"\n"


def event_lines(bodies: Iterable[bytes]) -> bytes:
    """Return the lines of events: JSON as the station writes it has no line break inside."""
    return b"".join(body + b"\n" for body in bodies)


def whole_lines(content: bytes) -> int:
    """Return how many bytes of a file that a power cut ended are whole lines."""
    return content.rfind(b"\n") + 1


def read_segment(
    content: bytes, *, source: str | None, number: int, previous: str | None
) -> tuple[Header, list[bytes], str]:
    """Return the header, the events and the hash of a file. Raises `SegmentError`.

    `source` `None` takes any; `previous` `None` takes any hash of the file before.
    """
    lines = content.split(b"\n")
    if lines.pop():
        raise SegmentError("its last line is cut off")
    header = _header(lines)
    if source is not None and header.source != source:
        raise SegmentError(f"it is of {header.source}, not of {source}")
    if header.number != number:
        raise SegmentError(f"it says that it is number {header.number}")
    if previous is not None and header.previous != previous:
        raise SegmentError("it does not follow the file before it: one was changed, or is missing")
    return header, lines[1:], sha256(content)


def _header(lines: Sequence[bytes]) -> Header:
    try:
        header = _decode_header(lines[0])
    except (IndexError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SegmentError("its first line is no header of postings") from error
    if header.format != FORMAT:
        raise SegmentError(f"its format is {header.format[:40]!r}, not {FORMAT}")
    return header
