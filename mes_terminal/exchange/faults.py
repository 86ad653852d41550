"""What is wrong with a file, where, and the mend: one value a fault (exit 2 of `load`)."""

from typing import Final

from msgspec import Struct

FAULTS_MAX: Final = 200
"""Faults told at once; more would hide the first ones."""


class Fault(Struct, frozen=True, order=True):
    """`line` None: the file as a whole; the header is line 1. `column` None: the whole row."""

    file: str
    line: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        line = f"{self.line}:" if self.line else ""
        column = f" {self.column}:" if self.column else ""
        return f"{self.file}:{line}{column} {self.message}"
