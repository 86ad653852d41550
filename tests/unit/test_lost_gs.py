"""A GS that was lost before something the station expects is never missed, whatever the lot is.

What is taken for one although it is none costs a refusal; `benchmarks/lost_gs.py` measures it.
"""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mes_terminal.barcodes.decode import decode
from mes_terminal.barcodes.interpret import interpret
from mes_terminal.domain.intent import Intent, Meaning, Refuse
from mes_terminal.domain.rules import CodeRules
from mes_terminal.domain.session import Session

GS = "\x1d"
GTIN = "0109521234543213"
LOT_MAX = 20
NEW_LOT = Meaning("lot", "LEG|NEW", 0, 7)
DIGITS = "0123456789"
SIGNS = DIGITS + "ABCXYZabcxyz-/."

lots = st.text(DIGITS, min_size=1, max_size=9) | st.text(SIGNS, min_size=1, max_size=9)
days = st.dates().map(lambda day: f"{day:%y%m}{min(day.day, 28):02d}")
expected = st.one_of(
    lots.map("21".__add__),
    st.integers(1, 99_999_999).map(lambda count: f"30{count}"),
    st.integers(1, 99_999_999).map(lambda count: f"37{count}"),
    st.integers(0, 999_999).map(lambda weight: f"3103{weight:06d}"),
    days.map("17".__add__),
)
others = st.text(SIGNS, min_size=1, max_size=4).map(lambda text: f"240{text}{GS}")


def ruled(elements: str, meaning: Meaning = NEW_LOT) -> Intent:
    payload = decode(f"]C1{elements}".encode(), CodeRules())
    return interpret(payload, Session(), [meaning])


def reason(elements: str, meaning: Meaning = NEW_LOT) -> str | None:
    intent = ruled(elements, meaning)
    return intent.reason if isinstance(intent, Refuse) else None


@given(lots, st.lists(others, max_size=1), expected)
def test_a_lost_gs_before_what_the_station_expects_is_never_missed(
    lot: str, between: list[str], last: str
) -> None:
    """Also behind an element that it does not expect, and whatever else the digits could mean."""
    behind = "".join(between).replace(GS, "") + last
    assume(len(lot + behind) <= LOT_MAX)
    assert reason(f"{GTIN}10{lot}{behind}") == "gs_suspected"


@given(lots, expected)
def test_a_lot_that_the_books_know_is_never_in_doubt(lot: str, last: str) -> None:
    assume(len(lot + last) <= LOT_MAX)
    known = Meaning("lot", f"LEG|{lot}{last}", 3, 7)
    assert reason(f"{GTIN}10{lot}{last}", known) is None


@given(st.text("ABCXYZ-/.", min_size=1, max_size=LOT_MAX))
def test_a_lot_without_digits_is_never_in_doubt(lot: str) -> None:
    assert reason(f"{GTIN}10{lot}") is None


@pytest.mark.parametrize(
    ("lot", "swallowed"),
    [
        ("A1291S7", "(10)A12 may have swallowed (91)S7"),
        ("A910021777", "(10)A9100 may have swallowed (21)777"),
        ("B94021S7", "(10)B940 may have swallowed (21)S7"),
    ],
)
def test_of_several_readings_the_one_that_the_station_expects_counts(
    lot: str, swallowed: str
) -> None:
    """The first position at which digits read as an element need not be the one that was meant."""
    intent = ruled(f"{GTIN}10{lot}")
    if "(91)" in swallowed:
        assert not isinstance(intent, Refuse), "a company's own element is nothing it waits for"
    else:
        assert isinstance(intent, Refuse)
        assert swallowed in intent.message


def test_no_label_counts_nothing() -> None:
    """`L-5300` and `L-5370` are lots; `L-5305` may be 5 pieces of `L-5`."""
    for lot in ("L-5300", "L-53000", "L-5370"):
        assert reason(f"{GTIN}10{lot}") is None
    assert reason(f"{GTIN}10L-5305") == "gs_suspected"
