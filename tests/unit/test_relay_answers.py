"""The relay and what a receiver answers: about others, at length, not now."""

import asyncio

import msgspec

from mes_terminal.upstream.relay import PUT_OFF
from mes_terminal.upstream.wire import SENTENCE_MAX
from tests.memory_outbox import MemoryOutbox
from tests.unit.relay_wire import Wire, played, running, until_drained


def test_lanes_that_are_put_off_are_tried_ever_more_seldom() -> None:
    """UP-4: side by side as well, where each of them has one posting and that is on its way."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire(batch_max=100, parallel_max=4, delay_ms=500)
        wire.alters = lambda answer: msgspec.structs.replace(answer, outcome="deferred")
        for lane in range(20):
            outbox.post(f"WO-{lane}")
        async with running(outbox, wire):
            await asyncio.sleep(600)
            begun = len(wire.batches)
            await asyncio.sleep(600)
            assert len(wire.batches) - begun < 20 * 40  # half a minute each, and not a second
        assert outbox.status("waiting") == list(range(1, 21))
        assert all(row.attempts > 20 for row in outbox.rows.values())
        assert {row.last_error for row in outbox.rows.values()} == {PUT_OFF}

    played(story)


def test_an_answer_about_another_station_is_none() -> None:
    """UP-2: the key is source, epoch and sequence; a posting without an answer is sent again."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        outbox.post("WO-1")
        wire.alters = lambda answer: msgspec.structs.replace(answer, source="urn:mes-terminal:S:X")
        async with running(outbox, wire) as relay:
            await asyncio.sleep(100)
            assert (relay.delivered, relay.is_drained) == (0, False)
            assert "Postings wait." in (relay.state.last_error or "")
            assert outbox.status("waiting") == [1]
            wire.alters = lambda answer: answer
            await until_drained(relay)
            assert relay.delivered == 1
        assert outbox.status("delivered") == [1]

    played(story)


def test_of_what_a_receiver_says_a_line_is_kept() -> None:
    """UP-8: its outcome and document number, and not a page of it with each posting."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        outbox.post("WO-1")
        page = "Traceback\n" * 10_000
        wire.alters = lambda answer: msgspec.structs.replace(
            answer, outcome="refused", reason=page, sentence=page, document=page
        )
        async with running(outbox, wire) as relay:
            await until_drained(relay)
        assert outbox.status("refused") == [1]
        (kept,) = outbox.noted
        texts = (kept.reason, kept.sentence, kept.document)
        assert all(text is not None and len(text) <= SENTENCE_MAX for text in texts)
        assert all(text is not None and text.startswith("Traceback Trace") for text in texts)

    played(story)
