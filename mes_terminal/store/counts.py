"""Counts of stock: what was counted against what the books said at that moment (BF-32).

A station has at most one count open. Every function runs inside the caller's transaction.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from mes_terminal.domain.counting import Change, CountedItem, CountedStock, ProcessLine
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.store.database import Connection
from mes_terminal.store.exceptions import OpenSubject


class OpenCount(Struct, frozen=True):
    """The count that is open, and the place that is counted."""

    stock_count_id: int
    location_id: int
    location: str
    started_seq: int


class AskedOrder(Struct, frozen=True):
    """An order of which somebody must say how many units are on the line."""

    work_order_id: int
    work_order: str
    step_micro: int
    units_micro: int | None
    """`None`: it was asked and not answered yet."""


def start(
    conn: Connection, *, location_id: int, event_seq: int, at: str, person: str | None
) -> int:
    """Open a count; return its id."""
    row = conn.execute(
        """
        INSERT INTO stock_count (location_id, started_seq, started_at, person)
        VALUES (?, ?, ?, ?) RETURNING stock_count_id
        """,
        [location_id, event_seq, at, person],
    ).fetchone()
    return int(row[0])


def read_open(conn: Connection, stock_count_id: int) -> OpenCount:
    """Return an open count."""
    row = conn.execute(
        """
        SELECT c.stock_count_id, c.location_id, o.location, c.started_seq
          FROM stock_count c JOIN location o USING (location_id)
         WHERE c.stock_count_id = ?
        """,
        [stock_count_id],
    ).fetchone()
    return OpenCount(*row)


def find_item(conn: Connection, item: str) -> tuple[int, str, int | None] | None:
    """Return (id, item, the lot that its untracked stock is in: `None` if it is tracked)."""
    row = conn.execute(
        """
        SELECT i.item_id, i.item, iif(i.tracking = 'none', l.lot_id, NULL)
          FROM item i JOIN lot l ON l.item_id = i.item_id AND l.lot = '' AND l.serial = ''
                                AND l.work_order_id = 0
         WHERE i.item = ?
        """,
        [item],
    ).fetchone()
    return row and (row[0], row[1], row[2])


def note_item(conn: Connection, count: OpenCount, item_id: int) -> None:
    """Remember, with the first scan of an item, what its reports owe there."""
    conn.execute(
        """
        INSERT INTO count_item (stock_count_id, item_id, owed_micro)
        SELECT :stock_count_id, :item_id, coalesce(sum(x.quantity_micro), 0)
          FROM exception x CROSS JOIN order_line l ON l.line_id = x.line_id
         WHERE x.kind = 'shortage' AND x.status = 'open' AND x.item_id = :item_id
           AND l.location_id = :location_id
        ON CONFLICT DO NOTHING
        """,
        {
            "stock_count_id": count.stock_count_id,
            "item_id": item_id,
            "location_id": count.location_id,
        },
    )


def note_stock(
    conn: Connection,
    count: OpenCount,
    *,
    item_id: int,
    lot_id: int,
    container_id: int,
    counted_micro: int,
    scan_seq: int,
) -> int:
    """Add to what was counted of a lot or container; return the sum.

    The book is that of the first scan: what was used since is in both.
    """
    row = conn.execute(
        """
        INSERT INTO count_stock (stock_count_id, lot_id, container_id, item_id, counted_micro,
                                 book_micro, movement_seq, scan_seq)
        VALUES (:stock_count_id, :lot_id, :container_id, :item_id, :counted_micro,
                coalesce((SELECT quantity_micro FROM balance
                           WHERE lot_id = :lot_id AND location_id = :location_id
                             AND container_id = :container_id), 0),
                (SELECT coalesce(max(movement_seq), 0) FROM movement), :scan_seq)
        ON CONFLICT DO UPDATE SET counted_micro = counted_micro + excluded.counted_micro
        RETURNING counted_micro
        """,
        {
            "stock_count_id": count.stock_count_id,
            "lot_id": lot_id,
            "container_id": container_id,
            "item_id": item_id,
            "counted_micro": counted_micro,
            "location_id": count.location_id,
            "scan_seq": scan_seq,
        },
    ).fetchone()
    return int(row[0])


def counted_items(conn: Connection, count: OpenCount) -> list[CountedItem]:
    """Return the items of the count by number, each with all its balances there: those that nobody
    counted as the books have them now. A serial that waits in a slot is where it should be."""
    rows = conn.execute(
        """
        SELECT i.item_id, i.item, i.uom, i.step_micro, i.tracking, c.owed_micro
          FROM count_item c JOIN item i USING (item_id)
         WHERE c.stock_count_id = ? ORDER BY i.item
        """,
        [count.stock_count_id],
    ).fetchall()
    stock: dict[int, list[CountedStock]] = {row[0]: [] for row in rows}
    for item_id, *balance in conn.execute(
        """
        WITH here AS (
            SELECT lot_id, container_id FROM count_stock WHERE stock_count_id = :stock_count_id
             UNION
            SELECT b.lot_id, b.container_id
              FROM count_item c JOIN balance b ON b.item_id = c.item_id
             WHERE c.stock_count_id = :stock_count_id AND b.location_id = :location_id
               AND b.quantity_micro <> 0)
        SELECT l.item_id, h.lot_id, h.container_id,
               coalesce(s.book_micro, b.quantity_micro),
               coalesce(s.counted_micro, iif(t.lot_id IS NULL, NULL, b.quantity_micro))
          FROM here h JOIN lot l USING (lot_id)
          LEFT JOIN count_stock s ON s.stock_count_id = :stock_count_id
               AND s.lot_id = h.lot_id AND s.container_id = h.container_id
          LEFT JOIN balance b ON b.lot_id = h.lot_id AND b.location_id = :location_id
               AND b.container_id = h.container_id
          LEFT JOIN slot t ON t.lot_id = h.lot_id AND t.report_seq IS NULL
         ORDER BY coalesce(l.expires_on, '9999-12-31'), coalesce(l.received_at, ''), l.lot,
                  l.serial, h.container_id
        """,
        {"stock_count_id": count.stock_count_id, "location_id": count.location_id},
    ):
        stock[item_id].append(CountedStock(*balance))
    return [
        CountedItem(
            item_id=item_id,
            item=item,
            uom=uom,
            step_micro=step,
            tracking=tracking,
            owed_micro=owed,
            in_process_micro=0,
            stock=tuple(stock[item_id]),
        )
        for item_id, item, uom, step, tracking, owed in rows
    ]


def process_lines(conn: Connection, count: OpenCount) -> list[ProcessLine]:
    """Return the backflushed lines of started orders that draw on counted stock."""
    rows = conn.execute(
        """
        SELECT c.item_id, w.work_order_id, l.basis = 'per_unit', l.net_num, l.net_den,
               i.step_micro, l.since_micro,
               l.issued_micro + l.owed_micro + l.written_off_micro - l.carried_micro,
               w.good_micro + w.scrapped_micro,
               CASE WHEN l.operation_position > 0 THEN o.good_micro + o.scrapped_micro
                    WHEN EXISTS (SELECT 1 FROM order_operation f
                                  WHERE f.work_order_id = w.work_order_id)
                    THEN w.good_micro + w.scrapped_micro END
          FROM count_item c
          CROSS JOIN order_line l ON l.component_id = c.item_id
          CROSS JOIN work_order w ON w.work_order_id = l.work_order_id
          CROSS JOIN item i ON i.item_id = c.item_id
          LEFT JOIN order_operation o ON o.work_order_id = l.work_order_id
               AND o.position = l.operation_position
         WHERE c.stock_count_id = :stock_count_id AND l.location_id = :location_id
           AND w.status = 'started' AND l.issue_method = 'backflush' AND l.net_num > 0
           AND i.tracking <> 'serial'
        """,
        {"stock_count_id": count.stock_count_id, "location_id": count.location_id},
    )
    return [ProcessLine(*row) for row in rows]


def orders_asked(conn: Connection, stock_count_id: int) -> list[AskedOrder]:
    """Return the orders somebody was asked about, in the order of asking."""
    rows = conn.execute(
        """
        SELECT w.work_order_id, w.work_order, i.step_micro, u.units_micro
          FROM count_units u JOIN work_order w USING (work_order_id) JOIN item i USING (item_id)
         WHERE u.stock_count_id = ? ORDER BY u.count_units_id
        """,
        [stock_count_id],
    )
    return [AskedOrder(*row) for row in rows]


def ask(conn: Connection, stock_count_id: int, work_order_id: int) -> AskedOrder:
    """Remember that somebody is asked about an order."""
    conn.execute(
        "INSERT INTO count_units (stock_count_id, work_order_id) VALUES (?, ?)",
        [stock_count_id, work_order_id],
    )
    return next(
        each for each in orders_asked(conn, stock_count_id) if each.work_order_id == work_order_id
    )


def answer_units(
    conn: Connection, stock_count_id: int, work_order_id: int, units_micro: int
) -> None:
    """Keep how many units of an order are on the line."""
    conn.execute(
        "UPDATE count_units SET units_micro = ? WHERE stock_count_id = ? AND work_order_id = ?",
        [units_micro, stock_count_id, work_order_id],
    )


def conclude_item(
    conn: Connection,
    count: OpenCount,
    item: CountedItem,
    *,
    expected_micro: int,
    counted_micro: int,
    changes: Sequence[Change],
    exception_id: int | None,
) -> None:
    """Keep what the count of an item came to; the changes of one that waits for approval stay."""
    conn.execute(
        """
        UPDATE count_item SET in_process_micro = ?, expected_micro = ?, counted_micro = ?,
               exception_id = ?
         WHERE stock_count_id = ? AND item_id = ?
        """,
        [item.in_process_micro, expected_micro, counted_micro, exception_id,
         count.stock_count_id, item.item_id],
    )  # fmt: skip
    conn.executemany(
        "INSERT INTO count_change VALUES (?, ?, ?, ?, ?)",
        [
            (count.stock_count_id, item.item_id, each.lot_id, each.container_id, each.delta_micro)
            for each in changes
        ],
    )


def read_waiting(
    conn: Connection, exception_id: int
) -> tuple[OpenCount, CountedItem, list[Change]]:
    """Return what a count found that waits for the approval of this exception."""
    row = conn.execute(
        """
        SELECT n.stock_count_id, i.item_id, i.item, i.uom, i.step_micro, i.tracking, n.owed_micro,
               n.in_process_micro
          FROM count_item n JOIN item i USING (item_id) WHERE n.exception_id = ?
        """,
        [exception_id],
    ).fetchone()
    names = CountedItem.__struct_fields__[:-1]
    item = CountedItem(**dict(zip(names, row[1:], strict=True)), stock=())
    changes = conn.execute(
        """
        SELECT lot_id, container_id, delta_micro FROM count_change
         WHERE stock_count_id = ? AND item_id = ? ORDER BY lot_id, container_id
        """,
        [row[0], item.item_id],
    )
    return read_open(conn, row[0]), item, [Change(*each) for each in changes]


def note_posted(conn: Connection, stock_count_id: int, item_id: int, event_seq: int) -> None:
    """Remember which event booked the difference of an item."""
    conn.execute(
        "UPDATE count_item SET posted_seq = ? WHERE stock_count_id = ? AND item_id = ?",
        [event_seq, stock_count_id, item_id],
    )


def end(conn: Connection, count: OpenCount, *, status: str, event_seq: int, at: str) -> None:
    """Close the count: `ended`, or `dropped` with nothing booked."""
    conn.execute(
        "UPDATE stock_count SET status = ?, ended_seq = ?, ended_at = ? WHERE stock_count_id = ?",
        [status, event_seq, at, count.stock_count_id],
    )


def possible(
    conn: Connection, changes: Sequence[Change], location_id: int, *, tracking: str
) -> list[Change]:
    """Return the changes as they can be booked now: a lot never goes below zero (BF-19)."""
    if tracking == "none":
        return list(changes)
    found: list[Change] = []
    for each in changes:
        row = conn.execute(
            """
            SELECT quantity_micro FROM balance
             WHERE lot_id = ? AND location_id = ? AND container_id = ?
            """,
            [each.lot_id, location_id, each.container_id],
        ).fetchone()
        delta = max(each.delta_micro, -(row[0] if row else 0))
        if delta:
            found.append(Change(each.lot_id, each.container_id, delta))
    return found


def note_sole(conn: Connection, item_id: int, location_id: int) -> None:
    """After a count it is known whether an item has one lot there alone (BF-37)."""
    conn.execute(
        """
        INSERT INTO item_location (item_id, location_id, sole_lot_id)
        SELECT :item_id, :location_id, iif(count(DISTINCT lot_id) = 1, min(lot_id), NULL)
          FROM balance
         WHERE item_id = :item_id AND location_id = :location_id AND quantity_micro > 0
        ON CONFLICT DO UPDATE SET sole_lot_id = excluded.sole_lot_id
        """,
        {"item_id": item_id, "location_id": location_id},
    )


class Explained(NamedTuple):
    """An open exception that a count explains."""

    kind: ExceptionKind
    about: OpenSubject


def explained(conn: Connection, item_id: int, location_id: int, *, subject: str) -> list[Explained]:
    """Return the open exceptions that a count of an item explains: an earlier count of it there,
    and containers that were used beyond their books."""
    rows = conn.execute(
        """
        SELECT kind, exception_id, subject, opened_at FROM exception
         WHERE status = 'open' AND item_id = :item_id
           AND ((kind = 'count_variance' AND subject = :subject)
                OR (kind = 'lot_overdrawn' AND EXISTS (
                    SELECT 1 FROM mount_span s
                     WHERE s.item_id = exception.item_id AND s.location_id = :location_id
                       AND s.lot_id = coalesce(exception.lot_id, s.lot_id))))
         ORDER BY exception_id
        """,
        {"item_id": item_id, "location_id": location_id, "subject": subject},
    ).fetchall()
    return [Explained(row[0], OpenSubject(*row[1:])) for row in rows]


def end_explained(conn: Connection, found: Sequence[Explained], *, resolution: str) -> None:
    """End what a count explains."""
    conn.executemany(
        "UPDATE exception SET status = 'resolved', resolution = ? WHERE exception_id = ?",
        [(resolution, each.about.exception_id) for each in found],
    )
