"""Bytes to frames: the framing, no-read and double-read stages of the scanning page."""

import pytest

from hardware.frame import ScanFrame
from hardware.framing import RECENT_MAX, Framer, FramingRules

CODE_APART_S = 10.0


def play(chunks: list[tuple[bytes, float]], rules: FramingRules | None = None) -> list[ScanFrame]:
    """Every frame of timed chunks, with a second of silence after them."""
    framer = Framer("st10", rules or FramingRules())
    frames: list[ScanFrame] = []
    at_s = 1.0
    for data, pause_s in chunks:
        frames += framer.feed(data, at_s)
        at_s += pause_s
    frames += framer.tick(at_s + 1.0)
    return frames


def whole_and_split(data: bytes, rules: FramingRules | None = None) -> list[tuple[str, bytes]]:
    """Kind and bytes of each frame; the same whether the bytes come at once or one by one."""
    whole = [(frame.kind, frame.raw) for frame in play([(data, 0)], rules)]
    single = play([(data[i : i + 1], 0) for i in range(len(data))], rules)
    assert [(frame.kind, frame.raw) for frame in single] == whole
    return [(str(kind), raw) for kind, raw in whole]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r\n"])
def test_any_line_end_ends_a_code_once(end: bytes) -> None:
    assert whole_and_split(b"WO-1" + end + b"WO-2" + end) == [("code", b"WO-1"), ("code", b"WO-2")]


def test_a_tab_ends_a_code_where_it_is_configured_only() -> None:
    assert whole_and_split(b"A\tB\t\r") == [("code", b"A\tB\t")]
    tab = FramingRules(suffix=b"\t")
    assert whole_and_split(b"A\tB\tC\r", tab) == [("code", b"A"), ("code", b"B"), ("code", b"C")]


def test_prefix_and_suffix_of_several_bytes_are_taken_off() -> None:
    rules = FramingRules(prefix=b"\x02", suffix=b"##\r\n")
    assert whole_and_split(b"\x02A#1##\r\n\x02B##\r\n", rules) == [("code", b"A#1"), ("code", b"B")]


def test_empty_frames_and_leading_nuls_are_dropped() -> None:
    assert whole_and_split(b"\r\n\r\0\0\0WO-1\r\0\r\n") == [("code", b"WO-1")]


def test_a_nul_inside_a_code_stays_and_is_refused_later() -> None:
    assert whole_and_split(b"WO\0001\r") == [("code", b"WO\0001")]


@pytest.mark.parametrize("end", [b"\r", b""])
def test_the_longest_code_passes_and_one_byte_more_is_too_long(end: bytes) -> None:
    rules = FramingRules(suffix=None if end else b"")
    assert whole_and_split(b"A" * 4096 + end, rules) == [("code", b"A" * 4096)]
    (frame,) = play([(b"A" * 100_000 + end, 0)], rules)
    assert (frame.kind, frame.reason, len(frame.raw)) == ("reject", "too_long", 4097)


def test_a_code_after_one_that_was_too_long_is_read() -> None:
    frames = play([(b"A" * 9000 + b"\rWO-1\r", 0)])
    assert [(frame.kind, frame.raw[:5]) for frame in frames] == [
        ("reject", b"AAAAA"),
        ("code", b"WO-1"),
    ]


def test_an_endless_flood_is_refused_once_and_takes_no_memory() -> None:
    framer = Framer("st10", FramingRules())
    for _ in range(1000):
        assert framer.feed(b"x" * 4096, 1.0) == ()
    assert len(framer._pending) <= 4098
    (frame,) = framer.tick(2.0)
    assert (frame.kind, frame.reason) == ("reject", "too_long")


def test_a_code_whose_end_never_comes_is_incomplete_and_no_scan() -> None:
    frames = play([(b"WO-10", 0.5), (b"WO-1001\r", 0)])
    assert [(frame.kind, frame.raw, frame.is_scan) for frame in frames] == [
        ("incomplete", b"WO-10", False),
        ("code", b"WO-1001", True),
    ]


def test_a_code_that_stutters_below_the_limit_stays_whole() -> None:
    assert [frame.raw for frame in play([(b"WO-", 0.49), (b"1001\r", 0)])] == [b"WO-1001"]


def test_without_suffix_silence_ends_a_code() -> None:
    rules = FramingRules(suffix=b"", idle_ms=100)
    frames = play([(b"WO-", 0.05), (b"1", 0.1), (b"WO-2", 0)], rules)
    assert [(frame.raw, frame.ended_by) for frame in frames] == [
        (b"WO-1", "idle"),
        (b"WO-2", "idle"),
    ]


def test_a_line_that_breaks_cuts_the_code() -> None:
    framer = Framer("st10", FramingRules())
    framer.feed(b"WO-1", 1.0)
    (frame,) = framer.cut()
    assert (frame.kind, frame.reason, frame.raw) == ("incomplete", "unplugged", b"WO-1")
    assert framer.cut() == ()


def test_what_comes_while_the_line_opens_is_ignored_with_the_rest_of_its_code() -> None:
    framer = Framer("st10", FramingRules())
    framer.opened(5.0)
    assert framer.feed(b"\0\xffWO-", 5.19) == ()
    assert framer.feed(b"1001\rWO-2\r", 5.21)[0].raw == b"WO-2"


def test_noise_while_the_line_opens_does_not_swallow_the_first_code() -> None:
    framer = Framer("st10", FramingRules())
    framer.opened(5.0)
    assert framer.feed(b"\xff", 5.05) == ()
    assert [frame.raw for frame in framer.feed(b"WO-1\r", 5.3)] == [b"WO-1"]


@pytest.mark.parametrize("text", [b"NOREAD", b"NR", b"NO-READ", b"ERROR"])
def test_a_no_read_is_counted_and_nothing_else(text: bytes) -> None:
    (frame,) = play([(text + b"\r", 0)])
    assert frame.kind == "noread"
    assert not frame.is_scan


def test_the_same_code_within_half_a_second_is_a_duplicate() -> None:
    frames = play([(b"WO-1\r", 0.5), (b"WO-1\r", 0.6), (b"WO-1\r", 0)])
    assert [frame.kind for frame in frames] == ["code", "duplicate", "code"]


def test_a_code_held_before_the_scanner_counts_once_however_long() -> None:
    frames = play([(b"WO-1\r", 0.3)] * 10)
    assert [frame.kind for frame in frames] == ["code"] + ["duplicate"] * 9


def test_another_code_between_does_not_make_the_first_new() -> None:
    frames = play([(b"A\r", 0.1), (b"B\r", 0.1), (b"A\r", 0.1)])
    assert [frame.kind for frame in frames] == ["code", "code", "duplicate"]


def test_duplicates_can_be_switched_off() -> None:
    assert {frame.kind for frame in play([(b"A\r", 0)] * 5, FramingRules(duplicate_ms=0))} == {
        "code"
    }


def test_the_double_read_filter_remembers_few_codes() -> None:
    framer = Framer("st10", FramingRules())
    for number in range(1000):
        framer.feed(b"%d\r" % number, 1.0)
    assert len(framer._reads._at_s) <= RECENT_MAX


def test_the_framer_says_when_it_must_be_asked_again() -> None:
    framer = Framer("st10", FramingRules())
    assert framer.due_s() is None
    framer.feed(b"A", 2.0)
    assert framer.due_s() == 2.5
