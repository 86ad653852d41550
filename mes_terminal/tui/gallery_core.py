"""A core for pictures and tests of the desk: exceptions that end, and lists of any rows.

Only `CoreLink` is played: rows come in pages as a core sends them, and what was asked is kept.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.desk import ExceptionStory, KindGroup
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.resolving import Assigned, Resolved
from mes_terminal.domain.view import StationView
from mes_terminal.errors import CoreError, InputError

LINK_PAGE_ROWS: Final = 200
"""A core sends no more rows at a time (`link.protocol`)."""
REASONS: Final = [
    {"code": "FOUND", "kind": "write_off", "description": "found in the scrap"},
    {"code": "SEEN", "kind": "write_off", "description": "seen to, nothing to post"},
    {"code": "BURR", "kind": "scrap", "description": "burr"},
]


class DeskCore:
    """A core of exceptions and of `lists`."""

    def __init__(
        self,
        view: StationView,
        rows: list[ExceptionStory],
        lists: Mapping[str, Sequence[Struct]] | None = None,
    ) -> None:
        self.view, self.rows = view, rows
        self.lists: dict[str, Sequence[Any]] = dict(lists or {})
        """Rows with a `key` are paged by it; those of a `*_count` are counted."""
        self.answers: dict[str, object] = {}
        """What a request is answered, by its name."""
        self.meanings: dict[str, list[dict[str, str]]] = {}
        """What codes name."""
        self.away = False
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """Every list and request, but for the view."""
        self.refusals: dict[int, str] = {}
        """What stays open, and why."""
        self.pin = "4711"

    async def open(self) -> None:
        """Attach, unless it is away."""
        self._check()

    async def close(self) -> None:
        """Nothing to leave."""

    async def request(self, do: str, **params: Any) -> msgspec.Raw:
        """Answer `view`, `resolve`, `assign` and those of `answers`."""
        self._check()
        if do == "view":
            return encoded(self.view)
        self.asked.append((do, params))
        if params.get("pin", self.pin) != self.pin:
            sentence = f"That is not the PIN of {params['badge']}. Nothing was done."
            raise InputError(sentence, reason="not_authorised")
        if do == "resolve":
            return self._resolve(params)
        if do == "assign":
            return encoded([Assigned(id=n, outcome="assigned", message="") for n in params["ids"]])
        if do not in self.answers:
            raise InputError(f"The station knows no request {do!r}.", reason="protocol")
        return encoded(self.answers[do])

    async def pages(self, do: str, **params: Any) -> AsyncIterator[list[msgspec.Raw]]:
        """Answer the lists of the desk, and what codes name."""
        self._check()
        if do == "decode":
            yield [encoded(each) for each in self.meanings.get(_text(params["hex"]), [])]
            return
        name, filters = params["name"], params.get("filters", {})
        self.asked.append((name, filters))
        rows = self._listed(name, filters)
        for first in range(0, len(rows), LINK_PAGE_ROWS):
            yield [encoded(each) for each in rows[first : first + LINK_PAGE_ROWS]]

    async def subscribe(self) -> AsyncIterator[tuple[str, msgspec.Raw]]:
        """Push nothing."""
        nothing: list[tuple[str, msgspec.Raw]] = []
        for each in nothing:
            yield each

    def _check(self) -> None:
        if self.away:
            raise CoreError("no core", reason="core_gone")

    def _listed(self, name: str, filters: Mapping[str, str]) -> Sequence[object]:
        match name:
            case "reasons":
                return REASONS
            case "exception_groups":
                return groups_of(self._found(filters), filters.get("by", "kind"))
            case "exception_rows":
                by = filters.get("by", "kind")
                key = filters["kind" if by == "kind" else "key"]
                mine = [each for each in self._found(filters) if _key(each, by) == key]
                since = int(filters.get("since", "0"))
                after = [each for each in mine if each.id > since]
                return after[: int(filters["limit"])]
        if name.endswith("_count") and name not in self.lists:
            of = self.lists.get(name.removesuffix("_count"), ())
            return [{"count": len(_with_text(of, filters))}]
        found = _with_text(self.lists.get(name, ()), filters)
        keys = [getattr(each, "key", "") for each in found]
        first = keys.index(filters["after"]) + 1 if filters.get("after") in keys else 0
        return found[first : first + int(filters.get("limit", len(found)))]

    def _found(self, filters: Mapping[str, str]) -> list[ExceptionStory]:
        text, owner = filters.get("text", "").upper(), filters.get("owner")
        return [
            each
            for each in self.rows
            if ("open" not in filters or each.status == "open")
            and text in f"{each.work_order} {each.item} {each.lot} {each.cause}"
            and (owner is None or owner == each.owner)
            and ("overdue" not in filters or (each.due_at or "9") <= self.view.now)
        ]

    def _resolve(self, params: dict[str, Any]) -> msgspec.Raw:
        results = [self._resolved(each, params["decision"]) for each in params["ids"]]
        if not params.get("preview"):
            ended = {each.id for each in results if each.outcome != "refused"}
            self.rows = [each for each in self.rows if each.id not in ended]
        return encoded(results)

    def _resolved(self, number: int, decision: dict[str, Any]) -> Resolved:
        (row,) = [each for each in self.rows if each.id == number]
        if number in self.refusals:
            return Resolved(id=number, outcome="refused", message=self.refusals[number])
        if decision["how"] == "write_off":
            return Resolved(id=number, outcome="written_off", message="", written_off=row.quantity)
        lot = decision.get("lot") or "L-78"
        drawn = Consumed(row.line, row.item or "", lot, None, "LINE", row.quantity or "0", "pcs",
                         "assumed")  # fmt: skip
        return Resolved(id=number, outcome="posted", message="posted", posted=[drawn])


def groups_of(rows: list[ExceptionStory], by: str) -> list[KindGroup]:
    """Return exceptions as the groups that a core makes of them."""
    groups = []
    for key in dict.fromkeys(_key(each, by) for each in rows):
        mine = [each for each in rows if _key(each, by) == key]
        first = mine[0]
        worth = sum(int(float(each.value or "0") * 100) for each in mine)
        groups.append(KindGroup(
            kind=first.kind,
            severity=min((each.severity for each in mine), key=("stop", "warn", "info").index),
            count=len(mine),
            oldest_at=min(each.opened_at for each in mine),
            key=key,
            cause_code=first.cause_code if by == "cause" else None,
            item=first.item if by == "cause" else None,
            owner=first.owner if by == "owner" else None,
            work_order=first.work_order if by == "order" else None,
            value=f"{worth // 100}.{worth % 100:02}" if worth else None,
            currency="EUR" if worth else None,
            overdue=sum((each.due_at or "9") <= "2026-11-20T14:05:12" for each in mine),
        ))  # fmt: skip
    return sorted(groups, key=lambda each: (each.severity != "stop", each.oldest_at))


def encoded(value: object) -> msgspec.Raw:
    """Return a value as a core sends it."""
    return msgspec.Raw(msgspec.json.encode(value))


def _key(row: ExceptionStory, by: str) -> str:
    keys = {"kind": row.kind, "cause": f"{row.cause_code}|{row.item or ''}",
            "owner": row.owner or "", "order": row.work_order or ""}  # fmt: skip
    return keys[by]


def _with_text(rows: Sequence[object], filters: Mapping[str, str]) -> Sequence[object]:
    text = filters.get("text", "").upper()
    if not text:
        return rows
    return [each for each in rows if text in msgspec.json.encode(each).decode().upper()]


def _text(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal).decode("utf-8", "replace")
