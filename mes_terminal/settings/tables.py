"""The settings as frozen values: every key of `station.toml`, its type and its default.

What the keys mean stands in docs/settings.md. Made by `settings.reading`; the rules get
`Settings.rules()`.
"""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct
from msgspec.structs import asdict

from mes_terminal.domain.currency import DEFAULT_CURRENCY
from mes_terminal.domain.duties import DutyRule
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.policy import (
    SUPPORTED,
    ControlLevel,
    ControlMatrix,
    ItemClass,
    Situation,
)
from mes_terminal.domain.rules import (
    DEFAULT_PATTERNS,
    CodePattern,
    CodeRules,
    IssueMethod,
    ShortagePolicy,
    StationRules,
)
from mes_terminal.errors import InputError
from mes_terminal.settings.upstream_tables import SiteTable, UpstreamTable

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0)]
Days = Annotated[int, Meta(ge=1, le=36_525)]
DueHours = Annotated[int, Meta(ge=0, le=87_600)]
"""Ten years at most: what is due later is due never."""
Percent = Decimal
"""Not negative, at most six places: `settings.reading` checks what msgspec cannot."""
Grammar = Annotated[str, Meta(pattern=r"\A(delim:.|kv:..)")]
"""`delim:` and what parts the fields; `kv:`, what parts pairs, and what a key from its value."""
HexBytes = Annotated[str, Meta(pattern=r"\A([0-9A-Fa-f]{2})+\Z")]
Role = Literal["operator", "supervisor", "quality", "auditor"]


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: only the keys named below it are allowed."""


class StationTable(Table, frozen=True):
    """Who the station is. `id` and `site` stand in events and on labels."""

    id: Text = "STATION-1"
    site: Text = "SITE"
    mode: Literal["live", "test"] = "live"
    time_zone: Text | None = None
    language: Text = "en"


class DatabaseTable(Table, frozen=True):
    """Where the station keeps everything; `None`: the user's data folder."""

    path: Text | None = None


class CountDays(Table, frozen=True):
    """After how many days an item is counted again, by its class."""

    A: Days = 30
    B: Days = 90
    C: Days = 180
    default: Days = 180


class StockTable(Table, frozen=True):
    """Locations where nothing nearer decides (BF-14), and what to do when stock is short."""

    supply_location: Text = "LINE"
    output_location: Text = "FG"
    scrap_location: Text = "SCRAP"
    shortage_policy: ShortagePolicy = "exception"
    mode: Literal["books", "shadow"] = "books"
    lot_overrun_pct: Percent = Decimal(3)
    count_tolerance_pct: Percent = Decimal(2)
    count_days: CountDays = CountDays()


class ReportTable(Table, frozen=True):
    """How production is reported."""

    issue_method: IssueMethod = "backflush"
    require_sign_in: bool = False
    order_scan: Literal["close", "start"] = "close"
    over_completion_pct: Percent = Decimal(0)
    planned_scrap: Literal["posted", "planning_only"] = "posted"
    bom_date: Literal["start", "release"] = "start"
    undo_grace_s: Count = 120
    min_cycle_s: Count = 0


class CodesTable(Table, frozen=True):
    """How codes are read. A pattern here replaces the default of its name or is added to them."""

    command_prefix: Text = "%"
    patterns: dict[str, str] = {}
    receive_from_labels: bool = False


class LabelsTable(Table, frozen=True):
    """`printer`: a folder, `cups:NAME` or `tcp://HOST:9100`. `template`: a file of templates."""

    printer: Text | None = None
    on_completion: bool = False
    template: Text | None = None


class CostsTable(Table, frozen=True):
    """The currency of standard costs and rates, by its code of ISO 4217."""

    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")] = DEFAULT_CURRENCY


class PeopleTable(Table, frozen=True):
    """Who is at the station, and for how long."""

    idle_logoff_s: Count = 900


class LoadTable(Table, frozen=True):
    """Loading of master data."""

    second_person: bool = False


