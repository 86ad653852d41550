"""ISO/IEC 15434 messages with MH10.8.2 data identifiers (stage 10)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.barcodes.decode import decode, left_to_database
from mes_terminal.barcodes.hygiene import CONTROLS
from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain.rules import CodeRules

GS, RS, EOT = "\x1d", "\x1e", "\x04"
RULES = CodeRules()
LABEL = f"[)>{RS}06{GS}P12X45A789{GS}Q250{GS}1TL-77{GS}1TL-78{GS}S9{RS}{EOT}"
FIELDS: list[list[Any]] = [
    ["P", "12X45A789"],
    ["Q", 250],
    ["1T", "L-77"],
    ["1T", "L-78"],
    ["S", "9"],
]
IDENTIFIERS = st.from_regex(r"[0-9]{0,3}[A-PR-Z]", fullmatch=True)
"""Any but Q, whose values become numbers."""
VALUES = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=30)
PAIRS = st.lists(st.tuples(IDENTIFIERS, VALUES).map(list), min_size=1, max_size=12)


def read(text: str) -> Payload:
    return decode(text.encode(), RULES)


def message(pairs: list[list[Any]]) -> str:
    return f"[)>{RS}06{GS}" + GS.join(f"{di}{value}" for di, value in pairs) + RS + EOT


@given(PAIRS)
def test_every_pair_comes_back_in_its_order_also_repeated_ones(pairs: list[list[Any]]) -> None:
    payload = read(message(pairs))
    assert (payload.kind, payload.format, payload.fields) == ("iso15434", "06", pairs)
    assert payload.warning is None


def test_a_message_that_ends_anywhere_has_a_named_result() -> None:
    """Byte by byte: what is taken is a beginning of the whole, and warned of."""
    assert read(LABEL).fields == FIELDS
    for end in range(3, len(LABEL)):
        payload = read(LABEL[:end])
        if payload.kind == "reject":
            assert payload.reason in ("iso15434:truncated", "iso15434:no_di")
            continue
        assert payload.warning == "no_trailer"
        assert [pair[0] for pair in payload.fields] == [p[0] for p in FIELDS[: len(payload.fields)]]


@pytest.mark.parametrize("more", ["X", LABEL, RS, EOT, "\x00", "\u202e", "]C0X"])
def test_what_follows_the_end_is_never_taken(more: str) -> None:
    assert read(LABEL + more).kind == "reject"


@pytest.mark.parametrize("control", [chr(n) for n in range(0x20) if chr(n) not in GS + RS])
def test_no_control_character_gets_into_a_field(control: str) -> None:
    """Stage 7: separators are lawful in a message where they part something, and nowhere else."""
    payload = read(f"[)>{RS}06{GS}PA{control}B{RS}{EOT}")
    assert (payload.kind, payload.reason) == ("reject", "control_chars")


@given(st.text(st.sampled_from(f"[)>P0156{GS}{RS}{EOT}\x1c\x1fAQ1Sä"), max_size=40))
def test_any_message_has_a_named_result_and_clean_fields(rest: str) -> None:
    payload = read(f"[)>{rest}")
    assert payload.kind in ("iso15434", "reject")
    if payload.kind == "iso15434":
        formats = payload.formats or [{"fields": payload.fields}]
        assert not CONTROLS.search(str([one["fields"] for one in formats]))
        assert all(one["fields"] for one in formats)


def test_a_message_is_behind_any_identifier_and_never_a_command() -> None:
    for symbology in ("]d1", "]d2", "]Q1", "]L0", "]C0"):
        payload = read(f"{symbology}{message([['P', '%UNDO']])}")
        assert (payload.kind, payload.symbology) == ("iso15434", symbology)
        assert payload.name is None
        assert left_to_database(payload)


def test_brackets_in_a_value_are_no_symbol_of_their_own() -> None:
    payload = read("]d1" + message([["P", "A]C1B"], ["K", "[x]E0"]]))
    assert payload.fields == [["P", "A]C1B"], ["K", "[x]E0"]]


def test_digits_of_other_scripts_are_no_identifier() -> None:
    payload = read(f"[)>{RS}06{GS}\u0663SA{RS}{EOT}")
    assert (payload.reason, payload.field) == ("iso15434:no_di", "\u0663SA")
    assert read(f"[)>{RS}\u0660\u0666{GS}PA{RS}{EOT}").reason == "iso15434:truncated"
