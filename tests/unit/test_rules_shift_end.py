"""The end of a shift: what is open, the sign-off, which shift it ends (issue 5, part 2; BF-33)."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from mes_terminal.domain.instants import format_instant
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.shift_report import minutes_text
from mes_terminal.domain.shift_to_end import Ending, shift_to_end
from mes_terminal.domain.shifts import Shift
from mes_terminal.errors import InputError
from mes_terminal.settings import Settings
from mes_terminal.store.database import SqliteError
from mes_terminal.usecases.assign_exceptions import assign_exceptions
from mes_terminal.usecases.people import disable_person
from mes_terminal.usecases.shift_end import end_shift
from mes_terminal.usecases.station_view import station_view
from tests.model.shift import whole_ledger
from tests.plants import MORNING, TEST_RULES, Station, empty_database, open_station, plant, said

SHIFTS: Final = "shift,start,end,days\nA,06:00,14:00,\nB,14:00,22:00,\nC,22:00,06:00,"
PLANT: Final = plant(
    items="item,tracking\nCHAIR,lot\nBENCH,lot\nLEG,lot\nSEAT,lot",
    boms="item,revision\nCHAIR,A\nBENCH,A",
    bom_lines="""
        item,revision,line,component,quantity,operation
        CHAIR,A,10,LEG,4,
        CHAIR,A,20,SEAT,1,
        BENCH,A,10,LEG,4,10
        """,
    routings="item,revision,operation,backflush_point\nBENCH,A,10,yes\nBENCH,A,20,yes",
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,5,released
        WO-2,BENCH,9,released
        """,
    locations="location,kind\nSTORE,store\nSCRAP,scrap",
    operators="""
        badge,name,role
        anna,Anna,operator
        ben,Ben,operator
        sue,Sue,supervisor
        tom,Tom,supervisor
        """,
    receipts="reference,item,lot,container,location,quantity\n1,LEG,L-1,BOX-1,LINE,400",
    reasons="code,kind\nJAM,stop\nDENT,scrap",
    shifts=SHIFTS,
)


def line(folder: Path, *, shifts: bool = True) -> Station:
    """A line in three shifts, or in none, on Friday the 20th at 08:00; there are no seats."""
    files = PLANT if shifts else {k: v for k, v in PLANT.items() if k != "shifts.csv"}
    return open_station(folder, files, TEST_RULES, template=empty_database())


def at(station: Station, clock: str) -> None:
    """Set the clock to a time of Friday the 20th, or `21T…` of the day after."""
    day, _, time = clock.rpartition("T")
    hour, minute = time.split(":")
    station.clock = MORNING.replace(day=int(day or 20), hour=int(hour), minute=int(minute))


def sign(station: Station, *, by: str = "sue", to: str | None = None) -> Any:
    """Sign the shift off; badge and PIN are proved before (`usecases.authenticate`)."""
    return end_shift(station.db, by=by, to=to, rules=station.rules, now=station.now)


def now(station: Station) -> dict[str, Any]:
    """Return what a sign-off would end now."""
    (row,) = station.rows("shift_now")
    return row


# %END ---------------------------------------------------------------------------------------------


def test_end_says_zero_open_where_nothing_is(tmp_path: Path) -> None:
    """It is recorded and ends nothing by itself: scanning goes on."""
    station = line(tmp_path)
    ended = station.scan("%END")
    assert said(ended) == ("recorded", None)
    assert ended.message == "End of shift: zero open; 1 posting unsent"
    assert said(station.scan("%QTY 1")) == ("recorded", None)
    assert station.rows("shifts") == []


def test_end_says_everything_that_is_open(tmp_path: Path) -> None:
    """Screens, end of shift: in process, set aside, open, unsent."""
    station = line(tmp_path)
    for code in ("%QTY 2", "WO-1", "%START WO-2", "%QTY 4", "%OP 10 WO-2", "BOX-1", "%ASIDE 300",
                 "BOX-1", "4711", "%COUNT STORE", "%STOP JAM", "%CALL"):  # fmt: skip
        station.scan(code)
    message = station.scan("%END").message
    for part in (
        "3 exceptions open (lot_overdrawn 1, shortage 1, unknown_code 1)",
        "the count of STORE open",
        "1 call for material open",
        "the line stands (JAM)",
        "in process WO-1, WO-2 with 4 pcs",
        "1 set aside",
        "postings unsent",
    ):
        assert part in message, (part, message)
    assert "zero open" not in message
    left = now(station)["open"]
    assert [(each["container"], each["left"]) for each in left["set_aside"]] == [
        ("BOX-1", "376")
    ], "by the books"
    assert left["mounted"] == []


