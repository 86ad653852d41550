"""The sample plant loads without a fault, and its figures are those of the master-data page."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from mes_terminal.exchange.tables import TABLES
from mes_terminal.store.database import Database
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases.load_master_data import load_folder
from tests.unit.plant_files import NOW, RULES, db, rows

__all__ = ["db"]

SAMPLE_PLANT = Path(__file__).parents[2] / "config" / "sample-plant"

NEEDED = """
    SELECT l.line, i.item, l.issue_method, i.step_micro,
           CASE l.basis WHEN 'per_order' THEN l.net_num / l.net_den
               ELSE l.net_num * w.quantity_micro / l.net_den END
    FROM order_line l JOIN work_order w USING (work_order_id)
    JOIN item i ON i.item_id = l.component_id
    WHERE w.work_order = ? ORDER BY l.position
"""


@pytest.fixture
def plant(db: Database) -> Database:
    """The sample plant in a database."""
    result = load_folder(db, read_folder(SAMPLE_PLANT), rules=RULES, now=NOW, at=None)
    assert [str(fault) for fault in result.faults] == []
    return db


def needed(db: Database, number: str) -> dict[str, float]:
    return {row[1]: row[4] / 1_000_000 for row in rows(db, NEEDED, number)}


def test_every_file_of_the_page_is_there_but_explicit_lines() -> None:
    present = {path.stem for path in SAMPLE_PLANT.glob("*.csv")}
    assert present == set(TABLES) - {"work_order_lines"}


@pytest.mark.parametrize(
    ("number", "figures"),
    [
        ("WO-1001", {"LEG": 400, "FRAME": 100, "BACKREST": 100}),
        ("WO-1002", {"BOARD": 200, "BOLT": 400}),
        (
            "WO-1003",
            {"BIKE-FRAME": 50, "PAINT": 15, "RIM": 100, "TYRE": 100, "TUBE": 100, "SPOKE": 3600,
             "CHAIN": 70, "GREASE": 1, "CARTON": 12.5},
        ),
    ],
)  # fmt: skip
def test_figures_can_be_checked_by_head(
    plant: Database, number: str, figures: dict[str, float]
) -> None:
    assert needed(plant, number) == figures


def test_the_first_orders_are_released_and_covered_by_stock_at_the_line(plant: Database) -> None:
    """One scan closes each of them; grease is bulk."""
    on_hand: dict[str, int] = dict(
        rows(
            plant,
            """
            SELECT item, sum(quantity_micro) FROM balance JOIN item USING (item_id)
            JOIN location USING (location_id)
            WHERE location = 'LINE' AND pickable = 1 AND expires_on > '2026-11-20'
                AND arrived_at < '2026-01-01' GROUP BY item
            """,
        )
    )
    total: Counter[str] = Counter()
    for number in ("WO-1001", "WO-1002", "WO-1003"):
        assert rows(plant, "SELECT status FROM work_order WHERE work_order = ?", number) == [
            ("released",)
        ]
        for _, item, _, step, quantity in rows(plant, NEEDED, number):
            total[item] += -(-quantity // step) * step
    total["CHAIN"] += 1_400_000
    assert {item: total[item] for item in total if total[item] > on_hand[item]} == {}


def test_the_engine_has_sixty_lot_tracked_lines_and_its_sister_injectors(plant: Database) -> None:
    lines = rows(plant, NEEDED, "WO-1105")
    assert len(lines) == 60
    assert needed(plant, "WO-1106")["INJECTOR"] == 8 * 3
    assert rows(
        plant,
        "SELECT count(*) FROM order_line JOIN item ON item_id = component_id "
        "WHERE tracking = 'lot' AND work_order_id = "
        "(SELECT work_order_id FROM work_order WHERE work_order = 'WO-1105')",
    ) == [(60,)]


def test_there_is_trouble_for_a_bad_shift(plant: Database) -> None:
    assert dict(rows(plant, "SELECT work_order, status FROM work_order WHERE sequence > 30")) == {
        "WO-1101": "released", "WO-1102": "hold", "WO-1103": "planned", "WO-1104": "started",
        "WO-1105": "released", "WO-1106": "released", "WO-1107": "released",
        "WO-1108": "cancelled",
    }  # fmt: skip
    assert rows(plant, "SELECT lot FROM lot WHERE expires_on < '2026-01-01'") == [("P-0",)]
    assert rows(plant, "SELECT lot FROM lot WHERE status = 'hold'") == [("W-7",)]
    needed_items = {row[0] for row in rows(plant, "SELECT DISTINCT component_id FROM order_line")}
    reel = rows(
        plant, "SELECT item_id FROM container JOIN lot USING (lot_id) WHERE container = 'REEL-9'"
    )
    assert reel[0][0] not in needed_items
    assert rows(plant, "SELECT count(*) FROM unit WHERE report_seq IS NULL") == [(4,)]


def test_people_and_products_of_every_kind_are_there(plant: Database) -> None:
    roles = Counter(row[0] for row in rows(plant, "SELECT role FROM operator"))
    assert roles == {"operator": 2, "supervisor": 1, "quality": 1}
    made = {row[0] for row in rows(plant, "SELECT item FROM work_order JOIN item USING (item_id)")}
    assert made == {"CHAIR-4", "CHAIR-W", "BICYCLE", "EBIKE", "ENGINE-60", "ENGINE-S"}


def test_no_figure_depends_on_when_it_is_loaded() -> None:
    with (SAMPLE_PLANT / "receipts.csv").open(newline="") as file:
        assert {row["effective_at"] < "2026" for row in csv.DictReader(file)} == {True}
