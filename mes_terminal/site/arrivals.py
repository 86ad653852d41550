"""The inbox's own tables: sources and their epochs, what arrived, and what was answered.

Every function runs inside the caller's transaction and takes a whole batch at once. Sources are
locked first and in one order, so that two doors that bring the same posting wait for each other.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct
from psycopg.types.range import Range

from mes_terminal.site.database import Connection
from mes_terminal.site.judge import Standing
from mes_terminal.site.reading import Key, Malformed, Posting

POISON_BYTES_KEPT: Final = 65_536
"""What is kept of bytes that name no posting."""


class EpochRow(Struct, frozen=True):
    """An epoch of a source, locked until the transaction ends."""

    epoch_id: int
    source_id: int
    is_new: bool = False
    """Nothing of it has come yet."""


class Stored(NamedTuple):
    """A posting that arrived before, and what was answered."""

    posting_id: int
    hash: bytes
    outcome: str
    reason: str | None
    sentence: str | None
    is_final: bool


class Arrival(Struct, frozen=True, kw_only=True):
    """A posting to be stored, or to be answered anew."""

    posting_id: int
    epoch: EpochRow
    reading: Posting | Malformed
    key: Key
    reason: str | None
    sentence: str | None
    is_final: bool
    has_effect: bool
    closes: bool
    is_new: bool


_NEW_SOURCES: Final = """
    INSERT INTO source (source, epoch)
    SELECT * FROM unnest(%(sources)s::text[], %(epochs)s::text[]) AS n(source, epoch)
     ORDER BY source
    ON CONFLICT (source) DO NOTHING
"""
_EPOCHS: Final = """
    SELECT e.epoch_id, e.source_id, isempty(e.received), s.source, e.epoch
      FROM source s JOIN epoch e USING (source_id)
     WHERE s.source = ANY(%(sources)s) AND e.epoch = ANY(%(epochs)s)
     ORDER BY s.source, e.epoch FOR NO KEY UPDATE
"""
_NEW_EPOCHS: Final = """
    INSERT INTO epoch (source_id, epoch)
    SELECT s.source_id, n.epoch
      FROM unnest(%(sources)s::text[], %(epochs)s::text[]) AS n(source, epoch)
      JOIN source s USING (source)
     ORDER BY s.source_id, n.epoch
    ON CONFLICT (source_id, epoch) DO NOTHING
"""
_STORED: Final = """
    SELECT p.epoch_id, p.sequence, p.posting_id, p.hash, p.outcome, p.reason, p.sentence, p.is_final
      FROM unnest(%s::int[], %s::bigint[]) AS n(epoch_id, sequence)
      JOIN posting p USING (epoch_id, sequence)
"""
_INSERT: Final = """
    INSERT INTO posting (
        posting_id, epoch_id, sequence, source_id, hash, body, type, work_order, report_id,
        reverses, event_time, recorded_at, outcome, reason, sentence, is_final, has_effect, closes,
        log_sequence, log_hash)
    OVERRIDING SYSTEM VALUE
    SELECT * FROM unnest(
        %s::bigint[], %s::int[], %s::bigint[], %s::int[], %s::bytea[], %s::bytea[], %s::text[],
        %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[],
        %s::text[], %s::text[], %s::boolean[], %s::boolean[], %s::boolean[], %s::bigint[],
        %s::text[])
"""
_AGAIN: Final = """
    UPDATE posting p
       SET outcome = n.outcome, reason = n.reason, sentence = n.sentence, is_final = n.is_final,
           has_effect = n.has_effect, closes = n.closes, decided_at = now()
      FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::boolean[],
                  %s::boolean[]) AS n(posting_id, outcome, reason, sentence, is_final, has_effect,
                  closes)
     WHERE p.posting_id = n.posting_id
"""
_SETTLE: Final = """
    UPDATE posting p SET is_final = p.is_final OR n.is_final, closes = p.closes AND n.closes
      FROM unnest(%s::bigint[], %s::boolean[], %s::boolean[]) AS n(posting_id, is_final, closes)
     WHERE p.posting_id = n.posting_id
