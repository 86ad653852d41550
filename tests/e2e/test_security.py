"""Nobody without the right can post, resolve, approve or read the hash of a PIN (issue 5).

Tried over the socket, as a forged client and as another user of the machine, and by the command
line. The table of docs/security.md names these tests; `test_pins` and `test_hostile` have the rest.
"""

import json
import os
import re
import shutil
import socket
import sqlite3
import stat
import subprocess  # noqa: TC003  the type of what a test reads from
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from mes_terminal.errors import CoreError
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import find_core
from mes_terminal.usecases.lists import LISTS, RULED_LISTS
from tests.e2e.station_process import PATIENCE_S, PLANT, Station

NOBODY: Final = 65534
"""Another user of the machine."""
PIN, OPERATOR_PIN, WRONG = "471100824711", "220000910022", "999900739999"
"""Of so many digits that no hash or id holds one by chance."""
SECRET: Final = b"$argon2id$"
SHORT: Final = PLANT | {
    "receipts": "reference,item,lot,location,quantity,effective_at\n"
    "R-1,LEG,L-1,LINE,30,2026-01-01\nR-2,SEAT,,LINE,100,2026-01-01\n",
    "operators": PLANT["operators"] + "SUP-2,Bea,supervisor\nOLD-1,Cid,supervisor\n",
}
ASKS: Final = {"MES_TERMINAL_POLICY__OVER_COMPLETION__DEFAULT": "approve"}
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")


class Guarded(Station):
    """A station with its core."""

    core: "subprocess.Popen[bytes]"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which a shortage is open and a supervisor was asked for; a supervisor and an
    operator have PINs, one badge is disabled. Made with the umask that most machines have."""
    before = os.umask(0o022)
    station = Station(tmp_path_factory.mktemp("prepared"), **ASKS)
    plant = station.folder / "plant"
    plant.mkdir()
    for name, text in SHORT.items():
        (plant / f"{name}.csv").write_text(text)
    station.run("load", str(plant))
    station.scan("WO-1")
    station.scan("--as", "OP-1", "%QTY 9", "WO-2", code=1)
    station.run("operator", "pin", "SUP-1", given=f"{PIN}\n".encode())
    for badge in ("OP-1", "OLD-1"):
        new = f"{PIN}\n{OPERATOR_PIN}\n".encode()
        station.run("operator", "pin", badge, "--as", "SUP-1", given=new)
    station.run("operator", "disable", "OLD-1", "--as", "SUP-1", given=f"{PIN}\n".encode())
    os.umask(before)
    return station.database


@contextmanager
def running(prepared: Path) -> Iterator[Guarded]:
    """A core on a copy, in a folder that everybody can enter, as a careless administrator leaves
    it."""
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="mt-") as folder:
        Path(folder).chmod(0o755)
        station = Guarded(Path(folder), **ASKS)
        shutil.copy(prepared, station.database)
        station.core = station.start_core()
        try:
            yield station
        finally:
            os.umask(before)
            station.close()


@pytest.fixture
def station(prepared: Path) -> Iterator[Guarded]:
    """A core of the test's own."""
    with running(prepared) as station:
        yield station


@pytest.fixture(scope="module")
def shared(prepared: Path) -> Iterator[Guarded]:
    """One core for all that must not get anything done."""
    with running(prepared) as station:
        yield station


def link(station: Guarded) -> Path:
    holder = find_core(station.database)
    assert holder is not None
    return Path(holder.socket)


def talk(station: Guarded, *lines: bytes) -> list[dict[str, Any]]:
    """Send bytes as a forged client would, and return all that comes back until it is cut off or
    everything is answered."""
    answers: list[dict[str, Any]] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(link(station)))
        with suppress(BrokenPipeError, ConnectionResetError):  # it is cut off before the end
            for line in lines:
                connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as found:
                answers += [json.loads(line) for line in found]
    return answers


def request(do: str, number: int = 1, **params: Any) -> bytes:
    return json.dumps({"v": 1, "id": number, "do": do, "params": params}).encode() + b"\n"


