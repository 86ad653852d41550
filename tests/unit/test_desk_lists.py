"""The lists behind the desk's sections: counts, outbox, audit, people (issue 5 part 2; screens 11).

A hundred thousand rows are built in SQL: what is read is measured against what is shown.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import desk_audit as audit_store
from mes_terminal.store import desk_counts as counts_store
from mes_terminal.store import desk_outbox as outbox_store
from mes_terminal.store import desk_trace as trace_store
from mes_terminal.store.database import Database
from mes_terminal.usecases.desk_audit import TEXT_ENTRIES_MAX
from mes_terminal.usecases.desk_outbox import TEXT_POSTINGS_MAX
from mes_terminal.usecases.lists import read_list
from tests.sqlite_steps import thousands_of_steps
from tests.unit.ledger_plant import RULES, make_plant

NOW = "2026-11-21T13:05:12.100000Z"
MANY = 100_000
EVENTS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO event (event_seq, type, event_time, recorded_at, scan_seq, person, second_person,
                   reason, outbox_seq, hash, body)
SELECT base.seq + i, base.type,
       strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1700000000 + i * 60, 'unixepoch'),
       strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1700000000 + i * 60, 'unixepoch'),
       NULL, 'OP-' || (i % 7), iif(i % 1000 = 0, 'SUP-1', NULL), NULL, base.box + i,
       printf('%064x', i), replace(base.body, base.subject, 'WO-' || i)
FROM n, (SELECT (SELECT max(event_seq) FROM event) AS seq,
                (SELECT max(outbox_seq) FROM event) AS box, type, body,
                json_extract(body, '$.subject') AS subject
           FROM event WHERE type = 'production.completed' LIMIT 1) AS base
"""


@pytest.fixture
def plant(tmp_path: Path) -> Database:
    """The plant in rows, with people, and a count that found 5 legs less than the books say."""
    plant = make_plant(tmp_path)
    plant.conn.executescript("""
        INSERT INTO operator (badge, name, role, language, disabled_at) VALUES
            ('OP-1', 'Anna K.', 'operator', 'de', NULL),
            ('OP-2', 'Ben', 'operator', NULL, '2026-11-01T06:00:00.000000Z'),
            ('SUP-1', 'Carla S.', 'supervisor', 'en', NULL);
        INSERT INTO operator_pin (badge, pin_hash, set_at) VALUES
            ('SUP-1', '$argon2id$secret', '2026-11-01T06:00:00.000000Z');
        UPDATE item SET standard_cost_micro = 2500000 WHERE item = 'LEG';
        INSERT INTO exception (exception_id, kind, severity, subject, item_id, quantity_micro,
            opened_at, opened_event_seq, cause_code) VALUES
            (9, 'count_variance', 'warn', 'count 1 LEG', 1, 5000000,
             '2026-11-20T14:00:00.000000Z', 2, 'count_variance');
        INSERT INTO stock_count VALUES
            (1, 5, 1, '2026-11-20T13:50:00.000000Z', 'OP-1', 'ended', 2,
             '2026-11-20T14:00:00.000000Z'),
            (2, 5, 1, '2026-11-20T15:00:00.000000Z', 'OP-1', 'open', NULL, NULL);
        UPDATE station_state SET stock_count_id = 2;
        INSERT INTO count_item VALUES
            (1, 1, 0, 2000000, 360000000, 355000000, 9, NULL),
            (1, 2, 20000000, 0, 60000000, 60000000, NULL, NULL),
            (2, 4, 0, 0, NULL, NULL, NULL, NULL);
    """)
    return plant


@pytest.fixture
def long_log(plant: Database) -> Database:
    """A hundred thousand postings more, none of them delivered."""
    plant.conn.execute(EVENTS, {"many": MANY})
    return plant


def listed(plant: Database, name: str, **filters: str) -> list[dict[str, Any]]:
    rows = read_list(plant, name, filters, rules=RULES, now=NOW)
    return [msgspec.json.decode(msgspec.json.encode(row)) for row in rows]


def plan(plant: Database, statement: str, **asked: Any) -> list[str]:
    return [row[3] for row in plant.conn.execute(f"EXPLAIN QUERY PLAN {statement}", asked)]


