"""What a posting moves outside a production, as internal shipments with our key.

One shipment for each pair of places. What was found or missed comes from or goes to the warehouse's
lost-and-found location; no stock is looked for (`assign_force`), since it has moved already.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from mes_terminal.errors import TransportError
from mes_terminal.site.tryton.catalogue import Catalogue, Company
from mes_terminal.site.tryton.client import ErpRefusedError, Row, TrytonClient, day
from mes_terminal.site.tryton.movements import Posting
from mes_terminal.site.tryton.stock_move import STEPS_MAX, StockMove

MODEL: Final = "stock.shipment.internal"
_NEXT: Final = {"draft": "wait", "waiting": "assign_force", "assigned": "do"}
_AFTER: Final = {"draft": "waiting", "waiting": "assigned", "assigned": "done"}


def post_shipments(
    client: TrytonClient, catalogue: Catalogue, posting: Posting, moves: Sequence[StockMove]
) -> list[str]:
    """Make and do the shipments that are not done yet; return the numbers of all, in order."""
    pairs: dict[tuple[int, int], list[StockMove]] = {}
    for each in moves:
        pairs.setdefault((each.origin.id, each.target.id), []).append(each)
    wanted = {
        posting.reference if not index else f"{posting.reference}/{index}": group
        for index, group in enumerate(pairs.values())
    }
    if not wanted:
        return []
    known = _find(client, list(wanted))
    on = catalogue.company.day_of(posting.time)
    lacking = [
        _record(reference, group, catalogue.company, on)
        for reference, group in wanted.items()
        if reference not in known
    ]
    if lacking:
        client.create(MODEL, lacking)
        known = _find(client, list(wanted))
    for reference in wanted:
        _carry_on(client, known[reference])
    numbers = _find(client, list(wanted))
    return [str(numbers[reference]["number"]) for reference in wanted]


def withdraw_shipments(client: TrytonClient, posting: Posting) -> None:
    """Cancel what a refused posting has left: it has moved nothing, and will not."""
    domain = [
        "OR",
        ("reference", "=", posting.reference),
        ("reference", "like", f"{posting.reference}/%"),
    ]
    for row in client.search(MODEL, domain, ["state"]):
        if row["state"] not in ("done", "cancelled"):
            client.press(MODEL, "cancel", row["id"])


def _find(client: TrytonClient, references: list[str]) -> dict[str, Row]:
    """Return the oldest shipment of each reference."""
    found: dict[str, Row] = {}
    fields = ["reference", "state", "number"]
    for row in client.search(MODEL, [("reference", "in", references)], fields):
        found.setdefault(row["reference"], row)
    return found


def _record(reference: str, moves: Sequence[StockMove], company: Company, on: date) -> Row:
    ends = {"from_location": moves[0].origin.id, "to_location": moves[0].target.id}
    records: list[Row] = [
        {
            "product": each.product, "lot": each.lot, "unit": each.unit.id,
            "quantity": each.quantity, "company": company.id, "effective_date": day(on),
        } | ends
        for each in moves
    ]  # fmt: skip
    return ends | {
        "reference": reference,
        "company": company.id,
        "effective_date": day(on),
        "effective_start_date": day(on),
        "moves": [["create", records]],
    }


def _carry_on(client: TrytonClient, shipment: Row) -> None:
    state = shipment["state"]
    for _ in range(STEPS_MAX):
        if state == "done":
            return
        if state not in _NEXT:
            raise ErpRefusedError(
                f"Shipment {shipment['number'] or shipment['id']} with our reference is {state} in "
                "Tryton: set it back to draft there, then send again",
                reason="erp_state",
            )
        client.press(MODEL, _NEXT[state], shipment["id"])
        state = _AFTER[state]
    raise TransportError(f"Shipment {shipment['id']} does not become done", reason="busy")
