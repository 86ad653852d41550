"""The desk's sections of counts, outbox, audit, scanners, people and genealogy, over a real
database (issue 5 part 2; screens 9 to 11): driven by keys and by scans."""

import time
from pathlib import Path

import pytest

from mes_terminal.domain.view import ScannerView
from mes_terminal.station import signing
from mes_terminal.tui import desk_control
from mes_terminal.tui.words import LANGUAGES
from tests.plants import Station
from tests.tui.records_station import records_station
from tests.tui.station_core import desk_of
from tests.tui.test_hostile import HOSTILE, assert_harmless
from tests.unit.test_desk_lists import EVENTS, MANY

SECTIONS = ("counts", "outbox", "difference", "audit", "scanners", "people", "genealogy")
SCANNERS = [
    ScannerView(
        name="st10", state="ready", last_scan_at="2026-11-20T08:00:04.000000Z",
        counts={"reads": 120, "no_reads": 3, "lost_gs": 1},
    ),
    ScannerView(name="hand", state="denied", sentence="No permission to read it."),
]  # fmt: skip


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    monkeypatch.setattr(desk_control, "POLL_S", 0.1)
    return records_station(tmp_path)


@pytest.fixture
def quick_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    """PINs are hashed at their own cost in tests of PINs; here it is only that they are asked."""
    monkeypatch.setattr(signing, "hash_of", _cheap)
    monkeypatch.setattr("mes_terminal.station.desk_requests.signing.hash_of", _cheap)
    monkeypatch.setattr(signing, "is_right", lambda pin_hash, pin: pin_hash == f"cheap:{pin}")


def _cheap(pin: str) -> str:
    return f"cheap:{pin}"


# Counts ------------------------------------------------------------------------------------------


async def test_a_difference_is_told_with_its_worth_and_enter_decides_on_it(
    station: Station, quick_pins: None
) -> None:
    """BF-32, BF-23: by keyboard alone, from the list to the books."""
    station.db.conn.execute("INSERT INTO operator_pin VALUES ('SUP-1','cheap:4711',?,0,NULL)",
                            [station.now])  # fmt: skip
    async with desk_of(station, "counts") as desk:
        await desk.sees("5 to see to", "to count", "decide", "-45")
        await desk.do("end")
        await desk.sees("45 kg less than expected: counted 445, expected 490", "Worth -54.00 EUR",
                        "beyond the tolerance")  # fmt: skip
        await desk.do("enter")
        await desk.sees("Post the count as it was counted")
        await desk.do("enter", "enter", "SUP-1", "enter", "4711", "enter")
        await desk.sees("It has ended.")
        assert station.stock("STEEL", "COIL-2") == "445"
        await desk.do("enter", "o", "end")
        await desk.sees("The books were corrected", "Decided: posted by")


async def test_what_is_due_says_why_and_how_it_is_counted(station: Station) -> None:
    """BF-32: blind: the books are not told."""
    async with desk_of(station, "counts") as desk:
        await desk.do("down")
        await desk.sees("BOLT at LINE is to be counted", "It was never counted here",
                        "scan the command COUNT with LINE")  # fmt: skip
        await desk.do("/", "chair", "enter")
        await desk.sees("only with chair", "CHAIR")
        assert "BOLT" not in desk.text()


async def test_a_scanned_item_is_looked_for_among_the_counts(station: Station) -> None:
    async with desk_of(station, "counts") as desk:
        await desk.scan("BOLT")
        await desk.sees("only with BOLT")
        assert "CHAIR" not in desk.text()


# The outbox --------------------------------------------------------------------------------------


async def test_a_refused_posting_says_why_and_shows_its_document(station: Station) -> None:
    station.db.conn.execute(
        "UPDATE delivery SET status = 'refused', attempts = 3, last_error = '422 unknown item' "
        "WHERE outbox_seq = 2"
    )
    async with desk_of(station, "outbox", size=(120, 36)) as desk:
        await desk.sees("9 not delivered · 1 refused · oldest", "· 8 waiting")
        await desk.do("down")
        await desk.sees("Number 2: material received of R2", "Tried 3 times",
                        "Among the exceptions (2)",
                        "Last answer: 422 unknown item", '"specversion": "1.0"')  # fmt: skip
        await desk.do("/", "WO-LEG", "enter")
        await desk.sees("production reported", "only with WO-LEG")
        assert "R2" not in desk.text()


