"""The lists behind the supervisor's desk: groups from an index, pages (screens 9, 11)."""

import json
import time
import tracemalloc
from itertools import islice
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import pytest

from mes_terminal.domain.desk import GroupBy
from mes_terminal.domain.duties import DutyRule
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import exception_groups as store
from mes_terminal.store.database import Database
from mes_terminal.store.exception_groups import Wanted
from mes_terminal.usecases.lists import read_list
from tests.unit.ledger_plant import make_plant

MANY: Final = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO exception (kind, status, severity, subject, work_order_id, line_id, item_id,
                       quantity_micro, opened_at, opened_event_seq, cause_code, cause, assigned)
SELECT CASE i % 4 WHEN 0 THEN 'unknown_code' WHEN 1 THEN 'failed_scan' ELSE 'shortage' END,
       iif(i % 5 = 0, 'resolved', 'open'), iif(i % 4 = 1, 'stop', 'warn'), 'subject:' || i,
       iif(i % 4 > 1, 1 + i / 4 % 2, NULL), iif(i % 4 > 1, 1, NULL),
       iif(i % 4 > 1, 1 + i / 8 % 2, NULL), 3000000,
       strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1700000000 + i * 60, 'unixepoch'), 1,
       CASE i % 4 WHEN 0 THEN 'unknown_code:not_known' WHEN 1 THEN 'failed_scan:fault'
                  WHEN 2 THEN 'shortage:no_stock' ELSE 'shortage:expired' END,
       CASE i % 4 WHEN 0 THEN 'CODE-' || i WHEN 1 THEN 'it broke' END,
       iif(i % 7 = 0, 'SUP-1', NULL)
FROM n
"""
NOW: Final = "2023-11-14T23:14:20.000000Z"
"""One hour after the first of them was opened."""
RULES: Final = StationRules(
    currency="EUR",
    duties={
        "shortage": DutyRule(owner="planner", due_h=0, escalate_to="SUP-2"),
        "unknown_code": DutyRule(owner="SUP-1", due_h=10_000),
    },
)
OPEN: Final = Wanted(is_open=True)


@pytest.fixture
def plant(tmp_path: Path) -> Database:
    """Besides what the plant has: 100 exceptions of three kinds, a fifth of them ended; a leg costs
    1.25, a bolt 3 for a hundred, and Sue has every seventh."""
    plant = make_plant(tmp_path)
    conn = plant.conn
    conn.execute("DELETE FROM exception_item")
    conn.execute("DELETE FROM exception")
    conn.execute(
        "INSERT INTO operator (badge, name, role) VALUES ('SUP-1', 'Sue', 'supervisor'), "
        "('SUP-2', 'Bea', 'supervisor')"
    )
    conn.execute("UPDATE item SET standard_cost_micro = 1250000 WHERE item = 'LEG'")
    conn.execute(
        "UPDATE item SET standard_cost_micro = 3000000, cost_per_micro = 100000000 "
        "WHERE item = 'BOLT'"
    )
    conn.execute(MANY, {"many": 100})
    return plant


def listed(
    plant: Database, name: str, rules: StationRules = RULES, /, **filters: str
) -> list[dict[str, Any]]:
    rows = read_list(plant, name, filters, rules=rules, now=NOW)
    return [json.loads(msgspec.json.encode(row)) for row in rows]


def counted(plant: Database, **filters: str) -> dict[str, int]:
    return {row["key"]: row["count"] for row in listed(plant, "exception_groups", **filters)}


def test_groups_come_the_gravest_first_then_the_oldest(plant: Database) -> None:
    groups = listed(plant, "exception_groups", open="1")
    assert [
        (each["kind"], each["severity"], each["count"], each["oldest_at"]) for each in groups
    ] == [
        ("failed_scan", "stop", 20, "2023-11-14T22:14:20.000000Z"),
        ("shortage", "warn", 40, "2023-11-14T22:15:20.000000Z"),
        ("unknown_code", "warn", 20, "2023-11-14T22:17:20.000000Z"),
    ]
    assert [row["count"] for row in listed(plant, "exception_groups")] == [25, 50, 25]


def test_a_group_says_what_it_is_worth_and_how_many_are_overdue(plant: Database) -> None:
    """Issue 5, 1: open quantity by standard cost and its price unit, exactly; due by its kind."""
    shortage, unknown = listed(plant, "exception_groups", open="1")[1:]
    legs, bolts = (
        plant.conn.execute(
            "SELECT count(*) FROM exception WHERE status = 'open' AND item_id = ?", [item]
        ).fetchone()[0]
        for item in (1, 2)
    )
    cents = legs * 3 * 125 + bolts * 9
    assert shortage["value"] == f"{cents // 100}.{cents % 100:02d}"
    assert shortage["currency"] == "EUR"
    opened = "2023-11-14T22:14:20.000000Z", NOW
    (due,) = plant.conn.execute(
        "SELECT count(*) FROM exception WHERE status = 'open' AND kind = 'shortage' "
        "AND opened_at BETWEEN ? AND ?",
        opened,
    ).fetchone()
    assert shortage["overdue"] == due > 0
    assert (unknown["overdue"], unknown["value"], unknown["currency"]) == (0, None, None)


def test_exceptions_are_grouped_by_cause_and_item(plant: Database) -> None:
    groups = listed(plant, "exception_groups", open="1", by="cause")
    assert {each["key"] for each in groups} == {
        "failed_scan:fault|", "unknown_code:not_known|", "shortage:no_stock|LEG",
        "shortage:no_stock|BOLT", "shortage:expired|LEG", "shortage:expired|BOLT",
    }  # fmt: skip
    legs = next(each for each in groups if each["key"] == "shortage:expired|LEG")
    assert (legs["cause_code"], legs["item"], legs["kind"]) == (
        "shortage:expired", "LEG", "shortage",
    )  # fmt: skip
    assert sum(each["count"] for each in groups) == 80


def test_exceptions_are_grouped_by_whom_they_are_assigned_to_else_by_owner(
    plant: Database,
) -> None:
    """What is assigned is that person's, whatever the settings say of its kind."""
    groups = {each["key"]: each for each in listed(plant, "exception_groups", by="owner")}
    assert {key: each["owner"] for key, each in groups.items()} == {
        "": None, "planner": "planner", "SUP-1": "Sue",
    }  # fmt: skip
    assert sum(each["count"] for each in groups.values()) == 80, "what has ended is nobody's"
    assert counted(plant, by="owner", owner="planner") == {"planner": groups["planner"]["count"]}
    hers = listed(plant, "exception_rows", by="owner", key="SUP-1")
    assert {each["kind"] for each in hers} == {"shortage", "failed_scan", "unknown_code"}
    assert {each["assigned"] for each in hers if each["kind"] != "unknown_code"} == {"SUP-1"}
    assert {each["owner"] for each in hers} == {"Sue"}


