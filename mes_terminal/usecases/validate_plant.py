"""The validation report: what is wrong or doubtful in master data and stock, and how to mend it.

Reads only, one bounded statement a check, so that it can run beside the station's scans. Called by
`report validation` and, once a day, by the core.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from mes_terminal.domain.instants import local_day, plus_seconds, to_datetime
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import validation as store
from mes_terminal.store.database import Database

FOUND_MAX: Final = 100
"""Findings told of one check: who mends these looks again."""
UNMOVED_S: Final = 14 * 86_400
"""An order that should have begun so long ago and was not touched is doubtful."""
REASON_KINDS: Final = (
    "scrap", "rework", "extra", "write_off", "short_close", "deviation", "count", "stop",
)  # fmt: skip
"""Kinds of reasons that commands and the desk ask for."""

Severity = Literal["stop", "warn", "info"]
WORDS: Final[dict[str, str]] = {"stop": "STOP", "warn": "CHECK", "info": "LOOK"}


class Finding(Struct, frozen=True):
    """One thing that is wrong (`stop`), doubtful (`warn`) or worth a look (`info`)."""

    severity: Severity
    check: str
    what: str | None
    """The item, order, lot, line or person; `None`: more of the same check than are told."""
    where: str | None
    message: str
    mend: str


class _Check(Struct, frozen=True):
    name: str
    severity: Severity
    statement: str
    message: str
    """With `{what}`, `{where}` and `{detail}`."""
    mend: str


CHECKS: Final = (
    _Check("line_no_stock", "stop", store.LINE_NO_STOCK,
           "order line {what} takes {detail} from {where}, where none can be used",
           "Bring stock there, or correct the supply location."),
    _Check("stock_negative", "stop", store.STOCK_NEGATIVE,
           "{what} stands at {detail}, below zero",
           "Count it."),
    _Check("lot_expired_at_line", "stop", store.LOT_EXPIRED_AT_LINE,
           "{what} expired on {detail} and lies at the line",
           "Move it away, or scrap it."),
    _Check("lot_held_at_line", "warn", store.LOT_HELD_AT_LINE,
           "{what} is barred ({detail}) and lies at the line",
           "Move it to a hold location, or release it."),
    _Check("order_bom_ended", "warn", store.BOM_ENDED,
           "order {what} is made by {where}, which ends on {detail}",
           "Agree with planning by which revision it is made."),
    _Check("order_overdue", "warn", store.ORDER_OVERDUE,
           "order {what} was due at {detail}",
           "Make it, give it a new date, or close it short."),
    _Check("order_unmoved", "warn", store.ORDER_UNMOVED,
           "order {what} is {where} and was to start at {detail}",
           "Release it, give it a new date, or cancel it."),
    _Check("mount_never", "warn", store.MOUNT_NEVER,
           "{what} must be mounted for order {detail} and never was",
           "Scan a container of it at the line."),
    _Check("mount_empty", "warn", store.MOUNT_EMPTY,
           "{detail} is mounted and has nothing left in the books",
           "Scan the next container, or take it off: %UNMOUNT."),
    _Check("lot_no_expiry", "warn", store.LOT_NO_EXPIRY,
           "{what} has no expiry day, though the item keeps {detail} days",
           "Give expires_on or received_at in lots.csv."),
    _Check("person_no_pin", "warn", store.PERSON_NO_PIN,
           "{detail} ({where}) has no PIN and can sign nothing",
           "Set it: mes-terminal operator pin {what}"),
    _Check("load_waiting", "warn", store.PROPOSAL_WAITING,
           "load {what} was proposed at {detail} and waits for a second person",
           "Apply or refuse it: mes-terminal load --proposals"),
    _Check("place_unfit", "warn", store.PLACE_UNFIT,
           "{what} names {where}, which is a location of kind {detail}",
           "Correct the setting, or locations.csv."),
    _Check("reason_missing", "info", store.REASON_MISSING,
           "no reason of kind {what} is loaded, so any text passes for one",
           "Add reasons of that kind to reasons.csv."),
    _Check("item_no_cost", "info", store.ITEM_NO_COST,
           "{what} has no standard cost, so what is missing of it is worth nothing",
           "Give standard_cost in items.csv."),
    _Check("item_no_class", "info", store.ITEM_NO_CLASS,
           "{what} has no class, so the defaults decide its control levels and counts",
           "Give item_class in items.csv."),
    _Check("item_never_counted", "info", store.NEVER_COUNTED,
           "{what} has stock and was never counted",
           "Count it: %COUNT, place by place."),
    _Check("bom_part_unused", "info", store.BOM_PART_UNUSED,
           "BOM line {what} takes {detail}, which no order and no stock ever knew",
           "Check the line: a wrong number, or a part that is not bought yet?"),
    _Check("substitute_no_stock", "info", store.SUBSTITUTE_NO_STOCK,
           "{what} may stand in at {detail} and there is none",
           "Bring some, or take it out of bom_substitutes.csv."),
)  # fmt: skip
"""The checks, the gravest first."""


def validate_plant(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[Finding]:
    """Yield what is wrong or doubtful now, the gravest first, a check at a time."""
    if filters:
        raise InputError("validation has no filters.")
    parameters: dict[str, str | int] = {
        "now": now,
        "today": local_day(now, rules.zone),
        "unmoved_before": plus_seconds(now, -UNMOVED_S),
        "supply_location": rules.supply_location,
        "output_location": rules.output_location,
        "scrap_location": rules.scrap_location,
        "reason_kinds": msgspec.json.encode(REASON_KINDS).decode(),
        "limit": FOUND_MAX + 1,
    }
    for check in CHECKS:
        found = store.find(database, check.statement, parameters)
        for what, where, detail in islice(found, FOUND_MAX):
            yield _finding(check, str(what), where, detail)
        if next(found, None) is not None:
            message = f"there are more than {FOUND_MAX} of these"
            yield Finding(check.severity, check.name, None, None, message, "Mend those first.")


def _finding(check: _Check, what: str, where: str | None, detail: Any) -> Finding:
    told = format_quantity(detail) if check.name == "stock_negative" else str(detail)
    texts = {"what": what, "where": where or "", "detail": told}
    return Finding(
        check.severity,
        check.name,
        what,
        where,
        check.message.format_map(texts),
        check.mend.format_map(texts),
    )


def report_text(findings: Sequence[Finding], *, rules: StationRules, now: str) -> str:
    """Return the report as lines for people: what to mend first stands first."""
    local = to_datetime(now).astimezone(rules.zone).isoformat(sep=" ", timespec="minutes")
    counts = ", ".join(f"{_count(findings, each)} {each}" for each in get_args(Severity))
    lines = [f"Validation of {rules.station}, {rules.site}, {local}", counts, ""]
    for severity in get_args(Severity):
        lines += [_line(each) for each in findings if each.severity == severity]
    return "\n".join(map(_printable, lines)) + "\n"


def _count(findings: Sequence[Finding], severity: str) -> int:
    return sum(each.severity == severity for each in findings)


def _line(finding: Finding) -> str:
    return f"{WORDS[finding.severity]:<5} {finding.check:<20} {finding.message}. {finding.mend}"


def _printable(text: str) -> str:
    """Return a line without what a terminal or a printer would obey: codes are hostile."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
