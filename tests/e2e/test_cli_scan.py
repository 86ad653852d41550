"""`mes-terminal scan`: what goes in, what comes out, and with which exit code."""

import json
from pathlib import Path

import pytest

from tests.e2e.station_process import PATIENCE_S, Station


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


@pytest.fixture
def plant(station: Station) -> Station:
    station.load_plant()
    return station


def test_one_scan_closes_an_order(plant: Station) -> None:
    """10 chairs take 40 legs and 10 seats."""
    (outcome,) = plant.scan("WO-1")
    assert outcome["outcome"] == "completed"
    assert outcome["order_status"] == "closed"
    assert {line["item"]: line["quantity"] for line in outcome["consumed"]} == {
        "LEG": "40",
        "SEAT": "10",
    }
    assert outcome["duration_ms"] > 0
    stock = {(row["item"], row["location"]): row["quantity"] for row in plant.rows("stock")}
    assert stock == {("CHAIR", "FG"): "10", ("LEG", "LINE"): "60", ("SEAT", "LINE"): "90"}


def test_the_keys_stand_in_their_order(station: Station) -> None:
    done = station.run("scan", "--json", "%HELP")
    assert list(json.loads(done.stdout)) == [
        "scan_id", "code", "outcome", "reason", "message", "hint", "work_order", "order_status",
        "item", "quantity", "lot", "serial", "report_id", "consumed", "produced", "scrapped",
        "exceptions", "duration_ms",
    ]  # fmt: skip


def test_codes_come_one_a_line_and_empty_lines_are_skipped(station: Station) -> None:
    outcomes = station.scan("-", given=b"%HELP\r\n\n\r\n4711\n%HELP", code=1)
    assert [one["code"] for one in outcomes] == ["%HELP", "4711", "%HELP"]
    assert [row["code"] for row in station.rows("journal")] == ["%HELP", "4711", "%HELP"]


def test_without_arguments_codes_are_read_from_standard_input(station: Station) -> None:
    assert [one["outcome"] for one in station.scan(given=b"%HELP\n")] == ["recorded"]


