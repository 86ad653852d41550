"""Healings taken back: those of a report that is reversed, and those that drew on what it made.

A reversal takes its report's healings back with it (BF-31). What an automatic healing drew of the
report's output must not stand in the way either: it is undone, and its part is owed again (BF-22).
What a person decided stays. Called by the use cases of reversals inside their transaction.
"""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.posting import EdgeRow
from mes_terminal.domain.recorded import Later, Moved
from mes_terminal.store.database import Connection
from mes_terminal.store.made import MADE
from mes_terminal.store.recalled import recall_range

StockKey = tuple[int, int, int]
"""lot, location, container (0: none): a balance."""

_LATER: Final = """
    SELECT h.event_seq, x.line_id, h.written_micro, h.written_scrap_micro,
           coalesce((SELECT sum(u.quantity_micro) FROM unwritten u
                      WHERE u.healing_seq = h.event_seq), 0),
           coalesce((SELECT sum(u.scrap_micro) FROM unwritten u
                      WHERE u.healing_seq = h.event_seq), 0),
           h.movement_first, h.movement_count
      FROM healing h JOIN exception x USING (exception_id)
     WHERE h.report_seq = ? ORDER BY h.event_seq
"""
_HEALED: Final = """
    SELECT h.event_seq, h.exception_id, h.report_seq, x.line_id,
           coalesce(l.first_line, l.line), i.item, h.movement_first,
           h.movement_count, e.body
      FROM healing h
      CROSS JOIN exception x ON x.exception_id = h.exception_id
      CROSS JOIN event e ON e.event_seq = h.event_seq
      CROSS JOIN order_line l ON l.line_id = x.line_id
      CROSS JOIN item i ON i.item_id = x.item_id
     WHERE h.undone_seq IS NULL AND h.cause_seq IS NOT NULL
       AND h.event_seq > ?1 AND h.report_seq <> ?1
     ORDER BY h.event_seq DESC
"""
# The healing's own edges, less what reversals of parts of its report gave back of them.
_EDGES: Final = f"""
    WITH {MADE}, used AS (
        SELECT m.lot_id FROM movement m
         WHERE m.movement_seq >= :first AND m.movement_seq < :first + :count AND m.kind = 'issue'
         UNION
        SELECT n.lot_id FROM exception x
          JOIN lot n ON n.item_id = x.item_id AND n.lot = '' AND n.serial = ''
                    AND n.work_order_id = 0
         WHERE x.exception_id = :exception_id
    )
    SELECT e.child_id, e.parent_id, e.line_id, e.quantity_micro, e.certainty
      FROM made CROSS JOIN used
      JOIN edge e ON e.child_id = made.lot_id AND e.parent_id = used.lot_id
                 AND e.report_seq = :event_seq
"""  # noqa: S608


class Healed(Struct, frozen=True):
    """An owed part of a report that was posted later by itself, and stands."""

    event_seq: int
    exception_id: int
    report_seq: int
    line_id: int
    line: str
    item: str
    body: str
    """The bytes of its event."""
    moved: list[Moved]

    @property
    def left_micro(self) -> int:
        """What of it stands."""
        return self.left("issue") + self.left("scrap")

    def left(self, kind: str) -> int:
        """Return what of it stands of issues, or of scrap."""
        return sum(one.left_micro for one in self.moved if one.kind == kind)


def later_of(conn: Connection, report_seq: int) -> list[Later]:
    """Return what was posted or written off later for a report, in order."""
    return [
        Later(seq, line_id, net - net_back, scrap - scrap_back, net_back, scrap_back,
              recall_range(conn, first, count))
        for seq, line_id, net, scrap, net_back, scrap_back, first, count in conn.execute(
            _LATER, [report_seq]
        ).fetchall()
    ]  # fmt: skip


def told_of(conn: Connection, report_seq: int) -> list[tuple[int, int, str]]:
    """Return (first movement, how many, event) of a report and of what was posted for it later."""
    rows = conn.execute(
        """
        SELECT r.movement_first, r.movement_count, e.body
          FROM report r JOIN event e ON e.event_seq = r.report_seq WHERE r.report_seq = :report_seq
         UNION ALL
        SELECT * FROM (
            SELECT h.movement_first, h.movement_count, e.body
              FROM healing h JOIN event e USING (event_seq)
             WHERE h.report_seq = :report_seq ORDER BY h.event_seq)
        """,
        {"report_seq": report_seq},
    )
    return [(row[0], row[1], row[2]) for row in rows]


def in_the_way(conn: Connection, report_seq: int, missing: dict[StockKey, int]) -> list[Healed]:
    """Return the latest healings since a report that took what is missing of its output, as many
    as that takes."""
    found: list[Healed] = []
    if not missing:
        return found
    missing = dict(missing)
    for *row, first, count, body in conn.execute(_HEALED, [report_seq]).fetchall():
        each = Healed(*[*row, body, recall_range(conn, first, count)])
        given = [
            (key, moved.left_micro)
            for moved in each.moved
            if missing.get(key := (moved.lot_id, moved.from_id, moved.container_id), 0) > 0
        ]
        for key, quantity in given:
            missing[key] -= quantity
        if any(quantity for _, quantity in given):
            found.append(each)
    return found


def edges_of(conn: Connection, healing: Healed) -> list[EdgeRow]:
    """Return what of the edges of a healing its undoing takes back: as much as of its movements."""
    if not healing.moved:
        return []
    rows = conn.execute(
        _EDGES,
        {
            "report_seq": healing.report_seq,
            "event_seq": healing.event_seq,
            "exception_id": healing.exception_id,
            "first": healing.moved[0].movement_seq,
            "count": len(healing.moved),
        },
    )
    left: dict[int, int] = {}
    drawn: dict[int, int] = {}
    for one in healing.moved:
        if one.kind == "issue":
            left[one.lot_id] = left.get(one.lot_id, 0) + one.left_micro
            drawn[one.lot_id] = drawn.get(one.lot_id, 0) + one.quantity_micro
    taken, given = sum(left.values()), sum(drawn.values())
    return [
        (child_id, parent_id, line_id,
         quantity - (drawn[parent_id] - left[parent_id] if parent_id in left else taken - given),
         certainty)
        for child_id, parent_id, line_id, quantity, certainty in rows
    ]  # fmt: skip


def owe_again(conn: Connection, healing: Healed, exception_id: int, event_seq: int) -> None:
    """Let what was posted be owed again, by the exception that is open (BF-20)."""
    net, scrap = healing.left("issue"), healing.left("scrap")
    conn.execute(
        "INSERT INTO exception_item VALUES (?, ?, ?, ?)",
        [exception_id, event_seq, net + scrap, scrap],
    )
    conn.execute(
        """
        UPDATE order_line
           SET issued_micro = issued_micro - :net, owed_micro = owed_micro + :net,
               scrapped_micro = scrapped_micro - :scrap,
               owed_scrap_micro = owed_scrap_micro + :scrap
         WHERE line_id = :line_id
        """,
        {"net": net, "scrap": scrap, "line_id": healing.line_id},
    )
    conn.execute(
        "UPDATE healing SET undone_seq = ? WHERE event_seq = ?", [event_seq, healing.event_seq]
    )
