"""A cost sheet from facts, worked out by head: BF-38, and what BF-26 to BF-30 add to it.

A chair takes 4 legs at 3.20 and, once for the order, a template at 7.50. It is cut (operation 10:
30 minutes of set-up, 6 minutes a chair) and glued (20: 3 minutes for 2 chairs), at 40 an hour of
labour and 10 of overhead; the template belongs to 10, the legs to 20.
"""

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.cost_facts import (
    CostedOperation,
    CostFacts,
    Issue,
    Need,
    OutputFacts,
    Price,
    Use,
)
from mes_terminal.domain.costing import CostSheet, Missing, cost_sheet
from mes_terminal.domain.currency import format_money, minor_places

ONE = 1_000_000
LEG = Price("LEG", "pcs", 3_200_000)
TEMPLATE = Price("TEMPLATE", "pcs", 7_500_000)
LEGS = Need(
    line="20", price=LEG, operation="20", net=Fraction(4), gross=Fraction(4), step_micro=ONE
)
TEMPLATES = Need(
    line="10",
    price=TEMPLATE,
    operation="10",
    per_unit=False,
    net=Fraction(ONE),
    gross=Fraction(ONE),
    step_micro=ONE,
)


def took(line: Need, count: int, use: Use = "issue", price: Price | None = None) -> Issue:
    return Issue(line.line, price or line.price, use, count * ONE)


def operation(name: str, good: int, scrapped: int = 0, **more: Any) -> CostedOperation:
    times: dict[str, dict[str, int]] = {
        "10": {"setup_minutes_micro": 30 * ONE, "run_minutes_micro": 6 * ONE},
        "20": {"run_minutes_micro": 3 * ONE, "run_basis_micro": 2 * ONE},
    }
    given: dict[str, Any] = {
        "work_centre": f"WC-{name}",
        "labour_rate_micro": 40 * ONE,
        "overhead_rate_micro": 10 * ONE,
        **times[name],
        **more,
    }
    return CostedOperation(
        operation=name, position=int(name), good_micro=good * ONE, scrapped_micro=scrapped * ONE,
        **given,
    )  # fmt: skip


def chairs(good: int = 10, **changes: Any) -> CostFacts:
    """Return the facts of an order of which `good` chairs were made, and nothing else."""
    facts = CostFacts(
        good_micro=good * ONE,
        needs=(TEMPLATES, LEGS),
        issues=(took(TEMPLATES, 1), took(LEGS, 4 * good)),
        operations=(operation("10", good), operation("20", good)),
    )
    return msgspec.structs.replace(facts, **changes)


def told(sheet: CostSheet) -> list[tuple[str, str | None, str, int | None]]:
    """Return (kind, item or operation, quantity, cost) of each line."""
    return [
        (line.kind, line.item or line.operation, str(line.quantity_micro / ONE), cost)
        for line, cost in sheet.lines
    ]


def costs(facts: CostFacts, places: int = 2) -> CostSheet:
    sheet = cost_sheet(facts, places=places)
    assert sum(cost for _, cost in sheet.lines if cost is not None) == sheet.total
    return sheet


def test_an_order_costs_its_material_its_hours_and_its_overhead() -> None:
    """BF-38: 1 template, 40 legs; 0.5 h of set-up, 1 h of cutting, 0.25 h of gluing."""
    sheet = costs(chairs())
    assert told(sheet) == [
        ("material", "TEMPLATE", "1", 750),
        ("material", "LEG", "40", 12800),
        ("setup", "10", "1/2", 2000),
        ("labour", "10", "1", 4000),
        ("labour", "20", "1/4", 1000),
        ("overhead", "10", "3/2", 1500),
        ("overhead", "20", "1/4", 250),
    ]
    assert (sheet.total, sheet.standard, sheet.usage_variance, sheet.variance) == (
        22300, 22300, 0, 0,
    )  # fmt: skip
    assert sheet.missing == ()


def test_nothing_reported_costs_nothing() -> None:
    """BF-38: no set-up either."""
    sheet = costs(chairs(0, issues=()))
    assert (sheet.lines, sheet.total, sheet.standard) == ((), 0, 0)


