"""What an example says against what was seen. Pure, so that a false word can be tried for nothing.

Everything seen is told in the words of the page. An example may leave facts out, but never a part
of a list: who shows one draw of an item shows all its draws.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.rules_page import Fact


@dataclass(frozen=True)
class Seen:
    """One fact as it was seen. The page may leave out words at its end, but not the first `least`.

    Facts of one `group` are shown all, in their order, or not at all; one that is `told` must be
    shown.
    """

    words: tuple[str, ...]
    least: int = 99
    group: str | None = None
    told: bool = False

    def is_shown_by(self, fact: Fact) -> bool:
        """Whether these are the words of the page."""
        shown = len(fact.words)
        return shown >= min(self.least, len(self.words)) and self.words[:shown] == fact.words

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Sight:
    """All that was seen of one entry; `texts` are the sentences for people."""

    facts: Sequence[Seen]
    texts: Sequence[str] = ()

    def __str__(self) -> str:
        return ", ".join([*map(str, self.facts), *(f'"{text}"' for text in self.texts)])


def seen(*words: object, least: int = 99, group: str | None = None, told: bool = False) -> Seen:
    """Return a fact of these words; what is none or empty is no word."""
    said = " ".join(str(word) for word in words if word is not None and word != "")
    return Seen(tuple(said.split()), least, group, told)


def differences(facts: Sequence[Fact], sight: Sight) -> list[str]:
    """Return a sentence for each fact that was not seen, and for each that had to be shown."""
    wrong = []
    shown: list[int] = []
    for fact in facts:
        if fact.words[0].startswith('"'):
            if not any(str(fact)[1:-1] in text for text in sight.texts):
                wrong.append(f"says {fact}, which nobody said")
            continue
        left = (i for i in range(len(sight.facts)) if i not in shown)
        place = next((i for i in left if sight.facts[i].is_shown_by(fact)), None)
        if place is None:
            wrong.append(f"says {fact}")
        else:
            shown.append(place)
    return wrong or [*_left_out(shown, sight.facts), *_moved(shown, sight.facts)]


def _left_out(shown: Iterable[int], facts: Sequence[Seen]) -> list[str]:
    groups = {facts[i].group for i in shown} - {None}
    return [
        f"leaves out {fact}"
        for i, fact in enumerate(facts)
        if i not in shown and (fact.told or fact.group in groups)
    ]


def _moved(shown: Sequence[int], facts: Sequence[Seen]) -> list[str]:
    for group in {facts[i].group for i in shown} - {None}:
        places = [i for i in shown if facts[i].group == group]
        if places != sorted(places):
            return [f"has {group} in another order"]
    return []
