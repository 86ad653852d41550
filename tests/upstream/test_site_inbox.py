"""The site's inbox on a real PostgreSQL: each posting once, whatever comes (UP-2, UP-5, UP-8)."""

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import msgspec
import psycopg
import pytest

from mes_terminal.errors import DatabaseError
from mes_terminal.site import control, queries, serve
from mes_terminal.site.database import SiteDatabase, migrations
from mes_terminal.site.inbox import Inbox, SiteBusyError
from tests.upstream.posting_station import AT, PostingStation, made, used
from tests.upstream.servers import Postgres, Server
from tests.upstream.site_fixtures import balances, inbox, outcomes, site

__all__ = ["inbox", "site"]

LATER = "2099-01-01T00:00:00.000000Z"


def count(site: SiteDatabase, statement: str) -> int:
    """Return the figure that a statement gives."""
    with site.transaction() as conn:
        row = conn.execute(statement).fetchone()
        assert row is not None
        return int(row[0])


def test_a_batch_is_answered_in_order_and_has_its_effect(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-2, UP-8: accepted, with the receiver's number."""
    station = PostingStation()
    station.received("LEG", "400", "LINE", lot="L-77")
    station.report("WO-1", made("CHAIR", "100", "FG", lot="WO-1"),
                   used("LEG", "390", "LINE", lot="L-77"), final=True)  # fmt: skip
    answers = inbox.take(station.bodies)
    assert [each.sequence for each in answers] == [1, 2]
    assert outcomes(answers) == [("accepted", None, False)] * 2
    assert len({each.document for each in answers}) == 2
    assert balances(site) == {
        ("CHAIR", "WO-1", None, "FG"): "100",
        ("LEG", "L-77", None, "LINE"): "10",
    }


def test_a_repeat_gets_the_stored_answer_and_has_no_second_effect(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-2."""
    station = PostingStation()
    station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))
    station.report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"))
    first = inbox.take(station.bodies)
    again = inbox.take([*station.bodies, station.bodies[0]])
    assert [each.document for each in again] == [each.document for each in [*first, first[0]]]
    assert outcomes(again) == [("accepted", None, True)] * 3
    assert balances(site) == {("CHAIR", "WO-1", None, "FG"): "3"}


def test_twice_in_one_batch_is_once(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-2."""
    station = PostingStation()
    body = station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))
    assert outcomes(inbox.take([body, body, body])) == [
        ("accepted", None, False), ("accepted", None, True), ("accepted", None, True),
    ]  # fmt: skip
    assert balances(site) == {("CHAIR", "WO-1", None, "FG"): "1"}


def test_other_content_under_a_known_key_is_refused_and_raised_and_changes_nothing(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-2: never overwritten."""
    station, twin = PostingStation(), PostingStation()
    body = station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))
    other = twin.report("WO-1", made("CHAIR", "9", "FG", lot="WO-1"))
    inbox.take([body])
    assert outcomes(inbox.take([other])) == [("refused", "other_content", False)]
    assert outcomes(inbox.take([other, body])) == [
        ("refused", "other_content", False),
        ("accepted", None, True),
    ]
    assert balances(site) == {("CHAIR", "WO-1", None, "FG"): "1"}
    with site.transaction() as conn:
        assert [row["kind"] for row in queries.conflicts(conn)] == ["same_identity"]
        stored = conn.execute("SELECT hash, body FROM posting").fetchall()
    assert stored == [(hashlib.sha256(body).digest(), body)]


def test_a_refused_posting_advances_the_watermark_and_parks_its_lane_only(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-2, UP-3: later ones of its order are deferred and not stored."""
    station = PostingStation()
    inbox.take([station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))])
    with site.transaction() as conn:
        control.close_order(conn, "WO-1", person="Quinn")
    late = station.report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"), at=LATER)
    behind = station.report("WO-1", made("CHAIR", "3", "FG", lot="WO-1"), at=LATER)
    other = station.report("WO-2", made("CHAIR", "4", "FG", lot="WO-2"), at=LATER)
    answers = inbox.take([late, behind, other])
    assert outcomes(answers) == [
        ("refused", "order_closed", False), ("deferred", None, False), ("accepted", None, False),
    ]  # fmt: skip
    greeting = inbox.standing(station.source, station.epoch)
    assert (greeting.watermark, greeting.highest, greeting.missing) == (2, 4, [(3, 3)])
    assert count(site, "SELECT count(*) FROM posting") == 3


