"""German: the desk's section of the exceptions of all stations."""

from typing import Final

from mes_terminal.tui.words.section_words import SectionWords

GERMAN_ALL_STATIONS: Final[dict[str, SectionWords]] = {
    "all_stations": SectionWords(
        title="ALLE STATIONEN",
        about="die offenen Ausnahmen aller Stationen, vom Werk",
        rows="Offene Ausnahmen",
        story="Was bekannt ist",
        empty="Keine Ausnahme ist offen.",
        finds="nur zeigen, was einen Text in Station, Auftrag, Artikel, Los oder Ursache hat",
        scopes={"all": "offen"},
        told={
            "column_station": "Station",
            "column_kind": "Art",
            "column_order": "Auftrag",
            "column_what": "Was",
            "column_quantity": "Offen",
            "column_since": "Seit",
            "what": "{kind} an {station}",
            "of_item": "Artikel {item}.",
            "of_lot": "Artikel {item}, Los {lot}.",
            "number": "Es ist Ausnahme {id} von {station} und endet dort.",
            "no_number": "Sie endet an {station}.",
            "away": "Das sind nicht alle: das Werk war nicht zu fragen.",
            "more": "Das Werk hat mehr: dies sind die 5.000, von denen es zuerst erfuhr.",
            "empty_away": "An dieser Station ist nichts offen; von den anderen ist es nicht "
            "bekannt. {text}",
            "head_away": "nur diese Station",
            "head_more": "das Werk hat mehr",
            "legend_exceptions": "Diese Station",
            "help_exceptions": "die Ausnahmen dieser Station, um sie zu beenden",
        },
    ),
}
