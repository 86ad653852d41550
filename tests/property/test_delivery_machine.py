"""The outbox beside a slow obvious model: whatever is answered, lost, decided, pruned and asked for
again, nothing is lost, order is kept, and what is parked is what stands behind a refusal (UP-3)."""

import shutil
from pathlib import Path
from typing import Any, Final

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from mes_terminal.domain.delivering import Blocks
from mes_terminal.domain.delivery import Answer, AnswerOutcome
from mes_terminal.domain.healing import Decision
from mes_terminal.domain.posting import EventDraft, MaterialActual, MaterialData
from mes_terminal.store import checks
from mes_terminal.store.database import open_database
from mes_terminal.store.events import append_events
from mes_terminal.usecases import deliver
from mes_terminal.usecases.lists import read_list
from mes_terminal.usecases.note_answers import note_answers
from mes_terminal.usecases.resolve_exceptions import resolve_exception
from tests.plants import TEST_RULES, as_json, empty_database, memory_folder

NOW: Final = "2026-11-20T08:00:00.000000Z"
LATER: Final = "2027-03-01T00:00:00.000000Z"
LOTS: Final = ("L-1", "L-2")
MOST: Final = 10**9
Posted = tuple[str, frozenset[str], frozenset[str]]
_LOTS: Final = st.frozensets(st.sampled_from(LOTS), max_size=1)
POSTED: Final = st.tuples(st.sampled_from("AB"), _LOTS, _LOTS)
"""Its lane, what it brings, what it uses."""


class Modelled(msgspec.Struct):
    """A posting as the model knows it."""

    lane: str
    brings: frozenset[str]
    uses: frozenset[str]
    status: str = "open"
    """`open` (waits or is parked), `delivered`, `refused`, `let_go`."""
    was_refused: bool = False
    is_about_refusal: bool = False


