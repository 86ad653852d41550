"""The exceptions that a report opens or raises: what is missing, and what was let pass. Pure.

One open exception an order line and kind, which grows with each report (BF-20); a reversal voids
the part of its report (BF-23).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from mes_terminal.domain.backflush import Draw
from mes_terminal.domain.order import LineFacts, OrderFacts
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.report_plan import ExceptionDraft, ReportRequest, Shortfall

_Found = tuple[LineFacts, ExceptionKind, int, int, str, int | None]
"""line, kind, quantity, of it planned scrap, cause, lot."""

_CODES: Final = {
    "lot_on_hold": "held",
    "lot_expired": "expired",
    "location_on_hold": "location_held",
    "over_consumption": "over",
    "under_consumption": "under",
}
"""The stable word of a cause, where it is not the cause itself."""
_ABOUT_A_LOT: Final = frozenset({"lot_expired", "lot_on_hold", "substitution"})
"""Kinds whose cause is a sentence."""


def exceptions_of(
    order: OrderFacts,
    draws: Iterable[Draw],
    lines: list[LineFacts],
    shortfalls: dict[int, Shortfall],
    request: ReportRequest,
) -> list[ExceptionDraft]:
    """Return the drafts in the order of their lines; `shortfalls` knows what is open of each."""
    drafts: list[ExceptionDraft] = []
    next_id = order.next_exception_id
    for line, kind, quantity, scrap, cause, lot_id in (
        *(
            found
            for each in (draws if shortfalls else ())
            if each.line.line_id in shortfalls
            for found in _drawn(each, shortfalls)
        ),
        *_off_target(shortfalls, request),
    ):
        known = shortfalls[line.line_id].open.get(kind)
        draft_id = known.exception_id if known else next_id
        drafts.append(
            ExceptionDraft(
                draft_id, known is None, kind, line, quantity, scrap, _code_of(kind, cause), cause,
                lot_id,
            )
        )  # fmt: skip
        next_id += known is None
    if not request.off_target:
        return drafts
    place = {line.line_id: position for position, line in enumerate(lines)}
    return sorted(drafts, key=lambda draft: place[draft.line.line_id])


def _code_of(kind: ExceptionKind, cause: str) -> str:
    word = "let_pass" if kind in _ABOUT_A_LOT else _CODES.get(cause, cause)
    return f"{kind}:{word}"


def _drawn(each: Draw, shortfalls: dict[int, Shortfall]) -> Iterator[_Found]:
    line = each.line
    missing = each.net_missing_micro + each.scrap_missing_micro
    if missing and line.tracking == "serial":
        yield line, "component_serial", missing, 0, "slot_empty", None
    elif missing and line.shortage_policy != "negative":
        cause = shortfalls[line.line_id].cause
        yield line, "shortage", missing, each.scrap_missing_micro, cause, None
    if each.overdrawn_micro:
        yield line, "lot_overdrawn", each.overdrawn_micro, 0, "mounted_empty", None
    yield from _let_pass(each)


def _let_pass(each: Draw) -> Iterator[_Found]:
    """What was drawn in spite of something, in units of the component, with the lot."""
    found: dict[ExceptionKind, tuple[int, str, int]] = {}
    for piece in (*each.net, *each.scrap):
        if not piece.is_let_pass:
            continue
        source, other = piece.source, piece.substitute
        told: list[tuple[ExceptionKind, str]] = []
        if source.is_expired:
            told.append(("lot_expired", f"expired on {source.expires_on}"))
        if source.is_held:
            told.append(("lot_on_hold", "held when it was used"))
        if other is not None and other.is_let_pass:
            told.append(("substitution", f"{other.item} in place of {each.line.item}"))
        for kind, cause in told:
            before = found[kind][0] if kind in found else 0
            found[kind] = (before + piece.covers_micro, cause, source.lot_id)
    for kind, (quantity, cause, lot_id) in found.items():
        yield each.line, kind, quantity, 0, cause, lot_id


def _off_target(shortfalls: dict[int, Shortfall], request: ReportRequest) -> Iterator[_Found]:
    """What an order that was closed before is already known to be off by is not told again."""
    for each in request.off_target:
        known = shortfalls[each.line.line_id].open.get("consumption")
        quantity = each.beyond_micro - (known.quantity_micro if known else 0)
        if quantity > 0:
            yield each.line, "consumption", quantity, 0, _cause_of(each.line, each.is_over), None


def _cause_of(line: LineFacts, is_over: bool) -> str:
    if is_over:
        return "over_consumption"
    return "not_issued" if line.issue_method == "manual" else "under_consumption"
