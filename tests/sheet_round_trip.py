"""A scanner set in some way reads the set-up sheet; its reads go through the station's pipeline.

For the tests of the set-up check: `assert_comes_out_right` is the proof that proposed lines are
right, since it pastes them into settings and lets framing and decoding say what they make of it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from hardware.frame import ScanFrame
from hardware.framing import Framer
from hardware.sheet import GS, SHEET, Arrival, LineSettings, Pressed, Sent, SheetCode
from hardware.sheet_check import SheetCheck
from hardware.wedge import WedgeFramer
from mes_terminal.barcodes.decode import decode
from mes_terminal.settings.tables import ScannerTable, Settings
from mes_terminal.station.scanners import config_of


class ReadsSheet(Protocol):
    """A simulated scanner."""

    def read(self, code: SheetCode) -> Arrival:
        """What leaves it when it reads a code."""


@dataclass(frozen=True)
class SerialScanner:
    """A scanner on a serial line, as it is set."""

    prefix: bytes = b""
    suffix: bytes = b"\r"
    gs: bytes = GS
    lead: bytes = b""
    """Sent for the FNC1 that begins a GS1 code."""
    aim: bool = True
    code_ids: Mapping[str, bytes] | None = None
    parity: str = "N"
    swaps_case: bool = False

    def read(self, code: SheetCode) -> Sent:
        lead = self.lead if code.is_gs1 else b""
        data = lead + code.data.replace(GS, self.gs)
        aim = code.aim.encode() if self.aim else b""
        own = (self.code_ids or {}).get(code.symbol, b"")
        sent = self.prefix + own + aim + data
        sent = (sent.swapcase() if self.swaps_case else sent) + self.suffix
        return Sent(bytes(self._with_parity(byte) for byte in sent))

    def _with_parity(self, byte: int) -> int:
        if self.parity == "N":
            return byte
        return byte | 0x80 if (byte.bit_count() % 2 == 1) == (self.parity == "E") else byte


def read_all(scanner: ReadsSheet) -> dict[int, Arrival]:
    return {code.number: scanner.read(code) for code in SHEET}


def kinds(check: SheetCheck) -> dict[str, str]:
    return {finding.kind: finding.weight for finding in check.findings}


def table_of(check: SheetCheck, driver: str) -> ScannerTable:
    """The settings with the proposed lines pasted into them."""
    old: dict[str, Any] = {
        name: getattr(check.current, name)
        for name in LineSettings.__dataclass_fields__
        if getattr(check.current, name) is not None
    }
    lines = "\n".join(check.lines("st10"))
    for line in check.lines("st10"):
        if line.startswith("# "):
            del old[line[2:].split(":")[0]]
    new = tomllib.loads(lines).get("scanner", {}).get("st10", {})
    raw = {"scanner": {"st10": {**old, **new, "driver": driver, "duplicate_ms": 0}}}
    return msgspec.convert(raw, Settings, strict=False).scanner["st10"]


def received(arrival: Arrival, table: ScannerTable, at_s: float) -> list[ScanFrame]:
    """What the station's framing makes of one read."""
    config = config_of("st10", table)
    rules = replace(config.framing, settle_ms=0)
    if isinstance(arrival, Sent):
        framer = Framer("st10", rules)
        line = bytes(byte & (1 << table.bits) - 1 for byte in arrival.data)
        return [*framer.feed(line, at_s), *framer.tick(at_s + 1)]
    assert isinstance(arrival, Pressed)
    wedge = WedgeFramer("st10", rules, config.keys)
    wedge.opened(at_s)
    frames: list[ScanFrame] = []
    for number, (key, value) in enumerate(arrival.keys):
        frames += wedge.key(key, value, at_s + number * 0.002)
    return [*frames, *wedge.tick(at_s + len(arrival.keys) * 0.002 + 1)]


def assert_comes_out_right(
    check: SheetCheck, arrived: Mapping[int, Arrival], *, driver: str = "serial_port"
) -> None:
    """Every read, by framing and decoding under the proposed settings, is what is printed."""
    table = table_of(check, driver)
    rules = Settings().code_rules(table)
    for code in SHEET:
        frames = received(arrived[code.number], table, 10.0)
        assert [frame.kind for frame in frames] == ["code"], (code.number, frames)
        payload = decode(frames[0].raw, rules)
        assert payload.kind != "reject", (code.number, payload)
        if not code.is_gs1:
            assert payload.text == code.data.decode(), code.number
        elif payload.kind == "gs1":
            got = dict(payload.fields)
            assert got == dict(code.elements), code.number
        else:
            raise AssertionError(payload)
