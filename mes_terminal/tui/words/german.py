"""Deutsch: jeder Satz des Bedienbildschirms."""

from typing import Final

from mes_terminal.tui.words.german_approve import GERMAN_APPROVE
from mes_terminal.tui.words.german_desk import GERMAN_DESK
from mes_terminal.tui.words.german_labels import GERMAN_LABELS
from mes_terminal.tui.words.german_sections import GERMAN_SECTIONS
from mes_terminal.tui.words.german_shift import GERMAN_SHIFT
from mes_terminal.tui.words.german_situations import GERMAN_SITUATIONS
from mes_terminal.tui.words.material_words import GERMAN_MATERIAL
from mes_terminal.tui.words.order_words import GERMAN_ORDER
from mes_terminal.tui.words.trace_words import GERMAN_TRACE
from mes_terminal.tui.words.vocabulary import Sentence, Words

_NOTHING = "Nichts gebucht."
_CALL = "Bitte den Vorgesetzten rufen."

_COMPLETED: Final = {
    "units": Sentence("{quantity} {item} gebucht, {components}.", "Bei {order} offen: {left}."),
    "unit": Sentence("Einheit {serial} gebucht, {components}.", "Bei {order} offen: {left}."),
    "operation": Sentence(
        "Arbeitsgang {operation} für {quantity} gebucht, {components}.", "Weiter mit dem nächsten."
    ),
    "swept": Sentence("", "Mit gebucht: Arbeitsgang {swept}."),
    "closed": Sentence(
        "{order} ist fertig: {quantity} {item}, {components}.", "Den nächsten Auftrag nehmen."
    ),
    "closed_short": Sentence(
        "{order} ist mit Fehlmenge beendet, nichts weiter gebucht.",
        "Den nächsten Auftrag nehmen.",
    ),
    "scrap": Sentence("{item}: Ausschuss gebucht, {components}.", "Bei {order} offen: {left}."),
    "reworked": Sentence("{quantity} {item} aus der Nacharbeit.", "Es wurde nichts verbraucht."),
    "exceptions": Sentence("", "Es ist gebucht. Für den Vorgesetzten: {exceptions}."),
}

_RECORDED: Final = {
    "START": Sentence("{order} ist begonnen.", "Die erste Einheit bauen."),
    "QTY": Sentence(
        "Menge {argument} ist gesetzt.", "Scannen, wofür sie gilt.", "Auftrag, Artikel oder Los"
    ),
    "UNDO": Sentence("{order}: {quantity} zurückgenommen.", "Bestand und Auftrag sind wie vorher."),
    "CANCEL": Sentence("Abgebrochen, nichts wartet mehr.", "Weiter wie gewohnt."),
    "HELP": Sentence("Das kann jetzt gescannt werden:", "Esc oder ein Scan: weiter."),
    "SCRAP": Sentence(
        "Ausschuss, Grund: {argument}.", "Den Ausschuss scannen.", "Einheit, Behälter oder Los"
    ),
    "REWORK": Sentence(
        "Nacharbeit, Grund: {argument}.", "Das Teil scannen.", "Einheit, Behälter oder Los"
    ),
    "rework_done": Sentence(
        "Etwas ist fertig nachgearbeitet.", "Das Fertige scannen.", "Einheit, Auftrag oder Los"
    ),
    "ISSUE": Sentence("Entnahme von Hand.", "Das Entnommene scannen.", "Behälter oder Los"),
    "RETURN": Sentence("Rückgabe von Material.", "Das Material scannen.", "Behälter oder Los"),
    "EXTRA": Sentence(
        "Zusatzmaterial, Grund: {argument}.", "Das Entnommene scannen.", "Behälter oder Los"
    ),
    "EMPTY": Sentence("Ein Behälter ist leer.", "Den leeren scannen.", "eingesetzter Behälter"),
    "ASIDE": Sentence(
        "Ein Rest bleibt: {argument}.", "Den Behälter scannen.", "eingesetzter Behälter"
    ),
    "UNMOUNT": Sentence(
        "Ein Behälter wird abgenommen.", "Den Behälter scannen.", "eingesetzter Behälter"
    ),
    "MOVE": Sentence("Umlagern: {argument}.", "Das Material scannen.", "Behälter oder Los"),
    "SHORT": Sentence(
        "Ende mit Fehlmenge, Grund: {argument}.", "Den Auftrag scannen.", "ein Auftrag"
    ),
    "HOLD": Sentence("Ein Los wird gesperrt.", "Das Los scannen.", "ein Los"),
    "RELEASE": Sentence("Ein Los wird freigegeben.", "Das Los scannen.", "ein Los"),
    "COUNT": Sentence(
        "Zählung: {argument}.", "Lose mit Mengen scannen.", "ein Los, am Ende %COUNT"
    ),
    "OP": Sentence("Arbeitsgang {argument} ist gemeldet.", "Weiter mit dem nächsten."),
    "CALL": Sentence("Material ist gerufen.", "Weiter; es endet, wenn das Material da ist."),
    "call_seen": Sentence("Der Ruf ist quittiert.", "Dafür sorgen, dass Material kommt."),
    "STOP": Sentence(
        "Linienstopp ist vermerkt: {argument}.", "Die nächste Gutmeldung beendet ihn."
    ),
    "END": Sentence("Schichtende.", "Ein Vorgesetzter unterschreibt mit Ausweis und PIN."),
    "started": Sentence("{order} ist begonnen.", "Die erste Einheit bauen."),
    "in_rework": Sentence(
        "{quantity} {item} in Nacharbeit.", "Wenn fertig, denselben Code scannen."
    ),
    "REPLACE": Sentence("{serial} kommt heraus.", "Den Ersatz scannen.", "Seriennummer von {item}"),
    "replaced": Sentence(
        "{serial} ist eingebaut.", "Wenn fertig, die Einheit scannen.", "Nummer der Einheit"
    ),
    "in_slot": Sentence("{item} {serial} sitzt an seinem Platz.", "Es fehlt noch: {missing}."),
    "in_use": Sentence("{item}: {lot} ist hier im Einsatz.", "Weiter wie gewohnt."),
    "signed_in": Sentence("Hallo, {person}", "Weiter wie gewohnt."),
    "signed_out": Sentence("Abgemeldet.", "Vor dem Weiterarbeiten anmelden.", "ein Ausweis"),
    **GERMAN_MATERIAL,
    "other": Sentence("Angenommen: {code}.", "Weiter wie gewohnt."),
}

