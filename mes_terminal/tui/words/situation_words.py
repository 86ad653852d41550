"""What the printed situation cards say beside the screen's own words: what a situation means.

The screen has three lines and half a second; a card has room for the why. Pure; filled by
`english_situations` and `german_situations`, read by `labels situations`.
"""

from msgspec import Struct


class SituationWords(Struct, frozen=True, kw_only=True):
    """One language. Every mapping is complete for what the screen can show (tested)."""

    title: str
    means: str
    """Captions: what it means, what to do, what to scan."""
    action: str
    scan: str
    go_on: str
    """What to do where nothing is wrong."""
    signs: dict[str, str]
    """By tone: what the signal word stands for, in a sentence."""
    needs: dict[str, str]
    """By reason, as the next three."""
    rejected: dict[str, str]
    already_done: dict[str, str]
    unknown: str
    exceptions: dict[str, str]
    """By exception kind: how it comes."""
    exception_actions: dict[str, str]
    """By exception kind: what who scans does about it."""
