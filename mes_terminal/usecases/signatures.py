"""A signature: a person, a meaning, a time, and the hash of the event that is signed.

Who signs has proved by badge and PIN who it is (`usecases.authenticate`): a badge alone signs
nothing. The signature is an event of its own, `signature.given`, behind the one it signs: what was
signed, and who signed it, cannot be changed without breaking the chain, and `audit verify` and the
auditor's verifier prove that every signed hash is that of an entry before it. A signature
goes upstream where what it signs does. Called where a person decides: an approval, the end of an
exception, of a shift, the release of a load.
"""

from typing import Final

from mes_terminal.domain.instants import to_datetime
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.session import Person
from mes_terminal.store import clock
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_events, read_head
from mes_terminal.store.signatures import event_of_hash

GIVEN: Final = "signature.given"


def sign(
    conn: Connection,
    *,
    person: Person,
    meaning: str,
    signed_hash: str,
    rules: StationRules,
    now: str,
) -> int:
    """Append the signature of an event of the log; return the sequence of the signature.

    `person` is as known now, `meaning` says what the signature stands for, `signed_hash` is the
    hash of the event. Raises `LookupError` for a hash that no event has.
    """
    signed = event_of_hash(conn, signed_hash)
    if signed is None:
        raise LookupError(signed_hash)
    signed_seq, signed_type, goes_upstream = signed
    local = to_datetime(now).astimezone(rules.zone)
    draft = EventDraft(
        type=GIVEN,
        subject=person.badge,
        partition_key=person.badge,
        event_time=now,
        data=Fact(
            person=person.badge,
            station=rules.station,
            event_time=now,
            detail={
                "name": person.name,
                "badge": person.badge,
                "role": person.role,
                "meaning": meaning,
                "local_time": local.isoformat(timespec="seconds"),
                "clock": "in_doubt" if clock.in_doubt(conn) else "in_order",
                "signed_hash": signed_hash,
                "signed_sequence": f"{signed_seq:012d}",
                "signed_type": signed_type,
            },
        ),
        upstream=goes_upstream,
        person=person.badge,
    )
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
    return event_seq


def sign_newest(
    conn: Connection, *, person: Person, meaning: str, rules: StationRules, now: str
) -> int:
    """Sign the event that was appended last; return the sequence of the signature."""
    digest = read_head(conn).hash
    return sign(conn, person=person, meaning=meaning, signed_hash=digest, rules=rules, now=now)
