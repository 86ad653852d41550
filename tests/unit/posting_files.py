"""Who writes files of postings for tests, and who takes them in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from mes_terminal.domain.delivery import Answer, QueuedPosting
from mes_terminal.domain.posting import FIRST_HASH
from mes_terminal.errors import TransportError
from mes_terminal.exchange.segments import read_segment
from mes_terminal.upstream.connector import StationIdentity
from mes_terminal.upstream.connectors.file import FileConnector

SOURCE = "urn:mes-terminal:PLANT1:LINE3"
EPOCH = "7f3a91c0d2e84b55"


def identity(folder: Path, station: str = "LINE3") -> StationIdentity:
    return StationIdentity(source=SOURCE, site="PLANT1", station=station, database=folder / "s.db")


def posting(sequence: int, *, quantity: str = "4", epoch: str = EPOCH) -> QueuedPosting:
    event: dict[str, Any] = {
        "type": "io.mes-terminal.production.completed.v1",
        "source": SOURCE,
        "id": f"{epoch}:{sequence:012d}",
        "sequence": f"{sequence:012d}",
        "epoch": epoch,
        "time": "2026-11-20T13:05:12.100000Z",
        "data": {
            "material_actuals": [
                {"use": "Produced", "item": "CHAIR-4", "lot": None, "quantity": "1"},
                {"use": "Consumed", "item": "LEG", "lot": "Lü;7", "quantity": quantity},
            ]
        },
    }
    return QueuedPosting(
        sequence=sequence, id=event["id"], source=SOURCE, epoch=epoch, lane="WO-1",
        type="production.completed", recorded_at="2026-11-20T13:05:12.100000Z",
        body=msgspec.json.encode(event),
    )  # fmt: skip


def connector(folder: Path, **settings: object) -> FileConnector:
    return FileConnector(folder, identity(folder), **{"template": None, "seal_s": 60, **settings})  # type: ignore[arg-type]


def sequences_in(folder: Path) -> list[int]:
    """Return the sequences of all files, which must follow one another by hash and number."""
    found, previous = [], FIRST_HASH
    files = [path for path in folder.glob("????/*.jsonl") if "answers" not in path.name]
    for number, path in enumerate(sorted(files), 1):
        _, bodies, previous = read_segment(
            path.read_bytes(), source=SOURCE, number=number, previous=previous
        )
        found += [int(msgspec.json.decode(body)["sequence"]) for body in bodies]
    return found


class Inbox:
    """Keeps what was taken; busy as often as it is told to be."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.busy = 0

    def take(self, bodies: Sequence[bytes]) -> list[Answer]:
        if self.busy:
            self.busy -= 1
            raise TransportError("The database does not answer.")
        numbers = [int(msgspec.json.decode(body)["sequence"]) for body in bodies]
        self.taken += numbers
        return [
            Answer(source=SOURCE, epoch="e", sequence=each, outcome="accepted") for each in numbers
        ]


async def write(folder: Path, *days: tuple[int, ...]) -> None:
    for day in days:
        each = connector(folder)
        await each.open()
        await each.deliver([posting(number) for number in day])
        await each.close()
