"""`mes-terminal reconcile`: why the ERP has another stock than the station, to the piece.

The plant: chairs of four legs and a seat; everything lies at LINE, chairs go to FG.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from mes_terminal.cli.main import cli
from mes_terminal.cli.session import Session
from mes_terminal.domain.delivery import StockReading, UpstreamStock
from mes_terminal.domain.posting import TYPE_PREFIX, TYPE_SUFFIX
from mes_terminal.domain.reconcile import POSTINGS_NAMED_MAX
from mes_terminal.errors import InputError
from mes_terminal.store import reconcile as store
from mes_terminal.store.database import open_reader
from mes_terminal.usecases.reconcile import note_upstream_stock
from tests.model.told_stock import assert_all_is_told
from tests.plants import Row, Station, open_station

PLANT: Final = {
    "items.csv": "item,uom,tracking,kind\nCHAIR,pcs,lot,manufactured\nLEG,pcs,lot,purchased\n"
    "SEAT,pcs,none,purchased",
    "locations.csv": "location,kind,station\nLINE,line_side,\nFG,finished,\nSTORE,store,OTHER\n"
    "SCRAP,scrap,\nBENCH,rework,\nYARD,finished,",
    "boms.csv": "item,revision,output_quantity\nCHAIR,A,1",
    "bom_lines.csv": "item,revision,line,component,quantity,uom\nCHAIR,A,10,LEG,4,pcs\n"
    "CHAIR,A,20,SEAT,1,pcs",
    "lots.csv": "item,lot,received_at\nLEG,L-1,2026-11-01T06:00:00Z\nLEG,L-2,2026-11-02T06:00:00Z",
    "receipts.csv": "reference,item,lot,location,quantity,effective_at\n"
    "R-1,LEG,L-1,LINE,40,2026-11-01T06:00:00Z\nR-2,LEG,L-2,LINE,400,2026-11-02T06:00:00Z\n"
    "R-3,SEAT,,LINE,100,2026-11-01T06:00:00Z",
    "work_orders.csv": "work_order,item,quantity,status\nWO-1,CHAIR,100,released\n"
    "WO-2,CHAIR,100,released\nWO-3,CHAIR,100,released",
    "operators.csv": "badge,name,role\nSUP,Sofia,supervisor",
    "reasons.csv": "code,kind,description\nBROKEN,scrap,Broken\nREPAINT,rework,Paint",
}
ALL: Final = {("LEG", "L-1"): "40", ("LEG", "L-2"): "400", ("SEAT", None): "100"}
"""What the ERP has while it was told nothing."""


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = open_station(tmp_path, PLANT)
    yield made
    made.db.close()


def delivered(station: Station, status: str, first: int, last: int | None = None) -> None:
    """Let the relay have come so far with some postings."""
    with station.db.transaction() as conn:
        conn.execute(
            "UPDATE delivery SET status = ?, delivered_at = ? WHERE outbox_seq BETWEEN ? AND ?",
            [status, station.now if status == "delivered" else None, first, last or first],
        )


def sequence(station: Station) -> int:
    """The newest posting's."""
    found: int = station.db.conn.execute("SELECT max(outbox_seq) FROM event").fetchone()[0]
    return found


def erp(
    station: Station,
    stock: dict[tuple[str, str | None], str],
    *,
    watermark: int,
    beyond: Sequence[tuple[int, int]] = (),
) -> None:
    """The receiver says what it has."""
    pieces = [
        UpstreamStock(item=item, lot=lot, serial=None, location="FG" if item == "CHAIR" else "LINE",
                      quantity=quantity, uom="pcs")
        for (item, lot), quantity in stock.items()
    ]  # fmt: skip
    reading = StockReading(
        as_of=station.now, watermark=watermark, stock=pieces, beyond=list(beyond)
    )
    note_upstream_stock(station.db, reading, now=station.now)