def refused(station: Guarded, do: str, **params: Any) -> str:
    """Ask, and return the reason why it was refused."""
    (answer,) = talk(station, request(do, **params))
    assert SECRET.decode() not in json.dumps(answer)
    if "error" not in answer:  # exceptions are refused one by one
        assert {each["outcome"] for each in answer["result"]} == {"refused"}, answer
        return "not_authorised"
    return str(answer["error"]["reason"])


def ledger(station: Guarded) -> list[Any]:
    """What nobody without the right may change, past the program: the tries of a PIN apart."""
    with closing(sqlite3.connect(f"file:{station.database}?mode=ro", uri=True)) as conn:
        return [conn.execute(f"SELECT * FROM {table}").fetchall() for table in KEPT] + [
            conn.execute("SELECT badge, pin_hash FROM operator_pin").fetchall(),
            conn.execute("SELECT badge, name, role, disabled_at FROM operator").fetchall(),
            conn.execute(
                "SELECT type, event_time FROM event WHERE type NOT LIKE '%pin_refused%'"
            ).fetchall(),
        ]


KEPT: Final = ("movement", "balance", "exception", "work_order", "order_line", "lot", "mount",
               "permit", "approval", "shift_end", "load_proposal", "scan_journal")  # fmt: skip
RESOLVE: Final = {"ids": [1], "decision": {"how": "write_off", "reason": "GONE"}}
SIGNED: Final[dict[str, dict[str, Any]]] = {
    "resolve": RESOLVE,
    "assign": {"ids": [1], "to": "OP-1"},
    "people": {"change": "add", "badge": "EVIL", "name": "Eve", "role": "supervisor"},
    "end_shift": {},
    "end_call": {"id": 1},
    "approve": {"id": 1, "answer": "approve"},
    "permit": {"change": "grant", "situation": "lot_on_hold", "item": "LEG", "quantity": "1"},
    "propose_load": {"folder": "/nowhere"},
    "approve_load": {"id": 1, "answer": "approve"},
}
"""Every request that takes a proof, with what it needs but that."""


def by(do: str, badge: str | None, pin: str = "") -> dict[str, Any]:
    who = {} if badge is None else {"by" if do == "people" else "badge": badge}
    return SIGNED[do] | who | ({"pin": pin} if pin else {})


WITHOUT_THE_RIGHT: Final[dict[str, tuple[str | None, str]]] = {
    "nobody": (None, ""), "a badge alone": ("SUP-1", ""), "a wrong PIN": ("SUP-1", WRONG),
    "a badge without a PIN": ("SUP-2", PIN), "a badge that nobody has": ("X-9", PIN),
    "somebody disabled": ("OLD-1", OPERATOR_PIN), "no PIN at all": ("SUP-1", "' OR 1=1 --"),
    "another's PIN": ("OP-1", PIN), "an operator's own": ("OP-1", OPERATOR_PIN),
}  # fmt: skip


@pytest.mark.parametrize("who", WITHOUT_THE_RIGHT)
def test_nothing_is_signed_without_the_right(station: Guarded, who: str) -> None:
    """Every request that takes a badge and PIN, by whoever lacks one of the two, or the role."""
    badge, pin = WITHOUT_THE_RIGHT[who]
    before = ledger(station)
    for do in SIGNED:
        if do == "propose_load" and who == "an operator's own":
            continue  # whoever has a PIN may propose; another person decides
        reasons = {"not_authorised", "protocol"} | ({"failed"} if do == "approve_load" else set())
        assert refused(station, do, **by(do, badge, pin)) in reasons, do
    assert ledger(station) == before


def test_the_table_has_every_request_that_takes_a_pin() -> None:
    """A new one must be tried here too."""
    from mes_terminal.station import answers

    source = Path(answers.__file__).read_text(encoding="utf-8")
    proving = {
        block.split("(")[0].removeprefix("_")
        for block in re.split(r"\n    (?:async )?def ", source)
        if "self._prove(order.proof" in block
    }
    proving |= set(re.findall(r'"(\w+)": self\._signed\(', source))
    proving.remove("signed")  # what those share
    assert proving == SIGNED.keys()


