"""Which permit lets a deviation pass, and what its use takes of it (BF-24).

Looked for only where a deviation is met that the matrix neither allows nor blocks, and that nobody
has answered for: at levels `confirm`, `reason` and `approve`. While the clock is in doubt nobody
knows what is over, so none is used. One permit must cover the whole deviation.
"""

from mes_terminal.domain.permits import Planned, measured_micro
from mes_terminal.domain.policy import Consent, ControlLevel, Deviation
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import permits
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.usecases.context import Context, fact


def permitted(
    conn: Connection,
    met: Deviation,
    level: ControlLevel,
    work_order: str | None,
    context: Context,
    planned: Planned,
) -> Consent | None:
    """Return the consent of the permit that ends first of those that cover the deviation.

    `planned` is what the same scan takes of permits: of this deviation too, afterwards.
    """
    if context.session.clock_in_doubt:
        return None
    order = met.work_order or work_order
    at = context.scan.event_time
    for each in permits.read_standing(conn, met.item, met.situation, at=at):
        if level == "reason" and each.reason is None:
            continue
        if each.covers(met, work_order=order, person=context.badge, planned=planned):
            micro, uses = planned.get(each.permit_id, (0, 0))
            planned[each.permit_id] = (micro + measured_micro(met), uses + 1)
            return Consent(
                met.situation,
                level,
                reason=each.reason,
                second_person=each.granted_by,
                lot=met.lot,
                permit=each.permit_id,
                lasts=each.once,
            )
    return None


def used_by(
    conn: Connection, met: Deviation, level: ControlLevel, event_seq: int
) -> Consent | None:
    """Return the consent of the permit that an event used up for the same thing: of a serial that
    was scanned and built in at once."""
    found = permits.read_used(conn, event_seq, met.item, met.situation)
    if found is None:
        return None
    permit_id, granted_by, reason = found
    return Consent(
        met.situation, level, reason=reason, second_person=granted_by, lot=met.lot, permit=permit_id
    )


def use(conn: Connection, permit_id: int, met: Deviation, event_seq: int) -> str | None:
    """Take what was let pass by an event off its permit; return what is left of its quantity."""
    left_micro = permits.use(conn, permit_id, measured_micro(met), event_seq)
    return None if left_micro is None else format_quantity(left_micro)


def give_back(conn: Connection, report_seq: int, event_seq: int, context: Context) -> None:
    """Give permits back what a report used of them; `event_seq` took the whole of it back.

    A report that is taken back in parts gives it back with the last one, and what was issued by
    hand and returned does not: more is never let pass than was granted.
    """
    for each in permits.give_back(conn, report_seq, event_seq):
        left = None if each.left_micro is None else format_quantity(each.left_micro)
        draft = fact(
            context,
            "permit.given_back",
            f"permit:{each.permit_id}",
            permit=each.permit_id,
            item=each.item,
            quantity=format_quantity(each.quantity_micro),
            permit_left=left,
        )
        append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)
