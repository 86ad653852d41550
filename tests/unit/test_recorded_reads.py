"""A recording gives the set-up test the reads that its scanner sent."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hardware.frame import ScanFrame
from hardware.framing import Framer, FramingRules
from hardware.keymap import KeyRules, Keys, LayoutName
from hardware.recorded_reads import recorded, strokes_of
from hardware.recording import HEADER, line_of, script_of
from hardware.scanner import ScannerConfig
from hardware.script import Step
from hardware.sheet import SHEET, Arrival, LineSettings, Pressed, Sent
from hardware.sheet_check import SheetCheck, check_sheet, recognise
from hardware.wedge import WedgeFramer

LAYOUTS: tuple[LayoutName, ...] = get_args(LayoutName)
Wedge = Callable[[int, int, float], tuple[ScanFrame, ...]]


def steps_of(*frames: ScanFrame) -> tuple[Step, ...]:
    """The steps of a recording of these frames, written and read again."""
    script = script_of(f"{HEADER}\n".replace("'", '"') + "".join(map(line_of, frames)), "a.scanlog")
    assert script.faults == ()
    return script.steps


def serial(**framing: Any) -> ScannerConfig:
    return ScannerConfig(name="hand", driver="serial_port", framing=FramingRules(**framing))


def wedge(**rules: Any) -> ScannerConfig:
    return ScannerConfig(name="hand", driver="evdev_wedge", keys=KeyRules(**rules))


def framed(sent: bytes, config: ScannerConfig) -> Iterator[ScanFrame]:
    framer = Framer("hand", config.framing)
    yield from framer.feed(sent, 1.0)
    yield from framer.tick(9.0)


def typed(keys: tuple[tuple[int, int], ...], config: ScannerConfig) -> Iterator[ScanFrame]:
    framer = WedgeFramer("hand", config.framing, config.keys)
    for code, value in keys:
        yield from framer.key(code, value, 1.0)
    yield from framer.tick(9.0)


@given(
    st.binary(min_size=1, max_size=30).filter(lambda code: not set(code) & set(b"\r\n\t\0")),
    st.sampled_from([{}, {"suffix": b""}, {"suffix": b"\t"}, {"suffix": b"\r", "prefix": b"S1:"}]),
)
def test_what_a_serial_scanner_sent_is_what_comes_out(code: bytes, framing: Any) -> None:
    config = serial(settle_ms=0, **framing)
    end = b"\r" if config.framing.suffix is None else config.framing.suffix
    sent = config.framing.prefix + code + end
    frames = list(framed(sent, config))
    assume(all(frame.kind in ("code", "noread") for frame in frames))
    assert list(recorded(steps_of(*frames), config)) == [Sent(sent)]


def test_a_read_whose_end_never_came_has_none() -> None:
    frame = ScanFrame(raw=b"A\t", device="hand", at_s=1.0, kind="incomplete", reason="no_suffix")
    assert list(recorded(steps_of(frame), serial())) == [Sent(b"A\t")]


@given(st.data(), st.sampled_from(LAYOUTS))
def test_what_a_wedge_typed_is_typed_again(data: st.DataObject, layout: LayoutName) -> None:
    """Every character of its keyboard, control characters, and any other by its number."""
    config = wedge(layout=layout, key_map={"F8": b"\x1d"})
    characters = sorted(set(strokes_of(config.keys)) - set("\r\n\0")) + list("éÿŒ€")
    text = data.draw(st.text(st.sampled_from(characters), min_size=1, max_size=30))
    frame = ScanFrame(raw=text.encode(), device="hand", at_s=1.0)
    (arrival,) = recorded(steps_of(frame), config)
    assert isinstance(arrival, Pressed)
    (again,) = typed(arrival.keys, config)
    assert again.raw == text.encode()


def test_bytes_that_no_keyboard_types_break_nothing() -> None:
    frame = ScanFrame(raw=b"A\xff\xc5\x82", device="hand", at_s=1.0)
    (arrival,) = recorded(steps_of(frame), wedge(key_map={"F9": b"\xff", "F8": b"\x1d\x1d"}))
    assert isinstance(arrival, Pressed)


def sheet_frames(
    config: ScannerConfig, scanner: KeyRules, end: str = "\r", *, aim: bool = True
) -> list[ScanFrame]:
    """The whole sheet by a wedge that types as `scanner` says, read under `config`."""
    strokes = strokes_of(scanner)
    frames: list[ScanFrame] = []
    for code in SHEET:
        text = code.aim * aim + code.data.decode() + end
        frames += typed(tuple(key for each in text for key in strokes[each]), config)
    return frames


def checked(arrivals: list[Arrival], config: ScannerConfig) -> SheetCheck:
    current = LineSettings(layout=config.keys.layout)
    found = {recognise(arrival, current): arrival for arrival in arrivals}
    return check_sheet({number: each for number, each in found.items() if number}, current)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_sheet_in_a_recording_finds_the_keyboard(layout: LayoutName) -> None:
    """Codes that hold a key with AltGr, which a US keyboard has not, are not in it: 2 to 4."""
    config = wedge()
    frames = sheet_frames(config, KeyRules(layout=layout), aim=False)
    check = checked(list(recorded(steps_of(*frames), config)), config)
    assert check.proposed.layout == layout
    assert {1, 5, 6, 7} <= set(check.read)
    assert check.is_ready == (layout == "us")


def test_a_recording_under_the_right_settings_has_nothing_to_change() -> None:
    for layout in LAYOUTS:
        config = wedge(layout=layout)
        frames = sheet_frames(config, config.keys)
        check = checked(list(recorded(steps_of(*frames), config)), config)
        assert (check.read, check.findings) == ((1, 2, 3, 4, 5, 6, 7), ())


def test_a_suffix_that_the_settings_do_not_know_is_found_in_a_recording() -> None:
    frames = sheet_frames(wedge(), KeyRules(), "\t")
    assert {frame.kind for frame in frames} == {"incomplete"}
    check = checked(list(recorded(steps_of(*frames), wedge())), wedge())
    assert check.proposed.suffix == "\t"


def test_keys_agree_with_the_tables() -> None:
    """The strokes are asked of the tables, so they must give what they were asked for."""
    for layout in LAYOUTS:
        for character, stroke in strokes_of(KeyRules(layout=layout)).items():
            keys = Keys(KeyRules(layout=layout))
            assert b"".join(keys.press(*key).data for key in stroke) == character.encode()
