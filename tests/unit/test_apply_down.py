"""What comes down from the site takes effect at the station, with its version (UP-9)."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from mes_terminal.domain.delivery import (
    ConflictData,
    DownDocument,
    DownKind,
    LotStatusData,
    SiteException,
    StockReading,
    TablesData,
    UpstreamStock,
)
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import StationError, TransportError
from mes_terminal.station.booking import Booking
from mes_terminal.station.inbound import DownDesk
from mes_terminal.store import down
from mes_terminal.store.database import SqliteError
from mes_terminal.store.reconcile import figures
from mes_terminal.upstream.inbound import InboundLoop
from mes_terminal.usecases import apply_down, load_master_data
from mes_terminal.usecases.lists import read_list
from mes_terminal.usecases.reconcile import note_upstream_stock, stock_changes
from tests import virtual_time
from tests.plants import as_json

ITEMS = [
    {"item": "CHAIR", "tracking": "none"},
    {"item": "LEG", "tracking": "lot"},
]
BOM = {
    "boms": [{"item": "CHAIR", "revision": "A"}],
    "bom_lines": [
        {"item": "CHAIR", "revision": "A", "line": "10", "component": "LEG", "quantity": "4"}
    ],
}
ORDER = {"work_orders": [{"work_order": "WO-1", "item": "CHAIR", "quantity": "10",
                          "status": "released"}]}  # fmt: skip
LEGS = {"receipts": [{"reference": "R-1", "item": "LEG", "lot": "L-1", "location": "LINE",
                      "quantity": "100"}]}  # fmt: skip


def tables(version: int, key: str, rows: Any) -> DownDocument:
    return document(version, key, "tables", TablesData(rows))


def hold(version: int, status: str = "hold", lot: str = "L-1", item: str = "LEG") -> DownDocument:
    data = LotStatusData(item=item, lot=lot, status=status, person="Quinn", reason="cracks")  # type: ignore[arg-type]
    return document(version, f"lot_status:{item}:{lot}:", "lot_status", data)


def document(version: int, key: str, kind: DownKind, data: Any) -> DownDocument:
    return DownDocument(
        version=version, key=key, kind=kind, sent_at="2026-11-20T13:00:00.000000Z",
        data=Raw(msgspec.json.encode(data)),
    )  # fmt: skip


PLANT = [
    tables(1, "items:CHAIR", {"items": ITEMS[:1]}),
    tables(2, "items:LEG", {"items": ITEMS[1:]}),
    tables(3, "boms:CHAIR:A", BOM),
    tables(4, "work_orders:WO-1", ORDER),
    tables(5, "receipts:R-1", LEGS),
]


class Desk:
    """A station that applies what comes down in this process."""

    def __init__(self, folder: Path) -> None:
        self.booking = Booking(folder / "station.db", StationRules())
        self._folder = folder
        self.begin_anew()

    def begin_anew(self) -> None:
        """Let what applies documents be another one, as after a restart."""

        async def do(work: Callable[[Booking], Any]) -> Any:
            return work(self.booking)

        self.down = DownDesk(
            self._folder / "station.db", self.booking.rules, do, asyncio.Lock(),
            "urn:mes-terminal:S:1",
        )  # fmt: skip

    async def apply(self, *documents: DownDocument) -> list[tuple[int, str]]:
        """Apply them; return version and outcome of each confirmation."""
        return [(each.version, each.outcome) for each in await self.down.apply(documents)]

    def rows(self, name: str, **filters: str) -> list[dict[str, Any]]:
        found = read_list(self.booking.db, name, filters, rules=self.booking.rules, now="9")
        return [as_json(row) for row in found]

    def version(self) -> int:
        return down.read_version(self.booking.db.conn)


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    made = Desk(tmp_path)
    yield made
    made.booking.close()


async def test_a_plant_comes_down_and_can_be_worked_on(desk: Desk) -> None:
    """UP-9: versioned, and the version is kept with what it brought."""
    assert await desk.apply(*PLANT) == [(5, "applied")]
    assert desk.version() == 5
    loaded = desk.rows("audit", type="loaded")[-1]["event"]["data"]["detail"]
    assert loaded["down_version"] == 5
    (order,) = desk.rows("orders")
    assert (order["work_order"], order["status"]) == ("WO-1", "released")
    request = desk.booking.request_for(b"WO-1", device="test")
    assert desk.booking.book(request).outcome == "completed"
    (leg,) = [row for row in desk.rows("stock") if row["item"] == "LEG"]
    assert leg["quantity"] == "60"


async def test_the_desk_says_who_holds_a_lot_and_why(desk: Desk) -> None:
    """UP-9, BF-16: the last who said so, at the site or here; of that lot alone."""
    await desk.apply(*PLANT, hold(6))
    assert [(row["person"], row["reason"]) for row in held(desk)] == [("Quinn", "cracks")]
    desk.booking.db.conn.execute(
        "INSERT INTO operator (badge, name, role) VALUES ('Quinn', 'Quinn Roy', 'quality')"
    )
    assert held(desk)[0]["person"] == "Quinn Roy"
    await desk.apply(hold(7, status="available"), hold(8, lot="L-2"))
    for code in (b"%HOLD", b"LEG|L-1"):
        outcome = desk.booking.book(desk.booking.request_for(code, device="test"))
        assert outcome.outcome == "recorded"
    assert [(row["person"], row["reason"]) for row in held(desk)] == [(None, None)]


def held(desk: Desk) -> list[dict[str, Any]]:
    return desk.rows("desk_lot_held", item="LEG", lot="L-1")


async def test_the_same_again_changes_nothing(desk: Desk) -> None:
    """UP-9: a confirmation that was lost brings the documents again."""
    await desk.apply(*PLANT)
    before = desk.rows("audit")
    assert await desk.apply(*PLANT) == [(5, "applied")]
    assert desk.rows("audit") == before


async def test_an_order_waits_for_its_item(desk: Desk) -> None:
    """UP-9: an item that was changed since comes after the order that needs it."""
    assert await desk.apply(PLANT[3]) == [(4, "refused"), (4, "applied")]
    assert desk.version() == 4
    (told,) = desk.rows("exceptions", open="yes")
    assert told["kind"] == "site_conflict"
    assert "refused" in told["cause"]
    later = [tables(6, "items:CHAIR", {"items": ITEMS[:1]}),
             tables(7, "items:LEG", {"items": ITEMS[1:]}),
             tables(8, "boms:CHAIR:A", BOM)]  # fmt: skip
    assert await desk.apply(*later) == [(4, "applied"), (8, "applied")]
    assert [row["work_order"] for row in desk.rows("orders")] == ["WO-1"]
    assert desk.rows("exceptions", open="yes") == []


async def test_what_is_kept_is_told_once_and_costs_nothing_until_it_may_be_applied(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-9: holds on other lines' items are kept for ever, one for each lot that was ever held."""
    wrong = tables(30, "work_orders:WO-9", {"work_orders": [{"work_order": "WO-9", "item": "NO",
                                                             "quantity": "1"}]})  # fmt: skip
    holds = [hold(number, lot=f"P-{number}", item="PAINT") for number in range(6, 26)]
    await desk.apply(*PLANT)
    found = await desk.apply(*holds, wrong)
    assert sorted(outcome for _, outcome in found) == ["applied"] + 20 * ["not_here"] + ["refused"]
    with monkeypatch.context() as patched:
        patched.setattr(apply_down, "apply_told", None)
        patched.setattr(apply_down, "keep_refused", None)
        assert await desk.apply(tables(31, "items:PAD", {"items": [{"item": "PAD"}]})) == [
            (31, "applied")
        ]
    desk.begin_anew()
    found = await desk.apply(tables(32, "items:CAP", {"items": [{"item": "CAP"}]}))
    assert len(found) == 22, "what was told may not have arrived before the stop"
    paint = tables(33, "items:PAINT", {"items": [{"item": "PAINT", "tracking": "lot"}]})
    assert len(await desk.apply(paint)) == 21
    assert [row["status"] for row in desk.rows("lots", item="PAINT")] == 20 * ["hold"]


