"""English: the desk's section of the difference to upstream's stock."""

from typing import Final

from mes_terminal.tui.words.section_words import SectionWords

ENGLISH_DIFFERENCE: Final[dict[str, SectionWords]] = {
    "difference": SectionWords(
        title="DIFFERENCE",
        about="why the ERP has another stock than the station",
        rows="ERP less station",
        story="Why",
        empty="The ERP has what the station has.",
        finds="show only what has a text in item or lot",
        scopes={"differing": "that differ", "lots": "lots that differ", "all": "compared"},
        told={
            "column_item": "Item",
            "column_lot": "Lot",
            "column_uom": "Unit",
            "column_difference": "Differs",
            "column_queued": "Queued",
            "column_exceptions": "Exception",
            "column_unexplained": "Unexpl.",
            "sum": "{item}: ERP {upstream}, station {station} {uom}",
            "parts": "= {queued} queued + {exceptions} in exceptions + {unexplained} unexplained",
            "why": "No posting explains {unexplained} {uom}. Compare by lot (o), count it, or look "
            "who else booked it in the ERP.",
            "behind": "Behind it, and by how much the ERP differs for it:",
            "posting": "{quantity}  {status}  {n}  {what}, {subject}",
            "status_delivered": "sent since",
            "status_let_go": "let go",
            "more": "and {n} more postings",
            "head_unexplained": "{n} unexplained",
            "head_age": "{age} old",
            "head_none": "the ERP's stock is not known",
            "empty_none": "Nobody has told this station what the ERP has. The site tells it, or a "
            "file: mes-terminal reconcile --stock FILE",
            "legend_outbox": "Outbox",
            "help_outbox": "back to the outbox",
        },
    ),
}
