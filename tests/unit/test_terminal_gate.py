"""The gate before a screen: scans and typing told apart by timing (`screens.md` 10)."""

from dataclasses import dataclass, field

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from hardware.frame import ScanFrame
from hardware.terminal_gate import Gate, GateKey, GateResult, GateRules

ENTER = ("\r", "enter")
BACKSPACE = ("\x7f", "backspace")
ESCAPE = ("\x1b", "escape")
FAST_S = 0.001
SLOW_S = 0.2

Key = tuple[str | None, str]


def keys_of(data: str) -> list[Key]:
    """The keys that the screen's own parser makes of what a terminal sends."""
    parser = XTermParser()
    tokens = [*parser.feed(data), *parser.feed("")]
    return [(token.character, token.key) for token in tokens if isinstance(token, events.Key)]


@dataclass
class Desk:
    """Presses keys at a gate and collects what comes of them."""

    gate: Gate = field(default_factory=Gate)
    at_s: float = 100.0
    frames: list[ScanFrame] = field(default_factory=list)
    keys: list[GateKey] = field(default_factory=list)
    typed: str = ""

    def press(self, keys: list[Key], gap_s: float) -> None:
        for character, name in keys:
            self.pass_s(gap_s)
            self._note(self.gate.feed(character, name, self.at_s))

    def pass_s(self, seconds: float) -> None:
        """Let time pass, asking the gate whenever it wanted to be asked."""
        until_s = self.at_s + seconds
        while (due_s := self.gate.tick(self.at_s).due_s) is not None and due_s <= until_s:
            self.at_s = due_s
            self._note(self.gate.tick(due_s))
        self.at_s = until_s

    def scan(self, data: str) -> None:
        self.press(keys_of(data), FAST_S)

    def codes(self) -> list[bytes]:
        return [frame.raw for frame in self.frames if frame.is_scan]

    def _note(self, result: GateResult) -> None:
        self.frames += result.frames
        self.keys += result.keys
        self.typed = result.typed_text


def text_keys(text: str) -> list[Key]:
    return [(character, character) for character in text]


def test_a_scanned_code_is_one_frame_and_no_key() -> None:
    desk = Desk()
    desk.scan("WO-1001\r")
    desk.pass_s(5)
    assert desk.codes() == [b"WO-1001"]
    assert (desk.keys, desk.typed) == ([], "")


@pytest.mark.parametrize("gap_s", [0.0, 0.001, 0.005, 0.016, 0.03, 0.049, 0.06, 0.2])
def test_codes_back_to_back_arrive_exactly_at_any_speed(gap_s: float) -> None:
    desk = Desk()
    wanted = [f"U-{number:06}" for number in range(50)]
    for code in wanted:
        desk.press([*text_keys(code), ENTER], gap_s)
    desk.pass_s(5)
    assert desk.codes() == [code.encode() for code in wanted]
    assert desk.keys == []


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_line_end_ends_a_scan_once_and_none_is_a_key(end: str) -> None:
    desk = Desk()
    desk.scan(f"A{end}BB{end}CCCCCC{end}")
    desk.pass_s(5)
    assert desk.codes() == [b"A", b"BB", b"CCCCCC"]
    assert desk.keys == []


@pytest.mark.parametrize("value", [v for v in range(0x20) if chr(v) not in "\r\n\x1b"] + [0x7F])
@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_control_character_anywhere_in_a_scan_stays_in_it(value: int, place: int) -> None:
    code = "WO-10"[:place] + chr(value) + "WO-10"[place:]
    desk = Desk()
    desk.scan(code + "\r")
    desk.pass_s(5)
    assert desk.codes() == [code.encode().lstrip(b"\0")]
    assert desk.keys == []


@pytest.mark.parametrize("code", ["\x11", "\x03\x03", "\x7f\x7f\x7f\x7f\x7f", "\x1d1", "\t\t"])
def test_a_short_code_of_controls_is_a_frame_and_no_key(code: str) -> None:
    desk = Desk()
    desk.scan(code + "\r")
    desk.pass_s(5)
    assert desk.codes() == [code.encode()]
    assert desk.keys == []


@pytest.mark.parametrize(
    "sequence", ["\x1b[A", "\x1bOP", "\x1b[15~", "\x1b[3~", "\x1bq", "\x1b[1;5C"]
)
def test_an_escape_sequence_in_a_scan_presses_nothing_and_spoils_the_code(sequence: str) -> None:
    desk = Desk()
    desk.scan(f"WO-{sequence}1001\r")
    desk.pass_s(5)
    (code,) = desk.codes()
    assert b"\x1b" in code
    assert code.startswith(b"WO-")
    assert desk.keys == []


