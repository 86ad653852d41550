"""What depends on a report, in words: why it cannot be taken back yet (BF-31).

Called by the use case of reversals, inside its transaction, before anything is written.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final

from mes_terminal.domain.operations import OperationFacts
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.recorded import Moved, Taken
from mes_terminal.store.database import Connection
from mes_terminal.store.healed import StockKey
from mes_terminal.store.made import STANDS
from mes_terminal.store.reversals import Recorded

_PASSES: Final = f"""
    SELECT r.kind, j.scan_id, l.serial FROM report r
      JOIN scan_journal j USING (scan_seq)
      JOIN lot l USING (lot_id)
     WHERE r.work_order_id = :work_order_id AND r.report_seq > :report_seq
       AND r.kind IN ('rework', 'reworked', 'exchange') AND r.lot_id = :lot_id AND {STANDS}
     ORDER BY r.report_seq DESC LIMIT :limit
"""  # noqa: S608
# By the order: its reports end, those of a lot that many orders add to do not.
_IN_REWORK: Final = f"""
    SELECT coalesce(sum(m.quantity_micro), 0) FROM report r
      JOIN movement m ON m.movement_seq >= r.movement_first
                     AND m.movement_seq < r.movement_first + r.movement_count
     WHERE r.work_order_id = :work_order_id AND r.kind = 'rework' AND +r.lot_id = :lot_id
       AND {STANDS}
"""  # noqa: S608
_RELY: Final = f"""
    SELECT r.kind, j.scan_id, r.operation, r.good_micro, r.scrapped_micro FROM report r
      JOIN scan_journal j USING (scan_seq)
     WHERE r.work_order_id = :work_order_id AND r.report_seq <> :report_seq
       AND r.kind IN ('operation', 'completion', 'scrap') AND {STANDS}
       AND EXISTS (SELECT 1 FROM json_each(r.passed) g
                    WHERE g.value ->> 0 > :position
                       OR (g.value ->> 0 = :position AND g.value ->> 1 < 0))
     ORDER BY r.report_seq DESC LIMIT :limit
