"""A refused report that was taken back whole here needs nothing upstream any more (UP-4).

Its reversal waits behind it, in the lane of the same order. Let go, both are settled: the receiver
takes the reversal of what it refused without effect, and refuses the report for good. Called by the
relay while something is refused.
"""

from typing import Final

from mes_terminal.domain.delivering import read_posting
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import delivery
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.exceptions import open_subject
from mes_terminal.usecases.refused_postings import KIND, end_one, subject_of

REVERSED: Final = "reversed at the station"


def let_reversed_go(db: Database, *, rules: StationRules, now: str) -> list[int]:
    """Let refused reports go that were reversed whole; return their postings. Where there is none
    nothing is written."""
    if not delivery.reversed_whole(db.conn):
        return []
    with db.transaction() as conn:
        gone = delivery.reversed_whole(conn)
        for sequence in gone:
            _let_go(conn, sequence, rules, now)
        delivery.release(conn, gone)
    return gone


def _let_go(conn: Connection, sequence: int, rules: StationRules, now: str) -> None:
    delivery.let_go(conn, sequence, REVERSED)
    state = delivery.read_state(conn, sequence)
    found = open_subject(conn, KIND, subject_of(sequence))
    if state is not None and found is not None:
        end_one(conn, found, read_posting(state.body), REVERSED, rules=rules, now=now)
