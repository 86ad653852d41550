"""The list commands: one JSON array or one table, errors before any output, doctor's exit code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mes_terminal.cli.main import cli
from mes_terminal.cli.session import Session
from mes_terminal.errors import InputError, NoDatabaseError
from tests.unit.ledger_plant import damage, make_plant

LISTS = ["audit", "exceptions", "journal", "lots", "movements", "orders", "outbox", "stock"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    make_plant(tmp_path).close()
    return tmp_path / "station.db"


def run(database: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--db", str(database), *arguments], obj=Session())


@pytest.mark.parametrize("command", LISTS)
def test_a_list_is_one_json_array(database: Path, command: str) -> None:
    result = run(database, command, "--json")
    assert result.exit_code == 0, result.exception
    rows = json.loads(result.stdout)
    assert isinstance(rows, list)
    assert rows


@pytest.mark.parametrize("command", LISTS)
def test_a_list_is_a_table_for_people(database: Path, command: str) -> None:
    result = run(database, command)
    assert result.exit_code == 0, result.exception
    assert "──" in result.stdout
    assert "\x1b" not in result.stdout


def test_an_empty_list_is_an_empty_array(database: Path) -> None:
    assert run(database, "stock", "--item", "NOTHING", "--json").stdout == "[]\n"


def test_filters_pass_through(database: Path) -> None:
    found = run(database, "movements", "--item", "LEG", "--since", "1", "--limit", "5", "--json")
    assert [row["sequence"] for row in json.loads(found.stdout)] == [3]
    found = run(database, "orders", "--open", "--json")
    assert [row["work_order"] for row in json.loads(found.stdout)] == ["WO-2"]


def test_orders_lines_shows_the_snapshot(database: Path) -> None:
    rows = json.loads(run(database, "orders", "lines", "WO-1", "--json").stdout)
    assert [row["line"] for row in rows] == ["10", "20"]


def test_the_lines_of_an_unknown_order_print_no_half_an_array(database: Path) -> None:
    result = run(database, "orders", "lines", "WO-9", "--json")
    assert isinstance(result.exception, InputError)
    assert result.stdout == ""


def test_a_list_without_a_database_prints_nothing(tmp_path: Path) -> None:
    result = run(tmp_path / "none.db", "stock", "--json")
    assert isinstance(result.exception, NoDatabaseError)
    assert result.stdout == ""
    assert not (tmp_path / "none.db").exists()


def test_doctor_prints_one_object_a_line_and_ends_with_0(database: Path) -> None:
    result = run(database, "doctor", "--json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(check) for check in found] == [["check", "ok", "detail"]] * 10
    wrong = [check for check in found if not check["ok"] and check["check"] != "clock"]
    assert wrong == []


def test_doctor_ends_with_1_when_anything_is_wrong(tmp_path: Path) -> None:
    """BF-36."""
    plant = make_plant(tmp_path)
    damage(plant, "UPDATE balance SET quantity_micro = 1 WHERE lot_id = 5")
    plant.close()
    result = run(tmp_path / "station.db", "doctor")
    assert result.exit_code == 1
    assert "FAIL  balances" in result.stdout


@pytest.mark.parametrize("command", [*LISTS, "doctor"])
def test_the_help_of_each_command_has_an_example(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"], obj=Session())
    assert f"mes-terminal {command}" in result.stdout