async def test_the_head_line_of_a_long_outbox_is_whole_on_a_small_screen(station: Station) -> None:
    """UP-6: days offline; the line below says how many wait."""
    async with desk_of(station, "outbox") as desk:
        await desk.sees("9 not delivered · oldest", "count differs")
        assert "…" not in desk.text().splitlines()[0]
        assert "waiting ·" not in desk.text().splitlines()[0]


async def test_the_receivers_number_and_what_a_parked_one_waits_for(station: Station) -> None:
    """UP-8, UP-3: and that a refused one was let go."""
    for sets, sequence in (
        ("status = 'delivered', document = 'S-4711'", 2),
        ("status = 'parked', behind = 2", 3),
        ("status = 'refused', let_go = 1", 4),
    ):
        station.db.conn.execute(f"UPDATE delivery SET {sets} WHERE outbox_seq = {sequence}")
    async with desk_of(station, "outbox", size=(120, 36)) as desk:
        await desk.sees("7 not delivered", "1 parked")
        await desk.do("down")
        await desk.sees("It waits for number 2, which was refused.")
        await desk.do("/", "R2", "enter", "o", "down")
        await desk.sees("Upstream it is S-4711.")


# The audit trail ---------------------------------------------------------------------------------


async def test_an_entry_tells_who_when_what_and_its_hashes(station: Station) -> None:
    """Traceability: the whole entry."""
    async with desk_of(station, "audit", size=(120, 36)) as desk:
        await desk.sees("13 in all", "exception opened", "Anna K.")
        await desk.do("down")
        await desk.sees("By Anna K. (OP-1)", "expected: 490", "UTC: 2026-11-20T08:00:0",
                        "Scanned: %COUNT at test", "master data 1")  # fmt: skip
        (last,) = station.db.conn.execute("SELECT hash FROM event WHERE event_seq = 12").fetchone()
        assert last[:40] in desk.text()


async def test_entries_are_looked_for_by_text_day_and_kind(station: Station) -> None:
    async with desk_of(station, "audit") as desk:
        await desk.do("/", "COIL-1", "enter")
        await desk.sees("only with COIL-1", "R1")
        assert "signed in" not in desk.text()
        await desk.do("escape", "/", "2026-11-19", "enter")
        await desk.sees("Nothing here has this")
        asked = desk.core.asked[-1][1]
        assert asked["from_at"] == "2026-11-19T00:00:00.000000Z"
        assert asked["until_at"] == "2026-11-20T00:00:00.000000Z"
        await desk.do("escape", "o", "o")
        await desk.sees("of exceptions", "exception opened")
        assert "production reported" not in desk.text()


async def test_the_trail_is_proved_with_v_and_a_changed_byte_is_told(station: Station) -> None:
    """Part 5."""
    async with desk_of(station, "audit") as desk:
        await desk.do("v")
        await desk.sees("The records hold: 13 entries")
        (head,) = station.db.conn.execute("SELECT hash FROM event WHERE event_seq = 13").fetchone()
        assert head in desk.text()
        await desk.do("escape")
        await desk.sees("Number 13")
        station.db.conn.executescript("""
            DROP TRIGGER event_no_update;
            UPDATE event SET body = replace(body, 'COIL-1', 'COIL-9') WHERE event_seq = 1;
        """)
        await desk.do("v")
        await desk.sees("THE RECORDS DO NOT HOLD after entry 0: entry 1 has a hash")


