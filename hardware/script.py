"""The script language of the simulated scanner: text to steps, steps to what happens on the cable.

Pure: nothing is played here (`hardware.player` does). `parse` reads a script and names every fault
with its line; `actions` unrolls its steps for a scanner's rules. The grammar is in
`docs/scanner-scripts.md`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from hardware.framing import FramingRules

Verb = Literal[
    "scan", "pause", "unplug", "plug", "garble", "half", "nosuffix", "repeat", "burst"
]  # fmt: skip

VERBS: Final[dict[Verb, str]] = {
    "scan": "scan CODE",
    "pause": "pause MS",
    "unplug": "unplug",
    "plug": "plug",
    "garble": "garble CODE",
    "half": "half CODE",
    "nosuffix": "nosuffix CODE",
    "repeat": "repeat N CODE",
    "burst": "burst N CODE",
}
"""Every verb with the form of its line."""

SCRIPT_LINES_MAX: Final = 100_000
COUNT_MAX: Final = 10_000
"""The most reads of one `repeat` or `burst` line."""
PAUSE_MAX_MS: Final = 86_400_000
"""A day."""

RECONNECT_MS: Final = 2500
"""Given after plugging in: the longest back-off of the supervisor, and the settling."""

READ_MARGIN_MS: Final = 100
"""Kept beyond the scanner's own times, so that two reads are never taken for one."""

SUBSTITUTE: Final = b"\x1a"
"""ASCII's own sign for a character that was garbled: a control, refused in every encoding."""

COMMENT: Final = re.compile(r"(^|\s)#.*")
ESCAPE: Final = re.compile(r"\\x([0-9a-fA-F]{2})")
NUMBER: Final = re.compile(rb"\{n(?::([1-9][0-9]?))?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a script."""

    line: int
    verb: Verb
    code: bytes = b""
    count: int = 1
    pause_ms: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one line of a script."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Script:
    """A script as read: its steps, or the faults that keep it from being played."""

    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes leave the scanner."""

    line: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing happens for so long. A `scalable` wait may be shortened by whoever plays faster."""

    wait_ms: int
    scalable: bool


@dataclass(frozen=True, slots=True)
class Unplug:
    """The cable is pulled."""

    line: int


@dataclass(frozen=True, slots=True)
class Plug:
    """The cable is put in."""

    line: int


Action = Send | Wait | Unplug | Plug


def parse(text: str, file: str) -> Script:
    """Read a script; `file` is what its faults call it."""
    steps: list[Step] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), 1):
        if number > SCRIPT_LINES_MAX:
            faults.append(Fault(file, number, f"more than {SCRIPT_LINES_MAX} lines. Split it."))
            break
        words = COMMENT.sub("", line).strip()
        if not words:
            continue
        step = _step(words, number)
        if isinstance(step, str):
            faults.append(Fault(file, number, step))
        else:
            steps.append(step)
    return Script(tuple(steps), tuple(faults))


def actions(steps: tuple[Step, ...], rules: FramingRules) -> Iterator[Action]:
    """What happens on the cable, in order, for a scanner with these rules.

    Before each read so much time passes that no earlier one can be confused with it; at the end so
    much that the last one is decided.
    """
    apart = Wait(_apart_ms(rules), scalable=False)
    close_by = Wait(rules.idle_ms + READ_MARGIN_MS if rules.ends_by_silence else 0, scalable=False)
    for step in steps:
        for position, data in enumerate(_reads(step, rules)):
            yield close_by if step.verb == "burst" and position else apart
            yield Send(step.line, data)
        match step.verb:
            case "pause":
                yield Wait(step.pause_ms, scalable=True)
            case "unplug":
                yield Unplug(step.line)
            case "plug":
                yield Plug(step.line)
                yield Wait(RECONNECT_MS, scalable=False)
            case "half" if rules.ends_by_silence:
                yield Unplug(step.line)
                yield Plug(step.line)
                yield Wait(RECONNECT_MS, scalable=False)
            case "scan" | "garble" | "half" | "nosuffix" | "repeat" | "burst":
                pass
            case _ as never:
                assert_never(never)
    yield apart


def _apart_ms(rules: FramingRules) -> int:
    """Longer than anything that could join two reads, or swallow the second."""
    times_ms = (rules.duplicate_ms, rules.incomplete_ms, rules.idle_ms, rules.settle_ms)
    return max(times_ms) + READ_MARGIN_MS


def _reads(step: Step, rules: FramingRules) -> Iterator[bytes]:
    """The bytes of each read that a step makes, as the scanner sends them."""
    suffix = b"\r" if rules.suffix is None else rules.suffix
    code = step.code
    match step.verb:
        case "scan":
            yield rules.prefix + code + suffix
        case "repeat" | "burst":
            for number in range(1, step.count + 1):
                yield rules.prefix + numbered(code, number) + suffix
        case "garble":
            middle = len(code) // 2
            yield rules.prefix + code[:middle] + SUBSTITUTE + code[middle + 1 :] + suffix
        case "half":
            yield rules.prefix + code[: max(1, len(code) // 2)]
        case "nosuffix":
            yield rules.prefix + code
        case "pause" | "unplug" | "plug":
            return
        case _ as never:
            assert_never(never)


def numbered(code: bytes, number: int) -> bytes:
    """A code with `{n}` replaced by the number of the read, `{n:6}` by six digits of it."""
    return NUMBER.sub(lambda found: b"%0*d" % (int(found[1] or 1), number), code)


def _step(words: str, line: int) -> Step | str:
    """The step of one line, or the sentence that says what is wrong with it."""
    name, _, rest = words.partition(" ")
    verb = next((known for known in VERBS if known == name), None)
    rest = rest.strip()
    if verb is None:
        return f"unknown verb {name!r}. Use one of: {', '.join(VERBS)}."
    form = f"Write it as `{VERBS[verb]}`."
    match verb:
        case "unplug" | "plug":
            return f"{verb} takes nothing more. {form}" if rest else Step(line=line, verb=verb)
        case "pause":
            pause_ms = _whole(rest, PAUSE_MAX_MS, least=0)
            if pause_ms is None:
                return f"pause needs whole milliseconds, at most {PAUSE_MAX_MS}. {form}"
            return Step(line=line, verb=verb, pause_ms=pause_ms)
        case "repeat" | "burst":
            number, _, code = rest.partition(" ")
            count = _whole(number, COUNT_MAX, least=1)
            if count is None:
                return f"{verb} needs a number from 1 to {COUNT_MAX}. {form}"
            return _read_step(verb, line, code.strip(), form, count)
        case "scan" | "garble" | "half" | "nosuffix":
            return _read_step(verb, line, rest, form)
        case _ as never:
            assert_never(never)


def _read_step(verb: Verb, line: int, code: str, form: str, count: int = 1) -> Step | str:
    if not code:
        return f"{verb} needs a code. {form}"
    return Step(line=line, verb=verb, code=_code(code), count=count)


def _code(text: str) -> bytes:
    """The bytes of a code: UTF-8, `\\x1d` standing for the byte of that value."""
    parts = ESCAPE.split(text)
    plain, values = parts[::2], [*parts[1::2], ""]
    return b"".join(
        part.encode() + bytes.fromhex(value) for part, value in zip(plain, values, strict=True)
    )


def _whole(text: str, most: int, *, least: int) -> int | None:
    """A whole number within limits, else None."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if least <= number <= most else None
