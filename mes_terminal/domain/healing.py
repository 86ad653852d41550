"""An owed part of a report that is posted later, because what blocked it has changed (BF-22). Pure.

One part is what one report owes of one order line. What is drawn for it now is issued against the
line as the report would have done, names the lots in genealogy in place of the nameless one, and is
told by one event that refers to the report and to what mended it. `domain.resolving` posts, changes
or writes off a part by the same rows because a person said so (BF-23).
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from mes_terminal.domain.backflush import Piece
from mes_terminal.domain.order import Source
from mes_terminal.domain.outcome import Certainty, OpenedException
from mes_terminal.domain.posting import (
    EdgeRow,
    EventDraft,
    LineActual,
    MaterialActual,
    MovementRow,
)
from mes_terminal.domain.posting_texts import Instant, Name, SaidQuantity, Uuid, Version
from mes_terminal.domain.quantity import format_quantity

CAUSES: Final = {
    "material.received": "receipt",
    "material.moved": "move of",
    "material.issued": "return of",
    "lot.mounted": "mounting at",
    "lot.status_changed": "release of",
    "stock.adjusted": "adjustment of",
    "production.completed": "report of",
    "report.reversed": "reversal of",
    "exception.resolved": "decision on",
    "clock.confirmed": "clock confirmed by",
    "loaded": "load",
}
"""What a change is called in a resolution, by the type of its event."""


class Cause(Struct, frozen=True):
    """The change that mended something: its event."""

    event_id: str
    type: str
    """Without prefix and version."""
    subject: str
    event_time: Instant

    @property
    def said(self) -> str:
        """The change as a phrase."""
        return f"{CAUSES.get(self.type, self.type)} {self.subject}"


class OwedPart(Struct, frozen=True, kw_only=True):
    """What one report still owes of one order line."""

    exception_id: int
    report_seq: int
    report_id: str
    reported_at: str
    """The report's event time."""
    work_order: str
    line_id: int
    line: str
    erp_ref: str | None
    location_id: int
    location: str
    location_rule: str
    mount_required: int
    mount_position: str | None
    item_id: int
    item: str
    uom: str
    tracking: str
    inherit_expiry: int
    """The product takes the earliest expiry of its components (BF-39)."""
    nameless_lot_id: int
    step_micro: int
    net_micro: int
    scrap_micro: int
    """Of it the planned-scrap part is beside `net_micro`, not in it."""


class Unnamed(Struct, frozen=True):
    """What genealogy lacks of one product: its lot, its item, and how much came from no lot."""

    child_id: int
    item_id: int
    quantity_micro: int


class Places(Struct, frozen=True):
    """Where things go."""

    production_id: int
    scrap_id: int
    scrap_location: str


class Told(Struct, frozen=True, kw_only=True):
    """Who says it, and by which master data."""

    station: str
    master_data_version: str


class Decision(Struct, frozen=True, kw_only=True):
    """How a person ends an exception (BF-23)."""

    how: Literal["post", "change", "write_off"]
    lot: str | None = None
    item: str | None = None
    """The item that was used in its stead."""
    quantity: SaidQuantity | None = None
    """What was really used of what is open, in units of the component."""
    reason: str | None = None


class HealedData(Struct, frozen=True, kw_only=True):
    """What the end of an exception, or of part of it, says upstream: what was owed is consumption
    now, or no longer demand."""

    report_id: Uuid | None
    """The report that owed it; `None`: it is nothing that a report owes."""
    work_order: str | None
    person: str | None = None
    station: Name
    master_data_version: Version
    event_time: Instant
    fixed_by: Cause | None = None
    """What mended it; `None`: a person decided."""
    decision: Decision | None = None
    scan_id: Uuid | UnsetType = UNSET
    """The scan that was made of a failed one: it is no input of its own (invariant 5)."""
    material_actuals: Sequence[LineActual | MaterialActual]
    exceptions: list[OpenedException]


class Healing(Struct, frozen=True, kw_only=True):
    """What posting a part writes. Quantities in micro-units."""

    part: OwedPart
    net: list[Piece]
    scrap: list[Piece]
    net_micro: int
    """What `net` covers of the component."""
    scrap_micro: int
    written_micro: int = 0
    """What ends without being posted."""
    written_scrap_micro: int = 0
    event: EventDraft
    resolution: str

    @property
    def ended_micro(self) -> int:
        """How much less is open afterwards."""
        written = self.written_micro + self.written_scrap_micro
        return self.net_micro + self.scrap_micro + written

    @property
    def substitutions(self) -> list[tuple[int, int, int]]:
        """What stood in for the component: place among the movements, line, what it covers."""
        return [
            (place, self.part.line_id, piece.covers_micro)
            for place, piece in enumerate((*self.net, *self.scrap))
            if piece.substitute is not None
        ]


def draw_part(
    part: OwedPart, sources: Sequence[Source], sole_lot_id: int | None
) -> tuple[list[Piece], list[Piece]]:
    """Draw what is owed from the sources in their order: for the units first, then as scrap."""
    needs = [part.net_micro, part.scrap_micro]
    drawn: list[list[Piece]] = [[], []]
    for source in sources:
        left = source.quantity_micro
        for place, need in enumerate(needs):
            taken = min(left, need)
            if taken:
                certainty = _certainty(part, source, sole_lot_id)
                drawn[place].append(Piece(source, taken, certainty))
                needs[place] -= taken
                left -= taken
    return drawn[0], drawn[1]


