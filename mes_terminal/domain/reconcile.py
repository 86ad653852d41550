"""Why upstream has another stock than the station: what it has not been told yet, what it refused,
and what nobody can explain. Pure.

    upstream - station = queued + in exceptions + unexplained

`queued` and `in exceptions` are what upstream's figures lack: a queued consumption of 9 means that
upstream still has 9 more than the station. So each is the net effect of its postings, *negated*;
the identity holds item by item, lot by lot, location by location. All numbers are micro-units.

A posting's net effect follows from its `material_actuals` alone: `Produced`, `Received` and
`Adjusted` (which has a sign) add at their location, `Consumed` and `Scrapped` take away there,
`Moved` takes away at `from_location` and adds at `location`. A reversal says the same below zero.
What is scrapped is stock for nobody, so scrap locations are not compared. A serial is compared by
its number alone, whatever lot it is said to be of.
"""

from bisect import insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mes_terminal.domain.posting_texts import UseWord
from mes_terminal.domain.quantity import format_quantity, parse_quantity

Level = Literal["item", "lot", "location"]
"""How finely is compared; `location`: item, lot and location."""
Part = Literal["queued", "in_exceptions", "let_go"]
"""Where upstream stands with a posting. `let_go`: it refused it, and a person ended that: it counts
for nothing, and is named where something is unexplained."""

_COUNTING: Final[tuple[Part, ...]] = ("queued", "in_exceptions")
_PARTS: Final[tuple[Part, ...]] = (*_COUNTING, "let_go")

LET_GO: Final = "let_go"
"""The status of such a posting, which counts for nothing."""
POSTINGS_NAMED_MAX: Final = 100
"""Postings named behind one number of a row, the oldest; the others are counted."""

_SIGNS: Final[dict[UseWord, int]] = {
    "Produced": 1,
    "Received": 1,
    "Adjusted": 1,
    "Moved": 1,
    "Consumed": -1,
    "Scrapped": -1,
}
"""What a use does to the stock at `location`."""


class StockKey(NamedTuple):
    """What is compared; `None`: over all of them, or there is none."""

    item: str
    lot: str | None
    serial: str | None
    location: str | None


class Behind(Struct, frozen=True):
    """A posting behind a number, and by how much upstream differs because of it."""

    sequence: int
    id: str
    type: str
    subject: str
    status: str
    """As in the outbox, or `let_go`."""
    quantity: str


class Difference(Struct, frozen=True, kw_only=True):
    """One row of the comparison. Quantities are decimal texts in the item's base unit."""

    item: str
    lot: str | None
    serial: str | None
    location: str | None
    uom: str | None
    upstream: str
    station: str
    difference: str
    queued: str
    in_exceptions: str
    unexplained: str
    postings: list[Behind]
    """The oldest behind each number; all of them where there are not many."""
    postings_count: int

    @property
    def key(self) -> str:
        """A text that sorts as the rows do, for pages that go on after one."""
        return "\0".join(_sort_key(StockKey(self.item, self.lot, self.serial, self.location)))

    @property
    def is_explained(self) -> bool:
        """Whether every piece of the difference is accounted for."""
        return self.unexplained == "0"

    @property
    def is_nothing(self) -> bool:
        """Whether both have the same, and nothing is on its way."""
        return self.difference == "0" and not self.postings_count and self.is_explained


class _Actual(Struct, frozen=True, gc=False):
    use: UseWord
    item: str
    lot: str | None
    serial: str | None
    quantity: str
    location: str
    from_location: str | None = None


class _Data(Struct, frozen=True):
    material_actuals: list[_Actual] = []
    reverses: str | None = None
    report_id: str | None = None
    scan_id: str | UnsetType | None = UNSET


class PostingText(Struct, frozen=True):
    """What the comparison reads of a posting's document."""

    id: str
    type: str
    subject: str
    data: _Data

    @property
    def came_down(self) -> bool:
        """Whether it tells of a receipt that was loaded: an ERP that sent it has it already."""
        is_receipt = any(each.use == "Received" for each in self.data.material_actuals)
        return is_receipt and self.data.scan_id is None


read_posting: Final = msgspec.json.Decoder(PostingText).decode
"""Decode the document of a posting. Raises `msgspec.ValidationError` for what is none."""


def stock_key(item: str, lot: str | None, serial: str | None, location: str | None) -> StockKey:
    """Return the key of a piece of stock; an empty text is absent."""
    return StockKey(item, None if serial else lot or None, serial or None, location or None)


def effects_of(posting: PostingText) -> Iterator[tuple[StockKey, int]]:
    """Yield what a posting does to stock, a pair for each place that it changes.

    Raises `QuantityError` for a quantity that is none.
    """
    for actual in posting.data.material_actuals:
        micro = parse_quantity(actual.quantity)
        for location, change in changes(actual.use, micro, actual.location, actual.from_location):
            yield stock_key(actual.item, actual.lot, actual.serial, location), change


def changes(
    use: UseWord, micro: int, location: str, from_location: str | None
) -> Iterator[tuple[str, int]]:
    """Yield what one actual does to stock: each location that it changes, and by how much."""
    yield location, _SIGNS[use] * micro
    if use == "Moved" and from_location is not None:
        yield from_location, -micro


