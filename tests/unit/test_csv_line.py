"""A line of CSV is read back as it was, whatever its cells hold and however lines end."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mes_terminal.exchange.csv_line import csv_line

CELLS = st.lists(st.text(st.characters(exclude_characters="\x00"), max_size=5), min_size=1)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@given(rows=st.lists(CELLS))
@example(rows=[["\r"], ["a\rb", ""], ["\n"], ['"'], [""]])
def test_every_row_is_read_back(delimiter: str, line_end: str, rows: list[list[str]]) -> None:
    text = "".join(csv_line(row, delimiter) + line_end for row in rows)
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) == rows
