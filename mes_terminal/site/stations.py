"""The stations as the site knows them: who greeted, up to where they are there, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from mes_terminal.site import conflicts
from mes_terminal.site.arrivals import lock_epochs, spans_of
from mes_terminal.site.reading import Key
from mes_terminal.site.versions import overtake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mes_terminal.domain.delivery import Hello
    from mes_terminal.site.database import Connection

GAPS_TOLD_MAX: Final = 1000
"""Gaps that one greeting names: a station mends those first and asks again."""

_HELLO: Final = """
    UPDATE source
       SET last_seen_at = now(), greeted_at = now(), epoch = %(epoch)s, software = %(software)s,
           last_sequence = %(last_sequence)s
     WHERE source_id = %(source_id)s
"""
_HELLO_EPOCH: Final = """
    UPDATE epoch
       SET first_sequence = %(first_sequence)s, said_head_sequence = %(head_sequence)s,
           said_head_hash = %(head)s
     WHERE epoch_id = %(epoch_id)s
"""
_STAND: Final = """
    SELECT e.first_sequence, e.received,
           EXISTS (SELECT 1 FROM epoch o
                    WHERE o.source_id = e.source_id AND o.epoch_id < e.epoch_id)
      FROM epoch e JOIN source s USING (source_id)
     WHERE s.source = %s AND e.epoch = %s
"""
_EPOCH_ID: Final = """
    SELECT e.epoch_id FROM epoch e JOIN source s USING (source_id)
     WHERE s.source = %s AND e.epoch = %s
"""
_BODIES: Final = """
    SELECT body FROM posting WHERE epoch_id = %s AND sequence = ANY(%s) ORDER BY sequence
"""


class Stand(Struct, frozen=True):
    """What the site has of an epoch (UP-5)."""

    watermark: int
    """Everything up to here is there."""
    highest: int
    missing: list[tuple[int, int]]
    """The gaps, first and last."""

    @property
    def beyond(self) -> list[tuple[int, int]]:
        """What is there behind the gaps: first and last, as many as are told."""
        ends = [*(first - 1 for first, _ in self.missing[1:]), self.highest]
        found = [(last + 1, end) for (_, last), end in zip(self.missing, ends, strict=False)]
        return found[:GAPS_TOLD_MAX]


NOTHING: Final = Stand(0, 0, [])


def note_hello(conn: Connection, hello: Hello) -> None:
    """Note who begins to send, and what a restored backup lost: of the station's, or the site's."""
    epochs = lock_epochs(conn, [Key(hello.source, hello.epoch, hello.first_sequence)])
    row = epochs[hello.source, hello.epoch]
    told: dict[str, Any] = {
        "epoch": hello.epoch,
        "software": hello.software,
        "last_sequence": hello.last_sequence,
        "source_id": row.source_id,
        "epoch_id": row.epoch_id,
        "first_sequence": hello.first_sequence,
        "head_sequence": hello.head_sequence,
        "head": hello.head,
    }
    conn.execute(_HELLO, told)
    conn.execute(_HELLO_EPOCH, told)
    conflicts.find_lost(conn, [row.epoch_id])
    overtake(conn, hello.down_version)


def read_stand(conn: Connection, source: str, epoch: str) -> Stand:
    """Return what is there of an epoch; nothing of one that was never heard of."""
    row = conn.execute(_STAND, [source, epoch]).fetchone()
    if row is None:
        return NOTHING
    first, received, is_later = row
    return stand_of(first, spans_of(received), is_later=is_later)


def stand_of(first: int | None, spans: Sequence[tuple[int, int]], *, is_later: bool) -> Stand:
    """Return what spans of sequences (first and last, ascending) leave out.

    An epoch that has not greeted begins with 1, or with its first posting if it follows another.
    """
    if first is None:
        first = spans[0][0] if is_later and spans else 1
    missing = _between(first, spans)
    highest = max(spans[-1][1] if spans else 0, first - 1)
    return Stand(missing[0][0] - 1 if missing else highest, highest, missing)


def _between(first: int, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    missing: list[tuple[int, int]] = []
    expected = first
    for begin, end in spans:
        if begin > expected:
            missing.append((expected, begin - 1))
        expected = max(expected, end + 1)
    return missing


def epoch_id(conn: Connection, source: str, epoch: str) -> int | None:
    """Return the id of an epoch, `None` if nothing came of it."""
    row = conn.execute(_EPOCH_ID, [source, epoch]).fetchone()
    return row[0] if row is not None else None


def bodies_of(conn: Connection, epoch_id: int, sequences: Sequence[int]) -> list[bytes]:
    """Return the stored bytes of postings, in order."""
    if not sequences:
        return []
    return [bytes(body) for (body,) in conn.execute(_BODIES, [epoch_id, list(sequences)])]
