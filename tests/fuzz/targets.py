"""What is fuzzed: bytes and key events through every stage, each a function of one `bytes`.

A target returns when all is well and raises when a law is broken. `tests/fuzz/fuzz.py` drives them
with atheris (`make fuzz`); `tests/property/test_fuzz_corpus.py` runs the corpus that was kept, in
every `make test`.
"""

from collections.abc import Callable, Iterable
from typing import Final, get_args

import msgspec

from hardware.frame import FrameKind, ScanFrame
from hardware.framing import Framer, FramingRules
from hardware.keymap import KeyRules
from hardware.wedge import WedgeFramer
from mes_terminal.barcodes.decode import decode, describe
from mes_terminal.barcodes.hygiene import hygiene_fault
from mes_terminal.barcodes.interpret import interpret
from mes_terminal.barcodes.payload import PayloadKind
from mes_terminal.domain.intent import Meaning
from mes_terminal.domain.rules import CodeRules
from mes_terminal.domain.session import Session

CODE_RULES: Final = (
    CodeRules(),
    CodeRules(aim_id="never", encoding="latin-1"),
    CodeRules(aim_id="require", gs_token="~"),
    CodeRules(allow_hri=True, bare_di=("P", "Q", "1T", "S"), command_prefix="$CMD:"),
    CodeRules(grammars=("delim:|", "kv:;=")),
)
FRAMINGS: Final = (
    FramingRules(settle_ms=0),
    FramingRules(settle_ms=0, suffix=b""),
    FramingRules(settle_ms=0, suffix=b"\x03", prefix=b"\x02"),
    FramingRules(settle_ms=0, max_len=20, duplicate_ms=0),
)
KEYS: Final = (
    KeyRules(),
    KeyRules(layout="de", caps="track"),
    KeyRules(layout="fr"),
    KeyRules(layout="be", key_map={"F8": b"\x1d"}),
    KeyRules(layout="gb"),
)
STEPS_MS: Final = (0, 1, 30, 90, 120, 160, 499, 501)
"""Pauses a fuzzed byte may stand for: on both sides of every limit of the framing."""
KEY_CODES: Final = 256
DROPPED: Final = 3
"""A key value that stands for SYN_DROPPED; 0 up, 1 down, 2 repeat."""
SESSION: Final = Session()
MEANINGS: Final[tuple[list[Meaning], ...]] = (
    [],
    [Meaning("lot", "ITEM|NEW", 0, 1)],
    [Meaning("order", "WO-1", 1, 1)],
    [Meaning("item", "ITEM", 1, 1)],
)
"""What the database may say of a code: nothing, a lot that is new, an order, an item."""


def fuzz_code(data: bytes) -> None:
    """One frame's bytes: the first byte chooses the rules, the rest is the code."""
    if data:
        check_code(data[1:], CODE_RULES[data[0] % len(CODE_RULES)])


def fuzz_line(data: bytes) -> None:
    """A serial line: pairs of a pause and a length, each followed by so many bytes."""
    if len(data) < 2:
        return
    rules = FRAMINGS[data[0] % len(FRAMINGS)]
    codes = CODE_RULES[data[1] % len(CODE_RULES)]
    framer = Framer("fuzz", rules)
    at_s, left = 0.0, data[2:]
    while left:
        at_s += STEPS_MS[left[0] % len(STEPS_MS)] / 1000
        length = left[1] if len(left) > 1 else 0
        frames = framer.feed(left[2 : 2 + length], at_s) if length else framer.tick(at_s)
        check_frames(frames, rules, codes)
        left = left[2 + length :]
    check_frames((*framer.tick(at_s + 1), *framer.cut()), rules, codes)


def fuzz_keys(data: bytes) -> None:
    """A keyboard wedge: triples of a key, its value and a pause."""
    if len(data) < 2:
        return
    rules = FRAMINGS[data[0] % len(FRAMINGS)]
    framer = WedgeFramer("fuzz", rules, KEYS[data[1] % len(KEYS)])
    at_s = 0.0
    for code, value, pause in zip(data[2::3], data[3::3], data[4::3], strict=False):
        at_s += STEPS_MS[pause % len(STEPS_MS)] / 1000
        if value % 4 == DROPPED:
            frames = (*framer.dropped(at_s), *framer.synced(at_s))
        else:
            frames = framer.key(code % KEY_CODES, value % 4, at_s)
        check_frames(frames, rules, CODE_RULES[0])
    check_frames((*framer.tick(at_s + 1), *framer.cut()), rules, CODE_RULES[0])


def check_frames(frames: Iterable[ScanFrame], rules: FramingRules, codes: CodeRules) -> None:
    """Each frame is of a known kind, bounded, and decodes."""
    for frame in frames:
        assert frame.kind in get_args(FrameKind)
        assert len(frame.raw) <= rules.max_len + 1
        assert frame.kind != "reject" or frame.reason
        if frame.is_scan:
            check_code(frame.raw, codes, fault=frame.reason, key=frame.key)


def check_code(
    raw: bytes, rules: CodeRules, *, fault: str | None = None, key: str | None = None
) -> None:
    """Any bytes give a named result, the same each time, that JSON and a sentence can carry."""
    payload = decode(raw, rules, fault=fault, key=key)
    assert payload.kind in get_args(PayloadKind)
    assert (payload.kind == "reject") == (payload.reason is not None)
    assert payload == decode(raw, rules, fault=fault, key=key)
    msgspec.json.encode(describe(payload))
    if payload.kind == "plain":
        assert hygiene_fault(payload.text) is None
    for meanings in MEANINGS:
        interpret(payload, SESSION, meanings)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "code": fuzz_code,
    "line": fuzz_line,
    "keys": fuzz_keys,
}
