"""`reconcile` beside an ERP in a few lines: whatever became of a posting, each number is its own.

The plant: chairs of four legs, benches of a chair. The ERP takes postings in the order of their
lanes, loses answers, refuses, and has stock that nobody told it of. Its figures are read now and
then, and everything goes on behind them.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.delivering import Blocks
from mes_terminal.domain.delivery import StockReading, UpstreamStock
from mes_terminal.domain.quantity import MICRO, format_quantity, parse_quantity
from mes_terminal.domain.reconcile import Level, StockKey
from mes_terminal.domain.sequences import Sequences
from mes_terminal.usecases import deliver
from mes_terminal.usecases.reconcile import note_upstream_stock
from mes_terminal.usecases.refused_reversed import let_reversed_go
from tests.model.told_stock import Stock, moved_by_event
from tests.plants import Station, open_station
from tests.unit.delivery_plant import (
    MANY,
    PLANT,
    POST,
    WRITE_OFF,
    answer,
    decide,
    park_behind,
    refuse,
)

ORDERS: Final = ("WO-1", "WO-2", "WO-3")


class Erp:
    """What the ERP has, what it was told, and what was read of it last."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.inbox: dict[int, bool] = {}
        """By sequence, whether a posting has its effect."""
        self.outside: Stock = defaultdict(int)
        self.read_inbox: frozenset[int] = frozenset()
        self.read_outside: Stock = {}

    def take(self, choices: Sequence[str]) -> None:
        """Let the relay send what waits, each posting with a fate of its own."""
        park_behind(self.station)
        blocks = Blocks(deliver.held_back(self.station.db))
        waiting = deliver.waiting(self.station.db, after=0, limit=99, bytes_max=MANY)
        for place, each in enumerate(waiting):
            root = blocks.root_of(each)
            if root is not None:
                blocks.hold(each, root)
                continue
            fate = choices[place % len(choices)] if choices else "accept"
            was_refused = self.inbox.get(each.sequence) is False and not self.is_void(each.body)
            if fate == "refuse" and each.type.startswith("production") and not self.has(each):
                self.inbox[each.sequence] = False
                refuse(self.station, each.sequence)
                blocks.hold(each, each.sequence)
            elif fate == "later" or (fate == "lost" and was_refused):
                blocks.hold(each, each.sequence)
            else:
                self.inbox[each.sequence] = not self.is_void(each.body)
                if fate == "lost":
                    blocks.hold(each, each.sequence)
                else:
                    answer(self.station, [each.sequence])
        let_reversed_go(self.station.db, rules=self.station.rules, now=self.station.now)

    def has(self, posting: Any) -> bool:
        return posting.sequence in self.inbox

    def is_void(self, body: bytes) -> bool:
        """Tell whether a posting takes back a report that has no effect here."""
        reverses = json.loads(body)["data"].get("reverses")
        return reverses is not None and not self.inbox.get(self.sequences()[reverses], False)

    def sequences(self) -> dict[str, int]:
        rows = self.station.db.conn.execute(
            "SELECT body ->> '$.data.report_id', outbox_seq FROM event "
            "WHERE outbox_seq IS NOT NULL ORDER BY outbox_seq DESC"
        )
        return {report: sequence for report, sequence in rows if report}

    def tell(self) -> None:
        """Let the core read the figures."""
        effects = moved(self.station)
        stock: Stock = defaultdict(int, self.outside)
        for sequence in (each for each, has_effect in self.inbox.items() if has_effect):
            for key, micro in effects.get(sequence, {}).items():
                stock[key] += micro
        known = Sequences()
        for sequence in self.inbox:
            known.add(sequence)
        ranges = list(known)
        reading = StockReading(
            as_of=self.station.now,
            watermark=ranges[0][1],
            beyond=ranges[1:],
            stock=[
                UpstreamStock(item=key.item, lot=key.lot, serial=key.serial, uom="pcs",
                              location=key.location or "", quantity=format_quantity(micro))
                for key, micro in stock.items() if micro
            ],
        )  # fmt: skip
        note_upstream_stock(self.station.db, reading, now=self.station.now)
        self.read_inbox = frozenset(each for each, effect in self.inbox.items() if effect)
        self.read_outside = dict(self.outside)


def moved(station: Station) -> dict[int, Stock]:
    """Return what each posting did to stock, as the ledger has it."""
    names = dict(
        station.db.conn.execute("SELECT event_seq, outbox_seq FROM event WHERE outbox_seq > 0")
    )
    return {names[seq]: effect for seq, effect in moved_by_event(station.db).items()}


def expected(erp: Erp, coarse: Any) -> dict[str, dict[StockKey, int]]:
    """Return the three numbers by key, from the ledger and what the ERP took."""
    rows = erp.station.db.conn.execute(
        "SELECT e.outbox_seq, d.status, d.let_go, e.body ->> '$.data.report_id', "
        "e.body ->> '$.data.reverses' FROM event e JOIN delivery d USING (outbox_seq)"
    ).fetchall()
    gone = {report for _, _, let_go, report, _ in rows if let_go and report}
    effects = moved(erp.station)
    parts: dict[str, dict[StockKey, int]] = {
        part: defaultdict(int) for part in ("queued", "in_exceptions", "unexplained")
    }
    for key, micro in erp.read_outside.items():
        parts["unexplained"][coarse(key)] += micro
    for sequence, status, let_go, _, reverses in rows:
        if sequence in erp.read_inbox:
            continue
        held = status in ("refused", "parked")
        part = "in_exceptions" if held else "queued"
        part = "unexplained" if let_go or reverses in gone else part
        for key, micro in effects.get(sequence, {}).items():
            parts[part][coarse(key)] -= micro
    return {part: nonzero(found.items()) for part, found in parts.items()}


