"""What the architecture tests read: the project's own source files, parsed once."""

import ast
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("mes_terminal", "hardware")


@cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of every module of the product, by its path from the root."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def modules_below(*places: str) -> dict[str, ast.Module]:
    """Return the modules whose path begins with one of `places`."""
    return {name: tree for name, tree in modules().items() if name.startswith(places)}


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for a chain of attributes, or an empty text for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            before = dotted(value)
            return f"{before}.{attribute}" if before else ""
        case _:
            return ""
