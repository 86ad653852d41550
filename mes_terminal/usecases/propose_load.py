"""A load that takes two persons: one proposes a checked folder, another one applies it.

Both have proved who they are (`usecases.authenticate`). What is applied is the content that was
proposed: its hash is compared first. The event of the load names both, and the second signs.
Called by `station.loading`.
"""

from collections.abc import Iterator, Mapping
from typing import Final, cast

import msgspec

from mes_terminal.domain.load_changes import LoadDiff
from mes_terminal.domain.load_proposal import Agreement, LoadProposal, ProposalStatus, ProposalStory
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.session import Person
from mes_terminal.errors import InputError
from mes_terminal.store import load_proposals, people
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.load_proposals import Proposed
from mes_terminal.store.session import operator_of
from mes_terminal.usecases.filters import whole_number
from mes_terminal.usecases.load_master_data import LoadResult
from mes_terminal.usecases.signatures import sign_newest

OPEN_MAX: Final = 50
"""Folders that wait at a time: more is nobody looking."""
KEPT_MAX: Final = 200
"""Entries kept of each list of a diff, for who decides; the folder has the rest."""
NAMED_MAX: Final = 50
"""Orders and leaving parts named in the event."""
REASON_MAX: Final = 200
PAGE_MAX: Final = 500
DECIDERS: Final = ("supervisor", "quality")


def needs_second_person(db: Database, rules: StationRules) -> bool:
    """Tell whether a load takes two persons here and now.

    Not while the station is being set up: until a supervisor has a PIN nobody could agree.
    """
    return rules.load_second_person and bool(people.supervisors_with_pin(db.conn))


def require_one_person(db: Database, rules: StationRules) -> None:
    """Raise `InputError` where a load takes two persons."""
    if needs_second_person(db, rules):
        raise InputError(
            "A load takes two persons here: propose it with mes-terminal load FOLDER --as BADGE, "
            "another one applies it.",
            reason="second_person",
        )


def propose(
    db: Database,
    result: LoadResult,
    *,
    folder: str,
    mapping: str | None = None,
    content_hash: str,
    by: str,
    rules: StationRules,
    now: str,
) -> int:
    """Keep a checked folder as proposed by `by`, whose PIN was right; return the proposal's id.

    Raises `InputError` where nobody may, or too much waits.
    """
    assert not result.faults
    assert isinstance(result.diff, LoadDiff)
    diff = result.diff
    tables = {
        name: (counts.added, counts.changed)
        for name, counts in result.tables.items()
        if counts.added or counts.changed
    }
    summary = {"tables": tables, "changes": diff.total, "orders": len(diff.open_orders),
               "leaving": diff.leaving_total}  # fmt: skip
    with db.transaction() as conn:
        person = _require_proposer(conn, by, rules)
        if load_proposals.count_open(conn, but=folder) >= OPEN_MAX:
            raise InputError(
                f"{OPEN_MAX} loads wait for a second person already. Decide them first: "
                "mes-terminal load --proposals."
            )
        named = {} if mapping is None else {"mapping": mapping}
        detail = {"folder": folder, **named, "content_hash": content_hash, **summary,
                  "orders_touched": diff.open_orders[:NAMED_MAX],
                  "leaving_parts": [one.item for one in diff.leaving[:NAMED_MAX]]}  # fmt: skip
        event_seq = _log(conn, "load.proposed", folder, by, rules, now, detail)
        sign_newest(conn, person=person, meaning="load proposed", rules=rules, now=now)
        return load_proposals.add(
            conn,
            folder=folder,
            mapping=mapping,
            content_hash=content_hash,
            summary=msgspec.json.encode(summary).decode(),
            diff=msgspec.json.encode(_shortened(diff)).decode(),
            person=by,
            at=now,
            event_seq=event_seq,
        )


def require_same(proposed: Proposed, content_hash: str) -> None:
    """Raise `InputError` where a folder is no longer what was proposed."""
    if proposed.content_hash != content_hash:
        raise InputError(
            f"{proposed.folder} is not what was proposed any more. Look at it and propose it "
            "again; nothing was loaded.",
        )


def agreement_of(db: Database, load_proposal_id: int, *, by: str) -> tuple[Proposed, Agreement]:
    """Return what `by`, whose PIN was right, agrees to. Raises `InputError` if they may not."""
    proposed = _waiting(db.conn, load_proposal_id)
    _require_second(db.conn, proposed, by)
    agreed = Agreement(
        proposal_id=load_proposal_id, content_hash=proposed.content_hash, second_person=by
    )
    return proposed, agreed


def conclude_approved(
    conn: Connection, agreed: Agreement, *, rules: StationRules, now: str
) -> None:
    """Note that a load was agreed to, inside the transaction that applies it.

    Raises `InputError`, which takes the load back, where somebody else was first.
    """
    proposed = _waiting(conn, agreed.proposal_id)
    person = _require_second(conn, proposed, agreed.second_person)
    _decide(conn, proposed, "approved", person, reason=None, rules=rules, now=now)


def refuse(
    db: Database, load_proposal_id: int, *, by: str, reason: str | None, rules: StationRules,
    now: str,
) -> None:  # fmt: skip
    """Refuse a proposal: who may agree to it, or take it back: who proposed it.

    Raises `InputError`.
    """
    if reason is not None and (len(reason) > REASON_MAX or not reason.isprintable()):
        raise InputError(f"A reason has at most {REASON_MAX} characters that print.")
    with db.transaction() as conn:
        proposed = _waiting(conn, load_proposal_id)
        person = operator_of(conn, by) if by == proposed.person else None
        if person is None:
            person = _require_second(conn, proposed, by)
        _decide(conn, proposed, "refused", person, reason=reason, rules=rules, now=now)


