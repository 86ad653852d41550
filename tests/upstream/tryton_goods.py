"""Products of other kinds than chairs, set up in Tryton as its people would.

`SCOOTER` (serial numbers) takes 2 wheels, each a phantom of a rim and 3 spokes, a motor (serial
numbers) and 25 g of paint kept in kilograms, whose lots expire; `PLANK` leaves sawdust.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from mes_terminal.site.tryton.client import day, numeric
from tests.upstream.tryton_plant import LOTS, Part, TrytonPlant

SHELF_LIFE_DAYS: Final = 30


def set_up_scooters(plant: TrytonPlant) -> None:
    """Add everything that makes scooters, without stock."""
    serial = [["add", plant.client.create("product.category", [{"name": "Serial"}])]]
    add_product(plant, "SCOOTER", tracked=True, made=True, categories=serial)
    add_product(plant, "MOTOR", tracked=True, categories=serial)
    add_product(
        plant, "PAINT", unit="kg", tracked=True,
        shelf_life_state="required", shelf_life_time=SHELF_LIFE_DAYS,
    )  # fmt: skip
    add_product(plant, "RIM")
    add_product(plant, "SPOKE")
    wheel = add_bom(plant, "WHEEL", [("RIM", "1", "u"), ("SPOKE", "3", "u")], phantom="u")
    add_bom(
        plant, "SCOOTER", [("MOTOR", "1", "u"), ("PAINT", "25", "g")], phantoms=[(wheel, "2", "u")]
    )
    plant.parts["SCOOTER"] = [
        ("MOTOR", "1", "u"), ("PAINT", "25", "g"), ("RIM", "2", "u"), ("SPOKE", "6", "u")
    ]  # fmt: skip


def set_up_glue(plant: TrytonPlant) -> None:
    """Add glue of boards, whose lots must say when they expire."""
    add_product(
        plant, "GLUE", tracked=True, made=True,
        shelf_life_state="required", shelf_life_time=SHELF_LIFE_DAYS,
    )  # fmt: skip
    add_bom(plant, "GLUE", [("BOARD", "1", "u")])
    plant.parts["GLUE"] = [("BOARD", "1", "u")]


def set_up_planks(plant: TrytonPlant) -> None:
    """Add what is sawn: two planks of a log, and half a kilogram of sawdust."""
    add_product(plant, "LOG", tracked=True)
    add_product(plant, "SAWDUST", unit="kg", list_price="0.1")
    add_product(plant, "PLANK", tracked=True, made=True, list_price="9")
    add_bom(
        plant, "PLANK", [("LOG", "1", "u")], outputs=[("PLANK", "2", "u"), ("SAWDUST", "500", "g")]
    )
    plant.parts["PLANK"] = [("LOG", "0.5", "u")]
    plant.others["PLANK"] = [("SAWDUST", "250", "g")]


def add_product(
    plant: TrytonPlant,
    code: str,
    *,
    unit: str = "u",
    tracked: bool = False,
    made: bool = False,
    list_price: str | None = None,
    **values: Any,
) -> None:
    """Add a product; `values` are fields of its template."""
    price = None if list_price is None else numeric(Decimal(list_price))
    template = plant.client.create("product.template", [{
        "name": code.title(), "code": code, "type": "goods", "default_uom": plant.unit(unit),
        "producible": made, "lot_required": LOTS if tracked else [], "list_price": price,
        "products": [["create", [{}]]],
    } | values])[0]  # fmt: skip
    found = plant.client.search("product.product", [("template", "=", template)], ["id"])
    plant.products[code] = found[0]["id"]
    plant.units[code] = unit


def add_lot(plant: TrytonPlant, item: str, number: str, expires_on: date) -> None:
    """Add a lot that expires."""
    values = {"product": plant.products[item], "number": number}
    date_of_it = {"shelf_life_expiration_date": day(expires_on)}
    plant.client.create("stock.lot", [values | date_of_it])


def add_bom(
    plant: TrytonPlant,
    code: str,
    inputs: Sequence[Part],
    *,
    outputs: Sequence[Part] = (),
    phantom: str | None = None,
    phantoms: Sequence[tuple[int, str, str]] = (),
) -> int:
    """Add a BOM of a product, or a phantom of one such unit; `phantoms` are lines of it, too."""
    lines = [_line(plant, each) | {"product": plant.products[each[0]]} for each in inputs]
    lines += [_line(plant, each) | {"phantom_bom": each[0]} for each in phantoms]
    values: dict[str, Any] = {"name": code, "code": f"{code}-A", "inputs": [["create", lines]]}
    if phantom is not None:
        values |= {
            "phantom": True, "phantom_unit": plant.unit(phantom), "phantom_quantity": Decimal(1)
        }  # fmt: skip
        return plant.client.create("production.bom", [values])[0]
    made = [
        _line(plant, each) | {"product": plant.products[each[0]]}
        for each in outputs or [(code, "1", "u")]
    ]
    bom = plant.client.create("production.bom", [values | {"outputs": [["create", made]]}])[0]
    plant.boms[code] = bom
    link = {"product": plant.products[code], "bom": bom}
    plant.client.create("product.product-production.bom", [link])
    return bom


def _line(plant: TrytonPlant, part: tuple[Any, str, str]) -> dict[str, Any]:
    _, quantity, unit = part
    return {"quantity": Decimal(quantity), "unit": plant.unit(unit)}
