"""The run loop of what heals: a fault of it harms no scan (BF-22).

What was queued stays queued: it is tried again when the disk takes it, or, after a fault of ours,
at the next start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mes_terminal import logs
from mes_terminal.station.clock import utc_now
from mes_terminal.store.database import SqliteError
from mes_terminal.usecases.heal import heal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mes_terminal.domain.rules import StationRules
    from mes_terminal.store.database import Database


class Healer:
    """Posts what became possible of what is owed. On the writing connection, between scans."""

    def __init__(
        self, db: Database, rules: StationRules, *, refused: Callable[[SqliteError], None]
    ) -> None:
        """`refused` is asked about each refusal of the disk, and raises if the file is damaged."""
        self._db = db
        self._rules = rules
        self._refused = refused
        self._is_broken = False

    def heal(self) -> bool:
        """Try one batch; return whether more waits that can be tried now."""
        if self._is_broken:
            return False
        try:
            return heal(self._db, self._rules, now=utc_now())
        except Exception as error:  # noqa: BLE001  a run loop: the next scan must be taken
            if isinstance(error, SqliteError):
                self._refused(error)
                logs.write("healing.not_recorded", error=error)
            else:
                logs.write("healing.failed", error=repr(error))
                self._is_broken = True
        return False
