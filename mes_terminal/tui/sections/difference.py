"""The section of the difference to upstream's stock: what explains it, the postings behind it.

Pure: a description for `list_page`. Opened from the outbox.
"""

from collections.abc import Sequence
from typing import Final

from mes_terminal.domain.reconcile import Behind, Difference, Summary
from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.outbox import what_text
from mes_terminal.tui.sections.section import (
    Action,
    Cell,
    Details,
    Go,
    Head,
    Line,
    Scope,
    Section,
)
from mes_terminal.tui.telling import Telling

PREFIX: Final = "io.mes-terminal."
SUFFIX: Final = ".v1"
FIGURE_COLUMNS: Final = 9


def line(row: Difference, telling: Telling) -> Line:
    """Return the line of an item, or of a lot."""
    name = " ".join(safe(each, 24) for each in (row.lot, row.serial) if each)
    unexplained: Emphasis = "plain" if row.is_explained else "alert"
    return Line(
        left=[
            Cell(safe(row.item, 24), 16, "strong"),
            Cell(name, 12),
            Cell(safe(row.uom or "", 8), emphasis="muted", wide=True),
        ],
        right=[
            _figure(row.difference, telling, "strong"),
            _figure(row.queued, telling, "muted"),
            _figure(row.in_exceptions, telling, "plain"),
            _figure(row.unexplained, telling, unexplained),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["difference"].told
    names = ("difference", "queued", "exceptions", "unexplained")
    return Line(
        left=[
            Cell(told["column_item"], 16),
            Cell(told["column_lot"], 12),
            Cell(told["column_uom"], wide=True),
        ],
        right=[Cell(told[f"column_{name}"], FIGURE_COLUMNS) for name in names],
    )


def story(row: Difference, _details: Details, telling: Telling) -> list[Piece]:
    """Return the sum in one sentence, and the postings behind it."""
    told = telling.words.sections["difference"].told
    names = {
        "item": " ".join(safe(each, 32) for each in (row.item, row.lot, row.serial) if each),
        "uom": safe(row.uom or "", 8),
        "upstream": telling.number(row.upstream),
        "station": telling.number(row.station),
        "queued": telling.number(row.queued),
        "exceptions": telling.number(row.in_exceptions),
        "unexplained": telling.number(row.unexplained),
    }
    pieces = [Piece(told["sum"].format(**names), "strong"), Piece(told["parts"].format(**names))]
    if not row.is_explained:
        pieces.append(Piece(told["why"].format(**names), "alert"))
    if row.postings:
        pieces += [Piece(""), Piece(told["behind"], "muted")]
        pieces += [_posting(each, telling) for each in row.postings]
    rest = row.postings_count - len(row.postings)
    return (
        [*pieces, Piece(told["more"].format(n=telling.number(rest)), "muted")] if rest else pieces
    )


def head(summary: Summary, telling: Telling) -> Sequence[str]:
    """Return how many are unexplained, and how old upstream's figures are."""
    told = telling.words.sections["difference"].told
    if summary.as_of is None:
        return [told["head_none"]]
    texts = [told["head_unexplained"].format(n=telling.number(summary.unexplained))]
    return [*texts, told["head_age"].format(age=telling.age(summary.as_of))]


def empty(summary: Summary | None, telling: Telling) -> str:
    """Return why nothing differs: the ERP has the same, or nobody has told what it has."""
    section = telling.words.sections["difference"]
    known = summary is None or summary.as_of is not None
    return section.empty if known else section.told["empty_none"]


def _figure(text: str, telling: Telling, emphasis: Emphasis) -> Cell:
    return Cell("" if text == "0" else telling.number(text), FIGURE_COLUMNS, emphasis)


def _posting(posting: Behind, telling: Telling) -> Piece:
    told = telling.words.sections["difference"].told
    outbox = telling.words.sections["outbox"].told
    name = f"status_{posting.status}"
    status = told.get(name) or outbox.get(name, safe(posting.status, 12))
    text = told["posting"].format(
        quantity=telling.number(posting.quantity),
        status=status,
        n=telling.number(posting.sequence),
        what=what_text(posting.type.removeprefix(PREFIX).removesuffix(SUFFIX), telling),
        subject=safe(posting.subject, 32),
    )
    return Piece(text, "alert" if posting.status == "refused" else "plain")


def _to_outbox(_row: Difference | None, _details: Details, _telling: Telling) -> Go:
    return Go("outbox")


DIFFERENCE: Final = Section(
    name="difference",
    list_name="desk_reconcile",
    count_list="desk_reconcile_count",
    head=Head("desk_reconcile_count", Summary, head),
    empty=empty,
    row=Difference,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    scopes=(
        Scope("differing", {"differing": "1"}),
        Scope("lots", {"by": "lot", "differing": "1"}),
        Scope("all"),
    ),
    takes={"item": str},
    actions=(Action(key="d", name="outbox", form=_to_outbox, needs_row=False),),
)