def test_what_is_set_aside_and_mounted_again_is_mounted(tmp_path: Path) -> None:
    """A container is listed once."""
    station = line(tmp_path)
    for code in ("%START WO-1", "BOX-1", "%ASIDE 300", "BOX-1", "BOX-1"):
        station.scan(code)
    left = now(station)["open"]
    assert left["set_aside"] == []
    assert [(each["position"], each["container"]) for each in left["mounted"]] == [("LEG", "BOX-1")]


# The sign-off -------------------------------------------------------------------------------------


def test_only_a_supervisor_signs_a_shift_off(tmp_path: Path) -> None:
    """The use case behind the screen and the command; nothing is written."""
    station = line(tmp_path)
    for badge in ("anna", "nobody"):
        with pytest.raises(InputError, match="Only a supervisor"):
            sign(station, by=badge)
    assert station.rows("shifts") == []


def test_open_exceptions_must_be_somebodys_by_name(tmp_path: Path) -> None:
    """Zero open, or each handed over: a person who is here, and is not disabled."""
    station = line(tmp_path)
    station.scan("4711")
    with pytest.raises(InputError, match="1 of 1 open exceptions belong to nobody by name"):
        sign(station)
    with pytest.raises(InputError, match="'nobody' is not known"):
        sign(station, to="nobody")
    disable_person(station.db, "ben", by="sue", rules=station.rules, now=station.now)
    with pytest.raises(InputError, match="'ben' is not known"):
        sign(station, to="ben")
    assert station.rows("shifts") == []
    handed = sign(station, to="tom").handed_over
    assert (handed.badge, handed.name, handed.count) == ("tom", "Tom", 1)
    assert station.db.conn.execute("SELECT assigned FROM exception").fetchall() == [("tom",)]


def test_what_was_assigned_before_needs_no_hand_over(tmp_path: Path) -> None:
    """Each by name: it is Tom's already."""
    station = line(tmp_path)
    station.scan("4711")
    assign_exceptions(station.db, [1], to="tom", by="sue", rules=station.rules, now=station.now)
    assert sign(station).handed_over is None


def test_what_belongs_to_somebody_who_has_left_is_nobodys(tmp_path: Path) -> None:
    """People are disabled, never deleted; their exceptions need another name."""
    station = line(tmp_path)
    station.scan("4711")
    assign_exceptions(station.db, [1], to="ben", by="sue", rules=station.rules, now=station.now)
    assert now(station)["open"]["exceptions"][0]["unnamed"] == 0
    disable_person(station.db, "ben", by="sue", rules=station.rules, now=station.now)
    assert now(station)["open"]["exceptions"][0]["unnamed"] == 1
    with pytest.raises(InputError, match="belong to nobody by name"):
        sign(station)
    assert sign(station, to="tom").handed_over.count == 1


def test_the_event_says_all_of_it_and_is_signed(tmp_path: Path) -> None:
    """`shift.ended`, then its signature; the anchor is the hash of the log's last entry."""
    station = line(tmp_path)
    for code in ("B:anna", "%QTY 2", "WO-1", "%SCRAP DENT", "%QTY 1", "WO-1", "%STOP JAM"):
        station.scan(code)
    station.scan("CHAIR", after_s=120)
    station.scan("%UNDO")
    report = sign(station, to="tom")
    ended, signature = station.rows("audit")[-2:]
    assert ended["type"] == "io.mes-terminal.shift.ended.v1"
    assert signature["type"] == "io.mes-terminal.signature.given.v1"
    assert signature["event"]["data"]["detail"]["signed_hash"] == ended["hash"]
    assert (report.anchor.sequence, report.anchor.hash) == (
        signature["sequence"],
        signature["hash"],
    )
    told = ended["event"]["data"]["detail"]
    assert told["log_head"]["hash"] == ended["previous_hash"]
    totals = told["totals"]
    assert totals["items"] == [
        {"item": "CHAIR", "uom": "pcs", "good": "2", "scrapped": "1", "reports": 3}
    ]
    assert (totals["reports"], totals["taken_back"], totals["opened"]) == (3, 1, 1)
    assert totals["stops"] == [{"reason": "JAM", "stops": 1, "minutes": "2"}]
    (listed,) = station.rows("shifts")
    assert listed["totals"] == totals
    assert listed["anchor"] == {"sequence": signature["sequence"], "hash": signature["hash"]}
    assert station.faults() == []


