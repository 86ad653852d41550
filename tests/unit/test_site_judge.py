"""What the site says to a posting, and what it makes of one: values in, values out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.domain.outcome import OpenedException
from mes_terminal.site.arrivals import ranges_text
from mes_terminal.site.effects import net_effects
from mes_terminal.site.judge import ACCEPTED, Barred, Blocked, Facts, Standing, judge
from mes_terminal.site.reading import Malformed, Posting, read_posting
from mes_terminal.site.rows import Booked, MaterialKey, Rows, made_by, rows_of
from mes_terminal.site.stations import Stand, stand_of
from tests.upstream.posting_station import AT, PostingStation, made, used

NOTHING = Facts(orders={}, lots={}, closed_before=None)


def read(body: bytes) -> Posting:
    """Return a posting that is none but well formed."""
    reading = read_posting(body)
    assert isinstance(reading, Posting), reading
    return reading


def report(*actuals: object, **said: object) -> Posting:
    """Return a report of order WO-1."""
    return read(PostingStation().report("WO-1", *actuals, **said))  # type: ignore[arg-type]


def booked(body: bytes, number: int, *, reopens: bool = False) -> Booked:
    """Return a posting on its way into the ledger."""
    return Booked(
        posting=read(body), posting_id=number, source_id=1, epoch_id=1, reopens=reopens, made=[]
    )


def test_nothing_against_it_is_accepted() -> None:
    """UP-2."""
    assert judge(report(made("CHAIR", "1", "FG")), NOTHING, None) == ACCEPTED


@pytest.mark.parametrize(
    ("since", "reason"),
    [
        ("2026-11-20T13:05:12.099999Z", "order_closed"),
        (AT, "order_closed"),
        ("2026-11-20T13:05:12.100001Z", None),
    ],
)
def test_an_order_is_closed_to_what_happens_after_it_was(since: str, reason: str | None) -> None:
    """UP-4: judged by when it happened, to the microsecond."""
    facts = Facts(orders={"WO-1": Barred(since, "closed")}, lots={}, closed_before=None)
    assert judge(report(made("CHAIR", "1", "FG")), facts, None).reason == reason


def test_a_closed_period_takes_facts_without_material() -> None:
    """UP-4: an exception that opens changes no books."""
    facts = Facts(orders={}, lots={}, closed_before="2027-01-01T00:00:00.000000Z")
    assert judge(read(PostingStation().opened("unknown_code", code="x")), facts, None) == ACCEPTED
    assert judge(report(), facts, None).reason == "period_closed"


@pytest.mark.parametrize(
    ("quantity", "reason"), [("1", "lot_blocked"), ("-1", None)], ids=["used", "given back"]
)
def test_a_lot_on_hold_is_not_used_but_may_come_back(quantity: str, reason: str | None) -> None:
    """UP-4."""
    lots = {("LEG", "L-1", ""): Blocked("2026-01-01T00:00:00.000000Z", "rejected")}
    facts = Facts(orders={}, lots=lots, closed_before=None)
    posting = report(used("LEG", quantity, "LINE", lot="L-1"))
    verdict = judge(posting, facts, None)
    assert verdict.reason == reason
    if verdict.sentence is not None:
        assert "LEG L-1 is rejected" in verdict.sentence


def test_a_report_that_stands_refused_is_taken_back_whole_or_not_at_all() -> None:
    """UP-2."""
    first = report(made("CHAIR", "2", "FG", lot="WO-1"), used("LEG", "8", "LINE", lot="L-1"))
    standing = Standing(
        posting_id=7, outcome="refused", closes=False,
        effects=tuple(net_effects(first.data.material_actuals)),
    )  # fmt: skip
    whole = report(made("CHAIR", "-2", "FG", lot="WO-1"), used("LEG", "-8", "LINE", lot="L-1"))
    verdict = judge(whole, NOTHING, standing)
    assert (verdict.reason, verdict.has_effect, verdict.makes_final) == (None, False, 7)
    part = report(made("CHAIR", "-1", "FG", lot="WO-1"), used("LEG", "-4", "LINE", lot="L-1"))
    assert judge(part, NOTHING, standing).reason == "part_of_refused"


@pytest.mark.parametrize("word", ["source", "epoch", "sequence"])
def test_what_names_no_key_has_none(word: str) -> None:
    """UP-2."""
    event = msgspec.json.decode(PostingStation().report("WO-1"))
    reading = read_posting(msgspec.json.encode({**event, word: "?"}))
    assert isinstance(reading, Malformed)
    assert reading.key is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_value(body: bytes) -> None:
    """UP-2: nothing raises."""
    assert isinstance(read_posting(body), Malformed)


@given(st.data())
def test_a_posting_with_any_byte_changed_is_a_value_and_never_another_one(
    data: st.DataObject,
) -> None:
    """UP-2: its data are what their hash says."""
    body = PostingStation().report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"))
    place = data.draw(st.integers(0, len(body) - 1))
    changed = body[:place] + bytes([data.draw(st.integers(0, 255))]) + body[place + 1 :]
    reading = read_posting(changed)
    if isinstance(reading, Posting):
        assert reading.data == read(body).data


def test_names_with_what_only_json_can_hold_are_malformed() -> None:
    """UP-2: the database holds no NUL."""
    body = PostingStation().report("WO\0", made("CHAIR", "1", "FG"))
    assert isinstance(read_posting(body), Malformed)
    told = PostingStation().opened("unknown_code", code="\0abc", hex="00616263")
    rows = rows_of([booked(told, 1)], {})
    assert rows.exceptions[0].about == "\ufffdabc"


def test_a_batch_is_summed_up() -> None:
    """UP-2: one row for what many postings changed."""
    station = PostingStation()
    for _ in range(3):
        station.report("WO-1", made("CHAIR", "2", "FG", lot="WO-1"),
                       used("LEG", "8", "LINE", lot="L-1"), final=False)  # fmt: skip
    rows = rows_of([booked(body, n) for n, body in enumerate(station.bodies)], {})
    assert rows.balances == {
        (MaterialKey("CHAIR", "WO-1"), "FG"): 6_000_000,
        (MaterialKey("LEG", "L-1"), "LINE"): -24_000_000,
    }
    assert rows.parts == {("WO-1", 1): [6_000_000, 0]}
    assert len(rows.movements) == 6


def test_a_by_product_does_not_count_for_the_order() -> None:
    """BF-30."""
    body = PostingStation().report("WO-1", made("CHAIR", "2", "FG"), made("CHIPS", "5", "FG"))
    assert rows_of([booked(body, 1)], {}).parts == {("WO-1", 1): [2_000_000, 0]}


def test_what_a_report_takes_is_shared_by_its_units_and_goes_whole_into_each_other_product() -> (
    None
):
    """BF-30, BF-37."""
    body = PostingStation().report(
        "WO-1", made("BIKE", "1", "FG", serial="S-1"), made("BIKE", "1", "FG", serial="S-2"),
        made("CHIPS", "5", "FG", lot="C-1"), used("LEG", "3", "LINE", lot="L-1"),
    )  # fmt: skip
    leg = MaterialKey("LEG", "L-1")
    shares = {
        child: micro
        for (child, parent, _, _), (micro, _) in _edges(rows_of([booked(body, 1)], {})).items()
        if parent == leg
    }
    assert shares == {
        MaterialKey("BIKE", serial="S-1"): 1_500_000,
        MaterialKey("BIKE", serial="S-2"): 1_500_000,
        MaterialKey("CHIPS", "C-1"): 3_000_000,
    }


def test_what_was_issued_by_hand_is_in_the_order_and_so_in_what_it_makes() -> None:
    """BF-10, BF-37."""
    station = PostingStation()
    issued = station.report("WO-1", used("LEG", "4", "LINE", lot="L-1"), kind="operation.completed")
    whole = station.report("WO-1", made("CHAIR", "1", "FG", lot="WO-1"))
    edges = _edges(rows_of([booked(issued, 1), booked(whole, 2)], {}))
    order = MaterialKey("", work_order="WO-1")
    assert {(child, parent) for child, parent, _, _ in edges} == {
        (order, MaterialKey("LEG", "L-1")), (MaterialKey("CHAIR", "WO-1"), order),
    }  # fmt: skip


def _edges(rows: Rows) -> dict[tuple[MaterialKey, MaterialKey, int, str], list[int | str]]:
    return rows.edges


def test_a_posting_of_an_exception_grows_or_ends_it() -> None:
    """BF-20, BF-22."""
    station = PostingStation()
    short = OpenedException(7, "shortage", "10", "LEG", "12")
    station.report("WO-1", exceptions=[short])
    station.resolved("WO-1", OpenedException(7, "shortage", "10", "LEG", "-12"))
    rows = rows_of([booked(body, n) for n, body in enumerate(station.bodies)], {})
    assert [(each.delta_micro, each.opened, each.ended) for each in rows.exceptions] == [
        (12_000_000, 1, 0), (-12_000_000, 0, 1),
    ]  # fmt: skip


def test_what_a_report_made_is_named_by_lot_serial_or_order() -> None:
    """BF-37."""
    posting = report(made("A", "1", "FG", lot="L"), made("B", "1", "FG"))
    assert made_by(posting) == [
        (MaterialKey("A", "L"), 1_000_000), (MaterialKey("", work_order="WO-1"), 1_000_000),
    ]  # fmt: skip


@given(st.sets(st.integers(1, 40)), st.integers(1, 5))
def test_the_watermark_is_the_last_without_a_gap(numbers: set[int], first: int) -> None:
    """UP-5: against counting."""
    numbers = {each for each in numbers if each >= first}
    spans = [
        (int(each[1:].split(",")[0]), int(each[:-1].split(",")[1]) - 1)
        for each in ranges_text(numbers)[1:-1].replace("),", ") ").split()
    ]
    watermark = first - 1
    while watermark + 1 in numbers:
        watermark += 1
    highest = max(numbers, default=first - 1)
    stand = stand_of(first, spans, is_later=False)
    assert stand == Stand(watermark, highest, stand.missing)
    told = {n for begin, end in stand.missing for n in range(begin, end + 1)}
    assert told == {n for n in range(first, highest + 1) if n not in numbers}


def test_what_is_there_behind_gaps_is_told_as_ranges() -> None:
    """UP-5: 1, 3 to 4 and 7 to 9 are there."""
    assert Stand(1, 9, [(2, 2), (5, 6)]).beyond == [(3, 4), (7, 9)]
    assert Stand(9, 9, []).beyond == []