def rows(station: Station, **filters: str) -> dict[str, Row]:
    """The comparison by item."""
    return {row["item"]: row for row in station.rows("reconcile", **filters)}


def parts(row: Row) -> tuple[str, ...]:
    keys = ("upstream", "station", "queued", "in_exceptions", "unexplained")
    return tuple(row[key] for key in keys)


def report(station: Station, work_order: str, quantity: int) -> int:
    """Report units of an order; return the sequence of the posting."""
    station.scan(f"%QTY {quantity}")
    assert station.scan(work_order).outcome == "completed"
    return sequence(station)


def test_what_is_queued_refused_and_unexplained_adds_up(station: Station) -> None:
    """UP-8: ERP 448, station 368 = 48 queued + 24 in exceptions + 8 unexplained."""
    sent = sequence(station)
    first = report(station, "WO-1", 6)  # 24 legs, refused
    delivered(station, "delivered", 1, sent)
    delivered(station, "refused", first)
    report(station, "WO-2", 2)
    second = report(station, "WO-3", 10)
    erp(station, ALL | {("LEG", "L-2"): "408"}, watermark=sent)
    legs = rows(station)["LEG"]
    assert parts(legs) == ("448", "368", "48", "24", "8")
    assert legs["difference"] == "80"
    assert legs["uom"] == "pcs"
    assert [(each["sequence"], each["status"], each["quantity"]) for each in legs["postings"]] == [
        (first, "refused", "24"), (second - 1, "waiting", "8"), (second, "waiting", "40"),
    ]  # fmt: skip
    assert legs["postings"][0]["type"] == f"{TYPE_PREFIX}production.completed{TYPE_SUFFIX}"
    assert legs["postings"][0]["subject"] == "WO-1"
    assert legs["postings"][0]["id"].endswith(f":{first:012d}")


def test_a_queued_production_is_stock_that_the_erp_lacks(station: Station) -> None:
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    report(station, "WO-1", 6)
    erp(station, ALL, watermark=sent)
    found = rows(station)
    assert parts(found["CHAIR"]) == ("0", "6", "-6", "0", "0")
    assert parts(found["SEAT"]) == ("100", "94", "6", "0", "0")


def test_what_was_delivered_after_the_figures_were_read_is_queued(station: Station) -> None:
    """UP-5: the watermark says what the figures have."""
    sent = sequence(station)
    first = report(station, "WO-1", 6)
    delivered(station, "delivered", 1, first)
    erp(station, ALL, watermark=sent)
    assert parts(rows(station)["SEAT"]) == ("100", "94", "6", "0", "0")
    erp(station, ALL | {("SEAT", None): "94"}, watermark=first)
    assert parts(rows(station)["SEAT"]) == ("94", "94", "0", "0", "0")


def test_what_the_erp_has_already_is_not_queued_though_its_answer_is_lost(
    station: Station,
) -> None:
    """UP-7: between sending and the answer."""
    first = report(station, "WO-1", 6)
    delivered(station, "delivered", 1, first - 1)
    erp(station, ALL | {("SEAT", None): "94"}, watermark=first)
    assert parts(rows(station)["SEAT"]) == ("94", "94", "0", "0", "0")


def test_figures_of_an_older_epoch_have_nothing_of_this_one(station: Station) -> None:
    """UP-1: a restored backup numbers on in another epoch; older postings go by their status."""
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    erp(station, ALL, watermark=sent + 1)
    with station.db.transaction() as conn:
        conn.execute("UPDATE meta SET value = 'feedfeedfeedfeed' WHERE key = 'epoch'")
        conn.execute(
            "INSERT INTO epoch (epoch, began_at, first_sequence, why) "
            "VALUES ('feedfeedfeedfeed', ?, ?, 'restored')",
            [station.now, sent + 1],
        )
    report(station, "WO-1", 6)
    assert parts(rows(station)["SEAT"]) == ("100", "94", "6", "0", "0")


