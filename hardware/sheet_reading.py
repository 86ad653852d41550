"""The ways in which the reads of the set-up sheet could be read: keyboards, Caps Lock, parity.

Pure. Each way gives the bytes that the station would get, and the settings under which it gets
them; `hardware.sheet_check` takes the one that is nearest to the sheet. Keys go through the very
framer that reads a wedge, so what is found here is what the station does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, get_args

from hardware.framing import FramingRules
from hardware.keymap import CODES, MODIFIERS, CapsMode, KeyRules, LayoutName
from hardware.sheet import Arrival, LineSettings, Pressed, Sent, Typed
from hardware.wedge import WedgeFramer

LAYOUTS: Final[tuple[LayoutName, ...]] = get_args(LayoutName)
CAPS_MODES: Final[tuple[CapsMode, ...]] = get_args(CapsMode)
AS_IT_COMES: Final = FramingRules(
    suffix=b"", idle_ms=60_000, duplicate_ms=0, settle_ms=0, noread=()
)
"""Framing that takes nothing off and drops nothing: what is around a code must be seen."""

KEY_STEP_S: Final = 0.001
SHIFT: Final = 42
ALTGR: Final = 100
ENTER: Final = 28
TYPING_KEYS: Final = (*range(2, 14), *range(16, 28), *range(30, 42), *range(43, 54), 57, 86)
"""The keys of a keyboard that hold characters, by their evdev codes."""

NOT_MAPPED: Final = MODIFIERS | {*TYPING_KEYS, ENTER}
"""Keys that never stand for GS alone."""
SWAPPED_DOUBT: Final = 0.5
GS_HEX: Final = "1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read everything that arrived."""

    raws: Mapping[int, bytes]
    settings: LineSettings
    """Those under which the station reads it so."""
    doubt: float = 0.0
    """Added to what does not fit: of ways that fit alike the nearest to the settings is taken."""
    open: tuple[tuple[Any, str], ...] = ()
    """What no setting can mend, in this way: kind of finding and sentence."""


def readings(arrived: Mapping[int, Arrival], current: LineSettings) -> Iterator[Reading]:
    """Every way to read the reads, the configured one first. All are of one kind of scanner."""
    sent = {number: read.data for number, read in arrived.items() if isinstance(read, Sent)}
    pressed = {number: read for number, read in arrived.items() if isinstance(read, Pressed)}
    typed = {number: read.text for number, read in arrived.items() if isinstance(read, Typed)}
    if pressed:
        ways = _of_keys(pressed, current)
    elif typed:
        ways = _of_characters(typed, current)
    else:
        ways = _of_bytes(sent, current)
    for way in ways:
        yield way
        yield _swapped(way, is_typed=bool(pressed or typed))


def _swapped(way: Reading, *, is_typed: bool) -> Reading:
    """The same with capitals for small letters."""
    sentence = (
        "Capitals arrive as small letters and the other way round: Caps Lock is on. Switch it "
        "off; if it is off, switch the scanner's own Caps Lock option off."
        if is_typed
        else "Capitals arrive as small letters and the other way round. Switch the scanner's "
        "conversion of case off."
    )
    raws = {number: raw.swapcase() for number, raw in way.raws.items()}
    finding = ("caps_lock", sentence)
    return replace(way, raws=raws, doubt=way.doubt + SWAPPED_DOUBT, open=(*way.open, finding))


def _of_bytes(sent: Mapping[int, bytes], current: LineSettings) -> Iterator[Reading]:
    yield Reading(raws=sent, settings=current)
    together = b"".join(sent.values())
    if current.bits != 8 or not any(byte > 0x7F for byte in together):
        return
    odd = {byte.bit_count() % 2 for byte in together}
    parity = {frozenset({0}): "E", frozenset({1}): "O"}.get(frozenset(odd), "M")
    yield Reading(
        raws={number: bytes(byte & 0x7F for byte in raw) for number, raw in sent.items()},
        settings=replace(current, bits=7, parity=parity),
        doubt=0.1,
    )


