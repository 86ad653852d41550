"""The genealogy as texts in the person's language: a heading, and one line a lot. Pure.

Every name goes through `safe`. Called by the genealogy's sheet.
"""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.trace import Branch, Trace, TraceNode
from mes_terminal.tui.figures import number
from mes_terminal.tui.present_view import Emphasis
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.words import Words

NAME_COLUMNS_MAX: Final = 48


class TraceLine(Struct, frozen=True):
    """One line: what is drawn before it, the lot, what it hangs on with, how sure that is."""

    rails: str
    item: str
    name: str
    quantity: str
    certainty: str
    emphasis: Emphasis


def trace_line(branch: Branch, trace: Trace, words: Words) -> TraceLine:
    """Return the line of a branch; what cannot be told for sure stands out."""
    node = trace.nodes[branch.node]
    name = name_text(node, words)
    if branch.is_repeated:
        name = f"{name} {words.trace.seen}"
    pair = branch.pair
    if pair is None:
        return TraceLine("", safe(node.item), name, "", "", "plain")
    taken_back = pair.quantity == "0"
    certainty = words.trace.taken_back if taken_back else words.trace.certainties[pair.certainty]
    emphasis: Emphasis = "alert" if pair.certainty == "unknown" else "plain"
    if taken_back or pair.certainty in ("exact", "sole"):
        emphasis = "muted"
    quantity = safe(f"{number(pair.quantity, words)} {pair.uom}", 24)
    return TraceLine(rails_text(branch), safe(node.item), name, quantity, certainty, emphasis)


def name_text(node: TraceNode, words: Words) -> str:
    """Return what a node is called beside its item."""
    told = words.trace
    named = ((told.lot, node.lot), (told.serial, node.serial), (told.order, node.work_order))
    parts = [form.format(safe(name, NAME_COLUMNS_MAX)) for form, name in named if name is not None]
    return ", ".join(parts) or told.no_lot


def rails_text(branch: Branch) -> str:
    """Return what is drawn before a branch; a level too deep to be drawn says its number."""
    if not branch.level:
        return ""
    *above, own = branch.rails
    drawn = "".join("│ " if more else "  " for more in above) + ("├ " if own else "└ ")
    return drawn if branch.level == len(branch.rails) else f"{drawn}({branch.level}) "
