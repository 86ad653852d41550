"""The bridge's queue: in order, and behind what the ERP refused (UP-3), without an ERP."""

import random

import pytest

from mes_terminal.domain.delivering import queued_posting
from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.inbox import Inbox
from mes_terminal.site.tryton.deliveries import Deliveries, Delivery
from mes_terminal.site.tryton.together import first_together
from tests.upstream.posting_station import PostingStation, made, used
from tests.upstream.site_fixtures import inbox, site

__all__ = ["inbox", "site"]


def first_of(deliveries: Deliveries) -> Delivery:
    found = deliveries.next()
    assert found is not None
    return found


def post(deliveries: Deliveries, delivery: Delivery) -> None:
    deliveries.begin({delivery.inbox_id: f"mes:{delivery.inbox_id}"})
    deliveries.posted(delivery.inbox_id, document="D", carries=None, is_kept=True)


def refuse(deliveries: Deliveries, delivery: Delivery) -> None:
    deliveries.begin({delivery.inbox_id: f"mes:{delivery.inbox_id}"})
    deliveries.refused(delivery.inbox_id, reason="order_closed", sentence="It is closed.")


@pytest.mark.parametrize("ends", ["posted", "let_go"])
def test_what_was_refused_blocks_nothing_when_it_has_ended(
    site: SiteDatabase, inbox: Inbox, ends: str
) -> None:
    """UP-3, UP-4: also what comes to the site after that."""
    station, deliveries = PostingStation(), Deliveries(site)
    inbox.take([station.report("WO-1", made("CHAIR", "1", "FG"))])
    deliveries.take_in()
    refused = first_of(deliveries)
    refuse(deliveries, refused)
    assert deliveries.next() is None
    if ends == "posted":
        post(deliveries, refused)
    else:
        deliveries.let_go([refused.inbox_id], "a person ended it")
    inbox.take([station.report("WO-1", made("CHAIR", "1", "FG"))])
    deliveries.take_in()
    assert first_of(deliveries).lane == "WO-1"


def test_what_uses_what_another_brings_and_what_was_tried_goes_by_itself(
    site: SiteDatabase, inbox: Inbox
) -> None:
    """UP-3, UP-7: of what waits, those that go into the ERP in one call."""
    station, deliveries = PostingStation(), Deliveries(site)
    inbox.take([
        station.report("WO-1", made("LEG", "1", "FG", lot="A")),
        station.report("WO-2", made("CHAIR", "1", "FG"), used("LEG", "1", "LINE", lot="B")),
        station.report("WO-1", made("LEG", "1", "FG", lot="A")),
        station.report("WO-3", made("STOOL", "1", "FG"), used("LEG", "1", "FG", lot="A")),
        station.report("WO-3", made("STOOL", "1", "FG")),
    ])  # fmt: skip
    deliveries.take_in()
    ready = deliveries.ready()
    assert len(ready) == 5
    assert [each.inbox_id for each in first_together(ready)] == [1, 2, 3]
    assert [each.inbox_id for each in first_together(ready[3:])] == [4, 5]
    deliveries.begin({1: "mes:1"})
    assert first_together(deliveries.ready()) == []


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_refused_the_order_is_kept_and_nothing_is_left(
    site: SiteDatabase, inbox: Inbox, seed: int
) -> None:
    """UP-3: against what follows from the postings themselves, posting by posting; the bridge
    starts anew now and then."""
    chance, station, deliveries = random.Random(seed), PostingStation(), Deliveries(site)
    refused: dict[int, Delivery] = {}
    gone: set[int] = set()
    for _ in range(150):
        match chance.choice(["comes", "comes", "goes", "goes", "refused", "ends", "starts anew"]):
            case "comes":
                lot, other = chance.choice("ABC"), chance.choice("ABC")
                order = f"WO-{chance.randrange(4)}"
                actuals = [made(order, "1", "FG", lot=lot)] if chance.random() < 0.5 else []
                actuals_used = [used(f"WO-{chance.randrange(4)}", "1", "FG", lot=other)]
                inbox.take([station.report(order, *actuals, *actuals_used)])
                deliveries.take_in()
            case "starts anew":
                deliveries = Deliveries(site)
            case "ends" if refused:
                number = chance.choice(sorted(refused))
                gone.add(number)
                if chance.random() < 0.5:
                    post(deliveries, refused.pop(number))
                else:
                    del refused[number]
                    deliveries.let_go([number], "a person ended it")
            case "goes" | "refused" as what if (found := deliveries.next()) is not None:
                assert found.inbox_id == expected(station, refused, gone)
                if what == "goes":
                    post(deliveries, found)
                    gone.add(found.inbox_id)
                else:
                    refuse(deliveries, found)
                    refused[found.inbox_id] = found
    for each in refused.values():
        post(deliveries, each)
        gone.add(each.inbox_id)
    while (found := deliveries.next()) is not None:
        assert found.inbox_id == expected(station, {}, gone)
        post(deliveries, found)
        gone.add(found.inbox_id)
    assert gone == set(range(1, len(station.bodies) + 1))


def expected(station: PostingStation, refused: dict[int, Delivery], gone: set[int]) -> int | None:
    """Return the first posting that is behind nothing that is refused, nor behind what is."""
    blocked: list[int] = []
    postings = {
        number: queued_posting(number, body) for number, body in enumerate(station.bodies, 1)
    }
    for number, posting in postings.items():
        if number in gone:
            continue
        if number in refused or any(
            postings[each].lane == posting.lane or postings[each].brings & posting.uses
            for each in blocked
        ):
            blocked.append(number)
        else:
            return number
    return None
