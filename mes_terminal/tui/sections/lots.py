"""The section of lots: status, expiry, what is on hand and where, and what hangs at a position."""

from typing import Any, Final

from mes_terminal.domain.desk_plant import DeskLot, LotHeld, LotPlace
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.section import Cell, Detail, Details, Line, Scope, Section
from mes_terminal.tui.sections.stock import lot_state
from mes_terminal.tui.telling import Telling

PLACES_MAX: Final = 20
"""Places and containers of a lot that its story names."""


def line(row: DeskLot, telling: Telling) -> Line:
    """Return the line of a lot."""
    on_hand = f"{telling.number(row.on_hand)} {safe(row.uom, 6)}"
    state = lot_state(row.status, row.expires_on, row.expired, telling)
    barred = row.status != "available" or row.expired
    there = row.on_hand != "0"
    return Line(
        left=[
            Cell(safe(row.item, 24), 14, "strong" if there else "muted"),
            Cell(safe(row.lot, 24), 16, "plain" if there else "muted"),
            Cell(state, emphasis="alert" if barred and there else "muted"),
        ],
        right=[
            Cell(safe(row.mounted or "", 12), 12, "muted", wide=True),
            Cell(on_hand, 15, "plain" if there else "muted"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["lots"].told
    return Line(
        left=[
            Cell(told["column_item"], 14),
            Cell(told["column_lot"], 16),
            Cell(told["column_state"]),
        ],
        right=[
            Cell(told["column_mounted"], 12, wide=True),
            Cell(told["column_on_hand"], 15),
        ],
    )


def story(row: DeskLot, details: Details, telling: Telling) -> list[Piece]:
    """Return what the lot is, whether it may be used, where it came from and where it is."""
    told = telling.words.sections["lots"].told
    names = {
        "item": safe(row.item, 32),
        "lot": safe(row.lot, 32),
        "description": safe(row.description, 60),
        "quantity": telling.number(row.on_hand),
        "uom": safe(row.uom, 8),
        "day": safe(row.expires_on or "", 10),
        "time": telling.time(row.received_at),
        "supplier": safe(row.supplier or "", 32),
        "supplier_lot": safe(row.supplier_lot or "", 32),
        "position": safe(row.mounted or "", 24),
        "n": telling.number(row.containers),
    }
    pieces = [
        Piece(told["is"].format(**names), "strong"),
        Piece(told["on_hand"].format(**names)),
    ]
    if row.status != "available":
        state = told.get(f"told_{row.status}", safe(row.status, 12))
        pieces.append(Piece(state, "alert"))
        pieces += _held(details.get("held", []), telling)
    if row.expires_on is not None:
        text = told["told_expired" if row.expired else "told_until"].format(**names)
        pieces.append(Piece(text, "alert" if row.expired else "plain"))
    if row.received_at is not None:
        pieces.append(Piece(told["received"].format(**names)))
    if row.supplier or row.supplier_lot:
        form = told["from_lot" if row.supplier_lot else "from"]
        pieces.append(Piece(form.format(**names)))
    if row.mounted is not None:
        pieces.append(Piece(told["mounted"].format(**names), "strong"))
    return pieces + _places(row, details.get("places", []), telling)


def _held(found: list[LotHeld], telling: Telling) -> list[Piece]:
    told = telling.words.sections["lots"].told
    pieces = []
    for each in found:
        person = told["held_by"].format(person=safe(each.person, 32)) if each.person else ""
        reason = told["held_why"].format(reason=safe(each.reason, 120)) if each.reason else ""
        since = told["held_since"].format(time=telling.time(each.at))
        pieces.append(Piece(f"{since}{person}{reason}."))
    return pieces


def _places(row: DeskLot, places: list[LotPlace], telling: Telling) -> list[Piece]:
    told = telling.words.sections["lots"].told
    if not places:
        return []
    pieces = [Piece(""), Piece(told["places"], "muted")]
    for each in places[:PLACES_MAX]:
        names = " ".join(safe(name, 24) for name in (each.container, each.serial) if name)
        quantity = f"{telling.number(each.quantity)} {safe(row.uom, 8)}"
        pieces.append(Piece(" ".join(filter(None, (quantity, safe(each.location, 24), names)))))
    return pieces


def _places_of(row: DeskLot | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"item": row.item, "lot": row.lot, "limit": str(PLACES_MAX)}


def _held_of(row: DeskLot | None) -> dict[str, Any] | None:
    if row is None or row.status == "available":
        return None
    return {"item": row.item, "lot": row.lot}


def lot_of(key: str) -> str:
    """Return the lot of a code's key: `ITEM|LOT`."""
    return key.partition("|")[2] or key


LOTS: Final = Section(
    name="lots",
    list_name="desk_lots",
    count_list="desk_lots_count",
    row=DeskLot,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    scopes=(
        Scope("on_hand", {"on_hand": "1"}),
        Scope("held", {"held": "1"}),
        Scope("expired", {"expired": "1"}),
        Scope("all"),
    ),
    takes={"lot": lot_of, "container": lot_of, "item": str},
    details=(
        Detail(name="places", list_name="desk_lot_places", params=_places_of, kind=LotPlace),
        Detail(name="held", list_name="desk_lot_held", params=_held_of, kind=LotHeld),
    ),
)
