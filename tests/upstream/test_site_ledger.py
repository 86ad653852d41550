"""A real shift through the site's inbox: whatever the road does, the site has what the station has.

The postings are those of scans in a real station; the road repeats, reorders across lanes, loses
answers, and the site's transactions break off in their midst.
"""

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import NamedTuple

import psycopg
import pytest

from mes_terminal.domain.quantity import format_quantity, parse_quantity
from mes_terminal.site import genealogy, ledger, queries
from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.inbox import Inbox, SiteBusyError
from mes_terminal.site.reading import Posting, read_posting
from tests.model.long_shift import plant_of_shift, scanlog
from tests.model.shift import Shift
from tests.plants import MORNING, Station, memory_folder
from tests.property.test_shift_replay import RULES, frames_of
from tests.upstream.site_fixtures import balances, inbox, site

__all__ = ["inbox", "site"]

SCANS = 700

_OWN = """
    SELECT i.item, l.lot, l.serial, p.location, sum(b.quantity_micro)
      FROM balance b JOIN lot l USING (lot_id) JOIN item i ON i.item_id = l.item_id
      JOIN location p USING (location_id)
     WHERE p.kind NOT IN ('scrap', 'virtual')
     GROUP BY 1, 2, 3, 4 HAVING sum(b.quantity_micro) <> 0
"""
_MADE_OF = """
    SELECT ci.item, c.lot, c.serial, pi.item, p.lot, p.serial
      FROM edge e
      JOIN lot c ON c.lot_id = e.child_id JOIN item ci ON ci.item_id = c.item_id
      JOIN lot p ON p.lot_id = e.parent_id JOIN item pi ON pi.item_id = p.item_id
     WHERE c.work_order_id = 0 AND (p.lot <> '' OR p.serial <> '')
       AND (c.lot <> '' OR c.serial <> '')
     GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(e.quantity_micro) > 0
"""


class Played(NamedTuple):
    """A shift that was played, and what it posted."""

    station: Station
    bodies: list[bytes]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """A shift of mixed scans."""
    with memory_folder() as folder:
        shift = Shift(folder, plant_of_shift(), RULES)
        for frame in frames_of(scanlog("a site", SCANS)):
            shift.station.clock = MORNING + timedelta(seconds=frame.at_s)
            shift.station.journal(frame.raw)
            shift.station.recover()
            shift.station.heal()
        rows = shift.station.db.conn.execute(
            "SELECT body FROM event WHERE outbox_seq IS NOT NULL ORDER BY outbox_seq"
        )
        yield Played(shift.station, [body.encode() for (body,) in rows])
        shift.station.db.close()


def deliver(inbox: Inbox, bodies: list[bytes], chance: Random) -> int:
    """Bring everything by a bad road that keeps each lane's order; return how often it failed."""
    lanes: dict[str, deque[bytes]] = {}
    for body in bodies:
        reading = read_posting(body)
        assert isinstance(reading, Posting)
        lanes.setdefault(reading.lane, deque()).append(body)
    done: list[bytes] = []
    failed = 0
    while lanes:
        batch: list[bytes] = []
        for lane in chance.sample(sorted(lanes), min(len(lanes), chance.randint(1, 30))):
            batch += list(lanes[lane])[: chance.randint(1, 40)]
        if done and chance.random() < 0.3:
            batch += chance.sample(done, min(len(done), 20))
        try:
            answers = inbox.take(batch)
        except SiteBusyError:
            failed += 1
            continue
        assert {each.outcome for each in answers} == {"accepted"}
        if chance.random() < 0.2:
            continue  # nobody heard the answers
        taken = set(batch)
        done += batch
        for lane in [lane for lane in lanes if lanes[lane][0] in taken]:
            while lanes[lane] and lanes[lane][0] in taken:
                lanes[lane].popleft()
            if not lanes[lane]:
                del lanes[lane]
    return failed


@pytest.mark.parametrize("seed", range(2))
def test_the_site_has_the_station_s_stock_and_orders_whatever_the_road_does(
    site: SiteDatabase, inbox: Inbox, played: Played, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """UP-2, UP-3, UP-5: exactly once; nothing half."""
    chance = Random(seed)
    write_rows = ledger.write_rows

    def break_off(*given: object) -> object:
        written = write_rows(*given)  # type: ignore[arg-type]
        if chance.random() < 0.25:
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return written

    monkeypatch.setattr(ledger, "write_rows", break_off)
    assert deliver(inbox, played.bodies, chance) > 0
    monkeypatch.undo()
    station = played.station
    own = {
        (item, lot or None, serial or None, location): format_quantity(micro)
        for item, lot, serial, location, micro in station.db.conn.execute(_OWN)
    }
    assert len(own) > 100
    assert balances(site) == own, "and nothing of scrap"
    with site.transaction() as conn:
        assert queries.stations(conn)[0]["watermark"] == len(played.bodies)
        told = {row["work_order"]: row for row in queries.orders(conn)}
        made = 0
        for order in station.rows("orders"):
            row = told.get(order["work_order"])
            if row is not None:
                made += 1
                assert (row["completed"], row["scrapped"]) == (
                    order["completed"], order["scrapped"],
                ), order  # fmt: skip
                assert (row["status"] == "closed") == (order["status"] == "closed"), order
        assert made > 10


def test_the_site_knows_what_everything_is_made_of_and_what_is_open(
    site: SiteDatabase, inbox: Inbox, played: Played
) -> None:
    """BF-37, BF-20: each link of the station is found at the site, and each open exception."""
    inbox.take(played.bodies)
    station = played.station
    links: dict[tuple[str, str, str], set[tuple[str, str, str]]] = {}
    for row in station.db.conn.execute(_MADE_OF):
        links.setdefault(tuple(row[:3]), set()).add(tuple(row[3:]))
    assert len(links) > 20
    with site.transaction() as conn:
        for (item, lot, serial), parents in links.items():
            trace = genealogy.trace(conn, item, lot=lot, serial=serial, forward=False)
            found = {(each.item, each.lot or "", each.serial or "") for each in trace.nodes}
            assert parents <= found, (item, lot, serial)
        open_here = {
            row["id"]: (row["kind"], row["work_order"], row["line"], row["quantity"])
            for row in queries.exceptions(conn)
        }
    own = {
        row["id"]: (row["kind"], row["work_order"], row["line"], row["quantity"])
        for row in station.rows("exceptions", open="yes")
    }
    assert {"shortage", "unknown_code"} <= {kind for kind, *_ in own.values()}
    assert open_here.keys() == own.keys()
    for number, told in open_here.items():
        assert told in (own[number], (*own[number][:3], None)), "or it tells no quantity"


def test_a_recall_says_where_all_of_a_lot_is(
    site: SiteDatabase, inbox: Inbox, played: Played
) -> None:
    """BF-37: what came in is what went out and what is on hand."""
    inbox.take(played.bodies)
    with site.transaction() as conn:
        found = genealogy.recall(conn, "LEG", lot="L-77")
    mass = {name: parse_quantity(text) for name, text in found["mass_balance"].items()}
    assert mass["received"] > 0
    assert mass["on_hand"] == (
        mass["received"] + mass["produced"] + mass["adjusted"] - mass["consumed"]
        - mass["scrapped"]
    )  # fmt: skip
    assert sum(parse_quantity(each["quantity"]) for each in found["on_hand"]) == mass["on_hand"]
    assert any(each["item"] == "CHAIR-4" for each in found["affected"])
