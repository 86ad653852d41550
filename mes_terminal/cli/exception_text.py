"""An exception in full as text for people, readable at 80 columns. Called by `exception story`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from mes_terminal.tui.safe_text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT_MAX_COLUMNS: Final = 400
"""A longer text is cut and ends in `…`; `--json` has it whole."""


def story_lines(row: bytes) -> Iterator[str]:
    """Yield the lines of one exception, the last one empty."""
    told = msgspec.json.decode(row)
    yield _safe(f"{told['id']}  {told['kind']}  {told['status']}  {told['cause_code']}")
    for name, said in _facts(told):
        if said:
            yield f"  {name:<10} {_safe(said)}"
    for place, each in enumerate(told["proposals"]):
        yield f"  {'to end it' if not place else '':<10} {_safe(_proposal(each))}"
    yield ""


def _facts(told: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    yield "blocked by", told["blocking"]
    yield "open", _joined(told["quantity"], told["uom"])
    yield "worth", _joined(told["value"], told["currency"])
    yield "item", _joined(told["item"], told["lot"])
    yield "order", _joined(told["work_order"], told["line"] and f"line {told['line']}")
    yield "cause", told["cause"]
    posting = told["posting"]
    if posting is not None:
        tried = f"tried {posting['attempts']} times"
        behind = f"{posting['parked']} wait for it" if posting["parked"] else None
        what = _joined(str(posting["sequence"]), posting["type"], posting["status"])
        yield "posting", ", ".join(each for each in (what, tried, behind) if each)
        yield "upstream", posting["document"]
    yield "opened", _joined(told["opened_at"], told["person"] and f"by {told['person']}")
    shift = told["shift"] and f"shift {told['shift']}"
    yield "day", _joined(told["production_day"], shift, f"at {told['station']}")
    yield "scan", _joined(told["scan_code"], told["device"] and f"by {told['device']}")
    yield "tries", str(told["tries"]) if told["tries"] else None
    yield "owner", told["owner"]
    escalated = told["escalated_to"] and f"gone to {told['escalated_to']}"
    yield "due", _joined(told["due_at"], escalated)
    yield "ended", told["resolution"]


def _proposal(each: dict[str, Any]) -> str:
    what = _joined(each["quantity"], each["uom"], each["item"], each["lot"])
    place = f" at {each['location']}" if each["location"] else ""
    return f"{each['how']}{': ' if what else ''}{what or ''}{place}. {each['why']}"


def _joined(*parts: str | None) -> str | None:
    return " ".join(part for part in parts if part) or None


def _safe(text: str) -> str:
    return safe(text, TEXT_MAX_COLUMNS)