async def test_what_is_told_together_is_of_one_instant(desk: Desk) -> None:
    """UP-9: to the site a later `applied` of the same version means that what was kept is applied
    by now."""
    kept, all_of_them = await desk.down.apply([hold(1)])
    assert (kept.outcome, all_of_them.outcome) == ("not_here", "applied")
    assert kept.at == all_of_them.at


async def test_one_fault_keeps_nothing_else_out(desk: Desk) -> None:
    """UP-9: what is refused is named; a hold behind it acts all the same."""
    wrong = tables(6, "work_orders:WO-9", {"work_orders": [{"work_order": "WO-9", "item": "NO",
                                                            "quantity": "1"}]})  # fmt: skip
    other = tables(7, "work_orders:WO-2", {"work_orders": [{"work_order": "WO-2", "item": "CHAIR",
                                                            "quantity": "1"}]})  # fmt: skip
    broken = document(8, "items:X", "tables", {"tables": 7})
    found = await desk.apply(*PLANT, wrong, other, broken, hold(9))
    assert sorted(found) == [(6, "refused"), (8, "refused"), (9, "applied")]
    assert {row["work_order"] for row in desk.rows("orders")} == {"WO-1", "WO-2"}
    assert [row["status"] for row in desk.rows("lots")] == ["hold"]
    mended = tables(10, "work_orders:WO-9", {"work_orders": [{"work_order": "WO-9",
                                             "item": "CHAIR", "quantity": "1"}]})  # fmt: skip
    again = tables(11, "items:X", {"items": [{"item": "X"}]})
    assert await desk.apply(mended, again) == [(11, "applied")]
    assert desk.rows("exceptions", open="yes") == []


