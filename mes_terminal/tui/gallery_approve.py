"""Pictures of approvals at the line (BF-24): what is asked, the PIN, what was answered."""

from typing import Final

from msgspec.structs import replace

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.view import AnswerView, ApprovalView

ASKED: Final = ApprovalView(
    id=3,
    situation="lot_expired",
    item="LEG",
    lot="L-66",
    work_order=None,
    quantity=None,
    said="Lot L-66 of LEG expired on 2026-11-01",
    until="2026-11-20T14:05:22.000000Z",
)
PIN_AWAITED: Final = replace(
    ASKED, until="2026-11-20T14:06:12.000000Z", approver="2001", approver_name="Sofia K."
)
MORE_THAN_ORDERED: Final = ApprovalView(
    id=4,
    situation="over_completion",
    item="CHAIR-4",
    lot=None,
    work_order="WO-1001",
    quantity="5",
    said="WO-1001 has 37 pcs left, not 42",
    until="2026-11-20T14:06:12.000000Z",
    approver="2001",
    approver_name="Sofia K.",
)
APPROVED: Final = [AnswerView(3, "approved", "Sofia K.", "LEG|L-66", ASKED.said)]
REFUSED: Final = [AnswerView(3, "refused", "Sofia K.", "LEG|L-66", ASKED.said)]
ASKS: Final = Outcome(
    scan_id="scan-asks",
    code="LEG|L-66",
    outcome="needs",
    reason="approval",
    message=f"{ASKED.said}. A supervisor must approve",
    hint="Scan the badge of another person, a supervisor",
    item="LEG",
    lot="L-66",
)
ASKS_PIN: Final = Outcome(
    scan_id="scan-pin",
    code="B:2001",
    outcome="needs",
    reason="approval",
    message="Sofia K. approves this with a PIN",
    hint="Enter your PIN at the screen, or scan CANCEL",
)
