"""Postings of stations that do not exist: bodies as the station writes them, chained by hashes."""

from collections.abc import Iterable
from urllib.parse import quote

from mes_terminal.domain.delivery import QueuedPosting
from mes_terminal.domain.posting import (
    FIRST_HASH,
    EventDraft,
    LogHead,
    MaterialActual,
    ReportData,
    chain,
    event_body,
)

AT = "2026-11-20T13:05:12.100000Z"
EPOCH = "7f3a91c0d2e84b55"


def source_of(station: str = "ST-1") -> str:
    """Return the source of a station."""
    return f"urn:mes-terminal:PLANT:{quote(station, safe='')}"


def made(
    count: int, *, lanes: int = 10, station: str = "ST-1", epoch: str = EPOCH, quantity: str = "1"
) -> list[QueuedPosting]:
    """Return reports of one piece each, in turn for so many orders."""
    source = source_of(station)
    found: list[QueuedPosting] = []
    previous = FIRST_HASH
    for number in range(1, count + 1):
        lane = f"WO-{station}-{number % lanes}"
        head = LogHead(
            epoch=epoch, event_seq=number - 1, hash=previous, outbox_seq=number - 1,
            movement_seq=0, journal_hash=FIRST_HASH,
        )  # fmt: skip
        body = event_body(
            _report(lane, number, station, quantity),
            head,
            source=source,
            software="0.1.0",
            recorded_at=AT,
            utc_offset="+01:00",
            scan_hash=None,
            ledger=None,
        )
        previous = chain(previous, body)
        found.append(
            QueuedPosting(
                sequence=number,
                id=f"{epoch}:{number:012d}",
                source=source,
                epoch=epoch,
                lane=lane,
                type="production.completed",
                recorded_at=AT,
                body=body,
            )
        )
    return found


def _report(lane: str, number: int, station: str, quantity: str) -> EventDraft:
    data = ReportData(
        report_id=f"01990000-0000-7000-8000-{number:012d}",
        scan_id=f"01990000-0000-7000-9000-{number:012d}",
        work_order=lane,
        final=False,
        person="OP-0417",
        station=station,
        master_data_version="1",
        event_time=AT,
        material_actuals=[
            MaterialActual(
                use="Produced", item="CHAIR-4", lot=lane, serial=None, quantity=quantity,
                uom="pcs", location=f"FG-{station}",
            )
        ],
    )  # fmt: skip
    return EventDraft(
        type="production.completed",
        partition_key=lane,
        subject=lane,
        event_time=AT,
        data=data,
        upstream=True,
    )


def lanes_in_order(sequences_by_lane: Iterable[tuple[str, int]]) -> bool:
    """Tell whether within each lane every sequence is above the one before."""
    last: dict[str, int] = {}
    for lane, sequence in sequences_by_lane:
        if sequence <= last.get(lane, 0):
            return False
        last[lane] = sequence
    return True
