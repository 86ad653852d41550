"""Random plants, random scans: the station says and books what the slow obvious model does.

After every step the stock agrees to the byte, and so do orders, what is owed, and genealogy; and
the laws of `tests.model.ledger_laws` hold: books, targets, genealogy, events (invariants 1, 2, 6
and 7).
"""

import json
from datetime import timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.rules import StationRules
from tests.model.ledger_laws import Laws
from tests.model.machine_run import run_machine
from tests.model.making import not_open
from tests.model.model import Model
from tests.model.random_plants import random_plant, receipts, table
from tests.model.values import Answer, text
from tests.plants import Station, empty_database, memory_folder, open_station

ASIDE = (
    "%EMPTY", "%UNMOUNT", "%ASIDE 0", "%ASIDE 7.5", "%ASIDE 20", "%SHORT MAT", "%SHORT MAT",
    "%SHORT WHIM", "%SHORT", "%START", "%CANCEL", "%HELP", "%QTY 2", "B:AK", "B:BO", "B:NOBODY",
    "L:LINE", "L1", "LOT7", "C1", "F", "NOBODY-KNOWS",
)  # fmt: skip
SEEDS = st.integers(0, 2**32 - 1)
LOADED_AT = "2026-11-19T06:00:00.000000Z"

EDGES = """
    SELECT iif(c.lot = '', w.work_order, c.lot), iif(p.lot = '', 'unknown', p.lot),
           coalesce(l.line, ''), e.quantity_micro, e.certainty
      FROM edge e JOIN lot c ON c.lot_id = e.child_id JOIN lot p ON p.lot_id = e.parent_id
      LEFT JOIN order_line l USING (line_id)
      LEFT JOIN work_order w ON w.work_order_id = c.work_order_id
     WHERE p.work_order_id = 0
"""
HEAPS = """
    SELECT i.item, b.lot, coalesce(c.container, ''), o.location, b.quantity_micro
      FROM balance b JOIN item i USING (item_id) JOIN location o USING (location_id)
      LEFT JOIN container c USING (container_id)
     WHERE b.quantity_micro <> 0 ORDER BY 1, 2, 3, 4
"""