def test_exceptions_are_grouped_by_order(plant: Database) -> None:
    groups = listed(plant, "exception_groups", open="1", by="order")
    assert [each["work_order"] for each in groups] == [None, "WO-1", "WO-2"]
    assert groups[0]["severity"] == "stop"
    assert groups[0]["kind"] == "failed_scan", "the kind of its oldest"
    assert sum(each["count"] for each in groups) == 80
    assert all(each["value"] for each in groups[1:])


@pytest.mark.parametrize("by", get_args(GroupBy))
@pytest.mark.parametrize(
    "more", [{}, {"overdue": "1"}, {"owner": "planner"}, {"text": "leg"}, {"kind": "shortage"}]
)
def test_the_rows_of_the_groups_are_what_the_groups_count(
    plant: Database, by: str, more: dict[str, str]
) -> None:
    """Whatever groups and filters: no exception in two groups, none in no group."""
    groups = listed(plant, "exception_groups", open="1", by=by, **more)
    if by == "owner" and "owner" in more:
        assert [each["key"] for each in groups] == ["planner"]
    seen: list[int] = []
    for group in groups:
        rows = listed(plant, "exception_rows", by=by, key=group["key"], open="1", **more)
        assert len(rows) == group["count"]
        assert min(each["opened_at"] for each in rows) == group["oldest_at"]
        values = [each["value"] for each in rows if each["value"] is not None]
        assert (group["value"] is not None) == bool(values)
        overdue = sum(each["due_at"] is not None and each["due_at"] <= NOW for each in rows)
        assert overdue == group["overdue"]
        seen += [each["id"] for each in rows]
    everything = {
        each["id"]
        for kind in ("shortage", "unknown_code", "failed_scan")
        if more.get("kind", kind) == kind
        for each in listed(plant, "exception_rows", kind=kind, open="1", **_without_kind(more))
    }
    assert len(seen) == len(set(seen))
    assert set(seen) == everything


def _without_kind(more: dict[str, str]) -> dict[str, str]:
    return {name: each for name, each in more.items() if name != "kind"}


def test_a_cause_without_an_item_means_each_item(plant: Database) -> None:
    rows = listed(plant, "exception_rows", by="cause", key="shortage:expired", open="1")
    assert {each["item"] for each in rows} == {"LEG", "BOLT"}
    assert len(rows) == 20
    assert listed(plant, "exception_rows", by="cause", key="shortage:expired|NIL", open="1") == []


def test_a_text_is_looked_for_in_order_item_lot_and_cause(plant: Database) -> None:
    """Whatever its case, and never as a pattern."""
    found = {
        text: [(row["kind"], row["count"]) for row in listed(plant, "exception_groups", text=text)]
        for text in ("wo-", "le", "code-1", "%", "")
    }
    assert found["wo-"] == [("shortage", 50)]
    assert found["le"][0][0] == "shortage"
    assert found["code-1"] == [("unknown_code", 3)]  # 12, 16 and 100
    assert found["%"] == []
    assert len(found[""]) == 3
    plant.conn.execute("UPDATE exception SET cause = 'Möbelß ß' WHERE exception_id = 1")
    assert counted(plant, text="MöBELß") == {"failed_scan": 1}
    rows = listed(plant, "exception_rows", kind="unknown_code", text="code-1", open="1")
    assert [row["cause"] for row in rows] == ["CODE-12", "CODE-16"]


