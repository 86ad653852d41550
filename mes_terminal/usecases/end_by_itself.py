"""End an exception whose cause has gone by itself: its event, then its row (BF-22)."""

from mes_terminal.domain.healing import HealedData
from mes_terminal.domain.outcome import ExceptionKind, OpenedException
from mes_terminal.domain.posting import EventDraft
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_events
from mes_terminal.store.exceptions import OpenSubject, resolve_open
from mes_terminal.store.master_data import read_version


def end_by_itself(
    conn: Connection,
    kind: ExceptionKind,
    found: OpenSubject,
    *,
    about: str,
    resolution: str,
    rules: StationRules,
    now: str,
    lane: str | None = None,
    upstream: bool = True,
) -> None:
    """End what nobody has to see to any more; it posts nothing. `about` is the event's subject,
    `lane` what it is kept in order with; `None`: the others of its kind. Without `upstream` only
    the log tells it."""
    draft = EventDraft(
        type="exception.resolved",
        subject=about,
        partition_key=lane or kind,
        event_time=now,
        data=HealedData(
            report_id=None,
            work_order=None,
            station=rules.station,
            master_data_version=str(read_version(conn)),
            event_time=now,
            material_actuals=(),
            exceptions=[OpenedException(found.exception_id, kind, None, None, None)],
        ),
        upstream=upstream,
    )
    append_events(conn, [draft], rules=rules, recorded_at=now)
    resolve_open(conn, kind=kind, subject=found.subject, resolution=resolution)
