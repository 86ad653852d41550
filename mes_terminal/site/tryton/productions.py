"""A report as a production of its own beside the order's, and what the order's plan loses by it.

Tryton's production is made at once: it has one quantity, consumes all its inputs by `run` and
books all its outputs by `do`. So each report becomes a production with our key in `reference`, that
holds what was really consumed and made, with lots. The order's own production stays what it was,
its quantity what was ordered; its planned moves are what is left to do, so that Tryton's forecast
stays right. The report that ends the order takes what is left of the plan, and the order's
production is done with nothing in it.

A reversal cancels the production that holds its report, which is how Tryton takes back what is
done, and becomes a production that holds what of the report still stands. Where Tryton does not
let it be cancelled any more (a closed period), it holds the opposite.

The moves are written in one call, which is so one transaction, and marked by the date: a production
with a date got what it is to hold. Everything else can be repeated. The plan is kept by
`order_plan`: after the fact for reports, several at once, and in the same call for a reversal.
"""

from collections.abc import Sequence
from typing import Final

from mes_terminal.errors import TransportError
from mes_terminal.site.tryton.catalogue import Catalogue
from mes_terminal.site.tryton.client import ErpRefusedError, Row, TrytonClient, day
from mes_terminal.site.tryton.held import Held, held_of, records_of, rest_of
from mes_terminal.site.tryton.movements import REFERENCE, Posting
from mes_terminal.site.tryton.order_plan import (
    FIELDS,
    MODEL,
    OPEN,
    PLANNED,
    clear_plan,
    find_order,
    keep_plan,
    plan_back,
    unreserved,
)
from mes_terminal.site.tryton.stock_move import StockMove

BACK: Final = "-back"
"""What the number of a reversal's production ends with."""
_NEXT: Final = {
    "request": "draft", "draft": "wait", "waiting": "assign_force", "assigned": "run",
    "running": "do",
}  # fmt: skip
_STEPS: Final = ("wait", "assign_force", "run", "do")
"""The buttons from a draft to the end."""
_AFTER: Final = {
    "request": "draft", "draft": "waiting", "waiting": "assigned", "assigned": "running",
    "running": "done",
}  # fmt: skip


def post_production(
    client: TrytonClient,
    catalogue: Catalogue,
    posting: Posting,
    moves: Sequence[StockMove],
    *,
    carrier: str | None = None,
) -> str:
    """Make and do a report's production, and return its number.

    `carrier` is the reference of the production that holds the report which is taken back.
    """
    is_back = posting.data.reverses is not None
    own, order = _find(client, posting)
    if own is None:
        if order is not None:
            order = _opened(client, posting, order)
        client.create(MODEL, [_head(catalogue, posting, moves, order)])
        own, order = _find(client, posting)
        if own is None:
            raise TransportError(f"{posting.reference} is not to be found in Tryton", reason="busy")
    if own["state"] == "cancelled" and _was_taken_back(client, posting, own):
        return str(own["number"])
    if _is_empty(own):
        if is_back:
            keep_plan(client, catalogue, posting.data.work_order or "")
            order = unreserved(client, find_order(client, posting.data.work_order or ""))
            held = _rest(client, catalogue, carrier, held_of(moves))
        else:
            held = held_of(moves)
        _write(client, catalogue, posting, moves, held, own, order)
    _carry_on(client, own, is_back=is_back)
    if is_back:
        order = find_order(client, posting.data.work_order or "")
        if order is not None and order["state"] == "draft":  # we opened it
            client.press(MODEL, "wait", order["id"])
    return str(own["number"])


def post_new(
    client: TrytonClient,
    catalogue: Catalogue,
    reports: Sequence[tuple[Posting, Sequence[StockMove]]],
) -> list[str] | None:
    """Make and do the productions of several reports, none of which takes anything back, a call for
    each step of all; return their numbers. `None`: not all of them are new."""
    postings = [posting for posting, _ in reports]
    owns, orders = _find_all(client, postings)
    if owns:
        return None
    heads = []
    for posting, moves in reports:
        order = orders.get(posting.data.work_order or "")
        if order is not None:
            order = _opened(client, posting, order)
        heads.append(_head(catalogue, posting, moves, order))
    client.create(MODEL, heads)
    owns, orders = _find_all(client, postings)
    if len(owns) < len(postings) or not all(map(_is_new, owns.values())):
        return None
    changes, stamps = [], {}
    for posting, moves in reports:
        own = owns[posting.reference]
        has_order = (posting.data.work_order or "") in orders
        values = _holding(catalogue, posting, held_of(moves), own, is_planned=not has_order)
        changes.append((int(own["id"]), values))
        stamps[f"{MODEL},{own['id']}"] = own["_timestamp"]
    client.write(MODEL, *changes, context={"_timestamp": stamps})
    ids = [int(row["id"]) for row in owns.values()]
    for button in _STEPS:
        client.press(MODEL, button, *ids)
    _see_done(client, ids)
    return [str(owns[each.reference]["number"]) for each in postings]


