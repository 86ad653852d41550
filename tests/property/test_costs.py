"""Whatever was reported, in whatever parts and order, an order costs what it costs (BF-38)."""

from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any, Final

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mes_terminal.domain.cost_facts import (
    CostedOperation,
    CostFacts,
    Issue,
    Need,
    OutputFacts,
    Price,
)
from mes_terminal.domain.costing import KINDS, CostSheet, cost_sheet
from tests.model.model import Model
from tests.model.random_plants import RandomPlant, random_plant
from tests.model.values import text
from tests.plants import Row, Station, empty_database, memory_folder, open_station

ONE: Final = 1_000_000
SPLITS = settings(max_examples=40, deadline=None, derandomize=True)
VALUES = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
Draw = Callable[..., Any]

MICRO = st.integers(0, 10**12)
SIGNED = st.integers(-(10**12), 10**12)
PER = st.sampled_from([ONE, 3 * ONE, 100 * ONE, 7])
MAYBE = st.none() | MICRO
LINES = ("10", "20", "30.10")
USES = ("issue", "owed", "planned_scrap", "reported_scrap", "extra", "rework")
RATIOS = st.builds(Fraction, MICRO, st.integers(1, 10**9))


@st.composite
def facts(draw: Draw) -> CostFacts:
    """Return an order's facts; its operations agree on what was scrapped where, and an item has
    one price."""
    prices = st.sampled_from([Price(item, "pcs", draw(MAYBE), draw(PER)) for item in "ABC"])
    good, scrapped = draw(MICRO), draw(st.lists(MICRO, min_size=3, max_size=3))
    names = ("10", "20", "30")[: draw(st.integers(0, 3))]
    operations = [
        CostedOperation(
            operation=name,
            position=place,
            is_backflush_point=place == len(names) or draw(st.booleans()),
            work_centre=draw(st.none() | st.just(f"WC{name}")),
            setup_minutes_micro=draw(MICRO),
            run_minutes_micro=draw(MICRO),
            run_basis_micro=draw(PER),
            labour_rate_micro=draw(MAYBE),
            overhead_rate_micro=draw(MAYBE),
            good_micro=good + sum(scrapped[place : len(names)]),
            scrapped_micro=scrapped[place - 1],
        )
        for place, name in enumerate(names, start=1)
    ]
    needs = [
        Need(
            line=line,
            price=draw(prices),
            operation=draw(st.none() | st.sampled_from(["10", "20", "30"])),
            per_unit=draw(st.booleans()),
            net=(net := draw(RATIOS)),
            gross=net * draw(st.sampled_from([Fraction(1), Fraction(51, 50)])),
            step_micro=draw(st.sampled_from([1, 1000, ONE])),
            bulk=draw(st.booleans()),
        )
        for line in LINES
    ]
    issue = st.builds(Issue, st.none() | st.sampled_from(LINES), prices, st.sampled_from(USES),
                      SIGNED)  # fmt: skip
    outputs = [
        OutputFacts(
            line="90",
            role=draw(st.sampled_from(["by_product", "co_product"])),
            price=draw(prices),
            net=draw(RATIOS),
            quantity_micro=draw(MICRO),
            share_pct_micro=draw(st.none() | st.integers(0, 100 * ONE)),
        )
        for _ in range(draw(st.integers(0, 1)))
    ]
    return CostFacts(
        good_micro=good,
        scrapped_micro=sum(scrapped[: len(names)]) if names else scrapped[0],
        before_micro=draw(st.sampled_from([0, 0, 5 * ONE])),
        needs=tuple(needs),
        issues=tuple(draw(st.lists(issue, max_size=8))),
        operations=tuple(operations),
        outputs=tuple(outputs),
    )


def figures(sheet: CostSheet) -> list[Any]:
    return [sheet.lines, sheet.total, sheet.standard, sheet.usage_variance, sheet.missing]


