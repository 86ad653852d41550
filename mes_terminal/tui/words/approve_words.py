"""What the operator's screen says about approvals (BF-24): the PIN, and what was answered.

Templates name `{person}` and `{code}`. Pure; filled by `english_approve` and `german_approve`.
"""

from msgspec import Struct


class ApproveWords(Struct, frozen=True, kw_only=True):
    """One language. `situations` is complete for the control matrix (tested)."""

    title: str
    figure: str
    """What is drawn large while a supervisor is asked: the badge that is to be scanned."""
    pin: str
    """What is asked of the person whose badge was scanned."""
    typed_only: str
    """A scanner sent what looks like a PIN: it is taken for neither a PIN nor a scan."""
    working: str
    keys: str
    order: str
    item: str
    lot: str
    quantity: str
    approved: str
    approved_action: str
    approved_next: str
    """In the list of what can be scanned now."""
    refused: str
    refused_action: str
    situations: dict[str, str]
