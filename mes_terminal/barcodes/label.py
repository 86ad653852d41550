"""What a label says, whatever grammar it is written in: GS1, a Digital Link, MH10.8.2, EAN.

Pure. Nothing is looked up here: `usecases.read_label` asks the database what the numbers name.
"""

from typing import Any, Final

from msgspec import Struct

from mes_terminal.barcodes.payload import Payload

GTIN_DIGITS: Final = 14
GTIN_LENGTHS: Final = (14, 13, 12, 8)
EXPIRY_AIS: Final = ("17", "15", "16")
"""Expiry, best before, sell by: the first that is there counts. (GS1 General Specifications 3.4)"""
ORDER_AIS: Final = tuple(str(ai) for ai in range(90, 100))
"""Company-internal elements: an order number is looked for in them."""
PACKAGE_DIS: Final = ("1J", "2J", "3J", "4J", "5J", "6J", "3S", "4S", "5S", "6S")
"""Unique numbers of packages and transport units (MH10.8.2, categories 10 and 19)."""
EXPIRY_DI: Final = "14D"
"""Expiration date, YYYYMMDD."""


class Label(Struct, frozen=True, kw_only=True):
    """The numbers of one label. A quantity is a decimal text; without `uom` it counts pieces."""

    gtin: str | None = None
    """Fourteen digits."""
    item_codes: tuple[str, ...] = ()
    """Our own, the supplier's and the customer's number of the item."""
    partner: str | None = None
    lot: str | None = None
    serial: str | None = None
    quantity: str | None = None
    uom: str | None = None
    package: str | None = None
    """What names this very box or pallet: an SSCC, a licence plate."""
    expires_on: str | None = None
    orders: tuple[str, ...] = ()
    """Texts that may be an order's number."""

    @property
    def names_an_item(self) -> bool:
        """Whether the label says which item it is about."""
        return self.gtin is not None or bool(self.item_codes)


def label_of(payload: Payload) -> Label | None:
    """Return what a structured payload says; `None` for one that is no label."""
    match payload.kind:
        case "gs1" | "gs1_dl":
            return _of_elements(payload.fields)
        case "gtin":
            return Label(gtin=payload.fields["gtin"])
        case "di":
            return _of_identifiers(payload.fields)
        case "iso15434":
            formats = payload.formats or [{"format": payload.format, "fields": payload.fields}]
            return _of_formats(formats)
        case _:
            return None


def gtin_forms(gtin: str) -> list[str]:
    """Return the ways in which a GTIN may be written, by leaving out its leading zeros."""
    digits = gtin.zfill(GTIN_DIGITS)
    return [
        digits[GTIN_DIGITS - length :]
        for length in GTIN_LENGTHS
        if not digits[: GTIN_DIGITS - length].strip("0")
    ]


def _of_formats(formats: list[dict[str, Any]]) -> Label | None:
    for one in formats:
        if one["format"] == "06":
            return _of_identifiers(one["fields"])
        if one["format"] == "05":
            return _of_elements(one["fields"])
    return None


def _of_elements(fields: dict[str, Any]) -> Label:
    quantity, uom = _measured(fields)
    return Label(
        gtin=fields.get("01") or fields.get("02"),
        item_codes=tuple(fields[ai] for ai in ("241", "240") if ai in fields),
        lot=fields.get("10"),
        serial=fields.get("21"),
        quantity=quantity,
        uom=uom,
        package=fields.get("00"),
        expires_on=next((fields[ai] for ai in EXPIRY_AIS if ai in fields), None),
        orders=tuple(fields[ai] for ai in ORDER_AIS if ai in fields),
    )


def _measured(fields: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return the count, else the first measure that is a quantity of trade, with its unit."""
    for ai in ("37", "30"):
        if ai in fields:
            return str(fields[ai]), None
    for ai, value in fields.items():
        if ai[:2] in ("31", "32", "35", "36") and " " in str(value):
            quantity, _, uom = str(value).partition(" ")
            return quantity, uom
    return None, None


def _of_identifiers(pairs: list[list[Any]]) -> Label:
    first: dict[str, str] = {}
    for identifier, value in pairs:
        first.setdefault(identifier, str(value))
    codes = tuple(first[di] for di in ("P", "1P", "30P", "2P") if first.get(di))
    quantity, uom = first.get("Q"), None
    if quantity is None and "7Q" in first:
        quantity, uom = first["7Q"][:-2], first["7Q"][-2:]
    return Label(
        item_codes=codes,
        partner=first.get("V"),
        lot=first.get("1T") or first.get("T"),
        serial=first.get("S"),
        quantity=quantity or None,
        uom=uom,
        package=next((f"{di}{first[di]}" for di in PACKAGE_DIS if di in first), None),
        expires_on=_day(first.get(EXPIRY_DI, "")),
    )


def _day(text: str) -> str | None:
    """Return YYYYMMDD as an ISO day."""
    if len(text) != 8 or not text.isascii() or not text.isdecimal():
        return None
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"