def test_what_comes_later_belongs_to_the_next_shift(tmp_path: Path) -> None:
    """Totals begin anew; the shift just signed off ends once."""
    station = line(tmp_path)
    for code in ("%QTY 2", "WO-2"):
        station.scan(code)
    at(station, "13:50")
    assert sign(station).shift == "A"
    station.scan("WO-2")
    at(station, "13:58")
    with pytest.raises(InputError, match=r"Shift A of 20261120 was signed off at .* by Sue"):
        sign(station)
    assert now(station)["blocked"] is not None
    at(station, "21:55")
    second = sign(station, by="tom")
    assert (second.shift, second.totals.items[0].good) == ("B", "7")
    assert [row["shift"] for row in station.rows("shifts")] == ["B", "A"]
    assert station.rows("shifts", after="2", limit="5") == station.rows("shifts")[1:]


def test_a_stop_that_lasts_over_the_sign_off_counts_in_each_shift_for_its_part(
    tmp_path: Path,
) -> None:
    """Half an hour before it, a quarter after it."""
    station = line(tmp_path)
    at(station, "13:30")
    station.scan("%STOP JAM", after_s=0)
    at(station, "14:00")
    first = sign(station)
    station.scan("WO-2", after_s=900)
    at(station, "21:59")
    second = sign(station)
    assert [each.minutes for each in (*first.totals.stops, *second.totals.stops)] == ["30", "15"]


def test_without_shifts_a_sign_off_ends_the_time_since_the_last_one(tmp_path: Path) -> None:
    """And not twice with nothing in between."""
    station = line(tmp_path, shifts=False)
    assert sign(station).shift is None
    with pytest.raises(InputError, match="Nothing was done since the sign-off"):
        sign(station)
    station.scan("4711")
    assert sign(station, to="tom").production_day == "20261120"


def test_a_refused_sign_off_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    """All in one transaction: a hand-over to nobody assigns nothing."""
    station = line(tmp_path)
    station.scan("4711")
    at(station, "13:50")
    sign(station, to="tom")
    station.scan("4712")
    before = station.ledger(), station.db.conn.execute("SELECT * FROM exception").fetchall()
    with pytest.raises(InputError, match="was signed off"):
        sign(station, to="tom")
    after = station.ledger(), station.db.conn.execute("SELECT * FROM exception").fetchall()
    assert after == before


def cut_at(instruction: int) -> Callable[[], bool]:
    """Return what breaks SQLite off at one of its instructions."""
    steps = count(1)
    return lambda: next(steps) == instruction


def test_a_sign_off_that_is_broken_off_is_not_there_at_all(tmp_path: Path) -> None:
    """All or nothing: cut at many of its instructions, then done."""
    station = line(tmp_path)
    for code in ("4711", "%STOP JAM", "CHAIR"):
        station.scan(code)
    conn = station.db.conn
    before = whole_ledger(station)
    cuts = 0
    for instruction in range(100, 20_000, 300):
        conn.set_progress_handler(cut_at(instruction), 1)
        try:
            sign(station, to="tom")
        except SqliteError:
            cuts += 1
        else:
            break
        finally:
            conn.set_progress_handler(None, 0)
        assert whole_ledger(station) == before
    assert cuts > 5
    assert len(station.rows("shifts")) == 1
    assert station.faults() == []


def test_replaying_scans_and_sign_offs_gives_the_same_ledger(tmp_path: Path) -> None:
    """Invariant 5: a sign-off has no chance and no clock in it."""
    ledgers = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        station = line(tmp_path / name)
        for code in ("B:anna", "%START WO-1", "%CALL", "4711", "%STOP JAM", "CHAIR", "%END"):
            station.scan(code)
        at(station, "13:55")
        sign(station, to="tom")
        for code in ("%STOP JAM", "4712", "%CALL"):
            station.scan(code)
        at(station, "22:04")
        sign(station, by="tom", to="ben")
        ledgers.append(whole_ledger(station))
    assert ledgers[0] == ledgers[1]


# Which shift --------------------------------------------------------------------------------------

UTC: Final = ZoneInfo("UTC")
ALL_DAYS: Final = 0b1111111
THREE: Final = [
    Shift("A", 360, 840, ALL_DAYS),
    Shift("B", 840, 1320, ALL_DAYS),
    Shift("C", 1320, 360, ALL_DAYS),
]


