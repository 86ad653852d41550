"""The script language of the simulated scanner (`docs/scanner-scripts.md`)."""

from typing import Any

import pytest

from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.framing import FramingRules
from hardware.player import perform, replay
from hardware.scanner import ScannerConfig
from hardware.script import Action, Plug, Script, Send, Step, Unplug, Wait, actions, parse


def reads(text: str, **rules: Any) -> list[tuple[str, bytes]]:
    """Kind and bytes of every frame of a script; a lost cable is (`gone`, b"")."""
    script = parse(text, "test.scan")
    assert not script.faults
    config = ScannerConfig(name="sim", driver="simulated", framing=FramingRules(**rules))
    found: list[tuple[str, bytes]] = []
    for came in replay(script.steps, config):
        if isinstance(came, ScanFrame):
            found.append((came.kind, came.raw))
        elif isinstance(came, ScannerError):
            found.append((came.reason, b""))
    return found


def test_each_line_is_one_step_and_comments_are_none() -> None:
    script = parse("# a shift\n\nscan  WO-1001  # the first\n  pause 250\nplug\r\n", "x.scan")
    assert script == Script(
        (
            Step(line=3, verb="scan", code=b"WO-1001"),
            Step(line=4, verb="pause", pause_ms=250),
            Step(line=5, verb="plug"),
        ),
        (),
    )


def test_a_comment_begins_only_after_white_space() -> None:
    assert reads("scan A#1 # one\nscan A\\x20\\x23b") == [("code", b"A#1"), ("code", b"A #b")]


def test_a_code_keeps_its_inner_spaces_and_every_other_backslash() -> None:
    assert reads("scan %SHORT no  wood\nscan a\\b\\x4g") == [
        ("code", b"%SHORT no  wood"),
        ("code", b"a\\b\\x4g"),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jump", "unknown verb 'jump'"),
        ("SCAN A", "unknown verb 'SCAN'"),
        ("scan", "scan needs a code"),
        ("scan # nothing", "scan needs a code"),
        ("pause", "whole milliseconds"),
        ("pause 1.5", "whole milliseconds"),
        ("pause -1", "whole milliseconds"),
        ("pause 99999999999", "whole milliseconds"),
        ("unplug now", "takes nothing more"),
        ("repeat WO-1", "repeat needs a number"),
        ("repeat 0 WO-1", "repeat needs a number"),
        ("burst 10001 WO-1", "burst needs a number"),
        ("burst 3", "burst needs a code"),
        ("burst ² A", "burst needs a number"),
    ],
)
def test_a_fault_names_file_line_and_mend(line: str, words: str) -> None:
    script = parse(f"scan A\n{line}\nscan B", "bad.scan")
    (fault,) = script.faults
    assert str(fault).startswith("bad.scan:2: ")
    assert words in fault.message
    assert "Write it as" in fault.message or "Use one of" in fault.message


def test_every_fault_of_a_script_is_told() -> None:
    assert [fault.line for fault in parse("x\nscan A\ny\n", "f").faults] == [1, 3]


def test_the_same_code_scanned_twice_is_two_scans() -> None:
    assert reads("scan A\nscan A") == [("code", b"A")] * 2


def test_repeat_counts_each_read_and_burst_the_first() -> None:
    assert reads("repeat 3 A") == [("code", b"A")] * 3
    assert reads("burst 3 A") == [("code", b"A"), ("duplicate", b"A"), ("duplicate", b"A")]


def test_numbered_codes_of_a_burst_are_all_different() -> None:
    assert reads("burst 3 U-{n:3}") == [(("code"), b"U-00%d" % n) for n in (1, 2, 3)]
    assert reads("repeat 2 {n}/{n}\nscan {n}") == [
        ("code", b"1/1"),
        ("code", b"2/2"),
        ("code", b"{n}"),
    ]


def test_garbled_half_and_endless_codes_are_never_the_code() -> None:
    found = reads("garble WO-1001\nhalf WO-1001\nnosuffix WO-1001\nscan WO-1")
    assert found == [
        ("code", b"WO-\x1a001"),
        ("incomplete", b"WO-"),
        ("incomplete", b"WO-1001"),
        ("code", b"WO-1"),
    ]


def test_an_unplugged_scanner_reads_nothing_until_it_is_plugged() -> None:
    found = reads("scan A\nhalf LONG\nunplug\nscan B\nunplug\nplug\nscan C")
    assert found == [("code", b"A"), ("incomplete", b"LO"), ("gone", b""), ("code", b"C")]


def test_a_scanner_without_suffix_plays_the_same_script() -> None:
    assert reads("scan A\nburst 2 B{n}\nrepeat 2 C\nhalf LONG\nscan D", suffix=b"") == [
        ("code", b"A"), ("code", b"B1"), ("code", b"B2"), ("code", b"C"), ("code", b"C"),
        ("incomplete", b"LO"), ("gone", b""), ("code", b"D"),
    ]  # fmt: skip


def test_prefix_and_suffix_of_the_scanner_are_sent_and_taken_off() -> None:
    assert reads("scan A", prefix=b"\x02", suffix=b"\x03") == [("code", b"A")]


def test_only_the_pauses_of_the_script_can_be_shortened() -> None:
    steps = parse("scan A\npause 1000\nscan A", "x").steps
    waits = [one for one in actions(steps, FramingRules()) if isinstance(one, Wait)]
    assert [(one.wait_ms, one.scalable) for one in waits if one.scalable] == [(1000, True)]
    assert all(one.wait_ms > 500 for one in waits if not one.scalable)


def test_performing_moves_the_cable_and_keeps_the_time() -> None:
    told: list[Any] = []

    class Notes:
        def send(self, data: bytes) -> None:
            told.append(data)

        def unplug(self) -> None:
            told.append("unplug")

        def plug(self) -> None:
            told.append("plug")

    planned: list[Action] = [Wait(600, False), Send(1, b"A\r"), Wait(600, True), Unplug(2), Plug(3)]
    perform(planned, Notes(), speed=2, sleep=told.append)  # type: ignore[arg-type]
    assert told == [0.6, b"A\r", 0.3, "unplug", "plug"]
