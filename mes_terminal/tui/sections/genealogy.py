"""The genealogy explorer: a tree both ways, opened step by step (BF-37, screens 9).

It begins where a code says that was scanned or typed: a lot, a serial, a container, an order. Enter
begins anew at the selected lot, Backspace goes back to where the one before began.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

from msgspec import Struct
from textual.content import Content

from mes_terminal.domain.trace_steps import TraceStep, TraceTotal
from mes_terminal.errors import StationError
from mes_terminal.tui.desk_feed import PAGE_ROWS
from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.safe_text import column_count, safe
from mes_terminal.tui.sections.page import STEPS, Desk, Meaning, Page
from mes_terminal.tui.telling import Telling
from mes_terminal.tui.trace_tree import Branch, TraceTree, TreeLine
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.list_body import ListBody

Direction = Literal["backward", "forward"]
TAKES: Final = ("lot", "unit", "container", "component_serial", "order")
TRAIL_MAX: Final = 50
"""So many beginnings one can go back to."""
LEVELS_DRAWN_MAX: Final = 8
PLACES_MAX: Final = 8
NAME_COLUMNS: Final = 40
QUANTITY_COLUMNS: Final = 16
CERTAINTY_COLUMNS: Final = 11
_SIGNS: Final = {"exact": "=", "sole": "=", "pooled": "~", "assumed": "~", "unknown": "?"}
"""Before the word: how sure it is, without colour."""


class Start(Struct, frozen=True):
    """Where a tree begins: a code, or a lot that was selected in another tree."""

    code: str = ""
    step: TraceStep | None = None


class Place(Struct, frozen=True):
    """A row of the list `stock`."""

    location: str
    quantity: str
    uom: str


class GenealogyPage(Page):
    """The explorer while the desk is open."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.widget: ListBody = ListBody(desk.glyphs)
        self._tree = TraceTree()
        self._start: Start | None = None
        self._trail: list[Start] = []
        self._direction: Direction = "backward"
        self._fault = ""
        self._places: list[Place] | None = None
        self._places_of: TraceStep | None = None

    @property
    def told(self) -> dict[str, str]:
        """The words of the section."""
        return self.desk.words.sections["genealogy"].told

    # The desk ------------------------------------------------------------------------------------

    def heading(self) -> Sequence[str]:
        """Return where it begins, and which way it goes."""
        start, telling = self._start, self.desk.telling
        if start is None or telling is None:
            return []
        begins = safe(start.code, NAME_COLUMNS)
        if start.step is not None:
            begins = f"{safe(start.step.item, 24)} {name_text(start.step, telling)}"
        return [begins, self.told[self._direction]]

    def legends(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the tree."""
        if self._start is None:
            return []
        plain = self.desk.glyphs.then == ">"
        keys = [
            ("Lt/Rt" if plain else "←→", self.told["legend_open"]),
            ("Enter", self.told["legend_root"]),
            ("t", self.told[f"legend_{self._direction}"]),
        ]
        return [*keys, ("Bksp", self.told["legend_back"])] if self._trail else keys

    def help(self) -> dict[str, str]:
        """Return what the keys of the tree do."""
        keys = {"← →": "open", "Enter": "root", "Backspace": "back", "t": "turn", "/": "find"}
        return {key: self.told[f"help_{name}"] for key, name in keys.items()}

    def press(self, key: str) -> bool:
        """Move, open, close, begin anew."""
        if key in STEPS:
            self._tree.move(key, page_rows=self.widget.rows.rows)
            self._ask_places()
        elif key == "right":
            self._open()
        elif key == "left":
            self._tree.close()
            self._ask_places()
        elif key == "enter":
            self._enter()
        elif key == "backspace":
            return self.step_back()
        else:
            return False
        return True

    def press_letter(self, letter: str) -> bool:
        """Turn round: to what it was made from, or to what it went into."""
        if letter != "t":
            return False
        self._direction = "forward" if self._direction == "backward" else "backward"
        if self._start is not None:
            self._begin(self._start)
        return True

    def step_back(self) -> bool:
        """Go back to where the tree before began."""
        if not self._trail:
            return False
        self._begin(self._trail.pop())
        return True

    @property
    def can_look_for(self) -> bool:
        """A code can be typed."""
        return True

    def look_for(self, text: str) -> None:
        """Begin at a code."""
        if text:
            self._go_to(Start(code=text))

    def takes(self, kind: str) -> bool:
        """Tell whether such a code begins a tree here: on this page what it can begin at; from
        other pages nothing comes here."""
        return self._is_shown and kind in TAKES

    def scanned(self, code: str, meaning: Meaning | None) -> None:
        """Begin at what was scanned."""
        self._go_to(Start(code=meaning.key if meaning is not None else code))

    def opened(self) -> None:
        """Nothing is asked until a code comes."""

    # Its own -------------------------------------------------------------------------------------

    @property
    def _is_shown(self) -> bool:
        return bool(self.widget.is_mounted and self.widget.display)

    def _go_to(self, start: Start) -> None:
        if self._start is not None:
            self._trail = [*self._trail[1 - TRAIL_MAX :], self._start]
        self._begin(start)

    def _begin(self, start: Start) -> None:
        self.begin_round()
        self._start, self._tree, self._fault = start, TraceTree(), ""
        self._places, self._places_of = None, None
        self._ask_step(self._tree.top)

    def _failed(self, error: StationError) -> None:
        self._tree.take(self._tree.top, [], page_rows=PAGE_ROWS)
        self._fault = safe(error.sentence, 240)

    def _open(self) -> None:
        branch = self._tree.open()
        if branch is not None:
            self._ask_step(branch)
        self._ask_places()

    def _enter(self) -> None:
        line = self._tree.line
        if line is None:
            return
        if line.more is not None:
            self._ask_step(line.branch)
        elif line.branch.level or len(self._tree.top.below or ()) > 1:
            self._go_to(Start(step=line.branch.step))

    def _ask_step(self, branch: Branch) -> None:
        if branch.asked:
            return
        branch.asked = True
        tree, is_first = self._tree, not branch.below
        filters = self._whence(branch) | {"direction": self._direction}
        page = filters | {"limit": str(PAGE_ROWS), "after": str(branch.last_node)}

        def take(steps: list[TraceStep]) -> None:
            tree.take(branch, steps, page_rows=PAGE_ROWS)
            if branch is tree.top and is_first and len(steps) == 1:
                self._open()
            self._ask_places()

        def take_total(rows: list[TraceTotal]) -> None:
            branch.total = rows[0].count if rows else None

        def ignored(_: StationError) -> None:
            """What is wrong with a code is told once."""

        failed = self._failed if branch is tree.top else None
        self.ask_rows("desk_trace", page, TraceStep, take, failed)
        if branch.total is None and "begin" not in filters:
            self.ask_rows("desk_trace_count", filters, TraceTotal, take_total, ignored)

    def _whence(self, branch: Branch) -> dict[str, str]:
        start = self._start
        if branch is not self._tree.top or start is None:
            return {"node": str(branch.step.node)}
        return {"code": start.code} if start.step is None else {"begin": str(start.step.node)}

    def _ask_places(self) -> None:
        """Ask where the selected lot is now."""
        line = self._tree.line
        step = line.branch.step if line is not None and line.more is None else None
        if step is None or step == self._places_of:
            return
        self._places_of, self._places = step, None
        filters = {"item": step.item, "lot": step.lot or "", "serial": step.serial or ""}
        if step.work_order is not None:
            return

        def take(places: list[Place]) -> None:
            if self._places_of == step:
                self._places = places

        self.ask_rows("stock", filters, Place, take)

    # What is drawn -------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw the tree and what is known of the selected lot."""
        words, telling = self.desk.words.sections["genealogy"], self.desk.telling
        lines = self._tree.lines() if telling is not None else []
        if self._start is None:
            empty = [self.told["begin"], "", self.told["begin_scan"]]
        elif self._fault:
            empty = [self._fault]
        else:
            empty = [self.desk.words.desk.loading if not self._tree.loaded else words.empty]

        def line(place: int, width: int) -> Content:
            assert telling is not None
            return line_content(lines[place], telling, width)

        place = ""
        if telling is not None and lines:
            n, total = telling.number(self._tree.at + 1), telling.number(len(lines))
            place = self.desk.words.desk.place.format(n=n, total=total)
        self.widget.rows.show(
            words.rows, place, line, count=len(lines), at=self._tree.at, focused=True, empty=empty
        )
        self.widget.show_story(words.story, self._story(telling), first=0, focused=False)

    def _story(self, telling: Telling | None) -> list[Piece]:
        line = self._tree.line
        if telling is None or line is None or line.branch is self._tree.top:
            return []
        pieces = story(line.branch, telling, forward=self._direction == "forward")
        if self._places is None or self._places_of != line.branch.step:
            return pieces
        if not self._places:
            return [*pieces, Piece(""), Piece(self.told["nowhere"])]
        places = [
            Piece(f"{telling.number(each.quantity)} {safe(each.uom, 8)} · {safe(each.location)}")
            for each in self._places[:PLACES_MAX]
        ]
        return [*pieces, Piece(""), Piece(self.told["now_at"], "muted"), *places]


def line_content(line: TreeLine, telling: Telling, width: int) -> Content:
    """Return a line of the tree: rails, name, how much, how sure."""
    told = telling.words.sections["genealogy"].told
    rails = rails_text(line.rails)
    if line.more is not None:
        more = told["more"].format(n=telling.number(line.more)) if line.more else told["next"]
        return Content.assemble((rails, "$quiet-line"), (more, paint.EMPHASIS["muted"]))
    branch, step = line.branch, line.branch.step
    sign = " " if not step.goes_on else "-" if branch.opened else "+"
    name = Content.assemble(
        (rails, "$quiet-line"),
        (f"{sign} ", "bold $quiet-strong"),
        (safe(step.item, 24), "bold $quiet-text"),
        (f" {name_text(step, telling)}", "$quiet-text"),
    )
    if step.quantity is None or step.certainty is None:
        return name
    quantity = safe(f"{telling.number(step.quantity)} {step.uom}", QUANTITY_COLUMNS)
    sure = f"{_SIGNS[step.certainty]} {telling.words.trace.certainties[step.certainty]}"
    emphasis: Emphasis = "plain"
    if step.certainty in ("exact", "sole"):
        emphasis = "muted"
    elif step.certainty == "unknown":
        emphasis = "alert"
    right = Content.assemble(
        (" " * (QUANTITY_COLUMNS - column_count(quantity)) + quantity + "  ", "$quiet-text"),
        (paint.padded(sure, CERTAINTY_COLUMNS), paint.EMPHASIS[emphasis]),
    )
    return paint.spread(name, right, width)


def rails_text(rails: tuple[bool, ...]) -> str:
    """Return what is drawn before a line; a level too deep to be drawn says its number."""
    if not rails:
        return ""
    *above, own = rails[-LEVELS_DRAWN_MAX:]
    drawn = "".join("│ " if more else "  " for more in above) + ("├ " if own else "└ ")
    return drawn if len(rails) <= LEVELS_DRAWN_MAX else f"{drawn}({len(rails)}) "


def name_text(step: TraceStep, telling: Telling) -> str:
    """Return what a lot is called beside its item."""
    told = telling.words.trace
    named = ((told.lot, step.lot), (told.serial, step.serial), (told.order, step.work_order))
    parts = [form.format(safe(name, NAME_COLUMNS)) for form, name in named if name is not None]
    return ", ".join(parts) or told.no_lot


def story(branch: Branch, telling: Telling, *, forward: bool) -> list[Piece]:
    """Return what is known of a lot: what it is, what of it went where, how sure that is."""
    told, step = telling.words.sections["genealogy"].told, branch.step
    head = f"{safe(step.item, 32)} {name_text(step, telling)}"
    pieces = [Piece(head, "strong")]
    if step.description:
        pieces.append(Piece(safe(step.description, 80)))
    if step.status != "available":
        pieces.append(Piece(told[f"status_{step.status}"], "alert"))
    above = branch.above.step if branch.level > 0 and branch.above is not None else None
    if above is not None and step.quantity is not None and step.certainty is not None:
        names: dict[str, Any] = {
            "quantity": telling.number(step.quantity),
            "uom": safe(step.uom, 8),
            "this": head,
            "that": f"{safe(above.item, 32)} {name_text(above, telling)}",
        }
        pieces.append(Piece(told["went_into" if forward else "is_in"].format(**names)))
        alert = step.certainty == "unknown"
        pieces.append(Piece(told[f"sure_{step.certainty}"], "alert" if alert else "plain"))
    if branch.total is not None:
        name = "leads_forward" if forward else "leads_backward"
        pieces.append(Piece(told[name].format(n=telling.number(branch.total))))
    elif not step.goes_on:
        words = telling.words.trace
        pieces.append(Piece(words.no_use if forward else words.no_origin, "muted"))
    return pieces