@VALUES
@given(facts(), st.sampled_from([0, 2, 3]))
def test_lines_sum_to_the_total_and_each_is_within_a_minor_unit(
    order: CostFacts, places: int
) -> None:
    """BF-38: rounded cumulatively, like BF-4."""
    sheet = cost_sheet(order, places=places)
    assert sum(cost for _, cost in sheet.lines if cost is not None) == sheet.total
    assert abs(sheet.total - _exact(sheet, places)) <= Fraction(1, 2)
    for line, cost in sheet.lines:
        assert (cost is None) == (line.cost is None)
        if line.cost is not None and cost is not None:
            assert abs(cost - line.cost * 10**places / ONE) <= 1
    kinds = [KINDS.index(line.kind) for line, _ in sheet.lines]
    assert kinds == sorted(kinds)


def _exact(sheet: CostSheet, places: int) -> Fraction:
    known = (line.cost for line, _ in sheet.lines if line.cost is not None)
    return sum(known, Fraction(0)) * Fraction(10) ** places / ONE


@VALUES
@given(facts(), st.randoms(use_true_random=False), st.data())
def test_neither_the_split_nor_the_order_of_what_was_taken_matters(
    order: CostFacts, chance: Random, data: st.DataObject
) -> None:
    """BF-38: each issue in two parts, one of them perhaps taken back and taken again, shuffled."""
    issues: list[Issue] = []
    for issue in order.issues:
        part = data.draw(SIGNED)
        rest = issue.quantity_micro - part
        issues += [msgspec.structs.replace(issue, quantity_micro=micro) for micro in (part, rest)]
    chance.shuffle(issues)
    split = msgspec.structs.replace(order, issues=tuple(issues))
    assert figures(cost_sheet(split, places=2)) == figures(cost_sheet(order, places=2))


@VALUES
@given(facts())
def test_reported_and_taken_back_costs_nothing(order: CostFacts) -> None:
    """BF-31, BF-38: the same again with the opposite sign, and nothing is left of it."""
    back = [
        msgspec.structs.replace(issue, quantity_micro=-issue.quantity_micro)
        for issue in order.issues
    ]
    nothing = msgspec.structs.replace(
        order, good_micro=0, scrapped_micro=0, issues=order.issues + tuple(back),
        operations=tuple(
            msgspec.structs.replace(each, good_micro=0, scrapped_micro=0)
            for each in order.operations
        ),
        outputs=tuple(
            msgspec.structs.replace(each, quantity_micro=0) for each in order.outputs
        ),
    )  # fmt: skip
    sheet = cost_sheet(nothing, places=2)
    assert (sheet.lines, sheet.total, sheet.standard, sheet.variance) == ((), 0, 0, 0)


@VALUES
@given(facts())
def test_units_that_are_scrapped_cost_what_they_cost_before(order: CostFacts) -> None:
    """BF-26: scrap moves cost between lines and changes no total; only what must be good does."""
    good = msgspec.structs.replace(
        order,
        good_micro=order.good_micro + order.scrapped_micro,
        scrapped_micro=0,
        operations=tuple(
            msgspec.structs.replace(
                each, good_micro=each.good_micro + each.scrapped_micro, scrapped_micro=0
            )
            for each in order.operations
        ),
    )
    scrapped, whole = (cost_sheet(each, places=3) for each in (order, good))
    if len({each.scrapped_micro for each in order.operations[:-1]} | {0}) == 1:
        assert scrapped.total == whole.total, "those that reached the end passed everything"
    assert all(line.kind != "unit_scrap" for line, _ in whole.lines)


