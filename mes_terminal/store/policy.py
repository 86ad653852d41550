"""What the control matrix needs to know beside a report's own reads (BF-24).

Read only where a situation is met, or where the matrix asks. Inside the caller's transaction.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from mes_terminal.domain.operations import Gain
from mes_terminal.domain.run_time import OperationTime
from mes_terminal.domain.scan import Scan
from mes_terminal.store.database import Connection


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


def run_times(conn: Connection, work_order_id: int, gained: Sequence[Gain]) -> list[OperationTime]:
    """Return the run time of each operation that is to gain units, with how many."""
    units = {gain.position: gain.good_micro for gain in gained if gain.good_micro > 0}
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
        if position in units
    ]


def read_started(conn: Connection, work_order_id: int) -> Started:
    """Return since when the order is worked on here."""
    row = conn.execute(
        """
        SELECT w.activated_at,
               (SELECT min(r.event_time) FROM report r
                 WHERE r.work_order_id = w.work_order_id AND r.kind <> 'reversal'
                   AND NOT EXISTS (SELECT 1 FROM report x WHERE x.reverses = r.report_seq))
          FROM work_order w WHERE w.work_order_id = ?
        """,
        [work_order_id],
    ).fetchone()
    return Started(*row)


def asked_scan(conn: Connection, code: bytes, before_seq: int) -> Scan | None:
    """Return the newest scan of this code before another one: what the station asked about."""
    row = conn.execute(
        """
        SELECT scan_seq, scan_id, raw, truncated, device, received_at, event_time, badge, fault,
               fault_key
          FROM scan_journal WHERE raw = ? AND scan_seq < ?
         ORDER BY scan_seq DESC LIMIT 1
        """,
        [code, before_seq],
    ).fetchone()
    if row is None:
        return None
    return Scan(
        scan_seq=row[0],
        scan_id=row[1],
        raw=row[2],
        truncated=bool(row[3]),
        device=row[4],
        received_at=row[5],
        event_time=row[6] or row[5],
        badge=row[7],
        fault=row[8],
        fault_key=row[9],
    )


def note_over_completion(
    conn: Connection,
    *,
    work_order_id: int,
    work_order: str,
    item_id: int,
    quantity_micro: int,
    opened_at: str,
    report_seq: int,
    cause: str,
) -> int:
    """Open the order's exception `over_completion`, or let it grow; return its id.

    Its part belongs to the report, so that a reversal voids it (BF-23).
    """
    subject = f"order:{work_order}"
    row = conn.execute(
        """
        INSERT INTO exception (kind, severity, subject, work_order_id, item_id, quantity_micro,
                               opened_at, opened_event_seq, cause)
        VALUES ('over_completion', 'info', ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (kind, subject) WHERE status = 'open'
        DO UPDATE SET quantity_micro = quantity_micro + excluded.quantity_micro
        RETURNING exception_id
        """,
        [subject, work_order_id, item_id, quantity_micro, opened_at, report_seq, cause],
    ).fetchone()
    conn.execute(
        "INSERT INTO exception_item VALUES (?, ?, ?, 0)", [row[0], report_seq, quantity_micro]
    )
    return int(row[0])
