"""Commands as processes of their own that need not import the program first.

A process that has imported it (and nothing else: no thread, no open file, no database) forks for
each command. The child is the command: its own process id, standard streams, environment, folder
and signals. That is a tenth of the time of a new interpreter; `Station.start` still takes one.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

MESSAGE_MAX_BYTES = 1 << 20


class Zygote:
    """The process that forks. `run` as `subprocess.run` of `mes-terminal`."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
        )
        theirs.close()
        self._socket = ours

    def run(
        self,
        words: Sequence[str | bytes],
        *,
        given: bytes,
        environment: Mapping[str, str],
        cwd: Path,
        timeout_s: float,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a command to its end. Raises `TimeoutError`, and then it is killed."""
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
        ):
            stdin.write(given)
            stdin.seek(0)
            asked = {
                "words": [os.fsdecode(word) for word in words],
                "environment": dict(environment),
                "cwd": str(cwd),
            }
            streams = [stdin.fileno(), stdout.fileno(), stderr.fileno()]
            message = json.dumps(asked).encode("utf-8", "surrogateescape")
            socket.send_fds(self._socket, [message], streams)
            pid = self._hear(None)["pid"]
            try:
                code = self._hear(timeout_s)["code"]
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self._hear(None)
                raise
            stdout.seek(0)
            stderr.seek(0)
            return subprocess.CompletedProcess(list(words), code, stdout.read(), stderr.read())

    def _hear(self, timeout_s: float | None) -> dict[str, Any]:
        self._socket.settimeout(timeout_s)
        heard: dict[str, Any] = json.loads(self._socket.recv(MESSAGE_MAX_BYTES))
        return heard


def serve(channel: socket.socket) -> None:
    """Fork for each command that is asked for, until nobody asks any more."""
    _import_everything()
    gc.collect()
    gc.freeze()
    while True:
        message, streams, _, _ = socket.recv_fds(channel, MESSAGE_MAX_BYTES, 3)
        if not message:
            return
        asked = json.loads(message.decode("utf-8", "surrogateescape"))
        pid = os.fork()
        if not pid:
            channel.close()
            _be(asked, streams)
        for each in streams:
            os.close(each)
        channel.send(json.dumps({"pid": pid}).encode())
        _, status = os.waitpid(pid, 0)
        channel.send(json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode())


def _be(asked: dict[str, Any], streams: Sequence[int]) -> None:
    """Be the command. Never returns."""
    code = 70
    try:
        for number, each in enumerate(streams):
            os.dup2(each, number)
        for each in streams:
            os.close(each)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["cwd"])
        sys.argv = ["mes-terminal", *asked["words"]]
        sys.stdin, sys.stdout, sys.stderr = (
            open(0, closefd=False),  # noqa: SIM115
            open(1, "w", closefd=False),  # noqa: SIM115
            open(2, "w", errors="backslashreplace", closefd=False),  # noqa: SIM115
        )
        import time

        time.tzset()
        from mes_terminal.cli.main import run

        code = run()
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001  as the interpreter ends: a traceback, and 1
        traceback.print_exc()
        sys.stderr.flush()
        code = 1
    finally:
        os._exit(code)


def _import_everything() -> None:
    from mes_terminal.cli.main import COMMANDS

    for module, _ in COMMANDS.values():
        import_module(module)
    for module in ("cli.desk", "station.core", "station.booking", "usecases.lists"):
        import_module(f"mes_terminal.{module}")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
