"""Take a report back: `%UNDO`, `%UNDO CODE`, `%UNDO CODE n` (BF-31). Which report, and who may.

`%UNDO` takes the station's last report back, its operator within the grace time; later a supervisor
what another person reported. By its code a supervisor takes back any report, and a part of one; for
its operator the control matrix decides (BF-24). `reverse_report` does it.
"""

from msgspec import Struct

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.intent import Undo
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.quantity import QuantityError, format_quantity, parse_quantity
from mes_terminal.store import codes, policy, reversals
from mes_terminal.store.database import Connection
from mes_terminal.store.reversals import Recorded
from mes_terminal.usecases.apply_policy import accepted, is_blocked, stopped
from mes_terminal.usecases.context import Answer, Context
from mes_terminal.usecases.reverse_report import refused, reverse_report


class _Named(Struct, frozen=True):
    """The report that a code names, and how much of it is meant."""

    report: Recorded
    quantity: str | None
    """As it was scanned; `None`: all that stands of it."""


def undo_report(conn: Connection, intent: Undo, context: Context) -> Answer:
    """Reverse the last report, or the one that is named, as far as this person may."""
    if intent.argument:
        return _undo_named(conn, intent.argument, context)
    report = reversals.last_report(conn)
    if report is None:
        return _nothing("There is no report to take back", context)
    is_late = _is_late(report, context)
    if report.person != context.badge and not (is_late and _supervises(context)):
        said = f"The last report ({report.work_order}) is by {report.person or 'nobody'}"
        return refused(context, "not_authorised", said, report)
    late = f"The last report ({report.work_order}) is older than {context.rules.undo_grace_s} s"
    met = []
    if is_late and report.person == context.badge:
        met = [_deviation(conn, report, report.standing_micro, late)]
    return _reverse(conn, report, None, met, context, is_named=False)


def _undo_named(conn: Connection, argument: str, context: Context) -> Answer:
    named = _find(conn, argument, context)
    if isinstance(named, Answer):
        return named
    report = named.report
    is_own = report.person == context.badge
    if not is_own and not _supervises(context):
        said = f"The report {report.scan_id} of {report.work_order} is by"
        return refused(context, "not_authorised", f"{said} {report.person or 'nobody'}", report)
    part = _part(named, context)
    if isinstance(part, Answer):
        return part
    met = _met(conn, report, part or report.standing_micro, context) if is_own else []
    if _supervises(context) and is_blocked(met, context):
        met = []  # what an operator may not, a supervisor does
    return _reverse(conn, report, part, met, context, is_named=True)


def _reverse(
    conn: Connection,
    report: Recorded,
    part_micro: int | None,
    met: list[Deviation],
    context: Context,
    *,
    is_named: bool,
) -> Answer:
    stop = stopped(conn, met, context, work_order=report.work_order, item=report.item)
    if stop is not None:
        return stop
    ruled = reverse_report(conn, report, part_micro, context, is_named=is_named)
    accepted(conn, met, ruled, report.work_order, context)
    return ruled


def _find(conn: Connection, argument: str, context: Context) -> _Named | Answer:
    """Return what the whole argument names, else its words but the last, which is a quantity."""
    found = _report_of(conn, argument, context)
    if found is not None:
        return _Named(found, None) if isinstance(found, Recorded) else found
    code, _, quantity = argument.rpartition(" ")
    found = _report_of(conn, code.strip(), context) if code else None
    if found is None:
        return _nothing(f"No order, unit or report is called {argument}", context)
    return _Named(found, quantity) if isinstance(found, Recorded) else found


