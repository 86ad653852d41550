"""A station that works from what was pulled of Tryton, and what both have in stock."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from mes_terminal.exchange.down_tables import Rows, Together, loads_of
from mes_terminal.site.tryton.client import Row, TrytonClient
from tests.plants import Station, open_station, plant

PLACES: Final = ("LINE", "FG")
PEOPLE: Final = plant(
    operators="badge,name,role\nAK,Anna,operator\nSUP,Sue,supervisor",
    reasons="code,kind\nbent,scrap\nenough,short_close\nfound,count",
)

Stock = dict[tuple[str, str | None, str], Decimal]
"""By item, lot and location; what is zero is left out."""


def open_floor(folder: Path, documents: Sequence[Rows]) -> Station:
    """Return a station at the present, with what was pulled, people and reasons."""
    now = datetime.now(UTC).replace(microsecond=0)
    first, *more = loads_of(documents)
    station = open_station(folder, PEOPLE | _files(first), at=now.isoformat())
    station.clock = now
    for each in more:
        station.load(_files(each))
    return station


def hand_down(station: Station, documents: Sequence[Rows]) -> None:
    """Load what was pulled, as the road down does."""
    for each in loads_of(documents):
        station.load(_files(each))


def _files(load: Together) -> dict[str, str]:
    return {name: data.decode() for name, data in load.files.items()}


def postings(station: Station, *, after: int = 0) -> list[tuple[int, bytes]]:
    """Return the sequence and the bytes of each posting behind `after`."""
    return [
        (int(sequence), body.encode() if isinstance(body, str) else bytes(body))
        for sequence, body in station.db.conn.execute(
            "SELECT outbox_seq, body FROM event WHERE outbox_seq > ? ORDER BY outbox_seq", (after,)
        )
    ]


def station_stock(station: Station) -> Stock:
    """Return what the station has at the places that Tryton knows."""
    found: Stock = {}
    for row in station.rows("stock"):
        if row["location"] in PLACES:
            key = (row["item"], row["serial"] or row["lot"], row["location"])
            found[key] = found.get(key, Decimal(0)) + Decimal(row["quantity"])
    return {key: quantity for key, quantity in found.items() if quantity}


def tryton_stock(client: TrytonClient) -> Stock:
    """Return what Tryton has at these places: its own sums of its moves that are done."""
    found: Stock = {}
    codes = [("code", "in", list(PLACES))]
    for place in client.search("stock.location", codes, ["code"]):
        context: Row = {"locations": [place["id"]], "with_childs": False}
        by_lot: dict[int, Decimal] = {}
        for lot in client.search(
            "stock.lot", [("quantity", "!=", 0)], ["number", "product", "product.code", "quantity"],
            context=context,
        ):  # fmt: skip
            quantity = Decimal(lot["quantity"])
            found[lot["product."]["code"], lot["number"], place["code"]] = quantity
            by_lot[lot["product"]] = by_lot.get(lot["product"], Decimal(0)) + quantity
        for row in client.search(
            "product.product", [("quantity", "!=", 0)], ["code", "quantity"], context=context
        ):
            rest = Decimal(row["quantity"]) - by_lot.get(row["id"], Decimal(0))
            if rest:
                found[row["code"], None, place["code"]] = rest
    return found
