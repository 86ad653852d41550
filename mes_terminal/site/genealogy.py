"""Trace and recall over all stations (BF-37): what something was made from, where it went.

Walked in the database by ids, any depth. A lot that one station made and another one used is one
and the same here; what an order took by no report is in the order, and so in all that it made.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.trace import EdgeFact, Reach, Trace, TraceEdge, TraceNode, walk
from mes_terminal.errors import InputError
from mes_terminal.site.conflicts import station_of
from mes_terminal.site.database import Connection

EDGES_MAX: Final = 250_000
"""Edges of one answer, as at a station."""

_ROOTS: Final = """
    SELECT material_id FROM material
     WHERE item = %(item)s AND lot = %(lot)s AND (%(serial)s = '' OR serial = %(serial)s)
       AND work_order = ''
    UNION
    SELECT material_id FROM material
     WHERE %(serial)s <> '' AND item = %(item)s AND serial = %(serial)s
    UNION
    SELECT m.material_id FROM material m JOIN work_order w USING (work_order)
     WHERE %(lot)s <> '' AND m.item = '' AND m.work_order = %(lot)s
       AND coalesce(w.item, %(item)s) = %(item)s
"""
_BACKWARD: Final = """
    WITH RECURSIVE reached (material_id) AS (
        SELECT unnest(%(roots)s::bigint[])
        UNION
        SELECT e.parent_id FROM edge e JOIN reached r ON e.child_id = r.material_id
    )
    SELECT e.child_id, e.parent_id, e.posting_id, 0, e.quantity_micro, e.certainty
      FROM edge e JOIN reached r ON e.child_id = r.material_id
     ORDER BY e.posting_id, e.order_line COLLATE "C"
     LIMIT %(limit)s
"""
_FORWARD: Final = """
    WITH RECURSIVE reached (material_id) AS (
        SELECT unnest(%(roots)s::bigint[])
        UNION
        SELECT e.child_id FROM edge e JOIN reached r ON e.parent_id = r.material_id
    )
    SELECT e.child_id, e.parent_id, e.posting_id, 0, e.quantity_micro, e.certainty
      FROM edge e JOIN reached r ON e.parent_id = r.material_id
     ORDER BY e.posting_id, e.order_line COLLATE "C"
     LIMIT %(limit)s
"""
_NAMES: Final = """
    SELECT m.material_id, coalesce(nullif(m.item, ''), w.item, ''), m.lot, m.serial,
           nullif(m.work_order, ''), coalesce(i.uom, '')
      FROM material m
      LEFT JOIN work_order w ON w.work_order = m.work_order
      LEFT JOIN item i ON i.item = coalesce(nullif(m.item, ''), w.item)
     WHERE m.material_id = ANY(%s)
"""
_REPORTS: Final = """
    SELECT posting_id, report_id FROM posting WHERE posting_id = ANY(%s) AND report_id IS NOT NULL
"""
_WHERE: Final = """
    SELECT b.material_id, b.location, b.quantity_micro FROM balance b
     WHERE b.material_id = ANY(%s) AND b.quantity_micro <> 0
     ORDER BY b.material_id, b.location COLLATE "C"
"""
_MASS: Final = """
    SELECT v.use, sum(v.quantity_micro)::bigint FROM movement v
     WHERE v.material_id = ANY(%s) GROUP BY v.use
"""
_STATIONS: Final = """
    SELECT DISTINCT v.material_id, s.source
      FROM movement v JOIN posting p USING (posting_id) JOIN source s USING (source_id)
     WHERE v.material_id = ANY(%s) ORDER BY 1, 2
