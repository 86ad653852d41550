"""One scan = one id = one transaction = one outcome = at most one report.

The one door: every scan, from whichever driver, screen or script, enters here. It is journalled
already; the code is read before the write lock is taken, then one transaction loads the facts, lets
the use case of its intent rule, and concludes the scan. If anything raises, nothing of it happened
and the journal still has the scan.
"""

from typing import assert_never

from mes_terminal.barcodes.decode import decode
from mes_terminal.barcodes.interpret import TAKES_QUANTITY, interpret
from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain import intent as meant
from mes_terminal.domain.instants import local_day
from mes_terminal.domain.intent import Intent, Meaning
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan
from mes_terminal.store import scan_journal
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.session import read_session, write_session
from mes_terminal.usecases.apply_policy import is_question
from mes_terminal.usecases.await_code import await_code
from mes_terminal.usecases.call_material import call_material
from mes_terminal.usecases.close_short import close_short
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.count_stock import count_stock
from mes_terminal.usecases.count_unknown import count_unknown
from mes_terminal.usecases.dismount import dismount
from mes_terminal.usecases.fill_slot import fill_slot
from mes_terminal.usecases.handle_material import handle_material
from mes_terminal.usecases.hear_answer import Heard, hear
from mes_terminal.usecases.line_stop import start_line, stop_line
from mes_terminal.usecases.missing_conversion import note_missing
from mes_terminal.usecases.read_code import read_code
from mes_terminal.usecases.receive_label import receive_label
from mes_terminal.usecases.recovered import remember_recovered
from mes_terminal.usecases.report_new_unit import report_new_unit
from mes_terminal.usecases.report_operation import report_operation
from mes_terminal.usecases.report_production import report_item, report_order, report_unit
from mes_terminal.usecases.rework import rework
from mes_terminal.usecases.scrap import scrap
from mes_terminal.usecases.shift_end import tell_open
from mes_terminal.usecases.start_order import start_order
from mes_terminal.usecases.station_commands import (
    cancel,
    present_badge,
    set_quantity,
    tell,
    tell_help,
)
from mes_terminal.usecases.undo_report import undo_report
from mes_terminal.usecases.use_material import name_output_lot, use_material

_OfStation = (
    meant.StopLine | meant.CallMaterial | meant.EndOfShift | meant.Undo | meant.PresentBadge
    | meant.SetQuantity | meant.Cancel | meant.Help | meant.Need | meant.Refuse | meant.UnknownCode
)  # fmt: skip
"""What is about the station and who works there, or about no material at all."""


def handle_scan(db: Database, scan: Scan, rules: StationRules) -> Outcome:
    """Handle a journalled scan to its durable outcome."""
    payload = _decoded(scan, rules)
    with db.transaction() as conn:
        return _conclude(conn, scan, payload, rules)


def rehearse_scan(conn: Connection, scan: Scan, rules: StationRules) -> Outcome:
    """Handle a journalled scan inside a transaction that is taken back."""
    return _conclude(conn, scan, _decoded(scan, rules), rules)


def _decoded(scan: Scan, rules: StationRules) -> Payload:
    return decode(
        scan.raw,
        rules.code_rules(scan.device),
        truncated=scan.truncated,
        fault=scan.fault,
        key=scan.fault_key,
    )


def _conclude(conn: Connection, scan: Scan, payload: Payload, rules: StationRules) -> Outcome:
    code = scan.raw.decode("utf-8", "replace")
    today = local_day(scan.event_time, rules.zone)
    session, person, head = read_session(conn, scan.badge)
    context = Context(scan, rules, session, person, head, code, today)
    heard = hear(conn, payload, read_code(conn, payload), context)
    ruled = heard if isinstance(heard, Answer) else _handle(conn, heard)
    if ruled.session != session:
        write_session(conn, ruled.session)
    scan_journal.conclude(
        conn, scan, ruled.outcome, ruled.event_seq, previous_hash=head.journal_hash
    )
    return ruled.outcome


