"""The control matrix: how strictly a deviation is taken, by situation and item class (BF-24).

Pure. `settings` makes a matrix, `usecases.apply_policy` acts on it. What the settings leave out is
taken as the station took it before there was a matrix.
"""

from collections.abc import Iterator
from typing import Final, Literal, get_args

from msgspec import Struct

Situation = Literal[
    "over_completion", "over_consumption", "under_consumption", "lot_expired", "lot_on_hold",
    "substitute", "shortage", "serial_missing", "reopen", "late_reversal", "implausible_close",
]  # fmt: skip
ItemClass = Literal["A", "B", "C", "default"]
ControlLevel = Literal["allow", "reason", "confirm", "approve", "block"]

SITUATIONS: Final[tuple[Situation, ...]] = get_args(Situation)
CLASSES: Final[tuple[ItemClass, ...]] = get_args(ItemClass)
STRICTEST_LAST: Final[tuple[ControlLevel, ...]] = ("allow", "confirm", "reason", "approve", "block")

BUILT_IN: Final[dict[Situation, ControlLevel]] = {
    "over_completion": "block",
    "over_consumption": "allow",
    "under_consumption": "allow",
    "lot_expired": "block",
    "lot_on_hold": "block",
    "substitute": "block",
    "shortage": "allow",
    "serial_missing": "block",
    "reopen": "block",
    "late_reversal": "block",
    "implausible_close": "allow",
}
"""The level of a situation that the settings say nothing about."""

_EVERY: Final[tuple[ControlLevel, ...]] = get_args(ControlLevel)
SUPPORTED: Final[dict[Situation, tuple[ControlLevel, ...]]] = {
    **dict.fromkeys(SITUATIONS, _EVERY),
    "implausible_close": ("allow", "reason", "confirm", "approve"),
}
"""The levels that the station can act on; any other is a mistake in the settings. Run times only
say that a close is unlikely, never that it is wrong."""

REFUSALS: Final[dict[Situation, str]] = {
    "over_completion": "over_tolerance",
    "over_consumption": "over_tolerance",
    "under_consumption": "over_tolerance",
    "lot_expired": "lot_expired",
    "lot_on_hold": "lot_on_hold",
    "substitute": "substitute_not_allowed",
    "shortage": "shortage_blocked",
    "serial_missing": "component_serial_missing",
    "reopen": "order_closed",
    "late_reversal": "undo_too_late",
}
"""The reason of `rejected` where a situation is blocked."""

RECORDED: Final[frozenset[Situation]] = frozenset(
    ("late_reversal", "lot_expired", "lot_on_hold", "substitute")
)
"""What is let pass is `recorded` where no report is made by it; everywhere else `completed`."""

APPROVAL_DEVICE: Final = "approval"
"""Where a code comes from that the station handles again because it was approved (BF-24); no
scanner is called so."""

BLOCKED: Final = "Nothing was booked: this station does not allow that"
"""Stands in the message of every scan that the matrix blocked, so that `policy --replay` finds it
among those that another rule refused for the same reason."""


class Cell(Struct, frozen=True):
    """One cell of the matrix, as `policy` lists it."""

    situation: Situation
    item_class: ItemClass
    level: ControlLevel
    decided_by: str
    """The settings' key that says so, or `built-in`."""


class ControlMatrix(Struct, frozen=True):
    """The levels that the settings name, by situation and class."""

    levels: dict[Situation, dict[ItemClass, ControlLevel]] = {}

    def level(self, situation: Situation, item_class: str | None) -> ControlLevel:
        """Return how strictly the situation is taken for an item of this class (`None`: none)."""
        return self._decide(situation, item_class)[0]

    def asks(self, situation: Situation) -> bool:
        """Tell whether any class takes the situation otherwise than `allow`."""
        if situation not in self.levels:
            return BUILT_IN[situation] != "allow"
        return any(self.level(situation, each) != "allow" for each in CLASSES)

    def permits(self, situation: Situation) -> bool:
        """Tell whether any class takes the situation otherwise than `block`."""
        return any(self.level(situation, each) != "block" for each in CLASSES)

    def cells(self) -> Iterator[Cell]:
        """Yield every cell, by situation and class."""
        for situation in SITUATIONS:
            for item_class in CLASSES:
                yield Cell(situation, item_class, *self._decide(situation, item_class))

    def _decide(self, situation: Situation, item_class: str | None) -> tuple[ControlLevel, str]:
        named = self.levels.get(situation, {})
        for each in CLASSES:
            if each in (item_class, "default") and each in named:
                return named[each], f"policy.{situation}.{each}"
        return BUILT_IN[situation], "built-in"


class Deviation(Struct, frozen=True, kw_only=True):
    """A situation that a scan has met."""

    situation: Situation
    item: str
    item_class: str | None
    lot: str | None = None
    """The lot or serial in question."""
    work_order: str | None = None
    """The order it is for, where the outcome does not name it."""
    quantity: str | None = None
    """By how much, where that can be said: what a permit counts."""
    said: str
    """What is wrong, as a sentence without its full stop."""
    hint: str
    """What to do where it is refused."""


class Consent(Struct, frozen=True, omit_defaults=True):
    """What somebody answered to one question of the matrix, or let pass ahead of it."""

    situation: Situation
    level: ControlLevel
    reason: str | None = None
    second_person: str | None = None
    lot: str | None = None
    """It is for this lot or serial only."""
    permit: int | None = None
    """The permit that lets it pass."""
    lasts: bool = True
    """What is mounted by it stays let pass; by a permit with a box each draw is judged."""


class Question(Struct, frozen=True, kw_only=True):
    """What the station asked and waits for, with what it was told before about the same code."""

    situation: Situation
    level: ControlLevel
    person: str | None
    """Who was asked."""
    given: tuple[Consent, ...] = ()
    lot: str | None = None
    """The lot or serial it is about."""
    approval_id: int | None = None
    """The request that a supervisor finds at the desk, where the level is `approve`."""
    approver: str | None = None
    """The supervisor whose badge was scanned and whose PIN is awaited."""


def asked_as(situation: Situation, level: ControlLevel) -> str:
    """Return the reason of `needs` that asks for what the level wants."""
    match level:
        case "reason":
            return "reason"
        case "approve":
            return "approval"
        case _:
            return "confirm_close" if situation == "implausible_close" else "confirm"


def would_be(situation: Situation, level: ControlLevel) -> tuple[str, str | None]:
    """Return the outcome and reason of a scan that meets the situation at this level."""
    match level:
        case "allow":
            return ("recorded" if situation in RECORDED else "completed"), None
        case "block":
            return "rejected", REFUSALS[situation]
        case _:
            return "needs", asked_as(situation, level)
