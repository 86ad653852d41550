"""What key figures are made from: the reports, exceptions and counts of a span of time.

A day's figures read that day and not the history before it. Between two steps of the clock the
reports are in its order, so a span of time is a few ranges of sequences, found by halving; what was
entered late has an index of its own. Called by `usecases.figures` on the reading connection.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, get_args

from msgspec import Struct

from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.store.database import Connection

SLEW_S: Final = 60.0
"""A clock that is slewed goes back by less than a second at a time, and nobody is told: a range
begins and ends so much further out."""
CHARGED_BACK_MAX: Final = 20_000
"""Movements before a count among which the report is looked for that it speaks against: weeks."""

_KINDS: Final = ", ".join(f"'{kind}'" for kind in get_args(ExceptionKind))

_REPORTS: Final = """
SELECT r.report_seq, r.event_time, w.work_order, i.item, i.uom, r.kind,
       r.good_micro + coalesce((SELECT sum(x.good_micro) FROM report x
                                 WHERE x.reverses = r.report_seq), 0),
       r.scrapped_micro + coalesce((SELECT sum(x.scrapped_micro) FROM report x
                                     WHERE x.reverses = r.report_seq), 0),
       iif(r.kind = 'rework', coalesce((
           SELECT sum(m.quantity_micro) FROM movement m
            WHERE m.movement_seq >= r.movement_first
              AND m.movement_seq < r.movement_first + r.movement_count AND m.kind = 'move'
              AND NOT EXISTS (SELECT 1 FROM report x WHERE x.reverses = r.report_seq
                                 AND x.reverses_rest = 1)), 0), 0),
       EXISTS (SELECT 1 FROM exception_item p
                WHERE p.event_seq = r.report_seq AND p.quantity_micro > 0),
       EXISTS (SELECT 1 FROM healing h WHERE h.report_seq = r.report_seq
                  AND h.cause_seq IS NULL AND h.undone_seq IS NULL
                  AND h.written_micro + h.written_scrap_micro > 0),
       EXISTS (SELECT 1 FROM report x WHERE x.reverses = r.report_seq)
FROM {which}
JOIN work_order w ON w.work_order_id = r.work_order_id
JOIN item i ON i.item_id = w.item_id
WHERE r.kind <> 'reversal' AND r.event_time >= :start AND r.event_time < :end
  AND {when}
"""
REPORTS_IN_ORDER: Final = _REPORTS.format(
    which="report r CROSS JOIN event e ON e.event_seq = r.report_seq",
    when="r.report_seq BETWEEN :first AND :last AND e.event_time = e.recorded_at",
)
REPORTS_LATE: Final = _REPORTS.format(
    which="event e CROSS JOIN report r ON r.report_seq = e.event_seq",
    when="e.event_time >= :start AND e.event_time < :end AND e.scan_seq IS NOT NULL "
    "AND e.event_time <> e.recorded_at",
)

OPENED: Final = f"""
SELECT x.kind, x.cause_code, x.opened_at, x.opened_event_seq, p.quantity_micro,
       i.standard_cost_micro, i.cost_per_micro
FROM exception x
LEFT JOIN exception_item p ON p.exception_id = x.exception_id AND p.event_seq = x.opened_event_seq
LEFT JOIN item i ON i.item_id = x.item_id
WHERE x.kind IN ({_KINDS}) AND x.opened_at >= :start AND x.opened_at < :end
"""  # noqa: S608  our own words
ENDED: Final = """
SELECT opened_at, ended_at FROM exception
WHERE ended_at IS NOT NULL AND ended_at >= :start AND ended_at < :end
"""
COUNTED: Final = """
SELECT c.item_id, s.location_id, min(k.movement_seq)
FROM stock_count s
CROSS JOIN count_item c ON c.stock_count_id = s.stock_count_id AND c.posted_seq IS NOT NULL
CROSS JOIN count_stock k ON k.stock_count_id = c.stock_count_id AND k.item_id = c.item_id
WHERE s.ended_at IS NOT NULL AND s.ended_at >= :start
GROUP BY c.stock_count_id, c.item_id
"""
CHARGED: Final = """
SELECT m.event_seq
FROM movement m JOIN lot l ON l.lot_id = m.lot_id
WHERE m.movement_seq <= :before AND m.movement_seq > :before - :back
  AND m.kind = 'issue' AND m.from_location_id = :location_id AND l.item_id = :item_id
  AND EXISTS (SELECT 1 FROM report r WHERE r.report_seq = m.event_seq)