def test_a_right_proof_does_it_once_however_often_it_is_sent(station: Guarded) -> None:
    """Else the test above could not fail; and a request that is played again ends nothing twice."""
    line = request("resolve", **by("resolve", "SUP-1", PIN))
    first, second = (talk(station, line)[0]["result"] for _ in range(2))
    assert first[0]["outcome"] == "written_off"
    assert second[0]["outcome"] == "already_done"
    ended = [row for row in station.rows("audit") if row["type"].endswith("exception.resolved.v1")]
    assert len(ended) == 1


@pytest.mark.parametrize("with_core", [True, False])
def test_guessing_a_pin_locks_it_over_the_socket_and_by_the_command_line(
    station: Guarded, with_core: bool
) -> None:
    """Five tries; then even the right PIN waits, whichever way it comes, also after a restart."""
    for _ in range(4):
        refused(station, "resolve", **by("resolve", "SUP-1", WRONG))
    if not with_core:
        station.run("core", "--stop")
    words = ("exception", "resolve", "1", "--as", "SUP-1", "--write-off", "GONE")
    done = station.run(*words, given=f"{WRONG}\n".encode(), code=2)
    assert b"locked for" in done.stderr
    done = station.run(*words, given=f"{PIN}\n".encode(), code=2)
    assert b"is locked after 5 wrong tries" in done.stderr
    assert station.rows("exceptions")[0]["status"] == "open"


def test_tries_side_by_side_are_counted_one_by_one(station: Guarded) -> None:
    """Forty guesses on one connection, without waiting for an answer: five are compared."""
    lines = [request("resolve", n, **by("resolve", "SUP-1", f"{n:06d}")) for n in range(40)]
    answers = talk(station, *lines)
    said = [answer["error"]["sentence"] for answer in answers]
    assert sum("is not the PIN" in each for each in said) == 5
    assert sum("is locked after" in each for each in said) == 35


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"hello\n", b"{}\n", b"[1]\n", b'{"v":1,"id":1}\n', b"\xff\xfe\n",
        b'{"v":2,"id":1,"do":"hello"}\n', b'{"v":"1","id":1,"do":"hello"}\n',
        b'{"v":1,"id":1,"do":"hello","params":[]}\n', b"[" * 60_000 + b"\n",
        b'{"v":1,"id":1,"do":"scan","params":' + b'{"a":' * 9_000 + b"1" + b"}" * 9_001 + b"\n",
        b"x" * 200_000, b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=lambda line: repr(line[:24]),
)  # fmt: skip
def test_a_client_that_speaks_otherwise_is_cut_off_and_nobody_else_notices(
    shared: Guarded, line: bytes
) -> None:
    """Malformed, too long, too deep, another version: one refusal at most, and scanning goes on."""
    with Client(link(shared)) as beside:
        answers = talk(shared, line, request("hello")) if line else talk(shared)
        assert all(set(answer) == {"error"} for answer in answers[:1]), answers
        assert len(answers) <= 1
        assert beside.request("hello")
    assert talk(shared, request("scan", code="4711"))[0]["result"]["outcome"] == "unknown"


