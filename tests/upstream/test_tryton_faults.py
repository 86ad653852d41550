"""A bridge that dies at any call, a Tryton that is killed, and what Tryton refuses (UP-4, UP-7)."""

import json
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from mes_terminal.site.conflicts import end_conflict
from tests.upstream.tryton_fixtures import Running, Tryton, work_off

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]

CALLS_MAX = 60
TURNS_MAX = 40
"""More turns than a bridge takes for the first receipts and a report, with one call lost."""
LOG_IN_CALLS = 2


class Killed(BaseException):
    """The process is gone: nothing of ours runs after it."""


class Dying(httpx.BaseTransport):
    """Makes the calls of a bridge, and kills it before or after one of them."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._inner = httpx.HTTPTransport()
        self._left = at
        self._after = after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        response = self._inner.handle_request(request)
        if self._left == 0:
            response.read()
            raise Killed
        return response


class Deaf(Dying):
    """As it, but the bridge lives: it hears nothing (a time-out), or 500 from what stands between,
    or the server has forgotten its session and does not make the call; by turns."""

    def __init__(self, at: int) -> None:
        super().__init__(at, after=True)
        self._fault = ("time-out", "500", "session")[at % 3]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._left == 1 and self._fault == "session":
            request.headers["Authorization"] = "Session " + "bWVzOjE6eA=="
            self._left = 0
            return self._inner.handle_request(request)
        try:
            return super().handle_request(request)
        except Killed as error:
            if self._fault == "500":
                return httpx.Response(500, request=request)
            raise httpx.ReadTimeout("timed out", request=request) from error


class Overtaken(httpx.BaseTransport):
    """Makes the calls of a bridge that stands still before one of them while another bridge, which
    has got its lock, does everything."""

    def __init__(self, tryton: Tryton, method: str) -> None:
        self._inner = httpx.HTTPTransport()
        self._tryton = tryton
        self._method = f'"model.{method}"'.encode()
        self.is_overtaken = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._method in request.content and not self.is_overtaken:
            self.is_overtaken = True
            work_off(self._tryton.new_bridge())
        return self._inner.handle_request(request)


class Counted(httpx.BaseTransport):
    """Makes the calls of a bridge and counts them."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.calls: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.calls[json.loads(request.content)["method"]] += 1
        return self._inner.handle_request(request)


def several(tryton: Tryton, four: str) -> None:
    tryton.scan("%QTY 2", four, "%QTY 1", four)


def taken_back(tryton: Tryton, four: str) -> None:
    tryton.scan("%QTY 3", four)
    tryton.send()
    tryton.scan(f"%UNDO {four} 1", badge="SUP")


def moved(tryton: Tryton, four: str) -> None:
    tryton.scan("%QTY 1", "%SCRAP bent", "LEG|L-2")


def ended(tryton: Tryton, four: str) -> None:
    tryton.scan(tryton.next_order())


def opened_again(tryton: Tryton, four: str) -> None:
    order = tryton.next_order()
    tryton.scan(order)
    tryton.send()
    tryton.scan(f"%UNDO {order}", badge="SUP")


@pytest.mark.parametrize("what", [several, taken_back, moved, ended, opened_again])
def test_a_bridge_that_dies_at_any_call_doubles_and_loses_nothing(
    tryton: Tryton, what: Callable[[Tryton, str], None]
) -> None:
    """UP-7: call after call, before or after it; a fresh bridge asks what is there and goes on."""
    four = tryton.plant.order("CHAIR-4", 90)
    tryton.send()
    for at in range(LOG_IN_CALLS + 1, CALLS_MAX):
        what(tryton, four)
        tryton.take_in()
        try:
            work_off(tryton.new_bridge(Dying(at, after=at % 2 == 0)))
        except Killed:
            work_off(tryton.new_bridge())
        else:
            break
    assert at > 5, "a bridge makes more calls than that"
    tryton.assert_equal()
    for model in ("production", "stock.shipment.internal"):
        rows = tryton.client.search(model, [("reference", "like", "mes:%")], ["reference"])
        times = Counter(row["reference"] for row in rows)
        assert not [reference for reference in times if times[reference] > 1]
    assert {status for rows in tryton.statuses().values() for status, _ in rows} == {"done"}


