"""The list of approvals: questions for a supervisor, and permits (BF-24), the newest first."""

from collections.abc import Iterator, Mapping
from typing import Final

from mes_terminal.domain.permits import ApprovalRow, status_of
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import approvals as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream
from mes_terminal.usecases.filters import whole_number

_FILTERS: Final = ("kind", "status", "text", "after", "limit")


def approvals(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[ApprovalRow]:
    """Yield what was asked and what was granted, the newest first, as it stands at `now`.

    Filters: `kind`, `status`, `text` (in any of its texts), `after` (a key), `limit`. Raises
    `InputError` for another one.
    """
    del rules
    for name in filters:
        if name not in _FILTERS:
            offered = ", ".join(_FILTERS)
            raise InputError(f"approvals has no filter {name!r}. It has: {offered}.")
    limit = whole_number("limit", filters["limit"]) if "limit" in filters else None
    asked = {name: filters.get(name) for name in ("kind", "text", "after")}
    wanted = filters.get("status")
    told = 0
    for row in stream(database, store.APPROVALS, asked):
        if limit is not None and told >= limit:
            return
        each = _question(row, now) if row[1] == "question" else _permit(row, now)
        if wanted in (None, each.status):
            told += 1
            yield each


def _question(row: tuple[object, ...], now: str) -> ApprovalRow:
    (key, kind, number, at, situation, item, lot, work_order, quantity, said, person, status, until,
     by, permit, *_) = row  # fmt: skip
    waits = status in ("open", "approved")
    return _row(
        key=key, kind=kind, id=number, at=at, situation=situation, item=item, lot=lot,
        work_order=work_order, quantity=quantity, said=said, person=person,
        status="expired" if waits and str(until) <= now else status, until=until, by=by,
        permit=permit, once=None, used=None, left=None, reason=None,
    )  # fmt: skip


def _permit(row: tuple[object, ...], now: str) -> ApprovalRow:
    (key, kind, number, at, situation, item, lot, work_order, micro, _, _, ended, until, by, _,
     once, used, uses, reason) = row  # fmt: skip
    whole = None if micro is None else int(str(micro))
    used_micro = int(str(used))
    status = status_of(
        ended=ended == "ended",
        until=str(until),
        quantity_micro=whole,
        used_micro=used_micro,
        once=bool(once),
        uses=int(str(uses)),
        now=now,
    )
    return _row(
        key=key, kind=kind, id=number, at=at, situation=situation, item=item, lot=lot,
        work_order=work_order, quantity=None if whole is None else format_quantity(whole),
        said=None, person=None, status=status, until=until, by=by, permit=number, once=bool(once),
        used=format_quantity(used_micro),
        left=None if whole is None else format_quantity(whole - used_micro), reason=reason,
    )  # fmt: skip


def _row(**fields: object) -> ApprovalRow:
    return ApprovalRow(**fields)  # type: ignore[arg-type]  # columns as SQLite types them
