"""The lists behind the supervisor's desk: groups from an index, pages (screens 9, 11)."""

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.errors import InputError
from mes_terminal.store import exception_groups as store
from mes_terminal.store.database import Database
from mes_terminal.usecases.lists import LISTS
from tests.unit.ledger_plant import make_plant

MANY = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO exception (kind, status, severity, subject, work_order_id, line_id, item_id,
                       quantity_micro, opened_at, opened_event_seq, cause)
SELECT CASE i % 4 WHEN 0 THEN 'unknown_code' WHEN 1 THEN 'failed_scan' ELSE 'shortage' END,
       iif(i % 5 = 0, 'resolved', 'open'), iif(i % 4 = 1, 'stop', 'warn'), 'subject:' || i,
       iif(i % 4 > 1, 1, NULL), iif(i % 4 > 1, 1, NULL), iif(i % 4 > 1, 1, NULL), 3000000,
       strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1700000000 + i * 60, 'unixepoch'), 1,
       CASE i % 4 WHEN 0 THEN 'CODE-' || i WHEN 1 THEN 'it broke' END
FROM n
"""


@pytest.fixture
def plant(tmp_path: Path) -> Database:
    """Besides what the plant has: 100 exceptions of three kinds, a fifth of them ended."""
    plant = make_plant(tmp_path)
    plant.conn.execute("DELETE FROM exception_item")
    plant.conn.execute("DELETE FROM exception")
    plant.conn.execute(MANY, {"many": 100})
    return plant


def listed(plant: Database, name: str, **filters: str) -> list[dict[str, Any]]:
    return [json.loads(msgspec.json.encode(row)) for row in LISTS[name](plant, filters)]


def test_groups_come_the_gravest_first_then_the_oldest(plant: Database) -> None:
    assert listed(plant, "exception_groups", open="1") == [
        {"kind": "failed_scan", "severity": "stop", "count": 20,
         "oldest_at": "2023-11-14T22:14:20.000000Z"},
        {"kind": "shortage", "severity": "warn", "count": 40,
         "oldest_at": "2023-11-14T22:15:20.000000Z"},
        {"kind": "unknown_code", "severity": "warn", "count": 20,
         "oldest_at": "2023-11-14T22:17:20.000000Z"},
    ]  # fmt: skip
    assert [row["count"] for row in listed(plant, "exception_groups")] == [25, 50, 25]


def test_a_text_is_looked_for_in_order_item_lot_and_cause(plant: Database) -> None:
    """Whatever its case, and never as a pattern."""
    found = {
        text: [(row["kind"], row["count"]) for row in listed(plant, "exception_groups", text=text)]
        for text in ("wo-1", "leg", "code-1", "%", "")
    }
    assert found["wo-1"] == found["leg"] == [("shortage", 50)]
    assert found["code-1"] == [("unknown_code", 3)]  # 12, 16 and 100
    assert found["%"] == []
    assert len(found[""]) == 3
    rows = listed(plant, "exception_rows", kind="unknown_code", text="code-1", open="1")
    assert [row["cause"] for row in rows] == ["CODE-12", "CODE-16"]


def test_pages_go_on_where_the_last_ended_though_that_one_ended_meanwhile(
    plant: Database,
) -> None:
    first = listed(plant, "exception_rows", kind="shortage", open="1", limit="7")
    plant.conn.execute(
        "UPDATE exception SET status = 'resolved' WHERE exception_id = ?", [first[-1]["id"]]
    )
    rest = listed(plant, "exception_rows", kind="shortage", open="1", since=str(first[-1]["id"]))
    ids = [row["id"] for row in (*first, *rest)]
    assert ids == sorted(set(ids))
    assert len(ids) == 40


def test_a_row_tells_what_is_open_where_and_what_may_mend_it(plant: Database) -> None:
    """BF-22."""
    (row,) = listed(plant, "exception_rows", kind="shortage", open="1", limit="1")
    assert (row["work_order"], row["line"], row["item"]) == ("WO-1", "10", "LEG")
    assert (row["quantity"], row["uom"], row["tracking"]) == ("3", "pcs", "lot")
    assert (row["location"], row["resolution"]) == ("LINE", None)
    assert row["suggestions"] == [
        {"lot": "L-77", "quantity": "360", "location": "LINE", "instead": None, "uom": "pcs"}
    ]


@pytest.mark.parametrize("is_open", [True, False])
def test_neither_groups_nor_pages_read_more_than_they_show(plant: Database, is_open: bool) -> None:
    """Screens 11: groups come from an index alone; a page begins in one and is never sorted."""
    index = "exception_desk" if is_open else "exception_history"
    groups = plan(plant, store.GROUPS[is_open, False], {})
    assert groups == [f"SCAN exception USING COVERING INDEX {index}"]
    asked = {"kind": "shortage", "since_at": "", "since": 0, "text": None, "suggestions_max": 5}
    page = plan(plant, store.ROWS[is_open], asked)
    assert page[0].startswith("SEARCH exception USING INDEX exception_")
    assert "kind=?" in page[0]
    outer = page[: page.index(next(each for each in page if each.startswith("CORRELATED")))]
    assert not any(each.startswith("SCAN") or "B-TREE" in each for each in outer)


def test_a_hundred_thousand_open_at_once(plant: Database) -> None:
    """Screens 11: measured at 0.02 s; the bound only tells a sort of everything from a look."""
    plant.conn.execute("DELETE FROM exception")
    plant.conn.execute(MANY, {"many": 100_000})
    begun = time.perf_counter()
    groups = listed(plant, "exception_groups", open="1")
    rows = listed(plant, "exception_rows", kind="shortage", open="1", limit="200")
    took_s = time.perf_counter() - begun
    assert sum(row["count"] for row in groups) == 80_000
    assert len(rows) == 200
    assert took_s < 3


@pytest.mark.parametrize(
    ("name", "filters", "why"),
    [
        ("exception_groups", {"kind": "shortage"}, "no filter 'kind'"),
        ("exception_rows", {"open": "1"}, "needs a kind"),
        ("exception_rows", {"kind": "shortage", "since": "x"}, "whole number"),
    ],
)
def test_a_filter_that_is_not_there_is_refused(
    plant: Database, name: str, filters: dict[str, str], why: str
) -> None:
    with pytest.raises(InputError, match=why):
        list(LISTS[name](plant, filters))


def plan(plant: Database, statement: str, asked: dict[str, Any]) -> list[str]:
    values = {"text": None} | asked
    return [row[3] for row in plant.conn.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
