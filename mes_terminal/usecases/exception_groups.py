"""The lists of the supervisor's desk: exceptions by group, a group's in pages, single ones in full.

Filters of both: `open` leaves out what has ended; `text` keeps what has it in its order, item, lot
or cause; `kind`, `owner`, and `overdue` for what is past its due time. `by` says what groups them:
`kind` (as it is without), `cause`, `owner`, `order`. Called by `usecases.lists.read_list`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Final, get_args

import msgspec

from mes_terminal.domain.desk import ExceptionStory, GroupBy, KindGroup
from mes_terminal.domain.duties import overdue_before, owned_kinds
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.quantity import MICRO
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.worth import money, worth_of
from mes_terminal.errors import InputError
from mes_terminal.store import exception_groups as store
from mes_terminal.store.database import Database
from mes_terminal.store.exception_groups import CauseCount, OrderCount, OrderPart, Wanted
from mes_terminal.usecases.exception_stories import STORIES_MAX, stories
from mes_terminal.usecases.filters import whole_number

_KINDS: Final[tuple[ExceptionKind, ...]] = get_args(ExceptionKind)
_GRAVITY: Final = {"stop": 0, "warn": 1, "info": 2}
_FILTERS: Final = ("open", "text", "kind", "owner", "overdue", "by")


def exception_groups(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[KindGroup]:
    """Yield the groups that there are, the gravest first, then those that wait longest; at most
    `GROUPS_MAX`.

    By owner only what is open counts. Raises `InputError` for a filter that it lacks.
    """
    _check(filters, _FILTERS)
    by, wanted = _asked_by(filters), _wanted(filters, rules, now)
    if by == "order":
        groups = _by_order(database, wanted, rules)
    else:
        kinds = _KINDS if wanted.kind is None else [k for k in _KINDS if k == wanted.kind]
        if wanted.is_overdue:
            kinds = [kind for kind in kinds if kind in wanted.due]
        counts = store.count_causes(database, wanted, kinds)
        groups = _merged(database, by, _owned_by(counts, wanted, rules), rules)
    groups.sort(key=lambda group: (_GRAVITY[group.severity], group.oldest_at))
    return iter(groups[: store.GROUPS_MAX])


def exception_rows(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[ExceptionStory]:
    """Yield the exceptions of a group, the oldest first, that come after the one of the id `since`,
    `limit` of them. The group is a `kind`, or is named by `by` and the `key` that it has.

    Raises `InputError` for a filter that it lacks, or without a group.
    """
    _check(filters, (*_FILTERS, "key", "since", "limit"))
    by = _asked_by(filters)
    key = filters.get("key", filters.get("kind") if by == "kind" else None)
    if key is None:
        raise InputError("exception_rows needs a kind, or by and key.")
    since = whole_number("since", filters.get("since", "0"))
    limit = whole_number("limit", filters["limit"]) if "limit" in filters else None
    wanted = _wanted(filters, rules, now)
    if by == "owner":
        owned = _owned_kinds(key, rules)
        wanted = msgspec.structs.replace(wanted, owner=key, owned=owned, is_open=True)
    ids = islice(store.page(database, wanted, by, key, since=since), limit)
    return stories(database, ids, rules=rules, now=now)


def exception_stories(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[ExceptionStory]:
    """Yield the exceptions of these `ids` (numbers parted by commas) in this order.

    Raises `InputError` for a filter that it lacks, and for an exception that there is not.
    """
    _check(filters, ("ids",))
    ids = [whole_number("ids", each) for each in filters.get("ids", "").split(",")]
    if len(ids) > STORIES_MAX:
        raise InputError(f"Name 1 to {STORIES_MAX} exceptions at a time.")
    told = list(stories(database, ids, rules=rules, now=now))
    missing = set(ids) - {each.id for each in told}
    if missing:
        raise InputError(
            f"There is no exception {min(missing)}. See: mes-terminal exceptions --open."
        )
    return iter(told)


def _check(filters: Mapping[str, str], known: tuple[str, ...]) -> None:
    for name in filters:
        if name not in known:
            raise InputError(f"This list has no filter {name!r}. It has: {', '.join(known)}.")


def _asked_by(filters: Mapping[str, str]) -> GroupBy:
    try:
        by: GroupBy = msgspec.convert(filters.get("by", "kind"), GroupBy)
    except msgspec.ValidationError:
        raise InputError(
            f"by is {filters['by'][:40]!r}. It is one of: {', '.join(get_args(GroupBy))}."
        ) from None
    return by


def _wanted(filters: Mapping[str, str], rules: StationRules, now: str) -> Wanted:
    due = {
        kind: before
        for kind in rules.duties
        if (before := overdue_before(kind, settings=rules.duties, now=now)) is not None
    }
    owner = filters.get("owner")
    is_open = "open" in filters or "overdue" in filters or owner is not None
    return Wanted(
        is_open=is_open or filters.get("by") == "owner",
        kind=filters.get("kind"),
        text=filters.get("text") or None,
        owner=owner,
        owned=[] if owner is None else _owned_kinds(owner, rules),
        is_overdue="overdue" in filters,
        due=due,
    )


def _owned_kinds(owner: str, rules: StationRules) -> list[ExceptionKind]:
    """Return the kinds that are an owner's while assigned to nobody; no owner: nobody's."""
    if owner:
        return owned_kinds(owner, rules.duties)
    return [kind for kind in _KINDS if _owner_of(kind, None, rules) == ""]


def _owner_of(kind: ExceptionKind, assigned: str | None, rules: StationRules) -> str:
    """Return the badge it was assigned to, else whom the settings name; empty: nobody."""
    rule = rules.duties.get(kind)
    return assigned or (rule.owner if rule else None) or ""


def _owned_by(
    counts: Iterable[CauseCount], wanted: Wanted, rules: StationRules
) -> Iterator[CauseCount]:
    for each in counts:
        if wanted.owner is None or _owner_of(each.kind, each.assigned, rules) == wanted.owner:
            yield each


@dataclass(slots=True)
class _Sum:
    """A group while it is added up."""

    kind: ExceptionKind
    count: int = 0
    oldest_at: str = "9"
    stops: int = 0
    warns: int = 0
    overdue: int = 0
    worth: Fraction | None = None

    def add(self, each: CauseCount | OrderPart) -> None:
        """Add exceptions of one item. Those of an order are counted before."""
        if each.oldest_at < self.oldest_at:
            self.kind, self.oldest_at = each.kind, each.oldest_at
        self.overdue += each.overdue or 0
        micro = None if each.whole is None else each.whole * MICRO + (each.rest or 0)
        worth = worth_of(each.kind, micro, each.cost_micro, each.per_micro)
        if worth is not None:
            self.worth = worth + (self.worth or 0)
        if isinstance(each, CauseCount):
            self.count += each.count
            self.stops, self.warns = max(self.stops, each.stops), max(self.warns, each.warns)

    def group(self, key: str, rules: StationRules, **names: str | None) -> KindGroup:
        """Return what it came to."""
        value = money(self.worth, rules.currency)
        return KindGroup(
            kind=self.kind,
            severity="stop" if self.stops else "warn" if self.warns else "info",
            count=self.count,
            oldest_at=self.oldest_at,
            key=key,
            value=value,
            currency=None if value is None else rules.currency,
            overdue=self.overdue,
            **names,
        )


def _merged(
    database: Database, by: GroupBy, counts: Iterable[CauseCount], rules: StationRules
) -> list[KindGroup]:
    sums: dict[str, _Sum] = {}
    items: dict[str, str | None] = {}
    for each in counts:
        match by:
            case "cause":
                key = f"{each.cause_code}|{each.item or ''}"
                items[key] = each.item
            case "owner":
                key = _owner_of(each.kind, each.assigned, rules)
            case _:
                key = each.kind
        sums.setdefault(key, _Sum(each.kind)).add(each)
    if by == "cause":
        return [
            found.group(key, rules, cause_code=key.partition("|")[0], item=items[key])
            for key, found in sums.items()
        ]
    if by == "owner":
        names = store.names_of(database, list(sums))
        return [
            found.group(key, rules, owner=names.get(key, key) or None)
            for key, found in sums.items()
        ]
    return [found.group(key, rules) for key, found in sums.items()]


def _by_order(database: Database, wanted: Wanted, rules: StationRules) -> list[KindGroup]:
    counts = store.count_orders(database, wanted)
    sums = {each.work_order_id: _counted(each) for each in counts}
    names: dict[int | None, str | None] = {}
    for part in store.parts_of_orders(database, wanted, list(sums)):
        sums[part.work_order_id].add(part)
        names[part.work_order_id] = part.work_order
    return [
        found.group(names.get(order) or "", rules, work_order=names.get(order))
        for order, found in sums.items()
    ]


def _counted(each: OrderCount) -> _Sum:
    return _Sum("shortage", each.count, stops=each.stops, warns=each.warns)
