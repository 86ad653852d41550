"""What a reading costs in steps of SQLite's own machine: the same on every computer, however busy.

A step is some 10 to 50 ns on the machines at hand: a million of them is what a person begins to
notice.
"""

from collections.abc import Callable

from mes_terminal.store.database import Database

THOUSAND = 1000


def thousands_of_steps(db: Database, work: Callable[[], object]) -> int:
    """Do the work and return how many thousand steps it took."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    db.conn.set_progress_handler(count, THOUSAND)
    try:
        work()
    finally:
        db.conn.set_progress_handler(None, 0)
    return counted
