"""What a scan costs does not grow with what the station did before: by counting, never by a clock.

Shifts of the same scans are played on orders of their own. The plans of all statements are looked
at, and the steps that SQLite takes for each are counted in an early shift and in a late one.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.domain.posting import scan_bytes
from mes_terminal.store import scan_journal
from mes_terminal.store.database import Connection
from mes_terminal.usecases.preflight import preflight
from tests.plants import Station, memory_folder, open_station, plant

SHIFTS = 16
EARLY, LATE = 3, SHIFTS - 1
STEPS_MORE_MAX = 3
"""What the order of random-looking values (hashes, ids) may cost or save, in no way a loop."""

NOT_OF_HISTORY = {
    "station_state": "one row",
    "heal_queue": "what waits is worked off between scans",
    "mount": "a row a position",
    "material_call_open": "calls that nobody has answered",
    "work_order_open": "orders that are open",
    "mount_span_open": "a row a position that is taken",
    "exception_short": "shortages that are open",
    "location": "master data", "sqlite_autoindex_location_1": "master data",
    "reason": "master data", "bom_line": "master data", "shift": "master data",
}  # fmt: skip
ONE_END = {
    "event": (
        "max(event_seq)",
        "ORDER BY event_seq DESC LIMIT 1",
        "UPDATE lot SET status",
        "UPDATE exception",  # its trigger reads when the newest was recorded
    ),
    "sqlite_autoindex_event_1": ("max(outbox_seq)",),
    "movement": ("max(movement_seq)",),
    "scan_outcome": ("ORDER BY scan_seq DESC LIMIT 1",),
    "lot": ("max(lot_id)",),
    "exception": ("max(exception_id)",),
    "report": ("ORDER BY r.report_seq DESC LIMIT 1",),
    "order_line_substitute_item": ("EXISTS (SELECT 1 FROM order_line_substitute)",),
}
"""Of these only the first or last row is read, by the statements that say so."""


CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")


class Counting:
    """Stands in for a connection: keeps each statement with its values, and counts its steps."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.statements: dict[str, Any] = {}
        self.steps: Counter[str] = Counter()
        self.executed: Counter[str] = Counter()
        self._running = ""
        self.watch()

    def watch(self) -> None:
        """Count from now on."""
        self._connection.set_progress_handler(self._step, 1)

    def left_alone(self) -> Connection:
        """Return the connection itself, whose steps are not counted."""
        self._connection.set_progress_handler(None, 1)
        return self._connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, values: Any = ()) -> Any:
        self._running = sql
        self.executed[sql] += 1
        self.statements.setdefault(sql, values)
        return self._connection.execute(sql, values)

    def executemany(self, sql: str, rows: Any) -> Any:
        kept = list(rows)
        self._running = sql
        if kept:
            self.statements.setdefault(sql, kept[0])
        return self._connection.executemany(sql, kept)

    def _step(self) -> int:
        self.steps[self._running] += 1
        return 0


def long_history() -> dict[str, str]:
    """A plant with seven orders a shift: two of a chair with planned scrap and a by-product, one on
    which a part is short, one with operations, one of units with slots, one whose lot is the
    day's, one whose lot is that of all shifts and does not keep for ever."""
    orders, serials, receipts = [], [], []
    for n in range(SHIFTS):
        orders += [
            f"C-{n},CHAIR,2", f"Q-{n},CHAIR,4", f"S-{n},STOOL,2", f"O-{n},BENCH,2",
            f"E-{n},EBIKE,2", f"D-{n},DAILY,2", f"K-{n},KEPT,3",
        ]  # fmt: skip
        serials += [f"E-{n},U-{n}", f"E-{n},V-{n}"]
        receipts += [
            f"M-{n},MOTOR,,M-{n},,LINE,1", f"N-{n},MOTOR,,N-{n},,LINE,1",
            f"H-{n},LEG,H-{n},,,LINE,5", f"B-{n},SEAT,B-{n},,BOX-{n},LINE,90",
        ]  # fmt: skip
    return {
        **plant(
            items="""
                item,tracking,lot_rule,shelf_life_days
                CHAIR,lot,
                STOOL,lot,
                BENCH,lot,
                EBIKE,serial,
                DAILY,lot,day
                KEPT,lot,,90
                LEG,lot,
                SEAT,lot,
                GLUE,lot,
                BOLT,none,
                MOTOR,serial,
                DUST,none,
                """,
            boms="item,revision\nCHAIR,A\nSTOOL,A\nBENCH,A\nEBIKE,A\nDAILY,A\nKEPT,A",
            bom_lines="""
                item,revision,line,component,quantity,operation,role,scrap_pct
                CHAIR,A,10,LEG,4,,,5
                CHAIR,A,20,SEAT,1,,,
                CHAIR,A,30,BOLT,8,,,
                CHAIR,A,40,DUST,1,,by_product,
                STOOL,A,10,GLUE,1,,,
                BENCH,A,10,LEG,4,10,,
                BENCH,A,20,SEAT,2,20,,
                EBIKE,A,10,LEG,1,,,
                EBIKE,A,20,MOTOR,1,,,
                DAILY,A,10,LEG,1,,,
                KEPT,A,10,LEG,1,,,
                """,
            bom_substitutes="item,revision,line,substitute,choice\nCHAIR,A,20,GLUE,automatic",
            routings="""
                item,revision,operation,backflush_point
                BENCH,A,10,no
                BENCH,A,20,yes
                BENCH,A,30,yes
                """,
            locations="location,kind\nSTORE,store\nSCRAP,scrap\nREWORK,rework",
            operators="badge,name,role\nanna,Anna,operator\nqua,Quentin,quality\nsue,Sue,supervisor",
            reasons="code,kind\nDENT,scrap\nLATE,short_close\nJAM,stop\nNOISE,rework\nLOST,extra",
        ),
        "work_orders.csv": "\n".join(
            ["work_order,item,quantity,status,lot",
             *(f"{each},released,{'ALL' if each.startswith('K') else ''}" for each in orders)]
        ),
        "work_order_serials.csv": "\n".join(["work_order,serial", *serials]),
        "receipts.csv": "\n".join(
            ["reference,item,lot,serial,container,location,quantity", *receipts,
             "L,LEG,L-1,,,LINE,9000", "T,SEAT,T-1,,,LINE,9000", "O,BOLT,,,,LINE,9000"]
        ),
    }  # fmt: skip


