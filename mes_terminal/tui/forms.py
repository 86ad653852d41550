"""Forms of the desk: what is asked field by field, what is sent, what came of it. Pure.

A section makes a `Form` for the selected row, `form_control` leads a person through it, and
`screens/form` draws it. Every text in it must be safe already, but what is told into the fields.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from mes_terminal.tui.present import Tone
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.words import Words

PERSON_COLUMNS: Final = 24

Told = Mapping[str, str]
"""What has been told so far, by the name of its field."""
FieldKind = Literal["text", "choice", "badge", "pin"]


class Option(Struct, frozen=True):
    """What can be chosen: what is told for it, and how it is called (safe)."""

    value: str
    text: str


class Offered(Struct, frozen=True):
    """A list of the core whose rows are the options of a field; `None` leaves a row out."""

    name: str
    filters: dict[str, str]
    row: type
    option: Callable[[Any], Option | None]


class Field(Struct, frozen=True, kw_only=True):
    """One thing that is asked. A scan fills it as typing does; a choice only takes an option.

    `text`: anything, or one of `options` where there are some; `badge`: who signs, by scan;
    `pin`: drawn as dots, told to nothing but the request. What only a signature needs comes last.
    """

    name: str
    prompt: str
    kind: FieldKind = "text"
    options: Sequence[Option] = ()
    offered: Offered | None = None
    """Options that are asked for when the field is reached."""
    hint: str = ""
    """Said below it where nothing is offered."""
    optional: bool = False
    """Enter alone tells the empty text."""


class Request(Struct, frozen=True):
    """A request over the link: its name and its parameters."""

    do: str
    params: dict[str, Any]


class Result(Struct, frozen=True):
    """What became of a request, or would: its tone, and a sentence each (safe)."""

    tone: Tone
    lines: list[str]


class Form(Struct, frozen=True, kw_only=True):
    """What one action asks and sends.

    `fields` answers, for what has been told, all fields in order: those that follow may depend on
    what was told before. With a `preview` the fields that are not of the signature are tried out
    first, and the person sees what it would come to before badge and PIN are asked.
    """

    title: str
    what: str
    """What it is about, in a few words."""
    fields: Callable[[Told], Sequence[Field]]
    request: Callable[[Told], Request]
    answered: Callable[[msgspec.Raw], Result]
    preview: Callable[[Told], Request] | None = None
    previewed: Callable[[msgspec.Raw], Result] | None = None
    only_told: str = ""
    """Nothing can be done from here: one sentence that says so, and no field is asked."""


def signature(words: Words, told: Told) -> list[Field]:
    """Return the two fields of a signature: `badge` and `pin`, the last of a form."""
    asks = words.desk.asks
    person = safe(told.get("badge", ""), PERSON_COLUMNS)
    return [
        Field(name="badge", prompt=asks["badge"], kind="badge"),
        Field(name="pin", prompt=asks["pin"].format(person=person), kind="pin"),
    ]
