"""The bridge between the site and Tryton: one loop, one call at a time (UP-3, UP-4, UP-7).

In the order in which the site accepted the postings; reports that wait go several in a call. A
refused posting holds up its own order and what uses material that it brings; it is told to the
stations as a conflict, and is tried again now and then, so that mending it in Tryton is enough. It
is let go when a person ends the conflict, or when the report is taken back. A Tryton that is away,
or busy, is tried for ever. One call at a time on purpose: many at once is what makes an ERP
deadlock. Between postings the plans of orders are kept, and what changed in Tryton goes down.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

import msgspec

from mes_terminal import logs
from mes_terminal.errors import StationError, TransportError
from mes_terminal.site.doors import SiteBusyError
from mes_terminal.site.tryton.catalogue import Catalogue
from mes_terminal.site.tryton.client import ErpDeniedError, ErpRefusedError
from mes_terminal.site.tryton.deliveries import BRIDGE_LOCK, Deliveries
from mes_terminal.site.tryton.movements import read_posting
from mes_terminal.site.tryton.post import cancel_out, keep, post, take_back
from mes_terminal.site.tryton.together import first_together, post_together

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from mes_terminal.site.database import SiteDatabase
    from mes_terminal.site.tryton.client import TrytonClient
    from mes_terminal.site.tryton.deliveries import Delivery
    from mes_terminal.site.tryton.movements import Posting

BACK_OFF_FIRST_S: Final = 0.5
BACK_OFF_CAP_S: Final = 60.0
KEEP_AFTER_S: Final = 30.0
"""How long plans of orders wait at most while postings keep coming."""
RETRY_REFUSED_S: Final = 60.0
"""How often a refused posting is tried again."""
LOOK_AT_REFUSED_S: Final = 1.0
"""How often at most a refused posting is looked at while others go."""
PULL_EVERY_S: Final = 10.0
PULL_BUSY_S: Final = 60.0
"""How long what changed in Tryton waits at most while postings keep coming."""
FORGET_AFTER_S: Final = 600.0
"""How long Tryton's ids are taken from memory."""


