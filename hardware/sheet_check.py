"""The set-up sheet compared with what arrived: what is set wrongly, and what to write instead.

Pure. `check_sheet` takes the reads by the number of the code that was held before the scanner and
gives findings in plain sentences and the settings under which the same reads come out right.
`hardware.sheet_reading` tries the ways to read them; this module looks at what stands around and
between the characters. Called by `scanners --test`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import SequenceMatcher
from typing import Any, Final, Literal

from hardware.framing import LINE_ENDS
from hardware.misread import is_ssi
from hardware.sheet import GS, SHEET, Arrival, LineSettings, Sent, SheetCode
from hardware.sheet_reading import Reading, readings
from hardware.shown_bytes import SHOWN_MAX, show
from hardware.toml_text import toml_value

FindingKind = Literal[
    "layout", "caps_lock", "parity", "key", "prefix", "code_id", "suffix_missing", "suffix_other",
    "suffix_varies", "gs_dropped", "gs_replaced", "gs_varies", "aim_missing", "aim_setting",
    "gs1_plain", "doubled", "lost", "changed", "unreadable",
]  # fmt: skip
Weight = Literal["mended", "open", "note"]
"""`mended`: the proposed lines mend it. `open`: only the scanner or a person can. `note`: works,
could be better."""

AIM: Final = rb"\][A-Za-z][0-9A-Za-z]"
LEAD_MAX: Final = 8
"""Bytes that may stand for a leading FNC1: a GS, or the text that a scanner sends instead."""

NOT_TO_GUESS: Final = 0.5
"""Likeness below which a read is none of the sheet's codes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the scanner, in a sentence that says what to do."""

    kind: FindingKind
    weight: Weight
    sentence: str


