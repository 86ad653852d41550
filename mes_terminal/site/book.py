"""One batch of postings into the ledger, in one transaction: judged, written, answered (UP-2).

The order of steps is the order of locks: sources and epochs, then postings, then the ledger, then
conflicts. Called by the inbox alone.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from mes_terminal.domain.delivery import OTHER_CONTENT, Answer
from mes_terminal.domain.quantity import parse_quantity
from mes_terminal.site import arrivals, conflicts, facts, ledger
from mes_terminal.site.arrivals import Arrival, EpochRow, Stored
from mes_terminal.site.database import Connection
from mes_terminal.site.effects import net_effects
from mes_terminal.site.judge import MALFORMED, Facts, Standing, Verdict, judge
from mes_terminal.site.reading import Key, Malformed, Posting, read_posting
from mes_terminal.site.rows import Booked, MaterialKey, made_by, rows_of

Reading = Posting | Malformed
Lane = tuple[str, str, str]
Made = list[tuple[MaterialKey, int]]

DEFERRED: Final = "An earlier posting of this order was refused."


class _Report(Struct):
    """A report that postings of the batch are about; of an earlier transaction or of this one."""

    standing: Standing
    made: Made


class _Work(Struct):
    """What a batch finds out on its way."""

    epochs: dict[tuple[str, str], EpochRow]
    stored: dict[tuple[int, int], Stored]
    facts: Facts
    reports: dict[tuple[int, str], _Report]
    arrivals: dict[tuple[int, int], Arrival] = field(default_factory=dict)
    booked: list[Booked] = field(default_factory=list)
    final: set[int] = field(default_factory=set)
    reopened: set[int] = field(default_factory=set)
    doubled: list[conflicts.SameIdentity] = field(default_factory=list)


def book(conn: Connection, batch: Sequence[Reading], blocked: set[tuple[str, str, str]]) -> list[
    Answer
]:  # fmt: skip
    """Return an answer for each of the batch, in order; `blocked` are the lanes (source, epoch,
    partition key) behind a refused posting, and grow by what is refused here."""
    keyed = [each for each in batch if each.key is not None]
    arrivals.keep_poison(conn, [each for each in batch if each.key is None and _bad(each)])
    epochs = arrivals.lock_epochs(conn, [each.key for each in keyed if each.key])
    work, items, numbers = _begin(conn, keyed, epochs)
    answers = [_answer(work, each, blocked, numbers) for each in batch]
    rows = rows_of(work.booked, items)
    with conn.pipeline():
        _write_answers(conn, work)
        ids = ledger.name_materials(conn, rows)
    fresh = ledger.write_rows(conn, rows, ids)
    conflicts.find(conn, rows, ids, fresh)
    conflicts.note_same_identity(conn, work.doubled)
    for number, (person, reason) in sorted(rows.settled.items()):
        conflicts.end_conflict(conn, number, person=person, reason=reason)
    conflicts.find_lost(conn, [each.epoch_id for each in epochs.values() if each.is_new])
    return answers


def stored_answer(key: Key, stored: Stored) -> Answer:
    """Return what was answered to a posting when it came first."""
    return _said(key, stored.posting_id, stored.reason, stored.sentence, repeated=True)


def document_of(posting_id: int) -> str:
    """Return the number under which the site has a posting (UP-8)."""
    return f"S{posting_id}"


def _begin(
    conn: Connection, keyed: Sequence[Reading], epochs: dict[tuple[str, str], EpochRow]
) -> tuple[_Work, dict[str, str], Iterator[int]]:
    """Ask all that the batch has to be judged by at once; then the products of the orders, and
    numbers for what is new."""
    postings = [each for each in keyed if isinstance(each, Posting)]
    places = sorted({_place(each.key, epochs) for each in keyed if each.key})
    about = {each.data.report_id for each in postings if each.report_id is None}
    reversed_ = {each.data.reverses for each in postings}
    with conn.pipeline():
        stored = arrivals.ask_stored(conn, places)
        known = facts.ask_facts(conn, postings)
        reports = arrivals.ask_reports(
            conn, sorted(filter(None, reversed_)), sorted(filter(None, about))
        )
        numbers = arrivals.ask_numbers(conn, len(places))
        told, items = known()
        work = _Work(epochs, stored(), told, _reports(reports()))
        return work, items, iter(numbers())


def _reports(
    found: Sequence[tuple[int, str, Standing, bytes | None]],
) -> dict[tuple[int, str], _Report]:
    reports: dict[tuple[int, str], _Report] = {}
    for source_id, report_id, standing, body in found:
        reading = read_posting(body) if body is not None else None
        reports[source_id, report_id] = (
            _report(reading, standing) if isinstance(reading, Posting) else _Report(standing, [])
        )
    return reports


def _write_answers(conn: Connection, work: _Work) -> None:
    arrivals.note_seen(conn, work.epochs)
    changed = list(work.arrivals.values())
    arrivals.write_arrivals(conn, [_settled(work, each) for each in changed])
    arrivals.settle(conn, *_elsewhere(work, changed))


def _report(posting: Posting, standing: Standing) -> _Report:
    data = posting.data
    return _Report(
        Standing(
            posting_id=standing.posting_id,
            outcome=standing.outcome,
            closes=standing.closes,
            effects=tuple(net_effects(data.material_actuals)),
            scrapped_micro=parse_quantity(data.scrapped_quantity),
        ),
        made_by(posting),
    )


def _answer(work: _Work, reading: Reading, blocked: set[Lane], numbers: Iterator[int]) -> Answer:
    key = reading.key
    if key is None:
        return Answer(
            source="", epoch="", sequence=0, outcome="refused", reason=MALFORMED,
            sentence=_sentence(reading),
        )  # fmt: skip
    place = _place(key, work.epochs)
    here = work.arrivals.get(place)
    if here is not None:  # twice in one batch
        if here.reading.hash == reading.hash:
            return _said(key, here.posting_id, here.reason, here.sentence, repeated=True)
        return _other_content(work, reading, blocked)
    stored = work.stored.get(place)
    if stored is not None and stored.hash != reading.hash:
        return _other_content(work, reading, blocked)
    if stored is not None and stored.is_final:
        return stored_answer(key, stored)
    lane = _lane(key, reading)
    if lane in blocked:
        return Answer(
            source=key.source, epoch=key.epoch, sequence=key.sequence, outcome="deferred",
            sentence=DEFERRED,
        )  # fmt: skip
    arrival = _judged(work, reading, place, stored, numbers)
    if arrival.reason is not None:
        blocked.add(lane)
    return _said(key, arrival.posting_id, arrival.reason, arrival.sentence, repeated=False)


def _judged(
    work: _Work,
    reading: Reading,
    place: tuple[int, int],
    stored: Stored | None,
    numbers: Iterator[int],
) -> Arrival:
    key = reading.key
    assert key is not None
    epoch = work.epochs[key.source, key.epoch]
    posting_id = stored.posting_id if stored is not None else next(numbers)
    verdict, original = _verdict(work, reading, epoch.source_id)
    if verdict.makes_final is not None:
        work.final.add(verdict.makes_final)
    accepted = verdict.reason is None
    arrival = Arrival(
        posting_id=posting_id, epoch=epoch, reading=reading, key=key, reason=verdict.reason,
        sentence=verdict.sentence, is_final=accepted, has_effect=accepted and verdict.has_effect,
        closes=accepted and isinstance(reading, Posting) and reading.data.final,
        is_new=stored is None,
    )  # fmt: skip
    work.arrivals[place] = arrival
    if isinstance(reading, Posting):
        _remember(work, reading, arrival, original)
    return arrival


def _verdict(work: _Work, reading: Reading, source_id: int) -> tuple[Verdict, _Report | None]:
    if isinstance(reading, Malformed):
        return Verdict(MALFORMED, reading.sentence, has_effect=False), None
    original = work.reports.get((source_id, reading.data.reverses or ""))
    standing = original.standing if original is not None else None
    return judge(reading, work.facts, standing), original


def _remember(work: _Work, posting: Posting, arrival: Arrival, original: _Report | None) -> None:
    """Keep what later postings of the batch may be about, and book what has an effect."""
    source_id = arrival.epoch.source_id
    reopens = False
    if arrival.has_effect and original is not None and original.standing.closes:
        number = original.standing.posting_id
        reopens = number not in work.reopened
        work.reopened.add(number)
    if posting.report_id is not None:
        standing = Standing(
            posting_id=arrival.posting_id,
            outcome="accepted" if arrival.reason is None else "refused",
            closes=arrival.closes,
        )
        work.reports[source_id, posting.report_id] = _report(posting, standing)
    if arrival.has_effect:
        about = None
        if posting.report_id is None and posting.data.report_id is not None:
            about = work.reports.get((source_id, posting.data.report_id))
        work.booked.append(
            Booked(
                posting=posting, posting_id=arrival.posting_id, source_id=source_id,
                epoch_id=arrival.epoch.epoch_id, reopens=reopens,
                made=about.made if about is not None else [],
            )
        )  # fmt: skip


def _other_content(work: _Work, reading: Reading, blocked: set[Lane]) -> Answer:
    key = reading.key
    assert key is not None
    epoch = work.epochs[key.source, key.epoch]
    work.doubled.append(
        conflicts.SameIdentity(key.source, key.epoch, key.sequence, epoch.source_id)
    )
    blocked.add(_lane(key, reading))
    return Answer(
        source=key.source, epoch=key.epoch, sequence=key.sequence, outcome="refused",
        reason=OTHER_CONTENT,
        sentence="The site has another posting under this number. Two stations may run with one "
        "identity: give one of them a station of its own, and restore neither from the other.",
    )  # fmt: skip


def _settled(work: _Work, arrival: Arrival) -> Arrival:
    """Return a row as it stands at the end of its batch."""
    if arrival.posting_id in work.final or arrival.posting_id in work.reopened:
        return replace(
            arrival,
            is_final=arrival.is_final or arrival.posting_id in work.final,
            closes=arrival.closes and arrival.posting_id not in work.reopened,
        )
    return arrival


def _elsewhere(work: _Work, changed: Sequence[Arrival]) -> tuple[set[int], set[int]]:
    """Return which earlier rows are settled by the batch: refused for good, and reopened."""
    here = {each.posting_id for each in changed}
    return work.final - here, work.reopened - here


def _said(
    key: Key, posting_id: int, reason: str | None, sentence: str | None, *, repeated: bool
) -> Answer:
    return Answer(
        source=key.source, epoch=key.epoch, sequence=key.sequence,
        outcome="accepted" if reason is None else "refused", reason=reason, sentence=sentence,
        document=document_of(posting_id) if reason is None else None, repeated=repeated,
    )  # fmt: skip


def _place(key: Key, epochs: dict[tuple[str, str], EpochRow]) -> tuple[int, int]:
    return epochs[key.source, key.epoch].epoch_id, key.sequence


def _lane(key: Key, reading: Reading) -> Lane:
    return key.source, key.epoch, reading.lane or ""


def _bad(reading: Reading) -> bool:
    return isinstance(reading, Malformed)


def _sentence(reading: Reading) -> str | None:
    return reading.sentence if isinstance(reading, Malformed) else None
