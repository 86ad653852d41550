"""The forms that end exceptions (which way, what that needs, what it would come to, who decides)
and that give them to somebody.

Pure; made by the page of exceptions for one or for a group of one kind (BF-23).
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.desk import ExceptionStory
from mes_terminal.domain.resolving import Assigned, Resolved
from mes_terminal.tui import present_exceptions, present_resolving
from mes_terminal.tui.figures import number
from mes_terminal.tui.forms import Field, Form, Offered, Option, Request, Result, Told, signature
from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.present_resolving import Asked, Choice
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.words import Words

WRITE_OFF: Final = "write_off"


class Reason(Struct, frozen=True):
    """A reason that was loaded."""

    code: str
    kind: str
    description: str


def resolve_form(
    targets: Sequence[ExceptionStory], total: int, words: Words, glyphs: Glyphs
) -> Form:
    """Return the form for exceptions of one kind, the oldest of `total`."""
    told = words.desk
    choices = present_resolving.choices(targets[0], words, alone=len(targets) == 1)
    ids = [each.id for each in targets]

    def fields(answered: Told) -> list[Field]:
        ways = [Option(str(place), each.text) for place, each in enumerate(choices)]
        how = Field(name="how", prompt="", kind="choice", options=ways)
        if "how" not in answered:
            return [how]
        asked = [_field(name, answered, words) for name in _choice(choices, answered).asks]
        return [how, *asked, *signature(words, answered)]

    def request(answered: Told, *, preview: bool = False) -> Request:
        decision = _choice(choices, answered).decision(dict(answered))
        order: dict[str, Any] = {"ids": ids, "decision": msgspec.to_builtins(decision)}
        if preview:
            return Request("resolve", order | {"preview": True})
        return Request("resolve", order | {"badge": answered["badge"], "pin": answered["pin"]})

    return Form(
        title=told.resolve_title,
        what=_what(targets, total, words, glyphs),
        fields=fields,
        request=request,
        answered=lambda raw: present_resolving.answer(_results(raw), words),
        preview=lambda answered: request(answered, preview=True),
        previewed=lambda raw: present_resolving.preview(_results(raw), words),
        only_told="" if choices else told.clock_ends,
    )


def assign_form(
    targets: Sequence[ExceptionStory], total: int, words: Words, glyphs: Glyphs
) -> Form:
    """Return the form that gives exceptions to a person: one, or those that are its group."""
    told = words.desk.assigned

    def fields(answered: Told) -> list[Field]:
        return [Field(name="to", prompt=told["to"]), *signature(words, answered)]

    def request(answered: Told) -> Request:
        order = {name: answered[name] for name in ("to", "badge", "pin")}
        return Request("assign", {"ids": [each.id for each in targets], **order})

    def answered(raw: msgspec.Raw) -> Result:
        return present_resolving.assigned(msgspec.json.decode(raw, type=list[Assigned]), words)

    return Form(
        title=told["title"],
        what=_what(targets, total, words, glyphs),
        fields=fields,
        request=request,
        answered=answered,
    )


def _what(targets: Sequence[ExceptionStory], total: int, words: Words, glyphs: Glyphs) -> str:
    told, first = words.desk, targets[0]
    n = number(str(len(targets)), words)
    if len(targets) == 1:
        names = (safe(first.work_order or "", 24), safe(first.item or first.cause or "", 32),
                 present_exceptions.quantity_text(first, words))  # fmt: skip
        which = " ".join(filter(None, names))
    else:
        which = told.resolve_group.format(n=n)
        if total > len(targets):
            which += f" ({told.oldest_of.format(n=n, total=number(str(total), words))})"
    return f"{present_exceptions.kind_text(first.kind, words)} {glyphs.dot} {which}"


def _choice(choices: Sequence[Choice], answered: Told) -> Choice:
    return choices[int(answered["how"])]


def _field(name: Asked, answered: Told, words: Words) -> Field:
    told = words.desk
    prompt = told.asks[name].format(item=safe(answered.get("item", ""), 24), person="")
    if name != "reason":
        return Field(name=name, prompt=prompt)
    offered = Offered("reasons", {}, Reason, _reason)
    return Field(name=name, prompt=prompt, offered=offered, hint=told.free_reason)


def _reason(row: Reason) -> Option | None:
    if row.kind != WRITE_OFF:
        return None
    return Option(row.code, f"{safe(row.code, 24)}  {safe(row.description, 40)}")


def _results(raw: msgspec.Raw) -> list[Resolved]:
    return msgspec.json.decode(raw, type=list[Resolved])
