"""Pictures around a shift: the line stands, material is called, the shift ends."""

from typing import Final

from mes_terminal.domain.shift_report import (
    Anchor,
    HandedOver,
    ItemTotal,
    LeftContainer,
    LeftOpen,
    OpenKind,
    OrderInProcess,
    ShiftNow,
    ShiftReport,
    StopTotal,
    Totals,
)
from mes_terminal.domain.view import CallView, HandedOverView, StopView

STOPPED: Final = StopView("2026-11-20T13:52:00.000000Z", "JAM", "Machine jammed")
CALLS: Final = [CallView("LEG", "WO-1001", 2, "2026-11-20T13:58:00.000000Z")]
HANDED_OVER: Final = [HandedOverView("shortage", 3), HandedOverView("unknown_code", 1)]

OPEN: Final = LeftOpen(
    exceptions=[OpenKind("shortage", 3, 3), OpenKind("unknown_code", 1, 0)],
    approvals=1,
    count="LINE",
    calls=1,
    stopped="JAM",
    in_process=[
        OrderInProcess("WO-1001", "CHAIR-4", "5", "37", "pcs"),
        OrderInProcess("WO-1004", "BENCH-2", "0", "12", "pcs"),
    ],
    in_process_orders=2,
    mounted=[
        LeftContainer("LEG", "LEG", "L-78", None, "1544", "pcs"),
        LeftContainer("SEAT", "SEAT-FRAME", "F-12", "C-204", "37", "pcs"),
    ],
    set_aside=[LeftContainer(None, "CHAIN", "K-3", "C-310", "12.5", "m")],
    unsent=3,
    unsent_since="2026-11-20T14:03:00.000000Z",
)
TOTALS: Final = Totals(
    reports=64,
    taken_back=1,
    items=[ItemTotal("CHAIR-4", "pcs", "163", "2", 64)],
    opened=9,
    ended=7,
    stops=[StopTotal("JAM", 2, "21.5")],
    calls=3,
)
NOW: Final = ShiftNow(
    production_day="20261120",
    shift="EARLY",
    began_at="2026-11-20T05:02:00.000000Z",
    at="2026-11-20T14:05:12.000000Z",
    blocked=None,
    zero_open=False,
    open=OPEN,
    totals=TOTALS,
)
REPORT: Final = ShiftReport(
    id=12,
    station="LINE3-ST02",
    production_day="20261120",
    shift="EARLY",
    began_at=NOW.began_at,
    ended_at=NOW.at,
    person="SUP-1",
    person_name="Maria L.",
    handed_over=HandedOver("SUP-2", "Tom B.", 4),
    open=OPEN,
    totals=TOTALS,
    anchor=Anchor(4711, "fa758e53c05a318e1c7b537e49f8038998e725aff806135094e17c3ca6203990"),
)
