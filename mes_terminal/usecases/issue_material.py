"""Material is issued to an order by hand: planned for a line, or extra (BF-10).

A planned issue counts for its line, so that reports post only the remainder (BF-4); it is refused
beyond what the line still needs for the whole order. An extra part never counts: it is usage
variance of the order.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.instants import NOT_ARRIVED
from mes_terminal.domain.order import LineFacts, OrderFacts
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.overrun import give
from mes_terminal.domain.posting import LineActual, MaterialActual, MovementRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store import hand_issues, materials, mount_spans
from mes_terminal.store.balances import add_stock
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.hand_issues import HandIssue
from mes_terminal.store.materials import Held, Taken
from mes_terminal.usecases.apply_policy import accepted, of_order, stopped
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.deviations import sized
from mes_terminal.usecases.end_stay import ADJUSTMENT
from mes_terminal.usecases.flagged_lots import deviations_of_lot, note_use
from mes_terminal.usecases.handled import Handled, in_slot, refuse_use, refused, split, usable
from mes_terminal.usecases.material_event import actual_of, certainty_of, material_event
from mes_terminal.usecases.order_at_hand import LineNeed, OrderAtHand, order_for

BELOW_ZERO: Final = 0
"""Stands for the balance of what an item without tracking lacks and may go without."""


class Piece(Struct, frozen=True):
    """Part of an issue: for a line (`None`: extra), from one balance."""

    line: LineFacts | None
    taken: Taken
    covers_micro: int = 0
    """What it counts for, in units of the line's component."""


class Gain(Struct, frozen=True):
    """What a mounted container gives beyond its books (BF-17)."""

    held: Held
    quantity_micro: int


def issue(conn: Connection, handled: Handled, context: Context, *, reason: str | None) -> Answer:
    """Issue to the active order; with a `reason` as an extra part."""
    found = order_for(conn, handled, context)
    if isinstance(found, Answer):
        return found
    met = [*found.met, *deviations_of_lot(conn, handled.material, context)]
    refusal = (
        in_slot(conn, handled, context)
        or refuse_use(handled, met, context)
        or (_refuse_slot_line(handled, found, context) if reason is None else None)
    )
    if refusal is not None:
        return refusal
    first = found.lines[0].line
    held = _by_nearness(conn, handled, first, context)
    wanted = _quantity(handled, found, held, context, is_extra=reason is not None)
    if isinstance(wanted, Answer):
        return wanted
    gain = _gain(conn, held, wanted, context)
    if gain is not None:
        held = [_filled(each, gain) for each in held]
    _, missing = split(held, wanted)
    is_own = found.lines[0].stand_in is None
    if missing and not (is_own and first.shortage_policy == "negative"):
        return _refuse_short(handled, found, wanted, missing, context)
    if reason is None:
        pieces = _for_lines(handled, found.lines, held, wanted)
    else:
        pieces = [Piece(None, part) for part in _parts(handled, first, held, wanted)]
    met = sized(met, wanted)
    stop = stopped(conn, met, context, **of_order(found.order))
    if stop is not None:
        return stop
    booked = _book(conn, handled, found.order, pieces, gain, context, reason=reason)
    accepted(conn, met, booked, found.order.work_order, context)
    used = [(each.line or first, each.covers_micro or each.taken.quantity_micro) for each in pieces]
    return note_use(conn, met, found.order, used, handled.material.lot_id, booked, context)


def _refuse_slot_line(handled: Handled, found: OrderAtHand, context: Context) -> Answer | None:
    """What a backflushed line takes by serial goes into a slot of a unit, not to the order
    (BF-18)."""
    line = found.lines[0].line
    if line.tracking != "serial" or line.issue_method == "manual":
        return None
    return refused(
        context,
        "no_effect",
        f"Serials of {line.item} go into a unit, not to the order",
        "Scan the unit and the serial, without ISSUE",
        material=handled.material,
        order=found.order,
    )


def _by_nearness(
    conn: Connection, handled: Handled, line: LineFacts, context: Context
) -> list[Held]:
    """Return what may be picked, at the line's own location first."""
    held = materials.read_held(
        conn, handled.material.lot_id, handled.container_id, station=context.rules.station
    )
    return sorted(usable(held, context), key=lambda each: each.location_id != line.location_id)


