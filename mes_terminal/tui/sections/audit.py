"""The section of the audit trail: what happened, who, when, why, and the proof that it stands.

A list with a story like others; besides, `v` proves the whole trail, page by page of the core's
answer, until it is told to stop. A day that is looked for is turned into instants here.
"""

import re
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from mes_terminal.domain.desk_entries import AuditDocument, AuditEntry
from mes_terminal.domain.instants import format_instant, to_datetime
from mes_terminal.tui.present_document import facts
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.sections.list_page import ListPage
from mes_terminal.tui.sections.outbox import what_text
from mes_terminal.tui.sections.page import Desk, Meaning
from mes_terminal.tui.sections.section import Cell, Detail, Details, Line, Scope, Section
from mes_terminal.tui.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mes_terminal.errors import StationError

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
HASH_COLUMNS: Final = 64


class Proved(Struct, frozen=True):
    """A row of the list `desk_verify`: how far it is, or what it came to."""

    proved: int = 0
    of: int = 0
    ok: bool | None = None
    entries: int = 0
    head: str = ""
    fault: str | None = None


def line(row: AuditEntry, telling: Telling) -> Line:
    """Return the line of an entry, or how far was looked."""
    if row.looked is not None:
        return Line(left=[Cell(_looked(row, telling), 0, "muted")])
    return Line(
        left=[
            Cell(telling.number(row.sequence), 8, "muted"),
            Cell(telling.moment(row.recorded_at), 6),
            Cell(what_text(row.type, telling), 22, "strong"),
            Cell(subject_text(row, telling, 24)),
        ],
        right=[Cell(_person(row.person_name, row.person, 16), 16)],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections["audit"].told
    return Line(
        left=[
            Cell(told["column_sequence"], 8),
            Cell(told["column_when"], 6),
            Cell(told["column_what"], 22),
            Cell(told["column_subject"]),
        ],
        right=[Cell(told["column_who"], 16)],
    )


def story(row: AuditEntry, details: Details, telling: Telling) -> list[Piece]:
    """Return an entry whole: what, who, when, why, what it says, its scan, its place in the
    chain."""
    if row.looked is not None:
        return [Piece(_looked(row, telling), "muted")]
    told = telling.words.sections["audit"].told
    what = what_text(row.type, telling)
    number = telling.number(row.sequence)
    pieces = [
        Piece(told["head"].format(n=number, what=what), "strong"),
        Piece(told["of"].format(subject=subject_text(row, telling, 80))),
        *_who(row, telling),
    ]
    if row.reason:
        pieces.append(Piece(told["why"].format(text=safe(row.reason, SENTENCE_MAX_COLUMNS))))
    found: list[AuditDocument] = details.get("entry", [])
    for each in found:
        pieces += [Piece(""), Piece(told["told"], "muted"), *facts(each.data, told), Piece("")]
        pieces += _when(row, each, telling) + _origin(each, telling)
    return pieces


def subject_text(row: AuditEntry, telling: Telling, columns: int) -> str:
    """Return what an entry is about; an exception by what its kind is called."""
    return telling.words.desk.kinds.get(row.subject, safe(row.subject, columns))


def _who(row: AuditEntry, telling: Telling) -> list[Piece]:
    told = telling.words.sections["audit"].told
    if row.person is None and row.second_person is None:
        return [Piece(told["nobody"])]
    people = [("who", row.person_name, row.person), ("second", row.second_name, row.second_person)]
    return [
        Piece(told[form].format(person=_person(name, badge, 60)))
        for form, name, badge in people
        if badge is not None
    ]


def _person(name: str | None, badge: str | None, columns: int) -> str:
    if name is None:
        return safe(badge or "", columns)
    return safe(name if columns < NAME_AND_BADGE else f"{name} ({badge})", columns)


NAME_AND_BADGE: Final = 20
"""From so many columns on a person is told with the badge."""


def _when(row: AuditEntry, entry: AuditDocument, telling: Telling) -> list[Piece]:
    """Return when it happened by the site's clocks of that day and in UTC; when it was recorded."""
    told = telling.words.sections["audit"].told
    local = _with_offset(row.event_time, entry.utc_offset) or telling.time(row.event_time)
    pieces = [
        Piece(told["when"].format(time=local)),
        Piece(told["utc"].format(time=safe(row.event_time, 32))),
    ]
    if row.recorded_at != row.event_time:
        pieces.append(Piece(told["recorded"].format(time=safe(row.recorded_at, 32))))
    if entry.clock_in_doubt:
        pieces.append(Piece(told["doubt"], "alert"))
    return pieces


def _with_offset(instant: str, offset: str | None) -> str | None:
    """Return an instant by a clock that is so far ahead of UTC; `None` where it cannot be told."""
    try:
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
        moment = to_datetime(instant).astimezone(zone)
    except (ValueError, OverflowError):
        return None
    return f"{moment:%Y-%m-%d %H:%M:%S} {safe(offset or '', 6)}"


def _origin(entry: AuditDocument, telling: Telling) -> list[Piece]:
    told = telling.words.sections["audit"].told
    pieces: list[Piece] = []
    if entry.scan is not None:
        scan = entry.scan
        code, device = safe(scan.code, 80), safe(scan.device, 24)
        pieces.append(Piece(told["scan"].format(code=code, device=device)))
        if scan.code.encode().hex() != scan.hex or code != scan.code:
            pieces.append(Piece(told["hex"].format(hex=safe(scan.hex, SENTENCE_MAX_COLUMNS))))
    if entry.software is not None:
        pieces.append(Piece(told["versions"].format(
            software=safe(entry.software, 20), master_data=safe(entry.master_data or "", 20)
        )))  # fmt: skip
    if entry.outbox_sequence is not None:
        pieces.append(Piece(told["posting"].format(n=telling.number(entry.outbox_sequence))))
    return [
        *pieces,
        Piece(""),
        Piece(told["hash"], "muted"),
        Piece(safe(entry.hash, HASH_COLUMNS)),
        Piece(told["previous"], "muted"),
        Piece(safe(entry.previous_hash, HASH_COLUMNS)),
    ]


def _looked(row: AuditEntry, telling: Telling) -> str:
    assert row.looked is not None
    told = telling.words.sections["audit"].told
    n, total = telling.number(row.looked.at), telling.number(row.looked.total)
    return told["looked"].format(n=n, total=total)


def _of_entry(row: AuditEntry | None) -> dict[str, Any] | None:
    if row is None or row.looked is not None:
        return None
    return {"sequence": str(row.sequence)}


AUDIT: Final = Section(
    name="audit",
    list_name="desk_audit",
    count_list="desk_audit_count",
    row=AuditEntry,
    key=lambda row: str(row.sequence),
    line=line,
    columns=columns,
    story=story,
    scopes=(
        Scope("all"),
        Scope("people", {"type": "operator."}),
        Scope("exceptions", {"type": "exception."}),
        Scope("signatures", {"type": "signature."}),
        Scope("loads", {"type": "load"}),
        Scope("reports", {"type": "production."}),
    ),
    details=(
        Detail(name="entry", list_name="desk_audit_entry", params=_of_entry, kind=AuditDocument),
    ),
)


class AuditPage(ListPage):
    """The trail, and its proof while that is at hand."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, AUDIT)
        self._proving = 0
        """The number of the proof that is going on; 0: none is."""
        self._proofs = 0
        self._proof: Proved | None = None

    def legends(self) -> "Sequence[tuple[str, str]]":
        """Add the key that proves."""
        return [("v", self.told.told["legend_verify"]), *super().legends()]

    def help(self) -> dict[str, str]:
        """Add the key that proves."""
        return super().help() | {"v": self.told.told["help_verify"]}

    def press_letter(self, letter: str) -> bool:
        """Prove, or stop proving."""
        if letter != "v":
            return super().press_letter(letter)
        if self._proving:
            self._proving = 0
            return True
        self._proofs += 1
        self._proving, self._proof = self._proofs, Proved()
        self._story_first = 0
        number = self._proofs

        def wanted() -> bool:
            return self._proving == number

        def take(rows: list[Proved]) -> None:
            self._take_proof(number, rows)

        def failed(error: "StationError") -> None:
            self._proving, self._proof = 0, None
            self.desk.fail(error)

        self.desk.work(partial(self.desk.feed.follow, "desk_verify", Proved, take, failed, wanted))
        return True

    def step_back(self) -> bool:
        """Stop proving, put the proof away, then as other lists do."""
        if self._proof is not None and not self._on_story:
            self._proving, self._proof = 0, None
            return True
        return super().step_back()

    def scanned(self, code: str, meaning: Meaning | None) -> None:
        """Look for what was scanned as it stands in the entries."""
        self.look_for(meaning.key if meaning is not None else code)

    def _take_proof(self, number: int, rows: list[Proved]) -> None:
        if self._proving != number or not rows:
            return
        self._proof = rows[-1]
        if self._proof.ok is not None:
            self._proving = 0
        self.desk.draw()

    def _filters(self) -> dict[str, str]:
        filters, telling = super()._filters(), self.desk.telling
        day = filters.get("text", "").strip()
        if telling is None or _DAY.fullmatch(day) is None:
            return filters
        try:
            begins = datetime.combine(datetime.fromisoformat(day), time(), telling.zone)
            ends = begins + timedelta(days=1)
            span = {"from_at": format_instant(begins), "until_at": format_instant(ends)}
        except (ValueError, OverflowError):
            return filters
        del filters["text"]
        return filters | span

    def _draw_story(self) -> None:
        proof, telling = self._proof, self.desk.telling
        if proof is None or telling is None or self._on_story:
            super()._draw_story()
            return
        self.widget.show_story(
            self.told.told["legend_verify"], proof_pieces(proof, telling, going=self._proving > 0),
            first=0, focused=False,
        )  # fmt: skip


def proof_pieces(proof: Proved, telling: Telling, *, going: bool) -> list[Piece]:
    """Return how far a proof is, or what it came to."""
    told = telling.words.sections["audit"].told
    if proof.ok is None:
        names = {"n": telling.number(proof.proved), "total": telling.number(proof.of)}
        name = "going" if proof.of and going else "begun" if going else "stopped"
        return [Piece(told[f"verify_{name}"].format(**names), "strong")]
    n = telling.number(proof.entries)
    if proof.ok:
        form = told["verify_ok"].format(n=n)
        return [Piece(form, "strong"), Piece(""), Piece(told["verify_head"], "muted"),
                Piece(safe(proof.head, HASH_COLUMNS))]  # fmt: skip
    fault = safe(proof.fault or "", SENTENCE_MAX_COLUMNS)
    return [Piece(told["verify_fault"].format(n=n, fault=fault), "alert")]
