"""What is scanned or loaded is hostile: it is drawn as text and presses nothing (screens 10)."""

import unicodedata

import pytest

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.view import (
    MountView,
    OrderView,
    PreflightView,
    ScannerView,
    ScanView,
    StationView,
)
from mes_terminal.tui.gallery import NOW, outcome
from mes_terminal.tui.keys import KeyReader
from mes_terminal.tui.terminal import exact_bytes, key_events
from tests.tui.conftest import OpenDesk

HOSTILE = [
    "LOT[/]X",
    "[@click=app.quit()]click[/]",
    "[bold red]{order}{0.__class__}%s",
    "$quiet-text [$primary]",
    "\x1b[2J\x1b]0;owned\x07\x1b[31m",
    "\x9b31m\x9d0;x\x9c",
    "\x00\x08\x7f\r\n\t",
    "\u202e1001-OW\u2066\u200f",
    "\u200b\u200d\ufeff\u00ad",
    "a" + "\u0301\u0336" * 400,
    "\ud800\udcff",
    "漢字" * 500,
    "x" * 4096,
    " " * 200,
    "",
]


def hostile_view(text: str, mode: str) -> StationView:
    order = OrderView(
        work_order=text, item=text, description=text, quantity=text, completed=text, scrapped=text,
        remaining=text, uom=text, status=text, due_at=text,
    )  # fmt: skip
    return StationView(
        station=text,
        mode=mode,  # type: ignore[arg-type]
        now=NOW,
        language=text,
        person=text,
        person_name=text,
        order=order,
        next_orders=[order] * 3,
        mounted=[
            MountView(position=text, item=text, lot=text, container=text, left=text, uom=text,
                      then_lot=text)
        ],
        last_scans=[ScanView(at=text, code=text, outcome=text, reason=text, message=text)] * 3,
        scanners=[ScannerView(name=text, state="ready", sentence=text)],
        pending_verb=text or None,
        pending_argument=text,
        pending_quantity=text,
        can_undo=text,
        oldest_waiting_at=text,
        postings_waiting=1,
        preflight=PreflightView(lines_post=1, lines_short=1, shortages=[text]),
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_hostile_text_in_every_field_is_drawn_as_text(
    open_desk: OpenDesk, text: str, size: tuple[int, int]
) -> None:
    kinds = [("completed", None), ("recorded", None), ("already_done", text), ("needs", text)]
    kinds += [("rejected", text), ("rejected", "lot_expired"), ("unknown", None)]
    # JSON cannot carry a lone surrogate: the core sends what it replaced it by.
    told = text.encode("utf-8", "replace").decode()
    async with open_desk(size=size) as desk:
        desk.core.push("view", hostile_view(told, "live"))
        for n, (kind, reason) in enumerate(kinds):
            fault = OpenedException(1, "shortage", told, told, told)
            desk.core.push(
                "outcome",
                outcome(
                    kind,
                    None if reason is None else reason.encode("utf-8", "replace").decode(),
                    scan_id=str(n),
                    code=told,
                    message=told,
                    hint=told,
                    work_order=told,
                    item=told,
                    lot=told,
                    serial=told,
                    quantity=told,
                    exceptions=[fault],
                ),
            )
            desk.core.push("view", hostile_view(told, "test"))
            await desk.pilot.pause(0.02)
            assert_harmless(desk.text())
        assert desk.app._exception is None
        desk.core.push("scans_waiting", {"waiting": 2, "codes": [told, told]})
        desk.core.push("refused", {"device": told, "sentence": told})
        desk.core.push("recovered", outcome("completed", code=told))
        await desk.pilot.press("f1")
        await desk.pilot.pause(0.1)
        assert_harmless(desk.text())
        assert desk.app.is_running


def assert_harmless(screen: str) -> None:
    for character in screen.replace("\n", ""):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Mn", "Me"), ascii(screen)


@pytest.mark.parametrize("byte", range(256))
def test_a_code_with_any_byte_comes_out_as_it_was(byte: int) -> None:
    """From the terminal's bytes to the core's, byte for byte (screens 10)."""
    raw = b"AB" + bytes([byte]) + b"CD"
    text = raw.decode("utf-8", "surrogateescape")
    reader = KeyReader()
    keys = [*reader.feed(text), *reader.flush()]
    gated = "".join(key.characters for key in keys).encode("utf-8", "surrogatepass")
    assert exact_bytes(gated) == raw


def test_keys_of_one_reading_came_at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan is not torn where the machine stood still while its keys were handed on."""
    moments = iter(range(1, 100))
    monkeypatch.setattr("textual._time.get_time", lambda: float(next(moments)))
    pressed = key_events(KeyReader().feed("WO-1001\r"))
    assert [event.character for event in pressed] == list("WO-1001\r")
    assert {event.time for event in pressed} == {pressed[0].time}
    assert next(moments) > len(pressed), "the clock was not read for each key"


CONTROL_CODES = [
    "\x11\x11",
    "WO\x11\x11\x03-1",
    "\x1bOP\x1bOQ\x1b[[A",
    "\x1b[200~WO-1",
    "\x1b[48;1;1;1;1t1",
    "\x1b[<0;1;1M12",
    "\x1b[1:2;1u\x1b[;;;u",
    "ab\x1b",
    "\x1b[I\x1b[O12",
]


@pytest.mark.parametrize("code", CONTROL_CODES, ids=ascii)
async def test_scanned_control_characters_press_nothing_and_arrive(
    open_desk: OpenDesk, code: str
) -> None:
    async with open_desk() as desk:
        size = desk.app.size
        await desk.type(f"AB{code}CD\r")
        await desk.until(lambda: bool(desk.core.scans))
        assert desk.core.scans == [f"AB{code}CD".encode()]
        await desk.type("WO-1001\r")
        await desk.until(lambda: desk.core.scans[1:] == [b"WO-1001"])
        assert desk.app.is_running
        assert desk.app.size == size


async def test_a_code_of_4096_bytes_and_more_is_given_once_and_bounded(
    open_desk: OpenDesk,
) -> None:
    async with open_desk() as desk:
        await desk.type("x" * 5000 + "\r")
        await desk.until(lambda: bool(desk.core.scans))
        assert len(desk.core.scans) == 1
        assert 4096 < len(desk.core.scans[0]) <= 5000
