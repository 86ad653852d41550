"""The bad shift of the demo: everything goes wrong, the desk is emptied, the books are right again.

Issue 5, *done when*: the ledger afterwards is that of the good shift plus what was written off.
"""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.keyboard import Keyboard, keyboard, number_of
from tests.e2e.shift_books import DEMO, LOAD, Books, WrittenOff, differences, play
from tests.e2e.station_process import Station

OPEN_MIN: Final = 25
KINDS_MIN: Final = 10
PIN: Final = b"2580\n"
DEMO_MAX_S: Final = 180
"""The scenario has its own pauses, where the scanner is out and comes back."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """What the good shift leaves: seven orders closed, and nothing open."""
    station = Station(tmp_path_factory.mktemp("good"))
    play(station, "good-shift.scan", papers_first=True)
    assert station.rows("exceptions") == []
    return Books.of(station.database)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the bad shift, just over."""
    station = Station(tmp_path_factory.mktemp("bad"))
    play(station, "bad-shift.scan", papers_first=False)
    station.run("operator", "pin", "sofia", given=PIN * 2)
    return station.database


@pytest.fixture
def bad(played: Path, tmp_path: Path) -> Iterator[Station]:
    """A station after the bad shift."""
    station = Station(tmp_path, TERM="xterm-256color")
    shutil.copy(played, station.database)
    yield station
    station.close()


def open_of(station: Station) -> list[dict[str, Any]]:
    return station.rows("exceptions", "--open")


def test_the_bad_shift_ends_with_exceptions_of_more_than_ten_kinds(bad: Station) -> None:
    """Issue 5; and nothing stopped, was booked twice or vanished."""
    kinds = Counter(each["kind"] for each in open_of(bad))
    assert kinds.total() >= OPEN_MIN
    assert len(kinds) >= KINDS_MIN
    assert bad.run("doctor").returncode == 0
    assert {row["status"] for row in bad.rows("journal")} == {"done"}


def test_the_books_of_the_bad_shift_are_not_those_of_the_good_one(
    good: Books, bad: Station
) -> None:
    """Else the next test could not fail: before anything is done they differ, in every part."""
    told = "\n".join(differences(good, Books.of(bad.database), WrittenOff()))
    for part in ("issued ('WO-1101', '10', 'LEG')", "stock ('LEG', 'L-79'", "edge ('WO-1104'"):
        assert part in told


def test_the_desk_is_emptied_and_the_books_are_those_of_the_good_shift(
    good: Books, bad: Station
) -> None:
    """Issue 5, by the command line: the papers come, what they mend heals by itself; a supervisor
    names two lots, writes off what nobody found, and has seen to the rest."""
    bad.run(*DEMO, *LOAD)
    healed = bad.rows("exceptions", "--status", "resolved")
    assert {each["item"] for each in healed} == {"RIM", "TYRE", "TUBE", "SPOKE"}
    for order, lot in (("WO-1101", "L-79"), ("WO-1104", "BF-3")):
        (one,) = [each for each in open_of(bad)
                  if each["work_order"] == order and each["kind"] == "shortage"]  # fmt: skip
        resolve(bad, [one], "--lot", lot)
    written = WrittenOff()
    rest = open_of(bad)
    written.add(rest)
    resolve(bad, rest, "--write-off", "NOT-FOUND")
    assert open_of(bad) == []
    assert dict(written.of_lines) == {
        ("WO-1107", "10", "BIKE-FRAME"): 4, ("WO-1107", "60", "MOTOR"): 1,
        ("WO-1107", "70", "BATTERY"): 1,
    }  # fmt: skip
    assert differences(good, Books.of(bad.database), written) == []
    assert bad.run("doctor").returncode == 0
    assert bad.run("audit", "verify").returncode == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is the terminal of this test")
def test_a_supervisor_empties_the_desk_by_keyboard_alone(good: Books, bad: Station) -> None:
    """Issue 5, *done when*: on a real terminal, key by key; group by group, but where a lot is
    named. What was written off is what the desk showed as open."""
    bad.run(*DEMO, *LOAD)
    scans = len(bad.rows("journal"))
    written = WrittenOff()
    with keyboard(bad, *DEMO, "supervisor") as desk:
        desk.until(lambda text: "MORNING" in text and "24 open" in text, "the morning")
        desk.press("2", "EXCEPTIONS", "24 open")
        for text, lot in (("WO-1101", "L-79"), ("BIKE-FRAME", "BF-3")):
            look_for(desk, text)
            decide(desk, "r", f"From lot {lot}", "It would end.")
            desk.press("Escape")
            desk.until(lambda text: "only with" not in text and "lot on hold" in text, "all")
        written.add(open_of(bad))
        while opened(desk.text()):
            decide(desk, "g", "Write off", "would end.", "NOT-FOUND")
    assert open_of(bad) == []
    assert differences(good, Books.of(bad.database), written) == []
    assert sum(written.of_lines.values()) == 4 + 1 + 1
    assert len(bad.rows("journal")) == scans
    assert "2580" not in "".join(text for _, text in desk.record)
    assert bad.run("doctor").returncode == 0


def look_for(desk: Keyboard, text: str) -> None:
    """Filter by a text: its shortages come first."""
    desk.press("/")
    desk.type(text)
    desk.press("Enter")
    desk.until(lambda shown: "▶ shortage" in shown and "unknown code" not in shown, text)


def decide(desk: Keyboard, letter: str, choice: str, told: str, reason: str = "") -> None:
    """End what is selected, or its group: the way, the reason, the preview, badge, PIN."""
    before = opened(desk.text())
    text = desk.press(letter, "RESOLVE", choice)
    if reason:
        desk.press(number_of(choice, text), reason)
        desk.press("Enter", told)
    else:
        desk.press(number_of(choice, text), told)
    desk.press("Enter", "Who decides?")
    desk.type("sofia")
    desk.press("Enter", "PIN of sofia")
    desk.type("2580")
    desk.press("Enter", "ended")
    desk.press("Enter")
    desk.until(lambda text: "RESOLVE" not in text and opened(text) < before, "it has ended")


def opened(text: str) -> int:
    """Return how many the head of the desk says are open."""
    found = re.search(r"(\d+) open", text)
    return int(found[1]) if found else 0


def resolve(station: Station, exceptions: list[dict[str, Any]], *how: str) -> None:
    ids = [str(each["id"]) for each in exceptions]
    station.run(*DEMO, "exception", "resolve", *ids, *how, "--as", "sofia", given=PIN)


def test_the_demo_shows_the_bad_shift(tmp_path: Path) -> None:
    """`demo --scenario`: on the simulated scanner, and nothing is left behind."""
    station = Station(tmp_path, TMPDIR=str(tmp_path))
    lines = subprocess.run(
        station.command("demo", "--headless", "--scenario", "bad-shift"),
        env=station.environment,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=DEMO_MAX_S,
        check=True,
    ).stdout
    found = re.search(r"^Exceptions: (\d+) open, of (\d+) kinds$", lines, re.MULTILINE)
    assert found, lines
    assert int(found[1]) >= OPEN_MIN
    assert int(found[2]) >= KINDS_MIN
    assert lines.endswith("Doctor: 10 checks, 0 failed\n")
    assert list(tmp_path.iterdir()) == []
