"""What the site says to a posting: accepted, or refused with a reason and a sentence (UP-2). Pure.

A refusal is a matter of business: the order is closed, the period is closed, the lot is blocked. It
is judged again whenever the same bytes come again, so what is mended above is mended for it too.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from mes_terminal.domain.quantity import parse_quantity
from mes_terminal.site.effects import Effect, net_effects
from mes_terminal.site.reading import Posting

LotKey = tuple[str, str, str]
"""item, lot, serial; '' for none."""

MALFORMED: Final = "malformed"
ORDER_CLOSED: Final = "order_closed"
PERIOD_CLOSED: Final = "period_closed"
LOT_BLOCKED: Final = "lot_blocked"
NOT_ALLOWED: Final = "not_allowed"
PART_OF_REFUSED: Final = "part_of_refused"


class Barred(Struct, frozen=True):
    """An order that takes no more reports: since when, and as what."""

    since: str
    status: str


class Blocked(Struct, frozen=True):
    """A lot that may not be used: since when, and as what."""

    since: str
    status: str


class Standing(Struct, frozen=True, kw_only=True):
    """A report that came before, as the site has it."""

    posting_id: int
    outcome: str
    closes: bool
    """It closed its order, and nothing has taken that back."""
    effects: tuple[Effect, ...] = ()
    """Of one that stands refused: what it would have done."""
    scrapped_micro: int = 0


class Facts(Struct, frozen=True, kw_only=True):
    """What judging a batch needs to know. Instants are texts in UTC that compare as such."""

    orders: Mapping[str, Barred]
    lots: Mapping[LotKey, Blocked]
    closed_before: str | None


class Verdict(Struct, frozen=True):
    """The answer to a posting. `makes_final`: a refused report that this one takes back whole."""

    reason: str | None = None
    sentence: str | None = None
    has_effect: bool = True
    makes_final: int | None = None


ACCEPTED: Final = Verdict()


def judge(posting: Posting, facts: Facts, reversed_report: Standing | None) -> Verdict:
    """Return the verdict; `reversed_report` is what the posting takes back, if the site has it."""
    if reversed_report is not None and reversed_report.outcome == "refused":
        return _takes_back_refused(posting, reversed_report)
    data = posting.data
    if not (data.material_actuals or posting.report_id):
        return ACCEPTED
    at = posting.event_time
    if facts.closed_before is not None and at < facts.closed_before:
        return Verdict(
            PERIOD_CLOSED,
            f"The period up to {facts.closed_before[:10]} is closed, and this happened at "
            f"{at[:16].replace('T', ' ')} UTC. Have the period opened, or take the report back.",
        )
    barred = facts.orders.get(data.work_order or "")
    if barred is not None and barred.since <= at:
        return Verdict(
            ORDER_CLOSED,
            f"Order {data.work_order} is {barred.status} at the site since "
            f"{barred.since[:16].replace('T', ' ')} UTC. Have it opened, or take the report back.",
        )
    return _lots(posting, facts)


def _lots(posting: Posting, facts: Facts) -> Verdict:
    if not facts.lots:
        return ACCEPTED
    for actual in posting.data.material_actuals:
        if actual.use != "Consumed" or actual.quantity.startswith("-"):
            continue
        blocked = facts.lots.get((actual.item, actual.lot or "", actual.serial or ""))
        if blocked is not None and blocked.since <= posting.event_time:
            status = "rejected" if blocked.status == "rejected" else "on hold"
            return Verdict(
                LOT_BLOCKED,
                f"{actual.item} {actual.lot or actual.serial} is {status} at the site since "
                f"{blocked.since[:16].replace('T', ' ')} UTC. Have it released, or take the "
                "report back.",
            )
    return ACCEPTED


def _takes_back_refused(posting: Posting, original: Standing) -> Verdict:
    """A report that never had an effect here: taking all of it back is nothing, and the end of it.

    A part of it cannot be taken from what is not there: it waits until the rest is accepted.
    """
    data = posting.data
    left: dict[tuple[str, str, str, str], int] = {}
    for each in (*net_effects(data.material_actuals), *original.effects):
        key = (each.item, each.lot, each.serial, each.location)
        left[key] = left.get(key, 0) + each.quantity_micro
    scrapped = parse_quantity(data.scrapped_quantity) + original.scrapped_micro
    if any(left.values()) or scrapped:
        return Verdict(
            PART_OF_REFUSED,
            "It takes back a part of a report that stands refused. Mend that one first, or take "
            "all of it back.",
        )
    return Verdict(has_effect=False, makes_final=original.posting_id)