def _plant(seed: int) -> tuple[RandomPlant, dict[str, Fraction]]:
    """Return a plant in which every order is open and no shortage blocks, and what items cost."""
    plant = random_plant(f"costs:{seed}")
    for name, words in {
        "items.csv": {",block,": ",,"},
        "work_orders.csv": dict.fromkeys(("planned", "hold", "cancelled"), "released"),
    }.items():
        for word, instead in words.items():
            plant.files[name] = plant.files[name].replace(word, instead)
    plant.files.pop("bom_substitutes.csv", None)  # what they cost depends on what stock is there
    chance = Random(seed)
    items = [row.split(",")[0] for row in plant.files["items.csv"].splitlines()[1:]]
    prices = {item: (chance.randint(0, 10**7), chance.choice((1, 3, 100))) for item in items}
    rows = [f"{item},{text(Fraction(c, 10**6))},{per}" for item, (c, per) in prices.items()]
    plant.files["prices"] = "\n".join(["item,standard_cost,cost_per", *rows]) + "\n"
    return plant, {item: Fraction(c, 10**6) / per for item, (c, per) in prices.items()}


def _open(folder: Any, plant: RandomPlant) -> Station:
    files = {name: content for name, content in plant.files.items() if name != "prices"}
    station = open_station(folder, files, template=empty_database())
    station.load({"items.csv": plant.files["prices"]})
    return station


def _report_all(station: Station, orders: list[str], chance: Random | None) -> None:
    """Close the orders one after the other, or in parts in turns by chance, some taken back."""
    waiting = list(orders)
    while waiting:
        order = waiting[0] if chance is None else chance.choice(waiting)
        if chance is not None:
            left = Fraction(station.order(order)["remaining"])
            station.scan(f"%QTY {text(min(left, Fraction(chance.randint(1, 3))))}")
        assert station.scan(order).outcome == "completed"
        if chance is not None and chance.random() < 0.3:
            assert station.scan("%UNDO").outcome == "recorded"
        if station.order(order)["status"] == "closed":
            waiting.remove(order)


def _sums(row: Row) -> tuple[Any, ...]:
    """Return what no split may change; whether a part was issued or owed is not of it."""
    figures = ("good", "total", "per_unit", "standard", "usage_variance", "variance", "incomplete")
    taken: dict[str, Fraction] = {}
    for line in row["lines"]:
        taken[line["line"]] = taken.get(line["line"], Fraction(0)) + Fraction(line["quantity"])
    return (*(str(row[key]) for key in figures), taken)


@SPLITS
@given(st.integers(0, 10**6))
def test_an_order_costs_what_its_targets_cost_however_it_is_reported(seed: int) -> None:
    """BF-38 on the whole station: one report each, or any parts of all orders in turns, with undos;
    and both cost what the model says the lines must have taken (BF-4)."""
    plant, prices = _plant(seed)
    found: list[dict[str, Row]] = []
    for split in (None, Random(seed)):
        with memory_folder() as folder:
            station = _open(folder, plant)
            _report_all(station, list(plant.orders), split)
            found.append({row["work_order"]: row for row in station.rows("order_costs")})
            station.db.close()
    assert {name: _sums(row) for name, row in found[0].items()} == {
        name: _sums(row) for name, row in found[1].items()
    }
    model = Model()
    files = {name: content for name, content in plant.files.items() if name != "prices"}
    model.load(files, at="2026-11-19T06:00:00.000000Z")
    for each in model.orders.values():
        before = each.completed_before + each.scrapped_before
        after = max(before, each.quantity + (each.scrapped_before if each.replace_scrap else 0))
        posted = by_hand = Fraction(0)
        for line in each.lines:
            due = sum(model.targets(line, after)) - sum(model.targets(line, before))
            if line.method == "backflush":
                posted += due * prices[line.item]
            elif line.method == "manual":
                by_hand += due * prices[line.item]
        if each.number in found[0]:
            row = found[0][each.number]
            assert Fraction(row["total"]) == _cents(posted)
            assert Fraction(row["usage_variance"]) == -_cents(by_hand)


def _cents(cost: Fraction) -> Fraction:
    """Return a cost that is not negative in hundredths, a half rounded up."""
    return Fraction((cost * 200 + 1) // 2, 100)
