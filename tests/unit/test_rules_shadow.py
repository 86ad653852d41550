"""Go-live: what the books lack of an item is not owed until it is first counted (BF-20, BF-32)."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from mes_terminal.domain.policy import ControlMatrix
from tests.model.ledger_laws import Laws, state
from tests.plants import TEST_RULES, Station, open_station, plant, quantities, said


def chairs(folder: Path, *, is_shadow: bool = True, **items: str) -> Station:
    """A chair takes 4 legs (10 in the books, by lot), with 25 % planned scrap, and 2 screws, of
    which the books know nothing."""
    columns = {"LEG": ",,", "SCREW": ",,"} | items
    files = plant(
        items=f"""
            item,tracking,shortage_policy,mount
            CHAIR,lot,,
            LEG,lot{columns["LEG"]}
            PEG,lot,,
            SCREW,none{columns["SCREW"]}
            """,
        boms="item,revision\nCHAIR,A",
        bom_lines="""
            item,revision,line,component,quantity,scrap_pct
            CHAIR,A,10,LEG,4,25
            CHAIR,A,20,SCREW,2,
            """,
        bom_substitutes="""
            item,revision,line,substitute,ratio,priority,approval,choice
            CHAIR,A,10,PEG,1,1,none,automatic
            """,
        receipts="""
            reference,item,lot,location,quantity,effective_at
            R1,LEG,L-1,LINE,10,2026-11-01
            R2,PEG,G-1,STORE,90,2026-11-01
            """,
        locations="location,kind\nSTORE,store",
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,9,released\nWO-2,CHAIR,9,released",
        operators="badge,name,role\nSU,Sue,supervisor",
    )
    return open_station(folder, files, replace(TEST_RULES, is_shadow=is_shadow))


def report(station: Station, quantity: int, order: str = "WO-1") -> None:
    station.scan(f"%QTY {quantity}")
    assert station.scan(order).outcome == "completed"


def count(station: Station, *codes: str, place: str = "LINE") -> None:
    for code in (f"%COUNT {place}", *codes, "%COUNT"):
        outcome = station.scan(code)
    if outcome.outcome == "needs":
        station.scan("%COUNT 0")


def moved(station: Station) -> list[tuple[str, ...]]:
    return [
        (row["kind"], row["item"], row["lot"] or "", row["from"], row["to"], row["quantity"])
        for row in station.rows("movements")
        if row["item"] != "CHAIR" and row["kind"] != "receipt"
    ]


def test_what_the_books_lack_is_found_and_used_at_once(tmp_path: Path) -> None:
    """BF-20: three chairs take 12 legs and scrap 3; 10 are in the books, and no screw is."""
    station = chairs(tmp_path)
    station.scan("%QTY 3")
    outcome = station.scan("WO-1")
    assert outcome.exceptions == []
    assert outcome.message == "WO-1: 3 CHAIR, 3 of 9"
    assert moved(station) == [
        ("issue", "LEG", "L-1", "LINE", "@production", "10"),
        ("adjustment", "LEG", "", "@adjustment", "LINE", "2"),
        ("issue", "LEG", "", "LINE", "@production", "2"),
        ("adjustment", "LEG", "", "@adjustment", "LINE", "3"),
        ("scrap", "LEG", "", "LINE", "SCRAP", "3"),
        ("adjustment", "SCREW", "", "@adjustment", "LINE", "6"),
        ("issue", "SCREW", "", "LINE", "@production", "6"),
    ]
    assert (station.line("WO-1", "10")["issued"], station.line("WO-1", "10")["owed"]) == ("15", "0")
    assert (station.stock("LEG"), station.stock("SCREW")) == ("0", "0")
    assert station.stock("LEG", location="SCRAP") == "3"
    assert station.faults() == []
    Laws().check(station.db)


def test_the_lot_of_what_was_found_is_unknown(tmp_path: Path) -> None:
    """BF-21, BF-37: a recall sees that something is not known."""
    station = chairs(tmp_path)
    report(station, 3)
    assert station.edges() == [
        ("WO-1", "unknown", "10", "2", "unknown"), ("WO-1", "L-1", "10", "10", "sole"),
    ]  # fmt: skip


def test_with_the_books_as_the_rule_all_of_it_is_owed(tmp_path: Path) -> None:
    """BF-20: `books` knows nothing of this."""
    station = chairs(tmp_path, is_shadow=False)
    report(station, 3)
    assert station.exceptions() == [
        ("shortage", "open", "10", "LEG", "5"), ("shortage", "open", "20", "SCREW", "6"),
    ]  # fmt: skip
    assert not [row for row in moved(station) if row[0] == "adjustment"]


def test_taking_it_back_leaves_all_as_it_was(tmp_path: Path) -> None:
    """BF-31, whole and in parts; what was found goes back to where nobody knew it."""
    station = chairs(tmp_path)
    before = state(station.db), station.rows("stock")
    station.scan("%QTY 7")
    report_id = station.scan("WO-1").report_id
    for part in ("2", "3", "2"):
        outcome = station.scan(f"%UNDO {report_id} {part}", badge="SU")
        assert said(outcome) == ("recorded", None), outcome
        Laws.check(_Parts(), station.db)
        assert station.stock("SCREW") == "0"
    assert (state(station.db), station.rows("stock")) == before
    assert station.faults() == []


class _Parts(Laws):
    """A part rounds down: the line is on its target again with a later report."""

    def _targets(self, database: object) -> None: ...


def test_the_only_lot_is_still_the_only_one_afterwards(tmp_path: Path) -> None:
    """BF-37, `sole`: what was found never lay there, also not when it is taken back."""
    station = chairs(tmp_path)
    report(station, 3)
    station.scan("%UNDO")
    station.scan("%QTY 1")
    assert station.scan("WO-1").consumed[0].certainty == "sole"


def test_a_scan_is_not_blocked_by_books_that_nobody_proved(tmp_path: Path) -> None:
    """BF-20, `block`: until the first count."""
    station = chairs(tmp_path, SCREW=",block,")
    report(station, 1)
    count(station, "%COUNT SCREW")
    assert said(station.scan("WO-1")) == ("rejected", "shortage_blocked")


def test_what_may_go_below_zero_does_so_as_ever(tmp_path: Path) -> None:
    """BF-20, `negative`."""
    station = chairs(tmp_path, SCREW=",negative,")
    report(station, 1)
    assert station.stock("SCREW") == "-2"
    assert ("LINE", "SCREW", "negative") in due(station)


def test_no_substitute_is_chosen_for_what_may_well_be_there(tmp_path: Path) -> None:
    """BF-29: the station chooses one once the books are proved."""
    station = chairs(tmp_path)
    station.scan("%MOVE LINE")
    station.scan("PEG|G-1")
    report(station, 3)
    assert station.stock("PEG", "G-1") == "90"
    count(station, "LEG|L-1|0")
    station.scan("%QTY 1")
    assert ("10", "G-1", "4") in quantities(station.scan("WO-1"))


def test_from_the_first_count_on_a_shortage_is_an_exception(tmp_path: Path) -> None:
    """BF-20, BF-32: of what was counted, where it was counted."""
    station = chairs(tmp_path)
    count(station, "LEG|L-1|10", place="STORE")
    report(station, 3)
    assert station.exceptions(kind="shortage") == []
    count(station, "LEG|L-1|0")
    report(station, 1)
    assert station.exceptions(kind="shortage") == [("shortage", "open", "10", "LEG", "5")]
    assert station.faults() == []


def test_a_count_that_was_dropped_is_none(tmp_path: Path) -> None:
    """BF-32."""
    station = chairs(tmp_path)
    for code in ("%COUNT LINE", "LEG|L-1|10", "%CANCEL"):
        station.scan(code)
    report(station, 3)
    assert station.exceptions(kind="shortage") == []


def test_a_first_count_beyond_the_tolerance_is_a_first_count(tmp_path: Path) -> None:
    """BF-32: a supervisor approves what it comes to; what is short meanwhile waits for that."""
    station = chairs(tmp_path)
    count(station, "LEG|L-1|60")
    report(station, 3)
    assert [row[0] for row in station.exceptions()] == ["count_variance", "shortage"]


def test_a_line_that_waits_for_a_container_opens_nothing_either(tmp_path: Path) -> None:
    """BF-17: `mount = required`, and nothing is mounted."""
    station = chairs(tmp_path, LEG=",,required")
    report(station, 1)
    assert station.exceptions() == []
    assert ("WO-1", "unknown", "10", "4", "unknown") in station.edges()


def test_the_control_matrix_has_nothing_to_ask(tmp_path: Path) -> None:
    """BF-24, `shortage`: nothing is short that the books cannot know."""
    station = chairs(tmp_path)
    station.rules = replace(
        station.rules, policy=ControlMatrix({"shortage": {"default": "confirm"}})
    )
    report(station, 3)


def test_the_preflight_says_that_all_posts(tmp_path: Path) -> None:
    """BF-20."""
    station = chairs(tmp_path)
    assert "2 lines would post" in station.scan("%START WO-1").message


def due(station: Station) -> list[tuple[str, str, str]]:
    return [(row["location"], row["item"], row["reason"]) for row in station.rows("counts_due")]


@pytest.mark.parametrize("reports", [0, 1])
def test_what_was_found_is_due_to_be_counted_first(tmp_path: Path, reports: int) -> None:
    """BF-32: a report needed more than the books have; before, no screw is there for two orders."""
    station = chairs(tmp_path)
    for _ in range(reports):
        report(station, 3)
    assert [row for row in due(station) if row[0] == "LINE"] == (
        [("LINE", "LEG", "negative"), ("LINE", "SCREW", "negative")]
        if reports
        else [("LINE", "LEG", "never"), ("LINE", "SCREW", "empty")]
    )
    count(station, "%COUNT LEG", "%COUNT SCREW")
    reason = "empty" if reports else "exception"
    assert due(station)[:2] == [("LINE", "LEG", reason), ("LINE", "SCREW", "empty")]


def test_a_shortage_that_blocked_a_scan_is_due_to_be_counted(tmp_path: Path) -> None:
    """BF-32, negative-would-be: nothing was posted, and the books are in doubt all the same."""
    station = chairs(tmp_path, is_shadow=False, SCREW=",block,")
    station.scan("WO-1")
    assert ("LINE", "SCREW", "negative") in due(station)
    count(station, "%COUNT SCREW")
    assert ("LINE", "SCREW", "empty") in due(station)


def test_books_pay_nothing_for_it(tmp_path: Path) -> None:
    """BF-20: no statement more where nothing lacks, and none where something does with `books`."""
    read, plain = "counted_at", {}
    for is_shadow in (False, True):
        (tmp_path / str(is_shadow)).mkdir()
        station = chairs(tmp_path / str(is_shadow), is_shadow=is_shadow)
        station.load({"receipts.csv": "reference,item,location,quantity\nR9,SCREW,LINE,4"})
        statements: list[str] = []
        station.db.conn.set_trace_callback(statements.append)
        report(station, 2)
        plain[is_shadow] = len(statements)
        report(station, 2)
        station.db.conn.set_trace_callback(None)
        assert any(read in each for each in statements) == is_shadow
    assert plain[True] == plain[False]
