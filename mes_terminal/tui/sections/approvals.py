"""The section of approvals: what the line asks a supervisor, and the permits that stand (BF-24).

Badge and PIN sign each answer; an approval may have a box of time and quantity. Pure: a description
for `list_page`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.permits import ApprovalRow
from mes_terminal.tui.forms import Field, Form, Option, Request, Result, Told, signature
from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.sections.section import Action, Cell, Details, Line, Scope, Section
from mes_terminal.tui.telling import Telling

_EMPHASIS: Final[dict[str, Emphasis]] = {"open": "alert", "standing": "strong"}


class _Scanned(Struct, frozen=True):
    """What became of the code that the station waited with."""

    message: str


class _Done(Struct, frozen=True):
    """What the core says of an answer, or of a permit."""

    message: str
    scan: _Scanned | None = None


def line(row: ApprovalRow, telling: Telling) -> Line:
    """Return the line of a question or a permit."""
    told = telling.words.sections["approvals"].told
    return Line(
        left=[
            Cell(telling.moment(row.at), 6, "muted"),
            Cell(_status(row, telling), 10, _EMPHASIS.get(row.status, "muted")),
            Cell(_situation(row, telling), 22),
            Cell(safe(row.item, 20), 0, "strong"),
        ],
        right=[
            Cell(safe(row.lot or row.work_order or "", 14), 14, wide=True),
            Cell(told[row.kind] if row.kind in told else safe(row.kind, 8), 8, "muted"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["approvals"].told
    return Line(
        left=[
            Cell(told["column_at"], 6),
            Cell(told["column_status"], 10),
            Cell(told["column_situation"], 22),
            Cell(told["column_item"]),
        ],
        right=[Cell(told["column_of"], 14, wide=True), Cell("", 8)],
    )


def story(row: ApprovalRow, _details: Details, telling: Telling) -> list[Piece]:
    """Return what is asked or allowed, of what, how far, and who answered."""
    told, names = telling.words.sections["approvals"].told, _names(row, telling)
    pieces = [Piece(f"{_situation(row, telling)} · {_status(row, telling)}", "strong")]
    if row.said:
        pieces.append(Piece(safe(row.said, SENTENCE_MAX_COLUMNS)))
    pieces += [
        Piece(told[name].format(**names))
        for name, there in (
            ("of_item", row.item),
            ("of_lot", row.lot),
            ("of_order", row.work_order),
        )
        if there
    ]
    if row.kind == "permit":
        return [*pieces, Piece(""), *_permit_story(row, telling)]
    if row.quantity:
        pieces.append(Piece(told["by_how_much"].format(**names)))
    pieces.append(Piece(""))
    pieces.append(Piece(told["asked" if row.person else "asked_nobody"].format(**names)))
    if row.status == "open":
        pieces.append(Piece(told["waits"].format(**names), "alert"))
    elif row.by:
        pieces.append(Piece(told["answered"].format(**names)))
    return pieces


def _permit_story(row: ApprovalRow, telling: Telling) -> list[Piece]:
    told, names = telling.words.sections["approvals"].told, _names(row, telling)
    pieces = [Piece(told["granted"].format(**names)), Piece(told["until"].format(**names))]
    if row.once:
        pieces.append(Piece(told["once"]))
    if row.quantity:
        pieces.append(Piece(told["box"].format(**names)))
    if row.reason:
        pieces.append(Piece(told["why"].format(**names)))
    return pieces


def _names(row: ApprovalRow, telling: Telling) -> dict[str, Any]:
    return {
        "item": safe(row.item, 32),
        "lot": safe(row.lot or "", 32),
        "order": safe(row.work_order or "", 32),
        "quantity": telling.number(row.quantity or ""),
        "used": telling.number(row.used or "0"),
        "left": telling.number(row.left or "0"),
        "person": safe(row.person or "", 24),
        "by": safe(row.by or "", 24),
        "time": telling.time(row.at),
        "until": telling.time(row.until),
        "reason": safe(row.reason or "", 80),
    }


def _situation(row: ApprovalRow, telling: Telling) -> str:
    return telling.words.approve.situations.get(row.situation, safe(row.situation, 24))


def _status(row: ApprovalRow, telling: Telling) -> str:
    told = telling.words.sections["approvals"].told
    return told.get(f"status_{row.status}", safe(row.status, 10))


# What is answered and allowed --------------------------------------------------------------------


def answer(row: ApprovalRow, _details: Details, telling: Telling, *, approves: bool) -> Form | None:
    """Return the form that approves or refuses a question; none where nothing waits."""
    if row.kind != "question" or row.status != "open":
        return None
    name = "approve" if approves else "refuse"
    asked = ("until", "quantity") if approves else ()
    order = {"id": row.id, "answer": name}
    return _form(name, _what(row, telling), (*asked, "reason"), "approve", order, telling)


def end(row: ApprovalRow, _details: Details, telling: Telling) -> Form | None:
    """Return the form that ends a permit; none for one that does not stand."""
    if row.kind != "permit" or row.status != "standing":
        return None
    return _form("end", _what(row, telling), (), "permit", {"end": row.id}, telling)


def grant(_row: ApprovalRow | None, _details: Details, telling: Telling) -> Form:
    """Return the form that allows something before the line asks: which, of what, how far."""
    asked = ("situation", "item", "lot", "work_order", "until", "quantity", "reason")
    return _form("grant", "", asked, "permit", {}, telling)


_NEEDED: Final = frozenset(("situation", "item"))


def _form(
    name: str, what: str, asked: Sequence[str], do: str, order: dict[str, Any], telling: Telling
) -> Form:
    words, told = telling.words, telling.words.sections["approvals"].told

    def fields(answered: Told) -> list[Field]:
        return [*(_field(each, telling) for each in asked), *signature(words, answered)]

    def request(answered: Told) -> Request:
        given = {each: answered[each] for each in asked if answered.get(each)}
        return Request(do, order | given | {"badge": answered["badge"], "pin": answered["pin"]})

    def done(raw: msgspec.Raw) -> Result:
        said = msgspec.json.decode(raw, type=_Done)
        lines = [told[f"did_{name}"], safe(said.message, SENTENCE_MAX_COLUMNS)]
        if said.scan is not None:
            lines.append(safe(said.scan.message, SENTENCE_MAX_COLUMNS))
        return Result("ok", lines)

    return Form(
        title=told[f"title_{name}"], what=what, fields=fields, request=request, answered=done
    )


def _field(name: str, telling: Telling) -> Field:
    told = telling.words.sections["approvals"].told
    if name == "situation":
        named = telling.words.approve.situations
        options = [Option(each, text) for each, text in named.items()]
        return Field(name=name, prompt=told["ask_situation"], kind="choice", options=options)
    hint = told.get(f"hint_{name}", "")
    return Field(name=name, prompt=told[f"ask_{name}"], hint=hint, optional=name not in _NEEDED)


def _what(row: ApprovalRow, telling: Telling) -> str:
    parts = (
        _situation(row, telling),
        safe(row.item, 24),
        safe(row.lot or row.work_order or "", 24),
    )
    return " · ".join(filter(None, parts))


APPROVALS: Final = Section(
    name="approvals",
    list_name="approvals",
    row=ApprovalRow,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    scopes=(
        Scope("open", {"kind": "question", "status": "open"}),
        Scope("standing", {"kind": "permit", "status": "standing"}),
        Scope("all"),
    ),
    actions=(
        Action(key="a", name="approve", form=partial(answer, approves=True)),
        Action(key="x", name="refuse", form=partial(answer, approves=False)),
        Action(key="n", name="grant", form=grant, needs_row=False),
        Action(key="e", name="end", form=end),
    ),
)