_ALREADY: Final = {
    "": Sentence("{code} ist schon gebucht.", f"{_NOTHING} Weiter mit dem nächsten."),
    "order_closed": Sentence(
        "{order} war schon fertig.", f"{_NOTHING} Nächster Auftrag.", "der nächste Auftrag"
    ),
}

_NEEDS: Final = {
    "order": Sentence(
        "Für welchen Auftrag ist {item}?", "Den Auftrag scannen, dann dies noch einmal.", "Auftrag"
    ),
    "lot": Sentence("{item}: welches Los?", "Das Los scannen, dann dies noch einmal.", "ein Los"),
    "serial": Sentence(
        "{order} braucht eine Seriennummer.", "Jede fertige Einheit scannen.", "Seriennummer"
    ),
    "component": Sentence("Es fehlt für {unit}: {missing}.", "Jede Seriennummer scannen."),
    "quantity": Sentence(
        "Wie viele: {item}?", "Menge angeben, dann noch einmal.", "%QTY n, dann dieser Code"
    ),
    "reason": Sentence("Dazu braucht es einen Grund.", "Die Grundkarte scannen.", "Grundkarte"),
    "badge": Sentence(
        "Wer sind Sie?", "Ausweis scannen, dann dies noch einmal.", "der eigene Ausweis"
    ),
    "approval": Sentence(
        "Das muss ein Vorgesetzter genehmigen.",
        "Vorgesetzten an die Station rufen.",
        "Ausweis des Vorgesetzten",
    ),
    "confirm": Sentence(
        "Stimmt das?", "Ja: derselbe Code noch einmal. Nein: ein anderer.", "derselbe Code"
    ),
    "confirm_close": Sentence(
        "Ist {order} wirklich fertig?",
        "Ja: derselbe Code noch einmal. Nein: ein anderer.",
        "der Auftrag noch einmal",
    ),
    "confirm_repeat": Sentence(
        "So schnell derselbe Code?",
        "Zweite Einheit: noch einmal scannen. Dieselbe: weiter.",
        "der Code noch einmal für eine mehr",
    ),
}

