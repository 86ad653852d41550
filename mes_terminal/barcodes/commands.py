"""The command codes: which verbs there are and what each takes.

Verbs are exact and in capitals: `%UNDO` is a command, `%undo` is refused as an unknown one. What
the arguments mean, and what may follow, is decided by whoever handles the command; this table says
what is asked for, for help texts, command cards and the check of what was given.
"""

from typing import Final, Literal

from msgspec import Struct

from mes_terminal.barcodes.payload import Payload

Verb = Literal[
    "START", "QTY", "UNDO", "CANCEL", "HELP", "SCRAP", "REWORK", "ISSUE", "RETURN", "EXTRA",
    "EMPTY", "ASIDE", "UNMOUNT", "MOVE", "SHORT", "HOLD", "RELEASE", "COUNT", "OP", "CALL",
    "STOP", "END",
]  # fmt: skip
Argument = Literal["order", "quantity", "reason", "location", "operation"]
Follower = Literal[
    "order", "unit", "container", "lot", "item", "position", "count"
]  # fmt: skip


class Command(Struct, frozen=True):
    """One verb: the argument in its own code, and what the next code must be."""

    verb: Verb
    argument: Argument | None = None
    required: bool = False
    """Without its argument the command cannot work."""
    followers: tuple[Follower, ...] = ()
    """What may be scanned next to complete it; empty: it is complete."""


_ALL: Final = (
    Command("START", "order", required=True),
    Command("QTY", "quantity", required=True, followers=("order", "item", "container", "lot")),
    Command("UNDO"),
    Command("CANCEL"),
    Command("HELP"),
    Command("SCRAP", "reason", required=True, followers=("unit", "container", "lot")),
    Command("REWORK", "reason", required=True, followers=("unit", "container", "lot")),
    Command("ISSUE", followers=("container", "lot")),
    Command("RETURN", followers=("container", "lot")),
    Command("EXTRA", "reason", required=True, followers=("container", "lot")),
    Command("EMPTY", followers=("container", "lot", "position")),
    Command("ASIDE", "quantity", required=True, followers=("container", "lot", "position")),
    Command("UNMOUNT", followers=("container", "lot", "position")),
    Command("MOVE", "location", required=True, followers=("container", "lot")),
    Command("SHORT", "reason", required=True, followers=("order",)),
    Command("HOLD", followers=("lot",)),
    Command("RELEASE", followers=("lot",)),
    Command("COUNT", "location", followers=("lot", "count")),
    Command("OP", "operation", required=True),
    Command("CALL"),
    Command("STOP", "reason", required=True),
    Command("END"),
)
COMMANDS: Final[dict[str, Command]] = {command.verb: command for command in _ALL}
"""Every command by its verb."""


def read_command(text: str, prefix: str) -> Payload:
    """The payload of a text that begins with the command prefix.

    The verb follows the prefix at once; a bare prefix, white space before the verb or a verb not in
    `COMMANDS` is a `reject` with reason `unknown_command` and the verb as `name`.
    """
    body = text[len(prefix) :]
    words = body.split()
    name = words[0] if words and not body[0].isspace() else ""
    if name not in COMMANDS:
        return Payload("reject", text, name=name, reason="unknown_command", rule="command")
    argument = body[len(name) :].strip()
    return Payload(
        "command", text, name=name, args=tuple(words[1:]), argument=argument, rule="command"
    )
