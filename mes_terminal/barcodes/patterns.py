"""Site patterns: named expressions that read a plain code without asking the database.

The first pattern that matches the whole code decides. Its groups say what it is: a `badge`, a
`location`, an `item` with its `lot`; any other pattern only takes the code apart for the look-up.
"""

from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain.intent import Meaning
from mes_terminal.domain.rules import CodePattern


def match_pattern(text: str, patterns: tuple[CodePattern, ...]) -> Payload | None:
    """The payload of the first pattern that matches the whole text."""
    for pattern in patterns:
        found = pattern.expression.fullmatch(text)
        if found is not None:
            groups = {name: part for name, part in found.groupdict().items() if part is not None}
            return Payload("plain", text, rule=f"pattern:{pattern.name}", groups=groups)
    return None


def pattern_meaning(payload: Payload) -> Meaning | None:
    """What the groups alone say the code is; None if only the database can tell."""
    groups = payload.groups
    if "badge" in groups:
        return Meaning("badge", groups["badge"])
    if "location" in groups:
        return Meaning("location", groups["location"])
    if "item" in groups and "lot" in groups:
        return Meaning("lot", f"{groups['item']}|{groups['lot']}")
    return None
