"""A station as its postings tell it: bodies chained by hashes, of whatever a test wants said."""

from typing import Any

from mes_terminal.domain.delivery import Hello
from mes_terminal.domain.healing import HealedData
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.posting import (
    FIRST_HASH,
    EventDraft,
    Fact,
    LineActual,
    LogHead,
    MaterialActual,
    MaterialData,
    ReportData,
    chain,
    event_body,
)

AT = "2026-11-20T13:05:12.100000Z"


def made(
    item: str, quantity: str, location: str, *, lot: str | None = None, serial: str | None = None
) -> MaterialActual:
    """Return what a report produced."""
    return MaterialActual("Produced", item, lot, serial, quantity, "pcs", location)


def used(
    item: str, quantity: str, location: str, *, lot: str | None = None, line: str = "10",
    serial: str | None = None, certainty: Any = "assumed",
) -> LineActual:  # fmt: skip
    """Return what a report consumed."""
    return LineActual(
        "Consumed", item, lot, serial, quantity, "pcs", location, line, None, "backflushed",
        certainty,
    )  # fmt: skip


class PostingStation:
    """Makes the postings of one station in one epoch, in order."""

    def __init__(
        self, station: str = "ST-1", *, epoch: str = "7f3a91c0d2e84b55", first: int = 1
    ) -> None:
        self.station = station
        self.source = f"urn:mes-terminal:PLANT:{station}"
        self.epoch = epoch
        self.first = first
        self.hash = FIRST_HASH
        self.event_seq = 0
        self.sequence = first - 1
        self.bodies: list[bytes] = []

    def report(
        self,
        work_order: str,
        *actuals: Any,
        at: str = AT,
        kind: str = "production.completed",
        final: bool = False,
        reverses: str | None = None,
        scrapped: str = "0",
        exceptions: list[OpenedException] | None = None,
    ) -> bytes:
        """Return a report of production."""
        data = ReportData(
            report_id=self.report_id(self.sequence + 1),
            scan_id=self.report_id(self.sequence + 1),
            work_order=work_order,
            final=final,
            person="OP-1",
            station=self.station,
            master_data_version="1",
            event_time=at,
            reverses=reverses,
            scrapped_quantity=scrapped,
            material_actuals=list(actuals),
            exceptions=exceptions or [],
        )
        return self.posting(kind, work_order, data, at=at)

    def received(
        self, item: str, quantity: str, location: str, *, lot: str | None = None, at: str = AT
    ) -> bytes:
        """Return a receipt."""
        data = MaterialData(
            station=self.station,
            master_data_version="1",
            event_time=at,
            material_actuals=[
                MaterialActual("Received", item, lot, None, quantity, "pcs", location)
            ],
        )
        return self.posting("material.received", item, data, at=at)

    def resolved(
        self, subject: str, exception: OpenedException, *, work_order: str | None = None,
        actuals: Any = (), report_id: str | None = None,
    ) -> bytes:  # fmt: skip
        """Return the end of an exception."""
        data = HealedData(
            report_id=report_id,
            work_order=work_order,
            person="SO",
            station=self.station,
            master_data_version="1",
            event_time=AT,
            material_actuals=list(actuals),
            exceptions=[exception],
        )
        return self.posting("exception.resolved", subject, data)

    def opened(self, kind: str, **detail: Any) -> bytes:
        """Return an exception that no report carries."""
        data = Fact(
            person="OP-1", station=self.station, event_time=AT, detail={"kind": kind, **detail}
        )
        return self.posting("exception.opened", kind, data)

    def posting(self, kind: str, lane: str, data: Any, *, at: str = AT) -> bytes:
        """Return the next posting, whatever it is."""
        body = event_body(
            EventDraft(
                type=kind, subject=lane, partition_key=lane, event_time=at, data=data, upstream=True
            ),
            LogHead(
                epoch=self.epoch, event_seq=self.event_seq, hash=self.hash,
                outbox_seq=self.sequence, movement_seq=0, journal_hash=FIRST_HASH,
            ),
            source=self.source, software="0.1.0", recorded_at=AT, utc_offset="+01:00",
            scan_hash=None, ledger=None,
        )  # fmt: skip
        self.event_seq += 1
        self.sequence += 1
        self.hash = chain(self.hash, body)
        self.bodies.append(body)
        return body

    def report_id(self, sequence: int) -> str:
        """Return the id of the report that is posted under a sequence."""
        return f"{self.epoch[:8]}-0000-7000-8000-{sequence:012d}"

    def hello(self, **said: Any) -> Hello:
        """Return what the station says before it sends."""
        told: dict[str, Any] = {
            "source": self.source, "station": self.station, "epoch": self.epoch,
            "first_sequence": self.first, "last_sequence": self.sequence, "head": self.hash,
            "head_sequence": self.event_seq, "down_version": 0, "software": "0.1.0",
        }  # fmt: skip
        return Hello(**{**told, **said})
