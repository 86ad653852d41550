"""The `file` connector: a folder of whole files, chained, each posting in it once."""

import asyncio
import os
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.delivery import Hello
from mes_terminal.domain.sequences import Sequences
from mes_terminal.errors import InputError, TransportError
from mes_terminal.exchange.csv_template import parse_template, render
from mes_terminal.settings.upstream_tables import FileConnectorTable, UpstreamTable
from mes_terminal.site.doors.folder import FolderReader
from mes_terminal.store.whole_file import sync
from mes_terminal.upstream.connectors import file
from mes_terminal.upstream.connectors.file import connect
from tests.power_cut import PowerCutError, cut_power
from tests.unit.posting_files import (
    EPOCH,
    SOURCE,
    Inbox,
    connector,
    identity,
    posting,
    sequences_in,
    write,
)

TEMPLATE = """
[[file]]
name = "goods"
types = ["production.completed", "report.reversed"]
uses = ["Consumed"]
delimiter = ";"
encoding = "cp1252"
columns = [
  { heading = "Bewegungsart", field = "use", words = { Consumed = "261" } },
  { heading = "Material", field = "item", width = 8 },
  { heading = "Menge", field = "quantity", decimal = ",", sign = "trailing" },
  { heading = "Charge", field = "lot" },
  { heading = "Buchungsdatum", field = "time", date = "%d.%m.%Y" },
  { heading = "Werk", constant = "1000" },
]
"""


async def test_postings_stand_in_files_byte_for_byte(tmp_path: Path) -> None:
    """The `file` connector: JSON Lines with chained hashes."""
    first = connector(tmp_path)
    await first.open()
    sent = [posting(number) for number in (1, 2, 5)]
    answers = await first.deliver(sent)
    assert [(each.sequence, each.outcome) for each in answers] == [
        (1, "accepted"), (2, "accepted"), (5, "accepted")
    ]  # fmt: skip
    assert not list(tmp_path.glob("????/*.jsonl"))
    await first.close()
    (path,) = tmp_path.glob("????/*.jsonl")
    assert path.read_bytes().split(b"\n")[1:-1] == [each.body for each in sent]
    second = connector(tmp_path)
    await second.open()
    await second.deliver([posting(6)])
    await second.close()
    assert sequences_in(tmp_path) == [1, 2, 5, 6]


async def test_a_posting_that_comes_again_is_written_once(tmp_path: Path) -> None:
    """UP-2: also by another run, and after the reader has taken the files away."""
    for sent in ((1, 2), (2, 3), (1, 3, 4)):
        each = connector(tmp_path)
        await each.open()
        answers = await each.deliver([posting(number) for number in sent])
        assert all(answer.outcome == "accepted" for answer in answers)
        await each.close()
    assert sequences_in(tmp_path) == [1, 2, 3, 4]
    for path in tmp_path.glob("????/*.jsonl"):
        path.unlink()
    after = connector(tmp_path)
    await after.open()
    (answer,) = await after.deliver([posting(3)])
    await after.close()
    assert answer.repeated
    assert not list(tmp_path.glob("????/*.jsonl"))


async def test_the_greeting_never_asks_for_what_a_reader_took_away(tmp_path: Path) -> None:
    """UP-5"""
    each = connector(tmp_path)
    await each.open()
    hello = Hello(
        source=SOURCE, station="LINE3", epoch=EPOCH, first_sequence=1, last_sequence=900,
        head="", head_sequence=9, down_version=0, software="1",
    )  # fmt: skip
    greeting = await each.greet(hello)
    assert (greeting.highest, greeting.missing) == (900, [])
    await each.deliver([posting(1), posting(2), posting(4)])
    assert (await each.greet(hello)).watermark == 2
    await each.close()


async def test_an_open_file_is_sealed_when_its_time_has_come(tmp_path: Path) -> None:
    now = 0.0
    each = connector(tmp_path, seal_s=0, clock=lambda: now)
    await each.open()
    await each.deliver([posting(1)])
    sealing = each._sealing
    assert sealing is not None
    await sealing
    assert sequences_in(tmp_path) == [1]
    await each.close()


async def test_a_folder_that_cannot_be_written_is_one_sentence_and_loses_nothing(
    tmp_path: Path,
) -> None:
    """UP-4"""
    (tmp_path / "outbox").write_text("a file")
    each = connect(UpstreamTable(), identity(tmp_path))
    with pytest.raises(TransportError, match=r"cannot be written to .*outbox.*they wait"):
        await each.open()


CALLS = (
    (os, "write"), (os, "fsync"), (os, "rename"), (os, "open"), (Path, "replace"), (Path, "rename"),
)  # fmt: skip


