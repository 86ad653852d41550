"""What key figures are made from: plain rows of the ledger, as `store.figures` reads them."""

from fractions import Fraction

from msgspec import Struct

from mes_terminal.domain.figures import WrongBy


class ReportFact(Struct, frozen=True):
    """A report of production that is no reversal. Quantities in micro-units, as they stand."""

    report_seq: int
    event_time: str
    work_order: str
    item: str
    uom: str
    backflushes: bool
    """It draws components: a completion, an operation, scrap."""
    good_micro: int
    scrapped_micro: int
    reworked_micro: int
    """Units that it sent to rework."""
    wrong_by: frozenset[WrongBy] = frozenset()


class OpenedFact(Struct, frozen=True):
    """An exception by when it was opened."""

    opened_at: str
    opened_event_seq: int
    cause_code: str
    value: Fraction | None
    """At standard cost, in millionths of the currency; `None` where no cost is known."""


class EndedFact(Struct, frozen=True):
    """An exception that has ended."""

    opened_at: str
    ended_at: str


class DayFacts(Struct, frozen=True):
    """Everything that may belong to a production day; what does not is left out by its time."""

    reports: list[ReportFact]
    opened: list[OpenedFact]
    ended: list[EndedFact]
