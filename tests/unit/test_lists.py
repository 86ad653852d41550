"""The lists say what the rows say, in the keys and the order of the command line."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.errors import InputError
from mes_terminal.store.database import Database
from mes_terminal.usecases.lists import LISTS, order_lines
from tests.unit.ledger_plant import AT, make_plant

KEYS = {
    "stock": "item lot serial location quantity uom",
    "orders": "work_order item revision quantity completed scrapped remaining status start_at "
    "due_at",
    "lots": "item lot status expires_on received_at supplier supplier_lot on_hand",
    "exceptions": "id kind status severity work_order line item lot quantity opened_at cause "
    "blocking suggestions resolution",
    "movements": "sequence report_id scan_id item lot serial from to quantity uom kind event_time "
    "source_rule",
    "journal": "sequence scan_id received_at device code hex status outcome reason",
    "outbox": "sequence event_id type subject status attempts queued_at delivered_at last_error "
    "event",
    "audit": "sequence type event_time person second_person reason previous_hash hash event",
}


@pytest.fixture
def plant(tmp_path: Path) -> Database:
    return make_plant(tmp_path)


def listed(plant: Database, name: str, **filters: str) -> list[dict[str, Any]]:
    return [json.loads(msgspec.json.encode(row)) for row in LISTS[name](plant, filters)]


@pytest.mark.parametrize("name", KEYS)
def test_each_list_has_exactly_its_keys_in_order(plant: Database, name: str) -> None:
    rows = listed(plant, name)
    assert rows
    assert all(list(row) == KEYS[name].split() for row in rows)


def test_stock_leaves_out_zeros_and_virtual_locations(plant: Database) -> None:
    """BF-35."""
    assert listed(plant, "stock") == [
        {"item": "CHAIR", "lot": "WO-1", "serial": None, "location": "FG", "quantity": "10",
         "uom": "pcs"},
        {"item": "LEG", "lot": "L-77", "serial": None, "location": "LINE", "quantity": "360",
         "uom": "pcs"},
    ]  # fmt: skip


def put(plant: Database, lot_id: int, micro: int, *, location: int = 5, container: int = 0) -> None:
    plant.conn.execute(
        "INSERT INTO balance SELECT NULL, lot_id, ?, ?, ?, '', item_id, lot, '', '', 1, 0 "
        "FROM lot WHERE lot_id = ?",
        [location, container, micro, lot_id],
    )


def test_stock_is_ordered_by_code_point_with_null_first(plant: Database) -> None:
    plant.conn.executescript(
        """
        INSERT INTO lot (lot_id, item_id, lot, serial) VALUES (20, 1, 'L-10', ''),
            (21, 1, 'L-9', ''), (22, 1, 'ä', ''), (23, 1, '😀', ''), (24, 1, '\uffff', ''),
            (25, 1, '', 'S-1');
        """
    )
    for lot_id in (1, 20, 21, 22, 23, 24, 25):
        put(plant, lot_id, 1_000_000)
    put(plant, 20, 1_000_000, location=6)
    found = [(r["lot"], r["serial"], r["location"]) for r in listed(plant, "stock", item="LEG")]
    assert found == [
        (None, None, "LINE"), (None, "S-1", "LINE"), ("L-10", None, "FG"), ("L-10", None, "LINE"),
        ("L-77", None, "LINE"), ("L-9", None, "LINE"), ("ä", None, "LINE"),
        ("\uffff", None, "LINE"), ("😀", None, "LINE"),
    ]  # fmt: skip


def test_stock_sums_the_containers_of_a_lot_exactly(plant: Database) -> None:
    """BF-1: beyond 64 bits too."""
    put(plant, 5, 2**63 - 1, container=1)
    put(plant, 5, 2**63 - 1, container=2)
    rows = listed(plant, "stock", item="LEG")
    assert [row["quantity"] for row in rows] == ["18446744074069.551614"]
    assert listed(plant, "lots", item="LEG")[0]["on_hand"] == "18446744074069.551614"


def test_containers_that_cancel_out_leave_no_stock_row(plant: Database) -> None:
    put(plant, 2, 1_000_000, container=1)
    put(plant, 2, -500_000, container=2)
    put(plant, 2, -500_000, container=3)
    assert listed(plant, "stock", item="BOLT") == []


@pytest.mark.parametrize(
    ("good", "scrapped", "replace", "remaining"),
    [(2, 0, 0, "5"), (2, 1, 0, "4"), (2, 1, 1, "5"), (8, 0, 0, "0"), (6, 3, 0, "0")],
)
def test_what_remains_is_ordered_less_good_and_scrapped(
    plant: Database, good: int, scrapped: int, replace: int, remaining: str
) -> None:
    """BF-26."""
    plant.conn.execute(
        "UPDATE work_order SET good_micro = ?, scrapped_micro = ?, replace_scrap = ? "
        "WHERE work_order = 'WO-2'",
        [good * 1_000_000, scrapped * 1_000_000, replace],
    )
    row = listed(plant, "orders")[1]
    assert row["work_order"] == "WO-2"
    assert (row["quantity"], row["completed"], row["remaining"]) == ("7", str(good), remaining)


def test_a_lot_counts_what_is_on_hand_at_real_locations(plant: Database) -> None:
    put(plant, 5, 2_500_000, location=7)
    assert listed(plant, "lots", item="LEG") == [
        {"item": "LEG", "lot": "L-77", "status": "available", "expires_on": "2027-01-31",
         "received_at": "2026-11-19T06:00:00.000000Z", "supplier": "Holz AG",
         "supplier_lot": None, "on_hand": "362.5"},
    ]  # fmt: skip


def test_a_lot_with_serials_is_one_row_with_the_status_of_the_lot(plant: Database) -> None:
    plant.conn.execute(
        "INSERT INTO lot (item_id, lot, serial, status) VALUES (1, 'L-77', 'S-1', 'hold')"
    )
    assert [row["status"] for row in listed(plant, "lots", item="LEG")] == ["available"]


def test_an_open_shortage_says_what_blocks_it_and_where_stock_is(plant: Database) -> None:
    """BF-20."""
    plant.conn.execute(
        "INSERT INTO balance SELECT NULL, 2, 6, 0, 25000000, '', 2, '', '9999-12-31', '', 0, 1"
    )
    (row,) = listed(plant, "exceptions")
    assert (row["kind"], row["line"], row["lot"], row["quantity"]) == ("shortage", "20", None, "20")
    assert row["blocking"] == "20 pcs of BOLT missing at LINE"
    assert row["suggestions"] == ["25 pcs of BOLT at FG"]
    plant.conn.execute("UPDATE exception SET status = 'resolved', resolution = 'posted'")
    (row,) = listed(plant, "exceptions")
    assert (row["blocking"], row["suggestions"], row["resolution"]) == (None, [], "posted")
    assert listed(plant, "exceptions", open="yes") == []


def test_movements_name_report_scan_and_both_places(plant: Database) -> None:
    """BF-14, BF-35."""
    rows = listed(plant, "movements")
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["report_id"] for row in rows] == [None, None, "scan-1", "scan-1", "scan-1"]
    assert rows[2] == {
        "sequence": 3, "report_id": "scan-1", "scan_id": "scan-1", "item": "LEG", "lot": "L-77",
        "serial": None, "from": "LINE", "to": "@production", "quantity": "40", "uom": "pcs",
        "kind": "issue", "event_time": AT, "source_rule": "station",
    }  # fmt: skip


def test_a_movement_of_a_scan_that_is_no_report_has_no_report_id(plant: Database) -> None:
    plant.conn.execute("DROP TRIGGER report_no_delete")
    plant.conn.execute("DELETE FROM report")
    row = listed(plant, "movements", kind="production")[0]
    assert (row["report_id"], row["scan_id"]) == (None, "scan-1")


def test_the_journal_shows_the_exact_bytes_and_what_became_of_them(plant: Database) -> None:
    """BF-13."""
    found = [
        (row["code"], row["hex"], row["status"], row["outcome"]) for row in listed(plant, "journal")
    ]
    assert found == [
        ("WO-1", "574f2d31", "done", "completed"),
        ("A\ufffd\x1b", "41ff1b", "done", "unknown"),
        ("WO-2", "574f2d32", "waiting", None),
    ]


def test_the_event_stands_in_the_lists_byte_for_byte(plant: Database) -> None:
    bodies = [
        row[0].encode() for row in plant.conn.execute("SELECT body FROM event ORDER BY event_seq")
    ]
    for name in ("outbox", "audit"):
        encoded = [msgspec.json.encode(row) for row in LISTS[name](plant, {})]
        assert all(
            row.endswith(b'"event":' + body + b"}")
            for row, body in zip(encoded, bodies, strict=True)
        )


def test_the_outbox_takes_its_words_from_the_event(plant: Database) -> None:
    """UP-1."""
    row = listed(plant, "outbox")[1]
    event = row["event"]
    assert (row["event_id"], row["type"], row["subject"]) == (
        event["id"], event["type"], event["subject"],
    )  # fmt: skip
    assert row["event_id"].endswith(":000000000002")
    assert (row["sequence"], row["status"], row["attempts"]) == (2, "waiting", 0)
    assert (row["queued_at"], row["delivered_at"]) == (AT, None)


def test_the_audit_shows_both_ends_of_each_link(plant: Database) -> None:
    first, second = listed(plant, "audit")
    assert first["previous_hash"] == "0" * 64
    assert second["previous_hash"] == first["hash"] == second["event"]["previoushash"]
    assert (second["person"], second["type"]) == (
        "OP-1", "io.mes-terminal.production.completed.v1",
    )  # fmt: skip
    (alone,) = listed(plant, "audit", since="1")
    assert alone == second


def test_order_lines_state_the_need_of_the_whole_order(plant: Database) -> None:
    """BF-3, BF-7, BF-10: net, rounded up to the component's step."""
    rows = [json.loads(msgspec.json.encode(row)) for row in order_lines(plant, "WO-1")]
    assert rows[1] == {
        "line": "20", "component": "BOLT", "quantity": "80", "uom": "pcs", "basis": "per_unit",
        "scrap_pct": "2.5", "operation": None, "issue_method": "backflush",
        "supply_location": "LINE", "issued": "60", "owed": "20",
        "decided_by": {
            "issue_method": "item", "shortage_policy": "station", "lot_overrun_pct": "station",
        },
    }  # fmt: skip
    assert [row.quantity for row in order_lines(plant, "WO-2")] == ["2.334", "2"]


