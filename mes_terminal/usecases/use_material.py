"""A component lot or container is scanned: mount it, or name the lot a product is made under.

Mounting makes it the source of its item until the next one is scanned in (BF-17). What may not be
used is refused before anything moves.
"""

from typing import Any

from msgspec.structs import replace

from mes_terminal.domain.intent import NameOutputLot, UseMaterial
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.posting import EventDraft
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import materials, mount_spans, mounts, orders
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.heal_queue import queue_healing
from mes_terminal.store.let_pass import LetPass, allow
from mes_terminal.usecases.apply_policy import accepted, is_blocked, lasting, stopped
from mes_terminal.usecases.call_material import bring
from mes_terminal.usecases.context import Answer, Context, answer, fact
from mes_terminal.usecases.end_stay import Ended, end_stay
from mes_terminal.usecases.finish_rework import finish_lot
from mes_terminal.usecases.flagged_lots import (
    deviation_of_material,
    deviations_of_lot,
    let_pass_of,
)
from mes_terminal.usecases.handled import name_of
from mes_terminal.usecases.label_mismatch import note_mismatch
from mes_terminal.usecases.material_event import actual_of, stock_event

NEEDED_SHOWN = 3
"""How many needed components a refusal names: one line of the screen."""


def use_material(conn: Connection, intent: UseMaterial, context: Context) -> Answer:
    """Mount the lot or container where an open order needs it."""
    material = mounts.read_material(conn, intent.lot_id, intent.container_id)
    current = context.session.work_order_id
    need = mounts.read_need(conn, material, intent.container_id, current)
    finished = _out_of_rework(conn, material, need, context)
    if finished is not None:
        return finished
    if need is None and material.lot and mounts.makes_with_scanned_lot(conn, material.item_id):
        return _name_output(conn, material.item_id, material.item, material.lot, context)
    need = need or mounts.read_listed_elsewhere(conn, material.item_id, current)
    met = deviations_of(conn, material, need, intent.label_expires_on, context)
    refusal = refuse_material(conn, material, need, met, intent, context)
    if refusal is not None:
        return refusal
    assert need is not None
    if need.ratio is not None:
        mounts.list_substitute(conn, need, material.item_id)
    let_pass = _let_pass(conn, met, context)
    mounted = _mount(conn, material, intent, need, let_pass, context)
    accepted(conn, met, mounted, material.item, context)
    return mounted


def _mount(
    conn: Connection,
    material: mounts.MaterialFacts,
    intent: UseMaterial,
    need: mounts.NeededAt,
    let_pass: LetPass,
    context: Context,
) -> Answer:
    stock = mounts.read_elsewhere(
        conn,
        material.lot_id,
        intent.container_id,
        need.location_id,
        station=context.rules.station,
    )
    mounts.move(conn, stock, material.item_id, need.location_id)
    if stock:
        draft = moved_event(material, need.location, need.location_id, stock, context)
    else:
        draft = _mounted(material, need, context)
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    ended = _change_over(conn, material, intent, need, let_pass, event_seq, context)
    queue_healing(conn, material.item_id, need.location_id, event_seq)
    bring(conn, [(material.lot_id, need.location_id)], context, by="mounted")
    left = mounts.left_micro(conn, material.lot_id, intent.container_id, need.location_id)
    mounted = answer(
        context,
        "recorded",
        _mounted_message(material, need, left, intent) + ended.said,
        "Scan a unit or an order",
        item=material.item,
        lot=material.lot,
        quantity=format_quantity(left),
        exceptions=ended.exceptions,
        event_seq=event_seq,
    )
    return note_mismatch(conn, material, intent.label_expires_on, mounted, context)


def _out_of_rework(
    conn: Connection,
    material: mounts.MaterialFacts,
    need: mounts.NeededAt | None,
    context: Context,
) -> Answer | None:
    """Complete a lot again that is in rework (BF-28), unless there is some of it to mount."""
    if need is not None:
        held = materials.read_held(conn, material.lot_id, 0, station=context.rules.station)
        if any(each.location_kind not in ("rework", "scrap") for each in held):
            return None
    return finish_lot(conn, material.lot_id, context)