def test_by_lot_the_lots_add_up_too(station: Station) -> None:
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    report(station, "WO-1", 12)  # 40 of L-1, 8 of L-2
    erp(station, ALL, watermark=sent)
    found = {(row["item"], row["lot"]): parts(row) for row in station.rows("reconcile", by="lot")}
    assert found == {
        ("CHAIR", "WO-1"): ("0", "12", "-12", "0", "0"),
        ("LEG", "L-1"): ("40", "0", "40", "0", "0"),
        ("LEG", "L-2"): ("400", "392", "8", "0", "0"),
        ("SEAT", None): ("100", "88", "12", "0", "0"),
    }
    (only, _) = station.rows("reconcile", by="lot", item="LEG")
    assert (only["item"], only["lot"], only["serial"], only["location"]) == (
        "LEG", "L-1", None, None,
    )  # fmt: skip


def test_a_move_is_a_difference_by_location_only(station: Station) -> None:
    """BF-35: over all locations of the station nothing changed."""
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    station.scan("%MOVE FG")
    station.scan("%QTY 10")
    assert station.scan("LEG|L-2").outcome == "recorded"
    erp(station, ALL, watermark=sent)
    assert parts(rows(station)["LEG"]) == ("440", "440", "0", "0", "0")
    assert rows(station)["LEG"]["postings"] == []
    found = {
        (row["lot"], row["location"]): parts(row)
        for row in station.rows("reconcile", by="location", item="LEG")
    }
    assert found["L-2", "LINE"] == ("400", "390", "10", "0", "0")
    assert found["L-2", "FG"] == ("0", "10", "-10", "0", "0")


def test_what_goes_back_to_two_places_says_so_of_each(station: Station) -> None:
    """BF-28, BF-31: rework of units from two places, taken back, moves them to both again."""
    report(station, "WO-1", 6)
    for code in ("%MOVE YARD", "%QTY 2", "CHAIR|WO-1", "%REWORK REPAINT", "%QTY 6"):
        station.scan(code)
    assert station.scan("CHAIR|WO-1").outcome == "recorded"
    assert station.stock("CHAIR", "WO-1", "BENCH") == "6"
    assert station.scan("%UNDO").outcome == "recorded"
    assert station.stock("CHAIR", "WO-1", "YARD") == "2"
    told = assert_all_is_told(station.db)
    assert {key.location for key in told[max(told)]} == {"BENCH", "FG", "YARD"}


def test_scrap_is_stock_for_nobody(station: Station) -> None:
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    station.scan("%SCRAP BROKEN")
    station.scan("%QTY 3")
    assert station.scan("LEG|L-2").outcome == "recorded"
    assert station.stock("LEG", "L-2", "SCRAP") == "3"
    erp(station, ALL, watermark=sent)
    assert parts(rows(station)["LEG"]) == ("440", "437", "3", "0", "0")


def test_what_was_taken_back_of_a_report_that_is_queued_comes_to_nothing(
    station: Station,
) -> None:
    """BF-31: two postings, one sum."""
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    report(station, "WO-1", 6)
    assert station.scan("%UNDO").outcome == "recorded"
    erp(station, ALL, watermark=sent)
    seats = rows(station)["SEAT"]
    assert parts(seats) == ("100", "100", "0", "0", "0")
    assert [each["quantity"] for each in seats["postings"]] == ["6", "-6"]


def test_a_report_that_was_let_go_and_taken_back_counts_for_nothing(station: Station) -> None:
    """UP-2: the ERP accepts the reversal of what it refused, without effect."""
    sent = sequence(station)
    first = report(station, "WO-1", 6)
    assert station.scan("%UNDO").outcome == "recorded"
    delivered(station, "delivered", 1, sent)
    delivered(station, "refused", first)
    with station.db.transaction() as conn:
        conn.execute("UPDATE delivery SET let_go = 1 WHERE outbox_seq = ?", [first])
    for status in ("waiting", "delivered"):
        delivered(station, status, first + 1)
        erp(station, ALL, watermark=sent)
        assert parts(rows(station)["SEAT"]) == ("100", "100", "0", "0", "0")


