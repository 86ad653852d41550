"""The desk's sections of approvals, loads and shifts, over a real database (issue 5 parts 2 to 4):
driven by keys, each decision signed by badge and PIN."""

from pathlib import Path

import msgspec
import pytest

from mes_terminal.domain.load_proposal import content_hash
from mes_terminal.domain.policy import ControlMatrix
from mes_terminal.station import signing
from mes_terminal.store.permits import Scope
from mes_terminal.tui import desk_control
from mes_terminal.tui.words import LANGUAGES
from mes_terminal.usecases import propose_load
from mes_terminal.usecases.grant_permit import Wanted, grant_permit
from mes_terminal.usecases.load_master_data import load_folder
from tests.plants import TEST_RULES, Station, open_station, plant
from tests.tui.station_core import desk_of
from tests.tui.test_hostile import HOSTILE, assert_harmless

SECTIONS = ("approvals", "loads", "shifts")
PLANT = plant(
    items="item,tracking,standard_cost\nCHAIR,lot,\nLEG,lot,2.50\nPEG,lot,1.00",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-1,LINE,100,2026-11-01",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released\nWO-2,CHAIR,20,released",
    operators="""
        badge,name,role
        OP-1,Anna K.,operator
        SUP-1,Carla S.,supervisor
        SUP-2,Dora,supervisor
        """,
    reasons="code,kind\nRELEASED,deviation",
)


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    """Making more than ordered takes an approval; Carla and Dora have a PIN."""
    monkeypatch.setattr(desk_control, "POLL_S", 0.1)
    monkeypatch.setattr(signing, "is_right", lambda pin_hash, pin: pin_hash == f"cheap:{pin}")
    matrix = ControlMatrix(
        {name: {"default": "approve"} for name in ("over_completion", "lot_expired")}
    )
    rules = msgspec.structs.replace(TEST_RULES, policy=matrix, load_second_person=True)
    station = open_station(tmp_path, PLANT, rules)
    station.db.conn.executemany(
        "INSERT INTO operator_pin (badge, pin_hash, set_at) VALUES (?, ?, '2026-11-01')",
        [("SUP-1", "cheap:4711"), ("SUP-2", "cheap:0815")],
    )
    return station


def ask(station: Station) -> None:
    """Twelve of ten: the line asks."""
    station.scan("%QTY 12", badge="OP-1")
    assert station.scan("WO-1", badge="OP-1").reason == "approval"


def proposed(station: Station, *, folder: str = "/erp/november") -> None:
    """Dora proposes that chairs take three pegs instead of four legs."""
    files = {
        "bom_lines.csv": b"item,revision,line,component,quantity\nCHAIR,A,10,PEG,3\n",
    }
    result = load_folder(
        station.db, files, rules=station.rules, now=station.now, at=None, diff=True
    )
    assert not result.faults, result.faults
    propose_load.propose(
        station.db, result, folder=folder, content_hash=content_hash(files), by="SUP-2",
        rules=station.rules, now=station.now,
    )  # fmt: skip


# Approvals ---------------------------------------------------------------------------------------


async def test_what_the_line_asks_is_approved_with_a_box(station: Station) -> None:
    """BF-24, part 4: until when and for how much, by badge and PIN."""
    ask(station)
    async with desk_of(station, "approvals") as desk:
        await desk.sees("waiting", "More than the order", "OP-1 was asked", "Order WO-1",
                        "By how much: 2")  # fmt: skip
        await desk.do("a")
        await desk.sees("APPROVE", "Until when", "14:00")
        await desk.do("enter", "5", "enter", "RELEASED", "enter", "SUP-1", "enter")
        await desk.do("4711", "enter")
        await desk.sees("Approved.")
        await desk.do("enter")
        await desk.sees("Nothing waits for an answer")
        await desk.do("o")
        await desk.sees("permits", "stands", "Allowed by SUP-1", "For 5 in all")
    (asked,) = [params for do, params in desk.core.asked if do == "approve"]
    assert (asked["answer"], asked["quantity"], asked["badge"]) == ("approve", "5", "SUP-1")
    assert "until" not in asked


async def test_what_the_line_asks_is_refused(station: Station) -> None:
    ask(station)
    async with desk_of(station, "approvals") as desk:
        await desk.sees("More than the order")
        await desk.do("x", "enter", "SUP-1", "enter", "9999", "enter")
        await desk.sees("That is not the PIN of SUP-1")
        await desk.do("SUP-1", "enter", "4711", "enter")
        await desk.sees("Refused. Nothing was booked")
        await desk.do("enter", "o", "o")
        await desk.sees("refused", "Answered by SUP-1")
    assert station.order("WO-1")["completed"] == "0"