def _change_over(
    conn: Connection,
    material: mounts.MaterialFacts,
    intent: UseMaterial,
    need: mounts.NeededAt,
    let_pass: LetPass,
    event_seq: int,
    context: Context,
) -> Ended:
    """Mount it; what was there before leaves its position.

    A container, or a lot that was all in one labelled box, is then presumed empty; of any other lot
    nobody knows. A container that was in another position is there no longer.
    """
    stays = mount_spans.open_stays(conn, station_pct_micro=context.rules.lot_overrun_pct_micro)
    here = next((stay for stay in stays if stay.position == need.position), None)
    scanned = (material.lot_id, intent.container_id, need.location_id)
    is_there = here and (here.lot_id, here.container_id, here.location_id) == scanned
    if is_there and not need.needs_approval:  # approved: a stay of its own (BF-29)
        if let_pass.expired or let_pass.held:
            allow(conn, need.position, LetPass(let_pass.expired, let_pass.held))
        return Ended(0)
    ended = Ended(0)
    for stay in stays:
        if stay is here:
            is_next = (stay.lot_id, stay.container_id) != scanned[:2]
            ended = _replaced(conn, stay, event_seq, context, is_next=is_next)
        elif stay.container_id and stay.container_id == intent.container_id:
            end_stay(conn, stay, by="move", left_micro=None, event_seq=event_seq, context=context)
    _begin_stay(conn, material, intent, need, let_pass, event_seq, context.scan.event_time)
    return ended


def _begin_stay(
    conn: Connection,
    material: mounts.MaterialFacts,
    intent: UseMaterial,
    need: mounts.NeededAt,
    let_pass: LetPass,
    event_seq: int,
    at: str,
) -> None:
    book = mounts.left_micro(conn, material.lot_id, intent.container_id, need.location_id)
    mounts.mount(
        conn,
        need.position,
        item_id=material.item_id,
        lot_id=material.lot_id,
        container_id=intent.container_id,
        location_id=need.location_id,
        at=at,
        let_pass=let_pass,
    )
    mount_spans.begin(
        conn,
        need.position,
        item_id=material.item_id,
        lot_id=material.lot_id,
        container_id=intent.container_id,
        location_id=need.location_id,
        label_micro=intent.label_micro,
        book_micro=book,
        event_seq=event_seq,
        at=at,
    )


def _replaced(
    conn: Connection,
    stay: mount_spans.OpenStay,
    event_seq: int,
    context: Context,
    *,
    is_next: bool,
) -> Ended:
    left = 0 if stay.is_sized and is_next else None
    ended = end_stay(conn, stay, by="next", left_micro=left, event_seq=event_seq, context=context)
    return replace(ended, said=f". {stay.name} is empty: {ended.said}") if ended.said else ended


def name_output_lot(conn: Connection, intent: NameOutputLot, context: Context) -> Answer | None:
    """Take a new lot of a product that is made under the lot scanned; refuse any other new lot.

    `None` where the station receives new lots from their labels.
    """
    if mounts.makes_with_scanned_lot(conn, intent.item_id):
        return _name_output(conn, intent.item_id, intent.item, intent.lot, context)
    if context.rules.receive_from_labels:
        return None
    return answer(
        context,
        "rejected",
        f"Lot {intent.lot} of {intent.item} is not known. Nothing was mounted",
        "Check the label; a new lot must be received first",
        reason="lot_unknown",
        item=intent.item,
    )


def refuse_material(
    conn: Connection,
    material: mounts.MaterialFacts,
    need: mounts.NeededAt | None,
    met: list[Deviation],
    intent: UseMaterial,
    context: Context,
) -> Answer | None:
    """Return why the material may not be mounted, or what the control matrix asks about the
    deviations met (BF-24); `None` if it may."""
    about: dict[str, Any] = {"item": material.item, "lot": material.lot}
    wrong = _wrong(conn, material, need, context)
    if wrong is None and is_blocked(met, context):
        return stopped(conn, met, context, **about)
    wrong = wrong or _not_now(material, intent, context)
    if wrong is None:
        return stopped(conn, met, context, **about)
    reason, said, call = wrong
    return answer(context, "rejected", f"{said}. Nothing was mounted", call, reason=reason, **about)


def deviations_of(
    conn: Connection,
    material: mounts.MaterialFacts,
    need: mounts.NeededAt | None,
    label_expires_on: str | None,
    context: Context,
) -> list[Deviation]:
    """Return what is wrong with mounting the material that the control matrix may let pass."""
    met = deviations_of_lot(conn, material, context)
    day = label_expires_on
    if (
        day is not None
        and day < context.today
        and all(each.situation != "lot_expired" for each in met)
    ):
        said = f"The label of {name_of(material)} of {material.item} says {day}: expired"
        met.append(deviation_of_material(conn, material, "lot_expired", said))
    takes_approval = need is not None and need.needs_approval
    supervised = context.person is not None and context.person.supervises
    if need is None or not takes_approval or (supervised and need.ratio is None):
        return met
    name, other = name_of(material), need.stands_in_for
    said = f"{material.item} may stand in for {other} by a supervisor's scan only"
    hint = f"Take {other}, or let a supervisor scan {name}"
    if need.ratio is not None:
        said = f"{material.item} may stand in for {other}, but not in {need.work_order}"
        hint = f"Take {other}, or call a supervisor"
    return [deviation_of_material(conn, material, "substitute", said, hint), *met]