def nonzero(found: Iterable[tuple[StockKey, int]]) -> dict[StockKey, int]:
    return {key: micro for key, micro in found if micro}


def assert_each_number_is_its_own(erp: Erp) -> None:
    for level in get_args(Level):

        def coarse(key: StockKey, level: str = level) -> StockKey:
            if level == "item":
                return StockKey(key.item, None, None, None)
            return key if level == "location" else key._replace(location=None)

        rows = erp.station.rows("reconcile", by=level)
        found = {
            StockKey(row["item"], row["lot"], row["serial"], row["location"]): row for row in rows
        }
        for part, numbers in expected(erp, coarse).items():
            got = nonzero((key, parse_quantity(row[part])) for key, row in found.items())
            assert got == numbers, (level, part)
        for row in rows:
            shown = {part: parse_quantity(row[part]) for part in PARTS}
            assert shown["upstream"] - shown["station"] == shown["difference"]
            assert shown["difference"] == sum(shown[part] for part in PARTS[3:])
            assert named(row, "waiting", "delivered") == shown["queued"]
            assert named(row, "refused", "parked") == shown["in_exceptions"]


PARTS: Final = (
    "upstream", "station", "difference", "queued", "in_exceptions", "unexplained",
)  # fmt: skip


def named(row: dict[str, Any], *statuses: str) -> int:
    """Return what the postings of these statuses come to that are named behind a row."""
    return sum(
        parse_quantity(each["quantity"]) for each in row["postings"] if each["status"] in statuses
    )


FATES: Final = st.lists(
    st.sampled_from(("accept", "refuse", "lost", "accept", "later")), min_size=1, max_size=4
)
ACTIONS: Final = st.sampled_from(
    ["report", "report", "take", "take", "tell", "tell", "decide", "decide", "scan", "outside"]
)
SAID: Final = {
    "report": st.sampled_from(ORDERS),
    "scan": st.sampled_from(("undo", "scrap", "move", "back")),
    "take": FATES,
    "tell": st.none(),
    "decide": st.sampled_from((POST, WRITE_OFF)),
    "outside": st.integers(-3, 3),
}
SHIFTS: Final = st.lists(
    ACTIONS.flatmap(lambda action: st.tuples(st.just(action), SAID[action])),
    min_size=12, max_size=30,
)  # fmt: skip
SCANS: Final = {
    "undo": ("%UNDO",),
    "scrap": ("%SCRAP BENT", "%QTY 2", "LEG|L-1"),
    "move": ("%MOVE FG", "%QTY 3", "LEG|L-1"),
    "back": ("%MOVE LINE", "%QTY 1", "LEG|L-1"),
}


def act(erp: Erp, action: str, said: Any) -> None:
    station = erp.station
    if action == "report":
        station.scan("%QTY 1")
        station.scan(said)
    elif action == "scan":
        for code in SCANS[said]:
            station.scan(code)
    elif action == "take":
        station.scan("%HELP")  # a second goes by
        erp.take(said)
    elif action == "tell":
        station.scan("%HELP")
        erp.tell()
    elif action == "decide":
        station.scan("%HELP")
        for row in station.rows("exceptions", open="1")[:1]:
            if row["kind"] == "posting_refused":
                decide(station, row["id"], said)
    else:
        erp.outside[StockKey("LEG", "L-1", None, "LINE")] += said * MICRO


def begin(folder: Path) -> Erp:
    reasons = {"reasons.csv": "code,kind\nGONE,write_off\nBENT,scrap"}
    erp = Erp(open_station(folder, {**PLANT, **reasons}))
    erp.take([])
    erp.tell()
    return erp


@settings(max_examples=40, deadline=None)
@given(SHIFTS)
def test_each_number_is_that_of_its_postings(actions: list[tuple[str, Any]]) -> None:
    """UP-2, UP-4, UP-8: at every level, after everything that happens."""
    with TemporaryDirectory() as folder:
        erp = begin(Path(folder))
        try:
            for action, said in actions:
                act(erp, action, said)
                assert_each_number_is_its_own(erp)
        finally:
            erp.station.db.close()


@pytest.fixture
def erp(tmp_path: Path) -> Iterable[Erp]:
    begun = begin(tmp_path)
    yield begun
    begun.station.db.close()


def test_what_is_sent_again_is_queued_and_not_unexplained(erp: Erp) -> None:
    """UP-2: the watermark goes past what was refused, for it is judged; the figures lack it."""
    act(erp, "report", "WO-1")
    act(erp, "take", ["refuse"])
    act(erp, "tell", None)
    act(erp, "decide", POST)
    (legs,) = erp.station.rows("reconcile", item="LEG")
    assert (legs["queued"], legs["in_exceptions"], legs["unexplained"]) == ("4", "0", "0")
    assert [each["status"] for each in legs["postings"]] == ["waiting"]


def test_what_was_accepted_since_it_was_refused_is_not_in_older_figures(erp: Erp) -> None:
    act(erp, "report", "WO-1")
    act(erp, "take", ["refuse"])
    act(erp, "tell", None)
    act(erp, "decide", POST)
    act(erp, "take", ["accept"])
    (legs,) = erp.station.rows("reconcile", item="LEG")
    assert (legs["queued"], legs["unexplained"]) == ("4", "0")
    act(erp, "tell", None)
    (legs,) = erp.station.rows("reconcile", item="LEG")
    assert (legs["difference"], legs["queued"], legs["unexplained"]) == ("0", "0", "0")
