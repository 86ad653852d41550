"""Several reports at once into Tryton's stock: a call of Tryton's takes many productions, and most
of its time is for the call, not for the production.

Only reports that were never tried before and that nothing of the others rests on. They take the
steps of `productions`, one call each for all of them, so each is found by its key in a state from
which it goes on alone: whatever goes wrong here, the caller posts them one by one (UP-7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivering import queued_posting
from mes_terminal.site.tryton.movements import Posting, Special, movements_of, read_posting
from mes_terminal.site.tryton.post import stock_moves
from mes_terminal.site.tryton.productions import post_new

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mes_terminal.domain.delivery import Material
    from mes_terminal.site.tryton.catalogue import Catalogue
    from mes_terminal.site.tryton.client import TrytonClient
    from mes_terminal.site.tryton.deliveries import Delivery

MOVES_MAX: Final = 100
"""How much one call may move at most: it locks what it moves, and is to answer within seconds."""


class Fresh(Struct, frozen=True):
    """A report that was never tried."""

    inbox_id: int
    posting: Posting


def first_together(ready: Sequence[Delivery]) -> list[Fresh]:
    """Return those of the first of what is ready that can go in one."""
    found: list[Fresh] = []
    brought: set[Material] = set()
    moves = 0
    for each in ready:
        if each.attempts:
            break
        try:
            posting = read_posting(each.body)
        except msgspec.DecodeError:
            break
        told = queued_posting(each.inbox_id, each.body, with_body=False)
        moves += len(posting.data.material_actuals)
        if not _is_plain(posting) or told.uses & brought or (found and moves > MOVES_MAX):
            break
        found.append(Fresh(each.inbox_id, posting))
        brought |= told.brings
    return found


def post_together(
    client: TrytonClient, catalogue: Catalogue, postings: Sequence[Posting]
) -> list[str] | None:
    """Bring reports into Tryton's stock and return the numbers of their documents; `None`: some are
    there already, post them one by one.

    Raises as `post`; what any of them is refused for, all are, and one by one tells which.
    """
    moves = [
        stock_moves(catalogue, movements_of(each), catalogue.company.day_of(each.time))
        for each in postings
    ]
    return post_new(client, catalogue, list(zip(postings, moves, strict=True)))


def _is_plain(posting: Posting) -> bool:
    """Tell whether all that a posting moves goes into a production or comes out of one."""
    movements = movements_of(posting)
    return (
        posting.data.work_order is not None
        and posting.data.reverses is None
        and bool(movements or posting.data.final)
        and all(Special.PRODUCTION in (each.origin, each.target) for each in movements)
    )