async def test_proving_can_be_stopped(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """Screens 11: progress, and cancel: the core is told that no more is wanted."""
    monkeypatch.setattr("mes_terminal.usecases.log_chain.PROVING_ENTRIES", 1)
    async with desk_of(station, "audit") as desk:
        desk.app.desk._page.press_letter("v")
        await desk.pilot.pause(0)
        desk.app.desk._page.press_letter("v")
        await desk.sees("Stopped.")
        await desk.until(lambda: desk.core.closed_early == 1)
        await desk.do("v")
        await desk.sees("The records hold")


# Scanners ----------------------------------------------------------------------------------------


async def test_a_scanner_says_how_it_is_and_what_to_do(station: Station) -> None:
    async with desk_of(station, "scanners", scanners=SCANNERS) as desk:
        await desk.sees("2 set up", "st10", "ready", "120", "3 times nothing could be read",
                        "without separator")  # fmt: skip
        await desk.do("down")
        await desk.sees("NO RIGHTS", "No permission to read it.", "mes-terminal scanners says how")


# People ------------------------------------------------------------------------------------------


async def test_the_first_supervisor_is_set_up_without_a_signature(
    station: Station, quick_pins: None
) -> None:
    """Part 3: and from then on every change is signed."""
    async with desk_of(station, "people") as desk:
        await desk.sees("3 may work here", "No supervisor has a PIN yet")
        await desk.do("p")
        await desk.sees("The first PIN is a supervisor's")
        await desk.do("escape", "end", "p")
        await desk.sees("New PIN of Carla S.")
        await desk.do("4711", "enter", "4712", "enter")
        await desk.sees("The two new PINs are not the same")
        await desk.do("4711", "enter", "4711", "enter")
        await desk.sees("The PIN is set")
        await desk.do("enter")
        await desk.sees("Has a PIN, so can sign")
        await desk.do("home", "p")
        await desk.sees("SET A PIN", "badge")
        await desk.do("SUP-1", "enter", "4711", "enter", "1234", "enter", "1234", "enter")
        await desk.sees("The PIN is set")
    rows = station.db.conn.execute("SELECT badge, pin_hash FROM operator_pin ORDER BY 1").fetchall()
    assert rows == [("OP-1", "cheap:1234"), ("SUP-1", "cheap:4711")]


async def test_a_person_is_added_and_disabled_with_badge_and_pin(
    station: Station, quick_pins: None
) -> None:
    station.db.conn.execute("INSERT INTO operator_pin VALUES ('SUP-1','cheap:4711',?,0,NULL)",
                            [station.now])  # fmt: skip
    async with desk_of(station, "people") as desk:
        await desk.do("a", "OP-9", "enter", "Dora", "enter", "1", "2", "SUP-1", "enter")
        await desk.do("0815", "enter")
        await desk.sees("That is not the PIN of SUP-1")
        await desk.do("SUP-1", "enter", "4711", "enter")
        await desk.sees("They may work here now")
        await desk.do("enter", "down", "down")
        await desk.sees("Dora, operator, badge OP-9", "Sees German")
        await desk.do("d", "SUP-1", "enter", "4711", "enter")
        await desk.sees("Disabled")
        await desk.do("enter", "o")
        await desk.sees("4 in all", "disabled")
        assert "4711" not in desk.text()


async def test_a_scanned_badge_finds_its_person(station: Station) -> None:
    async with desk_of(station, "people") as desk:
        await desk.scan("B:OP-2")
        await desk.sees("only with OP-2", "Ben, operator")
        assert "Anna" not in desk.text()


# Genealogy ---------------------------------------------------------------------------------------


async def test_a_tree_is_opened_step_by_step_both_ways(station: Station) -> None:
    """BF-37: how much, how sure by word and sign."""
    async with desk_of(station, "genealogy") as desk:
        await desk.sees("Scan a lot, a serial")
        await desk.scan("WO-LEG")
        await desk.sees("LEG lot WO-LEG", "STEEL lot COIL-1", "30 kg", "~ assumed")
        await desk.do("down")
        await desk.sees("30 kg of it are in LEG lot WO-LEG", "nobody scanned it for this")
        await desk.do("left", "left")
        assert "COIL-1" not in desk.text()
        await desk.do("right", "right", "enter")
        await desk.sees("GENEALOGY · STEEL lot COIL-1 · made from")
        await desk.do("t")
        await desk.sees("went into", "LEG lot WO-LEG", "Lots and serials that it went into: 1")
        await desk.do("down")
        await desk.sees("30 kg of STEEL lot COIL-1 are in it")
        await desk.do("backspace")
        await desk.until(lambda: "WO-LEG · went into" in desk.text())


async def test_what_is_typed_begins_a_tree_and_what_is_unknown_is_told(station: Station) -> None:
    async with desk_of(station, "genealogy") as desk:
        await desk.do("/", "S-1", "enter")
        await desk.sees("CHAIR serial S-1", "LEG lot L-77", "4 pcs", "Now on hand", "1 pcs")
        await desk.do("/", "nothing", "enter")
        await desk.sees("'nothing' is no lot, serial number, container or order known here")
        await desk.do("escape")
        await desk.sees("CHAIR serial S-1")


async def test_an_order_of_many_units_and_a_lot_in_all_of_them_come_in_pages(
    station: Station,
) -> None:
    """Screens 11: 'and n more', loaded by Enter."""
    station.db.conn.executescript("""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
        INSERT INTO lot (item_id, serial)
            SELECT (SELECT item_id FROM item WHERE item = 'CHAIR'), 'X-' || i FROM n;
        UPDATE lot SET lot = 'BIG' WHERE serial LIKE 'X-%';
        INSERT INTO edge
            SELECT made.lot_id, leg.lot_id, 1, 1, 4000000, 'assumed'
              FROM lot AS made, lot AS leg
             WHERE made.serial LIKE 'X-%' AND leg.lot = 'L-77';
    """)
    async with desk_of(station, "genealogy") as desk:
        await desk.do("/", "L-77", "enter")
        await desk.sees("LEG lot L-77")
        await desk.do("t")
        await desk.sees("1 of 202", "Lots and serials that it went into: 452")
        await desk.do("end")
        await desk.sees("and 252 more")
        await desk.do("enter")
        await desk.sees("of 402")
        await desk.do("/", "BIG", "enter")
        await desk.sees("CHAIR lot BIG, serial X-1", "1 of 201")
        await desk.do("end", "enter")
        await desk.sees("201 of 401", "serial X-201")


@pytest.mark.parametrize(("section", "unit"), [("audit", "in all"), ("outbox", "not delivered")])
async def test_a_hundred_thousand_rows_open_and_filter_at_once(
    station: Station, section: str, unit: str
) -> None:
    """Screens 11: the bounds only tell a look from a scan of everything."""
    station.db.conn.execute(EVENTS, {"many": MANY})
    begun = time.perf_counter()
    async with desk_of(station, section) as desk:
        await desk.sees("100 0", unit)
        opened_s = time.perf_counter() - begun
        await desk.do("/", "WO-99999")
        begun = time.perf_counter()
        await desk.do("enter")
        await desk.sees("only with WO-99999", "production reported")
        found_s = time.perf_counter() - begun
        await desk.do("escape", "end", "end")
        await desk.sees("of 100 0")
    assert opened_s < 10
    assert found_s < 10


# All of them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("text", [HOSTILE[at] for at in (1, 4, 6, 7, 9)])
async def test_hostile_text_is_drawn_as_text(station: Station, section: str, text: str) -> None:
    """Screens 10: markup, escapes, controls, right-to-left marks, heaps of accents."""
    conn = station.db.conn
    conn.execute("UPDATE operator SET name = ?", [text])
    conn.execute("UPDATE item SET description = ?, uom = ?", [text, text])
    conn.execute("UPDATE lot SET lot = ? || lot WHERE lot = 'L-77'", [text])
    conn.execute("UPDATE delivery SET status = 'refused', last_error = ?", [text])
    scanners = [ScannerView(name=text, state="fault", sentence=text)]
    async with desk_of(station, section, size=(120, 36), scanners=scanners) as desk:
        if section == "genealogy":
            await desk.do("/", "S-1", "enter")
        await desk.do("end")
        await desk.pilot.pause(0.3)
        assert_harmless(desk.text())


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_every_section_fits_eighty_columns(
    station: Station, section: str, language: str
) -> None:
    """On a Linux console too: title, list, story and keys, in each language."""
    async with desk_of(station, section, language=language, plain=True, scanners=SCANNERS) as desk:
        words = LANGUAGES[language].sections[section]
        await desk.sees(words.title, words.rows, words.story)
        lines = desk.text().splitlines()
        assert len(lines) == 24
        assert "…" not in lines[2].replace("Lie…", "")
