"""`approvals`, `approve` and `permit` as a user calls them, with and without a core (BF-24)."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.errors import StationError
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import find_core
from tests.e2e.station_process import PATIENCE_S, PLANT, Station

FILES = PLANT | {
    "lots": "item,lot,status\nLEG,L-1,hold\n",
    "operators": PLANT["operators"] + "SUP-2,Bea,supervisor\n",
    "reasons": "code,kind\nRELEASED,deviation\n",
}
SETTINGS = """
[station]
mode = "test"
[policy.over_completion]
default = "approve"
[policy.lot_on_hold]
default = "approve"
"""
PIN, WRONG = b"4711\n", b"4712\n"
BOTH = pytest.mark.parametrize("with_core", [False, True])


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """Ten chairs are ordered; more take an approval. Bert has a PIN, Bea has none."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "station.toml").write_text(SETTINGS)
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.run("operator", "pin", "SUP-1", given=PIN)
    yield station
    station.close()


def ask_too_many(station: Station) -> dict[str, Any]:
    _, asked = station.scan("--as", "OP-1", "%QTY 12", "WO-1", code=1)
    return asked


def approve(station: Station, *words: str, given: bytes = PIN, code: int = 0) -> dict[str, Any]:
    done = station.run("approve", *words, "--as", "SUP-1", "--json", given=given, code=code)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@BOTH
def test_a_pin_on_standard_input_approves_and_the_code_is_handled(
    station: Station, with_core: bool
) -> None:
    """BF-24, part 4: the badge asks for the PIN, the PIN books the code for who was asked."""
    core = station.start_core() if with_core else None
    assert ask_too_many(station)["reason"] == "approval"
    (badge,) = station.scan("B:SUP-1", code=1)
    assert (badge["outcome"], badge["reason"]) == ("needs", "approval")
    wrong = station.run("approve", "--as", "SUP-1", given=WRONG, code=2)
    assert b"not the PIN" in wrong.stderr
    done = approve(station)
    assert (done["outcome"], done["permit"], done["quantity"]) == ("approved", 1, "2")
    assert (done["scan"]["outcome"], done["scan"]["quantity"]) == ("completed", "12")
    (report,) = [row for row in station.rows("audit") if "production.completed" in row["type"]]
    assert report["person"] == "OP-1"
    assert [row["device"] for row in station.rows("journal")][-1] == "approval"
    given = [row for row in station.rows("audit") if "signature.given" in row["type"]]
    assert [row["person"] for row in given] == ["SUP-1"]
    assert station.run("audit", "verify").returncode == 0
    station.run("doctor")
    if core is not None:
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


@BOTH
def test_a_question_is_answered_later_with_a_box(station: Station, with_core: bool) -> None:
    """BF-24, part 4: from the desk, while the line goes on."""
    core = station.start_core() if with_core else None
    station.scan("--as", "OP-1", "LEG|L-1", code=1)
    station.scan("--as", "OP-1", "%QTY 3", "%CANCEL")
    (asked,) = station.rows("approvals", "--open")
    assert (asked["situation"], asked["item"], asked["lot"]) == ("lot_on_hold", "LEG", "L-1")
    done = approve(station, "--id", str(asked["id"]), "--quantity", "8", "--until", "23:59")
    assert (done["outcome"], done["quantity"], done["scan"]) == ("approved", "8", None)
    for words, outcome in ((["LEG|L-1"], "recorded"), (["%QTY 2", "WO-1"], "completed"),
                           (["%QTY 1", "WO-1"], "needs")):  # fmt: skip
        told = station.scan("--as", "OP-1", *words, code=int(outcome == "needs"))
        assert told[-1]["outcome"] == outcome
    (permit,) = station.rows("permit", "list")
    assert (permit["used"], permit["left"], permit["status"]) == ("8", "0", "used")
    if core is not None:
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


@BOTH
def test_a_permit_is_granted_listed_and_ended(station: Station, with_core: bool) -> None:
    """BF-24, part 4: allow lot L-1 of LEG for 200 pieces."""
    core = station.start_core() if with_core else None
    scope = ["--situation", "lot_on_hold", "--item", "LEG", "--lot", "L-1"]
    box = ["--quantity", "200", "--reason", "RELEASED", "--as", "SUP-1"]
    station.run("permit", "add", *scope, *box, given=WRONG, code=2)
    assert station.rows("permit", "list") == []
    granted = station.run("permit", "add", *scope, *box, "--json", given=PIN)
    assert json.loads(granted.stdout)["permit"] == 1
    assert [row["status"] for row in station.rows("permit", "list", "--standing")] == ["standing"]
    ended = station.run("permit", "end", "1", "--as", "SUP-1", given=PIN)
    assert b"lets nothing pass" in ended.stdout
    assert station.rows("permit", "list", "--standing") == []
    assert station.scan("--as", "OP-1", "LEG|L-1", code=1)[0]["reason"] == "approval"
    if core is not None:
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


