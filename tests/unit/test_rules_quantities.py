"""What a report takes: exact, cumulative, by order line (BF-1 … BF-6)."""

from pathlib import Path

import pytest

from mes_terminal.domain.rules import StationRules
from tests.plants import Station, open_station, plant, quantities, said


def engine(folder: Path, lines: str, *, quantity: str = "100", **tables: str) -> Station:
    """An engine of the lines given; plenty of everything at `LINE`."""
    base = plant(
        items="""
            item,tracking,decimals,kind,uom
            ENGINE,lot,0,manufactured,
            CASTING,lot,0,,
            OIL,lot,3,,l
            BOLT,none,0,,
            KIT,,,phantom,
            INNER,,,phantom,
            """,
        boms="item,revision\nENGINE,A",
        bom_lines=lines,
        receipts="""
            reference,item,lot,location,quantity,effective_at
            R1,CASTING,K-1,LINE,100000,2026-11-01
            R2,OIL,O-1,LINE,100000,2026-11-01
            R3,BOLT,,LINE,100000,2026-11-01
            """,
        work_orders=f"work_order,item,quantity,status\nWO-1,ENGINE,{quantity},released",
    )
    return open_station(folder, base | plant(**tables))


def test_two_per_cent_scrap_takes_one_casting_and_the_fiftieth_engine_takes_two(
    tmp_path: Path,
) -> None:
    """BF-4. One casting an engine and 2 % planned scrap."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity,scrap_pct
        ENGINE,A,10,CASTING,1,2
        """,
    )
    for number in range(1, 51):
        outcome = station.scan("ENGINE")
        assert quantities(outcome) == [("10", "K-1", "1")]
        assert [each.quantity for each in outcome.scrapped] == (["1"] if number == 50 else [])
    assert station.stock("CASTING", "K-1", "SCRAP") == "1"


def test_a_unit_may_owe_planned_scrap_alone(tmp_path: Path) -> None:
    """BF-4. A bolt fits 50 engines and as many are scrapped: the fiftieth engine needs no new bolt
    for itself, and one for the scrap."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity,scrap_pct
        ENGINE,A,10,BOLT,0.02,100
        """,
    )
    outcomes = [station.scan("ENGINE") for _ in range(51)]
    assert [number for number, one in enumerate(outcomes, 1) if one.consumed] == [1, 51]
    assert [number for number, one in enumerate(outcomes, 1) if one.scrapped] == [50]
    assert station.faults() == []


@pytest.mark.parametrize(
    ("mode", "net", "scrap"), [("additive", "100", "25"), ("divisive", "100", "33")]
)
def test_planned_scrap_is_added_to_or_divided_into_the_need(
    tmp_path: Path, mode: str, net: str, scrap: str
) -> None:
    """BF-3. 25 %: 100 · 1.25 = 125, and 100 / 0.75 = 133.3, of which the scrap is rounded down."""
    station = engine(
        tmp_path,
        f"""
        item,revision,line,component,quantity,scrap_pct,scrap_mode
        ENGINE,A,10,CASTING,1,25,{mode}
        """,
    )
    outcome = station.scan("WO-1")
    assert [each.quantity for each in outcome.consumed] == [net]
    assert [(each.location, each.quantity) for each in outcome.scrapped] == [("SCRAP", scrap)]


def test_planned_scrap_that_is_planning_only_is_not_posted(tmp_path: Path) -> None:
    """BF-27, as far as planned scrap goes."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity,scrap_pct,planned_scrap
        ENGINE,A,10,CASTING,1,25,planning_only
        """,
    )
    assert station.scan("WO-1").scrapped == []


def test_an_input_rounds_up_to_its_step_and_only_once_an_order(tmp_path: Path) -> None:
    """BF-4, BF-5. 0.0333 of an oil counted in thousandths: 100 engines take 3.33, never 3.4."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity
        ENGINE,A,10,OIL,0.0333
        """,
    )
    taken = [station.scan("ENGINE").consumed[0].quantity for _ in range(3)]
    assert taken == ["0.034", "0.033", "0.033"]
    assert station.scan("WO-1").consumed[0].quantity == "3.23"
    assert station.line("WO-1", "10")["issued"] == "3.33"


def test_set_up_material_is_taken_once_with_the_first_unit(tmp_path: Path) -> None:
    """BF-3, `per_order`."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity,basis
        ENGINE,A,10,OIL,2.5,per_order
        """,
    )
    assert quantities(station.scan("ENGINE")) == [("10", "O-1", "2.5")]
    assert station.scan("ENGINE").consumed == []
    assert station.scan("WO-1").consumed == []


