"""What must hold after every step of any station, read from its tables (the seven invariants).

Each law is asked of the whole database in SQL of its own, not of the program's; `Laws` reads each
event once and adds it up against the movements that it explains.
"""

import json
from collections import defaultdict
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

from mes_terminal.store.database import Database

Key = tuple[Any, ...]
Sums = dict[Key, Fraction]
MICRO: Final = 10**6

CONSERVATION: Final = """
    SELECT i.item, sum(micro) AS micro FROM (
        SELECT lot_id, quantity_micro AS micro FROM balance UNION ALL
        SELECT lot_id, iif(to_location_id = location_id, quantity_micro, -quantity_micro)
          FROM movement JOIN location ON location_id IN (from_location_id, to_location_id)
         WHERE location.kind = 'virtual'
    ) JOIN lot l USING (lot_id) JOIN item i USING (item_id)
     GROUP BY i.item_id HAVING sum(micro) <> 0
"""
BALANCES: Final = """
    SELECT lot_id, location_id, container_id, sum(micro) FROM (
        SELECT lot_id, to_location_id AS location_id, container_id, quantity_micro AS micro
          FROM movement UNION ALL
        SELECT lot_id, from_location_id, container_id, -quantity_micro FROM movement UNION ALL
        SELECT lot_id, location_id, container_id, -quantity_micro FROM balance
    ) JOIN location USING (location_id) WHERE kind <> 'virtual'
     GROUP BY 1, 2, 3 HAVING sum(micro) <> 0
"""
BELOW_ZERO: Final = """
    SELECT i.item, b.lot, b.quantity_micro FROM balance b JOIN item i USING (item_id)
     WHERE b.quantity_micro < 0 AND i.tracking <> 'none'
"""
CONSUMED: Final = """
    SELECT i.item, l.lot, l.serial, sum(micro) FROM (
        SELECT m.lot_id, CASE WHEN f.location = '@production' THEN -m.quantity_micro
                              ELSE m.quantity_micro END AS micro
          FROM movement m
          JOIN location t ON t.location_id = m.to_location_id
          JOIN location f ON f.location_id = m.from_location_id
         WHERE (t.location = '@production'
                AND (m.kind = 'issue' OR (m.kind = 'reversal' AND m.line_id IS NOT NULL)))
            OR (f.location = '@production' AND m.kind = 'reversal')
        UNION ALL
        SELECT e.parent_id, -e.quantity_micro
          FROM edge e JOIN lot c ON c.lot_id = e.child_id
          LEFT JOIN healing h ON e.report_seq IN (h.event_seq, h.undone_seq)
          LEFT JOIN hand_return b ON b.event_seq = e.report_seq
          JOIN report r ON r.report_seq = coalesce(h.report_seq, b.report_seq, e.report_seq)
          JOIN work_order w ON w.work_order_id = r.work_order_id
         WHERE c.item_id = w.item_id
        UNION ALL
        SELECT lot_id, -quantity_micro FROM hand_issue WHERE report_seq IS NULL
    ) JOIN lot l USING (lot_id) JOIN item i USING (item_id)
     WHERE i.tracking <> 'none' AND l.lot || l.serial <> ''
     GROUP BY lot_id HAVING sum(micro) <> 0
"""
"""Invariant 6: consumed of a lot = genealogy out of it, and what waits with an order by hand. A
by-product has the same inputs once more (BF-30); nameless lots stand for what is missing."""

