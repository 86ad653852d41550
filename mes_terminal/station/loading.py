"""Loading a folder of master data: checked while scanning goes on, applied between two scans.

`load` does both on the writing connection, for a command that is the core for the moment. In the
running core `check` works on a reading connection in a thread of its own; on the store thread the
rows are set down in short turns, and then `apply_checked` takes its own. Where a load takes two
persons (`load.second_person`), the same steps end in a proposal, and begin with one.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, Struct, UnsetType, structs

from mes_terminal.domain.load_proposal import Agreement, content_hash
from mes_terminal.errors import InputError
from mes_terminal.exchange.mapping import MAPPING_FILE
from mes_terminal.station.clock import given_instant, utc_now
from mes_terminal.store.database import open_reader
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases import load_master_data, propose_load
from mes_terminal.usecases.load_master_data import LoadResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.domain.rules import StationRules
    from mes_terminal.exchange.faults import Fault
    from mes_terminal.station.booking import Booking
    from mes_terminal.store.database import Connection, Database
    from mes_terminal.store.load_proposals import Proposed
    from mes_terminal.usecases.load_master_data import Staged


class LoadOrder(Struct, frozen=True, kw_only=True):
    """What is asked: a folder, how it is read, whether it is only checked, and a time given."""

    folder: str
    mapping: str | None = None
    """A file in the place of the folder's own `mapping.toml`."""
    dry_run: bool = False
    diff: bool = False
    at: str | None = None

    @property
    def applies(self) -> bool:
        """Whether anything is written."""
        return not (self.dry_run or self.diff)


class ProposeOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Propose a folder, for another person to apply it."""

    folder: str
    mapping: str | None = None
    """A file in the place of the folder's own `mapping.toml`."""
    badge: str
    pin: str = ""

    @property
    def proof(self) -> str:
        """Whose PIN must be right."""
        return self.badge


class DecideLoadOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Apply a proposed load, or refuse it."""

    id: int
    answer: Literal["approve", "refuse"]
    badge: str
    pin: str = ""
    reason: str | None = None
    """Why it is refused."""
    at: str | None = None
    """When it happened: in test mode only."""

    @property
    def proof(self) -> str:
        """Whose PIN must be right."""
        return self.badge


class ProposedResult(LoadResult, frozen=True):
    """What is told of a proposed, applied or refused load: that of `load`, and which it is."""

    proposal: int | UnsetType | None = UNSET
    """`None`: nothing would change, so nothing was proposed."""


class Checked(Struct, frozen=True):
    """A folder that was checked: what is staged, what is told of it, and what it was."""

    staged: Staged
    result: LoadResult
    load_time: str
    content_hash: str


def load(booking: Booking, folder: Path, order: LoadOrder) -> LoadResult:
    """Check the folder and apply it in one transaction.

    Raises `InputError` for a folder that is none, for `--at` on a live station, and where a load
    takes two persons.
    """
    if order.applies:
        propose_load.require_one_person(booking.db, booking.rules)
    checked = _checked(
        booking.db, folder, booking.rules, mapping=order.mapping, at=order.at, diff=order.diff
    )
    if checked.result.faults or not order.applies:
        return checked.result
    _set_down_whole(booking, checked)
    return apply_checked(booking, checked)


def check(database: Path, folder: Path, order: LoadOrder, rules: StationRules) -> Checked:
    """Check the folder on a connection of its own. Raises as `load`."""
    with closing(open_reader(database)) as reader:
        if order.applies:
            propose_load.require_one_person(reader, rules)
        return _checked(reader, folder, rules, mapping=order.mapping, at=order.at, diff=order.diff)


def set_down(booking: Booking, checked: Checked) -> Iterator[None]:
    """Set down what was staged, a short turn a step; one load at a time."""
    return load_master_data.set_down(booking.db, checked.staged)


def apply_checked(
    booking: Booking, checked: Checked, agreed: tuple[Proposed, Agreement] | None = None
) -> LoadResult:
    """Apply what was staged and set down, in one transaction; all of it or nothing.

    Raises `InputError` where what was `agreed` was decided meanwhile.
    """
    now, rules = utc_now(), booking.rules
    if agreed is None:
        applied = load_master_data.apply(
            booking.db, checked.staged, rules=rules, now=now, load_time=checked.load_time
        )
        return load_master_data.result_of(booking.db.conn, applied, rules=rules)
    proposed, agreement = agreed

    def conclude(conn: Connection) -> None:
        propose_load.conclude_approved(conn, agreement, rules=rules, now=now)

    applied = load_master_data.apply(
        booking.db, checked.staged, rules=rules, now=now, load_time=checked.load_time,
        person=proposed.person, agreed=agreement, conclude=conclude,
    )  # fmt: skip
    result = load_master_data.result_of(booking.db.conn, applied, rules=rules)
    return ProposedResult(result.tables, result.faults, proposal=agreement.proposal_id)


def check_proposal(database: Path, order: ProposeOrder, rules: StationRules) -> Checked:
    """Check a folder that is to be proposed, on a connection of its own."""
    with closing(open_reader(database)) as reader:
        return _checked_to_propose(reader, order, rules)


def keep_proposal(booking: Booking, order: ProposeOrder, checked: Checked) -> LoadResult:
    """Keep what was checked as proposed; the badge is proved. Raises `InputError`."""
    result = checked.result
    number = None
    if not result.faults and result.diff is not UNSET and result.diff.total:
        number = propose_load.propose(
            booking.db, result, folder=str(Path(order.folder).absolute()),
            mapping=order.mapping and str(Path(order.mapping).absolute()),
            content_hash=checked.content_hash, by=order.badge, rules=booking.rules, now=utc_now(),
        )  # fmt: skip
    return ProposedResult(result.tables, result.faults, result.diff, proposal=number)


def propose(booking: Booking, order: ProposeOrder) -> LoadResult:
    """Check a folder and propose it, for a command that is the core for the moment."""
    checked = _checked_to_propose(booking.db, order, booking.rules)
    return keep_proposal(booking, order, checked)


def agreement(booking: Booking, order: DecideLoadOrder) -> tuple[Proposed, Agreement]:
    """Return what is agreed to; the badge is proved. Raises `InputError` for who may not."""
    return propose_load.agreement_of(booking.db, order.id, by=order.badge)


def check_agreed(
    database: Path, proposed: Proposed, order: DecideLoadOrder, rules: StationRules
) -> Checked:
    """Check a proposed folder again, on a connection of its own.

    Raises `InputError` where its content is no longer what was proposed.
    """
    with closing(open_reader(database)) as reader:
        return _checked_again(reader, proposed, order, rules)


def approve(booking: Booking, order: DecideLoadOrder) -> LoadResult:
    """Apply a proposed load, for a command that is the core for the moment."""
    agreed = agreement(booking, order)
    checked = _checked_again(booking.db, agreed[0], order, booking.rules)
    if checked.result.faults:
        return checked.result
    _set_down_whole(booking, checked)
    return apply_checked(booking, checked, agreed)


def refuse(booking: Booking, order: DecideLoadOrder) -> LoadResult:
    """Refuse a proposed load; the badge is proved. Raises `InputError` for who may not."""
    propose_load.refuse(
        booking.db, order.id, by=order.badge, reason=order.reason, rules=booking.rules,
        now=utc_now(),
    )  # fmt: skip
    return ProposedResult({}, [], proposal=order.id)


def _checked(
    db: Database, folder: Path, rules: StationRules, *, mapping: str | None, at: str | None,
    diff: bool,
) -> Checked:  # fmt: skip
    load_time = _load_time(at, rules) or utc_now()
    instead = {} if mapping is None else {MAPPING_FILE: Path(mapping)}
    files = read_folder(folder, instead)
    staged = load_master_data.stage(db.conn, files, rules=rules, load_time=load_time)
    result = load_master_data.result_of(db.conn, staged, rules=rules, diff=diff)
    if mapping is not None:
        result = structs.replace(result, faults=_named(result.faults, mapping))
    return Checked(staged, result, load_time, content_hash(files))


def _named(faults: list[Fault], mapping: str) -> list[Fault]:
    """Return faults of the mapping under the name of the file that was given for it."""
    return [
        structs.replace(fault, file=mapping) if fault.file == MAPPING_FILE else fault
        for fault in faults
    ]


def _checked_to_propose(db: Database, order: ProposeOrder, rules: StationRules) -> Checked:
    return _checked(db, Path(order.folder), rules, mapping=order.mapping, at=None, diff=True)


def _checked_again(
    db: Database, proposed: Proposed, order: DecideLoadOrder, rules: StationRules
) -> Checked:
    checked = _checked(
        db, Path(proposed.folder), rules, mapping=proposed.mapping, at=order.at, diff=False
    )
    propose_load.require_same(proposed, checked.content_hash)
    return checked


def _set_down_whole(booking: Booking, checked: Checked) -> None:
    for _ in set_down(booking, checked):
        pass


def _load_time(at: str | None, rules: StationRules) -> str | None:
    if at is None:
        return None
    if rules.mode != "test":
        raise InputError(
            "A live station loads at its own time. Leave --at out.", reason="time_not_allowed"
        )
    return given_instant(at, rules.zone)
