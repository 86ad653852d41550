"""Where labels go: a folder, a CUPS queue, or a label printer on the network.

A printer takes one document a call and either has it or raises `PrinterError` with a sentence. It
never waits longer than `SEND_MAX_S`.
"""

import os
import re
import socket
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from mes_terminal.errors import InputError, StationError
from mes_terminal.printing.render import Form

SEND_MAX_S: Final = 10.0
"""A printer that takes nothing for so long does not print now."""
TCP: Final = re.compile(r"tcp://(\[[0-9A-Fa-f:]+\]|[^:/\[\]]+):(\d{1,5})")


class PrinterError(StationError):
    """A printer did not take a label. It may be tried again."""


class Printer(ABC):
    """Takes documents of one form."""

    form: Form = "pdf"

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def send(self, document: bytes, title: str) -> None:
        """Print one document. Raises `PrinterError`."""


class FolderPrinter(Printer):
    """A folder: a file for each document, named by its title, so that none is there twice."""

    def send(self, document: bytes, title: str) -> None:
        """See `Printer.send`. A file is there whole or not at all."""
        path = Path(self.name) / f"{title}.{self.form}"
        begun = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with begun.open("wb") as file:
                file.write(document)
                file.flush()
                os.fsync(file.fileno())
            begun.replace(path)
        except OSError as error:
            raise PrinterError(
                f"The label folder {self.name} takes nothing: {error.strerror}.", reason="printer"
            ) from error


class CupsPrinter(Printer):
    """A queue of CUPS, through its command `lp`."""

    def send(self, document: bytes, title: str) -> None:
        """See `Printer.send`."""
        command = ["lp", "-d", self.name.removeprefix("cups:"), "-t", title]
        try:
            done = subprocess.run(  # noqa: S603  the settings name the queue; no shell
                command, input=document, capture_output=True, timeout=SEND_MAX_S, check=False
            )
        except FileNotFoundError as error:
            raise PrinterError(
                "There is no command lp. Install CUPS (Debian: cups-client).", reason="printer"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise PrinterError(f"Printer {self.name} does not answer.", reason="printer") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise PrinterError(
                f"Printer {self.name} refused the label: {said[-1] if said else done.returncode}.",
                reason="printer",
            )


class NetworkPrinter(Printer):
    """A label printer that takes ZPL on a TCP port, 9100 as a rule."""

    form: Form = "zpl"

    def send(self, document: bytes, title: str) -> None:  # noqa: ARG002  a raw port has no titles
        """See `Printer.send`. It has the label when it has taken every byte and closed its end."""
        found = TCP.fullmatch(self.name)
        assert found is not None
        place = found[1].strip("[]"), int(found[2])
        try:
            with socket.create_connection(place, SEND_MAX_S) as line:
                line.sendall(document)
                line.shutdown(socket.SHUT_WR)
                while line.recv(4096):
                    pass  # some printers report; what they say is not a label
        except OSError as error:
            raise PrinterError(f"Printer {self.name} does not answer.", reason="printer") from error


def parse_printer(text: str) -> Printer:
    """Return the printer that `labels.printer` names. Raises `InputError`."""
    if text.startswith("cups:") and len(text) > len("cups:"):
        return CupsPrinter(text)
    if text.startswith("tcp:"):
        found = TCP.fullmatch(text)
        if found is None or not 0 < int(found[2]) < 65536:
            raise InputError(
                f"labels.printer: {text!r} is no address. Write it like tcp://10.0.0.9:9100.",
                reason="settings",
            )
        return NetworkPrinter(text)
    if "://" in text or text.startswith("cups:"):
        raise InputError(
            f"labels.printer: {text!r} is no printer. Use a folder, cups:NAME or tcp://HOST:9100.",
            reason="settings",
        )
    return FolderPrinter(text)
