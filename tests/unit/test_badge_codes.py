"""A badge that is scanned into a form names the badge; what is typed is it (issue 5 part 2)."""

import re

import pytest

from mes_terminal.domain.rules import CodePattern, CodeRules
from mes_terminal.station.meanings import badge_in

OWN = CodeRules(
    patterns=(
        CodePattern("lot", re.compile(r"(?P<item>[^|]+)\|(?P<lot>.+)")),
        CodePattern("badge", re.compile(r"\*(?P<badge>[0-9]{4})\*")),
        CodePattern("other", re.compile(r"X.+")),
    )
)


@pytest.mark.parametrize(
    ("text", "badge"),
    [("B:SUP-1", "SUP-1"), ("SUP-1", "SUP-1"), ("b:SUP-1", "b:SUP-1"), ("B:", "B:"), ("", "")],
)
def test_the_code_of_a_badge_is_read_as_the_station_reads_it(text: str, badge: str) -> None:
    assert badge_in(text, CodeRules()) == badge


@pytest.mark.parametrize(
    ("text", "badge"), [("*4711*", "4711"), ("B:SUP-1", "B:SUP-1"), ("X-9", "X-9")]
)
def test_a_plant_has_badges_of_its_own(text: str, badge: str) -> None:
    assert badge_in(text, OWN) == badge
