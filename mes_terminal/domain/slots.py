"""Slots: the places of a unit for components with serials, filled by scanning (BF-18). Pure.

A line that takes `k` of a serial-tracked component per unit gives each unit `k` slots. The system
never chooses a serial. What is filled waits with its unit, or for the unit to be scanned.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

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
    may_expire: int = 0
    """It was scanned although it was expired, and that was let pass (BF-24)."""
    may_be_held: int = 0
    is_rejected: int = 0
    """Quality rejected it since: it is in no unit that is completed."""


class EmptySlots(Struct, frozen=True):
    """Slots of one line that stay empty in one unit."""

    line_id: int
    place: int
    """Of the unit among those of the report."""
    count: int


class Missing(Struct, frozen=True):
    """What a unit lacks of one line."""

    line: SlotLine
    count: int


def with_filled(lines: Iterable[SlotLine], line_id: int) -> list[SlotLine]:
    """Return the lines when one more slot of one of them is filled."""
    return [
        replace(line, filled=line.filled + 1) if line.line_id == line_id else line for line in lines
    ]


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


def empty_slots(
    lines: Iterable[SlotLine], fills: Sequence[Filled], unit_ids: Sequence[int | None]
) -> list[EmptySlots]:
    """Return what each of the units lacks, by line."""
    have: dict[tuple[int, int | None], int] = {}
    for fill in fills:
        key = (fill.line_id, fill.unit_id)
        have[key] = have.get(key, 0) + 1
    found: list[EmptySlots] = []
    for line in lines:
        free = have.get((line.line_id, None), 0)
        for place, unit_id in enumerate(unit_ids):
            wanted = line.per_unit
            if unit_id is not None:
                wanted -= have.get((line.line_id, unit_id), 0)
            used = min(max(wanted, 0), free)
            free -= used
            if wanted > used:
                found.append(EmptySlots(line.line_id, place, wanted - used))
    return found


def lacking(lines: Iterable[SlotLine], empty: Iterable[EmptySlots]) -> list[tuple[str, int]]:
    """Return (component, how many units lack it), of each line of which one lacks something."""
    units: dict[int, int] = {}
    for each in empty:
        units[each.line_id] = units.get(each.line_id, 0) + 1
    return [(line.item, units[line.line_id]) for line in lines if line.line_id in units]


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


def slot_draws(
    lines: Iterable[LineFacts], fills: Iterable[Filled], empty: Iterable[EmptySlots] = ()
) -> list[Draw]:
    """Return the draws of what is in the slots: each serial one piece, surely in its unit. What
    stays empty is missing (BF-24)."""
    by_line: dict[int, list[Piece]] = {}
    missing: dict[int, int] = {}
    for fill in fills:
        by_line.setdefault(fill.line_id, []).append(Piece(fill.source, MICRO, "exact"))
    for each in empty:
        missing[each.line_id] = missing.get(each.line_id, 0) + each.count * MICRO
    return [
        Draw(
            line,
            by_line.get(line.line_id, []),
            net_missing_micro=missing.get(line.line_id, 0),
        )
        for line in lines
        if line.line_id in by_line or line.line_id in missing
    ]
