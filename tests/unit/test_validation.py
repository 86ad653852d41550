"""The validation report: each doubt is found, told with its mend, and written once a day."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from mes_terminal.settings import read_settings
from mes_terminal.station.reading import Reading
from mes_terminal.station.schedule import RETRY_S, DailyReport, day_due
from mes_terminal.store.whole_file import write_whole
from mes_terminal.usecases import validate_plant
from mes_terminal.usecases.lists import read_list
from mes_terminal.usecases.validate_plant import CHECKS, Finding, report_text
from tests.plants import TEST_RULES, Station, open_station, plant

GOOD = plant(
    items="""
        item,kind,tracking,standard_cost,item_class,shelf_life_days
        CHAIR,manufactured,lot,50,A,
        LEG,purchased,lot,2.5,C,
    """,
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="""
        work_order,item,quantity,status,start_at,due_at
        WO-1,CHAIR,10,released,2026-11-20,2026-12-20
    """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R-1,LEG,L-1,LINE,100,2026-11-01
    """,
    operators="badge,name,role\nOP,Anna,operator",
    reasons="code,kind\n" + "\n".join(f"{kind},{kind}" for kind in validate_plant.REASON_KINDS),
)


SMALL = {"item", "i", "l", "m", "o", "listed", "reason", "kind VIRTUAL TABLE INDEX 1:"}
"""What a plant has, not what it does: items, BOM lines, mounts, people or places, reasons."""
PARTIAL = ("work_order_open", "work_order_waiting", "balance_negative", "load_proposal_open")
"""Indexes of what is open."""


def station_of(folder: Path, **changed: str) -> Station:
    return open_station(folder, GOOD | plant(**changed))


def findings(station: Station, now: str | None = None) -> list[Finding]:
    rows = read_list(station.db, "validation", {}, rules=station.rules, now=now or station.now)
    return cast("list[Finding]", list(rows))


def found(station: Station, now: str | None = None) -> dict[str, list[str | None]]:
    told: dict[str, list[str | None]] = {}
    for each in findings(station, now):
        told.setdefault(each.check, []).append(each.what)
    return told


def test_a_plant_in_order_has_only_what_was_never_counted(tmp_path: Path) -> None:
    assert found(station_of(tmp_path)) == {"item_never_counted": ["LEG"]}


@pytest.mark.parametrize(
    ("check", "what", "changed"),
    [
        ("item_no_cost", "LEG", {"items": GOOD["items.csv"].replace("2.5", "")}),
        ("item_no_class", "LEG", {"items": GOOD["items.csv"].replace("2.5,C", "2.5,")}),
        ("line_no_stock", "WO-1 10",
         {"receipts": "reference,item,lot,location,quantity\nR-1,LEG,L-1,FG,100"}),
        ("lot_expired_at_line", "LEG L-1",
         {"lots": "item,lot,expires_on\nLEG,L-1,2026-11-19"}),
        ("lot_held_at_line", "LEG L-1", {"lots": "item,lot,status\nLEG,L-1,hold"}),
        ("order_bom_ended", "WO-1",
         {"boms": "item,revision,effective_from,effective_to\nCHAIR,A,2026-01-01,2026-11-30"}),
        ("order_overdue", "WO-1",
         {"work_orders": GOOD["work_orders.csv"].replace("2026-12-20", "2026-11-19")}),
        ("order_unmoved", "WO-1",
         {"work_orders": GOOD["work_orders.csv"].replace("2026-11-20", "2026-11-01")}),
        ("mount_never", "LEG",
         {"bom_lines": "item,revision,line,component,quantity,mount\nCHAIR,A,10,LEG,4,required"}),
        ("person_no_pin", "SUP", {"operators": "badge,name,role\nSUP,Sue,supervisor"}),
        ("reason_missing", "scrap",
         {"reasons": GOOD["reasons.csv"].replace("scrap,scrap\n", "")}),
        ("bom_part_unused", "CHAIR B 10",
         {"items": GOOD["items.csv"] + "SCREW,purchased,none,1,C,\n",
          "boms": "item,revision,effective_from,effective_to\nCHAIR,A,,2027-12-31\n"
                  "CHAIR,B,2028-01-01,",
          "bom_lines": GOOD["bom_lines.csv"] + "CHAIR,B,10,SCREW,4\n"}),
        ("substitute_no_stock", "LEG-B",
         {"items": GOOD["items.csv"] + "LEG-B,purchased,lot,1,C,\n",
          "bom_substitutes": "item,revision,line,substitute\nCHAIR,A,10,LEG-B"}),
        ("place_unfit", "stock.output_location", {"locations": "location,kind\nFG,scrap"}),
    ],
)  # fmt: skip
def test_each_doubt_is_found(
    tmp_path: Path, check: str, what: str, changed: dict[str, str]
) -> None:
    told = found(station_of(tmp_path, **changed))
    assert told[check] == [what]
    assert set(told) <= {check, "item_never_counted", "line_no_stock", "bom_part_unused"}


