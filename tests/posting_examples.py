"""One posting of each type, taken from a run: a few scans at the sample plant.

The page of postings (docs/postings.md) shows them, and the schemas are proved with them as they
stand. Ids of scans are UUIDs and the epoch is fixed, so that each run gives the same documents.
"""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import open_database
from mes_terminal.usecases.prepare_station import prepare_station
from mes_terminal.usecases.shift_end import end_shift
from tests.plants import Station

SAMPLE_PLANT: Final = Path(__file__).parent.parent / "config" / "sample-plant"
EPOCH: Final = "7f3a91c0d2e84b55"
RULES: Final = StationRules(site="PLANT1", station="LINE3-ST02")

SCANS: Final = (
    "B:anna",
    "%CALL",
    "%STOP JAM",
    "%START WO-1001",
    "%QTY 20", "CHAIR-4",
    "%UNDO",
    "%QTY 100", "WO-1002",
    "%REWORK REPAINT", "%QTY 2", "CHAIR-W|WO-1002",
    "%SCRAP BROKEN", "%QTY 1", "LEG|L-77",
    "%SCRAP SCRATCHED", "%QTY 1", "WO-1101",
    "%EXTRA SPILL", "%QTY 5", "FRAME|F-13",
    "%MOVE STORE", "%QTY 10", "LEG|L-78",
    "%OP 10 WO-1104",
    "%COUNT LINE", "%QTY 599", "BOLT", "%COUNT",
    "4711",
    "B:quentin",
    "%HOLD", "LEG|L-78",
    "WO-1001",
    "B:sofia",
    "%CALL",
)  # fmt: skip


class ExampleStation(Station):
    """A station whose scans have UUIDs."""

    def _new_id(self) -> str:
        self.scans += 1
        return str(UUID(int=(0x0199_A000_0000 << 80) | (7 << 76) | (2 << 62) | self.scans))


def play(folder: Path) -> ExampleStation:
    """Return the station after all of it."""
    db = open_database(folder / "station.db")
    with db.transaction() as conn:
        conn.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", [EPOCH])
    prepare_station(db, RULES)
    station = ExampleStation(db, RULES)
    station.load({each.name: each.read_text() for each in sorted(SAMPLE_PLANT.glob("*.csv"))})
    for code in SCANS:
        station.scan(code)
        station.heal()
    station.load({"receipts.csv": LATE_RECEIPT})
    station.heal()
    end_shift(db, by="sofia", to="sofia", rules=RULES, now=station.now)
    return station


LATE_RECEIPT: Final = (
    "reference,item,lot,location,quantity,effective_at\n"
    "GR-9001,LEG,L-79,LINE,500,2026-11-20T05:00:00Z\n"
)


def examples(station: Station) -> dict[str, Any]:
    """Return the first posting of each type, by the short type."""
    found: dict[str, Any] = {}
    rows = station.db.conn.execute("SELECT type, body FROM event ORDER BY event_seq")
    for kind, body in rows:
        found.setdefault(kind, msgspec.json.decode(body))
    return found
