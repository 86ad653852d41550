"""The supervisor's morning on a real core: read without a scan, emptied by three letters."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.desk_on_core import desk_on_core
from tests.e2e.test_exception_command import PIN
from tests.tui.test_desk import Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """WO-1 owes ten legs, a code is unknown, and nothing is left for WO-2."""
    async with desk_on_core(tmp_path, unknown="NO-SUCH-CODE") as desk:
        yield desk


async def test_the_morning_needs_no_scan_and_letters_empty_the_desk(desk: Desk) -> None:
    """What stops today is seen first; two groups are ended from there by badge and PIN (BF-23)."""
    station = desk.core
    movements = station.rows("movements")
    await desk.sees(
        "1 of 1 orders in sequence", "1 post, 1 not: LEG short 20 pcs, enough for 0", "2 open",
        "shortage LEG: no stock", "unknown code: not known",
    )  # fmt: skip
    assert station.rows("movements") == movements
    for _ in range(2):
        await desk.do("a")
        await desk.until(lambda: "FormScreen" in str(type(desk.app.top)))
        await desk.sees("Write off")
        written = desk.text().splitlines()
        (way,) = [line for line in written if "Write off" in line][:1]
        await desk.do(next(sign for sign in way if sign.isdigit()))
        await desk.sees("GONE")
        await desk.do("enter")
        await desk.sees("It would end.")
        await desk.do("enter", "SUP-1", "enter", PIN.decode().strip(), "enter")
        await desk.sees("It has ended.")
        await desk.do("enter")
    await desk.sees("Nothing is open.")
    assert station.rows("exceptions", "--open") == []
    station.run("doctor")
    await desk.do("home", "enter")
    await desk.sees("ORDERS", "only with WO-2")
