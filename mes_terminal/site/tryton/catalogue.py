"""What Tryton calls the things that stations name: its ids of products, units, places and lots.

Read when first needed and kept until `forget`, which the bridge calls now and then and after each
refusal, since what was missing may have been added.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.site.tryton.client import Domain, ErpRefusedError, Row, TrytonClient, day
from mes_terminal.site.tryton.movements import Place, Special
from mes_terminal.site.tryton.plan import Unit

UNITS: Final = {"pcs": "u"}
"""Stations' names of units that Tryton has by another symbol."""
UNKNOWN_LOT: Final = "UNKNOWN"
"""The lot that stands for one which nobody knows, where Tryton asks for one."""
SHELF_LIVES: Final = {
    "shelf_life_expiration_date": ("shelf_life_state", "shelf_life_time"),
    "expiration_date": ("expiration_state", "expiration_time"),
}
"""A lot's dates, and the product's fields that they follow from; of the module `stock_lot_sled`."""

LotKey = tuple[int, str]
"""Product and number."""


class Product(Struct, frozen=True):
    """A product, with the kinds of place that want its lot named."""

    id: int
    lot_required: frozenset[str]
    producible: bool
    lives_days: tuple[tuple[str, int], ...] = ()
    """How long a lot lives after it was made, by the date of the lot that says so."""


class Location(Struct, frozen=True):
    """A place of Tryton's, and the warehouse that it is in."""

    id: int
    type: str
    warehouse: int | None


class Company(Struct, frozen=True):
    """Whose stock it is."""

    id: int
    currency: int
    zone: ZoneInfo

    def day_of(self, time: str) -> date:
        """Return the day of an instant where the company is."""
        return datetime.fromisoformat(time).astimezone(self.zone).date()


