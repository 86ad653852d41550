"""The shape of the words of the supervisor's desk: `english_desk` and `german_desk` fill it. Pure.

Templates name `{n}`, `{age}`, `{time}`, `{item}`, `{lot}`, `{quantity}`, `{order}`, `{line}`,
`{place}`, `{person}`, `{cause}`.
"""

from msgspec import Struct


class DeskWords(Struct, frozen=True, kw_only=True):
    """Every word of the desk beside names and quantities."""

    open: str
    """`{n}` are open."""
    oldest: str
    late: str
    """In place of the time of one that is past its due time, in at most five columns."""
    late_count: str
    """`{n}` are late."""
    late_since: str
    due: str
    """Until when: `{time}`."""
    worth: str
    """`{value}` in `{currency}`, of all together."""
    only_late: str
    only_of: str
    """Only whose it is: `{person}`."""
    whose: str
    """The question whose exceptions are to be shown."""
    nobodys: str
    no_order: str
    nothing: str
    nothing_hint: str
    nothing_found: str
    nothing_sought: str
    """Nothing of a section has the text that is looked for."""
    in_all: str
    """`{n}` are shown, ended ones too."""
    filter: str
    filter_prompt: str
    groups: dict[str, str]
    """The heading of the groups, by what groups them."""
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
    still_open_worth: str
    scanned: str
    """What was scanned: `{code}`, at `{device}`."""
    scanned_at: str
    shift: str
    owner: str
    no_owner: str
    due_by: str
    """`{due}`"""
    due_late: str
    escalated: str
    tries: str
    causes_short: dict[str, str]
    """By cause code: the name of a group, after its item."""
    causes: dict[str, str]
    """By the core's word for it; another cause is shown as it is."""
    cause: str
    blocked: dict[str, str]
    """What blocks it: `shortage`, `lot`, `serial`, and kinds; `""` for every other kind."""
    suggested: str
    proposals: dict[str, str]
    """Ways to end it, by what is done, or by kind and that: `failed_scan:post`."""
    mended: str
    choices: dict[str, str]
    """`post`, `again`, `count`, `lot`, `instead`, `other_lot`, `other_item`, `quantity`,
    `write_off`."""
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
    assigned: dict[str, str]
    """The form that gives exceptions to somebody: `title`, `to`, `given`."""
    confirm: str
    back: str
    keys: dict[str, str]
    help_title: str
    help: dict[str, str]
    """Key to what it does, at the exceptions."""
    desk_help: dict[str, str]
    """Key to what it does, in every section."""
    list_help: dict[str, str]
    """What the keys of a list do: `move`, `pane`, `scope`, `go`; `scan_key` and `scan`."""