def _of_keys(pressed: Mapping[int, Pressed], current: LineSettings) -> Iterator[Reading]:
    layouts = sorted(LAYOUTS, key=lambda layout: layout != current.layout)
    caps = sorted(CAPS_MODES, key=lambda way: way != current.caps)
    tries = [(layout, way) for layout in layouts for way in caps]
    for position, (layout, way) in enumerate(tries):
        settings = replace(current, layout=layout, caps=way)
        forbidden = _forbidden(pressed, settings)
        mapped = {key: GS_HEX for key in forbidden if CODES.get(key, ENTER) not in NOT_MAPPED}
        if mapped:
            settings = replace(settings, key_map={**current.key_map, **mapped})
        sentence = "The scanner presses {}, which no code may hold. Switch that off at the scanner."
        yield Reading(
            raws={number: _bytes_of(read, settings)[0] for number, read in pressed.items()},
            settings=settings,
            doubt=0.01 * position,
            open=tuple(
                ("key", sentence.format(key)) for key in sorted(forbidden) if key not in mapped
            ),
        )


def _forbidden(pressed: Mapping[int, Pressed], settings: LineSettings) -> set[str]:
    return {key for read in pressed.values() for key in _bytes_of(read, settings)[1]}


def _bytes_of(read: Pressed, settings: LineSettings) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of one read with Enter as CR, and the keys that may not stand in a code."""
    rules = KeyRules(
        layout=settings.layout,
        caps=settings.caps,
        key_map={key: bytes.fromhex(text) for key, text in settings.key_map.items()},
    )
    framer = WedgeFramer("set-up", AS_IT_COMES, rules)
    framer.opened(0.0)
    frames = [
        frame
        for position, (code, value) in enumerate(read.keys)
        for frame in framer.key(code, value, position * KEY_STEP_S)
    ]
    frames += framer.tick(len(read.keys) * KEY_STEP_S + 2 * AS_IT_COMES.idle_ms / 1000)
    raw = b"".join(frame.raw + (b"\r" if frame.ended_by == "suffix" else b"") for frame in frames)
    return raw, tuple(frame.key for frame in frames if frame.key is not None)


def _of_characters(typed: Mapping[int, str], current: LineSettings) -> Iterator[Reading]:
    """A terminal took the keys for those of one keyboard; the scanner may press another's."""
    yield Reading(raws={number: _encoded(text) for number, text in typed.items()}, settings=current)
    for host in LAYOUTS:
        for scanner in LAYOUTS:
            if host == scanner:
                continue
            table = mistyped(host, scanner)
            sentence = (
                f"The scanner types as a {scanner} keyboard, this terminal takes it for {host}. "
                f"Set the scanner's keyboard country to {host}."
            )
            yield Reading(
                raws={number: _encoded(text.translate(table)) for number, text in typed.items()},
                settings=current,
                doubt=0.2,
                open=(("layout", sentence),),
            )


def _encoded(text: str) -> bytes:
    return text.replace("\n", "\r").encode("utf-8", "replace")


@cache
def mistyped(host: LayoutName, scanner: LayoutName) -> dict[int, str]:
    """For each character that a `host` keyboard shows: the one that a `scanner` keyboard meant."""
    meant = characters(scanner)
    return {ord(shown): meant[keys] for keys, shown in characters(host).items() if keys in meant}


@cache
def characters(layout: LayoutName) -> dict[tuple[int, ...], str]:
    """The character of every key of a layout, alone and with Shift or AltGr held."""
    settings = LineSettings(layout=layout)
    found = {}
    for key in TYPING_KEYS:
        for held in ((), (SHIFT,), (ALTGR,)):
            down = [(code, 1) for code in (*held, key)]
            up = [(code, 0) for code in (key, *held)]
            raw, forbidden = _bytes_of(Pressed((*down, *up)), settings)
            if len(raw.decode("utf-8", "replace")) == 1 and not forbidden:
                found[(*held, key)] = raw.decode("utf-8", "replace")
    return found