class ExceptionTable(Table, frozen=True):
    """Who deals with one kind of exception, and until when."""

    owner: Text | None = None
    due_h: DueHours | None = None
    escalate_to: Text | None = None

    def rule(self) -> DutyRule:
        """Return it as the rules read it."""
        return DutyRule(owner=self.owner, due_h=self.due_h, escalate_to=self.escalate_to)


class AlarmsTable(Table, frozen=True):
    """Free disk at which the station warns, and at which it stops (UP-6; 0: never). The reserve is
    kept beside the database for what must still be written then. `posting_age_h`: how old a posting
    that waits may be before the screens warn."""

    disk_warn_mb: Count = 1024
    disk_stop_mb: Count = 64
    posting_age_h: Annotated[int, Meta(ge=1, le=87_600)] = 24
    disk_reserve_mb: Annotated[int, Meta(ge=0, le=4_096)] = 32


class ReportsTable(Table, frozen=True):
    """The validation report that the core writes once a day. `folder` `None`: `reports` beside the
    database; `validation_at` is local time, `none`: never."""

    validation_at: Annotated[str, Meta(pattern=r"\A(none|([01]\d|2[0-3]):[0-5]\d)\Z")] = "05:30"
    folder: Text | None = None
    keep: Annotated[int, Meta(ge=1, le=3_650)] = 30


class BackupTable(Table, frozen=True):
    """The backup that the core makes once a day. `folder` `None`: `backups` beside the database;
    `at` is local time, `none`: never."""

    at: Annotated[str, Meta(pattern=r"\A(none|([01]\d|2[0-3]):[0-5]\d)\Z")] = "02:30"
    folder: Text | None = None
    keep: Annotated[int, Meta(ge=1, le=3_650)] = 14


class ScannerTable(Table, frozen=True):
    """One scanner: its driver, what binds the device, its line, its pipeline."""

    driver: Literal["evdev_wedge", "serial_port", "simulated"] | None = None
    port: Text | None = None
    usb_id: Annotated[str, Meta(pattern=r"\A[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}\Z")] | None = None
    usb_serial: Text | None = None
    usb_path: Text | None = None
    baud: Annotated[int, Meta(ge=50)] = 9600
    bits: Annotated[int, Meta(ge=5, le=8)] = 8
    parity: Literal["N", "E", "O", "M", "S"] = "N"
    stop: Literal[1, 2] = 1
    good_hex: HexBytes | None = None
    bad_hex: HexBytes | None = None
    prefix: str = ""
    suffix: str | None = None
    idle_ms: Count | None = None
    incomplete_ms: Count = 500
    max_len: Annotated[int, Meta(ge=1, le=4096)] = 4096
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    aim_id: Literal["auto", "require", "never"] = "auto"
    gs_token: Text | None = None
    key_map: dict[str, HexBytes] = {}
    layout: Literal["us", "gb", "de", "fr", "be"] = "us"
    caps: Literal["ignore", "track"] = "ignore"
    noread: tuple[Text, ...] = ("NOREAD", "NR", "NO-READ", "ERROR")
    duplicate_ms: Count = 500
    grammars: tuple[Grammar, ...] = ()
    bare_di: tuple[Text, ...] = ()
    command_prefix: Text | None = None
    allow_hri: bool = False
    handshake: Literal["none", "acknak"] = "none"
    record: Text | None = None


