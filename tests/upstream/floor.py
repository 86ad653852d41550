"""A floor of stations and their site, every one a process of its own, for tests of faults.

`Floor` starts the receiver on PostgreSQL and stations with a core each; what lies between may be a
`FaultyProxy`. `books_agree` is the one question that every test ends with: everything that the
stations booked has its effect at the site, once, and in order for each work order.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from mes_terminal.domain.outcome import Outcome
from mes_terminal.errors import StationError
from mes_terminal.link.blocking import Client
from mes_terminal.link.places import socket_path
from mes_terminal.store.database import open_reader
from tests.e2e.station_process import zygote
from tests.upstream.servers import free_port

PATIENCE_S = 60.0


def wait_until(found: Callable[[], bool], why: str, *, patience_s: float = PATIENCE_S) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + patience_s
    while not found():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


class Process:
    """A process of the program with its settings; its output goes to a file."""

    def __init__(self, folder: Path, name: str, settings: str, *words: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / f"{name}.toml"
        self.config.write_text(settings)
        self.log = folder / f"{name}.log"
        self._words = words
        self._process: subprocess.Popen[bytes] | None = None
        self._runtime = tempfile.mkdtemp(prefix="mt-")  # short: a socket's path has 107 bytes

    @property
    def environment(self) -> dict[str, str]:
        """Return an environment that knows nothing of the user's own stations."""
        return {
            **{name: value for name, value in os.environ.items() if "MES_TERMINAL" not in name},
            "XDG_CONFIG_HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder),
            "XDG_RUNTIME_DIR": self._runtime, "TZ": "Europe/Berlin",
        }  # fmt: skip

    def command(self, *words: str) -> list[str]:
        """Return the command line of one of its commands."""
        return [sys.executable, "-m", "mes_terminal", "--config", str(self.config), *words]

    def run(
        self,
        *words: str,
        given: bytes = b"",
        code: int | None = 0,
        patience_s: float = PATIENCE_S * 10,
    ) -> bytes:
        """Run a command to its end, check its exit code and return what it printed."""
        done = zygote().run(
            ["--config", str(self.config), *words], given=given, environment=self.environment,
            cwd=self.folder, timeout_s=patience_s,
        )  # fmt: skip
        assert code in (None, done.returncode), (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """Return a list that a command prints."""
        found: list[dict[str, Any]] = json.loads(self.run(*words, "--json"))
        return found

    def rows_with_code(self, code: int, *words: str) -> list[dict[str, Any]]:
        """Return a list that a command prints which ends with this code."""
        found: list[dict[str, Any]] = json.loads(self.run(*words, "--json", code=code))
        return found

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(*self._words), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, cwd=self.folder, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end by itself."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """End it, and what it left behind."""
        self.kill()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)
            self._process = None


class SiteProcess(Process):
    """The receiver; `more` are further lines of the table `site`."""

    def __init__(self, folder: Path, database: str, more: str = "") -> None:
        self.database = database
        self.port = free_port()
        super().__init__(
            folder, "site",
            f'[site]\ndatabase = "{database}"\nlisten = "127.0.0.1:{self.port}"\n{more}\n', "site",
        )  # fmt: skip

    @property
    def url(self) -> str:
        """Where stations post to."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it keeps the ledger."""
        before = self.log.read_bytes().count(b"Keeping the ledger") if self.log.exists() else 0
        super().start()
        wait_until(
            lambda: self.log.read_bytes().count(b"Keeping the ledger") > before,
            f"the site did not start: {self.log}",
        )

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask its database."""
        with psycopg.connect(self.database) as conn:
            return conn.execute(question, values).fetchall()


class StationProcess(Process):
    """A station with its core; `upstream` are lines of the table `upstream`."""

    def __init__(
        self, folder: Path, name: str, upstream: str, plant: Mapping[str, str] | None
    ) -> None:
        self.name = name
        self.db = folder / f"{name}.db"
        super().__init__(
            folder, name,
            f'[station]\nid = "{name}"\nsite = "P"\nmode = "test"\n[database]\npath = "{self.db}"\n'
            f"{upstream}\n", "core",
        )  # fmt: skip
        if plant is not None:
            self.load(plant)

    @property
    def source(self) -> str:
        """Return how it signs its postings."""
        return f"urn:mes-terminal:P:{self.name}"

    def load(self, plant: Mapping[str, str]) -> None:
        """Load files."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        for file, text in plant.items():
            (folder / f"{file}.csv").write_text(text)
        self.run("load", str(folder))

    def start(self) -> None:
        """Start its core and wait until it takes scans."""
        super().start()
        wait_until(self._listens, f"the core does not listen; see {self.log}")

    def _listens(self) -> bool:
        with suppress(StationError), Client(socket_path(self.db, self.environment)) as client:
            client.request("view")
            return True
        return False

    @contextmanager
    def line(self) -> Iterator[Callable[..., Outcome]]:
        """Give what scans a code at the running core."""
        with Client(socket_path(self.db, self.environment)) as client:

            def scan(code: str, *, badge: str | None = None) -> Outcome:
                return client.ask(
                    "scan", Outcome, hex=code.encode().hex(), device="test", badge=badge, at=None
                )

            yield scan

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask its database."""
        with closing(open_reader(self.db)) as reader:
            return reader.conn.execute(question, values).fetchall()

    def waiting(self) -> int:
        """Return how many postings are not delivered."""
        ((count,),) = self.ask(
            "SELECT count(*) FROM delivery WHERE status <> 'delivered' AND let_go = 0"
        )
        return int(count)

    def wait_delivered(self, *, patience_s: float = PATIENCE_S) -> None:
        """Wait until everything is upstream."""
        wait_until(
            lambda: self.waiting() == 0,
            f"{self.name}: {self.waiting()} postings wait; see {self.log}",
            patience_s=patience_s,
        )

    def stock(self) -> dict[tuple[str, str, str, str], int]:
        """Return its stock in micro-units, by item, lot, serial and location, without scrap."""
        return {
            (item, lot, serial, location): quantity
            for item, lot, serial, location, quantity in self.ask(_STATION_STOCK)
        }


_STATION_STOCK = """
    SELECT item.item, lot.lot, lot.serial, location.location, sum(balance.quantity_micro)
      FROM balance JOIN lot USING (lot_id) JOIN item ON item.item_id = lot.item_id
      JOIN location USING (location_id)
     WHERE location.kind NOT IN ('virtual', 'scrap') AND balance.quantity_micro <> 0
     GROUP BY 1, 2, 3, 4 HAVING sum(balance.quantity_micro) <> 0
"""
_SITE_STOCK = """
    SELECT m.item, m.lot, m.serial, b.location, sum(b.quantity_micro)::bigint
      FROM balance b JOIN material m USING (material_id)
     WHERE m.work_order = '' GROUP BY 1, 2, 3, 4 HAVING sum(b.quantity_micro) <> 0
"""


def books_agree(site: SiteProcess, *stations: StationProcess) -> None:
    """Assert what must hold after every fault: sums equal, nothing lost or twice, order kept."""
    together: dict[tuple[str, str, str, str], int] = {}
    for station in stations:
        for key, quantity in station.stock().items():
            together[key] = together.get(key, 0) + quantity
    scrap = {
        location
        for station in stations
        for (location,) in station.ask("SELECT location FROM location WHERE kind = 'scrap'")
    }
    at_site = {
        (item, lot, serial, location): quantity
        for item, lot, serial, location, quantity in site.ask(_SITE_STOCK)
        if location not in scrap
    }
    assert at_site == {key: quantity for key, quantity in together.items() if quantity}
    for station in stations:
        ((queued,),) = station.ask("SELECT count(*) FROM delivery WHERE status = 'delivered'")
        ((taken,),) = site.ask(
            """
            SELECT count(*) FROM posting JOIN source USING (source_id)
             WHERE source = %s AND outcome = 'accepted'
            """,
            station.source,
        )
        assert taken == queued, f"{station.name}: {queued} delivered, {taken} taken"
    wrong = site.ask(_OUT_OF_ORDER)
    assert not wrong, f"a posting took effect before an earlier one of its order: {wrong[:5]}"


_OUT_OF_ORDER = """
    SELECT lane, before, sequence, posting_id, decided_at FROM (
        SELECT epoch_id, lane, sequence, posting_id, decided_at, lag(sequence) OVER (
                   PARTITION BY epoch_id, lane ORDER BY decided_at, posting_id) AS before
          FROM (SELECT *, convert_from(body, 'UTF8')::json ->> 'partitionkey' AS lane FROM posting
                 WHERE outcome = 'accepted') AS told) AS told
     WHERE before > sequence
"""
