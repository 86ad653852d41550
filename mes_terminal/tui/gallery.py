"""Every state of the operator's screen with canned data, for snapshots, pictures and looking.

`python -m mes_terminal.tui.gallery NAME [--size 80x24] [--save FILE.svg]` shows one; the fixed
time and the scripted core make every picture the same on every machine.
"""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from textual import events

from mes_terminal.domain.outcome import Consumed, OpenedException, Outcome, Produced
from mes_terminal.domain.view import (
    CountView,
    MountView,
    OrderView,
    PreflightView,
    ScannerView,
    ScanView,
    StationView,
)
from mes_terminal.tui import gallery_approve as approve
from mes_terminal.tui import gallery_orders as orders
from mes_terminal.tui import gallery_shift as shifts
from mes_terminal.tui import themes
from mes_terminal.tui.app import OperatorApp
from mes_terminal.tui.gallery_desk import DeskScene, desk_app, desk_scenes
from mes_terminal.tui.gallery_traces import CHAIR_TRACE, leg_trace
from mes_terminal.tui.gated_app import GatedApp
from mes_terminal.tui.picture import picture
from mes_terminal.tui.scripted_core import ScriptedCore

if TYPE_CHECKING:
    from mes_terminal.domain.trace import Trace

NOW: Final = "2026-11-20T14:05:12.000000Z"


def station(**changes: Any) -> StationView:
    """Return the station of the pictures, with changes."""
    view = StationView(
        station="LINE3-ST02",
        mode="live",
        now=NOW,
        person="1001",
        person_name="Anna K.",
        order=order("WO-1001", "CHAIR-4", "Chair with four legs", "100", "63"),
        next_orders=[
            order("WO-1002", "STOOL-3", "Stool", "40", "0", due="2026-11-20T16:30:00.000000Z"),
            order("WO-1003", "CHAIR-4", "Chair", "60", "0", due="2026-11-21T09:00:00.000000Z"),
            order("WO-1004", "BENCH-2", "Bench", "12", "0", due="2026-11-21T15:00:00.000000Z"),
        ],
        mounted=[
            MountView(position="LEG", item="LEG", lot="L-78", container=None, left="1544",
                      uom="pcs"),
            MountView(position="SEAT", item="SEAT-FRAME", lot="F-12", container="C-204",
                      left="37", uom="pcs", then_lot="F-13"),
            MountView(position="BACK", item="BACK", lot="B-7", container="C-330", left="212",
                      uom="pcs"),
        ],
        last_scans=[
            scan("14:05:11", "000063", "completed", "Unit 000063 booked"),
            scan("14:05:02", "000062", "completed", "Unit 000062 booked"),
            scan("14:04:41", "4711", "unknown", "4711 is unknown here"),
            scan("14:04:20", "000061", "completed", "Unit 000061 booked"),
            scan("14:03:02", "LEG|L-78", "recorded", "Lot L-78 of LEG is mounted"),
            scan("14:02:49", "LEG|L-66", "rejected", "Lot L-66 expired on 2026-11-01"),
        ],
        scanners=[ScannerView(name="st02-hand", state="ready")],
        can_undo="unit 000063",
        postings_waiting=3,
        oldest_waiting_at="2026-11-20T14:03:00.000000Z",
        preflight=PreflightView(lines_post=3, lines_short=0),
    )  # fmt: skip
    return msgspec.structs.replace(view, **changes)


def order(
    number: str,
    item: str,
    description: str,
    quantity: str,
    completed: str,
    *,
    due: str = "2026-11-20T16:00:00.000000Z",
) -> OrderView:
    """Return an order; quantities are whole numbers."""
    return OrderView(
        work_order=number,
        item=item,
        description=description,
        quantity=quantity,
        completed=completed,
        scrapped="0",
        remaining=str(int(quantity) - int(completed)),
        uom="pcs",
        status="started" if completed != "0" else "released",
        due_at=due,
    )


def scan(at: str, code: str, result: str, message: str) -> ScanView:
    """Return one of the last scans at a time of day."""
    return ScanView(
        at=f"2026-11-20T{at}.000000Z", code=code, outcome=result, reason=None, message=message
    )


def outcome(kind: str, reason: str | None = None, **fields: Any) -> Outcome:
    """Return an outcome on WO-1001, with changes."""
    base: dict[str, Any] = {
        "scan_id": f"scan-{kind}-{reason}",
        "code": "000063",
        "message": "",
        "work_order": "WO-1001" if kind != "unknown" else None,
        "item": "CHAIR-4",
    }
    return Outcome(outcome=kind, reason=reason, **(base | fields))  # type: ignore[arg-type]


def draw(line: str, item: str, quantity: str) -> Consumed:
    """Return one draw from lot L-78 at the line."""
    return Consumed(line, item, "L-78", None, "LINE", quantity, "pcs", "exact")


