"""A station whose postings tests deliver, refuse and mend, and what they look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mes_terminal.domain.delivering import Blocks, queued_posting
from mes_terminal.domain.delivery import Answer, AnswerOutcome, QueuedPosting
from mes_terminal.domain.healing import Decision
from mes_terminal.domain.resolving import Resolved
from mes_terminal.usecases import deliver
from mes_terminal.usecases.note_answers import Noted, note_answers
from mes_terminal.usecases.resolve_exceptions import check_decision, resolve_exception
from tests.plants import Files, Station, open_station, plant

PLANT: Final[Files] = plant(
    items="item,tracking\nCHAIR,lot\nBENCH,lot\nLEG,lot",
    boms="item,revision\nCHAIR,A\nBENCH,A",
    bom_lines="""
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        BENCH,A,10,CHAIR,1
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,9,released
        WO-2,CHAIR,9,released
        WO-3,BENCH,9,released
        """,
    receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-1,LINE,900,2026-11-01",
    operators="badge,name,role\nSUP,Sue,supervisor\nQUA,Quin,quality",
    reasons="code,kind\nGONE,write_off",
)
MANY: Final = 10**9


def delivery_station(folder: Path) -> Station:
    """Return the station of `PLANT`. Its receipt is posting 1 and is delivered."""
    opened = open_station(folder, PLANT)
    answer(opened, [1])
    assert waiting(opened) == []
    return opened


def waiting(station: Station) -> list[int]:
    """Return what would be sent, in order."""
    return [
        each.sequence for each in deliver.waiting(station.db, after=0, limit=99, bytes_max=MANY)
    ]


def posting(station: Station, sequence: int) -> QueuedPosting:
    """Return a posting as the relay has it."""
    (body,) = station.db.conn.execute(
        "SELECT body FROM event WHERE outbox_seq = ?", [sequence]
    ).fetchone()
    return queued_posting(sequence, body.encode())


def answer(
    station: Station,
    sequences: Sequence[int],
    outcome: AnswerOutcome = "accepted",
    **told: Any,
) -> Noted:
    """Let the receiver answer these."""
    answers = []
    for sequence in sequences:
        sent = posting(station, sequence)
        answers.append(
            Answer(source=sent.source, epoch=sent.epoch, sequence=sequence, outcome=outcome, **told)
        )
    return note_answers(station.db, answers, rules=station.rules, now=station.now)


def refuse(station: Station, sequence: int, reason: str = "order_closed") -> Noted:
    """Let the receiver refuse one."""
    return answer(station, [sequence], "refused", reason=reason, sentence="The order is closed.")


def park_behind(station: Station) -> None:
    """Park what stands behind what was refused, as the relay does."""
    blocks = Blocks(deliver.held_back(station.db))
    behind = {}
    for each in deliver.waiting(station.db, after=0, limit=99, bytes_max=MANY):
        root = blocks.root_of(each)
        if root is not None:
            behind[each.sequence] = root
            blocks.hold(each, root)
    deliver.park(station.db, list(behind), behind=behind)


def report(station: Station, work_order: str, times: int = 1) -> list[int]:
    """Report one unit of an order; return the postings."""
    first = deliver.hello_of(station.db, station.rules).last_sequence + 1
    for _ in range(times):
        outcome = station.scan("%QTY 1")
        assert outcome.outcome == "recorded", outcome
        assert station.scan(work_order).outcome == "completed"
    return list(range(first, deliver.hello_of(station.db, station.rules).last_sequence + 1))


def decide(station: Station, exception_id: int, decision: Decision, by: str = "SUP") -> Resolved:
    """End an exception as a person says."""
    check_decision(station.db, [exception_id], decision, by=by)
    return resolve_exception(
        station.db, exception_id, decision, by=by, rules=station.rules, now=station.now
    )


POST: Final = Decision(how="post")
WRITE_OFF: Final = Decision(how="write_off", reason="GONE")


def the_open(station: Station) -> dict[str, Any]:
    """Return the one open exception."""
    (row,) = station.rows("exceptions", open="1")
    return row


def statuses(station: Station) -> dict[int, str]:
    """Return the status of each posting by its sequence."""
    return {row["sequence"]: row["status"] for row in station.rows("outbox")}
