"""The error tree: what the world did to us, with a reason for programs and a sentence for people.

Business outcomes are returned values (`domain.outcome`), never raised; our own bugs are ordinary
Python exceptions. The command line prints `sentence` and ends with `exit_code`.
"""

from typing import ClassVar


class StationError(Exception):
    """The world failed. `sentence` says what happened and what to do; `reason` is one word."""

    exit_code: ClassVar[int] = 2

    def __init__(self, sentence: str, *, reason: str = "failed") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.reason = reason


class InputError(StationError):
    """Wrong input or configuration (exit 2)."""


class NoDatabaseError(InputError):
    """A command that needs a database found none (exit 2)."""

    def __init__(self, sentence: str, *, reason: str = "no_database") -> None:
        super().__init__(sentence, reason=reason)

    @classmethod
    def at(cls, path: object) -> "NoDatabaseError":
        """Return the error of a database that is not there."""
        return cls(
            f"There is no database at {path}. Load master data first: mes-terminal load FOLDER."
        )


class DatabaseError(StationError):
    """The database is damaged, or newer than this program (exit 3)."""

    exit_code = 3


class CoreError(StationError):
    """The core cannot be reached, or another one holds the database (exit 2)."""


class TransportError(StationError):
    """Whoever receives the postings cannot be reached, or is busy: tried again later (UP-4)."""

    def __init__(
        self, sentence: str, *, reason: str = "unreachable", retry_after_s: float | None = None
    ) -> None:
        super().__init__(sentence, reason=reason)
        self.retry_after_s = retry_after_s
        """How long the other side asks to be left alone."""
