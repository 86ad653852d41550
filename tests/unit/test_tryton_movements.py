"""What a posting moves in the ERP's view: both ends, no sign; what is left of an order's plan."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.site.tryton.held import Held, rest_of
from mes_terminal.site.tryton.movements import Movement, Special, movements_of, read_posting
from mes_terminal.site.tryton.plan import (
    Done,
    Planned,
    Unit,
    convert,
    give_to_plan,
    take_from_plan,
)
from mes_terminal.site.tryton.post import cancel_out

PIECE = Unit(1, 1, Decimal(1), 0)
METRE = Unit(11, 4, Decimal(1), 2)
CENTIMETRE = Unit(13, 4, Decimal("0.01"), 0)


def posting(*actuals: dict[str, Any], kind: str = "production.completed", **data: Any) -> Any:
    body = {
        "type": f"io.mes-terminal.{kind}.v1", "source": "urn:mes-terminal:P:S", "id": "e:1",
        "epoch": "e", "sequence": "000000000001", "partitionkey": "WO-1",
        "time": "2026-11-20T13:05:12Z", "datahash": "x",
        "data": {"work_order": "WO-1", "report_id": "r"} | data | {
            "material_actuals": [
                {"lot": None, "serial": None, "uom": "pcs", "location": "LINE"} | each
                for each in actuals
            ],
        },
    }  # fmt: skip
    return read_posting(json.dumps(body).encode())


def moved(*actuals: dict[str, Any], **data: Any) -> list[tuple[Any, ...]]:
    return [
        (each.item, each.lot, str(each.quantity), each.origin, each.target)
        for each in movements_of(posting(*actuals, **data))
    ]


def test_what_is_consumed_goes_into_production_and_what_is_made_comes_out() -> None:
    """IEC 62264-2: Consumed, Produced; a component's scrap is consumed by its order."""
    assert moved(
        {"use": "Produced", "item": "CHAIR", "lot": "WO-1", "quantity": "2", "location": "FG"},
        {"use": "Consumed", "item": "LEG", "lot": "L-1", "quantity": "8"},
        {"use": "Scrapped", "item": "LEG", "lot": "L-1", "quantity": "1"},
    ) == [
        ("CHAIR", "WO-1", "2", Special.PRODUCTION, "FG"),
        ("LEG", "L-1", "9", "LINE", Special.PRODUCTION),
    ]


def test_what_a_reversal_tells_below_zero_goes_the_other_way() -> None:
    """BF-31: a reversal is a posting of its own, signed."""
    assert moved(
        {"use": "Produced", "item": "CHAIR", "quantity": "-2", "location": "FG"},
        {"use": "Consumed", "item": "MOTOR", "serial": "M-1", "quantity": "-1"},
        reverses="r",
    ) == [
        ("CHAIR", None, "2", "FG", Special.PRODUCTION),
        ("MOTOR", "M-1", "1", Special.PRODUCTION, "LINE"),
    ]


def test_what_no_order_used_is_found_lost_moved_or_wasted() -> None:
    """Adjusted is signed; Moved has both ends; mounting within a place moves nothing."""
    assert moved(
        {"use": "Adjusted", "item": "BOLT", "quantity": "-3"},
        {"use": "Adjusted", "item": "NUT", "quantity": "0.5"},
        {"use": "Moved", "item": "LEG", "quantity": "5", "from_location": "STORE"},
        {"use": "Moved", "item": "LEG", "quantity": "7", "from_location": "LINE"},
        {"use": "Scrapped", "item": "LEG", "quantity": "1"},
        work_order=None,
    ) == [
        ("BOLT", None, "3", "LINE", Special.LOST),
        ("NUT", None, "0.5", Special.LOST, "LINE"),
        ("LEG", None, "5", "STORE", "LINE"),
        ("LEG", None, "1", "LINE", Special.WASTE),
    ]


def test_a_receipt_that_tryton_sent_down_moves_nothing() -> None:
    """UP-9: it is there already."""
    received = {"use": "Received", "item": "LEG", "lot": "L-1", "quantity": "8"}
    assert moved(received, reference="tryton:17", work_order=None) == []
    assert moved(received, reference="R-17", work_order=None) == [
        ("LEG", "L-1", "8", Special.LOST, "LINE")
    ]


def test_a_posting_without_material_moves_nothing() -> None:
    """Exceptions, signatures, requests: the ERP's stock has no word for them."""
    assert moved() == []


