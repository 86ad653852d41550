"""The section of stock: what there is of an item at a place, its value, and the lots under it."""

from typing import Any, Final

from mes_terminal.domain.desk_plant import LotStock, PlaceStock
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.section import (
    Action,
    Cell,
    Detail,
    Details,
    Go,
    Line,
    Section,
)
from mes_terminal.tui.telling import Telling

LOTS_MAX: Final = 30
"""Lots of a place that its story names, the next one first."""


def line(row: PlaceStock, telling: Telling) -> Line:
    """Return the line of an item at a place."""
    quantity = f"{telling.number(row.quantity)} {safe(row.uom, 6)}"
    negative = row.quantity.startswith("-")
    return Line(
        left=[
            Cell(safe(row.item, 24), 16, "strong"),
            Cell(safe(row.location, 24), 12),
            Cell(safe(row.description, 48), emphasis="muted", wide=True),
        ],
        right=[
            Cell(telling.number(row.lots) if row.lots else "", 6, "muted"),
            Cell(quantity, 15, "alert" if negative else "plain"),
            Cell(_value(row, telling), 14),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["stock"].told
    return Line(
        left=[
            Cell(told["column_item"], 16),
            Cell(told["column_place"], 12),
            Cell(told["column_description"], wide=True),
        ],
        right=[
            Cell(told["column_lots"], 6),
            Cell(told["column_quantity"], 15),
            Cell(told["column_value"], 14),
        ],
    )


def story(row: PlaceStock, details: Details, telling: Telling) -> list[Piece]:
    """Return how much there is, what may not be used, what it is worth, and its lots."""
    told = telling.words.sections["stock"].told
    names = {
        "quantity": telling.number(row.quantity),
        "uom": safe(row.uom, 8),
        "item": safe(row.item, 32),
        "place": safe(row.location, 24),
        "held": telling.number(row.held),
        "value": _value(row, telling),
        "n": telling.number(row.lots),
    }
    kind = told.get(f"place_{row.place}", safe(row.place, 16))
    pieces = [
        Piece(told["there"].format(**names), "strong"),
        Piece(". ".join(filter(None, (safe(row.description, 60), kind))) + "."),
    ]
    if row.quantity.startswith("-"):
        pieces.append(Piece(told["negative"].format(**names), "alert"))
    if row.held != "0":
        pieces.append(Piece(told["held"].format(**names), "strong"))
    pieces.append(Piece(told["worth" if row.value is not None else "no_worth"].format(**names)))
    lots: list[LotStock] = details.get("lots", [])
    if not row.lots or not lots:
        return pieces
    pieces += [Piece(""), Piece(told["lots"], "muted")]
    pieces += [_lot(each, row, telling) for each in lots[:LOTS_MAX]]
    rest = row.lots - LOTS_MAX
    return [*pieces, Piece(told["more_lots"].format(n=rest), "muted")] if rest > 0 else pieces


def lot_state(status: str, expires_on: str | None, expired: bool, telling: Telling) -> str:
    """Return why a lot may not be used, or until when it may; nothing where neither is known."""
    told = telling.words.sections["lots"].told
    if status != "available":
        return told.get(f"status_{status}", safe(status, 12))
    if expires_on is None:
        return ""
    return told["expired" if expired else "until"].format(day=safe(expires_on, 10))


def _lot(lot: LotStock, row: PlaceStock, telling: Telling) -> Piece:
    name = " ".join(safe(each, 24) for each in (lot.lot, lot.serial, lot.container) if each)
    state = lot_state(lot.status, lot.expires_on, lot.expired, telling)
    text = f"{telling.number(lot.quantity)} {safe(row.uom, 8)} {name or safe(row.item, 24)}"
    barred = lot.status != "available" or lot.expired
    return Piece(f"{text}, {state}" if state else text, "strong" if barred else "plain")


def _value(row: PlaceStock, telling: Telling) -> str:
    return f"{telling.number(row.value)} {safe(row.currency or '', 4)}" if row.value else ""


def _lots_of(row: PlaceStock | None) -> dict[str, Any] | None:
    if row is None or not row.lots:
        return None
    return {"item": row.item, "location": row.location, "limit": str(LOTS_MAX)}


def _to_lots(row: PlaceStock, _details: Details, _telling: Telling) -> Go | None:
    return Go("lots", row.item) if row.lots else None


STOCK: Final = Section(
    name="stock",
    list_name="desk_stock",
    count_list="desk_stock_count",
    row=PlaceStock,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    takes={"item": str, "location": str},
    details=(Detail(name="lots", list_name="desk_stock_lots", params=_lots_of, kind=LotStock),),
    actions=(Action(key="l", name="lots", form=_to_lots),),
)
