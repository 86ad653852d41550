"""The section of people: who may work here, who has a PIN, and what a supervisor changes of that.

A badge and PIN sign each change, but for the first PIN of a station that is being set up. No PIN is
ever told: it goes from the form into the request.
"""

from functools import partial
from typing import Any, Final, get_args

import msgspec

from mes_terminal.domain.desk_entries import DeskPerson, PeopleTotals
from mes_terminal.domain.people import Role
from mes_terminal.tui.forms import Field, Form, Option, Request, Result, Told, signature
from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.list_page import ListPage
from mes_terminal.tui.sections.page import Desk
from mes_terminal.tui.sections.section import Action, Cell, Details, Head, Line, Scope, Section
from mes_terminal.tui.telling import Telling

NAME_COLUMNS: Final = 24
LANGUAGES: Final = ("en", "de")


def line(row: DeskPerson, telling: Telling) -> Line:
    """Return the line of a person."""
    told = telling.words.sections["people"].told
    state, emphasis = _state(row, telling)
    return Line(
        left=[
            Cell(safe(row.badge, 12), 12, "muted" if row.disabled_at else "strong"),
            Cell(safe(row.name, NAME_COLUMNS), NAME_COLUMNS),
            Cell(told[f"role_{row.role}"], 12),
            Cell(told[state], 0, emphasis),
        ],
        right=[Cell(telling.moment(row.seen_at), 7, "muted")],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["people"].told
    return Line(
        left=[
            Cell(told["column_badge"], 12),
            Cell(told["column_name"], NAME_COLUMNS),
            Cell(told["column_role"], 12),
            Cell(told["column_state"]),
        ],
        right=[Cell(told["column_seen"], 7)],
    )


def story(row: DeskPerson, details: Details, telling: Telling) -> list[Piece]:
    """Return what a person may do here, and whether they can sign."""
    told = telling.words.sections["people"].told
    names = {
        "name": safe(row.name, 40),
        "badge": safe(row.badge, 40),
        "role": told[f"role_{row.role}"],
        "language": told.get(f"language_{row.language}", safe(row.language or "", 8)),
        "time": telling.time(row.seen_at),
        "until": telling.time(row.locked_until),
        "disabled": telling.time(row.disabled_at),
    }
    pieces = [Piece(told["head"].format(**names), "strong"), Piece(told[f"may_{row.role}"])]
    if row.disabled_at is not None:
        pieces.append(Piece(told["disabled"].format(**names), "alert"))
    elif _is_locked(row, telling):
        pieces.append(Piece(told["locked"].format(**names), "alert"))
    else:
        pieces.append(Piece(told["has_pin" if row.has_pin else "has_no_pin"]))
    pieces.append(Piece(told["speaks" if row.language else "speaks_any"].format(**names)))
    pieces.append(Piece(told["seen" if row.seen_at else "never_seen"].format(**names)))
    if not _is_set_up(details):
        pieces += [Piece(""), Piece(told["set_up"], "alert")]
    return pieces


def _state(row: DeskPerson, telling: Telling) -> tuple[str, Emphasis]:
    if row.disabled_at is not None:
        return "state_disabled", "muted"
    if _is_locked(row, telling):
        return "state_locked", "alert"
    return ("state_pin", "plain") if row.has_pin else ("state_no_pin", "muted")


def _is_locked(row: DeskPerson, telling: Telling) -> bool:
    return row.locked_until is not None and not telling.is_past(row.locked_until)


def _is_set_up(details: Details) -> bool:
    """Tell whether a supervisor has a PIN; until the core has said so, one has."""
    totals: PeopleTotals | None = details.get("totals")
    return totals is None or totals.is_set_up


# What a supervisor changes -----------------------------------------------------------------------


def set_pin(row: DeskPerson, details: Details, telling: Telling) -> Form | None:
    """Return the form that gives a person a PIN: they type it themselves, twice."""
    if row.disabled_at is not None:
        return None
    told, is_set_up = telling.words.sections["people"].told, _is_set_up(details)
    if not is_set_up and row.role != "supervisor":
        return _only(told["first_pin"], row, telling)

    def fields(answered: Told) -> list[Field]:
        name = safe(row.name, NAME_COLUMNS)
        new = Field(name="new_pin", prompt=told["new_pin"].format(name=name), kind="pin")
        again = Field(name="new_pin_again", prompt=told["again"].format(name=name), kind="pin")
        return [*(signature(telling.words, answered) if is_set_up else []), new, again]

    return _form("set_pin", row, fields, {"change": "pin", "badge": row.badge}, telling)


def add(_row: DeskPerson | None, details: Details, telling: Telling) -> Form | None:
    """Return the form that adds a person, or lets a disabled one come back."""
    words, told = telling.words, telling.words.sections["people"].told
    is_set_up = _is_set_up(details)

    def fields(answered: Told) -> list[Field]:
        roles = [Option(role, told[f"role_{role}"]) for role in get_args(Role)]
        languages = [Option(each, told[f"language_{each}"]) for each in LANGUAGES]
        return [
            Field(name="person", prompt=told["new_badge"], hint=told["new_badge_hint"]),
            Field(name="name", prompt=told["new_name"]),
            Field(name="role", prompt=told["new_role"], kind="choice", options=roles),
            Field(name="language", prompt=told["new_language"], kind="choice", options=languages),
            *(signature(words, answered) if is_set_up else []),
        ]

    return _form("add", None, fields, {"change": "add"}, telling)


def disable(row: DeskPerson, details: Details, telling: Telling) -> Form | None:
    """Return the form that disables a person; nobody is ever deleted."""
    if row.disabled_at is not None:
        return None
    if not _is_set_up(details):
        return _only(telling.words.sections["people"].told["set_up"], row, telling)
    fields = partial(signature, telling.words)
    return _form("disable", row, fields, {"change": "disable", "badge": row.badge}, telling)


def _form(
    name: str, row: DeskPerson | None, fields: Any, change: dict[str, str], telling: Telling
) -> Form:
    told = telling.words.sections["people"].told

    def request(answered: Told) -> Request:
        params: dict[str, Any] = dict(change)
        for key, field in (("badge", "person"), ("name", "name"), ("role", "role"),
                           ("language", "language"), ("new_pin", "new_pin"),
                           ("new_pin_again", "new_pin_again"), ("by", "badge"),
                           ("pin", "pin")):  # fmt: skip
            if field in answered:
                params[key] = answered[field]
        return Request("people", params)

    def answered_by(_: msgspec.Raw) -> Result:
        return Result("ok", [told[f"did_{name}"]])

    return Form(
        title=told[f"title_{name}"],
        what=_what(row),
        fields=fields,
        request=request,
        answered=answered_by,
    )


def _only(sentence: str, row: DeskPerson, telling: Telling) -> Form:
    def nothing(_: Told) -> list[Field]:
        return []

    def request(_: Told) -> Request:
        raise AssertionError("nothing is asked, so nothing is sent")

    return Form(
        title=telling.words.sections["people"].title,
        what=_what(row),
        fields=nothing,
        request=request,
        answered=lambda _: Result("stop", []),
        only_told=sentence,
    )


def _what(row: DeskPerson | None) -> str:
    return "" if row is None else f"{safe(row.name, 40)} · {safe(row.badge, 32)}"


PEOPLE: Final = Section(
    name="people",
    list_name="desk_people",
    count_list="desk_people_count",
    row=DeskPerson,
    key=lambda row: row.badge,
    line=line,
    columns=columns,
    story=story,
    scopes=(Scope("enabled", {"enabled": "1"}), Scope("all")),
    takes={"badge": str},
    head=Head("desk_people_count", PeopleTotals, lambda _totals, _telling: ()),
    actions=(
        Action(key="p", name="pin", form=set_pin),
        Action(key="a", name="add", form=add, needs_row=False),
        Action(key="d", name="disable", form=disable),
    ),
)


class PeoplePage(ListPage):
    """All people; what a key does depends on whether the station is set up."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, PEOPLE)

    def _details_at_hand(self) -> dict[str, Any]:
        return super()._details_at_hand() | {"totals": self._head}
