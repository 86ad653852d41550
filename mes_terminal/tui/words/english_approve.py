"""English: approvals at the line."""

from typing import Final

from mes_terminal.tui.words.approve_words import ApproveWords

ENGLISH_APPROVE: Final = ApproveWords(
    title="Approval",
    figure="BADGE",
    pin="PIN of {person}, then Enter",
    typed_only="Type the PIN on the keyboard, then Enter.",
    working="One moment …",
    keys="Esc not now",
    order="Order",
    item="Item",
    lot="Lot",
    quantity="By how much",
    approved="{person} approves it.",
    approved_action="Scan {code} again.",
    approved_next="{code}: approved by {person}",
    refused="{person} refuses it: {code}.",
    refused_action="Nothing was booked. Go on with other work.",
    situations={
        "over_completion": "More than the order",
        "over_consumption": "More used than planned",
        "under_consumption": "Less used than planned",
        "lot_expired": "Expired lot",
        "lot_on_hold": "Held lot",
        "substitute": "Another item instead",
        "shortage": "Component short",
        "serial_missing": "Serial not scanned",
        "reopen": "Closed order again",
        "late_reversal": "Undo of an old report",
        "implausible_close": "Close too early",
    },
)
