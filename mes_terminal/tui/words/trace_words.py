"""The words of the genealogy view, one value a language. Pure; a part of `Words`."""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.outcome import Certainty


class TraceWords(Struct, frozen=True, kw_only=True):
    """Every word of the view beside names and quantities."""

    title: str
    made_from: str
    used_in: str
    prompt: str
    nothing_yet: str
    """Opened before anything was scanned that could be shown."""
    loading: str
    no_origin: str
    no_use: str
    lot: str
    serial: str
    order: str
    no_lot: str
    seen: str
    """What hangs on this lot stands further up."""
    taken_back: str
    counted: str
    """`{n}` lots and serials were found."""
    place: str
    """Lines `{first}` to `{last}` of `{total}` are shown."""
    keys: dict[str, str]
    """Legends: `made_from`, `used_in`, `scroll`, `close`."""
    certainties: dict[Certainty, str]


ENGLISH_TRACE: Final = TraceWords(
    title="GENEALOGY",
    made_from="made from",
    used_in="used in",
    prompt="Type a lot or serial and press Enter. A scan goes to the station as always.",
    nothing_yet="Nothing was scanned yet. Type a lot, a serial, an order or ITEM|LOT.",
    loading="Looking …",
    no_origin="Nothing is recorded that it was made from.",
    no_use="It was not used in anything yet.",
    lot="lot {}",
    serial="serial {}",
    order="order {}",
    no_lot="no lot",
    seen="(see above)",
    taken_back="taken back",
    counted="{n} lots and serials",
    place="{first}-{last} of {total}",
    keys={
        "made_from": "Made from",
        "used_in": "Used in",
        "scroll": "Scroll",
        "close": "Close",
    },
    certainties={
        "exact": "exact",
        "sole": "sole",
        "pooled": "pooled",
        "assumed": "assumed",
        "unknown": "unknown",
    },
)

GERMAN_TRACE: Final = TraceWords(
    title="HERKUNFT",
    made_from="hergestellt aus",
    used_in="verwendet in",
    prompt="Los oder Seriennummer tippen, Enter. Scans gehen wie immer zur Station.",
    nothing_yet="Noch nichts gescannt. Los, Seriennummer, Auftrag oder ARTIKEL|LOS tippen.",
    loading="Wird gesucht …",
    no_origin="Es ist nicht erfasst, woraus es hergestellt wurde.",
    no_use="Es wurde noch nirgends verwendet.",
    lot="Los {}",
    serial="Seriennr. {}",
    order="Auftrag {}",
    no_lot="ohne Los",
    seen="(siehe oben)",
    taken_back="zurück",
    counted="{n} Lose und Serien",
    place="{first}-{last} von {total}",
    keys={
        "made_from": "Woraus",
        "used_in": "Worin",
        "scroll": "Blättern",
        "close": "Schließen",
    },
    certainties={
        "exact": "genau",
        "sole": "einzig",
        "pooled": "gemischt",
        "assumed": "vermutet",
        "unknown": "unbekannt",
    },
)
