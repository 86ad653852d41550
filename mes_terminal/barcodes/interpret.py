"""Payload, what it names and the session → one `Intent`. Pure.

The order of reading is that of the command line page: a command, a site pattern, then what the
database knows exactly. A command that waits takes the next code of its kind.
"""

from typing import assert_never

from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain.intent import (
    AwaitCode,
    Cancel,
    CloseShort,
    Dismount,
    Help,
    Intent,
    Meaning,
    NameOutputLot,
    Need,
    PresentBadge,
    Refuse,
    ReportItem,
    ReportOrder,
    ReportUnit,
    SetQuantity,
    StartOrder,
    Undo,
    UnknownCode,
    UseMaterial,
)
from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.domain.session import Session

SAID_AS_THEY_ARE = frozenset({"control_chars", "forbidden_key", "unknown_command"})
"""Reasons of a refused frame that an outcome carries unchanged; every other becomes `malformed`."""

TAKES_QUANTITY = frozenset({"order", "item", "container", "lot"})
"""The kinds of code that use up a waiting `%QTY`, whatever becomes of them."""

EXPECTED_AIS = frozenset({"10", "17", "21", "30", "31", "37"})
"""Lot, expiry, serial, counts and weights: what a station reads from labels."""

COUNT_AIS = frozenset({"30", "37"})
COUNT_LONG = 5
"""Digits of a count that a box may not hold: 2100 is a count, 241055 may be 24 and a lot."""

_WAITING_VERBS = frozenset({"EMPTY", "UNMOUNT"})


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
        case "UNDO":
            return Undo()
        case "CANCEL":
            return Cancel()
        case "HELP":
            return Help()
        case "START":
            return _start(argument, meanings)
        case "SHORT":
            return AwaitCode("SHORT", argument)
        case "EMPTY" | "UNMOUNT" as verb:
            return AwaitCode(verb, argument)
        case verb:
            return Refuse(
                "no_effect",
                f"{verb} has no effect at this station yet",
                "Scan an order, a unit or a component lot",
            )


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


def _for_pending(payload: Payload, session: Session, meanings: list[Meaning]) -> Intent | None:
    """Return what the waiting command makes of the code; `None` if it is no code for it at all."""
    if any(meaning.kind == "badge" for meaning in meanings):
        return None
    verb = session.pending_verb or ""
    if verb in _WAITING_VERBS:
        return _dismount(verb, payload, meanings)
    orders = [meaning for meaning in meanings if meaning.kind == "order"]
    if orders and verb == "START":
        return StartOrder(orders[0].key)
    if orders:
        return CloseShort(orders[0].key, session.pending_argument or "")
    if not meanings:
        return None
    return Need(
        "order",
        f"This is {_WHAT_IT_IS[meanings[0].kind]}. {verb} expects an order",
        "Scan the order, or CANCEL",
        verb=verb,
    )


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


def _dismount(verb: str, payload: Payload, meanings: list[Meaning]) -> Dismount:
    lot_id = container_id = item_id = 0
    for meaning in meanings:
        if meaning.kind == "lot":
            lot_id = meaning.row_id
        elif meaning.kind == "container":
            container_id = meaning.row_id
        elif meaning.kind == "item":
            item_id = meaning.row_id
    return Dismount(verb, payload.text, lot_id, container_id, item_id, bool(meanings))


def _plain(payload: Payload, session: Session, meanings: list[Meaning]) -> Intent:
    if not meanings:
        return UnknownCode()
    if len(meanings) > 1:
        names = ", ".join(f"{_WHAT_IT_IS[m.kind]} ({m.key})" for m in meanings)
        return Refuse("ambiguous", f"The code means two things: {names}", "Scan a fuller label")
    meaning = meanings[0]
    doubt = _doubt(payload, meaning)
    if doubt is not None:
        return doubt
    quantity = session.pending_quantity_micro
    label = payload.groups.get("quantity")
    if quantity is None and meaning.fault is not None:
        return Refuse("malformed", f"{meaning.fault}", "Call a supervisor; nothing was booked")
    if quantity is None:
        quantity = meaning.quantity_micro
    if label is not None and quantity is None:
        try:
            quantity = parse_quantity(label)
        except QuantityError as error:
            return Refuse("malformed", f"The label's quantity: {error}", "Scan the label again")
    if quantity is not None and quantity <= 0 and meaning.kind in ("order", "item"):
        return Refuse("malformed", "The label's quantity is 0", "Check the label")
    return _of_meaning(meaning, quantity, meaning.box or payload.groups.get("box"))


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
        case "component_serial":
            return Refuse(
                "no_effect" if meaning.row_id else "serial_unknown",
                f"{meaning.key} is the serial of a component. It has no effect here"
                if meaning.row_id
                else f"No unit and no component has the serial {meaning.key}",
                "Scan an order, a unit or a component lot",
            )
        case _:
            assert_never(meaning.kind)


def _doubt(payload: Payload, meaning: Meaning) -> Refuse | None:
    """Refuse a label whose GS may have been lost before something this station expects.

    A lot, unit or container that the database knows as it was read is no case of that.
    """
    is_known = meaning.kind in ("unit", "container", "lot", "component_serial") and meaning.row_id
    for lost in payload.swallowed:
        if lost.ai in COUNT_AIS and len(lost.value + lost.next_ai + lost.next_value) < COUNT_LONG:
            continue
        if lost.next_ai[:2] in EXPECTED_AIS and not (is_known and lost.ai in ("10", "21")):
            return Refuse(
                "gs_suspected",
                f"({lost.ai}){lost.value} may have swallowed ({lost.next_ai}){lost.next_value}: "
                "the scanner seems to lose GS",
                "Scan it again; then test the scanner (mes-terminal scanners --test)",
            )
    return None


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
