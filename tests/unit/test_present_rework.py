"""What the operator's screen says of rework (BF-28) and of components with serials (BF-18)."""

import pytest

from mes_terminal.domain.outcome import Consumed, Outcome
from mes_terminal.domain.view import StationView
from mes_terminal.tui import present, present_view
from mes_terminal.tui.words import words_for

SENT = Outcome(scan_id="1", code="E-1", outcome="recorded", message="m", item="EBIKE",
               quantity="1", serial="E-1", work_order="WO-1", report_id="1")  # fmt: skip
TAKEN_OUT = Outcome(scan_id="1", code="M-1", outcome="recorded", message="m", item="MOTOR",
                    serial="M-1")  # fmt: skip
PUT_IN = Outcome(
    scan_id="1", code="M-2", outcome="recorded", message="m", item="MOTOR", serial="M-2",
    report_id="1",
    consumed=[Consumed("20", "MOTOR", None, "M-2", "LINE", "1", "pcs", "exact")],
)  # fmt: skip
IN_SLOT = Outcome(scan_id="1", code="M-1", outcome="recorded", message="m", item="MOTOR",
                  serial="M-1", work_order="WO-1", order_status="started")  # fmt: skip
BACK = Outcome(scan_id="1", code="E-1", outcome="completed", message="m", item="EBIKE",
               quantity="1", serial="E-1", order_status="closed", report_id="1")  # fmt: skip

WAITS = Outcome(scan_id="1", code="%REWORK", outcome="recorded", message="m")


def station(pending: str | None = None, argument: str | None = None) -> StationView:
    return StationView(
        station="S", mode="live", now="2026-11-20T14:00:00.000000Z", pending_verb=pending,
        pending_argument=argument,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "pending", "answered", "tone", "english", "german"),
    [
        (SENT, None, "REWORK", "ok", "1 EBIKE in rework.", "1 EBIKE in Nacharbeit."),
        (
            WAITS,
            "REWORK",
            None,
            "do",
            "Something is done in rework.",
            "Etwas ist fertig nachgearbeitet.",
        ),
        (TAKEN_OUT, "REPLACE", None, "do", "M-1 comes out.", "M-1 kommt heraus."),
        (PUT_IN, None, "REPLACE", "ok", "M-2 is in.", "M-2 ist eingebaut."),
        (
            IN_SLOT,
            None,
            None,
            "ok",
            "MOTOR M-1 is in its slot.",
            "MOTOR M-1 sitzt an seinem Platz.",
        ),
        (BACK, None, None, "ok", "1 EBIKE out of rework.", "1 EBIKE aus der Nacharbeit."),
    ],
)
def test_each_step_has_its_sentence(
    outcome: Outcome, pending: str | None, answered: str | None, tone: str, english: str,
    german: str,
) -> None:  # fmt: skip
    for language, said in (("en", english), ("de", german)):
        view = station(pending)
        card = present.present_outcome(outcome, words_for(language), view=view, answered=answered)
        assert (card.happened, card.tone) == (said, tone)
        assert len(card.action) > 5


def test_the_prompt_says_what_comes_out() -> None:
    view = station("REPLACE", "MOTOR M-1")
    text = present_view.pending_text(view, words_for("en"))
    assert "REPLACE MOTOR M-1" in text
    assert "%REPLACE" not in text, "there is no such card"
    assert "the serial that goes in" in text
