"""Labels of 100 by 50 millimetres: lots, containers, finished goods, boxes, badges, places.

One design for all: the code on the left with white around it, what it is on the right, biggest what
a person looks for, and a foot that says where it was printed. Pure: facts in, sheets out.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.errors import InputError
from mes_terminal.printing.page import Line, Mark, Sheet, Symbol, Text
from mes_terminal.printing.symbols import (
    Elements,
    Modules,
    code_128,
    data_matrix,
    gs1_data_matrix,
    qr_code,
)

WIDTH_MM: Final = 100.0
HEIGHT_MM: Final = 50.0
CODE_MM: Final = 32.0
"""Side of the square that a two-dimensional code fills."""
CODE_LEFT_MM: Final = 5.0
CODE_TOP_MM: Final = 5.0
TEXT_LEFT_MM: Final = 43.0
TEXT_WIDTH_MM: Final = 53.0
MODULE_MIN_MM: Final = 0.25
"""The narrowest module that a hand scanner reads from a label printer of 203 dots an inch."""
BARS_HEIGHT_MM: Final = 16.0
FACTS_MAX: Final = 4
LINK_DOMAIN: Final = "https://id.gs1.org"


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


def label(
    kind: str,
    title: str,
    code: Modules,
    *,
    subtitle: str = "",
    facts: Sequence[tuple[str, str]] = (),
    place: str = "",
) -> Sheet:
    """Return a label. Raises `InputError` if its code cannot be printed wide enough to be read."""
    marks: list[Mark] = [
        Text(x_mm=TEXT_LEFT_MM, y_mm=8.2, text=kind.upper(), size_pt=6.5, width_mm=TEXT_WIDTH_MM),
        Text(
            x_mm=TEXT_LEFT_MM, y_mm=16, text=title, size_pt=19, bold=True, width_mm=TEXT_WIDTH_MM,
        ),
        Text(x_mm=TEXT_LEFT_MM, y_mm=20.6, text=subtitle, size_pt=8, width_mm=TEXT_WIDTH_MM),
        *_facts(facts),
        *_foot(place, code.text),
    ]  # fmt: skip
    if code.is_linear:
        return _with_bars(kind, title, code, place)
    marks.append(square(code, CODE_LEFT_MM, CODE_TOP_MM, CODE_MM))
    return Sheet(
        width_mm=WIDTH_MM, height_mm=HEIGHT_MM, marks=tuple(marks), title=f"{kind} {title}"
    )


def square(code: Modules, x_mm: float, y_mm: float, side_mm: float) -> Symbol:
    """Return a two-dimensional code with its quiet zone in the middle of a square."""
    across = len(code.rows) + 2 * code.quiet
    module_mm = side_mm / across
    if module_mm < MODULE_MIN_MM:
        raise InputError(
            f"{code.text[:40]!r} is too long for this label: its code would be too fine to read. "
            "Print it larger, or shorten it.",
            reason="label",
        )
    inset_mm = code.quiet * module_mm
    return Symbol(
        x_mm=x_mm + inset_mm,
        y_mm=y_mm + inset_mm,
        modules=code.rows,
        module_mm=module_mm,
        row_height_mm=module_mm,
    )


def bars(
    code: Modules, x_mm: float, y_mm: float, width_mm: float, height_mm: float, module_mm: float
) -> Symbol:
    """Return a linear code whose bars begin at `x_mm`, modules as wide as asked or less.

    Its quiet zones reach beyond it: to the left of `x_mm`, and within `width_mm` to the right.
    """
    across = len(code.rows[0]) + code.quiet
    module_mm = min(module_mm, width_mm / across)
    if module_mm < MODULE_MIN_MM * 0.75:
        raise InputError(
            f"{code.text[:40]!r} is too long for a bar code of {width_mm:.0f} mm. "
            "Use a two-dimensional code.",
            reason="label",
        )
    return Symbol(
        x_mm=x_mm,
        y_mm=y_mm,
        modules=code.rows,
        module_mm=module_mm,
        row_height_mm=height_mm,
    )


def lot_label(
    item: str, description: str, lot: str, quantity: str | None, uom: str,
    expires_on: str | None, place: str,
) -> Sheet:  # fmt: skip
    """A component lot: the station's own code, `ITEM|LOT|QUANTITY`."""
    text = "|".join(part for part in (item, lot, quantity) if part)
    facts = [("Lot", lot), ("Quantity", f"{quantity} {uom}" if quantity else "")]
    facts += [("Expires", expires_on or "")]
    return label(
        "component lot", item, data_matrix(text), subtitle=description, facts=facts, place=place
    )


def container_label(container: str, item: str, lot: str | None, place: str) -> Sheet:
    """A container: its own number."""
    facts = [("Item", item), ("Lot", lot or "")]
    return label("container", container, data_matrix(container), facts=facts, place=place)


def finished_label(goods: FinishedGoods) -> Sheet:
    """Finished goods: a lot, or one unit by its serial; GS1 where the item has a GTIN."""
    facts = [
        ("Lot", goods.lot or ""),
        ("Serial", goods.serial or ""),
        ("Quantity", "" if goods.serial else f"{goods.quantity} {goods.uom}"),
        ("Expires", goods.expires_on or ""),
        ("Order", goods.work_order or ""),
    ]
    return label(
        "finished unit" if goods.serial else "finished goods",
        goods.item,
        _goods_code(goods),
        subtitle=goods.description,
        facts=facts,
        place=goods.place,
    )