def steps_of(plant: Database, name: str, **filters: str) -> tuple[int, list[dict[str, Any]]]:
    """Return how many thousand steps a reading takes, and its rows."""
    rows: list[dict[str, Any]] = []
    return thousands_of_steps(plant, lambda: rows.extend(listed(plant, name, **filters))), rows


# Counts ------------------------------------------------------------------------------------------


def test_what_is_due_comes_first_the_weightiest_reason_first(plant: Database) -> None:
    """BF-32."""
    rows = [row for row in listed(plant, "desk_counts") if row["state"] == "due"]
    told = [(row["reason"], row["location"], row["item"]) for row in rows]
    order = ["negative", "exception", "empty", "never", "rhythm"]
    assert told
    assert told == sorted(told, key=lambda each: (order.index(each[0]), *each[1:]))
    assert listed(plant, "desk_counts")[: len(rows)] == rows


def test_a_count_tells_what_it_came_to_with_its_worth(plant: Database) -> None:
    """BF-32: 355 of 360 legs are 5 x 2.50 less."""
    rows = {row["item"]: row for row in listed(plant, "desk_counts") if row["count"] == 1}
    legs = rows["LEG"]
    assert (legs["state"], legs["expected"], legs["counted"]) == ("waiting", "360", "355")
    assert (legs["difference"], legs["value"], legs["currency"]) == ("-5", "-12.50", "EUR")
    assert (legs["exception"], legs["person"], legs["in_process"]) == (9, "Anna K.", "2")
    assert (rows["BOLT"]["state"], rows["BOLT"]["owed"], rows["BOLT"]["value"]) == (
        "right", "20", None,
    )  # fmt: skip


def test_only_what_needs_a_person_is_open(plant: Database) -> None:
    counted = [
        (row["state"], row["item"])
        for row in listed(plant, "desk_counts", open="1")
        if row["state"] != "due"
    ]
    assert counted == [("open", "CHAIN"), ("waiting", "LEG")]
    total = listed(plant, "desk_counts_count", open="1")
    assert total == [{"count": len(listed(plant, "desk_counts", open="1"))}]
    assert listed(plant, "desk_counts_count") == [{"count": len(listed(plant, "desk_counts"))}]


def test_counts_are_paged_by_the_key_of_the_last_row(plant: Database) -> None:
    """From what is due into what was counted, without a gap."""
    whole = listed(plant, "desk_counts")
    paged: list[dict[str, Any]] = []
    while page := listed(
        plant, "desk_counts", limit="2", **({"after": paged[-1]["key"]} if paged else {})
    ):
        paged += page
    assert paged == whole
    assert len({row["key"] for row in whole}) == len(whole) > 4


@pytest.mark.parametrize(("text", "items"), [("leg", {"LEG"}), ("LINE", None), ("%", set())])
def test_counts_are_looked_for_by_item_place_and_person(
    plant: Database, text: str, items: set[str] | None
) -> None:
    found = {row["item"] for row in listed(plant, "desk_counts", text=text)}
    assert found == (items if items is not None else {"LEG", "BOLT", "CHAIN"})


def test_a_hundred_thousand_counted_items_are_paged_from_their_key(plant: Database) -> None:
    """Screens 11: a page reads what it shows."""
    plant.conn.executescript("""
        WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 25009)
        INSERT INTO stock_count SELECT i, 5, 1, '2026-01-01T00:00:00.000000Z', 'OP-1', 'ended', 2,
            '2026-01-01T01:00:00.000000Z' FROM n;
        INSERT INTO count_item SELECT stock_count_id, item_id, 0, 0, 1000000, 1000000, NULL, NULL
            FROM stock_count, item WHERE stock_count_id >= 10;
    """)
    took, page = steps_of(plant, "desk_counts", limit="200", after="[20000,1]")
    assert [row["count"] for row in page[:4]] == [20000, 20000, 20000, 19999]
    assert took < 100
    for statement in (counts_store.COUNTS, counts_store.TO_DO):
        steps = plan(plant, statement, count=1, item_id=1, text=None)
        assert not any(step.startswith("SCAN stock_count") for step in steps)
    steps = plan(plant, counts_store.COUNTS, count=1, item_id=1, text=None)
    assert steps[0] == "SEARCH count_item USING PRIMARY KEY (stock_count_id<?)"


# The outbox --------------------------------------------------------------------------------------


