"""Which postings wait for which, as their documents say (UP-3). Pure.

A posting keeps its lane (`partitionkey`) in order, and waits for material that an earlier posting
of this station brings: nobody can consume what they have not received. Only what has a lot or a
serial counts; anything else cannot be told apart. Called by the relay and by `usecases.deliver`.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivery import Material, QueuedPosting
from mes_terminal.domain.posting import short_type

BRINGS: Final = frozenset({"Produced", "Received", "Adjusted", "Moved"})
USES: Final = frozenset({"Consumed", "Scrapped", "Moved"})
"""What a quantity above zero does. Below zero, as in a reversal, it does the opposite."""


class Actual(Struct, frozen=True):
    """Material in a posting, as far as the order of delivery needs it."""

    use: str
    item: str
    quantity: str
    lot: str | None = None
    serial: str | None = None


class PostingData(Struct, frozen=True):
    """The data of a posting, as far as delivery needs them."""

    work_order: str | None = None
    material_actuals: list[Actual] = []


class PostingEnvelope(Struct, frozen=True):
    """The envelope of a posting, as far as delivery needs it."""

    type: str
    source: str
    id: str
    partitionkey: str
    subject: str
    recordedtime: str
    epoch: str
    data: PostingData


class PostingKey(Struct, frozen=True):
    """What, with its sequence, names a posting to its receiver (UP-2)."""

    source: str
    epoch: str


_envelope: Final = msgspec.json.Decoder(PostingEnvelope)
_key: Final = msgspec.json.Decoder(PostingKey)


def key_of(body: bytes | str) -> PostingKey:
    """Return whose the document of a posting is: the rest of it is only skipped."""
    return _key.decode(body)


def read_posting(body: bytes | str) -> PostingEnvelope:
    """Return what delivery needs of the document of a posting."""
    return _envelope.decode(body)


def queued_posting(
    sequence: int, body: bytes, attempts: int = 0, *, with_body: bool = True
) -> QueuedPosting:
    """Return a posting of the outbox. `type` is short, as the outbox lists it."""
    told = _envelope.decode(body)
    brings, uses = materials_of(told.data.material_actuals)
    return QueuedPosting(
        sequence=sequence,
        id=told.id,
        source=told.source,
        epoch=told.epoch,
        lane=told.partitionkey,
        type=short_type(told.type),
        recorded_at=told.recordedtime,
        body=body if with_body else b"",
        attempts=attempts,
        brings=brings,
        uses=uses,
    )


def materials_of(actuals: Iterable[Actual]) -> tuple[frozenset[Material], frozenset[Material]]:
    """Return what these bring and what they use."""
    brings: set[Material] = set()
    uses: set[Material] = set()
    for each in actuals:
        if each.lot is None and each.serial is None:
            continue
        material = Material(each.item, each.lot, each.serial)
        takes_back = each.quantity.startswith("-")
        if each.use in (USES if takes_back else BRINGS):
            brings.add(material)
        if each.use in (BRINGS if takes_back else USES):
            uses.add(material)
    return frozenset(brings), frozenset(uses)


class Blocks:
    """What refused postings hold back: their lanes and what they bring, and so on behind those.

    `root_of` tells which refused posting a posting has to wait for. What is parked is added by
    `hold` with the same root: it blocks in its turn. Postings are added in any order.
    """

    def __init__(self, held: Iterable[QueuedPosting] = ()) -> None:
        self._lanes: dict[str, tuple[int, int]] = {}
        self._materials: dict[Material, tuple[int, int]] = {}
        for each in held:
            self.hold(each, each.sequence)

    def hold(self, posting: QueuedPosting, root: int) -> None:
        """Let what follows a posting wait for the refused one `root`: itself, or another."""
        mine = (posting.sequence, root)
        self._lanes[posting.lane] = min(mine, self._lanes.get(posting.lane, mine))
        for material in posting.brings:
            self._materials[material] = min(mine, self._materials.get(material, mine))

    def root_of(self, posting: QueuedPosting) -> int | None:
        """Return the refused posting that stands in the way of this one; `None`: none does."""
        earlier = [each for each in self._blocking(posting) if each[0] < posting.sequence]
        return min(earlier)[1] if earlier else None

    def _blocking(self, posting: QueuedPosting) -> Iterator[tuple[int, int]]:
        lane = self._lanes.get(posting.lane)
        if lane is not None:
            yield lane
        for material in posting.uses:
            found = self._materials.get(material)
            if found is not None:
                yield found