def plan_healing(
    part: OwedPart,
    net: list[Piece],
    scrap: list[Piece],
    unnamed: Sequence[Unnamed],
    cause: Cause,
    places: Places,
    told: Told,
) -> Healing:
    """Return every row of a healing. It happens when the change did, but not before the report."""
    net_micro = sum(piece.quantity_micro for piece in net)
    scrap_micro = sum(piece.quantity_micro for piece in scrap)
    posted = format_quantity(net_micro + scrap_micro)
    at = max(cause.event_time, part.reported_at)
    data = HealedData(
        report_id=part.report_id,
        work_order=part.work_order,
        station=told.station,
        master_data_version=told.master_data_version,
        event_time=at,
        fixed_by=cause,
        material_actuals=actuals_of(part, net, scrap),
        exceptions=[
            OpenedException(part.exception_id, "shortage", part.line, part.item, f"-{posted}")
        ],
    )
    event = EventDraft(
        type="exception.resolved",
        subject=part.work_order,
        partition_key=part.work_order,
        event_time=at,
        data=data,
        upstream=True,
        movements=movements_of(part, net, scrap, places),
        edges=edges_of(part, net, unnamed) if part.tracking != "none" else [],
    )
    return Healing(
        part=part,
        net=net,
        scrap=scrap,
        net_micro=net_micro,
        scrap_micro=scrap_micro,
        event=event,
        resolution=f"posted after {cause.said}: {posted} {part.uom}{from_lots([*net, *scrap])}",
    )


def from_lots(pieces: Sequence[Piece]) -> str:
    """Return the lots that pieces come from, as the end of a sentence."""
    lots = {piece.source.lot for piece in pieces if piece.source.lot}
    return f" from {', '.join(sorted(lots))}" if lots else ""


def _certainty(part: OwedPart, source: Source, sole_lot_id: int | None) -> Certainty | None:
    if part.tracking == "none":
        return None
    return "sole" if source.lot_id == sole_lot_id else "assumed"


def movements_of(
    part: OwedPart, net: list[Piece], scrap: list[Piece], places: Places
) -> list[MovementRow]:
    """Return the ledger rows of what is drawn for a part: issues first, then scrap."""
    rows: list[MovementRow] = [
        (part.line_id, piece.source.lot_id, piece.source.container_id, part.location_id,
         places.production_id, piece.quantity_micro, "issue", part.location_rule)
        for piece in net
    ]  # fmt: skip
    rows += [
        (part.line_id, piece.source.lot_id, piece.source.container_id, part.location_id,
         places.scrap_id, piece.quantity_micro, "scrap", None)
        for piece in scrap
    ]  # fmt: skip
    return rows


def actuals_of(part: OwedPart, net: list[Piece], scrap: list[Piece]) -> list[LineActual]:
    """Return what was drawn as events say it."""
    return [*_actuals(part, net, "Consumed"), *_actuals(part, scrap, "Scrapped")]


def _actuals(part: OwedPart, pieces: list[Piece], use: str) -> list[LineActual]:
    """Return what was drawn, by lot; containers of one lot count together."""
    by_lot: dict[str, tuple[Piece, int]] = {}
    for piece in pieces:
        known = by_lot.get(piece.source.lot, (piece, 0))[1]
        by_lot[piece.source.lot] = (piece, known + piece.quantity_micro)
    return [
        LineActual(use, (piece.substitute or part).item, lot or None, None,
                   format_quantity(micro), (piece.substitute or part).uom,
                   part.location, part.line, part.erp_ref, "backflushed", piece.certainty)
        for lot, (piece, micro) in by_lot.items()
    ]  # fmt: skip


def edges_of(
    part: OwedPart, net: list[Piece], unnamed: Sequence[Unnamed], *, unused_micro: int = 0
) -> list[EdgeRow]:
    """Return the edges from the lots drawn, and as much less from the nameless one.

    The products of one item share what is drawn, first come first served; each other output of the
    report has all of it once more (BF-30). `unused_micro` leaves the nameless lot and comes from
    none: it is in no product.
    """
    edges: dict[tuple[int, int], EdgeRow] = {}
    unused = Piece(Source(0, 0, 0, "", "", 0), unused_micro, None)
    for item_id in dict.fromkeys(child.item_id for child in unnamed):
        children = [child for child in unnamed if child.item_id == item_id]
        for child_id, piece, own, covers in _dealt_out([*net, unused], children):
            for parent_id, signed, certainty in (
                (piece.source.lot_id, own, piece.certainty),
                (part.nameless_lot_id, -covers, "unknown"),
            ):
                if certainty is None or not signed:
                    continue
                known = edges.get((child_id, parent_id))
                total = signed + (known[3] if known else 0)
                row: EdgeRow = (child_id, parent_id, part.line_id, total, certainty)
                edges[child_id, parent_id] = row
    return list(edges.values())


def _dealt_out(
    net: Sequence[Piece], children: list[Unnamed]
) -> Iterator[tuple[int, Piece, int, int]]:
    """Yield (product, piece, how much of it in its own units, and in those of the component)."""
    left = {child.child_id: child.quantity_micro for child in children}
    for piece in net:
        covers, used, own_used = piece.covers_micro, 0, 0
        for child in children:
            taken = min(covers - used, left[child.child_id])
            if taken:
                used += taken
                own = piece.quantity_micro * used // covers - own_used
                yield child.child_id, piece, own, taken
                left[child.child_id] -= taken
                own_used += own
