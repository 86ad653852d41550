"""The order at hand in words: operations, empty slots, what was changed (BF-7, BF-11, BF-18)."""

from datetime import UTC
from typing import get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest

from mes_terminal.domain.order_changes import Changed, OrderChange
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.view import (
    OperationView,
    PartView,
    PreflightView,
    StationView,
    UnitView,
)
from mes_terminal.tui import gallery_orders, present_order, present_view
from mes_terminal.tui.present import present_outcome
from mes_terminal.tui.words import LANGUAGES, Words

ENGLISH, GERMAN = LANGUAGES["en"], LANGUAGES["de"]
NOW = "2026-11-20T14:00:00.000000Z"
BIKES = StationView(
    station="ST",
    mode="live",
    now=NOW,
    person="1",
    order=gallery_orders.EBIKES,
    operations=gallery_orders.OPERATIONS,
)


def step(operation: str, good: str, **more: str) -> OperationView:
    return OperationView(operation=operation, description="", good=good, scrapped="0", **more)


def test_operations_say_how_far_they_are_and_which_was_swept() -> None:
    """BF-11."""
    assert present_order.operation_texts(BIKES, ENGLISH) == [
        ("10", "Paint", "11 swept, 1 scrapped"), ("20", "Assemble", "11"), ("30", "Pack", "6"),
    ]  # fmt: skip
    assert present_order.operation_texts(BIKES, GERMAN)[0][2] == "11 mit gebucht, 1 Ausschuss"


def test_operations_that_all_units_have_passed_make_room_for_the_others() -> None:
    """A routing of thirty is longer than a line; what was just swept is news and stays."""
    steps = [step("10", "20"), step("20", "20", swept_by="r-1"), step("30", "20"), step("40", "3")]
    view = msgspec.structs.replace(BIKES, operations=steps)
    shown = [number for number, _, _ in present_order.operation_texts(view, ENGLISH)]
    assert shown == ["20", "40"]
    done = msgspec.structs.replace(BIKES, operations=[step("10", "20"), step("20", "20")])
    assert len(present_order.operation_texts(done, ENGLISH)) == 2


@pytest.mark.parametrize(
    ("words", "happened", "action"),
    [
        (ENGLISH, "Operation 20 done for 4, 2 components backflushed.",
         "Swept with it: operation 10."),
        (GERMAN, "Arbeitsgang 20 für 4 gebucht, 2 Bauteile abgebucht.",
         "Mit gebucht: Arbeitsgang 10."),
    ],
)  # fmt: skip
def test_an_operation_report_names_what_it_swept(words: Words, happened: str, action: str) -> None:
    """BF-11: and its figure is the operation's, not that of the finished units."""
    card = present_outcome(gallery_orders.OPERATION_DONE, words, view=BIKES)
    assert (card.happened, card.action, card.figure) == (happened, action, "11/20")
    alone = msgspec.structs.replace(BIKES, operations=[step("20", "11")])
    card = present_outcome(gallery_orders.OPERATION_DONE, words, view=alone)
    assert card.action == words.completed["operation"].action


def test_what_is_short_is_said_before_what_was_swept() -> None:
    """BF-20: a person has to act on that."""
    short = OpenedException(1, "shortage", "40", "CHAIN", "3")
    outcome = msgspec.structs.replace(gallery_orders.OPERATION_DONE, exceptions=[short])
    card = present_outcome(outcome, ENGLISH, view=BIKES)
    assert "CHAIN 3 short" in card.action


def test_empty_slots_are_named_in_their_order() -> None:
    """BF-18: in the result, and first among what can be scanned now."""
    parts = [PartView("MOTOR", 1), PartView("INJECTOR", 8)]
    unit = UnitView(item="EBIKE", serial="EB-0007", missing=parts)
    view = msgspec.structs.replace(BIKES, unit=unit)
    assert present_view.next_scan_texts(view, ENGLISH)[0] == (
        "MOTOR, then 8 INJECTOR for unit EB-0007"
    )
    card = present_outcome(gallery_orders.UNIT_LACKS, ENGLISH, view=view)
    assert card.happened == "Unit EB-0007 lacks MOTOR, 8 INJECTOR."
    german = present_outcome(gallery_orders.UNIT_LACKS, GERMAN, view=view)
    assert german.happened == "Es fehlt für Einheit EB-0007: MOTOR, 8 INJECTOR."
    next_one = msgspec.structs.replace(unit, serial=None)
    assert present_order.next_parts_text(next_one, GERMAN) == (
        "MOTOR, dann 8 INJECTOR für das nächste EBIKE"
    )


