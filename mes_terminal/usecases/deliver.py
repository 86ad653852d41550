"""The outbox, for the relay: what is to be sent, and what became of it (UP-1 ... UP-5, UP-8).

Plain functions; what writes opens its own transaction and is short enough to stand between two
scans. None of them knows a connector. What the receiver answered is noted by
`usecases.note_answers`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mes_terminal import __version__
from mes_terminal.domain.delivering import queued_posting
from mes_terminal.domain.delivery import Greeting, Hello, QueuedPosting
from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import delivery as store
from mes_terminal.store.database import Database
from mes_terminal.store.delivery import UpstreamState
from mes_terminal.store.events import read_head, source_of
from mes_terminal.usecases.epoch import current_epoch

SEND_AGAIN_MAX: Final = 5_000
"""Postings that one call looks at to let them wait again: some 20 ms, for which a scan may have to
wait."""
_DAY_S: Final = 86_400


def hello_of(db: Database, rules: StationRules) -> Hello:
    """Return what the station says before it sends."""
    head = read_head(db.conn)
    epoch = current_epoch(db.conn)
    return Hello(
        source=source_of(rules.site, rules.station),
        station=rules.station,
        epoch=epoch.epoch,
        first_sequence=epoch.first_sequence,
        last_sequence=head.outbox_seq,
        head=head.hash,
        head_sequence=head.event_seq,
        down_version=store.read_upstream(db.conn).down_version,
        software=__version__,
    )


def waiting(db: Database, *, after: int, limit: int, bytes_max: int) -> list[QueuedPosting]:
    """Return what waits to be sent, in order: at most `limit`, at most `bytes_max` of documents,
    but one posting however large it is."""
    found: list[QueuedPosting] = []
    size = 0
    for each in _open(db, "waiting", after=after, limit=limit):
        size += len(each.body)
        if found and size > bytes_max:
            break
        found.append(each)
    return found


def parked(db: Database, *, after: int, limit: int) -> list[QueuedPosting]:
    """Return what is parked, in order, without documents: it holds back what follows it."""
    return list(_open(db, "parked", after=after, limit=limit, with_body=False))


def held_back(db: Database) -> list[QueuedPosting]:
    """Return what was refused and not let go, in order: its lanes and what it brings are blocked
    (`domain.delivering.Blocks`)."""
    return list(_open(db, "refused", after=0, limit=-1))


def park(db: Database, sequences: Sequence[int], *, behind: Mapping[int, int]) -> None:
    """Park postings, each behind the refused one that `behind` names for it. Where that is refused
    no longer, its posting goes on waiting."""
    with db.transaction() as conn:
        store.park(conn, [(each, behind[each]) for each in sequences])


def note_fault(db: Database, sequences: Sequence[int], sentence: str) -> None:
    """Count a try that failed on the way; the postings wait on (UP-4). `sentence` says why, and
    holds no secret."""
    with db.transaction() as conn:
        store.note_fault(conn, sequences, sentence)


def send_again(
    db: Database, ranges: Sequence[tuple[int, int]], *, limit: int = SEND_AGAIN_MAX
) -> tuple[int, list[tuple[int, int]]]:
    """Let what the receiver lost wait once more, pruned or not (UP-5); return how many postings,
    and what of `ranges` is left: no more than `limit` are looked at, call it again with those.

    `ranges` are gaps in the current epoch, first and last. What is refused is left to the
    supervisor.
    """
    again = 0
    rest = []
    with db.transaction() as conn:
        least = current_epoch(conn).first_sequence
        most = store.last_sequence(conn)
        for first, last in ranges:
            begin, end = max(first, least), min(last, most)
            here = min(end, begin + limit - 1)
            if begin <= here:
                again += store.queue_again(conn, begin, here)
                limit -= here - begin + 1
            if here < end:
                rest.append((max(begin, here + 1), end))
    return again, rest


def prune(db: Database, *, watermark: int, now: str, keep_days: int, limit: int) -> int:
    """Forget deliveries that the receiver has, `keep_days` after they were acknowledged; return how
    many (UP-5). `limit` are looked at. The postings themselves stay in the log."""
    before = plus_seconds(now, -keep_days * _DAY_S)
    with db.transaction() as conn:
        return store.prune(conn, watermark=watermark, before=before, limit=limit)


def reached(db: Database, *, now: str) -> None:
    """Note that the receiver answered."""
    with db.transaction() as conn:
        store.note_contact(conn, now)


def greeted(db: Database, greeting: Greeting, *, now: str) -> None:
    """Note what the receiver says it has."""
    with db.transaction() as conn:
        store.note_greeting(conn, receiver=greeting.receiver, watermark=greeting.watermark, now=now)


def upstream_state(db: Database) -> UpstreamState:
    """Return how it stands with the receiver."""
    return store.read_upstream(db.conn)


def counts(db: Database) -> tuple[int, int, int]:
    """Return how many postings wait, are refused and are parked: the same work however many."""
    state = store.read_upstream(db.conn)
    last = store.last_sequence(db.conn)
    return last - state.settled - state.refused - state.parked, state.refused, state.parked


def _open(
    db: Database, status: str, *, after: int, limit: int, with_body: bool = True
) -> Iterator[QueuedPosting]:
    rows = store.read_open(db.conn, status, after=after, limit=limit)
    for sequence, body, attempts in rows:
        yield queued_posting(sequence, body, attempts, with_body=with_body)
