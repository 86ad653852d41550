"""The supervisor's morning in words: what stops today, what is open, yesterday, what else is due.

Takes a `Morning` and how it is told, gives blocks of lines and what each line leads to. Pure; every
text that it returns is safe to draw.
"""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.instants import to_datetime
from mes_terminal.domain.morning import (
    ExpiringLot,
    Morning,
    MorningGroup,
    OpenWork,
    Queue,
    QueuedOrder,
    Watch,
)
from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.morning_blocks import Block, Entry, Goal, plain_entry, words_of
from mes_terminal.tui.present_figures import cause_text, day_text
from mes_terminal.tui.present_story import proposal_text
from mes_terminal.tui.present_view import Emphasis, Piece, Trouble
from mes_terminal.tui.present_yesterday import yesterday_block
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.section import Cell, Line
from mes_terminal.tui.telling import Telling

GROUP_KEYS: Final = ("a", "b", "c")
"""Each resolves one of the first groups that a desk can end."""
_AT_DESK: Final = ("post", "lot", "item", "write_off")
_ORDER_COLUMNS: Final = 12
_AGE_COLUMNS: Final = 7
_VALUE_COLUMNS: Final = 8
"""At least."""
_OWNER_COLUMNS: Final = 11
_DUE_COLUMNS: Final = 9
_LACKS_NAMED: Final = 2


class Room(Struct, frozen=True, kw_only=True):
    """How much may be told."""

    orders: int
    groups: int
    """Lines of each at most."""
    brief: bool
    """Yesterday and what else is due in a few lines."""


def keyed_groups(work: OpenWork) -> dict[str, MorningGroup]:
    """Return the groups that a letter resolves: the first that a desk can end in some way."""
    ended_here = [
        each
        for each in work.groups
        if each.oldest and any(way.how in _AT_DESK for way in each.oldest.proposals)
    ]
    return dict(zip(GROUP_KEYS, ended_here, strict=False))


def blocks(morning: Morning, telling: Telling, glyphs: Glyphs, room: Room) -> list[Block]:
    """Return the four blocks, what stops first."""
    return [
        _stops(morning.queue, telling, glyphs, room.orders),
        _open(morning.work, telling, glyphs, room.groups),
        yesterday_block(morning.yesterday, morning.day_before, telling, glyphs, brief=room.brief),
        _watch(morning.watch, telling, glyphs, brief=room.brief),
    ]


# What stops --------------------------------------------------------------------------------------


def _stops(queue: Queue, telling: Telling, glyphs: Glyphs, most: int) -> Block:
    told = words_of(telling)
    total = len(queue.orders)
    stops = [each for each in queue.orders if each.lines_short or each.refused]
    entries = [_stop(each, telling, glyphs) for each in stops[:most]]
    rest = [told["and_more"].format(n=len(stops) - most)] if len(stops) > most else []
    if not queue.orders:
        rest = [told["stops_no_orders"]]
    elif not stops:
        rest = [told["stops_none_one" if total == 1 else "stops_none"].format(total=total)]
    elif total > len(stops):
        rest.append(told["others"].format(n=total - len(stops)))
    unseen = queue.open_count - total
    if unseen > 0:
        rest.append(told["stops_unseen"].format(n=unseen))
    if rest:
        entries.append(plain_entry(f" {glyphs.dot} ".join(rest), Goal("orders")))
    right = told["stops_of"].format(n=len(stops), total=total) if stops else ""
    return Block(told["stops"], right, entries, alert=bool(stops))


def _stop(order: QueuedOrder, telling: Telling, glyphs: Glyphs) -> Entry:
    told = words_of(telling)
    if order.refused is not None:
        what = told["refused"].format(why=safe(order.refused, 72))
    else:
        lacks = [_lack(each.item, each.quantity, each.uom, telling) for each in order.lacks]
        named = lacks[:_LACKS_NAMED]
        if len(lacks) > len(named):
            named.append(told["more_lacks"].format(n=len(lacks) - len(named)))
        what = told["post_not"].format(
            post=order.lines_post, short=order.lines_short, lacks=", ".join(named)
        )
        if order.lasts_for is not None:
            what += f", {told['lasts'].format(n=telling.number(order.lasts_for))}"
    due = told["late"] if order.is_late else telling.moment(order.due_at)
    line = Line(
        left=[
            Cell(glyphs.tones["stop"], 1, "alert"),
            Cell(safe(order.work_order, 24), _ORDER_COLUMNS, "strong"),
            Cell(what),
        ],
        right=[Cell(due, 6, "alert" if order.is_late else "muted")],
    )
    return Entry(line, Goal("orders", order.work_order), _order_story(order, telling))


