"""Canned mornings and figures, and a core that has them: for tests and pictures."""

from collections.abc import AsyncIterator
from datetime import UTC, date, timedelta
from typing import Any, Final

import msgspec

from mes_terminal.domain.desk import KindGroup, Proposal
from mes_terminal.domain.figures import (
    AgeBucket,
    CauseShare,
    DayFigures,
    HourMade,
    Made,
    Tally,
    WrongCount,
)
from mes_terminal.domain.morning import (
    ExpiringLot,
    LackView,
    Morning,
    MorningGroup,
    OpenWork,
    Queue,
    QueuedOrder,
    Watch,
)
from mes_terminal.domain.view import ScannerView, StationView
from mes_terminal.tui import themes
from mes_terminal.tui.gallery_core import DeskCore
from mes_terminal.tui.gallery_desk import exception, legs
from mes_terminal.tui.supervisor_app import SupervisorApp

NOW: Final = "2026-11-20T06:02:00.000000Z"
TODAY: Final = "2026-11-20"


def order(number: str, *lacks: LackView, **changes: Any) -> QueuedOrder:
    """Return an order of chairs that lacks something."""
    fields: dict[str, Any] = {
        "work_order": number,
        "item": "CHAIR-4",
        "description": "Chair with four legs",
        "remaining": "60",
        "uom": "pcs",
        "status": "released",
        "due_at": "2026-11-20T14:00:00.000000Z",
        "is_late": False,
        "lines_post": 41,
        "lines_short": len(lacks),
        "lacks": list(lacks),
        "lasts_for": lacks[0].lasts_for if lacks else None,
        "refused": None,
    }
    return QueuedOrder(**(fields | changes))


def group(cause: str, count: int, **changes: Any) -> MorningGroup:
    """Return a group with what is proposed for it."""
    fields: dict[str, Any] = {
        "kind": cause.partition(":")[0],
        "severity": "warn",
        "count": count,
        "oldest_at": "2026-11-19T20:40:00.000000Z",
        "key": cause,
        "cause_code": cause,
    }
    due_at = changes.pop("due_at", None)
    proposal = changes.pop("proposal", None)
    oldest = exception(
        40, fields["kind"], item=changes.get("item"), due_at=due_at, location="LINE",
        proposals=[proposal] if proposal is not None else [],
    )  # fmt: skip
    return MorningGroup(KindGroup(**(fields | changes)), oldest)


POST: Final = Proposal(how="post", why="400 pcs of L-78 at LINE", lot="L-78", quantity="400",
                       uom="pcs", location="LINE")  # fmt: skip
WRITE_OFF: Final = Proposal(how="write_off", why="The code means nothing here")
GROUPS: Final = [
    group("failed_scan:fault", 1, severity="stop", owner="maintenance", overdue=1,
          due_at="2026-11-19T22:40:00.000000Z",
          proposal=Proposal(how="scan_again", why="Scan the code again")),
    group("shortage:no_stock", 3, item="LEG", value="310.00", owner="line lead",
          due_at="2026-11-20T08:00:00.000000Z", proposal=POST),
    group("shortage:expired", 2, item="FRAME", value="96.00", owner="quality",
          proposal=Proposal(how="lot", why="Lot F-13 is at LINE and was there by then")),
    group("over_completion:beyond_tolerance", 1, value="6.80"),
    group("unknown_code:not_known", 14, proposal=WRITE_OFF),
]  # fmt: skip


def tally(**changes: Any) -> Tally:
    """Return the figures of a day with changes."""
    fields: dict[str, Any] = {
        "reports": 41,
        "wrong": 3,
        "error_pct": "7.32",
        "wrong_by": [WrongCount("exception", 2), WrongCount("reversal", 1), WrongCount("count", 1)],
        "made": [Made("pcs", "1412", "18"), Made("m", "250.5", "0")],
        "reworked": "6",
        "first_pass_pct": "98.32",
        "opened": 6,
        "ended": 9,
        "resolve_median_s": 2820,
        "resolve_longest_s": 30_000,
    }
    return Tally(**(fields | changes))