def _handle(conn: Connection, heard: Heard) -> Answer:
    payload, context = heard.payload, heard.context
    intent = interpret(payload, context.session, heard.meanings)
    ruled = _not_allowed(intent, payload, context) or _rule(conn, intent, context)
    if payload.kind not in ("command", "reject"):
        ruled = _use_up_quantity(heard.meanings, ruled)
    if ruled.session.line_stop_id is not None:
        ruled = start_line(conn, ruled, context)
    if context.scan.recovered_at is not None:
        ruled = remember_recovered(intent, ruled, context)
    return ruled


def _rule(conn: Connection, intent: Intent, context: Context) -> Answer:
    match intent:
        case meant.ReportOrder():
            return report_order(conn, intent, context)
        case meant.ReportUnit():
            return report_unit(conn, intent, context)
        case meant.ReportNewUnit():
            return report_new_unit(conn, intent, context)
        case meant.ReportItem():
            return report_item(conn, intent, context)
        case meant.UseMaterial():
            return use_material(conn, intent, context)
        case meant.NameOutputLot():
            return name_output_lot(conn, intent, context) or receive_label(conn, intent, context)
        case meant.StartOrder(work_order):
            return start_order(conn, work_order, context)
        case meant.CloseShort():
            return close_short(conn, intent, context)
        case meant.Dismount():
            return dismount(conn, intent, context)
        case meant.AwaitCode():
            return await_code(conn, intent, context)
        case meant.ReportOperation():
            return report_operation(conn, intent, context)
        case meant.FillSlot():
            return fill_slot(conn, intent, context)
        case meant.Scrap():
            return scrap(conn, intent, context)
        case meant.Rework():
            return rework(conn, intent, context)
        case meant.HandleMaterial():
            return handle_material(conn, intent, context)
        case meant.CountCommand() | meant.CountScan():
            return count_stock(conn, intent, context)
        case _:
            return _rule_for_station(conn, intent, context)


def _rule_for_station(conn: Connection, intent: _OfStation, context: Context) -> Answer:
    match intent:
        case meant.StopLine():
            return stop_line(conn, intent, context)
        case meant.CallMaterial():
            return call_material(conn, context)
        case meant.EndOfShift():
            return tell_open(conn, context)
        case meant.Undo():
            return undo_report(conn, intent, context)
        case meant.PresentBadge():
            return present_badge(conn, intent, context)
        case meant.SetQuantity():
            return set_quantity(intent, context)
        case meant.Cancel():
            return cancel(conn, context)
        case meant.Help():
            return tell_help(context)
        case meant.Refuse() if intent.lacks is not None:
            return note_missing(conn, intent, intent.lacks, context)
        case meant.Need() | meant.Refuse():
            return tell(intent, context)
        case meant.UnknownCode():
            return count_unknown(conn, context)
        case _:
            assert_never(intent)


def _not_allowed(intent: Intent, payload: Payload, context: Context) -> Answer | None:
    """Refuse a badge that is nobody's, and a scan without one where signing in is required.

    A frame that is no code at all keeps its own reason.
    """
    unknown = context.scan_by_nobody
    required = context.rules.require_sign_in and context.person is None
    free = isinstance(intent, meant.PresentBadge | meant.Help) or payload.kind == "reject"
    if not unknown and (free or not required):
        return None
    said = f"The badge {context.scan.badge} is not known" if unknown else "Nobody is signed in"
    return answer(
        context,
        "rejected",
        f"{said}. Nothing was booked",
        "Scan your badge first",
        reason="not_authorised",
    )


def _use_up_quantity(meanings: list[Meaning], ruled: Answer) -> Answer:
    """An order, item, container or lot takes `%QTY` whatever its outcome, unless it asks."""
    if ruled.session.pending_quantity_micro is None or len(meanings) != 1:
        return ruled
    if meanings[0].kind not in TAKES_QUANTITY:
        return ruled
    if is_question(ruled.outcome):
        return ruled
    session = changed(ruled.session, pending_quantity_micro=None)
    return Answer(ruled.outcome, session, ruled.event_seq)
