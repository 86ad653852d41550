"""Healings taken back: those of a report that is reversed, and those that drew on what it made.

A reversal takes its report's healings back with it (BF-31). What an automatic healing drew of the
report's output must not stand in the way either: it is undone, and its part is owed again (BF-22).
Called by `usecases.undo_report` inside its transaction.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.backflush import weaker
from mes_terminal.domain.posting import EdgeRow
from mes_terminal.store.database import Connection
from mes_terminal.store.made import MADE
from mes_terminal.store.reversals import Recalled, StockKey, recall_range

_HEALED: Final = """
    SELECT h.event_seq, h.exception_id, h.report_seq, x.line_id, l.line, i.item,
           -p.quantity_micro, -p.scrap_micro, h.movement_first, h.movement_count, e.body
      FROM healing h
      CROSS JOIN exception x ON x.exception_id = h.exception_id
      CROSS JOIN exception_item p ON p.exception_id = h.exception_id AND p.event_seq = h.event_seq
      CROSS JOIN event e ON e.event_seq = h.event_seq
      CROSS JOIN order_line l ON l.line_id = x.line_id
      CROSS JOIN item i ON i.item_id = x.item_id
     WHERE h.undone_seq IS NULL
"""
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
    """An owed part of a report that was posted later, and stands."""

    event_seq: int
    exception_id: int
    report_seq: int
    line_id: int
    line: str
    item: str
    quantity_micro: int
    """What was posted, planned scrap included."""
    scrap_micro: int
    movement_first: int
    movement_count: int
    body: str
    """The bytes of its event."""


def healed_of(conn: Connection, report_seq: int) -> list[Healed]:
    """Return the healings of a report, in order."""
    rows = conn.execute(f"{_HEALED} AND h.report_seq = ? ORDER BY h.event_seq", [report_seq])
    return [Healed(*row) for row in rows]


def in_the_way(conn: Connection, report_seq: int, missing: dict[StockKey, int]) -> list[Healed]:
    """Return the latest healings since a report that took what is missing of its output, as many
    as that takes."""
    found: list[Healed] = []
    if not missing:
        return found
    missing = dict(missing)
    rows = conn.execute(
        f"{_HEALED} AND h.event_seq > ?1 AND h.report_seq <> ?1 ORDER BY h.event_seq DESC",
        [report_seq],
    ).fetchall()
    for each in (Healed(*row) for row in rows):
        given = [
            (key, moved.quantity_micro)
            for moved in movements_of(conn, [each])
            if missing.get(key := (moved.lot_id, moved.from_id, moved.container_id), 0) > 0
        ]
        for key, quantity in given:
            missing[key] -= quantity
        if given:
            found.append(each)
    return found


def movements_of(conn: Connection, healings: Iterable[Healed]) -> list[Recalled]:
    """Return the movements of healings, as recorded."""
    return [
        moved
        for each in healings
        for moved in recall_range(conn, each.movement_first, each.movement_count)
    ]


def actuals_of(healings: Iterable[Healed]) -> list[dict[str, str]]:
    """Return what the events of healings said was consumed and scrapped."""
    return [
        actual
        for each in healings
        for actual in msgspec.json.decode(each.body)["data"]["material_actuals"]
    ]


def edges_of(conn: Connection, healings: Iterable[Healed]) -> list[EdgeRow]:
    """Return the edges of healings."""
    edges: list[EdgeRow] = []
    for each in healings:
        rows = conn.execute(
            _EDGES,
            {
                "report_seq": each.report_seq,
                "event_seq": each.event_seq,
                "exception_id": each.exception_id,
                "first": each.movement_first,
                "count": each.movement_count,
            },
        )
        edges += [(row[0], row[1], row[2], row[3], row[4]) for row in rows]
    return edges


def summed(edges: Iterable[EdgeRow]) -> list[EdgeRow]:
    """Return one edge for each pair and line, the least certain of what is in it; none of zero."""
    sums: dict[tuple[int, int, int], EdgeRow] = {}
    for child_id, parent_id, line_id, quantity, certainty in edges:
        key = (child_id, parent_id, line_id)
        known = sums.get(key)
        if known is not None:
            quantity, certainty = quantity + known[3], weaker(certainty, known[4])
        sums[key] = (*key, quantity, certainty)
    return [edge for edge in sums.values() if edge[3]]


def owe_again(conn: Connection, healing: Healed, event_seq: int) -> None:
    """Let what was posted be owed again: the exception is open as before (BF-20)."""
    conn.execute(
        """
        UPDATE exception SET quantity_micro = quantity_micro + ?, status = 'open',
               resolution = NULL
         WHERE exception_id = ?
        """,
        [healing.quantity_micro, healing.exception_id],
    )
    conn.execute(
        "INSERT INTO exception_item VALUES (?, ?, ?, ?)",
        [healing.exception_id, event_seq, healing.quantity_micro, healing.scrap_micro],
    )
    net = healing.quantity_micro - healing.scrap_micro
    conn.execute(
        """
        UPDATE order_line
           SET issued_micro = issued_micro - :net, owed_micro = owed_micro + :net,
               scrapped_micro = scrapped_micro - :scrap,
               owed_scrap_micro = owed_scrap_micro + :scrap
         WHERE line_id = :line_id
        """,
        {"net": net, "scrap": healing.scrap_micro, "line_id": healing.line_id},
    )
    conn.execute(
        "UPDATE healing SET undone_seq = ? WHERE event_seq = ?", [event_seq, healing.event_seq]
    )
