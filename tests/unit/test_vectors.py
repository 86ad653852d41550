"""Raw inputs through the whole pipeline, from bytes or keys to the frame that leaves `decode`."""

import json
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.cli.main import run as program
from mes_terminal.cli.vectors import Vector, read_vectors, run_vector
from mes_terminal.errors import InputError
from mes_terminal.settings.tables import Settings
from tests.architecture.source import ROOT

GIVEN = ROOT / "tests" / "data" / "scan-vectors.json"
GS, RS, EOT = "\x1d", "\x1e", "\x04"
GTIN = "09521234543213"


def run(vector: Vector) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json.dumps(run_vector(vector, Settings())))
    return result


@pytest.mark.parametrize("vector", read_vectors(GIVEN), ids=lambda vector: vector.id)
def test_a_given_vector_becomes_what_it_must(vector: Vector) -> None:
    result = run(vector)
    assert result["pass"], result["frames"]


def serial(text: str | bytes, *, end: bytes = b"\r", **config: Any) -> list[dict[str, Any]]:
    data = text.encode() if isinstance(text, str) else text
    vector = Vector(
        id="own", transport="serial", input_hex=(data + end).hex(), config=config, expect={}
    )
    frames: list[dict[str, Any]] = run(vector)["frames"]
    return frames


def the_frame(text: str | bytes, **config: Any) -> dict[str, Any]:
    (frame,) = serial(text, **config)
    return frame


