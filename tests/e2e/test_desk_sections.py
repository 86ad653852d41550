"""The desk's sections on a real core: each opens, the trail is proved, a person is added."""

import signal
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import pytest

from mes_terminal.link.client import LinkClient
from mes_terminal.station.lock import find_core
from mes_terminal.tui import desk_control
from mes_terminal.tui.sections.registry import SECTIONS
from mes_terminal.tui.supervisor_app import SupervisorApp
from mes_terminal.tui.words import words_for
from tests.e2e.station_process import Station
from tests.e2e.test_exception_command import PIN, SHORT
from tests.tui.test_desk import Desk


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """Ten chairs were made, ten of their 40 legs were in no lot."""
    monkeypatch.setattr(desk_control, "POLL_S", 0.2)
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in SHORT.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.scan("WO-1")
    station.run("operator", "pin", "SUP-1", given=PIN)
    core = station.start_core()
    holder = find_core(station.database)
    assert holder is not None
    try:
        app = SupervisorApp(LinkClient(holder.socket), plain=False, zone=UTC, first="audit")
        async with app.run_test(size=(120, 40)) as pilot:
            desk = Desk(app, station, pilot)
            await desk.sees("AUDIT TRAIL", "production reported")
            yield desk
    finally:
        if core.poll() is None:
            core.send_signal(signal.SIGTERM)
            core.wait(30)
        station.close()


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
