"""Everything at once: one random shift in which all rules meet, and the seven invariants hold.

Operations, scrap, hand issues, substitutes, containers, serials with slots, rework, by-products,
holds, moves, counts, healing, resolutions, orders that change upstream, wrong use, stops and undo,
in any order. There is no oracle here (`test_station_machine.py` has one for part of it): after
every scan the laws of `tests.model.ledger_laws` are asked of the whole database, a report that is
taken back at once must leave no trace, and at the end everything is taken back, all inputs are
replayed, and what went upstream says all that happened to stock.
"""

import json
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from hypothesis import event, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.rules import StationRules
from tests.model.ledger_laws import BUILT_IN, SERIALS, Laws, state
from tests.model.machine_run import run_machine
from tests.model.shift import Shift, whole_ledger
from tests.model.shift_plant import (
    CELLS,
    MATERIAL,
    MOTORS,
    OPERATIONS,
    ORDERS,
    PRODUCTS,
    UNITS,
    lamp_lines,
    receipts_of,
    shift_plant,
)
from tests.model.told_stock import assert_all_is_told
from tests.plants import memory_folder

SEEDS: Final = st.integers(0, 2**32 - 1)
QUANTITY: Final = st.sampled_from(("", "1", "1", "2", "2", "3", "5"))
ANY_QUANTITY: Final = st.sampled_from(("", "0.5", "1", "12", "1.25"))
BADGE: Final = st.sampled_from((None, None, None, "AK", "SO", "QA"))
VERBS: Final = (
    "%SCRAP x", "%REWORK x", "%ISSUE", "%RETURN", "%EXTRA x", "%EMPTY", "%ASIDE 1", "%ASIDE 19",
    "%UNMOUNT", "%MOVE STORE", "%MOVE LINE", "%MOVE QUARANTINE", "%MOVE TABLE", "%HOLD",
    "%RELEASE", "%SHORT x", "%START WO-D", "%OP 20", "%CANCEL", "%HELP", "%UNDO", "%STOP x",
    "%CALL", "%END", "",
)  # fmt: skip
CODES: Final = (
    *ORDERS, *PRODUCTS, *UNITS, *MOTORS, *CELLS, *MATERIAL, "CHAIR|WO-C", "DESK|WO-D",
    "OFFCUT|WO-C", "LAMP|WO-L", "B:AK", "B:SO", "L:LINE", "NOBODY-KNOWS", "LEG|NONE", "",
)  # fmt: skip
QUIET: Final = ("rejected", "needs", "already_done")
POSTED: Final = """
    SELECT (SELECT count(*) FROM movement), (SELECT count(*) FROM edge),
           (SELECT count(*) FROM report), (SELECT total(issued_micro + owed_micro) FROM order_line)
"""
LEFT_OVER: Final = """
    SELECT lot_id, location_id, container_id, sum(micro) FROM (
        SELECT event_seq, lot_id, container_id, to_location_id AS location_id,
               quantity_micro AS micro FROM movement UNION ALL
        SELECT event_seq, lot_id, container_id, from_location_id, -quantity_micro FROM movement
    ) JOIN event USING (event_seq)
     WHERE event_seq IN (SELECT report_seq FROM report UNION SELECT event_seq FROM healing
                         UNION SELECT undone_seq FROM healing)
     GROUP BY 1, 2, 3 HAVING sum(micro) <> 0
"""
"""What reports moved and their reversals did not move back."""
OPEN_EXCEPTIONS: Final = """
    SELECT exception_id, coalesce(item_id, 0) FROM exception
     WHERE status = 'open' AND kind <> 'unknown_code'
"""
LOTS_OF: Final = "SELECT lot FROM lot WHERE item_id = ? AND lot <> '' ORDER BY lot"
UNHEALED: Final = (
    "SELECT * FROM heal_queue",
    """
    SELECT w.work_order, l.line, i.item, x.quantity_micro, b.quantity_micro FROM exception x
      JOIN order_line l USING (line_id) JOIN work_order w ON w.work_order_id = l.work_order_id
      JOIN item i ON i.item_id = x.item_id
      JOIN balance b ON b.item_id = x.item_id AND b.location_id = l.location_id
     WHERE x.kind = 'shortage' AND x.status = 'open' AND i.tracking = 'none'
       AND l.mount = 'optional' AND b.pickable = 1
    """,
)
MOUNTED: Final = """
    SELECT coalesce(container, item || '|' || lot) FROM mount JOIN item USING (item_id)
      JOIN lot USING (lot_id) LEFT JOIN container USING (container_id) ORDER BY position
"""
OWED: Final = """
    SELECT DISTINCT item FROM exception JOIN item USING (item_id)
     WHERE status = 'open' AND exception.kind = 'shortage' ORDER BY 1
"""
COUNTS: Final = """
    SELECT work_order, good_micro, scrapped_micro FROM work_order ORDER BY 1
"""
NOTHING_LEFT: Final = (
    "SELECT * FROM unit WHERE report_seq NOT NULL",
    "SELECT * FROM slot WHERE report_seq NOT NULL",
    "SELECT * FROM order_line WHERE owed_micro <> 0 OR owed_scrap_micro <> 0",
    "SELECT * FROM exception WHERE status = 'open' AND kind = 'shortage'",
    "SELECT child_id, parent_id FROM edge GROUP BY 1, 2 HAVING sum(quantity_micro) <> 0",
)


