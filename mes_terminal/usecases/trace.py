"""Trace a lot or serial through the genealogy: what it was made from, or where it went (BF-37).

The answer comes as rows, so that the link pages it as any list. The order is always the same: nodes
by depth, item, lot, serial, order (no name before any name, text by code point); edges by `from`,
`to`, then in the order in which they were recorded. Called by the core's reading thread and by the
command line, through `usecases.lists.LISTS`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.trace import Reach, Subject, TraceEdge, TraceNode, TraceRow, walk
from mes_terminal.errors import DatabaseError, InputError
from mes_terminal.store import genealogy
from mes_terminal.store.database import Database
from mes_terminal.store.genealogy import LotName
from mes_terminal.usecases.named_lots import SHOWN_MAX, ids_of_lot, known_item

TRACE_EDGES_MAX: Final = 250_000
"""Edges of one answer: a year of a busy line, and about 100 MB while it is made."""

_FILTERS: Final = frozenset({"item", "lot", "serial", "code", "direction", "all"})


def trace_rows(database: Database, filters: Mapping[str, str]) -> Iterator[TraceRow]:
    """Return the parts of a trace: the subject, the nodes, the edges.

    Filters: `item` and one of `lot` (empty: the nameless one) and `serial`, or a `code` alone;
    `direction` is `backward` (made from) or `forward` (where used); `all` shows what was taken back
    too. Raises `InputError` for what is unknown, ambiguous or too much, and `DatabaseError` with
    the first row where the genealogy names a lot that is not there.
    """
    forward = _asked(filters)
    roots = _roots(database, filters)
    edges = genealogy.edges_from(database, roots, forward=forward, limit=TRACE_EDGES_MAX + 1)
    if len(edges) > TRACE_EDGES_MAX:
        raise InputError(
            f"This trace has more than {TRACE_EDGES_MAX} edges. "
            "Trace a lot or serial that stands further along the way.",
            reason="too_long",
        )
    reach = walk(roots, edges, forward=forward, show_all="all" in filters)
    return _rows(database, reach, is_lot="lot" in filters)


def roots_of_code(database: Database, code: str) -> list[int]:
    """Return where a code begins: a lot, a serial, a container's lot, all that an order made, or
    `ITEM|LOT`. Raises `InputError` for one that is unknown, or names lots of several items."""
    item, mark, lot = code.partition("|")
    if mark and (found := genealogy.ids_of_lot(database, item, lot.partition("|")[0])):
        return found
    by_item = genealogy.ids_of_code(database, code)
    if not by_item:
        raise InputError(
            f"{code[:SHOWN_MAX]!r} is no lot, serial number, container or order known here.",
            reason="lot_unknown",
        )
    if len(by_item) > 1:
        raise InputError(
            f"{code[:SHOWN_MAX]!r} names lots of several items: "
            f"{', '.join(sorted(by_item))[:200]}. Write ITEM|LOT.",
            reason="ambiguous",
        )
    return next(iter(by_item.values()))


def _asked(filters: Mapping[str, str]) -> bool:
    """Return whether the trace goes forward; refuse filters that do not name one start."""
    named = set(filters) - {"direction", "all"}
    if not set(filters) <= _FILTERS or named not in ({"item", "lot"}, {"item", "serial"}, {"code"}):
        raise InputError("A trace needs item and lot, item and serial, or a code.")
    direction = filters.get("direction", "backward")
    if direction not in ("forward", "backward"):
        raise InputError(f"A trace goes forward or backward, not {direction[:SHOWN_MAX]!r}.")
    return direction == "forward"


def _roots(database: Database, filters: Mapping[str, str]) -> list[int]:
    if "code" in filters:
        return roots_of_code(database, filters["code"])
    item = filters["item"]
    known_item(database, item)
    if "serial" in filters:
        serial = filters["serial"]
        if found := genealogy.ids_of_serial(database, item, serial):
            return found
        raise InputError(
            f"{item[:SHOWN_MAX]!r} has no serial number {serial[:SHOWN_MAX]!r} that was made or "
            "received. mes-terminal stock --item lists those on hand.",
            reason="serial_unknown",
        )
    return ids_of_lot(database, item, filters["lot"])


def _rows(database: Database, reach: Reach, *, is_lot: bool) -> Iterator[TraceRow]:
    names = genealogy.lot_names(database, reach.depths)
    if len(names) < len(reach.depths):
        raise DatabaseError(
            "The genealogy names a lot that is not in the database. Restore the newest backup.",
            reason="damaged",
        )
    ordered = sorted(names, key=lambda lot_id: _rank(reach.depths[lot_id], names[lot_id]))
    positions = {lot_id: position for position, lot_id in enumerate(ordered)}
    scans = genealogy.scan_ids(database, sorted({edge.report_seq for edge in reach.edges}))
    first = names[ordered[0]]
    serial = None if is_lot else first.serial or None
    yield TraceRow(subject=Subject(first.item, first.lot or None, serial))
    for lot_id in ordered:
        name = names[lot_id]
        yield TraceRow(
            node=TraceNode(
                name.item, name.lot or None, name.serial or None, name.work_order,
                reach.depths[lot_id],
            )
        )  # fmt: skip
    placed = sorted(
        (positions[edge.parent_id], positions[edge.child_id], edge) for edge in reach.edges
    )
    for origin, target, edge in placed:
        yield TraceRow(
            edge=TraceEdge(
                origin, target, format_quantity(edge.quantity_micro), names[edge.parent_id].uom,
                edge.certainty, scans.get(edge.report_seq),
            )
        )  # fmt: skip


def _rank(depth: int, name: LotName) -> tuple[int, str, str, str, str]:
    return depth, name.item, name.lot, name.serial, name.work_order or ""
