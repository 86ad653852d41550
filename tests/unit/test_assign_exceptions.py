"""Exceptions given to a person by name (issue 5, 1): one by one, or all at the end of a shift."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.resolving import Assigned
from mes_terminal.errors import InputError
from mes_terminal.station.desk_requests import AssignOrder, ResolveOrder
from mes_terminal.usecases.assign_exceptions import assign_exceptions, hand_over
from tests.plants import Station, open_station, plant

PLANT = plant(
    items="item\nCHAIR\nLEG",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
    operators="""
        badge,name,role
        SUP,Sue,supervisor
        BEA,Bea,supervisor
        QA,Kim,quality
        AK,Anna,operator
        """,
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """A shortage (1), an unknown code (2), and an expired lot (3), which quality may end."""
    station = open_station(tmp_path, PLANT)
    station.scan("WO-1")
    station.scan("NO-SUCH-CODE")
    station.db.conn.execute(
        "INSERT INTO exception (kind, severity, subject, opened_at, opened_event_seq, cause_code) "
        "VALUES ('lot_expired', 'warn', 'line:1', ?, 1, 'lot_expired:let_pass')",
        [station.now],
    )
    return station


def assign(station: Station, *ids: int, to: str = "AK", by: str = "SUP") -> list[Assigned]:
    return assign_exceptions(station.db, ids, to=to, by=by, rules=station.rules, now=station.now)


def whose(station: Station) -> list[str | None]:
    rows = station.db.conn.execute("SELECT assigned FROM exception ORDER BY exception_id")
    return [row[0] for row in rows]


def test_the_log_says_who_gave_what_to_whom(station: Station) -> None:
    told = assign(station, 1, 2, 2)
    assert [(each.id, each.outcome, each.message) for each in told] == [
        (1, "assigned", "shortage goes to Anna"), (2, "assigned", "unknown_code goes to Anna"),
    ]  # fmt: skip
    assert whose(station) == ["AK", "AK", None]
    (event,) = station.rows("audit", type="exception.assigned")
    assert event["person"] == "SUP"
    assert event["event"]["data"]["detail"] == {"to": "AK", "exceptions": [1, 2]}
    assert station.faults() == []


def test_only_who_may_end_an_exception_may_give_it_away(station: Station) -> None:
    """BF-23: quality what is about lots, an operator nothing."""
    assert [each.outcome for each in assign(station, 1, 3, by="QA")] == ["refused", "assigned"]
    before = station.ledger()
    assert [each.outcome for each in assign(station, 1, by="AK")] == ["refused"]
    assert station.ledger() == before, "a refusal writes nothing"
    assert whose(station) == [None, None, "AK"]


def test_what_has_ended_is_told_and_stays(station: Station) -> None:
    station.scan("%UNDO")
    (told,) = assign(station, 1)
    assert (told.outcome, told.message[:12]) == ("already_done", "It has ended")


@pytest.mark.parametrize(
    ("ids", "to", "by", "why"),
    [
        ((4711,), "AK", "SUP", "There is no exception 4711"),
        ((1,), "NIL", "SUP", "badge 'NIL' is not known"),
        ((1,), "AK", "NIL", "badge 'NIL' is not known"),
        ((), "AK", "SUP", "1 to 100"),
        (tuple(range(1, 102)), "AK", "SUP", "1 to 100"),
    ],
)
def test_what_there_is_not_is_refused_as_a_whole(
    station: Station, ids: tuple[int, ...], to: str, by: str, why: str
) -> None:
    before = station.ledger()
    with pytest.raises(InputError, match=why):
        assign(station, *ids, to=to, by=by)
    assert station.ledger() == before


def test_a_hand_over_gives_what_is_nobodys_and_the_givers_own(station: Station) -> None:
    """The end of a shift: what is another's by name stays theirs."""
    assign(station, 1, to="SUP")
    assign(station, 2, to="QA")
    words: dict[str, Any] = {"to": "BEA", "rules": station.rules, "now": station.now}
    with station.db.transaction() as conn:
        assert hand_over(conn, by="SUP", **words) == 2
    assert whose(station) == ["BEA", "QA", "BEA"]
    events = len(station.rows("audit"))
    with station.db.transaction() as conn:
        assert hand_over(conn, by="SUP", **words) == 0
    assert len(station.rows("audit")) == events, "nothing to hand over is no event"
    assert station.faults() == []


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**70])
def test_a_number_that_no_exception_can_have_is_no_request(number: int) -> None:
    """A forged client gets a sentence, not a fault of the program."""
    asked = {"ids": [number], "to": "AK", "badge": "SUP", "pin": "4711"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(asked, AssignOrder)
    decided = {"ids": [number], "decision": {"how": "post"}}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(decided, ResolveOrder)
