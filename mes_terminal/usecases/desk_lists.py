"""The lists of the supervisor's desk by name; `usecases.lists` has them among all."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from mes_terminal.store.database import Database
from mes_terminal.usecases.desk_audit import desk_audit, desk_audit_count, desk_audit_entry
from mes_terminal.usecases.desk_counts import desk_counts, desk_counts_count
from mes_terminal.usecases.desk_orders import desk_orders, desk_orders_count
from mes_terminal.usecases.desk_outbox import desk_outbox, desk_outbox_count, desk_posting
from mes_terminal.usecases.desk_people import desk_people, desk_people_count
from mes_terminal.usecases.desk_reconcile import (
    desk_outbox_head,
    desk_reconcile,
    desk_reconcile_count,
)
from mes_terminal.usecases.desk_shifts import desk_shifts
from mes_terminal.usecases.desk_stock import (
    desk_lot_held,
    desk_lot_places,
    desk_lots,
    desk_lots_count,
    desk_mounts,
    desk_mounts_count,
    desk_stock,
    desk_stock_count,
    desk_stock_lots,
)
from mes_terminal.usecases.desk_trace import desk_trace, desk_trace_count

DESK_LISTS: Final[dict[str, Callable[[Database, Mapping[str, str]], Iterator[Struct]]]] = {
    "desk_outbox": desk_outbox,
    "desk_outbox_count": desk_outbox_count,
    "desk_posting": desk_posting,
    "desk_audit": desk_audit,
    "desk_audit_count": desk_audit_count,
    "desk_audit_entry": desk_audit_entry,
    "desk_trace": desk_trace,
    "desk_trace_count": desk_trace_count,
    "desk_people": desk_people,
    "desk_people_count": desk_people_count,
    "desk_stock_count": desk_stock_count,
    "desk_lot_held": desk_lot_held,
    "desk_lot_places": desk_lot_places,
    "desk_mounts_count": desk_mounts_count,
}

DESK_RULED_LISTS: Final[dict[str, Any]] = {
    "desk_shifts": desk_shifts,
    "desk_outbox_head": desk_outbox_head,
    "desk_reconcile": desk_reconcile,
    "desk_reconcile_count": desk_reconcile_count,
    "desk_counts": desk_counts,
    "desk_counts_count": desk_counts_count,
    "desk_orders": desk_orders,
    "desk_orders_count": desk_orders_count,
    "desk_stock": desk_stock,
    "desk_stock_lots": desk_stock_lots,
    "desk_lots": desk_lots,
    "desk_lots_count": desk_lots_count,
    "desk_mounts": desk_mounts,
}
"""Those that the settings or the time have a say in."""
