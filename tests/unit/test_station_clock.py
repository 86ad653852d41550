"""Ids: UUIDv7 that only grow, whatever the clock does."""

import uuid
from itertools import chain, pairwise, repeat

from mes_terminal.station.clock import IdMaker


def test_an_id_is_a_uuid_of_version_7_with_its_time() -> None:
    made = uuid.UUID(IdMaker(lambda: 0x0199_1234_5678)())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 0x0199_1234_5678


def test_ids_of_one_millisecond_grow() -> None:
    new_id = IdMaker(lambda: 1_000)
    made = [new_id() for _ in range(10_000)]
    assert all(earlier < later for earlier, later in pairwise(made))


def test_ids_grow_when_the_clock_steps_back() -> None:
    """BF-33: order is by sequence, not by clock; ids must not contradict it."""
    readings = chain([5_000, 5_000, 1_000, 4_999], repeat(5_001))
    new_id = IdMaker(lambda: next(readings))
    made = [new_id() for _ in range(6)]
    assert made == sorted(made)
    assert len(set(made)) == 6


def test_the_counter_overflows_into_the_next_millisecond() -> None:
    new_id = IdMaker(lambda: 7, lambda bits: 2**bits - 1)
    made = [uuid.UUID(new_id()) for _ in range(5_000)]
    assert all(one.version == 7 for one in made)
    assert len(set(made)) == 5_000
    assert made == sorted(made)
