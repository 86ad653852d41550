"""The road down at the site: by key, in order of version, confirmed by station (UP-9)."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.delivery import Confirmation, LotStatusData
from mes_terminal.domain.rules import StationRules
from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.down import DownRoad
from mes_terminal.site.inbox import Inbox
from mes_terminal.station.booking import Booking
from mes_terminal.station.inbound import DownDesk
from tests.upstream.posting_station import PostingStation, made, used

ONE, TWO = "urn:mes-terminal:P:1", "urn:mes-terminal:P:2"
AT = "2026-11-20T13:00:00.000000Z"


@pytest.fixture
def database(site_database: str) -> Iterator[SiteDatabase]:
    made = SiteDatabase(site_database)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def road(database: SiteDatabase) -> DownRoad:
    return DownRoad(database)


def items(*names: str, uom: str = "pcs") -> list[dict[str, list[dict[str, str]]]]:
    return [{"items": [{"item": name, "uom": uom}]} for name in names]


def keys(road: DownRoad, source: str | None = ONE, after: int = 0) -> list[tuple[int, str]]:
    return [(each.version, each.key) for each in road.fetch(source, after, 1000)]


def test_a_later_document_takes_the_place_of_the_one_before(road: DownRoad) -> None:
    """UP-9: who was away gets each thing once, as it stands now."""
    assert road.publish_tables(items("LEG", "PAD")) == 2
    assert road.publish_tables(items("LEG", uom="m")) == 3
    assert keys(road) == [(2, "items:PAD"), (3, "items:LEG")]
    assert keys(road, after=2) == [(3, "items:LEG")]


def test_what_is_there_already_is_not_sent_again(road: DownRoad) -> None:
    """A nightly export of 100,000 rows brings down what changed."""
    road.publish_tables(items("LEG", "PAD"))
    assert road.publish_tables(items("LEG", "PAD")) == 2
    assert keys(road) == [(1, "items:LEG"), (2, "items:PAD")]


def test_a_document_for_one_station_is_not_handed_to_another(road: DownRoad) -> None:
    road.publish_tables(items("LEG"), stations=[TWO])
    assert keys(road, ONE) == []
    assert keys(road, TWO) == keys(road, None) == [(1, "items:LEG")]


def test_a_hold_names_who_has_confirmed_it_and_who_cannot_be_reached(
    road: DownRoad, database: SiteDatabase
) -> None:
    """UP-9: the answer says which stations have confirmed it."""
    keys(road, ONE)
    keys(road, TWO)
    with database.transaction() as conn:
        conn.execute(
            "UPDATE down_confirmed SET asked_at = now() - interval '1 hour' WHERE source = %s",
            [TWO],
        )
    version = road.hold(LotStatusData(item="PAINT", lot="P-7", status="hold", person="Quinn"))
    assert [(each.source, each.state) for each in road.reached(version)] == [
        (ONE, "waiting"), (TWO, "out_of_reach")
    ]  # fmt: skip
    road.confirm(Confirmation(source=ONE, version=version, at=AT))
    (one, two) = road.reached(version)
    assert (one.state, one.at, two.state) == ("applied", AT, "out_of_reach")
    road.confirm(
        Confirmation(source=TWO, version=version, at=AT, outcome="not_here", sentence="no PAINT")
    )
    assert ("not_here", "no PAINT") in [(e.state, e.sentence) for e in road.reached(version)]
    again = road.hold(LotStatusData(item="PAINT", lot="P-7", status="hold", person="Quinn"))
    assert again > version, "said again, it is confirmed again"


def test_a_serial_is_held_whatever_lot_it_is_of(road: DownRoad, database: SiteDatabase) -> None:
    """UP-4, UP-9: stations hold it so; what one that was away used of it later is refused."""
    station, inbox = PostingStation(), Inbox(database)
    inbox.take([station.report("WO-1", made("BIKE", "1", "FG", serial="S-1", lot="L-1"))])
    held = LotStatusData(item="BIKE", lot=None, serial="S-1", status="hold", person="Quinn")
    road.hold(held)
    later = "2099-01-01T00:00:00.000000Z"
    body = station.report("WO-2", used("BIKE", "1", "FG", serial="S-1", lot="L-1"), at=later)
    assert [each.reason for each in inbox.take([body])] == ["lot_blocked"]
    road.hold(msgspec.structs.replace(held, status="available"))
    assert [each.outcome for each in inbox.take([body])] == ["accepted"]


def test_what_was_refused_is_so_until_it_is_applied(road: DownRoad) -> None:
    version = road.publish_tables(items("LEG"))
    road.confirm(Confirmation(source=ONE, version=1, at=AT, outcome="refused", sentence="no unit"))
    road.confirm(Confirmation(source=ONE, version=version, at=AT))
    assert [each.state for each in road.reached(version)] == ["refused"]
    later = "2026-11-20T13:00:01.000000Z"
    road.confirm(Confirmation(source=ONE, version=version, at=later))
    assert [each.state for each in road.reached(version)] == ["applied"]


async def test_a_hold_that_a_station_has_no_item_for_is_not_told_as_applied(
    road: DownRoad, tmp_path: Path
) -> None:
    """UP-9: what a station says of a hold that came alone, as the site understands it."""
    booking = Booking(tmp_path / "station.db", StationRules())

    async def do(work: Callable[[Booking], Any]) -> Any:
        return work(booking)

    desk = DownDesk(tmp_path / "station.db", booking.rules, do, asyncio.Lock(), ONE)
    keys(road, ONE)
    version = road.hold(LotStatusData(item="PAINT", lot="P-7", status="hold", person="Quinn"))
    for confirmation in await desk.apply(road.fetch(ONE, 0, 1000)):
        road.confirm(confirmation)
    booking.close()
    assert [(each.source, each.state) for each in road.reached(version)] == [(ONE, "not_here")]


def test_versions_never_become_visible_out_of_order(road: DownRoad) -> None:
    """UP-9: a station that has seen version 9 has nothing below it still to come."""
    stopping = threading.Event()
    gaps = []

    def look() -> None:
        seen = 0
        while not stopping.is_set():
            found = [version for version, _ in keys(road, None, after=seen)]
            if found and found != list(range(seen + 1, seen + 1 + len(found))):
                gaps.append((seen, found))
            seen = found[-1] if found else seen

    watcher = threading.Thread(target=look)
    watcher.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: road.publish_tables(items(f"A-{n}", f"B-{n}")), range(60)))
    stopping.set()
    watcher.join()
    assert not gaps
    assert [version for version, _ in keys(road, None)] == list(range(1, 121))


def test_a_database_made_anew_gives_its_documents_versions_above_those_of_the_stations(
    road: DownRoad, database: SiteDatabase
) -> None:
    """UP-9: a hold would be taken for old by every station that was there before."""
    road.publish_tables(items("LEG", "PAD"))
    assert keys(road, ONE, after=2) == []
    assert keys(road, ONE, after=500) == [(501, "items:LEG"), (502, "items:PAD")]
    assert keys(road, TWO, after=300) == [(501, "items:LEG"), (502, "items:PAD")]
    assert keys(road, ONE, after=502) == []
    version = road.hold(LotStatusData(item="LEG", lot="L-7", status="hold", person="Quinn"))
    assert version == 503
    road.confirm(Confirmation(source=ONE, version=version, at=AT))
    assert [(each.source, each.state) for each in road.reached(version)] == [
        (ONE, "applied"), (TWO, "waiting"),
    ]  # fmt: skip
    keys(road, ONE, after=10**17)
    assert keys(road, TWO, after=502) == [(503, "lot_status:LEG:L-7:")], "nobody has that many"


def test_a_greeting_tells_too_that_the_database_was_made_anew(
    road: DownRoad, database: SiteDatabase
) -> None:
    """UP-9: over NATS nobody else says it; what was conflict 1 before is not the first one now."""
    road.publish_tables(items("LEG"))
    station = PostingStation()
    Inbox(database).greet(station.hello(down_version=500))
    assert keys(road, None) == [(501, "items:LEG")]
    with database.transaction() as conn:
        conn.execute(
            "INSERT INTO conflict (kind, subject, sentence, stations)"
            " VALUES ('serial_twice', 'S-1', '', '{}')"
        )
        row = conn.execute("SELECT conflict_id FROM conflict").fetchone()
    assert row is not None
    assert row[0] > 10**7


async def test_a_change_is_told_at_once(road: DownRoad) -> None:
    stopping = threading.Event()
    listener = threading.Thread(target=road.listen, args=[stopping])
    listener.start()
    try:
        for number in range(3):
            changed = road.changed()
            await asyncio.to_thread(road.publish_tables, items(f"I-{number}"))
            await asyncio.wait_for(changed, 5)
    finally:
        stopping.set()
        listener.join()


def test_conflicts_go_down_when_they_open_and_when_they_end(
    road: DownRoad, database: SiteDatabase
) -> None:
    with database.transaction() as conn:
        conn.execute(
            """
            INSERT INTO conflict (kind, subject, sentence, serial, stations, postings)
            VALUES ('serial_twice', 'S-1', 'S-1 was made twice', 'S-1', %s, '{a,b}')
            """,
            [[ONE]],
        )
    assert road.hand_down_conflicts() == 1
    assert road.hand_down_conflicts() == 0
    (told,) = road.fetch(ONE, 0, 9)
    assert (told.kind, told.key) == ("conflict", "conflict:1")
    assert msgspec.json.decode(told.data)["postings"] == ["a", "b"]
    with database.transaction() as conn:
        conn.execute("UPDATE conflict SET state = 'ended', revision = revision + 1")
    road.hand_down_conflicts()
    assert [(e.version, e.kind) for e in road.fetch(ONE, 0, 9)] == [(2, "conflict_ended")]
