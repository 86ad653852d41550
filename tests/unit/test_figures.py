"""Key figures of a real station: what is read, what counts as an error, and what is not read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.instants import format_instant
from mes_terminal.errors import InputError
from mes_terminal.store import figures as store
from mes_terminal.usecases.resolve_exceptions import resolve_exception
from tests.plants import TEST_RULES, Row, Station, open_station, plant

DAY = "2026-11-20"
PLANT = plant(
    items="""
        item,tracking,standard_cost
        CHAIR,none,
        LEG,none,2.5
        """,
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    receipts="reference,item,location,quantity,effective_at\nR1,LEG,LINE,400,2026-11-01",
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,50,released
        WO-2,CHAIR,60,released
        WO-3,CHAIR,70,released
        """,
    shifts="""
        shift,start,end,days
        EARLY,06:00,14:00,Mon-Sun
        NIGHT,22:00,06:00,Mon-Sun
        """,
    operators="badge,name,role\nSU,Sue,supervisor",
    locations="location,kind\nREWORK,rework",
    reasons="code,kind\nLOST,write_off\nCRACK,scrap\nSCRATCH,rework",
)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = open_station(tmp_path, PLANT)
    yield made
    made.db.close()


def told(station: Station, day: str = DAY, **filters: str) -> Row:
    return station.rows("figures", day=day, **filters)[-1]


def at(station: Station, text: str) -> None:
    """Set the clock so that the next scan is at this time."""
    station.clock = datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(seconds=1)


def test_a_day_is_told_by_hour_order_and_shift(station: Station) -> None:
    """Throughput by hour; BF-33: the shift of each."""
    at(station, "2026-11-20T09:10:00")
    station.scan("%QTY 20")
    station.scan("WO-1")
    station.scan("%QTY 2")
    station.scan("%SCRAP CRACK")
    station.scan("WO-1")
    at(station, "2026-11-20T15:00:00")
    station.scan("%QTY 5")
    station.scan("WO-2")
    found = told(station)
    assert [(row["start_at"][11:13], row["shift"], row["work_order"], row["good"], row["scrapped"])
            for row in found["hours"]] == [
        ("09", "EARLY", "WO-1", "20", "2"), ("15", None, "WO-2", "5", "0"),
    ]  # fmt: skip
    assert found["total"]["made"] == [{"uom": "pcs", "good": "25", "scrapped": "2"}]
    assert [(row["shift"], row["made"][0]["good"]) for row in found["shifts"]] == [("EARLY", "20")]
    assert found["total"]["first_pass_pct"] == "92.59"


def test_a_night_shift_belongs_to_the_day_it_began(station: Station) -> None:
    """BF-33: what is made at 02:00 is of the day before."""
    at(station, "2026-11-21T02:00:00")
    station.scan("WO-1")
    assert told(station)["shifts"][0]["shift"] == "NIGHT"
    assert told(station)["total"]["reports"] == 1
    assert told(station, "2026-11-21")["total"]["reports"] == 0


def test_what_is_taken_back_stands_no_more_in_its_own_hour(station: Station) -> None:
    """BF-31: the figures say what stands; the report was in error, whenever it was taken back."""
    station.scan("%QTY 20")
    station.scan("WO-1")
    at(station, "2026-11-21T09:00:00")
    station.scan("%UNDO WO-1 5", badge="SU")
    found = told(station)
    assert found["hours"][0]["good"] == "15"
    assert (found["total"]["wrong"], found["total"]["error_pct"]) == (1, "100")
    assert found["total"]["wrong_by"] == [{"by": "reversal", "reports": 1}]
    assert told(station, "2026-11-21")["total"]["reports"] == 0


def test_a_report_that_owes_is_in_error_and_its_write_off_too(station: Station) -> None:
    """BF-20, BF-23: one report with two signs is one report in error."""
    station.scan("WO-1")
    station.scan("WO-2")
    resolve_exception(
        station.db, 1, Decision(how="write_off", reason="LOST"), by="SU", rules=TEST_RULES,
        now=station.now,
    )  # fmt: skip
    total = told(station)["total"]
    assert (total["reports"], total["wrong"], total["error_pct"]) == (2, 1, "50")
    assert [row["by"] for row in total["wrong_by"]] == ["exception", "write_off"]
    assert (total["opened"], total["ended"]) == (1, 1)
    assert told(station)["causes"] == [
        {"cause_code": "shortage:no_stock", "count": 1, "value": "100.00", "cumulative_pct": "100"}
    ]


def test_a_count_speaks_against_the_last_report_that_drew_there(station: Station) -> None:
    """BF-32: which of the reports since the last count was wrong nobody knows, so one is."""
    station.scan("%QTY 10")
    station.scan("WO-1")
    station.scan("%QTY 10")
    station.scan("WO-1")
    at(station, "2026-11-21T09:00:00")
    station.scan("%COUNT LINE")
    station.scan("%QTY 319")
    station.scan("LEG")
    station.scan("%COUNT")
    station.scan("%COUNT 0")
    counted = station.rows("counts")
    assert [row["status"] for row in counted] == ["corrected"], counted
    total = told(station)["total"]
    assert (total["reports"], total["wrong"]) == (2, 1)
    assert total["wrong_by"] == [{"by": "count", "reports": 1}]


