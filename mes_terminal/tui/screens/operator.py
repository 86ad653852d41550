"""The operator's screen: places the widgets and tells each what to draw.

It decides nothing about scans; the app hands it values of the domain. Every text on it comes
from `present` or `present_view`, which make it safe.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen

from mes_terminal.domain.view import StationView
from mes_terminal.tui import present_order, present_shift, present_view
from mes_terminal.tui.figures import number
from mes_terminal.tui.glyphs import RICH, Glyphs
from mes_terminal.tui.present import Card
from mes_terminal.tui.present_view import Piece, Progress
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.change_line import ChangeLine
from mes_terminal.tui.widgets.entry_line import EntryLine
from mes_terminal.tui.widgets.header_bar import HeaderBar
from mes_terminal.tui.widgets.key_bar import KeyBar
from mes_terminal.tui.widgets.listing import Listing
from mes_terminal.tui.widgets.order_panel import OrderPanel
from mes_terminal.tui.widgets.result_panel import ResultPanel
from mes_terminal.tui.widgets.status_line import StatusLine
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from mes_terminal.tui.widgets.drawn import Drawn

WIDE_COLUMNS: Final = 120
TALL_ROWS: Final = 30
HUGE_ROWS: Final = 44

LISTS: Final = ("next", "operations", "mounted", "close", "orders", "last")
"""The first stands below the result, the others beside it where there is room."""

FUNCTION_KEYS: Final = {
    "f1": "help",
    "f2": "undo",
    "f3": "quantity",
    "f4": "short",
    "f5": "cancel",
    "f6": "trace",
    "f7": "desk",
}


class OperatorScreen(Screen[None]):
    """Everything an operator needs, on one screen that never scrolls."""

    AUTO_FOCUS = None

    def __init__(self, glyphs: Glyphs = RICH, *, plain: bool = False) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.header = HeaderBar(id="header")
        self.order = OrderPanel(id="order")
        self.line = ChangeLine(id="line")
        self.changes = ChangeLine(id="changes")
        self.result = ResultPanel(id="result", classes="-calm")
        self.entry = EntryLine(id="entry")
        self.lists = {name: Listing(id=name) for name in LISTS}
        self.status = StatusLine(id="status")
        self.legends = KeyBar(id="keys")
        drawn: tuple[Drawn, ...] = (
            *(self.header, self.order, self.line, self.changes, self.result, self.entry),
            self.status,
        )
        for widget in (*drawn, *self.lists.values()):
            widget.glyphs = glyphs
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the widgets; the style sheet decides where."""
        yield self.header
        with Container(id="body"):
            with Container(id="main"):
                yield self.order
                yield self.line
                yield self.changes
                yield self.result
                yield self.entry
                yield self.lists["next"]
            with Container(id="side"):
                for name in LISTS[1:]:
                    yield self.lists[name]
        yield self.status
        yield self.legends

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout by the terminal's size."""
        wide = event.size.width >= WIDE_COLUMNS
        self.set_class(wide, "-wide")
        self.set_class(event.size.height >= TALL_ROWS, "-tall")
        self.set_class(wide and event.size.height >= HUGE_ROWS, "-huge")
        for name in LISTS[1:]:
            self.lists[name].set_class(wide, "-block")

    def show_view(self, view: StationView, words: Words, zone: tzinfo) -> None:
        """Draw the station as it is."""
        labels = words.labels
        mode_word, warning = present_view.mode_texts(view, words)
        person = present_view.person_text(view, words)
        self.header.show(
            station=view.station,
            mode_word=mode_word,
            warning=warning,
            person=person.text,
        )
        self._show_order(view, words, zone)
        self.line.show(*present_shift.line_notice(view, words, zone), labels.and_more)
        changes = present_order.change_texts(view, words, zone)
        self.changes.show(words.order.changed, changes, labels.and_more)
        self._show_lists(view, words, zone)
        self.entry.show_station(
            prompt=labels.enter_prompt,
            pending=present_view.pending_text(view, words),
            queue_word=labels.queue,
        )
        self.show_status(present_view.status_pieces(view, words))
        legends = [(key.upper(), words.keys[name]) for key, name in FUNCTION_KEYS.items()]
        brief = {
            key.upper(): words.keys_brief[name]
            for key, name in FUNCTION_KEYS.items()
            if name in words.keys_brief
        }
        self.legends.show(
            [*legends, ("Ctrl+Q", words.keys["leave"])], test=bool(warning), brief=brief
        )

    def show_status(self, pieces: Sequence[Piece]) -> None:
        """Draw the status line, if it says something new."""
        if list(self.status.pieces) != list(pieces):
            self.status.show(pieces)

    def show_time(self, clock: str) -> None:
        """Draw the wall time."""
        self.header.show_time(clock)

    def show_card(self, card: Card, words: Words, *, bright: bool, stays: bool = False) -> None:
        """Draw an outcome; `bright` begins its two seconds of colour."""
        self.result.show(card, scan_word=words.labels.scan, bright=bright, stays=stays)

    def show_typed(self, typed: str) -> None:
        """Draw what a person is typing."""
        self.entry.show_typed(typed)

    def show_notice(self, notice: str) -> None:
        """Draw a passing remark (safe)."""
        self.entry.show_notice(notice)

    def show_queue(self, codes: Sequence[str], waiting: int) -> None:
        """Draw the scans that wait, in order."""
        self.entry.show_queue(codes, waiting)

    def _show_order(self, view: StationView, words: Words, zone: tzinfo) -> None:
        order, labels = view.order, words.labels
        panel = self.order
        if order is None:
            panel.show(
                order=labels.no_order,
                item="",
                description=labels.no_order_hint,
                due=Piece(""),
                progress=Progress(0, 0, 0, ""),
                scrapped="",
            )
            return
        scrapped = ""
        if order.scrapped != "0":
            scrapped = f"{number(order.scrapped, words)} {labels.scrapped}"
        panel.show(
            order=order.work_order,
            item=order.item,
            description=order.description,
            due=present_view.due_text(order, view, words, zone),
            progress=present_view.progress_of(order, words),
            scrapped=scrapped,
        )

    def _show_lists(self, view: StationView, words: Words, zone: tzinfo) -> None:
        labels = words.labels
        mounted = present_view.mounted_texts(view, words)
        self.set_class(bool(view.operations), "-operations")
        lists = {
            "operations": (words.order.operations, self._operation_entries(view, words)),
            "next": (
                labels.next,
                [paint.text(t) for t in present_view.next_scan_texts(view, words)],
            ),
            "mounted": (
                labels.mounted,
                [paint.text(t) for t in mounted]
                or [paint.text(labels.nothing_mounted, "$quiet-muted")],
            ),
            "close": (labels.close_now, self._close_entries(view, words)),
            "orders": (labels.orders, self._order_entries(view, words, zone)),
            "last": (labels.last, self._last_entries(view, words, zone)),
        }
        for name, (title, entries) in lists.items():
            more = "" if name == "last" else labels.and_more
            self.lists[name].show(title, entries, more)

    def _operation_entries(self, view: StationView, words: Words) -> list[Content]:
        return [
            Content.assemble(
                (operation, "bold $quiet-text"),
                f" {name} " if name else " ",
                (figures, "$quiet-text"),
            )
            for operation, name, figures in present_order.operation_texts(view, words)
        ]

    def _close_entries(self, view: StationView, words: Words) -> list[Content]:
        piece = present_view.preflight_text(view, words)
        if piece.emphasis != "alert":
            return [paint.painted(piece)]
        sign = self._glyphs.tones["check"]
        head, _, rest = piece.text.partition(": ")
        if not self.has_class("-wide"):
            return [paint.painted(Piece(f"{sign} {piece.text}", "alert"))]
        shortages = [paint.painted(Piece(f"  {text}", "strong")) for text in rest.split(", ")]
        return [paint.painted(Piece(f"{sign} {head}", "alert")), *shortages]

    def _order_entries(self, view: StationView, words: Words, zone: tzinfo) -> list[Content]:
        wide = self.has_class("-wide")
        entries: list[Content] = []
        for order, what, due in present_view.queue_texts(view, words, zone):
            entry = paint.text(order, "bold $quiet-text") + paint.text(f" {what}")
            if wide:
                entry = paint.spread(
                    paint.text(paint.padded(order, 14), "bold $quiet-text") + paint.text(what),
                    paint.painted(due),
                    max(1, self.lists["orders"].size.width),
                )
            entries.append(entry)
        return entries or [paint.text(words.labels.no_orders, "$quiet-muted")]

    def _last_entries(self, view: StationView, words: Words, zone: tzinfo) -> list[Content]:
        lines = present_view.last_scan_lines(view, words, zone)
        if not lines:
            return [paint.text(words.labels.no_scans, "$quiet-muted")]
        wide = self.has_class("-wide")
        entries: list[Content] = []
        for line in lines:
            sign = Content.styled(f" {self._glyphs.tones[line.tone]} ", f"bold $mark-{line.tone}")
            code = paint.padded(line.code, 16) if wide else line.code
            entry = paint.text(line.time, "$quiet-muted") + sign + paint.text(code)
            if line.tone != "ok" or wide:
                entry += paint.text(f" {line.sentence}", "$quiet-muted")
            entries.append(entry if wide else entry.truncate(34, ellipsis=True))
        return entries
