"""A trace is what a person would find who followed every edge by hand (BF-37, BF-31)."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.trace import Trace, assembled, branches, pairs
from mes_terminal.store.database import Database, open_database
from mes_terminal.usecases.trace import trace_rows

CERTAINTIES = ("exact", "sole", "pooled", "assumed", "unknown")
LOTS = 8
FIRST_ID = 100

Edge = tuple[int, int, int, str]
"""Child, parent, quantity, certainty."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_database(tmp_path_factory.mktemp("trace") / "station.db")
    with database.transaction() as conn:
        conn.execute("INSERT INTO item (item_id, item, kind) VALUES (1, 'PART', 'purchased')")
        conn.executemany(
            "INSERT INTO lot (lot_id, item_id, lot) VALUES (?, 1, ?)",
            [(FIRST_ID + n, f"L{n}") for n in range(LOTS)],
        )
    yield database
    database.close()


@st.composite
def genealogies(draw: st.DrawFn) -> list[Edge]:
    """Edges in the order of their reports; some taken back, and some of those made again.

    Mostly from lower to higher lots (as production goes), but rework may turn back.
    """
    edges: list[Edge] = []
    for _ in range(draw(st.integers(0, 14))):
        one, other = draw(st.integers(0, LOTS - 1)), draw(st.integers(0, LOTS - 1))
        if draw(st.integers(0, 9)):
            one, other = max(one, other), min(one, other)
        edge = (one, other, draw(st.integers(1, 3)), draw(st.sampled_from(CERTAINTIES)))
        edges.append(edge)
        if draw(st.integers(0, 2)) == 0:
            edges.append((edge[0], edge[1], -edge[2], edge[3]))
            if draw(st.booleans()):
                edges.append(edge)
    return edges


def followed(edges: list[Edge], start: int, *, forward: bool, show_all: bool) -> dict[int, int]:
    """Return each lot reached with its depth, by trying all edges again and again."""
    depths = {start: 0}
    changed = True
    while changed:
        changed = False
        for child, parent, _, _ in edges:
            total = sum(q for c, p, q, _ in edges if (c, p) == (child, parent))
            near, far = (parent, child) if forward else (child, parent)
            if near not in depths or not (total or show_all):
                continue
            if depths.get(far, LOTS + 1) > depths[near] + 1:
                depths[far] = depths[near] + 1
                changed = True
    return depths


def traced(database: Database, edges: list[Edge], filters: dict[str, str]) -> Trace:
    """Return the trace of a database that holds just these edges."""
    conn = database.conn
    conn.execute("BEGIN")
    try:
        conn.executemany(
            "INSERT INTO edge VALUES (?, ?, ?, 1, ?, ?)",
            [
                (FIRST_ID + child, FIRST_ID + parent, report, quantity * 1_000_000, certainty)
                for report, (child, parent, quantity, certainty) in enumerate(edges, 1)
            ],
        )
        return assembled(map(msgspec.json.encode, trace_rows(database, filters)))
    finally:
        conn.execute("ROLLBACK")


@given(
    edges=genealogies(),
    start=st.integers(0, LOTS - 1),
    forward=st.booleans(),
    show_all=st.booleans(),
)
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_trace_equals_the_edges_followed_by_hand(
    database: Database, edges: list[Edge], start: int, forward: bool, show_all: bool
) -> None:
    """BF-37, both ways; a pair that sums to zero leads nowhere (BF-31) unless all is asked for."""
    filters = {
        "item": "PART",
        "lot": f"L{start}",
        "direction": "forward" if forward else "backward",
    }
    if show_all:
        filters["all"] = "yes"
    trace = traced(database, edges, filters)
    depths = followed(edges, start, forward=forward, show_all=show_all)
    assert [(node.lot, node.depth) for node in trace.nodes] == [
        (f"L{lot}", depth) for depth, lot in sorted((depth, lot) for lot, depth in depths.items())
    ]
    assert_edges(trace, expected_edges(edges, depths, forward=forward, show_all=show_all))
    lines = list(branches(trace, forward=forward))
    assert len(lines) == 1 + len(pairs(trace)), "each pair stands in the tree once"
    assert {line.node for line in lines} == set(range(len(trace.nodes)))


def expected_edges(
    edges: list[Edge], depths: dict[int, int], *, forward: bool, show_all: bool
) -> list[Edge]:
    """Return the edges between what is reached, in the order of reports."""
    found = []
    for child, parent, quantity, certainty in edges:
        total = sum(q for c, p, q, _ in edges if (c, p) == (child, parent))
        if (parent if forward else child) in depths and (total or show_all):
            found.append((child, parent, quantity, certainty))
    return found


def assert_edges(trace: Trace, expected: list[Edge]) -> None:
    """The same edges, sorted by their ends and within a pair as they were reported."""
    found: list[tuple[Any, ...]] = [
        (trace.nodes[e.target].lot, trace.nodes[e.origin].lot, e.quantity, e.certainty)
        for e in trace.edges
    ]
    told = [(f"L{c}", f"L{p}", format_quantity(q * 1_000_000), sure) for c, p, q, sure in expected]
    order = {node.lot: position for position, node in enumerate(trace.nodes)}
    assert found == sorted(told, key=lambda e: (order[e[1]], order[e[0]]))
    sums: dict[tuple[int, int], int] = {}
    for child, parent, quantity, _ in expected:
        sums[parent, child] = sums.get((parent, child), 0) + quantity
    assert {
        (trace.nodes[p.origin].lot, trace.nodes[p.target].lot): p.quantity for p in pairs(trace)
    } == {(f"L{a}", f"L{b}"): str(total) for (a, b), total in sums.items()}
