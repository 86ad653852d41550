"""People of the station: added, disabled, given a PIN. They are never deleted.

Who asks has proved it by badge and PIN (`usecases.authenticate`). Until a supervisor has a PIN the
station is being set up: then nobody need, and the first PIN is a supervisor's.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from msgspec import Struct

from mes_terminal.domain.people import Role
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import people
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.lists import stream
from mes_terminal.store.people import Known
from mes_terminal.store.session import operator_of

BADGE_MAX: Final = 64
NAME_MAX: Final = 120


class PersonRow(Struct, frozen=True):
    """A person, as `operator list` shows them; never their PIN."""

    badge: str
    name: str
    role: str
    language: str | None
    has_pin: bool
    locked_until: str | None
    disabled_at: str | None


def list_people(database: Database, filters: Mapping[str, str]) -> Iterator[PersonRow]:
    """Yield everybody by badge, those who are disabled too."""
    if filters:
        raise InputError("people has no filters.")
    for badge, name, role, language, has_pin, *rest in stream(database, people.PEOPLE, {}):
        yield PersonRow(badge, name, role, language, bool(has_pin), *rest)


def is_set_up(db: Database) -> bool:
    """Tell whether a supervisor has a PIN: from then on only a supervisor changes people."""
    return bool(people.supervisors_with_pin(db.conn))


def set_pin(
    db: Database, badge: str, pin_hash: str, *, by: str | None, rules: StationRules, now: str
) -> None:
    """Give a person a PIN, or a new one. `by` has proved who it is; `None`: the first PIN.

    Raises `InputError`: nobody's badge, or nobody who may: the person itself, or a supervisor.
    """
    with db.transaction() as conn:
        known = _enabled(conn, badge)
        if by is None:
            if people.supervisors_with_pin(conn) or known.role != "supervisor":
                raise InputError(
                    "The first PIN is a supervisor's; later ones need the old PIN, or --as and a "
                    "supervisor's badge and PIN.",
                    reason="not_authorised",
                )
        elif by != badge:
            _supervisor(conn, by)
        people.set_pin(conn, badge, pin_hash, at=now)
        was = "first" if known.pin_hash is None else "changed" if by == badge else "reset"
        _log(conn, "operator.pin_set", badge, by or badge, rules, now, pin=was)


def add_person(
    db: Database,
    badge: str,
    *,
    name: str,
    role: str,
    language: str | None,
    by: str | None,
    rules: StationRules,
    now: str,
) -> None:
    """Add a person, or let a disabled one come back, without a PIN.

    Raises `InputError`: a badge in use, a role that is none, or nobody who may.
    """
    _check(badge, name, role)
    with db.transaction() as conn:
        if by is not None or people.supervisors_with_pin(conn):
            _supervisor(conn, by)
        known = people.read_known(conn, badge)
        if known is not None and known.disabled_at is None:
            raise InputError(f"The badge {badge} is {known.name}'s already. Give another one.")
        people.put_person(conn, badge, name=name, role=role, language=language)
        kind = "operator.added" if known is None else "operator.enabled"
        _log(conn, kind, badge, by, rules, now, name=name, role=role, language=language)


def disable_person(
    db: Database, badge: str, *, by: str | None, rules: StationRules, now: str
) -> None:
    """Disable a person: the badge opens nothing any more; what they did stays theirs.

    Raises `InputError`: nobody's badge, nobody who may, or the last supervisor with a PIN.
    """
    with db.transaction() as conn:
        _supervisor(conn, by)
        known = _enabled(conn, badge)
        if people.supervisors_with_pin(conn) == [badge]:
            raise InputError(
                f"{known.name} is the last supervisor with a PIN. Give another one a PIN first."
            )
        people.disable(conn, badge, at=now)
        _log(conn, "operator.disabled", badge, by, rules, now, name=known.name, role=known.role)


def _check(badge: str, name: str, role: str) -> None:
    if role not in get_args(Role):
        raise InputError(f"{role[:40]!r} is no role. The roles: {', '.join(get_args(Role))}.")
    for what, text, most in (("badge", badge, BADGE_MAX), ("name", name, NAME_MAX)):
        if not text.strip() or text != text.strip() or len(text) > most or not text.isprintable():
            raise InputError(f"A {what} has 1 to {most} characters that print, not {text[:40]!r}.")


def _enabled(conn: Connection, badge: str) -> Known:
    known = people.read_known(conn, badge)
    if known is None or known.disabled_at is not None:
        raise InputError(
            f"The badge {badge[:64]!r} is not known here. See: mes-terminal operator list."
        )
    return known


def _supervisor(conn: Connection, by: str | None) -> None:
    person = operator_of(conn, by) if by is not None else None
    if person is None or not person.supervises:
        raise InputError(
            "Only a supervisor does that: give --as with the badge, and the PIN.",
            reason="not_authorised",
        )


def _log(
    conn: Connection,
    kind: str,
    badge: str,
    by: str | None,
    rules: StationRules,
    now: str,
    **detail: Any,
) -> None:
    draft = EventDraft(
        type=kind,
        subject=badge,
        partition_key=badge,
        event_time=now,
        data=Fact(
            person=by, station=rules.station, event_time=now, detail={"badge": badge} | detail
        ),
        upstream=False,
        person=by,
    )
    append_events(conn, [draft], rules=rules, recorded_at=now)
