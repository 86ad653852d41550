"""What each kind of label says: its fields by name, and what its code holds.

Pure facts; how they are laid out is the template's business. `SAMPLES` holds an ordinary label of
each kind: a template is tried with it, and its fields are those that a template may name.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from mes_terminal.errors import InputError
from mes_terminal.printing.symbols import (
    Elements,
    Modules,
    code_128,
    data_matrix,
    gs1_128,
    gs1_data_matrix,
    gs1_qr_code,
    qr_code,
)

ELEMENTS_SHOWN: Final = 5
"""Elements of a `gs1` label that have fields of their own."""
PATH: Final = ("01", "22", "10", "21")
"""The elements of a Digital Link's path, in their order; the others follow as its query."""


class FinishedGoods(Struct, frozen=True, kw_only=True):
    """What a label of finished goods says. Quantities are decimal texts, days ISO."""

    item: str
    description: str = ""
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None
    expires_on: str | None = None
    quantity: str = "1"
    uom: str = "pcs"
    work_order: str | None = None
    produced_at: str | None = None
    place: str = ""
    """Station and site, for the foot."""


class Content(Struct, frozen=True, kw_only=True):
    """One label before it has a shape."""

    kind: str
    name: str
    """Of what it is the label, for titles of documents."""
    fields: dict[str, str]
    plain: str | None = None
    """The station's own code."""
    shown: str | None = None
    """The own code as people read it, where it differs."""
    elements: Elements | None = None
    """The GS1 message, where there is one."""


def lot(
    item: str, description: str, lot: str, quantity: str | None, uom: str,
    expires_on: str | None, place: str,
) -> Content:  # fmt: skip
    """A component lot: the station's own code, `ITEM|LOT|QUANTITY`."""
    fields = {
        "item": item,
        "description": description,
        "lot": lot,
        "quantity": quantity or "",
        "uom": uom if quantity else "",
        "expires_on": expires_on or "",
        "place": place,
    }
    plain = "|".join(part for part in (item, lot, quantity) if part)
    return Content(kind="lot", name=item, fields=fields, plain=plain)


def container(container: str, item: str, lot: str | None, place: str) -> Content:
    """A container: its own number."""
    fields = {"container": container, "item": item, "lot": lot or "", "place": place}
    return Content(kind="container", name=container, fields=fields, plain=container)


def finished(goods: FinishedGoods) -> Content:
    """Finished goods: a lot, or one unit by its serial; GS1 where the item has a GTIN."""
    plain = f"{goods.item}|{goods.lot}|{goods.quantity}" if goods.lot else goods.item
    return Content(
        kind="unit" if goods.serial else "finished",
        name=goods.serial or goods.item,
        fields=_goods_fields(goods),
        plain=goods.serial or plain,
        elements=_elements(goods) if goods.gtin else None,
    )


def box(goods: FinishedGoods, number: str) -> Content:
    """A box of the product: unique by its number, which stands as serial beside the count."""
    elements = None
    if goods.gtin:
        elements = [("01", goods.gtin.zfill(14)), *_lot_element(goods), ("30", goods.quantity)]
        elements.append(("21", number))
    return Content(
        kind="box",
        name=number,
        fields=_goods_fields(goods) | {"box": number},
        plain=mh10([("P", goods.item), ("Q", goods.quantity), ("3S", number)]),
        shown=f"{goods.item} · {goods.quantity} · {number}",
        elements=elements,
    )


def link(goods: FinishedGoods) -> Content:
    """A GS1 Digital Link. Raises `InputError` for an item without GTIN."""
    if not goods.gtin:
        raise InputError(
            f"{goods.item} has no GTIN, which a Digital Link needs. Add it to items.csv.",
            reason="label",
        )
    fields = _goods_fields(goods)
    return Content(kind="link", name=goods.item, fields=fields, elements=_elements(goods))


def badge(badge: str, name: str, role: str, place: str) -> Content:
    """A person's badge."""
    fields = {"badge": badge, "name": name, "role": role, "place": place}
    return Content(kind="badge", name=name, fields=fields, plain=f"B:{badge}")


def location(location: str, description: str, place: str) -> Content:
    """A place in the plant."""
    fields = {"location": location, "description": description, "place": place}
    return Content(kind="location", name=location, fields=fields, plain=f"L:{location}")


def text(text: str, place: str = "") -> Content:
    """Any text."""
    return Content(kind="text", name=text, fields={"text": text, "place": place}, plain=text)


def gs1(elements: Elements, place: str = "") -> Content:
    """Any GS1 message."""
    fields = {"place": place}
    for number in range(1, ELEMENTS_SHOWN + 1):
        ai, value = elements[number - 1] if number <= len(elements) else ("", "")
        fields |= {f"ai_{number}": ai, f"value_{number}": value}
    return Content(kind="gs1", name=elements[0][1], fields=fields, elements=elements)


