"""The section of the outbox: what is to go upstream, what stands in its way, the document itself.

Pure: a description for `list_page`.
"""

from collections.abc import Sequence
from typing import Any, Final

from mes_terminal.domain.desk_entries import OutboxHead, Posting, PostingDocument
from mes_terminal.tui.present_document import json_lines
from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.sections.section import (
    Action,
    Cell,
    Detail,
    Details,
    Go,
    Head,
    Line,
    Scope,
    Section,
)
from mes_terminal.tui.telling import Telling

_EMPHASIS: Final[dict[str, Emphasis]] = {
    "waiting": "plain",
    "delivered": "muted",
    "refused": "alert",
    "parked": "strong",
}


def line(row: Posting, telling: Telling) -> Line:
    """Return the line of a posting, or how far was looked."""
    section = telling.words.sections["outbox"]
    if row.looked is not None:
        return Line(left=[Cell(_looked(row, telling), 0, "muted")])
    emphasis = _EMPHASIS.get(row.status, "plain")
    return Line(
        left=[
            Cell(telling.number(row.sequence), 8, "muted"),
            Cell(section.told[f"status_{row.status}"], 9, emphasis),
            Cell(what_text(row.type, telling), 22),
            Cell(_subject(row, telling, 24), 0, "strong"),
        ],
        right=[
            Cell(telling.number(row.attempts) if row.attempts else "", 5),
            Cell(telling.moment(row.delivered_at or row.queued_at), 7, "muted"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["outbox"].told
    return Line(
        left=[
            Cell(told["column_sequence"], 8),
            Cell(told["column_status"], 9),
            Cell(told["column_what"], 22),
            Cell(told["column_subject"]),
        ],
        right=[Cell(told["column_attempts"], 5), Cell(told["column_when"], 7)],
    )


def what_text(kind: str, telling: Telling) -> str:
    """Return what an event is called; one of a newer core by its type."""
    return telling.words.sections["audit"].told.get(f"type_{kind}", safe(kind, 32))


def story(row: Posting, details: Details, telling: Telling) -> list[Piece]:
    """Return how it stands with a posting, then its document as it is sent."""
    told = telling.words.sections["outbox"].told
    if row.looked is not None:
        return [Piece(_looked(row, telling), "muted")]
    names = {
        "n": telling.number(row.sequence),
        "what": what_text(row.type, telling),
        "subject": _subject(row, telling, 40),
        "time": telling.time(row.delivered_at or row.queued_at),
        "age": telling.age(row.queued_at),
    }
    found: list[PostingDocument] = details.get("document", [])
    is_let_go = any(each.let_go for each in found)
    emphasis: Emphasis = "alert" if row.status == "refused" and not is_let_go else "plain"
    status = "let_go" if is_let_go else row.status
    pieces = [
        Piece(told["head"].format(**names), "strong"),
        Piece(told[f"is_{status}"].format(**names), emphasis),
    ]
    for each in found:
        pieces += _upstream(each, telling)
    if row.attempts:
        form = told["try" if row.attempts == 1 else "tries"]
        pieces.append(Piece(form.format(n=telling.number(row.attempts))))
    if row.status == "waiting" and telling.upstream_trouble:
        text = safe(telling.upstream_trouble, SENTENCE_MAX_COLUMNS)
        pieces.append(Piece(told["nothing_sent"].format(text=text), "alert"))
    elif row.last_error:
        text = safe(row.last_error, SENTENCE_MAX_COLUMNS)
        pieces.append(Piece(told["error"].format(text=text), emphasis))
    pieces += [Piece(""), Piece(told["size"].format(n=telling.number(row.bytes)), "muted")]
    for each in found:
        pieces += json_lines(each.document, told)
    return pieces


def _subject(row: Posting, telling: Telling, columns: int) -> str:
    """Return what a posting is about; the kind of an exception by its name."""
    kinds = telling.words.desk.kinds if row.type.startswith("exception.") else {}
    return kinds.get(row.subject) or safe(row.subject, columns)


def _upstream(found: PostingDocument, telling: Telling) -> list[Piece]:
    """Return what the receiver made of it, and what it waits for."""
    told = telling.words.sections["outbox"].told
    pieces = []
    if found.behind is not None:
        pieces.append(Piece(told["is_behind"].format(n=telling.number(found.behind)), "alert"))
    if found.upstream_document is not None:
        text = safe(found.upstream_document, 64)
        pieces.append(Piece(told["upstream_document"].format(text=text)))
    return pieces


def head(found: OutboxHead, telling: Telling) -> Sequence[str]:
    """Return what a person has to mend first: how many were refused and parked, and whether
    upstream has the same stock; then since when the oldest waits, and how many wait if not all."""
    told, totals = telling.words.sections["outbox"].told, found.totals
    counts = [("refused", totals.refused), ("parked", totals.parked)]
    texts = [told[f"head_{name}"].format(n=telling.number(n)) for name, n in counts if n]
    waiting = [told["head_waiting"].format(n=telling.number(totals.waiting))] if texts else []
    if found.differing is not None:
        texts.append(_difference(found.differing, found.unexplained or 0, telling))
    if totals.oldest_at is not None:
        texts.append(told["head_oldest"].format(age=telling.age(totals.oldest_at)))
    return texts + waiting


def _difference(differing: int, unexplained: int, telling: Telling) -> str:
    told = telling.words.sections["outbox"].told
    names = {"n": telling.number(differing), "unexplained": telling.number(unexplained)}
    if unexplained:
        return told["head_unexplained"].format(**names)
    return told["head_explained" if differing else "head_agrees"].format(**names)


def _looked(row: Posting, telling: Telling) -> str:
    assert row.looked is not None
    told = telling.words.sections["outbox"].told
    return told["looked"].format(
        n=telling.number(row.looked.at), total=telling.number(row.looked.total)
    )


def _of_posting(row: Posting | None) -> dict[str, Any] | None:
    if row is None or row.looked is not None:
        return None
    return {"sequence": str(row.sequence)}


def _to_difference(_row: Posting | None, _details: Details, _telling: Telling) -> Go:
    return Go("difference")


OUTBOX: Final = Section(
    name="outbox",
    list_name="desk_outbox",
    count_list="desk_outbox_count",
    head=Head("desk_outbox_head", OutboxHead, head),
    row=Posting,
    key=lambda row: str(row.sequence),
    line=line,
    columns=columns,
    story=story,
    scopes=(Scope("open", {"open": "1"}), Scope("all")),
    details=(
        Detail(name="document", list_name="desk_posting", params=_of_posting, kind=PostingDocument),
    ),
    actions=(Action(key="d", name="difference", form=_to_difference, needs_row=False),),
)
