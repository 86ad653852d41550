"""The expiry of what is made: the earliest of all that is in it, whoever took it (BF-39)."""

from pathlib import Path
from typing import Any

import pytest

from mes_terminal.store.database import Connection
from tests.plants import Station, open_station, plant, said

EARLY, LATE, NEVER = "2026-12-24", "2027-01-31", None
BEFORE = "2026-11-19"
HEADER = "reference,item,lot,serial,location,quantity,effective_at,expires_on"


def soup(folder: Path, product: str = "lot,", *, milk: str = "4", **tables: str) -> Station:
    """A soup of one milk, stirred in (operation 10), and one herb (operation 20). `product`:
    tracking and lot rule; `milk`: how much of M-1 there is, which expires early."""
    base = plant(
        items=f"""
            item,tracking,lot_rule,inherit_expiry,kind
            SOUP,{product},yes,manufactured
            MILK,lot,,,
            HERB,lot,,,
            OAT,lot,,,
            LID,serial,,,
            """,
        boms="item,revision\nSOUP,A",
        bom_lines="""
            item,revision,line,component,quantity,operation
            SOUP,A,10,MILK,1,10
            SOUP,A,20,HERB,1,20
            """,
        routings="item,revision,operation,backflush_point\nSOUP,A,10,yes\nSOUP,A,20,yes",
        lots=f"item,lot,expires_on\nMILK,M-1,{EARLY}\nMILK,M-2,{LATE}\nOAT,O-1,{EARLY}",
        receipts=f"""
            reference,item,lot,location,quantity,effective_at
            H,HERB,H-1,LINE,100,{BEFORE}
            {f"M,MILK,M-1,LINE,{milk},{BEFORE}" if milk else ""}
            """,
        work_orders="work_order,item,quantity,status\nWO-1,SOUP,4,released\nWO-2,SOUP,4,released",
        locations="location,kind\nSCRAP,scrap\nFG,finished\nREWORK,rework",
        operators="badge,name,role\nSUP,Sue,supervisor",
        reasons="code,kind\nWHY,extra\nNOISE,rework",
    )
    return open_station(folder, base | plant(**tables))


def receive(station: Station, row: str) -> None:
    """Load a receipt as if it had been there all the time, and heal."""
    header = "reference,item,lot,location,quantity,effective_at"
    station.load(plant(receipts=f"{header}\n{row},{BEFORE}"), at=station.now)
    station.heal()


def made(station: Station) -> Any:
    """Return the expiry of everything that was made, of its lots and of its stock."""
    found = station.db.conn.execute(
        """
        SELECT min(l.expires_on), min(nullif(b.expires_on, '9999-12-31'))
          FROM balance b JOIN lot l USING (lot_id) JOIN item i ON i.item_id = l.item_id
         WHERE i.item = 'SOUP' AND b.quantity_micro > 0
        """
    ).fetchone()
    assert found[0] == found[1]
    return found[0]


def undo_all(station: Station, order: str = "WO-1") -> None:
    """Take every report back, the newest first; as at the start the product never expires."""
    for row in reversed(station.rows("order_reports", work_order=order)):
        if row["status"] != "taken back":
            code = f"%UNDO {row['report_id']}"
            assert said(station.scan(code, badge="SUP")) == ("recorded", None)
    left = "SELECT expires_on FROM lot JOIN item USING (item_id) WHERE item = 'SOUP'"
    assert {row[0] for row in station.db.conn.execute(left)} <= {None}
    assert {row[0] for row in station.db.conn.execute("SELECT process_expires_on FROM work_order")
            } == {None}  # fmt: skip
    assert station.faults() == []


HERB_ALONE = "item,revision,line,component,quantity,operation\nSOUP,A,20,HERB,1,20"
PRODUCTS = {"the order's lot": "lot,", "the day's": "lot,day", "serials": "serial,"}
SERIALS = "work_order,serial\nWO-1,S-1\nWO-1,S-2\nWO-1,S-3\nWO-1,S-4"


