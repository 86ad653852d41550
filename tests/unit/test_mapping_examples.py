"""The four sample exports load as they are, and their figures can be checked by head.

What docs/mapping.md shows works, and it explains every key.
"""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from mes_terminal.exchange.csv_folder import parse_folder
from mes_terminal.exchange.mapping import ColumnRule, FileRule, Mapping, TableRule
from mes_terminal.store.database import Database
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases.load_master_data import load_folder
from tests.unit.plant_files import LATER, NOW, RULES, db, rows

__all__ = ["db"]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "config" / "mappings"
NAMES = ("erpnext", "jd-edwards", "odoo", "sap")

NEEDED = """
    SELECT i.item, CASE l.basis WHEN 'per_order' THEN l.net_num / l.net_den
               ELSE l.net_num * w.quantity_micro / l.net_den END
    FROM order_line l JOIN work_order w USING (work_order_id)
    JOIN item i ON i.item_id = l.component_id
    WHERE w.work_order = ? ORDER BY l.position
"""
STOCK = """
    SELECT i.item, l.lot, sum(b.quantity_micro) FROM balance b JOIN item i USING (item_id)
    JOIN lot l USING (lot_id) JOIN location p USING (location_id) WHERE p.location = ?
    GROUP BY i.item, l.lot ORDER BY i.item, l.lot
"""


def load(db: Database, name: str) -> Database:
    """Load an example, which has no fault."""
    result = load_folder(db, read_folder(EXAMPLES / name), rules=RULES, now=NOW, at=None)
    assert [str(fault) for fault in result.faults] == []
    return db


def needed(db: Database, number: str) -> dict[str, float]:
    return {item: micro / 1_000_000 for item, micro in rows(db, NEEDED, number)}


def stock(db: Database, location: str = "LINE") -> dict[tuple[str, str], float]:
    return {(item, lot): micro / 1_000_000 for item, lot, micro in rows(db, STOCK, location)}


def test_every_example_is_here_and_installed() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir()) == sorted(NAMES)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    installed = project["tool"]["setuptools"]["data-files"]
    for name in NAMES:
        assert installed[f"share/mes-terminal/mappings/{name}"] == [f"config/mappings/{name}/*"]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_export_again_changes_nothing(db: Database, name: str) -> None:
    load(db, name)
    again = load_folder(db, read_folder(EXAMPLES / name), rules=RULES, now=LATER, at=None)
    assert again.faults == []
    assert not any(one.added or one.changed for one in again.tables.values())
    assert all(one.unchanged for one in again.tables.values())


def test_sap(db: Database) -> None:
    """100 chairs take what the BOM for 100 says; the other order takes what its own list says."""
    load(db, "sap")
    assert needed(db, "1000451") == {"2001": 400, "2002": 100, "2003": 12.5, "2004": 800}
    assert needed(db, "1000452") == {"2001": 240, "2002": 60, "2003": 7.65, "2004": 480}
    assert stock(db) == {
        ("2001", "0000045001"): 500, ("2001", "0000045002"): 280, ("2002", ""): 250,
        ("2003", "0000045003"): 25, ("2004", ""): 2000,
    }  # fmt: skip
    assert stock(db, "STORE") == {("2003", "0000045004"): 25}
    assert rows(db, "SELECT item, description, standard_cost_micro, cost_per_micro FROM item "
                "WHERE item IN ('1001', '2003') ORDER BY item") == [
        ("1001", "Gartenstuhl „Lärche“, geölt", 48_750_000, 1_000_000),
        ("2003", "Öl für Außenmöbel", 1_150_000_000, 100_000_000),
    ]  # fmt: skip
    assert rows(db, "SELECT work_order, status, due_at, erp_ref FROM work_order "
                "ORDER BY work_order") == [
        ("1000451", "released", "2026-11-25T00:00:00.000000Z", "000001000451"),
        ("1000452", "released", "2026-11-27T00:00:00.000000Z", "000001000452"),
        ("1000453", "planned", "2026-12-18T00:00:00.000000Z", "000001000453"),
    ]  # fmt: skip
    assert rows(db, "SELECT lot, expires_on, status FROM lot WHERE lot LIKE '%4500_' "
                "AND status = 'hold'") == [("0000045004", "2028-03-31", "hold")]  # fmt: skip
    assert rows(db, "SELECT line, role, quantity_micro, scrap_pct_micro FROM bom_line "
                "WHERE line IN ('30', '50') ORDER BY line") == [
        ("30", "component", 12_500_000, 2_000_000), ("50", "by_product", 30_000_000, 0),
    ]  # fmt: skip


