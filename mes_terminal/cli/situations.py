"""The situations of the screen for paper: its words and colours, and what they mean.

Every situation is told by the function that the screen itself uses, so that paper and screen never
differ. Called by `labels situations`.
"""

from collections.abc import Iterator
from typing import Final, get_args

from mes_terminal.domain.outcome import ExceptionKind, OpenedException, Outcome, OutcomeKind
from mes_terminal.errors import InputError
from mes_terminal.printing.page import Sheet
from mes_terminal.printing.situation_cards import Captions, Situation, situation_cards
from mes_terminal.tui.present import Card, Tone, exception_phrase, present_outcome
from mes_terminal.tui.themes import MANY
from mes_terminal.tui.words import LANGUAGES, Words, words_for

CODES: Final = {
    "sign: do": "CANCEL",
    "sign: stop": "HELP",
    "needs: order": "HELP",
    "needs: lot": "CANCEL",
    "needs: serial": "CANCEL",
    "needs: component": "HELP",
    "needs: quantity": "QTY 1",
    "needs: reason": "CANCEL",
    "needs: badge": "CANCEL",
    "needs: approval": "CANCEL",
    "needs: confirm": "CANCEL",
    "needs: confirm_close": "CANCEL",
    "needs: confirm_repeat": "CANCEL",
    "rejected: shortage_blocked": "CALL",
    "rejected: not_a_step": "QTY 1",
    "rejected: no_effect": "HELP",
    "rejected: unknown_command": "HELP",
    "rejected: wrong_component": "HELP",
    "rejected: nothing_to_undo": "HELP",
    "already_done": "HELP",
    "exception: shortage": "CALL",
    "exception: over_completion": "UNDO",
    "exception: lot_overdrawn": "EMPTY",
    "exception: conversion_missing": "QTY 1",
}
"""Situation to the command that helps there."""


def situation_sheets(*, language: str, prefix: str, place: str) -> Iterator[Sheet]:
    """Yield the cards in a language. Raises `InputError` for one that the screen does not speak."""
    if language[:2].lower() not in LANGUAGES:
        raise InputError(
            f"The screen does not speak {language[:20]!r}. It speaks: {', '.join(LANGUAGES)}."
        )
    words = words_for(language)
    told = words.situations
    captions = Captions(told.title, told.means, told.action, told.scan)
    yield from situation_cards(list(situations(words, prefix)), captions, place)


def situations(words: Words, prefix: str) -> Iterator[Situation]:
    """Yield every situation, the signal words first; `prefix` begins a command."""
    told = words.situations
    for tone in ("ok", "do", "check", "stop"):
        card = Card(
            tone=tone,
            word=words.signs[tone],
            happened=_opened(words.sign_help[tone]),
            action=told.go_on if tone == "ok" else "",
        )
        yield _situation(f"sign: {tone}", card, told.signs[tone], prefix)
    families: tuple[tuple[OutcomeKind, dict[str, str]], ...] = (
        ("needs", told.needs),
        ("rejected", told.rejected),
        ("already_done", told.already_done),
        ("unknown", {"": told.unknown}),
    )
    for outcome, meanings in families:
        for reason, means in meanings.items():
            name = f"{outcome}: {reason}" if reason else outcome
            yield _situation(name, _card(outcome, reason, words), means, prefix)
    for kind in get_args(ExceptionKind):
        phrase = exception_phrase(OpenedException(0, kind, None, None, None), words)
        card = Card(
            tone="check",
            word=words.signs["check"],
            happened=_opened(phrase),
            action=told.exception_actions[kind],
        )
        yield _situation(f"exception: {kind}", card, told.exceptions[kind], prefix)


def _card(outcome: OutcomeKind, reason: str, words: Words) -> Card:
    """Return what the screen shows of an outcome that states nothing but its reason."""
    bare = Outcome(scan_id="", code="", outcome=outcome, reason=reason or None, message="")
    return present_outcome(bare, words)


def _opened(phrase: str) -> str:
    """Return a phrase with a capital, as it stands alone."""
    return phrase[:1].upper() + phrase[1:]


def _situation(name: str, card: Card, means: str, prefix: str) -> Situation:
    tone: Tone = card.tone
    pair = MANY.tones[tone]
    command = CODES.get(name)
    return Situation(
        name=name,
        tone=tone,
        word=card.word,
        ground=pair.ground,
        ink=pair.text,
        said=card.happened,
        means=means,
        action=card.action,
        scan=card.scan,
        code=f"{prefix}{command}" if command else "",
    )
