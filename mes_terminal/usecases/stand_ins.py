"""A mounted lot that stands in for a component by a permit with a box (BF-24, BF-29).

It is drawn from like one that was approved, and each report that draws from it meets the deviation
`substitute`, so that the permit's time and quantity hold for every draw. Approved in person, it
stands in as long as it stays.
"""

from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import permits, policy
from mes_terminal.store.database import Connection
from mes_terminal.usecases.post_report import Drawn


def stand_ins_by_permit(conn: Connection, drawn: Drawn) -> dict[str, Deviation]:
    """Return position → deviation of what a report would draw so. Nothing is read where it draws
    from nothing that takes an approval."""
    drawn_pieces = [piece for each in drawn.draws for piece in (*each.net, *each.scrap)]
    approved = [
        piece for piece in drawn_pieces if piece.substitute and piece.substitute.is_let_pass
    ]
    if not approved:
        return {}
    by_permit = permits.positions_by_permit(conn)
    found: dict[str, Deviation] = {}
    for first in approved:
        position, stand_in, lot = first.source.position, first.substitute, first.source.lot
        if position not in by_permit or stand_in is None:
            continue
        here = [piece for piece in approved if piece.source.position == position]
        quantity = sum(piece.quantity_micro for piece in here)
        found[position] = Deviation(
            situation="substitute",
            item=stand_in.item,
            item_class=policy.class_of_item(conn, stand_in.item),
            lot=lot or None,
            quantity=format_quantity(quantity),
            said=f"{lot or stand_in.item}, which is mounted in {position}, stands in for another "
            "item and is not approved for this report",
            hint=f"Take the item that {stand_in.item} stands in for, or call a supervisor",
        )
    return found


def approve_stand_ins(
    conn: Connection, met: dict[str, Deviation], lasting: list[Deviation]
) -> None:
    """Let what was approved in person stand in for as long as it stays."""
    for position, each in met.items():
        if each in lasting:
            permits.approve_for_stay(conn, position)
