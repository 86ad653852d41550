"""Tables that come down: things with their rows, and the files that they make together."""

from hypothesis import example, given
from hypothesis import strategies as st

from mes_terminal.exchange.down_tables import key_of, loads_of, rows_of

ORDER = {
    "work_orders": [{"work_order": "WO-1", "item": "CHAIR", "quantity": "10"}],
    "work_order_lines": [
        {"work_order": "WO-1", "line": "10", "component": "LEG", "quantity": "40"},
        {"work_order": "WO-1", "line": "20", "component": "PAD", "quantity": "10"},
    ],
}


def test_a_thing_has_its_rows_and_what_it_refers_to_stands_before_it() -> None:
    """UP-9: orders and BOMs come down as key and value."""
    found = rows_of(
        {
            **ORDER,
            "items": [{"item": "CHAIR"}, {"item": "LEG"}],
            "boms": [{"item": "CHAIR", "revision": "A"}],
            "bom_lines": [{"item": "CHAIR", "revision": "A", "line": "10", "component": "LEG"}],
        }
    )
    assert [key_of(each) for each in found] == [
        "items:CHAIR", "items:LEG", "boms:CHAIR:A", "work_orders:WO-1"
    ]  # fmt: skip
    assert found[3] == ORDER
    assert set(found[2]) == {"boms", "bom_lines"}


def test_lines_without_their_head_still_name_their_thing() -> None:
    (found,) = rows_of({"work_order_lines": ORDER["work_order_lines"]})
    assert key_of(found) == "work_orders:WO-1"


def test_documents_with_the_same_columns_make_one_load() -> None:
    first = {"items": [{"item": "LEG", "uom": "pcs"}]}
    second = {"items": [{"item": "PAD", "uom": "pcs"}]}
    other = {"items": [{"item": "BOLT"}]}
    loads = list(loads_of([first, second, other, ORDER]))
    assert [each.places for each in loads] == [[0, 1], [2, 3]]
    assert loads[0].files == {"items.csv": b"item,uom\nLEG,pcs\nPAD,pcs\n"}
    assert set(loads[1].files) == {"items.csv", "work_orders.csv", "work_order_lines.csv"}


def test_a_missing_column_is_never_taken_for_an_empty_cell() -> None:
    """A column that a file lacks says nothing: what was said before stays."""
    loads = list(loads_of([{"lots": [{"item": "A", "lot": "1", "status": "hold"}]},
                           {"lots": [{"item": "A", "lot": "2"}]}]))  # fmt: skip
    assert [each.files["lots.csv"].split(b"\n")[0] for each in loads] == [
        b"item,lot,status", b"item,lot"
    ]  # fmt: skip


_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)


@example([{"item": "\r"}])
@given(st.lists(st.dictionaries(st.sampled_from(["item", "uom", "gtin"]), _cells, min_size=1)))
def test_every_row_comes_out_once_and_in_order(rows: list[dict[str, str]]) -> None:
    import csv
    import io

    documents = [{"items": [row]} for row in rows]
    loads = list(loads_of(documents))
    assert [place for each in loads for place in each.places] == list(range(len(rows)))
    told = []
    for each in loads:
        text = io.StringIO(each.files["items.csv"].decode(), newline="")
        told += list(csv.DictReader(text))
    assert told == rows
