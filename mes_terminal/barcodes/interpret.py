"""Payload, what it names and the session → one `Intent`. Pure.

The order of reading is that of the command line page: a command, a site pattern, then what the
database knows exactly. A command that waits takes the next code of its kind.
"""

from typing import assert_never

from mes_terminal.barcodes.label import ORDER_AIS
from mes_terminal.barcodes.new_serial import read_unknown
from mes_terminal.barcodes.payload import Payload, Swallowed
from mes_terminal.domain.intent import (
    AwaitCode,
    CallMaterial,
    Cancel,
    CloseShort,
    CountCommand,
    CountScan,
    Dismount,
    EndOfShift,
    FillSlot,
    HandleMaterial,
    Help,
    Intent,
    Meaning,
    MissingConversion,
    Named,
    NameOutputLot,
    Need,
    PresentBadge,
    Refuse,
    ReportItem,
    ReportNewUnit,
    ReportOperation,
    ReportOrder,
    ReportUnit,
    Rework,
    Scrap,
    SetQuantity,
    StartOrder,
    StopLine,
    Undo,
    UseMaterial,
)
from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.domain.session import AWAITS_SERIAL, Session

SAID_AS_THEY_ARE = frozenset({"control_chars", "forbidden_key", "unknown_command"})
"""Reasons of a refused frame that an outcome carries unchanged; every other becomes `malformed`."""

TAKES_QUANTITY = frozenset({"order", "item", "container", "lot"})
"""The kinds of code that use up a waiting `%QTY`, whatever becomes of them."""

EXPECTED_AIS = frozenset({"10", "17", "21", "30", "31", "37"})
"""Lot, expiry, serial, counts and weights: what a station reads from labels."""

COUNT_AIS = frozenset({"30", "37"})
COUNT_LONG = 5
"""Digits of a count that a box may not hold: 2100 is a count, 241055 may be 24 and a lot."""

ITEM_NUMBER_AIS = ("240", "241")
GTIN_AIS = ("01", "02")

_DISMOUNTS = frozenset({"EMPTY", "UNMOUNT", "ASIDE"})
_FOR_ORDERS = frozenset({"START", "SHORT"})
_COUNTED = frozenset({"container", "lot", "item", "component_serial"})
"""What a count takes; orders and units are reported meanwhile as ever."""


def interpret(payload: Payload, session: Session, meanings: list[Meaning]) -> Intent:
    """Return what the code means at this station now."""
    if payload.kind == "reject":
        return _refuse_frame(payload)
    if payload.kind == "command":
        return _command(payload, meanings)
    if session.pending_verb is not None:
        waited_for = _for_pending(payload, session, meanings)
        if waited_for is not None:
            return waited_for
    return _plain(payload, session, meanings)


def _refuse_frame(payload: Payload) -> Refuse:
    reason = payload.reason or "malformed"
    if reason == "unknown_command":
        return Refuse(
            reason,
            f"There is no command {payload.name or payload.text}",
            "Use a code of the command card",
        )
    outcome_reason = reason if reason in SAID_AS_THEY_ARE else "malformed"
    return Refuse(
        outcome_reason,
        f"The code cannot be used: {reason}",
        "Scan the label again; if it stays so, call a supervisor",
    )


def _command(payload: Payload, meanings: list[Meaning]) -> Intent:
    argument = payload.argument
    match payload.name:
        case "QTY":
            return _quantity(argument)
        case "COUNT":
            return CountCommand(argument)
        case "UNDO":
            return Undo(argument)
        case "CANCEL":
            return Cancel()
        case "HELP":
            return Help()
        case "STOP":
            return StopLine(argument)
        case "CALL":
            return CallMaterial()
        case "END":
            return EndOfShift()
        case "START":
            return _start(argument, meanings)
        case "OP":
            return _operation(argument, meanings)
        case verb:
            return AwaitCode(verb or "", argument)


def _quantity(argument: str) -> Intent:
    if not argument:
        return Need("quantity", "QTY lacks its number", "Scan QTY with a number, such as QTY 5")
    try:
        micro = parse_quantity(argument)
    except QuantityError as error:
        return Refuse("malformed", f"QTY: {error}", "Scan QTY with a number, such as QTY 5")
    if micro <= 0:
        return Refuse("malformed", "QTY needs a number above 0", "Scan QTY with a number")
    return SetQuantity(micro)


def _start(argument: str, meanings: list[Meaning]) -> Intent:
    if not argument:
        return Need("order", "START lacks its order", "Scan the order to start", verb="START")
    orders = [meaning for meaning in meanings if meaning.kind == "order"]
    if not orders:
        said = f"There is no order {argument}"
        return Need("order", said, "Scan the order to start, or CANCEL", verb="START")
    return StartOrder(orders[0].key)


