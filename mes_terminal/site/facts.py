"""What judging a batch needs to know, read in one statement for each kind of fact."""

from collections.abc import Callable, Sequence
from typing import Final

from mes_terminal.site.database import Connection
from mes_terminal.site.judge import Barred, Blocked, Facts
from mes_terminal.site.reading import Posting

_ORDERS: Final = """
    SELECT work_order, item,
           to_char(barred_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), barred_as
      FROM work_order WHERE work_order = ANY(%s)
"""
_LOTS: Final = """
    SELECT item, lot, serial,
           to_char(status_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), status
      FROM material WHERE item = ANY(%s) AND status <> 'available'
"""
_PERIOD: Final = """
    SELECT to_char(closed_before AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM period
"""


def ask_facts(
    conn: Connection, postings: Sequence[Posting]
) -> Callable[[], tuple[Facts, dict[str, str]]]:
    """Ask for the facts, and for the products of the orders as far as they are known; what is
    returned reads the answers, so that a pipeline asks for all at once."""
    names = sorted({each.data.work_order for each in postings if each.data.work_order})
    used = {
        actual.item
        for each in postings
        for actual in each.data.material_actuals
        if actual.use == "Consumed"
    }
    orders = conn.execute(_ORDERS, [names]) if names else None
    lots = conn.execute(_LOTS, [sorted(used)]) if used else None
    period = conn.execute(_PERIOD)

    def read() -> tuple[Facts, dict[str, str]]:
        found = orders.fetchall() if orders is not None else []
        row = period.fetchone()
        facts = Facts(
            orders={name: Barred(since, status) for name, _, since, status in found if since},
            lots={tuple(row[:3]): Blocked(*row[3:]) for row in lots} if lots is not None else {},
            closed_before=row[0] if row is not None else None,
        )
        return facts, {name: item for name, item, _, _ in found if item is not None}

    return read
