"""A receiver that keeps everything in memory, for tests of the doors."""

from collections.abc import Sequence

from mes_terminal.domain.delivery import Answer, Greeting, Hello
from mes_terminal.site.doors import SiteBusyError
from mes_terminal.upstream.wire import key_of


class MemoryInbox:
    """Accepts each posting once. `busy`: how often it says first that it has no time."""

    def __init__(self, *, busy: int = 0) -> None:
        self.bodies: dict[tuple[str, str, int], bytes] = {}
        self.batches: list[int] = []
        self.busy = busy

    def take(self, bodies: Sequence[bytes]) -> list[Answer]:
        self._work()
        self.batches.append(len(bodies))
        return [self._take(body) for body in bodies]

    def ask(
        self, source: str, epoch: str, sequences: Sequence[int]
    ) -> tuple[list[Answer], list[int]]:
        self._work()
        known = [each for each in sequences if (source, epoch, each) in self.bodies]
        return (
            [_accepted(source, epoch, each, repeated=True) for each in known],
            [each for each in sequences if each not in known],
        )

    def greet(self, hello: Hello) -> Greeting:
        self._work()
        return Greeting(receiver="memory", watermark=len(self.bodies), highest=len(self.bodies))

    def _work(self) -> None:
        if self.busy:
            self.busy -= 1
            raise SiteBusyError("The database is away.", retry_after_s=7)

    def _take(self, body: bytes) -> Answer:
        key = key_of(body)
        if key is None:
            return Answer(
                source="", epoch="", sequence=0, outcome="refused", reason="malformed",
                sentence="Nobody can read this.",
            )  # fmt: skip
        number = int(key.sequence)
        repeated = (key.source, key.epoch, number) in self.bodies
        self.bodies[key.source, key.epoch, number] = body
        return _accepted(key.source, key.epoch, number, repeated=repeated)


def _accepted(source: str, epoch: str, sequence: int, *, repeated: bool) -> Answer:
    return Answer(
        source=source, epoch=epoch, sequence=sequence, outcome="accepted",
        document=f"M{sequence}", repeated=repeated,
    )  # fmt: skip