def day(name: str, **changes: Any) -> DayFigures:
    """Return a production day of two shifts."""
    made = [52, 118, 131, 127, 96, 140, 138, 133, 121, 129, 117, 110]
    fields: dict[str, Any] = {
        "day": name,
        "total": tally(),
        "shifts": [
            tally(shift="EARLY", reports=22, wrong=1, error_pct="4.55",
                  made=[Made("pcs", "802", "7")]),
            tally(shift="LATE", reports=19, wrong=2, error_pct="10.53",
                  made=[Made("pcs", "610", "11")]),
        ],
        "hours": [
            HourMade(f"{name}T{5 + place:02d}:00:00.000000Z", "EARLY", "WO-1001", "CHAIR-4", "pcs",
                     str(good), str(good // 12 % 6))
            for place, good in enumerate(made)
        ],
        "causes": [
            CauseShare("shortage:no_stock", 9, "310.00", "45"),
            CauseShare("unknown_code:not_known", 5, None, "70"),
            CauseShare("shortage:expired", 3, "96.00", "85"),
            CauseShare("over_completion:beyond_tolerance", 2, "6.80", "95"),
            CauseShare("count_variance:less_found", 1, "12.00", "100"),
        ],
        "currency": "EUR",
    }  # fmt: skip
    return DayFigures(**(fields | changes))


def morning(**changes: Any) -> Morning:
    """Return a usual morning with changes."""
    fields: dict[str, Any] = {
        "now": NOW,
        "today": TODAY,
        "queue": Queue(
            orders=[
                order("WO-1001"),
                order("WO-1101", LackView("CHAIN", "3", "m", "31")),
                order("WO-1104", *(LackView(item, "30", "pcs", "15")
                                   for item in ("RIM", "TYRE", "TUBE")),
                      lines_post=3, item="BICYCLE", is_late=True,
                      due_at="2026-11-19T16:00:00.000000Z"),
                order("WO-1106", refused="The lot of VARNISH is not known", item="VARNISH"),
                order("WO-1107"),
                order("WO-1108"),
            ],
            open_count=6,
        ),
        "work": OpenWork(
            count=21, oldest_at="2026-11-19T20:40:00.000000Z", overdue=1, value="412.80",
            currency="EUR", groups=GROUPS, groups_count=len(GROUPS),
        ),
        "yesterday": day("2026-11-19"),
        "day_before": day("2026-11-18", total=tally(
            error_pct="9.10", made=[Made("pcs", "1398", "31")], first_pass_pct="97.4", opened=11,
            ended=8, resolve_median_s=5400)),
        "watch": Watch(
            expiring=[
                ExpiringLot(item="GLUE", lot="G-4", location="LINE", quantity="12.5", uom="kg",
                            expires_on=TODAY, is_mounted=True),
                ExpiringLot(item="PAINT", lot="P-9", location="LINE", quantity="25", uom="kg",
                            expires_on="2026-11-22", is_mounted=False),
            ],
            expiring_count=2, counts_due=3, postings_waiting=4,
            oldest_waiting_at="2026-11-20T05:50:00.000000Z",
            scanners_not_ready=[ScannerView(name="st10", state="gone", sentence="Unplugged.")],
        ),
    }  # fmt: skip
    return Morning(**(fields | changes))


QUIET: Final = morning(
    queue=Queue(orders=[order("WO-1001"), order("WO-1107")], open_count=2),
    work=OpenWork(count=0, oldest_at=None, overdue=0, value=None, currency="EUR", groups=[],
                  groups_count=0),
    yesterday=None,
    day_before=None,
    watch=Watch(expiring=[], expiring_count=0, counts_due=0, postings_waiting=0,
                oldest_waiting_at=None),
)  # fmt: skip
AGES: Final = [
    AgeBucket(limit, count)
    for limit, count in zip((3600, 14400, 28800, 86400, 259200, 604800, None),
                            (2, 3, 1, 9, 4, 1, 1), strict=True)
]  # fmt: skip
RATES: Final = ("4.1", "3.2", None, None, "6.5", "5.1", "9.1", "7.32", "2", None, None, "3.8",
                "9.1", "7.32")  # fmt: skip


class InsightCore(DeskCore):
    """A core that tells a morning and figures beside exceptions."""

    def __init__(self, view: StationView, told: Morning | None = None) -> None:
        rows = [legs(number, f"WO-{number:04d}", "12", "05:40") for number in (3, 5, 7)]
        super().__init__(msgspec.structs.replace(view, now=NOW), rows)
        self.answers["morning"] = told or morning()
        self.lists["open_ages"] = AGES

    async def pages(self, do: str, **params: Any) -> AsyncIterator[list[msgspec.Raw]]:
        """Answer the figures, and the exceptions of a cause."""
        name, filters = params.get("name"), params.get("filters", {})
        found: list[Any] | None = None
        if name == "figures":
            last = date.fromisoformat(filters.get("day", TODAY))
            found = [
                day((last - timedelta(days=13 - place)).isoformat(),
                    total=tally(error_pct=rate, reports=41 if rate else 0))
                for place, rate in enumerate(RATES)
            ]  # fmt: skip
        elif name == "exception_rows" and filters.get("by") == "cause":
            found = self.rows
        if found is None:
            async for page in super().pages(do, **params):
                yield page
            return
        self._check()
        self.asked.append((name or "", filters))
        yield [msgspec.Raw(msgspec.json.encode(each)) for each in found]


def insight_app(core: InsightCore, *, first: str = "morning", sixteen: bool = False) -> Any:
    """Return the desk's app on a core."""
    palette = themes.SIXTEEN if sixteen else themes.MANY
    return SupervisorApp(core, palette=palette, plain=sixteen, zone=UTC, first=first)