def _quantity(
    handled: Handled,
    found: OrderAtHand,
    held: list[Held],
    context: Context,
    *,
    is_extra: bool,
) -> int | Answer:
    """Return how much is issued: as stated, else what the line needs of what is there.

    A label says how much a box holds, not how much is to be issued: of a planned issue it is a
    limit.
    """
    there = sum(each.quantity_micro for each in held)
    item, work_order = handled.material.item, found.order.work_order
    if is_extra:
        if handled.quantity_micro is None:
            return answer(
                context,
                "needs",
                f"EXTRA needs to know how much of {handled.name}",
                "Scan QTY with a number, then the material again, or CANCEL",
                reason="quantity",
                work_order=work_order,
                order_status=found.order.status,
                item=item,
                lot=handled.material.lot,
            )
        return handled.quantity_micro
    rooms = [(each, each.room_micro(handled.material.step_micro)) for each in found.lines]
    need = sum(room for _, room in rooms)
    wanted = handled.stated_micro
    if wanted is None:
        limit = there if handled.label_micro is None else min(handled.label_micro, there)
        usual = _usual(rooms)
        wanted = min(usual, limit) or min(usual, handled.material.step_micro)
    if need and wanted <= need:
        return wanted
    left = f"needs only {format_quantity(need)}" if need else "needs no more"
    return refused(
        context,
        "over_tolerance",
        f"{work_order} {left} {handled.material.uom} of {item}",
        "Scan QTY with less, or EXTRA with a reason for what is used beyond the plan",
        material=handled.material,
        work_order=work_order,
        order_status=found.order.status,
    )


def _usual(rooms: list[tuple[LineNeed, int]]) -> int:
    """Return what the lines that come first still need: those of the item itself, manual ones
    before the others, then those it may stand in for."""
    by_kind: dict[tuple[bool, bool], int] = {}
    for each, room in rooms:
        kind = (each.stand_in is not None, each.line.issue_method != "manual")
        by_kind[kind] = by_kind.get(kind, 0) + room
    return next((room for _, room in sorted(by_kind.items()) if room), 0)


def _gain(conn: Connection, held: list[Held], wanted: int, context: Context) -> Gain | None:
    """Return what the mounted container gives beyond its books, if that covers what is missing."""
    missing = wanted - sum(each.quantity_micro for each in held)
    if missing <= 0:
        return None
    pct = context.rules.lot_overrun_pct_micro
    fillings = mount_spans.read_overruns(conn, station_pct_micro=pct)
    for each in held:
        filling = fillings.get(each.balance_id)
        if filling is not None:
            given = give(filling, each.quantity_micro, each.quantity_micro + missing)
            return None if given.missing_micro else Gain(each, given.gain_micro)
    return None


def _filled(held: Held, gain: Gain) -> Held:
    if held.balance_id != gain.held.balance_id:
        return held
    return replace(held, quantity_micro=held.quantity_micro + gain.quantity_micro)


def _refuse_short(
    handled: Handled, found: OrderAtHand, wanted: int, missing: int, context: Context
) -> Answer:
    material = handled.material
    return refused(
        context,
        "shortage_blocked",
        f"{handled.name} of {material.item} has {format_quantity(wanted - missing)} of "
        f"{format_quantity(wanted)} {material.uom} here",
        "Scan QTY with less, or take another lot",
        material=handled.material,
        order=found.order,
    )


def _for_lines(
    handled: Handled, needs: list[LineNeed], held: list[Held], wanted: int
) -> list[Piece]:
    """Deal the quantity out to the lines: each up to its need, from its own location first."""
    left = {each.balance_id: each for each in held}
    pieces: list[Piece] = []
    for need in needs:
        line, had = need.line, need.had_micro
        share = min(need.room_micro(handled.material.step_micro), wanted)
        wanted -= share
        nearest = sorted(left.values(), key=lambda each: each.location_id != line.location_id)
        for part in _parts(handled, line, nearest, share):
            covers = replace(need, had_micro=had).covers_micro(part.quantity_micro)
            had += part.quantity_micro
            pieces.append(Piece(line, part, covers))
            rest = part.held.quantity_micro - part.quantity_micro
            left[part.held.balance_id] = replace(part.held, quantity_micro=max(0, rest))
    return pieces


def _parts(handled: Handled, line: LineFacts, held: list[Held], wanted: int) -> list[Taken]:
    """Take from balances; what they lack goes below zero at the line's location (BF-20)."""
    parts, missing = split(held, wanted)
    if missing:
        nothing = Held(
            BELOW_ZERO, handled.material.lot_id, 0, line.location_id, line.location, "", 0, "", 0
        )
        parts.append(Taken(nothing, missing))
    return parts


