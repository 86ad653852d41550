"""A lot is held, or released by quality: `%HOLD`, `%RELEASE`, then the lot (BF-16).

The whole lot, wherever it lies and in whichever containers. What is held is not picked, and is
mounted no longer.
"""

from typing import Final

from msgspec.structs import replace

from mes_terminal.store import materials, mount_spans
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.heal_queue import queue_lots
from mes_terminal.usecases.context import Answer, Context, answer, fact
from mes_terminal.usecases.end_stay import end_stay
from mes_terminal.usecases.handled import Handled, refused

STATUS_AFTER: Final = {"HOLD": "hold", "RELEASE": "available"}
RELEASED_BY: Final = ("quality", "supervisor")


def set_lot_status(conn: Connection, handled: Handled, context: Context) -> Answer:
    """Hold or release the lot; a rejected one only a load can change."""
    status = STATUS_AFTER[handled.verb]
    refusal = _refuse(handled, status, context)
    if refusal is not None:
        return refusal
    material = handled.material
    name = material.lot or material.serial or material.item
    draft = replace(
        fact(
            context,
            "lot.status_changed",
            name,
            item=material.item,
            lot=material.lot,
            serial=material.serial,
            before=material.status,
            status=status,
        ),
        upstream=True,
        partition_key=material.item,
    )
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    materials.set_status(conn, material.lot_id, status)
    freed = _unmount(conn, material.lot_id, event_seq, context) if status == "hold" else []
    if status == "available":
        queue_lots(conn, [material.lot_id], event_seq)
    return answer(
        context,
        "recorded",
        f"{material.item} {name} is {'on hold' if status == 'hold' else 'released'}"
        + (f"; {', '.join(freed)} is free" if freed else ""),
        "Scan another lot, a unit or an order",
        item=material.item,
        lot=material.lot,
        serial=material.serial,
        event_seq=event_seq,
    )


def _refuse(handled: Handled, status: str, context: Context) -> Answer | None:
    material = handled.material
    name = f"{material.item} {material.lot or material.serial or ''}".strip()
    if material.lot is None and material.serial is None:
        said = f"{material.item} is not kept by lot: {handled.verb} cannot name a part of it"
        return refused(
            context, "no_effect", said, "MOVE it to a hold location", material=handled.material
        )
    if handled.verb == "RELEASE" and (
        context.person is None or context.person.role not in RELEASED_BY
    ):
        said = "RELEASE is for quality and supervisors"
        hint = "Scan your badge first, or call quality"
        return refused(context, "not_authorised", said, hint, material=handled.material)
    if material.status == "rejected":
        said = f"{name} is rejected"
        return refused(context, "lot_on_hold", said, "Call quality", material=handled.material)
    if material.status != status:
        return None
    return answer(
        context,
        "already_done",
        f"{name} is {'on hold' if status == 'hold' else 'not on hold'} already",
        "Scan another lot, a unit or an order",
        item=material.item,
        lot=material.lot,
        serial=material.serial,
    )


def _unmount(conn: Connection, lot_id: int, event_seq: int, context: Context) -> list[str]:
    freed: list[str] = []
    for stay in mount_spans.open_stays(conn, station_pct_micro=context.rules.lot_overrun_pct_micro):
        if stay.lot_id == lot_id:
            end_stay(conn, stay, by="hold", left_micro=None, event_seq=event_seq, context=context)
            freed.append(stay.position)
    return freed
