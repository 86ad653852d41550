"""The desk's lists of orders, stock, lots and mounts: pages and texts (screens 9, 11)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.errors import InputError
from mes_terminal.store import desk_orders, desk_stock
from mes_terminal.store.database import Database
from mes_terminal.usecases.lists import read_list
from tests.sqlite_steps import thousands_of_steps
from tests.unit.ledger_plant import NOW, RULES, make_plant

LISTS = ("desk_orders", "desk_stock", "desk_lots", "desk_mounts")
MANY_ORDERS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO work_order (work_order, item_id, quantity_micro, due_at, sequence, status,
                        output_location_id)
SELECT 'MANY-' || i, iif(i % 2, 3, 1), 5000000,
       iif(i % 10 = 0, NULL, strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1795000000 + i * 60,
                                      'unixepoch')),
       iif(i % 3 = 0, NULL, i), iif(i % 4 = 0, 'closed', 'released'), 6
FROM n
"""
MANY_LOTS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO lot (lot_id, item_id, lot, status, expires_on, received_at)
SELECT 1000 + i, 10 + i % 1000, printf('MANY-%06d', i), iif(i % 50 = 0, 'hold', 'available'),
       iif(i % 7 = 0, '2026-01-01', '2027-01-01'), '2026-11-19T06:00:00.000000Z'
FROM n
"""
MANY_BALANCES = """
INSERT INTO balance (lot_id, location_id, quantity_micro, arrived_at, item_id, lot, expires_on,
    received_at, may_go_negative, pickable)
SELECT lot_id, 100 + lot_id % 101, iif(lot_id % 3 = 0, 0, 2500000), received_at, item_id, lot,
       expires_on, received_at, 0, lot_id % 3 <> 0 AND status = 'available'
