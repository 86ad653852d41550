"""An outbox in memory, slow and obvious, with the rules of the station's own (UP-2 ... UP-4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mes_terminal.domain.delivery import Answer, Greeting, Hello, Material, QueuedPosting
from mes_terminal.errors import StationError

SOURCE = "urn:mes-terminal:S:T"
EPOCH = "0123456789abcdef"


@dataclass
class Row:
    """A delivery."""

    posting: QueuedPosting
    status: str = "waiting"
    attempts: int = 0
    last_error: str | None = None
    behind: int | None = None
    is_let_go: bool = False


class MemoryOutbox:
    """What the relay asks of the station; `rows` by sequence."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.epoch = EPOCH
        self.first_sequence = 1
        self.reads = 0
        self.read_rows = 0
        self.parks = 0
        self.noted: list[Answer] = []
        self.pruned: list[int] = []
        self.broken: str | None = None

    def post(
        self,
        lane: str,
        *,
        brings: Sequence[str] = (),
        uses: Sequence[str] = (),
        size: int = 0,
    ) -> int:
        """Queue a posting that brings and uses lots; return its sequence."""
        sequence = len(self.rows) + 1
        self.rows[sequence] = Row(
            QueuedPosting(
                sequence=sequence,
                id=f"{self.epoch}:{sequence:012d}",
                source=SOURCE,
                epoch=self.epoch,
                lane=lane,
                type="production.completed",
                recorded_at="2026-11-20T06:00:00.000000Z",
                body=b"%d %s" % (sequence, lane.encode()) + b"." * size,
                brings=frozenset(Material(lot, lot, None) for lot in brings),
                uses=frozenset(Material(lot, lot, None) for lot in uses),
            )
        )
        return sequence

    def status(self, status: str) -> list[int]:
        """Return the sequences that stand so."""
        return [each for each, row in self.rows.items() if row.status == status]

    def send_refused_again(self, sequence: int) -> None:
        """A supervisor mended what it was refused for."""
        self.rows[sequence].status = "waiting"
        self._release(sequence)

    def let_go(self, sequence: int) -> None:
        """A supervisor leaves it refused; its lane goes on."""
        self.rows[sequence].is_let_go = True
        self._release(sequence)

    def _release(self, root: int) -> None:
        for row in self.rows.values():
            if row.status == "parked" and row.behind == root:
                row.status, row.behind = "waiting", None

    def _holds(self, root: int) -> bool:
        return self.rows[root].status == "refused" and not self.rows[root].is_let_go

    def _check(self) -> None:
        if self.broken is not None:
            raise StationError(self.broken)

    async def hello(self) -> Hello:
        self._check()
        return Hello(
            source=SOURCE, station="T", epoch=self.epoch, first_sequence=self.first_sequence,
            last_sequence=len(self.rows), head="0" * 64, head_sequence=0, down_version=0,
            software="1",
        )  # fmt: skip

    async def waiting(self, *, after: int, limit: int, bytes_max: int) -> list[QueuedPosting]:
        self._check()
        self.reads += 1
        found: list[QueuedPosting] = []
        size = 0
        for sequence in range(after + 1, len(self.rows) + 1):
            row = self.rows[sequence]
            if row.status != "waiting":
                continue
            if len(found) == limit or (found and size >= bytes_max):
                break
            found.append(row.posting)
            size += len(row.posting.body)
        self.read_rows += len(found)
        return found

    async def held_back(self) -> list[QueuedPosting]:
        return [row.posting for each, row in self.rows.items() if self._holds(each)]

    async def parked(self, *, after: int, limit: int) -> list[QueuedPosting]:
        found = [each for each in self.status("parked") if each > after]
        return [self.rows[each].posting for each in found[:limit]]

    async def park(self, behind: Mapping[int, int]) -> None:
        self._check()
        for sequence, root in behind.items():
            if self._holds(root) and self.rows[sequence].status == "waiting":
                self.parks += 1
                self.rows[sequence].status = "parked"
                self.rows[sequence].behind = root

    async def note_answers(self, answers: Sequence[Answer]) -> bool:
        self._check()
        self.noted += answers
        for answer in answers:
            row = self.rows[answer.sequence]
            row.attempts += 1
            row.status = "delivered" if answer.outcome == "accepted" else "refused"
            row.last_error = answer.reason
        return False

    async def note_fault(self, sequences: Sequence[int], sentence: str) -> None:
        self._check()
        for sequence in sequences:
            self.rows[sequence].attempts += 1
            self.rows[sequence].last_error = sentence

    async def send_again(self, ranges: Sequence[tuple[int, int]]) -> int:
        self._check()
        found = [
            row
            for each, row in self.rows.items()
            if row.status == "delivered" and any(first <= each <= last for first, last in ranges)
        ]
        for row in found:
            row.status = "waiting"
        return len(found)

    async def reached(self, greeting: Greeting) -> None:
        self._check()

    async def went_back(self, greeting: Greeting) -> None:
        self.epoch = "fedcba9876543210"
        self.first_sequence = len(self.rows) + 1

    async def prune(self, watermark: int) -> int:
        self.pruned.append(watermark)
        return 0
