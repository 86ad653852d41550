"""Identifiers of symbols, what they switch on, and EAN/UPC (stages 4, 5)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mes_terminal.barcodes import symbology as aim
from mes_terminal.barcodes.decode import decode
from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain.rules import CodeRules
from mes_terminal.errors import InputError
from mes_terminal.settings.reading import read_settings

RULES = CodeRules()
MODIFIERS = "0123456789ABCDEF"
WORDS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters="]\\"))


def read(raw: str | bytes, rules: CodeRules = RULES) -> Payload:
    return decode(raw.encode() if isinstance(raw, str) else raw, rules)


@pytest.mark.parametrize("letter", [chr(code) for code in range(0x21, 0x7F)])
def test_an_identifier_is_a_known_letter_and_a_modifier(letter: str) -> None:
    """ISO/IEC 15424; an unknown letter is data."""
    payload = read(f"]{letter}0WO-1001")
    if letter in aim.LETTERS:
        assert (payload.symbology, payload.text) == (f"]{letter}0", "WO-1001")
    else:
        assert (payload.kind, payload.symbology, payload.text) == (
            "plain", None, f"]{letter}0WO-1001",
        )  # fmt: skip
    assert read(f"]{letter}gWO").text == f"]{letter}gWO"


@given(st.sampled_from(aim.LETTERS), st.sampled_from(MODIFIERS), WORDS)
def test_every_identifier_has_a_named_result_and_keeps_its_data(
    letter: str, modifier: str, data: str
) -> None:
    payload = read(f"]{letter}{modifier}{data}")
    assert payload.symbology == f"]{letter}{modifier}"
    if payload.kind == "plain":
        assert payload.text == data


@given(st.lists(st.tuples(st.sampled_from(aim.LETTERS), WORDS), min_size=2, max_size=4))
def test_several_symbols_in_one_frame_are_told_apart_and_not_parsed(
    symbols: list[tuple[str, str]],
) -> None:
    if f"]{symbols[0][0]}0" in aim.ECI or symbols[0][1].startswith("[)>"):
        return
    payload = read("".join(f"]{letter}0{data}" for letter, data in symbols))
    assert (payload.kind, payload.fields) == ("plain", None)
    assert payload.parts == [{"symbology": f"]{one}0", "text": data} for one, data in symbols]


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Zl", "Zp"])))
def test_what_eci_says_twice_is_read_once(text: str) -> None:
    """Stage 5: a backslash of the data is doubled where the protocol is on."""
    escaped = "]Q2\\000026" + text.replace("\\", "\\\\")
    try:
        found, eci = aim.read_eci(escaped[3:].encode(), "latin-1")
    except UnicodeError:
        pytest.fail("it is UTF-8")
    assert (found, eci) == (text, 26)


@given(st.binary(max_size=60))
def test_any_bytes_behind_an_eci_have_a_named_result(data: bytes) -> None:
    for eci in aim.CHARACTER_SETS:
        payload = read(b"]d4\\%06d" % eci + data)
        assert payload.kind != "reject" or payload.reason is not None


@pytest.mark.parametrize(
    ("upc_e", "upc_a"),
    [
        ("04252614", "042100005264"),
        ("01234505", "012000003455"),
        ("01234514", "012100003454"),
        ("01234523", "012200003453"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
        ("01234558", "012345000058"),
        ("01234596", "012345000096"),
    ],
)
def test_upc_e_stands_for_the_number_whose_zeros_it_leaves_out(upc_e: str, upc_a: str) -> None:
    """GS1 General Specifications 5.2.2.4.2; the number as it was read stays in `text`."""
    payload = read(f"]E0{upc_e}")
    assert (payload.kind, payload.text) == ("gtin", upc_e)
    assert payload.fields == {"gtin": upc_a.zfill(14)}


@example("000000000000", "]E3")
@given(st.text("0123456789", max_size=20), st.sampled_from(["]E0", "]E1", "]E2", "]E3", "]E4"]))
def test_digits_of_any_length_are_a_gtin_or_plain_and_nothing_is_left_out(
    digits: str, symbology: str
) -> None:
    payload = read(symbology + digits)
    assert (payload.text, payload.symbology) == (digits, symbology)
    if payload.kind == "gtin":
        assert len(payload.fields["gtin"]) == 14
        addon = payload.fields.get("addon", "")
        assert digits.endswith(addon)
        assert len(addon) in ((2, 5) if symbology == "]E3" else (0,))
    else:
        assert payload.kind == "plain"


@pytest.mark.parametrize("digit", "012345678")
def test_a_wrong_check_digit_stays_plain(digit: str) -> None:
    """V022: kept as it is, for whoever knows the number."""
    assert read("]E0400638133393" + digit).kind == ("gtin" if digit == "1" else "plain")


@pytest.mark.parametrize("grammar", ["", "delim", "delim:", "kv:", "kv:;", "json:{}", " kv:;="])
def test_a_grammar_that_lacks_its_marks_is_no_setting_and_reads_nothing(grammar: str) -> None:
    """Stage 10. The settings refuse it with its path; `decode` stands it all the same."""
    changes = {"MES_TERMINAL_SCANNER__HAND__GRAMMARS": f'["{grammar}"]'}
    with pytest.raises(InputError, match=r"scanner\.hand\.grammars"):
        read_settings(environment=changes)
    for text in ("", "a", "a=1;b=2", ";", "="):
        assert read(text, CodeRules(grammars=(grammar,))) == Payload("plain", text)