@pytest.mark.parametrize(
    ("clock", "last_due", "ends"),
    [
        ("2026-11-20T13:55", None, ("20261120", "A")),
        ("2026-11-20T14:05", None, ("20261120", "A")),  # a little late
        ("2026-11-20T14:05", "2026-11-20T14:00", ("20261120", "B")),
        ("2026-11-20T21:00", None, ("20261120", "B")),  # A was forgotten: its time is in B's
        ("2026-11-21T06:10", "2026-11-20T22:00", ("20261120", "C")),  # of the day it began
        ("2026-11-20T10:00", "2026-11-20T06:00", ("20261120", "A")),
        ("2026-11-20T13:30", "2026-11-20T14:00", None),  # signed off early, and still running
    ],
)
def test_a_sign_off_ends_the_shift_whose_end_is_nearest(
    clock: str, last_due: str | None, ends: tuple[str, str] | None
) -> None:
    """BF-33: of those that have begun and are not signed off."""
    found = shift_to_end(
        f"{clock}:00.000000Z",
        THREE,
        UTC,
        began_at="2026-11-19T00:00:00.000000Z",
        last_due_at=f"{last_due}:00.000000Z" if last_due else None,
    )
    assert (found and (found.production_day, found.shift)) == ends


def test_a_shift_that_was_over_before_the_log_began_is_not_ended() -> None:
    """The station was set up at 08:00; the night shift ended at six."""
    found = shift_to_end(
        "2026-11-20T08:05:00.000000Z",
        THREE,
        UTC,
        began_at="2026-11-20T08:00:00.000000Z",
        last_due_at=None,
    )
    assert found is not None
    assert found.shift == "A"


def test_outside_every_shift_it_is_the_calendar_day() -> None:
    """Work on a Sunday of a plant that has no shifts then."""
    weekdays = [Shift("A", 360, 840, 0b0011111)]
    found = shift_to_end(
        "2026-11-22T10:00:00.000000Z",
        weekdays,
        UTC,
        began_at="2026-11-20T14:00:00.000000Z",
        last_due_at="2026-11-20T14:00:00.000000Z",
    )
    assert found == Ending("20261122", None, None)


def test_the_night_of_a_change_of_clocks_ends_by_the_wall() -> None:
    """BF-33: in Berlin the clocks go back on 25 October 2026; the night shift ends at six there."""
    night = [Shift("C", 1320, 360, ALL_DAYS)]
    found = shift_to_end(
        "2026-10-25T05:05:00.000000Z",
        night,
        ZoneInfo("Europe/Berlin"),
        began_at="2026-10-24T12:00:00.000000Z",
        last_due_at=None,
    )
    assert found == Ending("20261024", "C", "2026-10-25T05:00:00.000000Z")


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(0, "0"), (2, "0"), (3, "0.1"), (90, "1.5"), (-5, "0"), (3600, "60")]
)
def test_minutes_are_told_to_a_tenth(seconds: float, minutes: str) -> None:
    """Exact decimal text, rounded half up."""
    assert minutes_text(seconds) == minutes


# The start of the next ----------------------------------------------------------------------------


def test_the_badge_tells_what_is_handed_over_until_something_is_reported(tmp_path: Path) -> None:
    """Screens, start of shift: number and kinds; the view has them until the first report."""
    station = line(tmp_path)
    station.scan("4711")
    station.scan("4712")
    sign(station, to="anna")
    greeted = station.scan("B:anna")
    assert greeted.message == "Anna signed in. Handed over: unknown_code 2"
    view = station_view(station.db, station.rules, now=station.now)
    assert [(each.kind, each.count) for each in view.handed_over] == [("unknown_code", 2)]
    station.scan("CHAIR")
    station.scan("WO-2")
    assert station_view(station.db, station.rules, now=station.now).handed_over == []
    assert station.scan("B:anna").message == "Anna signed out"
    assert station.scan("B:ben").message == "Ben signed in"


def test_instants_of_a_report_are_utc(tmp_path: Path) -> None:
    """It began with the sign-off before, and ends with its own."""
    station = line(tmp_path)
    at(station, "13:55")
    first = sign(station)
    at(station, "21:55")
    second = sign(station)
    assert second.began_at == first.ended_at
    assert second.ended_at == format_instant(station.clock)


def test_rules_of_a_station_have_the_default_of_the_settings() -> None:
    """`people.idle_logoff_s` is 900 in both."""
    assert StationRules().idle_logoff_s == Settings().rules().idle_logoff_s == 900