def _book(
    conn: Connection,
    handled: Handled,
    order: OrderFacts,
    pieces: list[Piece],
    gain: Gain | None,
    context: Context,
    *,
    reason: str | None,
) -> Answer:
    event_seq = append_event(
        conn,
        material_event(
            "material.issued",
            handled.material,
            _actuals(handled, pieces, gain),
            _movements(conn, order, pieces, gain),
            context,
            work_order=order.work_order,
            reason=reason,
        ),
        context.head,
        context.scan,
        rules=context.rules,
    )
    _change_stock(conn, pieces, gain)
    for piece in pieces:
        if piece.line is not None:
            materials.change_line(conn, piece.line.line_id, issued_micro=piece.covers_micro)
    hand_issues.write(
        conn,
        order.work_order_id,
        [
            HandIssue(
                line_id=piece.line.line_id if piece.line else None,
                item_id=handled.material.item_id,
                lot_id=piece.taken.held.lot_id,
                container_id=piece.taken.held.container_id,
                quantity_micro=piece.taken.quantity_micro,
                covers_micro=piece.covers_micro,
                reason=reason,
            )
            for piece in pieces
        ],
        event_seq,
    )
    return _told(handled, order, pieces, event_seq, context, reason=reason)


def _change_stock(conn: Connection, pieces: list[Piece], gain: Gain | None) -> None:
    arriving: list[StockIn] = []
    if gain is not None:
        held = gain.held
        arriving.append(
            StockIn(held.lot_id, held.location_id, gain.quantity_micro, held.arrived_at,
                    held.container_id)
        )  # fmt: skip
        mount_spans.add_gain(conn, held.lot_id, held.container_id, gain.quantity_micro)
    taken = [piece.taken for piece in pieces]
    below = [each for each in taken if each.held.balance_id == BELOW_ZERO]
    arriving += [
        StockIn(each.held.lot_id, each.held.location_id, -each.quantity_micro, NOT_ARRIVED)
        for each in below
    ]
    add_stock(conn, arriving)
    materials.take(conn, [each for each in taken if each.held.balance_id != BELOW_ZERO])


def _movements(
    conn: Connection, order: OrderFacts, pieces: list[Piece], gain: Gain | None
) -> list[MovementRow]:
    rows: list[MovementRow] = []
    if gain is not None:
        held, adjustment = gain.held, materials.place(conn, ADJUSTMENT)
        rows.append(
            (None, held.lot_id, held.container_id, adjustment.location_id, held.location_id,
             gain.quantity_micro, "adjustment", None)
        )  # fmt: skip
    for piece in pieces:
        line, held = piece.line, piece.taken.held
        near = line is not None and line.location_id == held.location_id
        rows.append(
            (line.line_id if line else None, held.lot_id, held.container_id, held.location_id,
             order.production_id, piece.taken.quantity_micro, "issue",
             line.location_rule if line and near else None)
        )  # fmt: skip
    return rows


def _actuals(
    handled: Handled, pieces: list[Piece], gain: Gain | None
) -> list[MaterialActual | LineActual]:
    actuals: list[MaterialActual | LineActual] = []
    if gain is not None:
        actuals.append(
            actual_of("Adjusted", handled.material, gain.quantity_micro, gain.held.location, None)
        )
    actuals += [
        actual_of(
            "Consumed",
            handled.material,
            piece.taken.quantity_micro,
            piece.taken.held.location,
            piece.line,
        )
        for piece in pieces
    ]
    return actuals


def _told(
    handled: Handled,
    order: OrderFacts,
    pieces: list[Piece],
    event_seq: int,
    context: Context,
    *,
    reason: str | None,
) -> Answer:
    material = handled.material
    quantity = format_quantity(sum(piece.taken.quantity_micro for piece in pieces))
    how = f"issued to {order.work_order}" if reason is None else f"extra for {order.work_order}"
    named = "" if handled.name == material.item else f" {handled.name}"
    return answer(
        context,
        "recorded",
        f"{quantity} {material.uom} of {material.item}{named} {how}",
        "Scan a unit or an order",
        work_order=order.work_order,
        order_status=order.status,
        item=material.item,
        quantity=quantity,
        lot=material.lot,
        serial=material.serial,
        consumed=[
            Consumed(
                piece.line.line if piece.line else None, material.item, material.lot,
                material.serial, piece.taken.held.location,
                format_quantity(piece.taken.quantity_micro), material.uom,
                certainty_of(material),
            )
            for piece in pieces
        ],
        event_seq=event_seq,
    )  # fmt: skip
