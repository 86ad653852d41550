"""A mounted lot that was held or expired while it stood there: by the control matrix (BF-24).

Where that blocks, nothing is drawn from it, as from any such lot (BF-16). Else the report that
would draw from it is the one that asks; once let pass, it is drawn from as long as it stays. What a
permit with a box lets pass is judged draw by draw.
"""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.policy import Deviation, Situation
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import let_pass, policy
from mes_terminal.store.database import Connection
from mes_terminal.store.let_pass import Barred, LetPass
from mes_terminal.usecases.context import Context
from mes_terminal.usecases.post_report import Drawn

_SITUATIONS: Final[tuple[Situation, ...]] = ("lot_on_hold", "lot_expired")


class Tried(Struct, frozen=True):
    """A barred lot that the report may draw from, if the matrix lets it."""

    barred: Barred
    item_class: str | None


def let_use_barred(conn: Connection, order: OrderFacts, context: Context) -> list[Tried]:
    """Let the report see barred lots that the matrix does not block; `bar_unused` ends that.

    Nothing is read where the matrix blocks all of them, as it does by itself. While the clock is in
    doubt nobody knows what is expired (BF-33).
    """
    matrix, session = context.rules.policy, context.session
    if not session.anything_mounted or not any(map(matrix.permits, _SITUATIONS)):
        return []
    tried: list[Tried] = []
    for barred in let_pass.read_barred(conn, order.work_order_id, today=context.today):
        item_class = policy.class_of_item(conn, barred.item)
        levels = [matrix.level(each, item_class) for each in _situations(barred)]
        if "block" not in levels:
            found = LetPass(bool(barred.is_expired), bool(barred.is_held))
            let_pass.allow(conn, barred.position, found)
            tried.append(Tried(barred, item_class))
    return tried


def deviations_of_barred(tried: list[Tried], drawn: Drawn) -> list[Deviation]:
    """Return a deviation for each of these lots that the report draws from, and each reason."""
    if not tried:
        return []
    used: dict[int, int] = {}
    for piece in (piece for each in drawn.draws for piece in (*each.net, *each.scrap)):
        if piece.source.position:
            used[piece.source.lot_id] = used.get(piece.source.lot_id, 0) + piece.quantity_micro
    return [
        Deviation(
            situation=situation,
            item=each.barred.item,
            item_class=each.item_class,
            lot=each.barred.lot or None,
            quantity=format_quantity(used[each.barred.lot_id]),
            said=_said(each.barred, situation),
            hint=f"Take another lot of {each.barred.item}, or call a supervisor",
        )
        for each in tried
        if each.barred.lot_id in used
        for situation in _situations(each.barred)
    ]


def bar_unused(conn: Connection, tried: list[Tried], met: list[Deviation]) -> None:
    """Bar again what was not let pass: the report did not draw from it, or was not posted."""
    passed = {each.said for each in met}
    for each in tried:
        if not any(_said(each.barred, one) in passed for one in _situations(each.barred)):
            let_pass.bar_again(conn, each.barred)


def _situations(barred: Barred) -> list[Situation]:
    found: list[Situation] = ["lot_on_hold"] if barred.is_held else []
    return [*found, "lot_expired"] if barred.is_expired else found


def _said(barred: Barred, situation: Situation) -> str:
    lot = f"Lot {barred.lot} of {barred.item}, which is mounted,"
    if situation == "lot_on_hold":
        return f"{lot} is on hold"
    return f"{lot} expired on {barred.expires_on}"
