"""Calls of Tryton: exact numbers, one session, and three kinds of failure that are never mixed."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mes_terminal.errors import StationError, TransportError
from mes_terminal.site.tryton.bridge import BACK_OFF_CAP_S, back_off_s
from mes_terminal.site.tryton.client import ErpDeniedError, ErpRefusedError, TrytonClient

Answer = Callable[[dict[str, Any]], httpx.Response]


def result(value: Any) -> httpx.Response:
    return httpx.Response(200, json={"id": 0, "result": value})


def error(*value: Any) -> httpx.Response:
    return httpx.Response(200, json={"id": 0, "error": list(value)})


class Tryton:
    """A server that answers every call in the same way, but log-ins, and keeps what it got."""

    def __init__(self, answer: Answer | httpx.Response) -> None:
        self.answer = answer
        self.calls: list[str] = []
        self.sessions: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content, parse_float=Decimal)
        self.calls.append(asked["method"])
        self.sessions.append(request.headers.get("Authorization"))
        match asked["method"]:
            case "common.db.login":
                return result([1, f"token{len(self.calls)}", None])
            case "model.res.user.get_preferences":
                return result({"company": 3, "language": "en", "groups": [1]})
        return self.answer(asked) if callable(self.answer) else self.answer


def client(tryton: Tryton) -> TrytonClient:
    return TrytonClient(
        "http://erp", "db", "bridge", "secret words", transport=httpx.MockTransport(tryton)
    )


def fails(answer: httpx.Response) -> StationError:
    with pytest.raises(StationError) as found:
        client(Tryton(answer)).call("model.production.do", [1])
    return found.value


def test_numbers_are_exact_both_ways() -> None:
    """No floating-point number comes near a quantity."""
    seen: list[Any] = []

    def answer(asked: dict[str, Any]) -> httpx.Response:
        seen.append(asked["params"])
        return httpx.Response(200, content=b'{"id":0,"result":[{"quantity":0.1}]}')

    found = client(Tryton(answer)).call("model.stock.move.write", {"quantity": Decimal("0.30")})
    assert found == [{"quantity": Decimal("0.1")}]
    assert seen == [[{"quantity": Decimal("0.30")}, {"company": 3, "language": "en"}]]


def test_a_forgotten_session_is_begun_again_and_the_call_made_once_more() -> None:
    """A restarted server knows no session."""
    tryton = Tryton(httpx.Response(401))

    def answer(asked: dict[str, Any]) -> httpx.Response:
        if tryton.calls.count("model.production.do") == 1:
            return httpx.Response(401)
        return result(True)

    tryton.answer = answer
    assert client(tryton).call("model.production.do", [1]) is True
    assert tryton.calls.count("common.db.login") == 2
    assert len(set(filter(None, tryton.sessions))) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(502),
        httpx.Response(404),
        httpx.Response(200, content=b"<html>"),
        error("ConcurrencyException", "changed"),
        error("server closed the connection", "Traceback ... psycopg.OperationalError: gone"),
    ],
)
def test_what_nobody_knows_the_end_of_is_tried_again(answer: httpx.Response) -> None:
    """UP-4: transport faults are tried for ever."""
    assert isinstance(fails(answer), TransportError)


def test_a_server_that_asks_for_patience_gets_it() -> None:
    """UP-4: 429 with Retry-After."""
    found = fails(httpx.Response(429, headers={"Retry-After": "7"}))
    assert isinstance(found, TransportError)
    assert found.retry_after_s == 7


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (
            error("UserError", ["The period is closed.", "", None]),
            "erp_refused",
            "period is closed",
        ),
        (error("UserWarning", ["a.b", "In the future.", "Really?"]), "erp_refused", "Really?"),
        (error("'nothing'", "Traceback ... KeyError: 'nothing'"), "erp_failed", "'nothing'"),
    ],
)
def test_what_tryton_says_no_to_is_a_refusal_with_its_words(
    answer: httpx.Response, reason: str, said: str
) -> None:
    """UP-4: a business refusal is for a person; what Tryton chokes on holds up its own order."""
    found = fails(answer)
    assert isinstance(found, ErpRefusedError)
    assert found.reason == reason
    assert said in found.sentence


def test_who_may_not_is_neither_tried_blindly_nor_a_refusal_of_the_posting() -> None:
    """A matter of the bridge's user; its password is in no sentence."""
    assert isinstance(fails(httpx.Response(403)), ErpDeniedError)
    locked = TrytonClient(
        "http://erp", "db", "bridge", "secret words",
        transport=httpx.MockTransport(lambda _: httpx.Response(401)),
    )  # fmt: skip
    with pytest.raises(ErpDeniedError) as found:
        locked.log_in()
    assert "secret" not in found.value.sentence


def test_a_connection_that_breaks_is_a_transport_fault() -> None:
    """The one sentence says that Tryton cannot be reached."""

    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    away = TrytonClient("http://erp", "db", "u", "p", transport=httpx.MockTransport(broken))
    with pytest.raises(TransportError, match="cannot be reached"):
        away.call("model.production.do", [1])


def test_waiting_grows_up_to_a_cap_and_obeys_what_was_asked() -> None:
    """UP-4: exponential, full jitter, cap 60 s, Retry-After."""
    assert [back_off_s(n, None, chance=1.0) for n in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert back_off_s(50, None, chance=1.0) == BACK_OFF_CAP_S
    assert back_off_s(3, None, chance=0.0) == 0
    assert back_off_s(1, 9.0, chance=0.1) == 9