def test_the_lines_of_an_unknown_order_are_wrong_input(plant: Database) -> None:
    with pytest.raises(InputError, match="no work order 'WO-9'"):
        order_lines(plant, "WO-9")


@pytest.mark.parametrize(
    ("name", "filters", "count"),
    [
        ("stock", {"item": "LEG"}, 1), ("stock", {"location": "FG"}, 1),
        ("stock", {"item": "nothing"}, 0), ("orders", {"open": "yes"}, 1),
        ("orders", {"status": "closed"}, 1), ("orders", {"work_order": "WO-2"}, 1),
        ("lots", {"item": "CHAIR"}, 1), ("lots", {"status": "hold"}, 0),
        ("movements", {"item": "BOLT"}, 2), ("movements", {"work_order": "WO-1"}, 3),
        ("movements", {"location": "FG"}, 1), ("movements", {"kind": "issue"}, 2),
        ("movements", {"since": "3"}, 2), ("movements", {"since": "1", "limit": "2"}, 2),
        ("journal", {"status": "waiting"}, 1), ("journal", {"outcome": "unknown"}, 1),
        ("outbox", {"open": "yes"}, 2), ("outbox", {"type": "material.received"}, 1),
        ("audit", {"type": "io.mes-terminal.material.received.v1"}, 1),
        ("audit", {"person": "OP-1"}, 1), ("exceptions", {"kind": "shortage"}, 1),
        ("exceptions", {"since": "1"}, 0), ("audit", {"limit": "0"}, 0),
    ],
)  # fmt: skip
def test_a_filter_keeps_what_it_names(
    plant: Database, name: str, filters: dict[str, str], count: int
) -> None:
    assert len(listed(plant, name, **filters)) == count


@pytest.mark.parametrize(
    ("filters", "words"),
    [({"colour": "red"}, "no filter 'colour'"), ({"since": "x"}, "since must be a whole number"),
     ({"limit": "-1"}, "limit must be"), ({"since": "٣"}, "since must be")],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_wrong_input(
    plant: Database, filters: dict[str, str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        LISTS["movements"](plant, filters)


def test_a_long_list_comes_row_by_row(plant: Database) -> None:
    """100,000 scans: the first is there before the others are read."""
    plant.conn.execute(
        """
        WITH RECURSIVE number(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)
        INSERT INTO scan_journal
        SELECT n, 'scan-' || n, '', NULL, 'cli', NULL, x'41', 0, NULL, NULL FROM number
        """
    )
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    plant.conn.set_progress_handler(count, 1000)
    rows = list(islice(LISTS["journal"](plant, {}), 3))
    assert len(rows) == 3
    assert steps < 10
