"""`load` with two persons, and `load --diff`, as a user calls them, with and without a core."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.station_process import PLANT, Station

PEOPLE = PLANT["operators"] + "SUP-2,Bea,supervisor\n"
PIN, OTHER = b"4711\n", b"0815\n"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A set-up station that loads with two persons; Bert and Bea have PINs."""
    station = Station(tmp_path, MES_TERMINAL_LOAD__SECOND_PERSON="true")
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in (PLANT | {"operators": PEOPLE}).items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.run("operator", "pin", "SUP-1", given=PIN)
    station.run("operator", "pin", "SUP-2", "--as", "SUP-1", given=PIN + OTHER)
    (folder / "bom_lines.csv").write_text(PLANT["bom_lines"].replace("LEG,4", "LEG,3"))
    yield station
    station.close()


def told(station: Station, *words: str, given: bytes = b"", code: int = 0) -> dict[str, Any]:
    done = station.run("load", *words, "--json", given=given, code=code)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("with_core", [False, True])
def test_one_proposes_and_another_applies(station: Station, with_core: bool) -> None:
    """Issue 5, part 7."""
    core = station.start_core() if with_core else None
    folder = str(station.folder / "plant")
    refused = station.run("load", folder, code=2)
    assert b"two persons" in refused.stderr
    assert told(station, folder, "--dry-run")["tables"]["bom_lines"]["changed"] == 1
    proposed = told(station, folder, "--as", "SUP-1", given=PIN)
    assert (proposed["proposal"], proposed["faults"]) == (1, [])
    assert proposed["diff"]["total"] == 1
    (row,) = json.loads(station.run("load", "--proposals", "--json").stdout)
    assert (row["status"], row["proposed_by"], row["folder"]) == ("open", "SUP-1", folder)
    own = station.run("load", "--approve", "1", "--as", "SUP-1", given=PIN, code=2)
    assert b"another person applies it" in own.stderr
    wrong = station.run("load", "--approve", "1", "--as", "SUP-2", given=PIN, code=2)
    assert b"not the PIN" in wrong.stderr
    applied = told(station, "--approve", "1", "--as", "SUP-2", given=OTHER)
    assert applied["tables"]["bom_lines"] == {"added": 0, "changed": 1, "unchanged": 1}
    assert "diff" not in applied
    (entry,) = station.rows("audit", "--type", "load.approved")
    assert (entry["person"], entry["second_person"]) == ("SUP-1", "SUP-2")
    assert b"Nothing would change" in station.run(
        "load", folder, "--as", "SUP-1", given=PIN
    ).stdout  # fmt: skip
    station.run("doctor")
    station.run("audit", "verify")
    if core is not None:
        station.run("core", "--stop")


@pytest.mark.parametrize("with_core", [False, True])
def test_a_folder_that_changed_since_is_not_applied_and_can_be_refused(
    station: Station, with_core: bool
) -> None:
    core = station.start_core() if with_core else None
    folder = station.folder / "plant"
    told(station, str(folder), "--as", "SUP-1", given=PIN)
    (folder / "bom_lines.csv").write_text(PLANT["bom_lines"].replace("LEG,4", "LEG,2"))
    refused = station.run("load", "--approve", "1", "--as", "SUP-2", given=OTHER, code=2)
    assert b"not what was proposed any more" in refused.stderr
    done = station.run("load", "--refuse", "1", "--as", "SUP-2", "--reason", "no", given=OTHER)
    assert b"refused" in done.stdout
    assert b"refused already" in station.run(
        "load", "--approve", "1", "--as", "SUP-2", given=OTHER, code=2
    ).stderr  # fmt: skip
    assert told(station, str(folder), "--diff")["diff"]["total"] == 1
    if core is not None:
        station.run("core", "--stop")


def test_faults_are_told_and_nothing_is_proposed(station: Station) -> None:
    (station.folder / "plant" / "bom_lines.csv").write_text("item,revision,line\nCHAIR,A,10\n")
    folder = str(station.folder / "plant")
    assert told(station, folder, "--as", "SUP-1", given=PIN, code=2)["faults"]
    assert json.loads(station.run("load", "--proposals", "--json").stdout) == []


@pytest.mark.parametrize(
    "words",
    [(), ("--approve", "1"), ("--approve", "1", "--refuse", "1"), ("F", "--approve", "1"),
     ("--refuse", "1"), ("--approve", "1", "--reason", "x"), ("--diff", "--proposals")],
)  # fmt: skip
def test_what_does_not_go_together_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    station = Station(tmp_path)
    try:
        done = station.run("load", *words, code=2)
        assert done.stderr.startswith(b"mes-terminal: ")
    finally:
        station.close()


def test_without_the_setting_a_load_takes_one_person_and_as_says_so(tmp_path: Path) -> None:
    station = Station(tmp_path)
    try:
        station.load_plant()
        station.run("operator", "pin", "SUP-1", given=PIN)
        folder = str(tmp_path / "plant")
        (tmp_path / "plant" / "reasons.csv").write_text("code,kind\nX,scrap\n")
        refused = station.run("load", folder, "--as", "SUP-1", given=PIN, code=2)
        assert b"one person" in refused.stderr
        station.run("load", folder)
        diff = station.run("load", folder, "--diff").stdout.decode()
        assert "Open orders touched: none" in diff
    finally:
        station.close()