def test_the_time_to_resolve_is_that_of_what_ended(station: Station) -> None:
    """From opening to end, on the day of the end."""
    station.scan("WO-1")
    station.scan("WO-2")
    later = format_instant(station.clock + timedelta(minutes=45))
    resolve_exception(
        station.db, 1, Decision(how="write_off", reason="LOST"), by="SU", rules=TEST_RULES,
        now=later,
    )  # fmt: skip
    total = told(station)["total"]
    assert (total["resolve_median_s"], total["resolve_longest_s"]) == (2700, 2700)


def test_what_opens_again_has_not_ended(station: Station) -> None:
    """The end of an exception is forgotten when it is open again."""
    conn = station.db.conn
    station.scan("WO-1")
    station.scan("WO-2")
    conn.execute("UPDATE exception SET status = 'resolved'")
    assert told(station)["total"]["ended"] == 1
    conn.execute("UPDATE exception SET status = 'open'")
    assert told(station)["total"]["ended"] == 0


def test_days_that_are_none_are_refused(station: Station) -> None:
    for filters in ({"day": "yesterday"}, {"days": "0"}, {"days": "93"}, {"week": "1"}):
        with pytest.raises(InputError):
            station.rows("figures", **filters)


def test_the_ages_of_what_is_open_are_counted(station: Station) -> None:
    station.scan("WO-1")
    station.scan("WO-2")
    station.clock += timedelta(hours=3)
    rows = station.rows("open_ages")
    assert [row["count"] for row in rows] == [0, 1, 0, 0, 0, 0, 0]


def test_reports_are_found_whatever_the_clock_did(station: Station) -> None:
    """BF-33: late entries, steps back with and without a confirmation: as if all were looked at."""
    start = datetime(2026, 11, 20, 8, tzinfo=UTC)
    reading = start
    steps = {12: -7200, 20: 86_400, 26: -90_000, 27: -100, 34: 4000}
    for number in range(45):
        reading += timedelta(seconds=steps.get(number, 700))
        station.read_clock(reading)
        station.scan("%QTY 1")
        if number % 9 == 5:
            station.scan("WO-3", badge="SU", at=format_instant(start))
        else:
            station.scan("WO-3")
        if number == 30:
            station.scan("SU")
            station.scan("SU")
    everything = station.db.conn.execute(
        "SELECT report_seq, event_time FROM report WHERE kind <> 'reversal' ORDER BY report_seq"
    ).fetchall()
    assert len(everything) == 45
    moments = sorted({at for _, at in everything})
    for place in range(0, len(moments), 3):
        for length in (1, 5, len(moments)):
            begin, end = moments[place], moments[min(place + length, len(moments) - 1)]
            found = store.read_reports(station.db.conn, begin, end)
            assert [each.report_seq for each in found] == [
                seq for seq, at in everything if begin <= at < end
            ]


def test_a_scan_of_its_own_time_pays_for_no_index_of_time(station: Station) -> None:
    """The close must not pay for the figures: only late entries stand in the index of late ones."""
    late = (
        "SELECT count(*) FROM event INDEXED BY event_late "
        "WHERE scan_seq IS NOT NULL AND event_time <> recorded_at"
    )
    station.scan("%QTY 1")
    station.scan("WO-3")
    assert station.db.conn.execute(late).fetchone() == (0,)
    station.scan("%QTY 1")
    station.scan("WO-3", badge="SU", at="2026-11-19T10:00:00.000000Z")
    assert station.db.conn.execute(late).fetchone() == (1,)
    assert told(station, "2026-11-19")["total"]["reports"] == 1


def plans(station: Station, statement: str, asked: dict[str, Any]) -> list[str]:
    rows = station.db.conn.execute(f"EXPLAIN QUERY PLAN {statement}", asked).fetchall()
    return [row[3] for row in rows]


@pytest.mark.parametrize(
    "statement",
    [store.REPORTS_IN_ORDER, store.REPORTS_LATE, store.OPENED, store.ENDED, store.COUNTED,
     store.CHARGED],
)  # fmt: skip
def test_a_day_is_read_by_index(station: Station, statement: str) -> None:
    """A day's figures do not read all history: no table that grows is walked."""
    asked = {"start": DAY, "end": DAY, "first": 1, "last": 1, "before": 1, "back": 1,
             "item_id": 1, "location_id": 1}  # fmt: skip
    assert [each for each in plans(station, statement, asked) if each.startswith("SCAN")] == []


def test_a_day_costs_the_same_however_long_the_history(station: Station) -> None:
    """Counted in steps of SQLite: a day behind 30 others costs what a day behind 3 does."""

    def steps_of(day: str) -> int:
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        station.db.conn.set_progress_handler(step, 10)
        told(station, day)
        station.db.conn.set_progress_handler(None, 0)
        return count

    costs = []
    for number in range(30):
        at(station, f"2026-11-{number + 1:02d}T09:00:00")
        station.scan("%QTY 1")
        station.scan("WO-3")
        if number in (3, 29):
            costs.append(steps_of(f"2026-11-{number + 1:02d}"))
    assert costs[1] <= costs[0] * 2
