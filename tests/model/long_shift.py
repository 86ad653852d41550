"""A shift of any length at the sample plant, as a `.scanlog`: every command, right and wrong.

Chairs, bicycles by operations and engines of sixty lines (and four electric bicycles with slots).
A seed makes it, so that no large file is kept.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from hardware.frame import FrameKind, ScanFrame
from hardware.recording import HEADER, line_of
from tests.model.random_plants import Files

PLANT: Final = Path(__file__).parents[2] / "config" / "sample-plant"
CHAIRS: Final = tuple(f"WO-2{number:03d}" for number in range(40))
BICYCLES: Final = tuple(f"WO-3{number:03d}" for number in range(15))
ENGINES: Final = tuple(f"WO-4{number:03d}" for number in range(30))
BREAK_S: Final = 90
"""Longer than a code is asked about after a stop (BF-13): a stop falls into a break."""
COMPONENTS: Final = (
    "LEG|L-77", "LEG|L-78", "FRAME|F-12", "FRAME|F-13", "BACKREST", "BIKE-FRAME|BF-1",
    "BIKE-FRAME|BF-2", "REEL-1", "REEL-2", "REEL-3", "REEL-4", "REEL-9", "DRUM-0", "DRUM-1",
    "DRUM-2", "RIM", "TUBE", "SPOKE", "CARTON", "EP-01|E-01", "EP-02|E-02", "EP-30|E-30", "BOLT",
    "BOARD|W-7", "LEG|L-77|40", "PAINT|P-1", "CHAIN|C-1",
)  # fmt: skip
UNITS: Final = {f"EB-000{n}": (f"M-000{n}", f"BAT-000{n}") for n in range(1, 5)}


def plant_of_shift() -> Files:
    """Return the sample plant with orders for the whole shift, and some more stock."""
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(PLANT.glob("*.csv"))}
    start = "2026-11-02T06:00:00Z,2036-12-01T14:00:00Z"
    orders = [f"{number},CHAIR-4,40,{start},,released,,\n" for number in CHAIRS]
    orders += [f"{number},BICYCLE,12,{start},,released,,\n" for number in BICYCLES]
    orders += [f"{number},ENGINE-60,15,{start},,released,,\n" for number in ENGINES]
    files["work_orders.csv"] = files["work_orders.csv"].rstrip("\n") + "\n" + "".join(orders)
    arrived = "2025-11-20T07:00:00Z"
    stock = [f"XE-{n:02d},EP-{n:02d},X-{n:02d},,,LINE,900,,{arrived}\n" for n in range(1, 61)]
    stock += [f"XS-{n},LEG,X-{n},,,STORE,400,,{arrived}\n" for n in range(6)]
    stock += [f"XB-{item},{item},,,,STORE,2000,,{arrived}\n" for item in ("RIM", "TUBE", "TYRE")]
    files["receipts.csv"] = files["receipts.csv"].rstrip("\n") + "\n" + "".join(stock)
    return files


def scanlog(seed: str, scans: int) -> str:
    """Return a recording of so many scans, with double reads, no-reads and cut codes between."""
    chance = Random(seed)
    lines = [f'{{"scanlog": {HEADER["scanlog"]}}}\n']
    at_s = 100.0
    for count, code in enumerate(_codes(chance), 1):
        at_s += chance.choice((0.8, 1.5, 3, 3, 8, BREAK_S if chance.random() < 0.2 else 5))
        lines.append(_line(code, at_s))
        if count == scans:
            return "".join(lines)
        if chance.random() < 0.03:
            kind: FrameKind = chance.choice(("duplicate", "noread", "incomplete"))
            raw = {"duplicate": code, "noread": b"NOREAD", "incomplete": code[:3]}[kind]
            at_s += 0.1
            lines.append(_line(raw, at_s, kind))
    raise AssertionError("a shift has no end")


def _line(raw: bytes, at_s: float, kind: FrameKind = "code") -> str:
    return line_of(ScanFrame(raw=raw, device="hand", at_s=at_s, kind=kind))


def _codes(chance: Random) -> Iterator[bytes]:
    """Yield codes without end, in groups as people scan them."""
    groups = (
        (14, _chairs), (8, _engines), (7, _bicycles), (4, _electric), (9, _mounted), (5, _by_hand),
        (5, _scrapped), (4, _reworked), (4, _moved), (3, _held), (6, _taken_back), (2, _short),
        (3, _labels), (6, _wrong), (2, _people), (2, _closed),
    )  # fmt: skip
    weights = [weight for weight, _ in groups]
    while True:
        (_, group), = chance.choices(groups, weights)  # fmt: skip
        for code in group(chance):
            yield code.encode() if isinstance(code, str) else code


def _quantity(chance: Random, most: int) -> list[str]:
    return [f"%QTY {chance.randint(1, most)}"] if chance.random() < 0.6 else []


def _chairs(chance: Random) -> list[str]:
    if chance.random() < 0.15:
        return [f"%START {chance.choice(CHAIRS + ENGINES)}"]
    if chance.random() < 0.3:
        return [*_quantity(chance, 8), chance.choice(CHAIRS[:20])]
    return [*_quantity(chance, 8), *["CHAIR-4"] * chance.randint(1, 4)]


def _engines(chance: Random) -> list[str]:
    return [*_quantity(chance, 3), *["ENGINE-60"] * chance.randint(1, 3)] if (
        chance.random() < 0.8
    ) else [f"%QTY {chance.randint(1, 3)}", chance.choice(ENGINES)]  # fmt: skip


def _bicycles(chance: Random) -> list[str]:
    order = chance.choice(BICYCLES)
    operation = chance.choice(("10", "20", "20", "30"))
    return [f"%QTY {chance.randint(1, 4)}", f"%OP {operation} {order}"]


def _electric(chance: Random) -> list[str]:
    unit = chance.choice(list(UNITS))
    codes = [unit, *UNITS[unit]]
    chance.shuffle(codes)
    return codes[: chance.randint(1, 3)]


def _mounted(chance: Random) -> list[str]:
    code = chance.choice(COMPONENTS)
    if chance.random() < 0.6:
        return [code]
    return [chance.choice(("%EMPTY", "%UNMOUNT", "%ASIDE 4", "%ASIDE 0.5")), code, "%CANCEL"]


def _by_hand(chance: Random) -> list[str]:
    verb = chance.choice(("%ISSUE", "%ISSUE", "%RETURN", "%EXTRA SPILL"))
    start = [f"%START {chance.choice(CHAIRS + BICYCLES)}"] if chance.random() < 0.5 else []
    return [*start, verb, *_quantity(chance, 6), chance.choice(COMPONENTS), "%CANCEL"]


def _scrapped(chance: Random) -> list[str]:
    what = chance.choice((*COMPONENTS, *CHAIRS[:10], *BICYCLES[:10], "CHAIR-4", "EB-0003"))
    return ["%SCRAP BROKEN", *_quantity(chance, 3), what, "%CANCEL"]


def _reworked(chance: Random) -> list[str]:
    unit = chance.choice(list(UNITS))
    return chance.choice((
        ["%REWORK REPAINT", unit, UNITS[unit][0], "M-0005", unit],
        ["%REWORK REPAINT", unit, "%CANCEL", unit],
        ["%REWORK REPAINT", *_quantity(chance, 3), chance.choice(CHAIRS[:10])],
        [f"CHAIR-4|{chance.choice(CHAIRS[:10])}"],
    ))  # fmt: skip


def _moved(chance: Random) -> list[str]:
    place = chance.choice(("LINE", "LINE", "STORE", "QC-HOLD", "REWORK"))
    stock = ("LEG|X-1", "LEG|X-2", "RIM", "TYRE", "REEL-4", "LEG|L-77", "EP-07|X-07")
    return [f"%MOVE {place}", *_quantity(chance, 200), chance.choice(stock), "%CANCEL"]


def _held(chance: Random) -> list[str]:
    lot = chance.choice(("LEG|L-77", "FRAME|F-12", "EP-03|E-03", chance.choice(CHAIRS[:5])))
    return ["%HOLD", lot, "B:quentin", "%RELEASE", lot, "B:quentin"]


def _taken_back(chance: Random) -> list[str]:
    return ["%UNDO"] * chance.randint(1, 3)


def _short(chance: Random) -> list[str]:
    return [chance.choice(("%SHORT MATERIAL", "%SHORT WHIM")), chance.choice(CHAIRS + ENGINES)]


def _labels(chance: Random) -> list[str]:
    number = chance.randint(1, 40)
    return [f"[)>\x1e06\x1d1PHOLZ-4711\x1dVHOLZWERK\x1d1TN-{number}\x1dQ{number}\x1e\x04"]


def _wrong(chance: Random) -> list[bytes | str]:
    codes: tuple[bytes | str, ...] = (
        "%COUNT LINE", "%CALL", "%STOP JAM", "%END", "%HELP", "%CANCEL", "%NONSENSE", "%QTY 0",
        "%QTY 0.5", "%OP 99 WO-3001", "%START WO-1103", "WO-1102", "WO-1108", "4711", b"\xff\xfe",
        b"]C1010000", "L:STORE", "INJ-0001", "ENGINE-S", "WO-1106", "]C1012000000004013", "%START",
    )  # fmt: skip
    return [chance.choice(codes)]


def _people(chance: Random) -> list[str]:
    badge = chance.choice(("B:anna", "B:ben", "B:nobody"))
    return [badge, *_chairs(chance), *(["%UNDO"] if chance.random() < 0.5 else []), badge]


def _closed(chance: Random) -> list[str]:
    return [chance.choice(CHAIRS[20:] + BICYCLES[10:] + ENGINES[20:])] * chance.randint(1, 2)
