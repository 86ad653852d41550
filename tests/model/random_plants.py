"""Small plants by chance, as the CSV text that both the station and the model load.

Two products (the second takes the first out of `FG`), up to four components, one phantom; lots with
expiries, containers, stores, receipts that have not arrived yet. Every plant loads without a fault.
A seed makes the plant: left to itself, hypothesis prefers plants in which nothing can happen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

Files = dict[str, str]

COMPONENTS = ("C1", "C2", "C3", "C4")
PRODUCTS = ("P", "Q")
PLACES = ("LINE", "LINE", "LINE", "LINE", "STORE", "STORE", "QUARANTINE")
ARRIVALS = (
    "2026-11-01T06:00:00.000000Z", "2026-11-10T06:00:00.000000Z", "2026-11-10T06:00:00.000000Z",
    "2026-11-12T06:00:00.000000Z", "2026-11-20T08:00:40.000000Z", "2026-11-25T06:00:00.000000Z",
)  # fmt: skip
EXPIRIES = ("", "", "", "2026-11-19", "2026-11-20", "2026-11-22", "2027-01-31", "2027-02-28")
RATIOS = ("1", "1", "2", "0.5", "0.02", "0.0333", "1.25", "3")
SCRAPS = ("", "", "", "2", "10", "33.3", "50", "100")


@dataclass(frozen=True)
class Item:
    """A component as the plant has it."""

    item: str
    tracking: str
    decimals: int


@dataclass(frozen=True)
class RandomPlant:
    """The files, and what a scanner can find in such a plant."""

    files: Files
    settings: dict[str, str]
    components: tuple[Item, ...]
    orders: tuple[str, ...]
    lots: dict[tuple[str, str], str] = field(default_factory=dict)
    containers: dict[str, tuple[str, str]] = field(default_factory=dict)


def table(header: str, rows: Sequence[tuple[str, ...]]) -> str:
    """Return CSV text."""
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def receipts(chance: Random, plant: RandomPlant, *, first: int, most: int) -> Files:
    """Return a `receipts.csv`; a lot keeps its expiry and a container its lot."""
    rows = []
    for number in range(first, first + chance.randint(max(1, most // 3), most)):
        of = chance.choice(plant.components)
        lot = chance.choice(("L1", "L2", "L10")) if of.tracking == "lot" else ""
        expiry = ""
        if lot:
            expiry = plant.lots.setdefault((of.item, lot), chance.choice(EXPIRIES))
        container = chance.choice(("", "", "BOX-A", "BOX-B", "BOX-C"))
        if container:
            container = f"{of.item}-{container}"
            if plant.containers.setdefault(container, (of.item, lot)) != (of.item, lot):
                container = ""
        quantity = str(chance.choice((1, 3, 8, 20, 60)))
        if of.decimals:
            quantity += f".{chance.randrange(10**of.decimals):0{of.decimals}d}"
        rows.append(
            (f"R{number}", of.item, lot, container, chance.choice(PLACES), quantity,
             chance.choice(ARRIVALS), expiry)
        )  # fmt: skip
    header = "reference,item,lot,container,location,quantity,effective_at,expires_on"
    return {"receipts.csv": table(header, rows)}


def random_plant(seed: str) -> RandomPlant:
    """Return a plant of a few items, orders and receipts."""
    chance = Random(seed)
    components, item_rows = _items(chance)
    names = [each.item for each in components]
    routings = {product: _operations(chance) for product in PRODUCTS}
    lines = _bom_lines(chance, "F", names, [])
    lines += _bom_lines(chance, "P", [*names, *names, "F"], routings["P"])
    lines += _bom_lines(chance, "Q", [*names, *names, "F", "P"], routings["Q"])
    boms = [(each, "A", chance.choice(("", "", "", "4", "0.3"))) for each in "FPQ"]
    orders = _work_orders(chance)
    plant = RandomPlant(
        files={
            "items.csv": table(
                "item,tracking,decimals,kind,shortage_policy,mount,shelf_life_days,inherit_expiry,"
                "output_status,over_completion_pct", item_rows,
            ),
            "unit_conversions.csv": table(
                "item,from_uom,to_uom,factor", [("", "dozen", "pcs", "12")]
            ),
            "boms.csv": table("item,revision,output_quantity", boms),
            "bom_lines.csv": table(
                "item,revision,line,component,quantity,uom,basis,scrap_pct,scrap_mode,"
                "planned_scrap,issue_method,supply_location,mount,mount_position,operation", lines,
            ),
            "routings.csv": table(
                "item,revision,operation,backflush_point,overlap",
                [
                    (product, "A", *operation)
                    for product, operations in routings.items()
                    for operation in operations
                ],
            ),
            "bom_substitutes.csv": table(
                "item,revision,line,substitute,ratio,priority,approval,choice",
                _substitutes(chance, lines, names) if chance.random() < 0.6 else [],
            ),
            "locations.csv": table(
                "location,kind", [("STORE", "store"), ("QUARANTINE", "hold"), ("SCRAP", "scrap")]
            ),
            "work_orders.csv": table(
                "work_order,item,quantity,status,due_at,lot,completed_so_far,scrapped_so_far,"
                "replace_scrap", orders,
            ),
            "operators.csv": table(
                "badge,name,role", [("AK", "Anna", ""), ("BO", "Bo", ""), ("QA", "Kim", "quality")]
            ),
            "reasons.csv": table("code,kind", [("MAT", "short_close")]),
        },
        settings={
            "shortage_policy": chance.choice(("exception", "exception", "exception", "negative")),
            "planned_scrap": chance.choice(("posted", "posted", "posted", "planning_only")),
        },
        components=components,
        orders=tuple(row[0] for row in orders),
    )  # fmt: skip
    plant.files.update(receipts(chance, plant, first=1, most=16))
    return plant


def random_codes(chance: Random, plant: RandomPlant, count: int) -> list[str]:
    """Return what a scanner may read in the plant, in any order."""
    labels = [f"{item}|{lot}" for item, lot in plant.lots] + list(plant.containers)
    codes = [*plant.orders * 3, *PRODUCTS * 4, *labels, "%UNDO", "%UNDO", "%EMPTY", "%SHORT MAT"]
    codes += ["%CANCEL", "%START", "B:AK", "B:BO", "NOBODY-KNOWS", "C1", "P|W1", "P|LOT7"]
    codes += ["%SCRAP BAD", "%HOLD", *(f"%OP 20 {order}" for order in plant.orders)]
    codes += [f"%QTY {quantity}" for quantity in ("1", "2", "3", "5")] * 2
    return [chance.choice(codes) for _ in range(count)]


def _items(chance: Random) -> tuple[tuple[Item, ...], list[tuple[str, ...]]]:
    rows: list[tuple[str, ...]] = []
    components = []
    for name in COMPONENTS[: chance.randint(1, 4)]:
        tracking = chance.choice(("lot", "lot", "lot", "none"))
        decimals = chance.choice((0, 0, 1, 3))
        policies = ("",) * 8 + ("exception", "block") + ("negative",) * 6 * (tracking == "none")
        rows.append(
            (name, tracking, str(decimals), "", chance.choice(policies),
             chance.choice(("", "", "", "", "required")), "", "", "", "")
        )  # fmt: skip
        components.append(Item(name, tracking, decimals))
    rows.append(("F", "", "", "phantom", "", "", "", "", "", ""))
    for name in PRODUCTS:
        tracking = chance.choice(("lot", "lot", "none"))
        lot = tracking == "lot"
        rows.append(
            (name, tracking, chance.choice(("0", "0", "1")), "manufactured", "", "",
             chance.choice(("", "", "30")) if lot else "",
             chance.choice(("", "yes")) if lot else "",
             chance.choice(("", "", "", "hold")) if lot else "",
             chance.choice(("", "", "10", "50")))
        )  # fmt: skip
    return tuple(components), rows


def _operations(chance: Random) -> list[tuple[str, str, str]]:
    """Return (operation, backflush point, overlap); the last posts. Half of the products have
    none."""
    routings: tuple[tuple[str, ...], ...] = ((), (), ("10", "20"), ("5", "20", "100"))
    names = chance.choice(routings)
    return [
        (name, "yes" if name == names[-1] else chance.choice(("yes", "no")),
         chance.choice(("", "", "yes")))
        for name in names
    ]  # fmt: skip


def _bom_lines(
    chance: Random, parent: str, components: list[str], operations: list[tuple[str, str, str]]
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for number in range(1, chance.randint(1, 3) + 1):
        component = chance.choice(components)
        own = component in COMPONENTS
        scrap, mode = chance.choice(SCRAPS), chance.choice(("", "additive", "divisive"))
        methods = ("",) * 8 + ("bulk", "manual", "manual")
        rows.append(
            (parent, "A", f"{number}0", component, chance.choice(RATIOS),
             chance.choice(("", "", "", "dozen")) if own else "",
             chance.choice(("", "", "", "per_order")) if own else "",
             scrap if scrap != "100" or mode != "divisive" else "50", mode,
             chance.choice(("", "", "", "posted", "planning_only")),
             chance.choice(methods) if own else "",
             _place(chance, component),
             chance.choice(("", "", "", "", "", "required")) if own else "",
             chance.choice(("", "", f"POS{number}")) if own else "",
             chance.choice(("", *(name for name, _, _ in operations))))
        )  # fmt: skip
    return rows


def _substitutes(
    chance: Random, lines: list[tuple[str, ...]], names: list[str]
) -> list[tuple[str, ...]]:
    """Return other components that may stand in, for some lines."""
    rows: list[tuple[str, ...]] = []
    for parent, revision, number, component, *_ in lines:
        others = [name for name in names if name != component and component in COMPONENTS]
        chosen = chance.sample(others, min(len(others), chance.choice((0, 1, 2, 3))))
        rows += [
            (parent, revision, number, name, chance.choice(("1", "2", "0.5", "0.3", "1.5")),
             chance.choice(("", "1", "2")), chance.choice(("",) * 5 + ("none", "required")),
             chance.choice(("automatic", "automatic", "automatic", "scanned")))
            for name in chosen
        ]  # fmt: skip
    return rows


def _place(chance: Random, component: str) -> str:
    """Return a supply location: a product waits in `FG`, unless it is brought to the line."""
    if component == "P":
        return chance.choice(("FG", "FG", ""))
    return chance.choice(("", "", "", "", "STORE")) if component in COMPONENTS else ""


def _work_orders(chance: Random) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for number in range(1, chance.randint(2, 5)):
        quantity = chance.randint(1, 24)
        rows.append(
            (f"W{number}", chance.choice("PPQ"), str(quantity),
             chance.choice(("released",) * 9 + ("planned", "hold", "cancelled")),
             chance.choice(("", "2026-11-24", "2026-11-23")), chance.choice(("", "", "LOT7")),
             chance.choice(("", "", "", "1")) if quantity > 1 else "",
             chance.choice(("", "", "", "1")) if quantity > 2 else "",
             chance.choice(("", "", "yes")))
        )  # fmt: skip
    return rows
