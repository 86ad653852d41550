"""Where things lie at a broker: subjects of NATS and topics of MQTT, by station (pure).

A station's name becomes one word of a subject or topic: every byte outside `A-Z a-z 0-9 _ -` is
written `=XX`. Both ends of the road use these.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

POST_STREAM: Final = "MES_POST"
POST_CONSUMER: Final = "site"
DOWN_BUCKET: Final = "MES_DOWN"
ROOT: Final = "mes.v1"

_PLAIN: Final = re.compile(rb"[A-Za-z0-9_-]")


def word_of(name: str) -> str:
    """Return a name as one word of a subject, a topic or a key."""
    return "".join(
        chr(byte) if _PLAIN.match(bytes([byte])) else f"={byte:02X}" for byte in name.encode()
    )


def station_of(source: str) -> str:
    """Return the name of the station in a source (`urn:mes-terminal:SITE:STATION`)."""
    return unquote(source.rpartition(":")[2])


def subject(what: str, station: str) -> str:
    """Return the NATS subject of a station; `what`: post, ack, hello, ask, confirm, stock,
    exceptions."""
    return subject_of_word(what, word_of(station))


def subject_of_word(what: str, word: str) -> str:
    """Return the NATS subject of the station that is written so."""
    return f"{ROOT}.{what}.{word}"


def all_of(what: str) -> str:
    """Return the NATS subject of all stations."""
    return f"{ROOT}.{what}.*"


def topic(prefix: str, what: str, station: str) -> str:
    """Return the MQTT topic of a station; `what`: post, ack, hello, greeting, state."""
    return topic_of_word(prefix, what, word_of(station))


def topic_of_word(prefix: str, what: str, word: str) -> str:
    """Return the MQTT topic of the station that is written so."""
    return f"{prefix.strip('/')}/{what}/{word}"


def last_word(path: str) -> str:
    """Return the word of the station in a subject or topic."""
    return re.split(r"[./]", path)[-1]
