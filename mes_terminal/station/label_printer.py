"""Labels of finished goods print by themselves: a thread that follows the log.

It never touches a scan's way: what is to be printed is read from the reports after the last one
printed, through the reading connection. A printer that is dead is tried again, later and later;
nothing is lost over a restart. A stop between printing and noting it prints one label twice, never
none.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mes_terminal import logs
from mes_terminal.errors import CoreError, InputError
from mes_terminal.printing.labels import finished_label
from mes_terminal.printing.printers import Printer, PrinterError, parse_printer
from mes_terminal.printing.render import render
from mes_terminal.printing.template_reading import read_templates
from mes_terminal.usecases.labels_due import DueLabels, begin_printing, labels_due, note_printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from mes_terminal.printing.templates import Templates
    from mes_terminal.settings import Settings
    from mes_terminal.station.reading import Reading
    from mes_terminal.station.worker import Worker

RETRY_MIN_S: Final = 1.0
RETRY_MAX_S: Final = 60.0
STOP_WAIT_S: Final = 3.0


class LabelPrinter:
    """The thread. `start` once, `wake` after each report, `stop` once."""

    def __init__(
        self, printer: Printer, place: str, reading: Reading, worker: Worker,
        changed: Callable[[], None], templates: Templates | None = None,
    ) -> None:  # fmt: skip
        self._printer = printer
        self._templates = templates
        self._place = place
        self._reading = reading
        self._worker = worker
        self._changed = changed
        self._due = threading.Event()
        self._stopping = threading.Event()
        self.trouble: str | None = None
        """Why labels wait, for the screen; `None` while they print."""
        self._thread = threading.Thread(target=self._run, name="labels", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier run left."""
        self._due.set()
        self._thread.start()

    def wake(self) -> None:
        """A report was posted. From any thread."""
        self._due.set()

    def stop(self) -> None:
        """End after the label at hand."""
        self._stopping.set()
        self._due.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WAIT_S)

    def _run(self) -> None:
        cursor: int | None = None
        while not self._stopping.is_set():
            self._due.wait()
            self._due.clear()
            try:
                if cursor is None:
                    cursor = self._worker.do(lambda booking: begin_printing(booking.db)).result()
                cursor = self._print_from(cursor)
            except CoreError:  # busy, or stopping: what is due is printed later
                self._stopping.wait(RETRY_MIN_S)
                self._due.set()

    def _print_from(self, cursor: int) -> int:
        """Print everything that is due after a report; return the last one printed."""
        retry_s = RETRY_MIN_S
        while not self._stopping.is_set():
            due, waiting = self._reading.do(
                lambda db, after=cursor: labels_due(db, after, self._place)  # type: ignore[misc]
            ).result()
            if not due:
                self._tell(None)
                break
            try:
                cursor = self._print(due[0])
                retry_s = RETRY_MIN_S
                self._tell(None)
            except PrinterError as error:
                self._tell(f"{error.sentence} {waiting} labels wait; they print by themselves.")
                self._stopping.wait(retry_s)
                retry_s = min(retry_s * 2, RETRY_MAX_S)
        return cursor

    def _print(self, due: DueLabels) -> int:
        """Print the labels of one report and note it. Raises `PrinterError`."""
        for number, goods in enumerate(due.goods, 1):
            title = f"{due.report_seq:012d}-{number:04d}"
            try:
                (document,) = render([finished_label(goods, self._templates)], self._printer.form)
            except InputError as error:  # a code no label can hold: the next ones must print
                logs.say(f"The label of {due.work_order} cannot be made: {error.sentence}")
                continue
            self._printer.send(document, title)
        self._worker.do(lambda booking: note_printed(booking.db, due.report_seq)).result()
        logs.write("label.printed", work_order=due.work_order, labels=len(due.goods))
        return due.report_seq

    def _tell(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            if trouble is not None:
                logs.say(trouble)
            self._changed()


def label_printer_of(
    settings: Settings, reading: Reading, worker: Worker, changed: Callable[[], None]
) -> LabelPrinter | None:
    """Return the printer that the settings ask for, if any.

    Raises `InputError`, also for wrong templates where nothing prints by itself.
    """
    named = settings.labels.template
    templates = read_templates(Path(named).expanduser()) if named is not None else None
    if not settings.labels.on_completion:
        return None
    if settings.labels.printer is None:
        raise InputError(
            "labels.on_completion is true, but no printer is named. Set labels.printer to a "
            "folder, cups:NAME or tcp://HOST:9100.",
            reason="settings",
        )
    place = f"{settings.station.id} · {settings.station.site}"
    printer = parse_printer(settings.labels.printer)
    return LabelPrinter(printer, place, reading, worker, changed, templates)
