"""`%STOP reason`: the line stands until the next good report, which says for how long it did."""

from msgspec.structs import replace

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.intent import StopLine
from mes_terminal.domain.posting import EventDraft
from mes_terminal.domain.shift_report import minutes_text
from mes_terminal.store import line_state, orders
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.line_state import LineStop
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact


def stop_line(conn: Connection, intent: StopLine, context: Context) -> Answer:
    """Note that the line stands, and why; another reason begins another stop.

    The same reason again is already done. Nothing else is refused while the line stands.
    """
    reason = intent.reason_code
    if not reason or not orders.reason_known(conn, reason, "stop"):
        what = f"{reason} is no reason" if reason else "The reason is missing"
        return answer(
            context,
            "rejected",
            f"{what} for STOP. Nothing was noted",
            "Scan STOP with a reason of the reason card",
            reason="reason_missing",
        )
    before = _standing(conn, context)
    if before is not None and before.reason == reason:
        return answer(
            context,
            "already_done",
            f"The line stands since {before.stopped_at} for {reason}",
            "The next good report ends it",
        )
    head = context.head
    if before is not None:
        _end(conn, before, context)
        head = read_head(conn)
    draft = replace(
        fact(context, "line.stopped", context.rules.station, reason=reason), reason=reason
    )
    event_seq = append_event(conn, _upstream(draft), head, context.scan, rules=context.rules)
    line_stop_id = line_state.begin_stop(
        conn,
        reason=reason,
        work_order_id=context.session.work_order_id,
        person=context.badge,
        at=context.scan.event_time,
        event_seq=event_seq,
    )
    return answer(
        context,
        "recorded",
        f"The line stands: {reason}",
        "The next good report ends it",
        event_seq=event_seq,
        session=changed(context.session, line_stop_id=line_stop_id),
    )


def start_line(conn: Connection, ruled: Answer, context: Context) -> Answer:
    """Let a good report end the stop that lasts; any other answer leaves the line standing."""
    if ruled.session.line_stop_id is None or ruled.event_seq is None:
        return ruled
    if not line_state.makes_the_line_run(conn, ruled.event_seq):
        return ruled
    _end(conn, line_state.read_stop(conn, ruled.session.line_stop_id), context)
    return replace(ruled, session=changed(ruled.session, line_stop_id=None))


def _standing(conn: Connection, context: Context) -> LineStop | None:
    stop_id = context.session.line_stop_id
    return line_state.read_stop(conn, stop_id) if stop_id is not None else None


def _end(conn: Connection, stop: LineStop, context: Context) -> None:
    """Say that the line runs again, and for how long it stood."""
    at = context.scan.event_time
    draft = fact(
        context,
        "line.started",
        context.rules.station,
        reason=stop.reason,
        stopped_at=stop.stopped_at,
        minutes=minutes_text(seconds_between(stop.stopped_at, at)),
    )
    event_seq = append_event(
        conn, _upstream(draft), read_head(conn), context.scan, rules=context.rules
    )
    line_state.end_stop(conn, stop.line_stop_id, at=at, event_seq=event_seq)


def _upstream(draft: EventDraft) -> EventDraft:
    return replace(draft, upstream=True)
