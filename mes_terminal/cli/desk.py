"""The way to write: through the running core, else as the core for the moment."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.scan import CODE_MAX_BYTES
from mes_terminal.errors import CoreError
from mes_terminal.station import lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mes_terminal.cli.session import Desk, Session
    from mes_terminal.domain.morning import Morning
    from mes_terminal.domain.resolving import Assigned, Resolved
    from mes_terminal.domain.shift_report import ShiftReport
    from mes_terminal.link.blocking import Client
    from mes_terminal.settings import Settings
    from mes_terminal.station.approving import Approval, ApproveOrder, PermitDone, PermitOrder
    from mes_terminal.station.booking import Booking
    from mes_terminal.station.desk_requests import AssignOrder, PeopleOrder, ResolveOrder
    from mes_terminal.station.loading import DecideLoadOrder, ProposeOrder
    from mes_terminal.station.shift_requests import EndCallOrder, EndShiftOrder
    from mes_terminal.station.signing import Signed
    from mes_terminal.station.upstream import Synced

DEVICE: Final = "cli"
"""The device of scans that a command gives."""
_RETRY_S: Final = 0.02


class LinkDesk:
    """Writes through the core that runs."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def scan(
        self, raw: bytes, *, badge: str | None, at: str | None, device: str = DEVICE
    ) -> Outcome:
        """See `Desk`."""
        code = raw[: CODE_MAX_BYTES + 1].hex()
        return self._client.ask("scan", Outcome, hex=code, device=device, badge=badge, at=at)

    def load(
        self, folder: Path, *, dry_run: bool, diff: bool, at: str | None,
        mapping: Path | None = None,
    ) -> Any:  # fmt: skip
        """See `Desk`."""
        return self._client.ask(
            "load", dict, folder=str(folder.absolute()), dry_run=dry_run, diff=diff, at=at,
            mapping=None if mapping is None else str(mapping.absolute()),
        )  # fmt: skip

    def propose_load(self, order: ProposeOrder) -> Any:
        """See `Desk`."""
        return self._client.ask("propose_load", dict, **msgspec.to_builtins(order))

    def decide_load(self, order: DecideLoadOrder) -> Any:
        """See `Desk`."""
        return self._client.ask("approve_load", dict, **msgspec.to_builtins(order))

    def resolve(self, order: ResolveOrder) -> list[Resolved]:
        """See `Desk`."""
        from mes_terminal.domain.resolving import Resolved

        return self._client.ask("resolve", list[Resolved], **msgspec.to_builtins(order))

    def assign(self, order: AssignOrder) -> list[Assigned]:
        """See `Desk`."""
        from mes_terminal.domain.resolving import Assigned

        return self._client.ask("assign", list[Assigned], **msgspec.to_builtins(order))

    def change_people(self, order: PeopleOrder) -> None:
        """See `Desk`."""
        self._client.request("people", **msgspec.to_builtins(order))

    def morning(self) -> Morning:
        """See `Desk`."""
        from mes_terminal.domain.morning import Morning

        return self._client.ask("morning", Morning)

    def end_shift(self, order: EndShiftOrder) -> ShiftReport:
        """See `Desk`."""
        from mes_terminal.domain.shift_report import ShiftReport

        return self._client.ask("end_shift", ShiftReport, **msgspec.to_builtins(order))

    def end_call(self, order: EndCallOrder) -> None:
        """See `Desk`."""
        self._client.request("end_call", **msgspec.to_builtins(order))

    def approve(self, order: ApproveOrder) -> Approval:
        """See `Desk`."""
        from mes_terminal.station.approving import Approval

        return self._client.ask("approve", Approval, **msgspec.to_builtins(order))

    def change_permit(self, order: PermitOrder) -> PermitDone:
        """See `Desk`."""
        from mes_terminal.station.approving import PermitDone

        return self._client.ask("permit", PermitDone, **msgspec.to_builtins(order))

    def sync(self, settings: Settings, *, once: bool, tell: Callable[[Synced], None]) -> Synced:  # noqa: ARG002
        """See `Desk`; the core has its own settings."""
        from mes_terminal.station.upstream import Synced

        last: Synced | None = None
        for row in self._client.pages("sync", once=once):
            last = msgspec.json.decode(row, type=Synced)
            tell(last)
        if last is None:
            raise CoreError("The station stops. Try again when it is back.", reason="stopping")
        return last

    def preflight(self, work_order: str) -> Any:
        """See `Desk`."""
        return self._client.ask("preflight", dict, work_order=work_order)


