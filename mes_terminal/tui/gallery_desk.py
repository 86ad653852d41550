"""Canned exceptions for the gallery and for tests, and a core that has them."""

from datetime import UTC
from typing import Any, Final

import msgspec
from msgspec import Struct
from textual import events

from mes_terminal.domain.desk import ExceptionStory, Proposal, Suggestion
from mes_terminal.domain.view import StationView
from mes_terminal.tui import themes
from mes_terminal.tui.gallery_core import DeskCore
from mes_terminal.tui.gallery_plant import ANSWERS, LISTS
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
        "cause_code": f"{kind}:seen",
    }
    return ExceptionStory(**(fields | changes))


LEG_PROPOSALS: Final = [
    Proposal(
        how="lot",
        why="",
        lot="L-78",
        item="LEG",
        quantity="400",
        uom="pcs",
        location="LINE",
    ),
    Proposal(
        how="item",
        why="",
        lot="B-3",
        item="LEG-B",
        quantity="60",
        uom="pcs",
        location="LINE",
    ),
    Proposal(
        how="move",
        why="",
        lot="L-80",
        item="LEG",
        quantity="1200",
        uom="pcs",
        location="STORE",
    ),
    Proposal(how="write_off", why=""),
]


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
        "proposals": LEG_PROPOSALS,
        "scan_code": order,
        "device": "st02",
        "shift": "B",
        "cause_code": "shortage:no_stock",
        "owner": "Shift lead",
        "due_at": "2026-11-20T15:00:00.000000Z",
        "value": "96.00",
        "currency": "EUR",
    }
    return exception(number, **(fields | changes))


MIXED: Final = [
    legs(3, "WO-0998", "2", "12:59", item="FRAME", uom="pcs", tracking="none", suggestions=[],
         proposals=LEG_PROPOSALS[-1:]),
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


LATE: Final = [
    msgspec.structs.replace(
        each, due_at="2026-11-20T13:30:00.000000Z", escalated_to="Plant manager", tries=3
    )
    if each.id in (1, 3)
    else each
    for each in MIXED
]
"""The same shift with two that nobody saw to in time."""


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
        "desk-reason": DeskScene(view=view, rows=MIXED, does=("r", "2", "down")),
        "desk-help": DeskScene(view=view, rows=MIXED, does=("down", "f1")),
        "desk-by-cause": DeskScene(view=view, rows=LATE, does=("b", "down", "down")),
        "desk-menu": DeskScene(view=view, rows=MIXED, does=("m", "down")),
        "desk-orders": DeskScene(view=view, rows=MIXED, does=("3", "wait", "wait")),
        "desk-orders-german": DeskScene(view=german, rows=MIXED, does=("3", "wait", "wait")),
        "desk-stock": DeskScene(
            view=view, rows=MIXED, does=("4", "wait", "down", "down", "down", "wait", "wait")
        ),
        "desk-lots": DeskScene(view=view, rows=MIXED, does=("5", "wait", "down", "wait", "wait")),
        "desk-mounts": DeskScene(view=view, rows=MIXED, does=("5", "5", "wait", "down", "wait")),
        "desk-difference": DeskScene(
            view=view, rows=MIXED, does=("9", "wait", "d", "wait", "down", "wait", "wait")
        ),
        "desk-difference-german": DeskScene(
            view=german, rows=MIXED, does=("9", "wait", "d", "wait", "down", "wait", "wait")
        ),
        "desk-all-stations": DeskScene(view=view, rows=MIXED, does=("2", "wait", "wait", "wait")),
        "desk-all-stations-german": DeskScene(
            view=german, rows=MIXED, does=("2", "wait", "down", "down", "down", "wait", "wait")
        ),
        "desk-assign": DeskScene(view=view, rows=LATE, does=("a", "SUP-2", "enter")),
    }


def desk_app(
    scene: DeskScene, *, sixteen: bool | None = False, plain: bool | None = False
) -> tuple[SupervisorApp, Any]:
    """Return an app that shows `scene` and what to run before its picture is taken."""
    core = DeskCore(scene.view, scene.rows, LISTS)
    core.refusals, core.answers = scene.refusals, dict(ANSWERS)
    palette = None if sixteen is None else (themes.SIXTEEN if sixteen else themes.MANY)
    app = SupervisorApp(core, palette=palette, plain=plain, zone=UTC, first="exceptions")

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
