"""A Tryton server of the tests' own: GPL, so it runs as a process in a virtual environment of its
own (`requirements/make-tryton-venv`), on a database of its own in the tests' PostgreSQL.

The database with the modules activated takes half a minute to make: it is made once a session, and
each test has a copy of it.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx
import psycopg

from tests.upstream.servers import Postgres, Server
from tests.upstream.tryton_plant import PASSWORD

ROOT: Final = Path(__file__).parents[2]
BIN: Final = ROOT / ".venv-tryton" / "bin"
MODULES: Final = ("production", "stock_lot", "stock_lot_sled")
TEMPLATE: Final = "tryton_template"


class TrytonServer(Server):
    """A trytond process over one database: `start`, `kill`, `stop`, and `start` again."""

    name = "trytond"

    def __init__(self, folder: Path, postgres: Postgres, database: str) -> None:
        super().__init__(folder)
        self.postgres = postgres
        self.database = database

    @classmethod
    def missing(cls) -> str | None:
        if not (BIN / "trytond").is_file():
            return "There is no Tryton here: run requirements/make-tryton-venv once"
        return Postgres.missing()

    @property
    def url(self) -> str:
        """The server's root."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        write_config(self.folder, self.postgres, self.port)

    def command(self) -> Sequence[str]:
        return [
            str(BIN / "trytond"), "-c", str(self.folder / "trytond.conf"), "-d", self.database,
        ]  # fmt: skip

    def answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            body = {"id": 1, "method": "common.server.version", "params": []}
            return httpx.post(f"{self.url}/rpc/", json=body, timeout=5).status_code == 200
        return False


def write_config(folder: Path, postgres: Postgres, port: int) -> Path:
    """Write a server's configuration and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trytond.conf"
    path.write_text(
        f"[database]\nuri = postgresql://postgres@127.0.0.1:{postgres.port}\n"
        f"path = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n"
        "[session]\nmax_attempt = 1000\nmax_attempt_ip_network = 1000\n"
    )
    return path


def make_template(folder: Path, postgres: Postgres) -> None:
    """Make the database that the tests' databases are copies of: modules, and who administers.

    A dump of it is kept beside the server, since activating the modules takes a minute.
    """
    url = postgres.new_database(TEMPLATE)
    lock = (ROOT / "requirements" / "tryton.lock").read_bytes()
    dump = BIN.parent / f"modules-{hashlib.sha256(lock + repr(MODULES).encode()).hexdigest()}.dump"
    if not dump.is_file():
        _activate(folder, postgres)
        unready = dump.with_suffix(f".{os.getpid()}")
        _run("pg_dump", "--format=custom", f"--file={unready}", url)
        unready.replace(dump)
        return
    _run("pg_restore", "--no-owner", f"--dbname={url}", str(dump))


def copy_template(postgres: Postgres, name: str, template: str = TEMPLATE) -> None:
    """Make a database like the template."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _activate(folder: Path, postgres: Postgres) -> None:
    config = write_config(folder, postgres, 0)
    password = folder / "password"
    password.write_text(PASSWORD)
    _run(
        str(BIN / "trytond-admin"), "-c", str(config), "-d", TEMPLATE, "-u", *MODULES,
        "--activate-dependencies", "--email", "admin@example.org", "-l", "en", "-vv",
        TRYTONPASSFILE=str(password),
    )  # fmt: skip


def _run(*command: str, **variables: str) -> None:
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{command[0]}"))
    found = shutil.which(command[0]) or str(beside[-1] if beside else command[0])
    done = subprocess.run(
        [found, *command[1:]], capture_output=True, timeout=280, env=os.environ | variables
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.decode()[-2000:]}")
