"""The genealogy step by step: where a code begins, and what the next step leads to (BF-37).

A step is a page of an index, so that a lot that went into a hundred thousand units opens at once.
Called through `usecases.lists.LISTS`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final

from mes_terminal.domain.backflush import WEAKEST_LAST
from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.trace_steps import TraceStep, TraceTotal
from mes_terminal.errors import InputError
from mes_terminal.store import desk_trace as store
from mes_terminal.store.database import Database
from mes_terminal.usecases.desk_filters import check_filters, number_after, page_rows
from mes_terminal.usecases.filters import whole_number
from mes_terminal.usecases.trace import roots_of_code

FILTERS: Final = ("code", "begin", "node", "direction", "after", "limit")


def desk_trace(database: Database, filters: Mapping[str, str]) -> Iterator[TraceStep]:
    """Yield where a `code` begins, the node `begin` itself, or what `node` leads to in a
    `direction`, by their ids.

    Raises `InputError` for what is unknown or ambiguous, and for a filter it lacks.
    """
    forward = _forward("desk_trace", filters)
    after = number_after(filters, 0)
    if "code" in filters:
        roots = [each for each in sorted(roots_of_code(database, filters["code"])) if each > after]
        return _named(database, dict.fromkeys(roots[: page_rows(filters)]), forward)
    if "begin" in filters:
        if after:
            return iter(())
        return _named(database, {whole_number("begin", filters["begin"]): None}, forward)
    node = _node(filters)
    rows = store.step(database, node, forward=forward, after=after)
    reached = islice(_summed(rows), page_rows(filters))
    return _named(database, dict(reached), forward, used=node if forward else None)


def desk_trace_count(database: Database, filters: Mapping[str, str]) -> Iterator[TraceTotal]:
    """Yield how many a `code` begins at, or `node` leads to."""
    forward = _forward("desk_trace_count", filters)
    if "code" in filters:
        yield TraceTotal(len(roots_of_code(database, filters["code"])))
    else:
        yield TraceTotal(store.total(database, _node(filters), forward=forward))


def _forward(name: str, filters: Mapping[str, str]) -> bool:
    check_filters(name, filters, FILTERS)
    direction = filters.get("direction", "backward")
    if direction not in ("forward", "backward"):
        raise InputError(f"A trace goes forward or backward, not {direction[:40]!r}.")
    return direction == "forward"


def _node(filters: Mapping[str, str]) -> int:
    if "node" not in filters:
        raise InputError("A step needs a code or a node.")
    return whole_number("node", filters["node"])


def _summed(
    rows: Iterable[tuple[int, str, int]],
) -> Iterator[tuple[int, tuple[int, Certainty]]]:
    """Yield each lot that is reached with how much and how certain; one that was all taken back is
    not reached."""
    for far_id, found in groupby(rows, itemgetter(0)):
        sums: dict[Any, int] = {certainty: micro for _, certainty, micro in found if micro}
        if sum(sums.values()):
            yield far_id, (sum(sums.values()), max(sums, key=WEAKEST_LAST.index))


def _named(
    database: Database,
    reached: Mapping[int, tuple[int, Certainty] | None],
    forward: bool,
    *,
    used: int | None = None,
) -> Iterator[TraceStep]:
    """Yield what is reached. A quantity is one of the component: of `used`, where that went into
    what is reached."""
    names = store.lots(database, reached, forward=forward)
    used_uom = None if used is None else store.uom(database, used)
    for lot_id, amount in reached.items():
        if lot_id not in names:
            raise InputError("There is no such lot any more. Scan or type it again.")
        _, item, description, lot, serial, work_order, status, uom, goes_on = names[lot_id]
        yield TraceStep(
            node=lot_id,
            item=item,
            description=description,
            lot=lot or None,
            serial=serial or None,
            work_order=work_order,
            status=status,
            quantity=None if amount is None else format_quantity(amount[0]),
            uom=used_uom or uom,
            certainty=None if amount is None else amount[1],
            goes_on=bool(goes_on),
        )
