"""What a person says at the site: an order takes no more reports, a period is closed (UP-4).

Both are judged by when something happened, not by when it arrives: a station that was away posts
what it did before.
"""

from datetime import datetime
from typing import Final

from mes_terminal.errors import InputError
from mes_terminal.site.database import Connection

_BAR: Final = """
    UPDATE work_order
       SET barred_since = coalesce(barred_since, now()), barred_as = %(status)s,
           barred_by = %(person)s
     WHERE work_order = %(work_order)s
    RETURNING barred_since
"""
_OPEN: Final = """
    UPDATE work_order SET barred_since = NULL, barred_as = NULL, barred_by = NULL
     WHERE work_order = %s
    RETURNING work_order
"""
_CLOSE_PERIOD: Final = """
    UPDATE period SET closed_before = %s, closed_by = %s, closed_at = now()
"""


def close_order(
    conn: Connection, work_order: str, *, person: str, cancelled: bool = False
) -> datetime:
    """Let an order take no report of what happens from now on; return since when that is so.

    Raises `InputError` for an order that the site does not know.
    """
    status = "cancelled" if cancelled else "closed"
    values = {"work_order": work_order, "status": status, "person": person}
    row = conn.execute(_BAR, values).fetchone()
    if row is None:
        raise _unknown(work_order)
    since: datetime = row[0]
    return since


def open_order(conn: Connection, work_order: str) -> None:
    """Let an order take reports again. Raises `InputError` for one that is not known."""
    if conn.execute(_OPEN, [work_order]).fetchone() is None:
        raise _unknown(work_order)


def close_period(conn: Connection, before: datetime | None, *, person: str) -> None:
    """Take nothing that happened before an instant; `None`: no period is closed any more."""
    conn.execute(_CLOSE_PERIOD, [before, person])


def _unknown(work_order: str) -> InputError:
    return InputError(
        f"The site knows no order {work_order[:60]!r}. mes-terminal site orders lists them.",
        reason="order_unknown",
    )
