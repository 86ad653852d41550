"""A plant set up in Tryton as its people would: company, places, products, BOMs, stock, orders.

`CHAIR-4` takes 4 legs (lots), a frame (lots) and a backrest; `CHAIR-W` takes 2 boards (lots) and
4 bolts, and half a metre of felt; orders `WO-1` ... by Tryton's own sequence.
"""

from decimal import Decimal
from typing import Any, Final

from mes_terminal.site.tryton.client import Row, TrytonClient, numeric

PASSWORD: Final = "a test's own"
BRIDGE_USER: Final = "mes"
GROUPS: Final = ["Stock", "Stock Force Assignment", "Stock Cancellation", "Production"]
LOTS: Final = ["production", "storage", "supplier", "customer", "lost_found"]
PRODUCTS: Final = {
    # code: (unit, tracked by lot, made here)
    "CHAIR-4": ("u", True, True),
    "CHAIR-W": ("u", True, True),
    "LEG": ("u", True, False),
    "FRAME": ("u", True, False),
    "BACKREST": ("u", False, False),
    "BOARD": ("u", True, False),
    "BOLT": ("u", False, False),
    "FELT": ("m", False, False),
}
Part = tuple[str, str, str]
"""Code, quantity and unit."""
BOMS: Final[dict[str, list[Part]]] = {
    "CHAIR-4": [("LEG", "4", "u"), ("FRAME", "1", "u"), ("BACKREST", "1", "u")],
    "CHAIR-W": [("BOARD", "2", "u"), ("BOLT", "4", "u"), ("FELT", "50", "cm")],
}
STOCK: Final = [
    ("LEG", "L-1", "150"), ("LEG", "L-2", "1000"), ("FRAME", "F-1", "60"), ("FRAME", "F-2", "200"),
    ("BACKREST", None, "300"), ("BOARD", "W-1", "90"), ("BOARD", "W-2", "400"),
    ("BOLT", None, "2000"), ("FELT", None, "250.5"),
]  # fmt: skip


