"""Servers of one's own end with whoever started them, whatever fails meanwhile."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from mes_terminal.cli import local_servers
from mes_terminal.cli.demo_site import DemoSite
from mes_terminal.cli.local_servers import LocalServer
from mes_terminal.errors import InputError


class Deaf(LocalServer):
    """A server that runs and never answers."""

    name = "deaf"
    made: subprocess.Popen[bytes]

    @classmethod
    def missing(cls) -> str | None:
        return None

    def command(self) -> Sequence[str]:
        return ["sleep", "600"]

    def answers(self) -> bool:
        assert self._process is not None
        self.made = self._process
        return False


def test_a_server_that_does_not_answer_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_servers, "READY_MAX_S", 0.0)
    server = Deaf(tmp_path / "deaf")
    with pytest.raises(InputError, match="deaf does not start"):
        server.start()
    assert server.made.poll() is not None


class Part:
    """A part of the demo that may not end."""

    def __init__(self, stopped: list[str], name: str, fault: Exception | None = None) -> None:
        self.stopped, self.name, self.fault = stopped, name, fault

    def stop(self) -> None:
        self.stopped.append(self.name)
        if self.fault is not None:
            raise self.fault


def test_a_part_of_the_demo_that_does_not_end_leaves_no_server_behind(tmp_path: Path) -> None:
    stopped: list[str] = []
    site = cast("Any", DemoSite(tmp_path))
    site._second = Part(stopped, "second", fault=subprocess.TimeoutExpired("core", 10))
    site._nats = Part(stopped, "nats", fault=subprocess.TimeoutExpired("nats-server", 30))
    site._postgres = Part(stopped, "postgres")
    with pytest.raises(subprocess.TimeoutExpired):
        site.stop()
    assert stopped == ["second", "nats", "postgres"]
