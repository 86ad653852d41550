"""The section of mounted containers: each position, what is left there and what follows."""

from typing import Final

from mes_terminal.domain.desk_plant import DeskMount
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.lots import lot_of
from mes_terminal.tui.sections.section import Action, Cell, Details, Go, Line, Section
from mes_terminal.tui.sections.stock import lot_state
from mes_terminal.tui.telling import Telling


def line(row: DeskMount, telling: Telling) -> Line:
    """Return the line of a position."""
    told = telling.words.sections["mounts"].told
    left = f"{telling.number(row.left)} {safe(row.uom, 6)}"
    then = safe(row.then_lot or "", 12) if row.then_lot else told["nothing"]
    empty = is_empty(row)
    state = lot_state(row.status, row.expires_on, row.expired, telling) if _barred(row) else ""
    return Line(
        left=[
            Cell(safe(row.position, 24), 10, "strong"),
            Cell(safe(row.item, 24), 12),
            Cell(_lot(row), 12),
            Cell(state, emphasis="alert"),
        ],
        right=[
            Cell(left, 11, "alert" if empty else "plain"),
            Cell(then, 12, "plain" if row.then_lot else "muted"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["mounts"].told
    return Line(
        left=[
            Cell(told["column_position"], 10),
            Cell(told["column_item"], 12),
            Cell(told["column_lot"], 12),
        ],
        right=[Cell(told["column_left"], 11), Cell(told["column_then"], 12)],
    )


def story(row: DeskMount, _details: Details, telling: Telling) -> list[Piece]:
    """Return what hangs there and since when, whether it may, what is left and what follows."""
    told = telling.words.sections["mounts"].told
    names = {
        "position": safe(row.position, 24),
        "item": safe(row.item, 32),
        "description": safe(row.description, 60),
        "lot": _lot(row),
        "container": safe(row.container or "", 32),
        "place": safe(row.location, 24),
        "time": telling.time(row.mounted_at),
        "age": telling.age(row.mounted_at),
        "left": f"{telling.number(row.left)} {safe(row.uom, 8)}",
        "then": safe(row.then_lot or "", 32),
        "quantity": f"{telling.number(row.then_quantity or '0')} {safe(row.uom, 8)}",
    }
    pieces = [
        Piece(told["hangs"].format(**names), "strong"),
        Piece(told["since"].format(**names)),
    ]
    if row.container is not None:
        pieces.append(Piece(told["container"].format(**names)))
    if _barred(row):
        state = lot_state(row.status, row.expires_on, row.expired, telling)
        pieces.append(Piece(told["barred"].format(state=state), "alert"))
    pieces.append(
        Piece(told["empty" if is_empty(row) else "left"].format(**names),
              "alert" if is_empty(row) else "plain")
    )  # fmt: skip
    pieces.append(Piece(told["then" if row.then_lot else "then_nothing"].format(**names),
                        "plain" if row.then_lot else "strong"))  # fmt: skip
    return pieces


def is_empty(row: DeskMount) -> bool:
    """Tell whether its books have nothing left."""
    return row.left == "0" or row.left.startswith("-")


def _barred(row: DeskMount) -> bool:
    return row.status != "available" or row.expired


def _lot(row: DeskMount) -> str:
    return " ".join(safe(name, 24) for name in (row.lot, row.serial) if name)


def _to_lot(row: DeskMount, _details: Details, _telling: Telling) -> Go | None:
    return Go("lots", row.lot) if row.lot else None


MOUNTS: Final = Section(
    name="mounts",
    list_name="desk_mounts",
    count_list="desk_mounts_count",
    row=DeskMount,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    takes={"lot": lot_of, "container": lot_of, "item": str},
    actions=(Action(key="l", name="lots", form=_to_lot),),
)
