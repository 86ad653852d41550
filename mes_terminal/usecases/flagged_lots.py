"""A lot or serial that is held or expired, and that somebody wants to use all the same (BF-24).

What quality rejected is no deviation: only a load changes that (BF-16).
"""

from typing import Final

from msgspec.structs import replace

from mes_terminal.domain.order import LineFacts, OrderFacts
from mes_terminal.domain.outcome import ExceptionKind, OpenedException
from mes_terminal.domain.policy import Deviation, Situation
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import policy
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.let_pass import LetPass
from mes_terminal.store.mounts import MaterialFacts
from mes_terminal.store.policy import LetPassPart
from mes_terminal.usecases.context import Answer, Context, fact

USED_IN_SPITE: Final[dict[Situation, ExceptionKind]] = {
    "lot_expired": "lot_expired",
    "lot_on_hold": "lot_on_hold",
    "substitute": "substitution",
    "serial_missing": "component_serial",
}
"""The exception that what was let pass opens, once it is used."""


def deviations_of_lot(
    conn: Connection, material: MaterialFacts, context: Context
) -> list[Deviation]:
    """Return the deviations of using the material: none if it is neither held nor expired."""
    name = material.container or material.lot or material.serial or material.item
    lot = f"{'Lot ' if material.serial is None else ''}{name} of {material.item}"
    met: list[Deviation] = []
    if material.status == "hold":
        met.append(deviation_of_material(conn, material, "lot_on_hold", f"{lot} is on hold"))
    if material.expires_on is not None and material.expires_on < context.today:
        said = f"{lot} expired on {material.expires_on}"
        met.append(deviation_of_material(conn, material, "lot_expired", said))
    return met


def deviation_of_material(
    conn: Connection,
    material: MaterialFacts,
    situation: Situation,
    said: str,
    hint: str | None = None,
) -> Deviation:
    """Return a deviation that lies in the material itself."""
    return Deviation(
        situation=situation,
        item=material.item,
        item_class=policy.class_of_item(conn, material.item),
        lot=material.lot or material.serial,
        said=said,
        hint=hint or f"Take another lot of {material.item}, or call a supervisor",
    )


def let_pass_of(met: list[Deviation]) -> LetPass:
    """Return what is let pass of the lot or serial that met these."""
    situations = {each.situation for each in met}
    return LetPass("lot_expired" in situations, "lot_on_hold" in situations)


def note_use(
    conn: Connection,
    met: list[Deviation],
    order: OrderFacts,
    used: list[tuple[LineFacts, int]],
    lot_id: int,
    booked: Answer,
    context: Context,
) -> Answer:
    """Open or raise an exception a line for each deviation met by using a lot by hand, extra parts
    at the line that takes their item."""
    by_line: dict[int, tuple[LineFacts, int]] = {}
    for line, quantity in used if met else ():
        before = by_line[line.line_id][1] if line.line_id in by_line else 0
        by_line[line.line_id] = (line, before + quantity)
    for each in met:
        for line, quantity in by_line.values():
            part = LetPassPart(
                kind=USED_IN_SPITE[each.situation],
                work_order_id=order.work_order_id,
                work_order=order.work_order,
                line_id=line.line_id,
                line=line.line,
                item_id=line.item_id,
                item=line.item,
                lot_id=lot_id,
                quantity_micro=quantity,
                cause_code="let_pass",
                cause=each.said,
            )
            booked = note_let_pass(conn, part, booked, context)
    return booked


def note_let_pass(conn: Connection, part: LetPassPart, booked: Answer, context: Context) -> Answer:
    """Open or raise the exception of what was used outside a report of production, in the event
    that booked it; return the answer with it."""
    if booked.event_seq is None:
        return booked
    quantity = format_quantity(part.quantity_micro)
    exception_id = policy.note_let_pass(
        conn, part, opened_at=context.scan.event_time, event_seq=booked.event_seq
    )
    draft = replace(
        fact(
            context,
            "exception.opened",
            part.work_order,
            exception_id=exception_id,
            kind=part.kind,
            line=part.line,
            item=part.item,
            quantity=quantity,
            cause=part.cause,
        ),
        upstream=True,
    )
    append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)
    opened = OpenedException(exception_id, part.kind, part.line, part.item, quantity)
    outcome = booked.outcome
    return replace(booked, outcome=replace(outcome, exceptions=[*outcome.exceptions, opened]))
