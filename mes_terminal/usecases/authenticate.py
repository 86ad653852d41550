"""A person proves by badge and PIN who they are; repeated wrong PINs lock with back-off.

In two steps, because comparing takes a tenth of a second that no scan may wait for: `begin_try`
counts a try as wrong and gives the hash to compare with, `end_try` takes it back if it was right.
So neither a stop in between nor tries side by side are free. No PIN and no hash is ever logged.
"""

from msgspec import Struct

from mes_terminal.domain.instants import plus_seconds, seconds_between
from mes_terminal.domain.people import LOCK_MAX_S, TRIES_FREE, lock_s
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import people
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.people import Known


class Try(Struct, frozen=True):
    """A try that counts as wrong until it ends; `pin_hash` is what the PIN is compared with."""

    badge: str
    pin_hash: str
    wrong: int
    """Tries in a row, this one included."""


def begin_try(db: Database, badge: str, *, now: str) -> Try:
    """Count a try. Raises `InputError`: nobody's badge, no PIN set, or locked for the moment."""
    with db.transaction() as conn:
        known = people.read_known(conn, badge)
        if known is None or known.disabled_at is not None:
            raise InputError(
                f"The badge {badge[:64]!r} is not known here. See: mes-terminal operator list.",
                reason="not_authorised",
            )
        if known.pin_hash is None:
            raise InputError(
                f"{known.name} has no PIN. Set it with: mes-terminal operator pin {badge}",
                reason="not_authorised",
            )
        _wait(known, now)
        wrong = known.wrong + 1
        people.note_try(conn, badge, wrong, _locked_until(wrong, now))
        return Try(badge, known.pin_hash, wrong)


def end_try(db: Database, tried: Try, *, right: bool, rules: StationRules, now: str) -> None:
    """Conclude a try. Raises `InputError` if it was wrong."""
    with db.transaction() as conn:
        known = people.read_known(conn, tried.badge)
        # a PIN that was changed meanwhile proves nothing any more
        if right and known is not None and known.pin_hash == tried.pin_hash:
            people.note_try(conn, tried.badge, 0, None)
            people.note_seen(conn, tried.badge, at=now)
            return
        _note_refusal(conn, tried, rules, now)
    left = TRIES_FREE - tried.wrong
    locked = lock_s(tried.wrong)
    raise InputError(
        f"That is not the PIN of {tried.badge[:64]}. Nothing was done. "
        + (f"It is locked for {locked} s." if locked else f"{left} more and it is locked."),
        reason="not_authorised",
    )


def _wait(known: Known, now: str) -> None:
    """Raise `InputError` while the PIN is locked; a clock that was set back prolongs nothing."""
    if known.locked_until is None or known.locked_until <= now:
        return
    left_s = int(seconds_between(now, known.locked_until)) + 1
    if left_s > LOCK_MAX_S + 1:
        return
    raise InputError(
        f"The PIN of {known.badge} is locked after {known.wrong} wrong tries. Wait {left_s} s, or "
        "let another supervisor set a new one.",
        reason="not_authorised",
    )


def _locked_until(wrong: int, now: str) -> str | None:
    locked = lock_s(wrong)
    return plus_seconds(now, locked) if locked else None


def _note_refusal(conn: Connection, tried: Try, rules: StationRules, now: str) -> None:
    """Keep in the log that somebody tried: the badge they held, no person."""
    draft = EventDraft(
        type="operator.pin_refused",
        subject=tried.badge,
        partition_key=tried.badge,
        event_time=now,
        data=Fact(
            station=rules.station,
            event_time=now,
            detail={"badge": tried.badge, "wrong": tried.wrong, "locked_s": lock_s(tried.wrong)},
        ),
        upstream=False,
    )
    append_events(conn, [draft], rules=rules, recorded_at=now)
