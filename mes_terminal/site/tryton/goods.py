"""Tryton's units and products as the stations know them, for what comes down (UP-9)."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

from mes_terminal.site.tryton.client import Row, TrytonClient
from mes_terminal.site.tryton.plan import Unit, convert

SHELF_LIFE: Final = ("shelf_life_state", "shelf_life_time")
"""A product's fields of the module `stock_lot_sled`, which need not be active."""
DECIMALS_MAX: Final = 6

Cells = dict[str, str]
Read = Callable[..., list[Row]]
"""Reads the records that changed: model, domain, fields, and what changes with them."""


class Goods:
    """What was read so far. `unit_names`: the stations' names by Tryton's symbols;
    `serial_category`: products of it are tracked by serial number."""

    def __init__(self, unit_names: Mapping[str, str], serial_category: str) -> None:
        self._unit_names = unit_names
        self._serial_category = serial_category
        self._units: dict[int, tuple[str, Unit]] = {}
        self._products: dict[int, Row] = {}
        self._has_shelf_lives = False

    def read(self, client: TrytonClient, read: Read) -> None:
        """Read all units, and the products that changed."""
        fields = ["symbol", "category", "factor", "digits"]
        for row in client.search("product.uom", [], fields):
            unit = Unit(row["id"], row["category"], row["factor"], row["digits"])
            symbol = str(row["symbol"])
            self._units[row["id"]] = (self._unit_names.get(symbol, symbol), unit)
        serial = [("name", "=", self._serial_category)]
        categories = {row["id"] for row in client.search("product.category", serial, ["id"])}
        lives = client.call("model.product.product.fields_get", list(SHELF_LIFE))
        self._has_shelf_lives = len(lives) == len(SHELF_LIFE)
        fields = ["code", "name", "default_uom", "lot_required", "producible", "cost_price",
                  "categories_all", *lives]  # fmt: skip
        domain = [("code", "!=", None), ("type", "=", "goods")]
        for row in read("product.product", domain, fields, "template."):
            row["is_serial"] = bool(categories & set(row["categories_all"]))
            self._products[row["id"]] = row

    def items(self) -> list[Cells]:
        """Return all products."""
        return [self._item(row) for row in self._products.values()]

    def conversions(self, lines: Iterable[Cells]) -> list[Cells]:
        """Return how units of lines that are not their component's own become it."""
        own = {row["code"]: self._units[row["default_uom"]] for row in self._products.values()}
        by_name = dict(self._units.values())
        found: dict[tuple[str, str], Cells] = {}
        for line in lines:
            name, unit = own[line["component"]]
            if line["uom"] != name:
                factor = Fraction(by_name[line["uom"]].factor) / Fraction(unit.factor)
                found[line["uom"], name] = {
                    "item": "", "from_uom": line["uom"], "to_uom": name, "factor": str(factor)
                }  # fmt: skip
        return list(found.values())

    def knows(self, rows: Iterable[Row]) -> bool:
        """Tell whether every product of these rows is an item: active, with a code."""
        return all(row["product"] in self._products for row in rows)

    def code(self, product_id: int) -> str:
        """Return what a product is called at the stations."""
        return str(self._products[product_id]["code"])

    def has_serials(self, product_id: int) -> bool:
        """Tell whether a product is tracked by serial number."""
        return bool(self._products[product_id]["is_serial"])

    def unit_name(self, unit_id: int) -> str:
        """Return what a unit is called at the stations."""
        return self._units[unit_id][0]

    def own_unit_name(self, product_id: int) -> str:
        """Return what a product's own unit is called at the stations."""
        return self.unit_name(self._products[product_id]["default_uom"])

    def in_own_unit(self, row: Row) -> Decimal:
        """Return the quantity of a row in its product's own unit."""
        _, own = self._units[self._products[row["product"]]["default_uom"]]
        unit = self._units[row["unit"]][1] if row["unit"] else own
        return convert(Decimal(row["quantity"] or 0), unit, own)

    def step(self, product_id: int) -> Decimal:
        """Return the smallest quantity of a product that Tryton writes, in its own unit."""
        _, own = self._units[self._products[product_id]["default_uom"]]
        return Decimal(1).scaleb(-own.digits)

    def _item(self, row: Row) -> Cells:
        name, unit = self._units[row["default_uom"]]
        tracking = "serial" if row["is_serial"] else "lot" if row["lot_required"] else "none"
        return self._shelf_life(row) | {
            "item": row["code"],
            "description": row["name"] or "",
            "uom": name,
            "decimals": str(min(unit.digits, DECIMALS_MAX)),
            "tracking": tracking,
            "kind": "manufactured" if row["producible"] else "purchased",
            "standard_cost": plain(row["cost_price"]) if row["cost_price"] else "",
        }

    def _shelf_life(self, row: Row) -> Cells:
        if not self._has_shelf_lives:
            return {}
        state, days = (row[name] for name in SHELF_LIFE)
        return {"shelf_life_days": str(days) if days and state != "none" else ""}


def plain(value: Decimal | int) -> str:
    """Return a number without exponent and idle zeros."""
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
