"""Pre-flight: what a close of the order would do now, by the real posting code, taken back."""

from msgspec import Struct

from mes_terminal.domain.backflush import Draw
from mes_terminal.domain.instants import local_day
from mes_terminal.domain.order import OrderFacts, remaining_micro
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.report_plan import Unit, Wanted
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
from mes_terminal.usecases.slots_at_hand import Parts, parts_of


class Closing(Struct, frozen=True):
    """What closing an order came to."""

    lines_post: int
    short: list[Draw]
    """The lines that lack something."""
    parts: Parts
    """What is in the slots of its units, and what must be scanned first (BF-18)."""
    refusal: str | None
    """Why nothing was posted, as a sentence."""


def preflight(db: Database, work_order: str, rules: StationRules, *, now: str) -> PreflightView:
    """Return what closing the order at `now` would do. Raises `InputError` for an unknown order."""
    with db.rehearsal() as conn:
        order = read_order(conn, work_order, scrap_location=rules.scrap_location)
        if order is None:
            raise InputError(f"There is no order {work_order}. See: mes-terminal orders.")
        session, person, head = read_session(conn)
        today = local_day(now, rules.zone)
        context = Context(nobody(conn, now), rules, session, person, head, "", today)
        return rehearse(conn, order, context)


def rehearse(conn: Connection, order: OrderFacts, context: Context) -> PreflightView:
    """Close the order in a savepoint, take it back, and return what would post and what not."""
    conn.execute("SAVEPOINT rehearsal")
    try:
        closing = close_remaining(conn, order, context)
    finally:
        conn.execute("ROLLBACK TO rehearsal")
        conn.execute("RELEASE rehearsal")
    return PreflightView(
        lines_post=closing.lines_post,
        lines_short=len(closing.short) + len(closing.parts.lacking),
        shortages=[
            f"{each.line.item} short {format_quantity(missing_micro(each))} {each.line.uom}"
            for each in closing.short
        ]
        + [f"{item} to be scanned for {count}" for item, count in closing.parts.lacking],
    )


def close_remaining(conn: Connection, order: OrderFacts, context: Context) -> Closing:
    """Post all that remains of the order, for real: the caller takes it back."""
    quantity = remaining_micro(order)
    if not quantity:
        return Closing(0, [], Parts([], [], []), None)
    draws = draws_of(
        conn, order, Wanted(good_micro=quantity), context, read_operations(conn, order)
    ).draws
    units = []
    if order.tracking == "serial":
        units = read_units(conn, order, limit=quantity // MICRO)
    parts = parts_of(conn, order, units, quantity // MICRO, today=context.today)
    refusal = _post(conn, order, quantity, units, context)
    short = [each for each in draws if missing_micro(each)]
    return Closing(len(draws) - len(short), short, parts, refusal)


def missing_micro(draw: Draw) -> int:
    """Return what a line would be short of, planned scrap included."""
    return draw.net_missing_micro + draw.scrap_missing_micro


def _post(
    conn: Connection, order: OrderFacts, quantity: int, units: list[Unit], context: Context
) -> str | None:
    """Post it; return why that cannot be, if it cannot. A product with serials is posted as far as
    its units are known."""
    if order.tracking == "serial":
        quantity = len(units) * MICRO
    if not quantity:
        return None
    posted = post_report(conn, order, Wanted(good_micro=quantity, units=units), context)
    return None if posted.event_seq is not None else posted.outcome.message


def nobody(conn: Connection, now: str) -> Scan:
    """Return a scan for the rehearsal, journalled as one is: what it writes refers to it."""
    request = ScanRequest(raw=b"", device="")
    return scan_journal.insert_scans(conn, [request], [""], received_at=now)[0]