class LocalDesk:
    """Writes itself: the lock is held, the database open."""

    def __init__(self, booking: Booking) -> None:
        self._booking = booking

    def scan(
        self, raw: bytes, *, badge: str | None, at: str | None, device: str = DEVICE
    ) -> Outcome:
        """See `Desk`."""
        booking = self._booking
        outcome = booking.book(booking.request_for(raw, device=device, badge=badge, at=at))
        booking.heal_all()
        booking.tidy(idle=False)
        return outcome

    def load(
        self, folder: Path, *, dry_run: bool, diff: bool, at: str | None,
        mapping: Path | None = None,
    ) -> Any:  # fmt: skip
        """See `Desk`."""
        from mes_terminal.station.loading import LoadOrder, load

        named = None if mapping is None else str(mapping.absolute())
        order = LoadOrder(folder=str(folder), mapping=named, dry_run=dry_run, diff=diff, at=at)
        result = load(self._booking, folder, order)
        self._booking.heal_all()
        return msgspec.to_builtins(result)

    def propose_load(self, order: ProposeOrder) -> Any:
        """See `Desk`."""
        from mes_terminal.station import loading

        self._prove(order)
        return msgspec.to_builtins(loading.propose(self._booking, order))

    def decide_load(self, order: DecideLoadOrder) -> Any:
        """See `Desk`."""
        from mes_terminal.station import loading

        self._prove(order)
        decide = loading.refuse if order.answer == "refuse" else loading.approve
        result = decide(self._booking, order)
        self._booking.heal_all()
        return msgspec.to_builtins(result)

    def resolve(self, order: ResolveOrder) -> list[Resolved]:
        """See `Desk`."""
        from mes_terminal.station.desk_requests import resolve

        self._prove(order)
        ended = list(resolve(self._booking, order))
        self._booking.heal_all()
        return ended

    def assign(self, order: AssignOrder) -> list[Assigned]:
        """See `Desk`."""
        from mes_terminal.station.desk_requests import assign

        self._prove(order)
        return assign(self._booking, order)

    def change_people(self, order: PeopleOrder) -> None:
        """See `Desk`."""
        from mes_terminal.station.desk_requests import change_people, new_hash

        self._prove(order)
        change_people(self._booking, order, new_hash(order))

    def morning(self) -> Morning:
        """See `Desk`."""
        from mes_terminal.station.clock import utc_now
        from mes_terminal.usecases.morning import morning_of
        from mes_terminal.usecases.rehearse_queue import rehearse_queue

        db, rules, now = self._booking.db, self._booking.rules, utc_now()
        queue = rehearse_queue(db, rules, now=now)
        assert queue is not None
        return morning_of(db, queue, rules, now=now)

    def end_shift(self, order: EndShiftOrder) -> ShiftReport:
        """See `Desk`."""
        from mes_terminal.station.shift_requests import sign_off

        self._prove(order)
        return sign_off(self._booking, order)

    def end_call(self, order: EndCallOrder) -> None:
        """See `Desk`."""
        from mes_terminal.station.shift_requests import end_call

        self._prove(order)
        end_call(self._booking, order)

    def approve(self, order: ApproveOrder) -> Approval:
        """See `Desk`."""
        from mes_terminal.station import approving

        booking = self._booking
        self._prove(order)
        answered = approving.approve(booking, order)
        outcome = None
        if answered.again is not None:
            outcome = booking.book(approving.scan_again(booking, answered))
            booking.heal_all()
        return approving.told(answered, outcome)

    def change_permit(self, order: PermitOrder) -> PermitDone:
        """See `Desk`."""
        from mes_terminal.station import approving

        self._prove(order)
        return approving.change_permit(self._booking, order)

    def sync(self, settings: Settings, *, once: bool, tell: Callable[[Synced], None]) -> Synced:
        """See `Desk`."""
        import asyncio

        from mes_terminal.station.upstream import sync_here

        return asyncio.run(sync_here(self._booking, settings, once=once, tell=tell))

    def preflight(self, work_order: str) -> Any:
        """See `Desk`."""
        from mes_terminal.station.clock import utc_now
        from mes_terminal.usecases.preflight import preflight

        view = preflight(self._booking.db, work_order, self._booking.rules, now=utc_now())
        return msgspec.to_builtins(view)

    def _prove(self, order: Signed) -> None:
        """Let the badge of an order be proved by its PIN. Raises `InputError` if it is wrong."""
        from mes_terminal.station import signing

        if order.proof is not None:
            signing.sign(self._booking, order.proof, order.pin)


@contextmanager
def open_desk(session: Session) -> Iterator[Desk]:
    """Attach to the core, or become it. Raises `CoreError` if neither can be."""
    held, client = _take_or_attach(session.database_path)
    if client is not None:
        with client:
            yield LinkDesk(client)
        return
    assert held is not None
    try:
        from mes_terminal.station.booking import Booking, recovered_sentence
        from mes_terminal.station.disk import DiskGuard

        disk = DiskGuard(session.database_path, session.settings.alarms)
        booking = Booking(session.database_path, session.rules, disk)
        try:
            if booking.moved is not None:
                print(booking.moved, file=sys.stderr, flush=True)  # noqa: T201
            for outcome in booking.recover():
                print(recovered_sentence(outcome), file=sys.stderr, flush=True)  # noqa: T201
            yield LocalDesk(booking)
        finally:
            booking.close()
    finally:
        held.let_go()


def _take_or_attach(database: Path) -> tuple[lock.Lock | None, Client | None]:
    """Return the lock, or a connection to the core that has it; waits for a passing holder."""
    deadline = time.monotonic() + lock.WAIT_MAX_S
    while True:
        holder = lock.find_core(database)
        if holder is not None:
            from mes_terminal.link.blocking import Client

            try:
                return None, Client(holder.socket)
            except CoreError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_RETRY_S)  # it stops, or took the lock this very moment
                continue
        held = lock.take_lock(database, wait_s=max(0.0, deadline - time.monotonic()))
        if held is not None:
            return held, None
        if time.monotonic() >= deadline:
            raise CoreError(lock.held_sentence(database), reason="held")