_REJECTED: Final = {
    "not_released": Sentence(
        "{order} ist noch nicht freigegeben.", f"{_NOTHING} Anderen Auftrag nehmen."
    ),
    "order_on_hold": Sentence("{order} ist gesperrt.", f"{_NOTHING} Anderen Auftrag nehmen."),
    "order_cancelled": Sentence("{order} ist storniert.", f"{_NOTHING} Beiseite legen."),
    "order_closed": Sentence("{order} ist fertig.", f"{_NOTHING} Nächsten Auftrag nehmen."),
    "over_tolerance": Sentence("Mehr, als {order} haben darf.", f"{_NOTHING} Die Menge prüfen."),
    "shortage_blocked": Sentence(
        "{order}: es fehlt Material.", f"{_NOTHING} Material holen, dann noch einmal."
    ),
    "lot_expired": Sentence(
        "{item}: {lot} ist abgelaufen.",
        f"{_NOTHING} Ein haltbares nehmen.",
        "{item}, ein anderes Los",
    ),
    "lot_on_hold": Sentence(
        "{item}: {lot} ist gesperrt.",
        f"{_NOTHING} Ein anderes nehmen.",
        "{item}, ein anderes Los",
    ),
    "lot_unknown": Sentence(
        "{lot} steht nicht in den Büchern.", f"{_NOTHING} Etikett prüfen.", "ein anderes Los"
    ),
    "wrong_component": Sentence(
        "{item} wird hier nicht gebraucht.", f"{_NOTHING} Das richtige Teil.", "das richtige Teil"
    ),
    "serial_unknown": Sentence(
        "{serial} ist hier unbekannt.", f"{_NOTHING} Etikett prüfen.", "bekannte Seriennummer"
    ),
    "serial_of_other_order": Sentence(
        "{serial} gehört zu einem anderen Auftrag.", f"{_NOTHING} Dorthin zurücklegen."
    ),
    "serial_in_use": Sentence(
        "{serial} steckt in einer anderen Einheit.", f"{_NOTHING} Ein anderes.", "anderes Teil"
    ),
    "component_serial_missing": Sentence(
        "Seriennummern von Bauteilen fehlen.", f"{_NOTHING} {_CALL}"
    ),
    "not_a_step": Sentence(
        "{item} wird nicht so fein gezählt.", f"{_NOTHING} Ganze Schritte angeben.", "%QTY n"
    ),
    "no_effect": Sentence("{code} bewirkt hier nichts.", f"{_NOTHING} Scannen, was passt."),
    "not_authorised": Sentence(
        "Das ist Ihnen hier nicht erlaubt.", f"{_NOTHING} Gültigen Ausweis.", "ein Ausweis"
    ),
    "nothing_to_undo": Sentence("Es gibt nichts zurückzunehmen.", "Nichts geändert."),
    "undo_too_late": Sentence("Dafür ist es zu spät.", f"Nichts geändert. {_CALL}"),
    "has_dependents": Sentence("Anderes baut schon darauf auf.", f"Nichts zurückgenommen. {_CALL}"),
    "reason_missing": Sentence(
        "Ein gültiger Grund fehlt.", f"{_NOTHING} Grundkarte benutzen.", "Grundkarte"
    ),
    "operation_order": Sentence(
        "Ein früherer Arbeitsgang fehlt.", f"{_NOTHING} Erst diesen melden."
    ),
    "substitute_not_allowed": Sentence(
        "{item} darf das Teil nicht ersetzen.",
        f"{_NOTHING} Das richtige nehmen.",
        "das richtige Teil",
    ),
    "malformed": Sentence(
        "{code} ist nicht lesbar.", f"{_NOTHING} Noch einmal oder Etikett prüfen."
    ),
    "unknown_command": Sentence(
        "{code} ist kein Befehl.", f"{_NOTHING} F1 zeigt die Befehle.", "%HELP"
    ),
    "ambiguous": Sentence("{code} kann zweierlei bedeuten.", f"{_NOTHING} {_CALL}"),
    "forbidden_key": Sentence(
        "Der Scanner sandte eine verbotene Taste.", f"{_NOTHING} Etikett prüfen, nicht wiederholen."
    ),
    "control_chars": Sentence(
        "Der Code enthält Steuerzeichen.", f"{_NOTHING} Etikett prüfen oder rufen."
    ),
    "gs_suspected": Sentence(
        "Ein Trennzeichen fehlt im Code.", f"{_NOTHING} Noch einmal, sonst Scanner prüfen."
    ),
    "clock": Sentence("Die Uhr ist zweifelhaft.", f"{_NOTHING} {_CALL}"),
    "disk": Sentence("Die Platte ist voll.", f"{_NOTHING} Arbeit anhalten. {_CALL}"),
}

_EXCEPTIONS: Final = {
    "shortage": "{item}: {quantity} fehlen",
    "unknown_lot": "{item} aus unbekanntem Los",
    "lot_overdrawn": "{item}: Los gab {quantity} mehr als gebucht",
    "lot_expired": "{item}: Los ist abgelaufen",
    "lot_on_hold": "{item}: Los ist gesperrt",
    "unknown_code": "unbekannter Code, {quantity}-mal",
    "over_completion": "{quantity} {item} zu viel",
    "consumption": "{item}: Verbrauch weicht um {quantity} ab",
    "component_serial": "{item}: Seriennummer fehlt",
    "substitution": "{item} als Ersatz verwendet",
    "count_variance": "{item}: Zählung weicht um {quantity} ab",
    "conversion_missing": "{item}: Umrechnung fehlt",
    "scanner": "ein Scanner ist ausgefallen",
    "posting_refused": "eine Meldung wurde abgelehnt",
    "label_mismatch": "{item}: Etikett passt nicht",
    "site_conflict": "{item}: Werk sagt anderes",
    "clock": "die Uhr ist zweifelhaft",
    "failed_scan": "ein Scan ist gescheitert",
}

