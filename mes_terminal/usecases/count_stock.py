"""A place is counted while the line runs: `%COUNT location`, then lots, then `%COUNT` (BF-32).

`%COUNT item` in between: nothing of the item is there. Blind: nobody is told what the books say.
What was counted is compared with the books of the moment it was scanned, less what is owed and what
units on the line hold; of a counted item, a lot that nobody found is not there. Within the
tolerance the difference is booked, beyond it a person approves. Orders, units and products are
reported meanwhile as ever.
"""

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.counting import CountedItem, Finding, find, in_process_micro, is_within
from mes_terminal.domain.intent import CountCommand, CountScan, Named, ReportItem
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.quantity import QuantityError, format_quantity, parse_quantity
from mes_terminal.store import counts, materials, orders, uncounted
from mes_terminal.store.counts import AskedOrder, OpenCount
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact
from mes_terminal.usecases.end_by_itself import tell_end
from mes_terminal.usecases.handled import Handled, handled_by, in_slot, refused
from mes_terminal.usecases.post_count import approve_later, post_difference
from mes_terminal.usecases.report_production import report_item


class Found(Struct, frozen=True):
    """An item of a count, what it came to, and the open exceptions that this explains."""

    item: CountedItem
    finding: Finding
    explains: list[counts.Explained]


def count_stock(conn: Connection, intent: CountCommand | CountScan, context: Context) -> Answer:
    """Begin or end a count of a place, or note what was counted there."""
    if isinstance(intent, CountCommand):
        return _command(conn, intent.argument, context)
    return _scan(conn, intent.what, context)


def _command(conn: Connection, argument: str, context: Context) -> Answer:
    """Begin a count, or end the one that is open."""
    open_id = context.session.stock_count_id
    if open_id is None:
        return _begin(conn, argument, context)
    count = counts.read_open(conn, open_id)
    asked = [each for each in counts.orders_asked(conn, open_id) if each.units_micro is None]
    if asked:
        return _take_answer(conn, count, asked[0], argument, context)
    if argument:
        return _note_none(conn, count, argument, context)
    return _end(conn, count, context)


def drop_count(conn: Connection, context: Context) -> str:
    """Drop the count that is open: nothing is booked. Return the place that was counted."""
    assert context.session.stock_count_id is not None
    count = counts.read_open(conn, context.session.stock_count_id)
    event_seq = _tell(conn, "count.dropped", count, context)
    counts.end(conn, count, status="dropped", event_seq=event_seq, at=context.scan.event_time)
    return count.location


def _scan(conn: Connection, what: Named, context: Context) -> Answer:
    """Note what was counted of a lot, a container or an item without tracking; add to it where it
    was scanned before."""
    assert context.session.stock_count_id is not None
    if what.kind == "item" and orders.orders_for_item(conn, what.item_id).made_here:
        intent = ReportItem(what.item_id, what.key, what.quantity_micro)
        return report_item(conn, intent, context)
    handled = handled_by(conn, "COUNT", what, context)
    if isinstance(handled, Answer):
        return handled
    refusal = in_slot(conn, handled, context)
    if refusal is not None:
        return refusal
    quantity = handled.quantity_micro
    if quantity is None:
        return answer(
            context,
            "needs",
            f"How much of {handled.name} is there?",
            f"Scan QTY with the number, then {handled.name} again",
            reason="quantity",
            item=handled.material.item,
            lot=handled.material.lot,
        )
    return _note(conn, handled, quantity, context)


def _begin(conn: Connection, location: str, context: Context) -> Answer:
    kind = orders.location_kind(conn, location, station=context.rules.station)
    if kind is None or kind == "virtual":
        said = f"{location} is no location of this station" if location else (
            "COUNT lacks its location"
        )  # fmt: skip
        return refused(context, "malformed", said, "Scan COUNT with a location, such as COUNT LINE")
    place = materials.place(conn, location)
    draft = fact(context, "count.started", location, location=location)
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    count_id = counts.start(
        conn,
        location_id=place.location_id,
        event_seq=event_seq,
        at=context.scan.event_time,
        person=context.badge,
    )
    return answer(
        context,
        "recorded",
        f"Counting {location}",
        "Scan each lot with its quantity, then COUNT to end",
        event_seq=event_seq,
        session=changed(context.session, stock_count_id=count_id),
    )


def _note(conn: Connection, handled: Handled, quantity_micro: int, context: Context) -> Answer:
    material = handled.material
    count = counts.read_open(conn, context.session.stock_count_id or 0)
    counts.note_item(conn, count, material.item_id)
    total = counts.note_stock(
        conn,
        count,
        item_id=material.item_id,
        lot_id=material.lot_id,
        container_id=handled.container_id,
        counted_micro=quantity_micro,
        scan_seq=context.scan.scan_seq,
    )
    more = "" if total == quantity_micro else f", {format_quantity(total)} in all"
    named = material.item if handled.name == material.item else f"{handled.name} of {material.item}"
    return answer(
        context,
        "recorded",
        f"{format_quantity(quantity_micro)} {material.uom} of {named} counted{more}",
        "Scan the next lot with its quantity, or COUNT to end",
        item=material.item,
        lot=material.lot,
        serial=material.serial,
        quantity=format_quantity(quantity_micro),
    )


