"""Tables for people: aligned, streaming, and no hostile text reaches the terminal."""

import unicodedata
from collections.abc import Iterator

import msgspec

from mes_terminal.cli.lists import COLUMNS
from mes_terminal.cli.table import WIDTH_SAMPLE_ROWS, render_table
from mes_terminal.usecases.list_rows import (
    AuditRow,
    ExceptionRow,
    JournalRow,
    LotRow,
    MovementRow,
    OrderLineRow,
    OrderRow,
    OutboxRow,
    StockRow,
)
from mes_terminal.usecases.order_reports import OrderReportRow
from mes_terminal.usecases.order_yield import YieldRow
from mes_terminal.usecases.stays import StayRow


def table(*rows: dict[str, object], columns: tuple[str, ...]) -> list[str]:
    return list(render_table(map(msgspec.json.encode, rows), columns))


def test_figures_stand_right_and_texts_left() -> None:
    assert table(
        {"item": "LEG", "quantity": "360"}, {"item": "BIKE", "quantity": "-1.5"},
        columns=("item", "quantity"),
    ) == [
        "ITEM  QUANTITY",
        "────  ────────",
        "LEG        360",
        "BIKE      -1.5",
    ]  # fmt: skip


def test_an_absent_value_is_an_empty_cell() -> None:
    rows = table({"item": "LEG", "lot": None, "location": "LINE"}, columns=("item", "lot"))
    assert rows[-1] == "LEG"


def test_an_empty_list_says_so() -> None:
    assert table(columns=("item",)) == ["Nothing to show."]


def test_control_escape_and_bidi_characters_are_shown_and_never_sent() -> None:
    hostile = "A\x1b[2J\x9b\u202egel\r\n\x00\u2066"
    line = table({"code": hostile}, columns=("code",))[-1]
    assert "\x1b" not in line
    assert all(unicodedata.category(c) not in {"Cc", "Cf"} for c in line)
    assert "␛[2J" in line


def test_the_first_rows_are_printed_before_the_last_are_read() -> None:
    read = 0

    def rows() -> Iterator[bytes]:
        nonlocal read
        for number in range(10_000):
            read += 1
            yield msgspec.json.encode({"sequence": number})

    lines = render_table(rows(), ("sequence",))
    assert next(lines).strip() == "SEQUENCE"
    assert read == WIDTH_SAMPLE_ROWS


def test_every_column_of_a_table_is_a_key_of_its_list() -> None:
    rows: dict[str, type[msgspec.Struct]] = {
        "orders": OrderRow, "order_lines": OrderLineRow, "stock": StockRow, "lots": LotRow,
        "exceptions": ExceptionRow, "movements": MovementRow, "journal": JournalRow,
        "outbox": OutboxRow, "audit": AuditRow, "stays": StayRow,
        "order_reports": OrderReportRow,
        "order_yield": YieldRow,
    }  # fmt: skip
    assert rows.keys() == COLUMNS.keys()
    for name, row in rows.items():
        keys = {field.encode_name for field in msgspec.structs.fields(row)}
        assert set(COLUMNS[name]) <= keys