"""  # noqa: S608
_KINDS: Final = {
    "rework": "the rework", "reworked": "the end of rework", "exchange": "the exchange",
    "short_close": "the short close", "completion": "the completion", "scrap": "the scrap report",
    "operation": "the report of operation",
}  # fmt: skip


def missing_stock(conn: Connection, taken: Iterable[Taken]) -> dict[StockKey, int]:
    """Return how much less than is to be taken back is where it went. What a container gave beyond
    its books was never there; where the books stood below zero, they may do so again (BF-20)."""
    wanted: dict[StockKey, list[Taken]] = {}
    for each in taken:
        moved = each.moved
        if moved.to_books and moved.kind != "adjustment" and each.quantity_micro:
            wanted.setdefault((moved.lot_id, moved.to_id, moved.container_id), []).append(each)
    missing: dict[StockKey, int] = {}
    for key, parts in wanted.items():
        row = conn.execute(
            """
            SELECT coalesce(sum(quantity_micro), 0) FROM balance
             WHERE lot_id = ? AND location_id = ? AND container_id = ?
            """,
            key,
        ).fetchone()
        lacking = sum(each.quantity_micro for each in parts) - row[0]
        if lacking > 0:
            lacking -= _below_zero(
                conn, key, row[0], min(each.moved.movement_seq for each in parts)
            )
        if lacking > 0:
            missing[key] = lacking
    return missing


def _below_zero(conn: Connection, key: StockKey, now_micro: int, first: int) -> int:
    """Return by how much the books stood below zero before a movement."""
    lot_id, location_id, container_id = key
    row = conn.execute(
        """
        SELECT coalesce(sum(iif(to_location_id = :location_id, quantity_micro, -quantity_micro)), 0)
          FROM movement
         WHERE movement_seq >= :first AND lot_id = :lot_id AND container_id = :container_id
           AND :location_id IN (from_location_id, to_location_id)
        """,
        {
            "first": first,
            "lot_id": lot_id,
            "container_id": container_id,
            "location_id": location_id,
        },
    ).fetchone()
    return max(0, int(row[0]) - now_micro)


def gone_on(conn: Connection, missing: Iterable[StockKey], *, limit: int) -> list[str]:
    """Return what became of stock that is missing."""
    found: list[str] = []
    for lot_id in dict.fromkeys(key[0] for key in missing):
        row = conn.execute(
            """
            SELECT i.item || ' ' || coalesce(nullif(l.lot, ''), nullif(l.serial, ''), 'stock')
              FROM lot l JOIN item i USING (item_id) WHERE l.lot_id = ?
            """,
            [lot_id],
        ).fetchone()
        users = conn.execute(
            """
            SELECT i.item || ' ' || coalesce(nullif(c.lot, ''), nullif(c.serial, ''),
                   w.work_order, '')
              FROM edge e JOIN lot c ON c.lot_id = e.child_id JOIN item i USING (item_id)
              LEFT JOIN work_order w ON w.work_order_id = c.work_order_id
             WHERE e.parent_id = ?
             GROUP BY e.child_id HAVING sum(e.quantity_micro) > 0
             ORDER BY e.child_id LIMIT ?
            """,
            [lot_id, limit],
        ).fetchall()
        went = f" (used in {', '.join(user[0] for user in users)})" if users else " (moved on)"
        found.append(f"{row[0]}{went}")
        if len(found) == limit:
            break
    return found


def short_close(conn: Connection, report: Recorded) -> list[str]:
    """Return the short close that came after the report, which goes first; none if there is none:
    what was reported after it opened the order again (BF-24)."""
    if report.is_rework or report.kind == "short_close":
        return []
    rows = conn.execute(
        f"""
        SELECT j.scan_id FROM report r JOIN scan_journal j USING (scan_seq)
         WHERE r.work_order_id = ? AND r.report_seq > ? AND r.kind = 'short_close' AND {STANDS}
        """,  # noqa: S608
        [report.work_order_id, report.report_seq],
    )
    return [f"{_KINDS['short_close']} ({row[0]})" for row in rows]


def passes(
    conn: Connection, report: Recorded, own: Iterable[Moved], part_micro: int, *, limit: int
) -> list[str]:
    """Return the later passes of rework on what the report made or moved: on a unit every one; on
    a quantity those that more was sent to rework by than is left of what was made."""
    units = {one.lot_id for one in own if one.serial and one.kind in ("production", "move")}
    if report.kind == "exchange" and report.lot_id is not None:
        units = {report.lot_id}
    asked = {
        "work_order_id": report.work_order_id,
        "report_seq": report.report_seq,
        "limit": limit,
    }
    if report.kind == "completion" and not units and report.lot_id is not None:
        asked["lot_id"] = report.lot_id
        sent = conn.execute(_IN_REWORK, asked).fetchone()[0]
        made = conn.execute(
            "SELECT good_micro FROM work_order WHERE work_order_id = ?", [report.work_order_id]
        ).fetchone()[0]
        if sent > made - part_micro:
            units, asked["report_seq"] = {report.lot_id}, 0
    found: list[str] = []
    for lot_id in sorted(units):
        rows = conn.execute(_PASSES, asked | {"lot_id": lot_id})
        found += [
            f"{_KINDS[kind]}{f' of {serial}' if serial else ''} ({scan_id})"
            for kind, scan_id, serial in rows
        ]
        if len(found) >= limit:
            break
    return found[:limit]


def later_operations(
    conn: Connection,
    report: Recorded,
    before: Sequence[OperationFacts],
    after: Sequence[OperationFacts],
    *,
    limit: int,
) -> list[str]:
    """Return the reports that rely on what operations would no longer have delivered: at a later
    operation, unless that may overlap, or scrapped from what had passed this one."""
    position = next(
        (
            here.position
            for here, was, rest in zip(before, _lacking(before), _lacking(after), strict=True)
            if rest > max(0, was)
        ),
        None,
    )
    if position is None:
        return []
    rows = conn.execute(
        _RELY,
        {
            "work_order_id": report.work_order_id,
            "report_seq": report.report_seq,
            "position": position,
            "limit": limit,
        },
    )
    return [
        f"{_KINDS[kind]}{f' {operation}' if kind == 'operation' else ''}"
        f"{f' of {format_quantity(good or scrapped)}' if good or scrapped else ''} ({scan_id})"
        for kind, scan_id, operation, good, scrapped in rows
    ]


def _lacking(operations: Sequence[OperationFacts]) -> list[int]:
    """Return by how much each operation has delivered less than the next one used."""
    return [
        (following.good_micro + following.scrapped_micro
         if following is not None and not following.overlap else 0) - here.good_micro
        for here, following in zip_longest(operations, operations[1:])
    ]  # fmt: skip