class Catalogue:
    """Tryton's ids by stations' names. A name that Tryton lacks is a refusal that says so."""

    def __init__(self, client: TrytonClient, units: Mapping[str, str] = UNITS) -> None:
        self._client = client
        self._units = dict(units)
        self._company: Company | None = None
        self._products: dict[str, Product] = {}
        self._unit_rows: dict[str, Unit] = {}
        self._places: dict[Place, Location] = {}
        self._lots: dict[LotKey, int] = {}
        self._life_fields: list[str] | None = None

    def forget(self) -> None:
        """Read everything anew when it is needed next."""
        self._company = None
        for kept in (self._products, self._unit_rows, self._places, self._lots):
            kept.clear()

    @property
    def company(self) -> Company:
        """The company of the bridge's user."""
        if self._company is None:
            self._client.log_in()
            company_id = self._client.preferences.get("company")
            if company_id is None:
                raise ErpRefusedError(
                    "The bridge's user has no company in Tryton: set it in the user's preferences",
                    reason="erp_setup",
                )
            fields = ["currency", "timezone"]
            row = self._client.search("company.company", [("id", "=", company_id)], fields)[0]
            zone = ZoneInfo(row["timezone"]) if row["timezone"] else ZoneInfo("UTC")
            self._company = Company(company_id, row["currency"], zone)
        return self._company

    def is_closed(self, on: date | None) -> bool:
        """Tell whether a day lies in a closed period."""
        if on is None:
            return False
        domain = [
            ("company", "=", self.company.id), ("state", "=", "closed"), ("date", ">=", day(on)),
        ]  # fmt: skip
        return bool(self._client.search("stock.period", domain, ["id"], limit=1))

    def products(self, codes: Iterable[str]) -> dict[str, Product]:
        """Return products by code."""
        wanted = set(codes)
        if lacking := sorted(wanted - self._products.keys()):
            fields = ["code", "lot_required", "producible", *self._read_life_fields()]
            domain: Domain = [("code", "in", lacking), ("type", "=", "goods")]
            for row in self._client.search("product.product", domain, fields):
                self._products.setdefault(row["code"], _product(row))
        for code in sorted(wanted - self._products.keys()):
            raise _missing("product with the code", code)
        return {code: self._products[code] for code in wanted}

    def unit(self, name: str) -> Unit:
        """Return a unit by its name at the stations."""
        if not self._unit_rows:
            fields = ["symbol", "category", "factor", "digits"]
            for row in self._client.search("product.uom", [], fields):
                self._unit_rows[row["symbol"]] = unit_of(row)
        unit = self._unit_rows.get(self._units.get(name, name))
        if unit is None:
            raise _missing("unit with the symbol", self._units.get(name, name))
        return unit

    def unit_by_id(self, unit_id: int) -> Unit:
        """Return a unit by Tryton's id."""
        self.unit("u")
        found = next((each for each in self._unit_rows.values() if each.id == unit_id), None)
        if found is None:
            raise _missing("unit with the id", str(unit_id))
        return found

    def place(self, place: Place) -> Location:
        """Return a place by its code, or Tryton's own for what no station names."""
        if place not in self._places:
            domain: Domain = (
                [("type", "=", _TYPES[place])]
                if isinstance(place, Special)
                else [("code", "=", place)]
            )
            if place is Special.WASTE:
                domain.append(("waste_warehouses", "!=", None))
            rows = self._client.search("stock.location", domain, ["type", "warehouse"], limit=1)
            if not rows and place is Special.WASTE:
                return self.place(Special.LOST)
            if not rows:
                name = place.value if isinstance(place, Special) else place
                raise _missing("stock location with the code", name)
            row = rows[0]
            self._places[place] = Location(row["id"], row["type"], row["warehouse"])
        return self._places[place]

    def production_place(self, warehouse: int) -> int:
        """Return where a warehouse produces."""
        fields = ["production_location"]
        row = self._client.search("stock.location", [("id", "=", warehouse)], fields)[0]
        return int(row["production_location"])

    def lots(
        self, wanted: Iterable[LotKey], made_on: Mapping[LotKey, date] | None = None
    ) -> dict[LotKey, int]:
        """Return lots by product and number; a lot that Tryton lacks is created, with the dates of
        its product's shelf life if it was made on one of `made_on`.

        Numbers are not unique there: the oldest is meant, by whoever asks, also if it is archived.
        """
        keys = sorted(set(wanted))
        self._find([key for key in keys if key not in self._lots])
        if lacking := [key for key in keys if key not in self._lots]:
            days = made_on or {}
            records = [self._lot_record(key, days.get(key)) for key in lacking]
            made = self._client.create("stock.lot", records)
            self._lots |= dict(zip(lacking, made, strict=True))
        return {key: self._lots[key] for key in keys}

    def _find(self, keys: list[LotKey]) -> None:
        if not keys:
            return
        domain: list[Any] = ["OR"]
        domain += [[("product", "=", product), ("number", "=", number)] for product, number in keys]
        archived_too = {"active_test": False}
        for row in self._client.search(
            "stock.lot", domain, ["product", "number"], context=archived_too
        ):
            self._lots.setdefault((row["product"], row["number"]), row["id"])

    def _lot_record(self, key: LotKey, made_on: date | None) -> Row:
        product_id, number = key
        record: Row = {"product": product_id, "number": number}
        if made_on is not None:
            product = next(each for each in self._products.values() if each.id == product_id)
            for name, days in product.lives_days:
                record[name] = day(made_on + timedelta(days=days))
        return record

    def _read_life_fields(self) -> list[str]:
        """Return those fields of shelf lives that Tryton has: its module need not be active."""
        if self._life_fields is None:
            asked = [name for names in SHELF_LIVES.values() for name in names]
            known = self._client.call("model.product.product.fields_get", asked)
            self._life_fields = [name for name in asked if name in known]
        return self._life_fields


_TYPES: Final = {
    Special.PRODUCTION: "production",
    Special.LOST: "lost_found",
    Special.WASTE: "lost_found",
}


def _product(row: Row) -> Product:
    lives = [
        (name, row[time])
        for name, (state, time) in SHELF_LIVES.items()
        if row.get(state, "none") != "none" and row[time]
    ]
    required = frozenset(row["lot_required"] or ())
    return Product(row["id"], required, bool(row["producible"]), tuple(lives))


def unit_of(row: Mapping[str, Any]) -> Unit:
    """Return a unit from its record."""
    return Unit(row["id"], row["category"], row["factor"], row["digits"])


def _missing(kind: str, name: str) -> ErpRefusedError:
    return ErpRefusedError(
        f"Tryton has no {kind} {name}: add it there, then send again", reason="erp_unknown"
    )