def test_what_was_let_go_is_named_where_something_is_unexplained(station: Station) -> None:
    """UP-4: written off, the ERP still has what the station used."""
    sent = sequence(station)
    first = report(station, "WO-1", 6)
    delivered(station, "delivered", 1, sent)
    delivered(station, "refused", first)
    with station.db.transaction() as conn:
        conn.execute("UPDATE delivery SET let_go = 1 WHERE outbox_seq = ?", [first])
    erp(station, ALL, watermark=first)
    seats = rows(station)["SEAT"]
    assert parts(seats) == ("100", "94", "0", "0", "6")
    assert [(each["status"], each["quantity"]) for each in seats["postings"]] == [("let_go", "6")]
    erp(station, ALL | {("SEAT", None): "94"}, watermark=first)
    assert rows(station)["SEAT"]["postings"] == []


def copies(station: Station, number: int) -> tuple[int, int]:
    """Queue so many postings more, each a chair of WO-1; return their first and last sequence."""
    body = station.db.conn.execute(
        "SELECT body FROM event WHERE outbox_seq = ?", [report(station, "WO-1", 1)]
    ).fetchone()[0]
    event, outbox = station.db.conn.execute(
        "SELECT max(event_seq), max(outbox_seq) FROM event"
    ).fetchone()
    with station.db.transaction() as conn:
        conn.executemany(
            "INSERT INTO event (event_seq, type, event_time, recorded_at, outbox_seq, hash, body) "
            "VALUES (?, 'production.completed', '', '', ?, '', ?)",
            [(event + more, outbox + more, body) for more in range(1, number)],
        )
    return outbox, outbox + number - 1


def test_many_postings_are_counted_and_the_first_named(station: Station) -> None:
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    first, _ = copies(station, 500)
    erp(station, ALL | {("SEAT", None): "599"}, watermark=sent)
    seats = rows(station)["SEAT"]
    assert seats["queued"] == "500"
    assert seats["postings_count"] == 500
    assert [each["sequence"] for each in seats["postings"]] == list(
        range(first, first + POSTINGS_NAMED_MAX)
    )
    told = run(station, "--item", "SEAT").stdout.splitlines()
    assert told[0] == (
        "SEAT: ERP 599, station 99 = 500 queued + 0 in exceptions + 0 unexplained pcs"
    )
    assert [line.split()[0] for line in told[1:12]] == ["1"] * 10 + ["490"]
    assert told[11] == "             490  and 490 more"


def test_the_oldest_behind_each_number_are_named(station: Station) -> None:
    """What was delivered since the figures were read is older than what waits, and a number is
    never without a posting because another one has many."""
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    first, last = copies(station, 400)
    delivered(station, "refused", first, first + 149)
    delivered(station, "delivered", first + 150, first + 299)
    erp(station, ALL | {("SEAT", None): "499"}, watermark=sent)
    seats = rows(station)["SEAT"]
    assert parts(seats) == ("499", "99", "250", "150", "0")
    assert seats["postings_count"] == 400 == last - first + 1
    assert [(each["sequence"], each["status"]) for each in seats["postings"]] == [
        *[(first + number, "refused") for number in range(POSTINGS_NAMED_MAX)],
        *[(first + 150 + number, "delivered") for number in range(POSTINGS_NAMED_MAX)],
    ]


# Files of an ERP ---------------------------------------------------------------------------------


def stock_file(folder: Path, text: str) -> str:
    path = folder / "erp.csv"
    path.write_text(text)
    return str(path)