"""
_ADVANCE: Final = """
    UPDATE epoch e
       SET received = e.received + n.received::int8multirange,
           head_hash = CASE WHEN n.head_sequence > coalesce(e.head_sequence, -1)
                            THEN n.head_hash ELSE e.head_hash END,
           head_sequence = greatest(e.head_sequence, n.head_sequence)
      FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::text[])
           AS n(epoch_id, received, head_sequence, head_hash)
     WHERE e.epoch_id = n.epoch_id
"""
_SEEN: Final = """
    UPDATE source s
       SET last_seen_at = now(),
           epoch = (SELECT e.epoch FROM epoch e WHERE e.source_id = s.source_id
                     ORDER BY e.epoch_id DESC LIMIT 1)
     WHERE s.source_id = ANY(%s)
"""
_POISON: Final = """
    INSERT INTO poison (hash, body, size_bytes, sentence) VALUES (%s, %s, %s, %s)
    ON CONFLICT (hash) DO UPDATE SET times = poison.times + 1, last_seen_at = now()
"""
_REPORTS: Final = """
    SELECT p.posting_id, p.source_id, p.report_id, p.outcome, p.closes,
           CASE WHEN p.outcome = 'refused' OR p.report_id = ANY(%(made)s) THEN p.body END
      FROM posting p
     WHERE p.report_id = ANY(%(ids)s)
