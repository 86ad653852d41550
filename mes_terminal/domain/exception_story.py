"""What keeps an exception open, in a sentence, and the ways to end it, the likeliest first. Pure.

The ways that `exception resolve` knows are decisions (BF-23); the others are done at the line or in
the office and end it, or make a decision possible. Called by `usecases.exception_groups`.
"""

from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from msgspec import Struct

from mes_terminal.domain.delivery import OTHER_CONTENT
from mes_terminal.domain.desk import Proposal, ProposalHow
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.quantity import format_quantity


class Place(Struct, frozen=True, array_like=True):
    """Stock that may mend a shortage, the likeliest first."""

    lot: str
    quantity_micro: int
    location: str
    instead: str | None
    """The item, where it is not the component itself."""
    uom: str
    arrived_at: str


class OpenStory(Struct, frozen=True, kw_only=True):
    """What is known of an open exception that its ways to end follow from."""

    kind: ExceptionKind
    cause_code: str
    cause: str | None
    item: str | None
    lot: str | None
    quantity: str | None
    uom: str | None
    tracking: str | None
    location: str | None
    opened_at: str
    mount_required: bool
    places: Sequence[Place]


_WHY_SHORT: Final = {
    "shortage:no_stock": "nothing of it was there",
    "shortage:expired": "what was there had expired",
    "shortage:held": "what was there is on hold or rejected",
    "shortage:location_held": "nothing is ever picked there",
    "shortage:not_arrived": "what is there arrived later",
    "shortage:not_mounted": "no container of it was mounted",
    "shortage:mounted_empty": "the mounted container was empty",
    "shortage:clock": "the clock was in doubt, and what is there can expire",
}


def blocking_of(story: OpenStory) -> str:
    """Return what keeps it open, as a sentence without its full stop."""
    item, quantity = story.item, f"{story.quantity} {story.uom}"
    match story.kind:
        case "shortage" | "unknown_lot":
            why = _WHY_SHORT.get(story.cause_code)
            place = f" at {story.location}" if story.location else ""
            return f"{quantity} of {item} missing{place}" + (f": {why}" if why else "")
        case "component_serial":
            return f"{story.quantity} serials of {item} are in no slot"
        case "lot_expired":
            return f"{quantity} of {item} were used although they had expired"
        case "lot_on_hold":
            return f"{quantity} of {item} were used although they were on hold"
        case "substitution":
            return f"Another item was used in place of {quantity} of {item}"
        case "lot_overdrawn":
            return f"The books and the container of {item} differ by {quantity}"
        case "over_completion":
            return f"{quantity} of {item} were made beyond the order and its tolerance"
        case "consumption":
            return f"The order took {quantity} of {item} more or less than its tolerance"
        case "count_variance":
            return f"The count and the books of {item} differ by {quantity}; the books stand"
        case "unknown_code":
            return f"Nothing is known by this code; it was scanned {story.quantity} times"
        case "conversion_missing":
            return f"There is no conversion: {story.cause}"
        case "label_mismatch":
            return "The label and the record of the lot disagree"
        case "scanner":
            return f"The scanner does not work: {story.cause}"
        case "clock":
            return "Nobody has confirmed the clock; nothing that can expire is used"
        case "failed_scan":
            return "The station could not handle the scan; nothing was booked"
        case "posting_refused":
            return f"The receiver refused a posting: {story.cause or 'it did not say why'}"
        case "site_conflict":
            return story.cause or "The stations and the site disagree"
        case _:
            assert_never(story.kind)


def proposals_of(story: OpenStory) -> list[Proposal]:
    """Return the ways to end it, the likeliest first; where it may be, writing off is the last."""
    found = list(_of_kind(story))
    if story.kind != "clock":
        found.append(Proposal(how="write_off", why=_WRITTEN_OFF.get(story.kind, _SEEN_TO)))
    return found


