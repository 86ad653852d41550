"""What exports and mappings may hold that is read wrongly, or keeps a station busy, unless told.

A cell that two formats of dates read differently, times that say their own zone, titles between the
pages of a list, several broken rows in one file, expressions that take hours.
"""

import pytest

from tests.unit.test_mapping import cells, faults, parsed, text

LOTS = """
    [[file]]
    name = "lots.txt"
    delimiter = ";"
    {said}
    [[file.table]]
    name = "lots"
    [file.table.columns]
    item = "Part"
    lot = "Lot"
    {column} = "X"
"""


def lots(column: str, said: str, *values: str) -> list[str | None] | list[str]:
    """Return the cells of a column of dates, or the faults."""
    lines = "\n".join(f"LEG;L-{number};{value}" for number, value in enumerate(values))
    folder = parsed(LOTS.format(said=said, column=column), lots_txt=f"Part;Lot;X\n{lines}")
    return faults(folder) if folder.faults else cells(folder, "lots", column)


# --- dates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formats", "cell", "told"),
    [
        (
            '"DD/MM/YYYY", "MM/DD/YYYY"', "03/04/2026",
            "2026-04-03 by DD/MM/YYYY and 2026-03-04 by MM/DD/YYYY",
        ),
        ('"DDMMYY", "CYYDDD"', "110126", "2026-01-11 by DDMMYY and 2010-05-06 by CYYDDD"),
        ('"DD.MM.YY", "YY.MM.DD"', "01.02.03", "2003-02-01 by DD.MM.YY and 2001-02-03 by YY.MM.DD"),
    ],
)  # fmt: skip
def test_a_cell_that_is_two_days_is_a_fault(formats: str, cell: str, told: str) -> None:
    """Nobody can know which is meant, and a wrong expiry is found when it is too late."""
    assert lots("expires_on", f"dates = [{formats}]", cell) == [
        f"lots.txt:2: X: '{cell}' is {told}; leave one of the two in dates of mapping.toml"
    ]


def test_formats_that_agree_on_a_cell_may_stand_together() -> None:
    said = 'dates = ["D.M.YYYY", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY"]'
    assert lots("expires_on", said, "03.04.2026", "3.4.2026", "04/04/2026", "04/13/2026") == [
        "2026-04-03", "2026-04-03", "2026-04-04", "2026-04-13",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "cell", "instant"),
    [
        ("YYYY-MM-DD hh:mm:ssZ", "2026-11-20 13:05:00+05:30", "2026-11-20T07:35:00.000000Z"),
        ("YYYY-MM-DDThh:mm:ss.fZ", "2026-11-20T13:05:00.25Z", "2026-11-20T13:05:00.250000Z"),
        ("YYYY-MM-DDThh:mm:ssZ", "2026-11-20T13:05:00-0800", "2026-11-20T21:05:00.000000Z"),
        ("DD.MM.YYYY hh:mm Z", "20.11.2026 13:05 +01", "2026-11-20T12:05:00.000000Z"),
        ("YYYY-MM-DD hh:mm:ss.f", "2026-11-20 13:05:00.123456789", "2026-11-20T12:05:00.123456Z"),
        ("M/D/YYYY h:mm:ss AM", "11/20/2026 1:05:00 PM", "2026-11-20T12:05:00.000000Z"),
        ("M/D/YYYY h:mm AM", "11/20/2026 12:30 am", "2026-11-19T23:30:00.000000Z"),
        ("M/D/YYYY hh:mm AM", "11/20/2026 12:30 PM", "2026-11-20T11:30:00.000000Z"),
        ("M/D/YYYY h:mm", "11/20/2026 6:05", "2026-11-20T05:05:00.000000Z"),
    ],
)
def test_times_are_read_with_what_they_say_themselves(form: str, cell: str, instant: str) -> None:
    """An offset in the cell goes before `zone`; the station is in Berlin."""
    assert lots("received_at", f'dates = ["{form}"]', cell) == [instant]


def test_an_offset_goes_before_the_zone_and_decides_the_day() -> None:
    said = 'dates = ["YYYY-MM-DD hh:mmZ"]\nzone = "Asia/Tokyo"'
    assert lots("received_at", said, "2026-11-20 23:30Z") == ["2026-11-20T23:30:00.000000Z"]
    assert lots("expires_on", said, "2026-11-20 23:30Z") == ["2026-11-21"]


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("D.M.YYYY h:mm AM", "20.11.2026 13:05 PM"),
        ("D.M.YYYY h:mm AM", "20.11.2026 0:05 AM"),
        ("D.M.YYYY h:mm", "20.11.2026 24:05"),
        ("D.M.YYYY hh:mmZ", "20.11.2026 13:05+24:00"),
        ("D.M.YYYY hh:mmZ", "20.11.2026 13:05+01:60"),
        ("D.M.YYYY hh:mmZ", "20.11.2026 13:05"),
    ],
)
def test_what_is_no_such_time_is_a_fault(form: str, cell: str) -> None:
    (told,) = lots("received_at", f'dates = ["{form}"]', cell)
    assert told is not None
    assert told.startswith(f"lots.txt:2: X: '{cell}' is no date like {form}; ")


