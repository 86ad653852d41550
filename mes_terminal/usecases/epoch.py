"""The station's epoch: a restored backup, a clone or a copy of the database takes a new one (UP-1).

Postings keep the bytes they were made with, and so their epoch; the sequence goes on without a gap.
Called by the station when it opens a database, by `restore`, and by whoever finds that the receiver
knows more of this epoch than the database does.
"""

from typing import Literal

from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import epochs
from mes_terminal.store.database import Connection
from mes_terminal.store.epochs import Epoch
from mes_terminal.store.events import append_events

Why = Literal["restored", "elsewhere", "behind"]
"""A backup was restored; the file is not where it was opened last; the receiver, or what stands
beside the database, knows more than it."""


def current_epoch(conn: Connection) -> Epoch:
    """Return the epoch of what is posted now."""
    return epochs.read_current(conn)


def begin_epoch(
    conn: Connection, epoch: str, *, why: Why, because: str, rules: StationRules, now: str
) -> Epoch:
    """Begin an epoch, in the caller's transaction, and log it; `epoch` is a random 64-bit id.

    `because` says for people what was found. What waits to be delivered stays as it is. The entry
    of the log goes nowhere: the receiver is told the epoch and its first sequence by the postings.
    """
    before = epochs.read_current(conn)
    begun = Epoch(epoch, epochs.next_sequence(conn), now, why)
    epochs.insert_epoch(conn, begun)
    draft = EventDraft(
        type="epoch.begun",
        subject=epoch,
        partition_key=epoch,
        event_time=now,
        data=Fact(
            station=rules.station,
            event_time=now,
            detail={
                "epoch": epoch,
                "before": before.epoch,
                "first_sequence": str(begun.first_sequence),
                "why": why,
                "because": because,
            },
        ),
        upstream=False,
    )
    append_events(conn, [draft], rules=rules, recorded_at=now)
    return begun