class EverythingAtOnce(RuleBasedStateMachine):
    """One shift. `run` tells one run's plants from another's."""

    run = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = memory_folder()
        self.path = self.folder.__enter__()
        self.shift: Shift | None = None
        self.receipts = 100
        self.notes: list[str] = []

    @initialize(seed=SEEDS, bikes=st.integers(0, 3))
    def open(self, seed: int, bikes: int) -> None:
        plant = shift_plant(f"{self.run}:{seed}")
        note(f"seed {self.run}:{seed} {plant.shortage_policy} {plant.planned_scrap}")
        note(json.dumps(plant.files, indent=1))
        rules = StationRules(
            mode="test",
            shortage_policy=plant.shortage_policy,  # type: ignore[arg-type]
            planned_scrap=plant.planned_scrap,  # type: ignore[arg-type]
            lot_overrun_pct_micro=plant.lot_overrun_pct_micro,
            undo_grace_s=10**7,
        )
        (self.path / "first").mkdir()
        self.shift = Shift(self.path / "first", plant.files, rules)
        self.laws = Laws()
        self.counts = self.db.conn.execute(COUNTS).fetchall()
        self.check()
        for number in range(bikes):
            self.build(number)

    @property
    def db(self) -> Any:
        assert self.shift
        return self.shift.station.db

    def scan(self, code: str, badge: str | None = None) -> Outcome:
        assert self.shift
        before = self.db.conn.execute(POSTED).fetchone()
        outcome = self.shift.scan(code, badge=badge)
        note(f"{code} {badge or ''}: {outcome.outcome} {outcome.reason or ''} {outcome.message}")
        if outcome.outcome in QUIET:
            assert outcome.message
            assert outcome.hint
            assert self.db.conn.execute(POSTED).fetchone() == before
        if code.startswith("%UNDO ") and outcome.outcome == "recorded":
            self.laws.untrue.add(outcome.work_order or "")
        self.check()
        return outcome

    def check(self) -> None:
        self.laws.check(self.db)

    def scan_all(self, *codes: str, badge: str | None = None) -> Outcome:
        """Scan those that are not empty; return the last outcome."""
        return [self.scan(code, badge) for code in codes if code][-1]

    @rule(order=st.sampled_from(ORDERS), quantity=QUANTITY, badge=BADGE)
    def report_some(self, order: str, quantity: str, badge: str | None) -> None:
        self.scan_all(quantity and f"%QTY {quantity}", order, badge=badge)

    @rule(order=st.sampled_from(ORDERS), quantity=ANY_QUANTITY, badge=BADGE)
    def report(self, order: str, quantity: str, badge: str | None) -> None:
        self.scan_all(quantity and f"%QTY {quantity}", order, badge=badge)

    @rule(product=st.sampled_from(PRODUCTS), quantity=QUANTITY, times=st.integers(1, 2))
    def units(self, product: str, quantity: str, times: int) -> None:
        for _ in range(times):
            self.scan_all(quantity and f"%QTY {quantity}", product)

    @rule(
        order=st.sampled_from(("WO-D", "WO-D", "WO-D2", "WO-E", "WO-C")),
        operation=st.sampled_from(OPERATIONS),
        quantity=QUANTITY,
    )
    def operation(self, order: str, operation: str, quantity: str) -> None:
        self.scan_all(quantity and f"%QTY {quantity}", f"%OP {operation} {order}")

    @rule(data=st.data(), unit=st.sampled_from(UNITS))
    def bike(self, data: st.DataObject, unit: str) -> None:
        """The unit and its parts, in any order."""
        for code in data.draw(st.permutations(self.parts(UNITS.index(unit)))):
            self.scan(code)

    def build(self, number: int) -> None:
        self.scan_all(*self.parts(number))

    @staticmethod
    def parts(number: int) -> list[str]:
        return [UNITS[number], MOTORS[number], CELLS[2 * number], CELLS[2 * number + 1]]

    @rule(code=st.sampled_from((*UNITS, *MOTORS, *CELLS)))
    def part(self, code: str) -> None:
        self.scan(code)

    @rule(what=st.sampled_from((*ORDERS, "CHAIR", "DESK", *UNITS)), quantity=QUANTITY, badge=BADGE)
    def scrap_units(self, what: str, quantity: str, badge: str | None) -> None:
        self.scan_all("%SCRAP x", quantity and f"%QTY {quantity}", what, "%CANCEL", badge=badge)

    @rule(what=st.sampled_from((*MATERIAL, *MOTORS)), quantity=QUANTITY)
    def scrap_material(self, what: str, quantity: str) -> None:
        self.scan_all("%SCRAP x", quantity and f"%QTY {quantity}", what, "%CANCEL")

    @rule(
        order=st.sampled_from(("", "WO-B", "WO-B", "WO-C", "WO-D")),
        verb=st.sampled_from(("%ISSUE", "%ISSUE", "%ISSUE", "%RETURN", "%EXTRA x")),
        what=st.sampled_from(("LEG|L-1", "LEG|L-2", "LEG-BOX", *MATERIAL)),
        quantity=QUANTITY,
    )
    def by_hand(self, order: str, verb: str, what: str, quantity: str) -> None:
        start = order and f"%START {order}"
        self.scan_all(start, verb, quantity and f"%QTY {quantity}", what, "%CANCEL")

    @rule(what=st.sampled_from(MATERIAL), label=st.sampled_from(("", "", "|5", "|20")), badge=BADGE)
    def mount(self, what: str, label: str, badge: str | None) -> None:
        self.scan(what + (label if "|" in what else ""), badge)

    @rule(
        data=st.data(),
        verb=st.sampled_from(("%EMPTY", "%UNMOUNT", "%ASIDE 0", "%ASIDE 1", "%ASIDE 5.1")),
    )
    def dismount(self, data: st.DataObject, verb: str) -> None:
        mounted = [row[0] for row in self.db.conn.execute(MOUNTED)]
        self.scan_all(verb, data.draw(st.sampled_from([*mounted, "REEL-1"])), "%CANCEL")

    @rule(reel=st.sampled_from(("REEL-1", "REEL-2", "LEG-BOX")), chairs=st.integers(1, 15))
    def drain(self, reel: str, chairs: int) -> None:
        """BF-17: a container gives more than its books."""
        self.scan_all(reel, f"%QTY {chairs}", "WO-C")

    @rule(
        place=st.sampled_from(("LINE", "LINE", "STORE", "FG", "QUARANTINE", "TABLE")),
        what=st.sampled_from((*MATERIAL, *UNITS, "CHAIR|WO-C")),
        quantity=QUANTITY,
        badge=BADGE,
    )
    def move(self, place: str, what: str, quantity: str, badge: str | None) -> None:
        codes = (f"%MOVE {place}", quantity and f"%QTY {quantity}", what, "%CANCEL")
        self.scan_all(*codes, badge=badge)

    @rule(
        verb=st.sampled_from(("%HOLD", "%RELEASE", "%RELEASE")),
        what=st.sampled_from(("LEG|L-1", "LEG|L-2", "FRAME|F-1", "BOARD|B-1", "WO-C", "CHAIR|WO-C",
                              "REEL-1", "WIRE|W-1")),
    )  # fmt: skip
    def hold(self, verb: str, what: str) -> None:
        self.scan_all(verb, what, "%CANCEL", badge="QA")

    @rule(data=st.data(), unit=st.sampled_from(UNITS), done=st.booleans())
    def exchange(self, data: st.DataObject, unit: str, done: bool) -> None:
        sits = [part for whole, part, _ in self.db.conn.execute(BUILT_IN) if whole == unit]
        free = [part for part, _ in self.db.conn.execute(SERIALS) if part not in UNITS]
        old = data.draw(st.sampled_from([*sits, *sits, *sits, "M-1"]))
        new = data.draw(st.sampled_from([*(part for part in free if part[0] == old[0]), "C-1"]))
        self.scan_all("%REWORK x", unit, old, new, unit if done else "")

    @rule(
        what=st.sampled_from(("WO-C", "CHAIR|WO-C", "BENCH", "DESK|WO-D", *UNITS)),
        quantity=QUANTITY,
    )
    def rework(self, what: str, quantity: str) -> None:
        quantified = quantity and f"%QTY {quantity}"
        self.scan_all("%REWORK x", quantified, what, quantified, what, "%CANCEL")

    @rule(order=st.sampled_from(ORDERS), is_meant=st.sampled_from((False, False, True)))
    def short(self, order: str, is_meant: bool) -> None:
        self.scan_all("%SHORT x", order if is_meant else "%CANCEL")

    @rule(seed=SEEDS)
    def receive(self, seed: int) -> None:
        assert self.shift
        self.receipts += 10
        owed = [row[0] for row in self.db.conn.execute(OWED)]
        self.load(receipts_of(Random(f"{self.run}:{seed}"), owed, first=self.receipts))
        self.heal()

    @rule(seed=SEEDS, what=st.sampled_from(("quantity", "status", "lines", "lot")))
    def upstream(self, seed: int, what: str) -> None:
        """BF-7: the order changes while it is worked on; so does what quality says of a lot."""
        chance = Random(f"{self.run}:{seed}")
        if what == "lines":
            self.load({"work_order_lines.csv": lamp_lines(chance)})
            return
        if what == "lot":
            item, lot = chance.choice((("LEG", "L-1"), ("FRAME", "F-1"), ("BOARD", "B-2")))
            status = chance.choice(("hold", "available", "available", "rejected"))
            self.load({"lots.csv": f"item,lot,status\n{item},{lot},{status}\n"})
            return
        assert self.shift
        header, *rows = self.shift.files["work_orders.csv"].splitlines()
        cells = chance.choice(rows).split(",")
        if what == "status":
            cells[3] = chance.choice(("released", "released", "hold"))
        else:
            cells[2] = str(int(cells[2]) + chance.choice((0, 1, 10)))
        self.load({"work_orders.csv": f"{header}\n{','.join(cells)}\n"})

    def load(self, files: dict[str, str]) -> None:
        assert self.shift
        note(json.dumps(files))
        self.shift.load(files)
        self.check()

    @rule(times=st.integers(1, 3))
    def undo(self, times: int) -> None:
        for _ in range(times):
            self.scan("%UNDO", self.reporter())

    @rule(
        code=st.sampled_from((*ORDERS, *UNITS, "CHAIR|WO-C", "DESK|WO-D")),
        quantity=st.sampled_from(("", "", " 1", " 2", " 0.5")),
        badge=st.sampled_from(("SO", "SO", "AK", None)),
    )
    def undo_by_code(self, code: str, quantity: str, badge: str | None) -> None:
        """Any report of any time, or a part of it."""
        self.scan(f"%UNDO {code}{quantity}", badge)

    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        """BF-23: a supervisor ends an exception, one way or another."""
        assert self.shift
        found = self.db.conn.execute(OPEN_EXCEPTIONS).fetchall()
        if not found:
            return
        exception_id, item = data.draw(st.sampled_from(found))
        lots = [lot for (lot,) in self.db.conn.execute(LOTS_OF, [item])]
        decision = data.draw(
            st.sampled_from((
                Decision(how="post"),
                Decision(how="write_off", reason="GONE"),
                Decision(how="change", quantity="1"),
                *(Decision(how="change", lot=lot) for lot in lots),
                *(Decision(how="change", lot=lot, quantity="1") for lot in lots),
                Decision(how="change", item="ROD"),
            ))
        )  # fmt: skip
        ended = self.shift.resolve(exception_id, decision)
        note(f"{exception_id} {decision}: {ended}")
        self.check()

    @rule(
        place=st.sampled_from(("LINE", "LINE", "STORE")),
        what=st.lists(st.tuples(st.sampled_from(MATERIAL), st.integers(0, 20)), max_size=3),
        ends=st.sampled_from(("%COUNT", "%COUNT", "%CANCEL")),
    )
    def count(self, place: str, what: list[tuple[str, int]], ends: str) -> None:
        """BF-32: what is on the line is asked about until it is said."""
        self.scan(f"%COUNT {place}")
        for code, quantity in what:
            self.scan_all(f"%QTY {quantity}" if quantity else "", code)
        self.scan(ends)
        for _ in range(4):
            self.scan("%COUNT 0")
        self.scan("%CANCEL")

    @rule(code=st.sampled_from((*ORDERS, *ORDERS, *PRODUCTS, "%OP 20 WO-D", "%OP 10 WO-D",
                                "%OP 30 WO-D2")),
          quantity=QUANTITY, is_scrap=st.booleans())  # fmt: skip
    def report_and_undo(self, code: str, quantity: str, is_scrap: bool) -> None:
        """Invariant 3: at once, nothing is left of it."""
        if is_scrap and not code.startswith("%"):
            self.scan("%SCRAP x")
        if quantity:
            self.scan(f"%QTY {quantity}")
        before = state(self.db)
        if self.scan(code).outcome == "completed":
            assert self.scan("%UNDO", self.reporter()).outcome == "recorded"
            assert state(self.db) == before
        self.scan("%CANCEL")

    @rule(data=st.data())
    def anything(self, data: st.DataObject) -> None:
        """Any command with any code, right or wrong."""
        verb = data.draw(st.sampled_from(VERBS))
        quantity = data.draw(ANY_QUANTITY)
        code = data.draw(st.sampled_from(CODES))
        badge = data.draw(BADGE)
        self.scan_all(verb, quantity and f"%QTY {quantity}", code, "%HELP", badge=badge)

    @rule()
    def heal(self) -> None:
        """BF-22: nothing untracked is owed any more that is there."""
        assert self.shift
        self.shift.heal()
        self.check()
        for statement in UNHEALED:
            found = self.db.conn.execute(statement).fetchall()
            assert not found, found

    @rule(seconds=st.sampled_from((30, 3600, 86_400)))
    def wait(self, seconds: int) -> None:
        assert self.shift
        self.shift.station.clock += timedelta(seconds=seconds)

    @rule(codes=st.lists(st.sampled_from((*CODES[:-1], "%UNDO", "%QTY 2", "%OP 20 WO-D")),
                         max_size=4))  # fmt: skip
    def stop(self, codes: list[str]) -> None:
        """Invariant 4: the power fails with scans journalled and not handled."""
        assert self.shift
        for outcome in self.shift.stop_before(codes):
            note(f"after the stop: {outcome.code}: {outcome.outcome} {outcome.message}")
        self.check()

    @rule(
        verb=st.sampled_from(("", "", *VERBS)),
        code=st.sampled_from(CODES[:-1]),
        after=st.sampled_from((20, 100, 300, 1000, 2000, 4000, 8000)),
    )
    def power_cut(self, verb: str, code: str, after: int) -> None:
        """Invariant 4: whatever was being done is done once, or not at all."""
        assert self.shift
        if verb:
            self.scan(verb)
        outcomes = self.shift.cut_off(code, after_instructions=after)
        event(f"cut off: {bool(outcomes)}")
        for outcome in outcomes:
            note(f"cut off, then: {outcome.code}: {outcome.outcome} {outcome.message}")
        self.check()
        self.scan("%CANCEL")

    def reporter(self) -> str | None:
        """Return who made the newest report that stands."""
        row = self.db.conn.execute(
            "SELECT person FROM report r WHERE kind <> 'reversal' AND NOT EXISTS "
            "(SELECT 1 FROM report x WHERE x.reverses = r.report_seq) "
            "ORDER BY report_seq DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else None

    def teardown(self) -> None:
        try:
            if self.shift is not None:
                self.end()
        finally:
            self.folder.__exit__(None, None, None)

    def end(self) -> None:
        """Take everything back, prove the whole database, and replay it."""
        assert self.shift
        self.take_everything_back()
        assert self.shift.station.faults() == []
        assert_all_is_told(self.db)
        (self.path / "second").mkdir()
        second = self.shift.replayed(self.path / "second")
        first, again = whole_ledger(self.shift.station), whole_ledger(second)
        for table, rows in first.items():
            assert again[table] == rows, table
        second.db.close()
        self.shift.station.db.close()

    def take_everything_back(self) -> None:
        """Invariant 3 over the whole shift: in reverse order, until nothing is left or something
        stands in the way that is no report."""
        badge = self.db.conn.execute("SELECT badge FROM station_state").fetchone()[0]
        if badge:
            self.scan(f"B:{badge}")
        self.scan("%CANCEL")
        while (outcome := self.scan("%UNDO", self.reporter())).outcome == "recorded":
            pass
        event(outcome.reason or "")
        if outcome.reason != "nothing_to_undo":
            return
        assert self.db.conn.execute(LEFT_OVER).fetchall() == []
        for statement in NOTHING_LEFT:
            assert self.db.conn.execute(statement).fetchall() == []
        assert self.db.conn.execute(COUNTS).fetchall() == self.counts


@pytest.mark.parametrize("run", range(8))
def test_two_thousand_steps_of_everything_keep_the_invariants(run: int) -> None:
    """BF-4, BF-7, BF-10 … BF-13, BF-15 … BF-23, BF-26 … BF-31, BF-35 … BF-37; invariants 1 to 7."""
    run_machine(
        EverythingAtOnce, run, settings(max_examples=10, stateful_step_count=25, derandomize=True)
    )


@pytest.mark.long
@pytest.mark.parametrize("run", range(1000, 1025))
def test_twenty_thousand_steps_of_everything_keep_the_invariants(run: int) -> None:
    """The same with other plants, and by chance anew each time."""
    run_machine(EverythingAtOnce, run, settings(max_examples=20, stateful_step_count=40))
