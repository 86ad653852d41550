"""How the relay stands, and what it makes of a greeting and of answers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.upstream.wire import SENTENCE_MAX, line_of

if TYPE_CHECKING:
    from mes_terminal.domain.delivery import Answer, Greeting, Hello


class RelayState(Struct, frozen=True, kw_only=True):
    """How the relay stands, for screens and commands."""

    online: bool | None = None
    """`None`: it has not tried yet."""
    receiver: str | None = None
    behind_s: float | None = None
    """How far the ERP is behind the receiver; `None`: there is none."""
    last_error: str | None = None
    """Why nothing goes; `None` while it is online."""
    is_wrong: bool = False
    """A person has to mend something before anything goes."""


def lost_ranges(hello: Hello, greeting: Greeting) -> list[tuple[int, int]]:
    """Return which postings of this epoch the receiver lacks, whether or not they were sent."""
    ranges = [*greeting.missing, (greeting.highest + 1, hello.last_sequence)]
    clipped = ((max(first, hello.first_sequence), last) for first, last in ranges)
    return [(first, last) for first, last in clipped if first <= last]


def in_bounds(answer: Answer) -> Answer:
    """Return an answer of which no text is longer than what is kept with a posting."""
    said = {"reason": answer.reason, "sentence": answer.sentence, "document": answer.document}
    long = {name: text for name, text in said.items() if text and len(text) > SENTENCE_MAX}
    return replace(answer, **{name: line_of(text) for name, text in long.items()})
