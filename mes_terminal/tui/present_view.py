"""The station between scans, in the operator's words: header, queue, mounted lots, status line.

Takes a `StationView`, the words and the time, gives texts that are safe to draw. Pure; called by
the widgets of the operator's screen, one function each.
"""

import re
from datetime import datetime, tzinfo
from typing import Final, Literal

from msgspec import Struct

from mes_terminal.domain.instants import seconds_between, to_datetime
from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.domain.view import (
    CountView,
    DiskView,
    MountView,
    OrderView,
    ScannerView,
    StationView,
    UpstreamView,
)
from mes_terminal.tui import present_order
from mes_terminal.tui.figures import local_time, number
from mes_terminal.tui.present import Tone, listed_sentence, tone_of_listed
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.words import Words

Emphasis = Literal["plain", "muted", "strong", "alert"]

DAY_S: Final = 86_400

_INSTANT: Final = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Piece(Struct, frozen=True):
    """A text and how strongly it is drawn; `alert` is for what needs a person."""

    text: str
    emphasis: Emphasis = "plain"


class Trouble(Struct, frozen=True):
    """What the status line says in a word or two, why, and the section of the desk to see it in."""

    word: str
    why: str
    section: str


class Progress(Struct, frozen=True):
    """An order's progress. `good` and `scrapped` are in parts of `total`, all micro-units."""

    good: int
    scrapped: int
    total: int
    text: str

    def cells(self, width: int) -> tuple[int, int]:
        """Return how many of `width` cells are good and how many scrapped, rounded down."""
        if self.total <= 0:
            return 0, 0
        good = min(width, self.good * width // self.total)
        return good, min(width - good, self.scrapped * width // self.total)


class ScanLine(Struct, frozen=True):
    """One of the last scans."""

    time: str
    tone: Tone
    code: str
    sentence: str


def clock_text(instant: str, zone: tzinfo, *, seconds: bool = False) -> str:
    """Return the wall time of a UTC instant: `14:05`; empty if the core sent none."""
    try:
        moment = to_datetime(instant).astimezone(zone)
    except ValueError:
        return ""
    return moment.strftime("%H:%M:%S" if seconds else "%H:%M")


def with_local_times(message: str, zone: tzinfo) -> str:
    """Return a sentence of the core with its instants as day and wall time."""
    return _INSTANT.sub(lambda found: local_time(found[0], zone), message)


def is_practice(view: StationView | None) -> bool:
    """Tell whether nothing counts here: the screen looks otherwise than the live one."""
    return view is not None and view.mode != "live"


def practice_word(view: StationView | None, words: Words) -> str:
    """Return the word of a station that is not live; empty for one that is."""
    return mode_texts(view, words)[0] if view is not None and is_practice(view) else ""


def mode_texts(view: StationView, words: Words) -> tuple[str, str]:
    """Return the word of the station's mode, and a warning where nothing counts."""
    labels = words.labels
    match view.mode:
        case "live":
            return labels.live, ""
        case "test":
            return labels.test, labels.test_warning
        case _:
            return labels.training, labels.training_warning


def person_text(view: StationView, words: Words) -> Piece:
    """Return who is signed in."""
    name = view.person_name or view.person
    return Piece(safe(name, 24)) if name else Piece(words.labels.nobody, "muted")


def progress_of(order: OrderView, words: Words) -> Progress:
    """Return the progress of `order`; nothing if its quantities cannot be read."""
    try:
        good, scrapped, total = (
            parse_quantity(text) for text in (order.completed, order.scrapped, order.quantity)
        )
    except QuantityError:
        return Progress(0, 0, 0, "")
    text = f"{number(order.completed, words)} / {number(order.quantity, words)}"
    return Progress(good, scrapped, total, text)


def due_text(order: OrderView, view: StationView, words: Words, zone: tzinfo) -> Piece:
    """Return when `order` is due: today with the time, another day with the day."""
    if not order.due_at:
        return Piece("")
    try:
        due = to_datetime(order.due_at).astimezone(zone)
        now = to_datetime(view.now).astimezone(zone)
    except ValueError:
        return Piece("")
    labels = words.labels
    if due < now:
        return Piece(f"{labels.overdue} {_day_or_time(due, now)}", "alert")
    word = labels.due_today if due.date() == now.date() else labels.due
    return Piece(f"{word} {_day_or_time(due, now)}", "muted")


def next_scan_texts(view: StationView, words: Words) -> list[str]:
    """Return what can be scanned now, the most useful first (screens 5)."""
    texts = words.next_scans
    if view.pending_verb:
        return [pending_wants(view, words)]
    order = view.order
    found = [
        words.approve.approved_next.format(code=safe(each.code, 20), person=safe(each.by, 20))
        for each in view.answers
        if each.status == "approved"
    ]
    if view.unit:
        found.append(present_order.next_parts_text(view.unit, words))
    if order is None:
        found.append(texts["order"])
    else:
        if order.status == "started":  # else the item's code asks for which order it is
            found.append(texts["unit"].format(item=safe(order.item, 20)))
        left = number(order.remaining, words)
        found.append(texts["close"].format(order=safe(order.work_order, 20), left=left))
    if order is not None:
        found.append(texts["mount"])
    if view.can_undo:
        found.append(texts["undo"].format(undo=safe(view.can_undo, 40)))
    if not view.person:
        found.append(texts["badge"])
    return found


def pending_wants(view: StationView, words: Words) -> str:
    """Return what the waiting command waits for."""
    return words.pending.get(view.pending_verb or "", words.pending["other"])


def pending_text(view: StationView, words: Words) -> str:
    """Return the waiting command in a sentence; empty if none waits."""
    labels = words.labels
    if view.pending_verb and view.pending_verb != "QTY":
        argument = f" {safe(view.pending_argument, 24)}" if view.pending_argument else ""
        sign = (
            "" if view.pending_verb in ("REPLACE", "SERIAL") else "%"
        )  # that is no code of a card
        command = f"{sign}{safe(view.pending_verb, 12)}{argument}"
        return labels.waiting_for.format(command=command, what=pending_wants(view, words))
    if view.pending_quantity:
        return labels.quantity_set.format(quantity=number(view.pending_quantity, words))
    return ""


def mounted_texts(view: StationView, words: Words) -> list[str]:
    """Return one text a mounted container: `LEG L-78: 1544 left, then L-79`."""
    return [_mount_text(mount, words) for mount in view.mounted]


def preflight_text(view: StationView, words: Words) -> Piece:
    """Return what a close would do right now (screens 6)."""
    labels = words.labels
    flight = view.preflight
    if flight is None:
        return Piece(labels.not_checked if view.order else labels.no_preflight, "muted")
    text = present_order.preflight_text(flight, words)
    if not flight.lines_short:
        return Piece(text)
    short = ", ".join(safe(phrase) for phrase in flight.shortages)
    return Piece(safe(f"{text}: {short}" if short else text, SENTENCE_MAX_COLUMNS), "alert")


def queue_texts(view: StationView, words: Words, zone: tzinfo) -> list[tuple[str, str, Piece]]:
    """Return number, what is left of which item, and due time of the next orders."""
    return [
        (
            safe(order.work_order, 20),
            f"{number(order.remaining, words)} {safe(order.item, 20)}",
            due_text(order, view, words, zone),
        )
        for order in view.next_orders[:3]
    ]


def last_scan_lines(view: StationView, words: Words, zone: tzinfo) -> list[ScanLine]:
    """Return the last scans, newest first."""
    return [
        ScanLine(
            clock_text(scan.at, zone, seconds=True),
            tone_of_listed(scan.outcome),
            safe(scan.code, 24),
            listed_sentence(scan.outcome, scan.reason, scan.message, words),
        )
        for scan in view.last_scans
    ]


def status_pieces(view: StationView, words: Words) -> list[Piece]:
    """Return the status line: scanners, postings, exceptions, clock (screens 4). What is muted
    says that all is well, and may be left out where there is no room."""
    labels = words.labels
    pieces = [_scanner_piece(scanner, words) for scanner in view.scanners]
    if not pieces:
        pieces = [Piece(labels.no_scanner, "muted")]
    pieces.append(_postings_piece(view, words))
    if view.exceptions_open:
        n = number(str(view.exceptions_open), words)
        pieces.append(Piece(labels.exceptions.format(n=n), "strong"))
    else:
        pieces.append(Piece(labels.no_exceptions, "muted"))
    if view.count is not None:
        pieces.insert(0, Piece(count_text(view.count, words), "strong"))
    if view.printer_trouble is not None:
        pieces.append(Piece(labels.printer_trouble, "alert"))
    if view.backup_trouble is not None:
        pieces.append(Piece(labels.backup_trouble, "alert"))
    if view.clock_in_doubt:
        pieces.insert(0, Piece(labels.clock_doubt, "alert"))
    if view.disk is not None:
        pieces.insert(0, _disk_piece(view.disk, words))
    return pieces


def troubles(view: StationView, words: Words) -> list[Trouble]:
    """Return what stands on the status line for a person to see to, with why in the core's words
    (screens 2: no word of alarm without what is the matter)."""
    labels = words.labels
    found = [
        (labels.upstream_trouble, upstream_trouble(view), "outbox"),
        (labels.backup_trouble, view.backup_trouble, "morning"),
        (labels.printer_trouble, view.printer_trouble, "morning"),
    ]
    return [
        Trouble(word, safe(why, SENTENCE_MAX_COLUMNS), section)
        for word, why, section in found
        if why is not None
    ]


def upstream_trouble(view: StationView) -> str | None:
    """Return why nothing can be sent before somebody mends it; `None` where it can."""
    upstream = view.upstream
    return upstream.trouble if upstream is not None and upstream.state == "wrong" else None


def count_text(count: CountView, words: Words) -> str:
    """Return which count is open, and how far it is."""
    labels = words.labels
    text = labels.count_open_one if count.items == 1 else labels.count_open
    return text.format(place=safe(count.location, 20), n=count.items)


def age_text(seconds: float, words: Words) -> str:
    """Return an age in its largest unit: `40 s`, `12 min`, `1 h 02`, `3 days`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return words.labels.seconds.format(n=whole)
    if whole < 3600:
        return words.labels.minutes.format(n=whole // 60)
    if whole >= 2 * DAY_S:
        return words.labels.days.format(n=whole // DAY_S)
    return words.labels.hours.format(n=whole // 3600) + f" {whole % 3600 // 60:02d}"


def clock_age(seconds: float, words: Words) -> str:
    """Return an age as a clock shows it, `00:14`; from two days on in days."""
    minutes = int(seconds) // 60
    return (
        age_text(seconds, words)
        if seconds >= 2 * DAY_S
        else f"{minutes // 60:02}:{minutes % 60:02}"
    )


def _mount_text(mount: MountView, words: Words) -> str:
    labels = words.labels
    name = mount.container or mount.lot or "?"
    unit = "" if mount.uom == "pcs" else f" {safe(mount.uom, 8)}"
    left = f"{number(mount.left, words)}{unit} {labels.left}"
    text = f"{safe(mount.item, 20)} {safe(name, 20)}: {left}"
    return f"{text}, {labels.then} {safe(mount.then_lot, 20)}" if mount.then_lot else text


def _scanner_piece(scanner: ScannerView, words: Words) -> Piece:
    """Return a scanner's state, and of a ready one the gravest thing that went wrong with it."""
    state = scanner.state
    text = f"{safe(scanner.name, 20)} {words.scanner_states.get(state, safe(state, 12))}"
    if state != "ready":
        return Piece(text, "muted" if state == "opening" else "alert")
    for counter, trouble in words.scanner_troubles.items():
        if scanner.counts.get(counter):
            return Piece(f"{text}, {trouble.format(n=scanner.counts[counter])}")
    return Piece(text, "muted")


def _disk_piece(disk: DiskView, words: Words) -> Piece:
    text = words.labels.disk_stopped if disk.stopped else words.labels.disk_low
    return Piece(text.format(mb=disk.left_mb), "alert" if disk.stopped else "strong")


def _postings_piece(view: StationView, words: Words) -> Piece:
    """Return how far upstream is behind, and what waits (UP-6): being offline is no alarm, a
    posting that waits for longer than `alarms.posting_age_h` is."""
    labels = words.labels
    upstream = view.upstream or UpstreamView()
    waiting = view.postings_waiting
    n = number(str(waiting), words)
    seconds = _seconds_old(view)
    is_old = waiting > 0 and seconds > upstream.warn_after_h * 3600
    if upstream.state == "wrong":
        return Piece(labels.postings_wrong.format(n=n), "alert")
    if upstream.state == "online" and upstream.behind_s is not None:
        behind = age_text(upstream.behind_s + seconds, words)
        text = labels.postings_behind.format(age=behind, n=n)
    elif waiting:
        text = labels.postings.format(n=n, age=clock_age(seconds, words))
    elif upstream.state == "offline":
        text = labels.postings_offline
    else:
        text = labels.postings_none
    return Piece(text, "alert" if is_old else "plain" if waiting else "muted")


def freshness(view: StationView | None, words: Words) -> Piece:
    """Return the same for a screen that shows the station beside other things; empty where nothing
    is delivered from here."""
    if view is None or view.upstream is None or view.upstream.state == "off":
        return Piece("")
    return _postings_piece(view, words)


def _seconds_old(view: StationView) -> float:
    """Return how long the oldest posting has waited."""
    if not view.postings_waiting or not view.oldest_waiting_at:
        return 0.0
    try:
        return max(0.0, seconds_between(view.oldest_waiting_at, view.now))
    except ValueError:
        return 0.0


def _day_or_time(moment: datetime, now: datetime) -> str:
    return moment.strftime("%H:%M" if moment.date() == now.date() else "%Y-%m-%d")