def test_a_report_and_its_reversal_cancel_out() -> None:
    """UP-3: what was taken back before it came to the ERP does not go there."""
    made = {"use": "Produced", "item": "CHAIR", "quantity": "2", "location": "FG"}
    used = {"use": "Consumed", "item": "LEG", "lot": "L-1", "quantity": "8"}
    half = posting({**made, "quantity": "-1"}, {**used, "quantity": "-4"}, reverses="r")
    assert not cancel_out([posting(made, used), half])
    assert cancel_out([posting(made, used), half, half])


def test_a_report_takes_from_the_plan_and_never_more_than_is_left() -> None:
    """Tryton's planning reads what is left to do from the order's planned moves."""
    planned = [
        Planned(1, "inputs", 7, PIECE, Decimal(400)),
        Planned(2, "inputs", 8, CENTIMETRE, Decimal(5000)),
        Planned(3, "outputs", 9, PIECE, Decimal(100)),
    ]
    change = take_from_plan(
        planned,
        [
            Done("inputs", 7, PIECE, Decimal(404)),
            Done("inputs", 8, METRE, Decimal("20.5")),
            Done("inputs", 5, PIECE, Decimal(3)),
            Done("outputs", 9, PIECE, Decimal(40)),
        ],
    )
    assert change.quantities == {"inputs": {2: Decimal(2950)}, "outputs": {3: Decimal(60)}}
    assert change.deleted == {"inputs": [1], "outputs": []}


def test_a_reversal_gives_back_what_no_planned_move_is_there_for() -> None:
    """The plan is what is to be done again."""
    planned = [Planned(3, "outputs", 9, PIECE, Decimal(60))]
    change = give_to_plan(
        planned,
        [Done("outputs", 9, PIECE, Decimal(40)), Done("inputs", 7, PIECE, Decimal(100)),
         Done("inputs", 7, PIECE, Decimal(60))],
    )  # fmt: skip
    assert change.quantities["outputs"] == {3: Decimal(100)}
    assert change.added == [Done("inputs", 7, PIECE, Decimal(160))]


quantities = st.decimals(min_value=1, max_value=10**6, places=0)


@given(st.lists(quantities, min_size=1, max_size=5), quantities)
def test_what_was_taken_and_given_back_leaves_the_plan_as_it_was(
    parts: list[Decimal], more: Decimal
) -> None:
    """For any sequence of reports within the plan."""
    planned = [Planned(1, "inputs", 7, PIECE, sum(parts, more))]
    done = [Done("inputs", 7, PIECE, each) for each in parts]
    left = take_from_plan(planned, done).quantities["inputs"][1]
    assert left == more
    back = give_to_plan([Planned(1, "inputs", 7, PIECE, left)], done)
    assert back.quantities["inputs"][1] == planned[0].quantity


@given(st.lists(quantities, min_size=1, max_size=4), st.data())
def test_what_stands_and_what_was_taken_back_make_the_report(
    report: list[Decimal], data: st.DataObject
) -> None:
    """A part that is taken back leaves the rest, lot by lot, and never doubles anything."""
    held = [
        Held(product=number, lot=number, unit=1, place=3, quantity=each)
        for number, each in enumerate(report)
    ]
    back = [
        Held(product=one.product, lot=one.lot, unit=1, place=3,
             quantity=-data.draw(st.decimals(0, one.quantity, places=0)))
        for one in held
    ]  # fmt: skip
    rest = {one.product: one.quantity for one in rest_of(held, back)}
    for one, gone in zip(held, back, strict=True):
        assert rest.get(one.product, Decimal(0)) == one.quantity + gone.quantity
    assert rest_of(held, [Held(product=one.product, lot=one.lot, unit=1, place=3,
                               quantity=-one.quantity) for one in held]) == []  # fmt: skip


def test_units_of_one_kind_are_converted_to_their_own_digits() -> None:
    """BF-2: exact, then to the digits of the unit."""
    assert convert(Decimal("20.5"), METRE, CENTIMETRE) == 2050
    assert convert(Decimal(333), CENTIMETRE, METRE) == Decimal("3.33")
    assert convert(Decimal("0.004"), METRE, CENTIMETRE) == 0


def test_movements_of_one_material_between_two_places_are_one() -> None:
    """Two draws of a lot are one movement; another lot is another."""
    used = {"use": "Consumed", "item": "LEG", "quantity": "8"}
    told = posting(*(used | {"lot": lot} for lot in "ABA"))
    assert movements_of(told) == [
        Movement(item="LEG", lot=lot, quantity=Decimal(quantity), uom="pcs", origin="LINE",
                 target=Special.PRODUCTION)
        for lot, quantity in (("A", 16), ("B", 8))
    ]  # fmt: skip
