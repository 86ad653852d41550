"""The shape of the words of the supervisor's desk: `english_desk` and `german_desk` fill it. Pure.

Templates name `{n}`, `{age}`, `{time}`, `{item}`, `{lot}`, `{quantity}`, `{order}`, `{line}`,
`{place}`, `{person}`, `{cause}`.
"""

from msgspec import Struct


class DeskWords(Struct, frozen=True, kw_only=True):
    """Every word of the desk beside names and quantities."""

    title: str
    open: str
    """`{n}` are open."""
    oldest: str
    nothing: str
    nothing_hint: str
    nothing_found: str
    in_all: str
    """`{n}` are shown, ended ones too."""
    filter: str
    filter_prompt: str
    groups: str
    rows: str
    story: str
    place: str
    """The selected one is number `{n}` of `{total}`."""
    loading: str
    gone: str
    """The core is away: one sentence."""
    no_scans: str
    """What a scan does here that no field waits for: nothing."""
    kinds: dict[str, str]
    statuses: dict[str, str]
    happened: dict[str, str]
    """What happened, in one sentence."""
    opened: str
    opened_by: str
    order_line: str
    order: str
    still_open: str
    ended: str
    causes: dict[str, str]
    """By the core's word for it; another cause is shown as it is."""
    cause: str
    blocked: dict[str, str]
    """What blocks it: `shortage`, `lot`, `serial`, and kinds; `""` for every other kind."""
    suggested: str
    suggestion: str
    suggestion_instead: str
    no_suggestion: str
    mended: str
    choices: dict[str, str]
    """`post`, `count`, `lot`, `instead`, `other_lot`, `other_item`, `quantity`, `write_off`."""
    clock_ends: str
    resolve_title: str
    resolve_group: str
    """`{n}` exceptions at once; `oldest_of` where there are more."""
    oldest_of: str
    asks: dict[str, str]
    """What a field asks for: `lot`, `item`, `item_lot`, `quantity`, `reason`, `badge`, `pin`."""
    free_reason: str
    looking: str
    would: dict[str, str]
    """`all`, `some`, `none` and their `only_` forms of one: what a preview comes to."""
    outcomes: dict[str, str]
    """What became of one, by the outcome."""
    answer: dict[str, str]
    """What became of all: `ended`, `one_ended`, `stay`."""
    nothing_done: str
    confirm: str
    back: str
    keys: dict[str, str]
    help_title: str
    help: dict[str, str]
    """Key to what it does."""
