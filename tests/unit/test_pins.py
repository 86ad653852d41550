"""People and PINs: who may set one, what a wrong one costs, and what nobody ever sees."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from mes_terminal.domain.people import LOCK_FIRST_S, LOCK_MAX_S, TRIES_FREE, is_pin, lock_s
from mes_terminal.errors import InputError
from mes_terminal.station.signing import hash_of, is_right
from mes_terminal.usecases.authenticate import Try, begin_try, end_try
from mes_terminal.usecases.people import add_person, disable_person, is_set_up, set_pin
from tests.plants import Row, Station, open_station, plant, said

PEOPLE = plant(
    items="item,kind\nLEG,purchased",
    operators="badge,name,role\nAK,Anna,operator\nSUP,Sue,supervisor\nSIM,Simon,supervisor",
)
HASH = "$argon2id$of-a-pin"
"""Use cases keep a hash as they are given it; only the station reads it."""


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """An operator and two supervisors; nobody has a PIN."""
    return open_station(tmp_path, PEOPLE)


def give_pin(station: Station, badge: str, pin_hash: str = HASH, *, by: str | None = None) -> None:
    set_pin(station.db, badge, pin_hash, by=by, rules=station.rules, now=station.now)


def attempt(station: Station, badge: str = "SUP", *, right: bool = False) -> Try:
    """Try a PIN, a second later by the clock."""
    station.clock += timedelta(seconds=1)
    tried = begin_try(station.db, badge, now=station.now)
    end_try(station.db, tried, right=right, rules=station.rules, now=station.now)
    return tried


def add(station: Station, badge: str, name: str = "Ida", *, by: str | None = "SUP") -> None:
    add_person(
        station.db, badge, name=name, role="operator", language=None, by=by,
        rules=station.rules, now=station.now,
    )  # fmt: skip


def disable(station: Station, badge: str, *, by: str | None = "SUP") -> None:
    disable_person(station.db, badge, by=by, rules=station.rules, now=station.now)


def person(station: Station, badge: str) -> Row:
    return next(row for row in station.rows("people") if row["badge"] == badge)


def logged(station: Station) -> list[tuple[str, str | None]]:
    return [
        (row["type"].removeprefix("io.mes-terminal.").removesuffix(".v1"), row["person"])
        for row in station.rows("audit")
        if "operator." in row["type"]
    ]


@pytest.mark.parametrize("text", ["1234", "000000", "123456789012"])
def test_four_to_twelve_digits_are_a_pin(text: str) -> None:
    assert is_pin(text)


@pytest.mark.parametrize("text", ["", "123", "1234567890123", "12a4", "12 4", "١٢٣٤", "1234\n"])
def test_anything_else_is_none_and_costs_no_try(text: str) -> None:
    assert not is_pin(text)
    with pytest.raises(InputError, match="4 to 12 digits"):
        hash_of(text)


def test_a_hash_is_argon2id_with_a_salt_and_knows_its_pin_only() -> None:
    one, other = hash_of("4711"), hash_of("4711")
    assert one.startswith("$argon2id$")
    assert one != other
    assert "4711" not in one
    assert is_right(one, "4711")
    assert not is_right(one, "4712")


def test_a_lock_begins_after_five_and_doubles_to_a_quarter_of_an_hour() -> None:
    assert [lock_s(wrong) for wrong in range(TRIES_FREE)] == [0] * TRIES_FREE
    assert [lock_s(wrong) for wrong in range(5, 12)] == [30, 60, 120, 240, 480, 900, 900]
    assert lock_s(10**9) == LOCK_MAX_S


def test_the_first_pin_is_a_supervisor_s(station: Station) -> None:
    """Nobody can prove anything yet, so nobody must."""
    with pytest.raises(InputError, match="first PIN is a supervisor's"):
        give_pin(station, "AK")
    assert not is_set_up(station.db)
    give_pin(station, "SUP")
    assert is_set_up(station.db)
    with pytest.raises(InputError, match="later ones need"):
        give_pin(station, "SIM")
    with pytest.raises(InputError, match="later ones need"):
        give_pin(station, "SUP")
    assert logged(station) == [("operator.pin_set", "SUP")]


def test_later_pins_come_from_their_owner_or_a_supervisor(station: Station) -> None:
    """A lost one is reset by another supervisor."""
    give_pin(station, "SUP")
    give_pin(station, "AK", by="SUP")
    give_pin(station, "AK", by="AK")
    with pytest.raises(InputError, match="Only a supervisor"):
        give_pin(station, "SUP", by="AK")
    give_pin(station, "SIM", by="SUP")
    give_pin(station, "SUP", by="SIM")
    details = [row["event"]["data"]["detail"]["pin"] for row in station.rows("audit")
               if "pin_set" in row["type"]]  # fmt: skip
    assert details == ["first", "first", "changed", "first", "reset"]


def test_no_hash_is_in_any_list_or_event(station: Station) -> None:
    give_pin(station, "SUP")
    with pytest.raises(InputError):
        attempt(station)
    told = json.dumps([station.rows(name) for name in ("people", "audit", "outbox", "operators")])
    assert HASH not in told
    assert person(station, "SUP")["has_pin"] is True
    assert person(station, "AK")["has_pin"] is False


def test_a_wrong_pin_is_told_counted_and_logged(station: Station) -> None:
    """The log has the badge that was held, and no person: nobody proved to be one."""
    give_pin(station, "SUP")
    with pytest.raises(InputError, match=r"not the PIN of SUP\. Nothing was done\. 4 more"):
        attempt(station)
    assert logged(station)[-1] == ("operator.pin_refused", None)
    assert attempt(station, right=True).wrong == 2
    assert attempt(station, right=True).wrong == 1, "a right one forgets the wrong ones"


def test_five_wrong_pins_lock_it_for_everybody(station: Station) -> None:
    """Even the right one must wait; another supervisor's new PIN ends it."""
    give_pin(station, "SUP")
    give_pin(station, "SIM", by="SUP")
    for _ in range(TRIES_FREE):
        with pytest.raises(InputError, match="not the PIN"):
            attempt(station)
    with pytest.raises(InputError, match=r"locked after 5 wrong tries\. Wait"):
        attempt(station, right=True)
    station.clock += timedelta(seconds=LOCK_FIRST_S)
    with pytest.raises(InputError, match="locked for 60 s"):
        attempt(station)
    station.clock += timedelta(seconds=59)
    with pytest.raises(InputError, match="locked after 6"):
        begin_try(station.db, "SUP", now=station.now)
    give_pin(station, "SUP", by="SIM")
    assert attempt(station, right=True).wrong == 1
    assert person(station, "SUP")["locked_until"] is None