LINE_TOTALS: Final = """
    SELECT w.work_order, o.line, o.issued_micro + o.scrapped_micro,
           o.owed_micro + o.owed_scrap_micro,
           (SELECT coalesce(sum(iif(m.kind = 'reversal', -1, 1)
                   * (coalesce(s.covered_micro, m.quantity_micro)
                      - (SELECT coalesce(sum(t.covered_micro), 0) FROM taken_back t
                          WHERE t.movement_seq = m.movement_seq))), 0)
              FROM movement m JOIN event e USING (event_seq)
              LEFT JOIN substitution s USING (movement_seq) LEFT JOIN report r
                ON r.report_seq = m.event_seq
             WHERE m.line_id = o.line_id AND e.type <> 'material.issued'
               AND (m.kind IN ('issue', 'scrap') OR r.kind = 'exchange'))
           + (SELECT coalesce(sum(h.covered_micro), 0) FROM hand_issue h
               WHERE h.line_id = o.line_id),
           (SELECT coalesce(sum(p.quantity_micro), 0)
              FROM exception x JOIN exception_item p USING (exception_id)
             WHERE x.kind = 'shortage' AND x.line_id = o.line_id)
      FROM order_line o JOIN work_order w USING (work_order_id)
     WHERE NOT EXISTS (SELECT 1 FROM movement m JOIN event e USING (event_seq)
                         JOIN lot l USING (lot_id)
                        WHERE m.line_id = o.line_id AND e.type = 'material.scrapped'
                          AND l.item_id <> o.component_id)
"""
"""What a line had and owes, and the same from the movements and exceptions that stand; but for
lines whose substitute was scrapped by hand: how much that did for is written nowhere else."""

LINES: Final = """
    SELECT o.line_id, w.work_order, o.line, i.item, i.step_micro, o.basis, o.net_num, o.net_den,
           o.gross_num, o.gross_den, o.operation_position, o.since_micro,
           o.issued_micro + o.owed_micro + o.written_off_micro - o.carried_micro,
           o.scrapped_micro + o.owed_scrap_micro + o.written_off_scrap_micro
           - o.carried_scrap_micro,
           w.good_micro + w.scrapped_micro, o.snapshot_version = w.snapshot_version
      FROM order_line o JOIN work_order w USING (work_order_id)
      JOIN item i ON i.item_id = o.component_id
     WHERE o.issue_method = 'backflush' AND i.tracking <> 'serial'
"""
OPERATIONS: Final = """
    SELECT w.work_order, p.position, p.backflush_point, p.good_micro, p.scrapped_micro
      FROM order_operation p JOIN work_order w USING (work_order_id) ORDER BY 1, 2
"""
TOUCHED: Final = """
    SELECT DISTINCT line_id FROM movement m JOIN event e USING (event_seq)
     WHERE line_id IS NOT NULL
       AND e.type IN ('material.issued', 'material.scrapped', 'material.adjusted')
"""
"""Lines that a person issued to, returned from or scrapped of."""

BUILT_IN: Final = """
    SELECT c.serial, p.serial, sum(e.quantity_micro)
      FROM edge e JOIN lot c ON c.lot_id = e.child_id JOIN lot p ON p.lot_id = e.parent_id
     WHERE p.serial <> '' GROUP BY 1, 2 HAVING sum(e.quantity_micro) <> 0
"""
SERIALS: Final = """
    SELECT l.serial, sum(b.quantity_micro) FROM balance b JOIN lot l USING (lot_id)
     WHERE l.serial <> '' GROUP BY l.lot_id HAVING sum(b.quantity_micro) <> 0
"""
SEATED: Final = "SELECT l.serial FROM slot s JOIN lot l USING (lot_id) WHERE s.report_seq NOT NULL"
EVENTS: Final = "SELECT event_seq, body FROM event WHERE event_seq > ? ORDER BY event_seq"
POSTINGS: Final = """
    SELECT outbox_seq, type, body FROM event WHERE outbox_seq > ? ORDER BY outbox_seq
"""
OPEN: Final = """
    SELECT exception_id, quantity_micro FROM exception
     WHERE status = 'open' AND kind NOT IN ('site_conflict', 'posting_refused')
"""
"""What the site has said, and what cannot be posted, is told in another way (UP-4, UP-9)."""
MOVED: Final = """
    SELECT m.event_seq, i.item, l.lot, l.serial, o.line, f.location, t.location, m.quantity_micro
      FROM movement m JOIN lot l USING (lot_id) JOIN item i USING (item_id)
      JOIN location f ON f.location_id = m.from_location_id
      JOIN location t ON t.location_id = m.to_location_id
      LEFT JOIN order_line o USING (line_id)
     WHERE m.event_seq > ?
"""
STATE: Final = (
    "SELECT lot_id, location_id, container_id, quantity_micro FROM balance "
    "WHERE quantity_micro <> 0 ORDER BY 1, 2, 3",
    "SELECT line_id, issued_micro, scrapped_micro, owed_micro, owed_scrap_micro FROM order_line",
    "SELECT work_order, good_micro, scrapped_micro, status FROM work_order",
    "SELECT work_order_id, position, good_micro, scrapped_micro FROM order_operation",
    "SELECT unit_id, report_seq FROM unit",
    "SELECT lot_id, line_id, unit_id FROM slot WHERE report_seq NOT NULL",
    "SELECT position, lot_id, container_id, gained_micro FROM mount_span WHERE ended_seq IS NULL",
    "SELECT kind, subject, quantity_micro FROM exception WHERE status = 'open' "
    "AND quantity_micro <> 0 AND kind <> 'unknown_code' ORDER BY 1, 2",
    "SELECT child_id, parent_id, line_id FROM edge GROUP BY 1, 2, 3 "
    "HAVING sum(quantity_micro) <> 0",
    "SELECT work_order_id, coalesce(line_id, 0), lot_id, sum(quantity_micro) FROM hand_issue "
    "WHERE report_seq IS NULL GROUP BY 1, 2, 3 HAVING sum(quantity_micro) <> 0 ORDER BY 1, 2, 3",
)  # fmt: skip


