"""What the screen says of material that is handled by hand (BF-10, BF-16, BF-17, BF-27)."""

import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.tui.present import present_outcome
from mes_terminal.tui.words.english import ENGLISH
from mes_terminal.tui.words.german import GERMAN

MATERIAL = Outcome(
    scan_id="1", code="LEG|L-2", outcome="recorded", message="m", work_order="WO-1",
    item="LEG", lot="L-2", quantity="12",
)  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "english", "german"),
    [
        ("ISSUE", "12 LEG issued to WO-1.", "12 LEG entnommen für WO-1."),
        ("EXTRA", "12 LEG extra for WO-1.", "12 LEG zusätzlich für WO-1."),
        ("RETURN", "12 LEG back from WO-1.", "12 LEG zurück von WO-1."),
        ("SCRAP", "12 LEG scrapped.", "12 LEG Ausschuss."),
        ("MOVE", "12 LEG moved.", "12 LEG umgelagert."),
        ("HOLD", "Lot L-2 of LEG is on hold.", "Los L-2 von LEG ist gesperrt."),
        ("RELEASE", "Lot L-2 of LEG is released.", "Los L-2 von LEG ist frei."),
        ("ASIDE", "12 LEG set aside.", "12 LEG bleiben als Rest."),
        (None, "Lot L-2 of LEG is in use here.", "LEG: Los L-2 ist hier im Einsatz."),
    ],
)
def test_the_screen_says_what_became_of_the_material(
    verb: str | None, english: str, german: str
) -> None:
    assert present_outcome(MATERIAL, ENGLISH, answered=verb).happened == english
    assert present_outcome(MATERIAL, GERMAN, answered=verb).happened == german


def test_a_badge_while_a_command_waits_is_a_badge() -> None:
    badge = Outcome(scan_id="1", code="B:1001", outcome="recorded", message="m")
    said = present_outcome(badge, ENGLISH, answered="ISSUE").happened
    assert "issued" not in said
