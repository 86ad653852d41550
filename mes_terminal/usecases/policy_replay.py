"""What another control matrix would have done to the scans of the last days (BF-24).

Each scan is judged by itself from what was recorded of it: the events of questions and acceptances,
messages of refusals, exceptions and times of reports. Nothing is played on: what a different answer
would have changed afterwards is not known here. Reads only. Called by the lists.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.policy import (
    BLOCKED,
    REFUSALS,
    STRICTEST_LAST,
    ControlLevel,
    ControlMatrix,
    Situation,
    would_be,
)
from mes_terminal.domain.report_told import EVENT_TYPES
from mes_terminal.domain.run_time import least_run_s
from mes_terminal.errors import InputError
from mes_terminal.store import policy, policy_journal
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.policy_journal import Closed, Scanned
from mes_terminal.usecases.apply_policy import ACCEPTED, ASKED

FILTERS: Final = frozenset(("since", "matrix"))
_SAID: Final[dict[Situation, re.Pattern[str]]] = {
    "over_completion": re.compile(r"(?P<order>.+) has \S+ .+ left(?: at operation .+)?, not "),
    "over_consumption": re.compile(r"(?P<item>.+): \S+ .+ taken of \S+, over its tolerance"),
    "under_consumption": re.compile(r"(?P<item>.+): \S+ .+ taken of \S+, under its tolerance"),
    "lot_expired": re.compile(
        r".+ of (?P<item>.+?)(?:, which was scanned for .+,)? (?:expired on|says \S+ expired)"
    ),
    "lot_on_hold": re.compile(r".+ of (?P<item>.+?)(?:, which was scanned for .+,)? is on hold"),
    "substitute": re.compile(r"(?P<item>.+) may stand in for "),
    "shortage": re.compile(r"(?P<item>.+) is \S+ .+ short at "),
    "serial_missing": re.compile(r".+?: [0-9]+ units? lacks? "),
    "reopen": re.compile(r"(?P<order>.+) is closed\."),
    "late_reversal": re.compile(
        r"The (?:last report \(|report \S+ of )(?P<order>.+?)\)? is (?:older than|not the last)"
    ),
}
"""How the message of a refusal begins, with whose class decides: the order's product, or an
item."""
_LACKED: Final = re.compile(r"[0-9]+ units? lacks? (.+?)(?=, [0-9]+ units? lack|\. )")


class ReplayRow(Struct, frozen=True):
    """A scan that the other matrix would have answered otherwise."""

    sequence: int
    scan_id: str
    received_at: str
    code: str
    situation: Situation
    item: str
    item_class: str | None = field(name="class")
    level: ControlLevel
    """The level it met."""
    outcome: str
    reason: str | None
    would_level: ControlLevel
    would_outcome: str
    would_reason: str | None


class _Met(Struct, frozen=True):
    """A deviation that was met, with the item that decides under each matrix."""

    scan: Scanned
    situation: Situation
    level: ControlLevel
    items: list[str]


def replay_policy(database: Database, filters: Mapping[str, str]) -> Iterator[ReplayRow]:
    """Yield what would have differed, in the order of the scans.

    Filters, both needed: `since`, an instant; `matrix`, its levels as JSON.
    Raises `InputError` for others.
    """
    if set(filters) != FILTERS:
        raise InputError("policy_replay has two filters, and needs both: since, matrix.")
    try:
        matrix = msgspec.json.decode(filters["matrix"], type=ControlMatrix)
    except msgspec.MsgspecError as error:
        raise InputError(f"The matrix cannot be read: {error}.") from error
    conn = database.conn
    found = [*_refused(conn, filters["since"]), *_recorded(conn, filters["since"])]
    found += _allowed(conn, filters["since"])
    for each in sorted(found, key=lambda met: met.scan.sequence):
        row = _judged(conn, each, matrix)
        if (row.outcome, row.reason) != (row.would_outcome, row.would_reason):
            yield row


def _judged(conn: Connection, met: _Met, matrix: ControlMatrix) -> ReplayRow:
    """Judge by the item that the matrix takes most strictly."""
    classes = [(item, policy.class_of_item(conn, item)) for item in met.items]
    levels = [matrix.level(met.situation, item_class) for _, item_class in classes]
    worst = max(range(len(levels)), key=lambda place: STRICTEST_LAST.index(levels[place]))
    scan = met.scan
    would_outcome, would_reason = would_be(met.situation, levels[worst])
    if levels[worst] == "allow" and scan.outcome in ("completed", "recorded"):
        would_outcome = scan.outcome
    return ReplayRow(
        sequence=scan.sequence,
        scan_id=scan.scan_id,
        received_at=scan.received_at,
        code=scan.raw.decode("utf-8", "replace"),
        situation=met.situation,
        item=classes[worst][0],
        item_class=classes[worst][1],
        level=met.level,
        outcome=scan.outcome,
        reason=scan.reason,
        would_level=levels[worst],
        would_outcome=would_outcome,
        would_reason=would_reason,
    )


def _refused(conn: Connection, since: str) -> Iterator[_Met]:
    """What the matrix blocked: the message names the order, or the items."""
    for scan in policy_journal.refusals(conn, policy_journal.first_scan(conn, since), BLOCKED):
        for situation, said in _SAID.items():
            told = said.match(scan.message) if REFUSALS[situation] == scan.reason else None
            if told is not None:
                items = _items(conn, scan.message, told.groupdict())
                if items:
                    yield _Met(scan, situation, "block", items)
                break


def _items(conn: Connection, message: str, named: Mapping[str, str]) -> list[str]:
    if "order" in named:
        item = policy_journal.order_item(conn, named["order"])
        return [] if item is None else [item]
    return [named["item"]] if "item" in named else _LACKED.findall(message)


def _recorded(conn: Connection, since: str) -> Iterator[_Met]:
    """What the matrix asked about, and what it let pass without a question."""
    first = policy_journal.first_scan(conn, since)
    for scan, kind, body in policy_journal.events(conn, first, (ASKED, ACCEPTED)):
        detail = msgspec.json.decode(body)["data"]["detail"]
        if kind == ASKED or detail["level"] == "allow":
            yield _Met(scan, detail["situation"], detail["level"], [detail["item"]])


def _allowed(conn: Connection, since: str) -> Iterator[_Met]:
    """What was allowed as it always was: shortages that are owed, orders that took more or less
    than they should, and closes of a moment."""
    first = policy_journal.first_scan(conn, since)
    asked_about = {
        (scan.sequence, msgspec.json.decode(body)["data"]["detail"]["situation"])
        for scan, _, body in policy_journal.events(conn, first, (ACCEPTED,))
    }
    for scan, _, body in policy_journal.events(conn, first, tuple(set(EVENT_TYPES.values()))):
        opened = msgspec.json.decode(body)["data"]["exceptions"]
        items: dict[Situation, list[str]] = {}
        for each in opened:
            if each["kind"] == "shortage":
                items.setdefault("shortage", []).append(each["item"])
            elif each["kind"] == "consumption":
                is_over = policy_journal.cause_of(conn, each["id"]) == "over_consumption"
                off: Situation = "over_consumption" if is_over else "under_consumption"
                items.setdefault(off, []).append(each["item"])
        for situation, found in items.items():
            if (scan.sequence, situation) not in asked_about:
                yield _Met(scan, situation, "allow", found)
    starts = policy_journal.starts(conn)
    for closed in policy_journal.closes(conn, first):
        known = (closed.scan.sequence, "implausible_close") in asked_about
        if not known and _is_implausible(conn, closed, starts):
            yield _Met(closed.scan, "implausible_close", "allow", [closed.item])


def _is_implausible(conn: Connection, closed: Closed, starts: Mapping[str, list[str]]) -> bool:
    """Tell whether the close was one, by what was known at its time."""
    rows: list[Any] = msgspec.json.decode(closed.passed)
    units = {position: good for position, good, _ in rows}
    needed_s = least_run_s(policy.run_times(conn, closed.work_order_id, units))
    if not needed_s:
        return False
    if closed.status_before == "released":
        return True
    before = [at for at in starts.get(closed.work_order, []) if at <= closed.event_time]
    since = closed.first_report_at or (before[-1] if before else None)
    return since is None or seconds_between(since, closed.event_time) < needed_s