def shift(n: int) -> Iterator[str]:
    """Yield the codes of one shift."""
    yield from ("B:anna", f"SEAT|B-{n}", f"C-{n}", "%UNDO", f"C-{n}", "%QTY 1", f"Q-{n}")
    yield from ("%SCRAP DENT", f"Q-{n}", "%START", f"Q-{n}", "%ISSUE", "%QTY 2", "LEG|L-1")
    yield from (f"S-{n}", "%UNDO", f"S-{n}", f"%OP 20 O-{n}", f"O-{n}", f"D-{n}", "%UNDO")
    yield from (f"U-{n}", f"M-{n}", f"N-{n}", f"V-{n}", "%UNDO", f"V-{n}", "%SCRAP DENT", f"V-{n}")
    yield from ("%REWORK NOISE", f"U-{n}", f"U-{n}", "%MOVE STORE", f"BOX-{n}")
    yield from ("%HOLD", f"LEG|H-{n}", "B:qua", "%RELEASE", f"LEG|H-{n}", "B:qua")
    yield from (f"K-{n}", "%UNDO", "%QTY 1", f"K-{n}", f"K-{n}", "%REWORK NOISE", "%QTY 1")
    yield from (f"K-{n}", f"K-{n}", "%UNDO", "%UNDO", "%UNDO", f"K-{n}")
    yield from ("%STOP JAM", "%CALL", "%CALL", "B:sue", "%CALL", "B:sue")
    yield from ("CHAIR", f"unknown {n}", "%SHORT LATE", f"Q-{n}", f"U-{n}", f"C-{n}")


@pytest.fixture(scope="module")
def history() -> Iterator[tuple[Counting, list[Counter[str]]]]:
    """All shifts played: the connection, and the steps of each statement by shift."""
    with memory_folder() as folder:
        station = open_station(folder, long_history())
        counting = Counting(station.db.conn)
        station.db.conn = counting  # type: ignore[assignment]
        steps, outcomes = [], []
        for n in range(SHIFTS):
            station.clock += timedelta(days=1)
            counting.steps = Counter()
            preflight(station.db, f"C-{n}", station.rules, now=station.now)
            outcomes.append([_outcome(station, code) for code in shift(n)])
            steps.append(counting.steps)
            _receive_glue(station, n)
            station.heal()
        assert all(each == outcomes[0] for each in outcomes), "the shifts are alike"
        counting.left_alone()
        assert {row[1] for row in station.exceptions(kind="shortage")} == {"resolved", "voided"}
        yield counting, steps


def _receive_glue(station: Station, n: int) -> None:
    """Load what was short; a load is no scan, so its statements are not looked at."""
    counting = station.db.conn
    assert isinstance(counting, Counting)
    station.db.conn = counting.left_alone()
    header = "reference,item,lot,location,quantity,effective_at"
    station.load(plant(receipts=f"{header}\nG-{n},GLUE,G-{n},LINE,2,2026-11-01"))
    station.db.conn = counting
    counting.watch()


def _outcome(station: Station, code: str) -> str:
    outcome = station.scan(code).outcome
    station.heal()
    return outcome


