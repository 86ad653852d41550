"""A work order and its lines as a report finds them, and what they require (BF-3, BF-4, BF-26).

Values only; `store.order_facts` fills them in two reads, `domain.backflush` rules on them.
"""

from typing import Protocol

from msgspec import Struct

from mes_terminal.domain.quantity import ceil_to_step, floor_to_step

PERCENT_MICRO = 100_000_000
"""Micro-percent in the whole."""


class OrderFacts(Struct, frozen=True):
    """An order, its product, and the lot its output goes to. Quantities in micro-units."""

    work_order_id: int
    work_order: str
    status: str
    quantity_micro: int
    good_micro: int
    scrapped_micro: int
    replace_scrap: int
    order_lot: str | None
    due_at: str | None
    item_id: int
    item: str
    uom: str
    step_micro: int
    tracking: str
    lot_rule: str | None
    output_status: str
    shelf_life_days: int | None
    inherit_expiry: int
    over_completion_pct_micro: int | None
    output_location_id: int
    output_location: str
    next_lot_id: int
    next_exception_id: int
    production_id: int
    adjustment_id: int
    scrap_location_id: int
    scrap_location: str
    has_operations: int
    """The order has a routing (BF-11)."""
    has_hand_issues: int
    """Material issued by hand waits for the report that takes it in (BF-10)."""
    has_slots: int
    """Its units have slots for the serials of components (BF-18)."""
    has_outputs: int
    """By- or co-products come with it (BF-30)."""
    has_substitutes: int
    """Other items may stand in for its components (BF-29)."""
    changes: str | None
    """What loads changed in mid order and nobody was told yet (BF-7): `domain.order_changes`."""
    anything_short: int
    """A shortage is open, whatever the order: what is made may mend it (BF-22)."""
    process_expires_on: str | None
    """The earliest expiry of what its operations took, where the product inherits it (BF-39)."""
    output: "OutputLot"


class OutputLot(Struct, frozen=True):
    """The lot the output goes to; `lot_id` is `None` while it does not exist."""

    lot: str
    lot_id: int | None
    expires_on: str | None
    received_at: str | None
    node_id: int | None
    """The order's own genealogy node: what an untracked product, a scrapped unit or a unit in
    process is made from (BF-37)."""


class OutputFacts(Struct, frozen=True):
    """Another output of an order's snapshot, in micro-units of its item."""

    line: str
    item_id: int
    item: str
    uom: str
    step_micro: int
    tracking: str
    output_status: str
    shelf_life_days: int | None
    per_unit: int
    net_num: int
    net_den: int
    lot: str
    """Its lot by name; empty for an untracked item."""
    lot_id: int | None
    node_id: int | None
    """The genealogy node of an untracked item: of this order."""
    ahead_micro: int
    """Received beyond what the good units so far bring (BF-31)."""


class Source(Struct, frozen=True, gc=False):
    """A balance that may be picked, in micro-units."""

    balance_id: int
    lot_id: int
    container_id: int
    lot: str
    expires_on: str
    quantity_micro: int
    position: str = ""
    """Where it is mounted; empty: nowhere."""
    is_expired: int = 0
    """It is drawn from although it is: somebody let that pass (BF-24)."""
    is_held: int = 0
    """And although it is held."""
    is_alone: int = 0
    """Nothing else of its item is mounted there, and nothing in the position called like it."""


class Substitute(Struct, frozen=True, gc=False):
    """An item that may stand in for the component of a line (BF-29)."""

    item_id: int
    item: str
    uom: str
    step_micro: int
    tracking: str
    ratio_num: int
    ratio_den: int
    """Units of it for one unit of the component, as a fraction."""
    is_automatic: int
    """The station may choose it; else a person scans it."""
    mount_required: int
    """It is drawn from mounted containers only."""
    sole_lot_id: int | None
    mounted_lot_id: int | None
    """What of it stands in the line's position, approved where that is asked for."""
    mounted_container_id: int | None
    is_let_pass: int = 0
    """It stands there without the approval it takes: the control matrix let that pass (BF-24)."""


