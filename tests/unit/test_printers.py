"""Printers that take labels, and printers that do not: real folders, sockets and a command."""

import os
import socket
import threading
from pathlib import Path

import pytest

from mes_terminal.errors import InputError
from mes_terminal.printing import printers
from mes_terminal.printing.printers import NetworkPrinter, PrinterError, parse_printer

WAIT_S = 20.0


@pytest.mark.parametrize(
    "text", ["tcp://printer", "tcp://10.0.0.9:0", "tcp://10.0.0.9:99999", "ipp://x/y", "cups:"]
)
def test_what_is_no_printer_is_told(text: str) -> None:
    with pytest.raises(InputError, match=r"labels\.printer"):
        parse_printer(text)


def test_a_folder_has_each_label_once_and_whole(tmp_path: Path) -> None:
    printer = parse_printer(str(tmp_path / "out"))
    for _ in range(2):
        printer.send(b"one", "000001-0001")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["000001-0001.pdf"]
    assert (tmp_path / "out" / "000001-0001.pdf").read_bytes() == b"one"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PrinterError, match="takes nothing"):
        parse_printer(str(tmp_path / "file")).send(b"x", "a")


def test_a_network_printer_gets_every_byte() -> None:
    got = bytearray()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = server.accept()
        with line:
            while data := line.recv(65536):
                got.extend(data)

    serving = threading.Thread(target=serve)
    serving.start()
    document = b"^XA" + bytes(300_000) + b"^XZ"
    printer = parse_printer(f"tcp://127.0.0.1:{server.getsockname()[1]}")
    assert printer.form == "zpl"
    printer.send(document, "a")
    serving.join(WAIT_S)
    server.close()
    assert bytes(got) == document


def test_a_network_printer_that_is_off_is_told() -> None:
    with pytest.raises(PrinterError, match="does not answer"):
        NetworkPrinter("tcp://127.0.0.1:1").send(b"x", "a")


def test_a_network_printer_that_takes_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(printers, "SEND_MAX_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        printer = parse_printer(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(PrinterError, match="does not answer"):
            printer.send(bytes(8_000_000), "a")


@pytest.mark.parametrize("fails", [False, True])
def test_a_cups_queue_is_given_the_document(
    fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "lp"
    program.write_text(
        '#!/bin/sh\nif [ "$FAILS" ]; then echo "lp: no such queue" >&2; exit 1; fi\n'
        f'echo "$@" >{tmp_path}/words; cat >{tmp_path}/got\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    printer = parse_printer("cups:labels")
    if fails:
        monkeypatch.setenv("FAILS", "1")
        with pytest.raises(PrinterError, match="no such queue"):
            printer.send(b"pdf", "000001")
        return
    printer.send(b"pdf", "000001")
    assert (tmp_path / "got").read_bytes() == b"pdf"
    assert (tmp_path / "words").read_text() == "-d labels -t 000001\n"


def test_a_machine_without_cups_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrinterError, match="Install CUPS"):
        parse_printer("cups:labels").send(b"x", "a")
