"""One JSON object a line, whatever was scanned.

JSON lets C1 controls and U+2028 stand as they are. Some readers of lines break a line at them, and
a terminal obeys them. Escaped, the object means the same. Used where scanned text is printed.
"""

import re
from typing import Final

import msgspec

DISTURBING: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""DEL, C1 (NEL among them), line and paragraph separators, and what turns text round."""


def json_line(value: object) -> bytes:
    """Return a value as JSON in one line, without its end."""
    encoded = msgspec.json.encode(value)
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded
    return DISTURBING.sub(_escaped, encoded.decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
