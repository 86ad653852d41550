"""Slots: the places of a unit for components with serials, filled by scanning (BF-18). Pure.

A line that takes `k` of a serial-tracked component per unit gives each unit `k` slots. The system
never chooses a serial. What is filled waits with its unit, or for the unit to be scanned.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from mes_terminal.domain.backflush import Draw, Piece
from mes_terminal.domain.order import LineFacts, Source
from mes_terminal.domain.quantity import MICRO


class SlotLine(Struct, frozen=True):
    """A line with slots, and what fills them for the unit at hand."""

    line_id: int
    line: str
    item_id: int
    item: str
    location_id: int
    location: str
    per_unit: int
    """Slots of each unit."""
    filled: int
    """Of those of the unit at hand."""


class Filled(Struct, frozen=True):
    """A serial in a slot, with the balance it is drawn from."""

    line_id: int
    unit_id: int | None
    """`None`: it waits for its unit to be scanned."""
    source: Source


class Missing(Struct, frozen=True):
    """What a unit lacks of one line."""

    line: SlotLine
    count: int


def missing(lines: Iterable[SlotLine]) -> list[Missing]:
    """Return what the unit at hand still lacks, in order of the lines."""
    return [
        Missing(line, line.per_unit - line.filled) for line in lines if line.filled < line.per_unit
    ]


def in_words(lacks: Sequence[Missing]) -> str:
    """Return what is missing as a phrase: `2 INJECTOR, MOTOR`."""
    return ", ".join(
        f"{each.count} {each.line.item}" if each.count > 1 else each.line.item for each in lacks
    )


def lacking(
    lines: Iterable[SlotLine], fills: Sequence[Filled], unit_ids: Sequence[int | None]
) -> list[tuple[str, int]]:
    """Return (component, how many of the units lack it), of each component that one lacks."""
    have: dict[tuple[int, int | None], int] = {}
    for fill in fills:
        key = (fill.line_id, fill.unit_id)
        have[key] = have.get(key, 0) + 1
    found: list[tuple[str, int]] = []
    for line in lines:
        free = have.get((line.line_id, None), 0)
        lack = 0
        for unit_id in unit_ids:
            wanted = line.per_unit
            if unit_id is not None:
                wanted -= have.get((line.line_id, unit_id), 0)
            used = min(max(wanted, 0), free)
            free -= used
            lack += wanted > used
        if lack:
            found.append((line.item, lack))
    return found


def seated(
    lines: Iterable[SlotLine], fills: Sequence[Filled], unit_ids: Sequence[int | None]
) -> list[tuple[Filled, int]]:
    """Return which serials go into which unit (its place in `unit_ids`): its own, then those that
    wait for a unit, in the order scanned."""
    own: dict[tuple[int, int | None], list[Filled]] = {}
    for fill in fills:
        own.setdefault((fill.line_id, fill.unit_id), []).append(fill)
    found: list[tuple[Filled, int]] = []
    for line in lines:
        free = own.get((line.line_id, None), [])
        for place, unit_id in enumerate(unit_ids):
            mine = own.get((line.line_id, unit_id), []) if unit_id is not None else []
            count = max(0, line.per_unit - len(mine))
            found += [(fill, place) for fill in (*mine, *free[:count])]
            free = free[count:]
    return found


def slot_draws(lines: Iterable[LineFacts], fills: Iterable[Filled]) -> list[Draw]:
    """Return the draws of what is in the slots: each serial one piece, surely in its unit."""
    by_line: dict[int, list[Piece]] = {}
    for fill in fills:
        by_line.setdefault(fill.line_id, []).append(Piece(fill.source, MICRO, "exact"))
    return [Draw(line, by_line[line.line_id]) for line in lines if line.line_id in by_line]