SSI: Final = Finding(
    "unreadable",
    "open",
    "The scanner speaks SSI. Reprogram it to USB-CDC, plain RS-232 or USB keyboard.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetCheck:
    """What a test of a scanner found."""

    findings: tuple[Finding, ...]
    current: LineSettings
    proposed: LineSettings
    read: tuple[int, ...]
    """The numbers of the codes that arrived."""

    @property
    def is_ready(self) -> bool:
        """Whether nothing needs to be changed, neither here nor at the scanner."""
        return all(finding.weight == "note" for finding in self.findings)

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines to write below `[scanner.NAME]`, that line first; empty if there are none."""
        changed = [
            _line(field.name, getattr(self.proposed, field.name))
            for field in fields(LineSettings)
            if getattr(self.proposed, field.name) != getattr(self.current, field.name)
        ]
        return (f"[scanner.{name}]", *changed) if changed else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """A read in which the code stands exactly, and what stood around it."""

    code: SheetCode
    before: bytes
    aim: bytes
    gaps: tuple[bytes, ...]
    after: bytes


_Judged = tuple[LineSettings, list[Finding]]
"""The settings as they should be, and what was found."""


def check_sheet(arrived: Mapping[int, Arrival], current: LineSettings) -> SheetCheck:
    """Compare the reads with the sheet; `arrived` is by the number of the code."""
    if any(isinstance(read, Sent) and is_ssi(read.data) for read in arrived.values()):
        return SheetCheck(findings=(SSI,), current=current, proposed=current, read=())
    codes = {code.number: code for code in SHEET}
    best = min(readings(arrived, current), key=lambda reading: _cost(reading, codes))
    findings, settings = _of_reading(best, current), best.settings
    if not any(kind == "layout" for kind, _ in best.open):  # else nothing more can be trusted
        settings, judged = _of_codes(best, codes)
        findings += judged
    return SheetCheck(
        findings=tuple(findings), current=current, proposed=settings, read=tuple(sorted(arrived))
    )


def _of_codes(reading: Reading, codes: Mapping[int, SheetCode]) -> _Judged:
    """What stands around and between the characters, and which characters are wrong."""
    fits = [fit for number, raw in reading.raws.items() if (fit := _fit(raw, codes[number]))]
    settings, findings = reading.settings, list[Finding]()
    for judge in (_prefix, _suffix, _separators, _identifiers):
        if fits:
            settings, found = judge(fits, settings)
            findings += found
    fitting = {fit.code.number for fit in fits}
    around = (fits[0].before, fits[0].after) if fits else (b"", b"")
    findings += [
        _misread(raw, codes[number], around)
        for number, raw in reading.raws.items()
        if number not in fitting
    ]
    return settings, findings


def recognise(arrival: Arrival, current: LineSettings) -> int | None:
    """The number of the sheet's code that a read is most like; None if it is like none."""
    likeness = [
        (_likeness(raw, code.data), -code.number)
        for reading in readings({0: arrival}, current)
        for raw in reading.raws.values()
        for code in SHEET
    ]
    best, number = max(likeness, default=(0.0, 0))
    return -number if best >= NOT_TO_GUESS else None


def _likeness(raw: bytes, data: bytes) -> float:
    raw = raw[::2] if _is_doubled(raw) else raw
    got, wanted = raw.decode("latin-1").lower(), data.decode("latin-1").lower()
    return SequenceMatcher(None, got, wanted, autojunk=False).ratio()


def _is_doubled(raw: bytes) -> bool:
    return raw[::2] == raw[1::2]


def _cost(reading: Reading, codes: Mapping[int, SheetCode]) -> float:
    """How far a way to read is from what the sheet says; of equals the first is taken."""
    cost = reading.doubt
    fits = []
    for number, raw in reading.raws.items():
        fit = _fit(raw, codes[number])
        if fit is None:
            cost += 1 + _distance(raw, codes[number].data)
        else:
            fits.append(fit)
            cost += 0.1 * sum(gap != GS for gap in fit.gaps)
    cost += 0.3 * (len({fit.before for fit in fits if not fit.code.is_gs1}) > 1)
    return cost + 0.3 * (len({fit.after for fit in fits}) > 1)


def _distance(raw: bytes, data: bytes) -> int:
    got, wanted = raw.decode("latin-1"), data.decode("latin-1")
    blocks = SequenceMatcher(None, got, wanted, autojunk=False).get_matching_blocks()
    return max(len(got), len(wanted)) - sum(block.size for block in blocks)


def _fit(raw: bytes, code: SheetCode) -> _Fit | None:
    """Find the code, character for character, in a read."""
    body = b"(.*?)".join(map(re.escape, code.pieces))
    lead = b".{0,%d}?" % LEAD_MAX if code.is_gs1 else b""
    found = re.fullmatch(
        rb"(?P<before>.*?)(?:(?P<aim>%b)%b)?%b(?P<after>.*)" % (AIM, lead, body), raw, re.DOTALL
    )
    if found is None:
        return None
    return _Fit(
        code=code,
        before=found["before"].lstrip(LINE_ENDS + b"\0"),
        aim=found["aim"] or b"",
        gaps=found.groups()[2:-1],
        after=found["after"],
    )


def _of_reading(reading: Reading, current: LineSettings) -> list[Finding]:
    """What the way of reading itself says: keyboard, Caps Lock, parity, keys."""
    found = [Finding(kind, "open", sentence) for kind, sentence in reading.open]
    new = reading.settings
    if new.layout != current.layout:
        sentence = (
            f"The scanner types as a {new.layout} keyboard, the settings say {current.layout}."
        )
        found.append(Finding("layout", "mended", sentence))
    if new.caps != current.caps:
        sentence = "The scanner presses Caps Lock around what it types; it must be followed."
        found.append(Finding("caps_lock", "mended", sentence))
    if (new.bits, new.parity) != (current.bits, current.parity):
        sentence = (
            f"The scanner sends {new.bits} bits with parity {new.parity}, "
            f"the settings say {current.bits}{current.parity}."
        )
        found.append(Finding("parity", "mended", sentence))
    for key in sorted(set(new.key_map) - set(current.key_map)):
        sentence = f"The scanner presses {key} for the separator GS."
        found.append(Finding("key", "mended", sentence))
    return found


def _prefix(fits: list[_Fit], settings: LineSettings) -> _Judged:
    """What stands before the code and its identifier."""
    befores = {fit.before for fit in fits if not fit.code.is_gs1}
    befores |= {fit.before for fit in fits if fit.code.is_gs1 and fit.aim}
    if len(befores) > 1:
        shown = ", ".join(sorted(show(before) or "nothing" for before in befores))
        sentence = (
            f"Different characters stand before the codes ({shown}): a code identifier of the "
            "vendor. Switch it off at the scanner; AIM identifiers may be on."
        )
        return settings, [Finding("code_id", "open", sentence)]
    before = next(iter(befores), settings.prefix.encode())
    if before == settings.prefix.encode():
        return settings, []
    text = _text(before)
    if text is None:
        sentence = f"Before each code comes {show(before)}, which is no text. Switch it off."
        return settings, [Finding("prefix", "open", sentence)]
    said = f"comes {show(before)}" if before else "comes no prefix"
    finding = Finding("prefix", "mended", f"Before each code {said}.")
    return replace(settings, prefix=text), [finding]


def _suffix(fits: list[_Fit], settings: LineSettings) -> _Judged:
    """What stands after the code."""
    afters = {fit.after for fit in fits}
    if len(afters) > 1:
        shown = ", ".join(sorted(show(after) or "nothing" for after in afters))
        sentence = f"The codes end differently ({shown}). Program one suffix at the scanner: CR."
        return settings, [Finding("suffix_varies", "open", sentence)]
    after = afters.pop()
    mark = after.rstrip(LINE_ENDS)
    if not after:
        return _without_suffix(settings)
    if not mark:
        if settings.suffix != "":
            return settings, []
        sentence = "The scanner sends a line end; the settings need not wait for silence."
        return replace(settings, suffix="\r"), [Finding("suffix_other", "mended", sentence)]
    if mark == (settings.suffix or "").encode().rstrip(LINE_ENDS):
        return settings, []
    text = _text(after)
    usable = text is not None and not any(mark in code.data for code in SHEET)
    if not usable or re.search(rb"[\r\n]", mark):
        sentence = (
            f"After each code comes {show(after)}, which cannot be told from what a code holds. "
            "Program CR as the scanner's only suffix."
        )
        return settings, [Finding("suffix_other", "open", sentence)]
    sentence = f"After each code comes {show(after)}."
    return replace(settings, suffix=text), [Finding("suffix_other", "mended", sentence)]


def _without_suffix(settings: LineSettings) -> _Judged:
    if settings.suffix == "":
        sentence = "The scanner sends no suffix; silence ends a code. CR would be safer and faster."
        return settings, [Finding("suffix_missing", "note", sentence)]
    sentence = (
        "The scanner sends no suffix: no code would ever end. Best program CR at the scanner; "
        "with the line below silence ends a code."
    )
    return replace(settings, suffix=""), [Finding("suffix_missing", "mended", sentence)]


def _separators(fits: list[_Fit], settings: LineSettings) -> _Judged:
    """What arrives for GS between the elements of a GS1 code."""
    gaps = {gap for fit in fits for gap in fit.gaps}
    if gaps <= {GS}:
        if not gaps or settings.gs_token is None:
            return settings, []
        sentence = f"GS arrives as GS; gs_token {settings.gs_token!r} is not needed."
        return replace(settings, gs_token=None), [Finding("gs_replaced", "mended", sentence)]
    if gaps == {b""}:
        sentence = (
            "The scanner drops GS: two elements of a GS1 code run into one. Switch on its "
            "transmission (control characters, FNC1 as GS, Ctrl+key), or use USB-CDC."
        )
        return settings, [Finding("gs_dropped", "open", sentence)]
    token = _text(gaps.pop()) if len(gaps) == 1 else None
    if token is None or (len(token) == 1 and token.isalnum()):
        sentence = (
            "Something that cannot be told from data arrives for GS. Let the scanner send GS."
        )
        return settings, [Finding("gs_varies", "open", sentence)]
    if token == settings.gs_token:
        return settings, []
    sentence = f"For GS arrives {show(token.encode())}."
    if len(token) == 1:
        sentence += f" It is better to send GS: no GS1 code may hold a {token!r} as data then."
    return replace(settings, gs_token=token), [Finding("gs_replaced", "mended", sentence)]


def _identifiers(fits: list[_Fit], settings: LineSettings) -> _Judged:
    """Whether AIM identifiers are sent, and the right ones."""
    sent = [fit for fit in fits if fit.aim]
    plain = [fit for fit in sent if fit.code.is_gs1 and fit.aim.decode() != fit.code.aim]
    found: list[Finding] = []
    if plain:
        got = ", ".join(f"{fit.aim.decode()} for code {fit.code.number}" for fit in plain)
        sentence = f"The scanner names a GS1 code as a plain one ({got}). Switch GS1 on there."
        found.append(Finding("gs1_plain", "open", sentence))
    if len(sent) == len(fits) and settings.aim_id == "never":
        sentence = "The scanner sends AIM identifiers, which the settings take for data."
        found.append(Finding("aim_setting", "mended", sentence))
        return replace(settings, aim_id="auto"), found
    if len(sent) == len(fits):
        return settings, found
    which = "no AIM identifiers" if not sent else "AIM identifiers with some codes only"
    advice = "Switch them on for all: GS1 is then known for certain"
    if settings.aim_id == "require":
        sentence = f"The scanner sends {which}, which the settings require. {advice}."
        found.append(Finding("aim_setting", "mended", sentence))
        return replace(settings, aim_id="auto"), found
    found.append(Finding("aim_missing", "note", f"The scanner sends {which}. {advice}."))
    return settings, found


def _misread(raw: bytes, code: SheetCode, around: tuple[bytes, bytes]) -> Finding:
    """What is wrong with a read in which the code does not stand."""
    got = raw.removeprefix(around[0]).removesuffix(around[1]).rstrip(LINE_ENDS)
    got = re.sub(rb"\A%b" % AIM, b"", got)
    if _likeness(got, code.data) < NOT_TO_GUESS:
        sentence = (
            f"Code {code.number} arrives as {show(got) or 'nothing'}: unreadable. Check baud rate "
            "and parity, and that the scanner is in keyboard or USB-CDC mode."
        )
        return Finding("unreadable", "open", sentence)
    lost, added, changed = _differences(code.data, got)
    only_more = added and not lost and not changed and set(added) <= set(code.data)
    if only_more or (_is_doubled(got) and got[::2] == code.data):
        sentence = (
            f"Code {code.number}: characters come twice ({show(bytes(added) or got)}). Set a delay "
            "between characters at the scanner, and look for a second program that types."
        )
        return Finding("doubled", "open", sentence)
    if lost and not changed and not added:
        sentence = (
            f"Code {code.number}: characters are lost ({show(bytes(lost))}). Set a delay between "
            "characters or flow control at the scanner; check the cable."
        )
        return Finding("lost", "open", sentence)
    pairs = ", ".join(f"{show(a)} as {show(b)}" for a, b in changed[:SHOWN_MAX])
    pairs = pairs or show(bytes(lost)) or show(bytes(added))
    sentence = (
        f"Code {code.number} comes out changed ({pairs}). Set the scanner's "
        "keyboard country to one of us, gb, de, fr, be; switch its data formatting off."
    )
    return Finding("changed", "open", sentence)


def _differences(
    wanted: bytes, got: bytes
) -> tuple[list[int], list[int], list[tuple[bytes, bytes]]]:
    """Characters lost, characters added, and pairs of what was to come and what came."""
    lost: list[int] = []
    added: list[int] = []
    changed: list[tuple[bytes, bytes]] = []
    texts = wanted.decode("latin-1"), got.decode("latin-1")
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind == "delete":
            lost += wanted[i1:i2]
        elif kind == "insert":
            added += got[j1:j2]
        elif kind == "replace":
            changed.append((wanted[i1:i2], got[j1:j2]))
    return lost, added, changed


def _text(data: bytes) -> str | None:
    """Bytes as the settings can hold them; None if they are no UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _line(key: str, value: Any) -> str:
    if value is None:
        return f"# {key}: take this line out"
    return f"{key} = {toml_value(value)}"
