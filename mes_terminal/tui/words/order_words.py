"""The words around the order at hand: operations, empty slots, what was changed, the pre-flight.

One value a language. Pure; a part of `Words`.
"""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.order_changes import Changed


class OrderWords(Struct, frozen=True, kw_only=True):
    """Every word beside names and quantities."""

    operations: str
    """The name of the list."""
    swept: str
    """Behind an operation that the last report passed without naming it."""
    ended: str
    """`{n}` units were scrapped at an operation."""
    unit: str
    """The unit at hand, by its serial."""
    next_unit: str
    """And where it has none."""
    parts_for: str
    """`{parts}` are to be scanned for `{unit}`."""
    then: str
    """Between parts that are scanned one after the other."""
    changed: str
    """The signal word of the notice."""
    changes: dict[Changed, str]
    """By kind, with `{was}`, `{now}`, `{line}`, `{item}` and `{unit}`, the first it holds for."""
    other_quantity: str
    """A changed `need` that no decimal says."""
    none: str
    """What stands for a date or place that is not stated."""
    all_post: str
    only_post: str
    """The same of one line."""
    some_short: str
    only_short: str


ENGLISH_ORDER: Final = OrderWords(
    operations="Operations",
    swept="swept",
    ended="{n} scrapped",
    unit="unit {}",
    next_unit="the next {}",
    parts_for="{parts} for {unit}",
    then=", then ",
    changed="CHANGED",
    changes={
        "quantity": "{now} instead of {was}",
        "due_at": "due {now} instead of {was}",
        "sequence": "place {now} in the queue instead of {was}",
        "part": "line {line}: {now} instead of {was} from unit {unit} on",
        "new_line": "line {line}: {item} is new from unit {unit} on",
        "no_line": "line {line}: no {item} from unit {unit} on",
        "need": "line {line}: {now} {item} instead of {was} from unit {unit} on",
        "place": "line {line}: {item} from {now} instead of {was} from unit {unit} on",
        "lines": "{now} lines are different",
    },
    other_quantity="line {line}: another quantity of {item} from unit {unit} on",
    none="none",
    all_post="all {lines} lines would post",
    only_post="its 1 line would post",
    some_short="{lines} lines would post, {short} not",
    only_short="1 line would post, {short} not",
)

GERMAN_ORDER: Final = OrderWords(
    operations="Arb.-Gänge",
    swept="mit gebucht",
    ended="{n} Ausschuss",
    unit="Einheit {}",
    next_unit="das nächste {}",
    parts_for="{parts} für {unit}",
    then=", dann ",
    changed="GEÄNDERT",
    changes={
        "quantity": "{now} statt {was}",
        "due_at": "fällig {now} statt {was}",
        "sequence": "Platz {now} der Reihe statt {was}",
        "part": "Zeile {line}: {now} statt {was} ab Einheit {unit}",
        "new_line": "Zeile {line}: {item} ist neu ab Einheit {unit}",
        "no_line": "Zeile {line}: kein {item} ab Einheit {unit}",
        "need": "Zeile {line}: {now} {item} statt {was} ab Einheit {unit}",
        "place": "Zeile {line}: {item} aus {now} statt {was} ab Einheit {unit}",
        "lines": "{now} Zeilen sind anders",
    },
    other_quantity="Zeile {line}: andere Menge {item} ab Einheit {unit}",
    none="ohne",
    all_post="alle {lines} Zeilen würden gebucht",
    only_post="die eine Zeile würde gebucht",
    some_short="{lines} Zeilen würden gebucht, {short} nicht",
    only_short="1 Zeile würde gebucht, {short} nicht",
)