def _note_none(conn: Connection, count: OpenCount, argument: str, context: Context) -> Answer:
    """Note that nothing of an item lies there: `%COUNT item`."""
    item = counts.find_item(conn, argument)
    if item is None:
        return refused(context, "no_effect", f"The count of {count.location} is still open",
                       f"Scan what lies at {count.location}, or COUNT to end it")  # fmt: skip
    item_id, name, lot_id = item
    counts.note_item(conn, count, item_id)
    if lot_id is not None:
        counts.note_stock(
            conn,
            count,
            item_id=item_id,
            lot_id=lot_id,
            container_id=0,
            counted_micro=0,
            scan_seq=context.scan.scan_seq,
        )
    return answer(
        context,
        "recorded",
        f"Nothing of {name} lies at {count.location}, unless it is scanned",
        "Scan the next lot with its quantity, or COUNT to end",
        item=name,
        quantity="0",
    )


def _take_answer(
    conn: Connection, count: OpenCount, asked: AskedOrder, argument: str, context: Context
) -> Answer:
    """Take how many units are on the line: what `%QTY` said, or the number after `%COUNT`."""
    units = context.session.pending_quantity_micro
    if argument:
        try:
            units = parse_quantity(argument)
        except QuantityError:
            units = None
    if units is None or units < 0 or units % asked.step_micro:
        return _ask(asked, context)
    counts.answer_units(conn, count.stock_count_id, asked.work_order_id, units)
    session = changed(context.session, pending_quantity_micro=None)
    return _end(conn, count, replace(context, session=session))


def _ask(asked: AskedOrder, context: Context) -> Answer:
    return answer(
        context,
        "needs",
        f"How many units of {asked.work_order} are on the line, begun and not reported?",
        "Scan COUNT with the number, such as COUNT 3; COUNT 0 if there are none",
        reason="quantity",
        work_order=asked.work_order,
    )


def _end(conn: Connection, count: OpenCount, context: Context) -> Answer:
    lines = counts.process_lines(conn, count)
    said = {each.work_order_id: each for each in counts.orders_asked(conn, count.stock_count_id)}
    for line in lines:
        if line.passed_micro is None and line.work_order_id not in said:
            asked = counts.ask(conn, count.stock_count_id, line.work_order_id)
            return _ask(asked, context)
    units = {key: each.units_micro or 0 for key, each in said.items()}
    items = [
        replace(each, in_process_micro=in_process_micro(each.item_id, lines, units))
        for each in counts.counted_items(conn, count)
    ]
    found = [
        Found(
            each,
            find(each),
            counts.explained(conn, each.item_id, count.location_id, subject=_subject(each, count)),
        )
        for each in items
    ]
    event_seq = _tell(conn, "count.ended", count, context, found)
    counts.end(conn, count, status="ended", event_seq=event_seq, at=context.scan.event_time)
    settled = [_settle(conn, count, each, context) for each in found]
    waiting = [opened for opened in settled if opened is not None]
    return answer(
        context,
        "recorded",
        _said(count, found, waiting),
        "Scan an order, a unit or a component lot",
        event_seq=event_seq,
        exceptions=waiting,
        session=changed(context.session, stock_count_id=None),
    )


def _settle(
    conn: Connection, count: OpenCount, found: Found, context: Context
) -> OpenedException | None:
    """Book the difference of an item, or open the exception that asks for approval."""
    item, finding, at = found.item, found.finding, context.scan.event_time
    uncounted.note_counted(conn, item.item_id, count.location_id, at=at)
    resolution = f"counted by {context.scan.scan_id}"
    for each in found.explains:
        tell_end(
            conn, each.kind, each.about, about=each.kind, rules=context.rules, now=at,
            item=item.item, scan=context.scan,
        )  # fmt: skip
    counts.end_explained(conn, found.explains, resolution=resolution)
    pct = context.rules.count_tolerance_pct_micro
    opened = None
    if finding.changes and not is_within(finding, pct_micro=pct, step_micro=item.step_micro):
        subject = _subject(item, count)
        opened = approve_later(conn, count, item, finding, subject, context)
    counts.conclude_item(
        conn,
        count,
        item,
        expected_micro=finding.expected_micro,
        counted_micro=finding.counted_micro,
        changes=finding.changes,
        exception_id=opened.id if opened else None,
    )
    if opened is None:
        post_difference(conn, count, item, finding.changes, context)
    return opened


def _subject(item: CountedItem, count: OpenCount) -> str:
    """Return what the exception of a difference is about: one an item and place is open."""
    return f"count:{item.item}@{count.location}"


def _said(count: OpenCount, found: list[Found], waiting: list[OpenedException]) -> str:
    if not found:
        return f"The count of {count.location} is over: nothing was counted"
    right = sum(not each.finding.difference_micro for each in found)
    corrected = len(found) - right - len(waiting)
    parts = [f"{right} right"] if right else []
    parts += [f"{corrected} corrected"] if corrected else []
    parts += [f"{len(waiting)} for a supervisor to approve"] if waiting else []
    counted = "1 item" if len(found) == 1 else f"{len(found)} items"
    return f"{count.location} counted, {counted}: {', '.join(parts)}"


def _tell(
    conn: Connection,
    kind: str,
    count: OpenCount,
    context: Context,
    found: list[Found] | None = None,
) -> int:
    figures = [
        {
            "item": each.item.item,
            "expected": format_quantity(each.finding.expected_micro),
            "counted": format_quantity(each.finding.counted_micro),
            "owed": format_quantity(each.item.owed_micro),
            "in_process": format_quantity(each.item.in_process_micro),
            "explains": [one.about.exception_id for one in each.explains],
        }
        for each in found or []
    ]
    detail = {"location": count.location} | ({"items": figures} if found is not None else {})
    draft = fact(context, kind, count.location, **detail)
    return append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)