@pytest.mark.parametrize(
    ("do", "params"),
    [
        ("read_pins", {}), ("__init__", {}), ("_people", {}), ("list", {}),
        ("list", {"name": "operator_pin"}), ("list", {"name": "operator"}),
        ("list", {"name": "people; SELECT * FROM operator_pin"}), ("list", {"name": ["people"]}),
        ("list", {"name": "people", "filters": {"badge": "SUP-1"}}),
        ("list", {"name": "stock", "filters": {"item": ["LEG"]}}), ("list", {"name": "../people"}),
        ("scan", {}), ("scan", {"hex": "zz"}), ("scan", {"code": 1}), ("decode", {"hex": "0"}),
        ("preflight", {"work_order": "WO-9"}), ("load", {"folder": "/etc"}), ("load", {}),
        ("load", {"folder": "/proc/self"}), ("resolve", {"ids": "1"}),
        ("people", {"change": "root"}),
    ],
    ids=lambda each: each if isinstance(each, str) else json.dumps(each)[:40],
)  # fmt: skip
def test_what_is_no_request_of_the_station_is_refused(
    shared: Guarded, do: str, params: dict[str, Any]
) -> None:
    """Unknown requests, lists outside the table, and parameters of a wrong kind."""
    before = ledger(shared)
    (answer,) = talk(shared, request(do, **params))
    refusal = answer.get("error") or answer["result"]["faults"]
    assert refusal
    assert SECRET.decode() not in json.dumps(answer)
    assert ledger(shared) == before


INJECTIONS: Final = (
    "' UNION SELECT pin_hash FROM operator_pin --",
    '" OR 1=1; ATTACH DATABASE "/tmp/x" AS x; --',
    "%$argon2%",
)
FILTERS: Final = (
    "item", "lot", "serial", "location", "work_order", "text", "after", "kind", "status", "since",
    "limit", "open", "type", "person", "by", "key", "code", "badge", "id", "ids", "day", "group",
    "outcome", "anchor", "direction", "all", "now", "owner", "name", "currency",
)  # fmt: skip


def test_no_list_tells_a_hash_whatever_its_filters_say(shared: Guarded) -> None:
    """Every list of the core, by every filter, with SQL in it: each value is a value."""
    names = sorted(LISTS.keys() | RULED_LISTS.keys())
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(link(shared)))
        with connection.makefile("rb") as found:
            for name in names:
                asked: list[dict[str, str]] = [{}]
                asked += [{each: text} for each in FILTERS for text in INJECTIONS]
                for number, filters in enumerate(asked):
                    connection.sendall(request("list", number, name=name, filters=filters))
                    for line in found:
                        assert SECRET not in line, (name, filters)
                        if not json.loads(line).get("more"):
                            break
    assert shared.run("doctor").returncode == 0


def test_no_hash_and_no_pin_is_in_what_the_station_writes(station: Guarded) -> None:
    """Lists, log, events, errors and `--debug`: of a PIN that is right, wrong, and new."""
    words = ("exception", "resolve", "1", "--as", "SUP-1", "--write-off", "GONE")
    told = station.run("--debug", *words, given=f"{WRONG}\n".encode(), code=1).stderr
    told += station.run("--debug", "operator", "pin", "OP-1", "--as", "SUP-1",
                        given=f"{PIN}\nxx\n".encode(), code=1).stderr  # fmt: skip
    told += station.run(*words, given=f"{PIN}\n".encode()).stdout
    for name in ("audit", "journal", "outbox", "exceptions"):
        told += station.run(name, "--json").stdout
    station.run("core", "--stop")
    core = station.core.communicate(timeout=PATIENCE_S)[1]
    assert b"core.stopped" in core
    for text in (SECRET, PIN.encode(), OPERATOR_PIN.encode(), WRONG.encode()):
        assert text not in told + core


