"""Small functions, small modules. What is larger stands in `shape.txt`, a list that only shrinks.

A line there is `path lines` or `path:function lines`: at most so many. Nothing new may be added,
and what has become small enough leaves the list.
"""

import ast
from pathlib import Path
from typing import Final

from tests.architecture.source import ROOT, modules

FUNCTION_LINES_MAX: Final = 50
MODULE_LINES_MAX: Final = 400
LISTED: Final = Path(__file__).with_name("shape.txt")


def too_large() -> dict[str, int]:
    """Return what is larger than the house style wants, with its number of lines."""
    found: dict[str, int] = {}
    for path, tree in modules().items():
        lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
        if lines > MODULE_LINES_MAX:
            found[path] = lines
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    found[f"{path}:{node.name}"] = length
    return found


def listed() -> dict[str, int]:
    """Return what the list allows."""
    rows = [line.rsplit(" ", 1) for line in LISTED.read_text(encoding="utf-8").splitlines()]
    return {place: int(lines) for place, lines in rows}


def test_nothing_is_too_large_but_what_is_listed() -> None:
    allowed = listed()
    grown = {place: n for place, n in too_large().items() if n > allowed.get(place, 0)}
    assert grown == {}, "split these, or make them smaller"


def test_what_became_small_has_left_the_list() -> None:
    assert sorted(set(listed()) - set(too_large())) == [], "take these off shape.txt"
