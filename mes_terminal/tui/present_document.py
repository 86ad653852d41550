"""Documents of the log as lines that people read: what an event says, and the JSON as it is sent.

Pure. Everything goes through `safe`; nothing is longer than its bounds, whatever was stored.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe

FACTS_MAX: Final = 60
"""Lines of what an event says: a report of many lines is told by its first."""
JSON_LINES_MAX: Final = 400
VALUE_COLUMNS: Final = 160
KEY_COLUMNS: Final = 40
_INDENT: Final = 2
_HARD_SPACE: Final = "\N{NO-BREAK SPACE}"
_TOLD_ELSEWHERE: Final = ("scan_id", "person", "event_time", "master_data_version", "detail")
"""Keys that say again what stands beside the data."""
_CHANGES: Final = (("before", "status"), ("before", "after"), ("was", "now"), ("old", "new"))
"""Keys that say together what something was and what it is now."""


def facts(data: msgspec.Raw, told: Mapping[str, str]) -> list[Piece]:
    """Return what an event says, a line a fact; what it does not say is left out.

    `told` has the forms `value` and `change`, `more` for what is cut off, `yes` and `no`, and what
    keys are called: `key_lot`.
    """
    decoded = _decoded(data)
    if not isinstance(decoded, dict):
        return [Piece(_shown(decoded, told))]
    flat = {key: each for key, each in decoded.items() if key not in _TOLD_ELSEWHERE}
    detail = decoded.get("detail")
    lines = _lines(detail, told) if isinstance(detail, dict) else []
    lines += _lines(flat, told)
    pieces = [Piece(line) for line in lines[:FACTS_MAX]]
    rest = len(lines) - FACTS_MAX
    return [*pieces, Piece(told["more"].format(n=rest), "muted")] if rest > 0 else pieces


def json_lines(document: msgspec.Raw, told: Mapping[str, str]) -> list[Piece]:
    """Return a document as indented JSON, each line whole however narrow the pane is."""
    text = msgspec.json.format(bytes(document), indent=_INDENT).decode()
    lines = text.splitlines()
    pieces = [Piece(_indented(line)) for line in lines[:JSON_LINES_MAX]]
    rest = len(lines) - JSON_LINES_MAX
    return [*pieces, Piece(told["more"].format(n=rest), "muted")] if rest > 0 else pieces


def _decoded(data: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(bytes(data))
    except msgspec.DecodeError:
        return bytes(data).decode("utf-8", "replace")


def _lines(values: Mapping[str, Any], told: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    rest = dict(values)
    for before, after in _CHANGES:
        if rest.get(before) is not None and rest.get(after) is not None:
            was, now = rest.pop(before), rest.pop(after)
            lines.append(told["change"].format(
                key=_key(after, told), before=_shown(was, told), after=_shown(now, told), then="→"
            ))  # fmt: skip
    for key, value in rest.items():
        if value in (None, "", [], {}):
            continue
        if isinstance(value, list) and any(isinstance(each, dict) for each in value):
            lines.append(f"{_key(key, told)}:")
            lines += [f"· {_shown(each, told)}" for each in value]
        else:
            lines.append(told["value"].format(key=_key(key, told), value=_shown(value, told)))
    return lines


def _key(key: str, told: Mapping[str, str]) -> str:
    """Return what a key is called; one that has no word by its own."""
    return told.get(f"key_{key}") or safe(key.replace("_", " "), KEY_COLUMNS)


def _shown(value: Any, told: Mapping[str, str]) -> str:
    """Return a value in one line: what is absent is left out, names of parts stand before them."""
    match value:
        case dict():
            parts = [f"{_key(key, told)} {_shown(each, told)}" for key, each in value.items()
                     if each not in (None, "", [], {})]  # fmt: skip
            return safe(", ".join(parts), VALUE_COLUMNS)
        case list():
            return safe(", ".join(_shown(each, told) for each in value[:FACTS_MAX]), VALUE_COLUMNS)
        case bool():
            return told["yes" if value else "no"]
        case _:
            return safe(str(value), VALUE_COLUMNS)


def _indented(line: str) -> str:
    text = line.lstrip(" ")
    return _HARD_SPACE * (len(line) - len(text)) + safe(text, VALUE_COLUMNS)
