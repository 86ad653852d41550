"""`demo --site`: a receiver on PostgreSQL and NATS of its own, and a second station.

Both stations post to the site by NATS JetStream. The second one works on an order of the first, so
that the site has something to find that neither station can see.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mes_terminal.cli.local_servers import NatsServer, Postgres
from mes_terminal.cli.shipped import shipped
from mes_terminal.errors import CoreError, InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from mes_terminal.cli.child import CoreChild

READY_MAX_S: Final = 30.0
SETTLED_MAX_S: Final = 30.0
"""How long the last postings may take to be at the site before the figures are told."""
STATION: Final = "LINE4-ST01"
SHARED_ORDER: Final = "WO-1001"
CODES: Final = (
    "B:ben", "%START WO-2002", "%QTY 10", "CHAIR-W", "%QTY 5", "CHAIR-W", "%QTY 5",
    SHARED_ORDER, "WO-2002",
)  # fmt: skip
"""What the second station scans: orders of its own, and some chairs of the first one's order."""
OWN: Final = "-4"
"""What the second station's own locations end with."""
FIRST: Final = "urn:mes-terminal:PLANT1:LINE3-ST02"
"""The first station, as `simulated.toml` names it."""
ENVIRONMENT: Final = "MES_TERMINAL_"


class DemoSite:
    """The site's processes, and the second station."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._postgres = Postgres(folder / "postgres")
        self._nats = NatsServer(folder / "nats")
        self._stopping = threading.Event()
        self._site: subprocess.Popen[bytes] | None = None
        self._second: CoreChild | None = None
        self._worker: threading.Thread | None = None
        self._config = folder / "site.toml"

    def start(self) -> None:
        """Start PostgreSQL, NATS and the receiver. Raises `InputError` for what is missing."""
        wanted = [each for each in (Postgres.missing(), NatsServer.missing()) if each]
        if wanted:
            raise InputError(" ".join(wanted) + " Or run the demo without --site.")
        for package in ("nats", "psycopg", "uvicorn"):
            if find_spec(package) is None:
                raise InputError(
                    f"This needs the package {package}. "
                    'Install it: pip install "mes-terminal[site]"'
                )
        self._postgres.start()
        self._nats.start()
        self._config.write_text(
            f'[site]\ndatabase = "{self._postgres.new_database("mes_site")}"\n'
            f'listen = "127.0.0.1:0"\n[site.nats]\nurl = "{self._nats.url}"\n'
        )
        log = self._folder / "site.log"
        with log.open("wb") as errors:
            self._site = subprocess.Popen(  # noqa: S603  our own program
                self._command("site"), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                start_new_session=True, env=_clean(os.environ),
            )  # fmt: skip
        deadline = time.monotonic() + READY_MAX_S
        while b"Keeping the ledger" not in log.read_bytes():
            if self._site.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise CoreError(f"The site does not start: {' '.join(said)}", reason="site")
            time.sleep(0.05)
        self.send_down()

    def send_down(self) -> None:
        """Let the site know the orders of the first station, and send them down to it."""
        told = self._ask("site", "load", str(shipped("sample-plant")), "--station", FIRST)
        if told.returncode:
            raise InputError(f"The site does not take the plant: {told.stderr.strip()}")

    def upstream(self) -> dict[str, str]:
        """Return what a station's environment says of the road to the site."""
        return {
            f"{ENVIRONMENT}UPSTREAM__KIND": "nats",
            f"{ENVIRONMENT}UPSTREAM__NATS__URL": self._nats.url,
        }

    def start_second(self, *, pause_s: float) -> None:
        """Start the second station and let it scan, with so long between two codes."""
        from mes_terminal.cli.child import start_core

        config = self._folder / "second.toml"
        config.write_text(
            f'[station]\nid = "{STATION}"\nsite = "PLANT1"\nmode = "test"\n[stock]\n'
            f'supply_location = "LINE{OWN}"\noutput_location = "FG{OWN}"\n'
            f'scrap_location = "SCRAP{OWN}"\n'
            f'[upstream]\nkind = "nats"\n[upstream.nats]\nurl = "{self._nats.url}"\n'
        )
        plant = self._folder / "second-plant"
        move_plant(shipped("sample-plant"), plant)
        environment = _clean(os.environ)
        database = self._folder / "second.db"
        load = ["--config", str(config), "--db", str(database), "load", str(plant)]
        loaded = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-m", "mes_terminal", *load], capture_output=True, check=False,
            env=environment, text=True,
        )  # fmt: skip
        if loaded.returncode:
            raise InputError(f"The second plant has a fault: {loaded.stderr.strip()}")
        self._second = start_core(database, config, environment)
        self._worker = threading.Thread(target=self._scan, args=[pause_s], daemon=True)
        self._worker.start()

    def told(self, *, at_once: bool) -> str:
        """Return what the site knows at the end: when the second station has scanned everything,
        or `at_once`, with what it has scanned so far. Raises `CoreError`."""
        if at_once:
            self._stopping.set()
        self._settle()
        lines = ["\nStations at the site"]
        lines += [_station_text(row) for row in self._rows("stations")]
        lines.append("Orders that they reported on")
        lines += [_order_text(row) for row in self._rows("orders") if row["stations"]]
        lines.append("What no station can see alone")
        lines += [f"  {row['sentence']}" for row in self._rows("conflicts")] or ["  nothing"]
        return "\n".join(lines)

    def stop(self) -> None:
        """End everything that was started, also where one part of it does not end."""
        self._stopping.set()
        with ExitStack() as rest:
            rest.callback(self._postgres.stop)
            rest.callback(self._nats.stop)
            rest.callback(self._end_site)
            if self._second is not None:
                self._second.stop()

    def _end_site(self) -> None:
        if self._site is not None:
            self._site.terminate()
            try:
                self._site.wait(READY_MAX_S)
            except subprocess.TimeoutExpired:
                self._site.kill()
                self._site.wait()

    def _rows(self, name: str) -> list[dict[str, Any]]:
        """Return a list of the site. Raises `CoreError` where it cannot be had."""
        done = self._ask("--json", "site", name)
        if done.returncode:
            raise CoreError(f"The site does not tell its {name}: {done.stderr}", reason="site")
        return msgspec.json.decode(done.stdout, type=list[dict[str, Any]])

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  our own program
            self._command(*words), capture_output=True, check=False, text=True,
            env=_clean(os.environ),
        )  # fmt: skip

    def _command(self, *words: str) -> Sequence[str]:
        return [sys.executable, "-m", "mes_terminal", "--config", str(self._config), *words]

    def _scan(self, pause_s: float) -> None:
        from mes_terminal.link.blocking import Client

        assert self._second is not None
        with Client(self._second.holder.socket) as client:
            for code in CODES:
                if self._stopping.wait(pause_s):
                    return
                client.request("scan", hex=code.encode().hex(), device="cli", badge=None, at=None)

    def _settle(self) -> None:
        """Wait until both have worked and the second has nothing waiting any more."""
        from mes_terminal.domain.view import StationView
        from mes_terminal.link.blocking import Client

        assert self._second is not None
        assert self._worker is not None
        self._worker.join(SETTLED_MAX_S)
        deadline = time.monotonic() + SETTLED_MAX_S
        with Client(self._second.holder.socket) as client:
            while time.monotonic() < deadline:
                if not client.ask("view", StationView).postings_waiting:
                    return
                time.sleep(0.1)


