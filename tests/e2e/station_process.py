"""A station as a process of its own, for tests: commands, a core, and a small plant.

The plant: `CHAIR` takes 4 `LEG` (lot-tracked) and 1 `SEAT`; `WO-1` makes 10, all of it covered.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from functools import cache
from pathlib import Path
from typing import Any

from tests.e2e.zygote import Zygote

PATIENCE_S = 30.0

PLANT = {
    "items": "item,tracking,kind\nCHAIR,lot,manufactured\nLEG,lot,purchased\nSEAT,none,purchased\n",
    "boms": "item,revision\nCHAIR,A\n",
    "bom_lines": "item,revision,line,component,quantity\nCHAIR,A,10,LEG,4\nCHAIR,A,20,SEAT,1\n",
    "work_orders": "work_order,item,quantity,status\nWO-1,CHAIR,10,released\n"
    "WO-2,CHAIR,5,released\n",
    "receipts": "reference,item,lot,location,quantity,effective_at\n"
    "R-1,LEG,L-1,LINE,100,2026-01-01\nR-2,SEAT,,LINE,100,2026-01-01\n",
    "operators": "badge,name,role\nOP-1,Anna,operator\nSUP-1,Bert,supervisor\n",
}


@cache
def zygote() -> Zygote:
    """Return what runs the commands of this test process."""
    return Zygote()


class Process(subprocess.Popen[bytes]):
    """A process that a failed test does not wait for."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


class Station:
    """One database in a folder of its own, and what is run on it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        self.database = folder / "station.db"
        runtime = tempfile.mkdtemp(prefix="mt-")  # short: a socket's path has 107 bytes
        weakref.finalize(self, shutil.rmtree, runtime, ignore_errors=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if "MES_TERMINAL" not in name},
            "XDG_CONFIG_HOME": str(folder / "home"),
            "XDG_DATA_HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": runtime,
            "TZ": "Europe/Berlin",
            "MES_TERMINAL_ALARMS__DISK_RESERVE_MB": "1",
            **environment,
        }

    def command(self, *words: str | bytes) -> list[str | bytes]:
        return [sys.executable, "-m", "mes_terminal", "--db", str(self.database), *words]

    def start(self, *words: str | bytes, **options: Any) -> "subprocess.Popen[bytes]":
        process = Process(
            self.command(*words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            cwd=self.folder,
            **options,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End what a failed test left running."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None and not stream.closed:
                    stream.close()

    def run(
        self, *words: str | bytes, given: bytes = b"", code: int = 0
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a command to its end and check its exit code."""
        done = zygote().run(
            ["--db", str(self.database), *words],
            given=given,
            environment=self.environment,
            cwd=self.folder,
            timeout_s=PATIENCE_S,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """Return a list's rows."""
        found: list[dict[str, Any]] = json.loads(self.run(*words, "--json").stdout)
        return found

    def scan(self, *words: str | bytes, given: bytes = b"", code: int = 0) -> list[dict[str, Any]]:
        """Return the outcomes of `scan --json`."""
        done = self.run("scan", "--json", *words, given=given, code=code)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def load_plant(self) -> None:
        """Load the small plant."""
        folder = self.folder / "plant"
        folder.mkdir()
        for name, text in PLANT.items():
            (folder / f"{name}.csv").write_text(text)
        self.run("load", str(folder))

    def start_core(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a core and wait until it says that it is ready."""
        core = self.start("core", *words)
        assert core.stderr is not None
        for line in core.stderr:
            if b" core.ready " in line:
                return core
        raise AssertionError(core.wait(PATIENCE_S))
