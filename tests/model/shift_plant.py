"""A plant in which everything the rules know can happen, a little different for each seed.

Chairs with substitutes, a reel and an offcut; desks by operations, with tops made here; electric
bicycles with slots; benches issued by hand; lamps whose order lines come from upstream. Stock is
short of what the orders take, so that much is owed and heals later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.model.random_plants import Files, table

ORDERS: Final = ("WO-C", "WO-C2", "WO-D", "WO-D2", "WO-E", "WO-B", "WO-T", "WO-L", "WO-P")
PRODUCTS: Final = ("CHAIR", "DESK", "EBIKE", "BENCH", "TOP", "LAMP")
OPERATIONS: Final = ("10", "20", "30")
UNITS: Final = ("E-1", "E-2", "E-3")
MOTORS: Final = ("M-1", "M-2", "M-3", "M-4")
CELLS: Final = ("C-1", "C-2", "C-3", "C-4", "C-5", "C-6", "C-7")
MATERIAL: Final = (
    "LEG|L-1", "LEG|L-2", "LEG|L-3", "LEG-BOX", "PEG|P-1", "ROD", "SEAT", "REEL-1", "REEL-2",
    "WIRE|W-1", "FRAME|F-1", "FRAME|F-2", "BOARD|B-1", "BOARD|B-2", "SCREW", "BOLT", "TOP|WO-T",
    "PAINT|D-1", "DRUM-1", "DRUM-2",
)  # fmt: skip
TRACKED: Final = {
    "LEG": ("L-1", "L-2", "L-3"), "PEG": ("P-1",), "FRAME": ("F-1", "F-2"),
    "BOARD": ("B-1", "B-2"), "PAINT": ("D-1",),
}  # fmt: skip
LOOSE: Final = ("SCREW", "BOLT", "SEAT", "ROD")
LINES: Final = "work_order,line,component,quantity,operation"


@dataclass(frozen=True)
class ShiftPlant:
    """The files and the settings."""

    files: Files
    shortage_policy: str
    planned_scrap: str
    lot_overrun_pct_micro: int


def shift_plant(seed: str) -> ShiftPlant:
    """Return the plant of a seed."""
    chance = Random(seed)
    scrap = [chance.choice(("", "", "2", "10", "40")) for _ in range(4)]
    overlap = [chance.choice(("", "yes")) for _ in range(3)]
    ratio = [chance.choice(("0.3", "0.5", "1", "1.5", "2")) for _ in range(2)]
    routed = chance.choice(("", "", "20"))
    files = {
        "items.csv": _items(chance),
        "boms.csv": "item,revision\n"
        + "".join(f"{item},A\n" for item in ("CHAIR", "DESK", "EBIKE", "BENCH", "TOP", "SHELF")),
        "bom_lines.csv": f"""item,revision,line,component,quantity,scrap_pct,operation,\
issue_method,mount,supply_location,role
CHAIR,A,10,LEG,4,{scrap[0]},,,,,
CHAIR,A,20,SEAT,1,,,,,,
CHAIR,A,30,WIRE,0.4,{scrap[1]},,,required,,
CHAIR,A,40,OFFCUT,0.4,,,,,,by_product
DESK,A,10,TOP,1,,10,,,FG,
DESK,A,20,FRAME,2,,20,,,,
DESK,A,30,SHELF,1,,20,,,,
DESK,A,40,PAINT,0.125,,{chance.choice(("10", "20"))},,,,
DESK,A,50,BOLT,0.25,,30,,,,
SHELF,A,10,SCREW,3,{scrap[2]},,,,,
SHELF,A,20,BOARD,0.3,,,,,,
EBIKE,A,10,FRAME,1,,{routed},,,,
EBIKE,A,20,MOTOR,1,,{routed},,,,
EBIKE,A,30,CELL,2,,,,,,
EBIKE,A,40,SCREW,2,,{routed},,,,
BENCH,A,10,LEG,2,,,manual,,,
BENCH,A,20,LEG,1.5,{scrap[3]},,,,,
BENCH,A,30,BOLT,8,,,,,,
TOP,A,10,BOARD,1,,,,,,
TOP,A,20,SCREW,2,,,,,,
""",
        "bom_substitutes.csv": f"""item,revision,line,substitute,ratio,priority,choice
