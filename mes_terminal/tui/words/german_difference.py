"""German: the desk's section of the difference to upstream's stock."""

from typing import Final

from mes_terminal.tui.words.section_words import SectionWords

GERMAN_DIFFERENCE: Final[dict[str, SectionWords]] = {
    "difference": SectionWords(
        title="ABWEICHUNG",
        about="warum das ERP einen anderen Bestand hat als die Station",
        rows="ERP gegen Station",
        story="Warum",
        empty="Das ERP hat, was die Station hat.",
        finds="nur zeigen, was einen Text in Artikel oder Los hat",
        scopes={
            "differing": "weichen ab",
            "lots": "Lose weichen ab",
            "all": "verglichen",
        },
        told={
            "column_item": "Artikel",
            "column_lot": "Los",
            "column_uom": "Einheit",
            "column_difference": "Weicht ab",
            "column_queued": "Wartet",
            "column_exceptions": "Ausnahme",
            "column_unexplained": "Unerkl.",
            "sum": "{item}: ERP {upstream}, Station {station} {uom}",
            "parts": "= {queued} wartend + {exceptions} in Ausnahmen + {unexplained} unerklärt",
            "why": "Keine Buchung erklärt {unexplained} {uom}. Nach Losen vergleichen (o), zählen, "
            "oder nachsehen, wer es sonst im ERP gebucht hat.",
            "behind": "Dahinter, und um wie viel das ERP deshalb abweicht:",
            "posting": "{quantity}  {status}  {n}  {what}, {subject}",
            "status_delivered": "danach gesendet",
            "status_let_go": "aufgegeben",
            "more": "und {n} weitere Buchungen",
            "head_unexplained": "{n} unerklärt",
            "head_age": "{age} alt",
            "head_none": "Bestand des ERP unbekannt",
            "empty_none": "Niemand hat dieser Station gesagt, was das ERP hat. Das Werk sagt es, "
            "oder eine Datei: mes-terminal reconcile --stock DATEI",
            "legend_outbox": "Ausgang",
            "help_outbox": "zurück zum Ausgang",
        },
    ),
}
