"""The desk's sections on a real core: each opens, the trail is proved, a person is added."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mes_terminal.tui import desk_control
from mes_terminal.tui.sections.registry import SECTIONS
from mes_terminal.tui.words import words_for
from tests.e2e.desk_on_core import desk_on_core
from tests.e2e.test_exception_command import PIN
from tests.tui.test_desk import Desk


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """Ten chairs were made, ten of their 40 legs were in no lot."""
    monkeypatch.setattr(desk_control, "POLL_S", 0.2)
    async with desk_on_core(tmp_path, first="audit") as desk:
        await desk.sees("AUDIT TRAIL", "production reported")
        yield desk


async def test_every_section_opens_and_the_core_refuses_none_of_its_questions(desk: Desk) -> None:
    """Screens 9: from one to the next with the same key."""
    for _ in SECTIONS:
        await desk.do("]")
        name = desk.app.desk._name  # type: ignore[attr-defined]
        await desk.sees(words_for("en").sections[name].title)
        await desk.pilot.pause(0.3)
        assert desk.app.desk._notice == "", name  # type: ignore[attr-defined]


async def test_the_trail_is_proved_over_the_link(desk: Desk) -> None:
    """Part 5: the answer comes in parts, the head is that of `audit verify`."""
    await desk.do("v")
    await desk.sees("The records hold:")
    (head,) = [line["hash"] for line in desk.core.rows("audit")[-1:]]
    assert head[:40] in desk.text()


async def test_a_person_is_added_by_scanned_badges_and_a_pin(desk: Desk) -> None:
    """Part 3: through the core, with the real cost of a PIN; a badge's code names the badge."""
    await desk.do("m")
    desk.app.desk.go("people")  # type: ignore[attr-defined]
    await desk.sees("PEOPLE", "SUP-1")
    await desk.do("a")
    await desk.scan("B:OP-77")
    await desk.do("Dora", "enter", "1", "1")
    await desk.scan("B:SUP-1")
    await desk.sees("PIN of")
    await desk.do(PIN.decode().strip(), "enter")
    await desk.sees("They may work here now")
    assert "OP-77" in [row["badge"] for row in desk.core.rows("operator", "list")]
    await desk.do("enter", "down")
    await desk.sees("Dora, operator, badge OP-77")
