"""What became of material that was handled by hand, in both languages (BF-10, BF-16, BF-27)."""

from typing import Final

from mes_terminal.tui.words.vocabulary import Sentence

ENGLISH_MATERIAL: Final = {
    "issued": Sentence("{quantity} {item} issued to {order}.", "Go on as usual."),
    "issued_extra": Sentence("{quantity} {item} extra for {order}.", "Go on as usual."),
    "returned": Sentence("{quantity} {item} back from {order}.", "Go on as usual."),
    "scrapped": Sentence("{quantity} {item} scrapped.", "Put it into the scrap."),
    "moved": Sentence("{quantity} {item} moved.", "Take it there."),
    "held": Sentence("{lot} of {item} is on hold.", "Nobody may use it now."),
    "released": Sentence("{lot} of {item} is released.", "It may be used again."),
    "set_aside": Sentence("{quantity} {item} set aside.", "Scan the new container."),
    "emptied": Sentence("{lot} of {item} is empty and off.", "Scan the new container."),
    "unmounted": Sentence("{lot} of {item} is taken off.", "Scan the new container."),
}

GERMAN_MATERIAL: Final = {
    "issued": Sentence("{quantity} {item} entnommen für {order}.", "Weiter wie gewohnt."),
    "issued_extra": Sentence("{quantity} {item} zusätzlich für {order}.", "Weiter wie gewohnt."),
    "returned": Sentence("{quantity} {item} zurück von {order}.", "Weiter wie gewohnt."),
    "scrapped": Sentence("{quantity} {item} Ausschuss.", "In den Ausschuss legen."),
    "moved": Sentence("{quantity} {item} umgelagert.", "Dorthin bringen."),
    "held": Sentence("{lot} von {item} ist gesperrt.", "Niemand darf es jetzt verwenden."),
    "released": Sentence("{lot} von {item} ist frei.", "Es darf wieder verwendet werden."),
    "set_aside": Sentence("{quantity} {item} bleiben als Rest.", "Den neuen Behälter scannen."),
    "emptied": Sentence("{item}: {lot} ist leer und ab.", "Den neuen Behälter scannen."),
    "unmounted": Sentence("{item}: {lot} ist abgenommen.", "Den neuen Behälter scannen."),
}
