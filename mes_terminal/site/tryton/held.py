"""What a production holds: so much of a material out of a place, or into it. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from mes_terminal.site.tryton.catalogue import Company
from mes_terminal.site.tryton.client import Row, numeric
from mes_terminal.site.tryton.stock_move import StockMove


class Held(Struct, frozen=True, kw_only=True):
    """A quantity of a product: consumed from a place, below zero produced into it."""

    product: int
    lot: int | None
    unit: int
    place: int
    quantity: Decimal

    @classmethod
    def of_record(cls, row: Row) -> "Held":
        """Return it from a move of a production."""
        is_input = row["production_input"] is not None
        quantity = Decimal(row["quantity"])
        return cls(
            product=row["product"],
            lot=row["lot"],
            unit=row["unit"],
            place=row["from_location"] if is_input else row["to_location"],
            quantity=quantity if is_input else -quantity,
        )


def held_of(moves: Sequence[StockMove]) -> list[Held]:
    """Return what a report's production holds."""
    return [
        Held(
            product=each.product,
            lot=each.lot,
            unit=each.unit.id,
            place=each.inner.id,
            quantity=-each.quantity if each.is_output else each.quantity,
        )
        for each in moves
    ]


def rest_of(report: Iterable[Held], back: Iterable[Held]) -> list[Held]:
    """Return what stands of a report of which `back` was taken back."""
    sums: dict[tuple[int, int | None, int, int], Decimal] = {}
    for each in (*report, *back):
        key = (each.product, each.lot, each.unit, each.place)
        sums[key] = sums.get(key, Decimal(0)) + each.quantity
    return [
        Held(product=product, lot=lot, unit=unit, place=place, quantity=quantity)
        for (product, lot, unit, place), quantity in sums.items()
        if quantity
    ]


def records_of(
    held: Iterable[Held], company: Company, on: Row, *, production: int
) -> dict[str, list[Row]]:
    """Return the moves of a production as Tryton's records, by its fields."""
    records: dict[str, list[Row]] = {"inputs": [], "outputs": []}
    for each in held:
        record: Row = {
            "product": each.product, "lot": each.lot, "unit": each.unit,
            "quantity": abs(each.quantity), "company": company.id, "effective_date": on,
        }  # fmt: skip
        if each.quantity > 0:
            ends = {"from_location": each.place, "to_location": production}
            records["inputs"].append(record | ends)
        else:  # Tryton works the price out from what went in
            ends = {"from_location": production, "to_location": each.place}
            price = {"unit_price": numeric(Decimal(0)), "currency": company.currency}
            records["outputs"].append(record | ends | price)
    return records
