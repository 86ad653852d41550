"""What is checked of master data at load beside the type of each cell: references and sense.

Every function returns all faults it finds, each at its file and line, with the mend. Rows with an
unreadable cell are not judged further where that cell matters. Called by the load.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from mes_terminal.domain.bom import Bom, Plant, find_cycles, line_order
from mes_terminal.domain.conversions import Conversions
from mes_terminal.domain.effectivity import overlaps
from mes_terminal.domain.explosion import (
    PERCENT_MICRO,
    ExplosionFault,
    explode,
    no_operation,
    no_whole_number,
)
from mes_terminal.domain.quantity import QUANTITY_MAX_MICRO, format_quantity, step_micro
from mes_terminal.domain.rules import StationRules
from mes_terminal.exchange import rows
from mes_terminal.exchange.cells import CellError, gtin
from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.rows import Row
from mes_terminal.usecases.merged_rows import Key, Merged
from mes_terminal.usecases.plant_of_rows import in_base_units

PLANT_TABLES: Final = (
    "items",
    "unit_conversions",
    "locations",
    "work_centres",
    "boms",
    "bom_lines",
    "bom_substitutes",
    "routings",
)

REFERENCES: Final = (
    ("item_codes", ("item",), "items"),
    ("unit_conversions", ("item",), "items"),
    ("work_centres", ("supply_location",), "locations"),
    ("work_centres", ("output_location",), "locations"),
    ("boms", ("item",), "items"),
    ("bom_lines", ("item", "revision"), "boms"),
    ("bom_lines", ("component",), "items"),
    ("bom_lines", ("supply_location",), "locations"),
    ("bom_substitutes", ("item", "revision", "line"), "bom_lines"),
    ("bom_substitutes", ("substitute",), "items"),
    ("routings", ("item", "revision"), "boms"),
    ("routings", ("work_centre",), "work_centres"),
    ("lots", ("item",), "items"),
    ("receipts", ("item",), "items"),
    ("receipts", ("location",), "locations"),
    ("work_orders", ("item",), "items"),
    ("work_orders", ("item", "revision"), "boms"),
    ("work_orders", ("work_centre",), "work_centres"),
    ("work_order_lines", ("work_order",), "work_orders"),
    ("work_order_lines", ("component",), "items"),
    ("work_order_lines", ("supply_location",), "locations"),
    ("work_order_serials", ("work_order",), "work_orders"),
)
"""(file, columns, file whose key they name); empty optional cells refer to nothing."""


def check_references(
    merged: Merged, locations: Collection[str], unread: Collection[str]
) -> Iterator[Fault]:
    """Find cells that name what no file and no earlier load has.

    `unread` are the files that are not known whole: nobody can tell what they do not have.
    """
    for name, columns, target in REFERENCES:
        if target in unread:
            continue
        known: Collection[Key] = merged.tables[target].rows.keys()
        if target == "locations":
            known = {(location,) for location in locations}
        for row in _in_file(merged, name):
            key = tuple(getattr(row, column) for column in columns)
            if all(key) and key not in known and not (row.faulty and not all(key)):
                yield _fault(
                    name,
                    row,
                    columns[-1],
                    f"{' '.join(key)} is unknown; correct it, or add it to {target}.csv",
                )


def check_items(merged: Merged) -> Iterator[Fault]:
    """Find items and codes that contradict themselves."""
    items = merged.rows("items", rows.ItemRow)
    for row in items.values():
        if row.shortage_policy == "negative" and row.tracking != "none":
            yield _fault(
                "items",
                row,
                "shortage_policy",
                f"{row.item} is tracked by {row.tracking}, whose stock cannot go negative; "
                "write exception or block",
            )
        if row.pack_quantity and not row.faulty and row.pack_quantity % step_micro(row.decimals):
            yield _fault("items", row, "pack_quantity", no_step(row.pack_quantity, row))


def check_codes(merged: Merged, conversions: Conversions) -> Iterator[Fault]:
    """Find other codes that are items, wrong GTINs, or have a pack that cannot be counted."""
    items = merged.rows("items", rows.ItemRow)
    for row in merged.rows("item_codes", rows.ItemCodeRow).values():
        if (row.code,) in items:
            yield _fault("item_codes", row, "code", f"{row.code} is an item itself; remove one")
        if row.kind == "gtin" and not row.faulty:
            try:
                gtin(row.code, ZoneInfo("UTC"))
            except CellError as error:
                yield _fault("item_codes", row, "code", str(error))
        if row.quantity and (row.item,) in items:
            yield from check_quantity(merged, conversions, "item_codes", row, row.item)


def check_conversions(merged: Merged, conversions: Conversions) -> Iterator[Fault]:
    """Find conversions to the same unit and those that disagree."""
    table = merged.rows("unit_conversions", rows.ConversionRow)
    for row in table.values():
        if row.from_uom == row.to_uom:
            yield _fault("unit_conversions", row, "to_uom", "is the same unit; name another")
    for found in conversions.contradictions:
        wrong = found.conversion
        row = table[wrong.item, wrong.from_uom, wrong.to_uom]
        yield _fault("unit_conversions", row, "factor", found.message)


def check_locations(merged: Merged, rules: StationRules) -> Iterator[Fault]:
    """Find locations that this station writes by its settings and another by the file (BF-14)."""
    ours = {rules.supply_location, rules.output_location, rules.scrap_location}
    for row in merged.rows("locations", rows.LocationRow).values():
        if row.location in ours and row.station not in (None, rules.station):
            yield _fault(
                "locations",
                row,
                "station",
                f"{row.location} would be written by {row.station} and by {rules.station}; "
                "a location is written by one station only",
            )


def check_boms(merged: Merged) -> Iterator[Fault]:
    """Find BOMs and lines that cannot be (effectivity, scrap, cost shares, cycles)."""
    boms = merged.rows("boms", rows.BomRow)
    yield from _check_ranges("boms", boms.values())
    by_item: dict[str, list[rows.BomRow]] = defaultdict(list)
    for row in boms.values():
        by_item[row.item].append(row)
    for revisions in by_item.values():
        for earlier, later in overlaps(revisions) if len(revisions) > 1 else ():
            yield _fault(
                "boms",
                later if later.at else earlier,
                "effective_from",
                f"revisions {earlier.revision} and {later.revision} of {later.item} are both "
                "effective on some days; end one before the other begins",
            )
    yield from _check_cost_shares(merged)
    yield from _check_cycles(merged)


def check_bom_lines(merged: Merged, plant: Plant, conversions: Conversions) -> Iterator[Fault]:
    """Find lines without a conversion or with impossible scrap."""
    lines = merged.rows("bom_lines", rows.BomLineRow)
    yield from _check_ranges("bom_lines", lines.values())
    for row in lines.values():
        component = plant.items.get(row.component)
        if row.scrap_mode == "divisive" and row.scrap_pct >= PERCENT_MICRO:
            yield _fault(
                "bom_lines",
                row,
                "scrap_pct",
                f"{format_quantity(row.scrap_pct)} % of divisive scrap leaves nothing; "
                "write less than 100",
            )
        if component is None:
            continue
        if row.scrap_pct and component.tracking == "serial":
            yield _fault(
                "bom_lines",
                row,
                "scrap_pct",
                f"{row.component} is tracked by serial and cannot have planned scrap; set it to 0",
            )
        quantity = in_base_units(merged, conversions, row.component, row.quantity, row.uom)
        if isinstance(quantity, str):
            yield _fault("bom_lines", row, "uom", quantity)


def check_routings(merged: Merged) -> Iterator[Fault]:
    """Find routings whose last operation is no backflush point (BF-11)."""
    last: dict[Key, rows.RoutingRow] = {}
    for key, row in merged.rows("routings", rows.RoutingRow).items():
        known = last.get(key[:2])
        if known is None or line_order(known.operation) < line_order(row.operation):
            last[key[:2]] = row
    for row in last.values():
        if row.backflush_point is False:
            yield _fault(
                "routings",
                row,
                "backflush_point",
                f"the last operation {row.operation} of {row.item} must be a backflush point; "
                "write yes",
            )


def check_explosions(
    merged: Merged, plant: Plant, rules: StationRules, day: str
) -> Iterator[Fault]:
    """Explode every BOM that an order can name, each on the day nearest to `day` that it counts."""
    for item, revisions in plant.boms.items():
        if item not in plant.items or plant.items[item].kind == "phantom":
            continue
        for bom in revisions:
            on = min(max(day, bom.effective_from or day), bom.effective_to or "9999-12-31")
            exploded = explode(bom, plant, day=on, work_centre=None, rules=rules)
            yield from explosion_faults(merged, exploded.faults)
            yield from _check_own_lines(merged, plant, bom)


def _check_own_lines(merged: Merged, plant: Plant, bom: Bom) -> Iterator[Fault]:
    """Find what the explosion of one day does not meet: lines of other days, and by-products."""
    made_by = bom.item, bom.revision
    operations = {one.operation for one in plant.routings.get(made_by, ())}
    lines = merged.rows("bom_lines", rows.BomLineRow)
    for line in bom.lines:
        row = lines[*made_by, line.line]
        if row.faulty:
            continue
        if line.operation and line.operation not in operations:
            yield _fault("bom_lines", row, "operation", no_operation(line.operation, made_by))
        component = plant.items[line.component]
        per = 1_000_000 if line.basis == "per_order" else bom.output_micro
        units = line.quantity / per
        if component.tracking == "serial" and units.denominator != 1:
            message = no_whole_number(line.component, units, bom.item)
            yield _fault("bom_lines", row, "quantity", message)


def explosion_faults(
    merged: Merged, faults: Iterable[ExplosionFault], order: str | None = None
) -> Iterator[Fault]:
    """Return an explosion's faults at the rows they come from; `order`: of its explicit lines."""
    for found in faults:
        name: str = "bom_lines"
        key: Key = (found.item, found.revision, found.line)
        if found.level == "order_line":
            name, key = "work_order_lines", (order or "", found.line)
        row = merged.tables[name].rows.get(key)
        if row is None or not row.faulty:
            yield Fault(f"{name}.csv", (row and row.at) or None, found.column, found.message)


