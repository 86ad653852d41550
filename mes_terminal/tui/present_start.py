"""The start of a shift in the person's words: what their badge finds at the station. Pure."""

from typing import Final

from mes_terminal.domain.view import StationView
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.words import Words

ORDERS_NAMED_MAX: Final = 3
KINDS_NAMED_MAX: Final = 4


def hello(view: StationView, words: Words) -> tuple[str, str]:
    """Return what is handed over to who has just signed in, and the next orders; empty where there
    is nothing to tell."""
    told, kinds = words.shift, words.desk.kinds
    handed = ", ".join(
        f"{each.count} {kinds.get(each.kind, safe(each.kind, 24))}"
        for each in view.handed_over[:KINDS_NAMED_MAX]
    )
    orders = [each for each in (view.order, *view.next_orders) if each is not None]
    following = ", ".join(safe(each.work_order, 20) for each in orders[:ORDERS_NAMED_MAX])
    return (
        told.handed_over.format(what=handed) if handed else "",
        told.following.format(orders=following) if following else "",
    )
