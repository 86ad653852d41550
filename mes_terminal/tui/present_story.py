"""The story of one exception in sentences: how it came, whose it is, what blocks it, what ends it.

Takes a value of `domain.desk`, gives texts that are safe to draw. Pure; called by the desk.
"""

from typing import Final

from mes_terminal.domain.desk import ExceptionStory, Proposal
from mes_terminal.tui.present_exceptions import kind_text, quantity_text
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.telling import Telling
from mes_terminal.tui.words import Words

PROPOSALS_MAX: Final = 8
_BLOCKED_BY_KIND: Final = (
    "count_variance", "failed_scan", "clock", "scanner", "conversion_missing", "posting_refused",
    "site_conflict",
)  # fmt: skip


def story(row: ExceptionStory, telling: Telling) -> list[Piece]:
    """Return what happened, when and where, what blocks it, what may mend it or did (BF-22)."""
    told, words = telling.words.desk, telling.words
    names = _names(row, telling)
    happened = told.happened.get(row.kind, kind_text(row.kind, words))
    pieces = [Piece(happened.format(**names), "strong"), Piece(_how_it_came(row, names, words))]
    evidence = _evidence(row, names, words)
    if evidence:
        pieces.append(Piece(evidence, "muted"))
    if row.status != "open":
        return [*pieces, Piece(""), *_ended(row, words)]
    pieces += [_duty(row, names, telling), Piece("")]
    pieces.append(Piece(told.blocked[_blocks(row)].format(**names)))
    if row.tries > 1:
        pieces.append(Piece(told.tries.format(n=telling.number(row.tries))))
    if not row.proposals:
        return pieces
    pieces.append(Piece(told.suggested, "muted"))
    for n, each in enumerate(row.proposals[:PROPOSALS_MAX], 1):
        pieces.append(Piece(f"{n} {proposal_text(row, each, telling)}"))
    return pieces


def proposal_text(row: ExceptionStory, each: Proposal, telling: Telling) -> str:
    """Return one way to end it, in a sentence of the language."""
    told = telling.words.desk.proposals
    form = told.get(f"{row.kind}:{each.how}", told.get(each.how, safe(each.why, 80)))
    quantity = telling.number(each.quantity) if each.quantity is not None else ""
    return form.format(
        item=safe(each.item or row.item or "", 24),
        lot=safe(each.lot or each.item or row.item or "", 24),
        quantity=f"{quantity} {safe(each.uom or '', 8)}".strip(),
        place=safe(each.location or "", 16),
        line=safe(row.location or "", 16),
    )


def _names(row: ExceptionStory, telling: Telling) -> dict[str, str]:
    return {
        "item": safe(row.item or "", 32),
        "lot": safe(row.lot or "", 32),
        "quantity": quantity_text(row, telling.words),
        "order": safe(row.work_order or "", 32),
        "line": safe(row.line or "", 16),
        "place": safe(row.location or "", 20),
        "person": safe(row.person or "", 24),
        "time": telling.time(row.opened_at),
        "age": telling.age(row.opened_at),
        "code": safe(row.scan_code or "", 40),
        "device": safe(row.device or "", 20),
        "shift": safe(row.shift or "", 16),
        "owner": safe(row.owner or "", 24),
        "due": telling.time(row.due_at),
        "escalated": safe(row.escalated_to or "", 24),
        "value": telling.number(row.value) if row.value is not None else "",
        "currency": safe(row.currency or "", 4),
    }


def _how_it_came(row: ExceptionStory, names: dict[str, str], words: Words) -> str:
    told = words.desk
    facts = [(told.opened_by if row.person else told.opened).format(**names)]
    if row.work_order:
        facts.append((told.order_line if row.line else told.order).format(**names))
    if row.cause:
        known = told.causes.get(row.cause) or safe(row.cause, SENTENCE_MAX_COLUMNS)
        facts.append(told.cause.format(cause=known.removesuffix(".")))
    if row.status == "open" and row.quantity is not None and row.item:
        form = told.still_open_worth if row.value is not None else told.still_open
        facts.append(form.format(**names))
    return " ".join(facts)


def _evidence(row: ExceptionStory, names: dict[str, str], words: Words) -> str:
    """Return the scan that opened it, and its shift."""
    told = words.desk
    facts = []
    if row.scan_code is not None:
        facts.append((told.scanned_at if row.device else told.scanned).format(**names))
    if row.shift is not None:
        facts.append(told.shift.format(**names))
    return " ".join(facts)


def _duty(row: ExceptionStory, names: dict[str, str], telling: Telling) -> Piece:
    """Return whose it is and until when: late in colour and by word."""
    told = telling.words.desk
    owner = told.owner if row.owner else told.no_owner
    texts = [owner.format(**names)]
    late = telling.is_past(row.due_at)
    if row.due_at is not None:
        texts.append((told.due_late if late else told.due_by).format(**names))
    if row.escalated_to is not None:
        texts.append(told.escalated.format(**names))
    return Piece(" ".join(texts), "alert" if late else "plain")


def _ended(row: ExceptionStory, words: Words) -> list[Piece]:
    told = words.desk
    status = told.statuses.get(row.status, safe(row.status, 12))
    said = safe(row.resolution or status, SENTENCE_MAX_COLUMNS)
    return [Piece(told.mended, "muted"), Piece(said, "strong")]


def _blocks(row: ExceptionStory) -> str:
    if row.kind == "component_serial":
        return "serial"
    if row.kind == "shortage":
        return {"lot": "lot", "serial": "serial"}.get(row.tracking or "", "shortage")
    return row.kind if row.kind in _BLOCKED_BY_KIND else ""
