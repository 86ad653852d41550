"""What a person decides about an open exception: post it, change it, write it off (BF-23). Pure.

A shortage is decided report by report, the oldest first, because each report owes its own part. The
parts of one decision draw on one `Stock`, so that nothing is given twice. What is posted is written
by the rows of a healing (`domain.healing`); who decided, how and why stands in its event.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from mes_terminal.domain.backflush import Piece, Stock
from mes_terminal.domain.healing import (
    Decision,
    HealedData,
    Healing,
    OwedPart,
    Places,
    Unnamed,
    actuals_of,
    draw_part,
    edges_of,
    from_lots,
    movements_of,
)
from mes_terminal.domain.order import Source, Substitute
from mes_terminal.domain.outcome import Consumed, ExceptionKind, OpenedException
from mes_terminal.domain.posting import (
    EdgeRow,
    EventDraft,
    LineActual,
    MaterialActual,
    MovementRow,
)
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.sourcing import take_substitute

EXCEPTIONS_MAX: Final = 100
"""Exceptions that one request names: what a person can have looked at."""
ResolvedOutcome = Literal[
    "posted", "partly_posted", "sent_again", "written_off", "already_done", "refused"
]
"""`sent_again`: a refused posting, which ends when it is accepted."""

QUALITY_KINDS: Final = frozenset(
    {"unknown_lot", "lot_expired", "lot_on_hold", "lot_overdrawn", "label_mismatch"}
)
"""Exceptions about lots, which quality may end too; every other is a supervisor's."""


FAR_KINDS: Final = frozenset({"posting_refused", "site_conflict"})
"""Exceptions about what the receiver says. Their events have a lane each, by their subject: they
wait behind nothing that was refused, and the receiver finds what they are about."""


class Resolved(Struct, frozen=True, kw_only=True):
    """What became of one exception, in the keys of `exception resolve --json`."""

    id: int
    outcome: ResolvedOutcome
    message: str
    posted: list[Consumed] = []
    scrapped: list[Consumed] = []
    written_off: str | None = None
    """How much of it ended without being posted."""
    open: str | None = None
    """How much of it is still open."""


class Assigned(Struct, frozen=True, kw_only=True):
    """Whether one exception was given to somebody, in the keys of `exception assign --json`."""

    id: int
    outcome: Literal["assigned", "already_done", "refused"]
    message: str


class Decided(Struct, frozen=True, kw_only=True):
    """Who decided what, when, and on which station."""

    decision: Decision
    person: str
    at: str
    """The clock's reading."""
    station: str
    master_data_version: str


class OpenException(Struct, frozen=True, kw_only=True):
    """An exception as the one who decides finds it."""

    exception_id: int
    kind: ExceptionKind
    status: str
    subject: str
    work_order: str | None
    line: str | None
    item: str | None
    uom: str | None
    quantity_micro: int | None
    resolution: str | None


class Drawn(Struct, frozen=True):
    """What there is for one part."""

    net: list[Piece]
    scrap: list[Piece]

    @property
    def covers_micro(self) -> int:
        """How much of the part that covers."""
        return sum(piece.covers_micro for piece in (*self.net, *self.scrap))


def may_decide(role: str, kind: ExceptionKind) -> bool:
    """Tell whether a person of this role may end an exception of this kind."""
    return role == "supervisor" or (role == "quality" and kind in QUALITY_KINDS)


def draw_named(
    part: OwedPart,
    sources: Sequence[Source],
    stock: Stock,
    *,
    sole_lot_id: int | None = None,
    stand_in: Substitute | None = None,
) -> Drawn:
    """Draw what a part owes from these sources in their order, as far as they are not drawn on.

    A lot that a person names is `assumed`, whatever else lay there (BF-37); `sole_lot_id` is for
    the lots that the rules find by themselves. `stand_in` is used instead of the component, by its
    ratio (BF-29).
    """
    if stand_in is not None:
        return _draw_stand_in(part, sources, stock, stand_in)
    left = [
        msgspec.structs.replace(
            source, quantity_micro=stock.available_micro(source, with_gain=False)
        )
        for source in sources
    ]
    drawn = Drawn(*draw_part(part, left, sole_lot_id))
    for piece in (*drawn.net, *drawn.scrap):
        stock.draw(piece.source, piece.quantity_micro)
    return drawn


def _draw_stand_in(
    part: OwedPart, sources: Sequence[Source], stock: Stock, stand_in: Substitute
) -> Drawn:
    sure: Literal["assumed"] | None = None if stand_in.tracking == "none" else "assumed"
    drawn = []
    for need in (part.net_micro, part.scrap_micro):
        pieces, _ = take_substitute(stand_in, sources, need, stock, step_micro=part.step_micro)
        drawn.append([msgspec.structs.replace(piece, certainty=sure) for piece in pieces])
    return Drawn(*drawn)


def limited(part: OwedPart, limit_micro: int) -> OwedPart:
    """Return the part with no more owed than the limit: for the units first, then as scrap."""
    net = min(part.net_micro, limit_micro)
    scrap = min(part.scrap_micro, limit_micro - net)
    return msgspec.structs.replace(part, net_micro=net, scrap_micro=scrap)


