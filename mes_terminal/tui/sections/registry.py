"""All sections of the desk, in the order of the menu and of `[` and `]`.

A digit shows the first section that has it; the same digit again the next one that has it.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from mes_terminal.tui.sections.all_stations import ALL_STATIONS
from mes_terminal.tui.sections.approvals import APPROVALS
from mes_terminal.tui.sections.audit import AuditPage
from mes_terminal.tui.sections.counts import COUNTS
from mes_terminal.tui.sections.difference import DIFFERENCE
from mes_terminal.tui.sections.exceptions import ExceptionsPage
from mes_terminal.tui.sections.figures import FiguresPage
from mes_terminal.tui.sections.genealogy import GenealogyPage
from mes_terminal.tui.sections.list_page import ListPage
from mes_terminal.tui.sections.loads import LOADS
from mes_terminal.tui.sections.lots import LOTS
from mes_terminal.tui.sections.morning import MorningPage
from mes_terminal.tui.sections.mounts import MOUNTS
from mes_terminal.tui.sections.orders import ORDERS
from mes_terminal.tui.sections.outbox import OUTBOX
from mes_terminal.tui.sections.page import Desk, Page
from mes_terminal.tui.sections.people import PeoplePage
from mes_terminal.tui.sections.scanners import ScannersPage
from mes_terminal.tui.sections.shifts import SHIFTS
from mes_terminal.tui.sections.stock import STOCK


class Entry(Struct, frozen=True):
    """A section: its name, its digit if it has one, and what makes its page."""

    name: str
    digit: str
    page: Callable[[Desk], Page]


SECTIONS: Final[tuple[Entry, ...]] = (
    Entry("morning", "1", MorningPage),
    Entry("exceptions", "2", ExceptionsPage),
    Entry("all_stations", "2", partial(ListPage, section=ALL_STATIONS)),
    Entry("orders", "3", partial(ListPage, section=ORDERS)),
    Entry("stock", "4", partial(ListPage, section=STOCK)),
    Entry("lots", "5", partial(ListPage, section=LOTS)),
    Entry("mounts", "5", partial(ListPage, section=MOUNTS)),
    Entry("genealogy", "6", GenealogyPage),
    Entry("counts", "7", partial(ListPage, section=COUNTS)),
    Entry("figures", "8", FiguresPage),
    Entry("outbox", "9", partial(ListPage, section=OUTBOX)),
    Entry("difference", "", partial(ListPage, section=DIFFERENCE)),
    Entry("audit", "", AuditPage),
    Entry("scanners", "", ScannersPage),
    Entry("people", "", PeoplePage),
    Entry("approvals", "", partial(ListPage, section=APPROVALS)),
    Entry("loads", "", partial(ListPage, section=LOADS)),
    Entry("shifts", "", partial(ListPage, section=SHIFTS)),
)
HOMES: Final = {
    "order": "orders",
    "item": "stock",
    "location": "stock",
    "lot": "lots",
    "container": "lots",
    "unit": "genealogy",
    "component_serial": "genealogy",
}
"""Where a scanned code is shown that the section at hand does not find, by what it names."""
FIRST: Final = "exceptions"
"""What is seen first where nothing else is asked for."""
