"""Write a report: line totals, balances, lots, exceptions, event with ledger rows, the order.

Everything in bulk and inside the caller's transaction; the number of statements does not depend on
the number of lines.
"""

import json
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.posting import LogHead, ReportRow
from mes_terminal.domain.report_plan import ExceptionDraft, ReportPlan
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan
from mes_terminal.store import mount_spans, slots
from mes_terminal.store.balances import add_stock, note_arrival, set_balances, shorten_expiry
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.heal_queue import queue_healing

_ADD_ISSUED = "UPDATE order_line SET issued_micro = issued_micro + ? WHERE line_id = ?"
_ADD_TOTALS = """
    UPDATE order_line
       SET issued_micro = issued_micro + ?, scrapped_micro = scrapped_micro + ?,
           owed_micro = owed_micro + ?, owed_scrap_micro = owed_scrap_micro + ?
     WHERE line_id = ?
"""


def write_report(
    conn: Connection,
    order: OrderFacts,
    plan: ReportPlan,
    scan: Scan,
    head: LogHead,
    *,
    rules: StationRules,
) -> int:
    """Write the report; return the sequence of its event, which is its own."""
    _write_lots(conn, order, plan, scan)
    if plan.line_issues:
        conn.executemany(_ADD_ISSUED, plan.line_issues)
    if plan.line_totals:
        conn.executemany(_ADD_TOTALS, plan.line_totals)
    set_balances(conn, plan.balances, plan.emptied)
    add_stock(conn, plan.stock_in)
    for item_id, location_id, lot_id in plan.arrivals:
        note_arrival(conn, item_id, location_id, lot_id)
    draft = replace(plan.event, report=_row(order, plan))
    report_seq = append_event(conn, draft, head, scan, rules=rules)
    if plan.exceptions:
        _write_exceptions(conn, order, plan.exceptions, report_seq, scan)
    _write_order(conn, order, plan, scan)
    if plan.substitutions:
        first = head.movement_seq + 1
        conn.executemany(
            "INSERT INTO substitution VALUES (?, ?, ?)",
            [(first + place, *covered) for place, *covered in plan.substitutions],
        )
    for lot_id, container_id, gained in plan.lot_gains:
        mount_spans.note_gain(conn, lot_id, container_id, gained, report_seq=report_seq)
    if plan.built_in:
        slots.build_in(conn, plan.built_in, report_seq)
    if plan.unit_ids:
        conn.executemany(
            "UPDATE unit SET report_seq = ? WHERE unit_id = ?",
            [(report_seq, unit_id) for unit_id in plan.unit_ids],
        )
    if order.anything_short or plan.exceptions:
        _queue_healing(conn, plan, report_seq)
    return report_seq


def _queue_healing(conn: Connection, plan: ReportPlan, report_seq: int) -> None:
    """What was made may mend a shortage; so may untracked stock that a report entered late could
    not have, as any will do (BF-22)."""
    for item_id, location_id, _ in plan.arrivals:
        queue_healing(conn, item_id, location_id, report_seq)
    for draft in plan.exceptions:
        if draft.cause == "not_arrived" and draft.line.tracking == "none":
            queue_healing(conn, draft.line.item_id, draft.line.location_id, report_seq)


def _row(order: OrderFacts, plan: ReportPlan) -> ReportRow:
    return ReportRow(
        work_order_id=order.work_order_id,
        kind=plan.kind,
        good_micro=plan.good_micro,
        scrapped_micro=plan.scrapped_micro,
        lot_id=plan.lot_id,
        order_status_before=order.status,
        lot_expires_before=plan.expires_before,
        operation=plan.operation,
        passed=_passed(plan),
    )


def set_ahead(conn: Connection, work_order_id: int, ahead: Sequence[tuple[str, int]]) -> None:
    """Set, by line, what an order's by- and co-products received beyond what its units bring."""
    conn.executemany(
        "UPDATE order_output SET ahead_micro = ? WHERE work_order_id = ? AND line = ?",
        [(micro, work_order_id, line) for line, micro in ahead],
    )


