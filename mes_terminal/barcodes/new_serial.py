"""A code that nobody knows: the serial of a new unit, where it says so or is waited for. Pure."""

from mes_terminal.barcodes.label import label_of
from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain.intent import ReportNewUnit, UnknownCode
from mes_terminal.domain.session import AWAITS_SERIAL, Session


def read_unknown(payload: Payload, session: Session) -> ReportNewUnit | UnknownCode:
    """Return what a code without a meaning is, unless a command waits for one that has."""
    serial = None
    if session.pending_verb == AWAITS_SERIAL:
        serial = payload.groups.get("serial") or _awaited(payload)
    elif session.pending_verb is None:
        serial = payload.groups.get("serial")
    return ReportNewUnit(serial) if serial else UnknownCode()


def _awaited(payload: Payload) -> str | None:
    """Return the serial that stands alone: a plain code that nothing took apart, or a label with
    nothing else on it."""
    if payload.kind == "plain":
        taken_apart = payload.rule or payload.parts or payload.flag
        return None if taken_apart else payload.text
    label = label_of(payload)
    if label is None or label.names_an_item or label.orders or label.lot or label.package:
        return None
    return label.serial