def test_what_waits_is_listed_the_oldest_first_and_everything_the_newest_first(
    plant: Database,
) -> None:
    plant.conn.execute("UPDATE delivery SET status = 'delivered' WHERE outbox_seq = 1")
    plant.conn.execute(
        "UPDATE delivery SET status = 'refused', attempts = 3, last_error = '422 no such item' "
        "WHERE outbox_seq = 2"
    )
    assert [row["sequence"] for row in listed(plant, "desk_outbox", open="1")] == [2]
    assert [row["sequence"] for row in listed(plant, "desk_outbox")] == [2, 1]
    (row,) = listed(plant, "desk_outbox", open="1")
    assert (row["type"], row["subject"], row["status"]) == (
        "production.completed", "WO-1", "refused",
    )  # fmt: skip
    assert (row["attempts"], row["last_error"]) == (3, "422 no such item")
    assert row["bytes"] > 500
    assert listed(plant, "desk_outbox_count", open="1") == [
        {"count": 1, "waiting": 0, "refused": 1, "parked": 0, "oldest_at": row["queued_at"]}
    ]


def test_a_posting_tells_its_document_as_it_is_sent(plant: Database) -> None:
    (told,) = listed(plant, "desk_posting", sequence="2")
    assert told["document"]["subject"] == "WO-1"
    assert told["event_id"] == told["document"]["id"]
    assert listed(plant, "desk_posting", sequence="99") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("wo-1", [2]), ("completed", [2]), ("R-1", [1]), ("partitionkey", []), ("sha", [])],
)
def test_a_posting_is_found_by_its_type_and_by_what_it_is_about(
    plant: Database, text: str, found: list[int]
) -> None:
    assert [row["sequence"] for row in listed(plant, "desk_outbox", text=text)] == found


def test_a_hundred_thousand_postings_open_and_filter_quickly(long_log: Database) -> None:
    """Screens 11: the bounds tell a look at the newest from a walk through all."""
    plant = long_log
    asked = {"first": 1, "last": MANY, "status": None, "text": None}
    steps = plan(plant, outbox_store.OPEN, **asked)
    ways = [step for step in steps if "delivery" in step]
    assert all("USING INDEX delivery_open (status=? AND outbox_seq>?" in step for step in ways)
    assert len(ways) == 3, "one a status, merged"
    steps += plan(plant, outbox_store.EVERY, **asked)
    assert not any("SCAN" in step or "B-TREE" in step for step in steps)
    took, page = steps_of(plant, "desk_outbox", open="1", limit="200", after="50000")
    assert [row["sequence"] for row in page[:2]] == [50001, 50002]
    assert took < 50
    took, page = steps_of(plant, "desk_outbox", limit="200", text="WO-77777")
    assert [row["subject"] for row in page] == ["WO-77777", ""]
    assert page[-1]["looked"] == {"at": MANY + 3 - TEXT_POSTINGS_MAX, "total": MANY + 2}
    page = listed(plant, "desk_outbox", open="1", text="WO-77777")
    assert [row["looked"] for row in page] == [{"at": TEXT_POSTINGS_MAX, "total": MANY + 2}]
    page = listed(plant, "desk_outbox", open="1", text="WO-77777", after=str(page[-1]["sequence"]))
    assert [row["subject"] for row in page] == ["WO-77777", ""]
    assert took < 3000
    took, (total,) = steps_of(plant, "desk_outbox_count", open="1")
    assert total["count"] == total["waiting"] == MANY + 2
    assert took < 50


# The audit trail ---------------------------------------------------------------------------------


def test_entries_come_the_newest_first_with_who_and_what(plant: Database) -> None:
    rows = listed(plant, "desk_audit")
    assert [row["sequence"] for row in rows] == [2, 1]
    assert (rows[0]["type"], rows[0]["subject"]) == ("production.completed", "WO-1")
    assert rows[0]["looked"] is None
    assert listed(plant, "desk_audit_count") == [{"count": 2}]
    assert listed(plant, "desk_audit_count", text="x") == []