_UNIT: Final = outcome(
    "completed",
    serial="000063",
    quantity="1",
    order_status="started",
    consumed=[draw("10", "LEG", "4"), draw("20", "SEAT-FRAME", "1"), draw("30", "BACK", "1")],
    produced=[Produced("CHAIR-4", "WO-1001", "000063", "FG", "1", "pcs")],
)
_EXPIRED: Final = outcome(
    "rejected",
    "lot_expired",
    code="LEG|L-66",
    item="LEG",
    lot="L-66",
    message="Lot L-66 of LEG expired on 2026-11-01",
)
_SHORT: Final = outcome(
    "completed",
    code="WO-1001",
    scan_id="scan-short",
    quantity="100",
    order_status="closed",
    consumed=[draw("10", "LEG", "388"), draw("20", "SEAT-FRAME", "100")],
    produced=[Produced("CHAIR-4", "WO-1001", None, "FG", "100", "pcs")],
    exceptions=[OpenedException(7, "shortage", "10", "LEG", "12")],
)


class Scene:
    """One picture: the station, and what happens before it is taken."""

    def __init__(self, view: StationView, happens: Outcome | None = None, **options: Any) -> None:
        self.view = view
        self.happens = happens
        self.lost: bool = options.get("lost", False)
        self.typed: str = options.get("typed", "")
        self.traced: Trace | None = options.get("traced")
        self.keys: tuple[str, ...] = options.get("keys", ())


def scenes() -> dict[str, Scene]:
    """Return every picture by name."""
    test = station(mode="test", station="TRAINING-1")
    german = station(language="de")
    short = PreflightView(
        lines_post=40, lines_short=2, shortages=["CHAIN short 3 m", "LEG short 12"]
    )
    after = station()
    closed = station(
        order=msgspec.structs.replace(after.next_orders[0], status="started"),
        next_orders=after.next_orders[1:],
        preflight=short,
        exceptions_open=7,
        can_undo="WO-1001",
    )
    return {
        "ready": Scene(station()),
        "ok": Scene(station(), _UNIT),
        "ok-german": Scene(german, _UNIT),
        "stop": Scene(station(), _EXPIRED),
        "stop-german": Scene(german, _EXPIRED),
        "check": Scene(closed, _SHORT),
        "check-german": Scene(msgspec.structs.replace(closed, language="de"), _SHORT),
        "do": Scene(station(), outcome("needs", "confirm_close", code="WO-1001", quantity="37")),
        "pending": Scene(
            station(pending_verb="SHORT", pending_argument="MATERIAL"),
            outcome("recorded", code="%SHORT MATERIAL"),
        ),
        "typing": Scene(station(pending_quantity="5"), typed="WO-10"),
        "test": Scene(test, _UNIT),
        "trouble": Scene(
            station(
                scanners=[
                    ScannerView(name="st02-hand", state="gone"),
                    ScannerView(name="st02-fix", state="ready"),
                ],
                postings_waiting=212,
                oldest_waiting_at="2026-11-20T12:03:00.000000Z",
                exceptions_open=7,
                clock_in_doubt=True,
                preflight=short,
                scans_waiting=3,
            ),
            outcome("unknown", code="4711"),
        ),
        "empty": Scene(
            station(
                person=None,
                person_name=None,
                order=None,
                next_orders=[],
                mounted=[],
                last_scans=[],
                scanners=[],
                can_undo=None,
                postings_waiting=0,
                preflight=None,
            )
        ),
        "help": Scene(station(), outcome("recorded", code="%HELP")),
        "lost": Scene(station(), lost=True),
        "lost-german": Scene(german, lost=True),
    } | _other_scenes(german)


def _order_scenes() -> dict[str, Scene]:
    bikes = station(
        order=orders.EBIKES, operations=orders.OPERATIONS, unit=orders.UNIT, can_undo=None
    )
    assembled = msgspec.structs.replace(bikes, unit=None, can_undo="4 EBIKE of WO-1004")
    changed = station(order=orders.CHANGED)
    told = station(order=msgspec.structs.replace(orders.CHANGED, completed="64", changes=[]))
    counting = station(count=CountView("LINE", 3))
    return {
        "count": Scene(counting, outcome("recorded", code="LEG|L-78")),
        "operation": Scene(assembled, orders.OPERATION_DONE),
        "slots": Scene(bikes, orders.UNIT_LACKS),
        "slots-german": Scene(msgspec.structs.replace(bikes, language="de"), orders.UNIT_LACKS),
        "changed": Scene(changed, _UNIT),
        "changed-german": Scene(msgspec.structs.replace(changed, language="de")),
        "change-told": Scene(told, orders.CHANGE_TOLD),
    }


