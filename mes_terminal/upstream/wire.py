"""The envelopes in which the values of `domain.delivery` travel, the same at both ends. Pure."""

from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivery import Answer, DownDocument, Number, SiteException

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that the other side should not have sent: no JSON, no UTF-8, other
values than agreed, or nested deeper than anything of ours."""
SENTENCE_MAX: Final = 500
"""Characters that are kept of a sentence of the other side."""


class Question(Struct, frozen=True, kw_only=True):
    """Which postings a station asks after (UP-7)."""

    source: str
    epoch: str
    sequences: list[Number]


class Unfit(Struct, frozen=True, kw_only=True):
    """Why a message was not handed to the receiver, by the id that it came with."""

    id: str
    reason: str
    """`malformed` or `not_authorised`."""
    sentence: str


class Answers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What comes back over a broker, or to a question."""

    answers: list[Answer] = []
    unknown: list[Number] = []
    unfit: list[Unfit] = []


class Taken(Struct, frozen=True, kw_only=True):
    """What comes back to a batch over HTTP."""

    answers: list[Answer]
    """One for each posting, in order; one whose key cannot be read has an empty `source`."""


class DownBatch(Struct, frozen=True, kw_only=True):
    """Documents that come down."""

    documents: list[DownDocument]


class ExceptionPage(Struct, frozen=True, kw_only=True):
    """Open exceptions of all stations, over a broker whose messages are bounded."""

    exceptions: list[SiteException]
    more: bool
    """Whether there are more after the last one's `number`."""


class Fault(Struct, frozen=True, kw_only=True):
    """Why a request had no effect."""

    reason: str
    sentence: str


def fault_of(content: bytes) -> Fault | None:
    """Return the fault that was answered, on one line of bounded length; `None` for any other
    answer."""
    try:
        fault = msgspec.json.decode(content, type=Fault)
    except UNREADABLE:
        return None
    return Fault(reason=line_of(fault.reason), sentence=line_of(fault.sentence))


def line_of(text: str) -> str:
    """Return one line of what the other side said, which is kept with each posting."""
    return " ".join(text[: 2 * SENTENCE_MAX].split())[:SENTENCE_MAX]


class EventKey(Struct, frozen=True):
    """What of an event says which posting it is."""

    source: str
    epoch: str
    sequence: str
    id: str


_event_key: Final = msgspec.json.Decoder(EventKey)
_DIGITS_MAX: Final = 18
"""A sequence fits 64 bits."""


def key_of(body: bytes) -> EventKey | None:
    """Return the key of a posting, `None` if it has none that can be read."""
    try:
        key = _event_key.decode(body)
    except UNREADABLE:
        return None
    number = key.sequence
    fits = number.isascii() and number.isdigit() and len(number) <= _DIGITS_MAX
    return key if fits and key.source and key.epoch else None