class Beside(RuleBasedStateMachine):
    """The station and the model, side by side. `run` tells one run's plants from another's."""

    run = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = memory_folder()
        self.path = self.folder.__enter__()
        self.station: Station | None = None

    @initialize(seed=SEEDS)
    def open(self, seed: int) -> None:
        plant = random_plant(f"{self.run}:{seed}")
        note(f"{plant.settings} {json.dumps(plant.files, indent=1)}")
        rules = StationRules(
            mode="test",
            shortage_policy=plant.settings["shortage_policy"],  # type: ignore[arg-type]
            planned_scrap=plant.settings["planned_scrap"],  # type: ignore[arg-type]
            lot_overrun_pct_micro=20_000_000,
        )
        self.plant = plant
        self.station = open_station(
            self.path, plant.files, rules, at=LOADED_AT, template=empty_database()
        )
        self.model = Model(
            shortage_policy=rules.shortage_policy,
            planned_scrap=rules.planned_scrap,
            lot_overrun_pct="20",
        )
        self.model.load(plant.files, at=LOADED_AT)
        self.references = 100
        self.laws = Laws()

    def teardown(self) -> None:
        try:
            if self.station is not None:
                assert self.station.faults() == []
                self.station.db.close()
        finally:
            self.folder.__exit__(None, None, None)

    @rule(data=st.data(), is_all=st.sampled_from((False, False, True)))
    def order(self, data: st.DataObject, is_all: bool) -> None:
        if not is_all:
            self.scan("%QTY 1")
        self.scan(data.draw(st.sampled_from(self.plant.orders)))

    @rule(data=st.data(), quantity=st.sampled_from(("1", "2", "3", "5", "0.5", "12", "1.25")))
    def part_of_an_order(self, data: st.DataObject, quantity: str) -> None:
        self.scan(f"%QTY {quantity}")
        self.scan(data.draw(st.sampled_from(self.plant.orders)))

    @rule(product=st.sampled_from(("P", "Q")), times=st.integers(1, 4))
    def units(self, product: str, times: int) -> None:
        for _ in range(times):
            self.scan(product)

    @rule(data=st.data())
    def material(self, data: st.DataObject) -> None:
        labels = [f"{item}|{lot}" for item, lot in self.plant.lots] + list(self.plant.containers)
        label = data.draw(st.sampled_from([*labels, *labels, "P|LOT7", "P|W1", "C1|NONE"]))
        if "|" in label:
            label += data.draw(st.sampled_from(("", "", "|5", "|1.5")))
        self.scan(label)

    @precondition(lambda self: self.station is not None and any(self.model.reports))
    @rule(times=st.integers(1, 2), badge=st.sampled_from((None, None, None, "AK")))
    def undo(self, times: int, badge: str | None) -> None:
        for _ in range(times):
            self.scan("%UNDO", badge)

    @rule(data=st.data(), product=st.sampled_from(("P", "Q")))
    def report_and_undo(self, data: st.DataObject, product: str) -> None:
        self.scan(data.draw(st.sampled_from((*self.plant.orders, product))))
        self.scan("%UNDO")

    @rule(data=st.data(), seed=SEEDS)
    def receive_before_undo(self, data: st.DataObject, seed: int) -> None:
        """What a report took comes back beside what arrived since (BF-37, `sole`)."""
        order = data.draw(st.sampled_from(self.plant.orders))
        self.scan("%QTY 2")
        self.scan(order)
        self.receive(seed)
        self.scan("%UNDO")
        self.scan(order)

    @rule(data=st.data(), first=st.sampled_from(ASIDE), times=st.integers(1, 2))
    def aside(self, data: st.DataObject, first: str, times: int) -> None:
        """A command and the code it waits for, right or wrong; or a code that does nothing."""
        self.scan(first)
        mounted = [
            name
            for position, mount in self.model.mounts.items()
            for name in (position, mount.container or mount.item, f"{mount.item}|{mount.lot}")
        ]
        for _ in range(times):
            self.scan(data.draw(st.sampled_from([*mounted, *self.plant.orders, "C1", "NOWHERE"])))

    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        self.scan(f"%START {data.draw(st.sampled_from(self.plant.orders))}")

    @rule(
        data=st.data(),
        place=st.integers(0, 4),
        quantity=st.sampled_from(("", "", "1", "2", "3", "0.5")),
    )
    def operation(self, data: st.DataObject, place: int, quantity: str) -> None:
        """Of an order that has operations, if there is one; or of the order at hand."""
        routed = [each.number for each in self.model.orders.values() if each.operations]
        order = data.draw(st.sampled_from(routed or self.plant.orders))
        known = self.model.orders[order].operations
        operation = known[place % len(known)].name if known else "20"
        if quantity:
            self.scan(f"%QTY {quantity}")
        self.scan(f"%OP {operation} {order}" if place < 4 else f"%OP {operation}")

    @rule(data=st.data(), quantity=st.sampled_from(("", "", "1", "2", "3", "0.5")))
    def scrap(self, data: st.DataObject, quantity: str) -> None:
        """Units, or what is no substitute of anything."""
        self.scan("%SCRAP BAD")
        if quantity:
            self.scan(f"%QTY {quantity}")
        codes = (*self.plant.orders * 2, "P", "Q", "P", "Q", *self.own_material(), "P|LOT7", "P|W1")
        self.scan(data.draw(st.sampled_from(codes)))
        if self.model.pending:
            self.scan("%CANCEL")

    @rule(
        data=st.data(),
        verb=st.sampled_from(("%ISSUE", "%ISSUE", "%ISSUE", "%EXTRA SPILL")),
        quantity=st.sampled_from(("", "", "1", "2", "5", "0.5")),
    )
    def issue(self, data: st.DataObject, verb: str, quantity: str) -> None:
        """By hand, to an open order that takes it, or to the order at hand."""
        open_ = [each for each in self.model.orders.values() if not not_open(each) and each.lines]
        codes = self.own_material()
        if open_ and data.draw(st.sampled_from((True, True, False))):
            order = data.draw(st.sampled_from(open_))
            self.scan(f"%START {order.number}")
            items = {line.item for line in order.lines}
            codes = [code for code in codes if code.partition("|")[0][:2] in items] or codes
        self.scan(verb)
        if quantity:
            self.scan(f"%QTY {quantity}")
        self.scan(data.draw(st.sampled_from(codes)))
        if self.model.pending:
            self.scan("%CANCEL")

    def own_material(self) -> list[str]:
        """Return codes of what stands in for nothing: a substitute by hand is told elsewhere."""
        stands_in = {key[3] for key in self.model.tables["bom_substitutes"]}
        lots = [
            (item, f"{item}|{lot}{label}")
            for item, lot in self.plant.lots
            for label in ("", "", "|5")
        ]
        boxes = [(item, box) for box, (item, _) in self.plant.containers.items()]
        loose = [(each.item, each.item) for each in self.plant.components]
        own = [code for item, code in [*lots, *boxes, *loose] if item not in stands_in]
        return own or ["W1"]

    @rule(
        data=st.data(),
        verb=st.sampled_from(("%HOLD", "%RELEASE", "%RELEASE")),
        badge=st.sampled_from(("QA", "QA", "AK", None)),
    )
    def hold(self, data: st.DataObject, verb: str, badge: str | None) -> None:
        self.scan(verb, badge)
        lots = [f"{item}|{lot}" for item, lot in self.plant.lots] + list(self.plant.containers)
        self.scan(data.draw(st.sampled_from((*lots, *self.plant.orders, "P|W1", "C1"))), badge)
        if self.model.pending:
            self.scan("%CANCEL")

    @rule(seconds=st.sampled_from((30, 30, 130, 86_400, 2 * 86_400)))
    def wait(self, seconds: int) -> None:
        assert self.station
        self.station.clock += timedelta(seconds=seconds)

    @rule(seed=SEEDS)
    def delivery(self, seed: int) -> None:
        self.receive(seed)

    def receive(self, seed: int) -> None:
        self.references += 10
        self.load(receipts(Random(f"{self.run}:{seed}"), self.plant, first=self.references, most=3))

    @rule(data=st.data(), of=st.sampled_from(("lot", "order")))
    def judge(self, data: st.DataObject, of: str) -> None:
        if of == "lot" and self.plant.lots:
            item, lot = data.draw(st.sampled_from(sorted(self.plant.lots)))
            status = data.draw(st.sampled_from(("hold", "available", "available", "rejected")))
            rows = [(item, lot, status, self.plant.lots[item, lot])]
            self.load({"lots.csv": table("item,lot,status,expires_on", rows)})
            return
        header, *lines = self.plant.files["work_orders.csv"].splitlines()
        cells = data.draw(st.sampled_from(lines)).split(",")
        cells[3] = data.draw(st.sampled_from(("released", "released", "hold")))
        self.load({"work_orders.csv": table(header, [tuple(cells)])})

    def load(self, files: dict[str, str]) -> None:
        assert self.station
        self.station.load(files)
        self.model.load(files, at=self.station.now)

    def scan(self, code: str, badge: str | None = None) -> None:
        assert self.station
        found = self.station.scan(code, badge=badge)
        expected = self.model.scan(code, at=self.station.now, badge=badge)
        note(f"{code}: {expected}")
        told = _answer(found, expected)
        assert told == expected, f"{code} by the station: {told}"

    @invariant()
    def the_books_agree(self) -> None:
        if self.station is None:
            return
        assert json.dumps(self.station.rows("stock")) == json.dumps(self.model.stock())
        rows = self.station.rows("orders")
        assert [
            (row["work_order"], row["status"], row["completed"], row["scrapped"], row["remaining"])
            for row in rows
        ] == self.model.order_rows()
        keys = ("item", "lot", "status", "expires_on", "received_at")
        lots = [tuple(row[key] for key in keys) for row in self.station.rows("lots")]
        assert lots == self.model.lot_rows()
        assert self.station.db.conn.execute(HEAPS).fetchall() == sorted(
            (heap.item, heap.lot, heap.container, heap.place, int(heap.quantity * 10**6))
            for heap in self.model.heaps()
            if heap.quantity
        )
        assert self.owed() == self.model.owed()
        assert sorted(self.station.db.conn.execute(EDGES).fetchall()) == sorted(
            (edge.child, edge.parent, edge.line, int(edge.quantity * 10**6), edge.certainty)
            for edge in self.model.edges
        )

    @invariant()
    def the_ledger_holds(self) -> None:
        if self.station is None:
            return
        self.laws.check(self.station.db)

    def owed(self) -> dict[tuple[str, str], str]:
        assert self.station
        found = self.station.db.conn.execute(
            "SELECT work_order, line, owed_micro FROM order_line JOIN work_order "
            "USING (work_order_id)"
        )
        return {(order, line): text(Fraction(micro, 10**6)) for order, line, micro in found}