def test_a_file_of_the_erp_has_what_was_delivered(station: Station, tmp_path: Path) -> None:
    """Receipts that were loaded came from the ERP: it has them, delivered or not."""
    first = report(station, "WO-1", 6)
    report(station, "WO-2", 3)
    delivered(station, "delivered", first)
    path = stock_file(tmp_path, "item,quantity\nLEG,416\nSEAT,94\nCHAIR,6\n")
    found = rows(station, stock=path)
    assert parts(found["LEG"]) == ("416", "404", "12", "0", "0")
    assert parts(found["SEAT"]) == ("94", "91", "3", "0", "0")
    assert parts(found["CHAIR"]) == ("6", "9", "-3", "0", "0")


def test_what_was_delivered_after_the_file_was_made_is_queued(
    station: Station, tmp_path: Path
) -> None:
    at = station.now
    first = report(station, "WO-1", 6)
    delivered(station, "delivered", first)
    path = stock_file(tmp_path, "item;quantity\nSEAT;100\n")
    assert parts(rows(station, stock=path, at=at)["SEAT"]) == ("100", "94", "6", "0", "0")
    assert parts(rows(station, stock=path)["SEAT"]) == ("100", "94", "0", "0", "6")


def test_an_erp_without_lots_is_compared_without_lots(station: Station, tmp_path: Path) -> None:
    report(station, "WO-1", 6)
    path = stock_file(tmp_path, "item,quantity,uom\nLEG,440,pcs\n")
    legs = [row for row in station.rows("reconcile", by="lot", stock=path) if row["item"] == "LEG"]
    assert [(row["lot"], parts(row)) for row in legs] == [(None, ("440", "416", "24", "0", "0"))]


def test_stock_that_lies_elsewhere_is_left_out(station: Station, tmp_path: Path) -> None:
    path = stock_file(
        tmp_path, "item,location,quantity\nSEAT,LINE,90\nSEAT,FG,10\nSEAT,STORE,500\nSEAT,SCRAP,7\n"
    )
    assert parts(rows(station, stock=path)["SEAT"]) == ("100", "100", "0", "0", "0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item,quantity\nLEG,1,5\n", "erp.csv:2: has 3 cells for 2 columns"),
        ('item,quantity\nLEG,"1,5"\n', "with a decimal point"),
        ("item,quantity\n,5\n", "erp.csv:2: item: the cell is empty; fill it."),
        ("item\nLEG\n", "erp.csv:1: quantity: the column is missing; add it."),
        ("item,quantity,color\nLEG,1,red\n", "erp.csv:1: color: the column is unknown; remove it"),
        (
            "item,quantity,uom\nLEG,1,kg\n",
            "erp.csv:2: LEG is counted in pcs here, and there is no conversion",
        ),
        ('item,quantity\nLEG,"1\n', "check its quotation marks"),
        ("", "erp.csv:1: item: the column is missing; add it (and 1 more)."),
        (
            "item,quantity\nLEG,x\n,5\nSEAT,1,5\n",
            "write it with a decimal point, like 12.5 (and 2 more).",
        ),
    ],
)
def test_a_wrong_file_is_told_with_its_line(
    text: str, said: str, station: Station, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as told:
        station.rows("reconcile", stock=stock_file(tmp_path, text))
    assert said in told.value.sentence


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({}, "There are no figures of upstream yet"),
        ({"by": "day"}, "It can be compared by item, lot, location, not by 'day'"),
        ({"at": "2026-11-20"}, "give --stock too"),
        ({"stock": "/nowhere/erp.csv"}, "/nowhere/erp.csv cannot be read: No such file"),
        ({"what": "x"}, "reconcile has no filter 'what'"),
    ],
)
def test_wrong_wishes_are_told(filters: dict[str, str], said: str, station: Station) -> None:
    with pytest.raises(InputError) as told:
        station.rows("reconcile", **filters)
    assert said in told.value.sentence


# The command -------------------------------------------------------------------------------------


def run(station: Station, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli, ["--db", str(station.db.path), "reconcile", *arguments], obj=Session()
    )


