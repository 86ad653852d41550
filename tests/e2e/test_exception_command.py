"""`exception resolve` and `operator` as a user calls them, with and without a core (BF-23)."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.domain.desk import ExceptionStory
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import ScanRequest
from mes_terminal.store.database import open_database
from mes_terminal.usecases.fail_scan import conclude_failed
from mes_terminal.usecases.journal import journal_scans
from tests.e2e.station_process import PATIENCE_S, PLANT, Station

SHORT = PLANT | {
    "receipts": "reference,item,lot,location,quantity,effective_at\n"
    "R-1,LEG,L-1,LINE,30,2026-01-01\nR-2,SEAT,,LINE,100,2026-01-01\n",
    "lots": "item,lot\nLEG,L-9\n",
    "operators": PLANT["operators"] + "SUP-2,Bea,supervisor\nQA-1,Kim,quality\n",
    "reasons": "code,kind\nGONE,write_off\n",
}
LATER = "R-9,LEG,L-9,LINE,50,2099-01-01\n"
PIN, WRONG = b"471100824711\n", b"471200834712\n"
"""Of so many digits that no hash or id holds one by chance."""


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """Ten chairs were made, ten of their 40 legs were in no lot; lot L-9 came after them."""
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in SHORT.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.scan("WO-1")
    (folder / "receipts.csv").write_text(SHORT["receipts"] + LATER)
    station.run("load", str(folder))
    station.run("operator", "pin", "SUP-1", given=PIN)
    yield station
    station.close()


def resolve(
    station: Station, *words: str, given: bytes = PIN, code: int = 0
) -> list[dict[str, Any]]:
    done = station.run("exception", "resolve", *words, "--json", given=given, code=code)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def people(station: Station) -> dict[str, dict[str, Any]]:
    return {row["badge"]: row for row in station.rows("operator", "list")}


@pytest.mark.parametrize("with_core", [False, True])
def test_a_named_lot_is_posted_by_badge_and_pin(station: Station, with_core: bool) -> None:
    """BF-22, BF-23."""
    core = station.start_core() if with_core else None
    (row,) = station.rows("exceptions", "--open")
    assert (row["kind"], row["quantity"], row["blocking"]) == (
        "shortage", "10", "10 pcs of LEG missing at LINE",
    )  # fmt: skip
    assert row["suggestions"] == ["50 pcs of L-9 at LINE"]
    (seen,) = resolve(station, "1", "--as", "SUP-1", "--lot", "L-9", "--preview", given=b"")
    assert (seen["outcome"], seen["message"]) == ("posted", "10 pcs of LEG posted from L-9")
    assert station.rows("exceptions", "--open") == [row]
    (ended,) = resolve(station, "1", "--as", "SUP-1", "--lot", "L-9")
    assert ended == seen
    assert (ended["id"], ended["written_off"], ended["open"]) == (1, None, None)
    (posted,) = ended["posted"]
    assert (posted["lot"], posted["quantity"], posted["certainty"]) == ("L-9", "10", "assumed")
    (stock,) = station.rows("stock", "--item", "LEG", "--location", "LINE")
    assert (stock["lot"], stock["quantity"]) == ("L-9", "40")
    *_, posting, signature = station.rows("outbox")
    assert posting["type"] == "io.mes-terminal.exception.resolved.v1"
    assert posting["event"]["data"]["person"] == "SUP-1"
    assert signature["type"] == "io.mes-terminal.signature.given.v1"
    (again,) = resolve(station, "1", "--as", "SUP-1", "--lot", "L-9")
    assert again["outcome"] == "already_done"
    station.run("doctor")
    if core is not None:
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


def test_some_of_a_group_end_and_the_command_says_that_one_did_not(station: Station) -> None:
    """BF-23: each is a transaction of its own; 1 says that something stays open."""
    station.scan("NO-SUCH-CODE", code=1)
    told = station.run(
        "exception", "resolve", "1", "2", "--as", "SUP-1", "--lot", "L-9", "--preview", code=1
    ).stdout.decode()
    assert told.splitlines() == [
        "OK    1: 10 pcs of LEG posted from L-9.",
        "STOP  2: There is nothing to post for unknown_code. See to it, then write this off with a "
        "reason.",
        "1 would end, 1 would not. Nothing was done.",
    ]
    ended = resolve(station, "1", "2", "--as", "SUP-1", "--write-off", "GONE")
    assert [each["outcome"] for each in ended] == ["written_off", "written_off"]
    assert station.rows("exceptions", "--open") == []
    assert station.rows("orders", "lines", "WO-1")[0]["owed"] == "0"


@pytest.mark.parametrize("with_core", [False, True])
def test_a_wrong_pin_does_nothing_and_locks_in_the_end(station: Station, with_core: bool) -> None:
    """BF-23: one sentence each time, and no PIN in any of them."""
    core = station.start_core() if with_core else None
    words = ("exception", "resolve", "1", "--as", "SUP-1", "--lot", "L-9")
    for left in (4, 3, 2, 1):
        done = station.run(*words, given=WRONG, code=2)
        assert done.stderr.decode() == (
            f"mes-terminal: That is not the PIN of SUP-1. Nothing was done. {left} more and it is "
            "locked.\n"
        )
    assert b"locked for 30 s" in station.run(*words, given=WRONG, code=2).stderr
    locked = station.run(*words, given=PIN, code=2).stderr
    assert b"locked after 5 wrong tries" in locked
    assert len(station.rows("exceptions", "--open")) == 1
    everything = station.run("audit", "--json").stdout + station.run("outbox", "--json").stdout
    assert WRONG.strip() not in everything
    assert b"argon2" not in everything
    if core is not None:
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("1", "--as", "SUP-1"), b"Give one of"),
        (("1", "--as", "SUP-1", "--post", "--lot", "L-9"), b"Give one of"),
        (("99", "--as", "SUP-1", "--post"), b"There is no exception 99"),
        (("1", "--as", "SUP-1", "--write-off", "BORED"), b"is no reason for a write-off"),
        (("1", "--as", "NOBODY", "--post"), b"is not known here"),
        (("1", "--as", "OP-1", "--post"), b"Anna has no PIN"),
        (("1", "--as", "SUP-1", "--quantity", "1.5.0"), b"is no number"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    station: Station, words: tuple[str, ...], why: bytes
) -> None:
    done = station.run("exception", "resolve", *words, given=PIN, code=2)
    assert why in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("with_core", [False, True])
def test_groups_and_stories_are_told_and_a_cause_ends_at_once(
    station: Station, with_core: bool
) -> None:
    """Issue 5, 1: grouped by cause, each in full, assigned by name, ended as a group."""
    core = station.start_core() if with_core else None
    station.scan("NO-SUCH-CODE", code=1)
    groups = station.rows("exception", "groups", "--by", "cause")
    assert [(each["key"], each["count"]) for each in groups] == [
        ("shortage:no_stock|LEG", 1), ("unknown_code:not_known|", 1),
    ]  # fmt: skip
    (told,) = station.rows("exception", "story", "1")
    assert set(told) == set(ExceptionStory.__struct_fields__)
    assert (told["cause_code"], told["scan_code"]) == ("shortage:no_stock", "WO-1")
    assert [each["how"] for each in told["proposals"]] == ["lot", "write_off"]
    words = ("--to", "QA-1", "--as", "SUP-1")
    (given,) = json.loads(
        station.run("exception", "assign", "1", *words, "--json", given=PIN).stdout
    )
    assert given == {"id": 1, "outcome": "assigned", "message": "shortage goes to Kim"}
    assert station.run("exception", "assign", "1", *words, given=WRONG, code=2).stdout == b""
    text = station.run("exception", "story", "1").stdout.decode()
    assert "  blocked by 10 pcs of LEG missing at LINE: nothing of it was there\n" in text
    assert "  owner      Kim\n" in text
    assert "QA-1" not in station.run("exception", "groups", "--by", "owner").stdout.decode()
    cause = ("--cause", "shortage:no_stock", "--of", "LEG", "--as", "SUP-1", "--lot", "L-9")
    seen = station.run("exception", "resolve", *cause, "--preview").stdout.decode()
    assert seen.splitlines()[-1] == "1 would end, 0 would not. Nothing was done."
    assert [each["outcome"] for each in resolve(station, *cause)] == ["posted"]
    assert b"No open exception has that cause" in station.run(
        "exception", "resolve", *cause, given=PIN, code=2
    ).stderr  # fmt: skip
    assert [each["kind"] for each in station.rows("exception", "groups")] == ["unknown_code"]
    station.run("doctor")
    if core is not None:
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("with_core", [False, True])
def test_a_scan_that_failed_is_handled_again(station: Station, with_core: bool) -> None:
    """BF-23: through the core, and as the core for the moment."""
    _fail(station, b"WO-2")
    core = station.start_core() if with_core else None
    (failed,) = station.rows("exception", "groups", "--kind", "failed_scan")
    words = ("--cause", "failed_scan:fault", "--as", "SUP-1", "--post")
    assert failed["count"] == 1
    (seen,) = resolve(station, *words, "--preview", given=b"")
    assert (seen["outcome"], seen["message"][:12]) == ("posted", "WO-2 closed:")
    (ended,) = resolve(station, *words)
    assert ended["outcome"] == "posted"
    assert [each["item"] for each in ended["posted"]] == ["SEAT"]
    (row,) = [each for each in station.rows("exceptions") if each["kind"] == "failed_scan"]
    made = station.rows("journal")[-1]
    assert row["resolution"].startswith(f"handled as scan {made['scan_id']}: WO-2 closed")
    assert (made["code"], made["device"]) == ("WO-2", "st10")
    station.run("doctor")
    if core is not None:
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


def _fail(station: Station, code: bytes) -> None:
    """Let the handling of a scan fail, as a fault of the program does."""
    database = open_database(station.database)
    request = ScanRequest(raw=code, device="st10", badge="OP-1")
    (scan,) = journal_scans(
        database, [request], received_at="2026-11-20T09:00:00.000000Z", new_id=lambda: "failed-1"
    )
    conclude_failed(database, scan, StationRules(), "KeyError: 'x'")
    database.close()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), b"Name exceptions by their ids"),
        (("1", "--cause", "shortage:no_stock"), b"Name exceptions by their ids"),
        (("1", "--of", "LEG"), b"Name exceptions by their ids"),
        (("--cause", "no:such"), b"No open exception has that cause"),
    ],
)
def test_a_group_is_named_by_its_cause_and_by_nothing_else(
    station: Station, words: tuple[str, ...], why: bytes
) -> None:
    done = station.run("exception", "resolve", *words, "--as", "SUP-1", "--post", code=2)
    assert why in done.stderr


def test_both_need_a_database_and_make_none(tmp_path: Path) -> None:
    empty = Station(tmp_path)
    for words in (
        ("exception", "resolve", "1", "--as", "SUP-1", "--post"),
        ("operator", "add", "OP-1", "Anna"), ("operator", "pin", "SUP-1"), ("operator", "list"),
    ):  # fmt: skip
        assert b"There is no database" in empty.run(*words, given=PIN, code=2).stderr
    assert not empty.database.exists()


def test_who_may_not_is_told_so(station: Station) -> None:
    """BF-23: the badge is proved, the person is no supervisor."""
    station.run("operator", "pin", "QA-1", "--as", "SUP-1", given=PIN + b"2222\n2222\n")
    (ended,) = resolve(station, "1", "--as", "QA-1", "--post", given=b"2222\n", code=1)
    assert (ended["outcome"], ended["open"]) == ("refused", None)
    assert ended["message"] == "Kim may not end shortage. Call a supervisor"


def test_a_lost_pin_is_reset_by_another_supervisor(station: Station) -> None:
    station.run("operator", "pin", "SUP-2", "--as", "SUP-1", given=PIN + b"2222\n")
    station.run("operator", "pin", "SUP-1", "--as", "SUP-2", given=b"2222\n3333\n3333\n")
    resolve(station, "1", "--as", "SUP-1", "--write-off", "GONE", given=b"3333\n")
    station.run("operator", "pin", "SUP-1", given=b"3333\n5555\n5555\n")
    refused = station.run("operator", "pin", "SUP-1", given=b"5555\n6666\n7777\n", code=2)
    assert b"not the same" in refused.stderr
    refused = station.run("operator", "pin", "OP-1", given=b"1111\n", code=2)
    assert b"A supervisor gives the first one" in refused.stderr
    assert [people(station)[badge]["has_pin"] for badge in ("OP-1", "SUP-1", "SUP-2")] == [
        False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("with_core", [False, True])
def test_people_come_and_go(station: Station, with_core: bool) -> None:
    core = station.start_core() if with_core else None
    add = ("operator", "add", "OP-7", "Ida Klein", "--role", "quality", "--as", "SUP-1")
    station.run(*add, given=PIN)
    assert people(station)["OP-7"] == {
        "badge": "OP-7", "name": "Ida Klein", "role": "quality", "language": None,
        "has_pin": False, "locked_until": None, "disabled_at": None,
    }  # fmt: skip
    assert b"is Ida Klein's already" in station.run(*add, given=PIN, code=2).stderr
    station.run("operator", "disable", "OP-7", "--as", "SUP-1", given=PIN)
    assert people(station)["OP-7"]["disabled_at"] is not None
    (outcome,) = station.scan("B:OP-7", code=1)
    assert outcome["reason"] == "not_authorised"
    assert b"Only a supervisor" in station.run("operator", "disable", "OP-1", code=2).stderr
    assert b"OP-7" in station.run("operator", "list").stdout
    if core is not None:
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


def test_a_pin_typed_at_a_terminal_is_not_shown(station: Station) -> None:
    """It is asked for without echo."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        station.command("operator", "pin", "SUP-1"),
        stdin=theirs, stdout=theirs, stderr=theirs, env=station.environment, cwd=station.folder,
        start_new_session=True,
    ) as typed:  # fmt: skip
        os.close(theirs)
        screen = b""
        for prompt, pin in ((b"PIN of", PIN.strip()), (b"New PIN", b"8642"), (b"Again", b"8642")):
            while prompt not in screen:
                screen += os.read(ours, 4096)
            os.write(ours, pin + b"\n")
        while b"has a new PIN" not in screen:
            screen += os.read(ours, 4096)
        assert typed.wait(PATIENCE_S) == 0
    os.close(ours)
    assert PIN.strip() not in screen
    assert b"8642" not in screen
