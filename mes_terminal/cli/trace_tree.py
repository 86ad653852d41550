"""A trace as a tree for people, in 80 columns, on any terminal.

Each line is a lot, what it hangs on with its quantity, and how sure that is. What hangs on a lot is
shown where the lot comes first; further down it says so. Called by `trace`.
"""

from collections.abc import Iterator
from typing import Final

from mes_terminal.domain.trace import Branch, Trace, TraceNode, branches
from mes_terminal.exchange.trace_formats import node_name
from mes_terminal.tui.safe_text import column_count, safe

LINE_COLUMNS: Final = 80
QUANTITY_COLUMNS: Final = 18
CERTAINTY_COLUMNS: Final = 10
NAME_COLUMNS_MIN: Final = 12
"""Of a name at least so much is shown, even if the line then is longer than it should be."""


def tree_lines(trace: Trace, *, forward: bool) -> Iterator[str]:
    """Yield the lines of the tree below a heading that says its direction."""
    yield "Where used:" if forward else "Made from:"
    for branch in branches(trace, forward=forward):
        yield _line(branch, trace.nodes[branch.node])
    if not trace.edges:
        yield (
            "  Nothing is recorded." if forward else "  Nothing is recorded that it was made from."
        )


def rails(branch: Branch) -> str:
    """Return the lines drawn before a branch; a level too deep to be drawn says its number."""
    if not branch.level:
        return ""
    *above, own = branch.rails
    drawn = "".join("│  " if more else "   " for more in above) + ("├─ " if own else "└─ ")
    return drawn if branch.level == len(branch.rails) else f"{drawn}({branch.level}) "


def _line(branch: Branch, node: TraceNode) -> str:
    before = rails(branch)
    pair = branch.pair
    after = ""
    if pair is not None:
        quantity = safe(f"{pair.quantity} {pair.uom}", 32)
        certainty = "taken back" if pair.quantity == "0" else pair.certainty
        after = f"  {quantity:>{QUANTITY_COLUMNS}}  {certainty:<{CERTAINTY_COLUMNS}}"
    seen = " (see above)" if branch.is_repeated else ""
    room = LINE_COLUMNS - len(before) - len(seen) - column_count(after)
    name = safe(f"{node.item} {node_name(node)}", max(NAME_COLUMNS_MIN, room)) + seen
    fill = " " * (room - column_count(name) + len(seen)) if after else ""
    return (before + name + fill + after).rstrip()