def test_a_code_that_stutters_is_never_delivered_in_part() -> None:
    for cut in range(1, 7):
        desk = Desk()
        desk.press(text_keys("WO-1001"[:cut]), FAST_S)
        desk.pass_s(0.3)
        desk.press([*text_keys("WO-1001"[cut:]), ENTER], FAST_S)
        assert desk.codes() == [b"WO-1001"]


def test_a_scan_without_end_is_incomplete_and_no_scan() -> None:
    desk = Desk()
    desk.press(text_keys("WO-1001"), FAST_S)
    desk.pass_s(0.51)
    (frame,) = desk.frames
    assert (frame.kind, frame.raw, frame.is_scan) == ("incomplete", b"WO-1001", False)
    desk.scan("WO-2\r")
    assert desk.codes() == [b"WO-2"]


def test_without_suffix_silence_ends_a_scan() -> None:
    desk = Desk(Gate(GateRules(idle_ms=150)))
    desk.press(text_keys("WO-1001"), FAST_S)
    desk.pass_s(0.16)
    assert [(frame.kind, frame.ended_by) for frame in desk.frames] == [("code", "idle")]


def test_a_flood_is_refused_once_and_bounded() -> None:
    desk = Desk()
    desk.press([*text_keys("x" * 10_000), ENTER], FAST_S)
    (frame,) = desk.frames
    assert (frame.kind, frame.reason, len(frame.raw)) == ("reject", "too_long", 4097)


def test_a_double_read_is_a_duplicate_and_the_next_one_is_not() -> None:
    desk = Desk()
    desk.scan("WO-1001\rWO-1001\r")
    desk.pass_s(0.6)
    desk.scan("WO-1001\r")
    assert [frame.kind for frame in desk.frames] == ["code", "duplicate", "code"]


def test_a_person_types_a_code_sees_it_and_ends_it_with_enter() -> None:
    desk = Desk()
    desk.press(text_keys("WO-1"), SLOW_S)
    desk.pass_s(0.1)
    assert desk.typed == "WO-1"
    desk.press([ENTER], SLOW_S)
    desk.pass_s(1)
    assert (desk.codes(), desk.typed, desk.keys) == ([b"WO-1"], "", [])


def test_backspace_and_escape_mend_what_is_typed() -> None:
    desk = Desk()
    desk.press([*text_keys("WO-2"), BACKSPACE, *text_keys("1")], SLOW_S)
    desk.pass_s(0.1)
    assert desk.typed == "WO-1"
    desk.press([ESCAPE], SLOW_S)
    desk.pass_s(0.1)
    assert (desk.typed, desk.keys, desk.frames) == ("", [], [])


def test_a_backspace_held_down_deletes_and_is_no_scan() -> None:
    desk = Desk()
    desk.press(text_keys("ABCDEFGH"), SLOW_S)
    desk.pass_s(0.5)
    desk.press([BACKSPACE] * 5, 0.033)
    desk.pass_s(2)
    assert (desk.typed, desk.frames) == ("ABC", [])


def test_a_digit_held_down_is_typed_and_not_torn_from_what_came_before() -> None:
    desk = Desk()
    desk.press(text_keys("10"), SLOW_S)
    desk.pass_s(0.6)
    desk.press([("0", "0")] * 6, 0.033)
    desk.pass_s(0.1)
    assert desk.typed == "10000000"


@pytest.mark.parametrize("key", [(None, "f1"), ("\x11", "ctrl+q"), (None, "up"), ESCAPE, BACKSPACE])
def test_a_lone_key_is_held_back_and_then_let_through(key: Key) -> None:
    desk = Desk()
    desk.press([key], SLOW_S)
    assert desk.keys == []
    desk.pass_s(0.05)
    assert desk.keys == [GateKey(*key)]


def test_a_lone_enter_is_let_through_but_not_that_of_a_scan() -> None:
    desk = Desk()
    desk.scan("WO-1\r\n")
    desk.pass_s(1)
    assert desk.keys == []
    desk.press([ENTER], SLOW_S)
    desk.pass_s(1)
    assert desk.keys == [GateKey(*ENTER)]


def test_a_scan_leaves_alone_what_somebody_began_to_type_before() -> None:
    desk = Desk()
    desk.press(text_keys("47"), SLOW_S)
    desk.pass_s(3)
    desk.scan("B:anna\r")
    desk.pass_s(1)
    assert (desk.codes(), desk.typed) == ([b"B:anna"], "47")


def test_pasted_text_is_typed_text_line_by_line() -> None:
    desk = Desk()
    result = desk.gate.paste("WO-1\r\nWO-2\nWO", desk.at_s)
    assert [frame.raw for frame in result.frames] == [b"WO-1", b"WO-2"]
    assert result.typed_text == "WO"


def test_clearing_forgets_what_is_pending() -> None:
    desk = Desk()
    desk.press(text_keys("47"), SLOW_S)
    desk.gate.clear()
    assert desk.gate.tick(desk.at_s + 1) == GateResult()
