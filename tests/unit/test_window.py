"""The window of the relay: what was left out of it comes in before what is behind it (UP-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mes_terminal.domain.delivery import Answer, QueuedPosting
from mes_terminal.upstream.lanes import Lanes
from mes_terminal.upstream.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable


def posting(sequence: int, lane: str = "WO-9") -> QueuedPosting:
    return QueuedPosting(
        sequence=sequence, id=f"e:{sequence}", source="s", epoch="e", lane=lane, type="t",
        recorded_at="", body=b"{}",
    )  # fmt: skip


class Outbox:
    """An outbox in memory; `meanwhile` happens while a page is read."""

    def __init__(self, *sequences: int) -> None:
        self.queued = [posting(each) for each in sequences]
        self.meanwhile: Callable[[], None] = lambda: None

    async def waiting(self, *, after: int, limit: int, bytes_max: int) -> list[QueuedPosting]:
        page = [each for each in self.queued if each.sequence > after][:limit]
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return page

    async def park(self, behind: Any) -> None:
        assert not behind

    async def held_back(self) -> list[QueuedPosting]:
        return []


async def test_a_lane_that_goes_on_while_a_page_is_read_keeps_its_order() -> None:
    """UP-3: 112 had been left out behind 92, which is accepted while the page with 292 is read."""
    outbox = Outbox(92, 112)
    lanes = Lanes(lambda: 0.0)
    window = Window(outbox, lanes, lambda: 0.0)  # type: ignore[arg-type]
    await window.fill()
    (first,) = lanes.take(10, 1000, one_per_lane=True, now_s=0.0)
    lanes.landed([first])
    lanes.cool([first], 0.0)  # it had no answer; 112 is left for later
    (again,) = lanes.take(10, 1000, one_per_lane=True, now_s=9.0)
    assert (first.sequence, again.sequence) == (92, 92)

    def accepted() -> None:
        outbox.queued = [each for each in outbox.queued if each.sequence != 92]
        window.settled(again, Answer(source="s", epoch="e", sequence=92, outcome="accepted"))
        lanes.landed([again])

    outbox.queued.append(posting(292))
    outbox.meanwhile = accepted
    window.queued()
    await window.fill()
    (then,) = lanes.take(10, 1000, one_per_lane=True, now_s=9.0)
    assert then.sequence == 112
