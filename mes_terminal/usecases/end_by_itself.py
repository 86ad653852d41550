"""End an exception whose cause has gone by itself: its event, then its row (BF-22)."""

from mes_terminal.domain.healing import HealedData
from mes_terminal.domain.outcome import ExceptionKind, OpenedException
from mes_terminal.domain.posting import EventDraft
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, append_events, read_head
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
    scan: Scan | None = None,
) -> None:
    """End what nobody has to see to any more, and tell it as `tell_end` does."""
    tell_end(
        conn, kind, found, about=about, rules=rules, now=now, lane=lane, upstream=upstream,
        scan=scan,
    )  # fmt: skip
    resolve_open(conn, kind=kind, subject=found.subject, resolution=resolution)


def tell_end(
    conn: Connection,
    kind: ExceptionKind,
    found: OpenSubject,
    *,
    about: str,
    rules: StationRules,
    now: str,
    lane: str | None = None,
    upstream: bool = True,
    item: str | None = None,
    scan: Scan | None = None,
) -> None:
    """Append the event of an end that posts nothing. `about` is its subject, `lane` what it is kept
    in order with; `None`: the others of its kind. Without `upstream` only the log tells it. `scan`:
    the one that ended it."""
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
            exceptions=[OpenedException(found.exception_id, kind, None, item, None)],
        ),
        upstream=upstream,
    )
    if scan is not None:
        append_event(conn, draft, read_head(conn), scan, rules=rules)
    else:
        append_events(conn, [draft], rules=rules, recorded_at=now)
