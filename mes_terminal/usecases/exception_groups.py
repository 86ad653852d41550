"""The lists of the supervisor's desk: exceptions by kind, and those of a kind in pages (screens 9).

`open` leaves out what has ended; `text` keeps what has it in its order, item, lot or cause. Called
as the other lists are (`usecases.lists`).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from mes_terminal.domain.desk import ExceptionStory, KindGroup, Suggestion
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.errors import InputError
from mes_terminal.store import exception_groups as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import SUGGESTIONS_MAX, stream
from mes_terminal.usecases.filters import whole_number

_GRAVITY: Final = {"stop": 0, "warn": 1, "info": 2}


def exception_groups(database: Database, filters: Mapping[str, str]) -> Iterator[KindGroup]:
    """Yield the kinds that there are: the gravest first, then those that wait longest.

    Raises `InputError` for a filter it lacks.
    """
    _check(filters, ("open", "text"))
    text = _sought(filters)
    statement = store.GROUPS["open" in filters, text is not None]
    groups = [
        KindGroup(kind, "stop" if stops else "warn" if warns else "info", count, oldest_at)
        for kind, count, oldest_at, stops, warns in stream(database, statement, {"text": text})
    ]
    return iter(sorted(groups, key=lambda group: (_GRAVITY[group.severity], group.oldest_at)))


def exception_rows(database: Database, filters: Mapping[str, str]) -> Iterator[ExceptionStory]:
    """Yield the exceptions of a `kind` that come after the one of the id `since`, `limit` of them.

    Raises `InputError` for a filter it lacks, or without a kind.
    """
    _check(filters, ("kind", "open", "text", "since", "limit"))
    if "kind" not in filters:
        raise InputError("exception_rows needs a kind.")
    since = whole_number("since", filters.get("since", "0"))
    asked: dict[str, str | int | None] = {
        "kind": filters["kind"],
        "text": _sought(filters),
        "since": since,
        "since_at": store.opened_at(database, since),
        "suggestions_max": SUGGESTIONS_MAX,
    }
    limit = filters.get("limit")
    rows = (_story(*row) for row in stream(database, store.ROWS["open" in filters], asked))
    return islice(rows, None if limit is None else whole_number("limit", limit))


def _check(filters: Mapping[str, str], known: tuple[str, ...]) -> None:
    for name in filters:
        if name not in known:
            raise InputError(f"This list has no filter {name!r}. It has: {', '.join(known)}.")


def _sought(filters: Mapping[str, str]) -> str | None:
    return filters["text"].upper() if filters.get("text") else None


def _story(*row: Any) -> ExceptionStory:
    (exception_id, kind, status, severity, work_order, line, item, lot, quantity_micro, uom,
     tracking, location, opened_at, person, cause, resolution, places) = row  # fmt: skip
    return ExceptionStory(
        id=exception_id,
        kind=kind,
        status=status,
        severity=severity,
        work_order=work_order,
        line=line,
        item=item,
        lot=lot or None,
        quantity=None if quantity_micro is None else format_quantity(quantity_micro),
        uom=uom,
        tracking=tracking,
        location=location,
        opened_at=opened_at,
        person=person,
        cause=cause,
        suggestions=[
            Suggestion(place_lot or None, format_quantity(micro), place, instead, place_uom)
            for place_lot, micro, place, instead, place_uom in msgspec.json.decode(places or "[]")
        ],
        resolution=resolution,
    )