def test_jd_edwards(db: Database) -> None:
    """A pump takes 1, 1, 2 and 0.35 l; order 45121 was written for 51 seal kits."""
    load(db, "jd-edwards")
    assert needed(db, "45120") == {"HOUSING-A": 40, "IMPELLER": 40, "SEAL-KIT": 80, "OIL-46": 14}
    assert needed(db, "45121") == {"HOUSING-A": 25, "IMPELLER": 25, "SEAL-KIT": 51, "OIL-46": 8.75}
    assert stock(db) == {
        ("HOUSING-A", "H-0611"): 80, ("IMPELLER", ""): 90, ("OIL-46", ""): 200,
        ("SEAL-KIT", "S-2201"): 100, ("SEAL-KIT", "S-2202"): 60,
    }  # fmt: skip
    assert rows(db, "SELECT operation, setup_minutes_micro, run_minutes_micro, run_basis_micro "
                "FROM routing_operation ORDER BY operation") == [
        ("10", 15_000_000, 240_000_000, 100_000_000), ("20", 0, 450_000_000, 100_000_000),
    ]  # fmt: skip
    assert rows(db, "SELECT work_order, start_at, due_at FROM work_order ORDER BY work_order") == [
        ("45120", "2026-11-23T00:00:00.000000Z", "2026-11-25T00:00:00.000000Z"),
        ("45121", "2026-11-25T00:00:00.000000Z", "2026-11-27T00:00:00.000000Z"),
        ("45122", "2026-11-30T00:00:00.000000Z", None),
    ]
    assert rows(db, "SELECT lot, expires_on, status FROM lot WHERE lot LIKE 'S-%'") == [
        ("S-2201", "2031-10-31", "available"), ("S-2202", "2031-12-31", "hold"),
    ]  # fmt: skip


def test_odoo(db: Database) -> None:
    """A desk takes 1 top, 4 legs, 16 screws and 25 g of glue, which is counted in kilograms."""
    load(db, "odoo")
    assert needed(db, "WH/MO/00021") == {"TOP-90": 20, "LEG-K": 80, "SCREW-M6": 320, "GLUE": 0.5}
    assert stock(db) == {
        ("GLUE", "GL-118"): 5, ("LEG-K", ""): 200, ("SCREW-M6", ""): 1000,
        ("TOP-90", "0000031"): 15, ("TOP-90", "0000032"): 15,
    }  # fmt: skip
    assert rows(db, "SELECT line, quantity_micro FROM bom_line ORDER BY line") == [
        ("10", 1_000_000), ("20", 4_000_000), ("30", 16_000_000), ("40", 25_000_000),
    ]  # fmt: skip
    assert rows(db, "SELECT reference FROM receipt ORDER BY reference")[0] == ("MOVE-451",)
    assert rows(db, "SELECT work_order, status, due_at FROM work_order ORDER BY work_order") == [
        ("WH/MO/00021", "released", "2026-11-23T14:00:00.000000Z"),
        ("WH/MO/00022", "planned", None),
    ]


def test_erpnext(db: Database) -> None:
    """A lantern takes 1 panel, 2 batteries, 35 cm of strip counted in metres, and 1 case."""
    load(db, "erpnext")
    assert needed(db, "MFG-WO-2026-00007") == {
        "PANEL-5W": 50, "BATTERY-2A": 100, "LED-STRIP": 17.5, "CASE": 50,
    }  # fmt: skip
    assert stock(db) == {
        ("BATTERY-2A", "B-2611-01"): 80, ("BATTERY-2A", "B-2611-02"): 80, ("CASE", ""): 75,
        ("LED-STRIP", "LS-9"): 100, ("PANEL-5W", ""): 75,
    }  # fmt: skip
    assert dict(rows(db, "SELECT item, tracking FROM item")) == {
        "LANTERN": "lot", "PANEL-5W": "none", "BATTERY-2A": "lot", "LED-STRIP": "lot",
        "CASE": "none",
    }  # fmt: skip
    assert rows(db, "SELECT revision FROM bom") == [("BOM-LANTERN-002",)]


def test_what_the_page_shows_works() -> None:
    page = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    files = read_folder(EXAMPLES / "sap")
    export = files["MB51.txt"].decode("cp1252").replace("Menge in ErfassME", "            Menge")
    files = {"MB51.txt": export.replace("EME", " ME").replace("LOrt", "Text").encode("cp1252")}
    parsed = parse_folder({"mapping.toml": shown.encode(), **files}, RULES.zone)
    assert [str(fault) for fault in parsed.faults] == []
    assert len(parsed.tables["receipts"].rows) == 6


@pytest.mark.parametrize("kind", [Mapping, FileRule, TableRule, ColumnRule])
def test_every_key_is_explained(kind: type[msgspec.Struct]) -> None:
    page = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    keys = [field.encode_name for field in msgspec.structs.fields(kind)]
    assert [key for key in keys if not re.search(rf"`?\[*(file\.)?{key}\b\]*(`| =)", page)] == []
