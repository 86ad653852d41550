"""A shift in the person's words: what is open at its end, that the line stands, what is called.

Takes values of the domain, the words and the time zone, gives texts that are safe to draw. Pure.
"""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Final

from mes_terminal.domain.shift_report import LeftContainer, LeftOpen, ShiftNow, ShiftReport, Totals
from mes_terminal.domain.view import CallView, StationView
from mes_terminal.tui.figures import number
from mes_terminal.tui.present_view import Piece, clock_text
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.words import Words

NAMED_MAX: Final = 4
"""Orders, containers or kinds named in a row; the others are counted."""
GROUP: Final = 8

Row = tuple[str, Piece]
"""A label and what there is to say."""


def line_notice(view: StationView, words: Words, zone: tzinfo) -> tuple[str, list[str]]:
    """Return the word and the texts of the notice: the line stands, material is called; no texts
    where there is nothing to tell."""
    told = words.shift
    calls = [_call(each, words, zone) for each in view.calls]
    if view.stopped is None:
        return told.called, calls
    name = f"{view.stopped.reason} {view.stopped.description or ''}".strip()
    time = clock_text(view.stopped.since, zone)
    stands = told.since.format(time=time, reason=safe(name, 40))
    if calls:
        calls[0] = f"{told.called}: {calls[0]}"
    return told.stopped, [stands, *calls]


def shift_name(now: ShiftNow, words: Words, zone: tzinfo) -> str:
    """Return which shift would end, and since when it is."""
    day = f"{now.production_day[:4]}-{now.production_day[4:6]}-{now.production_day[6:]}"
    time = clock_text(now.began_at, zone)
    if now.shift is None:
        return words.shift.no_shift.format(day=day, time=time)
    return words.shift.shift.format(shift=safe(now.shift, 16), day=day, time=time)


def open_rows(now: ShiftNow, words: Words) -> list[Row]:
    """Return what is open and what was done, a row each; rows that say nothing are left out."""
    labels = words.shift.labels
    rows = [*_waiting(now.open, words), *_left(now.open, words), *_done(now.totals, words)]
    return [(labels[name], piece) for name, piece in rows]


def signed_lines(report: ShiftReport, words: Words) -> list[str]:
    """Return what became of a sign-off, and the hash in groups to be copied."""
    told, over = words.shift, report.handed_over
    lines = [told.signed.format(name=safe(report.person_name, 24))]
    if over is not None:
        lines.append(told.handed.format(n=over.count, name=safe(over.name, 24)))
    digest = safe(report.anchor.hash, 64)
    groups = [digest[at : at + GROUP] for at in range(0, len(digest), GROUP)]
    half = len(groups) // 2
    anchor = told.anchor.format(n=report.anchor.sequence)
    return [*lines, anchor, "  ".join(groups[:half]), "  ".join(groups[half:])]


def _call(call: CallView, words: Words, zone: tzinfo) -> str:
    told = words.shift
    what = safe(call.item or call.work_order or told.call_anything, 20)
    template = told.call_again if call.times > 1 else told.call
    return template.format(what=what, n=call.times, time=clock_text(call.since, zone))


def _waiting(left: LeftOpen, words: Words) -> Iterator[Row]:
    """Yield what waits for a person."""
    told = words.shift
    if not left.exceptions_open:
        yield "exceptions", Piece(told.zero_open, "strong")
    else:
        kinds = [f"{each.count} {_kind(each.kind, words)}" for each in left.exceptions]
        text = f"{left.exceptions_open}: {_named(kinds, len(kinds), words)}"
        if left.unnamed:
            text += f" ({told.unnamed.format(n=left.unnamed)})"
        yield "exceptions", Piece(text, "alert")
    if left.approvals:
        yield "approvals", Piece(str(left.approvals), "alert")
    if left.count is not None:
        yield "count", Piece(safe(left.count, 24), "alert")
    if left.calls:
        yield "calls", Piece(str(left.calls), "alert")
    if left.stopped is not None:
        yield "stopped", Piece(safe(left.stopped, 40), "alert")


def _left(left: LeftOpen, words: Words) -> Iterator[Row]:
    """Yield what stays at the line."""
    told = words.shift
    begun = [
        told.begun.format(order=safe(each.work_order, 20), units=number(each.units, words))
        if each.units != "0"
        else safe(each.work_order, 20)
        for each in left.in_process
    ]
    if begun:
        yield "in_process", Piece(_named(begun, left.in_process_orders, words))
    for name, containers in (("set_aside", left.set_aside), ("mounted", left.mounted)):
        if containers:
            texts = [_container(each, words) for each in containers]
            yield name, Piece(_named(texts, len(texts), words))
    if left.unsent:
        yield "unsent", Piece(str(left.unsent))


def _done(totals: Totals, words: Words) -> Iterator[Row]:
    told = words.shift
    made = [
        told.made.format(
            good=number(each.good, words),
            item=safe(each.item, 20),
            scrapped=number(each.scrapped, words),
        )
        for each in totals.items
    ]
    if made:
        yield "made", Piece(_named(made, len(made), words))
    stops = [
        told.stop.format(reason=safe(each.reason, 20), minutes=number(each.minutes, words))
        for each in totals.stops
    ]
    if stops:
        yield "stops", Piece(_named(stops, len(stops), words))


def _container(each: LeftContainer, words: Words) -> str:
    name = safe(each.container or each.lot or "", 20)
    unit = "" if each.uom == "pcs" else f" {safe(each.uom, 8)}"
    return f"{safe(each.item, 20)} {name} {number(each.left, words)}{unit}".replace("  ", " ")


def _kind(kind: str, words: Words) -> str:
    return words.desk.kinds.get(kind, safe(kind, 24))


def _named(texts: list[str], total: int, words: Words) -> str:
    """Return the first texts, and how many more there are."""
    more = total - len(texts[:NAMED_MAX])
    named = ", ".join(texts[:NAMED_MAX])
    text = f"{named}, {words.labels.and_more.format(n=more)}" if more > 0 else named
    return safe(text, SENTENCE_MAX_COLUMNS)