class LineFacts(Struct, frozen=True, gc=False):
    """An order line and its component, with its totals so far."""

    line_id: int
    line: str
    item_id: int
    item: str
    uom: str
    step_micro: int
    tracking: str
    shortage_policy: str
    per_unit: int
    """1: the quantity is per unit; 0: per order, once (BF-3)."""
    net_num: int
    net_den: int
    gross_num: int
    gross_den: int
    issue_method: str
    location_id: int
    location: str
    location_rule: str
    mount_required: int
    erp_ref: str | None
    operation_position: int
    """The operation that takes it; 0: due at completion (BF-11)."""
    net_taken_micro: int
    """Issued or owed for the units of this version of the line, without planned scrap (BF-7)."""
    scrap_taken_micro: int
    """Scrapped as planned, or owed so, for them."""
    since_micro: int
    """Units reported before this version of the line began to count."""
    sole_lot_id: int | None
    available_micro: int
    """What the first balance has that may be picked for it (BF-15); 0 if there is none, and then
    the five columns of that balance mean nothing."""
    balance_id: int
    lot_id: int
    container_id: int
    lot: str
    expires_on: str
    under_pct_micro: int | None = None
    """How much less than its target the order may take without a word; `None`: any (BF-24)."""
    over_pct_micro: int | None = None
    """And how much more."""
    mount_position: str | None = None
    """Where its containers are mounted; `None`: the position is named like the item (BF-17)."""

    @property
    def position(self) -> str:
        """The position it draws from first (BF-15)."""
        return self.mount_position or self.item


def is_lot_known(order: OrderFacts) -> bool:
    """Tell whether units on the way have their parts in the order's own lot already; else they are
    in the order's node until the report that names the lot or the serials (BF-11)."""
    return order.tracking == "lot" and order.lot_rule in (None, "order")


def remaining_micro(order: OrderFacts) -> int:
    """Return what remains of the order: ordered less good less scrapped (BF-26)."""
    made = order.good_micro + (0 if order.replace_scrap else order.scrapped_micro)
    return max(0, order.quantity_micro - made)


def allowed_micro(order: OrderFacts, station_pct_micro: int) -> int:
    """Return how much more may be reported, over-completion tolerance included (BF-25)."""
    pct = order.over_completion_pct_micro
    excess = order.quantity_micro * (station_pct_micro if pct is None else pct)
    tolerance = floor_to_step(excess, PERCENT_MICRO, order.step_micro)
    made = order.good_micro + (0 if order.replace_scrap else order.scrapped_micro)
    return order.quantity_micro + tolerance - made


class Requirement(Protocol):
    """What of an order line its net requirement depends on, as `LineFacts` tells it."""

    @property
    def per_unit(self) -> int: ...
    @property
    def net_num(self) -> int: ...
    @property
    def net_den(self) -> int: ...
    @property
    def step_micro(self) -> int: ...
    @property
    def since_micro(self) -> int: ...


def net_target_micro(line: Requirement, reported_micro: int) -> int:
    """Return what the line takes without planned scrap once so much is reported (BF-4)."""
    if not line.per_unit:
        counted_micro = 1 if reported_micro else 0
    elif reported_micro > line.since_micro:
        counted_micro = reported_micro - line.since_micro
    else:
        counted_micro = 0
    return ceil_to_step(line.net_num * counted_micro, line.net_den, line.step_micro)


def scrap_target_micro(line: LineFacts, reported_micro: int) -> int:
    """Return the planned scrap of the line once so much is reported (BF-4)."""
    numerator = line.gross_num * line.net_den - line.net_num * line.gross_den
    if line.per_unit:
        numerator *= max(0, reported_micro - line.since_micro)
    elif not reported_micro:
        return 0
    return floor_to_step(numerator, line.gross_den * line.net_den, line.step_micro)