def _report_of(conn: Connection, code: str, context: Context) -> Recorded | Answer | None:
    """Return the newest report of a code that stands, or why there is none; `None`: no code."""
    report = reversals.report_of_scan(conn, code)
    if report is not None:
        return _standing(conn, report, context)
    meant = [each for each in codes.look_up(conn, code) if each.kind in ("order", "unit")]
    if len(meant) > 1:
        said = f"{code} means several orders or units"
        return refused(context, "ambiguous", said, hint="Name the report by its id")
    if not meant:
        return None
    if meant[0].kind == "unit":
        report = reversals.report_of_unit(conn, meant[0].row_id)
        return report or _nothing(f"Nothing stands that made unit {code}", context)
    report = reversals.newest_of_order(conn, meant[0].row_id)
    if report is not None:
        return report
    gone = reversals.last_reversal(conn, work_order_id=meant[0].row_id)
    if gone is None:
        return _nothing(f"Nothing was reported of {code}", context)
    said = f"Every report of {code} was taken back, the last at {gone[1]} by"
    return _nothing(f"{said} {gone[0] or 'nobody'}", context)


def _standing(conn: Connection, report: Recorded, context: Context) -> Recorded | Answer:
    if report.kind == "reversal":
        said = f"{report.scan_id} took a report of {report.work_order} back itself"
        return _nothing(said, context, hint="Report it again instead", report=report)
    if not reversals.stands(conn, report.report_seq):
        person, at = reversals.last_reversal(conn, report_seq=report.report_seq)
        said = f"{report.scan_id} was taken back at {at} by {person or 'nobody'}"
        return _nothing(said, context, hint="Scan what is to be reported", report=report)
    return report


def _part(named: _Named, context: Context) -> int | Answer | None:
    """Return how many units are meant; `None`: all that stand."""
    report = named.report
    if named.quantity is None:
        return None
    try:
        micro = parse_quantity(named.quantity)
    except QuantityError as error:
        return refused(context, "malformed", f"UNDO: {error}", report, hint=_HOW)
    if micro <= 0:
        return refused(context, "malformed", "UNDO needs a number above 0", report, hint=_HOW)
    if not report.units_micro or (not report.is_divisible and micro != report.standing_micro):
        said = f"The report {report.scan_id} goes back whole or not at all"
        return refused(context, "no_effect", said, report, hint="Scan UNDO without a number")
    if micro > report.standing_micro:
        stand = format_quantity(report.standing_micro)
        said = f"{stand} {report.uom} of the report {report.scan_id} stand, not {named.quantity}"
        return refused(context, "over_tolerance", said, report, hint="Take back less")
    if micro % report.step_micro:
        step = format_quantity(report.step_micro)
        said = f"{report.item} is counted in steps of {step}"
        return refused(context, "not_a_step", said, report, hint=_HOW)
    return micro


_HOW = "Scan UNDO, the code and how many, such as UNDO WO-1 3"


def _met(conn: Connection, report: Recorded, quantity: int, context: Context) -> list[Deviation]:
    """Return the deviation of an own report that is too old, or is not the last one here."""
    last = reversals.last_report(conn)
    if _is_late(report, context):
        why = f"is older than {context.rules.undo_grace_s} s"
    elif last is None or last.report_seq != report.report_seq:
        why = "is not the last one of this station"
    else:
        return []
    said = f"The report {report.scan_id} of {report.work_order} {why}"
    return [_deviation(conn, report, quantity, said)]


def _deviation(conn: Connection, report: Recorded, quantity: int, said: str) -> Deviation:
    return Deviation(
        situation="late_reversal",
        item=report.item,
        item_class=policy.class_of_item(conn, report.item),
        quantity=format_quantity(quantity),
        said=said,
        hint="Call a supervisor",
    )


def _is_late(report: Recorded, context: Context) -> bool:
    age_s = seconds_between(report.event_time, context.scan.event_time)
    return age_s > context.rules.undo_grace_s


def _supervises(context: Context) -> bool:
    return context.person is not None and context.person.supervises


def _nothing(
    said: str,
    context: Context,
    *,
    hint: str = "Scan an order, a unit or a component lot",
    report: Recorded | None = None,
) -> Answer:
    return refused(context, "nothing_to_undo", said, report, hint=hint)
