"""Canned orders of the gallery: one with operations, one whose units have slots, one changed."""

from typing import Final

from mes_terminal.domain.order_changes import OrderChange
from mes_terminal.domain.outcome import Consumed, Outcome
from mes_terminal.domain.view import OperationView, OrderView, PartView, UnitView

EBIKES: Final = OrderView(
    work_order="WO-1004", item="EBIKE", description="Electric bicycle", quantity="20",
    completed="6", scrapped="1", remaining="13", uom="pcs", status="started",
    due_at="2026-11-20T18:00:00.000000Z",
)  # fmt: skip
CHANGED: Final = OrderView(
    work_order="WO-1003", item="BICYCLE", description="City bicycle", quantity="100",
    completed="63", scrapped="0", remaining="37", uom="pcs", status="started",
    due_at="2026-11-20T18:00:00.000000Z",
    changes=[
        OrderChange("quantity", "50", "100"),
        OrderChange("due_at", "2026-11-20T16:00:00.000000Z", "2026-11-20T18:00:00.000000Z"),
        OrderChange("part", "CHAIN", "CHAIN-B", "30", "CHAIN-B", "63"),
    ],
)  # fmt: skip
OPERATIONS: Final = [
    OperationView(operation="10", description="Paint", good="11", scrapped="1", swept_by="op-20"),
    OperationView(operation="20", description="Assemble", good="11", scrapped="0"),
    OperationView(operation="30", description="Pack", good="6", scrapped="0"),
]
UNIT: Final = UnitView(
    item="EBIKE", serial="EB-0007", missing=[PartView("MOTOR", 1), PartView("BATTERY", 1)]
)
OPERATION_DONE: Final = Outcome(
    scan_id="op-20", report_id="op-20", code="%OP 20 WO-1004", outcome="completed",
    message="WO-1004: operation 20 done for 4; swept 10", work_order="WO-1004",
    order_status="started", item="EBIKE", quantity="4",
    consumed=[
        Consumed("10", "BIKE-FRAME", "BF-1", None, "LINE", "4", "pcs", "assumed"),
        Consumed("40", "CHAIN", "C-1", None, "LINE", "5.6", "m", "exact"),
    ],
)  # fmt: skip
UNIT_LACKS: Final = Outcome(
    scan_id="eb-7", code="EB-0007", outcome="needs", reason="component",
    message="Unit EB-0007 lacks MOTOR, BATTERY", hint="Scan the serial of MOTOR",
    work_order="WO-1004", order_status="started", item="EBIKE", serial="EB-0007",
)  # fmt: skip
CHANGE_TOLD: Final = Outcome(
    scan_id="b-64", report_id="b-64", code="BICYCLE", outcome="completed", quantity="1",
    message="WO-1003: 1 BICYCLE, 64 of 100; WO-1003 changed: 100 instead of 50, line 30 CHAIN-B "
    "instead of CHAIN from unit 64 on",
    work_order="WO-1003", order_status="started", item="BICYCLE",
    consumed=[Consumed("40", "CHAIN-B", "B-1", None, "LINE", "1.4", "m", "sole")],
)  # fmt: skip
