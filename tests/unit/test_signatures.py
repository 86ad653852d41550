"""Signatures: who, when, what it means, and the hash of what is signed (issue 5, part 5)."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.posting import FIRST_HASH, chain
from mes_terminal.domain.session import Person
from mes_terminal.store import verifier
from mes_terminal.store.database import open_database, open_reader
from mes_terminal.store.events import read_head
from mes_terminal.usecases.log_chain import prove
from mes_terminal.usecases.people import disable_person
from mes_terminal.usecases.resolve_exceptions import resolve_exception
from mes_terminal.usecases.signatures import sign, sign_newest
from tests.plants import Station, open_station, plant

PLANT = plant(
    items="item,tracking\nCHAIR,lot\nLEG,lot",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,2,released",
    operators="badge,name,role\nSUE,Sue Ännä,supervisor\nTOM,Tom,supervisor",
)
SUE = Person("SUE", "Sue Ännä", "supervisor", None)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """A chair was made whose legs were in no lot."""
    made = open_station(tmp_path, PLANT)
    made.scan("CHAIR", badge="TOM")
    return made


def signatures(station: Station) -> list[dict[str, Any]]:
    rows = station.db.conn.execute(
        "SELECT body FROM event WHERE type = 'signature.given' ORDER BY event_seq"
    )
    return [msgspec.json.decode(body)["data"]["detail"] for (body,) in rows]


def test_a_signature_says_who_when_and_what_was_signed(station: Station) -> None:
    """Name and role as of then, time with its offset, clock state, meaning, hash."""
    with station.db.transaction() as conn:
        head = read_head(conn)
        sign(
            conn, person=SUE, meaning="approves the load", signed_hash=head.hash,
            rules=station.rules, now="2026-11-20T13:05:00.000000Z",
        )  # fmt: skip
    (given,) = signatures(station)
    assert given["signed_hash"] == head.hash
    assert int(given["signed_sequence"]) == head.event_seq
    assert (given["name"], given["badge"], given["role"]) == ("Sue Ännä", "SUE", "supervisor")
    assert (given["meaning"], given["clock"]) == ("approves the load", "in_order")
    assert given["local_time"] == "2026-11-20T13:05:00+00:00"
    row = station.rows("audit")[-1]
    assert (row["type"], row["person"]) == ("io.mes-terminal.signature.given.v1", "SUE")
    assert station.faults() == []


def test_a_signature_goes_upstream_where_what_it_signs_does(station: Station) -> None:
    """UP-1: a report and its signature are postings; a sign-in, and who signs it, stay here."""
    before = len(station.rows("outbox"))
    with station.db.transaction() as conn:
        sign_newest(conn, person=SUE, meaning="saw it", rules=station.rules, now=station.now)
    told = station.rows("outbox")[before:]
    assert [row["type"] for row in told] == ["io.mes-terminal.signature.given.v1"]
    station.scan("B:SUE")
    assert station.rows("audit")[-1]["type"] == "io.mes-terminal.signed_in.v1"
    with station.db.transaction() as conn:
        sign_newest(conn, person=SUE, meaning="was here", rules=station.rules, now=station.now)
    assert len(signatures(station)) == 2
    assert len(station.rows("outbox")) == before + 1
    assert station.faults() == []


def test_a_name_stays_as_it_was_signed(station: Station) -> None:
    """People are disabled, never deleted; what they signed names them for ever."""
    with station.db.transaction() as conn:
        sign_newest(conn, person=SUE, meaning="x", rules=station.rules, now=station.now)
    disable_person(station.db, "SUE", by="TOM", rules=station.rules, now=station.now)
    assert signatures(station)[0]["name"] == "Sue Ännä"


def test_what_is_not_in_the_log_cannot_be_signed(station: Station) -> None:
    with pytest.raises(LookupError), station.db.transaction() as conn:
        sign(
            conn, person=SUE, meaning="x", signed_hash=FIRST_HASH, rules=station.rules,
            now=station.now,
        )  # fmt: skip
    assert signatures(station) == []


def test_each_exception_that_is_ended_is_signed_on_its_last_event(station: Station) -> None:
    """BF-23: one signature an exception; a refusal has none."""
    for _ in range(2):
        resolve_exception(
            station.db, 1, Decision(how="write_off", reason="GONE"), by="SUE",
            rules=station.rules, now=station.now,
        )  # fmt: skip
    (given,) = signatures(station)
    assert (given["meaning"], given["signed_type"]) == ("ends the exception", "exception.resolved")


def forged(station: Station, folder: Path, **changes: str) -> Path:
    """Return a copy whose newest entry is a signature that was written with its hash anew."""
    with station.db.transaction() as conn:
        sign_newest(conn, person=SUE, meaning="x", rules=station.rules, now=station.now)
    path = folder / "forged.db"
    station.db.checkpoint()
    shutil.copyfile(folder / "station.db", path)
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER event_no_update")
    seq, body = db.execute(
        "SELECT event_seq, body FROM event ORDER BY event_seq DESC LIMIT 1"
    ).fetchone()
    told = msgspec.json.decode(body)
    told["data"]["detail"] |= changes
    data = msgspec.json.encode(told["data"])
    told |= {"data": msgspec.Raw(data), "datahash": verifier.sha256(data)}
    encoded = msgspec.json.encode(told)
    digest = chain(told["previoushash"], encoded)
    db.execute(
        "UPDATE event SET body = ?, hash = ? WHERE event_seq = ?", [encoded.decode(), digest, seq]
    )
    db.commit()
    db.close()
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"signed_hash": "f" * 64},
        {"signed_sequence": "000000000001"},
        {"signed_sequence": "999999999999"},
        {"badge": "TOM"},
        {"signed_sequence": "none"},
    ],
)
def test_a_signature_of_something_else_is_found(
    station: Station, tmp_path: Path, changes: dict[str, str]
) -> None:
    """By the program and by the auditor's file, even where its own hashes were made anew."""
    path = forged(station, tmp_path, **changes)
    told = {name: holds for name, holds, _ in verifier.verify(path)}
    assert told["log"]
    assert not told["signatures"]
    reader = open_reader(path)
    found = prove(reader)
    reader.close()
    assert not found.ok
    assert "sign" in (found.fault or "")


def test_whole_signatures_hold(station: Station, tmp_path: Path) -> None:
    path = forged(station, tmp_path)
    found = {name: detail for name, holds, detail in verifier.verify(path) if holds}
    assert found["signatures"] == "1 signatures, each of an entry of the log"
    database = open_database(path)
    assert prove(database).ok
    database.close()
