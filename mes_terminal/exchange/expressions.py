"""Whether a regular expression that a person wrote can be tried on any text in little time. Pure.

Python tries every way in which an expression may fit, and nothing else runs meanwhile: no scan is
handled. Where a repeated group repeats something itself, or has a choice, there are twice as many
ways for each letter more.
"""

import re
from typing import Final

_PIECE: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\??|[)|]|[*+?]|\{\d*(?:,\d*)?\}|.", re.DOTALL
)
_EXACTLY: Final = re.compile(r"\{\d+\}")
_ONCE_AT_MOST: Final = ("?", "{1}", "{,1}", "{0,1}")


def may_take_hours(expression: str) -> bool:
    """Tell whether a group that is repeated holds a repetition or a choice.

    The expression must be valid. Some that are harmless, such as `(a+-)+`, are told too.
    """
    varies = [False]
    """Of each group that is open, whether it may fit in several ways."""
    closed = False
    """The piece before was a group that may."""
    for found in _PIECE.finditer(expression):
        piece = found[0]
        if piece.startswith("("):
            varies.append(False)
            closed = False
        elif piece == ")":
            closed = varies.pop()
            varies[-1] |= closed
        elif piece == "|":
            varies[-1] = True
            closed = False
        elif piece[0] in "*+?{" and piece not in ("{", "{}"):
            if closed and piece not in _ONCE_AT_MOST:
                return True
            varies[-1] |= not _EXACTLY.fullmatch(piece)
        else:
            closed = False
    return False
