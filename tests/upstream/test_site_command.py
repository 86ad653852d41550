"""`mes-terminal site` as a process of its own, on a real PostgreSQL."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest

from mes_terminal.cli.main import run
from tests.upstream.posting_station import PostingStation, made, used
from tests.upstream.servers import Postgres, Server, free_port

PATIENCE_S = 60.0


class Done(NamedTuple):
    """A command that ended."""

    code: int
    stdout: str
    stderr: str


class Site:
    """A site's settings, and what is run with them."""

    def __init__(self, folder: Path, database: str) -> None:
        self.port = free_port()
        self.config = folder / "site.toml"
        self.config.write_text(
            f'[station]\ntime_zone = "Europe/Berlin"\n'
            f'[site]\ndatabase = "{database}"\nlisten = "127.0.0.1:{self.port}"\n'
        )
        self.environment = {
            name: value for name, value in os.environ.items() if "MES_TERMINAL" not in name
        }
        self.url = f"http://127.0.0.1:{self.port}"

    def run(self, *words: str) -> Done:
        """Run a command to its end, in this process."""
        out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
        with redirect_stdout(out), redirect_stderr(err):
            code = run([*self._words(), *words])
        return Done(code, *(each.buffer.getvalue().decode() for each in (out, err)))

    def json(self, *words: str) -> Any:
        """Return what a command prints as JSON."""
        done = self.run(*words, "--json")
        assert done.code == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def receiver(self) -> "Iterator[Receiver]":
        """Run the receiver; end it as systemd would."""
        process = subprocess.Popen(
            [sys.executable, "-m", "mes_terminal", *self._words()],
            stderr=subprocess.PIPE, text=True, env=self.environment,
        )  # fmt: skip
        receiver = Receiver(process)
        try:
            yield receiver
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE_S)
            receiver.reader.join()
            assert process.stderr is not None
            process.stderr.close()

    def _words(self) -> list[str]:
        return ["--config", str(self.config), "site"]


class Receiver:
    """A receiver that runs, and what it says."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: Queue[str] = Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def wait_for(self, words: str) -> str:
        """Return the first line that has these words."""
        while True:
            line = self.lines.get(timeout=PATIENCE_S)
            if words in line:
                return line

    def stop(self) -> int:
        """Tell it to stop; return how it ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.put(line)


def post(site: Site, station: PostingStation) -> httpx.Response:
    """Send all postings of a station."""
    return httpx.post(
        f"{site.url}/v1/postings",
        content=b"[" + b",".join(station.bodies) + b"]",
        headers={"content-type": "application/cloudevents-batch+json"},
        timeout=PATIENCE_S,
    )


def test_the_receiver_says_where_it_listens_takes_postings_and_stops_when_told(
    tmp_path: Path, site_database: str
) -> None:
    """UP-2, UP-8: and what it took, its commands tell."""
    site = Site(tmp_path, site_database)
    station = PostingStation()
    station.received("LEG", "400", "LINE", lot="L-77")
    station.report("WO-1", made("CHAIR", "100", "FG", lot="WO-1"),
                   used("LEG", "400", "LINE", lot="L-77"), final=True)  # fmt: skip
    with site.receiver() as receiver:
        assert f"127.0.0.1:{site.port}" in receiver.wait_for("Listening")
        receiver.wait_for("Keeping the ledger")
        answer = post(site, station)
        assert answer.status_code == 200
        assert [each["outcome"] for each in answer.json()["answers"]] == ["accepted"] * 2
        hello = httpx.post(f"{site.url}/v1/hello", json=_hello(station), timeout=PATIENCE_S)
        assert hello.json()["watermark"] == 2
        stock = httpx.get(
            f"{site.url}/v1/stock", params={"source": station.source}, timeout=PATIENCE_S
        ).json()
        assert (stock["watermark"], stock["stock"]) == (2, [
            {"item": "CHAIR", "lot": "WO-1", "serial": None, "location": "FG", "quantity": "100",
             "uom": "pcs"},
        ])  # fmt: skip
        assert receiver.stop() == 0
        receiver.wait_for("Stopped")
    assert site.json("stock") == stock["stock"]
    [order] = site.json("orders")
    assert (order["work_order"], order["completed"], order["status"]) == ("WO-1", "100", "closed")
    [row] = site.json("stations")
    assert (row["station"], row["watermark"], row["behind"], row["missing"]) == ("ST-1", 2, 0, [])
    assert site.json("exceptions") == site.json("conflicts") == site.json("refused") == []


def _hello(station: PostingStation) -> dict[str, Any]:
    hello = station.hello()
    return {name: getattr(hello, name) for name in hello.__struct_fields__}


