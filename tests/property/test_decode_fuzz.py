"""Any bytes, at any speed: a named result, never an exception, bounded memory (`scanning.md`)."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.frame import FrameKind
from hardware.framing import Framer, FramingRules
from hardware.script import actions, parse
from hardware.terminal_gate import Gate
from mes_terminal.barcodes.decode import decode, describe
from mes_terminal.barcodes.payload import PayloadKind, RejectReason
from mes_terminal.domain.rules import CodeRules

RULES = CodeRules()
PIECES = st.sampled_from(
    [b"WO-1001", b"%UNDO", b"%", b"B:", b"LEG|L-77", b"\r", b"\n", b"\x1b[2J", b"\x1d", b"\0",
     b"\xff", "\u202e".encode(), "\u200b".encode(), b"[/]", b"[@click=app.quit()]", b"NOREAD"]
)  # fmt: skip
HOSTILE = st.lists(st.one_of(st.binary(max_size=40), PIECES), max_size=30).map(b"".join)
FRAMINGS = st.builds(
    FramingRules,
    prefix=st.sampled_from([b"", b"\x02", b"<<"]),
    suffix=st.sampled_from([None, b"", b"\t", b"\x03", b"##\r\n"]),
    max_len=st.integers(1, 60),
)


GS = b"\x1d"
"""A message begins with it; alone it is an empty one."""


@pytest.mark.parametrize("value", range(256))
def test_every_byte_value_alone_and_in_a_code_has_a_named_result(value: int) -> None:
    for raw in (bytes([value]), b"WO-" + bytes([value]) + b"1"):
        payload = decode(raw, RULES)
        assert payload.kind in get_args(PayloadKind)
        if raw == GS:
            assert payload.reason == "gs1:unknown_ai"
        elif value < 0x20 or value == 0x7F:
            assert payload.reason == "control_chars"
        if value >= 0x80:
            assert payload.reason == "bad_encoding"


@given(HOSTILE)
def test_any_bytes_decode_to_a_named_payload(raw: bytes) -> None:
    payload = decode(raw, RULES)
    assert payload.kind in get_args(PayloadKind)
    assert (payload.reason is not None) == (payload.kind == "reject")
    assert payload.reason is None or payload.reason in get_args(RejectReason)
    assert decode(raw, RULES) == payload
    describe(payload)


@given(st.text())
def test_what_is_accepted_is_shown_looked_up_and_stored_as_it_was_scanned(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    payload = decode(raw, RULES)
    if payload.kind == "plain" and payload.symbology is None:
        assert payload.text.encode() == raw
    if payload.kind not in ("reject", "gs1", "iso15434"):
        assert not any(ord(character) < 0x20 for character in payload.text)


@given(HOSTILE, FRAMINGS, st.integers(1, 7))
def test_frames_do_not_depend_on_how_the_bytes_were_split(
    data: bytes, rules: FramingRules, size: int
) -> None:
    whole, split = Framer("d", rules), Framer("d", rules)
    frames = [*whole.feed(data, 1.0), *whole.tick(3.0)]
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    pieces = [frame for part in parts for frame in split.feed(part, 1.0)]
    assert [*pieces, *split.tick(3.0)] == frames
    for frame in frames:
        assert frame.kind in get_args(FrameKind)
        assert 0 < len(frame.raw) <= rules.max_len + 1


@given(st.lists(st.tuples(st.characters(), st.floats(0, 0.6)), max_size=60))
def test_any_typing_leaves_the_gate_standing_and_empty_in_the_end(
    keys: list[tuple[str, float]],
) -> None:
    gate = Gate()
    at_s = 1.0
    for character, pause_s in keys:
        at_s += pause_s
        for frame in gate.feed(character, character, at_s).frames:
            assert frame.kind in get_args(FrameKind)
    last = gate.tick(at_s + 1)
    assert last.due_s is None


@given(st.text())
def test_any_script_gives_steps_or_faults(text: str) -> None:
    script = parse(text, "x.scan")
    assert all(str(fault).startswith("x.scan:") for fault in script.faults)
    for _ in zip(range(100), actions(script.steps, FramingRules()), strict=False):
        pass
