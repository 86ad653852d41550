"""The files of a master-data folder as data: their columns, keys and sets. Pure."""

from typing import Any, Final

from msgspec import Struct

from mes_terminal.exchange import cells, rows
from mes_terminal.exchange.cells import CellReader, choice, whole

_METHODS: Final = choice("backflush", "manual", "bulk")
_MOUNT: Final = choice("optional", "required")
_BASIS: Final = choice("per_unit", "per_order")
_INTEGER: Final = whole(-(10**9), 10**9)


class Column(Struct, frozen=True):
    """A column: its reader, whether a cell may be empty, and the stand-in for an unreadable one."""

    name: str
    read: CellReader
    required: bool = False
    stand_in: Any = None


class Table(Struct, frozen=True, kw_only=True):
    """A file: its row, columns and key; `parent` key columns name the set that a load replaces."""

    name: str
    row: type[rows.Row]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    parent: int = 0

    @property
    def file(self) -> str:
        """Return the file's name."""
        return f"{self.name}.csv"


def _must(name: str, read: CellReader, stand_in: Any = "") -> Column:
    return Column(name, read, required=True, stand_in=stand_in)


def _may(**columns: CellReader) -> tuple[Column, ...]:
    return tuple(Column(name, read) for name, read in columns.items())


_TABLES: Final = (
    Table(
        name="items",
        row=rows.ItemRow,
        key=("item",),
        columns=(
            _must("item", cells.text),
            *_may(
                description=cells.note,
                uom=cells.text,
            ),
            Column("decimals", whole(0, 6), stand_in=6),
            *_may(
                tracking=choice("none", "lot", "serial"),
                kind=choice("purchased", "manufactured", "phantom"),
                issue_method=_METHODS,
                mount=_MOUNT,
                gtin=cells.gtin,
                pack_quantity=cells.positive,
                shelf_life_days=whole(0, 36_500),
                inherit_expiry=cells.yes_no,
                lot_rule=choice("order", "day", "shift", "scanned"),
                output_status=choice("available", "hold"),
                standard_cost=cells.amount,
                cost_per=cells.positive,
                over_completion_pct=cells.amount,
                under_tolerance_pct=cells.amount,
                over_tolerance_pct=cells.amount,
                lot_overrun_pct=cells.amount,
                shortage_policy=choice("exception", "block", "negative"),
                item_class=choice("A", "B", "C"),
            ),
        ),
    ),
    Table(
        name="item_codes",
        row=rows.ItemCodeRow,
        key=("code",),
        columns=(
            _must("code", cells.text),
            _must("item", cells.text),
            *_may(
                kind=choice("supplier", "customer", "old", "gtin"),
                partner=cells.text,
                uom=cells.text,
                quantity=cells.positive,
            ),
        ),
    ),
    Table(
        name="unit_conversions",
        row=rows.ConversionRow,
        key=("item", "from_uom", "to_uom"),
        columns=(
            Column("item", cells.text),
            _must("from_uom", cells.text),
            _must("to_uom", cells.text),
            _must("factor", cells.ratio, (1, 1)),
        ),
    ),
    Table(
        name="locations",
        row=rows.LocationRow,
        key=("location",),
        columns=(
            _must("location", cells.location_name),
            *_may(
                kind=choice("line_side", "store", "finished", "scrap", "hold", "rework"),
                description=cells.note,
                station=cells.text,
            ),
        ),
    ),
    Table(
        name="work_centres",
        row=rows.WorkCentreRow,
        key=("work_centre",),
        columns=(
            _must("work_centre", cells.text),
            *_may(
                description=cells.note,
                supply_location=cells.text,
                output_location=cells.text,
                issue_method=_METHODS,
                labour_rate=cells.amount,
                overhead_rate=cells.amount,
            ),
        ),
    ),
    Table(
        name="shifts",
        row=rows.ShiftRow,
        key=("shift",),
        columns=(
            _must("shift", cells.text),
            _must("start", cells.clock_minute, 0),
            _must("end", cells.clock_minute, 0),
            Column("days", cells.week_days),
        ),
    ),
    Table(
        name="boms",
        row=rows.BomRow,
        key=("item", "revision"),
        columns=(
            _must("item", cells.text),
            _must("revision", cells.text),
            *_may(
                output_quantity=cells.positive,
                effective_from=cells.day,
                effective_to=cells.day,
            ),
        ),
    ),
    Table(
        name="bom_lines",
        row=rows.BomLineRow,
        key=("item", "revision", "line"),
        parent=2,
        columns=(
            _must("item", cells.text),
            _must("revision", cells.text),
            _must("line", cells.text),
            _must("component", cells.text),
            _must("quantity", cells.positive, 1_000_000),
            *_may(
                uom=cells.text,
                basis=_BASIS,
                scrap_pct=cells.amount,
                scrap_mode=choice("additive", "divisive"),
                planned_scrap=choice("posted", "planning_only"),
                operation=cells.text,
                issue_method=_METHODS,
                supply_location=cells.text,
                mount=_MOUNT,
                mount_position=cells.text,
                effective_from=cells.day,
                effective_to=cells.day,
                role=choice("component", "by_product", "co_product"),
                cost_share_pct=cells.amount,
            ),
        ),
    ),
    Table(
        name="bom_substitutes",
        row=rows.SubstituteRow,
        key=("item", "revision", "line", "substitute"),
        columns=(
            _must("item", cells.text),
            _must("revision", cells.text),
            _must("line", cells.text),
            _must("substitute", cells.text),
            *_may(
                ratio=cells.ratio,
                priority=_INTEGER,
                approval=choice("none", "required"),
                choice=choice("scanned", "automatic"),
            ),
        ),
    ),
    Table(
        name="routings",
        row=rows.RoutingRow,
        key=("item", "revision", "operation"),
        parent=2,
        columns=(
            _must("item", cells.text),
            _must("revision", cells.text),
            _must("operation", cells.text),
            *_may(
                work_centre=cells.text,
                description=cells.note,
                setup_minutes=cells.amount,
                run_minutes=cells.amount,
                run_basis=cells.positive,
                backflush_point=cells.yes_no,
                overlap=cells.yes_no,
                issue_method=_METHODS,
            ),
        ),
    ),
    Table(
        name="lots",
        row=rows.LotRow,
        key=("item", "lot"),
        columns=(
            _must("item", cells.text),
            _must("lot", cells.text),
            *_may(
                expires_on=cells.day,
                received_at=cells.instant,
                status=choice("available", "hold", "rejected"),
                supplier=cells.text,
                supplier_lot=cells.text,
            ),
        ),
    ),
    Table(
        name="receipts",
        row=rows.ReceiptRow,
        key=("reference",),
        columns=(
            _must("reference", cells.text),
            _must("item", cells.text),
            *_may(lot=cells.text, serial=cells.text, container=cells.text),
            _must("location", cells.text),
            _must("quantity", cells.positive, 1_000_000),
            *_may(
                uom=cells.text,
                effective_at=cells.instant,
                expires_on=cells.day,
                supplier_lot=cells.text,
            ),
        ),
    ),
    Table(
        name="work_orders",
        row=rows.WorkOrderRow,
        key=("work_order",),
        columns=(
            _must("work_order", cells.text),
            _must("item", cells.text),
            Column("revision", cells.text),
            _must("quantity", cells.positive, 1_000_000),
            *_may(
                start_at=cells.instant,
                due_at=cells.instant,
                sequence=_INTEGER,
                work_centre=cells.text,
                status=choice("planned", "released", "hold", "cancelled", "closed"),
                lot=cells.text,
                replace_scrap=cells.yes_no,
                completed_so_far=cells.amount,
                scrapped_so_far=cells.amount,
                erp_ref=cells.text,
            ),
        ),
    ),
    Table(
        name="work_order_lines",
        row=rows.WorkOrderLineRow,
        key=("work_order", "line"),
        parent=1,
        columns=(
            _must("work_order", cells.text),
            _must("line", cells.text),
            _must("component", cells.text),
            _must("quantity", cells.positive, 1_000_000),
            *_may(
                uom=cells.text,
                basis=_BASIS,
                scrap_pct=cells.amount,
                operation=cells.text,
                issue_method=_METHODS,
                supply_location=cells.text,
                erp_ref=cells.text,
            ),
        ),
    ),
    Table(
        name="work_order_serials",
        row=rows.WorkOrderSerialRow,
        key=("work_order", "serial"),
        parent=1,
        columns=(_must("work_order", cells.text), _must("serial", cells.text)),
    ),
    Table(
        name="operators",
        row=rows.OperatorRow,
        key=("badge",),
        columns=(
            _must("badge", cells.badge),
            Column("name", cells.note),
            Column("role", choice("operator", "supervisor", "quality", "auditor")),
            Column("language", cells.text),
        ),
    ),
    Table(
        name="reasons",
        row=rows.ReasonRow,
        key=("code",),
        columns=(
            _must("code", cells.text),
            _must(
                "kind",
                choice(
                    "scrap",
                    "rework",
                    "extra",
                    "write_off",
                    "short_close",
                    "deviation",
                    "count",
                    "stop",
                ),
                "stop",
            ),
            Column("description", cells.note),
        ),
    ),
)

TABLES: Final = {table.name: table for table in _TABLES}
"""By name, in the order in which they are applied."""

STOCK: Final = Table(
    name="stock",
    row=rows.StockRow,
    key=(),
    columns=(
        _must("item", cells.text),
        *_may(lot=cells.text, serial=cells.text, location=cells.text),
        _must("quantity", cells.signed, 0),
        *_may(uom=cells.text),
    ),
)
"""What `reconcile` compares with; no load takes it. No key: a piece may be there in parts."""
