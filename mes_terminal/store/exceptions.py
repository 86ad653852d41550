"""Open, raise and end exceptions: one open row a kind and subject (BF-20, BF-23)."""

from msgspec import Struct

from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.store.database import Connection


def next_number(conn: Connection) -> int:
    """Return the id of the exception that is opened next, for what tells of it before it is there.
    Exceptions are never deleted (BF-23)."""
    row = conn.execute("SELECT coalesce(max(exception_id), 0) + 1 FROM exception").fetchone()
    return int(row[0])


def open_exception(
    conn: Connection,
    *,
    exception_id: int,
    kind: ExceptionKind,
    severity: str,
    subject: str,
    quantity_micro: int | None,
    opened_at: str,
    event_seq: int,
    cause_code: str,
    cause: str | None,
    item_id: int | None = None,
    lot_id: int | None = None,
    work_order_id: int | None = None,
    tries: int = 0,
) -> int:
    """Open an exception under its number (`next_number`), and return that. There must be no open
    one of this kind and subject.

    `cause_code` is a stable word of its kind; it is kept as `kind:cause_code`. `tries` is 1 where
    the exception counts scans.
    """
    conn.execute(
        """
        INSERT INTO exception (exception_id, kind, severity, subject, item_id, lot_id,
                               work_order_id, quantity_micro, opened_at, opened_event_seq,
                               cause_code, cause, tries)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [exception_id, kind, severity, subject, item_id, lot_id, work_order_id, quantity_micro,
         opened_at, event_seq, f"{kind}:{cause_code}", cause, tries],
    )  # fmt: skip
    if quantity_micro is not None:
        conn.execute(
            "INSERT INTO exception_item VALUES (?, ?, ?, 0)",
            [exception_id, event_seq, quantity_micro],
        )
    return exception_id


class OpenSubject(Struct, frozen=True):
    """An open exception by what it is about."""

    exception_id: int
    subject: str
    opened_at: str


def open_subjects(conn: Connection, kind: ExceptionKind) -> list[OpenSubject]:
    """Return what the open exceptions of a kind are about, the oldest first."""
    rows = conn.execute(
        """
        SELECT exception_id, subject, opened_at FROM exception
         WHERE kind = ? AND status = 'open' ORDER BY opened_at, exception_id
        """,
        [kind],
    )
    return [OpenSubject(*row) for row in rows]


def open_subject(conn: Connection, kind: ExceptionKind, subject: str) -> OpenSubject | None:
    """Return the open exception of this kind about a subject."""
    row = conn.execute(
        """
        SELECT exception_id, subject, opened_at FROM exception
         WHERE kind = ? AND subject = ? AND status = 'open'
        """,
        [kind, subject],
    ).fetchone()
    return OpenSubject(*row) if row else None


def was_about(conn: Connection, kind: ExceptionKind, subject: str) -> bool:
    """Tell whether there ever was an exception of this kind about a subject. It looks through all
    of the kind."""
    row = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM exception WHERE kind = ? AND subject = ?)", [kind, subject]
    ).fetchone()
    return bool(row[0])


def was_opened(conn: Connection, *, kind: ExceptionKind, subject: str, opened_at: str) -> bool:
    """Tell whether an exception of this kind and subject was opened at that moment, whatever became
    of it."""
    row = conn.execute(
        """
        SELECT EXISTS (SELECT 1 FROM exception
                        WHERE kind = ? AND opened_at = ? AND subject = ?)
        """,
        [kind, opened_at, subject],
    ).fetchone()
    return bool(row[0])


def raise_open(
    conn: Connection, *, kind: ExceptionKind, subject: str, quantity_micro: int
) -> tuple[int, int] | None:
    """Add a scan to the open exception of this kind and subject; return (id, quantity) if it is
    there."""
    row = conn.execute(
        """
        UPDATE exception SET quantity_micro = quantity_micro + ?, tries = tries + 1
         WHERE kind = ? AND subject = ? AND status = 'open'
        RETURNING exception_id, quantity_micro
        """,
        [quantity_micro, kind, subject],
    ).fetchone()
    return (row[0], row[1]) if row else None


def tell_open_again(
    conn: Connection, *, kind: ExceptionKind, subject: str, cause_code: str, cause: str
) -> None:
    """Count a try that did not end the open exception of this kind and subject, and say why."""
    conn.execute(
        """
        UPDATE exception SET cause_code = ?, cause = ?, tries = tries + 1
         WHERE kind = ? AND subject = ? AND status = 'open'
        """,
        [f"{kind}:{cause_code}", cause, kind, subject],
    )


class Named(Struct, frozen=True):
    """What a document names, as far as it is known here."""

    work_order_id: int | None
    item_id: int | None
    lot_id: int | None


def find_named(
    conn: Connection,
    *,
    work_order: str | None,
    item: str | None,
    lot: str | None,
    serial: str | None,
) -> Named:
    """Return the rows of a work order, an item, and a lot or serial of it."""
    row = conn.execute(
        """
        SELECT (SELECT work_order_id FROM work_order WHERE work_order = :work_order), i.item_id,
               (SELECT lot_id FROM lot
                 WHERE lot.item_id = i.item_id AND lot.lot = coalesce(:lot, '')
                   AND lot.serial = coalesce(:serial, '') AND lot.work_order_id = 0
                   AND (:lot IS NOT NULL OR :serial IS NOT NULL))
          FROM (SELECT (SELECT item_id FROM item WHERE item = :item) AS item_id) i
        """,
        {"work_order": work_order, "item": item, "lot": lot, "serial": serial},
    ).fetchone()
    return Named(*row)


def resolve_open(conn: Connection, *, kind: ExceptionKind, subject: str, resolution: str) -> None:
    """End the open exception of this kind and subject; nothing of it is open any more."""
    conn.execute(
        """
        UPDATE exception SET status = 'resolved', resolution = ?,
               quantity_micro = iif(quantity_micro IS NULL, NULL, 0)
         WHERE kind = ? AND subject = ? AND status = 'open'
        """,
        [resolution, kind, subject],
    )


def open_again(conn: Connection, exception_id: int, quantity_micro: int) -> int:
    """Let so much of an exception be open again; return the id of the one that has it now.

    Where another of its kind and subject is open by now, that one gets it with all that is known of
    its parts: each report still finds its own (BF-20).
    """
    other = conn.execute(
        """
        SELECT open.exception_id FROM exception x
          JOIN exception open ON open.kind = x.kind AND open.subject = x.subject
                             AND open.status = 'open'
         WHERE x.exception_id = ?
        """,
        [exception_id],
    ).fetchone()
    if other is not None and other[0] != exception_id:
        for table in ("exception_item", "healing"):
            conn.execute(
                f"UPDATE {table} SET exception_id = ? WHERE exception_id = ?",  # noqa: S608
                [other[0], exception_id],
            )
    kept = exception_id if other is None else int(other[0])
    conn.execute(
        """
        UPDATE exception SET quantity_micro = quantity_micro + ?, status = 'open', resolution = NULL
         WHERE exception_id = ?
        """,
        [quantity_micro, kept],
    )
    return kept
