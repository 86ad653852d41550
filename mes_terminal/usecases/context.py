"""What every ruling starts from and what it answers: `handle_scan` passes it to the use cases."""

from typing import Any

import msgspec
from msgspec import Struct

from mes_terminal.domain.outcome import Outcome, OutcomeKind
from mes_terminal.domain.policy import Consent
from mes_terminal.domain.posting import EventDraft, Fact, LogHead
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan
from mes_terminal.domain.session import Person, Session


class Context(Struct, frozen=True):
    """The scan, who scans, the state of the station and where the log stands."""

    scan: Scan
    rules: StationRules
    session: Session
    person: Person | None
    head: LogHead
    code: str
    """The code as text: undecodable bytes show as U+FFFD."""
    today: str
    """The site's calendar day of the scan."""
    consents: tuple[Consent, ...] = ()
    """What was answered to the control matrix about this code (BF-24)."""
    asked_code: bytes | None = None
    """The code that was asked about; the scan itself may be the answer."""

    @property
    def scan_by_nobody(self) -> bool:
        """Was a badge given with the scan that is nobody's? An answer is for who was asked."""
        return self.scan.badge is not None and self.person is None and self.asked_code is None

    @property
    def badge(self) -> str | None:
        """Who scans, as events name them."""
        return self.person.badge if self.person else None


class Answer(Struct, frozen=True):
    """A ruling that has been written: the outcome, the session after it, the event it made."""

    outcome: Outcome
    session: Session
    event_seq: int | None = None


def answer(
    context: Context,
    outcome: OutcomeKind,
    message: str,
    hint: str | None = None,
    *,
    reason: str | None = None,
    event_seq: int | None = None,
    session: Session | None = None,
    **fields: Any,
) -> Answer:
    """Return an answer without ledger rows; `fields` are further keys of the outcome."""
    said = Outcome(
        scan_id=context.scan.scan_id,
        code=context.code,
        outcome=outcome,
        reason=reason,
        message=message,
        hint=hint,
        **fields,
    )
    return Answer(said, session or context.session, event_seq)


def changed(session: Session, **fields: Any) -> Session:
    """Return the session with some fields changed."""
    return msgspec.structs.replace(session, **fields)


def fact(context: Context, kind: str, subject: str, /, **detail: Any) -> EventDraft:
    """Return the draft of an event that stays at the station: who did what."""
    return EventDraft(
        type=kind,
        subject=subject,
        partition_key=subject,
        event_time=context.scan.event_time,
        data=Fact(
            scan_id=context.scan.scan_id,
            person=context.badge,
            station=context.rules.station,
            event_time=context.scan.event_time,
            detail=detail,
        ),
        upstream=False,
        person=context.badge,
    )
