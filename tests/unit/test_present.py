"""Never a code without words: every outcome and reason, in every language (screens 1, 2, 7)."""

from typing import Any, get_args

import pytest

from mes_terminal.domain.outcome import (
    Consumed,
    ExceptionKind,
    OpenedException,
    Outcome,
    OutcomeKind,
    Produced,
)
from mes_terminal.domain.view import OrderView, PreflightView, StationView
from mes_terminal.tui import cards, present
from mes_terminal.tui.figures import number
from mes_terminal.tui.words import LANGUAGES, Sentence, Words, words_for

REJECTED = [
    "not_released",
    "order_on_hold",
    "order_cancelled",
    "order_closed",
    "over_tolerance",
    "shortage_blocked",
    "lot_expired",
    "lot_on_hold",
    "lot_unknown",
    "wrong_component",
    "serial_unknown",
    "serial_of_other_order",
    "serial_in_use",
    "component_serial_missing",
    "not_a_step",
    "no_effect",
    "not_authorised",
    "nothing_to_undo",
    "undo_too_late",
    "has_dependents",
    "reason_missing",
    "operation_order",
    "substitute_not_allowed",
    "malformed",
    "unknown_command",
    "ambiguous",
    "forbidden_key",
    "control_chars",
    "gs_suspected",
    "clock",
    "disk",
]
NEEDS = [
    "order",
    "lot",
    "serial",
    "component",
    "quantity",
    "reason",
    "badge",
    "approval",
    "confirm",
    "confirm_close",
    "confirm_repeat",
]
VERBS = [
    "START",
    "QTY",
    "UNDO",
    "CANCEL",
    "HELP",
    "SCRAP",
    "REWORK",
    "ISSUE",
    "RETURN",
    "EXTRA",
    "EMPTY",
    "ASIDE",
    "UNMOUNT",
    "MOVE",
    "SHORT",
    "HOLD",
    "RELEASE",
    "COUNT",
    "OP",
    "CALL",
    "STOP",
    "END",
]
EVERY = (
    [("rejected", reason, "X-1") for reason in REJECTED]
    + [("needs", reason, "X-1") for reason in NEEDS]
    + [("recorded", None, f"%{verb} 5") for verb in VERBS]
    + [("recorded", None, code) for code in ("B:1001", "LEG|L-1")]
    + [("already_done", None, "X-1"), ("already_done", "order_closed", "WO-1")]
    + [("completed", None, "WO-1"), ("unknown", None, "X-1")]
)
ENGLISH, GERMAN = words_for("en"), words_for("de")


def made(kind: str, reason: str | None = None, **fields: Any) -> Outcome:
    base: dict[str, Any] = {"scan_id": "1", "code": "X-1", "message": "the core says so"}
    return Outcome(outcome=kind, reason=reason, **(base | fields))  # type: ignore[arg-type]


def station(**changes: Any) -> StationView:
    order = OrderView(
        work_order="WO-1", item="CHAIR-4", description="", quantity="100", completed="63",
        scrapped="0", remaining="37", uom="pcs", status="started",
    )  # fmt: skip
    base: dict[str, Any] = {"station": "S", "mode": "live", "now": "2026-11-20T14:00:00.000000Z"}
    return StationView(**(base | {"order": order} | changes))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "reason", "code"), EVERY)
@pytest.mark.parametrize("full", [True, False])
def test_every_outcome_and_reason_has_words(
    language: str, kind: str, reason: str | None, code: str, full: bool
) -> None:
    """All fields stated, or none: the sentences stand either way."""
    fields: dict[str, Any] = {"code": code}
    if full:
        fields |= {"work_order": "WO-1", "item": "LEG", "lot": "L-1", "quantity": "1.5"}
        fields |= {"serial": "S-1"}
    card = present.present_outcome(made(kind, reason, **fields), words_for(language))
    assert card.word == words_for(language).signs[card.tone]
    for text in (card.happened, card.action):
        assert len(text) > 5
        assert not {"{", "}"} & set(text)
        assert not any(code_word in text for code_word in ("None", "_"))
    own = card.happened != "the core says so"
    assert own or reason in present._FACTS_IN_MESSAGE or kind == "already_done"


