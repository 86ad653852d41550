"""Write what a load has staged: inside one transaction, in bulk, tables in order of reference.

Called by the load only, with plans that are free of faults.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.bom import Plant, line_order
from mes_terminal.domain.load_proposal import Agreement
from mes_terminal.domain.posting import EventDraft, Fact, MaterialActual, MaterialData, MovementRow
from mes_terminal.domain.quantity import format_quantity, step_micro
from mes_terminal.domain.rules import StationRules
from mes_terminal.exchange import rows
from mes_terminal.exchange.rows import Row
from mes_terminal.store import loaded_rows, master_data, order_snapshot, receipts
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_events
from mes_terminal.store.heal_queue import queue_lots, queue_stock
from mes_terminal.store.master_data import Values
from mes_terminal.store.receipts import Arrival
from mes_terminal.store.staging import Batch, is_set_down
from mes_terminal.usecases.call_material import bring_by_load
from mes_terminal.usecases.merged_rows import Key, Merged, content_text, key_text
from mes_terminal.usecases.missing_conversion import end_missing
from mes_terminal.usecases.plan_orders import OrdersPlan
from mes_terminal.usecases.plan_stock import StockPlan

_SETS: Final = ("bom_substitutes", "bom_lines", "routings")
"""Tables whose rows can leave their set, in the order in which they may go."""

_SAID: Final = ("table_name", "key", "content")


class LoadContext(Struct, frozen=True, kw_only=True):
    """Who loads, when, and the version of the master data that results."""

    rules: StationRules
    now: str
    load_time: str
    person: str | None
    version: int
    agreed: Agreement | None = None
    down_version: int | None = None
    """Of the newest document, where the rows came down from above (UP-9)."""


def rows_to_set_down(merged: Merged, plant: Plant, orders: OrdersPlan) -> list[Batch]:
    """Return the rows that `apply_plans` moves; they are set down before its transaction."""
    batches = [
        _batch(name, _values(merged, plant, name))
        for name in master_data.UPSERTS
        if merged.tables[name].changes
    ]
    batches.append(_batch("orders", orders.orders))
    batches.append(_batch("order_lines", orders.lines))
    batches.append(_batch("order_substitutes", orders.substitutes))
    batches.append(Batch("loaded_rows", _SAID, _SAID, list(_said(merged))))
    return [batch for batch in batches if batch.rows]


def _batch(name: str, rows_of: Iterable[Values]) -> Batch:
    """Return a batch of mappings that all have the same names in the same order."""
    all_rows = list(rows_of)
    columns = tuple(all_rows[0]) if all_rows else ()
    filled = tuple(column for column in columns if any(row[column] is not None for row in all_rows))
    return Batch(name, columns, filled, [tuple(map(row.__getitem__, filled)) for row in all_rows])


def apply_plans(
    conn: Connection,
    merged: Merged,
    plant: Plant,
    stock: StockPlan,
    orders: OrdersPlan,
    context: LoadContext,
) -> None:
    """Write every change, its events, and what the files said: `rows_to_set_down` were set down."""
    _write_master_data(conn, merged, plant)
    master_data.set_version(conn, context.version)
    receipts.write_lots(conn, stock.lots.items())
    order_snapshot.write_orders(conn)
    order_snapshot.write_lines(
        conn,
        released=orders.released,
        replaced=orders.replaced,
        amended=orders.amended,
        lines=orders.lines,
        outputs=orders.outputs,
    )
    order_snapshot.write_units(conn, gone=orders.units.gone, planned=orders.units.planned)
    _write_arrivals(conn, merged, stock, context)
    _remember(conn, merged)
    end_missing(conn, context.rules, now=context.now)


def _write_master_data(conn: Connection, merged: Merged, plant: Plant) -> None:
    for name in _SETS:
        gone = [change.old for change in merged.tables[name].changes if change.new is None]
        master_data.delete(conn, name, [_asdict(row) for row in gone if row])
    for name in master_data.UPSERTS:
        if is_set_down(conn, name):  # not where rows only leave their set
            master_data.upsert(conn, name)
    if merged.changed("items"):
        master_data.make_nameless_lots(conn)
    items = merged.rows("items", rows.ItemRow)
    made = {change.key[:1] for change in merged.tables["boms"].changes}
    derived = [(plant.items[key[0]].kind, key[0]) for key in made if items[key].kind is None]
    master_data.set_kinds(conn, derived)


def _values(merged: Merged, plant: Plant, name: str) -> Iterator[Values]:
    if name == "routings":
        return _routing_values(merged)
    return (_row_values(row, plant) for row in _written(merged, name))


def _written(merged: Merged, name: str) -> Iterator[Row]:
    return (change.new for change in merged.tables[name].changes if change.new is not None)


def _row_values(row: Row, plant: Plant) -> Values:
    values = _asdict(row)
    match row:
        case rows.ItemRow():
            values["kind"] = plant.items[row.item].kind
            values["step_micro"] = step_micro(row.decimals)
        case rows.ConversionRow():
            values["factor_num"], values["factor_den"] = values.pop("factor")
        case rows.SubstituteRow():
            values["ratio_num"], values["ratio_den"] = values.pop("ratio")
        case rows.OperatorRow():
            values["name"] = row.name or row.badge
        case _:
            pass
    return values


def _routing_values(merged: Merged) -> Iterator[Values]:
    """Yield whole routings of which anything changes: their positions may all move."""
    touched = {change.key[:2] for change in merged.tables["routings"].changes}
    routings: dict[Key, list[rows.RoutingRow]] = {key: [] for key in touched}
    for key, row in merged.rows("routings", rows.RoutingRow).items():
        if key[:2] in routings:
            routings[key[:2]].append(row)
    for operations in routings.values():
        operations.sort(key=lambda row: line_order(row.operation))
        for position, row in enumerate(operations, start=1):
            point = row.backflush_point
            is_last = position == len(operations)
            yield {
                **_asdict(row),
                "position": position,
                "backflush_point": is_last if point is None else point,
            }


def _write_arrivals(
    conn: Connection, merged: Merged, stock: StockPlan, context: LoadContext
) -> None:
    arrivals = stock.arrivals
    receipts.write_containers(conn, arrivals)
    movements = receipts.movements_of(conn, arrivals)
    uoms = {row.item: row.uom for row in merged.rows("items", rows.ItemRow).values()}
    drafts = [
        _received(arrival, movement, uoms[arrival.key[0]], context)
        for arrival, movement in zip(arrivals, movements, strict=True)
    ]
    drafts.append(_loaded(merged, context))
    seqs = append_events(conn, drafts, rules=context.rules, recorded_at=context.now)
    receipts.write_arrivals(conn, arrivals, movements, seqs[:-1])
    _queue_healing(conn, merged, stock, movements, seqs)
    came = [(row[1], row[4]) for row in movements]
    bring_by_load(conn, came, person=context.person, rules=context.rules, now=context.now)


def _queue_healing(
    conn: Connection,
    merged: Merged,
    stock: StockPlan,
    movements: Sequence[MovementRow],
    seqs: Sequence[int],
) -> None:
    """Note what came, and the lots of which something else is said now (BF-22)."""
    came = zip(movements, seqs[:-1], strict=True)
    queue_stock(conn, [(row[1], row[4], seq) for row, seq in came])
    said = ((change.key[0], change.key[1], "") for change in merged.tables["lots"].changes)
    known = [stock.lots[key].lot_id for key in said if key in stock.lots]
    queue_lots(conn, [lot_id for lot_id in known if lot_id is not None], seqs[-1])


def _received(
    arrival: Arrival, movement: MovementRow, uom: str, context: LoadContext
) -> EventDraft:
    item, lot, serial = arrival.key
    return EventDraft(
        type="material.received",
        subject=arrival.reference,
        partition_key=item,
        event_time=arrival.effective_at,
        data=MaterialData(
            reference=arrival.reference,
            person=context.person,
            station=context.rules.station,
            master_data_version=str(context.version),
            event_time=arrival.effective_at,
            material_actuals=[
                MaterialActual(
                    use="Received",
                    item=item,
                    lot=lot or None,
                    serial=serial or None,
                    quantity=format_quantity(arrival.quantity_micro),
                    uom=uom,
                    location=arrival.location,
                )
            ],
        ),
        upstream=True,
        person=context.person,
        movements=[movement],
    )


def _loaded(merged: Merged, context: LoadContext) -> EventDraft:
    counts = {name: len(table.changes) for name, table in merged.tables.items() if table.changes}
    detail: dict[str, Any] = {"master_data_version": str(context.version), "rows": counts}
    if context.down_version is not None:
        detail["down_version"] = context.down_version
    agreed = context.agreed
    if agreed is not None:
        detail |= {
            "second_person": agreed.second_person,
            "proposal": agreed.proposal_id,
            "content_hash": agreed.content_hash,
        }
    return EventDraft(
        type="loaded",
        subject=str(context.version),
        partition_key=context.rules.station,
        event_time=context.load_time,
        data=Fact(
            person=context.person,
            station=context.rules.station,
            event_time=context.load_time,
            detail=detail,
        ),
        upstream=False,
        person=context.person,
        second_person=None if agreed is None else agreed.second_person,
    )


def _remember(conn: Connection, merged: Merged) -> None:
    for name, table in merged.tables.items():
        gone = [key_text(change.key) for change in table.changes if change.new is None]
        loaded_rows.forget(conn, name, gone)
    loaded_rows.remember(conn)


def _said(merged: Merged) -> Iterator[tuple[str, str, str]]:
    for name, table in merged.tables.items():
        for change in table.changes:
            if name != "receipts" and change.new is not None:
                yield name, key_text(change.key), content_text(change.new)


def _asdict(row: Row) -> dict[str, Any]:
    """Return a row's columns; yes and no as integers, which SQLite binds twenty times faster."""
    values = msgspec.structs.asdict(row)
    del values["at"], values["faulty"]
    return {
        name: int(value) if isinstance(value, bool) else value for name, value in values.items()
    }
