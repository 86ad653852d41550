"""The road up between real processes when everything fails that can fail (UP-1 ... UP-8).

A station with its core, the site, PostgreSQL and the broker are processes; the network between them
is a proxy that misbehaves. Every test ends with `books_agree`: the sums are equal, nothing is lost
or there twice, and each work order kept its order.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.upstream.faulty_proxy import (
    NASTY,
    NASTY_A_MESSAGE,
    Faults,
    FaultyProxy,
    http_messages,
    mqtt_messages,
    nats_messages,
)
from tests.upstream.floor import SiteProcess, StationProcess, books_agree, wait_until
from tests.upstream.servers import Mosquitto, NatsServer, Postgres, Server

PLANT = {
    "items": "item,tracking\nCHAIR,none\nLEG,lot\nSEAT,none\n",
    "boms": "item,revision\nCHAIR,A\n",
    "bom_lines": "item,revision,line,component,quantity\nCHAIR,A,10,LEG,4\nCHAIR,A,20,SEAT,1\n",
    "work_orders": "work_order,item,quantity,status\n"
    + "".join(f"WO-{number},CHAIR,100,released\n" for number in range(1, 21)),
    "receipts": "reference,item,lot,location,quantity,effective_at\n"
    "R-1,LEG,L-1,LINE,5000,2026-01-01\nR-2,LEG,L-2,LINE,5000,2026-01-01\n"
    "R-3,SEAT,,LINE,5000,2026-01-01\n",
    "operators": "badge,name,role\nSUP,Sofia,supervisor\n",
    "reasons": "code,kind\nLOST,write_off\n",
}
CONNECTORS = ("http", "nats", "mqtt", "file")
Own = Callable[[type[Server]], Server]


class Road:
    """One connector's way from a station to the site, through a proxy where there is a network."""

    def __init__(
        self,
        kind: str,
        folder: Path,
        own: Own,
        *,
        faults: Faults | None = None,
        postgres: type[Postgres] = Postgres,
    ) -> None:
        self.kind = kind
        self.folder = folder
        self.postgres = own(postgres)
        assert isinstance(self.postgres, Postgres)
        self.broker: Server | None = None
        self.proxy: FaultyProxy | None = None
        more = ""
        if kind == "nats":
            self.broker = own(NatsServer)
            more = f'[site.nats]\nurl = "nats://127.0.0.1:{self.broker.port}"'
        elif kind == "mqtt":
            self.broker = own(Mosquitto)
            more = f'[site.mqtt]\nurl = "mqtt://127.0.0.1:{self.broker.port}"'
        elif kind == "file":
            more = f'folders = ["{folder / "outbox"}"]'
        self.site = SiteProcess(folder, self.postgres.new_database("site"), more)
        port = self.broker.port if self.broker else self.site.port
        if kind != "file" and faults is not None:
            framing = {"http": http_messages, "nats": nats_messages, "mqtt": mqtt_messages}[kind]
            self.proxy = FaultyProxy(("127.0.0.1", port), framing, faults)
            self.proxy.start()
            port = self.proxy.port
        self.port = port

    @property
    def upstream(self) -> str:
        """Return the station's settings of it."""
        if self.kind == "file":
            folder = self.folder / "outbox"
            return f'[upstream]\nkind = "file"\n[upstream.file]\nfolder = "{folder}"\nseal_s = 1'
        scheme = {"http": "http", "nats": "nats", "mqtt": "mqtt"}[self.kind]
        return (
            f'[upstream]\nkind = "{self.kind}"\n[upstream.{self.kind}]\n'
            f'url = "{scheme}://127.0.0.1:{self.port}"'
        )

    def station(self, name: str = "LINE1", plant: Mapping[str, str] = PLANT) -> StationProcess:
        """Return a station on this road, with the plant loaded."""
        return StationProcess(self.folder, name, self.upstream, plant)

    def wait_taken(self, station: StationProcess) -> None:
        """Wait until the site has all: over files it reads after the station has written."""
        ((count,),) = station.ask("SELECT count(*) FROM delivery")
        wait_until(
            lambda: self.site.ask("SELECT count(*) FROM posting") == [(count,)],
            "the site has not read all files",
        )

    def close(self) -> None:
        """End what it started."""
        self.site.close()
        if self.proxy is not None:
            self.proxy.stop()


