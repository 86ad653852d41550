"""One clock, one id maker, SQL in one place: what imports alone cannot prove."""

import ast
import re
from typing import Final

import pytest

from tests.architecture.source import dotted, modules, modules_below

TIMELESS: Final = (
    "mes_terminal/barcodes/",
    "mes_terminal/domain/",
    "mes_terminal/exchange/",
    "mes_terminal/insight/",
    "mes_terminal/settings",
    "mes_terminal/store/",
    "mes_terminal/usecases/",
    "hardware/framing.py",
    "hardware/terminal_gate.py",
)
"""Time and ids reach these as arguments (BF-33); only the station reads the clock."""

RUN_LOOPS: Final = (
    "mes_terminal/cli/main.py", "mes_terminal/station/", "mes_terminal/upstream/",
    "mes_terminal/site/doors/",
)  # fmt: skip
"""The command line's outermost function and the doors' too: a fault becomes one answer."""

CREATION: Final = "mes_terminal/store/database.py"
"""Stamps a new database with its epoch and the time of its making, once, before any scan."""

CLOCK: Final = re.compile(
    r"(.*\.)?(datetime\.(now|utcnow|today)|date\.today)"
    r"|time\.(time|monotonic|perf_counter|process_time|localtime|gmtime|sleep)(_ns)?"
)
CHANCE: Final = re.compile(r"(random|secrets)\..*|uuid\.uuid\d|(os\.)?urandom")
SQL: Final = re.compile(
    r"\s*(SELECT\s+\S|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|WITH\s+\w+\s+AS"
    r"|CREATE\s+(TABLE|INDEX|TRIGGER|VIEW|TEMP)|PRAGMA\s+\w+|BEGIN\s+IMMEDIATE)"
)


def calls(tree: ast.Module, forbidden: re.Pattern[str]) -> list[str]:
    """Return `line: call` for each call whose dotted name is forbidden."""
    return [
        f"{node.lineno}: {dotted(node.func)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and forbidden.fullmatch(dotted(node.func))
    ]


@pytest.mark.parametrize("name", [name for name in modules_below(*TIMELESS) if name != CREATION])
def test_no_clock_is_read_and_no_dice_are_thrown_below_the_station(name: str) -> None:
    tree = modules()[name]
    assert calls(tree, CLOCK) + calls(tree, CHANCE) == []


def test_the_database_reads_the_clock_only_when_it_is_made() -> None:
    assert len(calls(modules()[CREATION], CLOCK)) <= 1


SQL_IN = ("mes_terminal/store/", "mes_terminal/site/")
"""SQLite's and PostgreSQL's."""


@pytest.mark.parametrize("name", [n for n in modules() if not n.startswith(SQL_IN)])
def test_sql_is_written_in_the_store_and_at_the_site_only(name: str) -> None:
    found = [
        f"{node.lineno}: {node.value[:60]}"
        for node in ast.walk(modules()[name])
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert found == []


@pytest.mark.parametrize("name", list(modules()))
def test_nothing_catches_every_exception_but_the_run_loops(name: str) -> None:
    caught = [
        node.lineno
        for node in ast.walk(modules()[name])
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) == "Exception")
    ]
    allowed = 1 if name.startswith(RUN_LOOPS) else 0
    assert len(caught) <= allowed, f"{name} catches everything in lines {caught}"


@pytest.mark.parametrize("name", list(modules()))
def test_no_module_is_named_for_nothing(name: str) -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "service"}
    assert not nothing & set(re.split(r"[/_.]", name))
