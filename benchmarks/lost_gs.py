"""How often a lost GS is missed, and how often an honest label is taken for one, by random trial.

    python -m benchmarks.lost_gs --labels 20000

Labels are those of new lots, which the books do not know; they alone can be in doubt. Each is read
as it was printed (a refusal is a false alarm) and, if it holds a GS, as a scanner sends it that
drops all GS, or one of several (anything but a refusal is a miss).
"""

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mes_terminal.barcodes.decode import decode
from mes_terminal.barcodes.interpret import interpret
from mes_terminal.domain.intent import Meaning, Refuse
from mes_terminal.domain.rules import CodeRules
from mes_terminal.domain.session import Session

GS: Final = "\x1d"
GTIN: Final = "0109521234543213"
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS: Final = "0123456789"
RULES: Final = CodeRules()
NEW_LOT: Final = [Meaning("lot", "ITEM|NEW", 0, 1)]

Maker = Callable[[random.Random], str]


def formed(form: str) -> Maker:
    """Return a maker of texts of one form: `A` a capital, `9` a digit, `#` either, else itself."""
    choices = {"A": LETTERS, "9": DIGITS, "#": LETTERS + DIGITS}
    return lambda dice: "".join(dice.choice(choices.get(mark, mark)) for mark in form)


def _day(dice: random.Random) -> str:
    return f"{dice.randint(26, 30)}{dice.randint(1, 12):02d}{dice.randint(1, 28):02d}"


def _count(dice: random.Random) -> str:
    return str(dice.choice((dice.randint(1, 9), dice.randint(10, 99), dice.randint(100, 5000))))


def _serial(dice: random.Random) -> str:
    form = dice.choice(("9", "99", "9999", "999999", "A9999", "S99", "#######"))
    return formed(form)(dice)


LOTS: Final[dict[str, Maker]] = {
    form: formed(form)
    for form in ("A999999", "99999", "99999999", "A99-999", "L-9999", "AAA999", "########", "99")
}
LABELS: Final[dict[str, Maker]] = {
    "10": lambda _: "",
    "10 21": lambda dice: f"{GS}21{_serial(dice)}",
    "10 30": lambda dice: f"{GS}30{_count(dice)}",
    "10 37": lambda dice: f"{GS}37{_count(dice)}",
    "10 17": lambda dice: f"{GS}17{_day(dice)}",
    "10 3103": lambda dice: f"{GS}3103{dice.randint(1, 99999):06d}",
    "10 30 21": lambda dice: f"{GS}30{_count(dice)}{GS}21{_serial(dice)}",
    "10 17 21": lambda dice: f"{GS}17{_day(dice)}21{_serial(dice)}",
    "10 240 21": lambda dice: f"{GS}240X{formed('999')(dice)}{GS}21{_serial(dice)}",
    "10 91 21": lambda dice: f"{GS}91{formed('AA')(dice)}{GS}21{_serial(dice)}",
}
"""What stands behind the lot, by the identifiers of the label."""


def is_refused(text: str) -> bool:
    """Tell whether the station refuses a label of a new lot for what it says."""
    payload = decode(f"]C1{text}".encode(), RULES)
    return isinstance(interpret(payload, Session(), NEW_LOT), Refuse)


@dataclass(slots=True)
class Rates:
    """What one kind of label came to."""

    alarms: float
    all_lost: float
    one_lost: float


def trial(lot: Maker, behind: Maker, labels: int, dice: random.Random) -> Rates:
    """Return the rates of false alarms, and of misses where all GS or one of several is lost."""
    alarms = all_lost = one_lost = 0
    for _ in range(labels):
        printed = f"{GTIN}10{lot(dice)}{behind(dice)}"
        elements = printed.split(GS)
        alarms += is_refused(printed)
        all_lost += not is_refused("".join(elements))
        lost = dice.randrange(1, len(elements)) if len(elements) > 1 else 0
        one_lost += not is_refused(GS.join(elements[:lost]) + GS.join(elements[lost:]))
    return Rates(alarms / labels, all_lost / labels, one_lost / labels)


def main() -> int:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--labels", type=int, default=5000, help="of each form and kind")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    dice = random.Random(asked.seed)
    print(f"{'lot':<10}{'label':<11}{'false alarms':>12}{'missed, all lost':>18}{'one lost':>10}")
    for form, lot in LOTS.items():
        for name, behind in LABELS.items():
            found = trial(lot, behind, asked.labels, dice)
            missed = f"{found.all_lost:18.2%}{found.one_lost:10.2%}" if name != "10" else ""
            print(f"{form:<10}{name:<11}{found.alarms:12.2%}{missed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
