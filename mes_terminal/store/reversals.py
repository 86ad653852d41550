"""Which reports stand, and what the reversal of one, or of a part of it, writes (BF-31).

A report stands while no reversal has taken the rest of it back. Called by the use cases of
reversals and by whoever asks what can be taken back.
"""

from collections.abc import Iterable, Sequence
from json import loads
from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.recorded import Taken
from mes_terminal.domain.reversal import Unwritten, Voided
from mes_terminal.store.database import Connection
from mes_terminal.store.made import STANDS

_REPORT: Final = """
    SELECT r.report_seq, j.scan_id, r.work_order_id, w.work_order, w.status, w.item_id, i.item,
           i.uom, i.step_micro, i.tracking, i.inherit_expiry, r.kind, r.good_micro,
           r.scrapped_micro, r.lot_id, r.person, r.event_time, r.lot_expires_before,
           r.movement_first, r.movement_count, r.operation, r.passed,
           EXISTS (SELECT 1 FROM unit u
                    WHERE u.work_order_id = r.work_order_id AND u.report_seq = r.report_seq),
           coalesce((SELECT sum(x.reversed_micro) FROM report x WHERE x.reverses = r.report_seq), 0)
      FROM report r
      JOIN work_order w USING (work_order_id)
      JOIN item i USING (item_id)
      JOIN scan_journal j ON j.scan_seq = r.scan_seq
"""
_IS_REPORT: Final = f"r.kind <> 'reversal' AND {STANDS}"


class Recorded(Struct, frozen=True):
    """A report as it was recorded, and how much of it was taken back."""

    report_seq: int
    scan_id: str
    work_order_id: int
    work_order: str
    order_status: str
    """As it is now."""
    product_id: int
    item: str
    uom: str
    step_micro: int
    tracking: str
    inherit_expiry: int
    kind: str
    good_micro: int
    scrapped_micro: int
    lot_id: int | None
    person: str | None
    event_time: str
    expires_before: str | None
    movement_first: int
    movement_count: int
    operation: str | None
    passed: str | None
    """JSON [[position, good, scrapped]]: what operations gained."""
    has_units: int
    """It made, or scrapped, units with serials."""
    reversed_micro: int

    @property
    def is_rework(self) -> bool:
        """It changed no count of its order (BF-28)."""
        return self.kind in ("rework", "reworked", "exchange")

    @property
    def is_divisible(self) -> bool:
        """Can a part of it be taken back?"""
        return self.kind in ("completion", "operation", "scrap") and not self.has_units

    @property
    def gained(self) -> list[tuple[int, int, int]]:
        """What operations gained by it: (position, good, scrapped)."""
        return [(row[0], row[1], row[2]) for row in loads(self.passed or "[]")]

    @property
    def units_micro(self) -> int:
        """How many units it was about; 0 of a short close and of rework."""
        passed = self.gained[-1][1] if self.kind == "operation" else 0
        return self.good_micro or self.scrapped_micro or passed

    @property
    def standing_micro(self) -> int:
        """How many of them stand."""
        return self.units_micro - self.reversed_micro


def last_report(conn: Connection) -> Recorded | None:
    """Return the newest report of the station that stands."""
    return _one(conn, f"{_REPORT} WHERE {_IS_REPORT} ORDER BY r.report_seq DESC LIMIT 1", None)


def newest_of_order(conn: Connection, work_order_id: int) -> Recorded | None:
    """Return the newest report of an order that stands."""
    statement = f"""
        {_REPORT} WHERE r.work_order_id = ? AND {_IS_REPORT} ORDER BY r.report_seq DESC LIMIT 1
    """
    return _one(conn, statement, work_order_id)


def report_of_unit(conn: Connection, unit_id: int) -> Recorded | None:
    """Return the report that made a unit, or scrapped it; `None`: it is planned."""
    statement = f"""
        {_REPORT} WHERE r.report_seq = (SELECT report_seq FROM unit WHERE unit_id = ?)
    """  # noqa: S608
    return _one(conn, statement, unit_id)


def report_of_scan(conn: Connection, scan_id: str) -> Recorded | None:
    """Return the report that a scan made, a reversal too, whether it stands or not."""
    statement = f"""
        {_REPORT} WHERE r.report_seq = (
            SELECT o.event_seq FROM scan_journal q JOIN scan_outcome o USING (scan_seq)
             WHERE q.scan_id = ?)
    """  # noqa: S608
    return _one(conn, statement, scan_id)


def _one(conn: Connection, statement: str, key: int | str | None) -> Recorded | None:
    row = conn.execute(statement, [] if key is None else [key]).fetchone()
    return Recorded(*row) if row else None


