"""Each posting that a test makes is checked against the JSON Schema of its type.

`watch` stands in the one place where bodies are made. What breaks its schema is told when the test
ends, not where it is made: there it would be a scan that failed, which many tests expect.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final, get_args

import fastjsonschema
import msgspec

from mes_terminal.domain.posting import short_type
from mes_terminal.domain.posting_texts import Uuid
from mes_terminal.exchange.posting_schemas import POSTINGS, posting_schema
from mes_terminal.store import events

PLACE: Final = "event_body"
"""What makes bodies, by the name that the log calls it by."""
FAULTS_MAX: Final = 20
"""Faults that are kept for a test: one is enough to fail it."""

UUID_PATTERN: Final = msgspec.json.encode(
    next(each.pattern for each in get_args(Uuid) if isinstance(each, msgspec.Meta))
)

Check = Callable[[Any], Any]


class Watched:
    """What was seen so far."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.seen: dict[str, int] = {}
        self.spent_s = 0.0


WATCHED: Final = Watched()


@cache
def check_of(kind: str) -> Check:
    """Return the compiled schema of a type of posting; tests give scans what ids they like, and a
    rehearsal has none."""
    schema = msgspec.json.encode(posting_schema(kind)).replace(UUID_PATTERN, b'""')
    check: Check = fastjsonschema.compile(msgspec.json.decode(schema))
    return check


def fault_of(body: bytes) -> str | None:
    """Return what is wrong with a posting; `None`: nothing."""
    document = msgspec.json.decode(body)
    kind = short_type(document["type"])
    if kind not in POSTINGS:
        return f"{kind} goes upstream and is none of POSTINGS"
    try:
        check_of(kind)(document)
    except fastjsonschema.JsonSchemaValueException as error:
        return f"{kind}: {error.message}: {body.decode()[:2000]}"
    return None


def watch() -> Callable[[], None]:
    """Check each posting from now on; return what ends it."""
    original = vars(events)[PLACE]

    def watched(draft: Any, *given: Any, **named: Any) -> bytes:
        body: bytes = original(draft, *given, **named)
        if draft.upstream:
            began = time.perf_counter()
            fault = fault_of(body)
            WATCHED.seen[draft.type] = WATCHED.seen.get(draft.type, 0) + 1
            WATCHED.spent_s += time.perf_counter() - began
            if fault is not None and len(WATCHED.faults) < FAULTS_MAX:
                WATCHED.faults.append(fault)
        return body

    vars(events)[PLACE] = watched

    def end() -> None:
        vars(events)[PLACE] = original

    return end


def told_faults() -> str | None:
    """Return the faults since it was asked last, as one text; `None`: none."""
    faults, WATCHED.faults = WATCHED.faults, []
    return "\n".join(faults) or None
