"""Words with `*` for any text, as `mapping.toml` has them; `\\*` is a star. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from mes_terminal.exchange.mapping import Value

_ANY_TEXT: Final = re.compile(r"(?<!\\)\*")
_STAR: Final = r"\*"


def matcher(words: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells whether a text is one of some words; capital letters count."""
    every = tuple(words)
    plain = frozenset(_plain(word) for word in every if not _ANY_TEXT.search(word))
    wild = [_pattern(word) for word in every if _ANY_TEXT.search(word)]
    if not wild:
        return plain.__contains__
    pattern = re.compile("|".join(wild), re.DOTALL)
    return lambda text: text in plain or pattern.fullmatch(text) is not None


def translator(words: Mapping[str, Value]) -> Callable[[str], str | None]:
    """Return what a text becomes: by its own word, else by the first with `*` that fits."""
    plain = {_plain(one): str(to) for one, to in words.items() if not _ANY_TEXT.search(one)}
    wild = [
        (re.compile(_pattern(word), re.DOTALL), str(value))
        for word, value in words.items()
        if _ANY_TEXT.search(word)
    ]

    def translate(text: str) -> str | None:
        found = plain.get(text)
        if found is None:
            found = next((value for pattern, value in wild if pattern.fullmatch(text)), None)
        return found

    return translate


def _plain(word: str) -> str:
    return word.replace(_STAR, "*")


def _pattern(word: str) -> str:
    """Return the expression of a word. The first place where a part fits is taken for good: what
    fits at all fits so, and many stars take no longer than one."""
    first, *between, last = (re.escape(_plain(part)) for part in _ANY_TEXT.split(word))
    return first + "".join(f"(?>.*?{part})" for part in between) + ".*" + last
