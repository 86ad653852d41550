"""Genealogy asked for by lot and by serial: any depth, both ways, through what was taken back."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.trace import Trace, assembled, branches, pairs
from mes_terminal.errors import DatabaseError, InputError
from mes_terminal.store import genealogy
from mes_terminal.usecases import trace as use_case
from mes_terminal.usecases.trace import trace_rows
from tests.plants import Station, open_station, plant

PLANT = plant(
    items="""
        item,uom,tracking
        STEEL,kg,lot
        LEG,pcs,lot
        BOLT,pcs,none
        CHAIR,pcs,serial
        CRATE,pcs,none
        """,
    boms="item,revision\nLEG,A\nCHAIR,A\nCRATE,A",
    bom_lines="""
        item,revision,line,component,quantity
        LEG,A,10,STEEL,2
        CHAIR,A,10,LEG,4
        CHAIR,A,20,BOLT,8
        CRATE,A,10,LEG,1
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,STEEL,COIL-1,LINE,30,2026-11-01
        R2,STEEL,COIL-2,LINE,500,2026-11-02
        R3,BOLT,,LINE,500,2026-11-01
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-LEG,LEG,20,released
        WO-CHAIR,CHAIR,2,released
        WO-CRATE,CRATE,5,released
        """,
    work_order_serials="work_order,serial\nWO-CHAIR,S-1\nWO-CHAIR,S-2",
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    station = open_station(tmp_path, PLANT)
    station.db.conn.execute(
        "UPDATE work_order SET output_location_id = "
        "(SELECT location_id FROM location WHERE location = 'LINE')"
    )
    return station


def traced(station: Station, **filters: str) -> Trace:
    return assembled(map(msgspec.json.encode, trace_rows(station.db, filters)))


def named(trace: Trace) -> list[tuple[Any, ...]]:
    """Return (from, to, quantity, certainty) of each edge, by the names of its ends."""
    names = [each.lot or each.serial or each.work_order or each.item for each in trace.nodes]
    return [
        (names[edge.origin], names[edge.target], f"{edge.quantity} {edge.uom}", edge.certainty)
        for edge in trace.edges
    ]


def test_a_serial_is_traced_to_the_coils_its_legs_were_made_of(station: Station) -> None:
    """BF-37: two levels down, each edge with quantity, unit and certainty; bolts are untracked."""
    station.scan("WO-LEG")
    station.scan("S-1")
    trace = traced(station, item="CHAIR", serial="S-1")
    assert (trace.item, trace.lot, trace.serial) == ("CHAIR", None, "S-1")
    assert [(n.item, n.lot, n.serial, n.work_order, n.depth) for n in trace.nodes] == [
        ("CHAIR", None, "S-1", None, 0), ("LEG", "WO-LEG", None, None, 1),
        ("STEEL", "COIL-1", None, None, 2), ("STEEL", "COIL-2", None, None, 2),
    ]  # fmt: skip
    assert named(trace) == [
        ("WO-LEG", "S-1", "4 pcs", "sole"),
        ("COIL-1", "WO-LEG", "30 kg", "assumed"),
        ("COIL-2", "WO-LEG", "10 kg", "assumed"),
    ]


def test_a_coil_is_traced_to_units_and_to_orders_of_what_is_untracked(station: Station) -> None:
    """BF-37: an untracked product is its work order."""
    legs = station.scan("WO-LEG")
    station.scan("WO-CHAIR")
    crates = station.scan("WO-CRATE")
    trace = traced(station, item="STEEL", lot="COIL-1", direction="forward")
    assert [(n.item, n.lot, n.serial, n.work_order, n.depth) for n in trace.nodes] == [
        ("STEEL", "COIL-1", None, None, 0), ("LEG", "WO-LEG", None, None, 1),
        ("CHAIR", None, "S-1", None, 2), ("CHAIR", None, "S-2", None, 2),
        ("CRATE", None, None, "WO-CRATE", 2),
    ]  # fmt: skip
    assert [edge.report_id for edge in trace.edges][::3] == [legs.report_id, crates.report_id]
    backward = traced(station, item="CRATE", lot="WO-CRATE")
    assert (backward.item, backward.lot) == ("CRATE", None)
    assert named(backward)[0] == ("WO-LEG", "WO-CRATE", "5 pcs", "sole")


def test_what_was_taken_back_is_shown_only_when_all_is_asked_for(station: Station) -> None:
    """BF-31, BF-37: invariant 3: it sums to zero and shows both."""
    station.scan("WO-LEG")
    done = station.scan("WO-CRATE")
    taken_back = station.scan("%UNDO")
    kept = {"item": "CRATE", "lot": "WO-CRATE"}
    assert named(traced(station, **kept)) == []
    both = traced(station, **kept, all="yes").edges[:2]
    assert [(edge.quantity, edge.report_id) for edge in both] == [
        ("5", done.report_id), ("-5", taken_back.report_id),
    ]  # fmt: skip
    assert pairs(traced(station, **kept, all="yes"))[0].quantity == "0"


def test_a_report_taken_back_and_made_again_counts_once(station: Station) -> None:
    """BF-31, BF-37: three edges, whose sum is what is in it."""
    station.scan("WO-LEG")
    station.scan("WO-CRATE")
    station.scan("%UNDO")
    station.scan("WO-CRATE", after_s=600)
    trace = traced(station, item="CRATE", lot="WO-CRATE")
    quantities = [e.quantity for e in trace.edges if e.target == 0]
    assert quantities == ["5", "-5", "5"]
    assert [(p.quantity, p.certainty) for p in pairs(trace) if p.target == 0] == [("5", "sole")]


def test_a_part_that_was_short_hangs_on_the_nameless_lot(station: Station) -> None:
    """BF-21, BF-37: neither lot nor serial nor order."""
    station.scan("%QTY 5")
    station.scan("WO-CRATE")
    trace = traced(station, item="CRATE", lot="WO-CRATE")
    assert [(n.item, n.lot, n.serial, n.work_order) for n in trace.nodes][1:] == [
        ("LEG", None, None, None)
    ]
    assert named(trace) == [("LEG", "WO-CRATE", "5 pcs", "unknown")]
    forward = traced(station, item="LEG", lot="", direction="forward")
    assert (forward.lot, named(forward)) == (None, named(trace))


def test_a_lot_that_came_and_went_nowhere_is_one_node(station: Station) -> None:
    trace = traced(station, item="STEEL", lot="COIL-1")
    assert msgspec.to_builtins(trace) == {
        "item": "STEEL", "lot": "COIL-1", "serial": None,
        "nodes": [{"item": "STEEL", "lot": "COIL-1", "serial": None, "work_order": None,
                   "depth": 0}],
        "edges": [],
    }  # fmt: skip


def test_the_keys_are_those_of_the_command_line(station: Station) -> None:
    station.scan("WO-LEG")
    document = json.loads(msgspec.json.encode(traced(station, item="LEG", lot="WO-LEG")))
    assert list(document) == ["item", "lot", "serial", "nodes", "edges"]
    assert list(document["nodes"][0]) == ["item", "lot", "serial", "work_order", "depth"]
    assert list(document["edges"][0]) == [
        "from", "to", "quantity", "uom", "certainty", "report_id",
    ]  # fmt: skip


def test_a_lot_made_of_itself_ends(station: Station) -> None:
    """Rework may put a lot back into itself, or two lots into each other."""
    station.scan("WO-LEG")
    (leg,) = genealogy.ids_of_lot(station.db, "LEG", "WO-LEG")
    (coil,) = genealogy.ids_of_lot(station.db, "STEEL", "COIL-1")
    station.db.conn.executemany(
        "INSERT INTO edge VALUES (?, ?, 99, 1, 1000000, 'exact')", [(leg, leg), (coil, leg)]
    )
    for way in ("backward", "forward"):
        trace = traced(station, item="LEG", lot="WO-LEG", direction=way)
        lines = list(branches(trace, forward=way == "forward"))
        assert len(lines) == 1 + len(pairs(trace))
        assert [line.is_repeated for line in lines].count(True) == 2


@pytest.mark.parametrize(
    ("filters", "reason", "told"),
    [
        ({"item": "LEGS", "lot": "X"}, "item_unknown", "no item 'LEGS'"),
        ({"item": "LEG", "lot": "X"}, "lot_unknown", "'LEG' has no lot 'X'"),
        ({"item": "LEG", "serial": "X"}, "serial_unknown", "'LEG' has no serial number 'X'"),
        ({"item": "CHAIR", "serial": "S-1"}, "serial_unknown", "made or received"),
        ({"item": "CHAIR", "serial": ""}, "serial_unknown", "''"),
        ({"code": "nothing"}, "lot_unknown", "'nothing'"),
        ({"code": ""}, "lot_unknown", "''"),
        ({"item": "LEG"}, "failed", "needs item and lot"),
        ({"item": "LEG", "lot": "X", "serial": "Y"}, "failed", "needs item and lot"),
        ({"lot": "X"}, "failed", "needs item and lot"),
        ({"item": "LEG", "lot": "X", "depth": "1"}, "failed", "needs item and lot"),
        ({"item": "LEG", "lot": "X", "direction": "up"}, "failed", "'up'"),
    ],
)
def test_what_is_unknown_or_badly_asked_is_said_in_a_sentence(
    station: Station, filters: dict[str, str], reason: str, told: str
) -> None:
    with pytest.raises(InputError) as raised:
        trace_rows(station.db, filters)
    assert raised.value.reason == reason
    assert told in raised.value.sentence


def test_a_code_names_a_lot_a_serial_a_container_or_what_an_order_made(station: Station) -> None:
    station.load(
        plant(
            receipts="reference,item,lot,container,location,quantity,effective_at\n"
            "R9,STEEL,COIL-9,BOX-9,LINE,5,2026-11-03"
        )
    )
    station.scan("WO-LEG")
    station.scan("WO-CHAIR")
    station.scan("WO-CRATE")
    asked = ["COIL-9", "STEEL|COIL-9", "STEEL|COIL-9|5", "BOX-9", "S-2", "WO-LEG", "WO-CRATE"]
    tops = [traced(station, code=code).nodes[0] for code in asked]
    assert [top.lot or top.serial or top.work_order for top in tops] == [
        "COIL-9", "COIL-9", "COIL-9", "COIL-9", "S-2", "WO-LEG", "WO-CRATE",
    ]  # fmt: skip
    both = traced(station, code="WO-CHAIR").nodes
    assert [node.serial for node in both if node.depth == 0] == ["S-1", "S-2"]


def test_a_code_that_two_items_have_is_not_guessed(station: Station) -> None:
    station.load(
        plant(
            receipts="reference,item,lot,location,quantity,effective_at\n"
            "R9,LEG,COIL-1,LINE,5,2026-11-03"
        )
    )
    with pytest.raises(InputError, match=r"LEG, STEEL\. Write ITEM\|LOT") as raised:
        trace_rows(station.db, {"code": "COIL-1"})
    assert raised.value.reason == "ambiguous"
    assert traced(station, code="LEG|COIL-1").item == "LEG"


def test_a_trace_beyond_the_limit_is_refused_not_cut(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.scan("WO-LEG")
    asked = {"item": "LEG", "lot": "WO-LEG"}
    monkeypatch.setattr(use_case, "TRACE_EDGES_MAX", 2)
    assert len(traced(station, **asked).edges) == 2
    monkeypatch.setattr(use_case, "TRACE_EDGES_MAX", 1)
    with pytest.raises(InputError, match="more than 1 edges") as raised:
        trace_rows(station.db, asked)
    assert raised.value.reason == "too_long"


def test_an_edge_to_a_lot_that_is_not_there_is_a_damaged_database(station: Station) -> None:
    (coil,) = genealogy.ids_of_lot(station.db, "STEEL", "COIL-1")
    station.db.conn.execute("INSERT INTO edge VALUES (?, 4711, 1, 1, 1000000, 'exact')", [coil])
    with pytest.raises(DatabaseError, match="not in the database"):
        traced(station, item="STEEL", lot="COIL-1")
