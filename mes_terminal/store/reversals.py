"""A report as it was recorded, and its reversal: from movements, never from the BOM (BF-31)."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from mes_terminal.domain.posting import EdgeRow, MovementRow
from mes_terminal.store.database import Connection
from mes_terminal.store.made import MADE

StockKey = tuple[int, int, int]
"""lot, location, container (0: none): a balance."""


class Recorded(Struct, frozen=True):
    """The last report of the station that stands, as it was recorded."""

    report_seq: int
    scan_id: str
    work_order_id: int
    work_order: str
    item: str
    uom: str
    kind: str
    good_micro: int
    scrapped_micro: int
    lot_id: int | None
    person: str | None
    event_time: str
    status_before: str
    expires_before: str | None
    movement_first: int
    movement_count: int
    operation: str | None
    passed: str | None
    """JSON [[position, good, scrapped]]: what operations gained."""
    body: str
    """The bytes of its event."""

    @property
    def is_rework(self) -> bool:
        """It changed no count of its order (BF-28)."""
        return self.kind in ("rework", "reworked", "exchange")


class Recalled(Struct, frozen=True):
    """A recorded movement."""

    line_id: int | None
    lot_id: int
    container_id: int
    from_id: int
    to_id: int
    quantity_micro: int
    kind: str
    item_id: int
    covers_micro: int
    """What it counts for in units of the line's component: a substitute's ratio (BF-29)."""


class OwedPart(Struct, frozen=True):
    """What a report added to an exception."""

    exception_id: int
    kind: str
    line_id: int | None
    line: str | None
    item: str | None
    quantity_micro: int
    scrap_micro: int


def last_report(conn: Connection) -> Recorded | None:
    """Return the newest report that has not been reversed and is no reversal."""
    row = conn.execute(
        """
        SELECT r.report_seq, j.scan_id, r.work_order_id, w.work_order, i.item, i.uom, r.kind,
               r.good_micro, r.scrapped_micro, r.lot_id, r.person, r.event_time,
               iif(w.status IN ('hold', 'cancelled')
                   OR r.kind IN ('rework', 'reworked', 'exchange'), w.status,
                   r.order_status_before),
               r.lot_expires_before, r.movement_first, r.movement_count,
               r.operation, r.passed, e.body
          FROM report r
          JOIN work_order w USING (work_order_id)
          JOIN item i USING (item_id)
          JOIN scan_journal j ON j.scan_seq = r.scan_seq
          JOIN event e ON e.event_seq = r.report_seq
         WHERE r.kind <> 'reversal'
           AND NOT EXISTS (SELECT 1 FROM report x WHERE x.reverses = r.report_seq)
         ORDER BY r.report_seq DESC LIMIT 1
        """
    ).fetchone()
    return Recorded(*row) if row else None


def recall_movements(conn: Connection, report: Recorded) -> list[Recalled]:
    """Return the movements of the report, as recorded."""
    return recall_range(conn, report.movement_first, report.movement_count)


def recall_range(conn: Connection, first: int, count: int) -> list[Recalled]:
    """Return so many movements from the first on."""
    rows = conn.execute(
        """
        SELECT m.line_id, m.lot_id, m.container_id, m.from_location_id, m.to_location_id,
               m.quantity_micro, m.kind, l.item_id, coalesce(s.covered_micro, m.quantity_micro)
          FROM movement m JOIN lot l USING (lot_id) LEFT JOIN substitution s USING (movement_seq)
         WHERE m.movement_seq BETWEEN ? AND ?
         ORDER BY m.movement_seq
        """,
        [first, first + count - 1],
    )
    return [Recalled(*row) for row in rows]


def recall_owed(conn: Connection, report: Recorded) -> list[OwedPart]:
    """Return what the report added to exceptions and was not posted since (BF-22)."""
    rows = conn.execute(
        """
        SELECT x.exception_id, x.kind, x.line_id, l.line, i.item,
               p.quantity_micro + coalesce(sum(done.quantity_micro), 0) AS left_micro,
               p.scrap_micro + coalesce(sum(done.scrap_micro), 0)
          FROM exception x
          JOIN exception_item p USING (exception_id)
          LEFT JOIN order_line l ON l.line_id = x.line_id
          LEFT JOIN item i ON i.item_id = x.item_id
          LEFT JOIN healing h ON h.report_seq = p.event_seq AND h.exception_id = x.exception_id
               AND h.undone_seq IS NULL
          LEFT JOIN exception_item done ON done.exception_id = h.exception_id
               AND done.event_seq = h.event_seq
         WHERE x.work_order_id = ? AND p.event_seq = ? AND x.status = 'open'
         GROUP BY x.exception_id HAVING left_micro > 0
         ORDER BY l.position, x.exception_id
        """,
        [report.work_order_id, report.report_seq],
    )
    return [OwedPart(*row) for row in rows]


def recall_edges(conn: Connection, report: Recorded) -> list[EdgeRow]:
    """Return the report's edges, found by their keys: what it made, and of what."""
    rows = conn.execute(
        f"""
        WITH {MADE}, used AS (
            SELECT m.lot_id FROM movement m
             WHERE m.movement_seq BETWEEN :first AND :last AND m.kind IN ('issue', 'reversal')
             UNION
            SELECT n.lot_id
              FROM exception_item p
              JOIN exception x USING (exception_id)
              JOIN lot n ON n.item_id = x.item_id AND n.lot = '' AND n.serial = ''
                        AND n.work_order_id = 0
             WHERE x.work_order_id = :work_order_id AND p.event_seq = :report_seq
             UNION
            SELECT lot_id FROM hand_issue
             WHERE work_order_id = :work_order_id AND report_seq = :report_seq
             UNION
            SELECT lot_id FROM lot
             WHERE work_order_id = :work_order_id
               AND item_id = (SELECT item_id FROM work_order WHERE work_order_id = :work_order_id)
               AND lot = '' AND serial = ''
        )
        SELECT e.child_id, e.parent_id, e.line_id, e.quantity_micro, e.certainty
          FROM made CROSS JOIN used
          JOIN edge e ON e.child_id = made.lot_id AND e.parent_id = used.lot_id
                     AND e.report_seq = :report_seq
        """,  # noqa: S608
        {
            "first": report.movement_first,
            "last": report.movement_first + report.movement_count - 1,
            "work_order_id": report.work_order_id,
            "report_seq": report.report_seq,
        },
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def missing_stock(conn: Connection, taken_back: list[Recalled]) -> dict[StockKey, int]:
    """Return how much less than is to be taken back is where it went."""
    wanted: dict[StockKey, int] = {}
    for each in taken_back:
        key = (each.lot_id, each.to_id, each.container_id)
        wanted[key] = wanted.get(key, 0) + each.quantity_micro
    missing: dict[StockKey, int] = {}
    for key, quantity in wanted.items():
        row = conn.execute(
            """
            SELECT coalesce(sum(quantity_micro), 0) FROM balance
             WHERE lot_id = ? AND location_id = ? AND container_id = ?
            """,
            key,
        ).fetchone()
        if row[0] < quantity:
            missing[key] = quantity - row[0]
    return missing


def dependents(conn: Connection, missing: Iterable[StockKey], *, limit: int) -> list[str]:
    """Return what depends on stock that is missing, in words."""
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


def change_stock(conn: Connection, deltas: dict[StockKey, int]) -> None:
    """Change balances by (lot, location, container); every one of them exists."""
    conn.executemany(
        """
        UPDATE balance
           SET quantity_micro = quantity_micro + :delta,
               pickable = quantity_micro + :delta > 0
                          AND (SELECT status FROM lot WHERE lot_id = balance.lot_id) = 'available'
         WHERE lot_id = :lot_id AND location_id = :location_id AND container_id = :container_id
        """,
        [
            {
                "lot_id": lot_id,
                "location_id": location_id,
                "container_id": container_id,
                "delta": delta,
            }
            for (lot_id, location_id, container_id), delta in deltas.items()
        ],
    )


def forget_sole(conn: Connection, returned: set[tuple[int, int, int]]) -> None:
    """A lot came back (item, location, lot): any other lot there is no longer the only one."""
    conn.executemany(
        """
        UPDATE item_location SET sole_lot_id = NULL
         WHERE item_id = ? AND location_id = ? AND sole_lot_id <> ?
        """,
        sorted(returned),
    )


def take_back_totals(conn: Connection, totals: dict[int, list[int]]) -> None:
    """Reduce line totals: line id → [issued, scrapped, owed, owed scrap]."""
    conn.executemany(
        """
        UPDATE order_line
           SET issued_micro = issued_micro - ?, scrapped_micro = scrapped_micro - ?,
               owed_micro = owed_micro - ?, owed_scrap_micro = owed_scrap_micro - ?
         WHERE line_id = ?
        """,
        [(*amounts, line_id) for line_id, amounts in totals.items()],
    )


def void_owed(conn: Connection, owed: list[OwedPart], event_seq: int, *, resolution: str) -> None:
    """Void what a report added to exceptions; an exception with nothing left is voided (BF-23)."""
    conn.executemany(
        """
        UPDATE exception
           SET quantity_micro = quantity_micro - :quantity,
               status = CASE WHEN quantity_micro > :quantity THEN status ELSE 'voided' END,
               resolution = CASE WHEN quantity_micro > :quantity THEN resolution ELSE :said END
         WHERE exception_id = :exception_id
        """,
        [
            {
                "quantity": each.quantity_micro,
                "exception_id": each.exception_id,
                "said": resolution,
            }
            for each in owed
        ],
    )
    conn.executemany(
        "INSERT INTO exception_item VALUES (?, ?, ?, ?)",
        [(each.exception_id, event_seq, -each.quantity_micro, -each.scrap_micro) for each in owed],
    )


def restore_order(conn: Connection, report: Recorded, *, at: str) -> None:
    """Give the order back its count and its status, and its units their plan."""
    conn.execute(
        """
        UPDATE work_order SET good_micro = good_micro - ?, scrapped_micro = scrapped_micro - ?,
               status = ?, activated_at = ?
         WHERE work_order_id = ?
        """,
        [report.good_micro, report.scrapped_micro, report.status_before, at,
         report.work_order_id],
    )  # fmt: skip
    conn.execute(
        "UPDATE unit SET report_seq = NULL WHERE work_order_id = ? AND report_seq = ?",
        [report.work_order_id, report.report_seq],
    )


def location_kinds(conn: Connection) -> dict[int, tuple[str, str]]:
    """Return location id → (name, kind)."""
    rows: Any = conn.execute("SELECT location_id, location, kind FROM location")
    return {row[0]: (row[1], row[2]) for row in rows}


def reversal_rows(movements: list[Recalled]) -> list[MovementRow]:
    """Return the ledger rows that undo movements: from and to exchanged."""
    return [
        (each.line_id, each.lot_id, each.container_id, each.to_id, each.from_id,
         each.quantity_micro, "reversal", None)
        for each in movements
    ]  # fmt: skip
