"""A scan that failed is handled again because a supervisor says so (BF-23)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.resolving import Resolved
from mes_terminal.domain.scan import Scan
from mes_terminal.usecases.fail_scan import conclude_failed
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.resolve_exceptions import rehearse_resolutions
from mes_terminal.usecases.retry_scan import begin_retry, end_retry
from tests.plants import Station, open_station, plant

PLANT = plant(
    items="item,tracking\nCHAIR,lot\nLEG,lot",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released\nWO-2,CHAIR,5,planned",
    lots="item,lot,expires_on\nLEG,L-1,2026-11-20",
    receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-1,LINE,90,2026-11-01",
    operators="badge,name,role\nAK,Anna,operator\nSUP,Sue,supervisor\nQA,Kim,quality",
    reasons="code,kind\nGONE,write_off",
)
POST = Decision(how="post")


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, PLANT)


def fail(station: Station, code: str, *, badge: str | None = "AK") -> Scan:
    """Let the handling of a scan fail, as a fault of the program does."""
    scan = station.journal(code, badge=badge)
    conclude_failed(station.db, scan, station.rules, "KeyError: 'x'")
    return scan


def handled(station: Station, scan: Scan) -> Outcome:
    return handle_scan(station.db, scan, station.rules)


def failing(station: Station, scan: Scan) -> Outcome:
    return conclude_failed(station.db, scan, station.rules, "KeyError: 'y'")


def post(
    station: Station,
    exception_id: int = 1,
    *,
    by: str = "SUP",
    handle: Callable[[Station, Scan], Outcome] = handled,
) -> Resolved:
    """Decide as the station does."""
    station.clock = station.clock.replace(day=22)
    begun = begin_retry(
        station.db, exception_id, POST, by=by, rules=station.rules, now=station.now,
        new_id=station._new_id,
    )  # fmt: skip
    if isinstance(begun, Resolved):
        return begun
    ended = end_retry(
        station.db, exception_id, handle(station, begun), POST, by=by, rules=station.rules,
        now=station.now,
    )  # fmt: skip
    assert station.faults() == []
    return ended


def test_it_is_booked_at_its_own_time_by_who_decides(station: Station) -> None:
    """The lot had expired when it was decided, not when it was scanned."""
    failed = fail(station, "WO-1")
    ended = post(station)
    assert (ended.outcome, ended.open) == ("posted", None)
    assert [(each.item, each.quantity) for each in ended.posted] == [("LEG", "40")]
    (row,) = station.rows("exceptions")
    made = station.rows("journal")[-1]
    assert (made["code"], made["outcome"]) == ("WO-1", "completed")
    assert row["status"] == "resolved"
    assert row["resolution"].startswith(f"handled as scan {made['scan_id']}: WO-1 closed")
    assert row["resolution"].endswith(", by SUP")
    (completed,) = station.rows("audit", type="production.completed")
    assert (completed["event_time"], completed["person"]) == (failed.event_time, "SUP")
    (resolved,) = station.rows("audit", type="exception.resolved")
    assert resolved["event"]["data"]["scan_id"] == made["scan_id"]
    (signed,) = station.rows("audit", type="signature.given")
    assert signed["event"]["data"]["detail"]["signed_hash"] == resolved["hash"]


def test_what_books_nothing_leaves_it_open_and_says_why(station: Station) -> None:
    fail(station, "WO-2")
    ended = post(station)
    assert (ended.outcome, ended.open) == ("refused", "1")
    assert ended.message.startswith("The scan was handled again and booked nothing: ")
    assert station.exceptions() == [("failed_scan", "open", None, None, "1")]
    assert station.rows("exception_stories", ids="1")[0]["tries"] == 2
    assert post(station).outcome == "refused", "it may be tried as often as one likes"
    assert len(station.rows("journal")) == 3


def test_one_that_fails_again_stays_the_one_exception(station: Station) -> None:
    fail(station, "WO-1")
    ended = post(station, handle=failing)
    assert ended.outcome == "refused"
    (row,) = station.rows("exceptions")
    assert (row["status"], row["cause"]) == ("open", "KeyError: 'y'")
    assert station.rows("journal")[-1]["status"] == "failed"
    assert post(station).outcome == "posted"


def test_a_stop_after_the_booking_neither_books_twice_nor_loses_it(station: Station) -> None:
    """BF-12, BF-13: the scan is booked; who decides again is told by which scan it was."""
    fail(station, "WO-1")
    begun = begin_retry(
        station.db, 1, POST, by="SUP", rules=station.rules, now=station.now, new_id=station._new_id
    )
    assert isinstance(begun, Scan)
    handle_scan(station.db, begun, station.rules)  # and then the power goes
    before = len(station.rows("journal"))
    ended = post(station)
    assert ended.outcome == "posted"
    assert f"handled as scan {begun.scan_id}" in ended.message
    assert len(station.rows("journal")) == before
    assert station.order("WO-1")["completed"] == "10"


def test_a_stop_after_the_journalling_is_handled_like_any_scan(station: Station) -> None:
    """BF-13."""
    fail(station, "WO-1")
    begin_retry(
        station.db, 1, POST, by="SUP", rules=station.rules, now=station.now, new_id=station._new_id
    )
    (recovered,) = station.recover()
    assert recovered.outcome == "completed"
    assert post(station).outcome == "posted"
    assert station.order("WO-1")["completed"] == "10"


@pytest.mark.parametrize("by", ["QA", "AK"])
def test_only_a_supervisor_may(station: Station, by: str) -> None:
    fail(station, "WO-1")
    before = station.ledger()
    assert post(station, by=by).outcome == "refused"
    assert station.ledger() == before
    assert len(station.rows("journal")) == 1


def test_what_has_ended_is_told(station: Station) -> None:
    fail(station, "WO-1")
    post(station)
    assert post(station).outcome == "already_done"


@pytest.mark.parametrize("by", [None, "SUP"])
def test_a_preview_says_what_it_would_book_and_leaves_nothing(
    station: Station, by: str | None
) -> None:
    """BF-23: the real handling, taken back."""
    for code in ("WO-1", "WO-2"):
        fail(station, code)
    tables = ("scan_journal", "scan_outcome", "exception")
    before = station.ledger() | _rows(station, tables)
    seen = rehearse_resolutions(
        station.db, [1, 2], POST, by=by, rules=station.rules, now=station.now
    )
    assert [each.outcome for each in seen] == ["posted", "refused"]
    assert seen[0].message.startswith("WO-1 closed")
    assert [each.open for each in seen] == [None, "1"]
    assert station.ledger() | _rows(station, tables) == before


def _rows(station: Station, tables: tuple[str, ...]) -> dict[str, list[object]]:
    return {name: station.db.conn.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def test_the_log_and_the_other_inputs_replay_it(station: Station, tmp_path: Path) -> None:
    """Invariant 5: the scan that a decision made is no input of its own; the decision is."""
    fail(station, "WO-1")
    post(station)
    (tmp_path / "again").mkdir()
    again = open_station(tmp_path / "again", PLANT)
    (resolved,) = station.rows("audit", type="exception.resolved")
    made = resolved["event"]["data"]["scan_id"]
    for row in station.rows("journal"):
        if row["scan_id"] != made:
            fail(again, row["code"])
    post(again, by=resolved["person"])
    for name in ("movement", "edge", "exception", "scan_journal", "scan_outcome"):
        assert _rows(again, (name,)) == _rows(station, (name,))
