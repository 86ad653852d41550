"""The order that a code names, once the code has been looked up in this very transaction."""

from mes_terminal.domain.order import OrderFacts
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import read_order
from mes_terminal.usecases.context import Context


def order_of(conn: Connection, work_order: str, context: Context) -> OrderFacts:
    """Return an order that is known to exist. Raises `LookupError` where it does not after all."""
    order = read_order(conn, work_order, scrap_location=context.rules.scrap_location)
    if order is None:
        raise LookupError(work_order)
    return order