def list_proposals(database: Database, filters: Mapping[str, str]) -> Iterator[LoadProposal]:
    """Yield proposals, the newest first. Filters: `status`, `text`, `after` (an id), `limit`."""
    if unknown := set(filters) - {"status", "text", "after", "limit"}:
        raise InputError(f"load_proposals has no filter {min(unknown)!r}.")
    after = filters.get("after")
    limit = filters.get("limit")
    rows = load_proposals.page(
        database.conn,
        status=filters.get("status"),
        text=filters.get("text") or None,
        after=None if after is None else whole_number("after", after),
        limit=PAGE_MAX if limit is None else whole_number("limit", limit),
    )
    return (_proposal(*row) for row in rows)


def load_story(database: Database, filters: Mapping[str, str]) -> Iterator[ProposalStory]:
    """Yield one proposal (`id`) with what it changes."""
    if set(filters) != {"id"}:
        raise InputError("load_story has one filter, and needs it: id.")
    row = load_proposals.story(database.conn, whole_number("id", filters["id"]))
    if row is None:
        raise InputError(f"There is no proposed load {filters['id'][:20]}.")
    diff = None if row[-1] is None else msgspec.json.decode(row[-1], type=LoadDiff)
    yield ProposalStory(_proposal(*row[:-1]), diff)


class _Summary(msgspec.Struct):
    tables: dict[str, tuple[int, int]]
    changes: int
    orders: int
    leaving: int


def _proposal(
    load_proposal_id: int, status: str, folder: str, mapping: str | None, content_hash: str,
    summary: str, person: str, name: str, proposed_at: str, decided_by: str | None,
    decided_by_name: str | None, decided_at: str | None, reason: str | None,
) -> LoadProposal:  # fmt: skip
    told = msgspec.json.decode(summary, type=_Summary)
    return LoadProposal(
        id=load_proposal_id,
        status=cast("ProposalStatus", status),
        folder=folder,
        mapping=mapping,
        content_hash=content_hash,
        tables=told.tables,
        changes=told.changes,
        orders=told.orders,
        leaving=told.leaving,
        proposed_by=person,
        proposed_by_name=name,
        proposed_at=proposed_at,
        decided_by=decided_by,
        decided_by_name=decided_by_name,
        decided_at=decided_at,
        reason=reason,
    )


def _shortened(diff: LoadDiff) -> LoadDiff:
    return msgspec.structs.replace(
        diff,
        rows=diff.rows[:KEPT_MAX],
        open_orders=diff.open_orders[:KEPT_MAX],
        boms=diff.boms[:KEPT_MAX],
        orders=diff.orders[:KEPT_MAX],
        leaving=diff.leaving[:KEPT_MAX],
    )


def _waiting(conn: Connection, load_proposal_id: int) -> Proposed:
    proposed = load_proposals.read(conn, load_proposal_id)
    if proposed is None:
        raise InputError(
            f"There is no proposed load {load_proposal_id}. See: mes-terminal load --proposals."
        )
    if proposed.status != "open":
        raise InputError(
            f"The load {load_proposal_id} is {proposed.status} already. See: mes-terminal load "
            "--proposals."
        )
    return proposed


def _require_proposer(conn: Connection, by: str, rules: StationRules) -> Person:
    if not rules.load_second_person:
        raise InputError("Loads take one person here (load.second_person is false). Omit --as.")
    person = operator_of(conn, by)
    if person is None or person.role == "auditor":
        raise InputError("An auditor changes nothing.", reason="not_authorised")
    return person


def _require_second(conn: Connection, proposed: Proposed, by: str) -> Person:
    """Return `by`, another person who may decide. Raises `InputError` for anybody else."""
    person = operator_of(conn, by)
    if person is None or person.role not in DECIDERS:
        raise InputError(
            "A supervisor or a quality engineer decides about a load.", reason="not_authorised"
        )
    if by == proposed.person:
        raise InputError(
            f"{person.name} proposed this load: another person applies it.",
            reason="not_authorised",
        )
    return person


def _decide(
    conn: Connection, proposed: Proposed, status: str, person: Person, *, reason: str | None,
    rules: StationRules, now: str,
) -> None:  # fmt: skip
    """Log, sign and note a decision."""
    detail = {
        "proposal": proposed.load_proposal_id,
        "folder": proposed.folder,
        "content_hash": proposed.content_hash,
        "proposed_by": proposed.person,
    }
    event_seq = _log(
        conn, f"load.{status}", proposed.folder, proposed.person, rules, now, detail,
        second_person=person.badge, reason=reason,
    )  # fmt: skip
    sign_newest(conn, person=person, meaning=f"load {status}", rules=rules, now=now)
    load_proposals.decide(
        conn, proposed.load_proposal_id, status=status, person=person.badge, reason=reason, at=now,
        event_seq=event_seq,
    )  # fmt: skip


def _log(
    conn: Connection, kind: str, folder: str, person: str, rules: StationRules, now: str,
    detail: dict[str, object], *, second_person: str | None = None, reason: str | None = None,
) -> int:  # fmt: skip
    draft = EventDraft(
        type=kind,
        subject=folder,
        partition_key=rules.station,
        event_time=now,
        data=Fact(person=person, station=rules.station, event_time=now, detail=detail),
        upstream=False,
        person=person,
        second_person=second_person,
        reason=reason,
    )
    return append_events(conn, [draft], rules=rules, recorded_at=now)[0]
