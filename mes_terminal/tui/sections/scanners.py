"""The section of scanners: how each is, what it read, what went wrong, what to do about it.

The core tells all of them at once; the list is a page of a described section all the same.
"""

from typing import Any, Final

from mes_terminal.domain.view import ScannerView
from mes_terminal.tui.present_view import Emphasis, Piece
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.sections.list_page import ListPage
from mes_terminal.tui.sections.page import Desk
from mes_terminal.tui.sections.section import Cell, Details, Line, Section
from mes_terminal.tui.telling import Telling

_EMPHASIS: Final[dict[str, Emphasis]] = {"ready": "plain", "opening": "muted"}
TROUBLES: Final = ("no_reads", "incomplete", "duplicates", "refused", "overruns", "lost_gs",
                   "reconnects")  # fmt: skip
"""What is counted beside the reads, in the order in which it is told."""


def line(row: ScannerView, telling: Telling) -> Line:
    """Return the line of a scanner."""
    words = telling.words
    troubles = sum(row.counts.get(name, 0) for name in TROUBLES)
    return Line(
        left=[
            Cell(safe(row.name, 20), 16, "strong"),
            Cell(words.scanner_states[row.state], 20, _EMPHASIS.get(row.state, "alert")),
        ],
        right=[
            Cell(telling.number(row.counts.get("reads", 0)), 9),
            Cell(telling.number(troubles) if troubles else "", 9, "strong"),
            Cell(telling.moment(row.last_scan_at), 9, "muted"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["scanners"].told
    return Line(
        left=[Cell(told["column_name"], 16), Cell(told["column_state"], 20)],
        right=[
            Cell(told["column_reads"], 9),
            Cell(told["column_troubles"], 9),
            Cell(told["column_last"], 9),
        ],
    )


def story(row: ScannerView, _details: Details, telling: Telling) -> list[Piece]:
    """Return how it is, what to do, and what it counted since the station started."""
    words, told = telling.words, telling.words.sections["scanners"].told
    head = f"{safe(row.name, 32)} · {words.scanner_states[row.state]}"
    pieces = [Piece(head, "strong" if row.state == "ready" else "alert")]
    if row.sentence:
        pieces.append(Piece(safe(row.sentence, SENTENCE_MAX_COLUMNS)))
    pieces.append(Piece(told[f"do_{row.state}"]))
    pieces += [Piece(""), Piece(told["counted"], "muted")]
    last = told["last" if row.last_scan_at else "no_last"]
    pieces.append(Piece(last.format(time=telling.time(row.last_scan_at))))
    pieces.append(Piece(told["reads"].format(n=telling.number(row.counts.get("reads", 0)))))
    for name in TROUBLES:
        if n := row.counts.get(name, 0):
            pieces.append(Piece(told[f"n_{name}"].format(n=telling.number(n)), "strong"))
    return pieces


SCANNERS: Final = Section(
    name="scanners",
    list_name="",
    row=ScannerView,
    key=lambda row: row.name,
    line=line,
    columns=columns,
    story=story,
    finds_text=False,
)


class ScannersPage(ListPage):
    """All scanners, as the core tells them."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, SCANNERS)

    def _ask_page(self, page: int, *, anew: bool = False) -> None:
        if page or (self._asked_page is not None and not anew):
            return
        self._asked_page = page
        self.ask_value("scanners", {}, list[ScannerView], self._take_all, self._failed)

    def _take_all(self, rows: list[Any]) -> None:
        self._count = len(rows)
        self._take_page(0, rows)
