"""A person ends what reports still owe of an order line: it is posted, or written off (BF-23).

Posted as it was: from what the rules of healing allow (BF-22). Posted changed: from a lot that the
person names, an item that was used instead, or a quantity that was really used. Written off:
nothing leaves the stock, the line owes it no longer and does not take it again (BF-4). Everything
is drawn before anything is written, so that a refusal has written nothing.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from mes_terminal.domain.backflush import Stock
from mes_terminal.domain.healing import Healing, OwedPart
from mes_terminal.domain.order import Source, Substitute
from mes_terminal.domain.quantity import format_quantity, parse_quantity
from mes_terminal.domain.resolving import (
    Decided,
    Drawn,
    OpenException,
    Resolved,
    ResolvedOutcome,
    consumed,
    draw_named,
    limited,
    plan_resolution,
    summary,
)
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import clock, healing, resolutions
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_events, read_head
from mes_terminal.store.orders import location_kind
from mes_terminal.store.resolutions import NamedItem

REPORTS_MAX: Final = 500
"""Reports whose part one decision ends: a scan that comes meanwhile waits for some 0.2 s."""
LOTS_PROPOSED: Final = 3

DayOf = Callable[[str], str]
"""The site's calendar day of an instant."""


class _Named(Struct, frozen=True):
    """What a person says was used; all `None`: what the rules find."""

    item_id: int | None = None
    lot: str | None = None
    stand_in: Substitute | None = None


class _Cannot(Struct, frozen=True):
    """Why nothing can be posted, as a sentence."""

    said: str


def resolve_shortage(
    conn: Connection,
    found: OpenException,
    decided: Decided,
    rules: StationRules,
    day_of: DayOf,
) -> Resolved:
    """End an open shortage or serials that are missing, or say why not."""
    parts = healing.parts_of(conn, found.exception_id, limit=REPORTS_MAX)
    decision = decided.decision
    if decision.how == "write_off":
        planned = [(part, Drawn([], [])) for part in parts]
        return _write(conn, found, planned, decided, rules, ends=True)
    if found.kind == "component_serial":
        said = f"Take the unit into rework and scan the {found.item} that it has"
        return _refused(found, _Cannot(f"{said}, or write this off with a reason"))
    named = _named(conn, parts[0], decided, rules)
    if isinstance(named, _Cannot):
        return _refused(found, named)
    if decision.quantity is None:
        drawn = _draw(conn, parts, named, day_of)
        useful = [(part, each) for part, each in drawn if each.covers_micro]
        if not useful:
            return _refused(found, _nothing_there(conn, parts[0], named, day_of))
        return _write(conn, found, useful, decided, rules, ends=False)
    used = parse_quantity(decision.quantity)
    cannot = _not_that_much(parts, used, found)
    if cannot is not None:
        return _refused(found, cannot)
    drawn = _draw(conn, parts, named, day_of, limit_micro=used)
    there = sum(each.covers_micro for _, each in drawn)
    if there < used:
        said = f"Only {format_quantity(there)} {found.uom} of {found.item} can be posted"
        return _refused(found, _Cannot(f"{said}; bring the rest to {parts[0].location} first"))
    return _write(conn, found, drawn, decided, rules, ends=True)


def _named(
    conn: Connection, part: OwedPart, decided: Decided, rules: StationRules
) -> _Named | _Cannot:
    """Return what the decision names, or why it cannot be used for the line."""
    decision = decided.decision
    if clock.in_doubt(conn):
        return _Cannot("The clock was set back. A supervisor confirms it first")
    kind = location_kind(conn, part.location, station=rules.station)
    if kind in (None, "hold", "scrap"):
        return _Cannot(f"Nothing is ever picked at {part.location}. Write this off with a reason")
    stand_in = None
    tracking, item_id, item = part.tracking, part.item_id, part.item
    if decision.item is not None and decision.item != part.item:
        chosen = resolutions.read_item(conn, decision.item)
        if chosen is None:
            return _Cannot(f"There is no item {decision.item[:64]}")
        other = _stand_in(conn, part, chosen)
        if isinstance(other, _Cannot):
            return other
        stand_in, tracking, item_id, item = other, chosen.tracking, chosen.item_id, chosen.item
    if tracking == "serial":
        return _Cannot(f"{item} has serial numbers. Scan the one that was used")
    if tracking == "none":
        if decision.lot is not None:
            return _Cannot(f"{item} is not kept by lot. Leave the lot out")
        return _Named(item_id if stand_in else None, "", stand_in)
    if decision.lot is None:
        if decision.item is not None:
            return _Cannot(f"{item} is kept by lot. Name the lot that was used, too")
        return _Named()
    return _lot(conn, part, _Named(item_id, decision.lot, stand_in), item)


def _stand_in(conn: Connection, part: OwedPart, chosen: NamedItem) -> Substitute | _Cannot:
    """Return the other item by its listed ratio, else one for one (BF-29)."""
    listed = resolutions.read_stand_in(conn, part, chosen)
    if listed is None and chosen.uom != part.uom:
        return _Cannot(
            f"{chosen.item} is counted in {chosen.uom}, {part.item} in {part.uom}, and the line "
            "does not list it as a substitute with its ratio"
        )
    if part.tracking == "none" and chosen.tracking != "none":
        return _Cannot(
            f"Genealogy has no place for {chosen.item} by lot where {part.item} has none. Issue it "
            "with EXTRA, then write this off"
        )
    return listed or resolutions.stand_in(chosen, 1, 1)


