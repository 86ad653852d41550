"""Quantities are exact, and every split of an order consumes what one report does (BF-1, BF-4)."""

from fractions import Fraction
from math import ceil, floor
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mes_terminal.domain.quantity import (
    QUANTITY_MAX_MICRO,
    QuantityError,
    ceil_to_step,
    floor_to_step,
    format_quantity,
    parse_quantity,
    step_micro,
)
from tests.model.model import Model
from tests.model.random_plants import RandomPlant, random_plant
from tests.model.values import text
from tests.plants import Station, empty_database, memory_folder, open_station

MICRO = st.integers(-QUANTITY_MAX_MICRO, QUANTITY_MAX_MICRO)
COUNTS = st.integers(0, 10**12)
SPLITS = settings(max_examples=60, deadline=None, derandomize=True)


@given(MICRO)
@example(QUANTITY_MAX_MICRO)
@example(-1)
@example(0)
def test_a_quantity_written_is_the_quantity_read(micro: int) -> None:
    """BF-1, and the text is the shortest: no exponent, no trailing zero, no `-0`."""
    written = format_quantity(micro)
    assert parse_quantity(written) == micro
    assert written == text(Fraction(micro, 10**6))
    assert written == "0" or not written.startswith("-0") or "." in written


@given(st.text(alphabet="0123456789.-+eE_ ٣,", max_size=24))
def test_only_an_exact_decimal_is_read(written: str) -> None:
    """BF-1: what Python reads as this very fraction, with at most six places, or an error."""
    try:
        micro = parse_quantity(written)
    except QuantityError:
        return
    assert set(written) <= set("-.0123456789")
    assert Fraction(written) == Fraction(micro, 10**6)


@pytest.mark.parametrize(
    "written", ["", " 1", "1 ", "1.", ".5", "+1", "1e3", "1_000", "0.0000001", "--1", "1,5", "NaN",
                "9223372036854.775808", "99999999999999999999"],
)  # fmt: skip
def test_what_is_no_exact_quantity_is_refused(written: str) -> None:
    """BF-1: more than six places or 64 bits among it."""
    with pytest.raises(QuantityError):
        parse_quantity(written)


@given(COUNTS, st.integers(1, 10**12), st.integers(0, 6))
def test_rounding_stays_within_a_step_and_is_a_multiple(
    numerator: int, denominator: int, decimals: int
) -> None:
    """BF-4."""
    step = step_micro(decimals)
    exact = Fraction(numerator, denominator)
    up, down = (round_(numerator, denominator, step) for round_ in (ceil_to_step, floor_to_step))
    assert (up, down) == (ceil(exact / step) * step, floor(exact / step) * step)
    assert down <= exact <= up < exact + step
    assert up % step == down % step == 0


@given(st.lists(COUNTS, min_size=1, max_size=8), st.integers(1, 10**9), st.integers(1, 10**9))
def test_cumulative_targets_do_not_depend_on_the_split(
    parts: list[int], numerator: int, denominator: int
) -> None:
    """BF-4: the differences of a cumulative target sum to the target of the whole."""
    step = step_micro(0)
    taken, made = 0, 0
    for part in parts:
        made += part
        due = ceil_to_step(numerator * made, denominator, step) - taken
        assert due >= 0
        taken += due
    assert taken == ceil_to_step(numerator * sum(parts), denominator, step)


def _plant(seed: int) -> RandomPlant:
    """Return a plant in which every order is open and no shortage blocks."""
    plant = random_plant(f"split:{seed}")
    for name, words in {
        "items.csv": {",block,": ",,"},
        "work_orders.csv": dict.fromkeys(("planned", "hold", "cancelled"), "released"),
    }.items():
        for word, instead in words.items():
            plant.files[name] = plant.files[name].replace(word, instead)
    return plant


def _totals(station: Station) -> dict[tuple[str, str], tuple[int, int]]:
    rows: list[Any] = station.db.conn.execute(
        "SELECT work_order, line, issued_micro + owed_micro, l.scrapped_micro + owed_scrap_micro "
        "FROM order_line l JOIN work_order USING (work_order_id)"
    ).fetchall()
    return {(order, line): (net, scrap) for order, line, net, scrap in rows}


def _close(station: Station, order: str, chance: Random | None) -> None:
    """Close an order in one scan, or in parts by chance: by quantity, by unit, with undos."""
    while station.order(order)["status"] != "closed":
        if chance is not None:
            left = Fraction(station.order(order)["remaining"])
            part = min(left, Fraction(chance.randint(1, 3)))
            station.scan(f"%QTY {text(part)}")
        assert station.scan(order).outcome == "completed"
        if chance is not None and chance.random() < 0.3:
            assert station.scan("%UNDO").outcome == "recorded"


@SPLITS
@given(st.integers(0, 10**6))
def test_any_split_of_an_order_takes_what_one_report_takes(seed: int) -> None:
    """BF-4, invariant 2: issued and owed of each line, and its planned scrap, exactly; and both as
    the rule says, worked out from the BOM."""
    plant = _plant(seed)
    found = []
    for split in (None, Random(seed)):
        with memory_folder() as folder:
            station = open_station(folder, plant.files, template=empty_database())
            for order in plant.orders:
                _close(station, order, split)
            found.append(_totals(station))
            assert station.faults() == []
            station.db.close()
    assert found[0] == found[1]
    model = Model()
    model.load(plant.files, at="2026-11-19T06:00:00.000000Z")
    for each in model.orders.values():
        reported = each.quantity + (each.scrapped_before if each.replace_scrap else 0)
        reported = max(reported, each.completed_before + each.scrapped_before)
        for line in each.lines:
            net, scrap = found[0][each.number, line.path]
            if line.method == "backflush":
                wanted = model.targets(line, reported)
                assert (Fraction(net, 10**6), Fraction(scrap, 10**6)) == wanted