def state(database: Database) -> list[Any]:
    """Return what a report that is taken back must leave as it was (invariant 3)."""
    return [database.conn.execute(statement).fetchall() for statement in STATE]


class Laws:
    """The laws over one database; what it has read of the log it does not read again."""

    def __init__(self) -> None:
        self._read = 0
        self._sent = 0
        self._opened: dict[int, list[Fraction | None]] = {}
        """Exception → what each posting said that it grew by; `None`: it has no quantity there."""
        self._ended: set[int] = set()
        self._before: dict[Key, int] = {}
        """Line → what go-live brought without a movement: what it has when it is first seen."""
        self.untrue: set[str] = set()
        """Orders of which a part, or not the last report, was taken back: their lines are trued up
        by a later report (BF-31)."""

    def check(self, database: Database) -> None:
        """Hold every law, at this moment."""
        conn = database.conn
        for law in (CONSERVATION, BALANCES, BELOW_ZERO, CONSUMED):
            found = conn.execute(law).fetchall()
            assert not found, found
        for order, line, had, owes, moved, open_ in conn.execute(LINE_TOTALS):
            before = self._before.setdefault((order, line), had - moved)
            assert (had, owes) == (moved + before, open_), (order, line, had, owes, moved, open_)
        self._targets(database)
        self._serials(database)
        self._events(database)
        self._exceptions(database)

    def _targets(self, database: Database) -> None:
        """BF-4, BF-11: issued and owed is the target of what is reported, to the micro-unit."""
        conn = database.conn
        touched = {row[0] for row in conn.execute(TOUCHED)}
        operations: dict[str, list[tuple[int, ...]]] = defaultdict(list)
        for order, *of in conn.execute(OPERATIONS):
            operations[order].append(tuple(of))
        for row in conn.execute(LINES):
            (line_id, order, line, _, step, basis, net_num, net_den, gross_num, gross_den, position,
             since, net_had, scrap_had, made, is_current) = row  # fmt: skip
            if line_id in touched or not is_current or order in self.untrue:
                continue
            units = (
                due_units(operations[order], position)
                if position
                else _made(operations[order], made)
            )
            if units < since:
                continue  # taken back from before this version; a later report trues it up (BF-31)
            counted = units - since if basis == "per_unit" else min(units, 1)
            net = Fraction(net_num, net_den) * counted
            more = Fraction(gross_num, gross_den) * counted - net
            targets = ceil(net / step) * step, floor(more / step) * step
            assert (net_had, scrap_had) == targets, (order, line, units, net_had, scrap_had)

    @staticmethod
    def _serials(database: Database) -> None:
        """BF-18: a serial sits in one parent at a time, in a unit or in stock, never both."""
        conn = database.conn
        built_in = conn.execute(BUILT_IN).fetchall()
        assert {quantity for _, _, quantity in built_in} <= {MICRO}
        parents = sorted(part for _, part, _ in built_in)
        assert len(parents) == len(set(parents))
        seated = {row[0] for row in conn.execute(SEATED)}
        assert seated <= set(parents), (seated, parents)  # an extra part has no slot
        stock = dict(conn.execute(SERIALS).fetchall())
        assert set(stock.values()) <= {MICRO}
        assert stock.keys().isdisjoint(parents)

    def _events(self, database: Database) -> None:
        """Invariant 7: each event says, by place, lot and order line, what its movements did."""
        conn = database.conn
        told: dict[int, Sums] = defaultdict(lambda: defaultdict(Fraction))
        did: dict[int, Sums] = defaultdict(lambda: defaultdict(Fraction))
        last = self._read
        for event_seq, body in conn.execute(EVENTS, [self._read]):
            last = event_seq
            for actual in json.loads(body)["data"].get("material_actuals", ()):
                _say(told[event_seq], actual)
        for row in conn.execute(MOVED, [self._read]):
            event_seq, item, lot, serial, line, source, target, micro = row
            of, quantity = (item, lot or None, serial or None), Fraction(micro, MICRO)
            for place, change in ((source, -quantity), (target, quantity)):
                if place == "@production" and line is not None:
                    did[event_seq][*of, _first_name(line)] += change
                if not place.startswith("@"):
                    did[event_seq][*of, place] += change
        for event_seq in told.keys() | did.keys():
            said, done = _known(told[event_seq]), _known(did[event_seq])
            assert said == done, (event_seq, said, done)
        self._read = last

    def _exceptions(self, database: Database) -> None:
        """BF-23, UP-9: what postings say opened and did not end is what is open here, and how much
        of it."""
        for sent, kind, body in database.conn.execute(POSTINGS, [self._sent]):
            self._sent = sent
            data = json.loads(body)["data"]
            if kind == "exception.opened" and "detail" in data:
                told = data["detail"]
                self._tell(told["exception_id"], told.get("quantity"), ends=False)
            for told in data.get("exceptions", ()):
                self._tell(told["id"], told["quantity"], ends=kind == "exception.resolved")
        said = {
            number: sum(known) if None not in parts else None
            for number, parts in self._opened.items()
            if number not in self._ended
            if not (known := [part for part in parts if part is not None]) or sum(known) > 0
        }
        rows = {
            number: Fraction(micro or 0, MICRO) for number, micro in database.conn.execute(OPEN)
        }
        assert said.keys() == rows.keys(), (said, rows)
        for number, quantity in said.items():
            assert quantity in (None, rows[number]), (number, quantity, rows[number])

    def _tell(self, number: int, quantity: str | None, *, ends: bool) -> None:
        if ends and quantity is None:
            self._ended.add(number)
        else:
            self._ended.discard(number)
            parts = self._opened.setdefault(number, [])
            parts.append(None if quantity is None else Fraction(quantity))


