"""What the control matrix needs to know beside a report's own reads (BF-24).

Read only where a situation is met, or where the matrix asks. Inside the caller's transaction.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.policy import APPROVAL_DEVICE
from mes_terminal.domain.run_time import OperationTime
from mes_terminal.domain.scan import Scan
from mes_terminal.store.database import Connection
from mes_terminal.store.scan_journal import JOURNAL_COLUMNS, scan_of


class LetPassPart(Struct, frozen=True, kw_only=True):
    """What one event used, or made, in spite of a deviation that was let pass."""

    kind: ExceptionKind
    work_order_id: int
    work_order: str
    line_id: int | None = None
    """`None`: it is about the order as a whole."""
    line: str | None = None
    item_id: int
    item: str
    lot_id: int | None = None
    quantity_micro: int
    cause_code: str
    cause: str


class Started(Struct, frozen=True):
    """When an order was made active here, and its first report that stands; `None`: never."""

    activated_at: str | None
    first_report_at: str | None


def item_classes(conn: Connection, item_ids: Sequence[int]) -> dict[int, str | None]:
    """Return item id → class."""
    rows = conn.execute(
        """
        SELECT item_id, item_class FROM item
         WHERE item_id IN (SELECT value FROM json_each(?))
        """,
        [msgspec.json.encode(list(item_ids)).decode()],
    )
    return dict(rows.fetchall())


def class_of_item(conn: Connection, item: str) -> str | None:
    """Return the class of an item by its number."""
    row = conn.execute("SELECT item_class FROM item WHERE item = ?", [item]).fetchone()
    return row[0] if row else None


def item_of_lot(conn: Connection, lot_id: int) -> tuple[str, str | None]:
    """Return the item of a lot or serial, and its class."""
    row = conn.execute(
        "SELECT item, item_class FROM item JOIN lot USING (item_id) WHERE lot_id = ?", [lot_id]
    ).fetchone()
    return row[0], row[1]


def run_times(
    conn: Connection, work_order_id: int, units: Mapping[int, int]
) -> list[OperationTime]:
    """Return the run time of each operation that is to gain units: position → how many."""
    rows = conn.execute(
        """
        SELECT work_centre_id, run_minutes_micro, run_basis_micro, position FROM order_operation
         WHERE work_order_id = ?
        """,
        [work_order_id],
    )
    return [
        OperationTime(work_centre_id, run_micro, basis_micro, units[position])
        for work_centre_id, run_micro, basis_micro, position in rows
        if units.get(position, 0) > 0
    ]


def read_started(conn: Connection, work_order_id: int) -> Started:
    """Return since when the order is worked on here."""
    row = conn.execute(
        """
        SELECT w.activated_at,
               (SELECT min(r.event_time) FROM report r
                 WHERE r.work_order_id = w.work_order_id AND r.kind <> 'reversal'
                   AND NOT EXISTS (SELECT 1 FROM report x WHERE x.reverses = r.report_seq
                                                    AND x.reverses_rest = 1))
          FROM work_order w WHERE w.work_order_id = ?
        """,
        [work_order_id],
    ).fetchone()
    return Started(*row)


def asked_scan(conn: Connection, code: bytes, before_seq: int) -> Scan | None:
    """Return the newest scan of this code before another one: what the station asked about, as it
    came from outside."""
    row = conn.execute(
        f"""
        SELECT {JOURNAL_COLUMNS} FROM scan_journal
         WHERE raw = ? AND scan_seq < ? AND device <> ?
         ORDER BY scan_seq DESC LIMIT 1
        """,  # noqa: S608
        [code, before_seq, APPROVAL_DEVICE],
    ).fetchone()
    return None if row is None else scan_of(row)


def note_let_pass(conn: Connection, part: LetPassPart, *, opened_at: str, event_seq: int) -> int:
    """Open the exception of what was let pass, or let it grow; return its id.

    One is open for an order line, or an order, and kind. The part belongs to the event that used
    it, so that the reversal of a report voids it (BF-23).
    """
    line_id = part.line_id
    row = conn.execute(
        """
        INSERT INTO exception (kind, severity, subject, work_order_id, line_id, item_id, lot_id,
                               quantity_micro, opened_at, opened_event_seq, cause_code, cause)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (kind, subject) WHERE status = 'open'
        DO UPDATE SET quantity_micro = quantity_micro + excluded.quantity_micro
        RETURNING exception_id
        """,
        [part.kind, "info" if line_id is None else "warn",
         f"order:{part.work_order}" if line_id is None else f"line:{line_id}", part.work_order_id,
         line_id, part.item_id, part.lot_id, part.quantity_micro, opened_at, event_seq,
         f"{part.kind}:{part.cause_code}", part.cause],
    ).fetchone()  # fmt: skip
    conn.execute(
        """
        INSERT INTO exception_item VALUES (:exception_id, :event_seq, :quantity_micro, 0)
        ON CONFLICT DO UPDATE SET quantity_micro = quantity_micro + excluded.quantity_micro
        """,
        {
            "exception_id": row[0],
            "event_seq": event_seq,
            "quantity_micro": part.quantity_micro,
        },
    )
    return int(row[0])
