"""A report as it was recorded: its movements, what it owed, what was posted for it later. Values.

Each says what of it went back since, so that what stands of a report is known after any number of
parts. Filled by `store.recalled`, ruled on by `domain.reversal`.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from mes_terminal.domain.posting import MovementRow

OWED_KINDS: Final = frozenset({"shortage", "component_serial"})
"""Exceptions whose quantity the line's totals have as owed (BF-20, BF-18)."""

Use = Literal["net", "scrap"]
"""For the units, or planned scrap."""


class Moved(Struct, frozen=True):
    """A recorded movement, and what of it went back since. Quantities in micro-units."""

    movement_seq: int
    line_id: int | None
    lot_id: int
    container_id: int
    from_id: int
    to_id: int
    quantity_micro: int
    kind: str
    covers_micro: int
    """What it counts for in units of the line's component: a substitute's ratio (BF-29)."""
    item_id: int
    item: str
    uom: str
    lot: str
    serial: str
    tracking: str
    step_micro: int
    line: str | None
    origin: str
    from_books: int
    """1: it came from a real location, which has a balance."""
    target: str
    to_books: int
    back_micro: int
    back_covers_micro: int
    given_covers_micro: int
    """Of the last the reversals of its report; the rest went with the undoing of a healing."""

    @property
    def left_micro(self) -> int:
        """What of it stands."""
        return self.quantity_micro - self.back_micro

    @property
    def left_covers_micro(self) -> int:
        """What that counts for."""
        return self.covers_micro - self.back_covers_micro

    @property
    def use(self) -> Use | None:
        """What it was for; `None`: for no line's need."""
        if self.line_id is None:
            return None
        return {"issue": "net", "scrap": "scrap"}.get(self.kind)  # type: ignore[return-value]


class Taken(Struct, frozen=True):
    """What of a movement goes back."""

    moved: Moved
    quantity_micro: int
    covers_micro: int


class OwedPart(Struct, frozen=True):
    """What a report added to an exception, and what of it is open or went back."""

    exception_id: int
    kind: str
    is_open: int
    line_id: int | None
    line: str | None
    item: str | None
    nameless_lot_id: int | None
    quantity_micro: int
    left_micro: int
    left_scrap_micro: int
    given_micro: int
    given_scrap_micro: int

    @property
    def is_owed(self) -> bool:
        """Is it in the totals of its line?"""
        return self.kind in OWED_KINDS and self.line_id is not None

    def left(self, use: Use) -> int:
        """Return what of it is open for the units, or as scrap."""
        if not self.is_open:
            return 0
        return self.left_scrap_micro if use == "scrap" else self.left_micro - self.left_scrap_micro

    def given(self, use: Use) -> int:
        """Return what of it reversals gave back."""
        if use == "scrap":
            return self.given_scrap_micro
        return self.given_micro - self.given_scrap_micro


class Later(Struct, frozen=True):
    """What was posted or written off later for an owed part of the report (BF-22, BF-23)."""

    event_seq: int
    line_id: int
    written_micro: int
    """Written off for the units, and still so."""
    written_scrap_micro: int
    given_written_micro: int
    """Of what was written off, what reversals gave back."""
    given_written_scrap_micro: int
    moved: list[Moved]


class ByHand(Struct, frozen=True):
    """Material issued by hand that a report took in (BF-10), and what of it went back."""

    line_id: int
    """0: an extra part."""
    lot_id: int
    quantity_micro: int
    covers_micro: int
    step_micro: int
    given_micro: int
    given_covers_micro: int


def reversal_rows(taken: Iterable[Taken]) -> list[MovementRow]:
    """Return the ledger rows that undo movements: from and to exchanged."""
    return [
        (each.moved.line_id, each.moved.lot_id, each.moved.container_id, each.moved.to_id,
         each.moved.from_id, each.quantity_micro, "reversal", None)
        for each in taken if each.quantity_micro
    ]  # fmt: skip


def stock_changes(taken: Iterable[Taken]) -> dict[tuple[int, int, int], int]:
    """Return by how much balances change, by (lot, location, container)."""
    changes: dict[tuple[int, int, int], int] = {}
    for each in taken:
        moved = each.moved
        for location_id, real, sign in (
            (moved.from_id, moved.from_books, 1),
            (moved.to_id, moved.to_books, -1),
        ):
            if real:
                key = (moved.lot_id, location_id, moved.container_id)
                changes[key] = changes.get(key, 0) + sign * each.quantity_micro
    return changes


def came_back(taken: Iterable[Taken], changes: Mapping[tuple[int, int, int], int]) -> list[Taken]:
    """Return the movements whose stock is where it came from again: not those of what was found
    beside the books and goes back there."""
    return [
        each
        for each in taken
        if changes.get((each.moved.lot_id, each.moved.from_id, each.moved.container_id))
    ]
