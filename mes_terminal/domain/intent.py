"""What a scan means here and now, before the facts are looked at.

`barcodes.interpret` makes one of these from the payload, what the database knows of the code, and
the session; the use case of each rules on it.
"""

from typing import Literal

from msgspec import Struct

MeaningKind = Literal[
    "order", "unit", "container", "lot", "item", "badge", "location", "component_serial"
]


class Meaning(Struct, frozen=True):
    """One thing a code names. `row_id` is its row (0: known by a pattern, not in the database)."""

    kind: MeaningKind
    key: str
    row_id: int = 0
    item_id: int = 0
    quantity_micro: int | None = None
    """What a label says is in it, in the item's base unit."""
    pack_uom: str | None = None
    """The unit of a pack's quantity that is still to be converted."""
    box: str | None = None
    """What names this very box of a product (BF-34)."""
    order: str | None = None
    """The order that the label of a product names beside a serial that nobody knows."""
    other_order: str | None = None
    """The order that the label of a unit names, where the unit is not of that order."""
    expires_on: str | None = None
    supplier: str | None = None
    fault: str | None = None
    """Why its quantity cannot be used, in words."""
    lacks_uom: str | None = None
    """The unit of the label that has no conversion, where that is why (BF-2)."""


class ReportOrder(Struct, frozen=True):
    """An order's code: report what remains, or `quantity_micro`."""

    work_order: str
    quantity_micro: int | None
    box: str | None = None
    """The box whose quantity is reported once (BF-34)."""


class ReportUnit(Struct, frozen=True):
    """The serial of a planned or finished unit."""

    unit_id: int
    serial: str


class ReportNewUnit(Struct, frozen=True):
    """A serial that the database does not know: perhaps a unit of an order without planned ones
    (BF-39)."""

    serial: str
    item_id: int = 0
    """The product that the label names; 0: it names none."""
    work_order: str | None = None
    """The order that the label names."""


class ReportItem(Struct, frozen=True):
    """A product's code: one unit, or `quantity_micro`, of the order for it."""

    item_id: int
    item: str
    quantity_micro: int | None
    box: str | None = None
    """As in `ReportOrder`."""


class StartOrder(Struct, frozen=True):
    """Make an order the current one."""

    work_order: str


class CloseShort(Struct, frozen=True):
    """Close an order with what it has."""

    work_order: str
    reason_code: str


class UseMaterial(Struct, frozen=True):
    """A component lot or container: mount it, or name the output lot of a product."""

    lot_id: int
    container_id: int
    label_micro: int | None
    """Quantity on the label, or `%QTY`: evidence only."""
    label_expires_on: str | None = None
    """Expiry on the label: compared with the lot's record."""


class NameOutputLot(Struct, frozen=True):
    """A lot the database does not know, of an item it knows: new output of a product, or wrong."""

    item_id: int
    item: str
    lot: str
    label_micro: int | None = None
    expires_on: str | None = None
    supplier: str | None = None


class Dismount(Struct, frozen=True):
    """`%EMPTY`, `%UNMOUNT` or `%ASIDE`, then a mounted container, its lot, item or position."""

    verb: str
    argument: str
    """What `%ASIDE` said is left, in the item's base unit."""
    code: str
    lot_id: int
    container_id: int
    item_id: int
    known: bool
    """The database knows the code, if only as something else."""


class Named(Struct, frozen=True):
    """What the code after a command names: one meaning, and how much."""

    kind: MeaningKind
    key: str
    row_id: int
    item_id: int
    quantity_micro: int | None
    """`%QTY`, else the label's quantity."""


class ReportOperation(Struct, frozen=True):
    """`%OP nn`: units of the order passed the operation."""

    operation: str
    work_order: str | None
    """`None`: the active order."""


class Scrap(Struct, frozen=True):
    """`%SCRAP reason`, then a unit, an order, or material."""

    reason_code: str
    what: Named


class Rework(Struct, frozen=True):
    """`%REWORK reason`, then a finished unit or lot; without a reason, what is done in rework."""

    reason_code: str
    what: Named


class HandleMaterial(Struct, frozen=True):
    """`%ISSUE`, `%RETURN`, `%EXTRA`, `%MOVE`, `%HOLD` or `%RELEASE`, then a container or lot."""

    verb: str
    argument: str
    what: Named


class CountCommand(Struct, frozen=True):
    """`%COUNT location` or `%COUNT`: a count begins or ends (BF-32)."""

    argument: str


class CountScan(Struct, frozen=True):
    """What lies at the place that is counted, and how much of it."""

    what: Named


class FillSlot(Struct, frozen=True):
    """The serial of a component: it goes into the next empty slot of the unit at hand (BF-18)."""

    lot_id: int
    item_id: int
    serial: str


class SetQuantity(Struct, frozen=True):
    """`%QTY n`."""

    quantity_micro: int


class AwaitCode(Struct, frozen=True):
    """A command that waits for its code."""

    verb: str
    argument: str


class Undo(Struct, frozen=True):
    """`%UNDO`: the last report, or what the argument names, a quantity of it behind it (BF-31)."""

    argument: str = ""


class StopLine(Struct, frozen=True):
    """`%STOP reason`: the line stands until the next good report."""

    reason_code: str


class CallMaterial(Struct, frozen=True):
    """`%CALL`: somebody brings material, please."""


class EndOfShift(Struct, frozen=True):
    """`%END`: what is open, for whoever signs the shift off."""


class Cancel(Struct, frozen=True):
    """`%CANCEL`."""


class Help(Struct, frozen=True):
    """`%HELP`."""


class PresentBadge(Struct, frozen=True):
    """A badge."""

    badge: str


class Need(Struct, frozen=True):
    """The code lacks something: `reason` says what."""

    reason: str
    message: str
    hint: str
    verb: str | None = None
    """The command that goes on waiting."""


class MissingConversion(Struct, frozen=True):
    """A unit of measure on a label that has no conversion to the item's base unit (BF-2)."""

    item_id: int
    uom: str


class Refuse(Struct, frozen=True):
    """Nothing can be posted; `reason` as in `command-line`."""

    reason: str
    message: str
    hint: str
    lacks: MissingConversion | None = None


class UnknownCode(Struct, frozen=True):
    """No rule reads the code."""


Intent = (
    ReportOrder | ReportUnit | ReportNewUnit | ReportItem | ReportOperation | StartOrder
    | CloseShort | UseMaterial | NameOutputLot | FillSlot | CountCommand | CountScan | Scrap
    | Rework | HandleMaterial | Dismount | SetQuantity | AwaitCode | Undo | StopLine
    | CallMaterial | EndOfShift | Cancel | Help
    | PresentBadge | Need | Refuse | UnknownCode
)  # fmt: skip
