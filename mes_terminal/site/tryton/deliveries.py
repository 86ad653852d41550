"""What the bridge has done, in the site's database: its queue, its answers, its refusals (UP-4).

Every change is a transaction of its own, so that a bridge that dies goes on from the last one; what
it had begun then says `sending`, and is asked for in Tryton before anything is sent again (UP-7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from mes_terminal.domain.delivering import Blocks, queued_posting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mes_terminal.domain.delivery import QueuedPosting
    from mes_terminal.site.database import Connection, SiteDatabase

TOGETHER_MAX: Final = 500
"""Postings that are looked at together."""
READY_MAX: Final = 20
"""Of those that wait, so many are read for those that go: the first, or some soon behind it."""
WINDOW: Final = 10_000
"""Numbers below the newest one seen that may become visible after it: all that the site's
connections take in at once."""
BRIDGE_LOCK: Final = 0x6D65735F657270
"""The advisory lock of the one bridge: "mes_erp" in ASCII."""


class Delivery(Struct, frozen=True, kw_only=True):
    """A posting on its way to the ERP."""

    inbox_id: int
    lane: str
    status: str
    body: bytes
    attempts: int
    tried_s: float | None
    """How long ago it was last tried."""
    is_given_up: bool
    """A person has ended what says that it was refused."""


_TAKE_IN: Final = """
    WITH seen AS (SELECT coalesce(max(inbox_id), 0) AS highest FROM erp_delivery)
    INSERT INTO erp_delivery (inbox_id, lane, status)
    SELECT p.posting_id,
           coalesce(convert_from(p.body, 'UTF8')::json ->> 'partitionkey', ''),
           CASE WHEN p.outcome <> 'accepted' THEN 'not_accepted'
                WHEN p.has_effect THEN 'waiting' ELSE 'done' END
      FROM seen, posting p
     WHERE p.posting_id > seen.highest - %(window)s
       AND p.type <> ''
       AND NOT EXISTS (SELECT 1 FROM erp_delivery d WHERE d.inbox_id = p.posting_id)
     ORDER BY p.posting_id
     LIMIT %(limit)s
    ON CONFLICT DO NOTHING
"""
_ACCEPTED: Final = """
    UPDATE erp_delivery d
       SET status = CASE WHEN p.outcome <> 'accepted' THEN 'let_go'
                         WHEN p.has_effect THEN 'waiting' ELSE 'done' END,
           updated_at = now()
      FROM posting p
     WHERE p.posting_id = d.inbox_id AND d.status = 'not_accepted'
       AND (p.outcome = 'accepted' OR p.is_final)
"""
_DELIVERY: Final = """
    SELECT d.inbox_id, d.lane, d.status, p.body, d.attempts,
           extract(epoch FROM now() - d.tried_at)::float8,
           d.status = 'refused' AND NOT EXISTS (
               SELECT 1 FROM conflict c
                WHERE c.kind = 'erp_refused' AND c.state = 'open'
                  AND c.subject = 'posting ' || d.inbox_id)
      FROM erp_delivery d JOIN posting p ON p.posting_id = d.inbox_id
"""
_READY: Final = f"""
    {_DELIVERY}
     WHERE d.status IN ('waiting', 'sending') AND d.behind IS NULL
     ORDER BY d.inbox_id LIMIT %(limit)s
"""
_OPEN: Final = f"""
    {_DELIVERY}
     WHERE d.status NOT IN ('done', 'let_go') AND d.status = ANY(%(statuses)s)
       AND (%(lane)s::text IS NULL OR d.lane = %(lane)s)
     ORDER BY d.inbox_id LIMIT %(limit)s
"""
_HELD: Final = """
    SELECT d.inbox_id, coalesce(d.behind, d.inbox_id), p.body
      FROM erp_delivery d JOIN posting p ON p.posting_id = d.inbox_id
     WHERE (d.status NOT IN ('done', 'let_go') AND d.status = 'refused') OR d.behind IS NOT NULL
     ORDER BY d.inbox_id
"""
_PARK: Final = """
    UPDATE erp_delivery d SET behind = told.behind
      FROM unnest(%(parked)s::bigint[], %(behind)s::bigint[]) AS told (inbox_id, behind)
     WHERE d.inbox_id = told.inbox_id
"""
_BEGIN: Final = """
    UPDATE erp_delivery d
       SET status = 'sending', reference = told.reference, attempts = attempts + 1,
           tried_at = now(), updated_at = now()
      FROM unnest(%(inbox_ids)s::bigint[], %(references)s::text[]) AS told (inbox_id, reference)
     WHERE d.inbox_id = told.inbox_id
