"""What operation reports and reversals cost on this machine, against their statements bare.

Called by `cli.bench`; `cli.bench_twins` says how each scan is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mes_terminal.cli.bench_plant import (
    RULES,
    WARM_UP_ROUNDS,
    Figure,
    load_plant,
    load_routed_plant,
)
from mes_terminal.cli.bench_twins import Case, Twins
from mes_terminal.station.booking import collect_only_between_scans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mes_terminal.cli.bench_twins import Scanned

    Round = Callable[[Twins, int, int], dict[str, Scanned]]
    """Scans what a round of one size needs; returns what was measured, by case."""


def bench_operations(
    folder: Path,
    *,
    rounds: int,
    components: Sequence[int],
    edges: Sequence[int],
    tell: Callable[[str], None],
) -> list[Figure]:
    """Return the figures of operation reports that post all lines of an order: `operation`, of one
    operation, and `sweep`, of one that sweeps an earlier one along (BF-11)."""
    tell(f"Loading {(rounds + WARM_UP_ROUNDS) * len(components) * 2} orders")
    plant = load_routed_plant(folder, components, rounds + WARM_UP_ROUNDS)
    return _measured(plant, _report_operations, rounds, components, edges, tell)


def bench_reversal(
    folder: Path,
    *,
    rounds: int,
    components: Sequence[int],
    edges: Sequence[int],
    tell: Callable[[str], None],
) -> list[Figure]:
    """Return the figures of taking a close back (BF-31)."""
    tell(f"Loading {(rounds + WARM_UP_ROUNDS) * len(components)} orders")
    plant = load_plant(folder, components, rounds + WARM_UP_ROUNDS)
    return _measured(plant, _undo_close, rounds, components, edges, tell)


def _report_operations(twins: Twins, size: int, number: int) -> dict[str, Scanned]:
    prefix = RULES.codes.command_prefix
    return {
        "operation": twins.scan(f"{prefix}OP 10 OP-{size}-{number}"),
        "sweep": twins.scan(f"{prefix}OP 20 SWEEP-{size}-{number}"),
    }


def _undo_close(twins: Twins, size: int, number: int) -> dict[str, Scanned]:
    twins.scan(f"WO-{size}-{number}")
    return {"reversal": twins.scan(f"{RULES.codes.command_prefix}UNDO", outcome="recorded")}


def _measured(
    plant: Path,
    scan_round: Round,
    rounds: int,
    components: Sequence[int],
    edges: Sequence[int],
    tell: Callable[[str], None],
) -> list[Figure]:
    tell(f"Preparing three databases each with {', '.join(map(str, edges))} genealogy edges")
    all_twins = [Twins(plant, edges=count) for count in edges]
    tell(f"Scanning {rounds + WARM_UP_ROUNDS} rounds")
    cases: dict[tuple[int, int, str], Case] = {}
    collect_only_between_scans()
    for number in range(rounds + WARM_UP_ROUNDS):
        if number == WARM_UP_ROUNDS:
            cases.clear()
        for twins in all_twins:
            for size in components:
                for name, scanned in scan_round(twins, size, number).items():
                    case = cases.setdefault((twins.edges, size, name), Case())
                    case.scans.append(scanned)
    for twins in all_twins:
        twins.finish()
    return [
        case.figure(name, components=size, edges=count)
        for (count, size, name), case in cases.items()
    ]