def mh10(pairs: Elements) -> str:
    """Return an ISO/IEC 15434 message of data identifiers."""
    body = "\x1d".join(identifier + value for identifier, value in pairs)
    return f"[)>\x1e06\x1d{body}\x1e\x04"


def encoded(content: Content, symbology: str, domain: str) -> Modules:
    """Return a label's code in one symbology. Raises `InputError` where it cannot carry it.

    The two-dimensional ones carry GS1 where the label has it, else the station's own code.
    """
    match symbology:
        case "code128":
            return _plain(content, code_128)
        case "datamatrix" if content.elements:
            return gs1_data_matrix(content.elements)
        case "datamatrix":
            return _plain(content, data_matrix)
        case "qr" if content.elements:
            return gs1_qr_code(content.elements)
        case "qr":
            return _plain(content, qr_code)
    if not content.elements:
        item = content.fields.get("item", content.name)
        needs = "GS1-128" if symbology == "gs1-128" else "a Digital Link"
        raise InputError(
            f"{item} has no GTIN, which {needs} needs. Add it to items.csv.", reason="label"
        )
    if symbology == "gs1-128":
        return gs1_128(content.elements)
    return qr_code(_link(content.elements, domain))


def _plain(content: Content, symbol: Callable[[str], Modules]) -> Modules:
    assert content.plain is not None
    code = symbol(content.plain)
    return Modules(code.rows, code.quiet, content.shown or content.plain)


def _link(elements: Elements, domain: str) -> str:
    """Return the Digital Link of a message. Its elements are checked as those of a GS1 code are."""
    gs1_data_matrix(elements)
    values = dict(elements)
    path = "".join(f"/{ai}/{_escaped(values[ai])}" for ai in PATH if ai in values)
    query = "&".join(f"{ai}={_escaped(value)}" for ai, value in elements if ai not in PATH)
    return f"{domain}{path}?{query}" if query else domain + path


def _goods_fields(goods: FinishedGoods) -> dict[str, str]:
    quantity = "" if goods.serial else goods.quantity
    return {
        "item": goods.item,
        "description": goods.description,
        "gtin": goods.gtin or "",
        "lot": goods.lot or "",
        "serial": goods.serial or "",
        "quantity": quantity,
        "uom": goods.uom if quantity else "",
        "expires_on": goods.expires_on or "",
        "work_order": goods.work_order or "",
        "produced_at": goods.produced_at or "",
        "place": goods.place,
    }


def _elements(goods: FinishedGoods) -> list[tuple[str, str]]:
    elements = [("01", (goods.gtin or "").zfill(14))]
    if goods.expires_on:
        elements.append(("17", goods.expires_on.replace("-", "")[2:]))
    elements += _lot_element(goods)
    if goods.serial:
        elements.append(("21", goods.serial))
    return elements


def _lot_element(goods: FinishedGoods) -> list[tuple[str, str]]:
    return [("10", goods.lot)] if goods.lot else []


def _escaped(text: str) -> str:
    """Return a text for one part of a URL."""
    return "".join(
        character if character.isascii() and (character.isalnum() or character in "-._~")
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )  # fmt: skip


_GOODS: Final = FinishedGoods(
    item="ITEM-1", description="What it is", gtin="04012345678901", lot="LOT-1", quantity="10",
    expires_on="2030-12-31", work_order="WO-1", produced_at="2030-01-31T12:00:00Z", place="LINE",
)  # fmt: skip
_UNIT: Final = FinishedGoods(
    item="ITEM-1", description="What it is", gtin="04012345678901", serial="S-0001",
    work_order="WO-1", produced_at="2030-01-31T12:00:00Z", place="LINE",
)  # fmt: skip
SAMPLES: Final[Mapping[str, Content]] = {
    "lot": lot("ITEM-1", "What it is", "LOT-1", "100", "pcs", "2030-12-31", "LINE"),
    "container": container("BOX-1", "ITEM-1", "LOT-1", "LINE"),
    "finished": finished(_GOODS),
    "unit": finished(_UNIT),
    "box": box(_GOODS, "BOX-1"),
    "link": link(_GOODS),
    "badge": badge("1234", "A Name", "operator", "LINE"),
    "location": location("LINE-1", "What is there", "LINE"),
    "text": text("WO-1001", "LINE"),
    "gs1": gs1([("01", "04012345678901"), ("10", "LOT-1")], "LINE"),
}
CARRIERS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("lot", "container", "badge", "location", "text"),
                    ("code128", "datamatrix", "qr")),
    **dict.fromkeys(("finished", "unit"),
                    ("code128", "gs1-128", "datamatrix", "qr", "digital-link")),
    "box": ("gs1-128", "datamatrix", "qr", "digital-link"),
    "link": ("digital-link",),
    "gs1": ("gs1-128", "datamatrix", "qr"),
    **dict.fromkeys(("traveller", "command-card"), ("code128", "datamatrix", "qr")),
}  # fmt: skip
"""Which symbologies can carry the code of each kind."""
