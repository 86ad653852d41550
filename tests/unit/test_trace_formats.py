"""A trace as tree, CSV and drawing: whatever a lot is called, it stays a name."""

import csv
import io
import re
import unicodedata
from itertools import pairwise

import pytest

from mes_terminal.cli.trace_tree import LINE_COLUMNS, tree_lines
from mes_terminal.domain.trace import LEVELS_DRAWN_MAX, Trace, TraceEdge, TraceNode
from mes_terminal.exchange.trace_formats import CSV_COLUMNS, csv_lines, dot_lines
from mes_terminal.tui.gallery_traces import CHAIR_TRACE
from mes_terminal.tui.safe_text import column_count

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "=HYPERLINK(\"http://x\",\"y\")",
    'a"b',
    "a\\",
    "\\N",
    '\\"];x->y[label="',
    "a\nb",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\u202e77-L\u2066",
    "a,b;c",
    "<b>&amp;</b>",
    "漢字" * 40,
    "\u2028",
    "",
]  # fmt: skip


def one_edge(name: str) -> Trace:
    nodes = [TraceNode("CHAIR", name, None, None, 0), TraceNode(name, None, name, name, 1)]
    edge = TraceEdge(1, 0, "-4", name, "assumed", name)
    return Trace("CHAIR", name, None, nodes, [edge])


def assert_printable(lines: list[str]) -> None:
    for character in "".join(lines):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp"), ascii(lines)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_spreadsheet_takes_no_name_for_a_formula(name: str) -> None:
    """OWASP, CSV Injection. The quantity is ours and stays a number."""
    lines = list(csv_lines(one_edge(name)))
    assert_printable(lines)
    head, row = csv.reader(io.StringIO("\n".join(lines)))
    assert tuple(head) == CSV_COLUMNS
    cells = dict(zip(head, row, strict=True))
    assert cells.pop("quantity") == "-4"
    assert not [cell for cell in cells.values() if cell.lstrip().startswith(("=", "+", "-", "@"))]


def test_a_plain_name_stands_in_csv_as_it_is() -> None:
    row = list(csv_lines(CHAIR_TRACE))[1 + 6]
    assert row == "PAINT,P-2026-11,,,2,SEAT-FRAME,F-12,,,1,0.3,kg,assumed,scan-5"


TOKENS = re.compile(r'\s+|"(?:[^"\\]|\\.)*"|->|[A-Za-z_0-9-]+|[{}\[\]=,;]')


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_drawing_takes_no_name_for_its_own_language(name: str) -> None:
    """Source: the DOT language: a quoted text ends at a quote without backslash."""
    text = "\n".join(dot_lines(one_edge(name)))
    assert_printable(text.split("\n"))
    found = [match[0] for match in TOKENS.finditer(text) if not match[0].isspace()]
    assert "".join(found) == re.sub(r'("(?:[^"\\]|\\.)*")|\s+', lambda m: m[1] or "", text)
    assert found.count("->") == 1
    assert [a for a, b in pairwise(found) if b == "->"] == ["n1"]
    labels = [b for a, b in pairwise(found) if a == "="]
    for label in labels:
        inner = label[1:-1].replace("\\\\", "").replace('\\"', "").replace("\\n", "")
        assert "\\" not in inner, "an escape that we did not write"


def test_a_drawing_has_an_arrow_a_pair_and_says_how_sure_it_is() -> None:
    lines = list(dot_lines(CHAIR_TRACE))
    assert '  n0 [label="CHAIR-4\\nserial 000063", peripheries=2];' in lines
    assert '  n1 -> n0 [label="1 pcs\\nunknown", style=dotted];' in lines
    assert sum("->" in line for line in lines) == len(CHAIR_TRACE.edges)


def test_a_tree_reads_at_80_columns() -> None:
    assert list(tree_lines(CHAIR_TRACE, forward=False)) == [
        "Made from:",
        "CHAIR-4 serial 000063",
        "├─ BACK no lot                                                 1 pcs  unknown",
        "├─ LEG lot L-77                                                1 pcs  pooled",
        "├─ LEG lot L-78                                                3 pcs  pooled",
        "│  └─ PAINT lot P-2026-11                                   0.125 kg  assumed",
        "│     └─ STEEL lot COIL-9                                    0.01 kg  assumed",
        "└─ SEAT-FRAME lot F-12                                         1 pcs  exact",
        "   ├─ BAR order WO-0950                                        4 pcs  sole",
        "   │  └─ STEEL lot COIL-9                                  1250.5 kg  sole",
        "   └─ PAINT lot P-2026-11 (see above)                         0.3 kg  assumed",
    ]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_line_of_the_tree_is_one_line_of_at_most_80_columns(name: str) -> None:
    for forward in (True, False):
        lines = list(tree_lines(one_edge(name), forward=forward))
        assert_printable(lines)
        assert max(map(column_count, lines)) <= LINE_COLUMNS


def test_a_chain_of_a_thousand_levels_is_drawn_and_numbered() -> None:
    nodes = [TraceNode("PART", f"L{n}", None, None, n) for n in range(1000)]
    edges = [TraceEdge(n + 1, n, "1", "pcs", "exact", None) for n in range(999)]
    lines = list(tree_lines(Trace("PART", "L0", None, nodes, edges), forward=False))
    assert len(lines) == 1 + 1000
    assert max(map(column_count, lines)) <= LINE_COLUMNS
    assert "(999) PART lot L999" in lines[-1]
    assert "(" not in lines[1 + LEVELS_DRAWN_MAX]


def test_what_was_taken_back_says_so() -> None:
    nodes = [TraceNode("A", "1", None, None, 0), TraceNode("B", "2", None, None, 1)]
    edges = [TraceEdge(1, 0, q, "pcs", "sole", "s") for q in ("2", "-2")]
    trace = Trace("A", "1", None, nodes, edges)
    assert list(tree_lines(trace, forward=False))[-1].split() == [
        "└─", "B", "lot", "2", "0", "pcs", "taken", "back",
    ]  # fmt: skip
    assert '  n1 -> n0 [label="0 pcs\\nsole", style=dotted];' in list(dot_lines(trace))


def test_nothing_found_is_said() -> None:
    alone = Trace("A", "1", None, [TraceNode("A", "1", None, None, 0)], [])
    assert list(tree_lines(alone, forward=True))[-1] == "  Nothing is recorded."
    assert list(csv_lines(alone)) == [",".join(CSV_COLUMNS)]
