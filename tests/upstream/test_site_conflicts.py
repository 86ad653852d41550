"""What no station alone can see (UP-9), on a real PostgreSQL: opened once, ended when untrue."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.site import queries
from mes_terminal.site.conflicts import end_conflict
from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.down import DownRoad
from mes_terminal.site.inbox import Inbox
from mes_terminal.site.tables_down import note_tables
from tests.upstream.posting_station import PostingStation, made, used
from tests.upstream.site_fixtures import conflicts, inbox, site

__all__ = ["inbox", "site"]

OTHER = "00000000000000bb"
THIRD = "00000000000000cc"


def order_100(site: SiteDatabase) -> None:
    """Send an order of 100 chairs down, as each night's tables do."""
    with site.transaction() as conn:
        note_tables(conn, [{"work_orders": [
            {"work_order": "WO-1", "item": "CHAIR", "quantity": "100"}
        ]}])  # fmt: skip


def chairs(station: PostingStation, quantity: str, *, back: str | None = None) -> bytes:
    """Return a report of chairs of that order, or what takes a report of them back."""
    actual = made("CHAIR", quantity, f"FG-{station.station}", lot="WO-1")
    if back is None:
        return station.report("WO-1", actual)
    return station.report("WO-1", actual, kind="report.reversed", reverses=back)


@pytest.fixture
def first() -> PostingStation:
    """A station."""
    return PostingStation("A")


@pytest.fixture
def second() -> PostingStation:
    """Another one."""
    return PostingStation("B", epoch=OTHER)