def _let_pass(conn: Connection, met: list[Deviation], context: Context) -> LetPass:
    """Return what is let pass of what is mounted now, with who approved it; by a permit with a box
    its draws are judged one by one."""
    stays = lasting(conn, met, None, context) if met else []
    found = let_pass_of(stays)
    if any(each.situation == "substitute" for each in met):
        by_permit = all(each.situation != "substitute" for each in stays)
        return replace(found, approved_by="permit" if by_permit else "matrix")
    if context.person is not None and context.person.supervises:
        return replace(found, approved_by="supervisor")
    return found


_Wrong = tuple[str, str, str]
"""reason, what is wrong, what to do."""


def _wrong(
    conn: Connection,
    material: mounts.MaterialFacts,
    need: mounts.NeededAt | None,
    context: Context,
) -> _Wrong | None:
    """What no level lets pass: nothing needs it, or quality rejected it."""
    name = name_of(material)
    call = f"Take another lot of {material.item}, or call a supervisor"
    if material.serial is not None:
        return "no_effect", f"{name} holds serials. It has no effect here", call
    if need is None:
        wanted = mounts.needed_items(conn, context.session.work_order_id, limit=NEEDED_SHOWN)
        call = f"Scan a lot of {', '.join(wanted)}" if wanted else "Scan an order"
        return "wrong_component", f"No open order needs {material.item}", call
    if material.status == "rejected":
        return "lot_on_hold", f"Lot {name} of {material.item} is rejected", call
    return None


def _not_now(
    material: mounts.MaterialFacts, intent: UseMaterial, context: Context
) -> _Wrong | None:
    """The clock in doubt, and a quantity that cannot be."""
    name = name_of(material)
    if material.expires_on is not None and context.session.clock_in_doubt:
        call = "Call a supervisor to confirm the clock with a badge"
        return "clock", f"The clock is in doubt: lot {name} has an expiry", call
    if (intent.label_micro or 0) % material.step_micro:
        step = format_quantity(material.step_micro)
        call = f"Take another lot of {material.item}, or call a supervisor"
        return "not_a_step", f"{material.item} is counted in steps of {step}", call
    return None


def _name_output(conn: Connection, item_id: int, item: str, lot: str, context: Context) -> Answer:
    orders.set_scanned_lot(conn, item_id, lot)
    event_seq = append_event(
        conn,
        fact(context, "output_lot.named", item, lot=lot),
        context.head,
        context.scan,
        rules=context.rules,
    )
    return answer(
        context,
        "recorded",
        f"{item} is made under lot {lot} from now on",
        "Scan a unit or an order",
        item=item,
        lot=lot,
        event_seq=event_seq,
    )


def _mounted(material: mounts.MaterialFacts, need: mounts.NeededAt, context: Context) -> EventDraft:
    return fact(
        context,
        "lot.mounted",
        need.position,
        item=material.item,
        lot=material.lot,
        container=material.container,
    )


def moved_event(
    material: mounts.MaterialFacts,
    location: str,
    location_id: int,
    stock: list[mounts.Elsewhere],
    context: Context,
) -> EventDraft:
    """Return the event of stock that was moved to a location."""
    actuals = [
        actual_of("Moved", material, each.quantity_micro, location, None,
                  from_location=each.location)
        for each in stock
    ]  # fmt: skip
    return stock_event(
        "material.moved",
        material.container or material.lot or material.item,
        material.item,
        actuals,
        mounts.move_rows(stock, location_id),
        context,
    )


def _mounted_message(
    material: mounts.MaterialFacts, need: mounts.NeededAt, left: int, intent: UseMaterial
) -> str:
    name = material.container or material.lot or material.item
    verb = "mounted" if need.is_current else f"staged for {need.work_order}"
    if need.stands_in_for is not None:
        verb += f" in place of {need.stands_in_for}"
    said = f"{material.item} {name} {verb}: {format_quantity(left)} {material.uom} left"
    if intent.label_micro is not None and intent.label_micro != left:
        said += f" in the books, {format_quantity(intent.label_micro)} on the label"
    return said
