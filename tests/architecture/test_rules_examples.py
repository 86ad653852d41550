"""The examples of docs/rules.md are true: each is played, and every word beside it compared."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.test_docs import marked_rules
from tests.plants import memory_folder
from tests.rules_facts import differences
from tests.rules_page import PAGE, PLACE, Example, Fact, read_page
from tests.rules_player import CannotPlay, Play

SHOWN: Final = read_page(PAGE.read_text(encoding="utf-8"))


@pytest.fixture
def folder() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder


def wrong(example: Example, folder: Path) -> list[str]:
    """Play an example; return a sentence for each line of it that is not so."""
    play = Play(folder, SHOWN)
    told = []
    for entry, sight in play.go(example):
        place = f"{PLACE}:{entry.line}: {entry.left}"
        if entry.must_tell and not entry.facts:
            told.append(f"{place} does not say what comes of it. It is: {sight}")
        found = differences(entry.facts, sight)
        told += [f"{place} {each}. It is: {sight}" for each in found]
        told += [
            f"{place} would be right with other words too: {' '.join(map(str, lie))}"
            for lie in lies(entry.facts)
            if not found and not differences(lie, sight)
        ]
    return told + [f"{PLACE}:{example.line}: the doctor finds {fault}" for fault in play.faults()]


def lies(facts: list[Fact]) -> Iterator[list[Fact]]:
    """Yield the facts with one word of them made another."""
    for at, fact in enumerate(facts):
        for place, word in enumerate(fact.words):
            words = [*fact.words[:place], other(word), *fact.words[place + 1 :]]
            yield [*facts[:at], replace(fact, words=tuple(words)), *facts[at + 1 :]]


def other(word: str) -> str:
    """Return another word: a number one higher, a text that ends otherwise."""
    if word.lstrip("-").isdigit():
        return str(int(word) + 1)
    return f'{word[:-1]}!"' if word.endswith('"') else f"{word}!"


@pytest.mark.parametrize(
    "example", SHOWN.examples, ids=lambda each: f"BF-{each.rule}, line {each.line}"
)
def test_an_example_is_as_the_page_says(example: Example, folder: Path) -> None:
    """BF-1 to BF-39, each by its own; the books hold after it (BF-36), and no other word fits."""
    told = wrong(example, folder)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("rule", [rule for rule, built in marked_rules() if built != "Later"])
def test_every_built_rule_has_an_example_that_is_played(rule: int) -> None:
    told = [entry for each in SHOWN.examples if each.rule == rule for entry in each.entries]
    assert any(entry.must_tell and entry.facts for entry in told)


def example(*lines: str) -> Example:
    """Return an example of a page that begins with its fence."""
    (shown,) = read_page("\n".join(["```example", *lines, "```"])).examples
    return shown


@pytest.mark.parametrize(
    ("false", "told"),
    [
        ("> WO-1  completed 9", "docs/rules.md:3: > WO-1 says completed 9. It is: completed 10"),
        ("> WO-1  recorded", "docs/rules.md:3: > WO-1 says recorded. It is: completed 10 CHAIR"),
        ("> WO-1  completed 10, takes LEG L-1 30", "leaves out takes LEG L-2 10 assumed"),
        ("> WO-1  completed 10, takes SEAT 11", "says takes SEAT 11"),
        ('> WO-1  completed, "9 of 10"', 'says "9 of 10", which nobody said'),
        ("> WO-1", "does not say what comes of it"),
        ("> WO-9  unknown", "leaves out opens unknown_code 1"),
        ("stock LEG  61", "says 61. It is: 60"),
        ("lines WO-1  10", "leaves out 20"),
        ("lines WO-1  20, 10", "has list in another order"),
        ("> CHAIR  completed\nclock 07:00", "docs/rules.md:4: clock 07:00 leaves out steps back"),
    ],
)
def test_what_is_false_is_told_with_its_line(false: str, told: str, folder: Path) -> None:
    found = wrong(example("plant chairs", *false.splitlines()), folder)
    assert len(found) == 1
    assert told in found[0]


def test_a_fault_of_a_load_cannot_be_passed_over(folder: Path) -> None:
    lines = ("items.csv  item,kind", "           CHAIR,chair", "stock LEG  60")
    (found,) = wrong(example("plant chairs", *lines), folder)
    assert "load leaves out fault. It is: fault" in found


@pytest.mark.parametrize("line", ["plant chair", "look around", "wait a while"])
def test_a_line_that_means_nothing_is_refused(line: str, folder: Path) -> None:
    with pytest.raises(CannotPlay):
        wrong(example("plant chairs", line), folder)