def test_one_serial_completed_at_two_stations(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-9: names both, and ends when one takes it back."""
    inbox.take([first.report("WO-1", made("BIKE", "1", "FG-A", serial="S-1"))])
    assert conflicts(site) == []
    inbox.take([second.report("WO-2", made("BIKE", "1", "FG-B", serial="S-1"))])
    inbox.take([second.report("WO-2", made("BIKE", "1", "FG-B", serial="S-2"))])
    assert conflicts(site) == [("serial_twice", "open", ["A", "B"])]
    with site.transaction() as conn:
        [row] = queries.conflicts(conn)
    assert row["postings"] == [f"{first.epoch}:000000000001", f"{OTHER}:000000000001"]
    assert (row["item"], row["serial"], row["quantity"]) == ("BIKE", "S-1", "2")
    inbox.take([
        second.report("WO-2", made("BIKE", "-1", "FG-B", serial="S-1"), kind="report.reversed",
                      reverses=second.report_id(1)),
    ])  # fmt: skip
    assert conflicts(site, only_open=False) == [("serial_twice", "ended", ["A", "B"])]


def test_two_stations_that_complete_one_serial_at_the_same_moment_are_seen(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-9: whoever commits second sees the first."""
    stations = [PostingStation(f"S{n}", epoch=f"{n:016x}") for n in range(6)]
    bodies = [
        each.report(
            f"WO-{each.station}",
            *(made("BIKE", "1", f"FG-{each.station}", serial=f"S-{n}") for n in range(5)),
        )
        for each in stations
    ]
    start = threading.Barrier(len(stations))

    def post(body: bytes) -> None:
        start.wait()
        inbox.take([body])

    with ThreadPoolExecutor(len(stations)) as pool:
        list(pool.map(post, bodies))
    names = [each.station for each in stations]
    assert conflicts(site) == [("serial_twice", "open", names)] * 5


def test_an_order_over_completed_in_total(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-9: against what was ordered and its tolerance; no station did it alone."""
    with site.transaction() as conn:
        note_tables(conn, [{
            "items": [{"item": "CHAIR", "uom": "pcs", "over_completion_pct": "5"}],
            "work_orders": [{"work_order": "WO-1", "item": "CHAIR", "quantity": "100"}],
        }])  # fmt: skip
    inbox.take([first.report("WO-1", made("CHAIR", "60", "FG-A", lot="WO-1"))])
    inbox.take([second.report("WO-1", made("CHAIR", "45", "FG-B", lot="WO-1"))])
    assert conflicts(site) == []
    inbox.take([second.report("WO-1", made("CHAIR", "1", "FG-B", lot="WO-1"))])
    assert conflicts(site) == [("order_over_completed", "open", ["A", "B"])]
    with site.transaction() as conn:
        [row] = queries.conflicts(conn)
        assert (row["work_order"], row["quantity"]) == ("WO-1", "6")
        note_tables(conn, [{"work_orders": [
            {"work_order": "WO-1", "item": "CHAIR", "quantity": "200", "due_at": ""}
        ]}])  # fmt: skip
    assert conflicts(site) == []


def test_an_order_over_completed_at_one_station_is_that_station_s_own_matter(
    site: SiteDatabase, inbox: Inbox, first: PostingStation
) -> None:
    """UP-9: the station has an exception of its own for it."""
    with site.transaction() as conn:
        note_tables(conn, [{"work_orders": [{"work_order": "WO-1", "item": "C", "quantity": "1"}]}])
    inbox.take([first.report("WO-1", made("C", "60", "FG-A", lot="WO-1"))])
    assert conflicts(site) == []


def test_a_lot_consumed_beyond_what_was_received(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-9: the sum over all stations is below zero; ends when the receipt comes."""
    inbox.take([
        first.received("LEG", "100", "A", lot="L-77"),
        first.report("WO-1", used("LEG", "80", "A", lot="L-77")),
    ])  # fmt: skip
    inbox.take([second.report("WO-2", used("LEG", "50", "B", lot="L-77"))])
    assert conflicts(site) == [("beyond_receipts", "open", ["A", "B"])]
    inbox.take([second.report("WO-2", used("LEG", "5", "B", lot="L-77"))])
    with site.transaction() as conn:
        [row] = queries.conflicts(conn)
        assert (row["lot"], row["quantity"]) == ("L-77", "35")
        changed = conn.execute("SELECT revision, sent_revision FROM conflict").fetchone()
    assert changed == (2, 0)
    inbox.take([second.received("LEG", "35", "B", lot="L-77")])
    assert conflicts(site) == []


def test_untracked_stock_below_zero_is_no_conflict(
    site: SiteDatabase, inbox: Inbox, first: PostingStation
) -> None:
    """UP-9: it may go negative at a station, too (BF-19)."""
    inbox.take([first.report("WO-1", used("BOLT", "5", "A"))])
    assert conflicts(site) == []


def test_a_location_written_by_two_stations(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-9: once; the table of locations says whose it is."""
    inbox.take([first.received("LEG", "1", "SHARED")])
    inbox.take([second.received("LEG", "1", "SHARED"), second.received("LEG", "1", "SHARED")])
    assert conflicts(site) == [("location_two_writers", "open", ["A", "B"])]


def test_a_location_of_another_station_in_the_table_of_locations(
    site: SiteDatabase, inbox: Inbox, first: PostingStation
) -> None:
    """UP-9."""
    with site.transaction() as conn:
        note_tables(conn, [{"locations": [{"location": "X", "kind": "store", "station": "B"}]}])
    inbox.take([first.received("LEG", "1", "X")])
    assert conflicts(site) == [("location_two_writers", "open", ["A"])]
    with site.transaction() as conn:
        note_tables(conn, [{"locations": [{"location": "X", "kind": "store", "station": "A"}]}])
    assert conflicts(site) == []


def test_two_databases_with_one_identity(
    site: SiteDatabase, inbox: Inbox, first: PostingStation
) -> None:
    """UP-2, UP-9: one conflict, however much the copy posts; a person ends it."""
    twin = PostingStation("A")
    for number in range(3):
        first.received("LEG", "1", "A", lot=f"L-{number}")
        twin.received("LEG", "9", "A", lot=f"L-{number}")
    inbox.take(first.bodies)
    for _ in range(2):
        assert {each.reason for each in inbox.take(twin.bodies)} == {"other_content"}
    assert conflicts(site) == [("same_identity", "open", ["A"])]
    with site.transaction() as conn:
        [row] = queries.conflicts(conn)
        assert end_conflict(conn, row["id"], person="Quinn", reason="copy shut down")
        assert not end_conflict(conn, row["id"], person="Quinn", reason="copy shut down")
    assert conflicts(site) == []


def test_postings_that_a_restored_backup_no_longer_has(
    site: SiteDatabase, inbox: Inbox, first: PostingStation
) -> None:
    """UP-1, UP-9: the new epoch begins below the old one's newest."""
    for number in range(5):
        first.received("LEG", "1", "A", lot=f"L-{number}")
    inbox.take(first.bodies)
    restored = PostingStation("A", epoch=OTHER, first=4)
    inbox.greet(restored.hello())
    inbox.greet(restored.hello())
    assert conflicts(site) == [("lost_postings", "open", ["A"])]
    with site.transaction() as conn:
        [row] = queries.conflicts(conn)
    assert row["postings"] == [f"{first.epoch}:000000000004", f"{first.epoch}:000000000005"]


def test_a_new_epoch_that_goes_on_where_the_old_one_ended_lost_nothing(
    site: SiteDatabase, inbox: Inbox, first: PostingStation
) -> None:
    """UP-1."""
    first.received("LEG", "1", "A")
    inbox.take(first.bodies)
    inbox.greet(PostingStation("A", epoch=OTHER, first=2).hello())
    assert conflicts(site) == []


def test_a_backup_restored_without_a_greeting_is_seen_by_its_first_posting(
    site: SiteDatabase, inbox: Inbox, first: PostingStation
) -> None:
    """UP-1: a folder of files greets nobody."""
    for number in range(5):
        first.received("LEG", "1", "A", lot=f"L-{number}")
    inbox.take(first.bodies)
    restored = PostingStation("A", epoch=OTHER, first=3)
    inbox.take([restored.received("LEG", "1", "A", lot="L-9")])
    assert conflicts(site) == [("lost_postings", "open", ["A"])]


def test_a_supervisor_at_any_station_ends_a_conflict_for_all(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-9: its exception was resolved there, and that was posted."""
    inbox.take([first.received("LEG", "1", "SHARED")])
    inbox.take([second.received("LEG", "1", "SHARED")])
    with site.transaction() as conn:
        [row] = queries.conflicts(conn)
    told = OpenedException(9, "site_conflict", None, None, None)
    inbox.take([second.resolved(f"conflict:{row['id']}", told)])
    assert conflicts(site) == []
    with site.transaction() as conn:
        [row] = queries.conflicts(conn, only_open=False)
    assert row["ended_by"] == "SO at B"


def test_what_one_life_of_a_database_made_and_the_next_took_back_is_not_there(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-1, UP-9: a restored station reverses reports of before; orders and serials know it."""
    order_100(site)
    made_before = first.report_id(1)
    inbox.take([first.report("WO-1", made("CHAIR", "10", "FG-A", lot="WO-1"),
                             made("BIKE", "1", "FG-A", serial="S-1"))])  # fmt: skip
    restored = PostingStation("A", epoch=THIRD, first=2)
    inbox.take([
        restored.report("WO-1", made("CHAIR", "-10", "FG-A", lot="WO-1"),
                        made("BIKE", "-1", "FG-A", serial="S-1"),
                        kind="report.reversed", reverses=made_before),
    ])  # fmt: skip
    inbox.take([chairs(second, "95")])
    inbox.take([second.report("WO-2", made("BIKE", "1", "FG-B", serial="S-1"))])
    assert conflicts(site) == []
    inbox.take([restored.report("WO-1", made("CHAIR", "6", "FG-A", lot="WO-1"),
                                made("BIKE", "1", "FG-A", serial="S-1"))])  # fmt: skip
    assert conflicts(site) == [
        ("order_over_completed", "open", ["A", "B"]), ("serial_twice", "open", ["A", "B"]),
    ]  # fmt: skip


def test_a_station_that_took_its_part_back_hears_of_the_end_too(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-9: its exception would stay open for ever."""
    order_100(site)
    third, road = PostingStation("C", epoch=THIRD), DownRoad(site)
    inbox.take([chairs(first, "60"), chairs(second, "50"), chairs(third, "50")])
    road.hand_down_conflicts()
    inbox.take([chairs(second, "-50", back=second.report_id(1))])
    road.hand_down_conflicts()
    assert [each.kind for each in road.fetch(second.source, 0, 9)] == ["conflict"]
    inbox.take([chairs(third, "-50", back=third.report_id(1))])
    road.hand_down_conflicts()
    for station in (first, second, third):
        assert [each.kind for each in road.fetch(station.source, 0, 9)] == ["conflict_ended"]


def test_what_a_person_has_ended_is_opened_again_only_when_it_is_worse(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-9: neither the next night's tables nor a report that mends half of it open it anew."""
    order_100(site)
    inbox.take([chairs(first, "60"), chairs(second, "50"), chairs(second, "4")])
    with site.transaction() as conn:
        [row] = queries.conflicts(conn)
        assert end_conflict(conn, row["id"], person="Quinn", reason="the customer takes them")
    order_100(site)
    inbox.take([chairs(second, "-4", back=second.report_id(2))])
    assert conflicts(site) == []
    inbox.take([chairs(first, "5")])
    assert conflicts(site) == [("order_over_completed", "open", ["A", "B"])]


def test_what_was_no_longer_so_and_is_so_again_is_another_conflict(
    site: SiteDatabase, inbox: Inbox, first: PostingStation, second: PostingStation
) -> None:
    """UP-9: a person ended what was then."""
    order_100(site)
    inbox.take([chairs(first, "60"), chairs(second, "50")])
    with site.transaction() as conn:
        [row] = queries.conflicts(conn)
        assert end_conflict(conn, row["id"], person="Quinn", reason="the customer takes them")
    inbox.take([chairs(second, "-50", back=second.report_id(1))])
    inbox.take([chairs(second, "45")])
    assert conflicts(site) == [("order_over_completed", "open", ["A", "B"])]