GERMAN: Final = Words(
    language="de",
    signs={"ok": "OK", "do": "BITTE", "check": "PRÜFEN", "stop": "STOPP"},
    sign_help={
        "ok": "angenommen, weiter",
        "do": "es wird etwas von Ihnen gebraucht",
        "check": "hinsehen, bevor es weitergeht",
        "stop": "nichts gebucht, Grund lesen",
    },
    named={"lot": "Los {}", "unit": "{}"},
    absent={
        "code": "der Code",
        "order": "der Auftrag",
        "item": "dieser Artikel",
        "lot": "das Los",
        "serial": "diese Seriennummer",
        "quantity": "eine Menge",
        "argument": "ohne Angabe",
        "person": "willkommen",
        "left": "der Rest",
        "operation": "davon",
        "swept": "die früheren",
        "unit": "diese Einheit",
        "missing": "ein Bauteil",
    },
    completed=_COMPLETED,
    recorded=_RECORDED,
    already_done=_ALREADY,
    needs=_NEEDS,
    rejected=_REJECTED,
    unknown=Sentence("{code} ist hier unbekannt.", f"{_NOTHING} Etikett prüfen oder rufen."),
    exceptions=_EXCEPTIONS,
    pending={
        "QTY": "Auftrag, Artikel oder Los",
        "SHORT": "den Auftrag mit Fehlmenge",
        "SCRAP": "Einheit, Behälter oder Los",
        "REWORK": "Einheit, Behälter oder Los",
        "REPLACE": "den Ersatz",
        "SERIAL": "die Seriennummer der Einheit",
        "ISSUE": "Behälter oder Los",
        "RETURN": "Behälter oder Los",
        "EXTRA": "Behälter oder Los",
        "EMPTY": "den leeren Behälter",
        "ASIDE": "den Behälter mit Rest",
        "UNMOUNT": "den Behälter",
        "MOVE": "Behälter oder Los",
        "HOLD": "ein Los",
        "RELEASE": "ein Los",
        "COUNT": "ein Los, am Ende %COUNT",
        "other": "den Code dazu",
    },
    next_scans={
        "badge": "der eigene Ausweis",
        "order": "ein Auftrag",
        "close": "{order} für alle {left}",
        "unit": "eine Einheit {item}",
        "mount": "ein neuer Behälter",
        "undo": "%UNDO nimmt {undo} zurück",
        "no_components": "keine Bauteile",
        "one_component": "1 Bauteil abgebucht",
        "components": "{n} Bauteile abgebucht",
    },
    scanner_states={
        "absent": "nicht eingesteckt",
        "opening": "wird geöffnet",
        "ready": "bereit",
        "gone": "AUSGESTECKT",
        "denied": "KEINE RECHTE",
        "busy": "ANDERSWO BELEGT",
        "fault": "STÖRUNG",
    },
    scanner_troubles={
        "lost_gs": "{n} ohne Trennzeichen",
        "overruns": "{n} überlaufen",
        "incomplete": "{n} abgebrochen",
        "no_reads": "{n} Fehllesungen",
    },
    order_states={
        "planned": "geplant",
        "released": "freigegeben",
        "started": "begonnen",
        "hold": "GESPERRT",
        "closed": "fertig",
        "cancelled": "STORNIERT",
    },
    keys={
        "help": "Hilfe",
        "undo": "Zurück",
        "quantity": "Menge",
        "short": "Fehlmenge",
        "cancel": "Abbruch",
        "trace": "Herkunft",
        "desk": "Pult",
        "leave": "Ende",
    },
    keys_brief={"short": "Fehlt"},
    commands={
        "%START Auftrag": "macht einen Auftrag zum aktuellen",
        "%QTY n": "die Menge des nächsten Codes",
        "%UNDO": "nimmt die eigene letzte Meldung zurück",
        "%CANCEL": "verwirft, was wartet",
        "%SHORT Grund": "beendet einen Auftrag mit Fehlmenge",
        "%EMPTY  %UNMOUNT": "ein Behälter ist leer, oder ab",
    },
    trace=GERMAN_TRACE,
    labels=GERMAN_LABELS,
    approve=GERMAN_APPROVE,
    situations=GERMAN_SITUATIONS,
    order=GERMAN_ORDER,
    desk=GERMAN_DESK,
    shift=GERMAN_SHIFT,
    sections=GERMAN_SECTIONS,
)