"""
_POSTED: Final = """
    UPDATE erp_delivery d
       SET status = 'posted', document = told.document, carries = told.report, reason = NULL,
           last_error = NULL, updated_at = now()
      FROM unnest(%(inbox_ids)s::bigint[], %(numbers)s::text[], %(reports)s::text[])
           AS told (inbox_id, document, report)
     WHERE d.inbox_id = told.inbox_id
"""
_RELEASE: Final = """
    UPDATE erp_delivery SET behind = NULL WHERE behind = ANY(%(gone)s)
"""
_REFUSED: Final = """
    INSERT INTO conflict (kind, subject, sentence, work_order, stations, postings)
    SELECT 'erp_refused', 'posting ' || p.posting_id, %(sentence)s, p.work_order,
           ARRAY[s.source], ARRAY[e.epoch || ':' || lpad(p.sequence::text, 12, '0')]
      FROM posting p JOIN epoch e USING (epoch_id) JOIN source s ON s.source_id = e.source_id
     WHERE p.posting_id = %(inbox_id)s
    ON CONFLICT (kind, subject) WHERE state = 'open' DO UPDATE
       SET sentence = excluded.sentence, revision = conflict.revision + 1
     WHERE conflict.sentence <> excluded.sentence
"""
_ENDED: Final = """
    UPDATE conflict SET state = 'ended', ended_at = now(), end_reason = %(reason)s,
           revision = revision + 1
     WHERE kind = 'erp_refused' AND state = 'open' AND subject = 'posting ' || %(inbox_id)s
