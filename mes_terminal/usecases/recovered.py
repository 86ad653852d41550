"""A scan found in the journal at start is booked now; the same code soon after asks (BF-13).

Codes that were booked hold no line end, so the session keeps them a line each.
"""

from mes_terminal.domain import intent as meant
from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.intent import Intent
from mes_terminal.domain.scan import Scan
from mes_terminal.domain.session import Session
from mes_terminal.usecases.context import Answer, Context, changed

ASKS_FOR_S = 60
"""How long an operator may still scan again what was booked before the stop (BF-13)."""


def remember_recovered(intent: Intent, ruled: Answer, context: Context) -> Answer:
    """Let the first equal unserialised code ask whether it is another one."""
    unserialised = isinstance(intent, meant.ReportOrder | meant.ReportItem)
    if ruled.outcome.outcome != "completed" or not unserialised:
        return ruled
    scan, code = context.scan, context.asked_code or context.scan.raw
    until = plus_seconds(scan.recovered_at or scan.event_time, ASKS_FOR_S)
    others = _codes(ruled.session) if ruled.session.recovered_until == until else []
    session = changed(
        ruled.session,
        recovered_code=b"\n".join(dict.fromkeys([*others, code])),
        recovered_until=until,
    )
    return Answer(ruled.outcome, session, ruled.event_seq)


def asks_again(session: Session, scan: Scan) -> bool:
    """Tell whether the code was booked before the stop, a moment ago; what waited there itself
    never asks."""
    return (
        scan.recovered_at is None
        and scan.raw in _codes(session)
        and scan.event_time <= (session.recovered_until or "")
    )


def without(session: Session, code: bytes) -> Session:
    """Return the session after the code has asked once."""
    rest = [each for each in _codes(session) if each != code]
    if not rest:
        return changed(session, recovered_code=None, recovered_until=None)
    return changed(session, recovered_code=b"\n".join(rest))


def _codes(session: Session) -> list[bytes]:
    return session.recovered_code.split(b"\n") if session.recovered_code else []
