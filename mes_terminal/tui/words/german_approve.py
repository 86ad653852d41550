"""German: approvals at the line."""

from typing import Final

from mes_terminal.tui.words.approve_words import ApproveWords

GERMAN_APPROVE: Final = ApproveWords(
    title="Genehmigung",
    figure="AUSWEIS",
    pin="PIN von {person}, dann Enter",
    typed_only="PIN auf der Tastatur tippen, dann Enter.",
    working="Einen Moment …",
    keys="Esc jetzt nicht",
    order="Auftrag",
    item="Artikel",
    lot="Charge",
    quantity="Um wie viel",
    approved="Genehmigt von {person}.",
    approved_action="{code} noch einmal scannen.",
    approved_next="{code}: genehmigt von {person}",
    refused="Abgelehnt von {person}: {code}.",
    refused_action="Nichts wurde gebucht. Mit anderer Arbeit weitermachen.",
    situations={
        "over_completion": "Mehr als der Auftrag",
        "over_consumption": "Mehr verbraucht als geplant",
        "under_consumption": "Weniger verbraucht als geplant",
        "lot_expired": "Abgelaufene Charge",
        "lot_on_hold": "Gesperrte Charge",
        "substitute": "Anderer Artikel statt dessen",
        "shortage": "Komponente fehlt",
        "serial_missing": "Seriennummer nicht gescannt",
        "reopen": "Geschlossener Auftrag noch einmal",
        "late_reversal": "Alte Meldung zurücknehmen",
        "implausible_close": "Abschluss zu früh",
    },
)
