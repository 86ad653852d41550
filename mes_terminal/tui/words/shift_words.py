"""The shape of the words around a shift: its end, line stops, calls for material. Pure.

`english_shift` and `german_shift` fill it. Templates name `{n}`, `{time}`, `{reason}`, `{what}`,
`{order}`, `{units}`, `{item}`, `{good}`, `{scrapped}`, `{minutes}`, `{name}`, `{shift}`, `{day}`,
`{orders}`.
"""

from msgspec import Struct


class ShiftWords(Struct, frozen=True, kw_only=True):
    """Every word beside names and quantities."""

    stopped: str
    """The line stands: the word of the notice; `since` follows it."""
    since: str
    called: str
    """The word of the notice where only material is called."""
    call: str
    call_again: str
    """More than once: `{n}` times."""
    call_anything: str
    """Called for no item and no order that is known."""
    handed_over: str
    """What is handed over to who signed in: `{what}`."""
    following: str
    """The next `{orders}`, said to who signed in."""
    title: str
    shift: str
    no_shift: str
    looking: str
    labels: dict[str, str]
    """By row: `exceptions`, `kinds`, `approvals`, `count`, `calls`, `stopped`, `in_process`,
    `set_aside`, `mounted`, `unsent`, `made`, `stops`."""
    zero_open: str
    unnamed: str
    """`{n}` of them belong to nobody by name."""
    begun: str
    """An order in process with units: `{order}`, `{units}`."""
    made: str
    stop: str
    none: str
    asks: dict[str, str]
    """What is asked for: `taker`, `badge`, `pin`."""
    hints: dict[str, str]
    blocked: str
    """This shift is signed off already."""
    signed: str
    """It is signed off, by `{name}`."""
    handed: str
    """`{n}` exceptions were handed over to `{name}`."""
    anchor: str
    """What the hash below it is."""
    leave: str
    close: str
