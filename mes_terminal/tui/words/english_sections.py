"""English: the sections of the desk."""

from typing import Final

from mes_terminal.tui.words.english_all_stations import ENGLISH_ALL_STATIONS
from mes_terminal.tui.words.english_difference import ENGLISH_DIFFERENCE
from mes_terminal.tui.words.english_genealogy import ENGLISH_GENEALOGY
from mes_terminal.tui.words.english_insight import ENGLISH_INSIGHT
from mes_terminal.tui.words.english_people import ENGLISH_PEOPLE
from mes_terminal.tui.words.english_plant import ENGLISH_PLANT
from mes_terminal.tui.words.english_records import ENGLISH_RECORDS
from mes_terminal.tui.words.english_signed import ENGLISH_SIGNED
from mes_terminal.tui.words.section_words import SectionWords

ENGLISH_SECTIONS: Final[dict[str, SectionWords]] = {
    "menu": SectionWords(title="SECTIONS", about="what the desk has", rows="Where to"),
    "exceptions": SectionWords(title="EXCEPTIONS", about="what is open, how it came, what ends it"),
    **ENGLISH_ALL_STATIONS,
    **ENGLISH_PLANT,
    **ENGLISH_INSIGHT,
    **ENGLISH_GENEALOGY,
    **ENGLISH_RECORDS,
    **ENGLISH_DIFFERENCE,
    **ENGLISH_PEOPLE,
    **ENGLISH_SIGNED,
}
"""By the name of the section. Each area keeps its own in a module and adds it here."""
