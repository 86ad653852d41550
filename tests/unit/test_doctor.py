"""Doctor proves the whole database, and one wrong value anywhere is found and named (BF-36)."""

from pathlib import Path

import pytest

from mes_terminal.store.database import WRITER_PRAGMAS, Database, open_reader, pragmas_in_force
from mes_terminal.usecases.doctor import Check, examine
from tests.unit.ledger_plant import NOW, RULES, damage, make_plant

NAMES = [
    "conservation", "balances", "log_chain", "outbox", "journal", "schema", "pragmas", "sqlite",
    "disk", "clock",
]  # fmt: skip


@pytest.fixture
def plant(tmp_path: Path) -> Database:
    return make_plant(tmp_path)


def checked(plant: Database, *, now: str = NOW) -> list[Check]:
    return examine(plant, RULES, now=now, pragmas=pragmas_in_force(plant), disk_free_bytes=10**12)


def faults(plant: Database, *, now: str = NOW) -> dict[str, str]:
    return {check.check: check.detail for check in checked(plant, now=now) if not check.ok}


def test_a_sound_station_passes_every_check_in_the_stated_order(plant: Database) -> None:
    found = checked(plant)
    assert [check.check for check in found] == NAMES
    assert [check for check in found if not check.ok] == []


def test_an_empty_database_is_sound(tmp_path: Path) -> None:
    from mes_terminal.store.database import open_database

    assert faults(open_database(tmp_path / "new.db")) == {}


def test_a_reading_connection_finds_the_same(plant: Database) -> None:
    reader = open_reader(plant.path)
    found = examine(reader, RULES, now=NOW, disk_free_bytes=10**12)
    assert [check.ok for check in found] == [True] * len(NAMES)


@pytest.mark.parametrize(
    ("statement", "fails", "words"),
    [
        ("UPDATE balance SET quantity_micro = 1 WHERE lot_id = 5",
         {"balances", "conservation"}, "movements sum to 360"),
        ("DELETE FROM balance WHERE lot_id = 6", {"balances", "conservation"}, "CHAIR WO-1 at FG"),
        ("UPDATE balance SET expires_on = '2030-01-01' WHERE lot_id = 5", {"balances"}, "L-77"),
        ("INSERT INTO balance VALUES (9, 5, 1, 0, 0, '', 1, 'L-77', '2027-01-31', '', 0, 0)",
         {"balances"}, "not a real one"),
        ("UPDATE movement SET to_location_id = from_location_id WHERE movement_seq = 1",
         {"conservation", "balances", "log_chain"}, "ends where it began"),
        ("UPDATE movement SET quantity_micro = quantity_micro + 1 WHERE movement_seq = 2",
         {"conservation", "balances", "log_chain"}, "BOLT"),
        ("DELETE FROM movement WHERE movement_seq = 5",
         {"conservation", "balances", "log_chain"}, "3 movements"),
        ("UPDATE movement SET source_rule = 'line' WHERE movement_seq = 3", {"log_chain"},
         "entry 2 does not match its movements"),
        ("UPDATE edge SET quantity_micro = 39000000", {"conservation", "log_chain"}, "LEG L-77"),
        ("UPDATE edge SET certainty = 'exact'", {"log_chain"}, "entry 2 does not match"),
        ("INSERT INTO edge VALUES (6, 1, 9, 1, 1, 'unknown')", {"log_chain"}, "entry 9"),
        ("INSERT INTO taken_back VALUES (1, 2, 9000000000, 0)", {"conservation"},
         "movement 1 gave back more than it moved"),
        ("UPDATE event SET body = replace(body, '400', '401') WHERE event_seq = 1", {"log_chain"},
         "entry 1 has a hash"),
        ("UPDATE event SET hash = hex(zeroblob(32)) WHERE event_seq = 2", {"log_chain"},
         "entry 2 has a hash"),
        ("UPDATE event SET event_time = '2026-11-20T13:05:12.100001Z' WHERE event_seq = 2",
         {"log_chain"}, "columns"),
        ("UPDATE event SET person = 'OP-2' WHERE event_seq = 2", {"log_chain"}, "columns"),
        ("UPDATE event SET recorded_at = '2026-11-20T13:05:14Z' WHERE event_seq = 2",
         {"log_chain"}, "columns"),
        ("UPDATE event SET second_person = 'OP-2' WHERE event_seq = 2", {"log_chain"}, "columns"),
        ("UPDATE event SET reason = 'none' WHERE event_seq = 2", {"log_chain"}, "columns"),
        ("UPDATE scan_journal SET raw = x'41' WHERE scan_seq = 1", {"log_chain"}, "scan 1"),
        ("DELETE FROM event WHERE event_seq = 1",
         {"log_chain", "outbox", "conservation", "schema"}, "1 is expected"),
        ("DELETE FROM delivery WHERE outbox_seq = 2", {"outbox"}, "posting 2 is not in the queue"),
        ("INSERT INTO delivery (outbox_seq) VALUES (3)", {"outbox", "schema"}, "no posting"),
        ("UPDATE event SET outbox_seq = 3 WHERE event_seq = 2", {"outbox", "log_chain", "schema"},
         "2 is expected"),
        ("DELETE FROM scan_outcome WHERE scan_seq = 1", {"journal", "log_chain"},
         "scan 1 has no outcome"),
        ("UPDATE scan_outcome SET message = 'right' WHERE scan_seq = 2", {"log_chain"},
         "scan 2 is not as it was"),
        ("UPDATE scan_outcome SET concluded_at = '' WHERE scan_seq = 1", {"log_chain"}, "scan 1"),
        ("UPDATE scan_journal SET raw = x'41' WHERE scan_seq = 2", {"log_chain"}, "scan 2"),
        ("DELETE FROM scan_journal WHERE scan_seq = 2", {"journal", "log_chain", "schema"},
         "2 is expected"),
        ("UPDATE scan_outcome SET event_seq = 1 WHERE scan_seq = 1", {"journal", "log_chain"},
         "another scan"),
        ("DELETE FROM scan_outcome", {"journal"}, "which has no outcome"),
    ],
)  # fmt: skip
def test_a_wrong_value_fails_the_check_that_covers_it(
    plant: Database, statement: str, fails: set[str], words: str
) -> None:
    damage(plant, statement)
    found = faults(plant)
    assert set(found) == fails
    assert any(words in detail for detail in found.values()), found


