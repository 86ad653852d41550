"""Roles, and PINs: what one looks like, and how long wrong ones lock it. Pure.

A badge says who somebody is; badge and PIN together prove it. The hash of a PIN is made and
compared by the station (`station.signing`).
"""

import re
from typing import Final, Literal

Role = Literal["operator", "supervisor", "quality", "auditor"]

TRIES_FREE: Final = 5
"""Wrong tries in a row after which a PIN is locked."""
LOCK_FIRST_S: Final = 30
"""Doubles with every further wrong try."""
LOCK_MAX_S: Final = 15 * 60
"""No longer: whoever forgot it must not lose the shift, whoever guesses gets 96 tries a day."""
_DOUBLINGS_MAX: Final = 10
_PIN: Final = re.compile(r"[0-9]{4,12}", re.ASCII)


def is_pin(text: str) -> bool:
    """Tell whether a text is a PIN: 4 to 12 digits."""
    return _PIN.fullmatch(text) is not None


def lock_s(wrong: int) -> int:
    """Return for how long so many wrong tries in a row lock a PIN, in seconds."""
    if wrong < TRIES_FREE:
        return 0
    return min(LOCK_MAX_S, LOCK_FIRST_S << min(wrong - TRIES_FREE, _DOUBLINGS_MAX))
