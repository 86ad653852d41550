"""A command that waits for its code: what it says is checked before it waits."""

from typing import Final

from mes_terminal.domain.intent import AwaitCode
from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.store import orders, rework
from mes_terminal.store.database import Connection
from mes_terminal.usecases.context import Answer, Context, answer, changed

REASONS: Final = {"SHORT": "short_close", "SCRAP": "scrap", "REWORK": "rework", "EXTRA": "extra"}
"""The kind of reason that a command must carry."""
FOR_QUALITY: Final = frozenset({"RELEASE"})
"""Commands of quality and supervisors."""
WAITS_FOR: Final = {
    "START": "an order",
    "SHORT": "an order",
    "SCRAP": "a unit, an order, or a container or lot",
    "REWORK": "a finished unit or lot",
    "REPLACE": "the serial that goes in",
    "SERIAL": "the serial of a unit",
    "ISSUE": "a container or lot",
    "RETURN": "a container or lot",
    "EXTRA": "a container or lot",
    "EMPTY": "a mounted container, its lot or its position",
    "UNMOUNT": "a mounted container, its lot or its position",
    "ASIDE": "a mounted container, its lot or its position",
    "MOVE": "a container or lot",
    "HOLD": "a lot",
    "RELEASE": "a lot",
}


def await_code(conn: Connection, intent: AwaitCode, context: Context) -> Answer:
    """Keep the command for the next code, if what it says can be used."""
    refusal = (
        _refuse_reason(conn, intent, context)
        or _refuse_argument(conn, intent, context)
        or _refuse_person(intent, context)
    )
    if refusal is not None:  # what waited before it is over, too: the message says so
        session = changed(context.session, pending_verb=None, pending_argument=None)
        return Answer(refusal.outcome, session)
    said = f"{intent.verb} {intent.argument}".strip()
    return answer(
        context,
        "recorded",
        f"{said} waits for {_what_follows(intent)}",
        "Scan it now, or CANCEL",
        session=changed(
            context.session, pending_verb=intent.verb, pending_argument=intent.argument
        ),
    )


def _completes(intent: AwaitCode) -> bool:
    """`%REWORK` alone completes what is in rework; sending something there takes a reason."""
    return intent.verb == "REWORK" and not intent.argument


def _what_follows(intent: AwaitCode) -> str:
    return "what is done in rework" if _completes(intent) else WAITS_FOR[intent.verb]


def _refuse_reason(conn: Connection, intent: AwaitCode, context: Context) -> Answer | None:
    kind = REASONS.get(intent.verb)
    if kind is None or (intent.argument and orders.reason_known(conn, intent.argument, kind)):
        return None
    if _completes(intent) and rework.anything_there(conn, station=context.rules.station):
        return None
    what = f"{intent.argument} is no reason" if intent.argument else "The reason is missing"
    return answer(
        context,
        "rejected",
        f"{what} for {intent.verb}. Nothing waits",
        f"Scan {intent.verb} with a reason of the reason card",
        reason="reason_missing",
    )


def _refuse_argument(conn: Connection, intent: AwaitCode, context: Context) -> Answer | None:
    """Check the location of `%MOVE` and the quantity of `%ASIDE`."""
    if intent.verb == "MOVE":
        return _refuse_location(conn, intent, context)
    if intent.verb != "ASIDE":
        return None
    try:
        good = parse_quantity(intent.argument) >= 0 if intent.argument else False
    except QuantityError:
        good = False
    if good:
        return None
    return answer(
        context,
        "rejected" if intent.argument else "needs",
        f"ASIDE needs what is left in the container, not {intent.argument or 'nothing'}",
        "Scan ASIDE with a number, such as ASIDE 12.5",
        reason="malformed" if intent.argument else "quantity",
    )


def _refuse_location(conn: Connection, intent: AwaitCode, context: Context) -> Answer | None:
    kind = orders.location_kind(conn, intent.argument, station=context.rules.station)
    if kind is not None and kind != "virtual":
        return None
    said = f"{intent.argument} is no location of this station" if intent.argument else (
        "MOVE lacks its location"
    )  # fmt: skip
    return answer(
        context,
        "rejected",
        f"{said}. Nothing waits",
        "Scan MOVE with a location, such as MOVE STORE",
        reason="malformed",
    )


def _refuse_person(intent: AwaitCode, context: Context) -> Answer | None:
    if intent.verb not in FOR_QUALITY:
        return None
    if context.person is not None and context.person.role in ("quality", "supervisor"):
        return None
    return answer(
        context,
        "rejected",
        f"{intent.verb} is for quality and supervisors. Nothing waits",
        "Scan your badge first, or call quality",
        reason="not_authorised",
    )
