"""Laws of the explosion on random plants: a slow walk agrees, targets only grow."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.domain.bom import Bom, BomLine, ItemPolicy, Plant
from mes_terminal.domain.explosion import PERCENT_MICRO, ExplodedLine, explode, targets
from mes_terminal.domain.rules import StationRules

UNIT = 1_000_000
LEVELS = 4

quantities = st.integers(1, 50 * UNIT).map(Fraction)
scraps = st.sampled_from((0, 0, 2 * UNIT, 12_500_000, 99 * UNIT))
steps = st.sampled_from((1, 1_000, UNIT))


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    """A product P0 over levels of phantoms P1 ... P4, each made of parts and the level below."""
    boms = {}
    for level in range(LEVELS):
        parts = [f"C{draw(st.integers(0, 3))}" for _ in range(draw(st.integers(0, 3)))]
        below = [f"P{level + 1}"] * draw(st.integers(0, 2))
        lines = [
            BomLine(
                line=str(10 * position),
                component=component,
                quantity=draw(quantities),
                basis=draw(st.sampled_from(("per_unit", "per_unit", "per_order"))),
                scrap_pct_micro=draw(scraps),
                scrap_mode=draw(st.sampled_from(("additive", "divisive"))),
                planned_scrap=draw(st.sampled_from((None, "planning_only"))),
            )
            for position, component in enumerate([*parts, *below], start=1)
        ]
        name = f"P{level}"
        made = draw(st.integers(1, 3 * UNIT))
        boms[name] = [Bom(item=name, revision="A", output_micro=made, lines=tuple(lines))]
    last = f"P{LEVELS}"
    boms[last] = [
        Bom(
            item=last,
            revision="A",
            lines=(BomLine(line="10", component="C0", quantity=draw(quantities)),),
        )
    ]
    items = {name: ItemPolicy(item=name, kind="phantom") for name in boms}
    items |= {f"C{n}": ItemPolicy(item=f"C{n}", kind="purchased") for n in range(4)}
    return Plant(items=items, boms=boms)


def slow_walk(
    plant: Plant, name: str, once: bool, net: Fraction, gross: Fraction, path: str
) -> dict[str, tuple[str, bool, Fraction, Fraction]]:
    """Explode by recursion, one level after the other, straight from the rule's words (BF-3)."""
    found: dict[str, tuple[str, bool, Fraction, Fraction]] = {}
    (bom,) = plant.boms[name]
    for line in bom.lines:
        scrap = Fraction(line.scrap_pct_micro, PERCENT_MICRO)
        factor = 1 + scrap if line.scrap_mode == "additive" else 1 / (1 - scrap)
        factor = Fraction(1) if line.planned_scrap == "planning_only" else factor
        if line.basis == "per_order":
            here = (True, line.quantity, line.quantity * factor)
        else:
            each = line.quantity / bom.output_micro
            here = (once, net * each, gross * each * factor)
        below = f"{path}{line.line}"
        if line.component.startswith("P"):
            found |= slow_walk(plant, line.component, *here, f"{below}.")
        else:
            found[below] = (line.component, *here)
    return found


def lines_of(plant: Plant) -> tuple[ExplodedLine, ...]:
    return explode(
        plant.boms["P0"][0], plant, day="2026-11-20", work_centre=None, rules=StationRules()
    ).lines


@given(plants())
def test_a_slow_walk_down_the_levels_agrees(plant: Plant) -> None:
    """BF-3, BF-6, BF-9."""
    fast = {
        line.line: (line.component, line.basis == "per_order", line.net, line.gross)
        for line in lines_of(plant)
    }
    assert fast == slow_walk(plant, "P0", False, Fraction(1), Fraction(1), "")


@given(plants())
def test_the_order_of_lines_in_the_file_means_nothing(plant: Plant) -> None:
    turned = {
        name: [
            Bom(
                item=bom.item,
                revision=bom.revision,
                output_micro=bom.output_micro,
                lines=bom.lines[::-1],
            )
            for bom in boms
        ]
        for name, boms in plant.boms.items()
    }
    assert lines_of(Plant(items=plant.items, boms=turned)) == lines_of(plant)


@given(plants(), st.lists(st.integers(0, 20 * UNIT), min_size=1, max_size=6), steps)
def test_targets_only_grow_and_cost_at_most_one_step(
    plant: Plant, counts: list[int], step: int
) -> None:
    """BF-4: cumulative, net rounded up, planned scrap rounded down."""
    for line in lines_of(plant):
        before = (0, 0)
        for reported in sorted(counts):
            net, scrap = targets(line, reported, step)
            count = min(reported, 1) if line.basis == "per_order" else reported
            assert line.net * count <= net < line.net * count + step
            assert scrap <= (line.gross - line.net) * count < scrap + step
            assert (net % step, scrap % step) == (0, 0)
            assert net >= before[0]
            assert scrap >= before[1]
            before = (net, scrap)