@settings(
    max_examples=60, stateful_step_count=40, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
class DeliveryMachine(RuleBasedStateMachine):
    """Posts, answers and decides at random."""

    def __init__(self) -> None:
        super().__init__()
        self._memory = memory_folder()
        path = Path(self._memory.__enter__()) / "station.db"
        shutil.copyfile(empty_database(), path)
        self.db = open_database(path)
        self.db.conn.execute("INSERT INTO operator (badge, name, role) VALUES ('SUP', 'Sue', "
                             "'supervisor')")  # fmt: skip
        self.model: dict[int, Modelled] = {}
        self.exceptions: set[int] = set()
        """Postings whose exception is open."""

    def teardown(self) -> None:
        self.db.close()
        self._memory.__exit__(None, None, None)

    # What happens at the station -----------------------------------------------------------------

    @initialize(some=st.lists(POSTED, min_size=8, max_size=16))
    def has_posted(self, some: list[Posted]) -> None:
        for each in some:
            self.posts(each)

    @rule(posted=POSTED)
    def posts(self, posted: Posted) -> None:
        lane, brings, uses = posted
        actuals = [_actual("Received", lot) for lot in sorted(brings)]
        actuals += [_actual("Scrapped", lot) for lot in sorted(uses)]
        draft = EventDraft(
            type="material.received", subject=lane, partition_key=lane, event_time=NOW,
            data=MaterialData(station="S", master_data_version="1", event_time=NOW,
                              material_actuals=actuals),
            upstream=True,
        )  # fmt: skip
        with self.db.transaction() as conn:
            append_events(conn, [draft], rules=TEST_RULES, recorded_at=NOW)
        self.model[len(self.model) + 1] = Modelled(lane, brings, uses)

    @precondition(lambda self: self.exceptions)
    @rule(data=st.data(), how=st.sampled_from(["post", "write_off"]))
    def decides(self, data: st.DataObject, how: Any) -> None:
        """The end of an exception goes upstream with its signature, of the supervisor's lane."""
        sequence = data.draw(st.sampled_from(sorted(self.exceptions)))
        reason = "GONE" if how == "write_off" else None
        (exception_id,) = self.db.conn.execute(
            "SELECT exception_id FROM exception WHERE subject = ? AND status = 'open'",
            [f"posting:{sequence}"],
        ).fetchone()
        ended = resolve_exception(
            self.db, exception_id, Decision(how=how, reason=reason), by="SUP", rules=TEST_RULES,
            now=NOW,
        )  # fmt: skip
        posting = self.model[sequence]
        if how == "post":
            was = "sent_again" if posting.status == "refused" else "already_done"
            assert ended.outcome == was
            posting.status = "open"
        else:
            assert ended.outcome == "written_off"
            posting.status = "let_go"
            self._ends(sequence)
            if not posting.is_about_refusal:
                self.model[len(self.model) + 1] = Modelled("SUP", frozenset(), frozenset())

    # What the relay does -------------------------------------------------------------------------

    @rule()
    def parks(self) -> None:
        blocks = Blocks(deliver.held_back(self.db))
        for each in deliver.parked(self.db, after=0, limit=-1):
            root = blocks.root_of(each)
            assert root is not None, f"{each.sequence} is parked behind nothing"
            blocks.hold(each, root)
        behind = {}
        for each in deliver.waiting(self.db, after=0, limit=-1, bytes_max=MOST):
            root = blocks.root_of(each)
            if root is not None:
                blocks.hold(each, root)
                behind[each.sequence] = root
        deliver.park(self.db, list(behind), behind=behind)
        parked = {each.sequence for each in deliver.parked(self.db, after=0, limit=-1)}
        assert parked == self._blocked(), "parked exactly when behind a refused one"

    @precondition(lambda self: self.model)
    @rule(data=st.data(), outcome=st.sampled_from(["accepted", "refused"]))
    def sends(self, data: st.DataObject, outcome: AnswerOutcome) -> None:
        """The first of a lane, as the relay does: nothing of its lane is before it."""
        self.parks()
        waits = deliver.waiting(self.db, after=0, limit=-1, bytes_max=MOST)
        firsts = {each.lane: each.sequence for each in reversed(waits)}
        if not firsts:
            return
        sequence = data.draw(st.sampled_from(sorted(firsts.values())))
        before = [
            each.status
            for number, each in self.model.items()
            if number < sequence and each.lane == self.model[sequence].lane
        ]
        assert set(before) <= {"delivered", "let_go"}, "order per lane"
        self._answers([sequence], outcome)

    @precondition(lambda self: self.model)
    @rule(
        data=st.data(),
        outcome=st.sampled_from(["accepted", "refused", "deferred"]),
        times=st.integers(1, 3),
    )
    def hears_anything(self, data: st.DataObject, outcome: AnswerOutcome, times: int) -> None:
        """Answers late, twice, of what was never asked."""
        some = st.lists(st.sampled_from(sorted(self.model)), min_size=1, max_size=4, unique=True)
        chosen = sorted(data.draw(some))
        for _ in range(times):
            self._answers(chosen, outcome)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def fails(self, data: st.DataObject) -> None:
        sequence = data.draw(st.sampled_from(sorted(self.model)))
        deliver.note_fault(self.db, [sequence], "The receiver does not answer.")

    @rule(limit=st.integers(1, 5))
    def prunes(self, limit: int) -> None:
        watermark = 0
        while (
            self.model.get(watermark + 1, Modelled("", frozenset(), frozenset())).status != "open"
        ):
            watermark += 1
        before = self._kept()
        gone = deliver.prune(self.db, watermark=watermark, now=LATER, keep_days=1, limit=limit)
        lost = before - self._kept()
        assert len(lost) == gone <= limit
        assert all(each <= watermark for each in lost)
        assert {self.model[each].status for each in lost} <= {"delivered"}

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def is_asked_again(self, data: st.DataObject) -> None:
        first = data.draw(st.integers(1, len(self.model)))
        last = data.draw(st.integers(first, len(self.model) + 3))
        lost = [
            each for each, posting in self.model.items()
            if first <= each <= last and posting.status == "delivered"
        ]  # fmt: skip
        assert deliver.send_again(self.db, [(first, last)]) == (len(lost), [])
        for each in lost:
            self.model[each].status = "open"

    # What must be so -----------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        rows = [as_json(row) for row in read_list(self.db, "outbox", {}, rules=TEST_RULES, now=NOW)]
        assert [row["sequence"] for row in rows] == list(range(1, len(self.model) + 1))
        for row in rows:
            told = self.model[row["sequence"]].status
            words = {"open": ("waiting", "parked"), "let_go": ("refused",)}.get(told, (told,))
            assert row["status"] in words, row["sequence"]

    @invariant()
    def the_counts_are_right(self) -> None:
        assert list(checks.rows(self.db, checks.FAULTS_OUTBOX)) == []
        waits, refused, parked = deliver.counts(self.db)
        found = [each.status for each in self.model.values()]
        assert (waits + parked, refused) == (found.count("open"), found.count("refused"))

    @invariant()
    def each_refusal_is_one_exception(self) -> None:
        rows = self.db.conn.execute(
            "SELECT subject FROM exception WHERE kind = 'posting_refused' AND status = 'open'"
        ).fetchall()
        assert sorted(rows) == sorted((f"posting:{each}",) for each in self.exceptions)

    # The model -----------------------------------------------------------------------------------

    def _answers(self, sequences: list[int], outcome: AnswerOutcome) -> None:
        (epoch,) = self.db.conn.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        source = deliver.hello_of(self.db, TEST_RULES).source
        kept = self._kept()
        blocked = self._parked()
        answers = [
            Answer(source=source, epoch=epoch, sequence=each, outcome=outcome, reason="closed",
                   document=f"S{each}")
            for each in sequences
        ]  # fmt: skip
        noted = note_answers(self.db, answers, rules=TEST_RULES, now=NOW)
        delivered = 0
        for each in sequences:
            posting = self.model[each]
            if each not in kept or posting.status == "delivered":
                continue
            if outcome == "accepted":
                posting.status = "delivered"
                delivered += 1
                if each in self.exceptions:
                    self._ends(each)
            elif outcome == "refused" and posting.status == "open":
                posting.status = "refused"
                if each not in self.exceptions:
                    self.exceptions.add(each)
                    self._says(each)
        assert noted.delivered == delivered
        assert set(noted.parked) <= set(sequences) - blocked
        self._sees_events()

    def _says(self, sequence: int) -> None:
        """One posting tells of it, unless it would tell of what itself tells of a refusal."""
        if not self.model[sequence].is_about_refusal:
            posting = Modelled(f"posting:{sequence}", frozenset(), frozenset())
            posting.is_about_refusal = True
            self.model[len(self.model) + 1] = posting

    def _ends(self, sequence: int) -> None:
        self.exceptions.remove(sequence)
        self._says(sequence)

    def _sees_events(self) -> None:
        newest = deliver.hello_of(self.db, TEST_RULES).last_sequence
        assert newest == len(self.model), "as many postings as were to be made"

    def _kept(self) -> set[int]:
        return {row[0] for row in self.db.conn.execute("SELECT outbox_seq FROM delivery")}

    def _parked(self) -> set[int]:
        return {each.sequence for each in deliver.parked(self.db, after=0, limit=-1)}

    def _blocked(self) -> set[int]:
        """Everything open that stands behind a refused one, or behind what does."""
        blocked: set[int] = set()
        for number, each in sorted(self.model.items()):
            if each.status != "open":
                continue
            for earlier, other in self.model.items():
                holds = other.status == "refused" or earlier in blocked
                shares = other.lane == each.lane or other.brings & each.uses
                if earlier < number and holds and shares:
                    blocked.add(number)
        return blocked


def _actual(use: Any, lot: str) -> MaterialActual:
    return MaterialActual(use, "LEG", lot, None, "1", "pcs", "LINE")


TestDelivery = DeliveryMachine.TestCase