KIND_CASES = [
    # stage 4: symbology identifiers
    ("]C0WO-1001", {}, {"kind": "plain", "text": "WO-1001", "symbology": "]C0"}),
    ("]A0P12X", {}, {"kind": "plain", "symbology": "]A0"}),
    ("]Q1WO-1", {}, {"kind": "plain", "symbology": "]Q1", "text": "WO-1"}),
    ("]d1%UNDO", {}, {"kind": "command", "name": "UNDO", "symbology": "]d1"}),
    ("]E04006381333931", {}, {"kind": "gtin", "gtin": "4006381333931", "symbology": "]E0"}),
    ("]E04006381333932", {}, {"kind": "plain", "text": "4006381333932"}),
    ("]E496385074", {}, {"kind": "gtin", "gtin": "96385074"}),
    ("4006381333931", {}, {"kind": "plain", "symbology": None}),
    ("10012345", {}, {"kind": "plain", "text": "10012345"}),
    ("]", {}, {"kind": "plain", "text": "]"}),
    ("]C", {}, {"kind": "plain", "text": "]C"}),
    ("]C1WO", {"aim_id": "never"}, {"kind": "plain", "text": "]C1WO"}),
    ("WO-1", {"aim_id": "require"}, {"kind": "reject", "reason": "aim_id_missing"}),
    ("]C0WO-1", {"aim_id": "require"}, {"kind": "plain", "text": "WO-1"}),
    # stage 5: ECI and escapes, only where the identifier says so
    ("]Q1A\\\\B", {}, {"kind": "plain", "text": "A\\\\B"}),
    ("]Q1\\000026A", {}, {"kind": "plain", "text": "\\000026A"}),
    ("]Q2\\000026A\\\\B", {}, {"kind": "plain", "text": "A\\B", "eci": 26}),
    (b"]d4\\000003Geh\xe4use", {}, {"kind": "plain", "text": "Gehäuse", "eci": 3}),
    ("]Q2\\000999A", {}, {"kind": "reject", "reason": "bad_encoding"}),
    ("]Q2A\\B", {}, {"kind": "reject", "reason": "bad_encoding"}),
    # stage 6: text
    (b"Geh\xe4use", {"encoding": "latin-1"}, {"kind": "plain", "text": "Gehäuse"}),
    (b"Geh\xe4use", {}, {"kind": "reject", "reason": "bad_encoding"}),
    (b"A\x85B", {"encoding": "latin-1"}, {"kind": "reject", "reason": "control_chars"}),
    # stage 7: hygiene
    ("WO\x1d1", {}, {"kind": "reject", "reason": "control_chars"}),
    ("WO\x1e1", {}, {"kind": "reject", "reason": "control_chars"}),
    ("WO\x001", {}, {"kind": "reject", "reason": "control_chars"}),
    ("WO\x7f", {}, {"kind": "reject", "reason": "control_chars"}),
    ("WO\u200b1", {}, {"kind": "reject", "reason": "format_chars"}),
    ("\ufeffWO-1", {}, {"kind": "reject", "reason": "format_chars"}),
    ("]C110AB\x1bC", {}, {"kind": "reject", "reason": "control_chars"}),
    # GS1
    (f"]C101{GTIN}10A{GS}21B", {}, {"kind": "gs1", "fields": {"01": GTIN, "10": "A", "21": "B"}}),
    (f"01{GTIN}10A", {}, {"kind": "plain"}),
    (f"{GS}01{GTIN}10A", {}, {"kind": "gs1", "symbology": None}),
    (f"]d1{GS}01{GTIN}", {}, {"kind": "gs1", "symbology": "]d1"}),
    ("]C117251200", {}, {"kind": "gs1", "fields": {"17": "2025-12-31"}}),
    ("]C117240200", {}, {"kind": "gs1", "fields": {"17": "2024-02-29"}}),
    ("]C117251301", {}, {"kind": "reject", "reason": "gs1:bad_date", "ai": "17"}),
    ("]C117250230", {}, {"kind": "reject", "reason": "gs1:bad_date", "ai": "17"}),
    ("]C112345", {}, {"kind": "reject", "reason": "gs1:bad_date", "ai": "12"}),
    ("]C1051234", {}, {"kind": "reject", "reason": "gs1:unknown_ai", "field": "051234"}),
    ("]C1", {}, {"kind": "reject", "reason": "gs1:unknown_ai"}),
    ("]C110A B", {}, {"kind": "reject", "reason": "gs1:bad_chars", "ai": "10"}),
    ("]C110Ä", {}, {"kind": "reject", "reason": "gs1:bad_chars", "ai": "10"}),
    ("]C110" + "X" * 21, {}, {"kind": "reject", "reason": "gs1:bad_chars", "ai": "10"}),
    ("]C110", {}, {"kind": "reject", "reason": "gs1:bad_chars", "ai": "10"}),
    ("]C130", {}, {"kind": "reject", "reason": "gs1:bad_chars", "ai": "30"}),
    (f"]C110A{GS}10B", {}, {"kind": "reject", "reason": "gs1:bad_chars", "ai": "10"}),
    ("]C100095212345432101230", {}, {"kind": "reject", "reason": "gs1:check_digit", "ai": "00"}),
    ("]C14149501101020917", {}, {"kind": "gs1", "fields": {"414": "9501101020917"}}),
    ("]C14149501101020918", {}, {"kind": "reject", "reason": "gs1:check_digit", "ai": "414"}),
    ("]C13100000012", {}, {"kind": "gs1", "fields": {"3100": "12 kg"}}),
    ("]C13115001500", {}, {"kind": "gs1", "fields": {"3115": "0.01500 m"}}),
    ("]C1300012", {}, {"kind": "gs1", "fields": {"30": 12}}),
    ("]C1392212345", {}, {"kind": "gs1", "fields": {"3922": "123.45"}}),
    (f"]C121A1{GS}30250", {}, {"fields": {"21": "A1", "30": 250}, "warning": None}),
    ("]C121A130250", {}, {"kind": "gs1", "warning": "gs_possibly_missing"}),
    ("]C110LOT", {}, {"kind": "gs1", "warning": None}),
    ("]C110WO-1001", {}, {"kind": "gs1", "warning": None}),
    (f"]C110A21B{GS}21C", {}, {"kind": "gs1", "warning": None}),
    ("]C110ABC<GS>21S", {"gs_token": "<GS>"}, {"fields": {"10": "ABC", "21": "S"}}),
    ("WO<GS>1", {"gs_token": "<GS>"}, {"kind": "plain", "text": "WO<GS>1"}),
    ("(10)AB(21)S", {}, {"kind": "plain"}),
    ("(10)AB(21)S", {"allow_hri": True}, {"kind": "gs1", "fields": {"10": "AB", "21": "S"}}),
    ("(note)", {"allow_hri": True}, {"kind": "plain"}),
    # Digital Link
    ("https://example.com/a", {}, {"kind": "plain", "flag": "url_never_opened"}),
    ("HTTPS://ID.GS1.ORG/01/" + GTIN, {}, {"kind": "gs1_dl", "fields": {"01": GTIN}}),
    ("http://x.de/gtin/9521234543213/lot/A%2FB", {}, {"fields": {"01": GTIN, "10": "A/B"}}),
    (f"https://x.de/01/{GTIN}?17=251200&30=4", {}, {"fields": {"01": GTIN, "17": "2025-12-31",
                                                             "30": 4}}),
    (f"https://x.de/01/{GTIN[:-1]}4", {}, {"kind": "reject", "reason": "gs1:check_digit"}),
    ("https://[", {}, {"kind": "plain", "flag": "url_never_opened"}),
    ("ftp://id.gs1.org/01/" + GTIN, {}, {"kind": "plain"}),
    # ISO/IEC 15434
    (f"[)>{RS}06{GS}PA{GS}Q5{RS}{EOT}", {}, {"format": "06", "fields": [["P", "A"], ["Q", 5]],
                                             "warning": None}),
    (f"[)>{RS}05{GS}10L1{GS}21S{RS}{EOT}", {}, {"format": "05", "fields": {"10": "L1", "21": "S"}}),
    (f"[)>{RS}06{GS}123{RS}{EOT}", {}, {"reason": "iso15434:no_di", "field": "123"}),
    (f"[)>{RS}07{GS}x{RS}{EOT}", {}, {"reason": "iso15434:no_di"}),
    (f"[)>{RS}06{RS}{EOT}", {}, {"reason": "iso15434:truncated"}),
    (f"[)>{RS}", {}, {"reason": "iso15434:truncated"}),
    ("[)>06", {}, {"reason": "iso15434:truncated"}),
    (f"[)>{RS}12{GS}PNO X{GS}SER 1{RS}{EOT}", {}, {"fields": [["PNO", "X"], ["SER", "1"]]}),
    (f"[)>{RS}06{GS}Q{'9' * 30}{RS}{EOT}", {}, {"fields": [["Q", "9" * 30]]}),
    (f"[)>{RS}06{GS}PA\x1b{RS}{EOT}", {}, {"reason": "control_chars"}),
    # stages 10 and 11
    ("%UNDO", {}, {"kind": "command", "name": "UNDO", "args": [], "rule": "command"}),
    ("%undo", {}, {"kind": "reject", "reason": "unknown_command"}),
    ("%SCRAP bent leg", {}, {"kind": "command", "args": ["bent", "leg"]}),
    ("a=1;b=2", {"grammars": ["kv:;="]}, {"kind": "kv", "fields": {"a": "1", "b": "2"}}),
    ("a=1;b", {"grammars": ["kv:;="]}, {"kind": "plain"}),
    ("1,2,,3", {"grammars": ["delim:,"]}, {"kind": "delimited", "fields": ["1", "2", "", "3"]}),
    ("1,2", {"grammars": ["delim:;", "delim:,"]}, {"fields": ["1", "2"]}),
    ("1TL7", {"bare_di": ["1T"]}, {"kind": "di", "fields": [["1T", "L7"]]}),
    ("1TL7", {"bare_di": ["T"]}, {"kind": "plain"}),
    ("LEG|L-77|4", {}, {"kind": "plain", "rule": "pattern:lot"}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "config", "expected"), KIND_CASES)