def check_quantity(
    merged: Merged, conversions: Conversions, name: str, row: Any, item: str
) -> Iterator[Fault]:
    """Find a stated quantity that the item's unit, step or 64 bits cannot hold."""
    base = in_base_units(merged, conversions, item, row.quantity, getattr(row, "uom", None))
    if isinstance(base, str):
        yield _fault(name, row, "uom", base)
        return
    item_row = merged.rows("items", rows.ItemRow)[(item,)]
    if row.faulty or item_row.faulty:
        return
    if base.denominator != 1 or base.numerator % step_micro(item_row.decimals):
        yield _fault(name, row, "quantity", no_step(row.quantity, item_row))
    elif base > QUANTITY_MAX_MICRO:
        yield _fault(name, row, "quantity", f"is too large in {item_row.uom}; write less")


def no_step(quantity: int, item: rows.ItemRow) -> str:
    """Say that a quantity lies between two steps of its item (BF-2)."""
    step = format_quantity(step_micro(item.decimals))
    return (
        f"{format_quantity(quantity)} is no multiple of {step} {item.uom}, the step of "
        f"{item.item}; write such a quantity, or give the item more decimals"
    )


def _check_ranges(name: str, ranged: Iterable[Any]) -> Iterator[Fault]:
    for row in ranged:
        if row.effective_from and row.effective_to and row.effective_from > row.effective_to:
            yield _fault(name, row, "effective_to", "lies before effective_from; swap them")