def test_an_entry_is_told_whole_with_its_scan_and_its_place_in_the_chain(plant: Database) -> None:
    """Traceability: what, who, when, raw scan, versions, both hashes."""
    (first,) = listed(plant, "desk_audit_entry", sequence="1")
    (second,) = listed(plant, "desk_audit_entry", sequence="2")
    assert second["previous_hash"] == first["hash"]
    assert second["scan"]["code"] == "WO-1"
    assert second["scan"]["hex"] == b"WO-1".hex()
    assert second["utc_offset"] == "+00:00"
    assert (second["software"] is not None, second["master_data"]) == (True, "0")
    assert second["clock_in_doubt"] is False
    assert second["data"]["work_order"] == "WO-1"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"type": "material."}, [1]),
        ({"type": "production.completed"}, [2]),
        ({"text": "l-77"}, [1]),
        ({"text": "anna"}, [2]),
        ({"text": "wo-1"}, [2]),
        ({"text": "journalhash"}, []),
        ({"from_at": "2026-11-20T13:05:13.000000Z", "until_at": "2027"}, [1]),
        ({"until_at": "2026-11-20T13:05:13.000000Z"}, [2]),
        ({"person": "OP-1"}, [2]),
        ({"person": "nobody"}, []),
    ],
)
def test_entries_are_found_by_type_text_person_and_time(
    plant: Database, filters: dict[str, str], found: list[int]
) -> None:
    assert [row["sequence"] for row in listed(plant, "desk_audit", **filters)] == found


def test_an_entry_is_found_by_the_code_that_was_scanned_and_by_its_hash(plant: Database) -> None:
    (second,) = listed(plant, "desk_audit_entry", sequence="2")
    found = listed(plant, "desk_audit", text=second["hash"].upper())
    assert [row["sequence"] for row in found] == [2]
    assert listed(plant, "desk_audit", text=second["hash"][:20]) == []


def test_a_text_is_looked_for_a_bounded_way_and_the_next_look_goes_on(long_log: Database) -> None:
    """Screens 11: 25,000 entries a look; how far was looked is told in a last row."""
    looks = []
    after: dict[str, str] = {}
    while rows := listed(long_log, "desk_audit", text="WO-55555", **after):
        looks.append([row["subject"] or row["looked"] for row in rows])
        after = {"after": str(rows[-1]["sequence"])}
    total = MANY + 2
    ends = [total + 1 - n * TEXT_ENTRIES_MAX for n in (1, 2, 3, 4)]
    assert looks == [
        [{"at": ends[0], "total": total}],
        ["WO-55555", {"at": ends[1], "total": total}],
        [{"at": ends[2], "total": total}],
        [{"at": ends[3], "total": total}],
    ]


def test_a_look_that_fills_a_page_goes_on_after_its_last_row(long_log: Database) -> None:
    seen: list[int] = []
    after: dict[str, str] = {}
    while rows := listed(long_log, "desk_audit", person="OP-3", limit="1000", **after):
        seen += [row["sequence"] for row in rows]
        after = {"after": str(seen[-1])}
    assert len(seen) == len(set(seen)) == sum(1 for i in range(1, MANY + 1) if i % 7 == 3)
    assert seen == sorted(seen, reverse=True)


def test_a_hundred_thousand_entries_open_and_filter_quickly(long_log: Database) -> None:
    """Screens 11: the bounds tell a bounded look back from a walk through all."""
    plant = long_log
    steps = plan(
        plant, audit_store.ENTRIES, oldest=1, newest=9, type=None, person=None, from_at=None,
        until_at=None, text=None, hash=None,
    )  # fmt: skip
    assert steps[0] == "SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
    assert not any("SCAN" in step or "B-TREE" in step for step in steps)
    assert steps_of(plant, "desk_audit", limit="200")[0] < 50
    assert steps_of(plant, "desk_audit", limit="200", after="50000")[0] < 50
    assert steps_of(plant, "desk_audit", limit="200", text="nobody has this")[0] < 3000
    assert steps_of(plant, "desk_audit", limit="200", person="nobody")[0] < 1000


# Genealogy ---------------------------------------------------------------------------------------


