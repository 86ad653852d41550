"""The codes of the set-up sheet, and what can arrive when a scanner reads them.

Pure. `SHEET` is printed by the command line (`scanners --test`) and compared by
`hardware.sheet_check`; the two can never differ, because both take it from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from hardware.keymap import CapsMode, LayoutName

Symbol = Literal["code_128", "gs1_128", "gs1_data_matrix", "qr_code"]

GS: Final = b"\x1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetCode:
    """One code of the sheet. `data` is what it holds, GS between the elements of a GS1 code."""

    number: int
    title: str
    symbol: Symbol
    aim: str
    """The AIM identifier of a scanner that sends them."""
    data: bytes
    shows: str
    """What the test learns from it."""
    elements: tuple[tuple[str, str], ...] = ()
    """Of a GS1 code: its elements in order."""

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """The code between its GS."""
        return tuple(self.data.split(GS))

    @property
    def is_gs1(self) -> bool:
        """Whether it begins with FNC1, which a scanner may send as GS."""
        return bool(self.elements)


TEXT_1: Final = b"Setup-Sheet-0123456789"
TEXT_2: Final = b"A !\"#$%&'()*+,-./:;<=>?Z"
TEXT_3: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ@[\\]^_"
TEXT_4: Final = b"abcdefghijklmnopqrstuvwxyz`{}~|"
TEXT_7: Final = b"QR-Code 1234567890 aZ"
GTIN: Final = ("01", "09521234543213")
"""GS1's own example number: no product has it."""
ELEMENTS_5: Final = (GTIN, ("10", "LOT-a7"), ("21", "Ser-1B"))
ELEMENTS_6: Final = (GTIN, ("10", "LOT-b8"), ("21", "Ser-2C"), ("240", "Test"))

SHEET: Final = (
    SheetCode(
        number=1, title="Letters and digits", symbol="code_128", aim="]C0", data=TEXT_1,
        shows="prefix, suffix, keyboard",
    ),
    SheetCode(
        number=2, title="Signs", symbol="code_128", aim="]C0", data=TEXT_2, shows="keyboard",
    ),
    SheetCode(
        number=3, title="Capitals", symbol="code_128", aim="]C0", data=TEXT_3,
        shows="keyboard, Caps Lock",
    ),
    SheetCode(
        number=4, title="Small letters", symbol="code_128", aim="]C0", data=TEXT_4,
        shows="keyboard, Caps Lock",
    ),
    SheetCode(
        number=5, title="GS1-128", symbol="gs1_128", aim="]C1", elements=ELEMENTS_5,
        data=b"010952123454321310LOT-a7\x1d21Ser-1B", shows="separator (GS), AIM identifier",
    ),
    SheetCode(
        number=6, title="GS1 Data Matrix", symbol="gs1_data_matrix", aim="]d2",
        elements=ELEMENTS_6, data=b"010952123454321310LOT-b8\x1d21Ser-2C\x1d240Test",
        shows="separator (GS), AIM identifier",
    ),
    SheetCode(
        number=7, title="QR Code", symbol="qr_code", aim="]Q1", data=TEXT_7,
        shows="whether it reads two dimensions",
    ),
)  # fmt: skip
"""All 95 printable characters of ASCII, both cases, GS in one and in two dimensions."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes of one read as they left a serial scanner, with all it puts around the code."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pressed:
    """The keys of one read as a wedge pressed them: evdev code, and 1 down, 0 up, 2 repeat."""

    keys: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """The characters of one read as a terminal got them from a wedge."""

    text: str


Arrival = Sent | Pressed | Typed


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """The keys of `scanner.<name>` that the sheet can judge, by their names in the settings."""

    bits: int = 8
    parity: str = "N"
    prefix: str = ""
    suffix: str | None = None
    layout: LayoutName = "us"
    caps: CapsMode = "ignore"
    key_map: Mapping[str, str] = field(default_factory=dict)
    aim_id: str = "auto"
    gs_token: str | None = None