def test_the_command_ends_with_1_for_what_is_unexplained_only(station: Station) -> None:
    sent = sequence(station)
    delivered(station, "delivered", 1, sent)
    report(station, "WO-1", 6)
    erp(station, ALL, watermark=sent)
    explained = run(station)
    assert explained.exit_code == 0, explained.output
    assert "LEG: ERP 440, station 416 = 24 queued + 0 in exceptions + 0 unexplained pcs\n" in (
        explained.stdout
    )
    assert f"waiting    {sent + 1}  production.completed  WO-1" in explained.stdout
    assert explained.stdout.endswith("3 of 3 items differ, all explained.\n")
    erp(station, ALL | {("SEAT", None): "99"}, watermark=sent)
    amiss = run(station, "--json")
    assert amiss.exit_code == 1
    printed: list[dict[str, Any]] = json.loads(amiss.stdout)
    assert [(row["item"], row["unexplained"]) for row in printed] == [
        ("CHAIR", "0"), ("LEG", "0"), ("SEAT", "-1"),
    ]  # fmt: skip
    assert list(printed[0]) == [
        "item", "lot", "serial", "location", "uom", "upstream", "station", "difference", "queued",
        "in_exceptions", "unexplained", "postings", "postings_count",
    ]  # fmt: skip


def test_the_command_says_when_all_agrees(station: Station, tmp_path: Path) -> None:
    path = stock_file(tmp_path, "item,quantity\nLEG,440\nSEAT,100\n")
    agreed = run(station, "--stock", path)
    assert (agreed.exit_code, agreed.stdout) == (0, "2 items: the ERP has what the station has.\n")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_without_figures_the_command_is_wrong_input(
    station: Station, arguments: tuple[str, ...]
) -> None:
    result = run(station, *arguments)
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 2
    assert result.stdout == ""


def test_an_item_that_nobody_knows_is_not_told_to_agree(station: Station, tmp_path: Path) -> None:
    path = stock_file(tmp_path, "item,quantity\nLEG,440\nSEAT,100\nARM,3\n")
    result = run(station, "--stock", path, "--item", "SEET")
    assert isinstance(result.exception, InputError)
    assert "There is no item 'SEET'" in result.exception.sentence
    only_there = run(station, "--stock", path, "--item", "ARM")
    assert "ARM: ERP 3, station 0" in only_there.stdout
    erp(station, ALL, watermark=0)
    assert isinstance(run(station, "--item", "SEET").exception, InputError)


def test_a_comparison_reads_and_writes_nothing(station: Station) -> None:
    erp(station, ALL, watermark=0)
    reader = open_reader(station.db.path)
    before = station.ledger()
    from mes_terminal.usecases.lists import read_list

    assert list(read_list(reader, "reconcile", {}, rules=station.rules, now=station.now))
    reader.close()
    assert station.ledger() == before


def test_what_came_before_others_of_other_orders_is_in_the_figures(station: Station) -> None:
    """UP-3, UP-8: orders overtake each other, so the receiver has postings behind a gap."""
    sent = sequence(station)
    first, second = report(station, "WO-1", 6), report(station, "WO-2", 4)
    delivered(station, "delivered", 1, second)
    erp(station, ALL | {("SEAT", None): "96"}, watermark=sent, beyond=[(second, second)])
    assert parts(rows(station)["SEAT"]) == ("96", "90", "6", "0", "0")
    erp(station, ALL | {("SEAT", None): "90"}, watermark=sent, beyond=[(first, second)])
    assert parts(rows(station)["SEAT"]) == ("90", "90", "0", "0", "0")


def test_what_was_delivered_is_not_walked(station: Station) -> None:
    """The desk asks every few seconds, and keeps a month of deliveries beside it."""
    for statement in (store.POSTINGS, store.LET_GO):
        asked = {"watermark": 9}
        plan = station.db.conn.execute(f"EXPLAIN QUERY PLAN {statement}", asked)
        walks = [row[3] for row in plan if "SCAN" in row[3]]
        assert {each.rpartition(" ")[2] for each in walks} <= {"delivery_open", "delivery_let_go"}
        assert walks