def test_a_price_unit_prices_so_many() -> None:
    """BF-38, `cost_per`: 100 spokes cost 8.49, so 36 cost 3.0564."""
    spoke = Price("SPOKE", "pcs", 8_490_000, 100 * ONE)
    facts = CostFacts(good_micro=ONE, issues=(Issue("10", spoke, "issue", 36 * ONE),))
    assert costs(facts).total == 306
    assert costs(facts, places=3).total == 3056
    assert costs(facts, places=0).total == 3


def test_scrapped_units_stand_by_themselves_with_what_went_into_them() -> None:
    """BF-26, BF-38: 8 good, 2 scrapped at the gluing. Set-up and template are for the good ones."""
    facts = chairs(
        8, scrapped_micro=2 * ONE, issues=(took(TEMPLATES, 1), took(LEGS, 40)),
        operations=(operation("10", 10), operation("20", 8, 2)),
    )  # fmt: skip
    sheet = costs(facts)
    assert told(sheet) == [
        ("material", "TEMPLATE", "1", 750),
        ("material", "LEG", "32", 10240),
        ("setup", "10", "1/2", 2000),
        ("labour", "10", "4/5", 3200),
        ("labour", "20", "1/5", 800),
        ("overhead", "10", "13/10", 1300),
        ("overhead", "20", "1/5", 200),
        ("unit_scrap", "LEG", "8", 2560),
        ("unit_scrap", "10", "1/5", 800),
        ("unit_scrap", "10", "1/5", 200),
        ("unit_scrap", "20", "1/20", 200),
        ("unit_scrap", "20", "1/20", 50),
    ]
    assert sheet.usage_variance == 0, "the snapshot requires legs for scrapped units too"
    assert sheet.variance == 2560 + 800 + 200 + 200 + 50


def test_what_scrapped_units_took_is_one_line_issued_or_owed() -> None:
    """BF-20, BF-26: half of the 40 legs is owed."""
    facts = chairs(
        8, scrapped_micro=2 * ONE, issues=(took(LEGS, 20), took(LEGS, 20, "owed")), operations=()
    )  # fmt: skip
    assert told(costs(facts)) == [
        ("material", "LEG", "16", 5120),
        ("owed", "LEG", "16", 5120),
        ("unit_scrap", "LEG", "8", 2560),
    ]


def test_units_scrapped_early_took_nothing_of_the_later_operations() -> None:
    """BF-26: 2 of 10 are scrapped at the cutting; only 8 get legs and are glued."""
    facts = chairs(
        8, scrapped_micro=2 * ONE, issues=(took(TEMPLATES, 1), took(LEGS, 32)),
        operations=(operation("10", 8, 2), operation("20", 8)),
    )  # fmt: skip
    sheet = costs(facts)
    assert [line for line in told(sheet) if line[0] == "unit_scrap"] == [
        ("unit_scrap", "10", "1/5", 800),
        ("unit_scrap", "10", "1/5", 200),
    ]
    assert ("material", "LEG", "32", 10240) in told(sheet)
    assert (sheet.usage_variance, sheet.variance) == (0, 1000)


def test_a_line_without_operation_is_taken_at_the_last_one() -> None:
    """BF-11, BF-26."""
    no_operation = msgspec.structs.replace(LEGS, operation=None)
    facts = chairs(
        8, scrapped_micro=2 * ONE, needs=(TEMPLATES, no_operation), issues=(took(LEGS, 40),),
        operations=(operation("10", 10), operation("20", 8, 2)),
    )  # fmt: skip
    assert ("unit_scrap", "LEG", "8", 2560) in told(costs(facts))
    without_routing = msgspec.structs.replace(facts, operations=())
    assert ("unit_scrap", "LEG", "8", 2560) in told(costs(without_routing))


