"""The reports of an order, so that a person sees what can be taken back (BF-31).

Called by the core's reading thread and by the command line, through `usecases.lists.LISTS`.
"""

from collections.abc import Iterator, Mapping
from json import loads

from msgspec import Struct

from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.errors import InputError
from mes_terminal.store.database import Database
from mes_terminal.store.lists import has_work_order
from mes_terminal.store.order_reports import ReportFound, read_reports


class OrderReportRow(Struct, frozen=True):
    """One report of an order, reversals left out; `%UNDO` takes its `report_id`."""

    report_id: str
    kind: str
    quantity: str
    reversed: str
    """How many units of it were taken back."""
    lot: str | None
    serials: list[str]
    person: str | None
    event_time: str
    status: str
    """`standing`, `in part` (some of it was taken back) or `taken back`."""


def order_reports(database: Database, filters: Mapping[str, str]) -> Iterator[OrderReportRow]:
    """Yield the reports of an order, oldest first.

    Raises `InputError` for a number that is not known.
    """
    if set(filters) != {"work_order"}:
        raise InputError("order_reports has one filter, and needs it: work_order.")
    work_order = filters["work_order"]
    if not has_work_order(database, work_order):
        raise InputError(
            f"There is no work order {work_order[:64]!r}. mes-terminal orders lists the numbers.",
            reason="order_unknown",
        )
    return (_row(found) for found in read_reports(database, work_order))


def _row(found: ReportFound) -> OrderReportRow:
    passed = loads(found.passed or "[[0, 0, 0]]")[-1][1] if found.kind == "operation" else 0
    micro = found.good_micro or found.scrapped_micro or passed
    if found.kind in ("rework", "reworked", "exchange"):
        micro = found.moved_micro or MICRO
    back = micro if found.is_taken_back else found.reversed_micro
    serials = loads(found.serials) or loads(found.scrapped_serials or "[]")
    status = "taken back" if found.is_taken_back else "in part" if back else "standing"
    return OrderReportRow(
        found.report_id,
        found.kind,
        format_quantity(micro),
        format_quantity(back),
        found.lot or None,
        serials,
        found.person,
        found.event_time,
        status,
    )
