"""What the planning of a load read of the station, so that it can be told whether it still holds.

A load is planned while scans go on. What it plans rests on the answers it got; if each question has
the same answer when the load is applied, the plan holds. Called by the load and its planners.
"""

from collections.abc import Callable
from copy import copy
from typing import Any, Concatenate, ParamSpec, TypeVar

from mes_terminal.store.database import Connection

P = ParamSpec("P")
T = TypeVar("T")


class PlanReads:
    """Asks the store, and remembers each question with its answer."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._asked: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any]] = []

    def __call__(
        self, read: Callable[Concatenate[Connection, P], T], *args: P.args, **named: P.kwargs
    ) -> T:
        """Return `read(conn, …)`; the caller may change the answer, what is in it is frozen."""
        answer = read(self._conn, *args, **named)
        self._asked.append((read, args, named, copy(answer)))
        return answer

    def aside(
        self, read: Callable[Concatenate[Connection, P], T], *args: P.args, **named: P.kwargs
    ) -> T:
        """Return `read(conn, …)`, on which the plan does not rest."""
        return read(self._conn, *args, **named)

    def hold(self, conn: Connection) -> bool:
        """Tell whether every question still has the same answer."""
        return all(read(conn, *args, **named) == was for read, args, named, was in self._asked)