def test_each_outcome_is_written_before_the_next_code_is_read(station: Station) -> None:
    with station.start("scan", "-", "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(b"%HELP\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["outcome"] == "recorded"
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


def test_case_and_blanks_in_a_code_matter(station: Station) -> None:
    outcomes = station.scan(given=b" wo-1 \n", code=1)
    assert outcomes[0]["code"] == " wo-1 "


@pytest.mark.parametrize(
    "raw",
    [b"\xff\xfe", b"A\x01B", b"[bold]x[/bold]", b"\x1b[31m", bytes(range(1, 10)), b"x" * 4096],
)
def test_hostile_bytes_are_journalled_exactly_and_change_nothing(
    station: Station, raw: bytes
) -> None:
    (outcome,) = station.scan("--hex", raw.hex(), code=1)
    assert outcome["outcome"] in ("rejected", "unknown")
    assert [row["hex"] for row in station.rows("journal")] == [raw.hex()]
    assert station.rows("movements") == []


def test_a_code_over_4096_bytes_is_cut_and_refused(station: Station) -> None:
    """BF-13: the first 4096 bytes are journalled."""
    outcomes = station.scan("-", given=b"A" * 100_000 + b"\n%HELP\n", code=1)
    assert [(one["outcome"], one["reason"]) for one in outcomes] == [
        ("rejected", "malformed"),
        ("recorded", None),
    ]
    first, second = station.rows("journal")
    assert first["hex"] == "41" * 4096
    assert second["code"] == "%HELP"


def test_an_argument_that_is_no_utf_8_is_journalled_raw(station: Station) -> None:
    (outcome,) = station.scan(b"\xe4bc", code=1)
    assert (outcome["reason"], outcome["code"]) == ("malformed", "\ufffdbc")
    assert station.rows("journal")[0]["hex"] == "e46263"


def test_hexadecimal_lines_are_frames_and_nothing_is_stripped(station: Station) -> None:
    station.scan("--hex", "-", given=b"2548454c500d\n\n", code=1)
    assert [row["hex"] for row in station.rows("journal")] == ["2548454c500d"]


def test_wrong_hexadecimal_ends_with_2_and_journals_nothing(station: Station) -> None:
    done = station.run("scan", "--hex", "2548454c50", "xyz", code=2)
    assert b"'xyz' is no hexadecimal text" in done.stderr
    assert b"Traceback" not in done.stderr
    station.run("scan", "%HELP")
    assert len(station.rows("journal")) == 1


def test_a_live_station_takes_a_time_only_from_a_supervisor(plant: Station) -> None:
    """settings.md: `--at` in `live` only with `--as` a supervisor's badge; else nothing is kept."""
    for words in (["--at", "2026-11-20"], ["--at", "2026-11-20", "--as", "OP-1"]):
        assert b"--at" in plant.run("scan", "WO-1", *words, code=2).stderr
    assert plant.rows("journal") == []
    plant.scan("WO-1", "--at", "2026-11-20T12:00", "--as", "SUP-1")
    times = {row["event_time"] for row in plant.rows("movements") if row["kind"] == "issue"}
    assert times == {"2026-11-20T11:00:00.000000Z"}


def test_a_test_station_takes_a_time_from_anyone(tmp_path: Path) -> None:
    station = Station(tmp_path, MES_TERMINAL_STATION__MODE="test")
    station.load_plant()
    station.scan("WO-1", "--at", "2026-11-20T12:00+00:00")
    times = {row["event_time"] for row in station.rows("movements") if row["kind"] == "issue"}
    assert times == {"2026-11-20T12:00:00.000000Z"}
    assert b"is no time" in station.run("scan", "WO-2", "--at", "noon", code=2).stderr


def test_an_unknown_badge_is_refused_on_the_record(plant: Station) -> None:
    (outcome,) = plant.scan("WO-1", "--as", "NOBODY", code=1)
    assert (outcome["outcome"], outcome["reason"]) == ("rejected", "not_authorised")


def test_global_options_stand_before_or_after_the_command(plant: Station) -> None:
    before = plant.run("--json", "stock").stdout
    assert json.loads(before)
    assert plant.run("stock", "--json").stdout == before
    assert plant.run("stock", "--db", str(plant.database), "--json").stdout == before


@pytest.mark.parametrize(
    "words",
    [["stock"], ["--config", "none.toml", "scan", "%HELP"], ["no-such-command"], ["scan", "--no"]],
)
def test_wrong_input_is_one_line_and_2(station: Station, words: list[str]) -> None:
    done = station.run(*words, code=2)
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"mes-terminal: ")
    assert done.stdout == b""


def test_a_wrong_setting_ends_with_2_and_names_it(station: Station) -> None:
    file = station.folder / "station.toml"
    file.write_text("[station]\nidd = 'x'\n")
    done = station.run("--config", str(file), "scan", "%HELP", code=2)
    assert b"station.idd is no setting. Did you mean station.id?" in done.stderr
    assert not station.database.exists()


def test_a_damaged_database_ends_with_3(station: Station) -> None:
    station.run("scan", "%HELP")
    station.database.write_bytes(b"\x00" * 100_000)
    done = station.run("scan", "%HELP", code=3)
    assert b"Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error_to_shout_about(station: Station) -> None:
    with station.start("scan", "-", "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(b"%HELP\n%HELP\n")
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr.read() == b""


def test_people_get_a_line_a_scan_without_control_characters(station: Station) -> None:
    done = station.run("scan", b"\x1b[31mred", code=1)
    assert done.stdout.startswith(b"STOP ")
    assert b"\x1b" not in done.stdout


def test_commands_at_the_same_time_wait_for_each_other(station: Station) -> None:
    """One writer a database: each command is the core for its moment, none is refused."""
    processes = [station.start("scan", "%HELP", "--json") for _ in range(4)]
    for process in processes:
        with process:
            assert process.wait(PATIENCE_S) == 0
    assert [row["status"] for row in station.rows("journal")] == ["done"] * 4