def begin(
    kind: str, folder: Path, own: Own, close: Callable[..., None], **options: Any
) -> tuple[Road, StationProcess]:
    """Start a site and a station on a road to it."""
    road = Road(kind, folder, own, **options)
    road.site.start()
    station = road.station()
    close(road, station)
    station.start()
    return road, station


def work(station: StationProcess, count: int) -> None:
    """Scan units of many orders, in turns, so that each lane has many postings."""
    with station.line() as scan:
        for number in range(count):
            scan("%QTY 1")
            assert scan(f"WO-{number % 20 + 1}").outcome == "completed"


@pytest.mark.parametrize("kind", CONNECTORS)
def test_a_killed_site_loses_and_doubles_nothing(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-2, UP-4: killed in mid batch, again and again, with what waits in the outbox."""
    road = Road(kind, tmp_path, own_server)
    station = road.station()
    close(road, station)
    work_offline = 300
    station.start()
    work(station, work_offline)
    for _ in range(3):
        before = station.waiting()
        road.site.start()
        if kind != "file" and before:
            _wait_fewer(station, before)
        road.site.kill()
    road.site.start()
    station.wait_delivered()
    road.wait_taken(station)
    books_agree(road.site, station)


@pytest.mark.parametrize("kind", ["http", "nats", "mqtt"])
def test_a_nasty_network_loses_and_doubles_nothing(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-2, UP-3: messages dropped, doubled, delayed, swapped; connections and answers cut."""
    faults = NASTY if kind == "http" else NASTY_A_MESSAGE
    road, station = begin(kind, tmp_path, own_server, close, faults=faults)
    work(station, 400)
    station.wait_delivered(patience_s=180)
    assert road.proxy is not None
    for _ in range(60):  # a busy machine sends much in few messages, of which few go wrong
        if road.proxy.happened.total() > 5:
            break
        work(station, 10)
        station.wait_delivered(patience_s=60)
    assert road.proxy.happened.total() > 5, road.proxy.happened
    books_agree(road.site, station)


@pytest.mark.parametrize("kind", ["nats", "mqtt"])
def test_a_killed_broker_loses_and_doubles_nothing(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-4: what the broker had and what it lost."""
    road, station = begin(kind, tmp_path, own_server, close)
    assert road.broker is not None
    for _ in range(2):
        work(station, 100)
        road.broker.kill()
        work(station, 50)
        road.broker.start()
    station.wait_delivered()
    books_agree(road.site, station)


@pytest.mark.parametrize("kind", CONNECTORS)
def test_a_killed_station_sends_the_rest_after_its_start(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-1, UP-7: killed between sending and the answer, in the midst of a shift."""
    road = Road(kind, tmp_path, own_server)
    road.site.start()
    station = road.station()
    close(road, station)
    for _ in range(3):
        station.start()
        work(station, 60)
        station.kill()
    station.start()
    station.wait_delivered()
    road.wait_taken(station)
    books_agree(road.site, station)


@pytest.mark.parametrize("kind", ["http", "nats"])
def test_a_database_that_dies_under_the_site_holds_up_and_loses_nothing(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-4: the site answers that it is busy; the transaction at hand is gone whole."""
    road, station = begin(kind, tmp_path, own_server, close)
    work(station, 60)
    road.postgres.kill()
    work(station, 60)
    road.postgres.start()
    station.wait_delivered()
    books_agree(road.site, station)


@pytest.mark.parametrize("kind", ["http", "nats", "mqtt"])
def test_a_refused_order_parks_alone_and_goes_on_when_it_is_mended(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-3, UP-4: refused by the site, an exception here, mended there, sent with the same key."""
    road, station = begin(kind, tmp_path, own_server, close)
    work(station, 20)
    station.wait_delivered()
    road.site.run("site", "order", "close", "WO-1", "--as", "Quinn")
    work(station, 60)
    wait_until(
        lambda: station.ask("SELECT count(*) FROM delivery WHERE status = 'parked'") == [(2,)],
        "nothing was parked",
    )
    wait_until(lambda: station.waiting() == 3, "other orders wait too")
    (told,) = station.rows("exceptions", "--open")
    assert (told["kind"], told["work_order"]) == ("posting_refused", "WO-1")
    road.site.run("site", "order", "open", "WO-1")
    station.run("operator", "pin", "SUP", given=b"2580\n2580\n")
    station.run("exception", "resolve", str(told["id"]), "--post", "--as", "SUP", given=b"2580\n")
    station.wait_delivered()
    wait_until(lambda: not station.rows("exceptions", "--open"), "the exception stays open")
    books_agree(road.site, station)


def test_two_stations_of_one_identity_are_told_and_nothing_is_overwritten(
    tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-1, UP-2: a cloned disk takes a new epoch; what both have of the old one is there once."""
    road = Road("http", tmp_path, own_server)
    station = road.station()
    station.start()
    work(station, 20)
    station.stop()
    clone_folder = tmp_path / "clone"
    clone_folder.mkdir()
    clone = StationProcess(clone_folder, "LINE1", road.upstream, None)
    close(road, station, clone)
    for path in tmp_path.glob("LINE1.db*"):
        if path.suffix in ("", ".db", ".db-wal"):
            shutil.copyfile(path, clone_folder / path.name)
    road.site.start()
    for each in (station, clone):
        each.start()
        work(each, 10)
        each.wait_delivered()
    ((epochs,),) = road.site.ask("SELECT count(*) FROM epoch")
    assert epochs == 2
    kinds = {row["kind"] for row in road.site.rows("site", "conflicts")}
    assert kinds & {"same_identity", "lost_postings"}, kinds


def test_a_restored_backup_names_what_the_site_has_and_it_has_not(
    tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-1: the restored station takes a new epoch, and the lost time is a conflict."""
    road, station = begin("http", tmp_path, own_server, close)
    work(station, 10)
    station.run("backup", "--to", str(tmp_path / "backups"))
    work(station, 10)
    station.wait_delivered()
    station.stop()
    (backup,) = (tmp_path / "backups").glob("*.db")
    station.run("restore", str(backup))
    station.start()
    work(station, 5)
    station.wait_delivered()
    kinds = [row["kind"] for row in road.site.rows("site", "conflicts")]
    assert "lost_postings" in kinds
    wait_until(
        lambda: any(row["kind"] == "site_conflict" for row in station.rows("exceptions", "--open")),
        "the station is not told",
    )


@pytest.mark.parametrize("kind", ["http", "nats"])
def test_a_hold_is_confirmed_by_those_that_are_there_and_names_the_others(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-9: entered once, it acts everywhere within seconds; who was away applies it later."""
    road = Road(kind, tmp_path, own_server)
    road.site.start()
    here, away = road.station("LINE1"), road.station("LINE2")
    close(road, here, away)
    for each in (here, away):
        each.start()
        each.wait_delivered()
    away.stop()
    told = road.site.rows_with_code(1, "site", "hold", "LEG", "L-1", "--as", "Quinn", "--wait", "5")
    states = {row["source"]: row["state"] for row in told}
    assert states[here.source] == "applied"
    assert states[away.source] in ("waiting", "out_of_reach")
    assert here.ask("SELECT status FROM lot WHERE lot = 'L-1'") == [("hold",)]
    away.start()
    wait_until(
        lambda: away.ask("SELECT status FROM lot WHERE lot = 'L-1'") == [("hold",)],
        "the hold does not come",
    )


def _wait_fewer(station: StationProcess, before: int) -> None:
    wait_until(lambda: station.waiting() < before, "nothing is delivered")
