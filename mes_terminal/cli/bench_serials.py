"""What serials cost on this machine: engines whose slots are filled by scans (BF-18).

`slot` is a scan that fills a slot, `engine` the one that fills the last and completes the unit,
`unit` all scans of a unit together, its own serial first. `serials` are the last units of a long
order, against its `first` ones: they must cost the same. Called by `cli.bench`; `cli.bench_twins`
says how each scan is measured.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Final

from mes_terminal.cli.bench_plant import WARM_UP_ROUNDS, Engine, Figure, load_engine_plant
from mes_terminal.cli.bench_twins import Case, Twins
from mes_terminal.station.booking import collect_only_between_scans

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mes_terminal.cli.bench_twins import Scanned

LINES: Final = 60
SLOTS: Final = 8
SHORT_LINES: Final = 10
"""Lines of the product of the long order, which has one slot."""
PART_OF_ORDER: Final = 10
"""The last tenth of the long order is compared with its first."""


def bench_serials(
    folder: Path, *, rounds: int, units: int, tell: Callable[[str], None]
) -> list[Figure]:
    """Return the figures of `rounds` engines, and of an order of `units` units.

    Works in `folder`. `tell` is told what goes on.
    """
    engine = Engine("ENGINE", LINES, SLOTS, rounds + WARM_UP_ROUNDS)
    long = Engine("LONG", SHORT_LINES, 1, units + WARM_UP_ROUNDS)
    tell(f"Loading {engine.units + long.units} units")
    twins = Twins(load_engine_plant(folder, [engine, long]), edges=0)
    collect_only_between_scans()
    tell(f"Building {rounds} engines with {SLOTS} serials each")
    slot, last, unit = Case(), Case(), Case()
    for number in range(engine.units):
        scans = _build(twins, engine, number)
        if number >= WARM_UP_ROUNDS:
            slot.scans += scans[1:-1]
            last.scans.append(scans[-1])
            unit.scans.append(reduce(add, scans))
    tell(f"Building {units} units of one order")
    built = [reduce(add, _build(twins, long, number)) for number in range(long.units)]
    twins.finish()
    compared = max(1, units // PART_OF_ORDER)
    first = built[WARM_UP_ROUNDS:][:compared]
    return [
        slot.figure("slot", components=LINES, edges=0),
        last.figure("engine", components=LINES, edges=0),
        unit.figure("unit", components=LINES, edges=0),
        Case(built[-compared:]).against(
            "first",
            [each.ours_ms for each in first],
            case="serials",
            components=SHORT_LINES,
            edges=0,
        ),
    ]


def _build(twins: Twins, engine: Engine, number: int) -> list[Scanned]:
    """Scan the unit, then the serials of its components; the last one completes it."""
    *others, last = engine.serials(number)
    return [
        twins.scan(engine.unit(number), outcome="needs"),
        *(twins.scan(each, outcome="recorded") for each in others),
        twins.scan(last),
    ]
