"""Exit codes of a database that cannot be used: 2 is the wrong file, 3 a damaged or newer one."""

import sqlite3
from pathlib import Path

import pytest

from tests.e2e.station_process import Station

COMMANDS = (("stock", "--json"), ("doctor", "--json"), ("scan", "--json", "WO-1"))


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


def refused(station: Station, code: int) -> None:
    """Check that every kind of command refuses with one line on standard error."""
    for words in COMMANDS:
        done = station.run(*words, code=code)
        assert not done.stdout
        assert done.stderr.count(b"\n") == 1


def test_the_database_of_another_program_is_wrong_input(station: Station) -> None:
    """Neither damaged nor newer: exit 2."""
    with sqlite3.connect(station.database) as connection:
        connection.execute("CREATE TABLE somebody_elses (a)")
    connection.close()
    before = station.database.read_bytes()
    refused(station, 2)
    assert station.database.read_bytes() == before


def test_a_file_that_is_no_database_is_damaged(station: Station) -> None:
    """Exit 3."""
    station.database.write_bytes(b"this is no database\n" * 500)
    refused(station, 3)


def test_a_newer_database_is_left_alone(station: Station) -> None:
    """Exit 3."""
    station.load_plant()
    with sqlite3.connect(station.database) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('mes_terminal', '9999_from_the_future', '2030-01-01')"
        )
    connection.close()
    refused(station, 3)


def test_an_empty_file_is_no_database_yet(station: Station) -> None:
    """Exit 2 for a command that only reads; `load` makes the database of it."""
    station.database.touch()
    station.run("stock", code=2)
    station.load_plant()
    assert station.rows("stock")
