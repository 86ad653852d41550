"""What `load --diff` says of open orders is what the load then does (BF-7)."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.domain.load_changes import LoadDiff
from mes_terminal.store.database import Database, open_database
from tests.plants import memory_folder
from tests.unit.plant_files import BASE, LATER, loaded, rows

ORDERS = """
    work_order,item,quantity,status
    WO-1,CHAIR,10,released
    WO-2,CHAIR,5,planned
    WO-3,CHAIR,7,hold
    WO-4,CHAIR,3,released
"""
LINES = "work_order,line,component,quantity\nWO-4,10,LEG,12"
FIRST = {**BASE, "work_orders": ORDERS, "work_order_lines": LINES}
CHANGES = {
    "quantity": ("work_orders", "WO-1,CHAIR,10", "WO-1,CHAIR,12"),
    "release": ("work_orders", "WO-2,CHAIR,5,planned", "WO-2,CHAIR,5,released"),
    "cancel": ("work_orders", "WO-3,CHAIR,7,hold", "WO-3,CHAIR,7,cancelled"),
    "line": ("work_order_lines", "LEG,12", "LEG,15"),
    "leg": ("bom_lines", "CHAIR,A,10,LEG,4", "CHAIR,A,10,LEG,3"),
    "pad": ("bom_lines", "SEAT,A,10,PAD,1", "SEAT,A,10,PAD,2"),
    "tape": ("bom_lines", "CHAIR,A,20,TAPE,1.5\n", ""),
    "policy": ("items", "PAD,pcs,0,none,", "PAD,pcs,0,none,purchased"),
}


def changed_files(names: set[str]) -> dict[str, str]:
    files = dict(FIRST)
    for name in names:
        table, old, new = CHANGES[name]
        text = "\n".join(line.strip() for line in files[table].strip().splitlines()) + "\n"
        assert old in text
        files[table] = text.replace(old, new)
    return files


def orders(db: Database) -> dict[str, object]:
    """Return all that stands of each order: its row and its frozen lines."""
    found = rows(db, "SELECT work_order, work_order_id, * FROM work_order")
    return {
        number: (row, rows(db, "SELECT * FROM order_line WHERE work_order_id = ?", key))
        for number, key, *row in found
    }


@given(names=st.sets(st.sampled_from(sorted(CHANGES))))
def test_no_order_changes_that_the_diff_did_not_name(names: set[str]) -> None:
    with memory_folder() as folder:
        db = open_database(Path(folder) / "station.db")
        loaded(db, FIRST)
        before = orders(db)
        diff = loaded(db, changed_files(names), now=LATER, diff=True).diff
        assert isinstance(diff, LoadDiff)
        assert orders(db) == before
        result = loaded(db, changed_files(names), now=LATER)
        assert diff.total == sum(each.added + each.changed for each in result.tables.values())
        after = orders(db)
        changed = {number for number in before if before[number] != after[number]}
        assert changed <= set(diff.open_orders)
        kept = {one.work_order for one in diff.orders if one.effect == "kept"}
        assert kept.isdisjoint(changed - {one.work_order for one in diff.orders
                                          if one.effect != "kept"})  # fmt: skip
        db.close()
