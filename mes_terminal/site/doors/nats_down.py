"""What goes down over NATS: the newest document of each key, in a key/value bucket (UP-9)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import nats.js.errors
from nats.js import api

from mes_terminal import logs
from mes_terminal.domain.delivery import DownDocument
from mes_terminal.site.doors import SiteBusyError
from mes_terminal.upstream.connectors.addresses import DOWN_BUCKET, word_of
from mes_terminal.upstream.wire import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.js import JetStreamContext
    from nats.js.kv import KeyValue

    from mes_terminal.site.doors import Down

LIMIT: Final = 500
"""Documents that are read together."""
LOOK_S: Final = 30.0
"""How often the documents are looked at even if nobody said that they changed."""
LOAD_MAX_S: Final = 30.0


async def make_bucket(stream: JetStreamContext, replicas: int) -> KeyValue:
    """Return the bucket, made where it is missing, with so many replicas."""
    try:
        bucket = await stream.key_value(DOWN_BUCKET)
    except nats.js.errors.NotFoundError:
        return await stream.create_key_value(
            api.KeyValueConfig(
                bucket=DOWN_BUCKET,
                description="What stations are to know: the newest document of each key",
                history=1,
                storage=api.StorageType.FILE,
                replicas=replicas,
            )
        )
    config = (await bucket.status()).stream_info.config
    if config.num_replicas != replicas:
        config.num_replicas = replicas
        await stream.update_stream(config)
    return bucket


class Entry(NamedTuple):
    """What the bucket has under a key."""

    key: str
    revision: int
    version: int


async def fill_bucket(bucket: KeyValue, down: Down, stopping: asyncio.Event) -> None:
    """Put every new document into the bucket, in order of version, until told to stop; what the
    site has no longer, since its database was made anew, is taken out first."""
    entries = await _entries(bucket)
    after = max((each.version for each in entries), default=0)
    is_swept = False
    while not stopping.is_set():
        changed = down.changed()
        try:
            documents = await asyncio.to_thread(down.fetch, None, after, LIMIT)
            if not is_swept:
                gone = await asyncio.to_thread(down.gone, [each.version for each in entries])
                await _take_out(bucket, [each for each in entries if each.version in gone])
                is_swept = True
        except SiteBusyError as error:
            logs.write("site.nats", busy=error.sentence)
            await asyncio.sleep(error.retry_after_s)
            continue
        for document in documents:
            await bucket.put(word_of(document.key), msgspec.json.encode(document))
            after = document.version
        if not documents:
            await asyncio.wait((changed,), timeout=LOOK_S)


async def _take_out(bucket: KeyValue, entries: Sequence[Entry]) -> None:
    """Take keys out, but for those that have another document by now."""
    for each in entries:
        with contextlib.suppress(nats.js.errors.KeyWrongLastSequenceError):
            await bucket.delete(each.key, last=each.revision)


async def _entries(bucket: KeyValue) -> list[Entry]:
    """Return what the bucket has. Documents are put in order, so none below its highest version is
    missing."""
    found: list[Entry] = []
    watcher = await bucket.watchall()
    try:
        while (entry := await watcher.updates(LOAD_MAX_S)) is not None:  # type: ignore[no-untyped-call]
            if entry.operation is None and entry.value and entry.revision is not None:
                with contextlib.suppress(*UNREADABLE):  # not ours
                    document = msgspec.json.decode(entry.value, type=DownDocument)
                    found.append(Entry(entry.key, entry.revision, document.version))
    finally:
        await watcher.stop()  # type: ignore[no-untyped-call]
    return found
