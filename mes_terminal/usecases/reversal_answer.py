"""How the reversal of a report answers at the station (BF-31)."""

from typing import Any

import msgspec

from mes_terminal.domain.outcome import Consumed, Produced
from mes_terminal.domain.quantity import format_quantity, parse_quantity
from mes_terminal.domain.session import Session
from mes_terminal.store.reversals import Recorded
from mes_terminal.usecases.context import Answer, Context, answer, changed


def reversal_answer(
    report: Recorded,
    actuals: list[dict[str, Any]],
    context: Context,
    *,
    units_micro: int,
    status: str,
    event_seq: int,
    is_named: bool,
) -> Answer:
    """Return the answer: what went back, below zero, and how the order stands."""
    made = [actual for actual in actuals if actual["use"] == "Produced"]
    about = made or [actual for actual in actuals if actual["use"] == "Moved"]
    quantity = _quantity(report, units_micro, about)
    serials = [actual["serial"] for actual in about]
    return answer(
        context,
        "recorded",
        f"Taken back: {_phrase(report, quantity)} of {report.work_order}",
        "Scan it again when it is right",
        work_order=report.work_order,
        order_status=status,
        item=report.item,
        quantity=quantity if quantity == "0" else f"-{quantity}",
        lot=about[0]["lot"] if about else None,
        serial=serials[0] if len(serials) == 1 else None,
        report_id=context.scan.scan_id,
        consumed=[_consumed(each) for each in actuals if each["use"] == "Consumed"],
        scrapped=[
            msgspec.structs.replace(_consumed(each), location=context.rules.scrap_location)
            for each in actuals
            if each["use"] == "Scrapped"
        ],
        produced=[
            Produced(each["item"], each["lot"], each["serial"], each["location"],
                     each["quantity"], each["uom"])
            for each in made
        ],
        event_seq=event_seq,
        session=_session_after(report, context, is_named=is_named),
    )  # fmt: skip


def _quantity(report: Recorded, units_micro: int, about: list[dict[str, Any]]) -> str:
    """Return how many units went back."""
    if report.kind == "exchange":
        return "1"
    if report.is_rework:
        return format_quantity(-sum(parse_quantity(each["quantity"]) for each in about))
    return format_quantity(units_micro)


def _phrase(report: Recorded, quantity: str) -> str:
    return {
        "short_close": "the short close",
        "operation": f"operation {report.operation} for {quantity} {report.item}",
        "scrap": f"{quantity} {report.item} scrapped",
        "rework": f"the rework of {quantity} {report.item}",
        "reworked": f"the end of rework of {quantity} {report.item}",
        "exchange": f"the exchange in {report.item}",
    }.get(report.kind, f"{quantity} {report.item}")


def _session_after(report: Recorded, context: Context, *, is_named: bool) -> Session:
    session = context.session
    if not report.is_rework:
        return session if is_named else changed(session, work_order_id=report.work_order_id)
    if session.pending_verb == "REPLACE":
        session = changed(session, pending_verb=None, pending_argument=None)
    return changed(session, unit_id=None) if report.kind == "rework" else session


def _consumed(actual: dict[str, Any]) -> Consumed:
    return Consumed(
        actual["order_line"], actual["item"], actual["lot"], actual["serial"], actual["location"],
        actual["quantity"], actual["uom"], actual["certainty"],
    )  # fmt: skip