def test_every_file_of_the_station_is_for_its_user_alone(shared: Guarded) -> None:
    """The database holds the hashes: it, what SQLite makes beside it, the lock and the socket."""
    files = sorted(shared.folder.glob("station.db*"))
    assert {each.name for each in files} >= {"station.db", "station.db-wal", "station.db.lock"}
    for path in (*files, link(shared)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(link(shared).parent.stat().st_mode) == 0o700


def test_the_log_and_the_copies_of_a_database_are_so_too(tmp_path: Path) -> None:
    """What a core that a screen started says, and the backup before a migration."""
    from mes_terminal.store.private_file import make_private

    before = os.umask(0)
    try:
        for name in ("station.db.log", "folder/station.db.before-0002"):
            make_private(tmp_path / name)
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_a_load_makes_nobody_a_supervisor_who_can_sign(station: Guarded) -> None:
    """Files come from anybody: one that raises a role, or takes the last supervisor's, opens no way
    to sign and no second set-up; whoever is new in it has no PIN."""
    forged = station.folder / "forged"
    forged.mkdir()
    (forged / "operators.csv").write_text(
        "badge,name,role\nOP-1,Anna,supervisor\nSUP-1,Bert,operator\nEVIL,Eve,supervisor\n"
    )
    station.run("load", str(forged))
    roles = {row["badge"]: row["role"] for row in station.rows("operator", "list")}
    assert (roles["OP-1"], roles["SUP-1"], roles["EVIL"]) == (
        "operator", "supervisor", "supervisor",
    )  # fmt: skip
    first = {"change": "pin", "badge": "EVIL", "new_pin": "1234"}
    assert refused(station, "people", **first) == "not_authorised"
    assert refused(station, "resolve", **by("resolve", "EVIL", "1234")) == "not_authorised"
    assert refused(station, "resolve", **by("resolve", "OP-1", OPERATOR_PIN)) == "not_authorised"


@contextmanager
def in_another_process(uid: int, work: Callable[[], None]) -> Iterator[None]:
    """Run `work` as another user, in a process that has no other right; it must end well."""
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            work()
            code = 0
        finally:
            os._exit(code)
    yield
    assert os.waitpid(child, 0)[1] == 0


def as_user(uid: int, work: Callable[[], None]) -> None:
    with in_another_process(uid, work):
        pass


@needs_root
def test_another_user_of_the_machine_reaches_nothing(shared: Guarded) -> None:
    """Database, journal, lock and socket: neither read nor written nor connected to."""
    files = [*shared.folder.glob("station.db*"), link(shared)]

    def attempt() -> None:
        for path in files:
            for mode in ("rb", "r+b", "ab"):
                with pytest.raises(OSError), path.open(mode):
                    pass
        with socket.socket(socket.AF_UNIX) as connection, pytest.raises(OSError):
            connection.connect(str(files[-1]))

    as_user(NOBODY, attempt)


@needs_root
def test_the_core_does_not_talk_to_another_user_even_if_the_socket_is_open(
    station: Guarded,
) -> None:
    """The peer's user id is asked of the kernel: a mode that somebody changed opens nothing."""
    path = link(station)
    for each, mode in ((path, 0o666), (path.parent, 0o755), (path.parent.parent, 0o755)):
        each.chmod(mode)

    def attempt() -> None:
        (answer,) = hear(path)
        assert answer["error"]["reason"] == "not_allowed"

    as_user(NOBODY, attempt)
    assert [row["status"] for row in station.rows("orders")] == ["closed", "released"]


def hear(path: Path) -> list[dict[str, Any]]:
    """Connect, and return what is said before the connection ends."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(path))
        with connection.makefile("rb") as found:
            return [json.loads(each) for each in found]


@needs_root
def test_no_pin_is_told_to_a_core_of_another_user() -> None:
    """Somebody listens where the station's socket is expected: the command asks it nothing."""
    open_folder = Path(tempfile.mkdtemp(prefix="mt-"))
    path = open_folder / "forged.sock"
    heard = open_folder / "heard"

    def listen() -> None:
        with closing(socket.socket(socket.AF_UNIX)) as listening:
            listening.bind(str(path))
            path.chmod(0o666)
            listening.listen()
            with closing(listening.accept()[0]) as connection:
                heard.write_bytes(connection.recv(65536))

    def ask() -> None:
        with pytest.raises(CoreError, match="another user"):
            Client(path)

    open_folder.chmod(0o777)
    with in_another_process(NOBODY, listen):
        deadline = time.monotonic() + PATIENCE_S
        while not path.exists() or not path.stat().st_mode & 0o002:
            assert time.monotonic() < deadline
        as_user(1, ask)
    assert heard.read_bytes() == b""
    shutil.rmtree(open_folder)
