"""`decode --vectors`: raw scanner inputs from a file, run through the whole pipeline.

The file says what each input must become; its keys are those of the scanning page. What is run is
what a station runs: the framer of the driver, then `decode`, under a clock of the vector's own.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from hardware.feedback import Handshake, name_of
from hardware.frame import ScanFrame
from hardware.framing import Framer
from hardware.scanner import ScannerConfig
from hardware.wedge import WedgeFramer
from mes_terminal.barcodes.decode import decode, describe
from mes_terminal.domain.rules import CodeRules
from mes_terminal.errors import InputError
from mes_terminal.settings.tables import ScannerTable, Settings
from mes_terminal.station.scanners import config_of

PAUSE: Final = re.compile(r"<(\d+)ms>")
KEY: Final = re.compile(r"([0-9A-Fa-f]+):([0-3])|<(\d+)ms>")
BEGIN_S: Final = 1.0
KEY_S: Final = 0.001
"""A fast wedge: a key event a millisecond."""
SILENCE_S: Final = 1.0
"""What follows every input."""
SYN_DROPPED: Final = (0, 3)
REPEATED: Final = "same frame again is delivered once"


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """One input and what it must become."""

    id: str
    transport: Literal["serial", "wedge", "out"]
    expect: dict[str, Any]
    input_hex: str = ""
    keys: str = ""
    config: dict[str, Any] = {}


class VectorFile(msgspec.Struct, frozen=True):
    """The file."""

    vectors: list[Vector]


def read_vectors(path: Path) -> list[Vector]:
    """Return the vectors of a file. Raises `InputError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=VectorFile).vectors
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", reason="file") from error
    except msgspec.DecodeError as error:
        raise InputError(f"{path} is no file of vectors: {error}.", reason="file") from error


def run_vector(vector: Vector, settings: Settings) -> dict[str, Any]:
    """Return what `decode --vectors` prints for one vector. Raises `InputError`."""
    scanner = _scanner(vector)
    expected = _expected(vector)
    if vector.transport == "out":
        got = _told(vector)
        return {"id": vector.id, "frames": [], **got, "pass": _fits(got, vector.expect)}
    config = config_of("vector", scanner)
    if vector.transport == "wedge":
        read = _press(vector, _wedge(vector, config))
    else:
        read = _send(vector, Framer("vector", config.framing))
    frames = [_described(frame, settings.code_rules(scanner)) for frame in read]
    passed = len(frames) == len(expected) and all(map(_fits, frames, expected))
    return {"id": vector.id, "frames": frames, "pass": passed}


def _scanner(vector: Vector) -> ScannerTable:
    """Return the configuration of the scanner that the input comes from."""
    driver = "evdev_wedge" if vector.transport == "wedge" else "serial_port"
    try:
        return msgspec.convert({"driver": driver, **vector.config}, ScannerTable)
    except msgspec.ValidationError as error:
        raise InputError(f"{vector.id}: config: {error}.", reason="settings") from error


def _expected(vector: Vector) -> list[dict[str, Any]]:
    """Return the frames that the vector must become."""
    try:
        return msgspec.convert(vector.expect.get("frames", []), list[dict[str, Any]])
    except msgspec.ValidationError as error:
        raise InputError(f"{vector.id}: expect.frames: {error}.", reason="file") from error


def _wedge(vector: Vector, config: ScannerConfig) -> WedgeFramer:
    try:
        return WedgeFramer("vector", config.framing, config.keys)
    except ValueError as error:
        raise InputError(f"{vector.id}: config: {error}", reason="settings") from error


def _bytes(vector: Vector, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputError(f"{vector.id}: input_hex: {error}.", reason="file") from error


def _send(vector: Vector, framer: Framer) -> Iterator[ScanFrame]:
    """Send the bytes down a serial line, with its pauses."""
    now_s = BEGIN_S
    for index, part in enumerate(PAUSE.split(vector.input_hex)):
        if index % 2:
            now_s += int(part) / 1000
            yield from framer.tick(now_s)
            continue
        yield from framer.feed(_bytes(vector, part), now_s)
    yield from framer.tick(now_s + SILENCE_S)


def _press(vector: Vector, framer: WedgeFramer) -> Iterator[ScanFrame]:
    """Press the keys, one event after the other."""
    now_s = BEGIN_S
    for word in vector.keys.split():
        found = KEY.fullmatch(word)
        if found is None:
            raise InputError(f"{vector.id}: keys: {word!r} is no key event.", reason="file")
        now_s += int(found[3]) / 1000 if found[3] else KEY_S
        if found[3]:
            yield from framer.tick(now_s)
            continue
        event = int(found[1], 16), int(found[2])
        if event == SYN_DROPPED:
            yield from (*framer.dropped(now_s), *framer.synced(now_s))
        else:
            yield from framer.key(*event, now_s)
    yield from framer.tick(now_s + SILENCE_S)


def _described(frame: ScanFrame, rules: CodeRules) -> dict[str, Any]:
    """Return a frame with the keys of the scanning page."""
    around = {"ended_by": frame.ended_by, "hint": frame.hint}
    if frame.is_scan:
        payload = decode(frame.raw, rules, fault=frame.reason, key=frame.key)
        warning = payload.warning or frame.warning
        return {**describe(payload), **around, "warning": warning}
    reason = {"kind": frame.kind, "reason": frame.reason}
    if frame.kind == "duplicate":
        return {**describe(decode(frame.raw, rules)), **around, **reason}
    return {"text": frame.raw.decode(rules.encoding, "replace"), **around, **reason}


def _told(vector: Vector) -> dict[str, Any]:
    """Return what the host's bytes mean, and that a repetition after them counts once."""
    data = _bytes(vector, vector.input_hex)
    handshake = Handshake(vector.config.get("handshake", "none"))
    code = ScanFrame(raw=b"WO-1001", device="vector", at_s=BEGIN_S)
    again = ScanFrame(raw=b"WO-1001", device="vector", at_s=BEGIN_S + SILENCE_S)
    delivered = [handshake.take(code)[0]]
    handshake.refused(BEGIN_S)
    delivered.append(handshake.take(again)[0])
    is_once = sum(frame.is_scan for frame in delivered) == 1
    return {"out": name_of(data), **({"then": REPEATED} if is_once else {})}


def _fits(got: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Tell whether every key that is expected is there and equal."""
    plain = msgspec.to_builtins(got)
    return all(key in plain and plain[key] == value for key, value in expected.items())