class Bridge:
    """Brings what the site accepted into Tryton. `pull` is called now and then, and hands down what
    changed there; raises as the client does."""

    def __init__(
        self,
        database: SiteDatabase,
        client: TrytonClient,
        *,
        poll_s: float = 1.0,
        units: dict[str, str] | None = None,
        pull: Callable[[], object] | None = None,
    ) -> None:
        self._database = database
        self._client = client
        self._poll_s = poll_s
        self._pull = pull
        self._deliveries = Deliveries(database)
        self._catalogue = Catalogue(client) if units is None else Catalogue(client, units)
        self._pulled_at = self._kept_at = self._forgot_at = -FORGET_AFTER_S
        self._looked_at = -FORGET_AFTER_S
        self._failures = 0

    def run(self, stopping: threading.Event) -> None:
        """Work until stopped; on a thread of its own. One bridge at a time over one database:
        another waits for its end."""
        while not stopping.is_set():
            try:
                self._work_alone(stopping)
            except SiteBusyError:
                stopping.wait(BACK_OFF_FIRST_S)

    def _work_alone(self, stopping: threading.Event) -> None:
        with self._database.transaction() as conn:
            row = conn.execute("SELECT pg_try_advisory_lock(%s)", [BRIDGE_LOCK]).fetchone()
            conn.commit()
            if row is None or not row[0]:
                stopping.wait(BACK_OFF_FIRST_S)
                return
            try:
                while not stopping.is_set():
                    conn.execute("SELECT 1")  # the lock goes with the connection
                    conn.commit()
                    stopping.wait(self.turn())
            finally:
                conn.execute("SELECT pg_advisory_unlock(%s)", [BRIDGE_LOCK])

    def turn(self) -> float:
        """Do one piece of work; return how long to wait for the next, in seconds."""
        try:
            was_busy = self.step()
        except (TransportError, ErpDeniedError) as error:
            self._failures += 1
            logs.write("tryton.away", attempts=self._failures, sentence=error.sentence)
            asked = error.retry_after_s if isinstance(error, TransportError) else None
            return back_off_s(self._failures, asked, chance=random.random())  # noqa: S311
        self._failures = 0
        return 0.0 if was_busy else self._poll_s

    def step(self) -> bool:
        """Do the next piece of work; tell whether there was any. Raises `TransportError` and
        `ErpDeniedError` where Tryton is the reason that nothing can be done, `SiteBusyError`."""
        self._deliveries.take_in()
        now = time.monotonic()
        if now - self._forgot_at > FORGET_AFTER_S:
            self._catalogue.forget()
            self._forgot_at = now
        if now - self._looked_at > LOOK_AT_REFUSED_S:
            self._looked_at = now
            if any(self._see_to(each) for each in self._deliveries.standing_refused()):
                return True
        ready = self._deliveries.ready()
        if not ready or now - self._pulled_at > PULL_BUSY_S:
            self._bring_down(now)
        if ready and now - self._kept_at < KEEP_AFTER_S:
            self._deliver_first(ready)
            return True
        self._kept_at = now
        if self._keep_one():
            return True
        if ready:
            self._deliver_first(ready)
        return bool(ready)

    def _bring_down(self, now: float) -> None:
        """Hand down what changed in Tryton, now and then."""
        if self._pull is None or now - self._pulled_at < PULL_EVERY_S:
            return
        self._pulled_at = now
        try:
            self._pull()
        except ErpRefusedError as error:
            logs.write("tryton.not_pulled", sentence=error.sentence)

    def _deliver_first(self, ready: Sequence[Delivery]) -> None:
        """Deliver the first, and with it those behind it that can go in one."""
        together = first_together(ready)
        if len(together) < 2:
            self._deliver(ready[0])
            return
        self._deliveries.begin({each.inbox_id: each.posting.reference for each in together})
        try:
            numbers = post_together(
                self._client, self._catalogue, [each.posting for each in together]
            )
        except ErpRefusedError as error:  # one by one tells which, and takes the others
            logs.write("tryton.apart", postings=len(together), sentence=error.sentence)
            self._deliveries.apart([each.inbox_id for each in together])
            self._catalogue.forget()
        except StationError as error:
            self._deliveries.failed([each.inbox_id for each in together], error.sentence)
            raise
        else:
            if numbers is None:
                self._deliveries.apart([each.inbox_id for each in together])
                return
            self._deliveries.posted_together({
                each.inbox_id: (number, each.posting.data.report_id)
                for each, number in zip(together, numbers, strict=True)
            })  # fmt: skip

    def _deliver(self, delivery: Delivery) -> None:
        posting = _read(delivery)
        if posting is None:
            self._deliveries.refused(
                delivery.inbox_id, reason="malformed", sentence="It cannot be read as a posting"
            )
            return
        self._deliveries.begin({delivery.inbox_id: posting.reference})
        report = posting.data.reverses
        carrier = None if report is None else self._deliveries.carrier(report)
        try:
            posted = post(self._client, self._catalogue, posting, carrier=carrier)
        except ErpRefusedError as error:
            logs.write("tryton.refused", posting=posting.id, reason=error.reason)
            self._deliveries.refused(
                delivery.inbox_id, reason=error.reason, sentence=error.sentence
            )
            self._catalogue.forget()
        except StationError as error:
            self._deliveries.failed([delivery.inbox_id], error.sentence)
            raise
        else:
            self._deliveries.posted(
                delivery.inbox_id,
                document=posted.document,
                carries=(report or posting.data.report_id) if posted.is_production else None,
                is_kept=not posted.is_production or report is not None,
            )

    def _see_to(self, refused: Delivery) -> bool:
        """Let a refused posting go, or try it again; tell whether something was done."""
        posting = _read(refused)
        if refused.is_given_up:
            self._let_go(posting, [refused.inbox_id], "a person ended it")
            return True
        if posting is not None and (gone := self._taken_back(refused, posting)):
            self._let_go(posting, gone, "it was taken back before it came to Tryton")
            return True
        if refused.tried_s is None or refused.tried_s > RETRY_REFUSED_S:
            self._deliver(refused)
            return True
        return False

    def _let_go(self, posting: Posting | None, gone: list[int], because: str) -> None:
        if posting is not None:
            try:
                take_back(self._client, posting)
            except ErpRefusedError as error:
                logs.write("tryton.left", posting=posting.id, sentence=error.sentence)
        self._deliveries.let_go(gone, because)

    def _taken_back(self, refused: Delivery, posting: Posting) -> list[int]:
        """Return a refused report with its reversals that wait behind it, if they leave nothing."""
        if posting.data.report_id is None:
            return []
        found, ids = [posting], [refused.inbox_id]
        for each in self._deliveries.lane(refused.lane):
            later = _read(each) if each.inbox_id > refused.inbox_id else None
            if later is not None and later.data.reverses == posting.data.report_id:
                found.append(later)
                ids.append(each.inbox_id)
        return ids if len(ids) > 1 and cancel_out(found) else []

    def _keep_one(self) -> bool:
        """Keep the plan of one order; tell whether there was one."""
        waiting = self._deliveries.unkept()
        if not waiting:
            return False
        same = [each for each in waiting if each.lane == waiting[0].lane]
        postings = [posting for each in same if (posting := _read(each)) is not None]
        try:
            keep(self._client, self._catalogue, postings)
        except ErpRefusedError as error:  # the stock is right; the plan is for a person there
            logs.write("tryton.plan_left", lane=same[0].lane, sentence=error.sentence)
        self._deliveries.kept([each.inbox_id for each in same])
        return True


def back_off_s(failures: int, asked_s: float | None, *, chance: float) -> float:
    """Return how long to wait after so many failures in a row: doubled each time up to a cap, with
    full jitter, and never less than what Tryton asked for. `chance` is from 0 to 1."""
    most = min(BACK_OFF_CAP_S, BACK_OFF_FIRST_S * 2.0 ** min(failures - 1, 16))
    return max(asked_s or 0.0, most * chance)


def _read(delivery: Delivery) -> Posting | None:
    try:
        return read_posting(delivery.body)
    except msgspec.DecodeError:
        return None
