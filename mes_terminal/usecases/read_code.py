"""What a code names: site patterns by their groups, everything else by an exact look-up.

Called for each scan inside its transaction, and by `decode`.
"""

from mes_terminal.barcodes.label import label_of
from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain.intent import Meaning
from mes_terminal.store import codes
from mes_terminal.store.database import Connection
from mes_terminal.usecases.read_label import read_label, with_pack

_GROUP_KINDS = {"order": "order", "serial": "unit", "container": "container"}


def read_code(conn: Connection, payload: Payload) -> list[Meaning]:
    """Return what the payload names; several meanings are for `interpret` to refuse."""
    if payload.kind == "command":
        return _orders(conn, _order_of(payload))
    if payload.kind != "plain":
        label = label_of(payload)
        return read_label(conn, label) if label is not None else []
    if payload.parts is not None or payload.flag is not None:
        return []
    if payload.rule is None:
        return [with_pack(conn, found) for found in codes.look_up(conn, payload.text)]
    groups = payload.groups
    if "badge" in groups:
        return [Meaning("badge", groups["badge"])]
    if "location" in groups:
        return [Meaning("location", groups["location"])]
    if "item" in groups and "lot" in groups:
        return [_lot(conn, groups["item"], groups["lot"])]
    for group, kind in _GROUP_KINDS.items():
        if group in groups:
            return [m for m in codes.look_up(conn, groups[group]) if m.kind == kind]
    return codes.look_up(conn, groups.get("item", payload.text))


def _order_of(payload: Payload) -> str:
    """Return the order that a command names in its own code."""
    if payload.name == "START":
        return payload.argument
    return payload.argument.partition(" ")[2] if payload.name == "OP" else ""


def _orders(conn: Connection, number: str) -> list[Meaning]:
    if not number:
        return []
    return [meaning for meaning in codes.look_up(conn, number) if meaning.kind == "order"]


def _lot(conn: Connection, item: str, lot: str) -> Meaning:
    item_id, lot_id = codes.lot_of(conn, item, lot) or (0, None)
    return Meaning("lot", f"{item}|{lot}", lot_id or 0, item_id)
