"""German: the end of a shift, line stops, calls for material."""

from typing import Final

from mes_terminal.tui.words.shift_words import ShiftWords

GERMAN_SHIFT: Final = ShiftWords(
    stopped="LINIE STEHT",
    since="seit {time} · {reason}",
    called="GERUFEN",
    call="{what} seit {time}",
    call_again="{what} {n}-mal seit {time}",
    call_anything="Material",
    handed_over="An Sie übergeben: {what}.",
    following="Als Nächstes: {orders}",
    title="SCHICHTENDE",
    shift="{shift} · {day} · seit {time}",
    no_shift="seit {day} {time}",
    looking="Was offen ist, wird gesucht …",
    labels={
        "exceptions": "Ausnahmen",
        "approvals": "Freigaben",
        "count": "Zählung offen",
        "calls": "Gerufen",
        "stopped": "Linie steht",
        "in_process": "In Arbeit",
        "set_aside": "Beiseite",
        "mounted": "Gerüstet",
        "unsent": "Nicht gesendet",
        "made": "Gefertigt",
        "stops": "Stillstand",
    },
    zero_open="null offen",
    unnamed="{n} gehören niemandem",
    begun="{order} mit {units}",
    made="{good} {item}, {scrapped} Ausschuss",
    stop="{reason} {minutes} min",
    none="keine",
    asks={
        "taker": "Wer übernimmt, was offen ist? Ausweis scannen.",
        "badge": "Vorgesetzter: zum Unterschreiben Ausweis scannen.",
        "pin": "PIN von {name}",
    },
    hints={
        "taker": "Oder mit Esc verlassen und zuerst erledigen.",
        "badge": "Die Linie läuft weiter; jeder andere Scan schließt dies.",
        "pin": "4 bis 12 Ziffern, dann Enter.",
    },
    blocked="Diese Schicht ist schon unterschrieben. Was jetzt kommt, gehört zur nächsten.",
    signed="Die Schicht ist von {name} unterschrieben.",
    handed="{n} übergeben an {name}.",
    anchor="Protokolleintrag {n}, für den Schichtbericht:",
    leave="Esc verlässt es",
    close="Esc oder ein Scan schließt dies",
)
