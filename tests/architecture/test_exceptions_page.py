"""docs/exceptions.md tells a supervisor of every kind of exception, and of every cause in use."""

import re
from typing import Final, get_args

import pytest

from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.resolving import QUALITY_KINDS
from tests.architecture.source import ROOT

ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "exceptions.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
TOLD: Final = {
    kind: (named, causes, ends)
    for named, _, causes, ends in ROWS
    for kind in re.findall(r"`(\w+)`", named)
}


@pytest.mark.parametrize("kind", get_args(ExceptionKind))
def test_every_kind_says_who_ends_it_how(kind: ExceptionKind) -> None:
    """Issue 5, 1."""
    named, _, ends = TOLD[kind]
    assert ("(Q)" in named) == (kind in QUALITY_KINDS)
    assert ends


def test_no_kind_is_told_that_there_is_not() -> None:
    assert set(TOLD) == set(get_args(ExceptionKind))


def test_every_cause_that_the_source_gives_stands_with_a_kind() -> None:
    """A cause is a promise: scripts group by it."""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("domain", "usecases")
        for path in sorted((ROOT / "mes_terminal" / folder).rglob("*.py"))
    )
    given = set(re.findall(r'cause_code="(\w+)"', sources))
    given |= set(re.findall(r'"shortage:(\w+)"', sources))
    told = {word for _, causes, _ in TOLD.values() for word in re.findall(r"`(\w+)`", causes)}
    assert given
    assert given - told == set()