def test_a_line_is_due_with_the_next_backflush_point() -> None:
    """BF-11: 6 of 10 cut chairs are glued, 1 was scrapped after the cutting, which posts nothing:
    the template and 28 legs are due; the cutting of all 10 has been paid for."""
    early = msgspec.structs.replace(LEGS, operation="10")
    facts = CostFacts(
        good_micro=6 * ONE, scrapped_micro=ONE, needs=(early,), issues=(took(early, 28),),
        operations=(operation("10", 9, 1, is_backflush_point=False), operation("20", 6)),
    )  # fmt: skip
    sheet = costs(facts)
    assert sheet.usage_variance == 0
    assert [line for line in told(sheet) if line[1] in ("LEG", "10")] == [
        ("material", "LEG", "24", 7680),
        ("setup", "10", "1/2", 2000),
        ("labour", "10", "9/10", 3600),
        ("overhead", "10", "7/5", 1400),
        ("unit_scrap", "LEG", "4", 1280),
        ("unit_scrap", "10", "1/10", 400),
        ("unit_scrap", "10", "1/10", 100),
    ]


def test_planned_reported_and_extra_stand_in_lines_of_their_own() -> None:
    """BF-38: extra parts and scrap beyond the plan are usage variance, planned scrap is not."""
    with_scrap = msgspec.structs.replace(LEGS, gross=Fraction(408, 100))
    facts = chairs(
        50, needs=(TEMPLATES, with_scrap), operations=(),
        issues=(took(TEMPLATES, 1), took(LEGS, 200), took(LEGS, 4, "planned_scrap"),
                took(LEGS, 3, "reported_scrap"), took(LEGS, 2, "extra"),
                took(LEGS, 1, "rework"), Issue(None, TEMPLATE, "extra", ONE)),
    )  # fmt: skip
    sheet = costs(facts)
    assert told(sheet) == [
        ("material", "TEMPLATE", "1", 750),
        ("material", "LEG", "200", 64000),
        ("planned_scrap", "LEG", "4", 1280),
        ("reported_scrap", "LEG", "3", 960),
        ("extra", "TEMPLATE", "1", 750),
        ("extra", "LEG", "2", 640),
        ("rework", "LEG", "1", 320),
    ]
    assert sheet.usage_variance == 960 + 640 + 750 + 320
    assert sheet.standard == 750 + 64000 + 1280


def test_what_is_owed_costs_as_if_it_were_booked() -> None:
    """BF-20: the chair stands there, so its legs are gone."""
    facts = chairs(issues=(took(TEMPLATES, 1), took(LEGS, 28), took(LEGS, 12, "owed")))
    sheet = costs(facts)
    assert ("owed", "LEG", "12", 3840) in told(sheet)
    assert (sheet.total, sheet.usage_variance) == (22300, 0)


def test_issued_by_hand_and_by_backflush_are_one_line() -> None:
    """BF-10: 30 legs by the reports, 10 by hand."""
    facts = chairs(issues=(took(TEMPLATES, 1), took(LEGS, 30), took(LEGS, 12), took(LEGS, -2)))
    assert told(costs(facts)) == told(costs(chairs()))


def test_what_a_line_took_without_a_report_follows_from_its_total() -> None:
    """BF-22, BF-27: 40 legs in all, of which reports say 28, and 5 scrapped, 2 of them as planned;
    the template's total is what was made before go-live."""
    legs = msgspec.structs.replace(LEGS, issued_micro=48 * ONE, scrapped_micro=5 * ONE)
    template = msgspec.structs.replace(TEMPLATES, issued_micro=ONE, scrapped_micro=0)
    facts = chairs(
        before_micro=2 * ONE, needs=(template, legs), operations=(),
        issues=(took(LEGS, 28), took(LEGS, 2, "planned_scrap")),
    )  # fmt: skip
    assert told(costs(facts)) == [
        ("material", "LEG", "40", 12800),
        ("planned_scrap", "LEG", "2", 640),
        ("reported_scrap", "LEG", "3", 960),
    ]


