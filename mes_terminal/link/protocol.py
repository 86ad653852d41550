"""The link's messages: versioned JSON, one a line, each of limited length (docs/link.md).

A client sends requests; the core answers each under its id (a list in pages) and, to those who
subscribed, pushes what happens. Pure: `server` and `client` do the talking.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.errors import CoreError, DatabaseError, InputError, NoDatabaseError, StationError

VERSION: Final = 1
REQUEST_MAX_BYTES: Final = 64 * 1024
"""A request carries one code or one folder name; a longer line is hostile or broken."""
MESSAGE_MAX_BYTES: Final = 32 * 1024 * 1024
"""The longest answer: the outcome or event of an order of many thousand lines."""
PAGE_ROWS_MAX: Final = 200
PAGE_BYTES_MAX: Final = 256 * 1024
"""A page of a list ends at this size, so that a long list never stands in memory."""
REQUESTS_WAITING_MAX: Final = 64
"""Requests of one client in work at a time; reading from it pauses above that."""
PUSHES_WAITING_MAX: Final = 512
"""Messages a client may be behind; a slower one is dropped and attaches anew."""

NULL: Final = msgspec.Raw(b"null")
"""The body of an answer that says nothing, and what stands where there is no body."""


class Request(Struct, frozen=True, kw_only=True):
    """What a client asks. `do` names the request, `params` are its arguments."""

    v: int
    id: int
    do: str
    params: dict[str, Any] = {}


class Fault(Struct, frozen=True, kw_only=True):
    """A `StationError` on its way to the client."""

    reason: str
    sentence: str
    exit_code: int


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the core sends: an answer (`id`) or a push. Exactly one of the bodies is there."""

    id: int | None = None
    result: msgspec.Raw = NULL
    rows: list[msgspec.Raw] | None = None
    more: bool = False
    error: Fault | None = None
    push: str | None = None
    data: msgspec.Raw = NULL


_request_decoder = msgspec.json.Decoder(Request)
_message_decoder = msgspec.json.Decoder(Message)
_encoder = msgspec.json.Encoder()


def encode_request(number: int, do: str, params: dict[str, Any]) -> bytes:
    """Return the line of a request. Raises `InputError` if it is longer than the core takes."""
    line = _encoder.encode(Request(v=VERSION, id=number, do=do, params=params)) + b"\n"
    if len(line) > REQUEST_MAX_BYTES:
        raise InputError("The request is too long for the station.", reason="too_long")
    return line


def decode_request(line: bytes) -> Request:
    """Return the request that `line` holds. Raises `InputError` for anything else."""
    try:
        request = _request_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"The request is not understood: {error}.", reason="protocol") from error
    if request.v != VERSION:
        raise InputError(
            f"The station speaks version {VERSION} of the link, not {request.v}. "
            "Use the same mes-terminal on both sides.",
            reason="protocol",
        )
    return request


def encode_result(number: int, result: object) -> bytes:
    """Return the line of an answer."""
    return _line(Message(id=number, result=msgspec.Raw(_encoder.encode(result))))


def encode_page(number: int, rows: list[bytes], *, more: bool) -> bytes:
    """Return the line of one page of a list; `rows` are JSON objects."""
    return _line(Message(id=number, rows=[msgspec.Raw(row) for row in rows], more=more))


def encode_error(number: int | None, error: StationError) -> bytes:
    """Return the line that refuses a request; without a number it was not even understood."""
    fault = Fault(reason=error.reason, sentence=error.sentence, exit_code=error.exit_code)
    return _line(Message(id=number, error=fault))


def encode_push(kind: str, data: object) -> bytes:
    """Return the line of a push."""
    return _line(Message(push=kind, data=msgspec.Raw(_encoder.encode(data))))


def decode_message(line: bytes) -> Message:
    """Return the answer or push that `line` holds. Raises `CoreError` for anything else."""
    try:
        return _message_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CoreError(
            f"The station's answer is not understood: {error}. "
            "Use the same mes-terminal on both sides.",
            reason="protocol",
        ) from error


def raise_fault(fault: Fault) -> None:
    """Raise the error that the core met, as the command line would have met it itself."""
    kind: type[StationError] = CoreError if fault.reason == "core_gone" else InputError
    if fault.exit_code == DatabaseError.exit_code:
        kind = DatabaseError
    elif fault.reason == "no_database":
        kind = NoDatabaseError
    raise kind(fault.sentence, reason=fault.reason)


def _line(message: Message) -> bytes:
    return _encoder.encode(message) + b"\n"
