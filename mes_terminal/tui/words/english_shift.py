"""English: the end of a shift, line stops, calls for material."""

from typing import Final

from mes_terminal.tui.words.shift_words import ShiftWords

ENGLISH_SHIFT: Final = ShiftWords(
    stopped="LINE STOPPED",
    since="since {time} · {reason}",
    called="CALLED",
    call="{what} since {time}",
    call_again="{what} {n} times since {time}",
    call_anything="material",
    handed_over="Handed over to you: {what}.",
    following="Next: {orders}",
    title="END OF SHIFT",
    shift="{shift} · {day} · since {time}",
    no_shift="since {day} {time}",
    looking="Looking what is open …",
    labels={
        "exceptions": "Exceptions",
        "approvals": "Approvals",
        "count": "Count open",
        "calls": "Called",
        "stopped": "Line stopped",
        "in_process": "In process",
        "set_aside": "Set aside",
        "mounted": "Mounted",
        "unsent": "Unsent",
        "made": "Made",
        "stops": "Line stops",
    },
    zero_open="zero open",
    unnamed="{n} belong to nobody",
    begun="{order} with {units}",
    made="{good} {item}, {scrapped} scrapped",
    stop="{reason} {minutes} min",
    none="none",
    asks={
        "taker": "Who takes over what is open? Scan the badge.",
        "badge": "Supervisor: scan your badge to sign.",
        "pin": "PIN of {name}",
    },
    hints={
        "taker": "Or leave with Esc and resolve it first.",
        "badge": "The line goes on meanwhile; any other scan closes this.",
        "pin": "4 to 12 digits, then Enter.",
    },
    blocked="This shift is signed off already. What comes now belongs to the next one.",
    signed="The shift is signed off by {name}.",
    handed="{n} handed over to {name}.",
    anchor="Log entry {n}, for the shift report:",
    leave="Esc leaves it",
    close="Esc or any scan closes this",
)
