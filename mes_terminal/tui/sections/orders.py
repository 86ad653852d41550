"""The section of orders: the queue in its sequence, and for one order what a close would do now.

The model of a described section: a row, a line, a story, details that are asked when the cursor
rests.
"""

from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.desk_plant import QueuedOrder
from mes_terminal.domain.view import PreflightView
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.section import (
    Action,
    Cell,
    Detail,
    Details,
    Go,
    Line,
    Scope,
    Section,
)
from mes_terminal.tui.telling import Telling

LINES_MAX: Final = 12
"""Lines of an order that its story names; those that owe something come first."""
REPORTS_MAX: Final = 5
SHORTAGES_MAX: Final = 6
_CAN_CLOSE: Final = ("released", "started")


class OrderLine(Struct, frozen=True):
    """One row of the list `order_lines`."""

    line: str
    component: str
    quantity: str
    uom: str
    issued: str
    owed: str


class Report(Struct, frozen=True):
    """One row of the list `order_reports`."""

    kind: str
    quantity: str
    person: str | None
    event_time: str
    status: str


def line(row: QueuedOrder, telling: Telling) -> Line:
    """Return the line of an order."""
    told = telling.words.sections["orders"].told
    done = f"{telling.number(row.completed)}/{telling.number(row.quantity)}"
    late = is_late(row, telling)
    due = (
        f"{told['late_sign']} {telling.moment(row.due_at)}" if late else telling.moment(row.due_at)
    )
    exceptions = telling.number(row.exceptions) if row.exceptions else ""
    return Line(
        left=[
            Cell(safe(row.work_order, 16), 12, "strong"),
            Cell(_status(row, telling), 9, "plain" if row.status in _CAN_CLOSE else "muted"),
            Cell(safe(row.item, 24), 16),
            Cell(safe(row.description, 48), emphasis="muted", wide=True),
        ],
        right=[
            Cell(done, 11),
            Cell(due, 11, "alert" if late else "plain"),
            Cell(exceptions, 4, "alert" if row.stops else "strong"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["orders"].told
    return Line(
        left=[
            Cell(told["column_order"], 12),
            Cell(told["column_status"], 9),
            Cell(told["column_item"], 16),
        ],
        right=[
            Cell(told["column_done"], 11),
            Cell(told["column_due"], 11),
            Cell(told["column_open"], 4),
        ],
    )


def story(row: QueuedOrder, details: Details, telling: Telling) -> list[Piece]:
    """Return what the order makes, how far it is, what a close would do, its lines and reports."""
    told = telling.words.sections["orders"].told
    names = {
        "quantity": telling.number(row.quantity),
        "uom": safe(row.uom, 8),
        "item": safe(row.item, 32),
        "description": safe(row.description, 60),
        "good": telling.number(row.completed),
        "scrapped": telling.number(row.scrapped),
        "remaining": telling.number(row.remaining),
        "sequence": row.sequence,
        "time": telling.time(row.due_at),
        "n": telling.number(row.exceptions),
    }
    makes = told["makes" if row.description else "makes_item"]
    head = f"{safe(row.work_order, 32)}: {_status(row, telling)}"
    pieces = [
        Piece(head, "strong"),
        Piece(makes.format(**names)),
        Piece(told["done"].format(**names)),
    ]
    if row.due_at is not None:
        late = is_late(row, telling)
        text = told["late" if late else "due"].format(**names)
        pieces.append(Piece(text, "alert" if late else "plain"))
    if row.sequence is not None:
        pieces.append(Piece(told["queue"].format(**names)))
    if row.exceptions:
        text = told["exception" if row.exceptions == 1 else "exceptions"].format(**names)
        pieces.append(Piece(text, "alert" if row.stops else "strong"))
    pieces += _close_now(row, details, telling)
    pieces += _lines(details, telling)
    return pieces + _reports(details, telling)


def is_late(row: QueuedOrder, telling: Telling) -> bool:
    """Tell whether it should have been done by now."""
    return row.status in ("planned", "hold", *_CAN_CLOSE) and telling.is_past(row.due_at)


def _status(row: QueuedOrder, telling: Telling) -> str:
    told = telling.words.sections["orders"].told
    return told.get(f"state_{row.status}", safe(row.status, 11))


def _close_now(row: QueuedOrder, details: Details, telling: Telling) -> list[Piece]:
    told, flight = telling.words.sections["orders"].told, details.get("preflight")
    if flight is None or row.status not in _CAN_CLOSE:
        return []
    n, rest = telling.number(flight.lines_post), telling.number(flight.lines_short)
    pieces = [Piece(""), Piece(told["close_now"], "muted")]
    if not flight.lines_post and not flight.lines_short:
        return [*pieces, Piece(told["nothing_left"])]
    if not flight.lines_short:
        return [*pieces, Piece(told["all_post"].format(n=n))]
    pieces.append(Piece(told["some_post"].format(n=n, rest=rest), "strong"))
    return pieces + [Piece(f"- {safe(each, 80)}") for each in flight.shortages[:SHORTAGES_MAX]]


def _lines(details: Details, telling: Telling) -> list[Piece]:
    told = telling.words.sections["orders"].told
    lines: list[OrderLine] = details.get("lines", [])
    if not lines:
        return []
    pieces = [Piece(""), Piece(told["lines"], "muted")]
    owing_first = sorted(lines, key=lambda each: each.owed == "0")
    for each in owing_first[:LINES_MAX]:
        owes = each.owed != "0"
        text = told["line_owed" if owes else "line"].format(
            line=safe(each.line, 8),
            component=safe(each.component, 24),
            issued=telling.number(each.issued),
            quantity=telling.number(each.quantity),
            uom=safe(each.uom, 8),
            owed=telling.number(each.owed),
        )
        pieces.append(Piece(text, "strong" if owes else "plain"))
    rest = len(lines) - LINES_MAX
    return [*pieces, Piece(told["more_lines"].format(n=rest), "muted")] if rest > 0 else pieces


def _reports(details: Details, telling: Telling) -> list[Piece]:
    told = telling.words.sections["orders"].told
    reports: list[Report] | None = details.get("reports")
    if reports is None:
        return []
    pieces = [Piece(""), Piece(told["reports"], "muted")]
    if not reports:
        return [*pieces, Piece(told["no_reports"])]
    for each in reports[: -REPORTS_MAX - 1 : -1]:
        form = told["report_back" if each.status == "taken back" else "report"]
        pieces.append(Piece(form.format(
            time=telling.moment(each.event_time),
            kind=told.get(f"kind_{each.kind}", safe(each.kind, 16)),
            quantity=telling.number(each.quantity),
            person=safe(each.person or "", 24),
        ).rstrip()))  # fmt: skip
    return pieces


def _of_order(row: QueuedOrder | None) -> dict[str, Any] | None:
    return None if row is None else {"work_order": row.work_order}


def _to_close(row: QueuedOrder | None) -> dict[str, Any] | None:
    return _of_order(row) if row is not None and row.status in _CAN_CLOSE else None


def _to_exceptions(row: QueuedOrder, _details: Details, _telling: Telling) -> Go | None:
    return Go("exceptions", row.work_order) if row.exceptions else None


ORDERS: Final = Section(
    name="orders",
    list_name="desk_orders",
    count_list="desk_orders_count",
    row=QueuedOrder,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    scopes=(Scope("open", {"open": "1"}), Scope("late", {"late": "1"}), Scope("all")),
    takes={"order": str, "item": str},
    actions=(Action(key="e", name="exceptions", form=_to_exceptions),),
    details=(
        Detail(name="preflight", do="preflight", params=_to_close, kind=PreflightView),
        Detail(name="lines", list_name="order_lines", params=_of_order, kind=OrderLine),
        Detail(name="reports", list_name="order_reports", params=_of_order, kind=Report),
    ),
)