def _check_cost_shares(merged: Merged) -> Iterator[Fault]:
    shares: dict[Key, int] = defaultdict(int)
    for key, row in merged.rows("bom_lines", rows.BomLineRow).items():
        if row.cost_share_pct and row.role != "component":
            before = shares[key[:2]]
            shares[key[:2]] += row.cost_share_pct
            if before <= PERCENT_MICRO < shares[key[:2]]:
                yield _fault(
                    "bom_lines",
                    row,
                    "cost_share_pct",
                    f"the cost shares of {row.item} {row.revision} are "
                    f"{format_quantity(shares[key[:2]])} % up to here; stay within 100",
                )


def _check_cycles(merged: Merged) -> Iterator[Fault]:
    components: dict[str, dict[str, rows.BomLineRow]] = defaultdict(dict)
    for row in merged.rows("bom_lines", rows.BomLineRow).values():
        if row.role == "component":
            known = components[row.item].setdefault(row.component, row)
            if row.at and not known.at:
                components[row.item][row.component] = row
    for cycle in find_cycles(components):
        edges = [components[item][of] for item, of in pairwise(cycle)]
        row = next((edge for edge in reversed(edges) if edge.at), edges[-1])
        path = " -> ".join(cycle)
        yield _fault("bom_lines", row, "component", f"the BOM goes round: {path}; break the circle")


def _in_file(merged: Merged, name: str) -> Iterator[Row]:
    return (row for row in merged.tables[name].rows.values() if row.at)


def _fault(name: str, row: Row, column: str | None, message: str) -> Fault:
    return Fault(f"{name}.csv", row.at or None, column, message)