def due_units(operations: list[tuple[int, ...]], position: int) -> int:
    """Return the units for which a line of an operation is due: those that passed the first
    backflush point from it on, and those that ended on the way there (BF-11, BF-26)."""
    ended = 0
    for place, is_point, good, scrapped in operations:
        if place >= position:
            ended += scrapped
            if is_point:
                return good + ended
    raise AssertionError("the last operation is a backflush point")


def _made(operations: list[tuple[int, ...]], made: int) -> int:
    """A line without an operation is due at completion: with the last operation."""
    return operations[-1][2] + operations[-1][3] if operations else made


def _say(sums: Sums, actual: dict[str, Any]) -> None:
    of = (actual["item"], actual["lot"], actual["serial"])
    place, quantity = actual["location"], Fraction(actual["quantity"])
    match actual["use"]:
        case "Received" | "Produced" | "Adjusted":
            sums[*of, place] += quantity
        case "Moved":
            sums[*of, place] += quantity
            sums[*of, actual["from_location"]] -= quantity
        case "Consumed":
            sums[*of, place] -= quantity
            if actual.get("order_line") is not None:
                sums[*of, _first_name(actual["order_line"])] += quantity
        case "Scrapped":
            sums[*of, place] -= quantity
            sums[*of, "SCRAP"] += quantity
        case other:
            raise AssertionError(f"what does {other} do?")


def _first_name(line: str) -> str:
    """Return the name a line was loaded with: a version that another replaced goes on under one of
    its own, `10/v1` (BF-7)."""
    return line.partition("/")[0]


def _known(sums: Sums) -> Sums:
    return {key: quantity for key, quantity in sums.items() if quantity}
