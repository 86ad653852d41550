"""What a command for material got to handle: the lot behind the code, and what may not be done.

`handled_by` turns the named thing into a lot with where it lies at this station, or into the answer
that says why that cannot be. The use cases of `%ISSUE`, `%RETURN`, `%EXTRA`, `%MOVE`, `%HOLD`,
`%RELEASE` and `%SCRAP` share it.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from mes_terminal.domain.intent import MeaningKind, Named
from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.store import materials, mounts
from mes_terminal.store.database import Connection
from mes_terminal.store.materials import Held, Taken
from mes_terminal.store.mounts import ItemFacts, MaterialFacts
from mes_terminal.usecases.apply_policy import blocked, is_blocked
from mes_terminal.usecases.context import Answer, Context, answer, changed

NEVER_PICKED = ("hold", "scrap")
"""Kinds of location that feed nothing (BF-16)."""
NAMES_A_LOT = ("container", "lot", "component_serial", "unit", "item")


class Handled(Struct, frozen=True):
    """Material that a command handles."""

    verb: str
    material: MaterialFacts
    container_id: int
    stated_micro: int | None
    """What `%QTY` said; 1 of a serial."""
    label_micro: int | None
    """What the label said."""

    @property
    def name(self) -> str:
        """What people call it."""
        return name_of(self.material)

    @property
    def quantity_micro(self) -> int | None:
        """`%QTY`, else the label's quantity."""
        return self.label_micro if self.stated_micro is None else self.stated_micro


def name_of(material: MaterialFacts) -> str:
    """Return what people call some material."""
    return material.container or material.lot or material.serial or material.item


def done(ruled: Answer) -> Answer:
    """Return an answer that ends the command; one that needs something lets it wait on."""
    if ruled.outcome.outcome == "needs":
        return ruled
    session = changed(ruled.session, pending_verb=None, pending_argument=None)
    return Answer(ruled.outcome, session, ruled.event_seq)


def refused(
    context: Context,
    reason: str,
    message: str,
    hint: str,
    *,
    order: OrderFacts | None = None,
    material: MaterialFacts | None = None,
    **fields: Any,
) -> Answer:
    """Return a refusal: nothing is booked."""
    return answer(
        context,
        "rejected",
        f"{message}. Nothing was booked",
        hint,
        reason=reason,
        **(named(order, material) | fields),
    )


def named(order: OrderFacts | None, material: MaterialFacts | None) -> dict[str, Any]:
    """Return the keys of an outcome that say what it is about."""
    found: dict[str, Any] = {}
    if order is not None:
        found |= {
            "work_order": order.work_order,
            "order_status": order.status,
            "item": order.item,
        }
    if material is not None:
        found |= {"item": material.item, "lot": material.lot, "serial": material.serial}
    return found


def handled_by(conn: Connection, verb: str, what: Named, context: Context) -> Handled | Answer:
    """Return the material that `what` names, with its quantity; else why it cannot be handled."""
    if what.kind not in NAMES_A_LOT and not (what.kind == "order" and verb in _OF_OUTPUT):
        return _wrong_kind(verb, what.kind, context)
    lot_id = _lot_id(conn, verb, what, context)
    if isinstance(lot_id, Answer):
        return lot_id
    container_id = what.row_id if what.kind == "container" else 0
    material = mounts.read_material(conn, lot_id, container_id)
    stated, label = context.session.pending_quantity_micro, what.quantity_micro
    if stated is not None:
        label = None
    if material.serial is not None:
        stated, label = MICRO, None
    handled = Handled(verb, material, container_id, stated, label)
    quantity = handled.quantity_micro
    least = 0 if verb == "COUNT" else 1
    if quantity is not None and (quantity < least or quantity % material.step_micro):
        step = format_quantity(material.step_micro)
        said = f"{material.item} is counted in steps of {step}, from {step} on"
        return refused(
            context, "not_a_step", said, "Scan QTY with another number", material=handled.material
        )
    return handled