class _Row:
    """What is known of one row so far."""

    __slots__ = ("behind", "counts", "parts", "station", "upstream")

    def __init__(self) -> None:
        self.upstream = 0
        self.station = 0
        self.parts: dict[Part, int] = dict.fromkeys(_PARTS, 0)
        self.counts: dict[Part, int] = dict.fromkeys(_PARTS, 0)
        self.behind: dict[Part, list[Behind]] = {part: [] for part in _PARTS}
        """The oldest of each part, by number."""


class Comparison:
    """Adds up stock and postings, in any order; its size grows with the stock, not with the
    postings."""

    def __init__(self, level: Level, *, own: Collection[str], only: str | None = None) -> None:
        """Compare at `level` what lies at the locations `own`, of the item `only` if given."""
        self._level = level
        self._own = own
        self._only = only
        self._rows: dict[StockKey, _Row] = {}
        self._lots_unknown: set[str] = set()
        self.left_out = 0
        """Pieces of upstream's stock that lie elsewhere."""

    def add_upstream(self, stock: Iterable[tuple[StockKey, int]]) -> None:
        """Add upstream's stock, all of it at once, before anything else. What it names no lots of
        is compared without lots; a piece without a location is taken to lie here."""
        stock = list(stock)
        items = {key.item for key, _ in stock}
        self._lots_unknown = items - {key.item for key, _ in stock if key.lot or key.serial}
        for key, micro in stock:
            if key.location is not None and key.location not in self._own:
                self.left_out += 1
            elif self._is_meant(key):
                self._row(key).upstream += micro

    def add_station(self, stock: Iterable[tuple[StockKey, int]]) -> None:
        """Add the station's own stock."""
        for key, micro in stock:
            if key.location in self._own and self._is_meant(key):
                self._row(key).station += micro

    def add_posting(self, sequence: int, posting: PostingText, part: Part, status: str) -> None:
        """Add a posting that upstream's figures lack."""
        net: dict[StockKey, int] = {}
        for key, micro in effects_of(posting):
            if key.location in self._own and self._is_meant(key):
                coarse = self._coarse(key)
                net[coarse] = net.get(coarse, 0) - micro
        for key, micro in net.items():
            if micro:
                self._note(
                    self._rows.setdefault(key, _Row()), sequence, posting, part, status, micro
                )

    def rows(self, units: Mapping[str, str]) -> Iterator[Difference]:
        """Yield every row, in the order of its key, absent first; `units` by item."""
        for key in sorted(self._rows, key=_sort_key):
            yield _difference(key, self._rows[key], units.get(key.item))

    def _is_meant(self, key: StockKey) -> bool:
        return self._only is None or key.item == self._only

    def _coarse(self, key: StockKey) -> StockKey:
        if self._level == "item":
            return StockKey(key.item, None, None, None)
        location = key.location if self._level == "location" else None
        if key.item in self._lots_unknown:
            return StockKey(key.item, None, None, location)
        return key._replace(location=location)

    def _row(self, key: StockKey) -> _Row:
        return self._rows.setdefault(self._coarse(key), _Row())

    @staticmethod
    def _note(
        row: _Row, sequence: int, posting: PostingText, part: Part, status: str, micro: int
    ) -> None:
        row.parts[part] += micro
        row.counts[part] += 1
        named = row.behind[part]
        if len(named) == POSTINGS_NAMED_MAX:
            if sequence > named[-1].sequence:
                return
            del named[-1]
        found = Behind(
            sequence, posting.id, posting.type, posting.subject, status, format_quantity(micro)
        )
        insort(named, found, key=attrgetter("sequence"))


def _sort_key(key: StockKey) -> tuple[str, ...]:
    return tuple(each or "" for each in key)


def _difference(key: StockKey, row: _Row, uom: str | None) -> Difference:
    difference = row.upstream - row.station
    queued, refused = row.parts["queued"], row.parts["in_exceptions"]
    unexplained = difference - queued - refused
    parts = _PARTS if unexplained else _COUNTING
    named = chain.from_iterable(row.behind[part] for part in parts)
    return Difference(
        item=key.item,
        lot=key.lot,
        serial=key.serial,
        location=key.location,
        uom=uom,
        upstream=format_quantity(row.upstream),
        station=format_quantity(row.station),
        difference=format_quantity(difference),
        queued=format_quantity(queued),
        in_exceptions=format_quantity(refused),
        unexplained=format_quantity(unexplained),
        postings=sorted(named, key=attrgetter("sequence")),
        postings_count=sum(row.counts[part] for part in parts),
    )


class Summary(Struct, frozen=True, kw_only=True):
    """How a comparison came out."""

    count: int
    """Rows that the list has."""
    differing: int
    unexplained: int
    """Rows of which a part is unexplained."""
    as_of: str | None
    """When upstream's figures were true; `None`: there are none."""


class FiguresTold(Struct, frozen=True, kw_only=True):
    """What is to be known of upstream's figures beside what they come to."""

    as_of: str | None
    """When they were true; `None`: a file that does not say."""
    left_out: int
    """Pieces that lie elsewhere, and so are not compared."""
    elsewhere: list[str]
    """The first of these locations, in the order of their names."""


def summary_of(
    rows: Sequence[Difference], as_of: str | None, *, count: int | None = None
) -> Summary:
    """Return how a comparison came out; `count` rows of it are listed, else all."""
    return Summary(
        count=len(rows) if count is None else count,
        differing=sum(row.difference != "0" for row in rows),
        unexplained=sum(not row.is_explained for row in rows),
        as_of=as_of,
    )