_LIKELY: Final = ("mount", "post", "lot", "item", "move")
"""What mends a shortage, the likeliest first: what was there then, then what came later."""
_SEEN_TO: Final = "It has been seen to, and nothing is posted"
_WRITTEN_OFF: Final[dict[ExceptionKind, str]] = {
    "shortage": "The parts cannot be found; genealogy keeps them as unknown",
    "component_serial": "The serial cannot be found; genealogy keeps it as unknown",
    "count_variance": "The count was wrong; the books stand",
    "failed_scan": "What was scanned is not to be booked",
    "unknown_code": "The code means nothing here",
    "posting_refused": "It stays refused for good, and what waits behind it is sent",
}
_OTHER_CONTENT: Final = f"posting_refused:{OTHER_CONTENT}"


def _of_kind(story: OpenStory) -> Iterator[Proposal]:
    item = story.item or ""
    match story.kind:
        case "shortage" | "unknown_lot":
            yield from sorted(_of_shortage(story), key=lambda each: _LIKELY.index(each.how))
        case "component_serial":
            said = f"Take the unit into rework and scan the {item} that it has"
            yield Proposal(how="scan_again", item=item, why=said)
        case "lot_overdrawn":
            yield Proposal(how="count", item=item, why="A count that explains it ends it")
        case "count_variance":
            yield Proposal(
                how="post", quantity=story.quantity, uom=story.uom, item=item,
                why="The books become what was counted",
            )  # fmt: skip
            yield Proposal(how="count", item=item, why="Another count takes its place")
        case "unknown_code":
            yield Proposal(how="load", why="Load what the code means, then scan it again")
            yield Proposal(how="scan_again", why="A damaged label can be printed anew")
        case "conversion_missing":
            yield Proposal(how="load", item=item, why="Load the conversion: it ends by itself")
        case "label_mismatch":
            yield Proposal(how="mend", lot=story.lot, why="Mend the label or the lot's record")
        case "scanner":
            yield Proposal(how="mend", why="It ends by itself when the scanner works again")
        case "clock":
            yield Proposal(how="post", why="The clock is right as it reads now")
            said = "A supervisor scans the badge at the station, and the same badge again"
            yield Proposal(how="confirm_clock", why=said)
        case "failed_scan":
            yield Proposal(how="post", why="The scan is handled again, at its own time")
        case "posting_refused":
            yield from _of_posting(story)
        case "site_conflict":
            said = "Find out which is right and correct the other; the site ends it when they agree"
            yield Proposal(how="mend", why=said)
        case _:
            return


def _of_shortage(story: OpenStory) -> Iterator[Proposal]:
    """Own stock at its place, what the line lists in its stead, own stock elsewhere."""
    for place in story.places:
        here = place.location == story.location
        stock = {
            "lot": place.lot or None,
            "quantity": format_quantity(place.quantity_micro),
            "uom": place.uom,
            "location": place.location,
        }
        what = place.lot or story.item or ""
        if place.instead is not None:
            said = f"{place.instead} is a substitute of the line"
            yield Proposal(how="item", item=place.instead, why=said, **stock)
        elif not here:
            said = f"Bring {what} to {story.location or 'the line'}: it is posted, or can be named"
            yield Proposal(how="move", item=story.item, why=said, **stock)
        else:
            how, said = _own_here(story, place, what)
            yield Proposal(how=how, item=story.item, why=said, **stock)


def _of_posting(story: OpenStory) -> Iterator[Proposal]:
    """What is mended upstream can be sent again, unless its number is taken by another posting."""
    if story.cause_code == _OTHER_CONTENT:
        yield Proposal(how="mend", why="See who else posts as this station, and stop one of them")
    else:
        yield Proposal(how="post", why="Mended upstream, it is sent again with the same key")
        yield Proposal(how="mend", why="What was reported in error is reversed at the line")


def _own_here(story: OpenStory, place: Place, what: str) -> tuple[ProposalHow, str]:
    if story.mount_required and story.cause_code == "shortage:not_mounted":
        return "mount", f"Mount {what}: the line takes it from nowhere else"
    if story.tracking == "none" or place.arrived_at <= story.opened_at:
        return "post", f"{what} was there when it was reported"
    return "lot", f"{what} arrived later; name it if it was used"