@pytest.mark.parametrize("reads", ["at once", "later"])
@pytest.mark.parametrize("cut", range(1, 53))
async def test_a_power_cut_at_every_call_neither_loses_nor_doubles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int, reads: str
) -> None:
    """UP-4: what was answered comes to who reads the files, once, however soon they read; what was
    not answered is sent again."""
    answered: set[int] = set()

    async def day(numbers: tuple[int, ...]) -> None:
        each = connector(tmp_path, template=parse_template(TEMPLATE.encode(), "t.toml"))
        await each.open()
        for number in numbers:
            for answer in await each.deliver([posting(number), posting(number + 1)]):
                answered.add(answer.sequence)
        await each.close()

    with monkeypatch.context() as patch:
        was_cut = cut_power(patch, CALLS, at=cut)
        try:
            await day((1, 3))
            await day((5,))
        except PowerCutError:
            pass
        assert was_cut(), "the range of cuts no longer fits: nothing was cut"
    for path in tmp_path.glob("????/*.jsonl"):
        assert path.read_bytes().endswith(b"\n")
    imported = import_csv(tmp_path) if reads == "at once" else 0
    inbox = Inbox()
    if reads == "at once":
        FolderReader(tmp_path, inbox).read()
    await day(tuple(number for number in (1, 3, 5) if not {number, number + 1} <= answered))
    await day((7,))
    FolderReader(tmp_path, inbox).read()
    assert sorted(inbox.taken) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert sequences_in(tmp_path / "taken") == inbox.taken
    assert imported + import_csv(tmp_path) == 8


def import_csv(folder: Path) -> int:
    """Return how many rows were there to be imported, and take the files away, as an ERP does."""
    rows = 0
    for path in sorted((folder / "csv").glob("*.csv")):
        rows += path.read_bytes().count(b"\r\n") - 1
        path.unlink()
    return rows


async def test_a_file_that_cannot_get_its_name_now_gets_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-4: what was answered stays, whatever is written after it."""
    each = connector(tmp_path)
    await each.open()
    await each.deliver([posting(1)])
    with monkeypatch.context() as patch:

        def refuses(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        patch.setattr(Path, "rename", refuses)
        await each.close()
        with pytest.raises(TransportError, match="Permission denied"):
            await each.deliver([posting(2)])
    await each.deliver([posting(2)])
    await each.close()
    assert sequences_in(tmp_path) == [1, 2]


async def test_a_call_that_was_given_up_is_through_before_the_file_is_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-4: on a slow disk the relay stops waiting, and the thread writes on: into the file that it
    began with, before that is counted."""
    each = connector(tmp_path)
    await each.open()
    await each.deliver([posting(1)])
    is_writing, goes_on = threading.Event(), threading.Event()
    write_now = os.write

    def write_slowly(file: int, content: bytes) -> int:
        is_writing.set()
        assert goes_on.wait(30)
        return write_now(file, content)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write_slowly)
        given_up = asyncio.create_task(each.deliver([posting(2)]))
        await asyncio.to_thread(is_writing.wait, 30)
        given_up.cancel()
        closing = asyncio.create_task(each.close())
        await asyncio.wait({closing}, timeout=0.5)  # time enough to do it wrong
        goes_on.set()
        await closing
    await write(tmp_path, (3,))
    assert sequences_in(tmp_path) == [1, 2, 3]


async def test_a_posting_counts_as_delivered_when_the_name_of_its_file_is_durable_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-4: a file that was made, and a folder that got one, is lost with the power until the
    folder above it is synced."""
    synced: list[Path] = []

    def noting(path: Path) -> None:
        synced.append(path)
        sync(path)

    monkeypatch.setattr(file, "sync", noting)
    each = connector(tmp_path)
    await each.open()
    await each.deliver([posting(1)])
    assert synced == [tmp_path]
    synced.clear()
    await each.close()
    assert synced == [tmp_path / "0000", tmp_path]


async def test_csv_of_a_file_that_came_to_nothing_is_never_seen(tmp_path: Path) -> None:
    """UP-4: what a sealing that was cut short prepared under a number is not of another file."""
    stale = tmp_path / "csv" / ".LINE3-00000001-gone.csv.new"
    stale.parent.mkdir()
    stale.write_text("rows of a template that is no more")
    each = connector(tmp_path, template=parse_template(TEMPLATE.encode(), "t.toml"))
    await each.open()
    await each.deliver([posting(1)])
    await each.close()
    assert [path.name for path in stale.parent.iterdir()] == ["LINE3-00000001-goods.csv"]


async def test_an_open_file_outlives_the_loss_of_the_state_beside_it(tmp_path: Path) -> None:
    """UP-4: the chain begins anew; what was answered is in it."""
    await write(tmp_path, (1,), (2,))
    for path in tmp_path.glob("????/*.jsonl"):
        path.unlink()
    killed = connector(tmp_path)
    await killed.open()
    await killed.deliver([posting(3)])
    (tmp_path / ".LINE3.state").unlink()
    after = connector(tmp_path)
    await after.open()
    await after.close()
    assert sequences_in(tmp_path) == [3]


async def test_csv_files_are_written_as_the_template_says(tmp_path: Path) -> None:
    """CSV by template: the columns, words and formats of the ERP's import."""
    template = tmp_path / "sap.toml"
    template.write_text(TEMPLATE)
    table = UpstreamTable(
        file=FileConnectorTable(folder=str(tmp_path / "out"), template=str(template))
    )
    each = connect(table, identity(tmp_path))
    await each.open()
    await each.deliver([posting(1, quantity="400.5"), posting(2, quantity="-3")])
    await each.close()
    (path,) = (tmp_path / "out" / "csv").glob("*.csv")
    assert path.name == "LINE3-00000001-goods.csv"
    assert path.read_bytes().decode("cp1252") == (
        "Bewegungsart;Material;Menge;Charge;Buchungsdatum;Werk\r\n"
        '261;00000LEG;400,5;"Lü;7";20.11.2026;1000\r\n'
        '261;00000LEG;3-;"Lü;7";20.11.2026;1000\r\n'
    )


