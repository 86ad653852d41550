"""A supervisor at any station sees the exceptions of all: two stations and a site as processes."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.upstream.floor import wait_until
from tests.upstream.servers import Server
from tests.upstream.test_faults import PLANT, Road

Own = Callable[[type[Server]], Server]
SHORT = PLANT | {
    "receipts": "reference,item,lot,location,quantity,effective_at\n"
    "R-3,SEAT,,LINE,5000,2026-01-01\n"
}
"""Without legs: every chair opens a shortage."""
IDLE = {name: text for name, text in PLANT.items() if name != "receipts"}
"""Nothing is booked there: two stations that book at one place are a conflict."""
SECONDS_MAX = 10.0


@pytest.mark.parametrize("kind", ["http", "nats"])
def test_what_opens_at_one_station_is_listed_at_the_other_within_seconds(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-9, and UP-4 when the site is gone: then the station's own, and one sentence."""
    road = Road(kind, tmp_path, own_server)
    road.site.start()
    here, there = road.station("LINE2", IDLE), road.station("LINE1", SHORT)
    close(road, here, there)
    here.start()
    there.start()
    asked = ("exceptions", "--all-stations")
    assert here.rows(*asked) == []
    with there.line() as scan:
        scan("%QTY 1")
        assert scan("WO-1").outcome == "completed"
    began_s = time.monotonic()
    wait_until(lambda: here.rows(*asked) != [], "the exception of LINE1 is not listed at LINE2")
    took_s = time.monotonic() - began_s
    (row,) = here.rows(*asked, "--kind", "shortage", "--work-order", "WO-1")
    (own,) = there.rows("exceptions", "--open")
    assert row["station"] == "LINE1"
    alike = ("id", "kind", "status", "work_order", "line", "item", "quantity")
    assert {name: row[name] for name in alike} == {name: own[name] for name in alike}
    assert here.rows("exceptions", "--open") == []
    assert took_s < SECONDS_MAX
    here.stop()
    assert here.rows(*asked) == [row], "without a core this process asks the site itself"
    road.site.kill()
    there_alone = there.rows_with_code(1, *asked)
    assert [each["id"] for each in there_alone] == [own["id"]]
    assert there_alone[0]["station"] == "LINE1"