def test_wrong_pins_lock_and_nothing_is_approved(station: Station) -> None:
    """Part 3: five in a row; the right one has to wait."""
    ask_too_many(station)
    for _ in range(5):
        station.run("approve", "--as", "SUP-1", given=WRONG, code=2)
    locked = station.run("approve", "--as", "SUP-1", given=PIN, code=2)
    assert b"is locked" in locked.stderr
    assert [row["status"] for row in station.rows("approvals")] == ["open"]
    assert station.rows("permit", "list") == []


def test_who_has_no_pin_approves_at_the_line_only(station: Station) -> None:
    """Part 3: a desk takes badge and PIN."""
    ask_too_many(station)
    refused = station.run("approve", "--as", "SUP-2", given=PIN, code=2)
    assert b"has no PIN" in refused.stderr
    (outcome,) = station.scan("B:SUP-2")
    assert (outcome["outcome"], outcome["quantity"]) == ("completed", "12")


def test_nothing_asked_is_nothing_answered(station: Station) -> None:
    """BF-24."""
    assert b"asks nothing" in station.run("approve", "--as", "SUP-1", given=PIN, code=2).stderr
    words = ["approve", "--id", "99", "--as", "SUP-1"]
    assert b"no question 99" in station.run(*words, given=PIN, code=2).stderr


def test_a_refusal_is_signed_and_final(station: Station) -> None:
    """BF-24."""
    ask_too_many(station)
    assert approve(station, "--refuse")["outcome"] == "refused"
    assert approve(station, "--id", "1", code=1)["outcome"] == "already_done"
    assert station.rows("orders", "--work-order", "WO-1")[0]["completed"] == "0"


FORGED: list[tuple[str, dict[str, Any]]] = [
    ("approve", {"id": 1, "pin": "4711"}),
    ("approve", {"id": 1, "badge": "SUP-1", "pin": ""}),
    ("approve", {"id": 1, "badge": "SUP-1", "pin": "0000"}),
    ("approve", {"id": "1", "badge": "SUP-1", "pin": "4711"}),
    ("approve", {"id": 1, "badge": "OP-1", "pin": "4711"}),
    ("approve", {"id": 1, "badge": "SUP-1", "pin": "4711", "answer": "yes"}),
    ("approve", {"id": 1, "badge": "SUP-1", "pin": "4711", "until": "\x1b[2J"}),
    ("approve", {"id": 1, "badge": "SUP-1", "pin": "4711", "quantity": "1e9"}),
    ("approve", {"id": 1, "badge": "SUP-1", "pin": "4711", "proved": True}),
    ("permit", {"badge": "SUP-1", "pin": "4711", "situation": "everything", "item": "LEG"}),
    ("permit", {"badge": "SUP-1", "pin": "4712", "end": 1}),
]


def test_a_forged_request_approves_nothing(station: Station) -> None:
    """Part 3, hostile input: over the socket, by a client that says what it likes."""
    core = station.start_core()
    ask_too_many(station)
    holder = find_core(station.database)
    assert holder is not None
    with Client(holder.socket) as client:
        for do, params in FORGED:
            with pytest.raises(StationError) as refused:
                client.request(do, **params)
            assert "4711" not in str(refused.value)
        client.request("scan", hex=b"WO-1".hex(), device="approval")
    assert [row["status"] for row in station.rows("approvals")] == ["open"]
    assert station.rows("orders", "--work-order", "WO-1")[0]["completed"] == "0"
    core.terminate()
    assert core.wait(PATIENCE_S) == 0


def test_the_pin_stands_nowhere(station: Station) -> None:
    """Part 3: in no journal, event or log of the core."""
    core = station.start_core()
    ask_too_many(station)
    station.scan("B:SUP-1", code=1)
    approve(station)
    core.terminate()
    _, told = core.communicate(timeout=PATIENCE_S)
    assert b"4711" not in told
    db = sqlite3.connect(station.database)
    assert "4711" not in "\n".join(db.iterdump())
    db.close()
