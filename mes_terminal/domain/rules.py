"""The settings that the rules read, as one frozen value.

`settings` makes it from `station.toml`; every function that needs it takes it as an argument.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.domain.currency import DEFAULT_CURRENCY
from mes_terminal.domain.duties import DutyRules
from mes_terminal.domain.policy import ControlMatrix

ShortagePolicy = Literal["exception", "block", "negative"]
IssueMethod = Literal["backflush", "manual", "bulk"]

DEFAULT_PATTERNS: dict[str, str] = {
    "badge": r"B:(?P<badge>.+)",
    "location": r"L:(?P<location>.+)",
    "lot": r"(?P<item>[^|]+)\|(?P<lot>[^|]+)(\|(?P<quantity>[0-9.]+))?",
}


class CodePattern(Struct, frozen=True):
    """A site pattern: its name and the expression that must match the whole code."""

    name: str
    expression: re.Pattern[str]


class CodeRules(Struct, frozen=True, kw_only=True):
    """How the codes of one scanner are read; the scanning page names the keys."""

    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    aim_id: Literal["auto", "require", "never"] = "auto"
    gs_token: str | None = None
    """Text that stands for GS."""
    allow_hri: bool = False
    """GS1 as it is printed for people, `(01)…(10)…`, is read as GS1."""
    bare_di: tuple[str, ...] = ()
    """Data identifiers that are taken without the envelope of ISO/IEC 15434."""
    grammars: tuple[str, ...] = ()
    """`delim:|`, `kv:;=`: in this order, after the site patterns."""
    command_prefix: str = "%"
    patterns: tuple[CodePattern, ...] = tuple(
        CodePattern(name, re.compile(text)) for name, text in DEFAULT_PATTERNS.items()
    )


class StationRules(Struct, frozen=True, kw_only=True):
    """Who the station is and how it decides. Percentages are in micro-percent (BF-1)."""

    station: str = "STATION-1"
    site: str = "SITE"
    mode: Literal["live", "test"] = "live"
    zone: ZoneInfo = ZoneInfo("UTC")
    language: str = "en"
    supply_location: str = "LINE"
    output_location: str = "FG"
    scrap_location: str = "SCRAP"
    shortage_policy: ShortagePolicy = "exception"
    is_shadow: bool = False
    """Go-live: what the books lack of an item is not owed until it is first counted (BF-20)."""
    lot_overrun_pct_micro: int = 3_000_000
    count_tolerance_pct_micro: int = 2_000_000
    count_days: Mapping[str, int] = MappingProxyType({"A": 30, "B": 90, "C": 180, "default": 180})
    """After how many days an item is counted again, by its class (BF-32)."""
    issue_method: IssueMethod = "backflush"
    require_sign_in: bool = False
    order_scan: Literal["close", "start"] = "close"
    over_completion_pct_micro: int = 0
    planned_scrap: Literal["posted", "planning_only"] = "posted"
    bom_date: Literal["start", "release"] = "start"
    undo_grace_s: int = 120
    min_cycle_s: int = 0
    policy: ControlMatrix = ControlMatrix()
    receive_from_labels: bool = False
    currency: str = DEFAULT_CURRENCY
    """Of standard costs, by its code of ISO 4217."""
    duties: DutyRules = {}
    """Whose exceptions are, by kind, and until when they are due."""
    idle_logoff_s: int = 900
    """Who is signed in and has not scanned for so long is signed out; 0: never."""
    load_second_person: bool = False
    """A load is proposed by one person and applied by another."""
    codes: CodeRules = CodeRules()
    codes_of: dict[str, CodeRules] = {}
    """The scanners whose codes are read in a way of their own, by name."""

    def code_rules(self, device: str) -> CodeRules:
        """Return how the codes of `device` are read."""
        return self.codes_of.get(device, self.codes)