def test_a_long_batch_is_parted_and_keeps_its_lanes_behind_what_was_refused(
    site: SiteDatabase, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-3: the transactions of one call know of each other."""
    monkeypatch.setattr("mes_terminal.site.inbox.BATCH_MAX", 2)
    station = PostingStation()
    inbox.take([station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))])
    with site.transaction() as conn:
        control.close_order(conn, "WO-1", person="Quinn")
    bodies = [
        station.report(order, made("CHAIR", "1", "FG", lot=order), at=LATER)
        for order in ("WO-2", "WO-1", "WO-3", "WO-1", "WO-2")
    ]
    assert [each.outcome for each in inbox.take(bodies)] == [
        "accepted", "refused", "accepted", "deferred", "accepted",
    ]  # fmt: skip


def test_a_refused_posting_is_judged_again_when_it_comes_again(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-2: mended above, it is accepted with the same key, once."""
    station = PostingStation()
    inbox.take([station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))])
    with site.transaction() as conn:
        control.close_order(conn, "WO-1", person="Quinn")
    late = station.report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"), at=LATER)
    assert outcomes(inbox.take([late, late])) == [
        ("refused", "order_closed", False),
        ("refused", "order_closed", True),
    ]
    with site.transaction() as conn:
        control.open_order(conn, "WO-1")
    assert outcomes(inbox.take([late])) == [("accepted", None, False)]
    assert outcomes(inbox.take([late])) == [("accepted", None, True)]
    assert balances(site) == {("CHAIR", "WO-1", None, "FG"): "3"}
    assert inbox.standing(station.source, station.epoch).watermark == 2


def test_asking_judges_what_stands_refused_again_and_names_what_is_unknown(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-2, UP-7: over a broker a message names the key."""
    station = PostingStation()
    inbox.take([station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))])
    with site.transaction() as conn:
        control.close_order(conn, "WO-1", person="Quinn")
    inbox.take([station.report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"), at=LATER)])
    answers, unknown = inbox.ask(station.source, station.epoch, [1, 2, 3])
    assert outcomes(answers) == [("accepted", None, True), ("refused", "order_closed", False)]
    assert unknown == [3]
    with site.transaction() as conn:
        control.open_order(conn, "WO-1")
    answers, _ = inbox.ask(station.source, station.epoch, [2])
    assert outcomes(answers) == [("accepted", None, False)]
    assert inbox.ask("urn:mes-terminal:PLANT:NOBODY", station.epoch, [1]) == ([], [1])


def test_the_reversal_of_a_refused_report_ends_it_for_good(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-2: accepted without effect; the refused one is never judged again."""
    station = PostingStation()
    inbox.take([station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))])
    with site.transaction() as conn:
        control.close_order(conn, "WO-1", person="Quinn")
    late = station.report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"), at=LATER)
    part = station.report("WO-1", made("CHAIR", "-1", "FG", lot="WO-1"), at=LATER,
                          kind="report.reversed", reverses=station.report_id(2))  # fmt: skip
    whole = station.report("WO-1", made("CHAIR", "-2", "FG", lot="WO-1"), at=LATER,
                           kind="report.reversed", reverses=station.report_id(2))  # fmt: skip
    assert outcomes(inbox.take([late])) == [("refused", "order_closed", False)]
    assert outcomes(inbox.take([part])) == [("refused", "part_of_refused", False)]
    assert outcomes(inbox.take([whole])) == [("accepted", None, False)]
    with site.transaction() as conn:
        control.open_order(conn, "WO-1")
    assert outcomes(inbox.take([late])) == [("refused", "order_closed", True)]
    assert balances(site) == {("CHAIR", "WO-1", None, "FG"): "1"}


