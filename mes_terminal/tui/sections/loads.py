"""The section of loads that take two persons: what each changes, and who decides on it.

Pure: a description for `list_page`; the story is asked when the cursor rests.
"""

from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.load_changes import LeavingPart, LoadDiff
from mes_terminal.domain.load_proposal import LoadProposal, ProposalStory
from mes_terminal.tui.forms import Field, Form, Request, Result, Told, signature
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.sections.section import Action, Cell, Detail, Details, Line, Scope, Section
from mes_terminal.tui.telling import Telling

ORDERS_MAX: Final = 12
PARTS_MAX: Final = 8
BOMS_MAX: Final = 6
ROWS_MAX: Final = 40
VALUE_COLUMNS: Final = 24
FOLDER_COLUMNS: Final = 16


class _Fault(Struct, frozen=True):
    file: str
    line: int | None
    message: str


class _Applied(Struct, frozen=True):
    """What the core says of a load: the faults where it was not applied."""

    faults: list[_Fault] = []


def line(row: LoadProposal, telling: Telling) -> Line:
    """Return the line of a proposal."""
    told = telling.words.sections["loads"].told
    return Line(
        left=[
            Cell(telling.moment(row.proposed_at), 6, "muted"),
            Cell(told[f"status_{row.status}"], 10, "alert" if row.status == "open" else "muted"),
            Cell(_folder(row, FOLDER_COLUMNS), FOLDER_COLUMNS, "strong"),
            Cell(safe(row.proposed_by_name, 20)),
        ],
        right=[
            Cell(telling.number(row.changes), 7),
            Cell(telling.number(row.orders) if row.orders else "", 8, "strong"),
            Cell(telling.number(row.leaving) if row.leaving else "", 8, "strong"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["loads"].told
    return Line(
        left=[
            Cell(told["column_at"], 6),
            Cell(told["column_status"], 10),
            Cell(told["column_folder"], FOLDER_COLUMNS),
            Cell(told["column_by"]),
        ],
        right=[
            Cell(told["column_changes"], 7),
            Cell(told["column_orders"], 8),
            Cell(told["column_leaving"], 8),
        ],
    )


def story(row: LoadProposal, details: Details, telling: Telling) -> list[Piece]:
    """Return who proposed what, which orders it touches, what leaves, each change."""
    told = telling.words.sections["loads"].told
    names = {
        "folder": safe(row.folder, 120),
        "mapping": safe(row.mapping or "", 120),
        "by": safe(row.proposed_by_name, 24),
        "time": telling.time(row.proposed_at),
        "decided_by": safe(row.decided_by_name or "", 24),
        "decided": telling.time(row.decided_at),
        "reason": safe(row.reason or "", 120),
    }
    pieces = [Piece(names["folder"], "strong"), Piece(told["proposed"].format(**names))]
    if row.mapping is not None:
        pieces.append(Piece(told["mapping"].format(**names)))
    if row.decided_by is not None:
        pieces.append(Piece(told[f"is_{row.status}"].format(**names)))
    elif row.status == "open":
        pieces.append(Piece(told["waits"], "alert"))
    tables = [
        told["table"].format(name=safe(name, 24), added=added, changed=changed)
        for name, (added, changed) in row.tables.items()
    ]
    pieces.append(Piece(", ".join(tables)))
    found: list[ProposalStory] = details.get("story", [])
    for each in found:
        if each.diff is not None:
            pieces += diff_pieces(each.diff, telling)
    return [*pieces, Piece(""), Piece(told["hash"], "muted"), Piece(safe(row.content_hash, 64))]


def diff_pieces(diff: LoadDiff, telling: Telling) -> list[Piece]:
    """Return what a load changes: orders first, then stock that would be left, then each row."""
    told = telling.words.sections["loads"].told
    pieces: list[Piece] = []
    if diff.orders:
        pieces += [Piece(""), Piece(told["orders"].format(n=diff.orders_total), "muted")]
        for order in diff.orders[:ORDERS_MAX]:
            text = told["order"].format(
                order=safe(order.work_order, 24), item=safe(order.item, 24),
                what=safe(order.what, 40), effect=told[f"effect_{order.effect}"],
            )  # fmt: skip
            pieces.append(Piece(text, "strong"))
        pieces += _more(diff.orders_total - min(len(diff.orders), ORDERS_MAX), telling)
    if diff.leaving:
        pieces += [Piece(""), Piece(told["leaving"].format(n=diff.leaving_total), "muted")]
        pieces += [Piece(_leaving(part, diff, telling)) for part in diff.leaving[:PARTS_MAX]]
        pieces += _more(diff.leaving_total - min(len(diff.leaving), PARTS_MAX), telling)
    if diff.boms:
        pieces += [Piece(""), Piece(told["boms"].format(n=diff.boms_total), "muted")]
        for bom in diff.boms[:BOMS_MAX]:
            signs = (("+", bom.added), ("-", bom.removed), ("~", bom.changed))
            parts = [
                f"{sign}{safe(part.component, 20)} {telling.number(part.quantity)}"
                for sign, lines in signs
                for part in lines
            ]
            head = f"{safe(bom.item, 20)} {safe(bom.revision, 8)}"
            pieces.append(Piece(f"{head}: {safe(', '.join(parts), 160)}"))
        pieces += _more(diff.boms_total - min(len(diff.boms), BOMS_MAX), telling)
    return pieces + _rows(diff, telling)


def _leaving(part: LeavingPart, diff: LoadDiff, telling: Telling) -> str:
    told = telling.words.sections["loads"].told
    names = {
        "item": safe(part.item, 24),
        "product": f"{safe(part.product, 24)} {safe(part.revision, 8)}",
        "instead": safe(part.instead or "", 24),
        "on_hand": telling.number(part.on_hand),
        "uom": safe(part.uom, 8),
        "value": telling.number(part.value or ""),
        "currency": safe(diff.currency or "", 4),
    }
    text = told["part_instead" if part.instead else "part"].format(**names)
    if part.on_hand != "0":
        text += " " + told["on_hand_value" if part.value else "on_hand"].format(**names)
    return text


def _rows(diff: LoadDiff, telling: Telling) -> list[Piece]:
    told = telling.words.sections["loads"].told
    if not diff.rows:
        return []
    pieces = [Piece(""), Piece(told["rows"].format(n=telling.number(diff.total)), "muted")]
    for row in diff.rows[:ROWS_MAX]:
        changed = ", ".join(
            f"{safe(column, 20)} {_value(old)} → {_value(new)}"
            if row.change == "changed"
            else f"{safe(column, 20)} {_value(new if new is not None else old)}"
            for column, (old, new) in row.columns.items()
        )
        head = f"{told[f'change_{row.change}']} {safe(row.table, 24)} {safe(row.key, 40)}"
        pieces.append(Piece(safe(f"{head}: {changed}", SENTENCE_MAX_COLUMNS)))
    return pieces + _more(diff.total - min(len(diff.rows), ROWS_MAX), telling)


def _value(value: Any) -> str:
    return "-" if value is None or value == "" else safe(str(value), VALUE_COLUMNS)


def _more(n: int, telling: Telling) -> list[Piece]:
    told = telling.words.sections["loads"].told
    return [Piece(told["more"].format(n=telling.number(n)), "muted")] if n > 0 else []


def decide(row: LoadProposal, _details: Details, telling: Telling, *, applies: bool) -> Form | None:
    """Return the form that applies a load or refuses it; none for one that was decided."""
    if row.status != "open":
        return None
    words, told = telling.words, telling.words.sections["loads"].told
    name = "apply" if applies else "refuse"
    reason = [] if applies else [Field(name="reason", prompt=told["ask_reason"])]

    def fields(answered: Told) -> list[Field]:
        return [*reason, *signature(words, answered)]

    def request(answered: Told) -> Request:
        order: dict[str, Any] = {"id": row.id, "answer": "approve" if applies else "refuse"}
        return Request("approve_load", order | dict(answered))

    def done(raw: msgspec.Raw) -> Result:
        faults = msgspec.json.decode(raw, type=_Applied).faults
        if not faults:
            return Result("ok", [told[f"did_{name}"]])
        named = [
            f"{safe(each.file, 24)} {each.line or ''}".rstrip() + f": {safe(each.message, 160)}"
            for each in faults
        ]
        return Result("stop", [told["faults"].format(n=len(faults)), *named[:5]])

    return Form(
        title=told[f"title_{name}"],
        what=_folder(row, 40),
        fields=fields,
        request=request,
        answered=done,
    )


def _folder(row: LoadProposal, columns: int) -> str:
    """Return the last part of where it lies."""
    return safe(row.folder.rstrip("/").rpartition("/")[2], columns)


def _of_load(row: LoadProposal | None) -> dict[str, str] | None:
    return None if row is None else {"id": str(row.id)}


LOADS: Final = Section(
    name="loads",
    list_name="load_proposals",
    row=LoadProposal,
    key=lambda row: str(row.id),
    line=line,
    columns=columns,
    story=story,
    scopes=(Scope("open", {"status": "open"}), Scope("all")),
    details=(Detail(name="story", list_name="load_story", params=_of_load, kind=ProposalStory),),
    actions=(
        Action(key="a", name="apply", form=partial(decide, applies=True)),
        Action(key="x", name="refuse", form=partial(decide, applies=False)),
    ),
)