class TrytonPlant:
    """Tryton's ids of what was set up, and what people do there by hand."""

    def __init__(self, client: TrytonClient) -> None:
        self.client = client
        self.locations: dict[str, int] = {}
        self.products: dict[str, int] = {}
        self.boms: dict[str, int] = {}
        self.units = {code: unit for code, (unit, _, _) in PRODUCTS.items()}
        self.parts = dict(BOMS)
        """What a unit of a product takes, all phantoms exploded."""
        self.others: dict[str, list[Part]] = {}
        """What comes out beside a unit of a product."""
        self.company = 0

    def set_up(self) -> None:
        """Set everything up, with `STOCK` at LINE."""
        self._company()
        self._places()
        self._products()
        self._boms()
        self._user()
        for item, lot, quantity in STOCK:
            self.bring(item, lot, quantity, "LINE")

    def find(self) -> None:
        """Look up what was set up before."""
        client = self.client
        for row in client.search("stock.location", [("code", "!=", None)], ["code"]):
            self.locations[row["code"]] = row["id"]
        for row in client.search("product.product", [], ["code"]):
            self.products[row["code"]] = row["id"]
        for row in client.search("production.bom", [], ["name"]):
            self.boms[row["name"]] = row["id"]
        company = client.search("company.company", [], ["currency"])[0]
        self.company, self._currency = company["id"], company["currency"]

    def order(self, item: str, quantity: int, *, state: str = "waiting") -> str:
        """Make a production and return its number."""
        values = {
            "product": self.products[item], "bom": self.boms[item], "unit": 1,
            "quantity": quantity, "company": self.company, "warehouse": self.locations["WH"],
            "location": self.locations["PROD"],
            "inputs": [["create", [
                self._move(component, None, Decimal(needed) * quantity, "LINE", "PROD", unit)
                for component, needed, unit in self.parts[item]
            ]]],
            "outputs": [["create", [
                self._move(other, None, Decimal(made) * quantity, "PROD", "FG", unit)
                | {"unit_price": numeric(Decimal(0)), "currency": self._currency}
                for other, made, unit in [(item, "1", "u"), *self.others.get(item, ())]
            ]]],
        }  # fmt: skip
        production = self.client.create("production", [values])[0]
        for button in {"draft": [], "waiting": ["wait"], "assigned": ["wait", "assign_try"]}[state]:
            self.client.press("production", button, production)
        return str(self.production(production)["number"])

    def production(self, which: int | str) -> Row:
        """Return a production by id or number."""
        field = "id" if isinstance(which, int) else "number"
        fields = ["number", "state", "quantity", "inputs", "outputs", "reference"]
        return self.client.search("production", [(field, "=", which)], fields)[0]

    def press(self, number: str, *buttons: str) -> None:
        """Press buttons of an order's production."""
        for button in buttons:
            self.client.press("production", button, self.production(number)["id"])

    def planned(self, number: str) -> dict[str, Decimal]:
        """Return what an order's production still plans, by product."""
        row = self.production(number)
        ids = [*row["inputs"], *row["outputs"]]
        moves = self.client.search("stock.move", [("id", "in", ids)], ["product", "quantity"])
        codes = {product: code for code, product in self.products.items()}
        return {codes[move["product"]]: Decimal(move["quantity"]) for move in moves}

    def bring(self, item: str, lot: str | None, quantity: str, place: str) -> None:
        """Receive stock from the supplier."""
        client = self.client
        move = self._move(item, lot, Decimal(quantity), "SUP", place, self.units[item])
        move |= {"unit_price": numeric(Decimal(1)), "currency": self._currency}
        client.press("stock.move", "do", client.create("stock.move", [move])[0])

    def _move(
        self, item: str, lot: str | None, quantity: Decimal, origin: str, target: str, unit: str
    ) -> Row:
        return {
            "product": self.products[item], "lot": lot and self._lot(item, lot),
            "quantity": quantity, "unit": self.unit(unit), "company": self.company,
            "from_location": self.locations[origin], "to_location": self.locations[target],
        }  # fmt: skip

    def _lot(self, item: str, number: str) -> int:
        key = [("product", "=", self.products[item]), ("number", "=", number)]
        found = self.client.search("stock.lot", key, ["id"])
        if found:
            return int(found[0]["id"])
        return self._new("stock.lot", product=self.products[item], number=number)

    def unit(self, symbol: str) -> int:
        """Return a unit by its symbol."""
        return int(self.client.search("product.uom", [("symbol", "=", symbol)], ["id"])[0]["id"])

    def _new(self, model: str, **values: Any) -> int:
        return self.client.create(model, [values])[0]

    def _company(self) -> None:
        client = self.client
        client.log_in()
        self._currency = self._new("currency.currency", name="Euro", code="EUR", symbol="€")
        party = self._new("party.party", name="Chairs Ltd")
        self.company = self._new("company.company", party=party, currency=self._currency)
        user = client.search("res.user", [("login", "=", "admin")], ["id"])[0]["id"]
        client.write(
            "res.user",
            (user, {"companies": [["add", [self.company]]], "company": self.company}),
        )
        client.preferences["company"] = self.company
        kind = client.search("ir.sequence.type", [("name", "=", "Production")], ["id"])[0]["id"]
        sequence = self._new(
            "ir.sequence", name="Orders", sequence_type=kind, prefix="WO-", company=self.company
        )
        client.write("production.configuration", (1, {"production_sequence": sequence}))

    def _user(self) -> None:
        """The bridge's own user, with the rights that the page on Tryton names and no others."""
        groups = self.client.search("res.group", [("name", "in", GROUPS)], ["id"])
        self._new(
            "res.user", name="Bridge", login=BRIDGE_USER, password=PASSWORD,
            groups=[["add", [row["id"] for row in groups]]],
            companies=[["add", [self.company]]], company=self.company,
        )  # fmt: skip

    def _places(self) -> None:
        for row in self.client.search("stock.location", [], ["code"]):
            if row["code"]:
                self.locations[row["code"]] = row["id"]
        for code in ("LINE", "FG", "STORE"):
            self.locations[code] = self._new(
                "stock.location", name=code.title(), code=code, type="storage",
                parent=self.locations["STO"],
            )  # fmt: skip

    def _products(self) -> None:
        for code, (unit, is_tracked, is_made) in PRODUCTS.items():
            template = self._new(
                "product.template", name=code.title(), code=code, type="goods",
                default_uom=self.unit(unit), producible=is_made,
                lot_required=LOTS if is_tracked else [],
                products=[["create", [{}]]],
            )  # fmt: skip
            found = self.client.search("product.product", [("template", "=", template)], ["id"])
            self.products[code] = found[0]["id"]

    def _boms(self) -> None:
        for code, lines in BOMS.items():
            self.boms[code] = self._new(
                "production.bom", name=code, code=f"{code}-A",
                inputs=[["create", [
                    {"product": self.products[component], "quantity": Decimal(quantity),
                     "unit": self.unit(unit)}
                    for component, quantity, unit in lines
                ]]],
                outputs=[["create", [
                    {"product": self.products[code], "quantity": Decimal(1), "unit": 1}
                ]]],
            )  # fmt: skip
            self._new(
                "product.product-production.bom", product=self.products[code], bom=self.boms[code]
            )
