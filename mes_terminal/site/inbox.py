"""The site's inbox: takes postings from any road, each exactly once (UP-2, UP-5, UP-8).

Insert, effect and answer are one transaction for a batch. A posting is known by source, epoch and
sequence and by the hash of its bytes: a repeat gets the stored answer, one that stands refused is
judged again, other bytes under a known key are refused and raised and never stored. Called by the
doors, by several threads at once; knows no road and no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from mes_terminal.domain.delivery import OTHER_CONTENT, Answer, Greeting
from mes_terminal.site import arrivals, stations
from mes_terminal.site.book import book, stored_answer
from mes_terminal.site.doors import SiteBusyError
from mes_terminal.site.judge import NOT_ALLOWED
from mes_terminal.site.reading import Key, Malformed, Posting, read_posting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mes_terminal.domain.delivery import Hello
    from mes_terminal.site.database import Connection, SiteDatabase

__all__ = ["OTHER_CONTENT", "Inbox", "SiteBusyError"]

BATCH_MAX: Final = 500
"""Postings in one transaction: long enough to share a commit, short enough to wait for."""
BATCH_BYTES_MAX: Final = 8 << 20

Reading = Posting | Malformed
Lane = tuple[str, str, str]
"""source, epoch, partition key."""

_POISON: Final = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded)
"""What the database says of values that it cannot hold."""


class Inbox:
    """Takes postings into the site's database. Thread-safe."""

    def __init__(
        self,
        database: SiteDatabase,
        *,
        receiver: str = "mes-terminal site",
        behind_s: Callable[[Connection], float | None] | None = None,
    ) -> None:
        """`behind_s` says how far the ERP behind the site is behind it."""
        self._database = database
        self._receiver = receiver
        self._behind_s = behind_s

    def take(
        self, bodies: Sequence[bytes], *, may_post: Callable[[str], bool] | None = None
    ) -> list[Answer]:
        """Store postings with their effects and return an answer for each, in order.

        What is answered is durable. A posting behind a refused one of its lane in this call is
        `deferred` and not stored. Raises `SiteBusyError`; whatever was not answered then, may or
        may not be there, and is sent again.
        """
        answers: list[Answer] = []
        blocked: set[Lane] = set()
        for batch in _batches([read_posting(body) for body in bodies]):
            answers += self._take(batch, blocked, may_post)
        return answers

    def ask(
        self, source: str, epoch: str, sequences: Sequence[int]
    ) -> tuple[list[Answer], list[int]]:
        """Return the answers to postings that arrived, and the sequences of those that did not.

        What stands refused is judged again (UP-2). Raises `SiteBusyError`.
        """
        wanted = sorted(set(sequences))
        with self._database.transaction() as conn:
            epoch_id = stations.epoch_id(conn, source, epoch)
            if epoch_id is None:
                return [], wanted
            stored = arrivals.read_stored(conn, [(epoch_id, number) for number in wanted])
            again = [number for (_, number), each in stored.items() if not each.is_final]
            bodies = stations.bodies_of(conn, epoch_id, sorted(again))
        found = {
            number: stored_answer(Key(source, epoch, number), each)
            for (_, number), each in stored.items()
        }
        found |= {each.sequence: each for each in self.take(bodies)}
        return [found[n] for n in sorted(found)], [n for n in wanted if n not in found]

    def greet(self, hello: Hello) -> Greeting:
        """Note who begins to send and return what is there of it. Raises `SiteBusyError`."""
        with self._database.transaction() as conn:
            stations.note_hello(conn, hello)
            return self._greeting(conn, hello.source, hello.epoch)

    def standing(self, source: str, epoch: str) -> Greeting:
        """Return what is there of a source and epoch. Raises `SiteBusyError`."""
        with self._database.transaction() as conn:
            return self._greeting(conn, source, epoch)

    def _greeting(self, conn: Connection, source: str, epoch: str) -> Greeting:
        stand = stations.read_stand(conn, source, epoch)
        return Greeting(
            receiver=self._receiver,
            watermark=stand.watermark,
            highest=stand.highest,
            missing=stand.missing[: stations.GAPS_TOLD_MAX],
            behind_s=self._behind_s(conn) if self._behind_s is not None else None,
        )

    def _take(
        self,
        batch: Sequence[Reading],
        blocked: set[Lane],
        may_post: Callable[[str], bool] | None,
    ) -> list[Answer]:
        allowed = [each for each in batch if _is_allowed(each, may_post)]
        answered = iter(self._book(allowed, blocked))
        return [
            next(answered) if _is_allowed(each, may_post) else _not_allowed(each) for each in batch
        ]

    def _book(self, batch: Sequence[Reading], blocked: set[Lane]) -> list[Answer]:
        """Book a batch; what the database cannot hold is found one by one and is malformed."""
        try:
            return self._book_at_once(batch, blocked)
        except _POISON as error:
            if len(batch) > 1:
                return [one for each in batch for one in self._book([each], blocked)]
            if isinstance(batch[0], Malformed):
                raise
            return self._book_at_once([_poisoned(batch[0], error)], blocked)

    def _book_at_once(self, batch: Sequence[Reading], blocked: set[Lane]) -> list[Answer]:
        if not batch:
            return []
        lanes = set(blocked)
        with self._database.transaction() as conn:
            answers = book(conn, batch, lanes)
        blocked |= lanes  # only now: a transaction that failed has refused nothing
        return answers


def _batches(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    batch: list[Reading] = []
    size = 0
    for each in readings:
        if batch and (len(batch) == BATCH_MAX or size + len(each.body) > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += len(each.body)
    if batch:
        yield batch


def _is_allowed(reading: Reading, may_post: Callable[[str], bool] | None) -> bool:
    return may_post is None or reading.key is None or may_post(reading.key.source)


def _not_allowed(reading: Reading) -> Answer:
    assert reading.key is not None
    return Answer(
        source=reading.key.source,
        epoch=reading.key.epoch,
        sequence=reading.key.sequence,
        outcome="refused",
        reason=NOT_ALLOWED,
        sentence=f"Whoever sent this may not post for {reading.key.source}.",
    )


def _poisoned(posting: Posting, error: psycopg.Error) -> Malformed:
    said = " ".join(str(error).split())[:200]
    sentence = f"The site cannot keep this posting: {said}."
    return Malformed(posting.key, posting.lane, posting.body, posting.hash, sentence)