def _lack(item: str, quantity: str, uom: str, telling: Telling) -> str:
    return words_of(telling)["lack"].format(
        item=safe(item, 24), quantity=telling.number(quantity), uom=safe(uom, 8)
    )


def _order_story(order: QueuedOrder, telling: Telling) -> list[Piece]:
    told = words_of(telling)
    makes = told["tell_order" if order.description else "tell_order_plain"].format(
        order=safe(order.work_order, 32),
        quantity=telling.number(order.remaining),
        uom=safe(order.uom, 8),
        item=safe(order.item, 32),
        description=safe(order.description, 60),
    )
    due = ""
    if order.due_at is not None:
        due = told["tell_late" if order.is_late else "tell_due"].format(
            time=telling.time(order.due_at)
        )
    pieces = [Piece(makes, "strong")]
    if due:
        pieces.append(Piece(due, "alert" if order.is_late else "plain"))
    if order.refused is not None:
        pieces.append(Piece(told["refused"].format(why=safe(order.refused, 200)), "alert"))
    pieces.append(
        Piece(
            told["tell_post"].format(
                post=order.lines_post, total=order.lines_post + order.lines_short
            )
        )
    )
    pieces += [
        Piece(told["tell_lack"].format(
            item=safe(each.item, 32), quantity=telling.number(each.quantity),
            uom=safe(each.uom, 8), n=telling.number(each.lasts_for),
        ))
        for each in order.lacks
    ]  # fmt: skip
    return pieces


# What is open ------------------------------------------------------------------------------------


def _open(work: OpenWork, telling: Telling, glyphs: Glyphs, most: int) -> Block:
    told = words_of(telling)
    if not work.count:
        return Block(told["open"], "", [plain_entry(told["open_none"], Goal("exceptions"))])
    parts = [told["open_count"].format(n=telling.number(work.count))]
    if work.oldest_at is not None:
        parts.append(told["open_oldest"].format(age=telling.age(work.oldest_at)))
    if work.value is not None:
        value = telling.number(work.value)
        parts.append(told["open_value"].format(value=value, currency=safe(work.currency, 8)))
    if work.overdue:
        parts.append(told["open_overdue"].format(n=work.overdue))
    keys = {each.group.key: key for key, each in keyed_groups(work).items()}
    shown = work.groups if work.groups_count == most + 1 else work.groups[:most]
    values = [telling.number(each.group.value) for each in shown if each.group.value]
    room = max([_VALUE_COLUMNS, *map(len, values)])
    entries = [
        _group(each, keys.get(each.group.key), telling, glyphs, value_columns=room)
        for each in shown
    ]
    if work.groups_count > len(entries):
        more = told["causes_more"].format(n=work.groups_count - len(entries))
        entries.append(plain_entry(more, Goal("exceptions")))
    return Block(told["open"], f" {glyphs.dot} ".join(parts), entries, alert=bool(work.overdue))


def _group(
    found: MorningGroup, key: str | None, telling: Telling, glyphs: Glyphs, *, value_columns: int
) -> Entry:
    told, group = words_of(telling), found.group
    name = cause_text(group.cause_code or group.kind, telling.words, group.item)
    is_alert = bool(group.overdue) or group.severity == "stop"
    sign = glyphs.tones["stop" if group.severity == "stop" else "check"] if is_alert else " "
    due = told["due"].format(time=telling.moment(found.due_at)) if found.due_at else ""
    line = Line(
        left=[
            Cell(key or " ", 1, "strong"),
            Cell(sign, 1, "alert"),
            Cell(name, emphasis="strong"),
        ],
        right=[
            Cell(telling.number(group.count), 4, "strong"),
            Cell(telling.age(group.oldest_at), _AGE_COLUMNS),
            Cell(telling.number(group.value) if group.value else "", value_columns),
            Cell(safe(group.owner or "", _OWNER_COLUMNS).ljust(_OWNER_COLUMNS), emphasis="muted"),
            Cell(due, _DUE_COLUMNS, "alert" if group.overdue else "muted"),
        ],
    )
    goal = Goal("exceptions", group.item or "")
    return Entry(line, goal, _group_story(found, key, name, telling))