def test_a_substitute_counts_for_its_line_as_what_it_stood_for() -> None:
    """BF-29: of 40 legs taken the reports name 20 as 40 half-legs; the other 20 are legs."""
    legs = msgspec.structs.replace(LEGS, issued_micro=40 * ONE)
    half = Issue("20", Price("HALF-LEG", "pcs", ONE), "issue", 40 * ONE, 20 * ONE)
    sheet = costs(chairs(needs=(TEMPLATES, legs), issues=(took(TEMPLATES, 1), half)))
    assert told(sheet)[1:3] == [
        ("material", "HALF-LEG", "40", 4000),
        ("material", "LEG", "20", 6400),
    ]


def test_a_substitute_costs_its_own_standard() -> None:
    """BF-29: 20 stools' legs at 1.00 instead of 10 legs save 12.00."""
    stool_leg = Price("STOOL-LEG", "pcs", ONE)
    facts = chairs(issues=(took(TEMPLATES, 1), took(LEGS, 30), took(LEGS, 20, price=stool_leg)))
    assert costs(facts).usage_variance == 2000 - 3200


def test_a_by_product_is_credited_at_its_standard() -> None:
    """BF-30, BF-38: 0.5 kg of chips a chair at 0.40; 4 kg came instead of 5."""
    chips = OutputFacts(
        line="90", role="by_product", price=Price("CHIPS", "kg", 400_000), net=Fraction(1, 2),
        quantity_micro=4 * ONE,
    )  # fmt: skip
    sheet = costs(chairs(outputs=(chips,)))
    assert told(sheet)[-1] == ("by_product", "CHIPS", "-4", -160)
    assert (sheet.total, sheet.standard, sheet.variance) == (22140, 22100, 40)
    assert sheet.usage_variance == 0


def test_a_co_product_takes_its_share_of_what_the_by_product_leaves() -> None:
    """BF-30: 223.00 less 2.00 is 221.00, of which the stools take 30 %."""
    outputs = (
        OutputFacts(line="80", role="co_product", price=Price("STOOL", "pcs", None),
                    net=Fraction(1), quantity_micro=10 * ONE, share_pct_micro=30 * ONE),
        OutputFacts(line="90", role="by_product", price=Price("CHIPS", "kg", 400_000),
                    net=Fraction(1, 2), quantity_micro=5 * ONE),
    )  # fmt: skip
    sheet = costs(chairs(outputs=outputs))
    assert told(sheet)[-2:] == [
        ("by_product", "CHIPS", "-5", -200),
        ("co_product", "STOOL", "-10", -6630),
    ]
    assert (sheet.total, sheet.variance) == (15470, 0)
    assert sheet.missing == (), "a share needs no standard cost"


@pytest.mark.parametrize(
    ("facts", "kinds", "missing"),
    [
        (
            chairs(issues=(took(LEGS, 40, price=Price("LEG", "pcs", None)), took(TEMPLATES, 1))),
            ["material"],
            [Missing("item", "LEG", "standard_cost")],
        ),
        (
            chairs(operations=(operation("10", 10, labour_rate_micro=None),)),
            ["setup", "labour"],
            [Missing("work_centre", "WC-10", "labour_rate")],
        ),
        (
            chairs(operations=(operation("20", 10, overhead_rate_micro=None),)),
            ["overhead"],
            [Missing("work_centre", "WC-20", "overhead_rate")],
        ),
        (
            chairs(operations=(
                operation("20", 10, work_centre=None, labour_rate_micro=None,
                          overhead_rate_micro=None),
            )),
            ["labour", "overhead"],
            [Missing("operation", "20", "work_centre")],
        ),
    ],
)  # fmt: skip
def test_what_has_no_price_is_told_and_never_counts_as_nothing(
    facts: CostFacts, kinds: list[str], missing: list[Missing]
) -> None:
    """BF-38."""
    sheet = costs(facts)
    assert [line.kind for line, cost in sheet.lines if cost is None] == kinds
    assert list(sheet.missing) == missing


def test_what_should_have_been_used_must_have_a_price_too() -> None:
    """BF-38: a variance against a requirement without price says nothing."""
    need = msgspec.structs.replace(LEGS, price=Price("LEG", "pcs", None))
    sheet = costs(chairs(needs=(TEMPLATES, need), issues=(took(TEMPLATES, 1),)))
    assert sheet.missing == (Missing("item", "LEG", "standard_cost"),)


