"""The shape of a language: every word the operator's screen can show, as one frozen value.

A sentence is three templates (screens: what happened, what to do, which code to scan). Templates
name the fields `{code}`, `{order}`, `{item}`, `{lot}`, `{serial}`, `{quantity}`, `{argument}`,
`{person}`, `{left}`, `{components}`, `{operation}`, `{swept}`, `{unit}`, `{missing}`; a field that
the outcome does not state is replaced by `absent`.
Pure; filled by `english` and `german`, read by `present` and `present_view`.
"""

from msgspec import Struct

from mes_terminal.tui.words.approve_words import ApproveWords
from mes_terminal.tui.words.desk_words import DeskWords
from mes_terminal.tui.words.order_words import OrderWords
from mes_terminal.tui.words.section_words import SectionWords
from mes_terminal.tui.words.shift_words import ShiftWords
from mes_terminal.tui.words.situation_words import SituationWords
from mes_terminal.tui.words.trace_words import TraceWords


class Sentence(Struct, frozen=True):
    """What happened, what to do, which code to scan; `scan` empty means: what the view says."""

    happened: str
    action: str
    scan: str = ""


class Labels(Struct, frozen=True, kw_only=True):
    """The fixed words around the values, each short enough for 80 columns."""

    live: str
    test: str
    test_warning: str
    training: str
    training_warning: str
    nobody: str
    no_order: str
    no_order_hint: str
    due: str
    due_today: str
    overdue: str
    scrapped: str
    next: str
    mounted: str
    nothing_mounted: str
    left: str
    then: str
    close_now: str
    no_preflight: str
    not_checked: str
    orders: str
    no_orders: str
    last: str
    no_scans: str
    queue: str
    and_more: str
    enter_prompt: str
    waiting_for: str
    quantity_set: str
    no_scanner: str
    postings_none: str
    postings: str
    postings_behind: str
    """The receiver is there, and tells how far the ERP is."""
    postings_offline: str
    upstream_trouble: str
    postings_wrong: str
    exceptions: str
    no_exceptions: str
    count_open: str
    """A count of a place is open; `count_open_one` with one item counted."""
    count_open_one: str
    clock_doubt: str
    scan: str
    ready_title: str
    ready_action: str
    connecting_title: str
    connecting_action: str
    lost_word: str
    lost_title: str
    lost_action: str
    lost_more: str
    lost_dropped: str
    lost_unsure: str
    too_many: str
    incomplete: str
    incomplete_action: str
    set_wrongly: str
    printer_trouble: str
    backup_trouble: str
    disk_low: str
    disk_stopped: str
    read_twice: str
    stopping: str
    failed_title: str
    failed_action: str
    failed_scan: str
    recovered: str
    recovered_not: str
    recovered_action: str
    minutes: str
    hours: str
    days: str
    seconds: str
    help_title: str
    help_signs: str
    help_keys: str
    help_commands: str
    help_now: str
    help_close: str
    leave_hint: str


class Words(Struct, frozen=True, kw_only=True):
    """One language. Every mapping is complete for the codes of the command line page (tested)."""

    language: str
    signs: dict[str, str]
    """The four signal words by tone: `ok`, `do`, `check`, `stop`."""
    sign_help: dict[str, str]
    """What each sign means, for the help screen."""
    named: dict[str, str]
    """How a stated field is written: `{"lot": "lot {}"}`; a field not listed stands alone."""
    absent: dict[str, str]
    """What stands for a field the outcome does not state."""
    completed: dict[str, Sentence]
    """`units`, `unit`, `operation`, `swept`, `closed`, `closed_short`, `scrap`, `reworked`,
    `exceptions`."""
    recorded: dict[str, Sentence]
    """By verb; besides `started`, `in_use`, `in_rework`, `REPLACE`, `replaced`, `signed_in`,
    `signed_out`, `recovered`, `other`."""
    already_done: dict[str, Sentence]
    """By reason; `""` for none stated."""
    needs: dict[str, Sentence]
    rejected: dict[str, Sentence]
    unknown: Sentence
    exceptions: dict[str, str]
    """One phrase an exception kind, with `{item}` and `{quantity}`."""
    pending: dict[str, str]
    """What a waiting command waits for, by verb."""
    next_scans: dict[str, str]
    scanner_states: dict[str, str]
    scanner_troubles: dict[str, str]
    """What went wrong at a scanner, by its counter; the first that is there is shown."""
    order_states: dict[str, str]
    keys: dict[str, str]
    """Legends of the function keys: `help`, `undo`, `quantity`, `short`, `cancel`, `trace`,
    `desk`, `leave`."""
    keys_brief: dict[str, str]
    """Shorter ones of these, for 80 columns."""
    commands: dict[str, str]
    """One line a command, for the help screen."""
    trace: TraceWords
    order: OrderWords
    desk: DeskWords
    approve: ApproveWords
    sections: dict[str, SectionWords]
    """The sections of the desk, by name."""
    shift: ShiftWords
    labels: Labels
    situations: SituationWords