def test_a_closed_period_takes_nothing_that_happened_in_it(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-4."""
    from datetime import UTC, datetime

    with site.transaction() as conn:
        control.close_period(conn, datetime(2026, 11, 20, tzinfo=UTC), person="Quinn")
    station = PostingStation()
    early = station.received("LEG", "1", "LINE", at="2026-11-19T23:59:59.999999Z")
    late = station.received("BOARD", "1", "LINE", at="2026-11-20T00:00:00.000000Z")
    assert outcomes(inbox.take([early, late])) == [
        ("refused", "period_closed", False),
        ("accepted", None, False),
    ]


def test_what_was_used_of_a_lot_on_hold_is_refused(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-4: what was used before it was held, is taken."""
    station = PostingStation()
    inbox.take([station.received("LEG", "10", "LINE", lot="L-77")])
    with site.transaction() as conn:
        conn.execute(
            "UPDATE material SET status = 'hold', status_since = '2026-11-20T12:00:00Z'"
            " WHERE lot = 'L-77'"
        )
    before = station.report("WO-1", used("LEG", "1", "LINE", lot="L-77"),
                            at="2026-11-20T11:00:00.000000Z")  # fmt: skip
    after = station.report("WO-1", used("LEG", "1", "LINE", lot="L-77"))
    assert outcomes(inbox.take([before, after])) == [
        ("accepted", None, False),
        ("refused", "lot_blocked", False),
    ]


def _other(body: bytes, **changes: Any) -> bytes:
    event = msgspec.json.decode(body)
    return msgspec.json.encode(event | changes)


def _with_data(body: bytes, **changes: Any) -> bytes:
    event = msgspec.json.decode(body)
    data = msgspec.json.encode(event["data"] | changes)
    event["datahash"] = hashlib.sha256(data).hexdigest()
    return msgspec.json.encode(event | {"data": msgspec.Raw(data)})


POISON: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("another type", lambda body: _other(body, type="io.mes-terminal.unheard.of.v1")),
    ("a foreign type", lambda body: _other(body, type="com.example.thing")),
    ("another version of CloudEvents", lambda body: _other(body, specversion="0.3")),
    ("data of another hash", lambda body: _other(body, datahash="0" * 64)),
    ("another id", lambda body: _other(body, id="nobody")),
    ("no data", lambda body: _other(body, data=None)),
    ("a NUL in a name", lambda body: _with_data(body, work_order="WO\0-1")),
    ("a name without end", lambda body: _with_data(body, work_order="W" * 100_000)),
    ("a day that is none", lambda body: _with_data(body, event_time=AT.replace("11-20", "02-31"))),
    ("a year beyond", lambda body: _with_data(body, event_time="0000-01-01T00:00:00.000000Z")),
    ("a quantity that is none", lambda body: _with_data(body, scrapped_quantity="1e400")),
    ("a quantity beyond 64 bits", lambda body: _with_data(body, scrapped_quantity="9" * 19)),
    ("a use of no meaning", lambda body: _with_data(body, material_actuals=[
        {"use": "Eaten", "item": "A", "lot": None, "serial": None, "quantity": "1", "uom": "pcs",
         "location": "L"}])),
    ("an exception without end", lambda body: _with_data(body, exceptions=[
        {"id": 2**80, "kind": "shortage", "line": None, "item": None, "quantity": None}])),
]  # fmt: skip


@pytest.mark.parametrize(("what", "spoil"), POISON, ids=[what for what, _ in POISON])
def test_poison_is_an_answer_and_holds_nobody_else_up(
    site: SiteDatabase, inbox: Inbox, what: str, spoil: Callable[[bytes], bytes]
) -> None:
    """UP-2, UP-4: refused as malformed, stored, and its neighbours have their effect."""
    station = PostingStation()
    good = station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))
    bad = spoil(station.report("WO-2", made("CHAIR", "1", "FG", lot="WO-2")))
    last = station.report("WO-3", made("CHAIR", "1", "FG", lot="WO-3"))
    answers = inbox.take([good, bad, last])
    assert outcomes(answers) == [
        ("accepted", None, False), ("refused", "malformed", False), ("accepted", None, False),
    ], what  # fmt: skip
    assert answers[1].sentence
    assert inbox.standing(station.source, station.epoch).watermark == 3
    assert outcomes(inbox.take([bad])) == [("refused", "malformed", False)]


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[]", b'{"source": 7}', b"{" * 100_000, b'"\\ud800"', b"\0" * 50]
)
def test_bytes_without_a_key_are_kept_and_answered(
    site: SiteDatabase, inbox: Inbox, body: bytes
) -> None:
    """UP-2: nothing is lost, nothing fails."""
    answers = inbox.take([body, body])
    assert [(each.sequence, each.outcome, each.reason) for each in answers] == [
        (0, "refused", "malformed")
    ] * 2
    assert count(site, "SELECT count(*) FROM poison") == 1


