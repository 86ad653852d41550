"""The section of shifts: what is open now, the sign-off by badge and PIN, what was signed off.

A shift ends with zero open, or with what is open handed over by name. Pure: a description for
`list_page`.
"""

from typing import Any, Final

import msgspec

from mes_terminal.domain.desk_entries import ShiftEntry
from mes_terminal.domain.shift_report import ShiftNow, ShiftReport
from mes_terminal.tui import present_shift
from mes_terminal.tui.forms import Field, Form, Option, Request, Result, Told, signature
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.section import Action, Cell, Details, Line, Section
from mes_terminal.tui.telling import Telling

DAY_COLUMNS: Final = 10
SHIFT_COLUMNS: Final = 12


def line(row: ShiftEntry, telling: Telling) -> Line:
    """Return the line of a shift: the day, its name, how much was open, who signed."""
    told = telling.words.sections["shifts"].told
    ended, shift = row.ended, _as_now(row)
    n = shift.open.exceptions_open
    is_now = ended is None
    open_text = told["zero"] if shift.zero_open else telling.number(n)
    return Line(
        left=[
            Cell(_day(shift.production_day), DAY_COLUMNS, "strong" if is_now else "plain"),
            Cell(safe(shift.shift or "-", SHIFT_COLUMNS), SHIFT_COLUMNS),
            Cell(told["now"] if ended is None else safe(ended.person_name, 20), 0,
                 "strong" if is_now else "plain"),
        ],
        right=[
            Cell(telling.number(shift.totals.reports), 9),
            Cell(open_text, 9, "plain" if shift.zero_open else "alert" if is_now else "strong"),
            Cell(telling.moment(shift.at) if ended is not None else "", 7, "muted"),
        ],
    )  # fmt: skip


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["shifts"].told
    return Line(
        left=[
            Cell(told["column_day"], DAY_COLUMNS),
            Cell(told["column_shift"], SHIFT_COLUMNS),
            Cell(told["column_by"]),
        ],
        right=[
            Cell(told["column_reports"], 9),
            Cell(told["column_open"], 9),
            Cell(told["column_ended"], 7),
        ],
    )


def story(row: ShiftEntry, _details: Details, telling: Telling) -> list[Piece]:
    """Return what was open and done; of a signed one who signed, and the hash that anchors it."""
    words, told = telling.words, telling.words.sections["shifts"].told
    shift = _as_now(row)
    pieces = [Piece(present_shift.shift_name(shift, words, telling.zone), "strong")]
    pieces += [
        Piece(f"{label}: {piece.text}", piece.emphasis)
        for label, piece in present_shift.open_rows(shift, words)
    ]
    if row.ended is not None:
        pieces.append(Piece(""))
        return pieces + [Piece(text) for text in present_shift.signed_lines(row.ended, words)]
    if shift.blocked is not None:
        return [*pieces, Piece(""), Piece(words.shift.blocked)]
    unnamed = shift.open.unnamed
    todo = told["hand_over"].format(n=unnamed) if unnamed else told["sign"]
    return [*pieces, Piece(""), Piece(todo, "alert" if unnamed else "plain")]


def _as_now(row: ShiftEntry) -> ShiftNow:
    """Return a shift as if it were to be ended, whichever it is."""
    if row.at_hand is not None:
        return row.at_hand
    ended = row.ended
    assert ended is not None
    return ShiftNow(
        production_day=ended.production_day,
        shift=ended.shift,
        began_at=ended.began_at,
        at=ended.ended_at,
        blocked=None,
        zero_open=ended.open.is_nothing,
        open=ended.open,
        totals=ended.totals,
    )


def _day(text: str) -> str:
    return safe(f"{text[:4]}-{text[4:6]}-{text[6:]}", DAY_COLUMNS)


def end(row: ShiftEntry, _details: Details, telling: Telling) -> Form | None:
    """Return the form that signs the shift off; who takes over what is open is asked by badge."""
    shift = row.at_hand
    if shift is None:
        return None
    words, told = telling.words, telling.words.sections["shifts"].told
    n = shift.open.unnamed

    def fields(answered: Told) -> list[Field]:
        sure = Field(
            name="sure", prompt="", kind="choice",
            options=[Option("yes", told["sign_open" if n else "sign_zero"].format(n=n))],
        )  # fmt: skip
        taker = [Field(name="taker", prompt=words.shift.asks["taker"])] if n else []
        return [sure, *taker, *signature(words, answered)]

    def request(answered: Told) -> Request:
        params: dict[str, Any] = {"badge": answered["badge"], "pin": answered["pin"]}
        return Request("end_shift", params | {"hand_over": answered.get("taker")})

    def done(raw: msgspec.Raw) -> Result:
        report = msgspec.json.decode(raw, type=ShiftReport)
        return Result("ok", present_shift.signed_lines(report, words))

    return Form(
        title=words.shift.title,
        what=present_shift.shift_name(shift, words, telling.zone),
        fields=fields,
        request=request,
        answered=done,
        only_told="" if shift.blocked is None else words.shift.blocked,
    )


SHIFTS: Final = Section(
    name="shifts",
    list_name="desk_shifts",
    row=ShiftEntry,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    finds_text=False,
    actions=(Action(key="e", name="end", form=end),),
)