def test_a_stop_in_the_middle_of_a_try_counts_as_wrong(station: Station) -> None:
    """Pulling the plug, or trying side by side, gives no free guesses."""
    give_pin(station, "SUP")
    for _ in range(TRIES_FREE):
        begin_try(station.db, "SUP", now=station.now)
    with pytest.raises(InputError, match="locked"):
        begin_try(station.db, "SUP", now=station.now)


def test_a_pin_that_was_changed_meanwhile_proves_nothing(station: Station) -> None:
    give_pin(station, "SUP")
    tried = begin_try(station.db, "SUP", now=station.now)
    give_pin(station, "SUP", HASH + "new", by="SUP")
    with pytest.raises(InputError, match="not the PIN"):
        end_try(station.db, tried, right=True, rules=station.rules, now=station.now)


def test_a_clock_that_is_set_back_prolongs_no_lock(station: Station) -> None:
    """BF-33: else a flat battery would lock a supervisor out for years."""
    give_pin(station, "SUP")
    for _ in range(TRIES_FREE):
        with pytest.raises(InputError):
            attempt(station)
    station.clock -= timedelta(days=400)
    assert attempt(station, right=True).wrong == TRIES_FREE + 1


def test_a_person_is_added_by_a_supervisor(station: Station) -> None:
    """At set-up by anybody."""
    add(station, "OP-1", by=None)
    give_pin(station, "SUP")
    with pytest.raises(InputError, match="Only a supervisor"):
        add(station, "OP-2", by=None)
    with pytest.raises(InputError, match="Only a supervisor"):
        add(station, "OP-2", by="AK")
    add(station, "OP-2")
    assert said(station.scan("B:OP-2")) == ("recorded", None)
    with pytest.raises(InputError, match="is Ida's already"):
        add(station, "OP-2")
    for wrong in ("", " X", "A\x1bB", "X" * 65):
        with pytest.raises(InputError, match="characters that print"):
            add(station, wrong)
    assert logged(station)[-1] == ("operator.added", "SUP")


def test_a_disabled_badge_opens_nothing_and_keeps_its_past(station: Station) -> None:
    """People are never deleted; a nightly load does not bring them back."""
    give_pin(station, "SUP")
    give_pin(station, "AK", by="SUP")
    station.scan("B:AK")
    disable(station, "AK")
    assert said(station.scan("B:AK")) == ("rejected", "not_authorised")
    assert said(station.scan("LEG", badge="AK")) == ("rejected", "not_authorised")
    assert station.db.conn.execute("SELECT badge FROM station_state").fetchone() == (None,)
    with pytest.raises(InputError, match="not known here"):
        begin_try(station.db, "AK", now=station.now)
    station.load(PEOPLE, at=station.now)
    assert person(station, "AK")["disabled_at"] is not None
    assert [row["badge"] for row in station.rows("operators")] == ["SIM", "SUP"]
    add(station, "AK", "Anna")
    assert said(station.scan("B:AK")) == ("recorded", None)
    assert person(station, "AK")["has_pin"] is False, "coming back needs a new PIN"
    assert [kind for kind, _ in logged(station)][-2:] == ["operator.disabled", "operator.enabled"]


def test_the_last_supervisor_with_a_pin_stays(station: Station) -> None:
    """Else nobody could ever give a PIN again."""
    give_pin(station, "SUP")
    with pytest.raises(InputError, match="last supervisor with a PIN"):
        disable(station, "SUP")
    give_pin(station, "SIM", by="SUP")
    disable(station, "SUP", by="SIM")
    with pytest.raises(InputError, match="Only a supervisor"):
        disable(station, "SIM", by="SUP")
