"""English: the desk's section of the exceptions of all stations."""

from typing import Final

from mes_terminal.tui.words.section_words import SectionWords

ENGLISH_ALL_STATIONS: Final[dict[str, SectionWords]] = {
    "all_stations": SectionWords(
        title="ALL STATIONS",
        about="the open exceptions of every station, from the site",
        rows="Open exceptions",
        story="What is known",
        empty="No exception is open.",
        finds="show only what has a text in station, order, item, lot or cause",
        scopes={"all": "open"},
        told={
            "column_station": "Station",
            "column_kind": "Kind",
            "column_order": "Order",
            "column_what": "What",
            "column_quantity": "Open",
            "column_since": "Since",
            "what": "{kind} at {station}",
            "of_item": "Item {item}.",
            "of_lot": "Item {item}, lot {lot}.",
            "number": "It is exception {id} of {station} and ends there.",
            "no_number": "It ends at {station}.",
            "away": "These are not all: the site could not be asked.",
            "more": "The site has more: these are the 5,000 that it heard of first.",
            "empty_away": "Nothing is open at this station; of the others it is not known. {text}",
            "head_away": "this station only",
            "head_more": "the site has more",
            "legend_exceptions": "This station",
            "help_exceptions": "the exceptions of this station, to end them",
        },
    ),
}
