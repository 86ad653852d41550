"""Pre-flight: what a close of the order would do now, by the real posting code, taken back."""

from mes_terminal.domain.instants import local_day
from mes_terminal.domain.order import OrderFacts, remaining_micro
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.report_plan import Wanted
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan, ScanRequest
from mes_terminal.domain.view import PreflightView
from mes_terminal.errors import InputError
from mes_terminal.store import scan_journal
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.order_facts import read_operations, read_order, read_units
from mes_terminal.store.session import read_session
from mes_terminal.usecases.context import Context
from mes_terminal.usecases.post_report import draws_of, post_report
from mes_terminal.usecases.slots_at_hand import parts_of


def preflight(db: Database, work_order: str, rules: StationRules, *, now: str) -> PreflightView:
    """Return what closing the order at `now` would do. Raises `InputError` for an unknown order."""
    with db.rehearsal() as conn:
        order = read_order(conn, work_order, scrap_location=rules.scrap_location)
        if order is None:
            raise InputError(f"There is no order {work_order}. See: mes-terminal orders.")
        session, person, head = read_session(conn)
        today = local_day(now, rules.zone)
        context = Context(_nobody(conn, now), rules, session, person, head, "", today)
        return rehearse(conn, order, context)


def rehearse(conn: Connection, order: OrderFacts, context: Context) -> PreflightView:
    """Close the order in a savepoint, take it back, and return what would post and what not."""
    quantity = remaining_micro(order)
    if not quantity:
        return PreflightView(lines_post=0, lines_short=0)
    drawn = draws_of(
        conn, order, Wanted(good_micro=quantity), context, read_operations(conn, order)
    )
    draws = drawn.draws
    _post_and_take_back(conn, order, quantity, context)
    short = [each for each in draws if each.net_missing_micro or each.scrap_missing_micro]
    lacking = _empty_slots(conn, order, quantity, today=context.today)
    return PreflightView(
        lines_post=len(draws) - len(short),
        lines_short=len(short) + len(lacking),
        shortages=[
            f"{each.line.item} short "
            f"{format_quantity(each.net_missing_micro + each.scrap_missing_micro)} {each.line.uom}"
            for each in short
        ]
        + [f"{item} to be scanned for {count}" for item, count in lacking],
    )


def _empty_slots(
    conn: Connection, order: OrderFacts, quantity: int, *, today: str
) -> list[tuple[str, int]]:
    """Return (component, how many units lack it) of what must be scanned first (BF-18)."""
    units = []
    if order.tracking == "serial":
        units = read_units(conn, order, limit=quantity // MICRO)
    return parts_of(conn, order, units, quantity // MICRO, today=today).lacking


def _post_and_take_back(
    conn: Connection, order: OrderFacts, quantity: int, context: Context
) -> None:
    units = []
    if order.tracking == "serial":
        units = read_units(conn, order, limit=quantity // MICRO)
        quantity = len(units) * MICRO
    if not quantity:
        return
    conn.execute("SAVEPOINT rehearsal")
    try:
        post_report(conn, order, Wanted(good_micro=quantity, units=units), context)
    finally:
        conn.execute("ROLLBACK TO rehearsal")
        conn.execute("RELEASE rehearsal")


def _nobody(conn: Connection, now: str) -> Scan:
    """Return a scan for the rehearsal, journalled as one is: what it writes refers to it."""
    request = ScanRequest(raw=b"", device="")
    return scan_journal.insert_scans(conn, [request], [""], received_at=now)[0]