def test_a_call_whose_answer_is_lost_is_asked_for_and_not_made_twice(tryton: Tryton) -> None:
    """UP-4, UP-7: the same bridge; a time-out, a 500 or a lost session at each call in turn, those
    that log in too."""
    four = tryton.plant.order("CHAIR-4", 90)
    for at in range(1, 14):
        tryton.scan("%QTY 2", four)
        tryton.take_in()
        bridge = tryton.new_bridge(Deaf(at))
        turns = 0
        while tryton.states() != {"done"}:
            bridge.turn()
            turns += 1
            assert turns < TURNS_MAX, tryton.statuses()
    assert tryton.conflicts() == [], "none of it is a refusal"
    tryton.assert_equal()
    assert tryton.plant.planned(four)["CHAIR-4"] == 90 - 26


@pytest.mark.parametrize("number", [1, 2])
def test_two_bridges_at_once_double_and_lose_nothing(tryton: Tryton, number: int) -> None:
    """UP-7: one that lost its lock in mid call and does not know it, before each step of one report
    and of two at once."""
    four = tryton.plant.order("CHAIR-4", 90)
    tryton.send()
    steps = ["create", "write", "wait", "assign_force", "run", "do"]
    for step in steps:
        tryton.scan(*["%QTY 2", four] * number)
        tryton.take_in()
        overtaken = Overtaken(tryton, f"production.{step}")
        bridge = tryton.new_bridge(overtaken)
        turns = 0
        while not overtaken.is_overtaken or tryton.states() != {"done"}:
            bridge.turn()
            turns += 1
            assert turns < TURNS_MAX, tryton.statuses()
        tryton.assert_equal()
    assert tryton.conflicts() == []
    assert tryton.plant.planned(four)["CHAIR-4"] == 90 - 2 * number * len(steps)


def test_reports_that_wait_go_in_one_call_of_each_step(tryton: Tryton) -> None:
    """Twelve reports of two orders that waited: each button is pressed once for all of them; one
    that Tryton refuses takes no other with it (UP-3, UP-4)."""
    four, wide = (tryton.plant.order(item, 50) for item in ("CHAIR-4", "CHAIR-W"))
    tryton.send()
    tryton.scan(*["%QTY 2", four, "%QTY 1", wide] * 6)
    tryton.take_in()
    counted = Counted()
    work_off(tryton.new_bridge(counted))
    for step in ("create", "wait", "assign_force", "run", "do"):
        assert counted.calls[f"model.production.{step}"] == 1
    tryton.assert_equal()
    tryton.plant.press(wide, "cancel")
    tryton.scan(*["%QTY 2", four, "%QTY 1", wide] * 2)
    tryton.send()
    assert tryton.statuses()[four] == [("done", None)] * 8
    assert tryton.statuses()[wide][6:] == [("refused", "order_closed"), ("waiting", None)]
    tryton.plant.press(wide, "draft", "wait")
    tryton.forget_tries()
    tryton.send()
    tryton.assert_equal()
    assert tryton.plant.planned(four)["CHAIR-4"] == 50 - 16


def test_a_refused_posting_holds_up_its_own_order_only(tryton: Tryton) -> None:
    """A production that was cancelled in Tryton; the other order goes on; set back to draft there,
    the postings go in their order (UP-3, UP-4)."""
    four = tryton.plant.order("CHAIR-4", 20)
    wide = tryton.plant.order("CHAIR-W", 20)
    tryton.scan("%QTY 2", four)
    tryton.send()
    tryton.plant.press(four, "cancel")
    tryton.scan("%QTY 3", four, "%QTY 4", wide, "%QTY 5", four)
    tryton.send()
    assert tryton.statuses() == {
        four: [("done", None), ("refused", "order_closed"), ("waiting", None)],
        wide: [("done", None)],
    }
    told = tryton.conflicts()
    assert [(kind, state) for _, kind, state, _ in told] == [("erp_refused", "open")]
    assert f"Production {four} is cancelled in Tryton" in told[0][3]
    tryton.plant.press(four, "draft", "wait")
    tryton.forget_tries()
    tryton.send()
    assert tryton.statuses()[four] == [("done", None)] * 3
    assert [state for _, _, state, _ in tryton.conflicts()] == ["ended"]
    tryton.assert_equal()