def test_a_serial_in_its_slot_says_what_is_still_missing() -> None:
    """BF-18."""
    view = msgspec.structs.replace(
        BIKES, unit=UnitView(item="EBIKE", serial="EB-0007", missing=[PartView("BATTERY", 1)])
    )
    seated = msgspec.structs.replace(
        gallery_orders.UNIT_LACKS, outcome="recorded", reason=None, item="MOTOR", serial="M-1",
        code="M-1",
    )  # fmt: skip
    assert present_outcome(seated, ENGLISH, view=view).action == "Still missing: BATTERY."
    assert present_outcome(seated, GERMAN, view=view).action == "Es fehlt noch: BATTERY."


def changed(*changes: OrderChange) -> StationView:
    order = msgspec.structs.replace(gallery_orders.EBIKES, changes=list(changes))
    return msgspec.structs.replace(BIKES, order=order)


@pytest.mark.parametrize(
    ("change", "english"),
    [
        (OrderChange("quantity", "50", "12000"), "12 000 instead of 50"),
        (OrderChange("due_at", "2026-11-20T16:00:00.000000Z", "2026-11-21T09:00:00.000000Z"),
         "due 2026-11-21 10:00 instead of 17:00"),
        (OrderChange("due_at", None, "2026-11-20T16:00:00.000000Z"), "due 17:00 instead of none"),
        (OrderChange("sequence", "5", "2"), "place 2 in the queue instead of 5"),
        (OrderChange("part", "CHAIN", "CHAIN-B", "30", "CHAIN-B", "63"),
         "line 30: CHAIN-B instead of CHAIN from unit 64 on"),
        (OrderChange("new_line", line="50", item="BELL", after="0"),
         "line 50: BELL is new from unit 1 on"),
        (OrderChange("no_line", line="50", item="BELL", after="2"),
         "line 50: no BELL from unit 3 on"),
        (OrderChange("need", "1.4", "1.5", "40", "CHAIN", "2"),
         "line 40: 1.5 CHAIN instead of 1.4 from unit 3 on"),
        (OrderChange("need", "1.4", None, "40", "CHAIN", "2.5"),
         "line 40: another quantity of CHAIN from unit 2.5 on"),
        (OrderChange("lines", now="60"), "60 lines are different"),
        (OrderChange("place", "LINE", "RACK", "40", "CHAIN", "2"),
         "line 40: CHAIN from RACK instead of LINE from unit 3 on"),
    ],
)  # fmt: skip
def test_each_change_of_an_order_has_its_words(change: OrderChange, english: str) -> None:
    """BF-7: with times as the clock on the wall has them."""
    zone = ZoneInfo("Europe/Berlin")
    assert present_order.change_texts(changed(change), ENGLISH, zone) == [english]
    (german,) = present_order.change_texts(changed(change), GERMAN, zone)
    assert german != english
    assert "{" not in german


def test_every_language_has_every_kind_of_change() -> None:
    for words in LANGUAGES.values():
        assert set(words.order.changes) == set(get_args(Changed))


def test_a_hostile_line_number_is_shown_as_plain_text() -> None:
    """Everything loaded is (screens 10)."""
    nasty = OrderChange("part", "A\x1b[2J", "B\u202e", "30\n", "B\u202e", "1")
    (text,) = present_order.change_texts(changed(nasty), ENGLISH, UTC)
    assert text.isprintable()


@pytest.mark.parametrize(
    ("posts", "short", "english"),
    [
        (1, 0, "its 1 line would post"), (3, 0, "all 3 lines would post"),
        (1, 2, "1 line would post, 2 not"), (41, 1, "41 lines would post, 1 not"),
        (0, 1, "0 lines would post, 1 not"),
    ],
)  # fmt: skip
def test_the_pre_flight_counts_one_line_as_one(posts: int, short: int, english: str) -> None:
    """Screens 6."""
    flight = PreflightView(lines_post=posts, lines_short=short)
    assert present_order.preflight_text(flight, ENGLISH) == english


def test_the_report_that_tells_a_change_asks_to_look() -> None:
    """BF-7: CHECK, in the core's words; what is short comes before it."""
    card = present_outcome(gallery_orders.CHANGE_TOLD, ENGLISH)
    assert (card.tone, card.happened) == ("check", "1 BICYCLE booked, 1 component backflushed.")
    assert card.action.startswith("WO-1003 changed: 100 instead of 50, line 30 CHAIN-B")
    short = OpenedException(1, "shortage", "40", "CHAIN-B", "3")
    both = msgspec.structs.replace(gallery_orders.CHANGE_TOLD, exceptions=[short])
    card = present_outcome(both, GERMAN)
    assert "CHAIN-B" in card.action
    assert card.detail.startswith("WO-1003 changed: ")
