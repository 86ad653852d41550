"""A receiver in a process of its own, to be killed: one door before the site's inbox.

`python -m tests.upstream.receiver_process '{"kind": "http", "site": {...}}'` says `ready` when it
takes postings. `die_after_commits`: it dies, as a power cut would end it, when so many batches are
committed and the last of them is not answered.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import msgspec

from mes_terminal import logs
from mes_terminal.domain.delivery import Answer, Greeting, Hello
from mes_terminal.settings.upstream_tables import SiteTable
from mes_terminal.site.database import open_database
from mes_terminal.site.doors import Offers, folder
from mes_terminal.site.down import DownRoad
from mes_terminal.site.inbox import Inbox


class Wanted(msgspec.Struct):
    """What the process is to be."""

    kind: str
    site: SiteTable
    die_after_commits: int | None = None


class DyingInbox:
    """The site's inbox, until it dies."""

    def __init__(self, inbox: Inbox, die_after_commits: int | None) -> None:
        self._inbox = inbox
        self._left = die_after_commits

    def take(self, bodies: Sequence[bytes]) -> list[Answer]:
        answers = self._inbox.take(bodies)
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return answers

    def ask(
        self, source: str, epoch: str, sequences: Sequence[int]
    ) -> tuple[list[Answer], list[int]]:
        return self._inbox.ask(source, epoch, sequences)

    def greet(self, hello: Hello) -> Greeting:
        return self._inbox.greet(hello)


async def main(wanted: Wanted) -> None:
    """Open the door until told to stop."""
    logs.write_to(sys.stderr)
    database = open_database(wanted.site)
    await asyncio.to_thread(database.migrate)
    stopping, ready = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    inbox = DyingInbox(Inbox(database), wanted.die_after_commits)
    if wanted.kind == "file":
        serving = folder.serve(inbox, [Path(each) for each in wanted.site.folders], stopping)
        ready.set()
    else:
        serving = import_module(f"mes_terminal.site.doors.{wanted.kind}").serve(
            inbox, wanted.site, stopping, offers=Offers(down=DownRoad(database)), ready=ready
        )
    door = asyncio.create_task(serving)
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((door, waiting), return_when=asyncio.FIRST_COMPLETED)
    if not door.done():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
    waiting.cancel()
    await door
    database.close()


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Wanted)))
