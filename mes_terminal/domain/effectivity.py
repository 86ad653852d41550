"""Which revision or line counts on a day (BF-8): inclusive days, empty ends are open. Pure."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class Effective(Protocol):
    """Anything with an inclusive range of days, `YYYY-MM-DD`; None is open."""

    @property
    def effective_from(self) -> str | None: ...
    @property
    def effective_to(self) -> str | None: ...


EffectiveT = TypeVar("EffectiveT", bound=Effective)


def is_effective(ranged: Effective, day: str) -> bool:
    """Tell whether `ranged` counts on `day`; both ends are inclusive."""
    return (ranged.effective_from or "") <= day <= (ranged.effective_to or "9999-12-31")


def effective_on(ranged: Iterable[EffectiveT], day: str) -> list[EffectiveT]:
    """Return those that count on `day`."""
    return [one for one in ranged if is_effective(one, day)]


def overlaps(ranged: Sequence[EffectiveT]) -> list[tuple[EffectiveT, EffectiveT]]:
    """Return neighbours in time that share a day, earlier one first."""
    ordered = sorted(ranged, key=lambda one: one.effective_from or "")
    found = []
    for position, later in enumerate(ordered[1:], start=1):
        earlier = max(ordered[:position], key=lambda one: one.effective_to or "9999-12-31")
        if (later.effective_from or "") <= (earlier.effective_to or "9999-12-31"):
            found.append((earlier, later))
    return found