def _lot(conn: Connection, part: OwedPart, named: _Named, item: str) -> _Named | _Cannot:
    name = (named.lot or "")[:64]
    lot = resolutions.read_lot(conn, named.item_id or 0, named.lot or "", part.location_id)
    if lot is None:
        return _Cannot(f"{item} has no lot {name}")
    if lot.quantity_micro <= 0:
        return _Cannot(f"Nothing of {item} {name} is at {part.location} in the books")
    return named


def _not_that_much(parts: list[OwedPart], used: int, found: OpenException) -> _Cannot | None:
    if used % parts[0].step_micro:
        step = format_quantity(parts[0].step_micro)
        return _Cannot(f"{found.item} is counted in steps of {step} {found.uom}")
    is_open = sum(part.net_micro + part.scrap_micro for part in parts)
    if is_open < (found.quantity_micro or 0):
        return _Cannot(f"It has more than {REPORTS_MAX} reports. Post or write off a part first")
    if used > is_open:
        return _Cannot(
            f"Only {format_quantity(is_open)} {found.uom} are open. Issue what was used beyond "
            "that with EXTRA"
        )
    return None


def _draw(
    conn: Connection,
    parts: list[OwedPart],
    named: _Named,
    day_of: DayOf,
    *,
    limit_micro: int | None = None,
) -> list[tuple[OwedPart, Drawn]]:
    """Draw what each part may have, the oldest report first, together no more than the limit."""
    stock = Stock({})
    sole = None
    if named.lot is None and parts[0].tracking != "none":
        sole = healing.sole_lot(conn, parts[0])
    drawn: list[tuple[OwedPart, Drawn]] = []
    for part in parts:
        wanted = part if limit_micro is None else limited(part, limit_micro)
        sources = _sources(conn, part, named, day_of)
        each = draw_named(wanted, sources, stock, sole_lot_id=sole, stand_in=named.stand_in)
        if limit_micro is not None:
            limit_micro -= each.covers_micro
        drawn.append((part, each))
    return drawn


def _sources(conn: Connection, part: OwedPart, named: _Named, day_of: DayOf) -> list[Source]:
    day = day_of(part.reported_at)
    if named.item_id is None or named.lot is None:
        return healing.sources_for(conn, part, reported_day=day)
    return resolutions.named_sources(conn, part, named.item_id, named.lot, reported_day=day)


def _nothing_there(conn: Connection, part: OwedPart, named: _Named, day_of: DayOf) -> _Cannot:
    """Say why nothing was found for any report."""
    item = named.stand_in.item if named.stand_in else part.item
    if named.item_id is None:
        lots = []
        if part.tracking != "none":
            lots = resolutions.lots_at(conn, part.item_id, part.location_id, limit=LOTS_PROPOSED)
        said = f"There is no {item} at {part.location}"
        if lots:
            said = f"No lot of {item} that is left was at {part.location} when it was reported"
        return _Cannot(
            f"{said}. Name the lot that was used: {', '.join(lots)}"
            if lots
            else f"{said}. Bring some, name another item, or write this off"
        )
    if not named.lot:
        return _Cannot(f"There is no {item} at {part.location}")
    lot = resolutions.read_lot(conn, named.item_id, named.lot, part.location_id)
    if lot is not None and (lot.expires_on or "9999") < day_of(part.reported_at):
        return _Cannot(f"{item} {named.lot} had expired on {lot.expires_on} when it was reported")
    status = "on hold" if lot is not None and lot.status == "hold" else "rejected"
    return _Cannot(f"{item} {named.lot} was {status} already when it was reported")


def _write(
    conn: Connection,
    found: OpenException,
    planned: list[tuple[OwedPart, Drawn]],
    decided: Decided,
    rules: StationRules,
    *,
    ends: bool,
) -> Resolved:
    """Write what was drawn for each part; `ends`: the rest of each ends with it."""
    places = healing.read_places(conn, rules.scrap_location)
    plans = [
        plan_resolution(
            found,
            part,
            drawn,
            healing.unnamed(conn, part) if part.tracking != "none" else [],
            places,
            decided,
            ends=ends,
        )
        for part, drawn in planned
    ]
    first = read_head(conn).movement_seq + 1
    sequences = append_events(
        conn, [plan.event for plan in plans], rules=rules, recorded_at=decided.at
    )
    for plan, event_seq in zip(plans, sequences, strict=True):
        healing.write_healing(
            conn, plan, places, event_seq=event_seq, cause_seq=None, movement_first=first
        )
        first += len(plan.event.movements)
    return _told(found, plans, decided, rules)


def _told(
    found: OpenException, plans: list[Healing], decided: Decided, rules: StationRules
) -> Resolved:
    off = sum(plan.written_micro + plan.written_scrap_micro for plan in plans)
    rest = (found.quantity_micro or 0) - sum(plan.ended_micro for plan in plans)
    part = plans[0].part
    net = [piece for plan in plans for piece in plan.net]
    scrap = [piece for plan in plans for piece in plan.scrap]
    posted: ResolvedOutcome = "partly_posted" if rest else "posted"
    said = summary(part, [*net, *scrap], off, decided)
    return Resolved(
        id=found.exception_id,
        outcome="written_off" if decided.decision.how == "write_off" else posted,
        message=f"{said}; {format_quantity(rest)} {part.uom} still open" if rest else said,
        posted=consumed(part, net, part.location),
        scrapped=consumed(part, scrap, rules.scrap_location),
        written_off=format_quantity(off) if off else None,
        open=format_quantity(rest) if rest else None,
    )


def _refused(found: OpenException, why: _Cannot) -> Resolved:
    return Resolved(
        id=found.exception_id,
        outcome="refused",
        message=why.said,
        open=format_quantity(found.quantity_micro or 0),
    )
