"""The two sets of signs: rich ones, and plain ones for a Linux console's font. Pure."""

from typing import Final

from msgspec import Struct

from mes_terminal.tui.present import Tone


class Glyphs(Struct, frozen=True, kw_only=True):
    """Every sign beside letters that the screen draws."""

    tones: dict[Tone, str]
    full: str
    part: str
    empty: str
    dot: str
    then: str
    prompt: str
    hatch: str
    rule: str


RICH: Final = Glyphs(
    tones={"ok": "✔", "do": "▶", "check": "▲", "stop": "✖", "calm": "·"},
    full="█",
    part="▒",
    empty="█",
    dot="·",
    then="→",
    prompt="›",  # noqa: RUF001
    hatch="╱",  # noqa: RUF001
    rule="─",
)

PLAIN: Final = Glyphs(
    tones={"ok": "+", "do": ">", "check": "!", "stop": "X", "calm": "-"},
    full="█",
    part="▒",
    empty="░",
    dot="-",
    then=">",
    prompt=">",
    hatch="/",
    rule="─",
)