CHAIR,A,10,PEG,{ratio[0]},1,automatic
CHAIR,A,10,ROD,{ratio[1]},2,{chance.choice(("automatic", "scanned"))}
BENCH,A,20,PEG,{ratio[1]},1,{chance.choice(("automatic", "scanned"))}
""",
        "routings.csv": "item,revision,operation,backflush_point,overlap\n"
        f"DESK,A,10,no,{overlap[0]}\nDESK,A,20,yes,{overlap[1]}\nDESK,A,30,yes,{overlap[2]}\n"
        + (f"EBIKE,A,20,yes,\nEBIKE,A,30,yes,{overlap[0]}\n" if routed else ""),
        "locations.csv": "location,kind\nSTORE,store\nSCRAP,scrap\nFG,finished\nQUARANTINE,hold\n"
        "TABLE,rework\n",
        "operators.csv": "badge,name,role\nAK,Anna,operator\nSO,Sofia,supervisor\nQA,Kim,quality\n",
        "work_orders.csv": _work_orders(chance),
        "work_order_serials.csv": table(
            "work_order,serial", [("WO-E", serial) for serial in UNITS]
        ),
        "work_order_lines.csv": lamp_lines(chance),
        "receipts.csv": _first_receipts(chance),
    }
    return ShiftPlant(
        files,
        chance.choice(("exception",) * 6 + ("negative", "block")),
        chance.choice(("posted", "posted", "planning_only")),
        chance.choice((0, 5_000_000, 20_000_000)),
    )


def lamp_lines(chance: Random) -> str:
    """Return lines of the lamp order, as upstream states and changes them (BF-7)."""
    rows = [("WO-L", "10", chance.choice(("BOLT", "SCREW")), str(chance.choice((10, 20, 25))), "")]
    if chance.random() < 0.8:
        rows.append(("WO-L", "20", "LEG", str(chance.choice((10, 15, 30))), ""))
    if chance.random() < 0.5:
        rows.append(("WO-L", "30", "WIRE", str(chance.choice((4, 5))), ""))
    return table(LINES, rows)


def receipts_of(chance: Random, owed: Sequence[str], *, first: int) -> Files:
    """Return a few receipts of what the orders take, and of what is `owed` most."""
    rows = []
    known = [item for item in owed if item in TRACKED or item in LOOSE]
    for number in range(first, first + chance.randint(1, 4)):
        item = chance.choice((*TRACKED, *LOOSE, "WIRE", *known * 3))
        lot = chance.choice(TRACKED[item]) if item in TRACKED else ""
        lot, container = ("W-1", f"REEL-N{number}") if item == "WIRE" else (lot, "")
        place = chance.choice(("LINE", "LINE", "LINE", "LINE", "STORE", "FG"))
        when = chance.choice(("2026-11-01T06:00:00Z", "2026-11-10T06:00:00Z", "", ""))
        rows.append(
            (f"R{number}", item, lot, container, place, str(chance.choice((1, 2, 5, 20))), when)
        )
    return {"receipts.csv": table(_RECEIPTS, rows)}


_RECEIPTS: Final = "reference,item,lot,container,location,quantity,effective_at"


def _items(chance: Random) -> str:
    held = chance.choice(("", "", "", "hold"))
    policy = [chance.choice(("",) * 7 + ("exception", "block")) for _ in range(3)]
    loose = [chance.choice(("", "", "exception", "negative")) for _ in range(2)]
    return f"""item,tracking,decimals,kind,shortage_policy,output_status,inherit_expiry,\