def plan_resolution(
    found: OpenException,
    part: OwedPart,
    drawn: Drawn,
    unnamed: Sequence[Unnamed],
    places: Places,
    decided: Decided,
    *,
    ends: bool,
) -> Healing:
    """Return every row of a decision about a part. It has its own time, not before the report's.

    `ends`: what is not drawn ends too. Written off, it was used and nobody knows from where, so
    genealogy keeps it as unknown; where a person said how much was used, the rest is in no product.
    """
    net_micro = sum(piece.covers_micro for piece in drawn.net)
    scrap_micro = sum(piece.covers_micro for piece in drawn.scrap)
    off = part.net_micro - net_micro if ends else 0
    scrap_off = part.scrap_micro - scrap_micro if ends else 0
    ended = net_micro + scrap_micro + off + scrap_off
    said = OpenedException(
        part.exception_id, found.kind, part.line, part.item, format_quantity(-ended)
    )
    edges: list[EdgeRow] = []
    if part.tracking != "none":
        unused = 0 if decided.decision.how == "write_off" else off
        edges = edges_of(part, drawn.net, unnamed, unused_micro=unused)
    return Healing(
        part=part,
        net=drawn.net,
        scrap=drawn.scrap,
        net_micro=net_micro,
        scrap_micro=scrap_micro,
        written_micro=off,
        written_scrap_micro=scrap_off,
        event=_event(part, drawn, said, places, decided, edges),
        resolution=_resolution(part, drawn, off + scrap_off, decided),
    )


def ended_event(
    found: OpenException,
    decided: Decided,
    actuals: Sequence[MaterialActual] = (),
    movements: Sequence[MovementRow] = (),
) -> EventDraft:
    """Return the event of an exception that no report owes and that a person has seen to, with the
    stock that changes by it."""
    quantity = found.quantity_micro
    about = found.subject if found.kind in FAR_KINDS else found.work_order or found.kind
    ended = OpenedException(
        found.exception_id,
        found.kind,
        found.line,
        found.item,
        None if quantity is None else format_quantity(-quantity),
    )
    return EventDraft(
        type="exception.resolved",
        subject=about,
        partition_key=about,
        event_time=decided.at,
        data=msgspec.structs.replace(
            _data(decided, decided.at, ended, actuals), work_order=found.work_order
        ),
        upstream=True,
        person=decided.person,
        reason=decided.decision.reason,
        movements=movements,
    )


def retried_event(found: OpenException, decided: Decided, scan_id: str) -> EventDraft:
    """Return the event of a failed scan that was handled again, as the scan of that id."""
    draft = ended_event(found, decided)
    return msgspec.structs.replace(draft, data=msgspec.structs.replace(draft.data, scan_id=scan_id))


def written_off_by(decided: Decided) -> str:
    """Return how an exception ended that was written off, as its list says it."""
    return f"written off by {decided.person}: {decided.decision.reason}"


def consumed(part: OwedPart, pieces: Sequence[Piece], location: str) -> list[Consumed]:
    """Return what was drawn for parts of one line, by lot, as outcomes say it."""
    by_lot: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_lot.setdefault(piece.source.lot, []).append(piece)
    return [
        Consumed(
            part.line,
            (of_lot[0].substitute or part).item,
            lot or None,
            None,
            location,
            format_quantity(sum(piece.quantity_micro for piece in of_lot)),
            (of_lot[0].substitute or part).uom,
            of_lot[0].certainty,
        )
        for lot, of_lot in by_lot.items()
    ]


def summary(part: OwedPart, pieces: Sequence[Piece], off_micro: int, decided: Decided) -> str:
    """Return what a decision did to parts of one line, as a sentence without its full stop."""
    if decided.decision.how == "write_off":
        off = format_quantity(off_micro)
        return f"{off} {part.uom} of {part.item} written off: {decided.decision.reason}"
    instead = next((piece.substitute for piece in pieces if piece.substitute), None)
    used = instead or part
    own = format_quantity(sum(piece.quantity_micro for piece in pieces))
    rest = f"; {format_quantity(off_micro)} {part.uom} not used" if off_micro else ""
    return f"{own} {used.uom} of {used.item} posted{from_lots(pieces)}{rest}"


def _event(
    part: OwedPart,
    drawn: Drawn,
    said: OpenedException,
    places: Places,
    decided: Decided,
    edges: list[EdgeRow],
) -> EventDraft:
    at = max(decided.at, part.reported_at)
    return EventDraft(
        type="exception.resolved",
        subject=part.work_order,
        partition_key=part.work_order,
        event_time=at,
        data=_data(decided, at, said, actuals_of(part, drawn.net, drawn.scrap), part),
        upstream=True,
        person=decided.person,
        reason=decided.decision.reason,
        movements=movements_of(part, drawn.net, drawn.scrap, places),
        edges=edges,
    )


def _data(
    decided: Decided,
    at: str,
    ended: OpenedException,
    actuals: Sequence[LineActual | MaterialActual],
    part: OwedPart | None = None,
) -> HealedData:
    return HealedData(
        report_id=part.report_id if part else None,
        work_order=part.work_order if part else None,
        person=decided.person,
        station=decided.station,
        master_data_version=decided.master_data_version,
        event_time=at,
        decision=decided.decision,
        material_actuals=actuals,
        exceptions=[ended],
    )


def _resolution(part: OwedPart, drawn: Drawn, off_micro: int, decided: Decided) -> str:
    if decided.decision.how == "write_off":
        return written_off_by(decided)
    pieces = [*drawn.net, *drawn.scrap]
    own = sum(piece.quantity_micro for piece in pieces)
    instead = next((piece.substitute for piece in pieces if piece.substitute), None)
    used = instead or part
    rest = f"; {format_quantity(off_micro)} not used" if off_micro else ""
    return (
        f"posted by {decided.person}: {format_quantity(own)} {used.uom}"
        + (f" of {used.item}" if instead else "")
        + f"{from_lots(pieces)}{rest}"
    )
