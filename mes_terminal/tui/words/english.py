"""English: every sentence of the operator's screen."""

from typing import Final

from mes_terminal.tui.words.english_approve import ENGLISH_APPROVE
from mes_terminal.tui.words.english_desk import ENGLISH_DESK
from mes_terminal.tui.words.english_labels import ENGLISH_LABELS
from mes_terminal.tui.words.english_sections import ENGLISH_SECTIONS
from mes_terminal.tui.words.english_shift import ENGLISH_SHIFT
from mes_terminal.tui.words.english_situations import ENGLISH_SITUATIONS
from mes_terminal.tui.words.material_words import ENGLISH_MATERIAL
from mes_terminal.tui.words.order_words import ENGLISH_ORDER
from mes_terminal.tui.words.trace_words import ENGLISH_TRACE
from mes_terminal.tui.words.vocabulary import Sentence, Words

_NOTHING = "Nothing was booked."
_CALL = "Call a supervisor."

_COMPLETED: Final = {
    "units": Sentence("{quantity} {item} booked, {components}.", "{left} left on {order}."),
    "unit": Sentence("Unit {serial} booked, {components}.", "{left} left on {order}."),
    "operation": Sentence(
        "Operation {operation} done for {quantity}, {components}.", "Go on with the next one."
    ),
    "swept": Sentence("", "Swept with it: operation {swept}."),
    "closed": Sentence(
        "{order} is closed: {quantity} {item}, {components}.", "Take the next order."
    ),
    "closed_short": Sentence(
        "{order} is closed short, nothing more was booked.", "Take the next order."
    ),
    "scrap": Sentence("Scrap of {item} booked, {components}.", "{left} left on {order}."),
    "reworked": Sentence("{quantity} {item} out of rework.", "Nothing more was consumed."),
    "exceptions": Sentence("", "It is booked. For the supervisor: {exceptions}."),
}

_RECORDED: Final = {
    "START": Sentence("{order} is started.", "Build the first unit."),
    "QTY": Sentence("Quantity {argument} is set.", "Scan what it counts.", "order, item or lot"),
    "UNDO": Sentence("Taken back: {quantity} of {order}.", "Stock and order are as before."),
    "CANCEL": Sentence("Cancelled, nothing is waiting.", "Go on as usual."),
    "HELP": Sentence("This can be scanned now:", "Press Esc or scan to go on."),
    "SCRAP": Sentence("Scrap for {argument}.", "Scan what is scrapped.", "unit, container or lot"),
    "REWORK": Sentence(
        "Rework for {argument}.", "Scan what is reworked.", "unit, container or lot"
    ),
    "rework_done": Sentence(
        "Something is done in rework.", "Scan what is done.", "unit, order, container or lot"
    ),
    "ISSUE": Sentence("Issue by hand.", "Scan what you take.", "container or lot"),
    "RETURN": Sentence("Return of material.", "Scan what goes back.", "container or lot"),
    "EXTRA": Sentence("Extra material for {argument}.", "Scan what you take.", "container or lot"),
    "EMPTY": Sentence("A container is empty.", "Scan the empty one.", "a mounted container"),
    "ASIDE": Sentence(
        "A rest of {argument} is kept.", "Scan its container.", "a mounted container"
    ),
    "UNMOUNT": Sentence("A container is taken off.", "Scan it.", "a mounted container"),
    "MOVE": Sentence("Move to {argument}.", "Scan what moves.", "container or lot"),
    "SHORT": Sentence("Closing short for {argument}.", "Scan the order to close.", "an order"),
    "HOLD": Sentence("A lot goes on hold.", "Scan the lot.", "a lot"),
    "RELEASE": Sentence("A lot is released.", "Scan the lot.", "a lot"),
    "COUNT": Sentence("Count at {argument}.", "Scan lots with quantities.", "a lot, then %COUNT"),
    "OP": Sentence("Operation {argument} is reported.", "Go on with the next one."),
    "CALL": Sentence("Material is called.", "Go on; it ends when the material is scanned in."),
    "call_seen": Sentence("The call is acknowledged.", "See to it that the material comes."),
    "STOP": Sentence("Line stop is noted: {argument}.", "It ends with the next good report."),
    "END": Sentence("End of shift.", "A supervisor signs it off with badge and PIN."),
    "started": Sentence("{order} is started.", "Build the first unit."),
    "in_rework": Sentence("{quantity} {item} in rework.", "Scan the same code when it is done."),
    "REPLACE": Sentence("{serial} comes out.", "Scan what goes in.", "a serial of {item}"),
    "replaced": Sentence("{serial} is in.", "Scan the unit when it is done.", "the unit's serial"),
    "in_slot": Sentence("{item} {serial} is in its slot.", "Still missing: {missing}."),
    "in_use": Sentence("{lot} of {item} is in use here.", "Go on as usual."),
    "signed_in": Sentence("Hello, {person}", "Go on as usual."),
    "signed_out": Sentence("Signed out.", "Scan your badge before you go on.", "a badge"),
    **ENGLISH_MATERIAL,
    "other": Sentence("Taken: {code}.", "Go on as usual."),
}