def test_a_step_tells_how_much_how_sure_and_whether_it_goes_on(plant: Database) -> None:
    """BF-37: both ways; what was all taken back leads nowhere."""
    plant.conn.executescript("""
        INSERT INTO lot (lot_id, item_id, serial) VALUES (20, 3, 'S-1'), (21, 3, 'S-2');
        INSERT INTO edge VALUES
            (20, 5, 1, 1, 3000000, 'exact'), (20, 5, 2, 1, 1000000, 'assumed'),
            (21, 5, 1, 1, 4000000, 'exact'), (21, 5, 2, 1, -4000000, 'exact');
    """)
    (legs,) = listed(plant, "desk_trace", node="20")
    assert (legs["item"], legs["lot"], legs["quantity"]) == ("LEG", "L-77", "4")
    assert (legs["certainty"], legs["goes_on"]) == ("assumed", False)
    made = listed(plant, "desk_trace", node="5", direction="forward")
    assert ("S-1", "4", "pcs") in [(row["serial"], row["quantity"], row["uom"]) for row in made]
    assert "S-2" not in [row["serial"] for row in made]
    (begin,) = listed(plant, "desk_trace", code="S-1")
    assert (begin["node"], begin["quantity"], begin["goes_on"]) == (20, None, True)
    assert listed(plant, "desk_trace", begin="20")[0]["serial"] == "S-1"


def test_a_lot_in_a_hundred_thousand_units_opens_at_once(plant: Database) -> None:
    """Screens 11: the bounds tell a look by a key from a walk through all."""
    plant.conn.executescript("""
        WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 100099)
        INSERT INTO lot (lot_id, item_id, serial) SELECT i, 3, 'X-' || i FROM n;
        INSERT INTO edge SELECT lot_id, 5, 1, 1, 4000000, 'assumed' FROM lot WHERE lot_id >= 100;
    """)
    for forward in (True, False):
        steps = plan(plant, trace_store.STEP[forward], node=5, after=0)
        assert steps[0].startswith("SEARCH edge USING")
        assert not any("SCAN" in step for step in steps)
    took, page = steps_of(plant, "desk_trace", node="5", direction="forward", limit="200",
                         after="50000")  # fmt: skip
    assert [row["node"] for row in page[:2]] == [50001, 50002]
    assert took < 4000
    took, (total,) = steps_of(plant, "desk_trace_count", node="5", direction="forward")
    assert total["count"] >= MANY
    assert took < 4000


# People ------------------------------------------------------------------------------------------


def test_people_are_told_without_any_hash(plant: Database) -> None:
    """Part 3: nobody reads a PIN or its hash."""
    rows = {row["badge"]: row for row in listed(plant, "desk_people")}
    assert list(rows) == ["OP-1", "OP-2", "SUP-1"]
    assert (rows["SUP-1"]["has_pin"], rows["OP-1"]["has_pin"]) == (True, False)
    assert rows["OP-2"]["disabled_at"] is not None
    assert "argon2" not in repr(rows)
    assert not any("hash" in key or "pin_" in key for key in rows["SUP-1"])


def test_people_are_paged_looked_for_and_counted(plant: Database) -> None:
    assert [row["badge"] for row in listed(plant, "desk_people", enabled="1")] == ["OP-1", "SUP-1"]
    assert [row["badge"] for row in listed(plant, "desk_people", after="OP-1", limit="1")] == [
        "OP-2"
    ]
    assert [row["badge"] for row in listed(plant, "desk_people", text="carla")] == ["SUP-1"]
    assert listed(plant, "desk_people_count", enabled="1") == [{"count": 2, "is_set_up": True}]
    plant.conn.execute("DELETE FROM operator_pin")
    assert listed(plant, "desk_people_count") == [{"count": 3, "is_set_up": False}]


@pytest.mark.parametrize(
    ("name", "filters", "why"),
    [
        ("desk_counts", {"kind": "x"}, "no filter 'kind'"),
        ("desk_counts", {"after": "12"}, "no key of this list"),
        ("desk_outbox", {"after": "x"}, "whole number"),
        ("desk_posting", {}, "needs a sequence"),
        ("desk_audit", {"since": "1"}, "no filter 'since'"),
        ("desk_audit_entry", {}, "needs a sequence"),
        ("desk_people", {"pin": "1"}, "no filter 'pin'"),
        ("desk_trace", {}, "needs a code or a node"),
        ("desk_trace", {"code": "no such"}, "no lot, serial number"),
        ("desk_trace", {"begin": "999"}, "no such lot"),
        ("desk_trace", {"node": "5", "direction": "up"}, "forward or backward"),
        ("desk_shifts", {"text": "x"}, "no filter 'text'"),
    ],
)
def test_a_filter_that_is_not_there_is_refused(
    plant: Database, name: str, filters: dict[str, str], why: str
) -> None:
    with pytest.raises(InputError, match=why):
        list(read_list(plant, name, filters, rules=StationRules(), now=NOW))