def box_label(goods: FinishedGoods, number: str) -> Sheet:
    """A box of the product: unique by its number, which stands as serial beside the count."""
    if goods.gtin:
        elements = [("01", goods.gtin.zfill(14)), *_lot_element(goods), ("30", goods.quantity)]
        code = gs1_data_matrix([*elements, ("21", number)])
    else:
        code = data_matrix(mh10([("P", goods.item), ("Q", goods.quantity), ("3S", number)]))
        code = Modules(code.rows, code.quiet, f"{goods.item} · {goods.quantity} · {number}")
    facts = [("Box", number), ("Quantity", f"{goods.quantity} {goods.uom}")]
    facts += [("Lot", goods.lot or ""), ("Order", goods.work_order or "")]
    return label(
        "box", goods.item, code, subtitle=goods.description, facts=facts, place=goods.place
    )


def link_label(goods: FinishedGoods, domain: str = LINK_DOMAIN) -> Sheet:
    """A QR code that is a GS1 Digital Link. Raises `InputError` for an item without GTIN."""
    if not goods.gtin:
        raise InputError(
            f"{goods.item} has no GTIN, which a Digital Link needs. Add it to items.csv.",
            reason="label",
        )
    path = "".join(f"/{ai}/{_escaped(value)}" for ai, value in _elements(goods)[:3] if ai != "17")
    query = f"?17={_short_day(goods.expires_on)}" if goods.expires_on else ""
    facts = [("Lot", goods.lot or ""), ("Serial", goods.serial or "")]
    return label(
        "digital link", goods.item, qr_code(domain + path + query),
        subtitle=goods.description, facts=facts, place=goods.place,
    )  # fmt: skip


def badge_label(badge: str, name: str, role: str, place: str) -> Sheet:
    """A person's badge."""
    return label(
        "badge", name, data_matrix(f"B:{badge}"), facts=[("Badge", badge), ("Role", role)],
        place=place,
    )  # fmt: skip


def location_label(location: str, description: str, place: str) -> Sheet:
    """A place in the plant."""
    return label(
        "location", location, data_matrix(f"L:{location}"), subtitle=description, place=place
    )


def text_label(text: str, place: str = "") -> Sheet:
    """Any text: bars where Code 128 can hold it and they fit, else a Data Matrix."""
    try:
        return label("code", text, code_128(text), place=place)
    except InputError:
        return label("code", text, data_matrix(text), place=place)


def gs1_label(elements: Elements, place: str = "") -> Sheet:
    """Any GS1 message, as Data Matrix."""
    facts = [(f"({ai})", value) for ai, value in elements[1:]]
    return label("gs1", elements[0][1], gs1_data_matrix(elements), facts=facts, place=place)


def mh10(pairs: Sequence[tuple[str, str]]) -> str:
    """Return an ISO/IEC 15434 message of data identifiers."""
    body = "\x1d".join(identifier + value for identifier, value in pairs)
    return f"[)>\x1e06\x1d{body}\x1e\x04"


def _goods_code(goods: FinishedGoods) -> Modules:
    if goods.gtin:
        return gs1_data_matrix(_elements(goods))
    if goods.serial:
        return data_matrix(goods.serial)
    return data_matrix(f"{goods.item}|{goods.lot}|{goods.quantity}" if goods.lot else goods.item)


def _elements(goods: FinishedGoods) -> list[tuple[str, str]]:
    elements = [("01", (goods.gtin or "").zfill(14))]
    if goods.expires_on:
        elements.append(("17", _short_day(goods.expires_on)))
    elements += _lot_element(goods)
    if goods.serial:
        elements.append(("21", goods.serial))
    return elements


def _lot_element(goods: FinishedGoods) -> list[tuple[str, str]]:
    return [("10", goods.lot)] if goods.lot else []


def _short_day(day: str | None) -> str:
    """Return an ISO day as YYMMDD."""
    return (day or "").replace("-", "")[2:]


def _escaped(text: str) -> str:
    """Return a text for one part of a URL's path."""
    return "".join(
        character if character.isascii() and (character.isalnum() or character in "-._~")
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )  # fmt: skip


def _facts(facts: Sequence[tuple[str, str]]) -> list[Mark]:
    """Return up to four facts in two columns: a small caption, a bold value."""
    marks: list[Mark] = []
    shown = [(caption, value) for caption, value in facts if value][:FACTS_MAX]
    for place, (caption, value) in enumerate(shown):
        x_mm = TEXT_LEFT_MM + (place % 2) * 27.5
        y_mm = 27.0 + (place // 2) * 9.0
        marks += [
            Text(x_mm=x_mm, y_mm=y_mm, text=caption, size_pt=6, width_mm=25),
            Text(x_mm=x_mm, y_mm=y_mm + 4.4, text=value, size_pt=10.5, bold=True, width_mm=25.5),
        ]
    return marks


def _foot(place: str, text: str) -> list[Mark]:
    return [
        Line(x1_mm=5, y1_mm=43.2, x2_mm=WIDTH_MM - 5, y2_mm=43.2, stroke_mm=0.2),
        Text(x_mm=5, y_mm=47, text=text, size_pt=6.5, width_mm=62),
        Text(x_mm=WIDTH_MM - 5, y_mm=47, text=place, size_pt=6.5, align="right", width_mm=26),
    ]


def _with_bars(kind: str, title: str, code: Modules, place: str) -> Sheet:
    """Return a label whose code is bars across its whole width."""
    left_mm = 5.0
    marks: list[Mark] = [
        Text(x_mm=left_mm, y_mm=7.5, text=kind.upper(), size_pt=6.5, width_mm=60),
        Text(x_mm=left_mm, y_mm=16.5, text=title, size_pt=20, bold=True, width_mm=88),
        bars(code, left_mm, 21.5, WIDTH_MM - left_mm, BARS_HEIGHT_MM, 0.375),
        *_foot(place, code.text),
    ]
    return Sheet(
        width_mm=WIDTH_MM, height_mm=HEIGHT_MM, marks=tuple(marks), title=f"{kind} {title}"
    )
