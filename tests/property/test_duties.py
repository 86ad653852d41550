"""Duties and assignments hold together, whatever the settings, the times and who gives what."""

from typing import Any, Final, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.duties import (
    HOUR_S,
    DutyRule,
    duty_of,
    overdue_before,
    owned_kinds,
)
from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.resolving import may_decide
from mes_terminal.usecases.assign_exceptions import assign_exceptions, hand_over
from tests.plants import Station, empty_database, memory_folder, open_station, plant

KINDS: Final[tuple[ExceptionKind, ...]] = get_args(ExceptionKind)
OPENED: Final = "2026-11-20T08:00:00.000000Z"
texts = st.one_of(st.none(), st.sampled_from(("planner", "SUP-1", "quality")))
rules = st.dictionaries(
    st.sampled_from(KINDS),
    st.builds(
        DutyRule,
        owner=texts,
        due_h=st.one_of(st.none(), st.integers(0, 87_600)),
        escalate_to=texts,
    ),
)


@given(
    kind=st.sampled_from(KINDS), duties=rules, assigned=texts,
    after_s=st.integers(0, 100_000 * HOUR_S),
)  # fmt: skip
def test_an_exception_is_overdue_exactly_when_the_lists_count_it_so(
    kind: ExceptionKind, duties: dict[ExceptionKind, DutyRule], assigned: str | None, after_s: int
) -> None:
    """Issue 5, 1: one rule, whether one exception is asked for or 100,000 are counted."""
    now = plus_seconds(OPENED, after_s)
    duty = duty_of(kind, OPENED, settings=duties, assigned=assigned, now=now)
    before = overdue_before(kind, settings=duties, now=now)
    assert duty.is_overdue == (before is not None and before >= OPENED)
    rule = duties.get(kind, DutyRule())
    assert duty.escalated_to == (rule.escalate_to if duty.is_overdue else None)
    assert duty.owner == (assigned or rule.owner)
    assert (duty.due_at is None) == (rule.due_h is None)
    if assigned is None and rule.owner is not None:
        assert kind in owned_kinds(rule.owner, duties)


PLANT: Final = plant(
    items="item\nCHAIR\nLEG",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released\nWO-2,CHAIR,9,released",
    operators="""
        badge,name,role
        SUP,Sue,supervisor
        QA,Kim,quality
        AK,Anna,operator
        """,
)
GIVERS: Final = {"SUP": "supervisor", "QA": "quality", "AK": "operator"}
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("assign"), st.sets(st.integers(1, 4), min_size=1),
            st.sampled_from(sorted(GIVERS)), st.sampled_from(sorted(GIVERS)),
        ),
        st.tuples(
            st.just("hand_over"), st.none(), st.sampled_from(sorted(GIVERS)),
            st.sampled_from(sorted(GIVERS)),
        ),
    ),
    max_size=6,
)  # fmt: skip


def opened() -> dict[int, ExceptionKind]:
    return {1: "shortage", 2: "shortage", 3: "unknown_code", 4: "lot_expired"}


@settings(max_examples=40, deadline=None)
@given(steps)
def test_the_log_says_whose_every_exception_is(done: list[tuple[Any, ...]]) -> None:
    """What is assigned follows from the events alone, and only who may end it gave it away."""
    with memory_folder() as folder:
        station = open_station(folder, PLANT, template=empty_database())
        for code in ("WO-1", "WO-2", "NO-SUCH-CODE"):
            station.scan(code)
        station.db.conn.execute(
            "INSERT INTO exception (kind, severity, subject, opened_at, opened_event_seq, "
            "cause_code) VALUES ('lot_expired', 'warn', 'x', ?, 1, 'lot_expired:let_pass')",
            [station.now],
        )
        for what, ids, by, to in done:
            _give(station, what, ids, by, to)
        found = station.db.conn.execute("SELECT exception_id, assigned FROM exception").fetchall()
        assert dict(found) == _replayed(station)
        assert station.faults() == []
        station.db.close()


def _give(station: Station, what: str, ids: set[int] | None, by: str, to: str) -> None:
    words: Any = {"to": to, "by": by, "rules": station.rules, "now": station.now}
    if ids is None:
        with station.db.transaction() as conn:
            hand_over(conn, **words)
        return
    given_to = assign_exceptions(station.db, sorted(ids), **words)
    for each in given_to:
        assert (each.outcome == "assigned") == may_decide(GIVERS[by], opened()[each.id])


def _replayed(station: Station) -> dict[int, str | None]:
    """Return whose each exception is by the log: what was named, or all that was the giver's or
    nobody's."""
    whose: dict[int, str | None] = dict.fromkeys(opened())
    for row in station.rows("audit", type="exception.assigned"):
        detail = row["event"]["data"]["detail"]
        for each, kind in opened().items():
            named = each in detail.get("exceptions", ())
            free = whose[each] in (None, row["person"])
            if named or (free and kind in detail.get("all_open_of", ())):
                whose[each] = detail["to"]
    return whose