async def test_a_hold_stops_a_mounted_lot_and_goes_upstream(desk: Desk) -> None:
    """UP-9, BF-16: held at the site, it is picked nowhere; released, it is again."""
    await desk.apply(*PLANT)
    desk.booking.book(desk.booking.request_for(b"LEG|L-1", device="test"))
    await desk.apply(hold(6))
    assert desk.booking.db.conn.execute("SELECT count(*) FROM mount").fetchone() == (0,)
    outcome = desk.booking.book(desk.booking.request_for(b"WO-1", device="test"))
    assert [each.kind for each in outcome.exceptions] == ["shortage"]
    (told,) = desk.rows("outbox", type="lot.status_changed")
    data = told["event"]["data"]
    assert (data["detail"]["status"], data["detail"]["down_version"]) == ("hold", 6)
    assert await desk.apply(hold(6)) == [(6, "applied")]
    assert len(desk.rows("outbox", type="lot.status_changed")) == 1
    await desk.apply(hold(7, "available"))
    desk.booking.heal_all()
    assert desk.rows("exceptions", open="yes") == []


async def test_a_lot_that_comes_later_is_on_hold_when_it_comes(desk: Desk) -> None:
    """UP-9: a hold is not forgotten because the lot is not here yet."""
    await desk.apply(*PLANT[:4], hold(5))
    await desk.apply(tables(6, "receipts:R-1", LEGS))
    assert [(row["lot"], row["status"]) for row in desk.rows("lots")] == [("L-1", "hold")]


async def test_a_hold_on_an_unknown_item_acts_when_the_item_comes(desk: Desk) -> None:
    """UP-9"""
    assert await desk.apply(hold(1)) == [(1, "not_here"), (1, "applied")]
    assert desk.rows("exceptions") == []
    moved = [msgspec.structs.replace(each, version=each.version + 1) for each in PLANT]
    assert await desk.apply(*moved) == [(1, "applied"), (6, "applied")]
    assert [(row["lot"], row["status"]) for row in desk.rows("lots")] == [("L-1", "hold")]


async def test_a_conflict_is_an_exception_until_it_has_ended(desk: Desk) -> None:
    """UP-9: what no station alone can see."""
    data = ConflictData(conflict=7, kind="serial_twice", sentence="S-1 was made twice")
    await desk.apply(document(1, "conflict:7", "conflict", data))
    await desk.apply(document(1, "conflict:7", "conflict", data))
    (told,) = desk.rows("exceptions", open="yes")
    assert (told["kind"], told["cause"]) == ("site_conflict", "S-1 was made twice")
    ended = ConflictData(conflict=7, kind="serial_twice", sentence="one was taken back")
    await desk.apply(document(2, "conflict:7", "conflict_ended", ended))
    assert desk.rows("exceptions", open="yes") == []


class Above:
    """A receiver that hands out documents; `faults` are what its next answers fail with."""

    def __init__(self, documents: Sequence[DownDocument], faults: Sequence[Exception] = ()) -> None:
        self.documents, self.faults = list(documents), list(faults)
        self.confirmed: list[Any] = []
        self.read = asyncio.Event()

    async def fetch(self, after: int, *, wait_s: float) -> list[DownDocument]:
        self.fail()
        found = [each for each in self.documents if each.version > after][:2]
        if not found:
            await asyncio.sleep(wait_s)
        return found

    async def confirm(self, confirmation: Any) -> None:
        self.fail()
        self.confirmed.append((confirmation.version, confirmation.outcome))

    async def stock(self) -> StockReading:
        self.fail()
        self.read.set()
        return StockReading(as_of="2026-11-20T13:00:00.000000Z", watermark=0, stock=[])

    async def exceptions(self) -> list[SiteException]:
        return []

    def fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


