"""Bytes to payload: hygiene, commands, site patterns (`What a code means`)."""

import re

import pytest

from mes_terminal.barcodes.commands import COMMANDS
from mes_terminal.barcodes.decode import decode, describe, left_to_database
from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain.intent import Meaning
from mes_terminal.domain.rules import CodePattern, CodeRules

RULES = CodeRules()


def test_a_plain_code_is_its_text() -> None:
    assert decode(b"WO-1001", RULES) == Payload("plain", "WO-1001")
    assert decode("Gehäuse-7".encode(), RULES) == Payload("plain", "Gehäuse-7")


def test_markup_and_spaces_are_data() -> None:
    code = "[red]WO[/red][link=file:///etc/passwd]x  y\u00a0z"
    assert decode(code.encode(), RULES) == Payload("plain", code)


@pytest.mark.parametrize("raw", [b"\xff", b"WO\x80", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80"])
def test_bytes_that_are_no_utf_8_are_refused(raw: bytes) -> None:
    assert decode(raw, RULES).reason == "bad_encoding"


@pytest.mark.parametrize("value", [*range(0x20), *range(0x7F, 0xA0)])
def test_every_control_character_is_refused(value: int) -> None:
    payload = decode(f"WO{chr(value)}1".encode(), RULES)
    assert (payload.kind, payload.reason) == ("reject", "control_chars")


@pytest.mark.parametrize(
    "character",
    "\u200b\u200d\u200e\u202e\u2028\u2029\u2066\ufeff\u00ad\u034f\u3164\ufe0f\U000e0041\U000e0100",
)
def test_every_invisible_character_is_refused(character: str) -> None:
    payload = decode(f"WO{character}1".encode(), RULES)
    assert (payload.kind, payload.reason) == ("reject", "format_chars")


def test_a_code_that_was_cut_is_too_long_whatever_it_says() -> None:
    assert decode(b"%UNDO", RULES, truncated=True).reason == "too_long"


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_of_the_table_is_a_command(verb: str) -> None:
    payload = decode(f"%{verb} a  b ".encode(), RULES)
    assert (payload.kind, payload.name, payload.rule) == ("command", verb, "command")
    assert (payload.args, payload.argument) == (("a", "b"), "a  b")


@pytest.mark.parametrize(
    ("code", "name"),
    [("%", ""), ("% UNDO", ""), ("%undo", "undo"), ("%UNDONE now", "UNDONE"), ("%%UNDO", "%UNDO")],
)
def test_a_prefix_without_a_known_verb_is_an_unknown_command(code: str, name: str) -> None:
    payload = decode(code.encode(), RULES)
    assert (payload.kind, payload.reason, payload.name) == ("reject", "unknown_command", name)


def test_the_prefix_may_be_any_text_and_patterns_do_not_see_commands() -> None:
    rules = CodeRules(command_prefix="$CMD:", patterns=(CodePattern("all", re.compile(".*")),))
    assert decode(b"$CMD:UNDO", rules).name == "UNDO"
    assert decode(b"%UNDO", rules).rule == "pattern:all"


def test_without_a_prefix_there_are_no_commands() -> None:
    assert decode(b"UNDO", CodeRules(command_prefix="")).kind == "plain"


@pytest.mark.parametrize(
    ("code", "rule", "groups"),
    [
        ("B:anna", "pattern:badge", {"badge": "anna"}),
        ("L:LINE", "pattern:location", {"location": "LINE"}),
        ("LEG|L-77", "pattern:lot", {"item": "LEG", "lot": "L-77"}),
        ("LEG|L-77|12.5", "pattern:lot", {"item": "LEG", "lot": "L-77", "quantity": "12.5"}),
        ("LEG|L-77|many", None, {}),
        ("B:", None, {}),
        ("xB:anna", None, {}),
    ],
)
def test_a_site_pattern_must_match_the_whole_code(
    code: str, rule: str | None, groups: dict[str, str]
) -> None:
    payload = decode(code.encode(), RULES)
    assert (payload.kind, payload.rule, payload.groups) == ("plain", rule, groups)


def test_describe_tells_what_a_pattern_means_without_a_database() -> None:
    found = describe(decode(b"LEG|L-77|5", RULES), [Meaning("order", "never asked")])
    assert found["rule"] == "pattern:lot"
    assert found["meanings"] == [{"kind": "lot", "key": "LEG|L-77"}]


def test_describe_tells_what_the_database_knows_of_a_plain_code_only() -> None:
    known = [Meaning("order", "WO-1"), Meaning("item", "WO-1")]
    found = describe(decode(b"WO-1", RULES), known)
    assert found["rule"] == "database"
    assert found["meanings"] == [{"kind": "order", "key": "WO-1"}, {"kind": "item", "key": "WO-1"}]
    assert describe(decode(b"WO-1", RULES))["rule"] is None
    refused = describe(decode(b"WO\x1b", RULES), known)
    assert (refused["rule"], refused["meanings"], refused["reason"]) == (None, [], "control_chars")


def test_describe_has_the_keys_of_the_frame() -> None:
    found = describe(decode(b"%QTY 5", RULES))
    assert set(found) == {
        "code", "kind", "text", "symbology", "fields", "warning", "reason", "name", "args", "rule",
        "meanings",
    }  # fmt: skip
    assert (found["name"], found["args"]) == ("QTY", ["5"])


def test_only_what_nothing_else_reads_is_left_to_the_database() -> None:
    assert left_to_database(decode(b"WO-1", RULES))
    for code in (b"%UNDO", b"B:anna", b"WO\0"):
        assert not left_to_database(decode(code, RULES))