def test_a_rate_of_zero_is_a_rate() -> None:
    sheet = costs(chairs(operations=(operation("10", 10, overhead_rate_micro=0),)))
    assert sheet.missing == ()
    assert told(sheet)[-1] == ("overhead", "10", "3/2", 0)


def test_bulk_is_neither_cost_nor_required() -> None:
    """BF-10: it is shown and never posted."""
    bulk = msgspec.structs.replace(LEGS, bulk=True, price=Price("GREASE", "kg", None))
    sheet = costs(chairs(needs=(TEMPLATES, bulk), issues=(took(TEMPLATES, 1),)))
    assert (sheet.usage_variance, sheet.missing) == (0, ())


def test_a_manual_line_that_nobody_issued_is_usage_that_lacks() -> None:
    """BF-10, BF-38."""
    sheet = costs(chairs(issues=(took(TEMPLATES, 1),)))
    assert sheet.usage_variance == -12800


def test_what_was_made_before_go_live_costs_nothing_here() -> None:
    """Its set-up and its template are not this station's either; the steps count on."""
    half = msgspec.structs.replace(LEGS, net=Fraction(1, 4), gross=Fraction(1, 4))
    facts = chairs(
        3, before_micro=2 * ONE, needs=(TEMPLATES, half), issues=(took(half, 1),),
        operations=(operation("10", 3),),
    )  # fmt: skip
    sheet = costs(facts)
    assert [line[0] for line in told(sheet)] == ["material", "labour", "overhead"]
    assert (sheet.usage_variance, sheet.variance) == (0, 0), "5 chairs take 2, and 2 took 1"


def test_a_changed_order_line_is_measured_by_what_it_was() -> None:
    """BF-7: 4 legs a chair for 10 chairs, then 5 for the next 6; a line went with 10 taken."""
    changed = msgspec.structs.replace(
        LEGS, net=Fraction(5), gross=Fraction(5), since_micro=10 * ONE, carried_micro=40 * ONE
    )
    gone = msgspec.structs.replace(LEGS, line="30", net=Fraction(0), gross=Fraction(0))
    facts = CostFacts(
        good_micro=16 * ONE, needs=(changed, gone), issues=(took(changed, 70), took(gone, 10))
    )
    assert (costs(facts).usage_variance, costs(facts).variance) == (0, 0)
    more = msgspec.structs.replace(facts, issues=(took(changed, 71), took(gone, 10)))
    assert costs(more).usage_variance == 320


def test_good_units_of_before_a_change_are_measured_by_what_was_taken_then() -> None:
    """BF-7: 10 chairs took 40 legs, then 2 took 10; 6 are good: 24 legs are their standard."""
    changed = msgspec.structs.replace(
        LEGS, net=Fraction(5), gross=Fraction(5), since_micro=10 * ONE, carried_micro=40 * ONE
    )
    facts = CostFacts(
        good_micro=6 * ONE, scrapped_micro=6 * ONE, needs=(changed,), issues=(took(changed, 50),)
    )
    assert (costs(facts).standard, costs(facts).usage_variance) == (7680, 0)


def test_the_running_total_is_rounded_and_not_each_line() -> None:
    """BF-38, like BF-4: three lines of a third of a cent are one cent in all."""
    third = Price("THIRD", "pcs", 10_000, 3 * ONE)
    facts = CostFacts(
        good_micro=ONE, issues=tuple(Issue(str(n), third, "issue", ONE) for n in range(1, 7))
    )
    assert [cost for _, cost in costs(facts).lines] == [0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [("EUR", 1250, "12.50"), ("EUR", -5, "-0.05"), ("JPY", 1250, "1250"), ("JPY", -5, "-5"),
     ("KWD", 1250, "1.250"), ("CLF", 1, "0.0001"), ("USD", 0, "0.00")],
)  # fmt: skip
def test_money_has_the_places_of_its_currency(currency: str, minor: int, text: str) -> None:
    """ISO 4217."""
    assert format_money(minor, minor_places(currency)) == text
