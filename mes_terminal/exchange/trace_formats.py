"""A trace as CSV and as a Graphviz drawing; what a lot is called is never taken for more. Pure.

Names come from labels and files. A control character, and what turns text round or is not seen,
stands as a picture or as U+FFFD; in CSV a text that a spreadsheet would take for a formula begins
with an apostrophe. `--format json` has every name exactly.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.trace import Pair, Trace, TraceNode, pairs
from mes_terminal.exchange.csv_line import csv_line

CSV_COLUMNS: Final = (
    "from_item", "from_lot", "from_serial", "from_work_order", "from_depth",
    "to_item", "to_lot", "to_serial", "to_work_order", "to_depth",
    "quantity", "uom", "certainty", "report_id",
)  # fmt: skip
"""One row an edge: a component and the product it went into."""

_FORMULA: Final = ("=", "+", "-", "@")
"""How a formula may begin (OWASP, CSV Injection); tab and line ends are pictures by then."""

_NEVER_WRITTEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})

_STYLES: Final[dict[Certainty, str]] = {
    "exact": "solid",
    "sole": "solid",
    "pooled": "dashed",
    "assumed": "dashed",
    "unknown": "dotted",
}


def csv_lines(trace: Trace) -> Iterator[str]:
    """Yield the lines of a CSV table of the edges (RFC 4180, with a header)."""
    yield csv_line(CSV_COLUMNS)
    for edge in trace.edges:
        yield csv_line(
            (
                *_csv_node(trace.nodes[edge.origin]),
                *_csv_node(trace.nodes[edge.target]),
                edge.quantity,
                _csv_text(edge.uom),
                edge.certainty,
                _csv_text(edge.report_id),
            )
        )


def dot_lines(trace: Trace) -> Iterator[str]:
    """Yield the lines of a Graphviz digraph: an arrow a pair of nodes, component to product.

    What was asked for has a double frame. Arrows are solid where the link is exact or sole, dashed
    where pooled or assumed, dotted where unknown or taken back.
    """
    yield "digraph trace {"
    yield "  rankdir=LR;"
    yield '  node [shape=box, fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif", fontsize=10];'
    for position, node in enumerate(trace.nodes):
        frame = ", peripheries=2" if node.depth == 0 else ""
        yield f"  n{position} [label={_dot_text(node.item, node_name(node))}{frame}];"
    for pair in pairs(trace):
        yield f"  n{pair.origin} -> n{pair.target} [{_dot_arrow(pair)}];"
    yield "}"


def node_name(node: TraceNode) -> str:
    """Return what a node is called beside its item, as it came."""
    names = [
        f"{word} {name}"
        for word, name in (("lot", node.lot), ("serial", node.serial), ("order", node.work_order))
        if name is not None
    ]
    return ", ".join(names) or "no lot"


def _csv_node(node: TraceNode) -> tuple[str, ...]:
    names = (node.item, node.lot, node.serial, node.work_order)
    return (*map(_csv_text, names), str(node.depth))


def _csv_text(text: str | None) -> str:
    shown = _visible(text or "")
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def _dot_arrow(pair: Pair) -> str:
    style = "dotted" if pair.quantity == "0" else _STYLES[pair.certainty]
    return f"label={_dot_text(f'{pair.quantity} {pair.uom}', pair.certainty)}, style={style}"


def _dot_text(*lines: str) -> str:
    """Return a quoted text of Graphviz; a backslash in a name would begin one of its escapes."""
    quoted = (_visible(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(quoted) + '"'


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_glyph, text))


def _glyph(character: str) -> str:
    number = ord(character)
    if number < 0x20:
        return chr(0x2400 + number)
    if number == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    hidden = unicodedata.category(character) in _NEVER_WRITTEN
    return "\N{REPLACEMENT CHARACTER}" if hidden else character
