"""What goes upstream says everything that happened to stock: `reconcile` stands on it."""

from collections import defaultdict
from pathlib import Path
from typing import Final, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.quantity import MICRO, parse_quantity
from mes_terminal.domain.reconcile import (
    Comparison,
    Level,
    PostingText,
    StockKey,
    effects_of,
    read_posting,
)
from mes_terminal.usecases.handle_scan import handle_scan
from tests.model.long_shift import plant_of_shift, scanlog
from tests.model.machine_run import run_machine
from tests.model.shift import Shift
from tests.model.told_stock import assert_all_is_told, stock_of
from tests.property.test_shift_machine import EverythingAtOnce
from tests.property.test_shift_replay import RULES, frames_of

SCANS: Final = 400
"""A shift with some hundred reports, moves, issues by hand, scrap and rework."""


def test_all_postings_of_a_random_shift_come_to_the_stations_stock() -> None:
    """UP-1, BF-31, BF-35: item by item, lot by lot, location by location, and each posting alone.

    The machine asks that at the end of each of its shifts, of more of them in a test of its own.
    """
    run_machine(
        EverythingAtOnce, 400, settings(max_examples=3, stateful_step_count=30, derandomize=True)
    )


def test_all_postings_of_a_long_shift_come_to_the_stations_stock(tmp_path: Path) -> None:
    """UP-1, BF-35: a recorded shift with labels, containers, serials, rework and what goes back."""
    shift = Shift(tmp_path, plant_of_shift(), RULES)
    for frame in frames_of(scanlog("told", SCANS)):
        handle_scan(shift.station.db, shift.station.journal(frame.raw), RULES)
        shift.station.heal()
    told = assert_all_is_told(shift.station.db)
    assert len(told) > SCANS / 10
    assert len(stock_of(shift.station.db)) > 20


PLACES: Final = ("LINE", "FG", "AWAY")
KEYS: Final = st.builds(
    StockKey,
    st.sampled_from(("A", "B")),
    st.sampled_from((None, "L1", "L2")),
    st.none(),
    st.sampled_from(PLACES),
)
USES: Final = ("Produced", "Consumed", "Scrapped", "Received", "Adjusted", "Moved")


@st.composite
def postings(draw: st.DrawFn) -> PostingText:
    """A posting with some actuals, as the station encodes it."""
    actuals = []
    for _ in range(draw(st.integers(0, 3))):
        key, use = draw(KEYS), draw(st.sampled_from(USES))
        actual = key._asdict() | {"use": use, "quantity": str(draw(st.integers(-9, 9)))}
        if use == "Moved":
            actual["from_location"] = draw(st.sampled_from(PLACES))
        actuals.append(actual)
    document = {"id": "e:1", "type": "t", "subject": "s", "data": {"material_actuals": actuals}}
    return read_posting(msgspec.json.encode(document))


Sent = list[tuple[PostingText, str]]
Stock = dict[StockKey, int]


@given(
    st.lists(st.tuples(postings(), st.sampled_from(("sent", "queued", "in_exceptions")))),
    st.dictionaries(KEYS, st.integers(-9, 9).map(lambda whole: whole * MICRO), max_size=3),
    st.sampled_from(get_args(Level)),
)
@settings(max_examples=200, deadline=None)
def test_the_difference_is_always_the_sum_of_its_parts(
    told: Sent, unexplained: Stock, level: Level
) -> None:
    """UP-8: whatever was sent, queued and refused, and whatever else happened upstream."""
    station: Stock = defaultdict(int)
    upstream: Stock = defaultdict(int, unexplained)
    for posting, where in told:
        for key, micro in effects_of(posting):
            station[key] += micro
            upstream[key] += micro if where == "sent" else 0
    comparison = Comparison(level, own=PLACES[:2])
    comparison.add_upstream(upstream.items())
    comparison.add_station(station.items())
    for sequence, (posting, where) in enumerate(told):
        if where != "sent":
            comparison.add_posting(sequence, posting, where, "waiting")  # type: ignore[arg-type]
    left: dict[str, int] = defaultdict(int)
    for row in comparison.rows({}):
        rest = parse_quantity(row.unexplained)
        parts = parse_quantity(row.queued) + parse_quantity(row.in_exceptions) + rest
        assert parse_quantity(row.upstream) - parse_quantity(row.station) == parts
        assert parse_quantity(row.difference) == parts
        behind = sum(parse_quantity(each.quantity) for each in row.postings)
        assert behind == parts - rest
        left[row.item] += rest
    expected: dict[str, int] = defaultdict(int)
    for key, micro in unexplained.items():
        expected[key.item] += micro if key.location in PLACES[:2] else 0
    for item in "AB":
        assert left[item] == expected[item]