"""


class Deliveries:
    """The bridge's table. Raises `SiteBusyError` where PostgreSQL is away."""

    def __init__(self, database: SiteDatabase) -> None:
        self._database = database
        self._blocks: Blocks | None = None
        """What refused postings hold back; `None`: to be read anew."""
        self._refused: set[int] = set()
        """Those, by their number in the inbox."""

    def take_in(self) -> int:
        """Note what the site has accepted meanwhile; return how many postings that were."""
        with self._database.transaction() as conn:
            taken = conn.execute(_TAKE_IN, {"window": WINDOW, "limit": TOGETHER_MAX}).rowcount
            return taken + conn.execute(_ACCEPTED).rowcount

    def next(self) -> Delivery | None:
        """Return the first of `ready`."""
        return next(iter(self.ready()), None)

    def ready(self) -> list[Delivery]:
        """Return the first few that are not in the ERP and behind nothing that was refused, in
        order; park those between them that are (UP-3: their lane, and whatever uses what they
        bring)."""
        with self._database.transaction() as conn:
            blocks = self._blocks = self._blocks or self._read_blocks(conn)
            while page := _deliveries(conn.execute(_READY, {"limit": READY_MAX})):
                parked: dict[int, int] = {}
                found = []
                for each in page:
                    posting = _posting_of(each.inbox_id, each.body)
                    root = blocks.root_of(posting)
                    if root is None:
                        found.append(each)
                    else:
                        blocks.hold(posting, root)
                        parked[each.inbox_id] = root
                told = {"parked": list(parked), "behind": list(parked.values())}
                conn.execute(_PARK, told)
                if found:
                    return found
        return []

    def standing_refused(self) -> list[Delivery]:
        """Return what the ERP refused: others wait behind these."""
        return self._read(["refused"])

    def lane(self, lane: str) -> list[Delivery]:
        """Return everything of a lane that is not in the ERP, in order."""
        return self._read(["waiting", "sending", "refused"], lane)

    def unkept(self) -> list[Delivery]:
        """Return what is in the ERP's stock, and whose order's plan is still to be kept."""
        return self._read(["posted"])

    def begin(self, references: Mapping[int, str]) -> None:
        """Note that postings are about to be sent, each under its key."""
        with self._database.transaction() as conn:
            told = {"inbox_ids": list(references), "references": list(references.values())}
            conn.execute(_BEGIN, told)

    def apart(self, inbox_ids: Sequence[int]) -> None:
        """Note that postings did not go in one: each is to go by itself."""
        self._set("status = 'waiting'", inbox_ids)

    def posted(
        self, inbox_id: int, *, document: str | None, carries: str | None, is_kept: bool
    ) -> None:
        """Note that a posting is in the ERP's stock."""
        with self._database.transaction() as conn:
            conn.execute(
                "UPDATE erp_delivery SET status = %s, document = %s, carries = %s, reason = NULL,"
                " last_error = NULL, updated_at = now() WHERE inbox_id = %s",
                ["done" if is_kept else "posted", document, carries, inbox_id],
            )
            self._end(conn, [inbox_id], "the ERP has taken it")

    def posted_together(self, documents: Mapping[int, tuple[str, str | None]]) -> None:
        """Note that reports are in the ERP's stock: the document of each, and the report that it
        holds. Their orders' plans are still to be kept."""
        with self._database.transaction() as conn:
            numbers, reports = zip(*documents.values(), strict=True)
            told = {
                "inbox_ids": list(documents),
                "numbers": list(numbers),
                "reports": list(reports),
            }
            conn.execute(_POSTED, told)

    def kept(self, inbox_ids: Sequence[int]) -> None:
        """Note that the plans of their orders are kept."""
        self._set("status = 'done'", inbox_ids)

    def failed(self, inbox_ids: Sequence[int], sentence: str) -> None:
        """Note why nobody knows whether postings are there: they are tried again."""
        self._set("last_error = %(sentence)s", inbox_ids, sentence=sentence)

    def refused(self, inbox_id: int, *, reason: str, sentence: str) -> None:
        """Note a refusal, and tell the stations by a conflict of kind `erp_refused`."""
        with self._database.transaction() as conn:
            conn.execute(
                "UPDATE erp_delivery SET status = 'refused', reason = %s, last_error = %s,"
                " updated_at = now() WHERE inbox_id = %s",
                [reason, sentence, inbox_id],
            )
            conn.execute(_REFUSED, {"inbox_id": inbox_id, "sentence": sentence})
        self._blocks = None

    def let_go(self, inbox_ids: Sequence[int], because: str) -> None:
        """Note that postings do not go to the ERP any more; their lanes go on."""
        with self._database.transaction() as conn:
            conn.execute(
                "UPDATE erp_delivery SET status = 'let_go', last_error = %s, updated_at = now()"
                " WHERE inbox_id = ANY(%s)",
                [because, list(inbox_ids)],
            )
            self._end(conn, inbox_ids, because)

    def carrier(self, report_id: str) -> str | None:
        """Return our reference of the document that holds a report's material."""
        with self._database.transaction() as conn:
            row = conn.execute(
                "SELECT reference FROM erp_delivery WHERE carries = %s"
                " ORDER BY inbox_id DESC LIMIT 1",
                [report_id],
            ).fetchone()
            return None if row is None else str(row[0])

    def _end(self, conn: Connection, inbox_ids: Sequence[int], because: str) -> None:
        """Nothing stands refused of these any more: what waited for them goes on."""
        for inbox_id in inbox_ids:
            conn.execute(_ENDED, {"inbox_id": inbox_id, "reason": because})
        conn.execute(_RELEASE, {"gone": list(inbox_ids)})
        if not self._refused.isdisjoint(inbox_ids):
            self._blocks = None

    def _read_blocks(self, conn: Connection) -> Blocks:
        blocks = Blocks()
        self._refused.clear()
        for inbox_id, root, body in conn.execute(_HELD):
            blocks.hold(_posting_of(inbox_id, bytes(body)), root)
            self._refused.add(root)
        return blocks

    def _read(self, statuses: Sequence[str], lane: str | None = None) -> list[Delivery]:
        told = {"statuses": list(statuses), "lane": lane, "limit": TOGETHER_MAX}
        with self._database.transaction() as conn:
            return _deliveries(conn.execute(_OPEN, told))

    def _set(self, what: str, inbox_ids: Sequence[int], **values: object) -> None:
        with self._database.transaction() as conn:
            conn.execute(
                f"UPDATE erp_delivery SET {what}, updated_at = now()"  # noqa: S608 - our own words
                " WHERE inbox_id = ANY(%(inbox_ids)s)",
                {"inbox_ids": list(inbox_ids)} | values,
            )


def _deliveries(rows: Iterable[tuple[Any, ...]]) -> list[Delivery]:
    return [
        Delivery(
            inbox_id=inbox_id,
            lane=lane,
            status=status,
            body=bytes(body),
            attempts=attempts,
            tried_s=tried_s,
            is_given_up=is_given_up,
        )
        for inbox_id, lane, status, body, attempts, tried_s, is_given_up in rows
    ]


def _posting_of(inbox_id: int, body: bytes) -> QueuedPosting:
    """Return what the order of delivery needs; here the order is that of the inbox."""
    return queued_posting(inbox_id, body, with_body=False)


def behind_s(conn: Connection) -> float | None:
    """Return how long the oldest posting waits that is not in the ERP; 0: none does."""
    row = conn.execute(
        """
        SELECT extract(epoch FROM now() - min(p.received_at))::float8
          FROM erp_delivery d JOIN posting p ON p.posting_id = d.inbox_id
         WHERE d.status NOT IN ('done', 'let_go')
           AND d.status IN ('waiting', 'sending', 'refused')
        """
    ).fetchone()
    return None if row is None else float(row[0] or 0)
