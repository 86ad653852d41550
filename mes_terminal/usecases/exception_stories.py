"""The story of single exceptions: how each came, whose it is, what it is worth, what may end it.

Evidence is the scan that opened it, its production day and shift. Called by
`usecases.exception_groups`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import msgspec

from mes_terminal.domain.desk import ExceptionStory, Suggestion
from mes_terminal.domain.duties import duty_of
from mes_terminal.domain.exception_story import OpenStory, Place, blocking_of, proposals_of
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.shifts import Shift, production_day
from mes_terminal.domain.worth import money, worth_of
from mes_terminal.store import exception_groups as store
from mes_terminal.store.database import Database
from mes_terminal.store.exception_groups import StoryRow
from mes_terminal.store.orders import read_shifts
from mes_terminal.usecases.refused_postings import KIND as POSTING
from mes_terminal.usecases.refused_postings import refused_posting

STORIES_MAX: Final = 100
"""Stories read at a time: so many stand in memory."""
CODE_SHOWN: Final = 120
"""Characters of the scanned code; the journal has all of it."""

_places: Final = msgspec.json.Decoder(list[Place])


def stories(
    database: Database, ids: Iterable[int], *, rules: StationRules, now: str
) -> Iterator[ExceptionStory]:
    """Yield the stories of these exceptions as they are taken, in this order."""
    shifts = read_shifts(database.conn)
    named = [
        text
        for rule in rules.duties.values()
        for text in (rule.owner, rule.escalate_to)
        if text is not None
    ]
    names = store.names_of(database, named)
    rest = iter(ids)
    while batch := list(islice(rest, STORIES_MAX)):
        for row in store.read_stories(database, batch):
            told = _story(row, shifts, names, rules=rules, now=now)
            if row.kind == POSTING:
                posting = refused_posting(database.conn, row.subject)
                told = msgspec.structs.replace(told, posting=posting)
            yield told


def _story(
    row: StoryRow,
    shifts: list[Shift],
    names: Mapping[str, str],
    *,
    rules: StationRules,
    now: str,
) -> ExceptionStory:
    quantity = None if row.quantity_micro is None else format_quantity(row.quantity_micro)
    places = _places.decode(row.places or "[]")
    day, shift = production_day(row.opened_at, shifts, rules.zone)
    code = None if row.scan_raw is None else row.scan_raw.decode("utf-8", "replace")[:CODE_SHOWN]
    told = ExceptionStory(
        id=row.exception_id,
        kind=row.kind,
        status=row.status,
        severity=row.severity,
        work_order=row.work_order,
        line=row.line,
        item=row.item,
        lot=row.lot or None,
        quantity=quantity,
        uom=row.uom,
        tracking=row.tracking,
        location=row.location,
        opened_at=row.opened_at,
        person=row.person,
        cause=row.cause,
        suggestions=[
            Suggestion(each.lot or None, format_quantity(each.quantity_micro), each.location,
                       each.instead, each.uom)
            for each in places
        ],
        resolution=row.resolution,
        cause_code=row.cause_code,
        owner=row.assigned_name or row.assigned,
        assigned=row.assigned,
        tries=row.tries,
        shift=shift,
        production_day=day,
        scan_code=code,
        scan_id=row.scan_id,
        scanned_at=row.scanned_at,
        device=row.device,
        station=rules.station,
    )  # fmt: skip
    return _still_open(told, row, places, names, rules, now) if row.status == "open" else told


def _still_open(
    told: ExceptionStory,
    row: StoryRow,
    places: list[Place],
    names: Mapping[str, str],
    rules: StationRules,
    now: str,
) -> ExceptionStory:
    """Add what only an open exception has: whose it is until when, its worth, its ways to end."""
    duty = duty_of(row.kind, row.opened_at, settings=rules.duties, assigned=told.owner, now=now)
    worth = worth_of(row.kind, row.quantity_micro, row.cost_micro, row.per_micro)
    value = money(worth, rules.currency)
    known = OpenStory(
        kind=told.kind,
        cause_code=told.cause_code,
        cause=told.cause,
        item=told.item,
        lot=told.lot,
        quantity=told.quantity,
        uom=told.uom,
        tracking=told.tracking,
        location=told.location,
        opened_at=told.opened_at,
        mount_required=bool(row.mount_required),
        places=places,
    )
    return msgspec.structs.replace(
        told,
        owner=names.get(duty.owner or "", duty.owner) if row.assigned is None else duty.owner,
        due_at=duty.due_at,
        escalated_to=names.get(duty.escalated_to or "", duty.escalated_to),
        value=value,
        currency=None if value is None else rules.currency,
        blocking=blocking_of(known),
        proposals=proposals_of(known),
    )
