"""Every reason that docs/commands.md lists, by a scan that gets it: nothing is posted.

The scans are told as in docs/rules.md; the last one of each case is refused, or asked about.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from mes_terminal.domain.scan import ScanRequest
from mes_terminal.station.booking import Booking
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.journal import journal_scans
from tests.plants import TEST_RULES, memory_folder, open_station, plant, said
from tests.rules_page import PAGE, read_page
from tests.rules_player import Play

COMMANDS: Final = (PAGE.parent / "commands.md").read_text(encoding="utf-8")
GS: Final = "\x1d"
EBIKE: Final = "]C10102000000005027"
CHAIR: Final = "]C10102000000004013"

REJECTED: Final = {
    "not_released": ["> WO-1103"],
    "order_on_hold": ["> WO-1102"],
    "order_cancelled": ["> WO-1108"],
    "order_closed": ["> WO-1001", "> %SCRAP BROKEN", "> WO-1001"],
    "over_tolerance": ["> %QTY 101", "> WO-1001"],
    "shortage_blocked": [
        "items.csv  item,shortage_policy", "           LEG,block", "> WO-1001", "> WO-1101",
    ],
    "lot_expired": ["> PAINT|P-0"],
    "lot_on_hold": ["> BOARD|W-7"],
    "lot_unknown": ["> LEG|L-0"],
    "wrong_component": ["> REEL-9"],
    "serial_unknown": [f"> {EBIKE}21EB-9999"],
    "serial_of_other_order": [
        "work_orders.csv  work_order,item,quantity,status",
        "                 WO-9,EBIKE,1,released",
        f"> {EBIKE}21EB-0001{GS}93WO-9",
    ],
    "serial_in_use": ["> EB-0001", "> M-0001", "> EB-0002", "> M-0001"],
    "component_serial_missing": ["> WO-1107"],
    "not_a_step": ["> %QTY 2.5", "> WO-1001"],
    "no_effect": ["> L:LINE"],
    "not_authorised": ["nobody> WO-1001"],
    "nothing_to_undo": ["> %UNDO"],
    "undo_too_late": ["> WO-1001", "wait 121 s", "> %UNDO"],
    "has_dependents": ["> WO-1001", "> %MOVE STORE", "> CHAIR-4|WO-1001", "> %UNDO"],
    "reason_missing": ["> %SHORT"],
    "operation_order": [
        "routings.csv     item,revision,operation,work_centre,backflush_point",
        "                 CHAIR-4,A,10,WC-PAINT,yes",
        "                 CHAIR-4,A,20,WC-ASSEMBLY,yes",
        "                 CHAIR-4,A,30,WC-PACK,yes",
        "work_orders.csv  work_order,item,quantity,status",
        "                 WO-9,CHAIR-4,5,released",
        "> %OP 20 WO-9",
    ],
    "substitute_not_allowed": ["> %START WO-1002", "> LEG|L-77"],
    "malformed": ["> %QTY 0"],
    "unknown_command": ["> %FLY"],
    "ambiguous": [
        "receipts.csv  reference,item,lot,location,quantity", "              X-1,LEG,SAME,LINE,1",
        "              X-2,FRAME,SAME,LINE,1", "> SAME",
    ],
    "control_chars": ["> WO-\x01001"],
    "gs_suspected": [f"> {CHAIR}10L-121S7"],
    "clock": ["> %HELP", "clock 07:00", "> PAINT|P-1"],
}  # fmt: skip
"""Reason -> what the station of the sample plant is given; the last scan is refused for it."""

NEEDS: Final = {
    "order": ["> CHAIR-4"],
    "lot": ["> LEG"],
    "serial": ["> MOTOR"],
    "component": ["> EB-0001"],
    "quantity": ["> %QTY"],
    "reason": ['policy.over_completion.default = "reason"', "> %QTY 101", "> WO-1001"],
    "approval": ['policy.over_completion.default = "approve"', "> %QTY 101", "> WO-1001"],
    "confirm": ['policy.over_completion.default = "confirm"', "> %QTY 101", "> WO-1001"],
    "confirm_close": ['policy.implausible_close.default = "confirm"', "> WO-1003"],
    "confirm_repeat": ["report.min_cycle_s = 5", "> %START WO-1001", "> CHAIR-4", "> CHAIR-4"],
}
"""Reason -> the same; the last scan asks for it."""

ELSEWHERE: Final = {"forbidden_key", "disk"}
"""No scan alone leads to these: they have a test of their own below."""


def listed(heading: str) -> set[str]:
    """Return the reasons that a table of docs/commands.md lists, without those kept for later."""
    table = COMMANDS.split(heading)[1].split("\n#")[0]
    rows = [row for row in table.splitlines() if "kept for rules that come later" not in row]
    return {reason for row in rows for reason in re.findall(r"`(\w+)`", row.split(" | ")[0])}


@pytest.fixture
def folder() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder


def test_every_listed_reason_has_a_scan_that_gets_it() -> None:
    assert listed("### Reasons of `rejected`") == REJECTED.keys() | ELSEWHERE
    assert listed("### Reasons of `needs`") == NEEDS.keys()


@pytest.mark.parametrize(
    ("outcome", "reason", "lines"),
    [("rejected", *case) for case in REJECTED.items()]
    + [("needs", *case) for case in NEEDS.items()],
)
def test_a_scan_that_is_refused_or_asked_posts_nothing_and_says_why(
    folder: Path, outcome: str, reason: str, lines: list[str]
) -> None:
    """BF-12, BF-13, BF-20: a sentence and a mend, a row in the journal, no exception."""
    settings = [line for line in lines if " = " in line]
    told = [line for line in lines if line not in settings]
    block = "\n".join(["```example", *settings, "plant sample", *told, "```"])
    (example,) = read_page(block).examples
    play = Play(folder, read_page(""))
    last = example.entries.pop()
    for _ in play.go(example):
        pass
    before, opened = play.station.ledger(), len(play.station.exceptions())
    sight = play.do(last)
    assert sight.facts[0].words[:2] == (outcome, reason)
    assert all(sight.texts), "a sentence, and what to do"
    row = play.station.rows("journal")[-1]
    assert (row["status"], row["outcome"], row["reason"]) == ("done", outcome, reason)
    assert len(play.station.exceptions()) == opened
    after = play.station.ledger()
    if outcome == "needs":
        del before["event"], after["event"]  # the log may say what was asked (BF-24)
    assert after == before
    assert play.faults() == []


def test_a_frame_with_a_forbidden_key_is_refused(folder: Path) -> None:
    station = open_station(folder, plant(items="item\nLEG"))
    request = ScanRequest(raw=b"LEG", device="hand", fault="forbidden_key", fault_key="LEFTMETA")
    (scan,) = journal_scans(station.db, [request], received_at=station.now, new_id=lambda: "s")
    outcome = handle_scan(station.db, scan, TEST_RULES)
    assert said(outcome) == ("rejected", "forbidden_key")
    assert station.rows("journal")[-1]["reason"] == "forbidden_key"


def test_a_full_disk_refuses_the_scan_before_anything_is_booked(tmp_path: Path) -> None:
    """BF-13: what could not be journalled is said at once, and nothing of it is kept."""
    booking = Booking(tmp_path / "station.db", TEST_RULES)
    conn = booking.db.conn
    conn.execute(f"PRAGMA max_page_count = {conn.execute('PRAGMA page_count').fetchone()[0]}")
    answers = [booking.book(booking.request_for(b"X" * 4096, device="cli")) for _ in range(20)]
    refused = answers[-1]
    assert said(refused) == ("rejected", "disk")
    assert refused.message.startswith("NOT RECORDED")
    assert refused.hint
    kept = conn.execute("SELECT count(*) FROM scan_journal").fetchone()[0]
    assert kept == sum(each.reason != "disk" for each in answers)
    booking.close()
