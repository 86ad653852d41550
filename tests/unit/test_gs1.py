"""GS1 element strings and Digital Links: laws that hold for every message (stage 10)."""

import re

import pytest
from biip.checksums import gs1_standard_check_digit
from biip.gs1_element_strings import GS1ElementString
from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.barcodes import gs1
from mes_terminal.barcodes.decode import decode
from mes_terminal.barcodes.label import label_of
from mes_terminal.barcodes.payload import Payload, Swallowed
from mes_terminal.domain.rules import CodeRules

GS = "\x1d"
GTIN = "09521234543213"
RULES = CodeRules()
HRI = CodeRules(allow_hri=True)
CODE_MAX = 4096
CHARACTERS = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz-/._+")
LETTERS_ONLY = st.text(CHARACTERS, min_size=1, max_size=20)
"""No digit in it: nothing in such a value reads as an element."""


def read(text: str, rules: CodeRules = RULES) -> Payload:
    return decode(text.encode(), rules)


def checked(digits: str) -> str:
    return f"{digits}{gs1_standard_check_digit(digits)}"


MESSAGES = st.fixed_dictionaries(
    {"01": st.text("0123456789", min_size=13, max_size=13).map(checked)},
    optional={
        "10": LETTERS_ONLY,
        "21": LETTERS_ONLY,
        "30": st.integers(0, 99),
        "93": LETTERS_ONLY,
    },
).map(lambda fields: dict(sorted(fields.items())))


@given(MESSAGES, st.booleans())
def test_what_a_label_was_printed_with_is_what_is_read(
    fields: dict[str, str | int], first: bool
) -> None:
    """With or without GS after the fixed element, by identifier or by a leading GS."""
    head, *rest = [f"{ai}{value}" for ai, value in fields.items()]
    text = head + GS.join(rest) if first else GS.join([head, *rest])
    for payload in (read(f"]C1{text}"), read(f"{GS}{text}")):
        assert (payload.kind, payload.fields, payload.warning) == ("gs1", fields, None)


@given(MESSAGES)
def test_a_message_that_ends_anywhere_or_goes_on_has_a_named_result(
    fields: dict[str, str | int],
) -> None:
    """Byte by byte, and with trailing data: never an exception."""
    text = "]C1" + GS.join(f"{ai}{value}" for ai, value in fields.items())
    for cut in (*(text[:end] for end in range(3, len(text))), text + GS, text + "\x1b"):
        assert read(cut).kind in ("gs1", "reject")
    assert read(text + GS).fields == fields
    assert read(text + "\x1b").reason == "control_chars"


@pytest.mark.parametrize("ai", gs1.CHECKED_DIGITS)
def test_every_wrong_check_digit_is_told_with_its_element(ai: str) -> None:
    """`biip` itself yields a message for most of them."""
    length = gs1.CHECKED_DIGITS[ai]
    lead = "0" if ai == "8003" else "9"
    right = checked((lead + "521234543210123456789")[: length - 1])
    tail = "0102" if ai in ("8006", "8026") else ""
    assert read(f"]C1{ai}{right}{tail}").kind == "gs1"
    for digit in set("0123456789") - {right[-1]}:
        refused = read(f"]C1{ai}{right[:-1]}{digit}{tail}")
        assert (refused.reason, refused.ai) == ("gs1:check_digit", ai)


@pytest.mark.parametrize("decimals", range(6))
def test_every_measure_has_its_decimals_and_its_unit(decimals: int) -> None:
    """Net weights 310n to logistic volumes 369n (GS1 General Specifications 3.6)."""
    for prefix, unit in gs1.UNITS.items():
        if prefix == "394":
            continue
        whole = f"{123456:07d}"
        amount = whole[: 7 - decimals].lstrip("0") or "0"
        amount += f".{whole[7 - decimals :]}" if decimals else ""
        payload = read(f"]C1{prefix}{decimals}123456")
        assert payload.fields == {f"{prefix}{decimals}": f"{amount} {unit}"}


def test_an_element_of_given_length_is_never_suspected_to_have_swallowed_another() -> None:
    """It would be too long; `7003` with a time of day is full of digits that read as elements."""
    for text in ("70032612311200", f"8006{GTIN}0102", "43242612319999", "4309" + "1234567890" * 2):
        payload = read(f"]C1{text}")
        assert (payload.kind, payload.warning) == ("gs1", None), text


