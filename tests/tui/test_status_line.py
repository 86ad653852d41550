"""The two lowest lines of the operator's screen: whole, and the weightiest first (screens 1, 4)."""

import pytest

from mes_terminal.domain.view import DiskView, ScannerView, UpstreamView
from mes_terminal.tui.gallery import station
from mes_terminal.tui.words import LANGUAGES
from tests.tui.conftest import OpenDesk

READY = [ScannerView(name=f"st02-hand-{n}", state="ready") for n in range(1, 4)]
MANY = {"postings_waiting": 212, "oldest_waiting_at": "2026-11-20T13:51:00.000000Z"}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_function_key_is_told_on_80_columns(open_desk: OpenDesk, language: str) -> None:
    async with open_desk(station(language=language)) as desk:
        keys = desk.text().splitlines()[-1]
        for key in ("F1", "F2", "F3", "F4", "F5", "F6", "F7", "Ctrl+Q"):
            assert f" {key} " in keys
        assert keys.rstrip().endswith(LANGUAGES[language].keys["leave"])


async def test_on_a_wide_screen_the_legends_are_whole(open_desk: OpenDesk) -> None:
    async with open_desk(size=(120, 36)) as desk:
        assert "F4 Close short" in desk.text()


async def test_scanners_that_are_ready_give_way_to_what_waits(open_desk: OpenDesk) -> None:
    """Screens 4: waiting postings and the age of the oldest are always visible."""
    async with open_desk(station(scanners=READY, exceptions_open=4, **MANY)) as desk:
        await desk.until(lambda: "open exceptions" in desk.text())
        status = desk.text().splitlines()[-2].strip()
        assert status == "st02-hand-3 ready · 212 waiting, oldest 00:14 · open exceptions: 4 (F7)"


async def test_freshness_is_told_before_scanners_that_are_ready(open_desk: OpenDesk) -> None:
    """UP-6: `ERP is 4 s behind, 0 waiting`."""
    fresh = UpstreamView(state="online", behind_s=4.0)
    view = station(scanners=READY * 2, upstream=fresh, postings_waiting=0, exceptions_open=4)
    async with open_desk(view) as desk:
        await desk.until(lambda: "ERP is 4 s behind, 0 waiting" in desk.text())
        assert "open exceptions: 4 (F7)" in desk.text().splitlines()[-2]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_of_many_alarms_none_is_cut_in_its_middle(open_desk: OpenDesk, language: str) -> None:
    """UP-6: what has no room is counted."""
    view = station(
        language=language,
        disk=DiskView(left_mb=26, stopped=True, stop_mb=64),
        clock_in_doubt=True,
        backup_trouble="The folder is not there.",
        scanners=[ScannerView(name="st02-hand", state="gone")],
        exceptions_open=4,
        **MANY,
    )
    async with open_desk(view) as desk:
        labels = LANGUAGES[language].labels
        await desk.until(lambda: labels.clock_doubt in desk.text())
        status = desk.text().splitlines()[-2].strip()
        assert status.startswith(f"▲ {labels.disk_stopped.format(mb=26)} · ")
        assert status.endswith("· +4")
        assert "…" not in status