"""


def trace(
    conn: Connection,
    item: str,
    *,
    lot: str = "",
    serial: str = "",
    forward: bool,
    show_all: bool = False,
) -> Trace:
    """Return what a lot or serial was made from, or (`forward`) what it went into.

    A product without a lot is named by its order. Raises `InputError` for what is not known here.
    """
    roots = _roots(conn, item, lot, serial)
    reach = _reach(conn, roots, forward=forward, show_all=show_all)
    names = _names(conn, reach.depths)
    kept = _kept(reach, names, roots)
    ordered = sorted(kept, key=lambda each: _rank(reach.depths[each], names[each]))
    positions = {material_id: position for position, material_id in enumerate(ordered)}
    nodes = [_node(names[each], reach.depths[each]) for each in ordered]
    reports: dict[int, str] = dict(
        conn.execute(_REPORTS, [sorted({edge.report_seq for edge in reach.edges})])
    )
    edges = [
        TraceEdge(
            positions[each.parent_id], positions[each.child_id],
            format_quantity(each.quantity_micro), _unit(each, names), each.certainty,
            reports.get(each.report_seq),
        )
        for each in reach.edges
        if each.parent_id in positions and each.child_id in positions
    ]  # fmt: skip
    edges.sort(key=lambda each: (each.origin, each.target))
    return Trace(item, lot or None, serial or None, nodes, edges)


def recall(conn: Connection, item: str, *, lot: str = "", serial: str = "") -> dict[str, Any]:
    """Return what a lot or serial is in, where all of it is now, and what became of its quantity.

    Raises `InputError` for what is not known here.
    """
    roots = _roots(conn, item, lot, serial)
    reach = _reach(conn, roots, forward=True, show_all=False)
    names = _names(conn, reach.depths)
    where = _where(conn, list(reach.depths))
    seen = _stations(conn, list(reach.depths))
    ordered = sorted(reach.depths, key=lambda each: _rank(reach.depths[each], names[each]))
    affected = [
        _affected(each, reach.depths[each], names[each], where, seen)
        for each in ordered
        if reach.depths[each] and (names[each][1] or names[each][2] or each in where)
    ]
    return {
        "item": item,
        "lot": lot or None,
        "serial": serial or None,
        "uom": names[roots[0]][4],
        "mass_balance": _mass(conn, roots),
        "on_hand": [place for each in roots for place in where.get(each, [])],
        "affected": affected,
        "orders": sorted({names[each][3] for each in reach.depths if names[each][3]}),
        "stations": sorted({station for found in seen.values() for station in found}),
    }


Name = tuple[str, str, str, str | None, str]
"""item, lot, serial, work order, unit."""


def _roots(conn: Connection, item: str, lot: str, serial: str) -> list[int]:
    rows = conn.execute(_ROOTS, {"item": item, "lot": lot, "serial": serial})
    found = sorted(material_id for (material_id,) in rows)
    if not found:
        what = f"serial {serial[:60]!r}" if serial else f"lot {lot[:60]!r}"
        raise InputError(
            f"The site knows no {what} of item {item[:60]!r}. mes-terminal site stock --item "
            "lists what is on hand.",
            reason="lot_unknown",
        )
    return found


def _reach(conn: Connection, roots: Sequence[int], *, forward: bool, show_all: bool) -> Reach:
    rows = conn.execute(
        _FORWARD if forward else _BACKWARD, {"roots": list(roots), "limit": EDGES_MAX + 1}
    ).fetchall()
    if len(rows) > EDGES_MAX:
        raise InputError(
            f"This trace has more than {EDGES_MAX} edges. Trace a lot or serial that stands "
            "further along the way.",
            reason="too_long",
        )
    return walk(roots, [EdgeFact(*row) for row in rows], forward=forward, show_all=show_all)


def _kept(reach: Reach, names: Mapping[int, Name], roots: Sequence[int]) -> set[int]:
    """Leave out orders that nothing went into beside their reports: they only stand between."""
    made_of = {edge.child_id for edge in reach.edges}
    return {each for each in reach.depths if each in roots or not names[each][3] or each in made_of}


def _names(conn: Connection, ids: Mapping[int, int]) -> dict[int, Name]:
    return {row[0]: tuple(row[1:]) for row in conn.execute(_NAMES, [sorted(ids)])}


def _rank(depth: int, name: Name) -> tuple[int, str, str, str, str]:
    return depth, name[0], name[1], name[2], name[3] or ""


def _node(name: Name, depth: int) -> TraceNode:
    return TraceNode(name[0], name[1] or None, name[2] or None, name[3], depth)


def _unit(edge: EdgeFact, names: Mapping[int, Name]) -> str:
    return names[edge.parent_id][4]


def _where(conn: Connection, ids: Sequence[int]) -> dict[int, list[dict[str, str]]]:
    found: dict[int, list[dict[str, str]]] = {}
    for material_id, location, micro in conn.execute(_WHERE, [list(ids)]):
        place = {"location": location, "quantity": format_quantity(micro)}
        found.setdefault(material_id, []).append(place)
    return found


def _stations(conn: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for material_id, source in conn.execute(_STATIONS, [list(ids)]):
        found.setdefault(material_id, []).append(station_of(source))
    return found


def _mass(conn: Connection, roots: Sequence[int]) -> dict[str, str]:
    """Return what became of a quantity: what came in less what went out is what is on hand."""
    sums = {use: micro for use, micro in conn.execute(_MASS, [list(roots)]) if use != "Moved"}
    told = {
        "received": sums.get("Received", 0),
        "produced": sums.get("Produced", 0),
        "consumed": -sums.get("Consumed", 0),
        "scrapped": -sums.get("Scrapped", 0),
        "adjusted": sums.get("Adjusted", 0),
        "on_hand": sum(sums.values()),
    }
    return {name: format_quantity(micro) for name, micro in told.items()}


def _affected(
    material_id: int,
    depth: int,
    name: Name,
    where: Mapping[int, list[dict[str, str]]],
    seen: Mapping[int, list[str]],
) -> dict[str, Any]:
    return {
        "item": name[0],
        "lot": name[1] or None,
        "serial": name[2] or None,
        "work_order": name[3],
        "depth": depth,
        "uom": name[4],
        "on_hand": where.get(material_id, []),
        "stations": seen.get(material_id, []),
    }
