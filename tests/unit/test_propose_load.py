"""Loads that take two persons: who may, what is compared, what the log names (issue 5, part 7)."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from mes_terminal.domain.load_changes import LoadDiff
from mes_terminal.domain.load_proposal import content_hash
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store.database import Database, SqliteError, open_database
from mes_terminal.usecases import load_master_data, people, propose_load
from tests.model.shift import whole_ledger
from tests.plants import Station, as_json, empty_database
from tests.unit.plant_files import BASE, LATER, NOW, db, files, load, loaded, rows

__all__ = ["db"]

TWO = StationRules(mode="test", load_second_person=True)
PEOPLE = {
    "operators": """
        badge,name,role
        PLAN,Pia,operator
        SUP,Sue,supervisor
        SIM,Simon,supervisor
        QA,Kim,quality
        AUD,Ada,auditor
    """
}
CHANGED = {**PEOPLE, "bom_lines": BASE["bom_lines"].replace("LEG,4", "LEG,3")}


@pytest.fixture
def station(db: Database) -> Database:
    """A station whose supervisor has a PIN."""
    loaded(db, PEOPLE, rules=TWO)
    people.set_pin(db, "SUP", "hash", by=None, rules=TWO, now=NOW)
    return db


def propose(
    db: Database, changes: Mapping[str, str] = CHANGED, *, by: str = "PLAN", folder: str = "/erp"
) -> int:
    result = loaded(db, changes, rules=TWO, diff=True)
    return propose_load.propose(
        db, result, folder=folder, content_hash=content_hash(files(changes)), by=by, rules=TWO,
        now=NOW,
    )  # fmt: skip


def approve(
    db: Database, number: int, changes: Mapping[str, str] = CHANGED, *, by: str = "SUP"
) -> load_master_data.Staged:
    """Apply a proposal as the station does."""
    proposed, agreed = propose_load.agreement_of(db, number, by=by)
    propose_load.require_same(proposed, content_hash(files(changes)))
    staged = load_master_data.stage(db.conn, files(changes), rules=TWO, load_time=LATER)
    for _ in load_master_data.set_down(db, staged):
        pass
    return load_master_data.apply(
        db, staged, rules=TWO, now=LATER, load_time=LATER, person=proposed.person, agreed=agreed,
        conclude=lambda conn: propose_load.conclude_approved(conn, agreed, rules=TWO, now=LATER),
    )  # fmt: skip


def listed(db: Database, **filters: str) -> list[dict[str, object]]:
    return [as_json(one) for one in propose_load.list_proposals(db, filters)]


def leg(db: Database) -> int:
    return int(rows(db, "SELECT quantity_micro / 1000000 FROM bom_line WHERE line = '10'")[0][0])


def test_until_a_supervisor_has_a_pin_one_person_loads(db: Database) -> None:
    """The station is being set up: nobody could agree."""
    loaded(db, PEOPLE, rules=TWO)
    propose_load.require_one_person(db, TWO)
    people.set_pin(db, "SUP", "hash", by=None, rules=TWO, now=NOW)
    with pytest.raises(InputError, match="takes two persons"):
        propose_load.require_one_person(db, TWO)
    propose_load.require_one_person(db, StationRules())


def test_what_one_proposes_another_applies_and_the_log_names_both(station: Database) -> None:
    number = propose(station)
    assert leg(station) == 4
    (row,) = listed(station)
    assert (row["status"], row["proposed_by_name"], row["changes"]) == ("open", "Pia", 1)
    assert row["tables"] == {"bom_lines": [0, 1]}
    assert approve(station, number).faults == []
    assert leg(station) == 3
    (row,) = listed(station)
    assert (row["status"], row["decided_by_name"], row["decided_at"]) == ("approved", "Sue", LATER)
    told = rows(
        station,
        "SELECT type, person, second_person FROM event WHERE type LIKE 'load%' "
        "AND event_seq > 1 ORDER BY event_seq",
    )
    assert told == [
        ("load.proposed", "PLAN", None),
        ("loaded", "PLAN", "SUP"),
        ("load.approved", "PLAN", "SUP"),
    ]
    bodies = [
        json.loads(body)["data"]["detail"]
        for (body,) in rows(station, "SELECT body FROM event WHERE type LIKE 'load%' "
                            "AND event_seq > 1 ORDER BY event_seq")
    ]  # fmt: skip
    assert {body["content_hash"] for body in bodies} == {content_hash(files(CHANGED))}
    assert bodies[0]["changes"] == 1


@pytest.mark.parametrize(
    ("by", "sentence"),
    [("PLAN", "supervisor or a quality"), ("AUD", "supervisor or a quality"),
     ("NOBODY", "supervisor or a quality"), ("SIM", "another person")],
)  # fmt: skip
def test_nobody_applies_a_load_without_the_right_or_their_own(
    station: Database, by: str, sentence: str
) -> None:
    number = propose(station, by="SIM")
    with pytest.raises(InputError, match=sentence):
        approve(station, number, by=by)
    assert leg(station) == 4
    assert listed(station)[0]["status"] == "open"


def test_a_quality_engineer_may_apply_and_an_auditor_proposes_nothing(station: Database) -> None:
    with pytest.raises(InputError, match="auditor"):
        propose(station, by="AUD")
    approve(station, propose(station), by="QA")
    assert leg(station) == 3


def test_a_folder_that_is_not_what_was_proposed_is_not_applied(station: Database) -> None:
    number = propose(station)
    other = {**CHANGED, "bom_lines": BASE["bom_lines"].replace("LEG,4", "LEG,2")}
    with pytest.raises(InputError, match="not what was proposed any more"):
        approve(station, number, other)
    assert leg(station) == 4


def test_a_load_is_applied_once_and_only_while_it_waits(station: Database) -> None:
    number = propose(station)
    propose_load.refuse(station, number, by="SUP", reason="wrong leg", rules=TWO, now=LATER)
    (row,) = listed(station)
    assert (row["status"], row["reason"]) == ("refused", "wrong leg")
    for decide in (lambda: approve(station, number),
                   lambda: propose_load.refuse(station, number, by="SUP", reason=None, rules=TWO,
                                               now=LATER)):  # fmt: skip
        with pytest.raises(InputError, match="refused already"):
            decide()
    assert leg(station) == 4
    with pytest.raises(InputError, match="no proposed load 99"):
        approve(station, 99)


def test_somebody_else_who_was_first_takes_the_whole_load_back(station: Database) -> None:
    """The decision is part of the transaction that applies it (BF-12)."""
    number = propose(station)
    proposed, agreed = propose_load.agreement_of(station, number, by="SUP")
    staged = load_master_data.stage(station.conn, files(CHANGED), rules=TWO, load_time=LATER)
    for _ in load_master_data.set_down(station, staged):
        pass
    propose_load.refuse(station, number, by="QA", reason=None, rules=TWO, now=LATER)
    with pytest.raises(InputError, match="refused already"):
        load_master_data.apply(
            station, staged, rules=TWO, now=LATER, load_time=LATER, person=proposed.person,
            agreed=agreed,
            conclude=lambda conn: propose_load.conclude_approved(
                conn, agreed, rules=TWO, now=LATER
            ),
        )  # fmt: skip
    assert leg(station) == 4


def test_who_proposed_may_take_it_back_and_nobody_else_without_the_right(
    station: Database,
) -> None:
    number = propose(station)
    with pytest.raises(InputError, match="supervisor or a quality"):
        propose_load.refuse(station, number, by="AUD", reason=None, rules=TWO, now=LATER)
    propose_load.refuse(station, number, by="PLAN", reason=None, rules=TWO, now=LATER)
    assert listed(station)[0]["status"] == "refused"


def test_a_folder_waits_once_and_no_more_than_the_bound(
    station: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = propose(station), propose(station)
    assert [(row["id"], row["status"]) for row in listed(station)] == [
        (second, "open"), (first, "replaced"),
    ]  # fmt: skip
    monkeypatch.setattr(propose_load, "OPEN_MAX", 2)
    propose(station, folder="/other")
    with pytest.raises(InputError, match="2 loads wait"):
        propose(station, folder="/third")


def test_the_story_has_what_it_changes_until_it_is_decided(station: Database) -> None:
    number = propose(station)
    (story,) = propose_load.load_story(station, {"id": str(number)})
    assert isinstance(story.diff, LoadDiff)
    assert story.diff.rows[0].columns == {"quantity": ("4", "3")}
    approve(station, number)
    (story,) = propose_load.load_story(station, {"id": str(number)})
    assert (story.proposal.status, story.diff) == ("approved", None)


def test_the_list_pages_from_the_newest_and_finds_a_folder_or_a_person(station: Database) -> None:
    numbers = [propose(station, folder=f"/erp-{n}") for n in range(3)]
    newest = listed(station, limit="2")
    assert [row["id"] for row in newest] == [numbers[2], numbers[1]]
    assert [row["id"] for row in listed(station, after=str(numbers[1]))] == [numbers[0]]
    assert [row["folder"] for row in listed(station, text="ERP-1")] == ["/erp-1"]
    assert len(listed(station, text="pia", status="open")) == 3


def test_the_content_of_a_folder_is_its_names_and_bytes_in_any_order() -> None:
    told = {"a.csv": b"1", "b.csv": b"2"}
    assert content_hash(told) == content_hash(dict(reversed(told.items())))
    others = [{"a.csv": b"12"}, {"a.csv": b"1", "b.csv": b""}, {"a.csv": b"1", "c.csv": b"2"},
              {"a.csvb": b"1", ".csv": b"2"}]  # fmt: skip
    assert len({content_hash(one) for one in (told, *others)}) == 5


def test_two_persons_and_one_give_the_same_tables(station: Database, tmp_path: Path) -> None:
    """Invariant 5: an approved load is the same input as one that a single person loads."""
    approve(station, propose(station))
    alone = open_database(tmp_path / "alone.db")
    loaded(alone, PEOPLE, rules=TWO)
    load(alone, CHANGED, now=LATER)
    for table in ("item", "bom", "bom_line", "work_order", "order_line", "loaded_row", "balance"):
        assert rows(station, f"SELECT * FROM {table}") == rows(alone, f"SELECT * FROM {table}")


def test_the_same_proposals_and_decisions_give_the_same_rows(tmp_path: Path) -> None:
    """Invariant 5: proposing and deciding are inputs like any other."""
    ledgers = []
    for name in ("one", "two"):
        path = shutil.copyfile(empty_database(), tmp_path / f"{name}.db")
        db = open_database(path)
        loaded(db, PEOPLE, rules=TWO)
        people.set_pin(db, "SUP", "hash", by=None, rules=TWO, now=NOW)
        propose_load.refuse(db, propose(db, folder="/a"), by="QA", reason="no", rules=TWO, now=NOW)
        approve(db, propose(db))
        ledgers.append(whole_ledger(Station(db, TWO)))
    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0]["load_proposal"]) == 2


def test_an_approval_broken_off_anywhere_was_made_or_was_not(tmp_path: Path) -> None:
    """BF-12: the load, who agreed to it and that it was decided are one transaction."""
    base, hurt = tmp_path / "base.db", tmp_path / "hurt.db"
    db = open_database(shutil.copyfile(empty_database(), base))
    loaded(db, PEOPLE, rules=TWO)
    people.set_pin(db, "SUP", "hash", by=None, rules=TWO, now=NOW)
    number = propose(db)
    nothing = whole_ledger(Station(db, TWO))
    db.checkpoint()
    db.close()

    def ends_in(dies_at: int) -> tuple[dict[str, object], int]:
        """Return what an approval left that was broken off at a moment, and how many it has."""
        moments = count(1)
        db = open_database(shutil.copyfile(base, hurt))
        db.conn.set_progress_handler(lambda: next(moments) == dies_at, 10)
        with suppress(SqliteError):
            approve(db, number)
        db.conn.set_progress_handler(None, 0)
        db.close()
        again = open_database(hurt)
        left = whole_ledger(Station(again, TWO))
        again.close()
        return left, next(moments)

    everything, moments = ends_in(0)
    assert everything != nothing
    seen = [ends_in(moment)[0] for moment in range(1, moments, moments // 50)]
    assert all(each in (nothing, everything) for each in seen)
    assert nothing in seen
