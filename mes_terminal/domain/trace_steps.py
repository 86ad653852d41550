"""One step of the genealogy at a time, as the desk's explorer asks for it (BF-37).

Made by `usecases.desk_trace`, sent over the link, drawn by `tui`. Quantities are decimal texts.
"""

from msgspec import Struct

from mes_terminal.domain.outcome import Certainty


class TraceStep(Struct, frozen=True, kw_only=True):
    """A lot, a serial, an item's nameless lot, or an order's untracked output that a step reaches.

    Where the walk begins there is no quantity: nothing leads there.
    """

    node: int
    """What the next step is asked with; of this database alone."""
    item: str
    description: str
    lot: str | None
    serial: str | None
    work_order: str | None
    status: str
    quantity: str | None = None
    """How much of the component: of this, or of what this was made with."""
    uom: str
    certainty: Certainty | None = None
    """The least certain of what is in the quantity."""
    goes_on: bool
    """Whether a further step leads anywhere."""


class TraceTotal(Struct, frozen=True):
    """How many lots and serials a step reaches, those taken back included."""

    count: int
