"""Canned exceptions for the gallery and for tests, and a core that has them."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any, Final

import msgspec
from msgspec import Struct
from textual import events

from mes_terminal.domain.desk import ExceptionStory, KindGroup, Suggestion
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.resolving import Resolved
from mes_terminal.domain.view import StationView
from mes_terminal.errors import CoreError, InputError
from mes_terminal.tui import themes
from mes_terminal.tui.gated_app import GatedApp
from mes_terminal.tui.keys import KeyReader
from mes_terminal.tui.supervisor_app import SupervisorApp

KEY_GAP_S: Final = 0.06
"""A person's keys are further apart than a scanner's."""


def exception(number: int, kind: str = "shortage", **changes: Any) -> ExceptionStory:
    """Return an exception on the day of the pictures, with changes."""
    fields: dict[str, Any] = {
        "id": number,
        "kind": kind,
        "status": "open",
        "severity": "warn",
        "work_order": None,
        "line": None,
        "item": None,
        "lot": None,
        "quantity": None,
        "uom": None,
        "tracking": None,
        "location": None,
        "opened_at": "2026-11-20T13:03:00.000000Z",
        "person": "Anna K.",
        "cause": None,
        "suggestions": [],
        "resolution": None,
    }
    return ExceptionStory(**(fields | changes))


def legs(number: int, order: str, quantity: str, at: str, **changes: Any) -> ExceptionStory:
    """Return legs that are owed."""
    fields: dict[str, Any] = {
        "work_order": order,
        "line": "10",
        "item": "LEG",
        "quantity": quantity,
        "uom": "pcs",
        "tracking": "lot",
        "location": "LINE",
        "cause": "no_stock",
        "opened_at": f"2026-11-20T{at}:00.000000Z",
        "suggestions": [
            Suggestion("L-78", "400", "LINE", None, "pcs"),
            Suggestion("B-3", "60", "LINE", "LEG-B", "pcs"),
            Suggestion("L-80", "1200", "STORE", None, "pcs"),
        ],
    }
    return exception(number, **(fields | changes))


MIXED: Final = [
    legs(3, "WO-0998", "2", "12:59", item="FRAME", uom="pcs", tracking="none", suggestions=[]),
    legs(5, "WO-1003", "4", "13:22", cause="lot_expired"),
    legs(7, "WO-1007", "12", "14:01"),
    exception(1, "lot_expired", work_order="WO-0991", line="10", item="LEG", lot="L-66",
              quantity="40", uom="pcs", tracking="lot", cause="expired on 2026-11-01",
              opened_at="2026-11-20T11:55:00.000000Z"),
    exception(2, "lot_expired", work_order="WO-0992", line="10", item="LEG", lot="L-66",
              quantity="8", uom="pcs", tracking="lot", cause="expired on 2026-11-01",
              opened_at="2026-11-20T12:10:00.000000Z"),
    exception(4, "unknown_code", quantity="14", cause="4711-X", person=None,
              opened_at="2026-11-20T13:10:00.000000Z"),
    exception(6, "over_completion", work_order="WO-1005", quantity="2", cause="beyond_tolerance",
              opened_at="2026-11-20T13:34:00.000000Z"),
    exception(8, "failed_scan", severity="stop", cause="disk I/O error", quantity="1",
              opened_at="2026-11-20T14:04:00.000000Z"),
]  # fmt: skip
"""A mixed shift."""
REASONS: Final = [
    {"code": "FOUND", "kind": "write_off", "description": "found in the scrap"},
    {"code": "SEEN", "kind": "write_off", "description": "seen to, nothing to post"},
    {"code": "BURR", "kind": "scrap", "description": "burr"},
]


class DeskCore:
    """A core of exceptions: `CoreLink` for pictures and tests."""

    def __init__(self, view: StationView, rows: list[ExceptionStory]) -> None:
        self.view, self.rows = view, rows
        self.away = False
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """Every list and request, but for the view."""
        self.refusals: dict[int, str] = {}
        """What stays open, and why."""
        self.pin = "4711"

    async def open(self) -> None:
        """Attach, unless it is away."""
        self._check()

    async def close(self) -> None:
        """Nothing to leave."""

    async def request(self, do: str, **params: Any) -> msgspec.Raw:
        """Answer `view` and `resolve`."""
        self._check()
        if do == "view":
            return encoded(self.view)
        assert do == "resolve", do
        self.asked.append((do, params))
        if not params.get("preview") and params["pin"] != self.pin:
            sentence = f"That is not the PIN of {params['badge']}. Nothing was done."
            raise InputError(sentence, reason="not_authorised")
        results = [self._resolved(each, params["decision"]) for each in params["ids"]]
        if not params.get("preview"):
            ended = {each.id for each in results if each.outcome != "refused"}
            self.rows = [each for each in self.rows if each.id not in ended]
        return encoded(results)

    async def pages(self, do: str, **params: Any) -> AsyncIterator[list[msgspec.Raw]]:
        """Answer the lists of the desk from `rows`."""
        self._check()
        name, filters = params["name"], params.get("filters", {})
        assert do == "list"
        self.asked.append((name, filters))
        found = [
            each
            for each in self.rows
            if ("open" not in filters or each.status == "open")
            and filters.get("text", "").upper() in f"{each.work_order} {each.item} {each.cause}"
        ]
        if name == "reasons":
            yield [encoded(each) for each in REASONS]
        elif name == "exception_groups":
            yield [encoded(each) for each in _groups(found)]
        else:
            assert name == "exception_rows", name
            mine = [each for each in found if each.kind == filters["kind"]]
            since = int(filters.get("since", "0"))
            after = [each for each in mine if each.id > since]
            yield [encoded(each) for each in after[: int(filters["limit"])]]

    async def subscribe(self) -> AsyncIterator[tuple[str, msgspec.Raw]]:
        """Push nothing."""
        nothing: list[tuple[str, msgspec.Raw]] = []
        for each in nothing:
            yield each

    def _check(self) -> None:
        if self.away:
            raise CoreError("no core", reason="core_gone")

    def _resolved(self, number: int, decision: dict[str, Any]) -> Resolved:
        (row,) = [each for each in self.rows if each.id == number]
        if number in self.refusals:
            return Resolved(id=number, outcome="refused", message=self.refusals[number])
        if decision["how"] == "write_off":
            return Resolved(id=number, outcome="written_off", message="", written_off=row.quantity)
        lot = decision.get("lot") or "L-78"
        drawn = Consumed(row.line, row.item or "", lot, None, "LINE", row.quantity or "0", "pcs",
                         "assumed")  # fmt: skip
        return Resolved(id=number, outcome="posted", message="posted", posted=[drawn])


class DeskScene(Struct, frozen=True, kw_only=True):
    """What is open, and what a person does there."""

    view: StationView
    rows: list[ExceptionStory]
    does: tuple[str, ...] = ()
    """Keys by name, and texts that are typed."""
    refusals: dict[int, str] = {}


def desk_scenes(view: StationView) -> dict[str, DeskScene]:
    """Return the states of the desk, at the station `view`."""
    german = msgspec.structs.replace(view, language="de")
    group = ("down", "down", "g", "1", "wait", "enter", "SUP-1", "enter")
    many = [legs(n, f"WO-{n:04d}", "4", "13:22") for n in range(1, 401)]
    refusals = {3: "Name the lot that was used: L-78"}
    return {
        "desk": DeskScene(view=view, rows=MIXED, does=("down", "down", "tab", "down", "down")),
        "desk-empty": DeskScene(view=view, rows=[]),
        "desk-german": DeskScene(
            view=german, rows=MIXED, does=("down", "down", "tab", "down", "down")
        ),
        "desk-many": DeskScene(view=view, rows=many, does=("tab", "end")),
        "desk-choose": DeskScene(
            view=view, rows=MIXED, does=("down", "down", "tab", "down", "down", "enter")
        ),
        "desk-resolve": DeskScene(view=view, rows=MIXED, does=(*group, "47"), refusals=refusals),
        "desk-reason": DeskScene(view=view, rows=MIXED, does=("r", "1", "down")),
        "desk-help": DeskScene(view=view, rows=MIXED, does=("down", "f1")),
    }


def desk_app(
    scene: DeskScene, *, sixteen: bool | None = False, plain: bool | None = False
) -> tuple[SupervisorApp, Any]:
    """Return an app that shows `scene` and what to run before its picture is taken."""
    core = DeskCore(scene.view, scene.rows)
    core.refusals = scene.refusals
    palette = None if sixteen is None else (themes.SIXTEEN if sixteen else themes.MANY)
    app = SupervisorApp(core, palette=palette, plain=plain, zone=UTC)

    async def act(pilot: Any) -> None:
        await pilot.pause(0.1)
        await pilot.pause(0.1)
        for each in scene.does:
            await do(app, pilot, each)
            await pilot.pause(0.2)

    return app, act


async def do(app: GatedApp, pilot: Any, what: str) -> None:
    """Press a key by its name, or type a text as a person does, key by key."""
    if what in ("up", "down", "left", "right", "tab", "enter", "escape", "end", "home", "f1",
                "pageup", "pagedown"):  # fmt: skip
        app.post_message(events.Key(what, {"enter": "\r", "tab": "\t"}.get(what)))
    elif what != "wait":
        reader = KeyReader()
        for character in what:
            for key in [*reader.feed(character), *reader.flush()]:
                app.post_message(events.Key(key.name, key.characters))
            await pilot.pause(KEY_GAP_S)
    await pilot.pause(KEY_GAP_S)


def _groups(rows: list[ExceptionStory]) -> list[KindGroup]:
    groups = []
    for kind in dict.fromkeys(each.kind for each in rows):
        mine = [each for each in rows if each.kind == kind]
        gravest = min((each.severity for each in mine), key=("stop", "warn", "info").index)
        oldest = min(each.opened_at for each in mine)
        groups.append(KindGroup(kind, gravest, len(mine), oldest))
    return sorted(groups, key=lambda each: (each.severity != "stop", each.oldest_at))


def encoded(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
