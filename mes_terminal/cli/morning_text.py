"""The supervisor's morning as text, readable at 80 columns. Called by `insight morning`."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from mes_terminal.cli.figures_text import duration
from mes_terminal.domain.figures import DayFigures
from mes_terminal.domain.instants import local_day, seconds_between, to_datetime
from mes_terminal.domain.morning import Morning, MorningGroup, OpenWork, QueuedOrder, Watch
from mes_terminal.tui.safe_text import safe


def morning_text(told: Morning, zone: ZoneInfo) -> Iterator[str]:
    """Yield the lines of one morning, what stops the line first."""
    queue = told.queue
    stops = [each for each in queue.orders if each.lines_short or each.refused]
    more = queue.open_count - len(queue.orders)
    yield f"STOPS TODAY: {len(stops)} of {len(queue.orders)} orders" + (
        f" ({more} more are open)" if more > 0 else ""
    )
    for each in stops:
        yield from _order(each, zone)
    yield ""
    yield from _open(told.work, told.now, zone)
    yield ""
    yield from _yesterday(told.yesterday, told.day_before)
    yield ""
    yield from _watch(told.watch, told.now, zone)


def _order(order: QueuedOrder, zone: ZoneInfo) -> Iterator[str]:
    due = f", due {_moment(order.due_at, zone)}" if order.due_at else ""
    late = ", LATE" if order.is_late else ""
    made = f"{order.remaining} {safe(order.uom, 8)} {safe(order.item, 24)}"
    yield f"  {safe(order.work_order, 24)}: {made}{due}{late}"
    if order.refused:
        yield f"      nothing would be booked: {safe(order.refused, 66)}"
    else:
        posts = "line posts" if order.lines_post == 1 else "lines post"
        yield f"      {order.lines_post} {posts}, {order.lines_short} will not"
    for each in order.lacks:
        lacks = f"{safe(each.item, 24)} short {each.quantity} {safe(each.uom, 8)}"
        yield f"      {lacks}: enough for {each.lasts_for}"


def _open(work: OpenWork, now: str, zone: ZoneInfo) -> Iterator[str]:
    value = f", worth {work.value} {work.currency}" if work.value else ""
    oldest = f", oldest {_age(work.oldest_at, now)}" if work.oldest_at else ""
    overdue = f", {work.overdue} overdue" if work.overdue else ""
    yield f"OPEN: {work.count}{oldest}{value}{overdue}"
    for each in work.groups:
        yield from _group(each, now, zone)
    more = work.groups_count - len(work.groups)
    if more > 0:
        yield f"  and {more} more causes: mes-terminal exceptions --open"


def _group(told: MorningGroup, now: str, zone: ZoneInfo) -> Iterator[str]:
    group = told.group
    name = safe(" ".join(filter(None, (group.cause_code, group.item))), 36)
    parts = [f"{group.count}", f"oldest {_age(group.oldest_at, now)}"]
    parts += [f"worth {group.value}"] if group.value else []
    parts += [safe(group.owner, 20)] if group.owner else []
    parts += [f"due {_moment(told.due_at, zone)}"] if told.due_at else []
    parts += [f"{group.overdue} overdue"] if group.overdue else []
    yield f"  {name}: {', '.join(parts)}"
    if told.proposal is not None:
        yield f"      {safe(told.proposal.why, 72)}"


def _yesterday(day: DayFigures | None, before: DayFigures | None) -> Iterator[str]:
    if day is None:
        yield "YESTERDAY: nothing was reported in the last two weeks"
        return
    yield f"{day.day} against {before.day if before else 'nothing'}"
    for name, figure in (
        ("error rate %", "error_pct"), ("first pass %", "first_pass_pct"), ("reports", "reports"),
        ("exceptions opened", "opened"), ("exceptions ended", "ended"),
    ):  # fmt: skip
        was = getattr(before.total, figure) if before else None
        now = getattr(day.total, figure)
        yield f"  {name:<18} {_shown(now):>8}  before {_shown(was):>8}"
    for made in day.total.made:
        yield f"  good {made.good} {safe(made.uom, 8)}, scrapped {made.scrapped}"


def _watch(watch: Watch, now: str, zone: ZoneInfo) -> Iterator[str]:
    yield "SEE TO"
    today = local_day(now, zone)
    for lot in watch.expiring:
        mounted = ", mounted" if lot.is_mounted else ""
        what = f"{lot.quantity} {safe(lot.uom, 8)} of {safe(lot.item, 24)} {safe(lot.lot, 24)}"
        when = "expired" if lot.expires_on < today else "expires"
        yield f"  {when} {lot.expires_on}: {what} at {safe(lot.location, 20)}{mounted}"
    more = watch.expiring_count - len(watch.expiring)
    if more > 0:
        yield f"  and {more} more lots that expire"
    yield f"  counts due: {watch.counts_due}"
    since = f", the oldest {_age(watch.oldest_waiting_at, now)}" if watch.oldest_waiting_at else ""
    yield f"  not sent yet: {watch.postings_waiting}{since}"
    for each in watch.scanners_not_ready:
        yield f"  scanner {safe(each.name, 24)}: {each.state} {safe(each.sentence, 48)}".rstrip()


def _age(since: str, now: str) -> str:
    return duration(max(0, int(seconds_between(since, now))))


def _moment(instant: str, zone: ZoneInfo) -> str:
    return f"{to_datetime(instant).astimezone(zone):%Y-%m-%d %H:%M}"


def _shown(figure: object) -> str:
    return "-" if figure is None else str(figure)
