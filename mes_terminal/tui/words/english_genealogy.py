"""English: the desk's genealogy explorer."""

from typing import Final

from mes_terminal.tui.words.section_words import SectionWords

ENGLISH_GENEALOGY: Final[dict[str, SectionWords]] = {
    "genealogy": SectionWords(
        title="GENEALOGY",
        about="what a lot or serial was made from, and what it went into",
        rows="Tree",
        story="Lot",
        empty="Nothing of it was made or received.",
        told={
            "backward": "made from",
            "forward": "went into",
            "begin": "Scan a lot, a serial, a container or an order, or type it after / .",
            "begin_scan": "The tree opens step by step, in both directions.",
            "legend_open": "Open",
            "legend_root": "Begin here",
            "legend_back": "Back",
            "legend_backward": "Went into",
            "legend_forward": "Made from",
            "help_open": "open a lot one step further, or close it",
            "help_root": "begin the tree at the selected lot; on a line of more, show more",
            "help_back": "go back to where the tree before began",
            "help_turn": "turn round: made from, or went into",
            "help_find": "begin at a lot, serial, container, order or ITEM|LOT",
            "more": "and {n} more: Enter shows them",
            "next": "more: Enter shows them",
            "status_hold": "ON HOLD",
            "status_rejected": "REJECTED",
            "is_in": "{quantity} {uom} of it are in {that}.",
            "went_into": "{quantity} {uom} of {that} are in it.",
            "sure_exact": "exact: it was scanned for just this.",
            "sure_sole": "sole: nothing else of the item was there.",
            "sure_pooled": "pooled: taken from a container that several lots had filled.",
            "sure_assumed": "assumed: it was mounted or next in order, nobody scanned it for this.",
            "sure_unknown": "unknown: nobody knows which lot it was.",
            "leads_backward": "Lots and serials in it: {n}.",
            "leads_forward": "Lots and serials that it went into: {n}.",
            "now_at": "Now on hand",
            "nowhere": "None of it is on hand.",
        },
    ),
}
