"""How long the HTTP connector waits for an answer: by how long answers take (UP-4)."""

from functools import partial

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import HttpConnectorTable
from mes_terminal.upstream.connectors.http import HttpConnector
from mes_terminal.upstream.connectors.patience import LEAST_S, MOST_S, Patience
from tests.upstream.made_postings import made

TIMES = st.floats(0.0, 100.0)


def test_a_receiver_that_is_well_is_waited_for_shortly() -> None:
    patience = Patience()
    assert patience.wait_s == LEAST_S
    for _ in range(100):
        patience.answered(0.05)
    assert patience.wait_s == LEAST_S


def test_a_slow_receiver_is_given_its_time() -> None:
    """Answers of eight seconds are not asked for again after five."""
    patience = Patience()
    for _ in range(20):
        patience.answered(8.0)
    assert 8.0 < patience.wait_s < MOST_S


def test_each_silence_doubles_the_wait_once_however_many_waited() -> None:
    patience = Patience()
    for _ in range(4):
        patience.silent(LEAST_S)
    assert patience.wait_s == 2 * LEAST_S
    patience.silent(2 * LEAST_S)
    patience.silent(4 * LEAST_S)
    assert patience.wait_s == MOST_S


def test_an_answer_after_a_silence_is_learnt_from() -> None:
    patience = Patience()
    patience.answered(0.05)
    patience.silent(LEAST_S)
    patience.answered(0.05)
    assert patience.wait_s == LEAST_S


@given(st.lists(st.tuples(st.booleans(), TIMES)))
def test_it_stays_within_its_bounds(told: list[tuple[bool, float]]) -> None:
    patience = Patience()
    for answered, seconds in told:
        if answered:
            patience.answered(seconds)
        else:
            patience.silent(patience.wait_s)
        assert LEAST_S <= patience.wait_s <= MOST_S


@given(st.floats(0.0, MOST_S / 2), st.integers(1, 50))
def test_answers_that_always_take_as_long_are_waited_for(took_s: float, times: int) -> None:
    patience = Patience()
    for _ in range(times):
        patience.answered(took_s)
    assert patience.wait_s >= 2 * took_s


class Network(httpx.AsyncBaseTransport):
    """Swallows requests, or answers what no receiver does; notes how long each was to wait."""

    def __init__(self) -> None:
        self.swallows = True
        self.waits_s: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.waits_s.append(request.extensions["timeout"]["read"])
        if self.swallows:
            raise httpx.ReadTimeout("nothing came", request=request)
        return httpx.Response(500, stream=httpx.ByteStream(b"{}"))


async def test_postings_that_were_swallowed_are_asked_for_sooner_than_a_slow_receiver_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """UP-4: five seconds, then more and more; five again when it answers."""
    network = Network()
    client = partial(httpx.AsyncClient, transport=network)
    monkeypatch.setattr("mes_terminal.upstream.connectors.http.httpx.AsyncClient", client)
    connector = HttpConnector("http://site", HttpConnectorTable(), "urn:mes-terminal:P:S")
    for swallows in (True, True, True, True, False, True):
        network.swallows = swallows
        with pytest.raises(TransportError):
            await connector.deliver(made(1))
    assert network.waits_s == [5.0, 10.0, 20.0, 30.0, 30.0, 5.0]
    await connector.close()