def test_a_chain_rebuilt_over_changed_data_still_shows_the_datahash(plant: Database) -> None:
    """Whoever can recompute the chain must also know what else is hashed."""
    from mes_terminal.domain.posting import chain

    body = plant.conn.execute("SELECT body FROM event WHERE event_seq = 2").fetchone()[0]
    before = plant.conn.execute("SELECT hash FROM event WHERE event_seq = 1").fetchone()[0]
    forged = body.replace('"final":true', '"final":false')
    digest = chain(before, forged.encode())
    damage(plant, f"UPDATE event SET body = '{forged}', hash = '{digest}' WHERE event_seq = 2")
    assert "datahash" in faults(plant)["log_chain"]


def test_a_dropped_trigger_is_a_fault_of_the_schema(plant: Database) -> None:
    plant.conn.execute("DROP TRIGGER event_no_update")
    assert faults(plant) == {"schema": "trigger event_no_update is missing"}


def test_a_foreign_table_is_a_fault_of_the_schema(plant: Database) -> None:
    plant.conn.execute("CREATE TABLE notes (note TEXT)")
    assert faults(plant) == {"schema": "table notes is not of this program"}


def test_a_pragma_that_was_changed_is_named(plant: Database) -> None:
    plant.conn.execute("PRAGMA synchronous = NORMAL")
    assert faults(plant) == {"pragmas": "synchronous is 1, not 2"}


def test_every_pragma_of_the_writer_is_judged(plant: Database) -> None:
    found = {check.check: check.detail for check in checked(plant)}["pragmas"]
    assert all(name in found for name in WRITER_PRAGMAS)


def test_a_disk_below_the_stop_mark_is_a_fault_and_above_it_a_warning(plant: Database) -> None:
    def disk(free_mb: int) -> Check:
        found = examine(plant, RULES, now=NOW, disk_free_bytes=free_mb * 1_000_000)
        return {check.check: check for check in found}["disk"]

    assert not disk(63).ok
    assert disk(64).ok
    assert "warning mark" in disk(64).detail
    assert disk(2000).detail == "2000 MB free"


def test_the_disk_of_the_database_is_read_where_nobody_says(plant: Database) -> None:
    found = {c.check: c for c in examine(plant, RULES, now=NOW, disk_stop_mb=0)}
    assert found["disk"].ok
    assert "MB free" in found["disk"].detail


def test_a_clock_behind_the_newest_scan_is_a_fault(plant: Database) -> None:
    """BF-33."""
    found = faults(plant, now="2026-11-20T13:05:12.800000Z")
    assert list(found) == ["clock"]
    assert "13:05:12.900000Z" in found["clock"]


def test_a_clock_in_doubt_stays_a_fault_until_it_is_confirmed(plant: Database) -> None:
    """BF-33."""
    plant.conn.execute("UPDATE station_state SET clock_in_doubt = 1")
    assert list(faults(plant)) == ["clock"]


def test_balances_too_large_for_one_sum_are_still_added_exactly(plant: Database) -> None:
    """BF-1: two balances of an item may together leave 64 bits."""
    largest = 2**63 - 1
    plant.conn.execute(
        "INSERT INTO lot (lot_id, item_id, lot) VALUES (7, 1, 'L-78'), (8, 1, 'L-79')"
    )
    for lot_id, name in ((7, "L-78"), (8, "L-79")):
        plant.conn.execute(
            "INSERT INTO balance (lot_id, location_id, quantity_micro, arrived_at, item_id, lot, "
            "expires_on, received_at, may_go_negative, pickable) "
            "VALUES (?, 5, ?, '', 1, ?, '9999-12-31', '', 0, 1)",
            [lot_id, largest, name],
        )
    assert "18446744073709.551614" in faults(plant)["conservation"]


def test_a_damaged_page_is_a_finding_and_not_the_end(tmp_path: Path) -> None:
    plant = make_plant(tmp_path)
    page = plant.conn.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'scan_journal'"
    ).fetchone()[0]
    size = plant.conn.execute("PRAGMA page_size").fetchone()[0]
    plant.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    plant.close()
    with (tmp_path / "station.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 64)
    found = faults(open_reader(tmp_path / "station.db"))
    assert "sqlite" in found
    assert "journal" in found
    assert "outbox" not in found