def test_stock_below_zero_an_empty_mount_and_a_lot_without_expiry_are_found(tmp_path: Path) -> None:
    station = station_of(
        tmp_path,
        items=GOOD["items.csv"].replace("2.5,C,", "2.5,C,90") + "PAD,purchased,none,1,C,\n",
        bom_lines=GOOD["bom_lines.csv"] + "CHAIR,A,20,PAD,1\n",
        lots="item,lot,received_at\nLEG,L-1,2026-11-01",
    )
    station.db.conn.execute("UPDATE item SET shortage_policy = 'negative' WHERE item = 'PAD'")
    station.db.conn.execute(
        "UPDATE balance SET may_go_negative = 1 WHERE item_id = (SELECT item_id FROM item "
        "WHERE item = 'PAD')"
    )
    station.db.conn.execute("UPDATE lot SET expires_on = NULL WHERE lot = 'L-1'")
    station.scan("LEG|L-1|40")
    station.scan("%QTY 10")
    station.scan("WO-1")
    station.db.conn.execute("UPDATE balance SET quantity_micro = 0, pickable = 0 WHERE lot = 'L-1'")
    told = found(station)
    assert told["stock_negative"] == ["PAD"]
    assert len(told["mount_empty"]) == 1
    (negative,) = [each for each in findings(station) if each.check == "stock_negative"]
    assert negative.message == "PAD stands at -10, below zero"
    assert (negative.severity, negative.where) == ("stop", "LINE")
    station.db.conn.execute("UPDATE balance SET quantity_micro = 5 WHERE lot = 'L-1'")
    assert found(station)["lot_no_expiry"] == ["LEG L-1"]


def test_more_than_the_bound_is_said_and_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validate_plant, "FOUND_MAX", 3)
    items = GOOD["items.csv"] + "".join(f"P-{n},purchased,none,,C,\n" for n in range(5))
    told = found(station_of(tmp_path, items=items))
    assert told["item_no_cost"] == ["P-0", "P-1", "P-2", None]


def test_every_check_can_be_read_and_is_named_once(tmp_path: Path) -> None:
    station = station_of(tmp_path)
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    severities = [check.severity for check in CHECKS]
    assert severities == sorted(severities, key=("stop", "warn", "info").index)
    assert findings(station)  # each statement was run


def test_no_check_walks_what_history_fills(tmp_path: Path) -> None:
    """Screens 11: items, BOMs and people are walked; never stock, lots or closed orders."""
    station = station_of(tmp_path)
    parameters = dict.fromkeys(
        ("now", "today", "unmoved_before", "supply_location", "output_location", "scrap_location"),
        "",
    )
    for check in CHECKS:
        plan = station.db.conn.execute(
            f"EXPLAIN QUERY PLAN {check.statement}",
            {**parameters, "reason_kinds": "[]", "limit": 1},
        ).fetchall()
        walked = [step for *_, step in plan if step.startswith("SCAN ")]
        for step in walked:
            alias, _, index = step.removeprefix("SCAN ").partition(" USING ")
            assert alias in SMALL or any(name in index for name in PARTIAL), (check.name, step)


def test_the_text_holds_nothing_that_a_terminal_obeys() -> None:
    """Screens 10."""
    hostile = Finding("stop", "order_overdue", "x", None, "order \x1b[31m\u202eWO", "Mend \nit.")
    text = report_text([hostile], rules=TEST_RULES, now="2026-11-20T08:00:00.000000Z")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.splitlines()[1] == "1 stop, 0 warn, 0 info"
    assert text.splitlines()[3].startswith("STOP  order_overdue")


