"""What comes down from above takes effect: master data and orders, holds on lots, conflicts (UP-9).

Each change and the version it came with are one transaction. What cannot be applied yet (an order
whose item is still to come, a hold on an item that is not known here) is kept and tried again after
whatever comes next; what was refused is an exception until then. Called by `station.inbound`.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivery import (
    ConfirmedOutcome,
    ConflictData,
    DownDocument,
    LotStatusData,
    TablesData,
)
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.exchange.faults import Fault
from mes_terminal.store import down, materials, mount_spans, mounts
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.exceptions import next_number, open_exception, open_subjects
from mes_terminal.store.heal_queue import queue_lots
from mes_terminal.usecases.end_by_itself import end_by_itself
from mes_terminal.usecases.site_conflicts import end_conflict, open_conflict

REFUSED_SUBJECT: Final = "down:refused"
"""What the one exception is about that tells of refused documents."""
_tables: Final = msgspec.json.Decoder(TablesData)
_lot_status: Final = msgspec.json.Decoder(LotStatusData)
_conflict: Final = msgspec.json.Decoder(ConflictData)


class Outcome(Struct, frozen=True):
    """What became of a document that was no table."""

    outcome: ConfirmedOutcome
    sentence: str | None = None


def tables_of(document: DownDocument) -> TablesData:
    """Return the rows of a document. Raises `InputError` where it holds none."""
    try:
        return _tables.decode(document.data)
    except msgspec.MsgspecError as error:
        raise InputError(f"{document.key} is no table: {error}.", reason="malformed") from error


def apply_told(db: Database, document: DownDocument, *, rules: StationRules, now: str) -> Outcome:
    """Apply a document that is no table, with its version; keep it where it cannot be applied."""
    with db.transaction() as conn:
        try:
            outcome = _apply(conn, document, rules, now)
        except msgspec.MsgspecError as error:
            outcome = Outcome("refused", f"{document.key} is not understood: {error}")
        conclude(conn, [document], rules=rules, now=now, kept=outcome)
        return outcome


def conclude(
    conn: Connection,
    documents: Sequence[DownDocument],
    *,
    rules: StationRules,
    now: str,
    kept: Outcome | None = None,
) -> None:
    """Remember that these were seen to: applied, or kept for what `kept` says. Inside the
    transaction that applied them."""
    if kept is None or kept.outcome == "applied":
        down.let_go(conn, documents)
    else:
        for each in documents:
            down.keep_waiting(conn, each, kept.outcome, kept.sentence)
    down.set_version(conn, max(each.version for each in documents))
    _tell_refused(conn, rules, now)


def refusal(document: DownDocument, fault: Fault) -> Outcome:
    """Return what is told of a table that has a fault."""
    where = f"{fault.file}" + (f", {fault.column}" if fault.column else "")
    return Outcome("refused", f"{document.key}: {where}: {fault.message}")


def keep_refused(
    db: Database, document: DownDocument, outcome: Outcome, *, rules: StationRules, now: str
) -> None:
    """Keep a table for what `outcome` says."""
    with db.transaction() as conn:
        conclude(conn, [document], rules=rules, now=now, kept=outcome)


def _apply(conn: Connection, document: DownDocument, rules: StationRules, now: str) -> Outcome:
    match document.kind:
        case "lot_status":
            return _set_lot_status(conn, _lot_status.decode(document.data), document, rules, now)
        case "conflict":
            open_conflict(conn, _conflict.decode(document.data), rules=rules, now=now)
        case "conflict_ended":
            ended = _conflict.decode(document.data)
            end_conflict(conn, ended.conflict, resolution=ended.sentence, rules=rules, now=now)
        case "tables":
            raise AssertionError("tables are loaded")
    return Outcome("applied")


def _set_lot_status(
    conn: Connection, data: LotStatusData, document: DownDocument, rules: StationRules, now: str
) -> Outcome:
    """Hold, release or reject a lot wherever it lies; what is held is mounted no longer (BF-16)."""
    lots = down.lots_of(conn, data.item, data.lot, data.serial)
    if lots is None:
        return Outcome("not_here", f"{data.item} is not known here")
    before = lots[0][1] if lots else "available"
    if all(status == data.status for _, status in lots) and (lots or data.status == "available"):
        return Outcome("applied")
    (event_seq,) = append_events(
        conn, [_status_changed(data, before, document, rules, now)], rules=rules, recorded_at=now
    )
    if not lots:
        down.make_lot(conn, data.item, data.lot, data.serial, data.status)
    ids = [lot_id for lot_id, _ in lots]
    for lot_id in ids:
        materials.set_status(conn, lot_id, data.status)
    if data.status == "available":
        queue_lots(conn, ids, event_seq)
    else:
        _unmount(conn, ids, event_seq, rules, now)
    return Outcome("applied")


def _status_changed(
    data: LotStatusData, before: str, document: DownDocument, rules: StationRules, now: str
) -> EventDraft:
    return EventDraft(
        type="lot.status_changed",
        subject=data.lot or data.serial or data.item,
        partition_key=data.item,
        event_time=now,
        data=Fact(
            person=data.person,
            station=rules.station,
            event_time=now,
            detail={
                "item": data.item,
                "lot": data.lot,
                "serial": data.serial,
                "before": before,
                "status": data.status,
                "down_version": document.version,
            },
        ),
        upstream=True,
        person=data.person,
        reason=data.reason,
    )


def _unmount(
    conn: Connection, lot_ids: Sequence[int], event_seq: int, rules: StationRules, now: str
) -> None:
    for stay in mount_spans.open_stays(conn, station_pct_micro=rules.lot_overrun_pct_micro):
        if stay.lot_id in lot_ids:
            left = mounts.left_micro(conn, stay.lot_id, stay.container_id, stay.location_id)
            mounts.unmount(conn, stay.position)
            mount_spans.end(
                conn, stay.mount_span_id, by="hold", left_micro=left, event_seq=event_seq, at=now
            )


def _tell_refused(conn: Connection, rules: StationRules, now: str) -> None:
    """Keep one exception open while anything is refused, and end it when nothing is."""
    found = [
        each for each in open_subjects(conn, "site_conflict") if each.subject == REFUSED_SUBJECT
    ]
    refused = down.first_refused(conn)
    if (refused is not None) == bool(found):
        return
    if found:
        said = "everything that came down has been applied"
        end_by_itself(
            conn, "site_conflict", found[0], about="down", resolution=said, rules=rules, now=now,
            upstream=False,
        )  # fmt: skip
        return
    cause = f"What came down from the site was refused: {refused}"
    number = next_number(conn)
    draft = _opened(number, cause, rules, now)
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
    open_exception(
        conn, exception_id=number, kind="site_conflict", severity="warn", subject=REFUSED_SUBJECT,
        quantity_micro=None, opened_at=now, event_seq=event_seq, cause_code="down_refused",
        cause=cause,
    )  # fmt: skip


def _opened(number: int, cause: str, rules: StationRules, now: str) -> EventDraft:
    return EventDraft(
        type="exception.opened",
        subject="down",
        partition_key="site_conflict",
        event_time=now,
        data=Fact(
            station=rules.station,
            event_time=now,
            detail={
                "exception_id": number,
                "kind": "site_conflict",
                "conflict": "down_refused",
                "cause": cause,
            },
        ),
        upstream=False,  # the site is told by the confirmation
    )
