"""Order lines that upstream changes while the order runs count from the next unit on (BF-7)."""

from pathlib import Path

from tests.plants import Station, open_station

PLANT = {
    "items.csv": "item,kind,decimals\nCHAIR,manufactured,\nLEG,,\nOAK-LEG,,\nGLUE,,3\nBAG,,\nNUT,,",
    "work_orders.csv": "work_order,item,quantity,status\nWO-1,CHAIR,10,released",
    "work_order_lines.csv": (
        "work_order,line,component,quantity,basis\n"
        "WO-1,10,LEG,40,\nWO-1,20,GLUE,3.335,\nWO-1,30,BAG,2,per_order\nWO-1,40,NUT,10,"
    ),
    "receipts.csv": (
        "reference,item,location,quantity,effective_at\n"
        "R1,LEG,LINE,1000,2026-01-01\nR2,OAK-LEG,LINE,1000,2026-01-01\n"
        "R3,GLUE,LINE,1000,2026-01-01\nR4,BAG,LINE,1000,2026-01-01\nR5,NUT,LINE,1000,2026-01-01"
    ),
}


def amended(station: Station, lines: str) -> None:
    station.load({"work_order_lines.csv": "work_order,line,component,quantity,basis\n" + lines})


def figures(station: Station) -> list[tuple[str, str, str, str]]:
    found = station.db.conn.execute(
        "SELECT line FROM order_line JOIN work_order USING (work_order_id) "
        "WHERE work_order = 'WO-1' ORDER BY position"
    )
    lines = [station.line("WO-1", line) for (line,) in found.fetchall()]
    keys = ("line", "component", "quantity", "issued")
    return [tuple(line[key] for key in keys) for line in lines]


def test_changed_lines_count_from_the_next_unit(tmp_path: Path) -> None:
    """4 chairs are made with 4 legs each; the other 6 take 5 each, and 3 bags instead of 2."""
    station = open_station(tmp_path, PLANT)
    station.scan("%QTY 4")
    station.scan("WO-1")
    amended(
        station, "WO-1,10,LEG,50,\nWO-1,20,GLUE,3.335,\nWO-1,30,BAG,3,per_order\nWO-1,50,NUT,20,"
    )
    station.scan("WO-1")
    assert station.order("WO-1")["status"] == "closed"
    assert figures(station) == [
        ("10", "LEG", "46", "46"),
        ("20", "GLUE", "3.335", "3.335"),
        ("30", "BAG", "3", "3"),
        ("50", "NUT", "12", "12"),
        ("40", "NUT", "0", "4"),
    ]
    assert [station.stock(item) for item in ("LEG", "GLUE", "BAG", "NUT")] == [
        "954", "996.665", "997", "984",
    ]  # fmt: skip


def test_a_line_of_another_component_leaves_the_old_one_with_what_it_took(tmp_path: Path) -> None:
    """BF-6: what was drawn of the old component stays its own requirement."""
    station = open_station(tmp_path, PLANT)
    station.scan("%QTY 4")
    station.scan("WO-1")
    amended(station, "WO-1,10,OAK-LEG,40,")
    station.scan("%QTY 1")
    station.scan("WO-1")
    amended(station, "WO-1,10,LEG,40,")
    station.scan("WO-1")
    assert (station.stock("LEG"), station.stock("OAK-LEG")) == ("964", "996")
    assert (station.exceptions(), station.faults()) == ([], [])


def test_a_report_before_the_change_can_still_be_undone(tmp_path: Path) -> None:
    """BF-31: from its movements; the close trues up what was taken back."""
    station = open_station(tmp_path, PLANT)
    station.scan("%QTY 4")
    station.scan("WO-1")
    amended(station, "WO-1,10,LEG,50,")
    assert station.scan("%UNDO").outcome == "recorded"
    assert station.stock("LEG") == "1000"
    station.scan("WO-1")
    assert station.order("WO-1")["status"] == "closed"
    assert station.stock("LEG") == "954"
    assert station.faults() == []
