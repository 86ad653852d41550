"""Real servers for tests: those of the demo, and an MQTT broker.

Each can be killed and started again on the same port and data. Where the program of one is not
installed, `missing` says so and the test is skipped.
"""

import os
import shutil
from collections.abc import Sequence

from mes_terminal.cli.local_servers import LocalServer as Server
from mes_terminal.cli.local_servers import NatsServer, Postgres, free_port

__all__ = ["Mosquitto", "NatsServer", "Postgres", "Server", "free_port"]


class Mosquitto(Server):
    """An MQTT broker that writes its sessions and messages to disk every second."""

    name = "mosquitto"

    @classmethod
    def missing(cls) -> str | None:
        return None if shutil.which("mosquitto") else "mosquitto is not installed"

    def prepare(self) -> None:
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {self.folder}/\nautosave_interval 1\n"
            "max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n"
            + ("user root\n" if os.getuid() == 0 else "")
        )

    def command(self) -> Sequence[str]:
        return ["mosquitto", "-c", str(self.folder / "mosquitto.conf")]

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"mqtt://127.0.0.1:{self.port}"