def end_order(client: TrytonClient, posting: Posting) -> None:
    """End the order's production after the report that ended the order, unless a later reversal
    has opened it again."""
    own, order = _find(client, posting)
    if own is None or order is None or _was_taken_back(client, posting, own):
        return
    order = unreserved(client, order)
    if order is not None and order["state"] in (*OPEN, "assigned", "running"):
        clear_plan(client, order)
        _carry_on(client, order)


def withdraw(client: TrytonClient, posting: Posting) -> None:
    """Cancel what a refused report has left in Tryton: it has moved nothing, and will not."""
    own, _ = _find(client, posting)
    if own is not None and own["state"] not in ("done", "cancelled"):
        client.press(MODEL, "cancel", own["id"])


def _find(client: TrytonClient, posting: Posting) -> tuple[Row | None, Row | None]:
    """Return the posting's own production (the oldest) and its order's."""
    owns, orders = _find_all(client, [posting])
    return owns.get(posting.reference), orders.get(posting.data.work_order or "")


def _find_all(
    client: TrytonClient, postings: Sequence[Posting]
) -> tuple[dict[str, Row], dict[str, Row]]:
    """Return the oldest production of each reference, and each order's by its number."""
    references = [each.reference for each in postings]
    domain = [
        "OR",
        ("reference", "in", references),
        [
            ("number", "in", sorted({each.data.work_order or "" for each in postings})),
            ["OR", ("reference", "=", None), ("reference", "not like", f"{REFERENCE}%")],
        ],
    ]
    owns: dict[str, Row] = {}
    orders: dict[str, Row] = {}
    for row in client.search(MODEL, domain, FIELDS):
        if row["reference"] in references:
            owns.setdefault(row["reference"], row)
        else:
            orders.setdefault(row["number"], row)
    return owns, orders


def _is_new(own: Row) -> bool:
    """Tell whether a production was made and nothing else yet: it has no date."""
    return own["state"] in ("request", "draft") and own["effective_start_date"] is None


def _is_empty(own: Row) -> bool:
    """Tell whether a production is still to get what it holds; also when somebody cancelled it and
    set it back to draft, which takes that away."""
    holds = own["inputs"] or own["outputs"]
    return own["state"] in ("request", "draft") and not holds


def _opened(client: TrytonClient, posting: Posting, order: Row) -> Row:
    """Return the order's production as a report may be booked beside it; refuse it otherwise.

    One that we ended is opened again by a reversal. It was done and is empty, so that cancelling
    it moves nothing; cancelled but once done, it is one that we were just opening.
    """
    state, number = order["state"], order["number"]
    is_empty = not (order["inputs"] or order["outputs"])
    if posting.data.reverses is not None:
        if state == "done" and is_empty:
            client.press(MODEL, "cancel", order["id"])
            state = "cancelled"
        if state == "cancelled" and is_empty and order["effective_date"] is not None:
            client.press(MODEL, "draft", order["id"])
            return find_order(client, number) or order
        return order
    if state == "cancelled":
        raise ErpRefusedError(
            f"Production {number} is cancelled in Tryton: set it back to draft there and send "
            "again, or take the report back",
            reason="order_closed",
        )
    if state == "running" or (state == "done" and not is_empty):
        raise ErpRefusedError(
            f"Production {number} was run in Tryton itself, which consumed its material: cancel "
            "that there and send again, or take the report back",
            reason="order_closed",
        )
    return order


def _head(
    catalogue: Catalogue, posting: Posting, moves: Sequence[StockMove], order: Row | None
) -> Row:
    """Return a production without moves: it has no effect on anything yet."""
    is_back = posting.data.reverses is not None
    if order is not None:
        warehouse, place = order["warehouse"], order["location"]
    else:
        inner = next((each.inner.warehouse for each in moves), None)
        if inner is None:
            raise ErpRefusedError(
                "The stations' locations are in no warehouse of Tryton's", reason="erp_setup"
            )
        warehouse, place = inner, catalogue.production_place(inner)
    head: Row = {
        "reference": posting.reference,
        "number": f"{posting.data.work_order}/{int(posting.sequence)}{BACK if is_back else ''}",
        "company": catalogue.company.id,
        "warehouse": warehouse,
        "location": place,
    }
    made = [each for each in moves if each.is_output and each.producible]
    main = [each for each in made if order is None or each.product == order["product"]]
    if main and not is_back:
        head |= {
            "product": main[0].product,
            "unit": main[0].unit.id,
            "quantity": sum(each.quantity for each in main if each.unit.id == main[0].unit.id),
        }
    return head


