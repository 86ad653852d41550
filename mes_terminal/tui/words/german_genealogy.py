"""German: the desk's genealogy explorer."""

from typing import Final

from mes_terminal.tui.words.section_words import SectionWords

GERMAN_GENEALOGY: Final[dict[str, SectionWords]] = {
    "genealogy": SectionWords(
        title="HERKUNFT",
        about="woraus ein Los oder eine Seriennummer wurde, und worin es steckt",
        rows="Baum",
        story="Los",
        empty="Nichts davon wurde hergestellt oder ging ein.",
        told={
            "backward": "hergestellt aus",
            "forward": "verwendet in",
            "begin": "Los, Seriennummer, Behälter oder Auftrag scannen, oder nach / tippen.",
            "begin_scan": "Der Baum öffnet sich Schritt für Schritt, in beide Richtungen.",
            "legend_open": "Öffnen",
            "legend_root": "Von hier",
            "legend_back": "Zurück",
            "legend_backward": "Worin",
            "legend_forward": "Woraus",
            "help_open": "ein Los einen Schritt weiter öffnen, oder schließen",
            "help_root": "den Baum beim gewählten Los beginnen; auf einer Zeile „weitere“: zeigen",
            "help_back": "zurück zum Anfang davor",
            "help_turn": "umdrehen: hergestellt aus, oder verwendet in",
            "help_find": "bei Los, Seriennummer, Behälter, Auftrag oder ARTIKEL|LOS beginnen",
            "more": "und {n} weitere: Enter zeigt sie",
            "next": "weitere: Enter zeigt sie",
            "status_hold": "GESPERRT",
            "status_rejected": "ABGELEHNT",
            "is_in": "{quantity} {uom} davon stecken in {that}.",
            "went_into": "{quantity} {uom} von {that} stecken darin.",
            "sure_exact": "genau: dafür gescannt.",
            "sure_sole": "einzig: anderes von dem Artikel war nicht da.",
            "sure_pooled": "gemischt: aus einem Behälter, den mehrere Lose füllten.",
            "sure_assumed": "vermutet: gerüstet oder an der Reihe, niemand scannte es dafür.",
            "sure_unknown": "unbekannt: niemand weiß, welches Los es war.",
            "leads_backward": "Lose und Serien darin: {n}.",
            "leads_forward": "Lose und Serien, in denen es steckt: {n}.",
            "now_at": "Jetzt vorhanden",
            "nowhere": "Nichts davon ist vorhanden.",
        },
    ),
}
