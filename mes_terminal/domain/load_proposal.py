"""A load that one person proposes and another applies (`load.second_person`).

The hash names the folder's content, so that what is applied is what was checked. Made by
`usecases.propose_load`, sent over the link, drawn by `tui`. Pure.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from mes_terminal.domain.load_changes import LoadDiff

ProposalStatus = Literal["open", "approved", "refused", "replaced"]
"""`replaced`: the same folder was proposed again before anybody decided."""


class Agreement(Struct, frozen=True, kw_only=True):
    """What a second person gave their word for."""

    proposal_id: int
    content_hash: str
    second_person: str


class LoadProposal(Struct, frozen=True, kw_only=True):
    """A proposal as the desk and the command line show it."""

    id: int
    status: ProposalStatus
    folder: str
    mapping: str | None
    """The file given in the place of the folder's own `mapping.toml`."""
    content_hash: str
    """SHA-256 over the names and bytes of its files, hexadecimal."""
    tables: dict[str, tuple[int, int]]
    """Rows added and changed, by the file's name without `.csv`; unchanged tables are left out."""
    changes: int
    orders: int
    """Open orders for which something changes."""
    leaving: int
    """BOM lines whose component leaves."""
    proposed_by: str
    """The badge."""
    proposed_by_name: str
    proposed_at: str
    decided_by: str | None
    decided_by_name: str | None
    decided_at: str | None
    reason: str | None
    """Why it was refused."""


class ProposalStory(Struct, frozen=True):
    """A proposal with what it changes, for the person who decides; the desk's `load_story`."""

    proposal: LoadProposal
    diff: LoadDiff | None
    """The beginning of each list; `None` once it was decided: the log has what was applied."""


def content_hash(files: Mapping[str, bytes]) -> str:
    """Return the hash of a folder's content, whatever the order of its files."""
    digest = hashlib.sha256()
    for name in sorted(files):
        told = name.encode(errors="surrogateescape")
        for part in (told, files[name]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()