async def test_a_permit_that_stands_says_how_far_it_goes(station: Station) -> None:
    """BF-24: time- and quantity-boxed."""
    grant_permit(
        station.db, Scope(situation="lot_expired", item="LEG", lot="L-1", work_order=None),
        Wanted(until="2026-11-20T14:00:00.000000Z", quantity="200", reason="RELEASED"),
        by="SUP-1", rules=station.rules, now=station.now,
    )  # fmt: skip
    async with desk_of(station, "approvals") as desk:
        await desk.do("o")
        await desk.sees("Expired lot", "stands", "Lot L-1", "Until 2026-11-20 14:00",
                        "For 200 in all: 0 used, 200 left", "Reason: RELEASED")  # fmt: skip


# Loads -------------------------------------------------------------------------------------------


async def test_a_proposed_load_tells_what_it_changes_and_is_refused(station: Station) -> None:
    """Part 7: the orders it touches, the stock of the part that leaves, each row."""
    proposed(station)
    async with desk_of(station, "loads", size=(120, 36)) as desk:
        await desk.sees("november", "Proposed by Dora", "It waits for another person",
                        "LEG leaves CHAIR A, PEG comes.", "worth 250.00 EUR",
                        "WO-1 CHAIR")  # fmt: skip
        await desk.do("x", "too early", "enter", "SUP-1", "enter", "4711", "enter")
        await desk.sees("Refused. Nothing was applied")
        await desk.do("enter", "o")
        await desk.sees("Refused by Carla S.", "too", "early")


async def test_a_load_is_applied_by_badge_and_pin(station: Station) -> None:
    """Part 7: what is sent; applying it is the core's."""
    proposed(station)
    async with desk_of(station, "loads") as desk:
        sent: list[dict[str, object]] = []

        def apply(params: dict[str, object]) -> dict[str, object]:
            sent.append(params)
            return {"tables": {}, "faults": [{"file": "items.csv", "line": 3, "message": "gone"}]}

        desk.core._approve_load = apply  # type: ignore[method-assign]
        await desk.sees("november")
        await desk.do("enter", "SUP-1", "enter", "4711", "enter")
        await desk.sees("Nothing was applied. Faults: 1", "items.csv 3: gone")
    assert sent == [{"id": 1, "answer": "approve", "badge": "SUP-1", "pin": "4711"}]


# Shifts ------------------------------------------------------------------------------------------


async def test_a_shift_ends_with_what_is_open_handed_over_by_name(station: Station) -> None:
    """Part 2: zero open, or handed over by name; the hash is told for the shift report."""
    station.scan("4711-X")
    async with desk_of(station, "shifts") as desk:
        await desk.sees("now", "1: 1 unknown code", "Open and nobody's: 1")
        await desk.do("e")
        await desk.sees("END OF SHIFT", "End the shift and hand over what is open (1)")
        await desk.do("enter")
        await desk.sees("Who takes over")
        await desk.do("SUP-2", "enter", "SUP-1", "enter", "4711", "enter")
        await desk.sees("signed off by Carla S.", "1 handed over to Dora")
        await desk.do("enter", "down")
        await desk.sees("Carla S.", "1 handed over to Dora", "Log entry")


async def test_a_shift_with_zero_open_is_signed_off(station: Station) -> None:
    async with desk_of(station, "shifts") as desk:
        await desk.sees("now", "zero")
        await desk.do("enter", "enter", "SUP-1", "enter", "4711", "enter")
        await desk.sees("signed off by Carla S.")
    (asked,) = [params for do, params in desk.core.asked if do == "end_shift"]
    assert asked["hand_over"] is None


# All of them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("text", [HOSTILE[at] for at in (1, 4, 6, 7, 9)])
async def test_hostile_text_is_drawn_as_text(station: Station, section: str, text: str) -> None:
    """Screens 10: markup, escapes, controls, right-to-left marks, heaps of accents."""
    ask(station)
    proposed(station, folder=f"/erp/{text}")
    conn = station.db.conn
    conn.execute("UPDATE operator SET name = ?", [text])
    conn.execute("UPDATE approval SET said = ?, item = ?, person = ?", [text, text, text])
    conn.execute("UPDATE load_proposal SET diff = replace(diff, 'PEG', ?)",
                 [msgspec.json.encode(text)[1:-1].decode()])  # fmt: skip
    async with desk_of(station, section, size=(120, 36)) as desk:
        await desk.pilot.pause(0.4)
        assert_harmless(desk.text())


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_every_section_fits_eighty_columns(
    station: Station, section: str, language: str
) -> None:
    """On a Linux console too, in each language."""
    ask(station)
    proposed(station)
    async with desk_of(station, section, language=language, plain=True) as desk:
        words = LANGUAGES[language].sections[section]
        await desk.sees(words.title, words.rows, words.story)
        assert "…" not in desk.text().splitlines()[2]