def test_a_code_becomes_the_frame_it_must(
    code: str | bytes, config: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Stages 3 to 11, whole; `expected` are keys of the scanning page."""
    frame = the_frame(code, **config)
    assert {key: frame.get(key) for key in expected} == expected


def test_prefix_and_suffix_of_the_configuration_are_taken_off() -> None:
    """Stage 3."""
    frames = serial(b"\x02WO-1\x03\x02WO-2\x03", end=b"", prefix="\x02", suffix="\x03")
    assert [frame["text"] for frame in frames] == ["WO-1", "WO-2"]


def test_a_double_read_is_a_duplicate_and_a_later_one_is_not() -> None:
    """Stage 9: within `duplicate_ms` by the driver's clock."""
    pause = Vector(
        id="own",
        transport="serial",
        input_hex="574f2d310d<300ms>574f2d310d<600ms>574f2d310d",
        expect={},
    )
    assert [frame["kind"] for frame in run(pause)["frames"]] == ["plain", "duplicate", "plain"]


def test_a_pause_within_a_code_breaks_it_only_beyond_the_limit() -> None:
    broken = Vector(
        id="own", transport="serial", input_hex="574f<600ms>2d310d", expect={}, config={}
    )
    whole = Vector(id="own", transport="serial", input_hex="574f<300ms>2d310d", expect={})
    assert [frame["kind"] for frame in run(broken)["frames"]] == ["incomplete", "plain"]
    assert [frame["text"] for frame in run(whole)["frames"]] == ["WO-1"]


@pytest.mark.parametrize("odd", [False, True])
def test_bytes_with_a_parity_bit_are_told_as_such(odd: bool) -> None:
    """Bytes that never end because a 7E1 scanner is read as 8N1."""
    data = bytes(byte | (0x80 if byte.bit_count() % 2 != odd else 0) for byte in b"WO-1001-X\r")
    frame = serial(data, end=b"")[0]
    assert frame["hint"] == ("parity: try 7O1" if odd else "parity: try 7E1")


def keys(text: str, **config: object) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = run(
        Vector(id="own", transport="wedge", keys=text, config=config, expect={})
    )["frames"]
    return frames


KEY_CASES = [
    # Ctrl+] is GS on a US board, and by its place on a German one
    ("1b:1 1b:0 2a:1 2e:1 2e:0 2a:0 02:1 02:0 02:1 02:0 0b:1 0b:0 2a:1 1e:1 1e:0 2a:0 "
     "1d:1 1b:1 1b:0 1d:0 03:1 03:0 02:1 02:0 2a:1 30:1 30:0 2a:0 1c:1",
     {}, {"kind": "gs1", "fields": {"10": "A", "21": "B"}}),
    # F8 stands for GS
    ("1b:1 1b:0 2a:1 2e:1 2e:0 2a:0 02:1 02:0 02:1 02:0 0b:1 0b:0 2a:1 1e:1 1e:0 2a:0 "
     "42:1 42:0 03:1 03:0 02:1 02:0 2a:1 30:1 30:0 2a:0 1c:1",
     {"key_map": {"F8": "1d"}}, {"kind": "gs1", "fields": {"10": "A", "21": "B"}}),
    ("42:1 42:0 1c:1", {}, {"kind": "reject", "reason": "forbidden_key", "key": "F8"}),
    ("6f:1 6f:0 1c:1", {}, {"kind": "reject", "reason": "forbidden_key", "key": "DELETE"}),
    ("63:1 63:0 1c:1", {}, {"kind": "reject", "reason": "forbidden_key", "key": "SYSRQ"}),
    ("38:1 1e:1 1e:0 38:0 1c:1", {}, {"reason": "forbidden_key", "key": "ALT+A"}),
    ("1d:1 38:1 6f:1 6f:0 1c:1", {}, {"reason": "forbidden_key", "key": "CTRL+ALT+DELETE"}),
    ("2c:1 2c:0 15:1 15:0 1c:1", {"layout": "de"}, {"text": "yz"}),
    ("64:1 10:1 10:0 64:0 1c:1", {"layout": "de"}, {"text": "@"}),
    ("10:1 10:0 1e:1 1e:0 1c:1", {"layout": "fr"}, {"text": "aq"}),
    ("2a:1 02:1 02:0 2a:0 1c:1", {"layout": "fr"}, {"text": "1"}),
    ("2b:1 2b:0 2a:1 28:1 28:0 2a:0 1c:1", {"layout": "gb"}, {"text": "#@"}),
    ("3a:1 3a:0 1e:1 1e:0 1c:1", {}, {"text": "a"}),
    ("3a:1 3a:0 1e:1 1e:0 02:1 1c:1", {"caps": "track"}, {"text": "A1"}),
    ("4f:1 4f:0 50:1 50:0 1c:1", {}, {"text": "12"}),
    ("1e:1 1e:0 0f:1 0f:0", {"suffix": "\t"}, {"text": "a", "kind": "plain"}),
    ("1e:1 1e:0", {"suffix": ""}, {"text": "a", "ended_by": "idle"}),
    ("1e:1 1e:0 00:3 1c:1", {}, {"kind": "reject", "reason": "overrun"}),
    ("38:1 52:1 50:1 4b:1 4b:1 38:0 1c:1", {}, {"text": "\u00f4"}),
    ("38:1 52:1 52:1 52:1 52:1 52:1 38:0 1c:1", {}, {"reason": "forbidden_key"}),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "config", "expected"), KEY_CASES)