@pytest.mark.parametrize("form", ["D.M.YYYY AM", "D.M.YYYY h:mm Z hhZ", "hh:mm AM"])
def test_a_format_that_cannot_be_is_told(form: str) -> None:
    (told,) = lots("received_at", f'dates = ["{form}"]', "20.11.2026")
    assert told is not None
    assert told.startswith(f"mapping.toml: file.lots.txt.dates: '{form}' ")


# --- lists ----------------------------------------------------------------------------------


def test_titles_between_the_pages_of_a_list_go_by_themselves() -> None:
    """SAP says title, date and header on every page, and at the end how many rows there were."""
    mapping = """
        [[file]]
        name = "list.txt"
        header = "Material"
        [[file.table]]
        name = "items"
        [file.table.columns]
        item = "Material"
        description = "Text"
    """
    page = """
        20.11.2026          Material list           {n}

        ---------------------
        |Material|Text      |
        ---------------------
        |{item}  |{text}    |
        ---------------------
    """
    pages = [page.format(n=1, item="LEG", text="a leg"), page.format(n=2, item="PAD", text="pad")]
    folder = parsed(mapping, list_txt=text("".join(pages) + "\n  2 Records output\n"))
    assert cells(folder, "items", "item", "description") == [("LEG", "a leg"), ("PAD", "pad")]


def test_a_row_that_lost_its_borders_is_told_where_the_list_has_none() -> None:
    mapping = """
        [[file]]
        name = "list.txt"
        delimiter = "|"
        [[file.table]]
        name = "items"
        [file.table.columns]
        item = "Material"
        description = "Text"
    """
    folder = parsed(mapping, list_txt="Material|Text\nLEG|a leg\nPAD|pad|1\nSEAT")
    assert faults(folder) == [
        "list.txt:3: has 3 cells for 2 columns; take the delimiter out of its cells"
    ]
    assert [row.item for row in folder.tables["items"].rows] == ["LEG", "SEAT"]  # type: ignore[attr-defined]


# --- broken rows -----------------------------------------------------------------------------

BROKEN = 'Part,Text\n"A"x,1\nB,2\n"C" 5,3\nD,"4\n5"\n"E,6\nF,7\n'
ITEMS = """
    [[file]]
    name = "parts.csv"
    [[file.table]]
    name = "items"
    [file.table.columns]
    item = "Part"
    description = "Text"
"""


def test_every_row_with_broken_quotes_is_told_at_once() -> None:
    """What an open quote swallowed is told with the line where it opens."""
    why = "the row cannot be read ({}); check its quotation marks, or set quote in mapping.toml"
    odd, ends = why.format("',' expected after '\"'"), why.format("unexpected end of data")
    folder = parsed(ITEMS, parts_csv=BROKEN)
    assert faults(folder) == [f"parts.csv:{n}: {w}" for n, w in ((2, odd), (4, odd), (7, ends))]
    assert [row.item for row in folder.tables["items"].rows] == ["B", "D"]  # type: ignore[attr-defined]
    assert not folder.tables["items"].whole


def test_so_is_every_such_row_of_a_clean_file() -> None:
    folder = parsed("", items_csv=BROKEN.replace("Part,Text", "item,description"))
    assert [fault.line for fault in folder.faults] == [2, 4, 7]
    assert [row.item for row in folder.tables["items"].rows] == ["B", "D"]  # type: ignore[attr-defined]


def test_a_text_for_people_holds_no_nul() -> None:
    """It comes of a file that was read in the wrong encoding, or was never written to its end."""
    folder = parsed(ITEMS, parts_csv=b"Part,Text\nA,a\0b\nB,\0\0\0\n")
    assert faults(folder) == [
        "parts.csv:2: Text: holds NUL characters; export the file again, or name its encoding",
        "parts.csv:3: Text: holds NUL characters; export the file again, or name its encoding",
    ]


