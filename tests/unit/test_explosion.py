"""BOM explosion and conversions: the figures by head, the level that decided, every fault."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from mes_terminal.domain.bom import (
    Bom,
    BomLine,
    ItemPolicy,
    Operation,
    Plant,
    WorkCentre,
    find_cycles,
    line_order,
)
from mes_terminal.domain.conversions import Conversion, ConversionFault, Conversions
from mes_terminal.domain.effectivity import effective_on, overlaps
from mes_terminal.domain.explosion import ExplodedLine, Explosion, explode, targets
from mes_terminal.domain.rules import StationRules

UNIT = 1_000_000
DAY = "2026-11-20"


def item(name: str, **policies: Any) -> ItemPolicy:
    policies.setdefault("kind", "phantom" if name.startswith("PH") else "purchased")
    return ItemPolicy(item=name, **policies)


def line(number: str, component: str, quantity: str, **policies: Any) -> BomLine:
    exact = Fraction(quantity) * UNIT
    return BomLine(line=number, component=component, quantity=exact, **policies)


def bom(name: str, *lines: BomLine, makes: int = 1, **dates: Any) -> Bom:
    return Bom(item=name, revision="A", output_micro=makes * UNIT, lines=lines, **dates)


def plant(*boms: Bom, items: tuple[ItemPolicy, ...] = (), **more: Any) -> Plant:
    names = {one.component for each in boms for one in each.lines} | {one.item for one in boms}
    known = {name: item(name) for name in names} | {one.item: one for one in items}
    by_item: dict[str, list[Bom]] = {}
    for one in boms:
        by_item.setdefault(one.item, []).append(one)
    return Plant(items=known, boms=by_item, **more)


def exploded(
    where: Plant, *, rules: StationRules | None = None, work_centre: str | None = None
) -> Explosion:
    return explode(
        where.boms["X"][0],
        where,
        day=DAY,
        work_centre=work_centre,
        rules=rules or StationRules(),
    )


def only(result: Explosion) -> ExplodedLine:
    assert result.faults == ()
    (found,) = result.lines
    return found


def test_phantoms_multiply_down_and_keep_their_path() -> None:
    """BF-6, BF-9: 2 wheels of 36 spokes each are 72 spokes of line 20.10."""
    where = plant(bom("X", line("20", "PH", "2")), bom("PH", line("10", "SPOKE", "36")))
    found = only(exploded(where))
    assert (found.line, found.component) == ("20.10", "SPOKE")
    assert found.net == found.gross == 72
    assert targets(found, 50 * UNIT, UNIT) == (3600 * UNIT, 0)


def test_every_level_divides_by_its_own_output_quantity() -> None:
    where = plant(
        bom("X", line("10", "PH", "6"), makes=4), bom("PH", line("10", "BOLT", "5"), makes=3)
    )
    assert only(exploded(where)).net == Fraction(6, 4) * Fraction(5, 3)


@pytest.mark.parametrize(
    ("upper", "lower", "basis", "net"),
    [
        ("per_unit", "per_unit", "per_unit", Fraction(6)),
        ("per_unit", "per_order", "per_order", Fraction(3 * UNIT)),
        ("per_order", "per_unit", "per_order", Fraction(6 * UNIT)),
        ("per_order", "per_order", "per_order", Fraction(3 * UNIT)),
    ],
)
def test_how_the_bases_of_two_levels_combine(
    upper: Any, lower: Any, basis: str, net: Fraction
) -> None:
    where = plant(
        bom("X", line("10", "PH", "2", basis=upper)),
        bom("PH", line("10", "GLUE", "3", basis=lower)),
    )
    found = only(exploded(where))
    assert (found.basis, found.net) == (basis, net)


@pytest.mark.parametrize(
    ("upper", "lower", "gross"),
    [
        ({"scrap_pct_micro": 2 * UNIT}, {}, Fraction("1.02")),
        ({}, {"scrap_pct_micro": 2 * UNIT}, Fraction("1.02")),
        ({"scrap_pct_micro": 10 * UNIT}, {"scrap_pct_micro": 2 * UNIT}, Fraction("1.122")),
        ({"scrap_pct_micro": 20 * UNIT, "scrap_mode": "divisive"}, {}, Fraction("1.25")),
        ({"scrap_pct_micro": 10 * UNIT, "planned_scrap": "planning_only"}, {}, Fraction(1)),
    ],
)
def test_planned_scrap_multiplies_through_the_levels(
    upper: dict[str, Any], lower: dict[str, Any], gross: Fraction
) -> None:
    """BF-3, BF-27: net is what it would be without any."""
    where = plant(
        bom("X", line("10", "PH", "1", **upper)), bom("PH", line("10", "WIRE", "1", **lower))
    )
    found = only(exploded(where))
    assert found.net == 1
    assert found.gross == gross


def test_one_engine_takes_one_casting_and_the_fiftieth_two() -> None:
    """BF-4: 2 % of planned scrap on whole pieces."""
    where = plant(bom("X", line("10", "CASTING", "1", scrap_pct_micro=2 * UNIT)))
    found = only(exploded(where))
    taken = [sum(targets(found, n * UNIT, UNIT)) // UNIT for n in range(51)]
    assert [after - before for before, after in pairwise(taken)] == [
        *[1] * 49,
        2,
    ]


def test_set_up_material_is_taken_from_the_first_unit_on_once() -> None:
    where = plant(bom("X", line("10", "GLUE", "0.25", basis="per_order")))
    found = only(exploded(where))
    assert [targets(found, n, 1) for n in (0, 1, 50 * UNIT)] == [(0, 0), (250_000, 0), (250_000, 0)]


def test_lines_are_in_order_of_their_numbers() -> None:
    where = plant(
        bom("X", line("100", "C", "1"), line("20", "PH", "1"), line("9", "A", "1")),
        bom("PH", line("10", "B", "1"), line("2", "D", "1")),
    )
    assert [one.line for one in exploded(where).lines] == ["9", "20.2", "20.10", "100"]
    assert sorted(["b", "10", "a", "2.10", "2.9"], key=line_order) == [
        "2.9",
        "2.10",
        "10",
        "a",
        "b",
    ]


def test_lines_count_only_on_the_days_they_are_effective() -> None:
    where = plant(
        bom(
            "X",
            line("10", "OLD", "1", effective_to="2026-11-19"),
            line("20", "LAST", "1", effective_to=DAY),
            line("30", "NEW", "1", effective_from="2026-11-21"),
        )
    )
    assert [one.component for one in exploded(where).lines] == ["LAST"]


def test_by_products_are_outputs_and_no_lines() -> None:
    where = plant(bom("X", line("10", "CHIPS", "2", role="by_product", cost_share_pct_micro=5)))
    result = exploded(where)
    assert result.lines == ()
    (output,) = result.outputs
    assert (output.line, output.item) == ("10", "CHIPS")
    assert output.net == 2


OPERATION = {("X", "A"): [Operation(operation="10", work_centre="WC", issue_method="bulk")]}
CENTRES = {"WC": WorkCentre(supply_location="CELL", issue_method="manual")}


@pytest.mark.parametrize(
    ("own", "more", "method", "level"),
    [
        ({}, {}, "backflush", "station"),
        ({}, {"items": (item("PART", issue_method="bulk"),)}, "bulk", "item"),
        ({}, {"items": (item("PART", issue_method="bulk"),), "of": "WC"}, "manual", "work_centre"),
        ({"operation": "10"}, {"of": "WC"}, "bulk", "operation"),
        ({"operation": "10", "issue_method": "manual"}, {"of": "WC"}, "manual", "bom_line"),
    ],
)
def test_the_nearest_level_decides_the_issue_method(
    own: dict[str, Any], more: dict[str, Any], method: str, level: str
) -> None:
    """BF-10: BOM line, operation, work centre, item, station."""
    where = plant(
        bom("X", line("10", "PART", "1", **own)),
        items=more.get("items", ()),
        routings=OPERATION,
        work_centres=CENTRES,
    )
    found = only(exploded(where, work_centre=more.get("of")))
    assert (found.issue_method, found.decided_by["issue_method"]) == (method, level)


@pytest.mark.parametrize(
    ("own", "of", "location", "rule"),
    [
        ({}, None, "LINE", "station"),
        ({}, "WC", "CELL", "work_centre"),
        ({"operation": "10"}, None, "CELL", "work_centre"),
        ({"supply_location": "RACK"}, "WC", "RACK", "line"),
    ],
)
def test_the_nearest_level_decides_the_supply_location(
    own: dict[str, Any], of: str | None, location: str, rule: str
) -> None:
    """BF-14."""
    where = plant(
        bom("X", line("10", "PART", "1", **own)), routings=OPERATION, work_centres=CENTRES
    )
    found = only(exploded(where, work_centre=of))
    assert (found.location, found.location_rule) == (location, rule)


def test_operation_location_and_method_are_handed_down_from_the_nearest_line() -> None:
    where = plant(
        bom(
            "X",
            line("10", "PH1", "1", operation="10", supply_location="RACK", issue_method="manual"),
        ),
        bom("PH1", line("10", "PH2", "1", supply_location="SHELF")),
        bom("PH2", line("10", "PART", "1", issue_method="backflush")),
        routings=OPERATION,
    )
    found = only(exploded(where))
    assert (found.operation, found.location, found.issue_method) == ("10", "SHELF", "backflush")


def test_the_line_decides_mounting_before_the_item() -> None:
    """BF-10, BF-17."""
    where = plant(
        bom("X", line("10", "REEL", "1"), line("20", "REEL", "1", mount="optional")),
        items=(item("REEL", mount="required"),),
    )
    assert [(one.mount, one.decided_by["mount"]) for one in exploded(where).lines] == [
        ("required", "item"),
        ("optional", "bom_line"),
    ]


@pytest.mark.parametrize(
    ("where", "column", "words"),
    [
        (plant(bom("X", line("10", "PH", "1"))), "component", "PH has no revision effective"),
        (
            plant(bom("X", line("10", "PH", "1")), bom("PH"), bom("PH")),
            "component",
            "PH has 2 revisions on 2026-11-20",
        ),
        (
            plant(bom("X", line("10", "PH", "1")), bom("PH", line("10", "PH", "1"))),
            "component",
            "X -> PH -> PH",
        ),
        (plant(bom("X", line("10", "A", "1", operation="30"))), "operation", "operation 30"),
        (
            plant(
                bom("X", line("10", "PH", "1"), line("10.5", "B", "1")),
                bom("PH", line("5", "A", "1")),
            ),
            "line",
            "line 10.5 is there twice",
        ),
        (
            plant(bom("X", line("10", "A", "0.5")), items=(item("A", tracking="serial"),)),
            "quantity",
            "1/2 go into one X",
        ),
        (
            plant(bom("X", line("10", "A", f"1/{2**63 + 1}"))),
            "quantity",
            "no fraction of two 64-bit numbers",
        ),
    ],
)
def test_a_fault_names_its_line_and_the_mend(where: Plant, column: str, words: str) -> None:
    (fault,) = exploded(where).faults
    assert fault.column == column
    assert words in fault.message


def test_nested_phantoms_have_an_end() -> None:
    levels = 20
    boms = [
        bom(f"PH{n}", line("1", f"PH{n + 1}", "1"), line("2", f"PH{n + 1}", "1"))
        for n in range(levels)
    ]
    last = bom(f"PH{levels}", line("1", "A", "1"))
    result = exploded(plant(bom("X", line("1", "PH0", "1")), *boms, last))
    assert any("lines; split the BOM" in fault.message for fault in result.faults)


def test_cycles_are_found_once_in_a_deep_bom() -> None:
    deep = {str(n): [str(n + 1)] for n in range(5000)}
    assert find_cycles(deep) == []
    assert find_cycles({**deep, "5000": ["4999"]}) == [("4999", "5000", "4999")]
    assert find_cycles({"A": ["A"]}) == [("A", "A")]


def test_effectivity_includes_both_ends() -> None:
    """BF-8."""
    early = bom("X", effective_to="2026-11-19")
    late = bom("X", effective_from=DAY)
    assert [effective_on([early, late], day) for day in ("2026-11-19", DAY)] == [[early], [late]]
    assert overlaps([late, early]) == []
    assert overlaps([late, bom("X", effective_to=DAY)]) != []


def conversions(*texts: str) -> Conversions:
    def parsed(text: str) -> Conversion:
        owner, from_uom, factor, to_uom = text.split()
        return Conversion("" if owner == "-" else owner, from_uom, to_uom, Fraction(factor))

    return Conversions(map(parsed, texts))


@pytest.mark.parametrize(
    ("given", "asked", "factor"),
    [
        (("- kg 1000 g",), ("A", "kg", "g"), Fraction(1000)),
        (("- kg 1000 g",), ("A", "g", "kg"), Fraction(1, 1000)),
        (("- kg 1000 g",), ("A", "kg", "kg"), Fraction(1)),
        (("A drum 25 kg", "- kg 1000 g"), ("A", "drum", "g"), Fraction(25_000)),
        (("- box 10 pcs", "A box 12 pcs"), ("A", "box", "pcs"), Fraction(12)),
        (("- box 10 pcs", "A box 12 pcs"), ("B", "box", "pcs"), Fraction(10)),
        (("A pcs 1/12 box", "- box 10 pcs"), ("A", "box", "pcs"), Fraction(12)),
        (("- a 1/3 b", "- b 1/7 c"), ("A", "a", "c"), Fraction(1, 21)),
    ],
)
def test_conversions_are_exact_and_the_items_own_come_first(
    given: tuple[str, ...], asked: tuple[str, str, str], factor: Fraction
) -> None:
    """BF-2."""
    assert conversions(*given).factor(*asked) == factor


def test_a_missing_conversion_is_never_one_to_one() -> None:
    """BF-2."""
    found = conversions("B box 12 pcs").factor("A", "box", "pcs")
    assert isinstance(found, ConversionFault)
    assert "A has no conversion from box to pcs" in found.message


def test_chains_of_one_level_that_disagree_are_told() -> None:
    disagreeing = conversions("- box 2 bag", "- bag 4 pcs", "- box 10 pcs", "- pcs 1/10 box")
    assert [one.conversion.to_uom for one in disagreeing.contradictions] == ["pcs"]
    agreeing = conversions("- box 2 bag", "- bag 4 pcs", "- pcs 1/8 box")
    assert agreeing.contradictions == []
