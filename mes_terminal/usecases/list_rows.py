"""The rows of the lists, as values whose fields are the JSON keys of the command line, in order.

Quantities are decimal texts, instants UTC texts, absent is `None`. Made by `usecases.lists`.
"""

from msgspec import Raw, Struct


class StockRow(Struct, frozen=True):
    """What lies at a place: one row a lot or serial and location, all containers together."""

    item: str
    lot: str | None
    serial: str | None
    location: str
    quantity: str
    uom: str


class OrderRow(Struct, frozen=True):
    """A work order. `remaining` is what is still to be reported (BF-26)."""

    work_order: str
    item: str
    revision: str | None
    quantity: str
    completed: str
    scrapped: str
    remaining: str
    status: str
    start_at: str | None
    due_at: str | None


class LotRow(Struct, frozen=True):
    """A lot; `on_hand` is everything of it at real locations, scrap included."""

    item: str
    lot: str
    status: str
    expires_on: str | None
    received_at: str | None
    supplier: str | None
    supplier_lot: str | None
    on_hand: str


class ExceptionRow(Struct, frozen=True):
    """A deviation for a person. `quantity` is what is still open of it."""

    id: int
    kind: str
    status: str
    severity: str
    work_order: str | None
    line: str | None
    item: str | None
    lot: str | None
    quantity: str | None
    opened_at: str
    cause: str | None
    blocking: str | None
    suggestions: list[str]
    resolution: str | None


class MovementRow(Struct, frozen=True, rename={"from_location": "from", "to_location": "to"}):
    """One row of the ledger (BF-35); `quantity` is always positive."""

    sequence: int
    report_id: str | None
    scan_id: str | None
    item: str
    lot: str | None
    serial: str | None
    from_location: str
    to_location: str
    quantity: str
    uom: str
    kind: str
    event_time: str
    source_rule: str | None


class JournalRow(Struct, frozen=True):
    """One scan as received: `hex` is exact, `code` has U+FFFD for bytes that are no UTF-8."""

    sequence: int
    scan_id: str
    received_at: str
    device: str
    code: str
    hex: str
    status: str
    outcome: str | None
    reason: str | None


class OutboxRow(Struct, frozen=True):
    """One posting for upstream; `event` holds the bytes that are sent."""

    sequence: int
    event_id: str
    type: str
    subject: str | None
    status: str
    attempts: int
    queued_at: str
    delivered_at: str | None
    last_error: str | None
    event: Raw


class AuditRow(Struct, frozen=True):
    """One entry of the log with both ends of its link in the chain."""

    sequence: int
    type: str
    event_time: str
    person: str | None
    second_person: str | None
    reason: str | None
    previous_hash: str
    hash: str
    event: Raw


class OrderLineRow(Struct, frozen=True):
    """One line of an order's snapshot (BF-7), with the level that decided each policy (BF-10):
    those of the snapshot as they were frozen, shortage and overrun as they are read now."""

    line: str
    component: str
    quantity: str
    uom: str
    basis: str
    scrap_pct: str
    operation: str | None
    issue_method: str
    supply_location: str
    issued: str
    owed: str
    decided_by: dict[str, str]
