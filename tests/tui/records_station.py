"""A station with something of all that the desk's records show: counts, people, genealogy."""

from pathlib import Path

from tests.plants import Station, open_station, plant

PLANT = plant(
    items="""
        item,description,uom,tracking,item_class,standard_cost
        STEEL,Steel coil,kg,lot,A,1.20
        LEG,Leg of a chair,pcs,lot,A,2.50
        BOLT,Bolt M8,pcs,none,C,0.05
        CHAIR,Chair with four legs,pcs,serial,,
        """,
    boms="item,revision\nLEG,A\nCHAIR,A",
    bom_lines="""
        item,revision,line,component,quantity
        LEG,A,10,STEEL,2
        CHAIR,A,10,LEG,4
        CHAIR,A,20,BOLT,8
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,STEEL,COIL-1,LINE,30,2026-11-01
        R2,STEEL,COIL-2,LINE,500,2026-11-02
        R3,BOLT,,LINE,500,2026-11-01
        R4,LEG,L-77,LINE,40,2026-11-01
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-LEG,LEG,20,released
        WO-CHAIR,CHAIR,3,released
        """,
    work_order_serials="work_order,serial\nWO-CHAIR,S-1\nWO-CHAIR,S-2\nWO-CHAIR,S-3",
    operators="""
        badge,name,role,language
        OP-1,Anna K.,operator,en
        OP-2,Ben,operator,de
        SUP-1,Carla S.,supervisor,en
        """,
)


def records_station(tmp_path: Path) -> Station:
    """Legs and chairs were made, a count found 15 kg of COIL-2 less than the books say."""
    station = open_station(tmp_path, PLANT)
    station.db.conn.execute(
        "UPDATE work_order SET output_location_id = "
        "(SELECT location_id FROM location WHERE location = 'LINE')"
    )
    station.scan("B:OP-1")
    station.scan("WO-LEG")
    station.scan("S-1")
    station.scan("S-2")
    station.scan("%COUNT LINE")
    station.scan("%QTY 445")
    station.scan("STEEL|COIL-2")
    station.scan("%COUNT")
    for _ in range(3):
        station.scan("%COUNT 0")
    station.scan("4711-X")
    return station
