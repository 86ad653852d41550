"""What a load would change: rows, BOMs, the open orders it touches and how, stock that leaves.

Called by the load for `--diff` and by a proposal, on what was merged; nothing here writes.
"""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, Literal

from mes_terminal.domain.load_changes import (
    BomDiff,
    BomPart,
    Effect,
    LeavingPart,
    LoadDiff,
    Place,
    RowDiff,
    TouchedOrder,
)
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.worth import money
from mes_terminal.exchange import rows
from mes_terminal.exchange.rows import Row
from mes_terminal.store import load_touches
from mes_terminal.store.database import Connection
from mes_terminal.store.load_touches import OpenOrder
from mes_terminal.usecases.merged_rows import Merged, RowChange, differences, display_of

CHANGES_MAX: Final = 10_000
"""Rows shown; a first load is all changes."""
ORDERS_MAX: Final = 1_000
BOMS_MAX: Final = 1_000
LEAVING_MAX: Final = 200
PLACES_MAX: Final = 10
"""Places named of a leaving part; their total says the rest."""
USERS_MAX: Final = 10
"""Products named that still take a leaving part."""

_BOM_TABLES: Final = ("boms", "bom_lines", "bom_substitutes", "routings")
_READ_AT_EVENT: Final = (
    "shortage_policy", "over_completion_pct", "under_tolerance_pct", "over_tolerance_pct",
    "lot_overrun_pct", "item_class", "standard_cost",
)  # fmt: skip
"""Columns of an item that no snapshot freezes: an order feels them with its next report."""


def diff_of(conn: Connection, merged: Merged, rules: StationRules) -> LoadDiff:
    """Return what would change. An unreleased order is touched by a change of its BOM too."""
    shown: list[RowDiff] = []
    total = 0
    for name, table in merged.tables.items():
        total += len(table.changes)
        room = max(0, CHANGES_MAX - len(shown))
        shown += [_row_diff(name, change) for change in table.changes[:room]]
    touched = list(_touched(conn, merged))
    boms = list(_boms(merged))
    gone = _leaving(merged)
    return LoadDiff(
        rows=shown,
        total=total,
        open_orders=sorted({one.work_order for one in touched if one.effect != "kept"}),
        boms=boms[:BOMS_MAX],
        boms_total=len(boms),
        orders=touched[:ORDERS_MAX],
        orders_total=len(touched),
        leaving=list(_with_stock(conn, merged, gone[:LEAVING_MAX], rules)),
        leaving_total=len(gone),
        currency=rules.currency,
    )


def _row_diff(name: str, change: RowChange) -> RowDiff:
    kind: Literal["added", "changed", "removed"] = "changed"
    if change.old is None:
        kind = "added"
    elif change.new is None:
        kind = "removed"
    row = change.new or change.old
    assert isinstance(row, Row)
    columns = {
        column: (display_of(name, column, old), display_of(name, column, new))
        for column, (old, new) in differences(change).items()
    }
    return RowDiff(name, " ".join(filter(None, change.key)), kind, columns)


def _touched(conn: Connection, merged: Merged) -> Iterator[TouchedOrder]:
    """Yield what touches each open order, by order, the order's own fields first."""
    orders = {change.key[0]: change for change in merged.tables["work_orders"].changes}
    lines = {change.key[0] for change in merged.tables["work_order_lines"].changes}
    serials = {change.key[0] for change in merged.tables["work_order_serials"].changes}
    boms = _changed_boms(merged)
    policies = _changed_policies(merged)
    takers = load_touches.orders_taking(conn, sorted(policies), limit=ORDERS_MAX)
    for order in load_touches.open_orders(conn):
        if (change := orders.get(order.work_order)) is not None:
            yield _touch(order, "now", ", ".join(differences(change)))
        if order.work_order in lines:
            yield _touch(order, "next_unit" if order.is_frozen else "at_release", "lines")
        if order.work_order in serials:
            yield _touch(order, "now", "serials")
        effect: Effect = "kept" if order.is_frozen else "at_release"
        for revision in sorted(boms.get(order.item, ())):
            if not order.is_frozen or order.revision == revision:  # which one, its release decides
                yield _touch(order, effect, f"{order.item} {revision}")
        for item in takers.get(order.work_order, ()):
            yield _touch(order, "now", f"{item}: {', '.join(policies[item])}")


