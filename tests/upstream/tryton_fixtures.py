"""A Tryton server with a plant in it, and a site's database behind whose inbox the bridge works."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import httpx
import pytest

from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.inbox import Inbox
from mes_terminal.site.tryton.bridge import Bridge
from mes_terminal.site.tryton.catalogue import UNITS
from mes_terminal.site.tryton.client import TrytonClient, day
from mes_terminal.site.tryton.pull import Puller
from tests.plants import Station
from tests.upstream.servers import Postgres
from tests.upstream.tryton_floor import (
    PLACES,
    hand_down,
    open_floor,
    postings,
    station_stock,
    tryton_stock,
)
from tests.upstream.tryton_plant import BRIDGE_USER, PASSWORD, TrytonPlant
from tests.upstream.tryton_server import TrytonServer, copy_template, make_template

PLANT: Final = "tryton_plant"
TURNS_MAX: Final = 500
WAIT_MAX_S: Final = 200.0
_numbers = count(1)


class Tryton:
    """A server, its plant, a station that works from it, and the site between them."""

    def __init__(self, server: TrytonServer, folder: Path, site_url: str) -> None:
        self.server = server
        self.client = TrytonClient(server.url, server.database, "admin", PASSWORD)
        self.plant = TrytonPlant(self.client)
        self.plant.find()
        self.puller = Puller(self.new_client(), places=PLACES, units=UNITS)
        self.database = SiteDatabase(site_url)
        self.database.migrate()
        self.inbox = Inbox(self.database)
        self._folder = folder
        self._floor: Station | None = None
        self._sent = 0
        self.today = datetime.now(UTC).date()
        self.two_days = timedelta(days=2)

    def new_client(self, transport: httpx.BaseTransport | None = None) -> TrytonClient:
        """Return a client of the bridge's user, with a session of its own."""
        return TrytonClient(
            self.server.url, self.server.database, BRIDGE_USER, PASSWORD, transport=transport
        )

    def new_bridge(self, transport: httpx.BaseTransport | None = None) -> Bridge:
        """Return a bridge as a process that has just started has it."""
        return Bridge(self.database, self.new_client(transport))

    @property
    def floor(self) -> Station:
        """The station, which has loaded what was pulled when it was first asked for."""
        if self._floor is None:
            self._floor = open_floor(self._folder, self.puller.pull())
        return self._floor

    def scan(self, *codes: str, badge: str = "AK") -> None:
        """Scan at the station; each must be taken."""
        for code in codes:
            outcome = self.floor.scan(code, badge=badge)
            assert outcome.outcome in ("completed", "recorded"), outcome

    def take_in(self) -> int:
        """Bring what the station posted meanwhile to the site; return how many postings."""
        fresh = postings(self.floor, after=self._sent)
        answers = self.inbox.take([body for _, body in fresh])
        assert {each.outcome for each in answers} <= {"accepted"}, answers
        self._sent += len(fresh)
        return len(fresh)

    def send(self) -> None:
        """Bring everything that the station posted to Tryton, and keep the plans."""
        self.take_in()
        work_off(self.new_bridge())

    def assert_equal(self) -> None:
        """Stock in Tryton is the station's, item by item, lot by lot, place by place."""
        assert tryton_stock(self.client) == station_stock(self.floor)

    def statuses(self) -> dict[str, list[tuple[str, str | None]]]:
        """Return status and reason of every delivery, by lane, but those that move nothing."""
        found: dict[str, list[tuple[str, str | None]]] = {}
        with self.database.transaction() as conn:
            for lane, status, reason in conn.execute(
                "SELECT lane, status, reason FROM erp_delivery"
                " WHERE document IS NOT NULL OR status <> 'done' ORDER BY inbox_id"
            ):
                found.setdefault(lane, []).append((status, reason))
        return found

    def conflicts(self) -> list[tuple[int, str, str, str]]:
        """Return number, kind, state and sentence of what the stations are told."""
        with self.database.transaction() as conn:
            rows = conn.execute(
                "SELECT conflict_id, kind, state, sentence FROM conflict ORDER BY conflict_id"
            )
            return [(number, kind, state, said) for number, kind, state, said in rows]

    def forget_tries(self) -> None:
        """Let a minute pass: refused postings are tried again."""
        with self.database.transaction() as conn:
            conn.execute("UPDATE erp_delivery SET tried_at = tried_at - interval '5 minutes'")

    def next_order(self) -> str:
        """Return an order of two CHAIR-W that has come down to the station."""
        number = self.plant.order("CHAIR-W", 2)
        hand_down(self.floor, self.puller.pull())
        return number

    def close_period(self) -> int:
        """Close everything up to yesterday in Tryton; return the period."""
        values = {"date": day(self.today - timedelta(days=1)), "company": self.plant.company}
        period = self.client.create("stock.period", [values])[0]
        self.client.press("stock.period", "close", period)
        return period

    def wait_for(self, status: str) -> None:
        """Wait until a delivery has this status."""
        self.wait_until(lambda: status in self.states())

    def wait_until_done(self) -> None:
        """Wait until everything is in Tryton."""
        self.wait_until(lambda: self.states() <= {"done"})

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + WAIT_MAX_S
        while not is_so():
            assert time.monotonic() < deadline, self.statuses()
            time.sleep(0.01)

    def states(self) -> set[str]:
        """Return the statuses of all that the site has."""
        with self.database.transaction() as conn:
            rows = conn.execute(
                "SELECT coalesce(d.status, 'waiting') FROM posting p"
                " LEFT JOIN erp_delivery d ON d.inbox_id = p.posting_id"
            )
            return {status for (status,) in rows}

    def close(self) -> None:
        """Close every connection."""
        self.database.close()


def work_off(bridge: Bridge) -> None:
    """Let a bridge do everything that can be done now."""
    for _ in range(TURNS_MAX):
        if not bridge.step():
            return
    raise AssertionError("the bridge does not come to an end")


@pytest.fixture(scope="session")
def tryton_template(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Make databases with the plant in them, each of its own."""
    missing = TrytonServer.missing()
    if missing:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("tryton")
    make_template(folder / "modules", postgres)
    copy_template(postgres, PLANT)
    server = TrytonServer(folder / "plant", postgres, PLANT)
    server.start()
    client = TrytonClient(server.url, PLANT, "admin", PASSWORD)
    TrytonPlant(client).set_up()
    client.close()
    server.stop()

    def new() -> str:
        name = f"tryton_{next(_numbers)}"
        copy_template(postgres, name, PLANT)
        return name

    return new


@pytest.fixture
def tryton(
    postgres: Postgres,
    tryton_template: Callable[[], str],
    site_database: str,
    tmp_path: Path,
) -> Iterator[Tryton]:
    """A Tryton server of the test's own, with the plant and an empty site."""
    server = TrytonServer(tmp_path / "trytond", postgres, tryton_template())
    server.start()
    found = Tryton(server, tmp_path, site_database)
    try:
        yield found
    finally:
        found.close()
        server.stop()


class Running:
    """A bridge on a thread of its own, as the site runs it."""

    def __init__(self, bridge: Bridge) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=bridge.run, args=[self._stopping], daemon=True)

    def __enter__(self) -> "Running":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