@pytest.mark.parametrize(
    ("by", "key"),
    [("kind", "shortage"), ("cause", "shortage:expired|LEG"), ("owner", "SUP-1"), ("order", "")],
)
def test_pages_go_on_where_the_last_ended_though_that_one_ended_meanwhile(
    plant: Database, by: str, key: str
) -> None:
    whole = [row["id"] for row in listed(plant, "exception_rows", by=by, key=key, open="1")]
    first = listed(plant, "exception_rows", by=by, key=key, open="1", limit="7")
    last = first[-1]["id"]
    plant.conn.execute("UPDATE exception SET status = 'resolved' WHERE exception_id = ?", [last])
    rest = listed(plant, "exception_rows", by=by, key=key, open="1", since=str(last))
    assert [row["id"] for row in (*first, *rest)] == whole
    assert whole == sorted(set(whole))


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
    wanted = Wanted(is_open=is_open)
    causes = plan(plant, store.causes_statement(wanted, is_open=is_open))
    index = "exception_groups" if is_open else "exception_groups_ended"
    searched = f"SEARCH exception USING COVERING INDEX {index} (cause_code>? AND cause_code<?)"
    assert searched in causes
    assert not any("B-TREE" in each or "exception USING INDEX" in each for each in causes)
    orders = plan(plant, store.orders_statement(wanted))
    assert orders[0] == "SCAN exception USING COVERING INDEX exception_orders"
    assert not any("GROUP BY" in each for each in orders)


@pytest.mark.parametrize(
    ("by", "key", "index"),
    [
        ("kind", "shortage", "exception_desk (kind=? AND opened_at>?)"),
        (
            "cause",
            "shortage:expired|LEG",
            "exception_causes (cause_code=? AND item_id=? AND opened",
        ),
        ("owner", "", "exception_owners (assigned=? AND opened_at>?)"),
        ("owner", "SUP-1", "exception_owners (assigned=? AND opened_at>?)"),
        ("order", "WO-1", "exception_orders (work_order_id=? AND opened_at>?)"),
    ],
)
def test_a_page_begins_in_an_index_and_is_never_sorted(
    plant: Database, by: GroupBy, key: str, index: str
) -> None:
    """Screens 11: whatever groups them."""
    steps = plan(plant, store.page_statement(OPEN, by, key))
    assert any(index in each for each in steps), steps
    sorts = [each for each in steps if "B-TREE" in each and "ORDER BY" in each]
    assert sorts == []
    assert not any(each.startswith("SCAN exception") for each in steps)


def test_a_hundred_thousand_open_at_once(plant: Database) -> None:
    """Screens 11: measured at 0.03 s by cause and 0.01 s a page; the bounds only tell a sort of
    everything from a look. Reading all of a kind keeps some rows in memory, never all."""
    plant.conn.execute("DELETE FROM exception")
    plant.conn.execute(MANY, {"many": 100_000})
    begun = time.perf_counter()
    for by in get_args(GroupBy):
        groups = listed(plant, "exception_groups", open="1", by=by)
        assert sum(row["count"] for row in groups) == 80_000
        page = listed(plant, "exception_rows", by=by, key=groups[0]["key"], open="1", limit="200")
        assert len(page) == 200
    assert time.perf_counter() - begun < 5
    tracemalloc.start()
    rows = read_list(plant, "exception_rows", {"kind": "shortage"}, rules=RULES, now=NOW)
    assert sum(1 for _ in islice(rows, 20_000)) == 20_000
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2_000_000


@pytest.mark.parametrize(
    ("name", "filters", "why"),
    [
        ("exception_groups", {"colour": "red"}, "no filter 'colour'"),
        ("exception_groups", {"by": "mood"}, "It is one of: kind, cause, owner, order"),
        ("exception_rows", {"open": "1"}, "needs a kind"),
        ("exception_rows", {"by": "cause", "kind": "shortage"}, "needs a kind, or by and key"),
        ("exception_rows", {"kind": "shortage", "since": "x"}, "whole number"),
        ("exception_stories", {"ids": "1,x"}, "whole number"),
        ("exception_stories", {"ids": "1,4711"}, "There is no exception 4711"),
        ("exception_stories", {"ids": ",".join(map(str, range(101)))}, "1 to 100"),
        ("no_such_list", {}, "knows no such list"),
    ],
)
def test_a_filter_that_is_not_there_is_refused(
    plant: Database, name: str, filters: dict[str, str], why: str
) -> None:
    with pytest.raises(InputError, match=why):
        listed(plant, name, **filters)


def plan(plant: Database, statement: str) -> list[str]:
    names = (
        "kind", "text", "owner", "since", "since_at", "key", "cause_code", "cause_kind", "item_id",
        "work_order_id", "status", "overdue", "groups_max",
    )  # fmt: skip
    values = dict.fromkeys(names) | {"owned": "[]", "due": "{}"}
    return [row[3] for row in plant.conn.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