def _operation(argument: str, meanings: list[Meaning]) -> Intent:
    """Return the report of `%OP nn` for the active order, or of `%OP nn order`."""
    operation, _, work_order = argument.partition(" ")
    if not operation:
        return Need("quantity", "OP lacks its operation", "Scan the operation of the traveller")
    if not work_order:
        return ReportOperation(operation, None)
    orders = [meaning for meaning in meanings if meaning.kind == "order"]
    if not orders:
        return Need("order", f"There is no order {work_order}", "Scan the traveller again")
    return ReportOperation(operation, orders[0].key)


def _for_pending(payload: Payload, session: Session, meanings: list[Meaning]) -> Intent | None:
    """Return what the waiting command makes of the code; `None` if it is no code for it at all."""
    verb = session.pending_verb or ""
    if verb == AWAITS_SERIAL or any(meaning.kind == "badge" for meaning in meanings):
        return None
    argument = session.pending_argument or ""
    if verb == "REPLACE":
        return _replacement(argument, payload, session, meanings)
    if verb in _DISMOUNTS:
        return _dismount(verb, argument, payload, meanings)
    if verb not in _FOR_ORDERS:
        return _on_what(verb, argument, payload, session, meanings)
    orders = [meaning for meaning in meanings if meaning.kind == "order"]
    if orders and verb == "START":
        return StartOrder(orders[0].key)
    if orders:
        return CloseShort(orders[0].key, argument)
    if not meanings:
        return None
    return Need(
        "order",
        f"This is {_WHAT_IT_IS[meanings[0].kind]}. {verb} expects an order",
        "Scan the order, or CANCEL",
        verb=verb,
    )


def _replacement(
    argument: str, payload: Payload, session: Session, meanings: list[Meaning]
) -> Intent | None:
    """Return what the code is to a unit in rework from which a serial comes out (BF-28)."""
    if not meanings:
        return None
    if meanings[0].kind == "component_serial":
        return _plain(payload, session, meanings)
    return Need(
        "component",
        f"This is {_WHAT_IT_IS[meanings[0].kind]}. What replaces {argument} is expected",
        "Scan the serial that goes in, or CANCEL",
        verb="REPLACE",
    )


def _on_what(
    verb: str, argument: str, payload: Payload, session: Session, meanings: list[Meaning]
) -> Intent | None:
    """Return what a waiting command does with the one thing that the code names."""
    if not meanings:
        return None
    quantity, refusal = _quantity_of(payload, session, meanings)
    if refusal is not None:
        return refusal
    one = meanings[0]
    what = Named(one.kind, one.key, one.row_id, one.item_id, quantity)
    match verb:
        case "SCRAP":
            return Scrap(argument, what)
        case "REWORK":
            return Rework(argument, what)
        case _:
            return HandleMaterial(verb, argument, what)


_WHAT_IT_IS = {
    "order": "an order",
    "unit": "a unit",
    "container": "a container",
    "lot": "a lot",
    "item": "an item",
    "badge": "a badge",
    "location": "a location",
    "component_serial": "the serial of a component",
}


def _dismount(verb: str, argument: str, payload: Payload, meanings: list[Meaning]) -> Dismount:
    lot_id = container_id = item_id = 0
    for meaning in meanings:
        if meaning.kind == "lot":
            lot_id = meaning.row_id
        elif meaning.kind == "container":
            container_id = meaning.row_id
        elif meaning.kind == "item":
            item_id = meaning.row_id
    return Dismount(verb, argument, payload.text, lot_id, container_id, item_id, bool(meanings))


def _plain(payload: Payload, session: Session, meanings: list[Meaning]) -> Intent:
    if not meanings:
        return read_unknown(payload, session)
    quantity, refusal = _quantity_of(payload, session, meanings)
    if refusal is not None:
        return refusal
    meaning = meanings[0]
    if session.stock_count_id is not None and meaning.kind in _COUNTED:
        return _counted(meaning, quantity)
    return _of_meaning(meaning, quantity, meaning.box or payload.groups.get("box"))


def _counted(meaning: Meaning, quantity: int | None) -> Intent:
    """Return what a count makes of stock; what the books do not know cannot be compared."""
    if meaning.kind != "item" and not meaning.row_id:
        return Refuse(
            "serial_unknown" if meaning.kind == "component_serial" else "lot_unknown",
            f"{meaning.key} is not in the books",
            "Receive it first, then count it; or call a supervisor",
        )
    return CountScan(Named(meaning.kind, meaning.key, meaning.row_id, meaning.item_id, quantity))


