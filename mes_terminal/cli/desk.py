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
    from collections.abc import Iterator
    from pathlib import Path

    from mes_terminal.cli.session import Desk, Session
    from mes_terminal.domain.morning import Morning
    from mes_terminal.domain.resolving import Assigned, Resolved
    from mes_terminal.domain.shift_report import ShiftReport
    from mes_terminal.link.blocking import Client
    from mes_terminal.station.approving import Approval, ApproveOrder, PermitDone, PermitOrder
    from mes_terminal.station.booking import Booking
    from mes_terminal.station.desk_requests import AssignOrder, PeopleOrder, ResolveOrder
    from mes_terminal.station.loading import DecideLoadOrder, ProposeOrder
    from mes_terminal.station.shift_requests import EndCallOrder, EndShiftOrder

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

    def load(self, folder: Path, *, dry_run: bool, diff: bool, at: str | None) -> Any:
        """See `Desk`."""
        return self._client.ask(
            "load", dict, folder=str(folder.absolute()), dry_run=dry_run, diff=diff, at=at
        )

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

    def load(self, folder: Path, *, dry_run: bool, diff: bool, at: str | None) -> Any:
        """See `Desk`."""
        from mes_terminal.station.loading import LoadOrder, load

        order = LoadOrder(folder=str(folder), dry_run=dry_run, diff=diff, at=at)
        result = load(self._booking, folder, order)
        self._booking.heal_all()
        return msgspec.to_builtins(result)

    def propose_load(self, order: ProposeOrder) -> Any:
        """See `Desk`."""
        from mes_terminal.station import loading, signing

        signing.sign(self._booking, order.proof, order.pin)
        return msgspec.to_builtins(loading.propose(self._booking, order))

    def decide_load(self, order: DecideLoadOrder) -> Any:
        """See `Desk`."""
        from mes_terminal.station import loading, signing

        signing.sign(self._booking, order.proof, order.pin)
        decide = loading.refuse if order.answer == "refuse" else loading.approve
        result = decide(self._booking, order)
        self._booking.heal_all()
        return msgspec.to_builtins(result)

    def resolve(self, order: ResolveOrder) -> list[Resolved]:
        """See `Desk`."""
        from mes_terminal.station import signing
        from mes_terminal.station.desk_requests import resolve

        if order.proof is not None:
            signing.sign(self._booking, order.proof, order.pin)
        ended = list(resolve(self._booking, order))
        self._booking.heal_all()
        return ended

    def assign(self, order: AssignOrder) -> list[Assigned]:
        """See `Desk`."""
        from mes_terminal.station import signing
        from mes_terminal.station.desk_requests import assign

        signing.sign(self._booking, order.proof, order.pin)
        return assign(self._booking, order)

    def change_people(self, order: PeopleOrder) -> None:
        """See `Desk`."""
        from mes_terminal.station import signing
        from mes_terminal.station.desk_requests import change_people, new_hash

        if order.proof is not None:
            signing.sign(self._booking, order.proof, order.pin)
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
        from mes_terminal.station import signing
        from mes_terminal.station.shift_requests import sign_off

        signing.sign(self._booking, order.proof, order.pin)
        return sign_off(self._booking, order)

    def end_call(self, order: EndCallOrder) -> None:
        """See `Desk`."""
        from mes_terminal.station import signing
        from mes_terminal.station.shift_requests import end_call

        signing.sign(self._booking, order.proof, order.pin)
        end_call(self._booking, order)

    def approve(self, order: ApproveOrder) -> Approval:
        """See `Desk`."""
        from mes_terminal.station import approving, signing

        booking = self._booking
        signing.sign(booking, order.proof, order.pin)
        answered = approving.approve(booking, order)
        outcome = None
        if answered.again is not None:
            outcome = booking.book(approving.scan_again(booking, answered))
            booking.heal_all()
        return approving.told(answered, outcome)

    def change_permit(self, order: PermitOrder) -> PermitDone:
        """See `Desk`."""
        from mes_terminal.station import approving, signing

        signing.sign(self._booking, order.proof, order.pin)
        return approving.change_permit(self._booking, order)

    def preflight(self, work_order: str) -> Any:
        """See `Desk`."""
        from mes_terminal.station.clock import utc_now
        from mes_terminal.usecases.preflight import preflight

        view = preflight(self._booking.db, work_order, self._booking.rules, now=utc_now())
        return msgspec.to_builtins(view)


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

        booking = Booking(session.database_path, session.rules)
        try:
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
