"""Vectors of our own, in the form of the given ones, run by the same command."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from mes_terminal.barcodes.payload import Doubt, PayloadKind, RejectReason
from mes_terminal.cli.main import run as program
from mes_terminal.cli.vectors import Vector, read_vectors, run_vector
from mes_terminal.errors import InputError
from mes_terminal.settings.tables import Settings
from tests.architecture.source import ROOT

OWN = ROOT / "tests" / "data" / "own-vectors.json"
GIVEN = ROOT / "tests" / "data" / "scan-vectors.json"
EDGE_KINDS = {"noread", "duplicate", "incomplete"}


def expected_frames() -> list[dict[str, Any]]:
    return [
        frame
        for path in (OWN, GIVEN)
        for vector in read_vectors(path)
        for frame in vector.expect.get("frames", [])
    ]


def test_every_vector_of_our_own_passes_by_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    code = program(["decode", "--vectors", str(OWN)])
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [result for result in results if not result["pass"]] == []
    assert code == 0
    assert len({result["id"] for result in results}) == len(read_vectors(OWN)) > 200


def test_a_result_is_one_line_for_every_reader_and_harmless_to_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON lets NEL, CSI, U+2028 and a turn of direction stand raw; `decode` escapes them."""
    hostile = "A\x85\x9b2J\u2028\u202e\x7fä"
    path = tmp_path / "v.json"
    vector = {"id": "X", "transport": "serial", "input_hex": hostile.encode().hex() + "0d"}
    path.write_text(json.dumps({"vectors": [{**vector, "expect": {"frames": [{}]}}]}))
    assert program(["decode", "--vectors", str(path)]) == 0
    assert program(["decode", "--json", hostile]) == 0
    output = capsys.readouterr().out
    assert all(character.isprintable() for character in output.replace("\n", ""))
    first, second = output.splitlines()
    assert json.loads(first)["frames"][0]["text"] == json.loads(second)["text"] == hostile


def test_the_vectors_reach_every_kind_every_warning_and_every_reason() -> None:
    """Stages 1 to 11: nothing that a frame can say is left without an input that makes it."""
    frames = expected_frames()
    assert {frame.get("kind") for frame in frames} >= {*get_args(PayloadKind), *EDGE_KINDS}
    assert {frame.get("reason") for frame in frames} >= set(get_args(RejectReason))
    assert {frame.get("warning") for frame in frames} >= set(get_args(Doubt))


@pytest.mark.parametrize("key", ["kind", "text", "reason", "fields", "symbology"])
def test_a_vector_that_expects_something_else_fails(key: str) -> None:
    """A vector passes only when every expected key is there and equal."""
    for vector in read_vectors(OWN):
        for number, frame in enumerate(vector.expect.get("frames", [])):
            if key not in frame:
                continue
            wrong = json.loads(json.dumps(vector.expect))
            wrong["frames"][number][key] = "something else"
            changed = Vector(
                id=vector.id,
                transport=vector.transport,
                input_hex=vector.input_hex,
                keys=vector.keys,
                config=vector.config,
                expect=wrong,
            )
            assert not run_vector(changed, Settings())["pass"], vector.id


@pytest.mark.parametrize("count", [0, 2])
def test_more_or_fewer_frames_than_expected_fail(count: int) -> None:
    expect: dict[str, Any] = {"frames": [{}] * count}
    vector = Vector(id="X", transport="serial", input_hex="410d", expect=expect)
    assert not run_vector(vector, Settings())["pass"]


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ({"transport": "wedge", "config": {"key_map": {"F99": "1d"}}}, "X: config: key_map"),
        ({"transport": "out", "input_hex": "zz"}, "X: input_hex"),
        ({"transport": "serial", "expect": {"frames": {}}}, "X: expect.frames"),
        ({"transport": "serial", "expect": {"frames": [1]}}, "X: expect.frames"),
        ({"transport": "serial", "config": {"grammars": ["kv:;"]}}, "X: config.*grammars"),
    ],
)
def test_a_vector_that_cannot_be_run_is_told_with_exit_2(
    vector: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "v.json"
    path.write_text(json.dumps({"vectors": [{"id": "X", "expect": {}, **vector}]}))
    with pytest.raises(InputError, match=words):
        [run_vector(one, Settings()) for one in read_vectors(path)]
    assert program(["decode", "--vectors", str(path)]) == 2