def test_sums_beyond_64_bits_refuse_the_posting_that_makes_them(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """BF-1: the database's own refusal is found one by one, and its neighbours are kept."""
    station = PostingStation()
    most = "9000000000000"
    station.received("LEG", most, "LINE", lot="L-1")
    station.received("LEG", most, "LINE", lot="L-1")
    station.received("BOARD", "1", "LINE", lot="B-1")
    answers = inbox.take(station.bodies)
    assert outcomes(answers) == [
        ("accepted", None, False), ("refused", "malformed", False), ("accepted", None, False),
    ]  # fmt: skip
    assert balances(site)["LEG", "L-1", None, "LINE"] == most


def test_gaps_are_listed_and_close(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-5: what is contiguous is the watermark, the rest is asked for again."""
    station = PostingStation()
    for number in range(10):
        station.received("LEG", "1", "LINE", lot=f"L-{number}")
    inbox.take([station.bodies[each] for each in (0, 1, 4, 6, 7)])
    greeting = inbox.greet(station.hello())
    assert (greeting.watermark, greeting.highest) == (2, 8)
    assert greeting.missing == [(3, 4), (6, 6)]
    inbox.take([station.bodies[each] for each in (5, 3, 2)])
    greeting = inbox.greet(station.hello())
    assert (greeting.watermark, greeting.highest, greeting.missing) == (8, 8, [])


def test_an_epoch_that_greets_begins_where_it_says(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-1, UP-5: after a restored backup sequences go on under a new epoch."""
    station = PostingStation(epoch="00000000000000aa", first=501)
    assert inbox.greet(station.hello()).watermark == 500
    station.received("LEG", "1", "LINE")
    inbox.take(station.bodies)
    greeting = inbox.greet(station.hello())
    assert (greeting.watermark, greeting.missing) == (501, [])


def test_the_head_of_the_station_s_log_is_anchored(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-8: the hash that `audit verify --anchor` proves."""
    station = PostingStation()
    hashes = []
    for number in range(3):
        station.received("LEG", "1", "LINE", lot=f"L-{number}")
        hashes.append(station.hash)
    inbox.take([station.bodies[each] for each in (2, 0, 1)])
    with site.transaction() as conn:
        rows = conn.execute("SELECT log_sequence, log_hash FROM posting ORDER BY log_sequence")
        assert rows.fetchall() == [(1, hashes[0]), (2, hashes[1]), (3, hashes[2])]
        head = conn.execute("SELECT head_sequence, head_hash FROM epoch").fetchone()
    assert head == (3, hashes[2])


def test_who_may_not_post_for_a_source_leaves_nothing(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-2."""
    station, other = PostingStation(), PostingStation("ST-2")
    bodies = [station.received("LEG", "1", "L1"), other.received("LEG", "1", "L2")]
    answers = inbox.take(bodies, may_post=lambda source: source == station.source)
    assert outcomes(answers) == [("accepted", None, False), ("refused", "not_allowed", False)]
    assert count(site, "SELECT count(*) FROM posting") == 1


def test_fifty_stations_post_at_once_on_the_same_orders_without_a_deadlock(
    site_database: str, postgres: Postgres
) -> None:
    """UP-2, UP-3: rows are locked in one order; sums are exact."""
    database = SiteDatabase(site_database, connections_max=16)
    database.migrate()
    inbox = Inbox(database)
    chance = Random(7)
    stations = [PostingStation(f"ST-{n}", epoch=f"{n:016x}") for n in range(50)]
    for station in stations:
        for _ in range(8):
            orders = [f"WO-{chance.randrange(5)}" for _ in range(2)]
            lots = chance.sample(["L-1", "L-2", "L-3", "L-4"], 3)
            station.report(
                orders[0],
                made("CHAIR", "1", "FG", lot=orders[1]),
                *(used("LEG", "4", chance.choice(["A", "B", "C"]), lot=lot) for lot in lots),
            )
    start = threading.Barrier(50)

    def post(station: PostingStation) -> None:
        start.wait()
        for first in range(0, 8, 4):
            assert {a.outcome for a in inbox.take(station.bodies[first : first + 4])} == {
                "accepted"
            }

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(post, stations))
    stock = balances(database)
    assert sum(int(q) for key, q in stock.items() if key[0] == "CHAIR") == 400
    assert sum(int(q) for key, q in stock.items() if key[0] == "LEG") == -4_800
    database.close()
    with psycopg.connect(postgres.url("postgres")) as conn:
        name = site_database.rpartition("/")[2]
        conn.execute("SELECT pg_stat_clear_snapshot()")
        row = conn.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [name]
        ).fetchone()
    assert row == (0,)


def test_two_doors_bring_the_same_posting_at_once_and_it_is_there_once(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-2."""
    station = PostingStation()
    for _ in range(20):
        station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))
    with ThreadPoolExecutor(8) as pool:
        answered = list(pool.map(lambda _: inbox.take(station.bodies), range(8)))
    assert sum(not each.repeated for answers in answered for each in answers) == 20
    assert balances(site) == {("CHAIR", "WO-1", None, "FG"): "20"}


def test_a_database_that_is_away_is_busy_and_comes_back(
    own_server: Callable[[type[Server]], Server],
) -> None:
    """UP-4: killed in the midst of batches; what was answered is there, the rest is sent again."""
    server = own_server(Postgres)
    assert isinstance(server, Postgres)
    database = SiteDatabase(server.new_database("site"))
    database.migrate()
    inbox = Inbox(database)
    station = PostingStation()
    for _ in range(400):
        station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))
    answered = 0
    killer = threading.Timer(0.3, server.kill)
    killer.start()
    with contextlib.suppress(SiteBusyError):
        while True:
            batch = station.bodies[answered % 400 : answered % 400 + 20]
            answered += len(inbox.take(batch))
    killer.join()
    with pytest.raises(SiteBusyError, match="is away"):
        inbox.take(station.bodies[:1])
    server.start()
    answers = inbox.take(station.bodies)
    assert {each.outcome for each in answers} == {"accepted"}
    assert all(each.repeated for each in answers[: min(answered, 400)])
    assert balances(database) == {("CHAIR", "WO-1", None, "FG"): "400"}
    database.close()


def test_a_full_disk_leaves_nothing_half_and_is_no_refusal(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-4: the whole batch comes again, when there is room."""
    station = PostingStation()
    station.received("LEG", "1", "LINE", lot="L-1")
    station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))
    with site.transaction() as conn:
        conn.execute(
            "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        conn.execute(
            "CREATE TRIGGER disk_is_full BEFORE INSERT ON edge"
            " FOR EACH STATEMENT EXECUTE FUNCTION disk_is_full()"
        )
    with pytest.raises(SiteBusyError, match="no space left"):
        inbox.take(station.bodies)
    assert count(site, "SELECT count(*) FROM posting") == 0
    assert count(site, "SELECT count(*) FROM movement") == 0
    with site.transaction() as conn:
        conn.execute("DROP TRIGGER disk_is_full ON edge")
    assert outcomes(inbox.take(station.bodies)) == [("accepted", None, False)] * 2


