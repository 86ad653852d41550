"""German: the sections of the desk."""

from typing import Final

from mes_terminal.tui.words.german_all_stations import GERMAN_ALL_STATIONS
from mes_terminal.tui.words.german_difference import GERMAN_DIFFERENCE
from mes_terminal.tui.words.german_genealogy import GERMAN_GENEALOGY
from mes_terminal.tui.words.german_insight import GERMAN_INSIGHT
from mes_terminal.tui.words.german_people import GERMAN_PEOPLE
from mes_terminal.tui.words.german_plant import GERMAN_PLANT
from mes_terminal.tui.words.german_records import GERMAN_RECORDS
from mes_terminal.tui.words.german_signed import GERMAN_SIGNED
from mes_terminal.tui.words.section_words import SectionWords

GERMAN_SECTIONS: Final[dict[str, SectionWords]] = {
    "menu": SectionWords(title="BEREICHE", about="was das Pult hat", rows="Wohin"),
    "exceptions": SectionWords(
        title="AUSNAHMEN", about="was offen ist, wie es kam, was es beendet"
    ),
    **GERMAN_ALL_STATIONS,
    **GERMAN_PLANT,
    **GERMAN_INSIGHT,
    **GERMAN_GENEALOGY,
    **GERMAN_RECORDS,
    **GERMAN_DIFFERENCE,
    **GERMAN_PEOPLE,
    **GERMAN_SIGNED,
}
"""By the name of the section. Each area keeps its own in a module and adds it here."""