def template_of(said: str = "", columns: str = '{ heading = "x", field = "item" }') -> str:
    """A template of one file; what is `said` takes the place of its types."""
    types = "" if "types" in said else 'types = ["production.completed"]'
    return f'[[file]]\nname = "a"\n{types}\n{said}\ncolumns = [{columns}]'


def column(said: str) -> str:
    return template_of(columns=f'{{ heading = "x", {said} }}')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[file]", "no valid TOML"),
        (f"a = {'[' * 3000}{']' * 3000}", "no valid TOML"),
        (b"\xff\xfe", "no valid TOML"),
        ("", "required field `file`"),
        ("file = []", "makes no file"),
        (template_of(columns=""), "name 1 to 200 columns"),
        (template_of().replace('"a"', '"a/b"'), "name"),
        (template_of("none = 1"), "none"),
        (template_of("types = []"), "names no types of postings"),
        (template_of('types = ["production.complete"]'), "Did you mean production.completed"),
        (
            template_of('types = ["io.mes-terminal.material.moved.v1"]'),
            "is no type of posting. Did you mean material.moved",
        ),
        (template_of('types = ["x"]'), "Known: production.completed, production.scrapped"),
        (template_of('uses = ["Comsumed"]'), "'Comsumed'"),
        (
            template_of('rows = "posting"\nuses = ["Produced"]', '{heading="x", field="time"}'),
            "uses are of materials",
        ),
        (template_of('zone = "Europe/Berlln"'), "is no time zone"),
        (template_of('zone = "/etc/passwd"'), "is no time zone"),
        (template_of(columns='{heading = "x"}'), "either field or constant"),
        (column('field = "item", constant = "1"'), "either field or constant"),
        (column('field = "y"'), "'y' is no field"),
        (column('field = "item", date = "%Y"'), "date is for time, recordedtime, event_time"),
        (column('constant = "1", date = "%Y"'), "date is for time, recordedtime, event_time"),
        (column('field = "time", date = ""'), "is no format of dates"),
    ],
)
def test_a_wrong_template_is_one_sentence(text: str | bytes, said: str) -> None:
    """What could make no row, or none when a posting is there, is told before anything is sent: a
    posting counts as delivered, whether a CSV file has a row of it or not."""
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(InputError) as told:
        parse_template(content, "erp.toml")
    assert said in told.value.sentence
    assert told.value.sentence.startswith("erp.toml: ")


def test_days_are_told_where_the_erp_books_them() -> None:
    """Half an hour after midnight in Berlin is the day before in UTC, and at the end of a month
    another period."""
    body = posting(1).body.replace(b"2026-11-20T13:05:12.100000Z", b"2026-11-30T23:30:00.000000Z")
    assert b"2026-11-30T23:30" in body
    for zone, day in (("UTC", b"30.11. 23:30"), ("Europe/Berlin", b"01.12. 00:30")):
        columns = '{ heading = "x", field = "time", date = "%d.%m. %H:%M" }'
        text = template_of(f'zone = "{zone}"\nuses = ["Produced"]', columns)
        made = render(parse_template(text.encode(), "erp.toml"), [body], "LINE3-00000001")
        assert made == {"LINE3-00000001-a.csv": b"x\r\n" + day + b"\r\n"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40)))
def test_sequences_are_a_set_of_numbers(numbers: list[int]) -> None:
    kept = Sequences()
    for number in numbers:
        kept.add(number)
    assert [each for first, last in kept for each in range(first, last + 1)] == sorted(set(numbers))
    assert all((each in kept) == (each in set(numbers)) for each in range(42))
    assert list(Sequences(list(kept))) == list(kept)
    ranges = list(kept)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))
