"""The open exceptions of all stations at one station: asked of the site briefly, bounded, and its
own where the site is away."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

import pytest

from mes_terminal.domain.delivery import EXCEPTIONS_MAX, SiteException
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError, TransportError
from mes_terminal.station import site_exceptions
from mes_terminal.station.site_exceptions import (
    ALONE,
    COUNT,
    ROWS,
    AllStations,
    SiteExceptions,
    bounded,
    listed,
    own_exceptions,
)
from mes_terminal.upstream.connector import Connector
from tests.unit.ledger_plant import make_plant


def opened(
    number: int, station: str = "LINE1", at: str = "2026-11-20T08:00", **changes: Any
) -> SiteException:
    fields: dict[str, Any] = {
        "number": number, "station": station, "source": f"urn:mes-terminal:P:{station}",
        "id": number, "kind": "shortage", "work_order": "WO-1", "line": "10", "item": "LEG",
        "lot": None, "quantity": "4", "opened_at": f"{at}:00.000000Z", "cause": "no_stock",
    }  # fmt: skip
    return SiteException(**(fields | changes))


OWN = [opened(9, "LINE2")]


class Site:
    """A connector that asks a site, which answers when it is let."""

    def __init__(self, rows: Sequence[SiteException] = (), fault: Exception | None = None) -> None:
        self.rows, self.fault = list(rows), fault
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0

    async def exceptions(self) -> list[SiteException]:
        self.asked += 1
        await self.answers.wait()
        if self.fault is not None:
            raise self.fault
        return self.rows

    async def fetch(self, after: int, *, wait_s: float) -> list[Any]:
        raise NotImplementedError

    async def confirm(self, confirmation: Any) -> None:
        raise NotImplementedError

    async def stock(self) -> Any:
        raise NotImplementedError


def asking(site: object, **bounds: float) -> AllStations:
    async def made() -> Connector:
        return cast("Connector", site)

    async def own() -> list[SiteException]:
        return OWN

    return AllStations(made, own, **bounds)


def keys(name: str, found: SiteExceptions, **filters: str) -> list[dict[str, Any]]:
    return [json.loads(row) for row in listed(name, filters, found)]


async def test_what_the_site_has_is_listed_the_oldest_first_and_asked_once_for_everybody() -> None:
    site = Site([opened(1, at="2026-11-20T09:00"), opened(2, "LINE2", at="2026-11-20T08:30")])
    all_stations = asking(site)
    first, second = await asyncio.gather(all_stations.read(), all_stations.read())
    assert [each.number for each in first.rows] == [2, 1]
    assert (second, first.trouble, first.more) == (first, None, False)
    assert site.asked == 1


async def test_an_answer_serves_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_exceptions, "FRESH_S", 0.0)
    site = Site()
    all_stations = asking(site)
    await all_stations.read()
    site.rows = [opened(3)]
    assert [each.number for each in (await all_stations.read()).rows] == [3]


async def test_a_site_that_is_away_leaves_those_of_this_station_and_one_sentence() -> None:
    fault = TransportError("The site at http://s does not answer (refused). Postings wait.")
    found = await asking(Site(fault=fault)).read()
    assert found.rows == OWN
    assert found.trouble == f"The site at http://s does not answer (refused). {ALONE}"


async def test_a_site_that_keeps_silent_is_not_waited_for_and_its_late_answer_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(site_exceptions, "FRESH_S", 0.0)
    site = Site([opened(1)])
    site.answers.clear()
    all_stations = asking(site, answer_max_s=0.05)
    for _ in range(2):
        async with asyncio.timeout(2):
            found = await all_stations.read()
        assert (found.rows, found.trouble) == (OWN, f"The site does not answer. {ALONE}")
    assert site.asked == 1
    site.answers.set()
    assert [each.number for each in (await all_stations.read()).rows] == [1]
    site.answers.clear()
    await all_stations.read()
    await all_stations.stop()


async def test_an_answer_that_came_while_nobody_looked_is_not_told_as_what_is_open_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site([opened(1)])
    site.answers.clear()
    all_stations = asking(site, answer_max_s=0.01)
    assert (await all_stations.read()).rows == OWN
    site.answers.set()
    while not all_stations._asking.done():  # type: ignore[union-attr]
        await asyncio.sleep(0)
    site.rows = [opened(2)]
    monkeypatch.setattr(site_exceptions, "FRESH_S", -1.0)  # much later
    monkeypatch.setattr(all_stations, "_answer_max_s", 60.0)
    assert [each.number for each in (await all_stations.read()).rows] == [2]


async def test_a_fault_of_the_connector_leaves_those_of_this_station() -> None:
    found = await asking(Site(fault=KeyError("exceptions"))).read()
    assert (found.rows, found.trouble) == (
        OWN, f"This is a fault of the connector: KeyError('exceptions'). {ALONE}"
    )  # fmt: skip


async def test_a_way_that_brings_nothing_down_says_where_to_ask() -> None:
    found = await asking(object()).read()
    assert found.rows == OWN
    assert found.trouble is not None
    assert "upstream.kind" in found.trouble
    assert "mes-terminal site exceptions" in found.trouble


def test_no_more_are_shown_than_the_bound_and_that_is_said() -> None:
    found = bounded([opened(number) for number in range(EXCEPTIONS_MAX + 1)])
    assert (len(found.rows), found.more) == (EXCEPTIONS_MAX, True)
    assert found.rows[-1].number == EXCEPTIONS_MAX - 1
    assert not bounded(found.rows).more
    assert keys(COUNT, found) == [{"count": EXCEPTIONS_MAX, "more": True, "trouble": None}]


def test_pages_go_on_after_a_key_even_when_its_row_has_ended() -> None:
    rows = [opened(1, at="2026-11-20T08:00"), opened(4), opened(2, at="2026-11-20T09:00")]
    found = bounded([*rows, opened(3, opened_at=None)])
    assert [row["number"] for row in keys(ROWS, found)] == [3, 1, 4, 2]
    page = keys(ROWS, found, after=opened(1).key, limit="1")
    assert [row["number"] for row in page] == [4]
    rest = SiteExceptions(rows=[each for each in found.rows if each.number != 4])
    assert [row["number"] for row in keys(ROWS, rest, after=opened(4).key)] == [2]


def test_texts_are_found_whatever_their_case_and_filters_are_exact() -> None:
    found = bounded([opened(1), opened(2, "PACK", item="GLUE", lot="G-3", kind="lot_on_hold")])
    assert [row["number"] for row in keys(ROWS, found, text="g-3")] == [2]
    assert [row["number"] for row in keys(ROWS, found, text="pack")] == [2]
    assert [row["number"] for row in keys(ROWS, found, item="LEG", kind="shortage")] == [1]
    assert keys(ROWS, found, station="PAC") == []
    assert keys(COUNT, found, text="g-3")[0]["count"] == 1
    with pytest.raises(InputError, match="no filter"):
        keys(ROWS, found, status="open")
    with pytest.raises(InputError, match="whole number"):
        keys(ROWS, found, limit="x")


def test_this_stations_own_are_told_as_a_site_tells_them(tmp_path: Any) -> None:
    database = make_plant(tmp_path)
    rules = StationRules(site="P", station="ST-1")
    own = own_exceptions(database, rules)
    told = database.conn.execute(
        "SELECT exception_id FROM exception WHERE status = 'open' ORDER BY exception_id"
    ).fetchall()
    assert own
    assert [each.id for each in own] == [number for (number,) in told]
    assert {(each.station, each.source) for each in own} == {("ST-1", "urn:mes-terminal:P:ST-1")}
