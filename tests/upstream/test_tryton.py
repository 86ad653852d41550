"""A day at a station whose orders come from Tryton: their stock is the same (UP-4, UP-9)."""

from decimal import Decimal
from pathlib import Path

import pytest

from mes_terminal.settings.upstream_tables import TrytonTable
from mes_terminal.site.down import DownRoad
from mes_terminal.site.tryton.deliveries import behind_s
from mes_terminal.site.tryton.from_settings import bridge_of
from tests.upstream.tryton_fixtures import Running, Tryton
from tests.upstream.tryton_floor import hand_down
from tests.upstream.tryton_plant import BRIDGE_USER, PASSWORD, PRODUCTS

pytestmark = [pytest.mark.upstream, pytest.mark.timeout(900)]


def planned(tryton: Tryton, number: str) -> dict[str, int]:
    return {item: int(quantity) for item, quantity in tryton.plant.planned(number).items()}


def test_a_days_scans_leave_the_same_stock_in_tryton(tryton: Tryton) -> None:
    """100 CHAIR-4 and 100 CHAIR-W in parts; 5 chairs scrapped, of which 3 come back; a leg breaks;
    the last report of an order is taken back and made again (UP-4)."""
    four = tryton.plant.order("CHAIR-4", 100)
    wide = tryton.plant.order("CHAIR-W", 100, state="assigned")
    tryton.scan("%QTY 40", four, "%QTY 30", wide)
    tryton.send()
    tryton.assert_equal()
    assert planned(tryton, four) == {"LEG": 240, "FRAME": 60, "BACKREST": 60, "CHAIR-4": 60}
    assert planned(tryton, wide) == {"BOARD": 140, "BOLT": 280, "FELT": 3500, "CHAIR-W": 70}
    tryton.scan("%QTY 5", "%SCRAP bent", four)
    tryton.scan(f"%UNDO {four} 3", badge="SUP")
    tryton.scan("%QTY 2", "%SCRAP bent", "LEG|L-2", "%QTY 10", wide)
    tryton.send()
    tryton.assert_equal()
    assert planned(tryton, four)["LEG"] == 240 - 2 * 4 - 2, "two chairs and two legs, scrapped"
    tryton.scan(four, wide)
    tryton.send()
    tryton.assert_equal()
    assert {tryton.plant.production(each)["state"] for each in (four, wide)} == {"done"}
    tryton.scan(f"%UNDO {four}", badge="SUP")
    tryton.send()
    tryton.assert_equal()
    assert tryton.plant.production(four)["state"] == "waiting"
    assert planned(tryton, four)["CHAIR-4"] == 58
    tryton.scan(four)
    tryton.send()
    tryton.assert_equal()
    assert tryton.plant.production(four)["state"] == "done"
    assert tryton.plant.planned(four) == {}
    assert tryton.plant.production(four)["quantity"] == 100, "what was ordered stays"


def test_what_was_reported_says_which_lots_in_tryton(tryton: Tryton) -> None:
    """150 legs of L-1, then L-2: the first 40 chairs take 150 and 10 (UP-8: document numbers)."""
    four = tryton.plant.order("CHAIR-4", 100)
    tryton.scan("%QTY 40", four)
    tryton.send()
    done = tryton.client.search(
        "production", [("reference", "like", "mes:%")], ["number", "state", "quantity", "inputs"]
    )
    assert [(each["number"].partition("/")[0], each["state"]) for each in done] == [(four, "done")]
    moves = tryton.client.search(
        "stock.move", [("id", "in", done[0]["inputs"])], ["lot.number", "quantity"]
    )
    lots = {(each["lot."] or {}).get("number"): Decimal(each["quantity"])
            for each in moves if each.get("lot.")}  # fmt: skip
    assert lots == {"L-1": 150, "L-2": 10, "F-1": 40}
    made = tryton.client.search("stock.lot", [("number", "=", four)], ["product.code"])
    assert [each["product."]["code"] for each in made] == ["CHAIR-4"]
    with tryton.database.transaction() as conn:
        rows = conn.execute(
            "SELECT document FROM erp_delivery WHERE document IS NOT NULL"
        ).fetchall()
    assert rows == [(done[0]["number"],)]


def test_stock_that_tryton_brings_to_the_line_comes_down_once(tryton: Tryton) -> None:
    """A lot that Tryton receives at LINE is a receipt at the station; posting it back moves
    nothing (UP-9)."""
    four = tryton.plant.order("CHAIR-4", 10)
    tryton.scan(four)
    tryton.send()
    tryton.plant.bring("LEG", "L-9", "77", "LINE")
    news = tryton.puller.pull()
    hand_down(tryton.floor, news)
    assert tryton.floor.stock("LEG", "L-9") == "77"
    hand_down(tryton.floor, tryton.puller.pull())
    tryton.send()
    tryton.assert_equal()
    assert [row["status"] for document in news for row in document.get("work_orders", ())] == [
        "closed"
    ]


def test_the_bridge_of_the_settings_posts_and_hands_down(tryton: Tryton, tmp_path: Path) -> None:
    """As `mes-terminal site` runs it: the password from a file, orders by the road down, receipts
    and reports up; the ERP's lag is told (UP-8, UP-9)."""
    four = tryton.plant.order("CHAIR-4", 20)
    assert tryton.floor
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    table = TrytonTable(
        url=tryton.server.url, database=tryton.server.database, user=BRIDGE_USER,
        password_file=str(secret),
    )  # fmt: skip
    road = DownRoad(tryton.database)
    with bridge_of(tryton.database, road, table) as bridge, Running(bridge):
        tryton.wait_until(lambda: f"work_orders:{four}" in keys(road))
        tryton.scan("%QTY 2", four)
        tryton.take_in()
        tryton.wait_until_done()
    tryton.assert_equal()
    assert {f"items:{item}" for item in PRODUCTS} <= keys(road)
    with tryton.database.transaction() as conn:
        assert behind_s(conn) == 0


def keys(road: DownRoad) -> set[str]:
    return {each.key for each in road.fetch(None, 0, 1000)}