# --- what would take hours ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        r"^(\w+\s?)*$", r"(a+)+b", r"((ab?)c)*", r"(a|aa)+$", r"(?:\d{1,3},?)+", r"([^)]+\))+",
        r"(?P<n>a*){2,}", r"(?i:(a?){20})a", r"[)(]((?:-+)-)+",
    ],
)  # fmt: skip
def test_an_expression_that_may_take_hours_is_refused(expression: str) -> None:
    """One repeated inside another is tried in every way that there is, with twice as many for each
    letter more; and no scan is handled while an expression is tried."""
    mapping = ITEMS.replace('"Text"', f"{{ from = 'Text', pick = '{expression}' }}")
    (told,) = faults(parsed(mapping, parts_csv=f"Part,Text\nA,{'a' * 40}!"))
    assert told == (
        "mapping.toml: file.parts.csv.table.items.columns.description.pick: "
        f"{expression!r} repeats what repeats or has a choice in itself, which may "
        "take hours; write it without"
    )


@pytest.mark.parametrize(
    ("expression", "cell", "picked"),
    [
        (r"\[(.*?)\]", "[LEG] Leg of a chair", "LEG"),
        (r"^(\d+)\d\d$", "1000", "10"),
        (r"^(?:MO|WO)-(\d+)?", "WO-17", "17"),
        (r"[(]([^()*+]+)[)]", "a (b c) d", "b c"),
        (r"(\d{2}-){2}\d+", "a 20-11-2026", "11-"),
        (r"x{,3}(y{1})+", "xxyy", "y"),
        (r"^.{0,4}", "a long text", "a lo"),
    ],
)
def test_other_expressions_are_taken(expression: str, cell: str, picked: str) -> None:
    mapping = ITEMS.replace('"Text"', f"{{ from = 'Text', pick = '{expression}' }}")
    assert cells(parsed(mapping, parts_csv=f"Part,Text\nA,{cell}"), "items", "description") == [
        picked
    ]


def test_a_cell_too_long_to_search_is_a_fault() -> None:
    mapping = ITEMS.replace('"Text"', "{ from = 'Text', pick = 'x' }")
    (told,) = faults(parsed(mapping, parts_csv=f"Part,Text\nA,{'x' * 501}"))
    assert told == (
        "parts.csv:2: Text: has 501 characters, and pick searches 500 at most; shorten it, or "
        "leave pick out"
    )


@pytest.mark.parametrize(
    "times", ["1e400000000", "1E5", "0", "-1", "1/0", " 60", "1_0", "٣", "1/0.0"]
)
def test_a_factor_is_written_with_digits(times: str) -> None:
    """One with an exponent may have more digits than fit into any memory."""
    mapping = ITEMS.replace(
        '"Text"', f'"Text"\nstandard_cost = {{ from = "C", times = "{times}" }}'
    )
    (told,) = faults(parsed(mapping, parts_csv="Part,Text,C\nA,x,1"))
    assert told == (
        "mapping.toml: file.parts.csv.table.items.columns.standard_cost.times: "
        f"{times!r} is no factor; write a number or 1/60"
    )


@pytest.mark.parametrize(
    ("times", "cost"), [("1/2.5", 4), ("2.5/1", 25), ("0.001", 0.01), ("60", 600)]
)
def test_a_factor_may_have_decimals_on_either_side(times: str, cost: float) -> None:
    mapping = ITEMS.replace(
        '"Text"', f'"Text"\nstandard_cost = {{ from = "C", times = "{times}" }}'
    )
    folder = parsed(mapping, parts_csv="Part,Text,C\nA,x,10")
    assert cells(folder, "items", "standard_cost") == [cost * 1_000_000]


def test_words_with_many_stars_are_matched_in_one_go() -> None:
    """With every way tried this line alone has 10**24 of them."""
    stars = "*-" * 24 + "*x"
    mapping = ITEMS.replace("[[file.table]]", f'ignore_lines = ["{stars}"]\n[[file.table]]', 1)
    line = "A," + "-" * 20_000
    assert cells(parsed(mapping, parts_csv=f"Part,Text\nA,-\n{line}x"), "items", "item") == ["A"]
    (told,) = faults(parsed(mapping, parts_csv=f"Part,Text\n{line}"))
    assert "has 20000 characters" in told


@pytest.mark.parametrize(
    ("word", "fits", "not_so"),
    [
        ("*ab*ab*", ["abab", "xabyabz", "aabab"], ["ab", "aba"]),
        ("ab*ba", ["abba", "abxba", "ab\nba"], ["aba", "ab", "xabba", "abbax"]),
        ("*a", ["a", "aa", "ba"], ["", "ab"]),
        ("a**b", ["ab", "axb"], ["a", "b"]),
        ("*a*b", ["ab", "aab", "xaxb", "abab"], ["a", "ba"]),
    ],
)
def test_stars_stand_for_any_text(word: str, fits: list[str], not_so: list[str]) -> None:
    from mes_terminal.exchange.mapped_words import matcher, translator

    fitting, translate = matcher([word]), translator({word: "1"})
    assert [one for one in fits if not fitting(one) or translate(one) != "1"] == []
    assert [one for one in not_so if fitting(one) or translate(one) is not None] == []
