"""Substitutes, mounted containers and own stock in any mixture (BF-29, BF-17).

The arithmetic on values, then whole stations: reports in any split cover the same, and taking them
back in reverse restores everything.
"""

from fractions import Fraction
from math import ceil
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mes_terminal.domain import sourcing
from mes_terminal.domain.backflush import Draw, Due, PoolKey, Stock
from mes_terminal.domain.order import LineFacts, Source, Substitute
from tests.plants import Station, empty_database, memory_folder, open_station, plant

UNIT = 10**6
STEPS = st.sampled_from((UNIT, UNIT, UNIT // 10, UNIT // 1000))
Case = tuple[Due, dict[PoolKey, list[Source]], dict[int, int], dict[int, list[Substitute]]]
RATIOS = st.fractions(Fraction(1, 20), 20, max_denominator=30)


def line(step: int) -> LineFacts:
    return LineFacts(
        line_id=1, line="10", item_id=1, item="LEG", uom="pcs", step_micro=step, tracking="lot",
        shortage_policy="exception", per_unit=1, net_num=1, net_den=1, gross_num=1, gross_den=1,
        issue_method="backflush", location_id=1, location="LINE", location_rule="line",
        mount_required=0, erp_ref=None, operation_position=0, net_taken_micro=0,
        scrap_taken_micro=0, since_micro=0, sole_lot_id=None, available_micro=0, balance_id=0,
        lot_id=0, container_id=0, lot="", expires_on="",
    )  # fmt: skip


def substitute(item_id: int, step: int, ratio: Fraction, *, mounted: bool) -> Substitute:
    return Substitute(
        item_id, f"S{item_id}", "pcs", step, "lot", ratio.numerator, ratio.denominator, 1, 0, None,
        10 * item_id if mounted else None, 0 if mounted else None,
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A line, its own lots and those of up to two substitutes, the first lot of each perhaps
    mounted with an allowance."""
    step = draw(STEPS)
    found = line(step)
    own_mounted, sub_mounted = draw(st.booleans()), draw(st.booleans())
    pools: dict[PoolKey, list[Source]] = {}
    allowances: dict[int, int] = {}
    subs: list[Substitute] = []
    for item_id in (1, 2, 3):
        if item_id > 1:
            step = draw(STEPS)
            mounted = sub_mounted and item_id == 2
            subs.append(substitute(item_id, step, draw(RATIOS), mounted=mounted))
        for place, quantity in enumerate(draw(st.lists(st.integers(0, 30), max_size=3))):
            number = 10 * item_id + place
            mounted = not place and (own_mounted if item_id == 1 else sub_mounted and item_id == 2)
            position = "" if not mounted else "OTHER" if item_id == 1 and sub_mounted else "LEG"
            source = Source(number, number, 0, f"L{number}", "", quantity * step, position)
            pools.setdefault((item_id, 1), []).append(source)
            if mounted and draw(st.booleans()):
                allowances[number] = draw(st.integers(0, 4)) * step
    net, scrap = (draw(st.integers(least, 60)) * found.step_micro for least in (1, 0))
    return Due(found, (1, 1), net, scrap), pools, allowances, {1: subs}


@settings(max_examples=500)
@given(cases())
def test_every_mixture_covers_what_is_due_to_the_micro_unit(
    case: Case,
) -> None:
    """BF-29, BF-17: covered and missing make what is due; nothing is drawn that is not there; each
    item in its own steps; what a substitute covers is its quantity ÷ ratio."""
    due, pools, allowances, subs = case
    stock = Stock(pools, dict(allowances))
    held = {one.balance_id: one.quantity_micro for sources in pools.values() for one in sources}
    allowed = dict(allowances)
    (first,) = sourcing.draw([due], stock, subs, units_micro=UNIT)
    (drawn,) = sourcing.add_substitutes([first], stock, subs, units_micro=UNIT)
    taken = dict.fromkeys(held, 0)
    for pieces, missing, wanted in (
        (drawn.net, drawn.net_missing_micro, due.net_micro),
        (drawn.scrap, drawn.scrap_missing_micro, due.scrap_micro),
    ):
        assert sum(piece.covers_micro for piece in pieces) + missing == wanted
        assert missing % due.line.step_micro == 0
        assert len({piece.source.balance_id for piece in pieces}) == len(pieces)
        for piece in pieces:
            step = piece.substitute.step_micro if piece.substitute else due.line.step_micro
            assert piece.quantity_micro % step == 0
            assert piece.quantity_micro > 0 < piece.covers_micro
            taken[piece.source.balance_id] += piece.quantity_micro - piece.gain_micro
            if piece.gain_micro:
                allowed[piece.source.balance_id] -= piece.gain_micro
    assert all(0 <= taken[balance] <= quantity for balance, quantity in held.items())
    assert all(left >= 0 for left in allowed.values())
    for balance, left in stock.left_micro.items():
        assert left == held[balance] - taken[balance]
    _check_ratios(drawn, subs[1])


def _check_ratios(drawn: Draw, subs: list[Substitute]) -> None:
    """What all lots of a substitute give for the units is what covers it, rounded up twice at most:
    once for what is mounted, once for what the station chose."""
    for each in subs:
        pieces = [piece for piece in drawn.net if piece.substitute is each]
        ratio = Fraction(each.ratio_num, each.ratio_den)
        covered = sum(piece.covers_micro for piece in pieces)
        quantity = sum(piece.quantity_micro for piece in pieces)
        least = ceil(covered * ratio / each.step_micro) * each.step_micro
        assert least <= quantity <= least + 3 * each.step_micro


PLANTS = st.fixed_dictionaries(
    {
        "ratio": st.sampled_from(("0.3", "0.75", "1", "1.5", "2", "7")),
        "decimals": st.sampled_from((0, 2)),
        "scrap": st.sampled_from(("", "", "10")),
        "legs": st.integers(0, 40),
        "pegs": st.integers(0, 40),
        "box": st.integers(1, 40),
        "rods": st.integers(0, 6),
        "mounted": st.sampled_from((None, None, "BOX", "LEG|L-1", "LEG-BOX")),
    }
)


def chairs(case: dict[str, Any]) -> dict[str, str]:
    """Twelve chairs of four legs; pegs are chosen before rods where legs are missing."""
    return plant(
        items=f"""
            item,tracking,decimals,lot_overrun_pct
            CHAIR,lot,0,
            LEG,lot,0,10
            PEG,lot,{case["decimals"]},10
            ROD,none,1,
            """,
        boms="item,revision\nCHAIR,A",
        bom_lines=f"""
            item,revision,line,component,quantity,scrap_pct
            CHAIR,A,10,LEG,4,{case["scrap"]}
            """,
        bom_substitutes=f"""
            item,revision,line,substitute,ratio,priority,choice
            CHAIR,A,10,PEG,{case["ratio"]},1,automatic
            CHAIR,A,10,ROD,0.5,2,automatic
            """,
        receipts="reference,item,lot,container,location,quantity\n"
        + "\n".join(
            f"R{number},{item},{lot},{box},LINE,{quantity}"
            for number, (item, lot, box, quantity) in enumerate(
                (
                    ("LEG", "L-1", "", case["legs"]),
                    ("LEG", "L-2", "LEG-BOX", 10),
                    ("PEG", "P-1", "", case["pegs"]),
                    ("PEG", "P-2", "BOX", case["box"]),
                    ("ROD", "", "", case["rods"]),
                )
            )
            if quantity
        ),
        work_orders="work_order,item,quantity,status\nWO,CHAIR,12,released",
        locations="location,kind\nSCRAP,scrap",
    )


def state(station: Station) -> list[list[tuple[Any, ...]]]:
    """Return what an undo must restore."""
    return [
        station.db.conn.execute(statement).fetchall()
        for statement in (
            "SELECT lot_id, location_id, container_id, quantity_micro FROM balance "
            "WHERE quantity_micro <> 0 ORDER BY 1, 2, 3",
            "SELECT issued_micro, scrapped_micro, owed_micro, owed_scrap_micro FROM order_line",
            "SELECT good_micro, status FROM work_order",
            "SELECT gained_micro FROM mount_span",
            "SELECT kind, subject, quantity_micro FROM exception WHERE status = 'open'",
            "SELECT child_id, parent_id, line_id FROM edge GROUP BY 1, 2, 3 "
            "HAVING sum(quantity_micro) <> 0",
        )
    ]


def targets(station: Station) -> tuple[int, int]:
    """Return what the line took for the units and as scrap, posted or owed."""
    row = station.db.conn.execute(
        "SELECT issued_micro + owed_micro, scrapped_micro + owed_scrap_micro FROM order_line"
    ).fetchone()
    return row[0], row[1]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(PLANTS, st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_any_split_takes_the_same_and_undo_in_reverse_restores_all(
    case: dict[str, Any], reports: list[int]
) -> None:
    """BF-4, BF-29, BF-17, BF-31, BF-36: one report or several reach the same targets of the line,
    the books balance, and each undo leads back to the state before its report."""
    reports = [each for place, each in enumerate(reports) if sum(reports[: place + 1]) <= 12]
    with memory_folder() as folder:
        alone = _open(folder, "alone", case)
        station = _open(folder, "split", case)
        alone.scan(f"%QTY {sum(reports)}")
        assert alone.scan("CHAIR").outcome == "completed"
        before = []
        for units in reports:
            before.append(state(station))
            station.scan(f"%QTY {units}")
            assert station.scan("CHAIR").outcome == "completed"
        assert targets(station) == targets(alone)
        assert station.faults() == alone.faults() == []
        for known in reversed(before):
            assert station.scan("%UNDO").outcome == "recorded"
            assert state(station) == known
        assert station.faults() == []
        alone.db.close()
        station.db.close()


def _open(folder: Any, name: str, case: dict[str, Any]) -> Station:
    (folder / name).mkdir()
    station = open_station(folder / name, chairs(case), template=empty_database())
    if case["mounted"]:
        station.scan(case["mounted"])
    return station
