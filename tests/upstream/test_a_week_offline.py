"""A station that was away for a week catches up, over a network that misbehaves (UP-2, UP-3, UP-6).

The week is a load of receipts: each is a posting, in a lane of its item. `make test-upstream` takes
some thousands; the hundred thousand of `docs/scale.md` are `make test-long`.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.upstream.faulty_proxy import NASTY, Faults
from tests.upstream.floor import books_agree
from tests.upstream.servers import Server
from tests.upstream.test_faults import Road

LITTLE = Faults(
    drop=0.0005, double=0.002, delay=0.002, swap=0.001, cut_before=0.0005, cut_after=0.0005,
    cut_answer=0.0005,
)  # fmt: skip
"""For messages of one posting each; a request of hundreds meets more."""
ITEMS = 500
CATCH_UP_MAX_S = 3000.0


def week(postings: int) -> dict[str, str]:
    """Return receipts as a load takes them."""
    items = "".join(f"PART-{number},lot\n" for number in range(ITEMS))
    receipts = "".join(
        f"GR-{number},PART-{number % ITEMS},L-{number % 7},LINE,{number % 9 + 1},2026-11-01\n"
        for number in range(postings)
    )
    return {
        "items": f"item,tracking\n{items}",
        "receipts": f"reference,item,lot,location,quantity,effective_at\n{receipts}",
    }


@pytest.mark.parametrize("kind", ["http", "nats", "mqtt", "file"])
@pytest.mark.parametrize(
    "postings", [3_000, pytest.param(100_000, marks=pytest.mark.long)], ids=["days", "weeks"]
)
def test_what_was_queued_offline_has_its_effect_once(
    kind: str,
    postings: int,
    tmp_path: Path,
    own_server: Callable[[type[Server]], Server],
    close: Callable[..., None],
) -> None:
    """UP-2, UP-6: as many effects as postings, whatever the network does to them."""
    road = Road(kind, tmp_path, own_server, faults=NASTY if kind == "http" else LITTLE)
    road.site.start()
    station = road.station("LINE1", plant=week(postings))
    close(road, station)
    began = time.monotonic()
    station.run("sync", code=None, patience_s=CATCH_UP_MAX_S)
    station.start()
    station.wait_delivered(patience_s=CATCH_UP_MAX_S)
    took_s = time.monotonic() - began
    road.wait_taken(station)
    faults = dict(road.proxy.happened) if road.proxy else {}
    figures = {"postings": postings, "seconds": round(took_s, 1), "faults": faults}
    (tmp_path / "figures.json").write_text(json.dumps(figures))  # for docs/scale.md
    books_agree(road.site, station)
    assert road.site.ask("SELECT count(*) FROM posting WHERE outcome = 'accepted'") == [(postings,)]
