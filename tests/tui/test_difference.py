"""The desk's section of the difference to the ERP's stock, over a real database: from the outbox to
the postings behind a number (UP-8)."""

from pathlib import Path

import pytest

from mes_terminal.domain.delivery import StockReading, UpstreamStock
from mes_terminal.tui import desk_control
from mes_terminal.tui.words import LANGUAGES
from mes_terminal.usecases.reconcile import note_upstream_stock
from tests.plants import Station
from tests.tui.records_station import records_station
from tests.tui.station_core import desk_of
from tests.tui.test_hostile import HOSTILE, assert_harmless

BEFORE = {("STEEL", "COIL-1"): "30", ("STEEL", "COIL-2"): "500", ("BOLT", None): "502"}
"""What the ERP has while it knows of the receipts only; of two bolts nobody else knows."""


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    monkeypatch.setattr(desk_control, "POLL_S", 0.1)
    return records_station(tmp_path)


def erp(station: Station, *, receipts: int = 4, refused: int = 5) -> None:
    """The ERP says what it has; it refused the legs."""
    conn = station.db.conn
    conn.execute("UPDATE delivery SET status = 'delivered' WHERE outbox_seq <= ?", [receipts])
    conn.execute("UPDATE delivery SET status = 'refused' WHERE outbox_seq = ?", [refused])
    pieces = [
        UpstreamStock(item=item, lot=lot, serial=None, location="LINE", quantity=text, uom="pcs")
        for (item, lot), text in {**BEFORE, ("LEG", "L-77"): "40"}.items()
    ]
    reading = StockReading(as_of=station.now, watermark=receipts, stock=pieces)
    note_upstream_stock(station.db, reading, now=station.now)


async def test_a_letter_leads_from_the_outbox_to_what_explains_the_difference(
    station: Station,
) -> None:
    erp(station)
    async with desk_of(station, "outbox", size=(120, 36)) as desk:
        await desk.sees("1 refused", "ERP: 4 differ, 1 unexplained", "d Difference")
        await desk.do("d")
        await desk.sees("DIFFERENCE", "4 that differ", "1 unexplained", " old", "Differs")
        await desk.sees("BOLT: ERP 502, station 484 pcs",
                        "= 16 queued + 0 in exceptions + 2 unexplained",
                        "No posting explains 2 pcs",
                        "8  waiting  6  production reported")  # fmt: skip
        await desk.do("end")
        await desk.sees("STEEL: ERP 530, station 490 kg",
                        "= 0 queued + 40 in exceptions + 0 unexplained",
                        "40  refused  5  production reported, WO-LEG")  # fmt: skip
        await desk.do("o")
        await desk.sees("lots that differ", "COIL-1", "COIL-2")
        await desk.do("/", "coil-2", "enter")
        await desk.sees("STEEL COIL-2: ERP 500, station 490 kg")
        assert "COIL-1" not in desk.text()
        await desk.do("escape", "d")
        await desk.sees("OUTBOX")


async def test_what_was_sent_after_the_erp_was_read_is_told_apart(station: Station) -> None:
    """UP-8: it explains a difference, though nothing of it waits any more."""
    erp(station)
    station.db.conn.execute("UPDATE delivery SET status = 'delivered' WHERE outbox_seq = 6")
    async with desk_of(station, "difference") as desk:
        await desk.sees("8  sent since  6  production reported")


async def test_the_lot_and_every_figure_fit_beside_the_story(station: Station) -> None:
    """Screens: 120 columns; what has no room leaves no sign of itself where nothing was cut."""
    erp(station)
    async with desk_of(station, "difference", size=(120, 36)) as desk:
        await desk.sees("4 that differ")
        assert not any(line.rstrip().endswith("…") or " … " in line
                       for line in desk.text().splitlines())  # fmt: skip
        await desk.do("o")
        await desk.sees("COIL-1", "Exception", "Unexpl.")


async def test_a_scanned_item_is_found(station: Station) -> None:
    erp(station)
    async with desk_of(station, "difference") as desk:
        await desk.sees("4 that differ")
        await desk.scan("BOLT")
        await desk.sees("only with BOLT", "BOLT: ERP 502")
        assert "STEEL" not in desk.text()


async def test_without_figures_it_says_so(station: Station) -> None:
    async with desk_of(station, "difference") as desk:
        await desk.sees("the ERP's stock is not known", "Nobody has told this station what the ERP")
    async with desk_of(station, "outbox") as desk:
        await desk.sees("9 not delivered")
        assert "ERP" not in desk.text()


async def test_what_agrees_is_told_in_german_too(station: Station) -> None:
    last = station.db.conn.execute("SELECT max(outbox_seq) FROM event").fetchone()[0]
    station.db.conn.execute("UPDATE delivery SET status = 'delivered'")
    pieces = [
        UpstreamStock(item=row["item"], lot=row["lot"], serial=row["serial"],
                      location=row["location"], quantity=row["quantity"], uom=row["uom"])
        for row in station.rows("stock")
    ]  # fmt: skip
    reading = StockReading(as_of=station.now, watermark=last, stock=pieces)
    note_upstream_stock(station.db, reading, now=station.now)
    async with desk_of(station, "outbox", size=(120, 36), language="de") as desk:
        await desk.sees("ERP hat dasselbe", LANGUAGES["de"].sections["outbox"].title)
        await desk.do("d")
        await desk.sees("ABWEICHUNG", "0 weichen ab", "0 unerklärt")
        await desk.do("o", "o")
        await desk.sees("verglichen", "BOLT")


@pytest.mark.parametrize("text", [HOSTILE[at] for at in (1, 4, 6, 7, 9)])
async def test_hostile_text_is_drawn_as_text(station: Station, text: str) -> None:
    """Screens 10."""
    erp(station)
    conn = station.db.conn
    conn.execute("UPDATE item SET uom = ?", [text])
    conn.execute("UPDATE upstream_stock SET lot = ? || lot WHERE item = 'LEG'", [text])
    async with desk_of(station, "difference", size=(120, 36)) as desk:
        await desk.do("o", "end")
        await desk.pilot.pause(0.3)
        assert_harmless(desk.text())