def _quantity_of(
    payload: Payload, session: Session, meanings: list[Meaning]
) -> tuple[int | None, Refuse | None]:
    """Return the quantity that counts for the one thing a code means, or why it cannot be used."""
    if len(meanings) > 1:
        names = ", ".join(f"{_WHAT_IT_IS[m.kind]} ({m.key})" for m in meanings)
        said = f"The code means two things: {names}"
        return None, Refuse("ambiguous", said, "Scan a fuller label")
    meaning = meanings[0]
    doubt = _doubt(payload, meaning)
    if doubt is not None:
        return None, doubt
    if meaning.other_order is not None:
        said = f"The label names {meaning.other_order}, and {meaning.key} is of another order"
        return None, Refuse("serial_of_other_order", said, "Keep the label; call a supervisor")
    quantity = session.pending_quantity_micro
    label = payload.groups.get("quantity")
    if quantity is None and meaning.fault is not None:
        lacks = None
        if meaning.lacks_uom is not None:
            lacks = MissingConversion(meaning.item_id, meaning.lacks_uom)
        hint = "Call a supervisor; nothing was booked"
        return None, Refuse("malformed", meaning.fault, hint, lacks)
    if quantity is None:
        quantity = meaning.quantity_micro
    if label is not None and quantity is None:
        try:
            quantity = parse_quantity(label)
        except QuantityError as error:
            said = f"The label's quantity: {error}"
            return None, Refuse("malformed", said, "Scan the label again")
    if quantity is not None and quantity <= 0 and meaning.kind in ("order", "item"):
        return None, Refuse("malformed", "The label's quantity is 0", "Check the label")
    return quantity, None


def _of_meaning(meaning: Meaning, quantity: int | None, box: str | None) -> Intent:
    """Return what a code that means one thing asks for."""
    match meaning.kind:
        case "order":
            return ReportOrder(meaning.key, quantity, box)
        case "unit":
            return ReportUnit(meaning.row_id, meaning.key)
        case "item":
            return ReportItem(meaning.item_id, meaning.key, quantity, box)
        case "container":
            return UseMaterial(0, meaning.row_id, quantity, meaning.expires_on)
        case "lot":
            return _lot(meaning, quantity)
        case "badge":
            return PresentBadge(meaning.key)
        case "location":
            return Refuse(
                "no_effect",
                f"This is the location {meaning.key}. It has no effect here",
                "Scan an order, a unit or a component lot",
            )
        case "component_serial" if meaning.row_id:
            return FillSlot(meaning.row_id, meaning.item_id, meaning.key)
        case "component_serial":
            return ReportNewUnit(meaning.key, meaning.item_id, meaning.order)
        case _:
            assert_never(meaning.kind)


def _doubt(payload: Payload, meaning: Meaning) -> Refuse | None:
    """Refuse a label whose GS may have been lost before something this station expects.

    An element that the database knows as it was read has swallowed nothing.
    """
    known = _known_whole(payload, meaning) if payload.swallowed else frozenset()
    for lost in payload.swallowed:
        if lost.ai not in known and _may_be_meant(lost):
            return Refuse(
                "gs_suspected",
                f"({lost.ai}){lost.value} may have swallowed ({lost.next_ai}){lost.next_value}: "
                "the scanner seems to lose GS",
                "Scan it again; then test the scanner (mes-terminal scanners --test)",
            )
    return None


def _known_whole(payload: Payload, meaning: Meaning) -> frozenset[str]:
    """Return the elements whose value, exactly as it was read, the database knows."""
    fields = payload.fields
    if meaning.kind == "order":
        return frozenset(ai for ai in ORDER_AIS if fields.get(ai) == meaning.key)
    known = {ai for ai in ITEM_NUMBER_AIS if ai in fields}
    if not meaning.item_id or len(known) > 1 or not fields.keys().isdisjoint(GTIN_AIS):
        known = set()
    if meaning.row_id and meaning.kind in ("unit", "container", "lot", "component_serial"):
        known |= {"10", "21"}
    return frozenset(known)


def _may_be_meant(lost: Swallowed) -> bool:
    """Tell whether a label could really hold what was perhaps swallowed, and the station read it.

    A short count is a count, and no label counts nothing.
    """
    if lost.ai in COUNT_AIS and len(lost.value + lost.next_ai + lost.next_value) < COUNT_LONG:
        return False
    if lost.next_ai in COUNT_AIS and not lost.next_value.strip("0"):
        return False
    return lost.next_ai[:2] in EXPECTED_AIS


def _lot(meaning: Meaning, quantity: int | None) -> Intent:
    if meaning.row_id:
        return UseMaterial(meaning.row_id, 0, quantity, meaning.expires_on)
    if not meaning.item_id:
        return Refuse(
            "lot_unknown",
            f"No item is known by the label {meaning.key}",
            "Check the label, or call a supervisor",
        )
    item, _, lot = meaning.key.partition("|")
    return NameOutputLot(meaning.item_id, item, lot, quantity, meaning.expires_on, meaning.supplier)