@pytest.mark.parametrize(
    ("now", "day"),
    [("2026-11-20T04:29:59Z", "2026-11-19"), ("2026-11-20T04:30:00Z", "2026-11-20"),
     ("2026-11-20T22:59:00Z", "2026-11-20"), ("2026-11-20T23:10:00Z", "2026-11-20"),
     ("2026-03-29T03:30:00Z", "2026-03-29")],
)  # fmt: skip
def test_the_report_of_a_day_is_due_from_its_local_time_on(now: str, day: str) -> None:
    """05:30 in Berlin is 04:30 UTC in winter, 03:30 in summer (BF-33)."""
    assert day_due(now, "05:30", ZoneInfo("Europe/Berlin")) == day


class Pages:
    """Stands in for the reading thread: a list in pages of two."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.asked = 0

    async def pages(self, rows: Any) -> AsyncIterator[list[bytes]]:
        self.asked += 1
        source: Iterator[bytes] = rows(self.station.db)
        while page := [row for _, row in zip(range(2), source, strict=False)]:
            yield page


def daily(tmp_path: Path, station: Station, **environment: str) -> tuple[DailyReport, Pages]:
    given = {f"MES_TERMINAL_REPORTS__{name.upper()}": value for name, value in environment.items()}
    settings = read_settings(_empty(tmp_path), environment=given)
    pages = Pages(station)
    report = DailyReport(tmp_path / "station.db", settings, station.rules, cast("Any", pages))
    return report, pages


def _empty(folder: Path) -> Path:
    path = folder / "station.toml"
    path.write_text("")
    return path


def tick(report: DailyReport, now: str) -> Path | None:
    return asyncio.run(report.tick(now))


def test_it_is_written_once_a_day_and_made_up_for_after_a_stop(tmp_path: Path) -> None:
    station = station_of(tmp_path)
    report, pages = daily(tmp_path, station, keep="2")
    first = tick(report, "2026-11-20T04:00:00.000000Z")
    assert first == tmp_path / "reports" / "validation-2026-11-19.txt"
    assert tick(report, "2026-11-20T05:00:00.000000Z") is None
    assert pages.asked == 1
    assert tick(report, "2026-11-20T05:30:00.000000Z") is not None
    again, _ = daily(tmp_path, station, keep="2")
    assert tick(again, "2026-11-20T12:00:00.000000Z") is None
    assert tick(again, "2026-11-23T12:00:00.000000Z") is not None
    names = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert names == [
        "validation-2026-11-20.json", "validation-2026-11-20.txt",
        "validation-2026-11-23.json", "validation-2026-11-23.txt",
    ]  # fmt: skip
    rows = json.loads((tmp_path / "reports" / "validation-2026-11-23.json").read_text())
    assert [row["check"] for row in rows] == ["item_never_counted"]


def test_the_core_reads_it_on_its_reading_thread(tmp_path: Path) -> None:
    station_of(tmp_path).db.close()
    settings = read_settings(_empty(tmp_path), environment={})
    reading = Reading(tmp_path / "station.db")
    reading.start()
    try:
        report = DailyReport(tmp_path / "station.db", settings, TEST_RULES, reading)
        path = tick(report, "2026-11-20T12:00:00.000000Z")
    finally:
        reading.stop()
    assert path is not None
    assert "LEG has stock and was never counted" in path.read_text()


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    report, pages = daily(tmp_path, station_of(tmp_path), validation_at="none")
    assert tick(report, "2026-11-20T12:00:00.000000Z") is None
    assert pages.asked == 0


def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file")
    report, pages = daily(tmp_path, station_of(tmp_path), folder=str(tmp_path / "blocked"))
    assert tick(report, "2026-11-20T12:00:00.000000Z") is None
    assert tick(report, "2026-11-20T12:10:00.000000Z") is None
    assert pages.asked == 1
    (tmp_path / "blocked").unlink()
    assert RETRY_S == 3600
    assert tick(report, "2026-11-20T13:00:01.000000Z") is not None


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    with pytest.raises(OSError):
        write_whole(tmp_path / "nowhere" / "report.txt", b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["report.txt"]