FROM lot WHERE lot_id > 1000
"""
MANY_MOUNTS = """
INSERT INTO mount (position, item_id, lot_id, location_id, mounted_at)
SELECT printf('POS-%06d', lot_id), item_id, lot_id, 100, '2026-11-20T06:00:00.000000Z'
FROM lot WHERE lot_id > 1000
"""
ITEMS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
INSERT INTO item (item_id, item, description, tracking, kind, standard_cost_micro)
SELECT 10 + i, printf('PART-%04d', i), 'part', 'lot', 'purchased', 1500000 FROM n
"""
PLACES = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
INSERT INTO location (location_id, location, kind) SELECT 100 + i, 'P-' || i, 'store' FROM n
"""


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Database]:
    plant = make_plant(tmp_path)
    yield plant
    plant.close()


def fill(plant: Database, many: int) -> None:
    """Lay so many orders, lots, balances and mounts beside what the plant has."""
    plant.conn.execute(MANY_ORDERS, {"many": many})
    plant.conn.execute(ITEMS)
    plant.conn.execute(PLACES)
    plant.conn.execute(MANY_LOTS, {"many": many})
    plant.conn.execute(MANY_BALANCES)
    plant.conn.execute(MANY_MOUNTS)


def listed(plant: Database, name: str, **filters: str) -> list[dict[str, Any]]:
    rows = read_list(plant, name, filters, rules=RULES, now=NOW)
    return [json.loads(msgspec.json.encode(row)) for row in rows]


def paged(plant: Database, name: str, limit: int, **filters: str) -> list[dict[str, Any]]:
    """Return a whole list, read page by page until one is empty."""
    rows: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while found := listed(plant, name, limit=str(limit), **filters, **after):
        rows += found
        after = {"after": found[-1]["key"]}
    return rows


def test_the_queue_is_in_the_order_of_due_time_sequence_and_number(plant: Database) -> None:
    """Issue 5, part 2: without a due time last, without a sequence after those with one."""
    plant.conn.execute("DELETE FROM work_order WHERE work_order = 'WO-3'")
    for number, due, sequence in [
        ("A", None, None), ("B", None, 7), ("C", "2026-11-21T06:00:00.000000Z", None),
        ("D", "2026-11-21T06:00:00.000000Z", 3), ("E", "2026-11-20T06:00:00.000000Z", 9),
    ]:  # fmt: skip
        plant.conn.execute(
            "INSERT INTO work_order (work_order, item_id, quantity_micro, due_at, sequence, status,"
            " output_location_id) VALUES (?, 3, 5000000, ?, ?, 'released', 6)",
            [number, due, sequence],
        )
    orders = [row["work_order"] for row in listed(plant, "desk_orders", open="1")]
    assert orders == ["E", "D", "C", "B", "A", "WO-2"]
    late = listed(plant, "desk_orders", late="1")
    assert [row["work_order"] for row in late] == ["E"]


def test_an_order_says_how_far_it_is_and_what_is_open_on_it(plant: Database) -> None:
    (row,) = listed(plant, "desk_orders", open="1")
    assert row["work_order"] == "WO-2"
    assert (row["quantity"], row["completed"], row["remaining"]) == ("7", "2", "5")
    (closed,) = listed(plant, "desk_orders", text="WO-1")
    assert (closed["status"], closed["exceptions"], closed["stops"]) == ("closed", 1, 0)


def test_stock_is_by_item_and_place_with_its_lots_and_value(plant: Database) -> None:
    """BF-38: at standard cost; nobody knows the value of an item without one."""
    plant.conn.execute(
        "UPDATE item SET standard_cost_micro = 1250000, cost_per_micro = 100000000"
        " WHERE item = 'LEG'"
    )
    rows = listed(plant, "desk_stock")
    assert [(row["item"], row["location"], row["quantity"]) for row in rows] == [
        ("CHAIR", "FG", "10"), ("LEG", "LINE", "360"),
    ]  # fmt: skip
    assert [row["value"] for row in rows] == [None, "4.50"]
    assert [row["lots"] for row in rows] == [1, 1]
    (lot,) = listed(plant, "desk_stock_lots", item="LEG", location="LINE")
    assert (lot["lot"], lot["quantity"], lot["status"]) == ("L-77", "360", "available")


def test_what_is_owed_by_the_books_and_what_is_held_are_there_too(plant: Database) -> None:
    """BF-19: a balance that may go below nothing."""
    plant.conn.execute(
        "UPDATE balance SET quantity_micro = -3000000, may_go_negative = 1 WHERE item_id = 2"
    )
    plant.conn.execute("UPDATE balance SET pickable = 0 WHERE item_id = 1")
    plant.conn.execute("UPDATE lot SET status = 'hold' WHERE lot = 'L-77'")
    rows = {row["item"]: row for row in listed(plant, "desk_stock")}
    assert rows["BOLT"]["quantity"] == "-3"
    assert rows["BOLT"]["lots"] == 0
    assert (rows["LEG"]["quantity"], rows["LEG"]["held"]) == ("360", "360")
    assert [row["lot"] for row in listed(plant, "desk_lots", held="1")] == ["L-77"]
    assert listed(plant, "desk_stock_count") == [{"count": 3}]


def test_a_lot_says_its_expiry_and_where_it_is_mounted(plant: Database) -> None:
    plant.conn.execute("UPDATE lot SET expires_on = '2026-11-19' WHERE lot = 'L-77'")
    plant.conn.execute(
        "INSERT INTO mount (position, item_id, lot_id, location_id, mounted_at)"
        " VALUES ('P1', 1, 5, 5, '2026-11-20T06:00:00.000000Z')"
    )
    (row,) = listed(plant, "desk_lots", expired="1")
    assert (row["lot"], row["expired"], row["on_hand"]) == ("L-77", True, "360")
    assert row["mounted"] == "P1"
    (mount,) = listed(plant, "desk_mounts")
    assert (mount["position"], mount["left"], mount["expired"]) == ("P1", "360", True)
    assert mount["then_lot"] is None
    (place,) = listed(plant, "desk_lot_places", item="LEG", lot="L-77")
    assert place == {"location": "LINE", "container": None, "serial": None, "quantity": "360"}


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_any_size_are_the_list(plant: Database, name: str) -> None:
    """Screens 11: no row twice, none left out."""
    fill(plant, 600)
    whole = listed(plant, name)
    assert len(whole) >= 300
    assert paged(plant, name, 7) == whole
    assert paged(plant, name, 200) == whole
    (count,) = listed(plant, f"{name}_count")
    assert count["count"] == len(whole)


@pytest.mark.parametrize("name", LISTS)
def test_a_text_is_found_wherever_it_stands_and_is_never_a_pattern(
    plant: Database, name: str
) -> None:
    fill(plant, 300)
    text = {"desk_stock": "p-77"}.get(name, "many-000077" if name != "desk_orders" else "many-77")
    found = listed(plant, name, text=text)
    assert 1 <= len(found) < 20
    assert listed(plant, f"{name}_count", text=text) == [{"count": len(found)}]
    assert listed(plant, name, text="%") == []
    assert listed(plant, name, text="no such thing") == []


@pytest.mark.parametrize("name", ["desk_orders", "desk_stock", "desk_lots"])
def test_a_key_that_no_row_had_is_refused(plant: Database, name: str) -> None:
    with pytest.raises(InputError, match=f"key of a row of {name}"):
        listed(plant, name, after="[1")
    with pytest.raises(InputError, match="has no filter"):
        listed(plant, name, colour="red")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """100,000 orders, lots, balances and mounted lots."""
    plant = make_plant(tmp_path_factory.mktemp("crowded"))
    fill(plant, 100_000)
    plant.conn.execute("ANALYZE")
    yield plant
    plant.close()


OPENING_MAX = 8_000
"""Thousands of steps, 80 a row: one look at each, which takes some 0.2 s, and no second one."""


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("filters", [{}, {"text": "99999"}, {"text": "no such thing"}])
def test_of_100_000_rows_a_page_and_the_count_are_there_at_once(
    crowded: Database, name: str, filters: dict[str, str]
) -> None:
    """Screens 11: it opens and filters without a pause, at its beginning and in its midst."""
    first = listed(crowded, name, limit="200", **filters)
    deep = paged_to_the_midst(crowded, name) if not filters else first
    for asked in ({}, {"after": deep[-1]["key"]} if deep else {}):
        assert steps(crowded, name, filters | asked | {"limit": "200"}) < OPENING_MAX
    assert steps(crowded, f"{name}_count", filters) < OPENING_MAX


@pytest.mark.parametrize("scope", ["on_hand", "held", "expired"])
def test_of_100_000_lots_each_scope_is_there_at_once(crowded: Database, scope: str) -> None:
    assert steps(crowded, "desk_lots", {scope: "1", "limit": "200"}) < OPENING_MAX
    assert steps(crowded, "desk_lots_count", {scope: "1"}) < OPENING_MAX


def paged_to_the_midst(plant: Database, name: str) -> list[dict[str, Any]]:
    key = {
        "desk_orders": '["2027-01-01T00:00:00.000000Z",0,""]',
        "desk_stock": '["PART-0500",""]',
        "desk_lots": '["PART-0500",""]',
        "desk_mounts": "POS-050000",
    }[name]
    return listed(plant, name, limit="200", after=key)


def steps(plant: Database, name: str, filters: dict[str, str]) -> int:
    """Return how many thousand steps a reading takes."""
    return thousands_of_steps(plant, lambda: listed(plant, name, **filters))


ASKED = {
    "open": None, "late": None, "text": None, "now": NOW, "due": "", "sequence": 0,
    "work_order": "", "item": "", "lot": "", "on_hand": None, "held": None, "expired": None,
    "today": "2026-11-20", "position": "", "item_id": 1, "location": "", "found": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (desk_orders.ORDERS, "work_order_queue"),
        (desk_orders.ORDER_COUNT, "COVERING INDEX work_order_queue"),
        (desk_stock.LOTS, "sqlite_autoindex_lot_1"),
        (desk_stock._ITEMS, "sqlite_autoindex_item_1"),
        (desk_stock._PLACES, "balance_pick"),
        (desk_stock.STOCK_LOTS, "balance_pick"),
        (desk_stock.MOUNTS, "PRIMARY KEY"),
    ],
)
def test_a_page_is_read_in_its_order_from_an_index(
    crowded: Database, statement: str, index: str
) -> None:
    """Nothing that grows with the list is sorted, but what there is of one item."""
    plan = [row[3] for row in crowded.conn.execute(f"EXPLAIN QUERY PLAN {statement}", ASKED)]
    assert any(index in step for step in plan), plan
    if statement in (desk_orders.ORDERS, desk_stock.LOTS, desk_stock._ITEMS, desk_stock.MOUNTS):
        mine = [step for step in plan if "balance.expires_on" not in step]
        assert "USE TEMP B-TREE FOR ORDER BY" not in mine, plan