async def test_a_database_that_is_made_anew_under_a_running_site_gets_its_tables(
    site: SiteDatabase, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-4: stations are told to come again, and are taken as soon as the tables are there."""
    monkeypatch.setattr(serve, "LOOK_EVERY_S", 0.05)
    body = PostingStation().received("LEG", "1", "LINE")
    inbox.take([body])
    with site.transaction() as conn:
        conn.execute("DROP SCHEMA public CASCADE")
        conn.execute("CREATE SCHEMA public")
    with pytest.raises(SiteBusyError, match="its tables are gone"):
        inbox.take([body])
    stopping = asyncio.Event()
    watching = asyncio.create_task(serve.watch(site, stopping, lambda _: None))
    async with asyncio.timeout(60):
        while site.closed_because is not None:
            await asyncio.sleep(0.05)
    stopping.set()
    await watching
    assert outcomes(inbox.take([body])) == [("accepted", None, False)]


def test_migrations_apply_once_and_refuse_a_newer_database(site_database: str) -> None:
    """Forward only; two that start at once wait for each other."""
    first, second = SiteDatabase(site_database), SiteDatabase(site_database)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda each: each.migrate(), [first, second]))
    assert sorted(map(len, done)) == [0, len(migrations())]
    with first.transaction() as conn:
        conn.execute("INSERT INTO migration (number, name) VALUES (999, 'from later')")
    with pytest.raises(DatabaseError, match="newer than this program"):
        second.migrate()
    first.close()
    second.close()


def test_the_ledger_takes_no_change_and_no_deletion(site: SiteDatabase, inbox: Inbox) -> None:
    """UP-2: append-only."""
    inbox.take([PostingStation().received("LEG", "1", "LINE")])
    for statement in ("UPDATE movement SET quantity_micro = 0", "DELETE FROM movement"):
        with pytest.raises(psycopg.Error, match="append-only"), site.transaction() as conn:
            conn.execute(statement)


def test_an_instant_is_kept_as_it_was_told(site: SiteDatabase, inbox: Inbox) -> None:
    """Instants are those of the posting, whatever the zone of the server."""
    inbox.take([PostingStation().received("LEG", "1", "LINE")])
    with site.transaction() as conn:
        row = conn.execute("SELECT event_time FROM posting").fetchone()
        assert row is not None
        assert queries.instant(row[0]) == AT