def test_the_languages_say_the_same_things() -> None:
    for name in ("signs", "completed", "recorded", "already_done", "needs", "rejected",
                 "exceptions", "pending", "next_scans", "scanner_states", "order_states",
                 "absent", "sign_help", "keys"):  # fmt: skip
        keys = {frozenset(getattr(words, name)) for words in LANGUAGES.values()}
        assert len(keys) == 1, name
    assert set(ENGLISH.rejected) == set(REJECTED)
    assert set(ENGLISH.needs) == set(NEEDS)
    assert set(VERBS) <= set(ENGLISH.recorded)
    assert set(ENGLISH.exceptions) == set(get_args(ExceptionKind))


def test_sentences_fit_one_line_of_a_small_screen() -> None:
    for words in LANGUAGES.values():
        for sentence in _sentences(words):
            for text in (sentence.happened, sentence.action, sentence.scan):
                assert len(text) <= 74, text


def test_german_is_not_english() -> None:
    for reason in REJECTED:
        assert GERMAN.rejected[reason].happened != ENGLISH.rejected[reason].happened


@pytest.mark.parametrize(
    ("outcome", "tone"),
    [
        (made("completed", quantity="1"), "ok"),
        (
            made("completed", exceptions=[OpenedException(1, "shortage", "10", "LEG", "12")]),
            "check",
        ),
        (made("recorded", code="LEG|L-1", lot="L-1", item="LEG"), "ok"),
        (made("recorded", code="%QTY 5"), "do"),
        (made("recorded", code="%CANCEL"), "ok"),
        (made("already_done", "order_closed"), "check"),
        (made("needs", "lot"), "do"),
        (made("rejected", "lot_expired"), "stop"),
        (made("unknown"), "stop"),
    ],
)
def test_each_outcome_has_its_tone(outcome: Outcome, tone: str) -> None:
    assert present.tone_of(outcome) == tone


def test_every_kind_of_outcome_has_a_sound_and_a_listed_tone() -> None:
    sounds = {kind: present.sound_of(made(kind, "lot_expired")) for kind in get_args(OutcomeKind)}
    assert sounds == {
        "completed": "accepted",
        "recorded": "accepted",
        "already_done": "refused",
        "needs": "refused",
        "rejected": "stop",
        "unknown": "refused",
    }
    assert present.sound_of(made("rejected", "malformed")) == "refused"
    assert present.tone_of_listed("of a newer core") == "stop"


def test_a_closed_order_with_a_shortage_says_both() -> None:
    """100 chairs are closed although 12 legs are missing (BF-20)."""
    outcome = made(
        "completed",
        code="WO-1",
        work_order="WO-1",
        order_status="closed",
        item="CHAIR-4",
        quantity="100",
        consumed=[Consumed("10", "LEG", "L-1", None, "LINE", "388", "pcs", "assumed")],
        produced=[Produced("CHAIR-4", "WO-1", None, "FG", "100", "pcs")],
        exceptions=[OpenedException(7, "shortage", "10", "LEG", "12")],
    )
    card = present.present_outcome(outcome, ENGLISH)
    assert card.happened == "WO-1 is closed: 100 CHAIR-4, 1 component backflushed."
    assert card.action == "It is booked. For the supervisor: LEG 12 short."
    assert "LEG: 12 fehlen" in present.present_outcome(outcome, GERMAN).action


def test_many_exceptions_are_counted_not_listed() -> None:
    many = [OpenedException(n, "shortage", str(n), f"PART-{n}", "1") for n in range(40)]
    card = present.present_outcome(made("completed", exceptions=many), ENGLISH)
    assert "PART-2 1 short, and 37 more" in card.action


def test_a_close_short_books_nothing_more() -> None:
    outcome = made("completed", quantity="0", work_order="WO-1", order_status="closed")
    assert present.present_outcome(outcome, ENGLISH).happened.startswith("WO-1 is closed short")


def test_the_figure_is_the_progress_of_the_same_order_only() -> None:
    outcome = made("completed", work_order="WO-1", quantity="1")
    assert present.present_outcome(outcome, ENGLISH, view=station()).figure == "63/100"
    assert present.present_outcome(outcome, ENGLISH).figure == "1"
    other = made("completed", work_order="WO-2", quantity="5")
    assert present.present_outcome(other, ENGLISH, view=station()).figure == "5"


