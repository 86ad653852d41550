"""Canned genealogies for the gallery and for tests."""

from typing import Final

from mes_terminal.domain.trace import Subject, Trace, TraceEdge, TraceNode, TraceRow

CHAIR_TRACE: Final = Trace(
    "CHAIR-4",
    None,
    "000063",
    [
        TraceNode("CHAIR-4", None, "000063", None, 0),
        TraceNode("BACK", None, None, None, 1),
        TraceNode("LEG", "L-77", None, None, 1),
        TraceNode("LEG", "L-78", None, None, 1),
        TraceNode("SEAT-FRAME", "F-12", None, None, 1),
        TraceNode("BAR", None, None, "WO-0950", 2),
        TraceNode("PAINT", "P-2026-11", None, None, 2),
        TraceNode("STEEL", "COIL-9", None, None, 3),
    ],
    [
        TraceEdge(1, 0, "1", "pcs", "unknown", "scan-9"),
        TraceEdge(2, 0, "1", "pcs", "pooled", "scan-9"),
        TraceEdge(3, 0, "3", "pcs", "pooled", "scan-9"),
        TraceEdge(4, 0, "1", "pcs", "exact", "scan-9"),
        TraceEdge(5, 4, "4", "pcs", "sole", "scan-5"),
        TraceEdge(6, 3, "0.125", "kg", "assumed", "scan-4"),
        TraceEdge(6, 4, "0.3", "kg", "assumed", "scan-5"),
        TraceEdge(7, 5, "1250.5", "kg", "sole", "scan-1"),
        TraceEdge(7, 6, "0.01", "kg", "assumed", "scan-2"),
    ],
)
"""A chair, what it was made from, and what that was made from."""


def leg_trace() -> Trace:
    """Return a lot of legs that went into 120 chairs."""
    trace = Trace("LEG", "L-78", None, [TraceNode("LEG", "L-78", None, None, 0)], [])
    for number in range(1, 121):
        trace.nodes.append(TraceNode("CHAIR-4", None, f"{number:06d}", None, 1))
        trace.edges.append(TraceEdge(0, number, "4", "pcs", "exact", f"scan-{number}"))
    return trace


def trace_parts(trace: Trace) -> list[TraceRow]:
    """Return a trace as the core sends it."""
    subject = Subject(trace.item, trace.lot, trace.serial)
    nodes = [TraceRow(node=node) for node in trace.nodes]
    return [TraceRow(subject=subject), *nodes, *(TraceRow(edge=edge) for edge in trace.edges)]