over_completion_pct,shelf_life_days
CHAIR,lot,,manufactured,,{held},yes,10,
DESK,lot,,manufactured,,,,,90
EBIKE,serial,,manufactured,,,,,
BENCH,none,,manufactured,,,,50,
TOP,{chance.choice(("lot", "none"))},,manufactured,,,,,
LAMP,lot,,manufactured,,,,20,
SHELF,none,,phantom,,,,,
LEG,lot,,,{policy[0]},,,,
PEG,lot,,,,,,,
ROD,none,1,,,,,,
SEAT,none,,,{loose[0]},,,,
WIRE,lot,2,,{policy[1]},,,,
OFFCUT,lot,,manufactured,,,,,
FRAME,lot,,,{policy[2]},,,,
SCREW,none,,,{loose[1]},,,,
BOARD,lot,1,,,,,,
BOLT,none,,,,,,,
PAINT,lot,3,,,,,,
MOTOR,serial,,,,,,,
CELL,serial,,,,,,,
"""


def _work_orders(chance: Random) -> str:
    rows = [
        ("WO-C", "CHAIR", "60", "released", "", "", "", ""),
        ("WO-C2", "CHAIR", "6", "released", "", "yes", chance.choice(("", "1")),
         chance.choice(("", "1"))),
        ("WO-D", "DESK", "40", "released", "", chance.choice(("", "yes")), "", ""),
        ("WO-D2", "DESK", "5", "released", chance.choice(("", "DESK-7")), "",
         chance.choice(("", "2")), ""),
        ("WO-E", "EBIKE", "3", "released", "", "", "", ""),
        ("WO-B", "BENCH", "24", "released", "", "", "", ""),
        ("WO-T", "TOP", "60", "released", "", "", "", ""),
        ("WO-L", "LAMP", "10", "released", "", "", "", ""),
        ("WO-P", "TOP", "5", "planned", "", "", "", ""),
    ]  # fmt: skip
    return table(
        "work_order,item,quantity,status,lot,replace_scrap,completed_so_far,scrapped_so_far", rows
    )


def _first_receipts(chance: Random) -> str:
    rows = [
        (f"S{number}", "MOTOR" if serial in MOTORS else "CELL", "", serial, "", place, "1", "", "")
        for number, serial in enumerate((*MOTORS, *CELLS))
        for place in [chance.choice(("LINE", "LINE", "LINE", "STORE"))]
    ]
    day = "2026-11-01T06:00:00Z"
    for number, (item, lots) in enumerate(TRACKED.items()):
        for lot in lots:
            if chance.random() < 0.8:
                quantity = chance.choice(("3", "10", "20", "60"))
                place = chance.choice(("LINE", "LINE", "LINE", "LINE", "STORE"))
                when = chance.choice((day, "2026-11-10T06:00:00Z"))
                expiry = "2027-01-31" if lot in ("D-1", "W-1") else ""
                rows.append((f"T{number}{lot}", item, lot, "", "", place, quantity, when, expiry))
    for number, item in enumerate(LOOSE):
        if chance.random() < 0.7:
            quantity = str(chance.choice((5, 20, 100)))
            rows.append((f"U{number}", item, "", "", "", "LINE", quantity, day, ""))
    for container, item, lot, quantity in (
        ("LEG-BOX", "LEG", "L-3", "20"), ("REEL-1", "WIRE", "W-1", "5"),
        ("REEL-2", "WIRE", "W-1", "3.5"), ("DRUM-1", "PAINT", "D-1", "1.25"),
        ("DRUM-2", "PAINT", "D-1", "2"),
    ):  # fmt: skip
        place = chance.choice(("LINE", "LINE", "STORE"))
        rows.append((f"V{container}", item, lot, "", container, place, quantity, day, ""))
    return table(
        "reference,item,lot,serial,container,location,quantity,effective_at,expires_on", rows
    )
