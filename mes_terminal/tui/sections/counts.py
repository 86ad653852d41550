"""The section of counts: what is to be counted and why, what waits for a decision, what was
counted.

Enter on a difference that waits opens what ends its exception (BF-32, BF-23). Pure.
"""

from typing import Any, Final

from mes_terminal.domain.desk import ExceptionStory
from mes_terminal.domain.desk_entries import CountEntry
from mes_terminal.tui.forms import Form
from mes_terminal.tui.glyphs import RICH
from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.resolve_form import resolve_form
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.sections.section import Action, Cell, Details, Line, Scope, Section
from mes_terminal.tui.telling import Telling

STATE_COLUMNS: Final = 9
ITEM_COLUMNS: Final = 14
PLACE_COLUMNS: Final = 8
_EMPHASIS: Final[dict[str, Emphasis]] = {"waiting": "alert", "open": "strong", "due": "strong"}


def line(row: CountEntry, telling: Telling) -> Line:
    """Return the line of an item that is due, or of what a count of it came to."""
    told = telling.words.sections["counts"].told
    what = told[f"reason_{row.reason}"] if row.reason else safe(row.person or "", 20)
    difference = _signed(row.difference, telling)
    return Line(
        left=[
            Cell(told[f"state_{row.state}"], STATE_COLUMNS, _EMPHASIS.get(row.state, "muted")),
            Cell(safe(row.item, ITEM_COLUMNS), ITEM_COLUMNS, "strong"),
            Cell(safe(row.location, PLACE_COLUMNS), PLACE_COLUMNS),
            Cell(what, 0, "alert" if row.reason == "negative" else "plain"),
        ],
        right=[
            Cell(difference, 10, "strong" if row.state == "waiting" else "plain"),
            Cell(_signed(row.value, telling), 8, wide=True),
            Cell(telling.moment(row.counted_at or row.started_at), 7, "muted"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["counts"].told
    return Line(
        left=[
            Cell(told["column_state"], STATE_COLUMNS),
            Cell(told["column_item"], ITEM_COLUMNS),
            Cell(told["column_place"], PLACE_COLUMNS),
            Cell(told["column_what"]),
        ],
        right=[
            Cell(told["column_difference"], 10),
            Cell(told["column_value"], 8, wide=True),
            Cell(told["column_when"], 7),
        ],
    )


def story(row: CountEntry, _details: Details, telling: Telling) -> list[Piece]:
    """Return why it is to be counted and how, or what was counted against what was expected."""
    return _due_story(row, telling) if row.state == "due" else _counted_story(row, telling)


def _due_story(row: CountEntry, telling: Telling) -> list[Piece]:
    told, names = telling.words.sections["counts"].told, _names(row, telling)
    why = f"why_{row.reason}"
    if row.reason == "rhythm" and row.item_class is None:
        why = "why_rhythm_none"
    last = told["last"].format(**names) if row.counted_at else told["why_never"]
    pieces = [Piece(told["due"].format(**names), "strong")]
    if row.reason != "never":
        pieces.append(Piece(told[why].format(**names)))
    return [*pieces, Piece(last), Piece(""), Piece(told["how"].format(**names))]


def _counted_story(row: CountEntry, telling: Telling) -> list[Piece]:
    told, names = telling.words.sections["counts"].told, _names(row, telling)
    pieces = [Piece(told["described" if row.description else "named"].format(**names), "strong")]
    if row.difference is None:
        pieces.append(Piece(told["counting" if row.state == "open" else "dropped"]))
    else:
        way = "same" if row.difference == "0" else "less" if row.difference[0] == "-" else "more"
        emphasis: Emphasis = "plain" if way == "same" else "strong"
        pieces.append(Piece(told[way].format(**names), emphasis))
    if row.value is not None and row.difference != "0":
        pieces.append(Piece(told["worth"].format(**names)))
    pieces += [
        Piece(told[name].format(**names))
        for name, quantity in (("owed", row.owed), ("in_process", row.in_process))
        if row.difference is not None and quantity not in (None, "0")
    ]
    pieces.append(Piece(""))
    if row.state in ("waiting", "corrected", "refused"):
        pieces.append(Piece(told[row.state], "alert" if row.state == "waiting" else "plain"))
    if row.resolution:
        text = safe(row.resolution, SENTENCE_MAX_COLUMNS)
        pieces.append(Piece(told["resolution"].format(text=text)))
    by = told["by" if row.person else "by_nobody"].format(**names)
    ended = f" {told['ended'].format(time=telling.time(row.counted_at))}" if row.counted_at else ""
    return [*pieces, Piece(by + ended, "muted")]


def _names(row: CountEntry, telling: Telling) -> dict[str, Any]:
    return {
        "item": safe(row.item, 32),
        "description": safe(row.description, 60),
        "place": safe(row.location, 20),
        "uom": safe(row.uom, 8),
        "item_class": safe(row.item_class or "", 4),
        "counted": telling.number(row.counted or "0"),
        "expected": telling.number(row.expected or "0"),
        "difference": telling.number((row.difference or "0").lstrip("-")),
        "owed": telling.number(row.owed or "0"),
        "in_process": telling.number(row.in_process or "0"),
        "value": _signed(row.value, telling),
        "currency": safe(row.currency or "", 4),
        "count": row.count,
        "person": safe(row.person or "", 24),
        "time": telling.time(row.started_at or row.counted_at),
        "age": telling.age(row.counted_at) if row.counted_at else "",
    }


def _signed(text: str | None, telling: Telling) -> str:
    """Return a difference with its sign: what is more is as plain as what is less."""
    if text is None or text.strip("0.") == "":
        return telling.number(text) if text else ""
    return telling.number(text) if text.startswith("-") else f"+{telling.number(text)}"


def resolve(row: CountEntry, _details: Details, telling: Telling) -> Form | None:
    """Return the form that ends the exception of a difference; none where nothing waits."""
    if row.exception is None or row.state != "waiting":
        return None
    waiting = ExceptionStory(
        id=row.exception,
        kind="count_variance",
        status="open",
        severity="warn",
        work_order=None,
        line=None,
        item=row.item,
        lot=None,
        quantity=(row.difference or "").lstrip("-"),
        uom=row.uom,
        tracking=None,
        location=row.location,
        opened_at=row.counted_at or "",
        person=row.person,
        cause=None,
        suggestions=[],
        resolution=None,
    )
    return resolve_form([waiting], 1, telling.words, RICH)


COUNTS: Final = Section(
    name="counts",
    list_name="desk_counts",
    count_list="desk_counts_count",
    row=CountEntry,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    scopes=(Scope("open", {"open": "1"}), Scope("all")),
    takes={"item": str, "location": str},
    actions=(Action(key="r", name="resolve", form=resolve),),
)
