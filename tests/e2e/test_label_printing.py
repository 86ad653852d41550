"""Labels print by themselves at completion, in the real core, whatever the printer does."""

import io
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from mes_terminal.domain.view import StationView
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import find_core
from tests.e2e.station_process import PATIENCE_S, Station
from tests.printed_codes import dots_of


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    station.load_plant()
    station.environment["MES_TERMINAL_LABELS__ON_COMPLETION"] = "true"
    yield station
    station.close()


class Printer:
    """A label printer on a port that can be off."""

    def __init__(self, port: int = 0) -> None:
        self.server = socket.create_server(("127.0.0.1", port))
        self.port: int = self.server.getsockname()[1]
        self.labels: list[bytes] = []
        self.printed = threading.Condition()
        threading.Thread(target=self._serve, daemon=True).start()

    def off(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def until(self, count: int) -> None:
        with self.printed:
            assert self.printed.wait_for(lambda: len(self.labels) >= count, PATIENCE_S)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            with line:
                got = bytearray()
                while data := line.recv(65536):
                    got += data
            with self.printed:
                self.labels.append(bytes(got))
                self.printed.notify_all()


def code_on(zpl: bytes) -> str:
    """Return what a scanner reads from a label."""
    width = int(re.search(rb"\^PW(\d+)", zpl)[1])  # type: ignore[index]
    height = int(re.search(rb"\^LL(\d+)", zpl)[1])  # type: ignore[index]
    data = re.search(rb",([0-9A-F]+)\^FS", zpl)
    assert data is not None
    dots = Image.frombytes("1", ((width + 7) // 8 * 8, height), bytes.fromhex(data[1].decode()))
    image = dots.crop((0, 0, width, height)).convert("L").point(lambda level: 255 - level)
    written = io.BytesIO()
    image.save(written, "PNG")
    (code,) = zxingcpp.read_barcodes(image)
    return str(code.text)


def test_a_dead_printer_loses_no_label_and_holds_no_scan(plant: Station) -> None:
    """Closed while the printer is off, killed and restarted: each label comes exactly once."""
    printer = Printer()
    port = printer.port
    plant.environment["MES_TERMINAL_LABELS__PRINTER"] = f"tcp://127.0.0.1:{port}"
    with plant.start_core() as core:
        assert plant.scan("WO-1")[0]["outcome"] == "completed"
        printer.until(1)
        printer.off()
        assert plant.scan("WO-2")[0]["outcome"] == "completed"
        holder = find_core(plant.database)
        assert holder is not None
        with Client(holder.socket) as client:
            deadline = time.monotonic() + PATIENCE_S
            while not client.ask("view", StationView).printer_trouble:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        core.send_signal(signal.SIGKILL)
        core.wait(PATIENCE_S)
    again = Printer(port)
    with plant.start_core() as core:
        again.until(1)
        core.terminate()
        core.wait(PATIENCE_S)
    again.off()
    assert [code_on(label) for label in printer.labels + again.labels] == [
        "CHAIR|WO-1|10", "CHAIR|WO-2|5",
    ]  # fmt: skip


def test_a_folder_gets_the_labels_of_what_was_made_and_not_of_what_was_undone(
    plant: Station,
) -> None:
    folder = plant.folder / "labels"
    plant.scan("WO-1")  # before printing was ever switched on
    plant.environment["MES_TERMINAL_LABELS__PRINTER"] = str(folder)
    with plant.start_core() as core:
        plant.scan("WO-2")
        deadline = time.monotonic() + PATIENCE_S
        while not list(folder.glob("*.pdf")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        core.terminate()
        core.wait(PATIENCE_S)
    assert len(list(folder.iterdir())) == 1


TEMPLATE = """
[finished]
width_mm = 120
height_mm = 85
[finished.code]
symbology = ["gs1-128", "qr"]
place = "bottom"
"""


def test_the_label_at_completion_follows_the_template_of_the_settings(plant: Station) -> None:
    file = plant.folder / "labels.toml"
    file.write_text(TEMPLATE)
    printer = Printer()
    plant.environment["MES_TERMINAL_LABELS__PRINTER"] = f"tcp://127.0.0.1:{printer.port}"
    plant.environment["MES_TERMINAL_LABELS__TEMPLATE"] = str(file)
    with plant.start_core() as core:
        plant.scan("WO-1")
        printer.until(1)
        core.terminate()
        core.wait(PATIENCE_S)
    printer.off()
    (zpl,) = printer.labels
    assert code_on(zpl) == "CHAIR|WO-1|10"
    assert zxingcpp.read_barcodes(dots_of(zpl, "zpl"))[0].symbology_identifier == "]Q1"
    assert b"^PW959^LL679" in zpl  # 120 by 85 mm at 203 dots an inch


@pytest.mark.parametrize("prints", ["true", "false"])
@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("[finished.code]\nsize_mm = 0", "finished.code.size_mm is 0."),
        ("[unit]\nheight_mm = 25", "unit.rows: "),
        ("[unit", "is no valid TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_template_keeps_the_core_from_starting(
    template: str | None, said: str, prints: str, plant: Station
) -> None:
    file = plant.folder / "labels.toml"
    if template is not None:
        file.write_text(template)
    plant.environment["MES_TERMINAL_LABELS__PRINTER"] = str(plant.folder / "labels")
    plant.environment["MES_TERMINAL_LABELS__ON_COMPLETION"] = prints
    plant.environment["MES_TERMINAL_LABELS__TEMPLATE"] = str(file)
    told = plant.run("core", code=2).stderr.decode()
    assert f"{file}: " in told
    assert said in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("printer", [None, "tcp://nowhere"])
def test_a_wrong_printer_keeps_the_core_from_starting(printer: str | None, plant: Station) -> None:
    if printer is not None:
        plant.environment["MES_TERMINAL_LABELS__PRINTER"] = printer
    assert b"labels.printer" in plant.run("core", code=2).stderr