def _rest(
    client: TrytonClient, catalogue: Catalogue, carrier: str | None, back: list[Held]
) -> list[Held]:
    """Cancel the production that holds the report and return what of it stands."""
    found = [] if carrier is None else client.search(MODEL, [("reference", "=", carrier)], FIELDS)
    if not found:
        return rest_of([], back)
    row = found[0]
    if row["state"] == "done":
        try:
            client.press(MODEL, "cancel", row["id"])
        except ErpRefusedError:
            if not catalogue.is_closed(row["effective_date"]):
                raise
            return rest_of([], back)
    elif row["state"] != "cancelled":
        return rest_of([], back)
    ids = [*row["inputs"], *row["outputs"]]
    fields = ["product", "lot", "unit", "quantity", "from_location", "to_location",
              "production_input"]  # fmt: skip
    moves = client.search("stock.move", [("id", "in", ids)], fields) if ids else []
    return rest_of([Held.of_record(move) for move in moves], back)


def _write(
    client: TrytonClient,
    catalogue: Catalogue,
    posting: Posting,
    moves: Sequence[StockMove],
    held: Sequence[Held],
    own: Row,
    order: Row | None,
) -> None:
    """Give the production what it holds, and the order's plan what a reversal took back.

    Somebody who changed either of them since we read them makes the call fail, to be made again.
    """
    is_back = posting.data.reverses is not None
    is_planned = is_back or order is None
    changes = [(int(own["id"]), _holding(catalogue, posting, held, own, is_planned=is_planned))]
    stamps = {f"{MODEL},{own['id']}": own["_timestamp"]}
    if is_back and order is not None and order["state"] in OPEN and _is_new(own):
        plan = plan_back(client, catalogue, order, moves, stamps)
        if plan:
            changes.append((int(order["id"]), plan))
    client.write(MODEL, *changes, context={"_timestamp": stamps})


def _holding(
    catalogue: Catalogue, posting: Posting, held: Sequence[Held], own: Row, *, is_planned: bool
) -> Row:
    """Return what to write to a production; `is_planned`: no plan is to lose what it holds."""
    on = day(catalogue.company.day_of(posting.time))
    values: Row = {"effective_start_date": on, "effective_date": on}
    if is_planned:
        values |= dict.fromkeys(PLANNED, on)
    records = records_of(held, catalogue.company, on, production=own["location"])
    return values | {side: [["create", rows]] for side, rows in records.items() if rows}


def _carry_on(client: TrytonClient, production: Row, *, is_back: bool = False) -> None:
    """Bring a production to its end from wherever it is.

    What a reversal moves has moved: no warning of Tryton's may hold it up.
    """
    state = production["state"]
    if state == "done":
        return
    while state != "done":
        if state not in _NEXT:
            raise ErpRefusedError(
                f"Production {production['number']} with our reference is {state} in Tryton: set "
                "it back to draft there, then send again",
                reason="erp_state",
            )
        try:
            client.press(MODEL, _NEXT[state], production["id"], no_warnings=is_back)
        except ErpRefusedError as error:
            if _states(client, [production["id"]]) == [state]:
                raise
            changed = f"Somebody changed production {production['number']} in Tryton meanwhile"
            raise TransportError(changed, reason="busy") from error
        state = _AFTER[state]
    _see_done(client, [int(production["id"])])


def _see_done(client: TrytonClient, ids: list[int]) -> None:
    """See that productions are done: a button that somebody made a rule for says nothing when it
    leaves them alone."""
    if any(state != "done" for state in _states(client, ids)):
        raise ErpRefusedError(
            "Tryton took each step and the production is not done: look what its buttons need",
            reason="erp_state",
        )


def _states(client: TrytonClient, ids: list[int]) -> list[str]:
    return [row["state"] for row in client.search(MODEL, [("id", "in", ids)], ["state"])]


def _was_taken_back(client: TrytonClient, posting: Posting, own: Row) -> bool:
    """Tell whether a later reversal took of the order: a report that is sent once more, long after
    it had its effect, must not end the order again."""
    domain = [
        ("number", "like", f"{posting.data.work_order}/%{BACK}"),
        ("reference", "like", f"{REFERENCE}%"),
        ("id", ">", own["id"]),
    ]
    return bool(client.search(MODEL, domain, ["id"], limit=1))