@pytest.fixture(params=list(PRODUCTS.values()), ids=list(PRODUCTS))
def product(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def tables_of(product: str) -> dict[str, str]:
    return {"work_order_serials": SERIALS} if product == "serial," else {}


def test_what_an_earlier_operation_took_counts(tmp_path: Path, product: str) -> None:
    """BF-39, BF-11: whatever names the lot, and only while it stands."""
    station = soup(tmp_path, product, **tables_of(product))
    assert said(station.scan("%OP 10 WO-1")) == ("completed", None)
    assert station.scan("WO-1").outcome == "completed"
    assert made(station) == EARLY
    undo_all(station)


def test_what_heals_an_operation_counts_before_the_completion(tmp_path: Path, product: str) -> None:
    """BF-39, BF-22: the milk was not in the books when it was stirred in."""
    station = soup(tmp_path, product, milk="", **tables_of(product))
    station.scan("%OP 10 WO-1")
    receive(station, "R,MILK,M-1,LINE,4")
    assert station.scan("WO-1").outcome == "completed"
    assert made(station) == EARLY
    undo_all(station)


def test_what_heals_an_operation_counts_after_the_completion(tmp_path: Path, product: str) -> None:
    """BF-39, BF-22: what is finished has it in it all the same."""
    station = soup(tmp_path, product, milk="", **tables_of(product))
    station.scan("%OP 10 WO-1")
    assert station.scan("WO-1").outcome == "completed"
    assert made(station) is NEVER
    receive(station, "R,MILK,M-1,LINE,4")
    assert made(station) == EARLY
    undo_all(station)


def test_what_heals_a_completion_counts(tmp_path: Path, product: str) -> None:
    """BF-39, BF-22."""
    station = soup(tmp_path, product, milk="", **tables_of(product))
    assert station.scan("WO-1").outcome == "completed"
    receive(station, "R,MILK,M-1,LINE,4")
    assert made(station) == EARLY
    undo_all(station)


@pytest.mark.parametrize("command", ["%ISSUE", "%EXTRA WHY"])
def test_what_an_operation_took_in_by_hand_counts(
    tmp_path: Path, product: str, command: str
) -> None:
    """BF-39, BF-10, BF-11."""
    station = soup(tmp_path, product, milk="", **tables_of(product))
    station.load(plant(receipts=f"{HEADER}\nR,MILK,M-1,,LINE,4,{BEFORE},{EARLY}"))
    for code in ("%START WO-1", command, "%QTY 4", "MILK|M-1"):
        station.scan(code)
    station.scan("%OP 10 WO-1")
    assert station.scan("WO-1").outcome == "completed"
    assert made(station) == EARLY
    undo_all(station)


@pytest.mark.parametrize("operation", ["%OP 10 WO-1", "%QTY 0"], ids=["before", "at completion"])
def test_a_substitute_counts(tmp_path: Path, product: str, operation: str) -> None:
    """BF-39, BF-29: what stood in for the milk is in the soup."""
    station = soup(
        tmp_path,
        product,
        milk="",
        bom_substitutes="item,revision,line,substitute,choice\nSOUP,A,10,OAT,automatic",
        receipts=f"{HEADER}\nO,OAT,O-1,,LINE,9,{BEFORE},{EARLY}\nH,HERB,H-1,,LINE,9,{BEFORE},",
        **tables_of(product),
    )
    station.scan(operation)
    station.scan("%CANCEL")
    assert station.scan("WO-1").outcome == "completed"
    assert made(station) == EARLY
    undo_all(station)


def test_what_an_undone_operation_took_counts_no_more(tmp_path: Path, product: str) -> None:
    """BF-39, BF-31: the wrong milk was stirred in, and taken back at once."""
    station = soup(tmp_path, product, milk="2", **tables_of(product))
    station.scan("%QTY 2")
    station.scan("%OP 10 WO-1")
    undone = station.scan("%UNDO")
    assert said(undone) == ("recorded", None)
    station.scan("%HOLD")
    station.scan("MILK|M-1", badge="SUP")
    receive(station, "R,MILK,M-2,LINE,9")
    station.scan("%OP 10 WO-1")
    assert station.scan("WO-1").outcome == "completed"
    assert made(station) == LATE
    undo_all(station)


def test_a_serial_made_again_expires_as_what_is_in_it_now(tmp_path: Path) -> None:
    """BF-39, BF-31: its first milk went back to the shelf."""
    station = soup(tmp_path, "serial,", work_order_serials=SERIALS)
    station.scan("WO-1")
    assert made(station) == EARLY
    station.scan("%UNDO")
    station.scan("%MOVE FG")
    station.scan("MILK|M-1")
    receive(station, "R,MILK,M-2,LINE,9")
    station.scan("WO-1")
    assert made(station) == LATE
    undo_all(station)


def test_extra_parts_in_rework_count(tmp_path: Path) -> None:
    """BF-39, BF-28, BF-10: a herb is added to a finished soup; nothing else had an expiry."""
    station = soup(tmp_path, "serial,", milk="", bom_lines=HERB_ALONE, work_order_serials=SERIALS)
    assert station.scan("S-1").outcome == "completed"
    station.load(plant(receipts=f"{HEADER}\nR,HERB,H-2,,LINE,4,{BEFORE},{EARLY}"))
    codes = ("%REWORK NOISE", "S-1", "%EXTRA WHY", "%QTY 4", "HERB|H-2")
    for code in codes:
        assert said(station.scan(code)) == ("recorded", None)
    assert station.scan("S-1").outcome == "completed"
    assert made(station) == EARLY
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert made(station) is NEVER
    undo_all(station)


def test_a_serial_that_was_exchanged_in_rework_counts(tmp_path: Path) -> None:
    """BF-39, BF-28: the new lid keeps for a shorter time, and goes again."""
    station = soup(
        tmp_path,
        "serial,",
        bom_lines="item,revision,line,component,quantity,operation\nSOUP,A,10,LID,1,20",
        receipts=f"""
            {HEADER}
            1,LID,,L-1,LINE,1,{BEFORE},{LATE}
            2,LID,,L-2,LINE,1,{BEFORE},{EARLY}
            """,
        work_order_serials="work_order,serial\nWO-1,S-1",
    )
    for code in ("S-1", "L-1"):
        outcome = station.scan(code)
    assert (outcome.outcome, made(station)) == ("completed", LATE)
    for code in ("%REWORK NOISE", "S-1", "L-1", "L-2"):
        outcome = station.scan(code)
    assert (outcome.outcome, made(station)) == ("recorded", EARLY)
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert made(station) == LATE


class _Statements:
    """Stands in for a connection and keeps what was asked of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, values: Any = ()) -> Any:
        self.asked.append(sql)
        return self._connection.execute(sql, values)


def test_a_close_reads_no_genealogy_to_know_the_expiry(tmp_path: Path) -> None:
    """BF-39, BF-12: the order keeps the earliest expiry of what its operations took."""
    station = soup(tmp_path)
    station.scan("%OP 10 WO-1")
    kept = _Statements(station.db.conn)
    station.db.conn = kept  # type: ignore[assignment]
    assert station.scan("WO-1").outcome == "completed"
    assert [sql for sql in kept.asked if "JOIN edge" in sql or "FROM edge" in sql] == []
