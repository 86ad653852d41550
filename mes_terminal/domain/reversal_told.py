"""How a reversal is told: what went back, in the words in which it was posted. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from mes_terminal.domain.bom import line_order
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.recorded import Moved, Taken

_USES: Final = {
    "issue": ("Consumed", 1),
    "scrap": ("Scrapped", 1),
    "production": ("Produced", 1),
    "move": ("Moved", 1),
    "adjustment": ("Adjusted", 1),
    "reversal": ("Consumed", -1),
}
"""What events call a movement of each kind; what an exchange took out was consumed below zero."""
_ARRIVES: Final = frozenset({"production", "move", "adjustment", "reversal"})
"""Kinds that are told with the place they went to."""

_Key = tuple[str, str | None, str, str | None, str | None, str, str | None, bool]
"""use, line, item, lot, serial, location, where a move came from, is below zero."""


def actuals_back(taken: Iterable[Taken], posted: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what of the actuals that one event `posted` goes back, below zero, in their order."""
    back: dict[_Key, int] = {}
    words: dict[_Key, dict[str, Any]] = {}
    for each in taken:
        use, sign = _USES[each.moved.kind]
        key = _key_of(each.moved, use, sign)
        back[key] = back.get(key, 0) - sign * each.quantity_micro
        words.setdefault(key, _words(each.moved, key))
    told: dict[_Key, dict[str, Any]] = {}
    for actual in posted:
        key = (
            actual["use"], actual.get("order_line"), actual["item"], actual["lot"],
            actual["serial"], actual["location"], actual.get("from_location"),
            actual["quantity"].startswith("-"),
        )  # fmt: skip
        if back.get(key):
            told.setdefault(key, actual | {"quantity": format_quantity(back[key])})
    for key, quantity in back.items():
        if quantity and key not in told:
            told[key] = words[key] | {"quantity": format_quantity(quantity)}
    return list(told.values())


def by_line(actuals: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return actuals as a reversal tells them: what was produced first, then by line, and what one
    line took in the order posted."""
    return sorted(actuals, key=_by_line)


def _key_of(moved: Moved, use: str, sign: int) -> _Key:
    serial = moved.serial or None
    return (
        use,
        moved.line,
        moved.item,
        None if serial else moved.lot or None,
        serial,
        moved.target if moved.kind in _ARRIVES else moved.origin,
        moved.origin if moved.kind == "move" else None,
        sign < 0,
    )


def _words(moved: Moved, key: _Key) -> dict[str, Any]:
    """Return an actual for what no event told in these words."""
    use, line, item, lot, serial, location, origin, _ = key
    told: dict[str, Any] = {
        "use": use, "item": item, "lot": lot, "serial": serial, "quantity": "0",
        "uom": moved.uom, "location": location,
    }  # fmt: skip
    if origin is not None:
        told["from_location"] = origin
    if line is None:
        return told
    return told | {"order_line": line, "erp_ref": None, "how": "backflushed", "certainty": None}


def _by_line(actual: dict[str, Any]) -> tuple[bool, Any]:
    line = actual.get("order_line")
    return line is not None, line_order(line or "")