def change_operations(
    conn: Connection, work_order_id: int, gained: Sequence[tuple[int, int, int]]
) -> None:
    """Add (position, good, scrapped) to what the operations of an order have delivered."""
    conn.executemany(
        """
        UPDATE order_operation SET good_micro = good_micro + ?, scrapped_micro = scrapped_micro + ?
         WHERE work_order_id = ? AND position = ?
        """,
        [(good, scrapped, work_order_id, position) for position, good, scrapped in gained],
    )


def _passed(plan: ReportPlan) -> str | None:
    """Return what the operations gained as JSON: a reversal takes it back from there."""
    if not plan.gains:
        return None
    return json.dumps(
        [[gain.position, gain.good_micro, gain.scrapped_micro] for gain in plan.gains]
    )


def _write_lots(conn: Connection, order: OrderFacts, plan: ReportPlan, scan: Scan) -> None:
    if plan.new_lots:
        conn.executemany(
            """
            INSERT INTO lot (lot_id, item_id, lot, serial, work_order_id, status, expires_on,
                             received_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                (new.lot_id, new.item_id or order.item_id, new.lot, new.serial,
                 new.work_order_id, new.status or order.output_status,
                 new.expires_on if new.item_id else plan.expires_on, scan.event_time)
                for new in plan.new_lots
            ],
        )  # fmt: skip
    if plan.expires_on is not None:
        shorten_expiry(conn, [(lot_id, plan.expires_on) for lot_id in plan.shortened])


def _write_order(conn: Connection, order: OrderFacts, plan: ReportPlan, scan: Scan) -> None:
    conn.execute(
        """
        UPDATE work_order SET good_micro = good_micro + ?, scrapped_micro = scrapped_micro + ?,
               status = ?, activated_at = ?, process_expires_on = ?, changes = NULL
         WHERE work_order_id = ?
        """,
        [plan.good_micro, plan.scrapped_micro, plan.order_status, scan.event_time,
         plan.process_expires_on, order.work_order_id],
    )  # fmt: skip
    if plan.gains:
        change_operations(
            conn,
            order.work_order_id,
            [(gain.position, gain.good_micro, gain.scrapped_micro) for gain in plan.gains],
        )


def _write_exceptions(
    conn: Connection,
    order: OrderFacts,
    drafts: Sequence[ExceptionDraft],
    report_seq: int,
    scan: Scan,
) -> None:
    conn.executemany(
        """
        INSERT INTO exception (exception_id, kind, severity, subject, work_order_id, line_id,
                               item_id, lot_id, quantity_micro, opened_at, opened_event_seq,
                               cause_code, cause)
        VALUES (?, ?, 'warn', 'line:' || ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            (draft.exception_id, draft.kind, draft.line.line_id, order.work_order_id,
             draft.line.line_id, draft.line.item_id, draft.lot_id, draft.quantity_micro,
             scan.event_time, report_seq, draft.cause_code, draft.cause)
            for draft in drafts
            if draft.is_new
        ],
    )  # fmt: skip
    conn.executemany(
        """
        UPDATE exception
           SET quantity_micro = quantity_micro + ?, cause_code = ?, cause = ?, lot_id = ?
         WHERE exception_id = ?
        """,
        [
            (draft.quantity_micro, draft.cause_code, draft.cause, draft.lot_id, draft.exception_id)
            for draft in drafts
            if not draft.is_new
        ],
    )
    conn.executemany(
        "INSERT INTO exception_item VALUES (?, ?, ?, ?)",
        [
            (draft.exception_id, report_seq, draft.quantity_micro, draft.scrap_micro)
            for draft in drafts
        ],
    )


def read_expiries(conn: Connection, lot_ids: Iterable[int]) -> list[str]:
    """Return the days on which lots expire, of those that do."""
    rows = conn.execute(
        """
        SELECT l.expires_on FROM json_each(?) u CROSS JOIN lot l ON l.lot_id = u.value
         WHERE l.expires_on IS NOT NULL
        """,
        [json.dumps(list(lot_ids))],
    )
    return [row[0] for row in rows]