def test_what_uses_material_that_was_refused_waits_for_it(tryton: Tryton) -> None:
    """UP-3: a chair that Tryton has not heard of yet cannot be scrapped there; another order goes
    on. A bridge that starts anew knows it too."""
    four = tryton.plant.order("CHAIR-4", 20)
    wide = tryton.plant.order("CHAIR-W", 20)
    tryton.send()
    tryton.plant.press(four, "cancel")
    tryton.scan("%QTY 3", four)
    tryton.send()
    tryton.scan("%QTY 1", "%SCRAP bent", f"CHAIR-4|{four}", "%QTY 4", wide)
    tryton.send()
    expected = {
        four: [("refused", "order_closed")],
        "CHAIR-4": [("waiting", None)],
        wide: [("done", None)],
    }
    assert tryton.statuses() == expected
    tryton.scan("%QTY 1", "%SCRAP bent", f"CHAIR-4|{four}")
    tryton.send()
    assert tryton.statuses() == expected | {"CHAIR-4": [("waiting", None)] * 2}
    tryton.plant.press(four, "draft", "wait")
    tryton.forget_tries()
    tryton.send()
    assert {status for rows in tryton.statuses().values() for status, _ in rows} == {"done"}
    tryton.assert_equal()


def test_a_closed_period_is_refused_by_its_name_and_opened_it_goes_on(tryton: Tryton) -> None:
    """UP-4: period closed is a business refusal."""
    four = tryton.plant.order("CHAIR-4", 20)
    tryton.floor.clock -= tryton.two_days
    tryton.scan("%QTY 3", four)
    period = tryton.close_period()
    tryton.send()
    assert tryton.statuses()[four] == [("refused", "period_closed")]
    tryton.client.press("stock.period", "draft", period)
    tryton.forget_tries()
    tryton.send()
    assert tryton.statuses()[four] == [("done", None)]
    tryton.assert_equal()


def test_a_report_taken_back_before_it_came_to_tryton_never_goes_there(tryton: Tryton) -> None:
    """UP-4: mend and retry, or reverse; the refused one and its reversal leave nothing."""
    four = tryton.plant.order("CHAIR-4", 20)
    assert tryton.floor
    tryton.plant.press(four, "cancel")
    tryton.scan("%QTY 3", four)
    tryton.send()
    assert tryton.statuses()[four] == [("refused", "order_closed")]
    tryton.scan(f"%UNDO {four}", badge="SUP")
    tryton.send()
    assert tryton.statuses()[four] == [("let_go", "order_closed"), ("let_go", None)]
    assert [state for _, _, state, _ in tryton.conflicts()] == ["ended"]
    tryton.assert_equal()


def test_a_refusal_that_a_person_ends_lets_the_order_go_on(tryton: Tryton) -> None:
    """UP-4: let go by a person, on the record."""
    four = tryton.plant.order("CHAIR-4", 20)
    assert tryton.floor
    tryton.plant.press(four, "cancel")
    tryton.scan("%QTY 3", four)
    tryton.send()
    ((number, _, _, _),) = tryton.conflicts()
    with tryton.database.transaction() as conn:
        assert end_conflict(conn, number, person="SUP", reason="booked by hand")
    tryton.plant.press(four, "draft", "wait")
    tryton.scan("%QTY 4", four)
    tryton.send()
    assert tryton.statuses()[four] == [("let_go", "order_closed"), ("done", None)]


def test_a_reversal_in_a_closed_period_is_booked_the_other_way_round(tryton: Tryton) -> None:
    """What is done in a closed period stays; the opposite is booked in the open one (BF-31)."""
    four = tryton.plant.order("CHAIR-4", 20)
    assert tryton.floor
    tryton.floor.clock -= tryton.two_days
    tryton.scan("%QTY 3", four)
    tryton.send()
    tryton.close_period()
    tryton.floor.clock += tryton.two_days
    tryton.scan(f"%UNDO {four}", badge="SUP")
    tryton.send()
    assert [status for status, _ in tryton.statuses()[four]] == ["done", "done"]
    tryton.assert_equal()
    assert tryton.plant.planned(four)["LEG"] == 80


def test_a_tryton_that_is_killed_and_started_again_misses_nothing(tryton: Tryton) -> None:
    """UP-4: killed with SIGKILL in the midst of the work, the bridge goes on by itself."""
    four = tryton.plant.order("CHAIR-4", 90)
    wide = tryton.plant.order("CHAIR-W", 90)
    assert tryton.floor
    with Running(tryton.new_bridge()):
        for round_ in range(6):
            tryton.scan("%QTY 2", four, "%QTY 3", wide)
            tryton.take_in()
            if round_ in (2, 4):
                tryton.wait_for("sending")
                tryton.server.kill()
                tryton.server.start()
        tryton.wait_until_done()
    tryton.assert_equal()
    assert tryton.plant.planned(four)["CHAIR-4"] == 90 - 12
