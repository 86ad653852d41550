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
        place = [self.file, str(self.line) if self.line else "", f" {self.column}"]
        return ":".join(place[: 3 if self.column else 2]).rstrip(":") + f": {self.message}"
