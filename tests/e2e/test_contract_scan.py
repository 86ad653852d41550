"""What the command line page promises about scans, found by reading it sentence by sentence."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.station_process import PATIENCE_S, PLANT, Station

TEST_MODE = {"MES_TERMINAL_STATION__MODE": "test"}


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path, **TEST_MODE)
    yield station
    station.close()


def load(station: Station, **tables: str) -> Station:
    """Load the small plant with some of its files replaced or added."""
    folder = station.folder / "plant"
    folder.mkdir()
    for name, text in (PLANT | tables).items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    return station


def configured(station: Station, text: str) -> tuple[str, str]:
    """Write a configuration and return the option that names it."""
    path = station.folder / "station.toml"
    path.write_text(text)
    return "--config", str(path)


SERIALS = {
    "items": PLANT["items"] + "BIKE,serial,manufactured\n",
    "boms": PLANT["boms"] + "BIKE,A\n",
    "bom_lines": PLANT["bom_lines"] + "BIKE,A,10,LEG,2\n",
    "work_orders": PLANT["work_orders"] + "WO-S,BIKE,3,released\n",
    "work_order_serials": "work_order,serial\nWO-S,B-1\nWO-S,B-2\nWO-S,B-3\n",
}


def test_a_unit_serial_reports_its_unit_and_the_order_the_rest(station: Station) -> None:
    """BF-34, BF-39: a unit, the same again, then the planned serials that remain."""
    load(station, **SERIALS)
    (first,) = station.scan("B-2")
    assert (first["outcome"], first["serial"], first["order_status"]) == (
        "completed",
        "B-2",
        "started",
    )
    (again,) = station.scan("B-2")
    assert again["outcome"] == "already_done"
    (rest,) = station.scan("WO-S")
    assert [made["serial"] for made in rest["produced"]] == ["B-1", "B-3"]
    assert rest["order_status"] == "closed"


def test_serials_leave_the_pending_quantity(station: Station) -> None:
    """%QTY: a row of the station; serials ignore it, the next order takes it."""
    load(station, **SERIALS)
    station.scan("%QTY 2")
    assert station.scan("B-2")[0]["quantity"] == "1"
    assert station.scan("WO-1")[0]["quantity"] == "2"


def test_exceptions_stand_by_line_whatever_their_kind(station: Station) -> None:
    """`exceptions` by `line`: a line not issued by hand before a short one that follows it."""
    load(
        station,
        bom_lines="item,revision,line,component,quantity,issue_method\n"
        "CHAIR,A,9,SEAT,1,manual\nCHAIR,A,10,LEG,40,\n",
    )
    (closed,) = station.scan("WO-1")
    assert [(each["line"], each["kind"]) for each in closed["exceptions"]] == [
        ("9", "consumption"),
        ("10", "shortage"),
    ]
    station.scan("%UNDO")
    reversal = station.rows("outbox")[-1]["event"]["data"]
    assert [each["line"] for each in reversal["exceptions"]] == ["9", "10"]


def test_an_item_that_nobody_makes_or_takes_has_no_effect(station: Station) -> None:
    """An item nobody makes here: `rejected`/`no_effect`, tracked or not; a component needs its
    lot."""
    load(station, items=PLANT["items"] + "SOFA,lot,manufactured\nSPARE,lot,purchased\n")
    for code in ("SOFA", "SPARE", "SEAT"):
        assert station.scan(code, code=1)[0]["reason"] == "no_effect"
    assert station.scan("LEG", code=1)[0]["reason"] == "lot"


def test_without_a_badge_no_code_has_an_effect_where_signing_in_is_required(
    station: Station,
) -> None:
    """`report.require_sign_in`: `not_authorised`, whatever the code would have been refused for."""
    load(station)
    config = configured(station, "[report]\nrequire_sign_in = true\n")
    for code in ("WO-1", "L:LINE", "%QTY nonsense", "%END"):
        (outcome,) = station.scan(*config, code, code=1)
        assert (outcome["outcome"], outcome["reason"]) == ("rejected", "not_authorised"), code


def test_the_audit_names_who_signed_in(station: Station) -> None:
    """An entry says who."""
    load(station)
    station.scan("B:OP-1")
    assert [station.rows("audit")[-1][key] for key in ("type", "person")] == [
        "io.mes-terminal.signed_in.v1",
        "OP-1",
    ]


def test_a_time_no_day_can_be_reckoned_from_is_refused(station: Station) -> None:
    """`--at` at the end of the calendar: exit 2, and nothing is journalled."""
    load(station)
    for at in ("9999-12-31T23:59:59Z", "0001-01-01", "nonsense"):
        done = station.run("scan", "--at", at, "WO-1", code=2)
        assert not done.stdout
    assert station.rows("journal") == []


def test_an_option_that_is_no_text_is_wrong_input(station: Station) -> None:
    """A code may be any bytes; a badge, an item or an order may not: exit 2, nothing journalled."""
    load(station)
    for words in (("scan", "--as", b"\xff", "WO-1"), ("stock", "--item", b"\xff")):
        assert station.run(*words, code=2).stderr.count(b"\n") == 1
    assert station.rows("journal") == []


def test_a_database_has_one_core_however_it_is_named(station: Station) -> None:
    """One lock and one socket a file: a link leads to the core that runs."""
    load(station)
    core = station.start_core()
    real = station.database
    station.database = station.folder / "link.db"
    station.database.symlink_to(real)
    station.run("core", code=2)
    assert station.scan("WO-1")[0]["outcome"] == "completed"
    station.run("core", "--stop")
    assert core.wait(PATIENCE_S) == 0


def test_the_source_of_an_event_is_a_uri_whatever_the_station_is_called(station: Station) -> None:
    """CloudEvents: `source` is a URI reference."""
    load(station)
    config = configured(station, '[station]\nsite = "Werk Süd"\nid = "a/b 1"\n')
    station.scan(*config, "WO-1")
    event = station.rows("outbox")[-1]["event"]
    assert event["source"] == "urn:mes-terminal:Werk%20S%C3%BCd:a%2Fb%201"
    assert event["data"]["station"] == "a/b 1"


def test_decode_asks_the_database_for_what_a_site_pattern_found(station: Station) -> None:
    """A named pattern takes the code apart; `scan` and `decode` read the same."""
    load(station)
    config = configured(station, "[codes.patterns]\ntraveller = 'T:(?P<order>.+)'\n")
    meant = json.loads(station.run(*config, "decode", "T:WO-1", "--json").stdout)
    assert meant["rule"] == "pattern:traveller"
    assert meant["meanings"] == [{"kind": "order", "key": "WO-1"}]
    assert station.scan(*config, "T:WO-1")[0]["work_order"] == "WO-1"


def test_order_lines_stand_by_line_after_the_order_was_changed(station: Station) -> None:
    """`orders lines` (by line), BF-7: a line that fell away keeps its place."""
    load(station)
    station.scan("%QTY 2", "WO-1")
    (station.folder / "plant" / "work_order_lines.csv").write_text(
        "work_order,line,component,quantity\nWO-1,10,LEG,60\nWO-1,100,SEAT,10\n"
    )
    station.run("load", str(station.folder / "plant"))
    rows = station.rows("orders", "lines", "WO-1")
    assert [row["line"] for row in rows] == ["10", "20", "100"]


def test_a_box_label_reports_its_quantity_once(station: Station) -> None:
    """BF-34: a unique code with a quantity; taken back it may be reported again."""
    load(station)
    config = configured(
        station,
        "[codes.patterns]\nbox = 'BX(?P<box>[0-9]+):(?P<order>[^:]+):(?P<quantity>[0-9.]+)'\n"
        "card = 'C:(?P<item>[^:]+):(?P<quantity>[0-9.]+)'\n",
    )
    first, again, other = station.scan(*config, "BX1:WO-1:3", "BX1:WO-1:3", "BX2:WO-1:3")
    assert (first["outcome"], first["quantity"], first["order_status"]) == (
        "completed",
        "3",
        "started",
    )
    assert (again["outcome"], again["reason"], again["report_id"]) == ("already_done", None, None)
    assert other["quantity"] == "3"
    card = station.scan(*config, "%UNDO", "BX2:WO-1:3", "C:CHAIR:2", "C:CHAIR:2")
    assert [each["quantity"] for each in card] == ["-3", "3", "2", "2"]
    assert station.scan(*config, "BX3:WO-2:0", code=1)[0]["reason"] == "malformed"