def _touch(order: OpenOrder, effect: Effect, what: str) -> TouchedOrder:
    return TouchedOrder(order.work_order, order.item, order.status, effect, what)


def _changed_boms(merged: Merged) -> dict[str, set[str]]:
    """Return {product: revisions that are made in another way}, phantoms within them included."""
    changed: dict[str, set[str]] = defaultdict(set)
    for name in _BOM_TABLES:
        for change in merged.tables[name].changes:
            changed[change.key[0]].add(change.key[1])
    users: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for line in merged.rows("bom_lines", rows.BomLineRow).values():
        users[line.component].add((line.item, line.revision))
    items = merged.rows("items", rows.ItemRow)
    waiting = list(changed)
    while waiting:
        item = waiting.pop()
        row = items.get((item,))
        if row is None or row.kind != "phantom":
            continue
        for product, revision in users[item]:
            if revision not in changed[product]:
                changed[product].add(revision)
                waiting.append(product)
    return dict(changed)


def _changed_policies(merged: Merged) -> dict[str, list[str]]:
    """Return {item: columns that change and are read with each report}."""
    found = {
        change.key[0]: [name for name in differences(change) if name in _READ_AT_EVENT]
        for change in merged.tables["items"].changes
        if change.old is not None and change.new is not None
    }
    return {item: columns for item, columns in found.items() if columns}


def _boms(merged: Merged) -> Iterator[BomDiff]:
    """Yield each revision of which lines change, by item and revision."""
    by_bom: dict[tuple[str, str], list[RowChange]] = defaultdict(list)
    for change in merged.tables["bom_lines"].changes:
        by_bom[change.key[0], change.key[1]].append(change)
    for item, revision in sorted(by_bom):
        changes = by_bom[item, revision]
        yield BomDiff(
            item=item,
            revision=revision,
            added=[_part(one.new) for one in changes if one.old is None],
            removed=[_part(one.old) for one in changes if one.new is None],
            changed=[_part(one.new) for one in changes if one.old and one.new],
        )


def _part(row: Row | None) -> BomPart:
    assert isinstance(row, rows.BomLineRow)
    return BomPart(row.line, row.component, format_quantity(row.quantity))


def _leaving(merged: Merged) -> list[tuple[rows.BomLineRow, str | None]]:
    """Return the BOM lines whose component leaves, with what takes its place."""
    found: list[tuple[rows.BomLineRow, str | None]] = []
    for change in merged.tables["bom_lines"].changes:
        old, new = change.old, change.new
        if not isinstance(old, rows.BomLineRow):
            continue
        if new is None:
            found.append((old, None))
        elif isinstance(new, rows.BomLineRow) and new.component != old.component:
            found.append((old, new.component))
    return found


def _with_stock(
    conn: Connection,
    merged: Merged,
    gone: list[tuple[rows.BomLineRow, str | None]],
    rules: StationRules,
) -> Iterator[LeavingPart]:
    leaving = {row.component for row, _ in gone}
    stock = load_touches.stock_of(conn, sorted(leaving))
    items = merged.rows("items", rows.ItemRow)
    users: dict[str, set[str]] = defaultdict(set)
    for line in merged.rows("bom_lines", rows.BomLineRow).values():
        if line.component in leaving:
            users[line.component].add(line.item)
    substitutes: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for key, listed in merged.rows("bom_substitutes", rows.SubstituteRow).items():
        substitutes[key[:3]].append(listed.substitute)
    for row, instead in gone:
        item = items[row.component,]
        places = stock.get(row.component, [])
        micro = sum(quantity for *_, quantity in places)
        yield LeavingPart(
            item=row.component,
            product=row.item,
            revision=row.revision,
            line=row.line,
            instead=instead,
            on_hand=format_quantity(micro),
            uom=item.uom,
            value=_value(item, micro, rules.currency),
            places=[
                Place(location, lot, format_quantity(quantity))
                for location, lot, quantity in places[:PLACES_MAX]
            ],
            places_total=len(places),
            still_used_by=sorted(users[row.component])[:USERS_MAX],
            substitutes=sorted(substitutes[row.item, row.revision, row.line]),
        )


def _value(item: rows.ItemRow, micro: int, currency: str) -> str | None:
    """Return stock at standard cost; `None` for an item without one."""
    cost_micro = item.standard_cost
    return money(
        None if cost_micro is None else Fraction(micro * cost_micro, item.cost_per), currency
    )
