"""Exceptions as lines in the person's language: the heading, groups, the rows of a group.

Takes the values of `domain.desk`, gives texts that are safe to draw. Pure; called by the page of
exceptions and by the dialog that resolves. `present_story` tells the story of one.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from msgspec import Struct

from mes_terminal.domain.desk import ExceptionStory, GroupBy, KindGroup
from mes_terminal.tui.figures import number
from mes_terminal.tui.present_view import Emphasis
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.telling import Telling
from mes_terminal.tui.words import Words

_GRAVITY: Final[dict[str, Emphasis]] = {"stop": "alert", "warn": "strong", "info": "plain"}


class GroupLine(Struct, frozen=True):
    """One group: what, how many, how old, what it is worth; `emphasis` is `alert` for what stops
    the line."""

    name: str
    count: str
    age: str
    emphasis: Emphasis
    late: str = ""
    """How many are past their due time, in words; empty for none."""
    value: str = ""


class RowLine(Struct, frozen=True):
    """One exception of a group."""

    time: str
    order: str
    what: str
    quantity: str
    emphasis: Emphasis
    late: str = ""
    """That it is past its due time, in a word."""
    due: str = ""
    """Until when it is due."""
    value: str = ""


def heading_texts(groups: Sequence[KindGroup], telling: Telling, *, only_open: bool) -> list[str]:
    """Return how many there are, how many are late, how old the oldest is, what all are worth."""
    told = telling.words.desk
    if not groups:
        return [told.nothing]
    count = sum(group.count for group in groups)
    texts = [(told.open if only_open else told.in_all).format(n=telling.number(count))]
    late = sum(group.overdue for group in groups)
    if late:
        texts.append(told.late_count.format(n=telling.number(late)))
    worth = total_worth(groups)
    if worth is not None:
        texts.append(told.worth.format(value=telling.number(worth[0]), currency=worth[1]))
    oldest = min(group.oldest_at for group in groups)
    return [*texts, told.oldest.format(age=telling.age(oldest))]


def total_worth(groups: Sequence[KindGroup]) -> tuple[str, str] | None:
    """Return what groups are worth together, and in what; `None` where nobody knows."""
    known = [group for group in groups if group.value is not None]
    try:
        total = sum((Decimal(group.value or "0") for group in known), Decimal(0))
    except InvalidOperation:
        return None
    return (str(total), safe(known[0].currency or "", 4)) if known else None


def group_line(group: KindGroup, by: GroupBy, telling: Telling) -> GroupLine:
    """Return the line of a group."""
    late = telling.words.desk.late_count.format(n=telling.number(group.overdue))
    return GroupLine(
        group_name(group, by, telling.words),
        telling.number(group.count),
        telling.age(group.oldest_at),
        _GRAVITY.get(group.severity, "plain"),
        late if group.overdue else "",
        telling.number(group.value) if group.value is not None else "",
    )


def group_name(group: KindGroup, by: GroupBy, words: Words) -> str:
    """Return what a group is called: its kind, its cause, whose it is, or its order."""
    told = words.desk
    match by:
        case "kind":
            return kind_text(group.kind, words)
        case "cause":
            cause = told.causes_short.get(group.cause_code or "", kind_text(group.kind, words))
            return f"{safe(group.item, 16)}: {cause}" if group.item else cause
        case "owner":
            return safe(group.owner, 24) if group.owner else told.nobodys
        case "order":
            return safe(group.work_order, 24) if group.work_order else told.no_order


def kind_text(kind: str, words: Words) -> str:
    """Return what a kind is called; one of a newer core by its word."""
    return words.desk.kinds.get(kind, safe(kind, 20))


def row_line(row: ExceptionStory, by: GroupBy, telling: Telling) -> RowLine:
    """Return the line of an exception: of today with the time, else with the day.

    Where the group does not say its kind, the line does.
    """
    words = telling.words
    what = safe(row.item or row.cause or "", 32)
    if by in ("owner", "order"):
        what = f"{kind_text(row.kind, words)} {what}".rstrip()
    late = row.status == "open" and telling.is_past(row.due_at)
    due = words.desk.late_since if late else words.desk.due
    return RowLine(
        telling.moment(row.opened_at),
        safe(row.work_order or "", 16) if by != "order" else "",
        what,
        quantity_text(row, words) if row.item else "",
        "strong" if row.status == "open" else "muted",
        words.desk.late if late else "",
        due.format(time=telling.moment(row.due_at)) if row.due_at and row.status == "open" else "",
        telling.number(row.value) if row.value is not None else "",
    )


def quantity_text(row: ExceptionStory, words: Words) -> str:
    """Return what is open of an exception with its unit."""
    if row.quantity is None:
        return ""
    unit = f" {safe(row.uom, 8)}" if row.uom and row.item else ""
    return f"{number(row.quantity, words)}{unit}"