def stands(conn: Connection, report_seq: int) -> bool:
    """Tell whether something of a report has not been taken back."""
    row = conn.execute(
        f"SELECT EXISTS (SELECT 1 FROM report r WHERE r.report_seq = ? AND {STANDS})",  # noqa: S608
        [report_seq],
    ).fetchone()
    return bool(row[0])


def last_reversal(conn: Connection, *, report_seq: int = 0, work_order_id: int = 0) -> Any:
    """Return (person, event time) of the newest reversal of a report, or of an order's reports."""
    return conn.execute(
        """
        SELECT person, event_time FROM report
         WHERE kind = 'reversal' AND (reverses = ? OR work_order_id = ?)
         ORDER BY report_seq DESC LIMIT 1
        """,
        [report_seq, work_order_id],
    ).fetchone()


def note_taken_back(conn: Connection, taken: Iterable[Taken], event_seq: int) -> None:
    """Remember what of each movement an event took back."""
    conn.executemany(
        "INSERT INTO taken_back VALUES (?, ?, ?, ?)",
        [
            (each.moved.movement_seq, event_seq, each.quantity_micro, each.covers_micro)
            for each in taken
        ],
    )


def change_stock(conn: Connection, changes: dict[tuple[int, int, int], int]) -> None:
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
            for (lot_id, location_id, container_id), delta in changes.items()
        ],
    )


def forget_sole(conn: Connection, taken: Iterable[Taken]) -> None:
    """Lots came back to their lines: any other lot there is no longer the only one."""
    conn.executemany(
        """
        UPDATE item_location SET sole_lot_id = NULL
         WHERE item_id = ? AND location_id = ? AND sole_lot_id <> ?
        """,
        sorted(
            {
                (each.moved.item_id, each.moved.from_id, each.moved.lot_id)
                for each in taken
                if each.moved.line_id is not None
            }
        ),
    )


def take_back_totals(conn: Connection, totals: dict[int, list[int]]) -> None:
    """Reduce line totals: line id → [issued, scrapped, owed, owed scrap, written off, written off
    scrap]."""
    conn.executemany(
        """
        UPDATE order_line
           SET issued_micro = issued_micro - ?, scrapped_micro = scrapped_micro - ?,
               owed_micro = owed_micro - ?, owed_scrap_micro = owed_scrap_micro - ?,
               written_off_micro = written_off_micro - ?,
               written_off_scrap_micro = written_off_scrap_micro - ?
         WHERE line_id = ?
        """,
        [(*amounts, line_id) for line_id, amounts in totals.items()],
    )


def void(conn: Connection, voided: Sequence[Voided], event_seq: int, *, resolution: str) -> None:
    """Void what a report added to exceptions; one with nothing left is voided whole (BF-23)."""
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
                "exception_id": each.part.exception_id,
                "said": resolution,
            }
            for each in voided
        ],
    )
    conn.executemany(
        "INSERT INTO exception_item VALUES (?, ?, ?, ?)",
        [
            (each.part.exception_id, event_seq, -each.quantity_micro, -each.scrap_micro)
            for each in voided
        ],
    )


def unwrite(conn: Connection, parts: Iterable[Unwritten], event_seq: int) -> None:
    """Remember what of write-offs a reversal took back."""
    conn.executemany(
        "INSERT INTO unwritten VALUES (?, ?, ?, ?)",
        [(each.event_seq, event_seq, each.quantity_micro, each.scrap_micro) for each in parts],
    )


def restore_order(
    conn: Connection,
    report: Recorded,
    *,
    good_micro: int,
    scrapped_micro: int,
    status: str,
    is_rest: bool,
    at: str,
) -> None:
    """Give the order back its count and its status; with the whole report its units their plan. One
    that was named here is none any more, unless serials still wait in its slots."""
    conn.execute(
        """
        UPDATE work_order SET good_micro = good_micro - ?, scrapped_micro = scrapped_micro - ?,
               status = ?, activated_at = ?
         WHERE work_order_id = ?
        """,
        [good_micro, scrapped_micro, status, at, report.work_order_id],
    )
    if is_rest:
        conn.execute(
            """
            UPDATE unit
               SET report_seq = NULL,
                   origin = iif(origin = 'named' AND NOT EXISTS (
                       SELECT 1 FROM slot s
                        WHERE s.work_order_id = unit.work_order_id AND s.unit_id = unit.unit_id
                          AND s.report_seq IS NULL), 'freed', origin)
             WHERE work_order_id = ? AND report_seq = ?
            """,
            [report.work_order_id, report.report_seq],
        )