def walked(conn: Connection, sql: str, values: Any) -> set[str]:
    """Return the tables and indexes that a statement, its triggers and foreign keys walk from one
    end, no key narrowing the walk."""
    names = dict(conn.execute("SELECT rootpage, name FROM sqlite_schema"))
    found: set[str] = set()
    cursors: dict[int, str] = {}
    ends: set[int] = set()
    steps: set[int] = set()
    before = skipped_until = -1
    for address, operation, p1, p2, p3, *_ in conn.execute(f"EXPLAIN {sql}", values):
        if address <= before:  # the program of a trigger
            found |= {cursors[each] for each in ends & steps if each in cursors}
            cursors, ends, steps, skipped_until = {}, set(), set(), -1
        before = address
        if operation == "FkIfZero":  # only where a foreign key is violated already
            skipped_until = p2
        if address < skipped_until:
            continue
        if operation in ("OpenRead", "OpenWrite", "ReopenIdx") and p3 == 0:
            cursors[p1] = names.get(p2, "")
        elif operation in ("Rewind", "Last", "Count"):
            ends.add(p1)
        if operation in ("Next", "Prev", "Count"):
            steps.add(p1)
    return found | {cursors[each] for each in ends & steps if each in cursors}


def test_no_statement_walks_what_history_fills(
    history: tuple[Counting, list[Counter[str]]],
) -> None:
    """BF-12: a scan finds what it needs by keys, whatever the station did before."""
    counting, _ = history
    conn = counting.left_alone()
    found = [
        (name, " ".join(sql.split())[:200])
        for sql, values in counting.statements.items()
        if not sql.lstrip().upper().startswith(CONTROL)
        for name in walked(conn, sql, values) - NOT_OF_HISTORY.keys()
        if not any(part in sql for part in ONE_END.get(name, ()))
    ]
    assert found == []


def test_a_late_shift_takes_the_steps_of_an_early_one(
    history: tuple[Counting, list[Counter[str]]],
) -> None:
    """BF-12: statement by statement, also where a key narrows the walk to what grows by itself."""
    _, steps = history
    more = {
        " ".join(sql.split())[:200]: (steps[EARLY][sql], late)
        for sql, late in steps[LATE].items()
        if late - steps[EARLY][sql] > STEPS_MORE_MAX
    }
    assert more == {}


def test_the_thousandth_serial_takes_the_steps_of_the_first() -> None:
    """BF-18: one order of 1,000 units with a slot each; its last hundred against its first."""
    units = range(1000)
    files = plant(
        items="item,tracking\nEBIKE,serial\nFRAME,lot\nMOTOR,serial",
        boms="item,revision\nEBIKE,A",
        bom_lines="item,revision,line,component,quantity\nEBIKE,A,10,FRAME,1\nEBIKE,A,20,MOTOR,1",
        work_orders="work_order,item,quantity,status\nWO-1,EBIKE,1000,released",
        work_order_serials="\n".join(["work_order,serial", *(f"WO-1,E-{n}" for n in units)]),
        receipts="\n".join(
            ["reference,item,lot,serial,location,quantity", "F,FRAME,F-1,,LINE,1000",
             *(f"M-{n},MOTOR,,M-{n},LINE,1" for n in units)]
        ),
    )  # fmt: skip
    with memory_folder() as folder:
        station = open_station(folder, files)
        counting = Counting(station.db.conn)
        station.db.conn = counting  # type: ignore[assignment]
        steps: list[Counter[str]] = []
        for n in units:
            if n % 100 == 0:
                steps.append(Counter())
                counting.steps = steps[-1]
            assert station.scan(f"E-{n}").outcome == "needs"
            assert station.scan(f"M-{n}").outcome == "completed"
    first, last = steps[0], steps[-1]
    more = {
        " ".join(sql.split())[:200]: (first[sql], count)
        for sql, count in last.items()
        if count > first[sql] + first[sql] // 100 + STEPS_MORE_MAX
    }
    assert more == {}


def test_the_scan_that_fills_the_last_slot_reads_the_slots_once(tmp_path: Path) -> None:
    """BF-18, BF-12: what it knows of them it hands on to the report."""
    station = open_station(
        tmp_path,
        plant(
            items="item,tracking\nEBIKE,serial\nMOTOR,serial",
            boms="item,revision\nEBIKE,A",
            bom_lines="item,revision,line,component,quantity\nEBIKE,A,20,MOTOR,2",
            work_orders="work_order,item,quantity,status\nWO-1,EBIKE,1,released",
            work_order_serials="work_order,serial\nWO-1,E-1",
            receipts="""
                reference,item,serial,location,quantity
                1,MOTOR,M-1,LINE,1
                2,MOTOR,M-2,LINE,1
                """,
        ),
    )
    for code in ("E-1", "M-1"):
        station.scan(code)
    counting = Counting(station.db.conn)
    station.db.conn = counting  # type: ignore[assignment]
    assert station.scan("M-2").outcome == "completed"
    assert sum(many for sql, many in counting.executed.items() if "FROM slot s" in sql) == 2, (
        "how many are filled, and with what"
    )


def test_the_journal_row_of_a_scan_is_hashed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BF-13: its event and its outcome carry the same hash."""
    hashed: list[Any] = []

    def counted(row: Any) -> bytes:
        hashed.append(row)
        return scan_bytes(row)

    monkeypatch.setattr(scan_journal, "scan_bytes", counted)
    station = open_station(tmp_path, long_history())
    assert station.scan("C-0").outcome == "completed"
    assert len(hashed) == 1
