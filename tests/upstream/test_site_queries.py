"""What the site tells of all stations: exceptions, orders that came down, stations, stock."""

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.site import queries
from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.inbox import Inbox
from mes_terminal.site.stock import Stock
from mes_terminal.site.tables_down import note_tables
from tests.upstream.posting_station import PostingStation, made, used
from tests.upstream.site_fixtures import inbox, outcomes, site

__all__ = ["inbox", "site"]

LATER = "2099-01-01T00:00:00.000000Z"


def test_an_exception_that_no_report_carries_ends_though_its_number_comes_late(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """BF-23: the oldest of its kind at that station is the one that ended."""
    station, other = PostingStation("A"), PostingStation("B", epoch="00000000000000bb")
    bodies = [
        station.opened("unknown_code", code="4711", hex="34373131"),
        station.opened("unknown_code", code="4712", hex="34373132"),
        other.opened("unknown_code", code="4713", hex="34373133"),
        station.resolved("unknown_code", OpenedException(5, "unknown_code", None, None, "-1")),
    ]
    inbox.take(bodies)
    with site.transaction() as conn:
        told = [(row["station"], row["cause"]) for row in queries.exceptions(conn)]
        every = queries.exceptions(conn, only_open=False)
    assert told == [("A", "4712"), ("B", "4713")]
    assert [(row["id"], row["status"]) for row in every] == [
        (5, "resolved"), (None, "open"), (None, "open"),
    ]  # fmt: skip


def test_the_end_of_an_exception_may_come_before_its_opening(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-3: lanes overtake each other; what is open is a sum."""
    station = PostingStation()
    short = OpenedException(7, "shortage", "10", "LEG", "12")
    opened = station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"), exceptions=[short])
    ended = station.resolved("WO-1", OpenedException(7, "shortage", "10", "LEG", "-12"))
    inbox.take([ended])
    inbox.take([opened])
    with site.transaction() as conn:
        assert queries.exceptions(conn) == []
        [row] = queries.exceptions(conn, only_open=False)
    assert (row["id"], row["quantity"], row["opened_at"] is None) == (7, "0", False)


def test_what_no_report_carries_may_end_before_it_opens_too(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-3, UP-9: both tell its number; another one of its kind stays open."""
    station = PostingStation()
    first = station.opened("lot_on_hold", exception_id=3, line="10", item="LEG", quantity="4")
    second = station.opened("lot_on_hold", exception_id=4, line="20", item="LEG", quantity="5")
    ended = station.resolved("WO-1", OpenedException(4, "lot_on_hold", "20", "LEG", "-5"))
    inbox.take([ended])
    inbox.take([second, first])
    with site.transaction() as conn:
        [row] = queries.exceptions(conn)
    assert (row["id"], row["line"], row["quantity"]) == (3, "10", "4")


def test_an_order_that_comes_down_cancelled_takes_no_reports_until_it_comes_released(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-4, UP-9."""
    order = {"work_order": "WO-1", "item": "CHAIR", "quantity": "10", "status": "cancelled"}
    with site.transaction() as conn:
        note_tables(conn, [{"work_orders": [order]}])
    station = PostingStation()
    body = station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"), at=LATER)
    assert outcomes(inbox.take([body])) == [("refused", "order_closed", False)]
    with site.transaction() as conn:
        [row] = queries.orders(conn)
        assert (row["status"], row["quantity"], row["remaining"]) == ("cancelled", "10", "10")
        [refused] = queries.refused(conn)
        assert (refused["sequence"], refused["reason"]) == (1, "order_closed")
        note_tables(conn, [{"work_orders": [order | {"status": "released"}]}])
    assert outcomes(inbox.take([body])) == [("accepted", None, False)]


def test_cells_that_are_no_values_are_left_out(site: SiteDatabase) -> None:
    """UP-9: the stations judge the tables, the site's own notes must not fail for them."""
    with site.transaction() as conn:
        note_tables(conn, [{
            "items": [{"item": "CHAIR", "over_completion_pct": "many"}, {"item": "X\0"}, {}],
            "work_orders": [{"work_order": "WO-1", "quantity": "-", "due_at": "soon"}],
            "unheard_of": [{"a": "b"}],
        }])  # fmt: skip
        [row] = queries.orders(conn)
    assert (row["work_order"], row["quantity"], row["due_at"]) == ("WO-1", None, None)


def test_a_closing_report_that_is_taken_back_opens_its_order(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """BF-31: in one batch, and in two."""
    station = PostingStation()
    final = station.report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"), final=True)
    back = [
        station.report("WO-1", made("CHAIR", "-1", "FG", lot="WO-1"), kind="report.reversed",
                       reverses=station.report_id(1))
        for _ in range(2)
    ]  # fmt: skip
    inbox.take([final])
    with site.transaction() as conn:
        assert queries.orders(conn)[0]["status"] == "closed"
    inbox.take(back[:1])
    inbox.take(back[1:])
    station.report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"), final=True)
    station.report("WO-1", made("CHAIR", "-2", "FG", lot="WO-1"), kind="report.reversed",
                   reverses=station.report_id(4))  # fmt: skip
    with site.transaction() as conn:
        assert queries.orders(conn)[0]["status"] == "started"
    inbox.take(station.bodies[3:])
    with site.transaction() as conn:
        [row] = queries.orders(conn)
    assert (row["status"], row["completed"]) == ("started", "0")


def test_a_station_reads_the_stock_where_it_works(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-9: of its own locations, everything; of others nothing."""
    station, other = PostingStation("A"), PostingStation("B", epoch="00000000000000bb")
    inbox.take([
        station.received("LEG", "10", "A", lot="L-1"),
        station.report("WO-1", used("LEG", "10", "A", lot="L-1"), made("CHAIR", "2", "FG-A")),
        other.received("LEG", "7", "B", lot="L-2"),
    ])  # fmt: skip
    reading = Stock(site).reading(station.source)
    assert [(each.item, each.location, each.quantity) for each in reading.stock] == [
        ("CHAIR", "FG-A", "2")
    ]
    assert reading.watermark == 2
    assert Stock(site).reading("urn:mes-terminal:PLANT:NOBODY").stock == []


def test_the_stations_with_what_is_missing_of_them(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-5."""
    station = PostingStation("A")
    for number in range(4):
        station.received("LEG", "1", "A", lot=f"L-{number}")
    inbox.greet(station.hello())
    inbox.take([station.bodies[0], station.bodies[2]])
    with site.transaction() as conn:
        [row] = queries.stations(conn)
    assert (row["watermark"], row["highest"], row["missing"], row["behind"]) == (1, 3, [[2, 2]], 3)


def test_postings_of_an_older_epoch_that_still_come_leave_the_newer_one_in_charge(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-1: what was queued before a restore keeps the epoch in its bytes."""
    old, new = PostingStation("A"), PostingStation("A", epoch="00000000000000bb", first=3)
    old.received("LEG", "1", "A", lot="L-1")
    old.received("LEG", "1", "A", lot="L-2")
    inbox.take(old.bodies[:1])
    inbox.take([new.received("LEG", "1", "A", lot="L-3")])
    inbox.take(old.bodies[1:])
    with site.transaction() as conn:
        [row] = queries.stations(conn)
    assert (row["epoch"], row["watermark"]) == (new.epoch, 3)