"""


def lock_epochs(conn: Connection, keys: Iterable[Key]) -> dict[tuple[str, str], EpochRow]:
    """Return the epochs of the keys, new ones made, all locked with their sources."""
    wanted = sorted({(key.source, key.epoch) for key in keys})
    names = {
        "sources": [source for source, _ in wanted],
        "epochs": [epoch for _, epoch in wanted],
    }
    found = _epochs(conn, names)
    if any(each not in found for each in wanted):
        newest = dict(wanted)
        distinct = {"sources": sorted(newest), "epochs": [newest[each] for each in sorted(newest)]}
        conn.execute(_NEW_SOURCES, distinct)
        conn.execute(_NEW_EPOCHS, names)
        found = _epochs(conn, names)
    return found


def _epochs(conn: Connection, names: dict[str, list[str]]) -> dict[tuple[str, str], EpochRow]:
    return {
        (source, epoch): EpochRow(epoch_id, source_id, is_new)
        for epoch_id, source_id, is_new, source, epoch in conn.execute(_EPOCHS, names)
    }


def ask_stored(
    conn: Connection, keys: Collection[tuple[int, int]]
) -> Callable[[], dict[tuple[int, int], Stored]]:
    """Ask which of the keys (epoch id, sequence) have arrived before; what is returned reads the
    answer, so that a pipeline asks several things at once."""
    if not keys:
        return dict
    rows = conn.execute(_STORED, [[key[0] for key in keys], [key[1] for key in keys]])
    return lambda: {(row[0], row[1]): Stored(*row[2:]) for row in rows}


def read_stored(
    conn: Connection, keys: Collection[tuple[int, int]]
) -> dict[tuple[int, int], Stored]:
    """Return the same at once."""
    return ask_stored(conn, keys)()


def ask_reports(
    conn: Connection, ids: Collection[str], made: Collection[str]
) -> Callable[[], list[tuple[int, str, Standing, bytes | None]]]:
    """Ask for earlier reports by their ids: source, id, how they stand; of the refused ones and of
    those of `made` the body too."""
    if not ids and not made:
        return list
    rows = conn.execute(_REPORTS, {"ids": [*ids, *made], "made": list(made)})
    return lambda: [
        (source_id, report_id, Standing(posting_id=number, outcome=outcome, closes=closes), body)
        for number, source_id, report_id, outcome, closes, body in rows
    ]


def ask_numbers(conn: Connection, count: int) -> Callable[[], list[int]]:
    """Ask for the numbers of postings to come, ascending. What is not used is left out for ever."""
    if not count:
        return list
    rows = conn.execute(
        "SELECT nextval(pg_get_serial_sequence('posting', 'posting_id'))"
        " FROM generate_series(1, %s)",
        [count],
    )
    return lambda: sorted(number for (number,) in rows)


def write_arrivals(conn: Connection, arrivals: Sequence[Arrival]) -> None:
    """Store what is new, and the new answers to what was refused."""
    new = [each for each in arrivals if each.is_new]
    if new:
        conn.execute(_INSERT, _columns([_row(each) for each in new]))
        _advance(conn, new)
    again = [each for each in arrivals if not each.is_new]
    if again:
        conn.execute(
            _AGAIN,
            _columns([
                (each.posting_id, _outcome(each), each.reason, each.sentence, each.is_final,
                 each.has_effect, each.closes)
                for each in sorted(again, key=lambda each: each.posting_id)
            ]),
        )  # fmt: skip


def settle(conn: Connection, final: Collection[int], reopened: Collection[int]) -> None:
    """Note refused reports that are never judged again, and closing ones that were taken back."""
    numbers = sorted({*final, *reopened})
    if numbers:
        conn.execute(
            _SETTLE,
            _columns([(each, each in final, each not in reopened) for each in numbers]),
        )


def note_seen(conn: Connection, epochs: dict[tuple[str, str], EpochRow]) -> None:
    """Note that the sources were heard of. Their epoch is the newest, also while postings of an
    older one still come."""
    if epochs:
        conn.execute(_SEEN, [sorted({row.source_id for row in epochs.values()})])


def keep_poison(conn: Connection, readings: Iterable[Malformed]) -> None:
    """Keep what names no posting, once."""
    by_hash = {each.hash: each for each in readings}
    for each in (by_hash[known] for known in sorted(by_hash)):
        row = (each.hash, each.body[:POISON_BYTES_KEPT], len(each.body), each.sentence)
        conn.execute(_POISON, row)


def _advance(conn: Connection, new: Sequence[Arrival]) -> None:
    received: dict[int, list[int]] = {}
    heads: dict[int, tuple[int, str]] = {}
    for each in new:
        epoch_id = each.epoch.epoch_id
        received.setdefault(epoch_id, []).append(each.key.sequence)
        if isinstance(each.reading, Posting):
            head = (each.reading.log_sequence, each.reading.log_hash)
            heads[epoch_id] = max(heads.get(epoch_id, (-1, "")), head)
    rows = [
        (epoch_id, ranges_text(received[epoch_id]), *heads.get(epoch_id, (None, None)))
        for epoch_id in sorted(received)
    ]
    conn.execute(_ADVANCE, _columns(rows))


def ranges_text(numbers: Iterable[int]) -> str:
    """Return numbers as the text of a multirange."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and spans[-1][1] == number:
            spans[-1][1] = number + 1
        else:
            spans.append([number, number + 1])
    return "{" + ",".join(f"[{first},{after})" for first, after in spans) + "}"


def spans_of(received: Iterable[Range[int]]) -> list[tuple[int, int]]:
    """Return a multirange as first and last of each of its parts, ascending."""
    return sorted(
        (each.lower, each.upper - 1)
        for each in received
        if each.lower is not None and each.upper is not None
    )


def _outcome(each: Arrival) -> str:
    return "accepted" if each.reason is None else "refused"


def _row(each: Arrival) -> tuple[Any, ...]:
    key, reading = each.key, each.reading
    told: tuple[Any, ...] = ("", None, None, None, None, None)
    place: tuple[Any, ...] = (None, None)
    if isinstance(reading, Posting):
        data = reading.data
        told = (
            reading.kind, data.work_order, reading.report_id, data.reverses, reading.event_time,
            reading.recorded_at,
        )  # fmt: skip
        place = (reading.log_sequence, reading.log_hash)
    return (
        each.posting_id, each.epoch.epoch_id, key.sequence, each.epoch.source_id, reading.hash,
        reading.body, *told, _outcome(each), each.reason, each.sentence, each.is_final,
        each.has_effect, each.closes, *place,
    )  # fmt: skip


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return rows as columns, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]
