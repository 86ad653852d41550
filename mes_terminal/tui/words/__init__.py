"""The languages of the screen: `words_for("de")`. English stands in for one that is not there."""

from typing import Final

from mes_terminal.tui.words.english import ENGLISH
from mes_terminal.tui.words.german import GERMAN
from mes_terminal.tui.words.vocabulary import Labels, Sentence, Words

LANGUAGES: Final[dict[str, Words]] = {"en": ENGLISH, "de": GERMAN}

__all__ = ["LANGUAGES", "Labels", "Sentence", "Words", "words_for"]


def words_for(language: str) -> Words:
    """Return the words of `language` (`de`, `de-AT`), English where it has none."""
    return LANGUAGES.get(language[:2].lower(), ENGLISH)