def _group_story(found: MorningGroup, key: str | None, name: str, telling: Telling) -> list[Piece]:
    told, group = words_of(telling), found.group
    first = told["tell_group_one" if group.count == 1 else "tell_group"].format(
        n=telling.number(group.count), kind=name, age=telling.age(group.oldest_at)
    )
    if group.owner:
        first += " " + told["tell_owner"].format(owner=safe(group.owner, 32))
    pieces = [Piece(first, "strong")]
    if group.overdue:
        pieces.append(Piece(told["tell_overdue"].format(n=group.overdue), "alert"))
    if found.oldest is not None and found.proposal is not None:
        why = proposal_text(found.oldest, found.proposal, telling)
        proposed = told["tell_proposal"].format(why=why)
        if key is not None:
            proposed += " " + told["tell_key"].format(key=key)
        pieces.append(Piece(proposed))
    return pieces


# What else ---------------------------------------------------------------------------------------


def _watch(watch: Watch, telling: Telling, glyphs: Glyphs, *, brief: bool) -> Block:
    told = words_of(telling)
    entries = [_trouble(each, glyphs) for each in telling.troubles]
    for each in watch.scanners_not_ready:
        state = telling.words.scanner_states.get(each.state, safe(each.state, 12))
        text = told["scanner"].format(name=safe(each.name, 24), state=state)
        entries.append(_sign(text, "alert", glyphs, Goal("scanners"), safe(each.sentence, 200)))
    shown = watch.expiring[:1] if brief else watch.expiring
    more = watch.expiring_count - len(shown)
    entries += [
        _expiring(each, telling, glyphs, more=more if place == len(shown) - 1 else 0)
        for place, each in enumerate(shown)
    ]
    due = _due(watch, telling)
    if brief and due:
        due = [(f" {glyphs.dot} ".join(text for text, _ in due), due[0][1])]
    entries += [_sign(text, "plain", glyphs, goal) for text, goal in due]
    if not entries:
        entries.append(plain_entry(told["watch_none"]))
    return Block(told["watch"], "", entries)


def _trouble(found: Trouble, glyphs: Glyphs) -> Entry:
    sign = Cell(glyphs.tones["check"], 1, "alert")
    line = Line(left=[sign, Cell(found.word, emphasis="alert"), Cell(found.why)])
    return Entry(line, Goal(found.section), [Piece(found.word, "alert"), Piece(found.why)])


def _due(watch: Watch, telling: Telling) -> list[tuple[str, Goal]]:
    told, found = words_of(telling), []
    if watch.postings_waiting and watch.oldest_waiting_at is not None:
        key = "posting" if watch.postings_waiting == 1 else "postings"
        age = telling.age(watch.oldest_waiting_at)
        text = told[key].format(n=telling.number(watch.postings_waiting), age=age)
        found.append((text, Goal("outbox")))
    if watch.counts_due:
        key = "count" if watch.counts_due == 1 else "counts"
        found.append((told[key].format(n=telling.number(watch.counts_due)), Goal("counts")))
    return found


def _expiring(lot: ExpiringLot, telling: Telling, glyphs: Glyphs, *, more: int) -> Entry:
    told = words_of(telling)
    today = to_datetime(telling.now).astimezone(telling.zone).date().isoformat()
    key = "expires"
    if lot.expires_on <= today:
        key = "expires_today" if lot.expires_on == today else "expired"
    text = told[key].format(
        item=safe(lot.item, 24), lot=safe(lot.lot, 24), quantity=telling.number(lot.quantity),
        uom=safe(lot.uom, 8), day=day_text(lot.expires_on, told),
    )  # fmt: skip
    if more:
        text += told["lots_more"].format(n=telling.number(more))
    where = " ".join(
        filter(None, (safe(lot.location, 20), told["is_mounted"] if lot.is_mounted else ""))
    )
    return _sign(
        text, "plain" if key == "expires" else "alert", glyphs, Goal("lots", lot.lot), where
    )


def _sign(text: str, emphasis: Emphasis, glyphs: Glyphs, goal: Goal, right: str = "") -> Entry:
    sign = glyphs.tones["check"] if emphasis == "alert" else glyphs.dot
    line = Line(
        left=[Cell(sign, 1, emphasis if emphasis == "alert" else "muted"), Cell(text)],
        right=[Cell(right, emphasis="muted")],
    )
    pieces = [Piece(text, "strong")] + ([Piece(right)] if right else [])
    return Entry(line, goal, pieces)
