"""What the result panel shows beside outcomes: ready, lost, stopping, a code that broke off.

A card is made anew whenever words or station change, so it is kept as a function of both. Pure;
called by the app.
"""

from collections.abc import Callable, Sequence
from typing import Final

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.view import AnswerView, StationView
from mes_terminal.tui import present, present_view
from mes_terminal.tui.present import Card
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.words import Words

CODE_COLUMNS: Final = 24
CardMaker = Callable[[Words, StationView | None], Card]


def outcome_card(outcome: Outcome, answered: str | None) -> CardMaker:
    """An outcome; `answered` is the command that waited when the code was scanned."""
    return lambda words, view: present.present_outcome(outcome, words, view=view, answered=answered)


def connecting(words: Words, _view: StationView | None) -> Card:
    """Nothing is known yet."""
    labels = words.labels
    return Card(
        tone="calm",
        word="",
        happened=labels.connecting_title,
        action=labels.connecting_action,
    )


def ready(words: Words, view: StationView | None) -> Card:
    """The core is there and nothing was scanned yet: the progress stands large."""
    figure = ""
    if view and view.order:
        figure = present_view.progress_of(view.order, words).text.replace(" / ", "/")
    labels = words.labels
    return Card(
        tone="calm", word="", happened=labels.ready_title, action=labels.ready_action, figure=figure
    )


def stopping(words: Words, _view: StationView | None) -> Card:
    """The core stops in order."""
    return Card(tone="calm", word="", happened=words.labels.stopping)


def incomplete(hint: str | None = None) -> CardMaker:
    """A code without its end: it is no scan. `hint` says what is probably set wrongly."""

    def made(words: Words, _view: StationView | None) -> Card:
        labels = words.labels
        action = labels.incomplete_action
        if hint is not None:
            action = f"{action} {labels.set_wrongly.format(hint=hint)}"
        return Card(
            tone="stop", word=words.signs["stop"], happened=labels.incomplete, action=action
        )

    return made


def lost(detail: str) -> CardMaker:
    """The core is gone; `detail` (safe) says what became of a code."""

    def card(words: Words, _view: StationView | None) -> Card:
        labels = words.labels
        return Card(
            tone="stop",
            word=labels.lost_word,
            happened=labels.lost_title,
            action=labels.lost_action,
            detail=detail or labels.lost_more,
        )

    return card


def failed(code: str, sentence: str) -> CardMaker:
    """A scan that the core could not handle: NOT RECORDED."""

    def card(words: Words, _view: StationView | None) -> Card:
        labels = words.labels
        return Card(
            tone="stop",
            word=words.signs["stop"],
            happened=labels.failed_title.format(code=safe(code)),
            action=labels.failed_action,
            scan=labels.failed_scan,
            detail=safe(sentence, SENTENCE_MAX_COLUMNS),
        )

    return card


def answered(answer: AnswerView) -> CardMaker:
    """A supervisor has answered what was asked before (BF-24)."""

    def card(words: Words, _view: StationView | None) -> Card:
        told = words.approve
        code, person = safe(answer.code, CODE_COLUMNS), safe(answer.by, CODE_COLUMNS)
        if answer.status == "refused":
            return Card(
                tone="stop",
                word=words.signs["stop"],
                happened=told.refused.format(code=code, person=person),
                action=told.refused_action,
            )
        return Card(
            tone="do",
            word=words.signs["do"],
            happened=told.approved.format(person=person),
            action=told.approved_action.format(code=code),
            scan=code,
        )

    return card


def recovered(outcomes: Sequence[Outcome]) -> CardMaker:
    """Scans made before a stop and finished at the start (BF-13)."""
    booked = [o.code for o in outcomes if o.outcome in ("completed", "recorded", "already_done")]
    others = [o.code for o in outcomes if o.code not in booked]

    def card(words: Words, _view: StationView | None) -> Card:
        labels = words.labels
        texts = [
            template.format(code=safe(", ".join(codes), SENTENCE_MAX_COLUMNS // 2))
            for template, codes in ((labels.recovered, booked), (labels.recovered_not, others))
            if codes
        ]
        return Card(
            tone="check",
            word=words.signs["check"],
            happened=texts[0] if texts else labels.recovered_action,
            action=texts[1] if len(texts) > 1 else labels.recovered_action,
        )

    return card


def stop(happened: str) -> CardMaker:
    """Something was not taken, and why (safe)."""
    return lambda words, _view: Card(tone="stop", word=words.signs["stop"], happened=happened)
