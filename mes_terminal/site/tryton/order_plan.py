"""The planned moves of an order's production: read, changed and ended."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from mes_terminal.site.tryton.catalogue import Catalogue
from mes_terminal.site.tryton.client import Row, TrytonClient, day, numeric
from mes_terminal.site.tryton.movements import REFERENCE
from mes_terminal.site.tryton.plan import (
    Done,
    PlanChange,
    Planned,
    Side,
    give_to_plan,
    take_from_plan,
)
from mes_terminal.site.tryton.stock_move import StockMove

MODEL: Final = "production"
FIELDS: Final = [
    "number", "reference", "state", "product", "warehouse", "location", "inputs", "outputs",
    "effective_start_date", "effective_date", "_timestamp",
]  # fmt: skip
PLANNED: Final = ("planned_start_date", "planned_date")
"""What a report's production gets when it has been taken from its order's plan."""
OPEN: Final = ("request", "draft", "waiting")
"""States in which the planned moves can be changed."""
SIDES: Final[tuple[Side, ...]] = ("inputs", "outputs")


def find_order(client: TrytonClient, work_order: str) -> Row | None:
    """Return the order's own production, not one of ours."""
    domain = [
        ("number", "=", work_order),
        ["OR", ("reference", "=", None), ("reference", "not like", f"{REFERENCE}%")],
    ]
    rows = client.search(MODEL, domain, FIELDS, limit=1)
    return rows[0] if rows else None


def unreserved(client: TrytonClient, order: Row | None) -> Row | None:
    """Return the order's production with moves that can be changed: none of them reserved."""
    if order is None or order["state"] != "assigned":
        return order
    client.press(MODEL, "wait", order["id"])
    rows = client.search(MODEL, [("id", "=", order["id"])], FIELDS)
    return rows[0] if rows else None


def keep_plan(client: TrytonClient, catalogue: Catalogue, work_order: str) -> None:
    """Take what was reported of an order from its plan, which it has not been taken from yet.

    Whether it has says its own planned date; plan and dates are written in one call.
    """
    domain = [
        ("number", "like", f"{work_order}/%"),
        ("reference", "like", f"{REFERENCE}%"),
        ("state", "=", "done"),
        ("planned_date", "=", None),
    ]
    reports = client.search(MODEL, domain, FIELDS)
    if not reports:
        return
    order = unreserved(client, find_order(client, work_order))
    stamps = {f"{MODEL},{row['id']}": row["_timestamp"] for row in reports}
    changes: list[tuple[int, Row]] = [
        (row["id"], dict.fromkeys(PLANNED, day(row["effective_start_date"]))) for row in reports
    ]
    if order is not None and order["state"] in OPEN:
        planned = _planned(client, catalogue, order, stamps)
        ids = [move for row in reports for side in SIDES for move in row[side]]
        change = take_from_plan(planned, _moved(client, catalogue, ids))
        if values := _values(change):
            changes.append((order["id"], values))
    client.write(MODEL, *changes, context={"_timestamp": stamps})


def unkept(client: TrytonClient) -> list[str]:
    """Return the orders whose plan waits to be kept."""
    domain = [
        ("reference", "like", f"{REFERENCE}%"),
        ("state", "=", "done"),
        ("planned_date", "=", None),
    ]
    rows = client.search(MODEL, domain, ["number"])
    return sorted({row["number"].rpartition("/")[0] for row in rows})


def plan_back(
    client: TrytonClient,
    catalogue: Catalogue,
    order: Row,
    moves: Sequence[StockMove],
    stamps: dict[str, str],
) -> Row:
    """Return what to write to the order's production when `moves` took back of a report; `stamps`
    gains what that was read from."""
    planned = _planned(client, catalogue, order, stamps)
    back = [
        Done("inputs" if each.is_output else "outputs", each.product, each.unit, each.quantity)
        for each in moves
    ]
    change = give_to_plan(planned, back)
    values = _values(change)
    for each in change.added:
        record = _planned_again(each, catalogue, order, moves)
        values.setdefault(each.side, []).append(["create", [record]])
    if order["effective_date"] is not None:
        values |= {"effective_date": None, "effective_start_date": None}
    return values


def clear_plan(client: TrytonClient, order: Row) -> None:
    """Take everything that is left from the plan of a production that is to end."""
    values: Row = {side: [["delete", order[side]]] for side in SIDES if order[side]}
    if values:
        stamp = {f"{MODEL},{order['id']}": order["_timestamp"]}
        client.write(MODEL, (int(order["id"]), values), context={"_timestamp": stamp})


def _planned(
    client: TrytonClient, catalogue: Catalogue, order: Row, stamps: dict[str, str]
) -> list[Planned]:
    """Return the planned moves of an order; `stamps` gains what they were read from."""
    stamps[f"{MODEL},{order['id']}"] = order["_timestamp"]
    ids = [*order["inputs"], *order["outputs"]]
    if not ids:
        return []
    fields = ["product", "unit", "quantity", "production_input", "_timestamp"]
    rows = client.search("stock.move", [("id", "in", ids), ("state", "=", "draft")], fields)
    stamps |= {f"stock.move,{row['id']}": row["_timestamp"] for row in rows}
    return [
        Planned(
            row["id"],
            _side(row),
            row["product"],
            catalogue.unit_by_id(row["unit"]),
            Decimal(row["quantity"]),
        )
        for row in rows
    ]


def _moved(client: TrytonClient, catalogue: Catalogue, ids: list[int]) -> list[Done]:
    fields = ["product", "unit", "quantity", "production_input"]
    rows = client.search("stock.move", [("id", "in", ids)], fields) if ids else []
    return [
        Done(
            _side(row),
            row["product"],
            catalogue.unit_by_id(row["unit"]),
            Decimal(row["quantity"]),
        )
        for row in rows
    ]


def _side(row: Row) -> Side:
    return "inputs" if row["production_input"] is not None else "outputs"


def _planned_again(each: Done, catalogue: Catalogue, order: Row, moves: Sequence[StockMove]) -> Row:
    """Return a planned move for what is to be done again: to and from where it went back."""
    move = next(
        one for one in moves
        if one.product == each.product and one.is_output == (each.side == "inputs")
    )  # fmt: skip
    record: Row = {
        "product": each.product, "quantity": each.quantity, "unit": each.unit.id,
        "company": catalogue.company.id,
    }  # fmt: skip
    if each.side == "inputs":
        return record | {"from_location": move.inner.id, "to_location": order["location"]}
    return record | {
        "from_location": order["location"],
        "to_location": move.inner.id,
        "unit_price": numeric(Decimal(0)),
        "currency": catalogue.company.currency,
    }


def _values(change: PlanChange) -> Row:
    values: Row = {}
    for side in SIDES:
        actions: list[list[object]] = [
            ["write", [move_id], {"quantity": quantity}]
            for move_id, quantity in change.quantities[side].items()
        ]
        if change.deleted[side]:
            actions.append(["delete", list(change.deleted[side])])
        if actions:
            values[side] = actions
    return values
