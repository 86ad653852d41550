"""Pauses after faults."""

from mes_terminal.upstream.backoff import ASKED_MAX_S, CAP_S, FIRST_S, LEAST_S, Backoff


def test_pauses_grow_to_a_minute_and_no_further() -> None:
    """UP-4: exponential, cap 60 s."""
    backoff = Backoff(lambda: 0.999999)
    pauses = [backoff.failed(0.0) for _ in range(40)]
    assert [round(pause, 1) for pause in pauses[:4]] == [0.5, 1.0, 2.0, 4.0]
    assert pauses == sorted(pauses)
    assert round(pauses[-1]) == CAP_S


def test_chance_spreads_a_pause_over_its_whole_length() -> None:
    """UP-4: full jitter, and never no pause at all."""
    for share, expected in ((0.0, LEAST_S), (0.5, 16.0), (0.25, 8.0)):
        backoff = Backoff(lambda share=share: share)  # type: ignore[misc]
        for _ in range(6):
            backoff.failed(0.0)
        assert backoff.failed(100.0) == expected
        assert backoff.due_s == 100.0 + expected


def test_success_forgets_every_failure() -> None:
    """UP-4: the next fault begins with the shortest pause again."""
    backoff = Backoff(lambda: 0.999999)
    for _ in range(10):
        backoff.failed(0.0)
    backoff.went_well()
    assert (backoff.failures, backoff.due_s) == (0, 0.0)
    assert backoff.failed(0.0) <= FIRST_S


def test_what_the_server_asks_for_is_waited_for() -> None:
    """UP-4: 429 with Retry-After; more than an hour is a mistake."""
    backoff = Backoff(lambda: 0.5)
    assert backoff.failed(0.0, asked_s=120.0) == 120.25
    assert backoff.failed(0.0, asked_s=1e9) == ASKED_MAX_S + 0.5
    assert backoff.failed(0.0, asked_s=-5.0) == 1.0


def test_hurrying_tries_at_once_and_forgets_nothing() -> None:
    """`sync` tries now; where it fails again, the pause is as long as it would have been."""
    backoff = Backoff(lambda: 0.999999)
    for _ in range(4):
        backoff.failed(0.0)
    backoff.hurry()
    assert backoff.due_s == 0.0
    assert backoff.failed(0.0) > 7.0


def test_calls_that_fail_together_are_one_failure() -> None:
    """UP-4: four calls under way when the cable is pulled; one that is begun later counts again."""
    backoff = Backoff(lambda: 0.999)
    waits = [backoff.failed(now_s, begun_s=9.0) for now_s in (10.0, 10.1, 10.2, 10.3)]
    assert backoff.failures == 1
    assert waits[0] <= FIRST_S
    assert all(10.0 <= now_s + wait_s <= 10.0 + FIRST_S + 0.4 for now_s, wait_s in zip(
        (10.0, 10.1, 10.2, 10.3), waits, strict=True
    ))  # fmt: skip
    backoff.failed(11.0, begun_s=10.5)
    assert backoff.failures == 2