def test_a_bom_for_several_pieces_divides_by_what_it_makes(tmp_path: Path) -> None:
    """BF-3. A BOM for 7 engines takes 3 castings; phantoms divide by their own output too."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity
        ENGINE,A,10,CASTING,3
        ENGINE,A,20,KIT,2
        KIT,K,10,BOLT,5
        """,
        boms="item,revision,output_quantity\nENGINE,A,7\nKIT,K,4",
    )
    assert quantities(station.scan("WO-1")) == [("10", "K-1", "43"), ("20.10", None, "36")]


def test_phantoms_multiply_unrounded_and_their_lines_are_paths(tmp_path: Path) -> None:
    """BF-5, BF-6. 100 engines · 0.5 kit · 0.3 inner · 3 bolts = 45; a level alone would round."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity,scrap_pct
        ENGINE,A,10,KIT,0.5,
        ENGINE,A,2,CASTING,1,
        KIT,K,20,INNER,0.3,10
        INNER,I,5,BOLT,3,10
        """,
        boms="item,revision\nENGINE,A\nKIT,K\nINNER,I",
    )
    outcome = station.scan("WO-1")
    assert quantities(outcome) == [("2", "K-1", "100"), ("10.20.5", None, "45")]
    assert [each.quantity for each in outcome.scrapped] == ["9"], "45 * (1.1 * 1.1 - 1) = 9.45"


def test_the_same_component_on_two_lines_is_two_requirements(tmp_path: Path) -> None:
    """BF-6. Each line rounds for itself."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity
        ENGINE,A,10,CASTING,0.5
        ENGINE,A,20,CASTING,0.5
        """,
    )
    assert quantities(station.scan("ENGINE")) == [("10", "K-1", "1"), ("20", "K-1", "1")]
    assert station.scan("ENGINE").consumed == []


def test_a_quantity_in_another_unit_is_converted_exactly(tmp_path: Path) -> None:
    """BF-2. A third of a drum of 25 l an engine: 3 engines take 25 l."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity,uom
        ENGINE,A,10,OIL,1,cup
        """,
        unit_conversions="item,from_uom,to_uom,factor\nOIL,drum,l,25\nOIL,cup,drum,1/3",
        quantity="3",
    )
    assert station.scan("WO-1").consumed[0].quantity == "25"


def test_a_produced_quantity_that_is_no_step_is_refused(tmp_path: Path) -> None:
    """BF-5. Half an engine."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity
        ENGINE,A,10,CASTING,1
        """,
    )
    before = station.ledger()
    station.scan("%QTY 0.5")
    assert said(station.scan("WO-1")) == ("rejected", "not_a_step")
    assert station.ledger() == before


@pytest.mark.parametrize("parts", [["WO-1"], ["ENGINE"] * 5, ["%QTY 3", "ENGINE", "WO-1"]])
def test_any_way_to_the_end_consumes_the_same(tmp_path: Path, parts: list[str]) -> None:
    """BF-4. One scan, five units, or a mixture."""
    station = engine(
        tmp_path,
        """
        item,revision,line,component,quantity,scrap_pct,scrap_mode,basis
        ENGINE,A,10,CASTING,1.4,30,,
        ENGINE,A,20,OIL,0.0333,33.3,divisive,
        ENGINE,A,30,BOLT,7,50,,per_order
        """,
        quantity="5",
    )
    for code in parts:
        station.scan(code)
    assert station.order("WO-1")["status"] == "closed"
    left = [station.stock("CASTING", "K-1"), station.stock("OIL", "O-1"), station.stock("BOLT")]
    assert left == ["99991", "99999.75", "99990"]


def test_the_station_decides_about_planned_scrap_where_the_line_does_not(tmp_path: Path) -> None:
    """BF-27: `report.planned_scrap`."""
    files = plant(
        items="item,decimals\nBOX,0\nBOARD,0",
        boms="item,revision\nBOX,A",
        bom_lines="""
            item,revision,line,component,quantity,scrap_pct,planned_scrap
            BOX,A,10,BOARD,1,100,
            BOX,A,20,BOARD,1,100,posted
            """,
        work_orders="work_order,item,quantity,status\nWO-1,BOX,1,released",
        receipts="reference,item,location,quantity\nR1,BOARD,LINE,10",
    )
    station = open_station(
        tmp_path, files, StationRules(mode="test", planned_scrap="planning_only")
    )
    assert [each.line for each in station.scan("WO-1").scrapped] == ["20"]