@given(LETTERS_ONLY, LETTERS_ONLY)
def test_a_lost_gs_before_a_serial_is_always_suspected(lot: str, serial: str) -> None:
    """Unless the lot is too long then, which is refused."""
    payload = read(f"]C101{GTIN}10{lot}21{serial}")
    if len(lot) + len(serial) + 2 > 20:
        assert (payload.reason, payload.ai) == ("gs1:bad_chars", "10")
    else:
        assert payload.warning == "gs_possibly_missing"
        assert payload.swallowed == (Swallowed("10", lot, "21", serial),)


HOSTILE = [
    *(GS.join("91" + filler for _ in range(44)) for filler in ("21" * 45, "20" * 44 + "!")),
    GS.join("91" + "1201" * 22 for _ in range(44)),
    "2011" * 1023,
    ("10" + "1" * 20 + GS) * 178,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_longest_message_takes_work_in_proportion_to_its_length(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most one call of the library for each two characters, however often a value repeats."""
    calls = 0
    extract = GS1ElementString.extract

    def counted(*args: object, **kwargs: object) -> GS1ElementString:
        nonlocal calls
        calls += 1
        return extract(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(GS1ElementString, "extract", counted)
    raw = f"]C1{text}".encode()[:CODE_MAX]
    assert decode(raw, RULES).kind in ("gs1", "reject")
    assert 0 < calls <= len(raw) / 2


@given(MESSAGES)
def test_what_is_printed_for_people_says_the_same_where_it_is_allowed(
    fields: dict[str, str | int],
) -> None:
    text = "".join(f"({ai}){value}" for ai, value in fields.items())
    allowed = read(text, HRI)
    assert (allowed.kind, allowed.fields, allowed.text) == ("gs1", fields, text)
    assert read(text).kind == "plain"


@given(MESSAGES, st.sampled_from(["https://id.gs1.org", "HTTP://example.com/a/gtin/b", "http://x"]))
def test_a_link_says_the_same_as_a_message(fields: dict[str, str | int], start: str) -> None:
    """Lot and serial in the path, in their order; the rest in the query."""
    path = "".join(f"/{ai}/{fields[ai]}".replace("+", "%2B") if ai == "01" else
                   f"/{ai}/" + str(fields[ai]).replace("/", "%2F")
                   for ai in ("01", "10", "21") if ai in fields)  # fmt: skip
    query = "&".join(
        f"{ai}={value}".replace("+", "%2B") for ai, value in fields.items() if ai in ("30", "93")
    )
    payload = read(f"{start}{path}?{query}")
    assert (payload.kind, payload.fields) == ("gs1_dl", fields)


@pytest.mark.parametrize("length", [1, 3, 7, 9, 10, 11, 15])
def test_a_number_in_a_url_that_no_gtin_is_as_long_as_is_no_link(length: int) -> None:
    payload = read(f"https://example.com/gtin/{checked('1' * (length - 1) or '0')[-length:]}")
    assert (payload.kind, payload.flag) == ("plain", "url_never_opened")


def test_a_url_of_the_greatest_length_is_read_in_a_few_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[str] = []

    def never(url: str) -> dict[str, str]:
        tries.append(url)
        raise ValueError("no link")

    monkeypatch.setattr(gs1, "_link_fields", never)
    assert read("https://x/" + "gtin/" * 800).flag == "url_never_opened"
    assert 0 < len(tries) <= gs1.LINK_SEGMENTS_MAX // 2


def test_a_step_that_asks_for_gs1_gets_it_without_an_identifier() -> None:
    """`What a code means`, 1: by identifier, leading GS or where a step asks."""
    message = f"01{GTIN}10ABC"
    assert read(message).kind == "plain"
    asked = decode(message.encode(), RULES, expects_gs1=True)
    assert (asked.kind, asked.fields) == ("gs1", {"01": GTIN, "10": "ABC"})
    wrong = decode(f"01{GTIN[:-1]}4".encode(), RULES, expects_gs1=True)
    assert (wrong.reason, wrong.ai) == ("gs1:check_digit", "01")
    for other in (b"WO-1001", b"%UNDO", b"B:anna", b"https://example.com"):
        assert decode(other, RULES, expects_gs1=True) == decode(other, RULES)


def test_no_message_and_no_link_is_ever_a_command() -> None:
    """Stage 11: plain frames only."""
    for text in ("]C193%UNDO", f"{GS}93%UNDO", f"https://id.gs1.org/01/{GTIN}/10/%25UNDO"):
        assert re.match("gs1", read(text).kind)


def test_a_retail_symbol_names_its_item_by_fourteen_digits() -> None:
    for code in ("]E04006381333931", "]E3400638133393112"):
        label = label_of(read(code))
        assert label is not None
        assert label.gtin == "04006381333931"