_ALREADY: Final = {
    "": Sentence("{code} was already booked.", f"{_NOTHING} Go on with the next one."),
    "order_closed": Sentence(
        "{order} was closed already.", f"{_NOTHING} Take the next order.", "the next order"
    ),
}

_NEEDS: Final = {
    "order": Sentence("For which order is {item}?", "Scan the order, then this again.", "an order"),
    "lot": Sentence("Which lot of {item}?", "Scan the lot, then this again.", "a lot"),
    "serial": Sentence(
        "{order} needs a serial number.", "Scan each finished unit.", "the unit's serial"
    ),
    "component": Sentence("{unit} lacks {missing}.", "Scan the serial number of each."),
    "quantity": Sentence(
        "How many of {item}?", "Give the quantity, then scan again.", "%QTY n, then this code"
    ),
    "reason": Sentence("This needs a reason.", "Scan the reason card.", "a reason card"),
    "badge": Sentence("Who are you?", "Scan your badge, then this again.", "your badge"),
    "approval": Sentence(
        "A supervisor has to approve this.", "Call one to the station.", "supervisor's badge"
    ),
    "confirm": Sentence(
        "Is that right?", "Yes: the same code again. No: any other.", "the same code to confirm"
    ),
    "confirm_close": Sentence(
        "Is {order} really complete?",
        "Yes: the same code again. No: any other.",
        "the order again to close it",
    ),
    "confirm_repeat": Sentence(
        "The same code so soon?",
        "A second unit: scan it again. Same unit: go on.",
        "the code again for one more",
    ),
}

_REJECTED: Final = {
    "not_released": Sentence("{order} is not released yet.", f"{_NOTHING} Take another order."),
    "order_on_hold": Sentence("{order} is on hold.", f"{_NOTHING} Take another order."),
    "order_cancelled": Sentence("{order} is cancelled.", f"{_NOTHING} Put it aside."),
    "order_closed": Sentence("{order} is closed.", f"{_NOTHING} Take the next order."),
    "over_tolerance": Sentence(
        "That is more than {order} may get.", f"{_NOTHING} Check the quantity."
    ),
    "shortage_blocked": Sentence(
        "Material is short for {order}.", f"{_NOTHING} Bring material, then scan again."
    ),
    "lot_expired": Sentence(
        "{lot} of {item} is expired.", f"{_NOTHING} Take one that is not.", "another lot of {item}"
    ),
    "lot_on_hold": Sentence(
        "{lot} of {item} may not be used.",
        f"{_NOTHING} Take another one.",
        "another lot of {item}",
    ),
    "lot_unknown": Sentence(
        "{lot} is not in the books.", f"{_NOTHING} Check the label or call.", "another lot"
    ),
    "wrong_component": Sentence(
        "{item} is not needed here.", f"{_NOTHING} Take the right part.", "the right part"
    ),
    "serial_unknown": Sentence(
        "{serial} is not known here.", f"{_NOTHING} Check the label.", "a known serial"
    ),
    "serial_of_other_order": Sentence(
        "{serial} is of another order.", f"{_NOTHING} Put it back where it belongs."
    ),
    "serial_in_use": Sentence(
        "{serial} sits in another unit.", f"{_NOTHING} Take another one.", "another serial"
    ),
    "component_serial_missing": Sentence(
        "Serial numbers of components are missing.", f"{_NOTHING} {_CALL}"
    ),
    "not_a_step": Sentence(
        "{item} is not counted that finely.", f"{_NOTHING} Give a whole step.", "%QTY n"
    ),
    "no_effect": Sentence("{code} has no effect here.", f"{_NOTHING} Scan what fits."),
    "not_authorised": Sentence(
        "That is not allowed to you here.", f"{_NOTHING} Scan a valid badge.", "a badge"
    ),
    "nothing_to_undo": Sentence("There is nothing to take back.", "Nothing was changed."),
    "undo_too_late": Sentence("It is too late to take that back.", f"Nothing was changed. {_CALL}"),
    "has_dependents": Sentence(
        "Something else uses it already.", f"Nothing was taken back. {_CALL}"
    ),
    "reason_missing": Sentence(
        "A valid reason is missing.", f"{_NOTHING} Use the reason card.", "a reason card"
    ),
    "operation_order": Sentence(
        "An earlier operation is not reported.", f"{_NOTHING} Report it first."
    ),
    "substitute_not_allowed": Sentence(
        "{item} may not replace the part.", f"{_NOTHING} Take the right part.", "the right part"
    ),
    "malformed": Sentence("{code} cannot be read.", f"{_NOTHING} Scan again or check the label."),
    "unknown_command": Sentence(
        "{code} is no command.", f"{_NOTHING} F1 shows the commands.", "%HELP"
    ),
    "ambiguous": Sentence("{code} can mean two things.", f"{_NOTHING} {_CALL}"),
    "forbidden_key": Sentence(
        "The scanner sent a forbidden key.", f"{_NOTHING} Check the label, do not repeat it."
    ),
    "control_chars": Sentence(
        "The code holds control characters.", f"{_NOTHING} Check the label or call."
    ),
    "gs_suspected": Sentence(
        "A separator of the code is lost.", f"{_NOTHING} Scan again, else check the scanner."
    ),
    "clock": Sentence("The clock is in doubt.", f"{_NOTHING} {_CALL}"),
    "disk": Sentence("The disk is full.", f"{_NOTHING} Stop work. {_CALL}"),
}