def _answer(found: Outcome, expected: Answer) -> Answer:
    """Return the outcome as the model says it; what a refusal adds is for people."""
    posted = expected.consumed or expected.produced or found.report_id is not None
    return Answer(
        found.outcome,
        found.reason,
        found.work_order if expected.work_order else None,
        found.quantity if expected.quantity is not None or posted else None,
        tuple(_drawn(each) for each in found.consumed),
        tuple(_drawn(each) for each in found.scrapped),
        tuple((each.item, each.lot, each.location, each.quantity) for each in found.produced),
        tuple((each.kind, each.line, each.item, each.quantity) for each in found.exceptions),
    )


def _drawn(each: Any) -> tuple[Any, ...]:
    return (each.line, each.item, each.lot, each.location, each.quantity, each.certainty)


@pytest.mark.parametrize("run", range(20))
def test_two_hundred_sequences_agree_with_the_model(run: int) -> None:
    """BF-3, BF-4, BF-14 … BF-17, BF-19 … BF-21, BF-25, BF-26, BF-29, BF-31, BF-35 … BF-37,
    BF-39."""
    run_machine(Beside, run, settings(max_examples=10, stateful_step_count=25, derandomize=True))


@pytest.mark.long
@pytest.mark.parametrize("run", range(1000, 1100))
def test_two_thousand_sequences_agree_with_the_model(run: int) -> None:
    """The same with other plants, and by chance anew each time."""
    run_machine(Beside, run, settings(max_examples=20, stateful_step_count=40))