def test_a_start_that_would_fall_short_asks_for_the_material() -> None:
    """START with a pre-flight that fails says what is missing (screens 6)."""
    short = PreflightView(lines_post=40, lines_short=1, shortages=["CHAIN short 3 m"])
    outcome = made("recorded", code="%START WO-1", work_order="WO-1")
    card = present.present_outcome(outcome, ENGLISH, view=station(preflight=short))
    assert (card.tone, card.action) == ("do", "CHAIN short 3 m")
    assert present.present_outcome(outcome, ENGLISH, view=station()).tone == "ok"


@pytest.mark.parametrize(
    ("answered", "person", "fields", "happened"),
    [
        (None, "1001", {"code": "B:1001"}, "Hello, Anna K."),
        (None, None, {"code": "B:1001"}, "Signed out."),
        (
            None,
            None,
            {"code": "C-1", "lot": "L-1", "item": "LEG"},
            "Lot L-1 of LEG is in use here.",
        ),
        (
            "EMPTY",
            None,
            {"code": "C-1", "lot": "L-1", "item": "LEG"},
            "Lot L-1 of LEG is empty and off.",
        ),
        (None, None, {"code": "WO-1", "work_order": "WO-1"}, "WO-1 is started."),
    ],
)
def test_a_recorded_code_is_told_by_what_it_did(
    answered: str | None, person: str | None, fields: dict[str, Any], happened: str
) -> None:
    view = station(person=person, person_name="Anna K." if person else None)
    outcome = made("recorded", **fields)
    card = present.present_outcome(outcome, ENGLISH, view=view, answered=answered)
    assert card.happened == happened


def test_a_code_keeps_its_letters_where_it_opens_a_sentence() -> None:
    card = present.present_outcome(made("unknown", code="abc-1"), ENGLISH)
    assert card.happened == "abc-1 is unknown here."
    nameless = made("rejected", "order_on_hold")
    assert present.present_outcome(nameless, ENGLISH).happened == "The order is on hold."


def test_a_reason_of_a_newer_core_still_has_words() -> None:
    outcome = made("rejected", "moon_phase", message="The {moon} is full.", hint="Wait.")
    card = present.present_outcome(outcome, GERMAN)
    assert (card.happened, card.action) == ("The {moon} is full.", "Wait.")


def test_facts_that_only_the_message_has_are_told() -> None:
    outcome = made("rejected", "lot_expired", message="L-66 expired on 2026-11-01")
    assert present.present_outcome(outcome, ENGLISH).happened == "L-66 expired on 2026-11-01"
    german = present.present_outcome(outcome, GERMAN)
    assert german.happened == "Dieser Artikel: das Los ist abgelaufen."
    assert german.detail == "L-66 expired on 2026-11-01"


def test_a_wrong_component_says_what_is_needed() -> None:
    outcome = made("rejected", "wrong_component", message="No order needs BELT", hint="Scan CHAIN")
    english = present.present_outcome(outcome, ENGLISH)
    assert (english.happened, english.action) == ("No order needs BELT", "Scan CHAIN.")
    assert present.present_outcome(outcome, GERMAN).detail == "No order needs BELT. Scan CHAIN"


def test_numbers_are_written_as_the_language_does() -> None:
    assert number("12345.5", ENGLISH) == "12 345.5"
    assert number("12345.5", GERMAN) == "12 345,5"
    assert number("-1544", ENGLISH) == "-1544"


def test_recovered_scans_are_told_apart() -> None:
    """BF-13: booked before the stop, or scanned and not booked."""
    outcomes = [made("completed", code="000064"), made("rejected", "clock", code="000065")]
    card = cards.recovered(outcomes)(ENGLISH, None)
    assert card.happened == "Booked before the stop: 000064. Do not scan it again."
    assert card.action == "Scanned before the stop, NOT booked: 000065."


@pytest.mark.parametrize(
    ("code", "verb"),
    [
        ("%QTY 5", ("QTY", "5")),
        ("%UNDO", ("UNDO", "")),
        ("#SHORT NO MATERIAL", ("SHORT", "NO MATERIAL")),
        ("WO-1001", None),
        ("B:OP", None),
        ("%qty 5", None),
    ],
)
def test_a_command_is_read_whatever_its_prefix(code: str, verb: tuple[str, str] | None) -> None:
    assert present.verb_of(code) == verb


def _sentences(words: Words) -> list[Sentence]:
    families = (words.completed, words.recorded, words.already_done, words.needs, words.rejected)
    return [*(s for family in families for s in family.values()), words.unknown]
