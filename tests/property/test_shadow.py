"""Go-live over random plants: what the books lack is found and used, and every law holds (BF-20).

Whole and taken back, and from the first count on the station books what it books without.
"""

from pathlib import Path
from random import Random
from typing import Final

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Database
from mes_terminal.store.uncounted import note_counted
from tests.model.ledger_laws import Laws, state
from tests.model.random_plants import RandomPlant, random_codes, random_plant
from tests.plants import Station, empty_database, memory_folder, open_station

SEEDS: Final = st.integers(0, 2**32 - 1)
CODES: Final = 14
FOUND: Final = """
    SELECT count(*) FROM movement m JOIN lot l USING (lot_id)
     WHERE m.kind = 'adjustment' AND l.lot = '' AND l.serial = ''
"""
SHORT: Final = """
    SELECT i.item, o.location FROM exception x JOIN item i USING (item_id)
      JOIN order_line l USING (line_id) JOIN location o USING (location_id)
     WHERE x.kind = 'shortage'
"""
BOOKED: Final = (
    "SELECT * FROM movement ORDER BY movement_seq",
    "SELECT * FROM edge ORDER BY report_seq, child_id, parent_id, line_id",
    "SELECT * FROM balance ORDER BY balance_id",
    "SELECT kind, subject, quantity_micro, status FROM exception ORDER BY exception_id",
    "SELECT line_id, issued_micro, owed_micro, scrapped_micro, owed_scrap_micro FROM order_line",
)


def run(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def station_of(plant: RandomPlant, folder: Path, *, is_shadow: bool) -> Station:
    rules = StationRules(
        mode="test",
        shortage_policy=plant.settings["shortage_policy"],  # type: ignore[arg-type]
        planned_scrap=plant.settings["planned_scrap"],  # type: ignore[arg-type]
        is_shadow=is_shadow,
    )
    return open_station(folder, plant.files, rules, template=empty_database())


def one(database: Database, statement: str) -> int:
    return int(database.conn.execute(statement).fetchone()[0])


@run(60)
@given(seed=SEEDS)
def test_no_shortage_is_open_and_every_law_holds(seed: int) -> None:
    """BF-4, BF-19, BF-20, BF-36, BF-37; invariants 1, 2, 6 and 7 after every scan."""
    plant, chance = random_plant(f"shadow:{seed}"), Random(seed)
    with memory_folder() as folder:
        station, laws = station_of(plant, folder, is_shadow=True), _Taken()
        for code in random_codes(chance, plant, CODES):
            outcome = station.scan(code)
            if outcome.report_id and code == "%UNDO":
                laws.untrue.add(str(outcome.work_order))
            laws.check(station.db)
        assert station.db.conn.execute(SHORT).fetchall() == []
        assert station.faults() == []
        event(f"found beside the books: {one(station.db, FOUND) > 0}")
        station.db.close()


class _Taken(Laws):
    """The laws; a part or an earlier report that was taken back is trued up by a later one."""


@run(60)
@given(seed=SEEDS)
def test_a_report_that_is_taken_back_leaves_no_trace(seed: int) -> None:
    """BF-31, invariant 3: each of the reports of a random plant, at once."""
    plant, chance = random_plant(f"shadow:{seed}"), Random(seed)
    codes = [code for code in random_codes(chance, plant, CODES) if code != "%UNDO"]
    with memory_folder() as folder:
        station = station_of(plant, folder, is_shadow=True)
        for code in codes:
            before, found = state(station.db), one(station.db, FOUND)
            outcome = station.scan(code)
            if outcome.outcome != "completed":
                continue
            found = one(station.db, FOUND) - found
            undone = station.scan("%UNDO")
            if undone.outcome == "recorded":
                assert state(station.db) == before
                event(f"taken back, found: {found > 0}")
                station.scan(code)
        assert station.faults() == []
        station.db.close()


@run(40)
@given(seed=SEEDS)
def test_once_all_is_counted_it_books_what_it_books_without(seed: int) -> None:
    """BF-20, BF-32: the same scans, the same rows;
    too."""
    plant, chance = random_plant(f"shadow:{seed}"), Random(seed)
    codes = random_codes(chance, plant, CODES)
    told = []
    for is_shadow in (True, False):
        with memory_folder() as folder:
            station = station_of(plant, folder, is_shadow=is_shadow)
            _count_all(station)
            answers = [station.scan(code) for code in codes]
            station.heal()
            rows = [station.db.conn.execute(each).fetchall() for each in BOOKED]
            told.append(([(each.outcome, each.message) for each in answers], rows))
            station.db.close()
    event(f"short: {bool(told[0][1][3])}")
    assert told[0] == told[1]


def _count_all(station: Station) -> None:
    pairs = station.db.conn.execute(
        "SELECT item_id, location_id FROM item CROSS JOIN location WHERE location.kind <> 'virtual'"
    ).fetchall()
    with station.db.transaction() as conn:
        for item_id, location_id in pairs:
            note_counted(conn, item_id, location_id, at=station.now)
