"""The examples of docs/rules.md, read as they stand there; `tests.rules_player` plays them.

A block of the kind `example` belongs to the rule above it, one of the kind `plant NAME` is a plant
that examples may begin with. On each line the left column says what is done or looked at, the right
one what comes of it; two blanks part them, and an indented line goes on with the right column.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "rules.md"
PLACE: Final = "docs/rules.md"

_HEADING: Final = re.compile(r"### BF-(\d+) ")
_FENCE: Final = re.compile(r"```(example|plant (\w+))$")
_SETTING: Final = re.compile(r"[\w.]+ = ")
_FACT: Final = re.compile(r'(?:"[^"]*"|[^",])+')
_WORD: Final = re.compile(r'"[^"]*"|\S+')
_SILENT: Final = re.compile(r"(plant|clock|wait|load|restart)\b|[\w.]+ = |\w+\.csv$")


@dataclass(frozen=True)
class Fact:
    """One thing that the right column says; a text in quotes is one word, with its quotes."""

    line: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass
class Entry:
    """A line of an example with what belongs to it; `rows` is the right column as it stands."""

    line: int
    left: str
    rows: list[tuple[int, str]] = field(default_factory=list)

    @property
    def is_file(self) -> bool:
        """Whether the right column is the file that the left one names."""
        return self.left.endswith(".csv")

    @property
    def must_tell(self) -> bool:
        """Whether a right column is owed: after a scan and after a question."""
        return not _SILENT.match(self.left)

    @property
    def facts(self) -> list[Fact]:
        """The right column, fact by fact: a comma or a new line parts them; a file has none."""
        if self.is_file:
            return []
        return [
            Fact(line, tuple(_WORD.findall(fact)))
            for line, text in self.rows
            for fact in _FACT.findall(text)
            if fact.strip()
        ]


@dataclass(frozen=True)
class Example:
    """A block of the page: its rule, and the line that its fence stands on."""

    rule: int
    line: int
    entries: list[Entry]


@dataclass(frozen=True)
class Page:
    """What the page shows."""

    examples: list[Example]
    plants: dict[str, list[Entry]]


def read_page(text: str) -> Page:
    """Return the examples and plants of the page's text."""
    page = Page([], {})
    rule, lines = 0, iter(enumerate(text.split("\n"), 1))
    for number, line in lines:
        if heading := _HEADING.match(line):
            rule = int(heading[1])
        elif fence := _FENCE.match(line):
            block = []
            for inside in lines:
                if inside[1] == "```":
                    break
                block.append(inside)
            if fence[2]:
                page.plants[fence[2]] = read_entries(block)
            else:
                page.examples.append(Example(rule, number, read_entries(block)))
    return page


def read_entries(block: list[tuple[int, str]]) -> list[Entry]:
    """Return the entries of a block's numbered lines."""
    entries: list[Entry] = []
    for number, line in block:
        if not line.strip():
            continue
        if line.startswith(" "):
            assert entries, f"{PLACE}:{number}: an example begins at the margin"
            entries[-1].rows.append((number, line.strip()))
        elif _SETTING.match(line):
            entries.append(Entry(number, line.strip()))
        else:
            left, _, right = line.partition("  ")
            told = [(number, right.strip())] if right.strip() else []
            entries.append(Entry(number, left, told))
    return entries