ORDER BY m.movement_seq DESC LIMIT 1
"""
AGES: Final = "SELECT {counts} FROM exception WHERE status = 'open'"
_CLOCK_STEPS: Final = """
SELECT opened_event_seq FROM exception WHERE kind = 'clock' ORDER BY opened_event_seq
"""
_CONFIRMED: Final = """
SELECT event_seq FROM event WHERE event_seq > ? AND type = 'clock.confirmed'
ORDER BY event_seq LIMIT 1
"""
_AT_OR_AFTER: Final = """
SELECT r.report_seq, e.recorded_at
FROM report r CROSS JOIN event e ON e.event_seq = r.report_seq
WHERE r.report_seq >= ? ORDER BY r.report_seq LIMIT 1
"""


class Span(Struct, frozen=True):
    """Sequences of events, both ends included."""

    first: int
    last: int


class ReportRead(Struct, frozen=True):
    """A report that is no reversal, as it stands, and which signs of an error it bears."""

    report_seq: int
    event_time: str
    work_order: str
    item: str
    uom: str
    kind: str
    good_micro: int
    scrapped_micro: int
    reworked_micro: int
    owed: int
    written_off: int
    reversed: int


class OpenedRead(Struct, frozen=True):
    """An exception by when it was opened, with what it was opened for and the item's cost."""

    kind: ExceptionKind
    cause_code: str
    opened_at: str
    opened_event_seq: int
    quantity_micro: int | None
    standard_cost_micro: int | None
    cost_per_micro: int | None


def read_reports(conn: Connection, start: str, end: str) -> list[ReportRead]:
    """Return the reports whose time lies in [start, end), by sequence."""
    rows: list[tuple[Any, ...]] = []
    for span in report_spans(conn, start, end):
        asked = {"start": start, "end": end, "first": span.first, "last": span.last}
        rows += conn.execute(REPORTS_IN_ORDER, asked)
    rows += conn.execute(REPORTS_LATE, {"start": start, "end": end})
    return [ReportRead(*row) for row in sorted(rows)]


def read_opened(conn: Connection, start: str, end: str) -> list[OpenedRead]:
    """Return the exceptions that were opened in [start, end)."""
    return [OpenedRead(*row) for row in conn.execute(OPENED, {"start": start, "end": end})]


def read_ended(conn: Connection, start: str, end: str) -> list[tuple[str, str]]:
    """Return (opened_at, ended_at) of the exceptions that ended in [start, end)."""
    return conn.execute(ENDED, {"start": start, "end": end}).fetchall()


def read_charged(conn: Connection, start: str) -> set[int]:
    """Return the reports that counts from `start` on speak against: where a difference was booked,
    the last one that drew on the item there before it was counted."""
    charged = set()
    for item_id, location_id, before in conn.execute(COUNTED, {"start": start}).fetchall():
        row = conn.execute(
            CHARGED,
            {"item_id": item_id, "location_id": location_id, "before": before,
             "back": CHARGED_BACK_MAX},
        ).fetchone()  # fmt: skip
        if row is not None:
            charged.add(int(row[0]))
    return charged


def count_ages(conn: Connection, limits: list[str]) -> list[int]:
    """Return how many open exceptions were opened after the first of `limits` (the latest), between
    it and the next, and so on; last those before all."""
    counts = ", ".join(
        f"coalesce(sum(opened_at > :limit_{place}), 0)" for place in range(len(limits))
    )
    asked = {f"limit_{place}": limit for place, limit in enumerate(limits)}
    row = conn.execute(AGES.format(counts=f"{counts}, count(*)"), asked).fetchone()
    return [row[0], *(later - earlier for earlier, later in pairwise(row))]


def oldest_open(conn: Connection) -> str | None:
    """Return when the oldest open exception was opened."""
    row = conn.execute("SELECT min(opened_at) FROM exception WHERE status = 'open'").fetchone()
    return str(row[0]) if row[0] is not None else None


def report_spans(conn: Connection, start: str, end: str) -> list[Span]:
    """Return ranges of sequences that hold every report which was recorded in [start, end)."""
    found = []
    for span, in_order in _stretches(conn):
        if not in_order:
            found.append(span)
            continue
        first = _first_at(conn, span, plus_seconds(start, -SLEW_S))
        last = _first_at(conn, span, plus_seconds(end, SLEW_S)) - 1
        if first <= last:
            found.append(Span(first, last))
    return found


def _stretches(conn: Connection) -> Iterator[tuple[Span, bool]]:
    """Yield the log in stretches, and whether each is in the order of the clock. From a step of the
    clock until a supervisor confirms it, further steps are not noticed."""
    last = conn.execute("SELECT coalesce(max(event_seq), 0) FROM event").fetchone()[0]
    steps = [int(row[0]) for row in conn.execute(_CLOCK_STEPS)]
    begin = 1
    for place, step in enumerate(steps):
        if begin < step:
            yield Span(begin, step - 1), True
        row = conn.execute(_CONFIRMED, [step]).fetchone()
        until = min(row[0] if row else last, *steps[place + 1 :], last)
        yield Span(step, until), False
        begin = until + 1
    if begin <= last:
        yield Span(begin, last), True


def _first_at(conn: Connection, span: Span, instant: str) -> int:
    """Return the first sequence of a stretch from which on reports were recorded at `instant` or
    later; one past its end if there is none."""
    low, high = span.first, span.last + 1
    while low < high:
        middle = (low + high) // 2
        row = conn.execute(_AT_OR_AFTER, [middle]).fetchone()
        if row is None or row[0] > span.last or row[1] >= instant:
            high = middle
        else:
            low = row[0] + 1
    return low
