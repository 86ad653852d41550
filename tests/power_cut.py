"""A power cut in this process: the call of a number, of those that are named, is never made."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest


class PowerCutError(BaseException):
    """The power goes."""


def cut_power(
    patch: pytest.MonkeyPatch, calls: Sequence[tuple[Any, str]], *, at: int
) -> Callable[[], bool]:
    """Let the call number `at` (from 1) of these (owner, name) raise; return what tells whether it
    came to that."""
    left = at

    def failing(call: Callable[..., object]) -> Callable[..., object]:
        def cut_off(*args: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise PowerCutError
            return call(*args, **named)

        return cut_off

    for owner, name in calls:
        patch.setattr(owner, name, failing(getattr(owner, name)))
    return lambda: left <= 0