@contextmanager
def demo_site(folder: Path) -> Iterator[DemoSite]:
    """Give a site that runs, with everything that it needs."""
    site = DemoSite(folder)
    try:
        site.start()
        yield site
    finally:
        site.stop()


def move_plant(source: Path, target: Path) -> None:
    """Copy a plant to the locations of the second station: its orders begin with WO-2, but for the
    shared one, and so do its serials; its receipts are its own."""
    target.mkdir()
    places = (source / "locations.csv").read_text(encoding="utf-8").splitlines()[1:]
    names = {line.split(",")[0] for line in places} | {"LINE", "FG", "SCRAP"}
    for path in sorted(source.glob("*.csv")):
        lines = path.read_text(encoding="utf-8").splitlines()
        moved = [lines[0]] + [_moved(line, names) for line in lines[1:]]
        (target / path.name).write_text("\n".join(moved) + "\n", encoding="utf-8")


def _station_text(row: Mapping[str, Any]) -> str:
    text = f"  {row['station']}: {row['watermark']} postings are there"
    return text if row["watermark"] == row["highest"] else f"{text} of {row['highest']}"


def _order_text(row: Mapping[str, Any]) -> str:
    of = f" of {row['quantity']}" if row["quantity"] is not None else ""
    done = f"{row['completed']}{of} {row['item']}"
    return f"  {row['work_order']:<10} {done:<24} {', '.join(row['stations'])}"


def _moved(line: str, locations: Collection[str]) -> str:
    cells = [cell + OWN if cell in locations else cell for cell in line.split(",")]
    if cells[0] != SHARED_ORDER:
        cells = [f"WO-2{cell[4:]}" if cell.startswith("WO-1") else cell for cell in cells]
    if cells[0].startswith("GR-"):
        cells[0] = f"4-{cells[0]}"
    return ",".join("E4-" + cell[3:] if cell.startswith("EB-") else cell for cell in cells)


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the first station's settings."""
    return {name: value for name, value in environment.items() if ENVIRONMENT not in name}