def test_a_receiver_whose_database_is_away_says_so_answers_503_and_begins_when_it_comes(
    tmp_path: Path, own_server: Callable[[type[Server]], Server]
) -> None:
    """UP-4: one clear sentence; the doors stay open; lost and found again while it runs."""
    server = own_server(Postgres)
    assert isinstance(server, Postgres)
    site = Site(tmp_path, server.new_database("site"))
    server.kill()
    station = PostingStation()
    station.received("LEG", "400", "LINE", lot="L-77")
    with site.receiver() as receiver:
        said = receiver.wait_for("is away")
        assert "nothing is lost" in said
        answer = post(site, station)
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        server.start()
        receiver.wait_for("Keeping the ledger")
        assert post(site, station).status_code == 200
        server.kill()
        assert post(site, station).status_code == 503
        server.start()
        assert post(site, station).json()["answers"][0]["repeated"]
        assert receiver.stop() == 0


def test_a_command_without_its_database_says_one_sentence(tmp_path: Path) -> None:
    """No traceback, exit 2."""
    site = Site(tmp_path, f"postgresql://postgres@127.0.0.1:{free_port()}/nobody")
    done = site.run("stock")
    assert done.code == 2
    assert done.stdout == ""
    assert "is away" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def filled(tmp_path: Path, site_database: str) -> Site:
    """A site with a little in it, without a receiver."""
    from mes_terminal.site.database import SiteDatabase
    from mes_terminal.site.inbox import Inbox

    site = Site(tmp_path, site_database)
    assert "001_inbox" in site.json("migrate")
    station, other = PostingStation("A"), PostingStation("B", epoch="00000000000000bb")
    station.received("LEG", "400", "A", lot="L-77")
    station.report("WO-1", made("FRAME", "100", "FG-A", lot="F-1"),
                   used("LEG", "400", "A", lot="L-77"))  # fmt: skip
    other.report("WO-2", made("CHAIR", "1", "FG-B", serial="S-1"),
                 used("FRAME", "1", "FG-A", lot="F-1"))  # fmt: skip
    other.opened("unknown_code", code="4711", hex="34373131")
    database = SiteDatabase(site_database)
    Inbox(database).take([*station.bodies, *other.bodies])
    database.close()
    return site


def test_a_trace_goes_over_all_stations_and_a_recall_names_what_is_affected(filled: Site) -> None:
    """BF-37: a part of one station in a product of another."""
    trace = filled.json("trace", "CHAIR", "--serial", "S-1")
    assert {(each["item"], each["lot"]) for each in trace["nodes"]} == {
        ("CHAIR", None), ("FRAME", "F-1"), ("LEG", "L-77"),
    }  # fmt: skip
    forward = filled.run("trace", "LEG", "L-77", "--forward").stdout
    assert "FRAME lot F-1" in forward
    assert "CHAIR serial S-1" in forward
    recall = filled.json("recall", "LEG", "L-77")
    assert recall["mass_balance"]["received"] == recall["mass_balance"]["consumed"] == "400"
    assert [(each["item"], each["on_hand"]) for each in recall["affected"]] == [
        ("FRAME", [{"location": "FG-A", "quantity": "99"}]),
        ("CHAIR", [{"location": "FG-B", "quantity": "1"}]),
    ]
    assert recall["stations"] == ["A", "B"]
    assert "at FG-B" in filled.run("recall", "LEG", "L-77").stdout
    done = filled.run("recall", "LEG", "NOBODY")
    assert (done.code, done.stdout) == (2, "")


def test_what_a_person_says_at_the_site_is_judged_by(filled: Site, site_database: str) -> None:
    """UP-4: orders closed and opened, a period closed, a conflict ended."""
    assert filled.json("order", "close", "WO-1", "--as", "Quinn")["work_order"] == "WO-1"
    [order] = filled.json("orders", "--work-order", "WO-1")
    assert (order["status"], order["closed_by"]) == ("closed", "Quinn")
    filled.json("order", "open", "WO-1")
    [order] = filled.json("orders", "--work-order", "WO-1")
    assert (order["status"], order["closed_by"]) == ("started", None)
    assert filled.run("order", "close", "WO-X", "--as", "Quinn").code == 2
    closed = filled.json("close-period", "2026-11-20", "--as", "Quinn")
    assert closed == {"closed_before": "2026-11-19T23:00:00.000000Z"}
    assert filled.json("close-period", "none", "--as", "Quinn") == {"closed_before": None}
    assert filled.run("close-period", "tomorrow", "--as", "Quinn").code == 2
    [conflict] = filled.json("conflicts")
    assert conflict["kind"] == "location_two_writers"
    filled.json("end-conflict", str(conflict["id"]), "--reason", "moved", "--as", "Quinn")
    assert filled.json("conflicts") == []
    assert filled.json("conflicts", "--all")[0]["end_reason"] == "moved"
    assert filled.run("end-conflict", "99", "--reason", "x", "--as", "Quinn").code == 2
    [opened] = filled.json("exceptions")
    assert (opened["station"], opened["kind"], opened["cause"]) == ("B", "unknown_code", "4711")
    with psycopg.connect(site_database) as conn:
        assert conn.execute("SELECT closed_before FROM period").fetchone() == (None,)
