"""What else than chairs Tryton makes, and what people change there meanwhile (UP-4, UP-9)."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from mes_terminal.site.down import DownRoad
from mes_terminal.site.tryton.catalogue import UNITS
from mes_terminal.site.tryton.client import Row
from mes_terminal.site.tryton.pull import Puller
from tests.upstream.tryton_fixtures import Tryton, work_off
from tests.upstream.tryton_floor import PLACES, hand_down
from tests.upstream.tryton_goods import (
    SHELF_LIFE_DAYS,
    add_lot,
    set_up_glue,
    set_up_planks,
    set_up_scooters,
)

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]

TURNS_MAX = 20


def test_serials_phantoms_grams_and_by_products_leave_the_same_stock(tryton: Tryton) -> None:
    """UP-9, BF-18, BF-30: scooters with motors by serial number, wheels as phantoms, paint in grams
    of a lot that expires; planks that leave sawdust; material by hand; a unit taken back, one
    scrapped."""
    plant = tryton.plant
    set_up_scooters(plant)
    set_up_planks(plant)
    expires_on = tryton.today + timedelta(days=20)
    add_lot(plant, "PAINT", "P-1", expires_on)
    for item, number, quantity in [
        ("MOTOR", "M-1", "1"), ("MOTOR", "M-2", "1"), ("PAINT", "P-1", "10"),
        ("RIM", None, "20"), ("SPOKE", None, "60"), ("LOG", "G-1", "10"),
    ]:  # fmt: skip
        plant.bring(item, number, quantity, "LINE")
    scooters, planks = plant.order("SCOOTER", 3), plant.order("PLANK", 6)
    for code in (scooters, "S-1"):
        assert tryton.floor.scan(code, badge="AK").outcome == "needs"
    tryton.scan("M-1")
    assert tryton.floor.scan(scooters, badge="AK").reason == "serial"
    assert tryton.floor.scan("S-2", badge="AK").reason == "component"
    tryton.scan("M-2", "%QTY 2", planks)
    tryton.send()
    tryton.assert_equal()
    assert tryton.floor.stock("SAWDUST", location="FG") == "0.5"
    assert plant.planned(scooters) == {
        "MOTOR": 1, "PAINT": 25, "RIM": 2, "SPOKE": 6, "SCOOTER": 1,
    }  # fmt: skip
    assert plant.planned(planks) == {"LOG": 2, "PLANK": 4, "SAWDUST": 1000}
    (lot,) = tryton.floor.rows("lots", item="PAINT")
    assert lot["expires_on"] == expires_on.isoformat()
    tryton.scan("%UNDO S-2", badge="SUP")
    tryton.scan("%SCRAP bent", "S-1", f"%START {planks}", "%QTY 1", "%ISSUE", "LOG|G-1")
    tryton.scan(f"%START {scooters}", "%EXTRA bent", "%QTY 3", "RIM", "%QTY 1", "%RETURN", "RIM")
    tryton.send()
    tryton.assert_equal()
    assert tryton.conflicts() == []


def test_a_lot_made_here_gets_the_date_that_tryton_asks_for(tryton: Tryton) -> None:
    """UP-4, UP-9: a product whose lots must say when they expire; the station says the same day."""
    plant = tryton.plant
    set_up_glue(plant)
    glue = plant.order("GLUE", 4)
    tryton.scan("%QTY 3", glue)
    tryton.send()
    tryton.assert_equal()
    (made,) = tryton.client.search(
        "stock.lot", [("number", "=", glue)], ["shelf_life_expiration_date"]
    )
    (own,) = tryton.floor.rows("lots", item="GLUE")
    expected = tryton.floor.clock.date() + timedelta(days=SHELF_LIFE_DAYS)
    assert own["expires_on"] == expected.isoformat()
    assert made["shelf_life_expiration_date"] == expected


def test_lots_that_were_archived_or_doubled_in_tryton_stay_one_lot(tryton: Tryton) -> None:
    """UP-4: stock lot by lot, also of a lot that somebody archived; a second lot of a number is
    not handed down."""
    four = tryton.plant.order("CHAIR-4", 10)
    assert tryton.floor
    legs = lots_of(tryton, "LEG", "L-1")
    tryton.client.write("stock.lot", (legs[0], {"active": False}))
    tryton.scan("%QTY 2", four)
    tryton.send()
    assert lots_of(tryton, "LEG", "L-1") == legs
    tryton.client.write("stock.lot", (legs[0], {"active": True}))
    tryton.assert_equal()
    again = {"product": tryton.plant.products["LEG"], "number": "L-1"}
    tryton.client.create("stock.lot", [again])
    hand_down(tryton.floor, tryton.puller.pull())


def lots_of(tryton: Tryton, item: str, number: str) -> list[int]:
    domain = [("product", "=", tryton.plant.products[item]), ("number", "=", number)]
    rows = tryton.client.search("stock.lot", domain, ["id"], context={"active_test": False})
    return [row["id"] for row in rows]


def test_a_production_deleted_in_tryton_is_a_cancelled_order_at_the_stations(
    tryton: Tryton,
) -> None:
    """UP-9: also where it went while no bridge looked; the others keep their lines."""
    kept, gone = tryton.plant.order("CHAIR-4", 10), tryton.plant.order("CHAIR-4", 20)
    road = DownRoad(tryton.database)
    road.publish_tables(tryton.puller.pull())
    tryton.plant.press(gone, "cancel")
    tryton.client.call("model.production.delete", [tryton.plant.production(gone)["id"]])
    fresh = Puller(tryton.new_client(), places=PLACES, units=UNITS, told=road.orders)
    road.publish_tables(fresh.pull())
    heads = {row["work_order"]: row["status"] for row in rows_of(road, "work_orders")}
    assert heads == {kept: "released", gone: "cancelled"}
    lines = [row["work_order"] for row in rows_of(road, "work_order_lines")]
    assert lines.count(kept) == lines.count(gone) == 3
    assert [each for each in fresh.pull() if "work_orders" in each] == []


def rows_of(road: DownRoad, table: str) -> list[Row]:
    return [dict(row) for each in road.orders() for row in each.get(table, ())]


class Meddling(httpx.BaseTransport):
    """Makes the calls of a bridge; somebody cancels a production just before it is done."""

    def __init__(self, tryton: Tryton) -> None:
        self._inner = httpx.HTTPTransport()
        self._tryton = tryton
        self.cancelled: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if b'"model.production.do"' in request.content and not self.cancelled:
            client = self._tryton.client
            rows = client.search("production", [("state", "=", "running")], ["id"])
            self.cancelled = [row["id"] for row in rows]
            client.press("production", "cancel", *self.cancelled)
        return self._inner.handle_request(request)


def test_what_somebody_cancels_under_the_bridges_hands_is_told_and_mended(tryton: Tryton) -> None:
    """UP-4: the exception says at once what to do. Set back to draft there, which takes its
    material away, the production gets it again and is done once."""
    four = tryton.plant.order("CHAIR-4", 10)
    tryton.scan("%QTY 2", four)
    tryton.take_in()
    meddling = Meddling(tryton)
    bridge = tryton.new_bridge(meddling)
    for _ in range(TURNS_MAX):
        if tryton.states() <= {"done", "refused"}:
            break
        bridge.turn()
    assert tryton.statuses()[four] == [("refused", "erp_state")]
    ((_, _, state, sentence),) = tryton.conflicts()
    assert (state, "set it back to draft" in sentence) == ("open", True)
    tryton.client.press("production", "draft", *meddling.cancelled)
    tryton.forget_tries()
    work_off(tryton.new_bridge())
    tryton.assert_equal()
    assert tryton.plant.planned(four)["LEG"] == Decimal(32)
    assert [state for _, _, state, _ in tryton.conflicts()] == ["ended"]