async def test_the_loop_fetches_page_by_page_and_confirms_once(desk: Desk) -> None:
    """UP-9: pages are applied together, so that an order finds its item on another page."""
    above = Above(PLANT)
    loop = InboundLoop(above, desk.down, chance=lambda: 0.0, clock=lambda: 0.0)
    assert await loop.step(wait_s=0) == 5
    assert above.confirmed == [(5, "applied")]
    assert await loop.step(wait_s=0) == 0
    assert desk.version() == 5


@pytest.mark.parametrize("fault", [TransportError("away"), RuntimeError("client closed")])
async def test_no_fault_of_a_connector_ends_what_comes_down(desk: Desk, fault: Exception) -> None:
    """UP-9: it is asked again, ever more slowly, like a receiver that is away."""
    above = Above(PLANT, [fault, fault])
    loop = InboundLoop(above, desk.down, chance=lambda: 0.0, clock=lambda: 0.0)
    running = asyncio.create_task(loop.run())
    reading = asyncio.create_task(above.read.wait())
    await asyncio.wait({running, reading}, return_when=asyncio.FIRST_COMPLETED)
    assert reading.done()
    running.cancel()
    assert (above.confirmed, desk.version()) == ([(5, "applied")], 5)


def reading(**quantities: str) -> StockReading:
    """What the receiver has of LEG, by lot."""
    return StockReading(
        as_of="2026-11-20T13:00:00.000000Z", watermark=0,
        stock=[
            UpstreamStock(item="LEG", lot=lot, serial=None, location="LINE", quantity=quantity,
                          uom="pcs")
            for lot, quantity in quantities.items()
        ],
    )  # fmt: skip


async def test_of_the_receivers_stock_only_what_changed_is_written(desk: Desk) -> None:
    """UP-9: it is read every minute, and a scan waits for the writing."""

    async def note(**quantities: str) -> tuple[int, dict[str | None, int]]:
        before = desk.booking.db.conn.total_changes
        await desk.down.note_stock(reading(**quantities))
        written = desk.booking.db.conn.total_changes - before
        return written, {key.lot: micro for key, micro in figures(desk.booking.db, None)}

    first = {f"L-{number}": "1" for number in range(50)}
    assert (await note(**first))[0] == 51
    written, kept = await note(**(first | {"L-7": "2.5"}))
    assert (written, kept["L-7"], len(kept)) == (2, 2_500_000, 50)
    del first["L-8"]
    written, kept = await note(**first, new="3")
    assert (written, kept["L-7"], kept["new"]) == (4, 1_000_000, 3_000_000)
    assert "L-8" not in kept


async def test_changes_that_were_found_before_another_reading_are_found_anew(desk: Desk) -> None:
    db = desk.booking.db
    changes = stock_changes(db, reading(A="1"))
    note_upstream_stock(db, reading(B="1"), now="2026-11-20T13:00:00.000000Z")
    note_upstream_stock(db, reading(A="1"), now="2026-11-20T13:00:01.000000Z", changes=changes)
    assert [key.lot for key, _ in figures(db, None)] == ["A"]


async def test_stock_that_cannot_be_read_is_a_fault_of_the_receiver(desk: Desk) -> None:
    with pytest.raises(TransportError, match="'many' is no number"):
        await desk.down.note_stock(reading(A="many"))


class Empty:
    """A receiver, and a station, for which there is never anything; it does not wait either."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(self, after: int, *, wait_s: float) -> list[DownDocument]:
        self.asked += 1
        return []

    async def stock(self) -> StockReading:
        return StockReading(as_of="2026-11-20T13:00:00.000000Z", watermark=0, stock=[])

    async def version(self) -> int:
        return 0

    async def note_stock(self, reading: StockReading) -> None:
        return None


def test_a_receiver_that_does_not_wait_is_not_asked_in_a_circle() -> None:
    """UP-9: half a second between two questions, whatever answers them."""

    async def minute() -> int:
        empty: Any = Empty()
        clock = asyncio.get_running_loop().time
        loop = InboundLoop(empty, empty, chance=lambda: 0.0, clock=clock)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(loop.run(), timeout=60.0)
        return int(empty.asked)

    assert virtual_time.run(minute()) in range(100, 130)


async def test_a_database_that_cannot_be_read_now_does_not_end_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-9"""

    def unreadable(*_: Any, **__: Any) -> None:
        raise SqliteError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(load_master_data, "stage", unreadable)
        with pytest.raises(StationError, match="disk I/O error"):
            await desk.apply(*PLANT)
    assert await desk.apply(*PLANT) == [(5, "applied")]