def test_keys_become_the_frame_they_must(
    typed: str, config: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Stage 1."""
    (frame,) = keys(typed, **config)
    assert {key: frame.get(key) for key in expected} == expected


def test_after_lost_keys_the_next_code_is_read_again() -> None:
    frames = keys("1e:1 1e:0 00:3 1e:1 1e:0 1c:1 1c:0 30:1 30:0 1c:1")
    assert [(frame["kind"], frame["text"]) for frame in frames][1] == ("plain", "b")
    silent = keys("1e:1 1e:0 00:3 <200ms> 30:1 30:0 1c:1")
    assert [frame.get("reason") or frame["text"] for frame in silent] == ["overrun", "b"]


def test_the_command_runs_a_file_and_says_which_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program(["decode", "--vectors", str(GIVEN)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 75
    assert all(set(line) >= {"id", "frames", "pass"} and line["pass"] for line in lines)
    wrong = tmp_path / "v.json"
    wrong.write_text('{"vectors": [{"id": "X", "transport": "serial", "input_hex": "410d", '
                     '"expect": {"frames": [{"text": "B"}]}}]}')  # fmt: skip
    assert program(["decode", "--vectors", str(wrong)]) == 1
    assert json.loads(capsys.readouterr().out)["pass"] is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "no file of vectors"),
        ('{"vectors": [{"id": "X"}]}', "no file of vectors"),
        ('{"vectors": [{"id": "X", "transport": "serial", "input_hex": "4", "expect": {}}]}',
         "X: input_hex"),
        ('{"vectors": [{"id": "X", "transport": "wedge", "keys": "zz", "expect": {}}]}',
         "X: keys"),
        ('{"vectors": [{"id": "X", "transport": "serial", "config": {"colour": 1}, "expect": {}}]}',
         "X: config"),
    ],
)  # fmt: skip
def test_a_broken_file_of_vectors_is_told(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        [run_vector(vector, Settings()) for vector in read_vectors(path)]
    assert program(["decode", "--vectors", str(path)]) == 2
