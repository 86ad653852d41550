"""The core's log: lines that nothing scanned can forge, and that never hold the station up."""

import contextlib
import io
import os
import re
from collections.abc import Iterator

import pytest

from mes_terminal import logs


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    logs.close()


def test_a_line_says_what_happened_and_its_values() -> None:
    stream = io.StringIO()
    logs.write_to(stream)
    logs.write("scan.done", scan_id="0199", reason=None, ms=3.1)
    logs.close()
    line = stream.getvalue()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z scan\.done scan_id=0199 ms=3\.1\n", line)


def test_hostile_values_stay_in_their_line() -> None:
    stream = io.StringIO()
    logs.write_to(stream)
    logs.write("scan.failed", error="a\nforged line \x1b[31m x=1")
    logs.close()
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_before_a_stream_is_given_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    logs.write("scan.done")
    assert capfd.readouterr() == ("", "")


def test_a_reader_that_stalls_costs_lines_and_never_the_station() -> None:
    """A terminal that stops reading must not cost a scan."""
    reader, writer = os.pipe()
    stream = open(writer, "w", encoding="utf-8")  # noqa: PTH123, SIM115  a descriptor
    logs.write_to(stream)
    for number in range(logs.LINES_WAITING_MAX + 5_000):
        logs.write("scan.done", number=number, filler="x" * 100)
    logs.close()
    os.close(reader)
    with contextlib.suppress(BrokenPipeError):  # of what the writer left in the stream's buffer
        stream.close()


def test_a_lost_stream_is_borne_in_silence() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = open(writer, "w", encoding="utf-8")  # noqa: PTH123, SIM115  a descriptor
    logs.write_to(stream)
    logs.write("scan.done")
    logs.close()
    logs.write("scan.done")
    with pytest.raises(BrokenPipeError):
        stream.close()