_EXCEPTIONS: Final = {
    "shortage": "{item} {quantity} short",
    "unknown_lot": "{item} of a lot not in the books",
    "lot_overdrawn": "{item} lot gave {quantity} more than booked",
    "lot_expired": "{item} lot is expired",
    "lot_on_hold": "{item} lot is on hold",
    "unknown_code": "unknown code, seen {quantity} times",
    "over_completion": "{quantity} {item} too many",
    "consumption": "{item} consumption off by {quantity}",
    "component_serial": "{item} serial is missing",
    "substitution": "{item} used as a substitute",
    "count_variance": "{item} count differs by {quantity}",
    "conversion_missing": "{item} has no unit conversion",
    "scanner": "a scanner failed",
    "posting_refused": "a posting was refused",
    "label_mismatch": "{item} label does not match",
    "site_conflict": "{item} differs at the site",
    "clock": "the clock is in doubt",
    "failed_scan": "a scan failed",
}

ENGLISH: Final = Words(
    language="en",
    signs={"ok": "OK", "do": "DO", "check": "CHECK", "stop": "STOP"},
    sign_help={
        "ok": "taken, go on",
        "do": "something is needed from you",
        "check": "look before you go on",
        "stop": "nothing was booked, read why",
    },
    named={"lot": "lot {}", "unit": "{}"},
    absent={
        "code": "the code",
        "order": "the order",
        "item": "this item",
        "lot": "the lot",
        "serial": "this serial number",
        "quantity": "a quantity",
        "argument": "no stated reason",
        "person": "you",
        "left": "the rest is",
        "operation": "it",
        "swept": "the earlier ones",
        "unit": "the unit",
        "missing": "a component",
    },
    completed=_COMPLETED,
    recorded=_RECORDED,
    already_done=_ALREADY,
    needs=_NEEDS,
    rejected=_REJECTED,
    unknown=Sentence("{code} is unknown here.", f"{_NOTHING} Check the label or call."),
    exceptions=_EXCEPTIONS,
    pending={
        "QTY": "an order, item or lot",
        "SHORT": "the order to close short",
        "SCRAP": "a unit, container or lot",
        "REWORK": "a unit, container or lot",
        "REPLACE": "the serial that goes in",
        "SERIAL": "the serial of a unit",
        "ISSUE": "a container or lot",
        "RETURN": "a container or lot",
        "EXTRA": "a container or lot",
        "EMPTY": "the empty container",
        "ASIDE": "the container to keep",
        "UNMOUNT": "the container to take off",
        "MOVE": "a container or lot",
        "HOLD": "a lot",
        "RELEASE": "a lot",
        "COUNT": "a lot, or %COUNT to end",
        "other": "the code it is for",
    },
    next_scans={
        "badge": "your badge",
        "order": "an order",
        "close": "{order} for all {left} left",
        "unit": "a unit of {item}",
        "mount": "a container to mount",
        "undo": "%UNDO takes back {undo}",
        "no_components": "no components",
        "one_component": "1 component backflushed",
        "components": "{n} components backflushed",
    },
    scanner_states={
        "absent": "not plugged in",
        "opening": "opening",
        "ready": "ready",
        "gone": "UNPLUGGED",
        "denied": "NO RIGHTS",
        "busy": "IN USE ELSEWHERE",
        "fault": "FAULT",
    },
    scanner_troubles={
        "lost_gs": "{n} without separator",
        "overruns": "{n} overrun",
        "incomplete": "{n} broken off",
        "no_reads": "{n} no-reads",
    },
    order_states={
        "planned": "planned",
        "released": "released",
        "started": "started",
        "hold": "ON HOLD",
        "closed": "closed",
        "cancelled": "CANCELLED",
    },
    keys={
        "help": "Help",
        "undo": "Undo",
        "quantity": "Quantity",
        "short": "Close short",
        "cancel": "Cancel",
        "trace": "Trace",
        "desk": "Desk",
        "leave": "Leave",
    },
    keys_brief={"short": "Short"},
    commands={
        "%START order": "makes an order the one you work on",
        "%QTY n": "the quantity of the next code",
        "%UNDO": "takes your last report back",
        "%CANCEL": "drops what is waiting",
        "%SHORT reason": "closes an order short",
        "%EMPTY  %UNMOUNT": "a mounted container is empty, or off",
    },
    trace=ENGLISH_TRACE,
    labels=ENGLISH_LABELS,
    approve=ENGLISH_APPROVE,
    situations=ENGLISH_SITUATIONS,
    order=ENGLISH_ORDER,
    desk=ENGLISH_DESK,
    shift=ENGLISH_SHIFT,
    sections=ENGLISH_SECTIONS,
)
