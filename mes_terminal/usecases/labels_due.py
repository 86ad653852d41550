"""Labels of finished goods: what is still to be printed, and how far printing has come."""

from msgspec import Struct

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.printing.labels import FinishedGoods
from mes_terminal.store import label_queue
from mes_terminal.store.database import Database

READ_MAX = 20
"""Reports read at a time."""


class DueLabels(Struct, frozen=True):
    """The labels of one report: one, or one a unit."""

    report_seq: int
    work_order: str
    goods: list[FinishedGoods]


def begin_printing(db: Database) -> int:
    """Return the report printed last; at the first time the newest, so that nothing old prints."""
    with db.transaction() as conn:
        cursor = label_queue.read_cursor(conn)
        if cursor is None:
            cursor = label_queue.newest_report(conn)
            label_queue.write_cursor(conn, cursor)
    return cursor


def labels_due(db: Database, after: int, place: str) -> tuple[list[DueLabels], int]:
    """Return the next reports' labels and how many reports wait in all; undone ones have none."""
    rows = label_queue.due(db.conn, after, READ_MAX)
    waiting = label_queue.count_due(db.conn, after) if len(rows) == READ_MAX else len(rows)
    due = []
    for report_seq, item, description, gtin, uom, good, at, order, lot, expires_on in rows:
        serials: list[str | None] = [*label_queue.units_of(db.conn, report_seq)]
        goods = [
            FinishedGoods(
                item=item,
                description=description,
                gtin=gtin,
                lot=lot,
                serial=serial,
                expires_on=expires_on,
                quantity=format_quantity(good),
                uom=uom,
                work_order=order,
                produced_at=at,
                place=place,
            )
            for serial in serials or [None]
        ]
        due.append(DueLabels(report_seq, order, goods))
    return due, waiting


def note_printed(db: Database, report_seq: int) -> None:
    """Everything up to this report is printed, or will never be."""
    with db.transaction() as conn:
        label_queue.write_cursor(conn, report_seq)