def refuse_use(handled: Handled, met: list[Deviation], context: Context) -> Answer | None:
    """Return why the material may not be used; `None` if it may (BF-16), or if the control matrix
    does not block the deviations met (BF-24)."""
    material, name = handled.material, handled.name
    call = f"Take another lot of {material.item}, or call a supervisor"
    if material.status != "rejected" and is_blocked(met, context):
        return blocked(met, context, item=material.item, lot=material.lot, serial=material.serial)
    if material.status == "rejected":
        reason, said = "lot_on_hold", f"Lot {name} of {material.item} is rejected"
    elif material.expires_on is not None and context.session.clock_in_doubt:
        reason, said = "clock", f"The clock is in doubt: lot {name} has an expiry"
        call = "Call a supervisor to confirm the clock with a badge"
    else:
        return None
    return refused(context, reason, said, call, material=handled.material)


def usable(held: Iterable[Held], context: Context) -> list[Held]:
    """Return what may be picked at the time of the scan (BF-16)."""
    return [
        each
        for each in held
        if each.location_kind not in NEVER_PICKED and each.arrived_at <= context.scan.event_time
    ]


def split(held: Iterable[Held], quantity_micro: int) -> tuple[list[Taken], int]:
    """Take a quantity off balances in their order; return the parts and what is missing."""
    parts: list[Taken] = []
    for each in held:
        part = min(each.quantity_micro, quantity_micro)
        if part:
            parts.append(Taken(each, part))
            quantity_micro -= part
    return parts, quantity_micro


def in_slot(conn: Connection, handled: Handled, context: Context) -> Answer | None:
    """Refuse a serial that fills a slot (BF-18); `None` if it does not."""
    if handled.material.serial is None:
        return None
    if not materials.sits_in_slot(conn, handled.material.lot_id):
        return None
    return refused(
        context,
        "serial_in_use",
        f"{handled.material.item} {handled.name} sits in a unit",
        "Scan another serial, or call a supervisor",
        material=handled.material,
    )


_OF_OUTPUT = ("MOVE", "HOLD", "RELEASE")
"""Commands for which an order's number names the lot it makes."""

_WHAT_IT_IS: dict[MeaningKind, str] = {
    "order": "an order",
    "badge": "a badge",
    "location": "a location",
}


def _wrong_kind(verb: str, kind: MeaningKind, context: Context) -> Answer:
    return answer(
        context,
        "needs",
        f"This is {_WHAT_IT_IS[kind]}. {verb} expects a container or lot",
        "Scan a container or lot, or CANCEL",
        reason="component",
    )


def _lot_id(conn: Connection, verb: str, what: Named, context: Context) -> int | Answer:
    """Return the lot behind a code; of a container its own lot is read with it."""
    match what.kind:
        case "container":
            return 0
        case "item":
            return _nameless(conn, verb, what, context)
        case "order":
            found = materials.output_lot(conn, what.row_id)
        case "unit":
            found = materials.serial_lot(conn, what.row_id)
        case _:
            found = what.row_id or None
    if found is not None:
        return found
    reason = "serial_unknown" if what.kind in ("unit", "component_serial") else "lot_unknown"
    said = f"{what.key} is not in the books"
    return refused(context, reason, said, "Check the label; new material must be received first")


def _nameless(conn: Connection, verb: str, what: Named, context: Context) -> int | Answer:
    """Return the nameless lot of an item without tracking; any other needs its lot or serial."""
    item = mounts.read_item(conn, what.item_id)
    if item.tracking == "none":
        return materials.nameless_lot(conn, what.item_id)
    return which_of(item, verb, context)


def which_of(item: ItemFacts, verb: str, context: Context) -> Answer:
    """Ask for the lot or serial of a tracked item: its number alone names none."""
    kind = "serial" if item.tracking == "serial" else "lot"
    return answer(
        context,
        "needs",
        f"{item.item} is kept by {kind}: {verb} needs to know which",
        f"Scan the {kind} of {item.item}, or CANCEL",
        reason=kind,
        item=item.item,
    )