def _shift_scenes(german: StationView) -> dict[str, Scene]:
    end = outcome("recorded", code="%END", work_order=None, item=None)
    badge = outcome("recorded", code="B:1001", work_order=None, item=None)
    stopped = {"stopped": shifts.STOPPED, "calls": shifts.CALLS}
    greeted = station(handed_over=shifts.HANDED_OVER)
    return {
        "line-stopped": Scene(station(**stopped), _UNIT),
        "line-stopped-german": Scene(msgspec.structs.replace(german, **stopped)),
        "called": Scene(station(calls=shifts.CALLS)),
        "handed-over": Scene(greeted, badge),
        "handed-over-german": Scene(msgspec.structs.replace(greeted, language="de"), badge),
        "shift-end": Scene(station(**stopped), end),
        "shift-end-german": Scene(german, end),
    }


def _approve_scenes(german: StationView) -> dict[str, Scene]:
    waits, more = {"approval": approve.PIN_AWAITED}, {"approval": approve.MORE_THAN_ORDERED}
    return {
        "approval": Scene(station(approval=approve.ASKED), approve.ASKS),
        "approval-german": Scene(
            msgspec.structs.replace(german, approval=approve.ASKED), approve.ASKS
        ),
        "approval-pin": Scene(station(**waits)),
        "approval-pin-german": Scene(msgspec.structs.replace(german, **more)),
        "approved": Scene(station(answers=approve.APPROVED)),
    }


def _other_scenes(german: StationView) -> dict[str, Scene]:
    return (
        _order_scenes()
        | _shift_scenes(german)
        | _approve_scenes(german)
        | {
            "trace": Scene(station(), _UNIT, traced=CHAIR_TRACE, keys=("f6",)),
            "trace-german": Scene(german, _UNIT, traced=CHAIR_TRACE, keys=("f6",)),
            "trace-long": Scene(
                station(), _UNIT, traced=leg_trace(), keys=("f6", "right", "pagedown")
            ),
            "trace-nothing": Scene(station(mode="test"), keys=("f6",)),
            "trace-unknown": Scene(station(), _EXPIRED, keys=("f6",)),
        }
    )


def app_of(
    scene: Scene | DeskScene, *, sixteen: bool | None = False, plain: bool | None = False
) -> tuple[GatedApp, Callable[[Any], Coroutine[Any, Any, None]]]:
    """Return an app that shows `scene` and what to run before its picture is taken."""
    if isinstance(scene, DeskScene):
        return desk_app(scene, sixteen=sixteen, plain=plain)
    core = ScriptedCore(scene.view)
    core.traced = scene.traced
    palette = None if sixteen is None else (themes.SIXTEEN if sixteen else themes.MANY)
    app = OperatorApp(core, palette=palette, plain=plain, zone=UTC, play=lambda _sound: None)

    async def act(pilot: Any) -> None:
        await pilot.pause()
        await pilot.pause()
        if scene.happens is not None:
            core.push("outcome", scene.happens)
            core.push("view", scene.view)
        if scene.lost:
            core.push("gone", None)
        app.operator.show_typed(scene.typed)
        await pilot.pause(0.1)
        for key in scene.keys:
            app.post_message(events.Key(key, None))
            await pilot.pause(0.2)

    return app, act


def picture_of(app: GatedApp) -> str:
    """Return the SVG of what `app` shows."""
    strips = app.screen._compositor.render_strips()
    palette = themes.SIXTEEN if app.theme == themes.SIXTEEN.name else themes.MANY
    return picture(
        (list(strip) for strip in strips),
        app.size.width,
        ground=palette.ground,
        text=palette.text,
    )


def main() -> None:
    """Show a scene in this terminal, or save its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    everything: dict[str, Scene | DeskScene] = {**scenes(), **desk_scenes(station())}
    parser.add_argument("name", choices=sorted(everything))
    parser.add_argument("--size", default="80x24", help="columns x rows of a saved picture")
    parser.add_argument("--save", type=Path, help="write an SVG instead of showing it")
    parser.add_argument("--sixteen", action="store_true", help="the theme of a Linux console")
    arguments = parser.parse_args()
    scene = everything[arguments.name]
    if arguments.save is None:
        app, act = app_of(scene, sixteen=None, plain=None)
        app.call_later(lambda: asyncio.create_task(act(_Waiter())))
        app.run(mouse=False)
        return
    columns, rows = (int(part) for part in arguments.size.split("x"))
    app, act = app_of(scene, sixteen=arguments.sixteen, plain=arguments.sixteen)

    async def save() -> None:
        async with app.run_test(size=(columns, rows)) as pilot:
            await act(pilot)
            arguments.save.write_text(picture_of(app))

    asyncio.run(save())


class _Waiter:
    """Stands for a test's pilot where a person looks."""

    async def pause(self, delay: float = 0.2) -> None:
        await asyncio.sleep(delay)


if __name__ == "__main__":
    main()
