"""One frozen struct for a row of each master-data file, named and filled as the file is.

Quantities, percentages, costs and minutes are integers in millionths, factors pairs of integers,
days and instants normalised texts. `at` is the line in the file (0: from an earlier load), `faulty`
that a cell could not be read and holds a stand-in. What equals the default is left out when a row
is remembered, so that an empty cell and a missing column say the same.
"""

from typing import Literal

from msgspec import Struct

IssueMethod = Literal["backflush", "manual", "bulk"]
Mount = Literal["optional", "required"]
Basis = Literal["per_unit", "per_order"]
LotStatus = Literal["available", "hold", "rejected"]
FileOrderStatus = Literal["planned", "released", "hold", "cancelled", "closed"]


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every row has."""

    at: int = 0
    faulty: bool = False


class ItemRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    item: str
    description: str = ""
    uom: str = "pcs"
    decimals: int = 0
    tracking: Literal["none", "lot", "serial"] = "none"
    kind: Literal["purchased", "manufactured", "phantom"] | None = None
    issue_method: IssueMethod | None = None
    mount: Mount = "optional"
    gtin: str | None = None
    pack_quantity: int | None = None
    shelf_life_days: int | None = None
    inherit_expiry: bool = False
    lot_rule: Literal["order", "day", "shift", "scanned"] | None = None
    output_status: Literal["available", "hold"] = "available"
    standard_cost: int | None = None
    cost_per: int = 1_000_000
    over_completion_pct: int | None = None
    under_tolerance_pct: int | None = None
    over_tolerance_pct: int | None = None
    lot_overrun_pct: int | None = None
    shortage_policy: Literal["exception", "block", "negative"] | None = None
    item_class: Literal["A", "B", "C"] | None = None


class ItemCodeRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    item: str
    kind: Literal["supplier", "customer", "old", "gtin"] = "supplier"
    partner: str | None = None
    uom: str | None = None
    quantity: int | None = None


class ConversionRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    item: str = ""
    from_uom: str
    to_uom: str
    factor: tuple[int, int]


class LocationRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    location: str
    kind: Literal["line_side", "store", "finished", "scrap", "hold", "rework"] | None = None
    description: str = ""
    station: str | None = None


class WorkCentreRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    work_centre: str
    description: str = ""
    supply_location: str | None = None
    output_location: str | None = None
    issue_method: IssueMethod | None = None
    labour_rate: int | None = None
    overhead_rate: int | None = None


class ShiftRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    shift: str
    start: int
    end: int
    days: int = 0b111_1111


class BomRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    item: str
    revision: str
    output_quantity: int = 1_000_000
    effective_from: str | None = None
    effective_to: str | None = None


class BomLineRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    item: str
    revision: str
    line: str
    component: str
    quantity: int
    uom: str | None = None
    basis: Basis = "per_unit"
    scrap_pct: int = 0
    scrap_mode: Literal["additive", "divisive"] = "additive"
    planned_scrap: Literal["posted", "planning_only"] | None = None
    operation: str | None = None
    issue_method: IssueMethod | None = None
    supply_location: str | None = None
    mount: Mount | None = None
    mount_position: str | None = None
    effective_from: str | None = None
    effective_to: str | None = None
    role: Literal["component", "by_product", "co_product"] = "component"
    cost_share_pct: int | None = None


class SubstituteRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    item: str
    revision: str
    line: str
    substitute: str
    ratio: tuple[int, int] = (1, 1)
    priority: int | None = None
    approval: Literal["none", "required"] = "none"
    choice: Literal["scanned", "automatic"] = "scanned"


class RoutingRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    item: str
    revision: str
    operation: str
    work_centre: str | None = None
    description: str = ""
    setup_minutes: int = 0
    run_minutes: int = 0
    run_basis: int = 1_000_000
    backflush_point: bool | None = None
    overlap: bool = False
    issue_method: IssueMethod | None = None


class LotRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    item: str
    lot: str
    expires_on: str | None = None
    received_at: str | None = None
    status: LotStatus = "available"
    supplier: str | None = None
    supplier_lot: str | None = None


class ReceiptRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    reference: str
    item: str
    lot: str | None = None
    serial: str | None = None
    container: str | None = None
    location: str
    quantity: int
    uom: str | None = None
    effective_at: str | None = None
    expires_on: str | None = None
    supplier_lot: str | None = None


class WorkOrderRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    work_order: str
    item: str
    revision: str | None = None
    quantity: int
    start_at: str | None = None
    due_at: str | None = None
    sequence: int | None = None
    work_centre: str | None = None
    status: FileOrderStatus = "planned"
    lot: str | None = None
    replace_scrap: bool = False
    completed_so_far: int = 0
    scrapped_so_far: int = 0
    erp_ref: str | None = None


class WorkOrderLineRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    work_order: str
    line: str
    component: str
    quantity: int
    uom: str | None = None
    basis: Basis = "per_unit"
    scrap_pct: int = 0
    operation: str | None = None
    issue_method: IssueMethod | None = None
    supply_location: str | None = None
    erp_ref: str | None = None


class WorkOrderSerialRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    work_order: str
    serial: str


class OperatorRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    badge: str
    name: str = ""
    role: Literal["operator", "supervisor", "quality", "auditor"] = "operator"
    language: str | None = None


class ReasonRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    kind: Literal[
        "scrap", "rework", "extra", "write_off", "short_close", "deviation", "count", "stop"
    ]
    description: str = ""


class StockRow(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of the ERP's stock: it is compared with, never loaded."""

    item: str
    lot: str | None = None
    serial: str | None = None
    location: str | None = None
    quantity: int
    uom: str | None = None