class Settings(Table, frozen=True):
    """The whole file."""

    station: StationTable = StationTable()
    database: DatabaseTable = DatabaseTable()
    stock: StockTable = StockTable()
    report: ReportTable = ReportTable()
    codes: CodesTable = CodesTable()
    policy: dict[Situation, dict[ItemClass, ControlLevel]] = {}
    labels: LabelsTable = LabelsTable()
    costs: CostsTable = CostsTable()
    people: PeopleTable = PeopleTable()
    load: LoadTable = LoadTable()
    exceptions: dict[ExceptionKind, ExceptionTable] = {}
    upstream: UpstreamTable = UpstreamTable()
    site: SiteTable = SiteTable()
    scanner: dict[str, ScannerTable] = {}
    alarms: AlarmsTable = AlarmsTable()
    backup: BackupTable = BackupTable()
    reports: ReportsTable = ReportsTable()

    def database_path(self) -> Path:
        """Return where the database is, or is to be made."""
        if self.database.path is not None:
            return Path(self.database.path)
        from platformdirs import user_data_path

        return user_data_path("mes-terminal") / "station.db"

    def rules(self) -> StationRules:
        """Return what the rules read. Raises `InputError` for an unknown time zone."""
        station, stock, report = self.station, self.stock, self.report
        return StationRules(
            station=station.id,
            site=station.site,
            mode=station.mode,
            zone=time_zone(station.time_zone),
            language=station.language,
            supply_location=stock.supply_location,
            output_location=stock.output_location,
            scrap_location=stock.scrap_location,
            shortage_policy=stock.shortage_policy,
            is_shadow=stock.mode == "shadow",
            lot_overrun_pct_micro=int(stock.lot_overrun_pct * 1_000_000),
            count_tolerance_pct_micro=int(stock.count_tolerance_pct * 1_000_000),
            issue_method=report.issue_method,
            require_sign_in=report.require_sign_in,
            order_scan=report.order_scan,
            over_completion_pct_micro=int(report.over_completion_pct * 1_000_000),
            planned_scrap=report.planned_scrap,
            bom_date=report.bom_date,
            undo_grace_s=report.undo_grace_s,
            min_cycle_s=report.min_cycle_s,
            policy=ControlMatrix(self.policy),
            receive_from_labels=self.codes.receive_from_labels,
            count_days=asdict(self.stock.count_days),
            currency=self.costs.currency,
            duties={kind: table.rule() for kind, table in self.exceptions.items()},
            idle_logoff_s=self.people.idle_logoff_s,
            load_second_person=self.load.second_person,
            codes=self.code_rules(None),
            codes_of={name: self.code_rules(table) for name, table in self.scanner.items()},
        )

    def code_rules(self, scanner: ScannerTable | None) -> CodeRules:
        """Return how a scanner's codes are read; `None`: those typed or given to `scan`."""
        table = scanner or ScannerTable()
        return CodeRules(
            encoding=table.encoding,
            aim_id=table.aim_id,
            gs_token=table.gs_token,
            allow_hri=table.allow_hri,
            bare_di=table.bare_di,
            grammars=table.grammars,
            command_prefix=table.command_prefix or self.codes.command_prefix,
            patterns=code_patterns(self.codes.patterns),
        )


def time_zone(name: str | None) -> ZoneInfo:
    """Return the zone called `name`, else the machine's (`TZ`, `/etc/localtime`), else UTC."""
    if name is not None:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise InputError(
                f"station.time_zone: {name!r} is no time zone. Write one like Europe/Berlin.",
                reason="settings",
            ) from error
    local = os.path.realpath("/etc/localtime")
    for guess in (os.environ.get("TZ", "").lstrip(":"), local.partition("/zoneinfo/")[2]):
        try:
            return ZoneInfo(guess)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def code_patterns(changes: Mapping[str, str], where: str = "") -> tuple[CodePattern, ...]:
    """Return the default patterns with the settings' own in their place or after them.

    Raises `InputError` for one that is no regular expression; `where` begins its sentence.
    """
    patterns = []
    for name, text in {**DEFAULT_PATTERNS, **changes}.items():
        try:
            patterns.append(CodePattern(name, re.compile(text)))
        except (re.error, TypeError) as error:
            raise InputError(
                f"{where}codes.patterns.{name} is no regular expression: {error}. Mend {text!r}.",
                reason="settings",
            ) from error
    return tuple(patterns)


def check_levels(policy: Mapping[Situation, Mapping[str, ControlLevel]], where: str = "") -> None:
    """Raise `InputError` for a level that the station cannot act on; `where` begins its sentence.

    A level is never taken as another one: who wrote `block` must not find that it asked.
    """
    for situation, levels in policy.items():
        known = SUPPORTED[situation]
        for item_class, level in levels.items():
            if level not in known:
                raise InputError(
                    f"{where}policy.{situation}.{item_class} is {level!r}, which this station "
                    f"cannot do there. Write {' or '.join(known)}.",
                    reason="settings",
                )
